package e2e

import (
	"strings"
	"testing"
)

// mysqlPairs runs a test for a source of each engine that names columns only, by way of Kafka and directly, to both kinds of target.
func mysqlPairs(t *testing.T, f func(t *testing.T, r *rig)) {
	for _, ends := range [][2]string{{"mysql97", "pg15"}, {"mariadb118", "mysql97"}} {
		t.Run(ends[0]+" to "+ends[1], func(t *testing.T) {
			bothStreams(t, func(t *testing.T, stream string) {
				f(t, rigBetween(t, stream, newEngine(t, ends[0]), newEngine(t, ends[1])))
			})
		})
	}
}

// TestRenamesOfMySQL: a column that was renamed keeps its values at the target, in every way in which it may be renamed, and one that was dropped and made again has none
// of the first's; in a backlog, with restarts between statements and rows, and while the program runs.
func TestRenamesOfMySQL(t *testing.T) {
	t.Parallel()
	mysqlPairs(t, func(t *testing.T, r *rig) {
		r.config.inSink = ", on_schema_change: { drop: apply }"
		r.source.Exec("create table orders (id bigint primary key, a varchar(20), b varchar(20), n int)")
		r.source.Exec("insert into orders values (1, 'a1', 'b1', 1), (2, 'a2', 'b2', 2)")
		r.once()
		for _, statement := range []string{ // what comes first is of rows from before it
			"insert into orders values (3, 'a3', 'b3', 3)", "alter table orders rename column a to x", "insert into orders values (4, 'x4', 'b4', 4)",
			"alter table orders change b y varchar(30) null default 'none', add index (y)", "insert into orders values (5, 'x5', 'y5', 5)",
			"alter table orders rename column x to x2, add column x varchar(20)", "insert into orders (id, x, x2, y, n) values (8, 'x8', 'w8', 'y8', 8)",
		} {
			r.source.Exec(statement)
			if strings.HasSuffix(statement, "'y5', 5)") {
				r.once()
				r.equal("orders")
			}
		}
		r.once()
		r.equal("orders")
		r.source.Exec("rename table orders to moved")
		r.source.Exec("alter table moved rename column y to remark")
		r.source.Exec("rename table moved to orders")
		p := r.start("run")
		r.source.Exec("insert into orders (id, x2, remark) values (9, 'w9', 'r9')")
		r.reach(p, 9)
		for _, statement := range []string{"alter table orders drop column x, add column other varchar(20)", "insert into orders (id, x2, remark, other) values (10, 'w10', 'r10', 'o10')",
			"alter table orders drop column n", "alter table orders add column n int", "insert into orders (id, x2, remark, n) values (11, 'w11', 'r11', 11)"} {
			r.source.Exec(statement)
		}
		r.reach(p, 11)
		p.stop()
		r.once()
		r.equal("orders")
		r.source.Exec("alter table orders rename column x2 to remark, rename column remark to x2")
		r.source.Exec("insert into orders (id, x2, remark) values (12, 'r12', 'w12')")
		r.start("run").refuses(1, "the source has renamed x2 to remark", "the source has renamed remark to x2", "RENAME COLUMN")
	})
}
