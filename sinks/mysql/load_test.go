package mysql_test

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/testenv"
	"github.com/tailwater-cdc/tailwater/sinks"
)

// waiting says whether some transaction waits for a row lock on behalf of a statement that holds text, in the test's own database.
func waiting(my *testenv.My, text string) func() bool {
	return lockWaits(my, text, func(n string) bool { return n != "0" })
}

// noneWaits says that no statement with the text waits for a lock: what a call has given up is at an end at the server too.
func noneWaits(my *testenv.My, text string) func() bool {
	return lockWaits(my, text, func(n string) bool { return n == "0" })
}

// lockWaits asks for the number of such statements. The server shows a list of its own until nobody has asked for 100 ms, so it asks less often, and
// the tests that ask run alone.
func lockWaits(my *testenv.My, text string, want func(n string) bool) func() bool {
	asked := time.Now()
	return func() bool {
		if time.Since(asked) < 150*time.Millisecond {
			return false
		}
		n := my.Value("select count(*) from information_schema.innodb_trx where trx_state = 'LOCK WAIT' and trx_query like '%" + my.Database +
			"%' and trx_query like '%" + text + "%'")
		asked = time.Now()
		return want(n)
	}
}

// session is a connection of its own that has begun a transaction with the statement.
func session(t *testing.T, my *testenv.My, statement string) *sql.Conn {
	t.Helper()
	c := my.Connect()
	for _, s := range []string{"begin", statement} {
		if _, err := c.ExecContext(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

func end(t *testing.T, c *sql.Conn) {
	t.Helper()
	if _, err := c.ExecContext(t.Context(), "rollback"); err != nil {
		t.Fatal(err)
	}
}

// TestLoadWaitsForTheOutcome cuts an applier off while its transaction is under way: whoever loads next must see how that ended, not the
// marks before it; the mark of a lane's first call too.
func TestLoadWaitsForTheOutcome(t *testing.T) {
	testenv.AllMySQL(t, func(t *testing.T, my *testenv.My) {
		s, next := open(t, config(my)), open(t, config(my))
		mustApply(t, s, at(table(), 1, change.Insert, change.Int(1), change.Null(), change.Null()))
		lane := change.Lane{Stream: "s"}
		at0 := change.Mark{Lane: lane}
		for round := range int64(2) {
			blocker := session(t, my, "select * from t for update")
			to := []change.Mark{{Lane: lane, Next: round + 1}}
			applied := make(chan error, 1)
			go func() {
				row := at(table(), 2, change.Update, change.Int(1), change.Null(), change.Text("x"))
				applied <- s.ApplyAt(t.Context(), []change.Change{row}, nil, []change.Mark{at0}, to)
			}()
			testenv.Wait(t, "the applier to wait for the row", waiting(my, "INSERT INTO"))
			type loaded struct {
				state sinks.State
				err   error
			}
			result := make(chan loaded, 1)
			go func() {
				state, err := next.Load(t.Context(), "s")
				result <- loaded{state, err}
			}()
			testenv.Wait(t, "the loader to wait for the applier", waiting(my, "FORCE INDEX"))
			end(t, blocker)
			if err := <-applied; err != nil {
				t.Fatal(err)
			}
			if got := <-result; got.err != nil || !slices.Equal(got.state.Marks, to) {
				t.Errorf("loaded %+v, want the mark that the applier moved", got)
			}
			at0 = to[0]
		}
	})
}

// TestCancelled: a call whose context ends leaves nothing behind, and the sink goes on.
func TestCancelled(t *testing.T) {
	t.Parallel()
	testenv.AllMySQL(t, func(t *testing.T, my *testenv.My) {
		s := open(t, config(my))
		mustApply(t, s, at(table(), 1, change.Insert, change.Int(1), change.Null(), change.Null()))
		blocker := session(t, my, "select * from t for update")
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		row := at(table(), 2, change.Insert, change.Int(1), change.Text("x"), change.Null())
		if err := s.Apply(ctx, []change.Change{row}); err == nil || ctx.Err() == nil {
			t.Fatalf("applied under a lock: %v", err)
		}
		end(t, blocker)
		mustApply(t, s, at(table(), 3, change.Insert, change.Int(2), change.Null(), change.Null()))
		wantRows(t, my, "select id, a from t order by id", `1|\N`, `2|\N`)
	})
}

// TestDeadlock makes lanes meet in one unique index in opposite orders: the transaction that the server ends is made again.
func TestDeadlock(t *testing.T) {
	testenv.AllMySQL(t, func(t *testing.T, my *testenv.My) {
		s := open(t, config(my))
		row := func(n uint64, id int64) change.Change {
			return at(table(), n, change.Insert, change.Int(id), change.Text("x"), change.Null())
		}
		mustApply(t, s, row(1, 1), row(1, 2))
		before := deadlocks(my)
		blocker := session(t, my, "update t set b = 'mine' where id = 2")
		applied := make(chan error, 1)
		go func() { // as two steps, so that the order of the locks is the log's
			other := table()
			applied <- s.Apply(t.Context(), []change.Change{row(2, 1), at(other, 3, change.Update, change.Int(2), change.Text("y"), change.Value{})})
		}()
		testenv.Wait(t, "the sink to hold row 1 and wait for row 2", waiting(my, "id` = 2"))
		// many rows, so that the server ends the other transaction
		if _, err := blocker.ExecContext(t.Context(), "insert into t (id, a) select 1000 + seq, 'z' from (with recursive n (seq) as (select 1 union all select seq + 1 from n where seq < 900) select seq from n) n"); err != nil {
			t.Fatal(err)
		}
		if _, err := blocker.ExecContext(t.Context(), "update t set b = 'mine' where id = 1"); err != nil {
			t.Fatal(err)
		}
		end(t, blocker)
		if err := <-applied; err != nil {
			t.Fatal(err)
		}
		wantRows(t, my, "select id, a, b from t order by id", `1|x|\N`, `2|y|\N`)
		if deadlocks(my) == before {
			t.Error("there was no deadlock")
		}
	})
}

// deadlocks counts those of the server.
func deadlocks(my *testenv.My) string {
	return my.Value("select count from information_schema.innodb_metrics where name = 'lock_deadlocks'")
}

// TestLanesDoNotWaitForEachOther: one lane's transaction is open; another's marks and rows are free.
func TestLanesDoNotWaitForEachOther(t *testing.T) {
	testenv.AllMySQL(t, func(t *testing.T, my *testenv.My) {
		s := open(t, config(my))
		mustApply(t, s, at(table(), 1, change.Insert, change.Int(1), change.Null(), change.Null()))
		lanes := []change.Mark{{Lane: change.Lane{Stream: "s"}}, {Lane: change.Lane{Stream: "s", N: 1}}}
		to := []change.Mark{{Lane: lanes[0].Lane, Next: 1}, {Lane: lanes[1].Lane, Next: 1}}
		bad := sinks.Parked{Change: at(table(), 1, change.Insert, change.Int(9), change.Null(), change.Null()), Lane: lanes[1].Lane, Code: "X"}
		if err := s.ApplyAt(t.Context(), nil, []sinks.Parked{bad}, lanes, to); err != nil {
			t.Fatal(err)
		}
		blocker := session(t, my, "select * from t where id = 1 for update")
		var wg sync.WaitGroup
		var first error
		wg.Go(func() {
			row := at(table(), 2, change.Update, change.Int(1), change.Text("x"), change.Null())
			first = s.ApplyAt(t.Context(), []change.Change{row}, []sinks.Parked{bad}, to[:1], []change.Mark{{Lane: lanes[0].Lane, Next: 2}})
		})
		testenv.Wait(t, "the first lane to wait for its row", waiting(my, "INSERT INTO"))
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		changes := []change.Change{at(table(), 3, change.Insert, change.Int(2), change.Null(), change.Null()),
			at(table(), 3, change.Insert, change.Int(3), change.Null(), change.Null()), at(table(), 4, change.Delete, change.Int(3), change.Null(), change.Null())}
		snapshot := at(table(), 5, change.SnapshotRow, change.Int(9), change.Null(), change.Null())
		snapshot.Txn = nil
		if err := s.ApplyAt(ctx, append(changes, snapshot), nil, to[1:], []change.Mark{{Lane: lanes[1].Lane, Next: 2}}); err != nil {
			t.Errorf("the second lane: %v", err)
		}
		end(t, blocker)
		wg.Wait()
		if first != nil {
			t.Error(first)
		}
		if err := s.ApplyAt(t.Context(), nil, nil, to[:1], to[:1]); !errors.Is(err, change.ErrFenced) {
			t.Errorf("an old mark: %v", err)
		}
	})
}
