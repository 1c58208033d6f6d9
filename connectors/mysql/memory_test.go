package mysql_test

import (
	"testing"

	"github.com/tailwater-cdc/tailwater/pkg/testenv"
)

// TestMemoryTables: a server that was restarted has lost their rows, and says so when one is opened first.
func TestMemoryTables(t *testing.T) {
	for _, name := range testenv.MySQLServers() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := testenv.StartMySQL(t, name, testenv.Options{})
			server.Exec("create table m (id int primary key) engine = memory")
			s := startTail(t, server.My, configAs(t, server.My, "root", ""))
			server.Exec("insert into m values (1), (2)")
			s.want("new_shape m", "insert m + 1", "insert m + 2")
			s.stop()
			server.Restart()
			server.Exec("insert into m values (2)")
			s.start()
			s.want("new_shape m", "truncate m", "insert m + 2")
		})
	}
}
