package postgres_test

import (
	"testing"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/testenv"
)

// TestRemoveOneTakesOne: a ctid is a place in one table; an inheriting table and another partition have rows at the same places.
func TestRemoveOneTakesOne(t *testing.T) {
	t.Parallel()
	own := "id int, a text, b text, _tailwater_pos text collate \"C\" unique"
	cases := map[string]struct{ sql, rows string }{
		"inherits": {"create table t (" + own + "); create table heir () inherits (t); insert into heir values (7, 'heir'), (8, 'heir')", "t"},
		"partitions": {`create table t (id int, a text, b text, _tailwater_pos text collate "C") partition by list (_tailwater_pos);
create unique index on t (_tailwater_pos);
create table heir partition of t for values in ('heir1', 'heir2'); create table rest partition of t default;
insert into heir values (7, 'heir', null, 'heir1'), (8, 'heir', null, 'heir2')`, "rest"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pg := testenv.Postgres(t, 15)
			pg.Exec(c.sql)
			s := open(t, config(pg))
			tab := table()
			tab.Key = nil
			row := []change.Value{change.Int(1), change.Text("x"), change.Null()}
			mustApply(t, s, at(tab, 1, change.Insert, row...), at(tab, 2, change.Insert, row...))
			mustApply(t, s, at(tab, 3, change.Delete, row...))
			wantRows(t, pg, "select id, a from only "+c.rows, "1|x")
			wantRows(t, pg, "select id from heir order by id", "7", "8")
		})
	}
}
