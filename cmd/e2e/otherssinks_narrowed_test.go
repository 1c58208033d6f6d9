package e2e

import "testing"

// TestOthersNarrowedTargets: a PostgreSQL target that somebody alters under a running process, so that it would change values, take two keys for one or
// keep rows: it halts before a row is written, or parks the row.
func TestOthersNarrowedTargets(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, before, alter, after, says string }{
		{"JDBC sink: a scale that rounds", "create table o (id int primary key, n numeric(10,2)); insert into o values (1, 1.25)", "alter table o alter n type numeric(10,1)", "insert into o values (2, 2.75)", "rounds to its scale"},
		{"JDBC sink: fraction digits", "create table o (id int primary key, n timestamp); insert into o values (1, '2024-01-01 00:00:00.5')", "alter table o alter n type timestamp(0)", "insert into o values (2, '2024-01-01 00:00:00.7')", "fraction digits"},
		{"Airbyte: keys that are one for a collation", "create table o (id text primary key, n int); insert into o values ('a', 1)",
			"create collation ci (provider = icu, locale = 'und-u-ks-level2', deterministic = false); alter table o alter id type text collate ci", "insert into o values ('A', 2)", "more coarsely"},
		{"pg_repack: another table of that name", "create table o (id int primary key, n numeric(10,2)); insert into o values (1, 1.25)", "create table p (id int primary key, n numeric(10,0)); alter table o rename to q; alter table p rename to o", "update o set n = 2.75", "rounds to its scale"},
		{"pglogical: a trigger that keeps rows", "create table o (id int primary key, n int); insert into o values (1, 1), (2, 2)",
			"create function f() returns trigger language plpgsql as $$ begin return null; end $$; create trigger k before delete on o for each row execute function f()", "delete from o where id = 1", "parked"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := pgRig(t, "pg18", "pg15", "direct")
			pgSQL(r.source, c.before+"; create table the_last (id int primary key); insert into the_last values (0)")
			r.once()
			p := r.start("run")
			pgSQL(r.source, "update o set n = n; insert into the_last values (1)")
			r.arrives(p, "select count(*) from the_last", "2") // the plan is made
			r.target.Exec(c.alter)
			r.unchangedRows(func() {
				r.source.Exec(c.after)
				if c.says != "parked" {
					p.refuses(1, c.says)
					return
				}
				r.arrives(p, "select count(*) from _tailwater_parked where code = 'row_skipped'", "1")
				p.stop()
			})
		})
	}
}

// TestOthersNarrowedTargetsMySQL: a collation that takes two keys for one, given to a MySQL or MariaDB target under a running process.
func TestOthersNarrowedTargetsMySQL(t *testing.T) {
	t.Parallel()
	for _, ends := range [][2]string{{"pg18", "mysql97"}, {"pg15", "mariadb10"}, {"pg18", "mariadb118"}} {
		t.Run(ends[1], func(t *testing.T) {
			t.Parallel()
			r := pgRig(t, ends[0], ends[1], "direct")
			pgSQL(r.source, "create table o (n int, id varchar(20), b int, primary key (b, id)); insert into o values (1, 'a', 1); create table the_last (id int primary key); insert into the_last values (0)")
			r.once()
			p := r.start("run")
			pgSQL(r.source, "update o set n = n; insert into the_last values (1)")
			r.arrives(p, "select count(*) from the_last", "2") // the plan is made
			r.target.Exec("alter table o modify id varchar(20) collate utf8mb4_general_ci not null")
			r.unchangedRows(func() {
				r.source.Exec("insert into o values (2, 'A', 1)")
				p.refuses(1, "utf8mb4_general_ci")
			})
		})
	}
}
