package postgres

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/tailwater-cdc/tailwater/connectors"
	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/snapshot"
	"github.com/tailwater-cdc/tailwater/pkg/testenv"
)

// workload writes to the tables of makeTables until the context ends, from some sessions at a time.
type workload struct {
	cancel context.CancelFunc
	wait   sync.WaitGroup
	n      atomic.Int64
}

const workloadTables = `
	create table doc (id bigint primary key, n int not null, body text);
	alter table doc alter body set storage external;
	create table pair (a int, b text collate "C", n numeric, primary key (b, a));
	create table hist (at timestamptz, what text);
	alter table hist replica identity full;
	create table nothing (id int primary key);
	insert into doc select i, 0, case when i % 7 = 0 then repeat(md5(i::text), 100) else 'short' end from generate_series(1, 6000) i;
	insert into pair select i % 7, 'k' || i, i from generate_series(1, 6000) i;
	insert into hist select now(), 'row ' || i % 50 from generate_series(1, 2000) i`

var workloadTableNames = []string{"public.pair", "public.hist", "public.nothing", "public.doc"}

func startWorkload(t *testing.T, pg *testenv.PG, sessions int) *workload {
	ctx, cancel := context.WithCancel(t.Context())
	w := &workload{cancel: cancel}
	for i := range sessions {
		conn := pg.Connect()
		random := rand.New(rand.NewPCG(uint64(i), 7))
		w.wait.Go(func() {
			for ctx.Err() == nil {
				_, err := conn.Exec(context.WithoutCancel(ctx), randomStatement(random))
				if err != nil && sqlState(err) != "23505" { // a key that another session has taken
					t.Error(err)
					return
				}
				w.n.Add(1)
			}
		})
	}
	return w
}

func (w *workload) stop() int64 {
	w.cancel()
	w.wait.Wait()
	return w.n.Load()
}

func randomStatement(r *rand.Rand) string {
	id := 1 + r.IntN(6200)
	switch r.IntN(12) {
	case 0, 1, 2:
		return fmt.Sprintf("update doc set n = n + 1 where id = %d", id/7*7) // leaves its TOAST alone
	case 3:
		return fmt.Sprintf("delete from doc where id = %d", id)
	case 4:
		return fmt.Sprintf("insert into doc values (%d, 1, repeat('x', %d)) on conflict (id) do update set body = excluded.body", id, r.IntN(4000))
	case 5:
		return fmt.Sprintf("insert into hist values (now(), 'new %d')", id%50)
	case 6:
		return fmt.Sprintf("delete from hist where ctid = (select ctid from hist where what = 'row %d' limit 1)", id%50)
	case 7:
		return fmt.Sprintf("update hist set what = 'changed' where ctid = (select ctid from hist where what = 'row %d' limit 1)", id%50)
	case 8:
		return fmt.Sprintf("update pair set b = b || '_' where b = 'k%d'", id) // the key changes
	case 9:
		return fmt.Sprintf("delete from pair where b like 'k%d%%'", id)
	case 10:
		return fmt.Sprintf("insert into pair values (%d, 'k%d', 0) on conflict do nothing", id%7, id)
	}
	return fmt.Sprintf("update pair set n = n + 1 where b = 'k%d'", id)
}

func TestSnapshotUnderWrites(t *testing.T) {
	for _, major := range []int{15, 18} {
		t.Run(fmt.Sprintf("pg%d", major), func(t *testing.T) {
			t.Parallel()
			pg := testenv.Postgres(t, major)
			pg.Exec(workloadTables)
			p := newPipe(t, pg, workloadTableNames...)
			w := startWorkload(t, pg, 4)
			for !p.done() {
				p.read()
			}
			n := w.stop()
			p.finish()
			p.compare()
			t.Logf("%d statements meanwhile, %+v", n, p.runner.Progress())
			if n < 100 {
				t.Errorf("only %d statements were run meanwhile", n)
			}
		})
	}
}

// TestSnapshotIsResumed kills the reader again and again, and goes on from any place that was saved, with a target that stands there
// or further on.
func TestSnapshotIsResumed(t *testing.T) {
	for _, major := range []int{15, 18} {
		t.Run(fmt.Sprintf("pg%d", major), func(t *testing.T) {
			t.Parallel()
			type place struct {
				start  connectors.Start
				target *memory
			}
			pg := testenv.Postgres(t, major)
			pg.Exec(workloadTables)
			p := newPipe(t, pg, workloadTableNames...)
			p.chunk = 16 << 10
			w := startWorkload(t, pg, 2)
			random := rand.New(rand.NewPCG(1, uint64(major)))
			places := []place{{p.start, p.target.clone()}}
			for kills := 0; kills < 12; kills++ {
				for range 1 + random.IntN(20) {
					p.read()
					places = append(places, place{p.start, p.target.clone()})
				}
				p.close()
				at := max(0, len(places)-1-random.IntN(6))
				places = places[:at+1]
				p.start = places[at].start
				if random.IntN(2) == 0 {
					p.target = places[at].target.clone()
				}
				p.open()
			}
			for !p.done() {
				p.read()
			}
			n := w.stop()
			p.finish()
			p.compare()
			t.Logf("%d statements meanwhile", n)
		})
	}
}

// waitForSyncRep returns once commits wait for a standby. The setting is shown before that: the checkpointer tells the others.
func waitForSyncRep(t *testing.T, pg *testenv.PG) {
	t.Helper()
	const waiting = "from pg_stat_activity where wait_event = 'SyncRep'"
	probe := pg.Connect()
	testenv.Wait(t, "commits to wait for the standby", func() bool {
		done := make(chan error, 1)
		go func() {
			_, err := probe.Exec(context.WithoutCancel(t.Context()), "insert into probe values (1)")
			done <- err
		}()
		for {
			select {
			case <-done:
				return false
			default:
			}
			if pg.Value("select count(*) "+waiting) != "0" {
				pg.Exec("select pg_cancel_backend(pid) " + waiting)
				<-done
				return true
			}
		}
	})
}

// TestSnapshotOfInvisibleCommit is interleaving 11: a commit is in the log, and streamed, while a synchronous standby that is away keeps
// it from being visible.
func TestSnapshotOfInvisibleCommit(t *testing.T) {
	t.Parallel()
	pg := testenv.StartPostgres(t, 15, testenv.Options{})
	pg.Exec("create table a (id int primary key, v text)")
	pg.Exec("insert into a select i, 'old' from generate_series(1, 10) i")
	pg.Exec("create table first (id int primary key)")
	pg.Exec("create table probe (n int)")
	p := newPipe(t, pg.PG, "public.first", "public.a")
	for !p.runner.Progress()[0].Done { // a commit that was invisible at the start would be waited for
		p.read()
	}
	pg.Exec("update a set v = 'warm' where id = 10") // brings the shape
	writer := pg.Connect()
	pg.Exec("alter system set synchronous_standby_names = 'nobody'")
	pg.Exec("select pg_reload_conf()")
	waitForSyncRep(t, pg.PG)
	committed := make(chan error, 1)
	go func() {
		_, err := writer.Exec(context.WithoutCancel(t.Context()), "begin; update a set v = 'new' where id <= 5; delete from a where id = 6; commit")
		committed <- err
	}()
	streamed := false
	for !streamed || !p.done() {
		for _, c := range p.read().Changes {
			streamed = streamed || c.Op == change.Delete
		}
	}
	select {
	case err := <-committed:
		t.Fatalf("the commit was visible: %v", err)
	default:
	}
	if got := pg.Value("select count(*) from a where v = 'new'"); got != "0" {
		t.Fatalf("%s rows of the commit are visible", got)
	}
	pg.Exec("alter system reset synchronous_standby_names")
	pg.Exec("select pg_reload_conf()")
	if err := <-committed; err != nil {
		t.Fatal(err)
	}
	p.finish()
	p.compare()
}

// TestChunksOfAnyKey is P-13: the chunks of any size hold each row once, in order, whatever the key is of; and each row is found by its key.
func TestChunksOfAnyKey(t *testing.T) {
	t.Parallel()
	tables := map[string]string{
		"one":    `create table one (a int, b int, primary key (a, b)); insert into one select 1, i from generate_series(1, 60) i`,
		"three":  `create table three (a int, b int, primary key (a, b)); insert into three select i % 3, i from generate_series(1, 60) i`,
		"swap":   `create table swap (v text, a int, b text, primary key (b, a)); insert into swap select 'v', i, 'x' || i % 5 from generate_series(1, 60) i`,
		"icu":    `create table icu (a text collate "en-x-icu" primary key); insert into icu select chr(65 + i % 26) || chr(97 + i % 7) || i || ' ä''"\' from generate_series(1, 100) i; insert into icu values (''), ('a'), ('A'), ('ä'), ('_'), ('-a')`,
		"bytes":  `create table bytes (a bytea primary key); insert into bytes select decode(md5(i::text), 'hex') from generate_series(1, 100) i; insert into bytes values ('')`,
		"uuids":  `create table uuids (a uuid primary key); insert into uuids select md5(i::text)::uuid from generate_series(1, 100) i`,
		"sparse": `create table sparse (a bigint primary key); insert into sparse select (i - 50)::bigint * 184467440737095516 from generate_series(1, 99) i`,
		"exact":  `create table exact (a numeric primary key); insert into exact select i / 7.0 from generate_series(1, 100) i; insert into exact values ('NaN'), (-1)`,
		"floats": `create table floats (a float8 primary key); insert into floats select 1 / i::float8 from generate_series(1, 100) i; insert into floats values ('NaN'), ('-Infinity'), (0)`,
		"stamps": `create table stamps (a timestamptz, b date, c interval, primary key (a, b, c)); insert into stamps select now() + i * interval '1 day 1 us', current_date, i * interval '1 month 1 s' from generate_series(1, 100) i;
			insert into stamps values ('infinity', '-infinity', '0'), ('0044-03-15 BC', '4713-01-01 BC', '1 day'), ('20000-01-01', '12345-06-07', '-1 day'), ('0001-12-31 23:00 BC', '0001-01-01', '1 s')`,
		"moods":      `create type mood as enum ('sad', 'ok', 'happy'); create table moods (a mood, b char(5), c bool, primary key (a, b, c)); insert into moods select m, 'x' || i, i % 2 = 0 from unnest(enum_range(null::mood)) m, generate_series(1, 20) i`,
		"parts":      `create table parts (a int, b int, primary key (a)) partition by range (a); create table parts1 partition of parts for values from (0) to (50); create table parts2 partition of parts default; insert into parts select i, i from generate_series(1, 100) i`,
		"Odd \"Name": `create table "Odd ""Name" ("Ä b" int, "select" varchar(7), primary key ("select", "Ä b")); insert into "Odd ""Name" select i, 'q' || i % 3 from generate_series(1, 50) i`,
	}
	pg := testenv.Postgres(t, 15)
	for _, sql := range tables {
		pg.Exec(sql)
	}
	p := newPipe(t, pg)
	for name := range tables {
		t.Run(name, func(t *testing.T) {
			var all []string
			for _, limit := range []int{1000, 1, 3, 7, 64} {
				keys := chunked(t, p.reader, name, limit)
				if all == nil {
					all = keys
				}
				if !slices.Equal(keys, all) {
					t.Errorf("chunks of %d rows hold %d rows, one chunk of all %d, or another order", limit, len(keys), len(all))
				}
			}
			if n := pg.Value(`select count(*) from ` + quoteTable("public", name)); fmt.Sprint(len(all)) != n {
				t.Errorf("%d rows of %s", len(all), n)
			}
			c, err := p.reader.Select(t.Context(), snapshot.Select{Name: "public." + name, Keys: all, Limit: len(all), MaxBytes: 1})
			if err != nil || len(c.Rows) != len(all) {
				t.Errorf("%d of %d rows by their keys: %v", len(c.Rows), len(all), err)
			}
		})
	}
}

// chunked reads a table in chunks and returns its keys.
func chunked(t *testing.T, r *chunkReader, name string, limit int) []string {
	t.Helper()
	var keys []string
	q := snapshot.Select{Name: "public." + name, Limit: limit, MaxBytes: 1 << 20}
	for {
		c, err := r.Select(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range c.Rows {
			key, err := change.AppendKey(nil, c.Table, row)
			if err != nil {
				t.Fatal(err)
			}
			keys = append(keys, string(key))
		}
		if !c.More {
			return keys
		}
		q.After = c.Last
	}
}
