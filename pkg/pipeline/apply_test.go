package pipeline_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/pipeline"
	"github.com/tailwater-cdc/tailwater/pkg/stream"
	"github.com/tailwater-cdc/tailwater/sinks"
)

// refuseValue refuses every change that writes one of these values.
func refuseValue(class sinks.Class, code string, values ...int64) func(*change.Change, map[int64]row) (sinks.Class, string) {
	return func(c *change.Change, _ map[int64]row) (sinks.Class, string) {
		if c.After != nil && slices.Contains(values, c.After[1].Int()) {
			return class, code
		}
		return 0, ""
	}
}

func parkedText(b *table) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	var s []string
	for i := range b.parked {
		s = append(s, describe(&b.parked[i].Change)+b.parked[i].Code)
	}
	return strings.Join(s, " ")
}

// Invariant 8.
func TestARefusedChangeIsParkedAndLaterOnesOfItsKeyWait(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		a := w.target["a"]
		a.refuse = refuseValue(sinks.Reject, "22001", 66)
		r := start(t, w.config(newLife(), 1))
		w.log.commit(op{1, 10}, op{1, 66}, op{2, 20}, op{1, 11}, op{2, 21})
		after(time.Second)
		w.log.commit(op{1, 12}, op{3, 30})
		after(time.Second)
		if got, want := parkedText(a), "1=6622001 1=11 1=12"; got != want {
			t.Errorf("parked %q, want %q", got, want)
		}
		if got := a.state(); got[1] != 10 || got[2] != 21 || got[3] != 30 {
			t.Errorf("the target holds %v", got)
		}
		if s := r.p.Status(); s.Sinks[0].Parked != 3 {
			t.Errorf("status counts %d parked, want 3", s.Sinks[0].Parked)
		}
		r.clean()
		if w.disk.newest().Resume != "2" {
			t.Errorf("parked rows held back the checkpoint at %s", w.disk.newest().Resume)
		}
	})
}

// Interleaving 12: the next owner of a lane finds its parked keys.
func TestParkedKeysOutliveTheProcess(t *testing.T) {
	for name, at := range map[string]string{"stopped": "", "killed after the target's commit": "apply.after"} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(t)
				a := w.target["a"]
				a.refuse = refuseValue(sinks.Reject, "22001", 66)
				l := newLife()
				l.step = func(here string) bool { return here == at }
				r := start(t, w.config(l, 1))
				w.log.commit(op{1, 10}, op{1, 66})
				after(time.Second)
				_ = r.stop()
				r = start(t, w.config(newLife(), 1))
				w.log.commit(op{1, 11}, op{2, 20})
				after(3 * time.Second)
				r.clean()
				if got, want := parkedText(a), "1=6622001 1=11"; got != want {
					t.Errorf("parked %q, want %q", got, want)
				}
				if got := a.state(); got[1] != 10 || got[2] != 20 {
					t.Errorf("the target holds %v", got)
				}
			})
		})
	}
}

func TestOnErrorHaltNamesTheRow(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.target["a"].refuse = refuseValue(sinks.Reject, "22001", 66)
		cfg := w.config(newLife(), 1)
		cfg.Sinks[0].OnError = pipeline.Halt
		r := start(t, cfg)
		w.log.commit(op{1, 10}, op{7, 66})
		err := r.wait()
		wantCode(t, err, pipeline.ExitRuntime)
		for _, want := range []string{"public.items", `{"id":7}`, "22001"} {
			if !strings.Contains(fmt.Sprint(err), want) {
				t.Errorf("halted with %v, which doesn't name %s", err, want)
			}
		}
		if !errors.Is(err, change.ErrHalt) || len(w.target["a"].state()) != 0 {
			t.Errorf("halted with %v, the target holds %v", err, w.target["a"].state())
		}
	})
}

func TestARefusedMarkerHalts(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.log.shape = true
		w.target["a"].refuse = func(c *change.Change, _ map[int64]row) (sinks.Class, string) {
			if c.Op == change.NewShape {
				return sinks.Reject, "42501"
			}
			return 0, ""
		}
		r := start(t, w.config(newLife(), 1))
		w.log.commit(op{1, 10})
		wantCode(t, r.wait(), pipeline.ExitRuntime)
	})
}

func TestASinkThatNamesNothingHaltsInsteadOfLooping(t *testing.T) {
	for name, partial := range map[string]*sinks.PartialError{"nothing": {}, "out of range": {Refused: []sinks.Refused{{Index: 9, Code: "x", Cause: errDead}}}} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(t)
				w.target["a"].fail = func(int) error { return partial }
				r := start(t, w.config(newLife(), 1))
				w.log.commit(op{1, 10})
				wantCode(t, r.wait(), pipeline.ExitRuntime)
			})
		})
	}
}

func TestParkedLimitPausesAndDropsNothing(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		a := w.target["a"]
		a.refuse = refuseValue(sinks.Reject, "22001", 66)
		cfg := w.config(newLife(), 1)
		cfg.Sinks[0].ParkedLimit = 2
		r := start(t, cfg)
		w.log.commit(op{1, 66}, op{2, 66})
		after(time.Second)
		w.log.commit(op{3, 66}, op{4, 40})
		after(time.Minute)
		if s := r.p.Status(); !s.Sinks[0].Paused || s.Sinks[0].Parked != 2 || len(a.state()) != 0 {
			t.Errorf("status %+v, target %v", s.Sinks, a.state())
		}
		a.mu.Lock()
		a.parked = a.parked[1:] // an operator skips one
		a.mu.Unlock()
		after(time.Minute)
		if got, want := parkedText(a), "2=6622001 3=6622001"; got != want || a.state()[4] != 40 {
			t.Errorf("parked %q, want %q; target %v", got, want, a.state())
		}
		w.log.commit(op{1, 11}) // its parked change is gone
		after(time.Minute)
		if a.state()[1] != 11 {
			t.Errorf("a change of a key that is no longer parked was not applied: %v", a.state())
		}
		r.clean()
	})
}

func TestPassingFaultsAreTriedAgainOnAFreshContext(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		a := w.target["a"]
		a.fail = func(call int) error {
			if call < 5 {
				return errors.New("connection reset")
			}
			return nil
		}
		cfg := w.config(newLife(), 1)
		retries := 0
		cfg.Observer.Retry = func(pipeline.Event, string) { retries++ }
		r := start(t, cfg)
		w.log.commit(op{1, 10})
		after(10 * time.Second)
		r.clean()
		w.same(t)
		if retries != 4 || a.applied != 1 || a.contexts[0] != nil {
			t.Errorf("%d retries, %d applied, contexts %v", retries, a.applied, a.contexts)
		}
		if s := r.p.Status(); s.Restarts != 0 || !strings.Contains(s.LastError, "connection reset") {
			t.Errorf("%d restarts, last error %q", s.Restarts, s.LastError)
		}
	})
}

func TestAFatalTargetEndsThePipeline(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.target["a"].fail = func(int) error { return &sinks.Error{Class: sinks.Fatal, Err: errors.New("read only")} }
		r := start(t, w.config(newLife(), 1))
		w.log.commit(op{1, 10})
		wantCode(t, r.wait(), pipeline.ExitRuntime)
	})
}

// Interleaving 4: somebody else has moved the marks.
func TestMovedMarksAreLoadedAgain(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		a := w.target["a"]
		r := start(t, w.config(newLife(), 1))
		w.log.commit(op{1, 10})
		after(3 * time.Second)
		lane := change.Lane{Stream: source}
		a.mu.Lock()
		a.marks[lane] = change.Mark{Lane: lane, Pos: pos(1, 2)} // a zombie has applied transaction 2
		a.rows[1] = row{v: 11, pos: pos(1, 2)}
		a.mu.Unlock()
		w.log.commit(op{1, 11})
		w.log.commit(op{1, 12})
		after(10 * time.Second)
		r.clean()
		w.same(t)
		if slices.Contains(a.history, "1=11") {
			t.Error("what the moved mark covers was applied again")
		}
		if s := r.p.Status(); s.Restarts == 0 {
			t.Error("the loop was not restarted")
		}
	})
}

// Interleaving 3: a snapshot row is dropped only below the mark, and supersedes what is parked of its key.
func TestSnapshotRowsSupersedeParkedChanges(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		a := w.target["a"]
		a.refuse = refuseValue(sinks.Reject, "22001", 66)
		s := w.applyOnly(t)
		row := func(op change.Op, commit uint64, seq uint64, id, v int64) change.Change {
			c := change.Change{Op: op, Table: w.log.table, After: []change.Value{change.Int(id), change.Int(v)},
				Pos: change.Position{Epoch: 1, Commit: commit, Seq: seq}, Txn: &change.Txn{ID: "x"}}
			if op == change.SnapshotRow {
				c.Txn, c.Pos.Seq = nil, change.MaxSeq
			}
			return c
		}
		s.publish(change.Batch{Upto: pos(1, 2), Changes: []change.Change{
			row(change.Update, 2, 1, 1, 66), row(change.Update, 2, 5, 1, 11), row(change.Update, 2, 9, 2, 66)}})
		s.publish(change.Batch{Upto: pos(1, 2), Changes: []change.Change{row(change.SnapshotRow, 2, 0, 1, 12)}})
		s.publish(change.Batch{Upto: pos(1, 3), Changes: []change.Change{row(change.Update, 3, 1, 1, 13), row(change.Update, 3, 5, 2, 21)}})
		s.publish(change.Batch{Upto: pos(1, 4), Changes: []change.Change{row(change.Update, 4, 1, 3, 66), row(change.SnapshotRow, 4, 0, 3, 31), row(change.Update, 5, 1, 3, 32)}})
		s.publish(change.Batch{Upto: pos(1, 5), Changes: []change.Change{row(change.SnapshotRow, 3, 0, 2, 99)}})
		if got, want := parkedText(a), "2=6622001 2=21"; got != want {
			t.Errorf("parked %q, want %q", got, want)
		}
		if got := a.state(); got[1] != 13 || got[3] != 32 || got[2] != 0 {
			t.Errorf("the target holds %v", got)
		}
		s.clean()
	})
}

// scripted is an apply loop under a publisher that the test holds.
type scripted struct {
	*running
	pub stream.Publisher
}

func (w *world) applyOnly(t *testing.T) *scripted {
	t.Helper()
	return w.applyLanes(t, 1)
}

func (w *world) applyLanes(t *testing.T, lanes int) *scripted {
	t.Helper()
	cfg := w.config(newLife(), lanes)
	cfg.Direct, cfg.Role = false, pipeline.ApplyOnly
	pub, err := cfg.Stream.Publisher(t.Context(), stream.Start{Epoch: 1})
	if err != nil {
		t.Fatal(err)
	}
	return &scripted{running: start(t, cfg), pub: pub}
}

// publish publishes and waits until it is applied.
func (s *scripted) publish(b ...change.Batch) {
	s.t.Helper()
	for i := range b {
		if err := s.pub.Publish(s.t.Context(), b[i]); err != nil {
			s.t.Fatal(err)
		}
	}
	after(time.Second)
}
