package mysql_test

import (
	"testing"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/testenv"
)

// TestRolledBackGroups: MariaDB writes a rolled back transaction to its log where it changed a table that can't be rolled back, or made a temporary
// one. Its rows are passed where the table's engine rolled them back; today's engine says nothing of a table that was rebuilt since.
func TestRolledBackGroups(t *testing.T) {
	for _, name := range []string{"mariadb10", "mariadb118"} { // MySQL writes none, unless its log holds statements
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			my := testenv.MySQL(t, name)
			my.Exec("create table a (id int primary key); create table m (id int primary key) engine = aria transactional = 0")
			my.Exec("select sleep(1.1)") // the catalogue knows a table's age in seconds
			c := config(t, my)
			s := startTail(t, my, c)
			my.Exec("begin; insert into a values (1); insert into m values (1); savepoint s; insert into a values (2); rollback to s; commit")
			my.Exec("begin; insert into a values (3); create temporary table x (id int); insert into m values (3); drop temporary table x; rollback; insert into a values (4)")
			s.want("new_shape m", "insert m + 1", "new_shape a", "insert a + 1", "insert m + 3", "insert a + 4")
			s.stop()
			my.Exec("begin; insert into a values (5); create temporary table y (id int); insert into m values (5); drop temporary table y; rollback")
			my.Exec("select sleep(1.1); alter table a engine = aria; alter table a engine = innodb")
			s.start()
			s.halts(change.ErrHalt, my.Database+".a", "rebuilt")
		})
	}
}

// TestGroupsWithoutTransactions: rows of engines that have none, alone, many to a statement, cut off by an error in the middle, and beside others.
func TestGroupsWithoutTransactions(t *testing.T) {
	each(t, func(t *testing.T, my *testenv.My) {
		engines := []string{"myisam", "memory"}
		if my.MariaDB {
			engines = append(engines, "aria")
		}
		my.Exec("create table a (id int primary key)")
		for _, engine := range engines {
			my.Exec("drop table if exists m; create table m (id int primary key, v int) engine = " + engine)
			s := startTail(t, my, config(t, my))
			my.Exec("insert into m values (1, 1), (2, 2), (3, 3); update m set v = v + 1 where id > 1; update m set id = 9 where id = 1")
			if err := my.Do(t.Context(), "insert into m values (4, 4), (2, 2), (5, 5)"); err == nil {
				t.Fatal("a key was taken twice")
			}
			s.want("new_shape m", "insert m + 1 1", "insert m + 2 2", "insert m + 3 3", "update m - 2 2 + 2 3", "update m - 3 3 + 3 4",
				"delete m - 1 1", "insert m + 9 1", "insert m + 4 4")
			s.stop()
			my.Exec("truncate m; insert into m values (7, 7); delete from m; insert into a values (1); delete from a")
			s.start()
			s.want("new_shape m", "truncate m", "insert m + 7 7", "delete m - 7 7", "new_shape a", "insert a + 1", "delete a - 1")
			if my.MariaDB { // MySQL's GTIDs forbid it
				my.Exec("begin; insert into a values (2); insert into m values (8, 8); insert into a values (3); delete from m; commit")
				s.want("insert m + 8 8", "delete m - 8 8", "insert a + 2", "insert a + 3")
				my.Exec("delete from a")
				s.want("delete a - 2", "delete a - 3")
			}
			s.stop()
		}
	})
}
