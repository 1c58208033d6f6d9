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
