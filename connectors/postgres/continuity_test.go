package postgres_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/tailwater-cdc/tailwater/connectors"
	"github.com/tailwater-cdc/tailwater/connectors/postgres"
	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/testenv"
)

const table = "create table a (id int primary key, v text)"

// stopped is a source that has read and released one row and is closed.
func stopped(t *testing.T, pg *testenv.PG) (postgres.Config, connectors.Start) {
	t.Helper()
	pg.Exec(table)
	c := config(t, pg)
	c.Slot.Name = "s_" + pg.Database
	r := read(t, c, fresh)
	pg.Exec("insert into a values (1, 'x')")
	want(t, r.all(), `insert a + 1 "x"`)
	if err := r.Source.Release(t.Context(), r.Resume); err != nil {
		t.Fatal(err)
	}
	r.close()
	return c, r.start()
}

func TestSlotGone(t *testing.T) {
	t.Parallel()
	testenv.All(t, func(t *testing.T, pg *testenv.PG) {
		c, start := stopped(t, pg)
		pg.Exec("select pg_drop_replication_slot($1)", c.Slot.Name)
		wantError(t, openError(t, c, start), change.ErrGap, c.Slot.Name, "missing")
		if n := pg.Value("select count(*) from pg_replication_slots where slot_name = '" + c.Slot.Name + "'"); n != "0" {
			t.Error("a slot was made in place of the lost one")
		}
		// P-1: made again at a newer place.
		pg.Exec("insert into a values (2, 'x')")
		pg.Exec("select pg_create_logical_replication_slot($1, 'pgoutput')", c.Slot.Name)
		pg.Exec("insert into a values (3, 'x')")
		err := openError(t, c, start)
		stands := pg.Value("select confirmed_flush_lsn from pg_replication_slots where slot_name = '" + c.Slot.Name + "'")
		wantError(t, err, change.ErrGap, stands)
	})
}

func TestSlotMoved(t *testing.T) {
	t.Parallel()
	testenv.All(t, func(t *testing.T, pg *testenv.PG) {
		c, start := stopped(t, pg)
		pg.Exec("insert into a values (2, 'x')")
		pg.Exec("select pg_replication_slot_advance($1, pg_current_wal_lsn())", c.Slot.Name)
		wantError(t, openError(t, c, start), change.ErrGap, "stands at")
	})
}

func TestSecondInstance(t *testing.T) {
	t.Parallel()
	testenv.All(t, func(t *testing.T, pg *testenv.PG) {
		pg.Exec(table)
		c := config(t, pg)
		r := read(t, c, fresh)
		pid := pg.Value("select active_pid from pg_replication_slots where slot_name = '" + c.Slot.Name + "'")
		wantError(t, openError(t, c, fresh), change.ErrBusy, pid)
		pg.Exec("insert into a values (1, 'x')")
		want(t, r.all(), `insert a + 1 "x"`)
	})
}

func TestAnotherServer(t *testing.T) {
	t.Parallel()
	pg := testenv.Postgres(t, 15)
	_, start := stopped(t, pg)
	other := testenv.Postgres(t, 18)
	other.Exec(table)
	c := config(t, other)
	c.Slot.Name = "s_" + pg.Database
	wantError(t, openError(t, c, start), change.ErrGap, "another server")
}

func TestAnotherDatabase(t *testing.T) {
	t.Parallel()
	pg := testenv.Postgres(t, 15)
	c, start := stopped(t, pg)
	other := testenv.Postgres(t, 15)
	other.Exec(table)
	c.URL = other.URL
	wantError(t, openError(t, c, start), change.ErrPreflight, "another plugin or database")
}

func TestRestored(t *testing.T) {
	t.Parallel()
	for _, major := range []int{15, 18} {
		server := testenv.StartPostgres(t, major, testenv.Options{})
		pg := server.PG
		c, _ := stopped(t, pg)
		backup := server.Backup()

		r := read(t, c, fresh)
		for range 20 {
			pg.Exec("insert into a select g, repeat('x', 100) from generate_series((select max(id) + 1 from a), (select max(id) + 100 from a)) g")
		}
		r.all()
		r.close()
		start := r.start()

		server.Restore(backup)
		wantError(t, openError(t, c, start), change.ErrGap, "restored")

		// It has written past the saved place since: only the log's content shows that it is another.
		for range 40 {
			pg.Exec("insert into a select g, repeat('y', 100) from generate_series((select max(id) + 1 from a), (select max(id) + 100 from a)) g")
		}
		again := read(t, c, start)
		wantError(t, again.failure(), change.ErrGap, "restored")
		if len(again.got) != 0 {
			t.Errorf("%d changes of another log were handed over", len(again.got))
		}
		again.close()
		server.Stop()
	}
}

// TestSlotLost lets the server remove log that the slot needs.
func TestSlotLost(t *testing.T) {
	t.Parallel()
	server := testenv.StartPostgres(t, 15, testenv.Options{Settings: []string{"max_slot_wal_keep_size=1MB", "max_wal_size=32MB"}})
	c, start := stopped(t, server.PG)
	testenv.Wait(t, "the slot to be lost", func() bool {
		server.PG.Exec("insert into a select g, repeat('x', 1000) from generate_series((select max(id) + 1 from a), (select max(id) + 5000 from a)) g")
		server.PG.Exec("select pg_switch_wal()")
		server.PG.Exec("checkpoint")
		return server.PG.Value("select wal_status from pg_replication_slots") == "lost"
	})
	wantError(t, openError(t, c, start), change.ErrGap, "lost")
}

// TestReplayed is the proof's good case: the slot stands behind the saved place, and the last transaction comes again unseen.
func TestReplayed(t *testing.T) {
	t.Parallel()
	testenv.All(t, func(t *testing.T, pg *testenv.PG) {
		c, start := stopped(t, pg)
		r := read(t, c, start)
		for range 3 {
			pg.Exec("insert into a select max(id) + 1, 'y' from a")
		}
		want(t, r.all(), `insert a + 2 "y"`, `insert a + 3 "y"`, `insert a + 4 "y"`)
		r.close()
		again := read(t, c, r.start())
		pg.Exec("insert into a values (5, 'z')")
		want(t, again.all(), `insert a + 5 "z"`)
	})
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	testenv.All(t, func(t *testing.T, pg *testenv.PG) {
		pg.Exec(table)
		pg.Exec("create unlogged table u (id int primary key)")
		pg.Exec("create table p (id int primary key) partition by range (id); create table p1 partition of p for values from (0) to (10)")
		pg.Exec("create publication half for table a with (publish = 'insert')")
		pg.Exec("create publication leaves for table a")
		pg.Exec("create publication filtered for table a where (id > 0) with (publish_via_partition_root = true)")
		cases := []struct {
			name  string
			is    error
			part  string
			alter func(c *postgres.Config)
		}{
			{"nothing listens", change.ErrUnreachable, "", func(c *postgres.Config) { c.URL = "postgres://postgres@127.0.0.1:1/x?sslmode=disable" }},
			{"no such role", change.ErrDenied, "nobody", func(c *postgres.Config) { c.URL = strings.Replace(c.URL, "postgres@", "nobody@", 1) }},
			{"no such database", change.ErrPreflight, "", func(c *postgres.Config) { c.URL = strings.Replace(c.URL, pg.Database, "absent", 1) }},
			{"no such table", change.ErrPreflight, "public.absent", func(c *postgres.Config) { c.Include = []string{"public.absent"} }},
			{"an unlogged table", change.ErrPreflight, "SET LOGGED", func(c *postgres.Config) { c.Include = []string{"public.u"} }},
			{"a partition", change.ErrPreflight, "part of p", func(c *postgres.Config) { c.Include = []string{"public.p1"} }},
			{"a pattern without schema", change.ErrPreflight, "orders", func(c *postgres.Config) { c.Include = []string{"orders"} }},
			{"no slot", change.ErrPreflight, "slot.create", func(c *postgres.Config) { c.Slot.Create = false }},
			{"no publication", change.ErrPreflight, "CREATE PUBLICATION", func(c *postgres.Config) { c.Publication = postgres.Object{Name: "none"} }},
			{"inserts only", change.ErrPreflight, "publish =", func(c *postgres.Config) { c.Publication.Name = "half" }},
			{"not via root", change.ErrPreflight, "publish_via_partition_root", func(c *postgres.Config) { c.Publication.Name = "leaves" }},
			{"row filter", change.ErrPreflight, "WHERE", func(c *postgres.Config) { c.Publication.Name = "filtered" }},
			{"slot name", change.ErrPreflight, "a-z", func(c *postgres.Config) { c.Slot.Name = "Slot; drop" }},
		}
		for _, tc := range cases {
			c := config(t, pg)
			c.Include = []string{"public.a"}
			tc.alter(&c)
			t.Run(tc.name, func(t *testing.T) { wantError(t, openError(t, c, fresh), tc.is, tc.part) })
		}
		if n := pg.Value("select count(*) from pg_replication_slots where database = current_database()"); n != "0" {
			t.Errorf("%s slots were left behind", n)
		}
	})
}

func TestWALLevel(t *testing.T) {
	t.Parallel()
	server := testenv.StartPostgres(t, 15, testenv.Options{Settings: []string{"wal_level=replica"}})
	server.PG.Exec(table)
	wantError(t, openError(t, config(t, server.PG), fresh), change.ErrPreflight, "ALTER SYSTEM SET wal_level")
}

// TestSlotWaits opens while a transaction runs, which the new slot must wait for.
func TestSlotWaits(t *testing.T) {
	t.Parallel()
	pg := testenv.Postgres(t, 15)
	pg.Exec(table)
	holder := pg.Connect()
	if _, err := holder.Exec(t.Context(), "begin; insert into a values (1, 'x')"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	_, err := postgres.Open(config(t, pg))(ctx, fresh)
	wantError(t, err, change.ErrUnreachable)
	if _, err := holder.Exec(t.Context(), "rollback"); err != nil {
		t.Fatal(err)
	}
}
