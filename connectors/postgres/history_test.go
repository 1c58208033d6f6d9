package postgres_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tailwater-cdc/tailwater/connectors"
	"github.com/tailwater-cdc/tailwater/connectors/postgres"
	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/testenv"
)

// history is a table's life: what is there, what happens, and what the log says of it, each row with its columns' names and types.
type history struct {
	name, setup string
	steps       []string
	want        []string
}

var histories = []history{
	{"columns come, go, and change their names", "create table a (id int primary key, v text)", []string{
		"insert into a values (1, 'x')", "alter table a add column n int default 7; insert into a values (2, 'y')", "alter table a rename v to w; insert into a values (3, 'z')",
		"alter table a drop column w; insert into a values (4)", "alter table a add column w bool; insert into a values (5, 6, true)"},
		[]string{`insert a + id integer 1, v text "x"`, `insert a + id integer 2, v text "y", n integer 7`, `insert a + id integer 3, w text "z", n integer 7`,
			`insert a + id integer 4, n integer 7`, `insert a + id integer 5, n integer 6, w boolean true`}},
	{"columns grow and shrink", "create table a (id int primary key, v varchar(5), n numeric(10,4))", []string{
		"insert into a values (1, 'x', 1.5)", "alter table a alter v type text, alter id type bigint; update a set v = 'longer than five'",
		"alter table a alter n type numeric(4,1), alter v type varchar(20); update a set n = n", "alter table a alter n type text; update a set v = 'y'"},
		[]string{`insert a + id integer 1, v character varying(5) "x", n numeric(10,4) "1.5000"`, `update a + id bigint 1, v text "longer than five", n numeric(10,4) "1.5000"`,
			`update a + id bigint 1, v character varying(20) "longer than five", n numeric(4,1) "1.5"`, `update a + id bigint 1, v character varying(20) "y", n text "1.5"`}},
	{"two columns swap their names", "create table a (id int primary key, v text, w text)", []string{
		"insert into a values (1, 'v', 'w')", "alter table a rename v to t; alter table a rename w to v; alter table a rename t to w; insert into a values (2, 'w', 'v')"},
		[]string{`insert a + id integer 1, v text "v", w text "w"`, `insert a + id integer 2, w text "w", v text "v"`}},
	{"a table is swapped for another", "create table a (id int primary key, v text); create table b (id int primary key, n int)", []string{
		"insert into a values (1, 'x'); insert into b values (1, 2)", "begin; alter table a rename to old; alter table b rename to a; commit; insert into a values (2, 3); insert into old values (2, 'y')"},
		[]string{`insert a + id integer 1, v text "x"`, `insert b + id integer 1, n integer 2`, `insert a + id integer 2, n integer 3`, `insert old + id integer 2, v text "y"`}},
	{"a table is dropped and made again", "create table a (id int primary key, v text)", []string{
		"insert into a values (1, 'x')", "drop table a; create table a (k uuid primary key, n int); insert into a values ('00000000-0000-0000-0000-000000000001', 2)",
		"drop table a; create table a (id int primary key, v text); insert into a values (3, 'z')"},
		[]string{`insert a + id integer 1, v text "x"`, `insert a + k uuid "00000000-0000-0000-0000-000000000001", n integer 2`, `insert a + id integer 3, v text "z"`}},
	{"tables are made of others", "create table a (id int primary key, v text)", []string{
		"insert into a values (1, 'x'); create table c as select id + 1 as id, v from a; insert into c values (5, 'y')", "create table l (like a including all); insert into l values (6, 'z')", "select id, v into s from a"},
		[]string{`insert a + id integer 1, v text "x"`, `insert c + id integer 2, v text "x"`, `insert c + id integer 5, v text "y"`, `insert l + id integer 6, v text "z"`, `insert s + id integer 1, v text "x"`}},
	{"several are truncated", "create table a (id int primary key); create table b (id int primary key, a int references a)", []string{
		"insert into a values (1); insert into b values (2, 1)", "truncate a, b", "begin; truncate a cascade; insert into a values (3); commit"},
		[]string{`insert a + id integer 1`, `insert b + id integer 2, a integer 1`, "truncate a", "truncate b", "truncate a", "truncate b", `insert a + id integer 3`}},
	{"partitions are attached and detached", `create table p (id int, v text, primary key (id)) partition by range (id); create table p1 partition of p for values from (0) to (10);
		create table x (v text, id int primary key)`, []string{
		"insert into p values (1, 'a')", "alter table p attach partition x for values from (10) to (20); insert into p values (11, 'b')", "alter table p detach partition x; insert into x values ('c', 12)"},
		[]string{`insert p + id integer 1, v text "a"`, `insert p + id integer 11, v text "b"`, `insert x + v text "c", id integer 12`}},
	{"an enumeration gains and renames labels", "create type mood as enum ('b', 'd'); create table a (id int primary key, m mood)", []string{
		"insert into a values (1, 'b')", "alter type mood add value 'a' before 'b'", "insert into a values (2, 'a')", "alter type mood rename value 'd' to 'e'; insert into a values (3, 'e')",
		"alter type mood add value 'f'", "insert into a values (4, 'f')"},
		[]string{`insert a + id integer 1, m mood "b"`, `insert a + id integer 2, m mood "a"`, `insert a + id integer 3, m mood "e"`, `insert a + id integer 4, m mood "f"`}},
	{"a schema changes inside a transaction", "create table a (id int primary key, v text)", []string{
		"begin; insert into a values (1, 'x'); alter table a add column n int; insert into a values (2, 'y', 3); savepoint s; alter table a drop column v; insert into a values (3, 4); rollback to s; insert into a values (4, 'z', 5); commit"},
		[]string{`insert a + id integer 1, v text "x"`, `insert a + id integer 2, v text "y", n integer 3`, `insert a + id integer 4, v text "z", n integer 5`}},
	{"a name is any name", `create schema "a.B"; create table "a.B"."c'""d é.x" (id int primary key, "sel""ect" int, "Sel" int, "sel" int, "日本" int);
		create table "A" (id int primary key); create table "a" (id int primary key); create table "a.b" (id int primary key)`, []string{
		`insert into "a.B"."c'""d é.x" values (1, 2, 3, 4, 5)`, `insert into "A" values (1); insert into "a" values (2); insert into "a.b" values (3); truncate "A", "a.b"`},
		[]string{`insert c'"d é.x + id integer 1, sel"ect integer 2, Sel integer 3, sel integer 4, 日本 integer 5`, `insert A + id integer 1`, `insert a + id integer 2`, `insert a.b + id integer 3`, "truncate A", "truncate a.b"}},
}

// TestHistories reads each history as it happens, after a restart in the middle of it, all of it from a backlog, and once more from the
// begin when the catalogue has long become another: the rows are the same, with the names and types of then.
func TestHistories(t *testing.T) {
	t.Parallel()
	testenv.All(t, func(t *testing.T, shared *testenv.PG) {
		for _, h := range histories {
			for _, way := range []string{"live", "restart", "backlog"} {
				t.Run(h.name+"/"+way, func(t *testing.T) {
					t.Parallel()
					h.live(t, testenv.Postgres(t, shared.Major), way)
				})
			}
		}
	})
}

func (h *history) live(t *testing.T, pg *testenv.PG, way string) {
	pg.Exec(h.setup)
	pg.Exec(`create publication everything for all tables with (publish_via_partition_root = true)`)
	c := config(t, pg)
	c.Publication.Name, c.Include = "everything", []string{"*.*"}
	r := read(t, c, fresh)
	begin := r.start()
	var got []string
	for i, step := range h.steps {
		pg.Exec(step)
		if way == "live" || way == "restart" && i == len(h.steps)/2 {
			got = append(got, shaped(r.all())...)
		}
		if way == "restart" && i == len(h.steps)/2 {
			r = h.again(r, c, r.start())
		}
	}
	got = append(got, shaped(r.all())...)
	h.check(t, way, got)
	replay := h.again(r, c, begin)
	h.check(t, "replay", shaped(replay.all()))
}

func (h *history) again(r *reading, c postgres.Config, start connectors.Start) *reading {
	r.t.Helper()
	r.close()
	return read(r.t, c, start)
}

func (h *history) check(t *testing.T, way string, got []string) {
	t.Helper()
	if have, want := strings.Join(got, "\n"), strings.Join(h.want, "\n"); have != want {
		t.Errorf("%s: changes\n%s\nwant\n%s", way, have, want)
	}
}

// shaped are changes with the names and types of their columns; of an old row nothing.
func shaped(changes []change.Change) []string {
	var out []string
	for _, c := range changes {
		line := c.Op.String() + " " + c.Table.Name
		var cells []string
		for i, v := range c.After {
			col := &c.Table.Columns[i]
			cells = append(cells, fmt.Sprintf("%s %s %s", col.Name, col.Native, change.AppendJSON(nil, col, v)))
		}
		if cells != nil {
			line += " + " + strings.Join(cells, ", ")
		}
		out = append(out, line)
	}
	return out
}
