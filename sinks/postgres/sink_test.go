package postgres_test

import (
	"log/slog"
	"net/url"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/testenv"
	"github.com/tailwater-cdc/tailwater/sinks"
	"github.com/tailwater-cdc/tailwater/sinks/postgres"
	"github.com/tailwater-cdc/tailwater/sinks/sinktest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestSink(t *testing.T) {
	for _, major := range []int{15, 18} {
		t.Run(map[int]string{15: "pg15", 18: "pg18"}[major], func(t *testing.T) {
			t.Parallel()
			sinktest.Run(t, func(t *testing.T) sinktest.Harness { return harness(t, testenv.Postgres(t, major)) })
		})
	}
}

func harness(t *testing.T, pg *testenv.PG) sinktest.Harness {
	t.Helper()
	u, err := url.Parse(pg.URL)
	if err != nil {
		t.Fatal(err)
	}
	return sinktest.Harness{
		Addr:    u.Host,
		Refused: change.Text("\x00"),
		Open: func(t testing.TB, addr string) sinks.MarkSink {
			c := config(pg)
			c.URL = strings.Replace(c.URL, u.Host, addr, 1)
			return open(t, c)
		},
		OpenWith: func(t testing.TB, addr string, p sinks.Policy, met func(sinks.SchemaChange)) sinks.MarkSink {
			c := config(pg)
			c.URL, c.Policy, c.OnSchemaChange = strings.Replace(c.URL, u.Host, addr, 1), p, met
			return open(t, c)
		},
		Columns: func(t testing.TB, table *change.Table) []string {
			var names []string
			for _, r := range pg.Query("select attname from pg_attribute a join pg_class c on c.oid = attrelid where relname = '" + table.Name +
				"' and relnamespace = 'public'::regnamespace and attnum > 0 and not attisdropped order by attnum") {
				names = append(names, r[0])
			}
			return names
		},
		Clear: func(_ testing.TB, table *change.Table, column string) {
			pg.Exec("update " + quote(table.Name) + " set " + quote(column) + " = null")
		},
		Need: func(t testing.TB, table *change.Table, column string) {
			pg.Exec("alter table " + quote(table.Name) + " alter column " + quote(column) + " set not null")
		},
		Rows: func(t testing.TB, table *change.Table) [][]string {
			names := make([]string, len(table.Columns))
			for i := range names {
				names[i] = quote(table.Columns[i].Name) + "::text"
			}
			return pg.Query("select " + strings.Join(names, ", ") + " from " + quote(table.Name))
		},
		Unique: func(t testing.TB, table *change.Table, column string) {
			pg.Exec("create unique index on " + quote(table.Name) + " (" + quote(column) + ")")
		},
	}
}

func quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

func config(pg *testenv.PG) postgres.Config {
	return postgres.Config{SourceID: "shop", SinkName: "copy", URL: pg.URL, Schema: "public", CreateTables: true}
}

// open opens a sink that is closed at the test's end at the latest.
func open(t testing.TB, c postgres.Config) *postgres.Sink {
	t.Helper()
	s, err := postgres.Open(t.Context(), c, slog.New(slog.DiscardHandler))
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
