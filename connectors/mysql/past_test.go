package mysql_test

import (
	"strings"
	"testing"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/testenv"
)

// positional runs f on every server with every setting of binlog_row_metadata but FULL.
func positional(t *testing.T, f func(t *testing.T, my *testenv.My)) {
	for _, name := range testenv.MySQLServers() {
		values := []string{"MINIMAL"}
		if strings.HasPrefix(name, "mariadb") {
			values = append(values, "NO_LOG")
		}
		for _, value := range values {
			t.Run(name+" "+value, func(t *testing.T) {
				t.Parallel()
				f(t, testenv.StartMySQL(t, name, testenv.Options{Settings: []string{"binlog-row-metadata=" + value}}).My)
			})
		}
	}
}

// fresh makes an empty database of a server, and a source of it that begins now.
func fresh(t *testing.T, my *testenv.My, setup string) *tail {
	t.Helper()
	my.Exec("drop database test; create database test; use test; " + setup)
	s := startTail(t, my, configAs(t, my, "root", ""))
	s.t = t
	return s
}

// TestShapesByPosition: without names in the log, rows have the shape of the statement in front of them, live, in a backlog and over restarts.
func TestShapesByPosition(t *testing.T) {
	positional(t, func(t *testing.T, my *testenv.My) {
		s := fresh(t, my, `create table a (id int unsigned primary key, v varchar(20) character set latin1, e enum('x','y'), s set('p','q'), m mediumint unsigned, n varchar(5) character set utf8mb4);
			create table u (k int not null, b bigint unsigned, unique key (k))`)
		my.Exec("insert into a values (4294967295, x'e4', 'y', 'p,q', 16777215, '日'); insert into u values (1, 18446744073709551615)")
		s.want("new_shape a", `insert a + 4294967295 "ä" "y" "p,q" 16777215 "日"`, "new_shape u", "insert u + 1 18446744073709551615")
		my.Exec("update a set m = 5, n = 'o'")
		s.want(`update a - 4294967295 "ä" "y" "p,q" 16777215 "日" + 4294967295 "ä" "y" "p,q" 5 "o"`)
		my.Exec("alter table a drop column v, modify m mediumint, modify e enum('w','x','y') first")
		my.Exec("insert into a values ('x', 1, 'q', -1, 'n'); update u set b = 5")
		s.want("new_shape a", `insert a + "x" 1 "q" -1 "n"`, "update u - 1 18446744073709551615 + 1 5")
		s.stop()
		my.Exec("insert into a values ('w', 2, 'p', -2, 'o'); alter table a rename column m to mm, modify n varchar(5) character set latin1; insert into a values ('y', 3, '', -3, 'ü')")
		my.Exec("insert into u values (2, 9); alter table u modify b bigint")
		s.start()
		s.want("new_shape a", `insert a + "w" 2 "p" -2 "o"`, "new_shape a", `insert a + "y" 3 "" -3 "ü"`, "new_shape u", "insert u + 2 9")
		if at := s.all[len(s.all)-3].Table.ColumnIndex("mm"); at != 3 {
			t.Errorf("mm is column %d", at)
		}
		s.stop()
		my.Exec("insert into u values (3, -1); truncate u; rename table a to c, u to a; insert into a values (4, -4); insert into c values ('y', 4, '', -4, '')")
		s.start()
		s.want("new_shape u", "insert u + 3 -1", "truncate u", "truncate u", "new_shape a", "insert a + 4 -4", "new_shape c", `insert c + "y" 4 "" -4 ""`)
		my.Exec("create table d like c; insert into d select * from c where id = 4; drop table a; create table a (x int unsigned primary key); insert into a values (4294967295)")
		s.want("new_shape d", `insert d + "y" 4 "" -4 ""`, "truncate a", "new_shape a", "insert a + 4294967295")
	})
}

// TestTwoStatementsByPosition: a table that was altered twice before the first was read, with rows between, halts and names both.
func TestTwoStatementsByPosition(t *testing.T) {
	positional(t, func(t *testing.T, my *testenv.My) {
		s := fresh(t, my, "create table a (id int primary key, v int); create table b (id int primary key)")
		my.Exec("insert into a values (1, 1)")
		s.want("new_shape a", "insert a + 1 1")
		s.stop()
		my.Exec("insert into a values (2, 2); insert into b values (2); alter table a add w enum('x'); alter table a drop v; insert into a values (3, 'x'); insert into b values (3)")
		s.start()
		s.want("new_shape a", "insert a + 2 2", "new_shape b", "insert b + 2", "new_shape a", `insert a + 3 "x"`, "insert b + 3")
		s.stop()
		my.Exec("alter table a add column x enum('x','y') first; insert into a values ('y', 4, 'x'); alter table a drop column x")
		s.start()
		s.halts(change.ErrHalt, "table test.a", "alter table a drop column x", "binlog_row_metadata = FULL")
	})
}

// TestNotAsTheHistoryHasIt: what a TABLE_MAP does say must be what the statements say.
func TestNotAsTheHistoryHasIt(t *testing.T) {
	positional(t, func(t *testing.T, my *testenv.My) {
		for name, sql := range map[string]string{"type": "modify v bigint", "columns": "add w int", "null": "modify v int not null", "length": "modify c varchar(11)"} {
			s := fresh(t, my, "create table a (id int primary key, v int, c varchar(10) character set latin1)")
			my.Exec("insert into a values (1, 1, 'x'); set sql_log_bin = 0; alter table a " + sql + "; set sql_log_bin = 1; insert into a (id, v) values (2, 2)")
			got, err := s.lines()
			if len(got) != 2 || err == nil || !strings.Contains(err.Error(), "sql_log_bin") {
				t.Errorf("%s: %q, %v", name, got, err)
			}
			s.source.Close()
		}
	})
}

// TestTruncateInABacklog: a TRUNCATE has the shape that its table had then, not today's.
func TestTruncateInABacklog(t *testing.T) {
	each(t, func(t *testing.T, my *testenv.My) {
		my.Exec("create table a (id int primary key, v tinyint); create table b (id int primary key, v tinyint)")
		truncates(t, my, startTail(t, my, config(t, my)))
	})
	positional(t, func(t *testing.T, my *testenv.My) {
		truncates(t, my, fresh(t, my, "create table a (id int primary key, v tinyint); create table b (id int primary key, v tinyint)"))
	})
}

func truncates(t *testing.T, my *testenv.My, s *tail) {
	t.Helper()
	s.stop()
	my.Exec("truncate a; insert into a values (1, 2); alter table a modify v int; insert into a values (2, 3)")
	my.Exec("truncate b; alter table b modify v int; truncate b")
	s.start()
	got, err := s.lines()
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"new_shape a tinyint", "truncate a", "insert a + 1 2", "new_shape a int", "insert a + 2 3"} {
		c := &s.all[i]
		line := got[i]
		if c.Op == change.NewShape {
			line += " " + strings.TrimSuffix(strings.Split(c.Table.Columns[1].Native, "(")[0], " ")
		}
		if line != want {
			t.Errorf("%s, want %s, of %q", line, want, got)
		}
	}
	if last := strings.Join(got[5:], ", "); last != "new_shape b, truncate b, truncate b" && last != "new_shape b, truncate b, new_shape b, truncate b" {
		t.Errorf("%s", last)
	}
}

// TestXAByPosition: rows of a prepared transaction are decoded at XA COMMIT, after a restart too.
func TestXAByPosition(t *testing.T) {
	positional(t, func(t *testing.T, my *testenv.My) {
		s := fresh(t, my, "create table a (id int primary key, v int unsigned)")
		my.Exec("xa start 'x'; insert into a values (1, 4294967295); xa end 'x'; xa prepare 'x'")
		s.want()
		s.stop()
		s.start()
		my.Exec("xa commit 'x'; insert into a values (2, 2)")
		s.want("new_shape a", "insert a + 1 4294967295", "insert a + 2 2")
	})
}

// TestRenamesByPosition: tables that change names in a backlog, and again, take their columns along.
func TestRenamesByPosition(t *testing.T) {
	positional(t, func(t *testing.T, my *testenv.My) {
		s := fresh(t, my, "create table a (id int primary key, v int); create table b (w int unsigned, k int primary key)")
		s.stop()
		my.Exec("rename table a to c, b to a, c to b; insert into a values (4294967295, 1); insert into b values (1, -1); rename table a to d; alter table b add x int")
		my.Exec("create table a (z int primary key); insert into a values (5)")
		s.start()
		s.want("new_shape a", "insert a + 4294967295 1", "new_shape b", "insert b + 1 -1", "truncate a", "new_shape a", "insert a + 5")
	})
}
