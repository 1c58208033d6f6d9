package mysql_test

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/tailwater-cdc/tailwater/connectors"
	"github.com/tailwater-cdc/tailwater/connectors/mysql"
	"github.com/tailwater-cdc/tailwater/connectors/sourcetest"
	"github.com/tailwater-cdc/tailwater/pkg/testenv"
)

// patience is what the suite takes for the server's: the source asks for a longer one.
const patience = time.Second

func TestConformance(t *testing.T) {
	for _, name := range testenv.MySQLServers() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sourcetest.Run(t, func(t *testing.T) sourcetest.Harness { return harness(t, testenv.MySQL(t, name)) })
		})
	}
}

// config is for all tables of the database, with a small queue and no snapshot, as a user that may do what Grants says.
func config(t *testing.T, my *testenv.My) mysql.Config {
	t.Helper()
	user, password := my.User(privileges...)
	return configAs(t, my, user, password)
}

// privileges are those of mysql.Grants for a server with GTIDs.
var privileges = []string{"replication slave on *.*", "replication client on *.*", "select", "lock tables"}

func configAs(t *testing.T, my *testenv.My, user, password string) mysql.Config {
	t.Helper()
	flavor := mysql.MySQL
	if my.MariaDB {
		flavor = mysql.MariaDB
	}
	return mysql.Config{
		SourceID: "s " + my.Database, Flavor: flavor, Addr: my.Addr, User: user, Password: password,
		Include:      []string{my.Database + ".*"},
		SnapshotMode: mysql.SnapshotNever,
		MemoryBytes:  256 << 10,
		SpoolDir:     t.TempDir(),
		Logger:       slog.New(slog.NewTextHandler(testLog{t}, nil)),
	}
}

type testLog struct{ t *testing.T }

func (l testLog) Write(b []byte) (int, error) {
	if l.t.Context().Err() == nil { // a test's log is closed when it ends
		l.t.Log(strings.TrimSpace(string(b)))
	}
	return len(b), nil
}

func harness(t *testing.T, my *testenv.My) sourcetest.Harness {
	c := config(t, my)
	txn := func(last string, sql []string) {
		my.Exec("begin")
		for _, s := range sql {
			my.Exec(s)
		}
		my.Exec(last)
	}
	return sourcetest.Harness{
		Open: mysql.Open(c),
		Exec: func(sql ...string) {
			for _, s := range sql {
				my.Exec(s)
			}
		},
		Txn:      func(sql ...string) { txn("commit", sql) },
		Rollback: func(sql ...string) { txn("rollback", sql) },
		Identities: map[string]string{
			"full":   "set session binlog_row_image = full -- %s",
			"noblob": "set session binlog_row_image = noblob -- %s",
		},
		Disconnect: func() { disconnect(my, c.User) },
		Patience:   patience,
	}
}

// disconnect ends all connections of a user from the server's side.
func disconnect(my *testenv.My, user string) {
	for _, row := range my.Query("select id from information_schema.processlist where user = '" + user + "'") {
		my.Exec("kill connection " + row[0])
	}
}

// opened opens a source and closes it at cleanup.
func opened(t *testing.T, c mysql.Config, start connectors.Start) connectors.Opened {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	o, err := mysql.Open(c)(ctx, start)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { o.Source.Close() })
	return o
}
