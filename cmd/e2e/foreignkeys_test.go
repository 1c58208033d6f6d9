package e2e

import (
	"strings"
	"testing"
)

// foreignTables are a family whose child is read and written before its parent: its name comes first, and so does its topic.
const foreignTables = "create table a_child (id int primary key, up int, constraint a_up foreign key (up) references z_parent (id)%s); create table b_self (id int primary key, up int, constraint b_up foreign key (up) references b_self (id))"

// TestForeignKeysAtTheTarget: with foreign_keys: trust a target that has the source's foreign keys takes a snapshot, rows in any order, and a TRUNCATE of a
// family by a topic each. What cascades at a source whose log has it comes from there; from MariaDB the target's own foreign key does it.
func TestForeignKeysAtTheTarget(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ source, target, stream, action string }{
		{"pg18", "pg15", "kafka", " on delete cascade"}, {"pg15", "pg18", "direct", " on delete cascade"}, {"pg18", "mysql97", "kafka", " on delete cascade"},
		{"pg15", "mariadb118", "direct", " on delete cascade"}, {"mysql97", "pg18", "kafka", ""}, {"mariadb118", "mysql97", "kafka", ""},
	} {
		t.Run(c.source+"/"+c.target+"/"+c.stream, func(t *testing.T) {
			t.Parallel()
			from, _ := engineOn(t, c.source)
			to, _ := engineOn(t, c.target)
			r := rigBetween(t, c.stream, from, to)
			r.config.inSink = ", foreign_keys: trust, order_wait: 200ms"
			for _, e := range []engine{from, to} {
				e.Exec("create table z_parent (id int primary key)")
				e.Exec(strings.ReplaceAll(foreignTables, "%s", c.action))
			}
			from.Exec("insert into z_parent values (1), (2), (3); insert into a_child values (10, 1), (20, 2), (30, 3); insert into b_self values (2, null); insert into b_self values (1, 2)")
			r.once()
			r.equal("z_parent", "a_child", "b_self")
			p := r.start("run")
			from.Exec("insert into z_parent values (4); insert into a_child values (40, 4); update a_child set up = 4 where id = 10; delete from z_parent where id = 1")
			if c.action != "" {
				from.Exec("delete from z_parent where id = 2")
			}
			from.Exec("insert into b_self values (9, 1); insert into b_self values (3, 9); delete from b_self where id = 3; delete from b_self where id = 9")
			if strings.HasPrefix(c.source, "pg") {
				from.Exec("truncate z_parent, a_child; insert into z_parent values (7); insert into a_child values (70, 7)")
			}
			from.Exec("insert into b_self values (100, 1)")
			r.arrives(p, "select count(*) from b_self where id = 100", "1")
			p.stop()
			r.once()
			r.equal("z_parent", "a_child", "b_self")
			if n := to.Value("select count(*) from _tailwater_parked"); n != "0" {
				t.Errorf("%s changes are parked", n)
			}
		})
	}
}

// TestCascadesOfMariaDBAtTheTarget: the log doesn't have them, so the target's own foreign key does the same.
func TestCascadesOfMariaDBAtTheTarget(t *testing.T) {
	t.Parallel()
	for _, target := range []string{"pg18", "mysql97"} {
		t.Run(target, func(t *testing.T) {
			t.Parallel()
			from, _ := engineOn(t, "mariadb118")
			to, _ := engineOn(t, target)
			r := rigBetween(t, "direct", from, to)
			r.config.inSink = ", foreign_keys: trust"
			for _, e := range []engine{from, to} {
				e.Exec("create table a_parent (id int primary key)")
				e.Exec("create table b_child (id int primary key, up int, constraint b_up foreign key (up) references a_parent (id) on delete cascade)")
			}
			from.Exec("insert into a_parent values (1), (2); insert into b_child values (10, 1), (20, 2)")
			r.once()
			from.Exec("delete from a_parent where id = 1; insert into a_parent values (3); insert into b_child values (30, 3)")
			r.once()
			r.equal("a_parent", "b_child")
		})
	}
}
