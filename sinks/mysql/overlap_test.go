package mysql_test

import (
	"context"
	"testing"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/testenv"
	"github.com/tailwater-cdc/tailwater/sinks"
)

// many are rows of more texts than one, all larger than what a statement takes.
func many(status string) []change.Change {
	c := make([]change.Change, 7000)
	for i := range c {
		c[i] = at(table(), 2, change.Insert, change.Int(int64(i)), change.Text(status), change.Null())
		c[i].Table = c[0].Table
	}
	return c
}

// TestTheFirstOfManyStatementsFails: the first of several texts fails while the next is being made. The call ends with that error, nothing is left behind,
// and the sink goes on.
func TestTheFirstOfManyStatementsFails(t *testing.T) {
	testenv.AllMySQL(t, func(t *testing.T, my *testenv.My) {
		s := open(t, config(my))
		mustApply(t, s, at(table(), 1, change.Insert, change.Int(1), change.Null(), change.Null()))
		bad := many("x")
		bad[3000].After[1] = change.Text("\xff") // refused before it is sent: it is not what the call ends with
		lane := change.Lane{Stream: "s"}
		from, to := []change.Mark{{Lane: lane}}, []change.Mark{{Lane: lane, Next: 1}}
		failures := map[string]func(cancel func()){
			"cancelled": func(cancel func()) { cancel() },
			"killed": func(func()) {
				my.Exec("kill " + my.Value("select trx_mysql_thread_id from information_schema.innodb_trx where trx_state = 'LOCK WAIT' and trx_query like '%"+my.Database+"%'"))
			},
		}
		for name, fail := range failures {
			blocker := session(t, my, "select * from t for update")
			ctx, cancel := context.WithCancel(t.Context())
			applied := make(chan error, 1)
			go func() { applied <- s.ApplyAt(ctx, bad, nil, from, to) }()
			testenv.Wait(t, "the applier to wait for the row", waiting(my, "INSERT INTO"))
			fail(cancel)
			if err := <-applied; err == nil || sinks.ClassOf(err) != sinks.Retry {
				t.Errorf("%s: class %s: %v", name, sinks.ClassOf(err), err)
			}
			cancel()
			end(t, blocker)
			testenv.Wait(t, "the server to leave what was given up", noneWaits(my, "INSERT INTO"))
		}
		wantRefused(t, s.ApplyAt(t.Context(), bad, nil, from, to), 3000, sinks.Reject)
		wantRows(t, my, "select count(*), max(a) from t", `1|\N`)
		if err := s.ApplyAt(t.Context(), many("x"), nil, from, to); err != nil {
			t.Fatal(err)
		}
		wantRows(t, my, "select count(*), min(a) from t", "7000|x")
	})
}
