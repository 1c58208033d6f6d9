//go:build fault

package mysql_test

import (
	"errors"
	"log/slog"
	"os"
	"os/exec"
	"slices"
	"syscall"
	"testing"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/testenv"
	"github.com/tailwater-cdc/tailwater/sinks"
	"github.com/tailwater-cdc/tailwater/sinks/mysql"
)

// killedURL tells a child process of TestKilled which database to write to.
const killedURL = "TAILWATER_TEST_KILLED_URL"

// killedCall is one call that writes a row, parks a change and moves a mark.
func killedCall() (c []change.Change, parked []sinks.Parked, from, to []change.Mark) {
	lane := change.Lane{Stream: "s"}
	c = []change.Change{at(table(), 2, change.Insert, change.Int(2), change.Text("x"), change.Null())}
	parked = []sinks.Parked{{Change: at(table(), 1, change.Insert, change.Int(1), change.Text("x"), change.Null()), Lane: lane, Code: "X"}}
	return c, parked, []change.Mark{{Lane: lane}}, []change.Mark{{Lane: lane, Next: 1, Pos: c[0].Pos}}
}

// TestKilled runs the call in a process that dies by SIGKILL at each point, then looks whether rows, mark and parked change are there
// together, and goes on from what it finds.
func TestKilled(t *testing.T) {
	if url := os.Getenv(killedURL); url != "" {
		s, err := mysql.Open(t.Context(), mysql.Config{SourceID: "shop", SinkName: "copy", URL: url, CreateTables: true}, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		c, parked, from, to := killedCall()
		t.Fatal("survived: ", s.ApplyAt(t.Context(), c, parked, from, to))
	}
	for point, committed := range map[string]bool{"sink.begun": false, "sink.written": false, "sink.committed": true} {
		t.Run(point, func(t *testing.T) {
			testenv.AllMySQL(t, func(t *testing.T, my *testenv.My) { killedAt(t, my, point, committed) })
		})
	}
}

func killedAt(t *testing.T, my *testenv.My, point string, committed bool) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestKilled$")
	cmd.Env = append(os.Environ(), "TAILWATER_FAULT="+point, killedURL+"="+config(my).URL)
	out, err := cmd.CombinedOutput()
	exit, ok := errors.AsType[*exec.ExitError](err)
	if !ok || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		t.Fatalf("the child ended with %v\n%s", err, out)
	}
	s := open(t, config(my))
	state, err := s.Load(t.Context(), "s")
	if err != nil {
		t.Fatal(err)
	}
	c, parked, from, to := killedCall()
	if !committed {
		if len(state.Marks)+len(state.Parked) != 0 || my.Value("select count(*) from t") != "0" {
			t.Fatalf("something of a call that was not committed is there: %+v", state)
		}
		if err := s.ApplyAt(t.Context(), c, parked, from, to); err != nil {
			t.Fatal(err)
		}
		return
	}
	if !slices.Equal(state.Marks, to) || len(state.Parked) != 1 {
		t.Fatalf("something of a committed call is missing: %+v", state)
	}
	wantRows(t, my, "select id from t", "2")
	if err := s.ApplyAt(t.Context(), c, parked, from, to); !errors.Is(err, change.ErrFenced) {
		t.Errorf("applied again: %v", err)
	}
}
