package crash

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
)

// A row that a rolled-back transaction wrote has phantom for its version: no end may ever show it.
const (
	workers = 3
	phantom = -666
)

// commit is one transaction of a worker: its number, and a log address at or above its commit record.
type commit struct {
	worker  int
	n       int64
	address uint64
}

// load is some workers that write until they are stopped. One worker owns a key, so versions tell the true order.
type load struct {
	cancel  context.CancelFunc
	wg      sync.WaitGroup
	mu      sync.Mutex
	commits []commit
	begun   map[int]int64 // each worker's newest transaction: it may be committed, and nobody here knows yet
	unread  map[int]int64 // each worker's last transaction of which the stream may know nothing
}

// markUnread notes that all transactions that have begun so far may have been committed before the source was opened.
func (l *load) markUnread() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.unread = maps.Clone(l.begun)
}

// begin notes that a worker begins its transaction n.
func (l *load) begin(worker int, n int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.begun[worker] = n
}

func startLoad(t *testing.T, e engine, seedNumber uint64) *load {
	ctx, cancel := context.WithCancel(context.Background())
	l := &load{cancel: cancel, begun: map[int]int64{}}
	for w := range workers {
		l.wg.Go(func() {
			if err := l.work(ctx, e, w+1, rand.New(rand.NewPCG(seedNumber, uint64(w)))); err != nil && ctx.Err() == nil {
				t.Errorf("worker %d of the load: %v", w+1, err)
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
	if t.Failed() {
		t.FailNow() // a worker has ended
	}
	return len(l.commits)
}

func (l *load) committed() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.commits)
}

// above counts the transactions that committed above a log address.
func (l *load) above(address uint64) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := 0
	for _, c := range l.commits {
		if c.address > address {
			n++
		}
	}
	return n
}

// last is the last transaction of each worker at or below a log address.
func (l *load) last(address uint64) map[int]int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	last := map[int]int64{}
	for _, c := range l.commits {
		if c.address <= address {
			last[c.worker] = max(last[c.worker], c.n)
		}
	}
	return last
}

func (l *load) work(ctx context.Context, e engine, worker int, rng *rand.Rand) error {
	s, err := e.session(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	for n := int64(1); ctx.Err() == nil; {
		l.begin(worker, n)
		ver, rollback := n, rng.IntN(12) == 0
		if rollback {
			ver = phantom
		}
		var sql strings.Builder
		sql.WriteString("begin;")
		for range 1 + rng.IntN(6) {
			sql.WriteString(operation(e, rng, writing{worker, ver}))
		}
		if rollback {
			sql.WriteString("rollback")
		} else {
			fmt.Fprintf(&sql, "update seq set n = %d where worker = %d; commit", n, worker)
		}
		// The statement is not interrupted: a commit whose answer is lost would be one that nobody counts.
		at, done, err := s.run(context.WithoutCancel(ctx), sql.String())
		if err != nil {
			return fmt.Errorf("%s: %w", sql.String(), err)
		}
		if rollback || !done {
			continue
		}
		l.mu.Lock()
		l.commits = append(l.commits, commit{worker: worker, n: n, address: at})
		l.mu.Unlock()
		n++
	}
	return nil
}

// writing is who writes which version.
type writing struct {
	worker int
	ver    int64
}

// operation is one statement on a key of the worker's: its ids are those with id % workers = worker - 1.
func operation(e engine, rng *rand.Rand, w writing) string {
	worker, ver := w.worker, w.ver
	id := func() int { return rng.IntN(700)*workers + worker - 1 }
	switch rng.IntN(9) {
	case 0, 1, 2:
		return e.upsert("acct", fmt.Sprintf("%d, %d, 'o%d', null", id(), ver, id()), "id", fmt.Sprintf("ver = %d", ver))
	case 3:
		return fmt.Sprintf("delete from acct where id = %d;", id())
	case 4: // a key change, onto a key that is free for certain
		to := id()
		return fmt.Sprintf("delete from acct where id = %d; update acct set id = %d, ver = %d where id = %d;", to, to, ver, id())
	case 5: // leaves a large value untouched
		return fmt.Sprintf("update doc set ver = %d where k = 'd%d' and part = %d %% 3;", ver, id(), id())
	case 6:
		d := id()
		body := fmt.Sprintf("repeat('%c', %d)", 'a'+rng.IntN(26), rng.IntN(9000))
		return e.upsert("doc", fmt.Sprintf("'d%d', %d, %d, %s", d, d%3, ver, body), "k, part", fmt.Sprintf("ver = %d, body = %s", ver, body))
	case 7:
		d := id()
		return fmt.Sprintf("delete from doc where k = 'd%d' and part = %d;", d, d%3)
	}
	return fmt.Sprintf("insert into hist values ('w%d', %d);", worker, ver)
}
