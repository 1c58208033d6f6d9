package pipeline_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tailwater-cdc/tailwater/checkpoint"
	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/pipeline"
	"github.com/tailwater-cdc/tailwater/sinks"
)

// TestCrashesLoseNothing kills the process at random steps, again and again, while the source commits and forgets what it was allowed
// to. Now and then the newest generation of the checkpoint is torn, a target fails, or refuses for a while. In the end every target
// holds what the source holds, nothing older ever came over anything newer, and no Save was ahead of a target.
func TestCrashesLoseNothing(t *testing.T) {
	t.Parallel()
	n := 80
	if testing.Short() {
		n = 20
	}
	for seed := range n {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { crashes(t, rand.New(rand.NewPCG(uint64(seed), 7))) })
		})
	}
}

func crashes(t *testing.T, rnd *rand.Rand) {
	names := []string{"a", "b"}[:1+rnd.IntN(2)]
	lanes := []int{1, 1, 3}[rnd.IntN(3)]
	w := newWorld(t, names...)
	w.log.part = []int{0, 1, 2, 5}[rnd.IntN(4)]
	w.log.shape = rnd.IntN(2) == 0
	w.disk.check = func(r checkpoint.Record) {
		for name, target := range w.target {
			if low := target.lowest(); !low.IsZero() && low.Less(r.Upto) {
				t.Errorf("saved %v, sink %s stands at %v", r.Upto, name, low)
			}
		}
	}
	for _, target := range w.target {
		target.slow = time.Duration(rnd.IntN(3)) * 7 * time.Millisecond
	}
	version := int64(0)
	for range 12 {
		l := newLife()
		steps := 5 + rnd.IntN(60)
		l.step = func(string) bool { steps--; return steps == 0 }
		w.trouble(rnd)
		r := start(t, w.config(l, lanes))
		for range rnd.IntN(30) {
			w.log.commit(w.ops(rnd, &version)...)
			time.Sleep(time.Duration(rnd.IntN(400)) * time.Millisecond)
			select {
			case <-l.killed:
			case err := <-r.done:
				t.Fatalf("ended with %v", err)
			default:
				continue
			}
			break
		}
		if err := r.stop(); err != nil && pipeline.ExitCode(err) != pipeline.ExitRuntime {
			t.Fatalf("ended with %v", err)
		}
		if rnd.IntN(4) == 0 {
			w.disk.tear()
		}
	}
	for _, target := range w.target {
		target.fail = nil
	}
	w.log.readErr = nil
	r := start(t, w.config(newLife(), lanes))
	after(time.Minute)
	r.clean()
	w.same(t)
	if rec := w.disk.newest(); rec.Upto.Commit != uint64(len(w.log.txns)) || w.log.released != len(w.log.txns) {
		t.Errorf("saved %v, released %d of %d", rec.Upto, w.log.released, len(w.log.txns))
	}
}

func (w *world) ops(rnd *rand.Rand, version *int64) []op {
	ops := make([]op, 1+rnd.IntN(6))
	for i := range ops {
		*version++
		ops[i] = op{id: rnd.Int64N(9), v: *version}
		if rnd.IntN(5) == 0 {
			ops[i].v = -1
		}
	}
	return ops
}

// trouble makes some calls of some targets fail, before or instead of doing anything, or as if the marks had been moved, which restarts
// the apply loop; and some reads, which restarts the capture loop.
func (w *world) trouble(rnd *rand.Rand) {
	w.log.mu.Lock()
	w.log.readErr = nil
	if n := 3 + rnd.IntN(20); rnd.IntN(3) == 0 {
		reads := 0
		w.log.readErr = func() error {
			if reads++; reads%n == 0 {
				return fmt.Errorf("connection reset")
			}
			return nil
		}
	}
	w.log.mu.Unlock()
	for _, target := range w.target {
		every := 2 + rnd.IntN(6)
		target.fail = nil
		switch rnd.IntN(4) {
		case 0:
			target.fail = func(call int) error {
				if call%(3*every) == 0 {
					return change.ErrFenced
				}
				return nil
			}
		case 1:
			target.fail = func(call int) error {
				if call%every == 0 {
					return &sinks.Error{Class: sinks.Retry, Code: "40001", Err: fmt.Errorf("deadlock")}
				}
				return nil
			}
		}
	}
}

// TestARestoredTargetIsCaughtUpOrAGap takes a target back to where it stood earlier: it is brought up again, or it is a gap, but
// never missing rows.
func TestARestoredTargetIsCaughtUpOrAGap(t *testing.T) {
	t.Parallel()
	caught, gaps := 0, 0
	for seed := range 40 {
		synctest.Test(t, func(t *testing.T) {
			rnd := rand.New(rand.NewPCG(uint64(seed), 11))
			w := newWorld(t)
			type backup struct {
				rows map[int64]row
				mark change.Mark
			}
			var backups []backup
			version := int64(0)
			l := newLife()
			steps := 60 + rnd.IntN(200)
			l.step = func(string) bool { steps--; return steps == 0 }
			r := start(t, w.config(l, 1))
			for range 20 {
				w.log.commit(w.ops(rnd, &version)...)
				after(time.Duration(rnd.IntN(500)) * time.Millisecond)
				a := w.target["a"]
				b := backup{rows: map[int64]row{}, mark: a.marks[change.Lane{Stream: source}]}
				for id, row := range a.rows {
					b.rows[id] = row
				}
				backups = append(backups, b)
			}
			_ = r.stop()
			b := backups[rnd.IntN(len(backups))]
			w.target["a"].rows, w.target["a"].marks = b.rows, map[change.Lane]change.Mark{}
			if !b.mark.Pos.IsZero() {
				w.target["a"].marks[b.mark.Lane] = b.mark
			}
			r = start(t, w.config(newLife(), 1))
			after(10 * time.Second)
			if r.p.Status().State == pipeline.Halted {
				wantCode(t, r.wait(), pipeline.ExitGap)
				gaps++
				return
			}
			r.clean()
			w.same(t)
			caught++
		})
	}
	if gaps == 0 {
		t.Error("no restored target was a gap")
	}
	t.Logf("%d caught up, %d gaps", caught, gaps)
}
