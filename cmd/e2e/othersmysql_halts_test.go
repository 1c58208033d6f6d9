package e2e

import "testing"

// TestOthersHalts: changes that end the program until somebody has done what its last sentence says; then both ends are equal.
func TestOthersHalts(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, before, after string
		words               []string
		approve             string
	}{
		{"gh-ost unsigned-modify", "create table o (id int primary key, a int); insert into o values (1, 1)", "alter table o modify a int unsigned; insert into o values (2, 4294967295)",
			[]string{"narrow is halt", "MODIFY `a`"}, "alter table o modify a int unsigned null"},
		{"a rename that the log doesn't have", "create table o (id int primary key, a int); insert into o values (1, 1)",
			"set sql_log_bin = 0; alter table o rename column a to b; set sql_log_bin = 1; insert into o values (2, 2)",
			[]string{"RENAME COLUMN `a` TO `b`", "ADD COLUMN `b`"}, "alter table o rename column a to b"},
		{"gh-ost swap-uk", "create table o (id int not null, a int not null, unique u (id)); insert into o values (1, 1), (2, 2)", "alter table o drop key u, add unique v (a); update o set id = 1; insert into o values (1, 7)",
			[]string{"DROP PRIMARY KEY, ADD PRIMARY KEY (`a`)"}, "alter table o drop primary key, add primary key (a)"},
		{"gh-ost enum-remove-middle-options", "create table o (id int primary key, e enum('a', 'b', 'c')); insert into o values (1, 'a'), (2, 'c')", "alter table o modify e enum('a', 'c'); insert into o values (3, 'c')",
			[]string{"narrow is halt", "MODIFY `e`"}, "alter table o modify e enum('a', 'c')"},
		{"DM: a shorter text", "create table o (id int primary key, v varchar(20)); insert into o values (1, 'a')", "alter table o modify v varchar(5); insert into o values (2, 'b')",
			[]string{"narrow is halt", "MODIFY `v`"}, "alter table o modify v varchar(5)"},
		{"Canal: another table of that name", "create table o (id int primary key, a int); insert into o values (1, 1), (2, 2)", "drop table o; create table o (code varchar(10) primary key, b text); insert into o values ('a', 'b')",
			[]string{"lacks code", "NOT NULL"}, "drop table o; delete from _tailwater_shapes where name = 'o'"},
		{"Airbyte: a key that goes", "create table o (id int primary key, a int); insert into o values (1, 1), (2, 2)", "alter table o drop primary key; insert into o values (7, 7), (7, 7)",
			[]string{"DROP PRIMARY KEY"}, "alter table o drop primary key"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, ends := range [][2]string{othersEnds[0], othersEnds[2]} {
				t.Run(ends[0], func(t *testing.T) {
					t.Parallel()
					r := othersRig(t, ends[0], ends[1])
					othersSQL(r, c.before)
					r.once()
					othersSQL(r, c.after)
					for range 2 {
						r.start("run").refuses(1, c.words...)
					}
					r.target.Exec(c.approve)
					r.once()
					r.othersEqual(t)
				})
			}
		})
	}
}
