package postgres_test

import (
	"testing"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/testenv"
	"github.com/tailwater-cdc/tailwater/sinks"
	"github.com/tailwater-cdc/tailwater/sinks/postgres"
)

// heirs are a table and one that inherits from it, with a row of the same key in both and one that only the heir has.
const heirs = `create table t (id int primary key, a text, b text); create table heir (primary key (id)) inherits (t);
insert into t values (1, 'own', 'b'); insert into heir values (1, 'heir', 'b'), (5, 'heir', 'b')`

// TestRowsOfHeirsStay: the source's log tells of each table by itself, so what it says of one touches no row of those that inherit from it.
func TestRowsOfHeirsStay(t *testing.T) {
	t.Parallel()
	var unset change.Value
	tab := table()
	cases := map[string]struct {
		also  string // SQL
		mode  postgres.Mode
		apply []change.Change
		want  []string // the table's own rows
	}{
		"delete":       {apply: []change.Change{at(tab, 2, change.Delete, change.Int(1), unset, unset)}},
		"patch":        {apply: []change.Change{at(tab, 2, change.Update, change.Int(1), change.Text("new"), unset)}, want: []string{"1|new"}},
		"patch of key": {apply: []change.Change{at(tab, 2, change.Update, change.Int(1), unset, unset)}, want: []string{"1|own"}},
		"truncate":     {apply: []change.Change{at(tab, 2, change.Truncate), at(tab, 3, change.Insert, change.Int(2), change.Null(), change.Null())}, want: []string{`2|\N`}},
		"truncate of a family": {also: "create table child (id int references t)",
			apply: []change.Change{at(tab, 2, change.Truncate)}},
		"a trigger that may keep rows": {also: `create function f() returns trigger language plpgsql as 'begin return old; end'; create trigger f before delete on t for each row execute function f()`,
			apply: []change.Change{at(tab, 2, change.Delete, change.Int(1), unset, unset)}},
		"soft delete":   {mode: postgres.SoftDelete, apply: []change.Change{at(tab, 2, change.Delete, change.Int(1), unset, unset)}},
		"soft patch":    {mode: postgres.SoftDelete, apply: []change.Change{at(tab, 2, change.Update, change.Int(1), change.Text("new"), unset)}, want: []string{"1|new"}},
		"soft truncate": {mode: postgres.SoftDelete, apply: []change.Change{at(tab, 2, change.Truncate)}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			testenv.All(t, func(t *testing.T, pg *testenv.PG) {
				pg.Exec(heirs + "; " + c.also)
				conf := config(pg)
				conf.Mode = c.mode
				mustApply(t, open(t, conf), c.apply...)
				alive := ""
				if c.mode == postgres.SoftDelete {
					alive = " where _tailwater_deleted_at is null"
				}
				wantRows(t, pg, "select id, a from only t"+alive+" order by id", c.want...)
				wantRows(t, pg, "select id, a from heir"+alive+" order by id", "1|heir", "5|heir")
			})
		})
	}
}

// TestAValueOfAnHeirHaltsNothing: a column that the source has made anew is the heir's own affair in the heir.
func TestAValueOfAnHeirHaltsNothing(t *testing.T) {
	t.Parallel()
	pg := testenv.Postgres(t, 18)
	pg.Exec(heirs)
	c := config(pg)
	c.Policy = sinks.Policy{sinks.KindDrop: sinks.Ignore, sinks.KindAdd: sinks.Follow}
	s := open(t, c)
	first, without, again := table(), table(), table()
	without.Columns = without.Columns[:2]
	for i := range first.Columns {
		first.Columns[i].ID, again.Columns[i].ID = uint64(i+1), uint64(i+1)
	}
	for i := range without.Columns {
		without.Columns[i].ID = uint64(i + 1)
	}
	again.Columns[2].ID = 9
	mustApply(t, s, at(first, 2, change.Insert, change.Int(1), change.Text("own"), change.Null()))
	mustApply(t, s, at(without, 3, change.NewShape), at(again, 4, change.NewShape), at(again, 5, change.Insert, change.Int(2), change.Null(), change.Text("new")))
	wantRows(t, pg, "select id, b from only t order by id", `1|\N`, "2|new")
	wantRows(t, pg, "select id, b from heir order by id", "1|b", "5|b")
}

// TestAHypertablesRowsAreItsChunks: TimescaleDB keeps a hypertable's rows in tables that inherit from it, and its own view tells. The view and the chunk
// are made by hand here.
func TestAHypertablesRowsAreItsChunks(t *testing.T) {
	t.Parallel()
	pg := testenv.Postgres(t, 15)
	pg.Exec(heirs + `; truncate only t; create schema timescaledb_information;
create view timescaledb_information.hypertables as select 'public'::name as hypertable_schema, 't'::name as hypertable_name`)
	s := open(t, config(pg))
	var unset change.Value
	mustApply(t, s, at(table(), 2, change.Delete, change.Int(1), unset, unset), at(table(), 3, change.Update, change.Int(5), change.Text("new"), unset))
	wantRows(t, pg, "select id, a from t order by id", "5|new")
	mustApply(t, s, at(table(), 4, change.Truncate))
	wantRows(t, pg, "select id, a from t order by id")
	wantRows(t, pg, "select id from heir")
}
