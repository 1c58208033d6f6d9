package crash

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/tailwater-cdc/tailwater/pkg/testenv"
)

// tables are what the load writes. A row that a rolled-back transaction wrote has phantom for its version: no end may ever show it.
const tables = `
create table acct (id bigint primary key, ver bigint not null, owner text not null, note text);
create table doc (k text, part int, ver bigint not null, body text, primary key (k, part));
create table hist (what text not null, n bigint not null);
create table seq (worker int primary key, n bigint not null);
`

const (
	workers = 3
	phantom = -666
)

// seed fills the tables with what a first snapshot finds.
func seed(pg *testenv.PG, rows int) {
	pg.Exec(tables)
	pg.Exec(fmt.Sprintf(`insert into acct select g, 0, 'seed ' || g, repeat('x', 40) from generate_series(1, %d) g`, rows))
	pg.Exec(fmt.Sprintf(`insert into doc select 'd' || g, g %% 3, 0, string_agg(md5(g || ' ' || i), '') from generate_series(1, %d) g, generate_series(1, 120) i group by g`, rows/20))
	pg.Exec(fmt.Sprintf(`insert into hist select 'seed', g / 2 from generate_series(1, %d) g`, rows/10))
	pg.Exec(fmt.Sprintf(`insert into seq select g, 0 from generate_series(1, %d) g`, workers))
}

// commit is one transaction of a worker: its number, and a log address at or above its commit record.
type commit struct {
	worker int
	n      int64
	lsn    uint64
}

// load is some workers that write until they are stopped. One worker owns a key, so versions tell the true order.
type load struct {
	cancel  context.CancelFunc
	wg      sync.WaitGroup
	mu      sync.Mutex
	commits []commit
	unread  map[int]int64 // each worker's last transaction of which the stream may know nothing
	err     error
}

// markUnread notes that all transactions so far may have been committed before the slot was made.
func (l *load) markUnread() {
	l.unread = l.last(math.MaxUint64)
}

func startLoad(t *testing.T, pg *testenv.PG, seedNumber uint64) *load {
	ctx, cancel := context.WithCancel(context.Background())
	l := &load{cancel: cancel}
	for w := range workers {
		l.wg.Go(func() {
			if err := l.work(ctx, pg.URL, w+1, rand.New(rand.NewPCG(seedNumber, uint64(w)))); err != nil && ctx.Err() == nil {
				l.mu.Lock()
				l.err = err
				l.mu.Unlock()
			}
		})
	}
	t.Cleanup(func() { l.cancel(); l.wg.Wait() })
	return l
}

// stop ends the load and returns how many transactions it committed.
func (l *load) stop(t *testing.T) int {
	t.Helper()
	l.cancel()
	l.wg.Wait()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err != nil {
		t.Fatalf("the load failed: %v", l.err)
	}
	return len(l.commits)
}

func (l *load) committed() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.commits)
}

// above counts the transactions that committed above a log address.
func (l *load) above(lsn uint64) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := 0
	for _, c := range l.commits {
		if c.lsn > lsn {
			n++
		}
	}
	return n
}

// last is the last transaction of each worker at or below a log address.
func (l *load) last(lsn uint64) map[int]int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	last := map[int]int64{}
	for _, c := range l.commits {
		if c.lsn <= lsn {
			last[c.worker] = max(last[c.worker], c.n)
		}
	}
	return last
}

func (l *load) work(ctx context.Context, url string, worker int, rng *rand.Rand) error {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	for n := int64(1); ctx.Err() == nil; {
		ver, rollback := n, rng.IntN(12) == 0
		if rollback {
			ver = phantom
		}
		var sql strings.Builder
		sql.WriteString("begin;")
		for range 1 + rng.IntN(6) {
			sql.WriteString(operation(rng, worker, ver))
		}
		if rollback {
			sql.WriteString("rollback")
		} else {
			fmt.Fprintf(&sql, "update seq set n = %d where worker = %d; commit", n, worker)
		}
		// The statement is not interrupted: a commit whose answer is lost would be one that nobody counts.
		if err := conn.PgConn().Exec(context.WithoutCancel(ctx), sql.String()).Close(); err != nil {
			return fmt.Errorf("%s: %w", sql.String(), err)
		}
		if rollback {
			continue
		}
		var lsn int64
		if err := conn.QueryRow(context.WithoutCancel(ctx), "select pg_current_wal_insert_lsn() - '0/0'::pg_lsn").Scan(&lsn); err != nil {
			return err
		}
		l.mu.Lock()
		l.commits = append(l.commits, commit{worker: worker, n: n, lsn: uint64(lsn)})
		l.mu.Unlock()
		n++
	}
	return nil
}

// operation is one statement on a key of the worker's: its ids are those with id % workers = worker - 1.
func operation(rng *rand.Rand, worker int, ver int64) string {
	id := func() int { return rng.IntN(700)*workers + worker - 1 }
	switch rng.IntN(9) {
	case 0, 1, 2:
		return fmt.Sprintf("insert into acct values (%d, %d, 'o%d', null) on conflict (id) do update set ver = %d;", id(), ver, id(), ver)
	case 3:
		return fmt.Sprintf("delete from acct where id = %d;", id())
	case 4: // a key change, onto a key that is free for certain
		to := id()
		return fmt.Sprintf("delete from acct where id = %d; update acct set id = %d, ver = %d where id = %d;", to, to, ver, id())
	case 5: // leaves a large value untouched
		return fmt.Sprintf("update doc set ver = %d where k = 'd%d' and part = %d %% 3;", ver, id(), id())
	case 6:
		d := id()
		return fmt.Sprintf("insert into doc values ('d%d', %d, %d, repeat('%c', %d)) on conflict (k, part) do update set ver = %d, body = excluded.body;",
			d, d%3, ver, 'a'+rng.IntN(26), rng.IntN(9000), ver)
	case 7:
		d := id()
		return fmt.Sprintf("delete from doc where k = 'd%d' and part = %d;", d, d%3)
	}
	return fmt.Sprintf("insert into hist values ('w%d', %d);", worker, ver)
}
