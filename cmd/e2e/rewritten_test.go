package e2e

import (
	"strings"
	"testing"
)

// rewritten are statements of PostgreSQL that give rows other values which no log has, and what shows them.
var rewritten = []struct{ table, make, alter, shown string }{
	{"same_type", "id int primary key, c int", "alter c type int using c * 2", "select sum(c) from same_type"},
	{"wider_type", "id int primary key, c int", "alter c type bigint using c * 3", "select sum(c) from wider_type"},
	{"wider_varchar", "id int primary key, c varchar(10) default 'a'", "alter c type varchar(20) using upper(c)", "select max(c) from wider_varchar"},
	{"the_key", "id int primary key, c int", "alter id type int using id + 100", "select min(id) from the_key"},
	{"no_key", "id int, c int", "alter c type int using c * 2", "select sum(c) from no_key"},
	{"volatile", "id int primary key, c int", "add r float8 default random()", "select count(to_jsonb(t)->>'r') from volatile t"},
	{"parted", "id int primary key, c int" + halves("parted"), "alter c type int using c * 2", "select sum(c) from parted"},
	{"parted_key", "id int primary key, c int" + halves("parted_key"), "alter c type bigint using id * 3, add r float8 default random()", "select count(to_jsonb(t)->>'r') from parted_key t"},
}

// halves parts a table of a hundred rows in two, behind its columns.
func halves(table string) string {
	return ") partition by range (id); create table " + table + "_1 partition of " + table + " for values from (minvalue) to (51); " +
		"create table " + table + "_2 partition of " + table + " for values from (51) to (maxvalue"
}

// TestRewrittenRows: a table whose rows DDL gives other values is read again, while the program runs and while it stands still. One that is written
// anew as it is, by VACUUM FULL say, is not.
func TestRewrittenRows(t *testing.T) {
	t.Parallel()
	for _, ends := range [][2]string{{"pg15", "pg18"}, {"pg18", "pg15"}} {
		for _, when := range []string{"running", "behind"} {
			t.Run(ends[0]+"/"+when, func(t *testing.T) {
				t.Parallel()
				r := pgRig(t, ends[0], ends[1], "direct")
				r.source.Exec("create table vacuumed (id int primary key, c int default 5, gone int)")
				r.source.Exec("insert into vacuumed (id) select generate_series(1, 100)")
				for _, c := range rewritten {
					r.source.Exec("create table " + c.table + " (" + c.make + ")")
					r.source.Exec("insert into " + c.table + " (id) select generate_series(1, 100)")
				}
				for _, table := range []string{"same_type", "wider_type", "no_key", "parted"} {
					r.source.Exec("update " + table + " set c = id")
				}
				r.source.Exec("alter table no_key replica identity full")
				r.once()
				r.pgEqual(t)
				var p *process
				if when == "running" {
					p = r.start("run")
				}
				for _, c := range rewritten {
					r.source.Exec("alter table " + c.table + " " + c.alter)
				}
				r.source.Exec("alter table vacuumed drop gone")
				r.source.Exec("vacuum full vacuumed")
				if p != nil {
					for _, c := range rewritten {
						r.arrives(p, c.shown, r.source.Value(c.shown))
					}
					p.stop()
				}
				out := r.start("run", "--once").ends(0)
				r.pgEqual(t)
				for _, c := range rewritten {
					again := strings.Contains(out, "table=public."+c.table+" ")
					if again != (p == nil) {
						t.Errorf("%s was read again: %t", c.table, again)
					}
				}
				if strings.Contains(out, "table=public.vacuumed") {
					t.Errorf("VACUUM FULL and DROP COLUMN had the table read again:\n%s", out)
				}
			})
		}
	}
}
