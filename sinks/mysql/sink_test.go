package mysql_test

import (
	"log/slog"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/testenv"
	"github.com/tailwater-cdc/tailwater/sinks"
	"github.com/tailwater-cdc/tailwater/sinks/mysql"
	"github.com/tailwater-cdc/tailwater/sinks/sinktest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestSink(t *testing.T) {
	for _, name := range testenv.MySQLServers() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sinktest.Run(t, func(t *testing.T) sinktest.Harness { return harness(testenv.MySQL(t, name)) })
		})
	}
}

func harness(my *testenv.My) sinktest.Harness {
	return sinktest.Harness{
		Addr:    my.Addr,
		Refused: change.Text("refused"),
		Refuse: func(_ testing.TB, table *change.Table, column string) {
			my.Exec("alter table " + quote(table.Name) + " add constraint check (" + quote(column) + " <> 'refused')")
		},
		Open: func(t testing.TB, addr string) sinks.MarkSink {
			c := config(my)
			c.URL = strings.Replace(c.URL, my.Addr, addr, 1)
			return open(t, c)
		},
		OpenWith: func(t testing.TB, addr string, p sinks.Policy, met func(sinks.SchemaChange)) sinks.MarkSink {
			c := config(my)
			c.URL, c.Policy, c.OnSchemaChange = strings.Replace(c.URL, my.Addr, addr, 1), p, met
			return open(t, c)
		},
		Columns: func(_ testing.TB, table *change.Table) []string {
			var names []string
			for _, r := range my.Query("select column_name from information_schema.columns where table_schema = database() and table_name = '" +
				table.Name + "' order by ordinal_position") {
				names = append(names, r[0])
			}
			return names
		},
		Clear: func(_ testing.TB, table *change.Table, column string) {
			my.Exec("update " + quote(table.Name) + " set " + quote(column) + " = null")
		},
		Need: func(_ testing.TB, table *change.Table, column string) {
			my.Exec("alter table " + quote(table.Name) + " modify " + quote(column) + " longtext not null")
		},
		Rows: func(_ testing.TB, table *change.Table) [][]string {
			names := make([]string, len(table.Columns))
			for i := range names {
				names[i] = quote(table.Columns[i].Name)
				if table.Columns[i].Kind == change.KindBool {
					names[i] = "if(" + names[i] + ", 'true', 'false')"
				}
			}
			return my.Query("select " + strings.Join(names, ", ") + " from " + quote(table.Name))
		},
		Unique: func(_ testing.TB, table *change.Table, column string) {
			my.Exec("alter table " + quote(table.Name) + " modify " + quote(column) + " varchar(100) not null, add unique (" + quote(column) + ")")
		},
	}
}

func quote(name string) string { return "`" + strings.ReplaceAll(name, "`", "``") + "`" }

func config(my *testenv.My) mysql.Config {
	return mysql.Config{SourceID: "shop", SinkName: "copy", URL: "mysql://root@" + my.Addr + "/" + my.Database, CreateTables: true}
}

// open opens a sink that is closed at the test's end at the latest.
func open(t testing.TB, c mysql.Config) *mysql.Sink {
	t.Helper()
	s, err := mysql.Open(t.Context(), c, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}
