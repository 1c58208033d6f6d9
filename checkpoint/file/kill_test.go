//go:build fault

package file_test

import (
	"errors"
	"os"
	"os/exec"
	"syscall"
	"testing"

	"github.com/tailwater-cdc/tailwater/checkpoint/checkpointtest"
)

const killDir = "TAILWATER_TEST_KILL_DIR"

// TestKilledInASave kills a process by SIGKILL at each point of its third Save and looks at what the next one finds.
func TestKilledInASave(t *testing.T) {
	if dir := os.Getenv(killDir); dir != "" {
		s := open(t, dir)
		r := checkpointtest.Sample("p", 100)
		for range 3 {
			var err error
			if r, err = s.Save(t.Context(), r); err != nil {
				t.Fatal(err)
			}
		}
		t.Fatal("still alive")
	}
	for point, want := range map[string]uint64{"save.before": 2, "save.synced": 2, "save.after": 3} {
		t.Run(point, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestKilledInASave$")
			child.Env = append(os.Environ(), killDir+"="+dir, "TAILWATER_FAULT="+point+":3")
			out, err := child.CombinedOutput()
			exit, ok := errors.AsType[*exec.ExitError](err)
			if !ok || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
				t.Fatalf("the child ended with %v, not SIGKILL:\n%s", err, out)
			}
			s := open(t, dir)
			defer s.Close()
			r, err := s.Load(t.Context(), "p")
			if err != nil || r.Generation != want || r.Released == r.Resume {
				t.Errorf("found generation %d, released %q, %v; want generation %d without a fall-back", r.Generation, r.Released, err, want)
			}
		})
	}
}
