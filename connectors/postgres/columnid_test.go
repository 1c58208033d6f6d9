package postgres_test

import (
	"fmt"
	"testing"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/testenv"
)

// TestColumnsHaveAnIdentity: a column keeps it under every name, one that is dropped and made again has another, and where the catalogue
// of later proves nothing, it has none.
func TestColumnsHaveAnIdentity(t *testing.T) {
	t.Parallel()
	testenv.All(t, func(t *testing.T, pg *testenv.PG) {
		column := func(c change.Change, name string) uint64 { return c.Table.Columns[c.Table.ColumnIndex(name)].ID }
		pg.Exec("create table a (id int primary key, v text); create table b (id int primary key, v text)")
		c := config(t, pg)
		r := read(t, c, fresh)
		pg.Exec("insert into a values (1, 'x'); insert into b values (1, 'x')")
		one := r.all()
		pg.Exec("alter table a rename column v to w; insert into a values (2, 'x')")
		two := r.all()
		pg.Exec("alter table a drop column w; alter table a add column w text; insert into a values (3, 'x')")
		three := r.all()
		v, w, other := column(one[0], "v"), column(two[0], "w"), column(three[0], "w")
		if v == 0 || v != w || other == 0 || other == v || column(one[1], "v") == v || column(one[0], "id") == v {
			t.Errorf("identities %d, %d, %d, in another table %d", v, w, other, column(one[1], "v"))
		}
		r.close()
		pg.Exec("insert into a values (4, 'x'); insert into b values (4, 'x')")
		pg.Exec("alter table a rename column w to late; alter table b rename column v to late")
		pg.Exec("insert into a values (5, 'x'); insert into b values (5, 'x')")
		again := read(t, c, r.start())
		got := again.all()
		want(t, got, `insert a + 4 "x"`, `insert b + 4 "x"`, `insert a + 5 "x"`, `insert b + 5 "x"`)
		if id := column(got[0], "w"); id != 0 {
			t.Errorf("a column of a table that has lost one is taken for %d", id)
		}
		if id := column(got[1], "v"); id != column(one[1], "v") || column(got[3], "late") != id {
			t.Errorf("a column that was renamed since has identity %d", id)
		}
		if id := column(got[2], "late"); id != other {
			t.Errorf("a column that is in the catalogue has identity %d, want %d", id, other)
		}
	})
}

// TestValuesOfRowsFromBefore: what ADD COLUMN ... DEFAULT gives to rows that are there, which the log doesn't show, comes with the shape for as long as
// the server keeps it.
func TestValuesOfRowsFromBefore(t *testing.T) {
	t.Parallel()
	cases := []struct{ column, want string }{
		{"int not null default 7", "7"}, {"text default 'it''s {\"x\", y} \\'", `it's {"x", y} \`}, {"numeric(10,2) default 1.5", "1.50"},
		{"boolean default true", "true"}, {"bytea default '\\x00ff'", "AP8="}, {"date default '2024-02-29'", "2024-02-29"},
		{"timestamptz default '2024-02-29 12:00:00.5+02'", "2024-02-29T10:00:00.500000Z"}, {"json default '{\"a\": 1}'", `{"a": 1}`},
		{"text[] default array['a', 'b c']", `{a,"b c"}`}, {"int", ""}, {"int default (random() * 0)::int", ""}, {"int default null", ""},
	}
	testenv.All(t, func(t *testing.T, pg *testenv.PG) {
		pg.Exec("create table a (id int primary key); insert into a values (1)")
		c := config(t, pg)
		r := read(t, c, fresh)
		for i, one := range cases {
			pg.Exec(fmt.Sprintf("alter table a add column c %s; insert into a values (%d)", one.column, 10+i))
			got := r.all()
			have := ""
			if col := got[0].Table.Columns[1]; col.Missing != nil {
				have = *col.Missing
			}
			if have != one.want {
				t.Errorf("%s: rows from before have %q, want %q", one.column, have, one.want)
			}
			pg.Exec("alter table a drop column c")
		}
		pg.Exec("alter table a add column d int default 7")
		pg.Exec("vacuum full a")
		pg.Exec("insert into a values (99)")
		if col := r.all()[0].Table.Columns[1]; col.Missing != nil {
			t.Errorf("a table that was written anew: %q", *col.Missing)
		}
	})
}
