package postgres_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/tailwater-cdc/tailwater/connectors"
	"github.com/tailwater-cdc/tailwater/connectors/postgres"
	"github.com/tailwater-cdc/tailwater/connectors/sourcetest"
	"github.com/tailwater-cdc/tailwater/pkg/testenv"
)

// patience is the wal_sender_timeout of the suite's databases.
const patience = 2 * time.Second

func TestConformance(t *testing.T) {
	for _, major := range []int{15, 18} {
		t.Run(fmt.Sprintf("pg%d", major), func(t *testing.T) {
			t.Parallel()
			sourcetest.Run(t, func(t *testing.T) sourcetest.Harness { return harness(t, major) })
		})
	}
}

// config is for all tables of the database, with a small queue and no snapshot.
func config(t *testing.T, pg *testenv.PG) postgres.Config {
	t.Helper()
	return postgres.Config{
		SourceID: "s", URL: pg.URL, Include: []string{"public.*"},
		Slot:         postgres.Object{Name: pg.Database, Create: true},
		Publication:  postgres.Object{Name: "Pub", Create: true},
		SnapshotMode: postgres.SnapshotNever,
		MemoryBytes:  256 << 10,
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

func harness(t *testing.T, major int) sourcetest.Harness {
	pg := testenv.Postgres(t, major)
	pg.Exec(fmt.Sprintf("alter database %s set wal_sender_timeout = '%s'", pg.Database, patience))
	c := config(t, pg)
	each := func(sql []string) {
		for _, s := range sql {
			pg.Exec(s)
		}
	}
	return sourcetest.Harness{
		Open: postgres.Open(c),
		Exec: func(sql ...string) { each(sql) },
		Txn:  func(sql ...string) { pg.Exec("begin; " + strings.Join(sql, "; ") + "; commit") },
		Rollback: func(sql ...string) {
			pg.Exec("begin; " + strings.Join(sql, "; ") + "; rollback")
		},
		Identities: map[string]string{
			"default": "alter table %s replica identity default",
			"full":    "alter table %s replica identity full",
			"index":   "alter table %[1]s replica identity using index %[1]s_pkey",
		},
		Large: "(select string_agg(md5(i::text), '') from generate_series(1, 400) i)",
		Released: func() string {
			return pg.Value("select confirmed_flush_lsn from pg_replication_slots where slot_name = '" + pg.Database + "'")
		},
		Disconnect: func() {
			pg.Exec("select pg_terminate_backend(active_pid) from pg_replication_slots where slot_name = $1", pg.Database)
		},
		Patience: patience,
	}
}

// opened opens a source and closes it at cleanup.
func opened(t *testing.T, c postgres.Config, start connectors.Start) connectors.Opened {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	o, err := postgres.Open(c)(ctx, start)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { o.Source.Close() })
	return o
}
