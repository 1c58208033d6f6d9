//go:build fault

package mysql_test

import (
	"errors"
	"log/slog"
	"os"
	"os/exec"
	"syscall"
	"testing"

	"github.com/tailwater-cdc/tailwater/pkg/testenv"
	"github.com/tailwater-cdc/tailwater/sinks/mysql"
	"github.com/tailwater-cdc/tailwater/sinks/sinktest"
)

// TestKilledInAShape changes a table's shape in a process that dies by SIGKILL between every two steps, and goes on from what it finds.
func TestKilledInAShape(t *testing.T) {
	r := sinktest.NewReshaping()
	if url := os.Getenv(killedURL); url != "" {
		s, err := mysql.Open(t.Context(), mysql.Config{SourceID: "shop", SinkName: "copy", URL: url, Policy: r.Policy}, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		t.Fatal("survived: ", s.ApplyAt(t.Context(), r.Changes, nil, r.From, r.To))
	}
	for _, point := range sinktest.ReshapingPoints {
		t.Run(point, func(t *testing.T) {
			testenv.AllMySQL(t, func(t *testing.T, my *testenv.My) {
				if err := open(t, config(my)).ApplyAt(t.Context(), r.Before, nil, r.Zero, r.From); err != nil {
					t.Fatal(err)
				}
				cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestKilledInAShape$")
				cmd.Env = append(os.Environ(), "TAILWATER_FAULT="+point, killedURL+"="+config(my).URL)
				out, err := cmd.CombinedOutput()
				exit, ok := errors.AsType[*exec.ExitError](err)
				if !ok || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
					t.Fatalf("the child ended with %v\n%s", err, out)
				}
				r.GoOn(t, harness(my), point)
			})
		})
	}
}
