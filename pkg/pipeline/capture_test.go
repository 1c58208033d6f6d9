package pipeline_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/tailwater-cdc/tailwater/checkpoint"
	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/pipeline"
)

func TestRowsArriveAndAGracefulStopRepeatsNothing(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		r := start(t, w.config(newLife(), 1))
		for i := range int64(100) {
			w.log.commit(op{i % 7, i}, op{i % 3, -1})
		}
		after(10 * time.Millisecond)
		r.clean()
		w.same(t)
		rec := w.disk.newest()
		if rec.Resume != "100" || rec.Released != "100" || w.log.released != 100 {
			t.Errorf("saved %s, released %s, the slot stands at %d; want 100", rec.Resume, rec.Released, w.log.released)
		}
		applied := w.target["a"].applied
		r = start(t, w.config(newLife(), 1))
		after(3 * time.Second)
		if n := w.target["a"].applied; n != applied {
			t.Errorf("%d changes were applied again after a graceful stop", n-applied)
		}
		if s := r.p.Status(); s.State != pipeline.Running || s.Saved != pos(1, 100) || len(s.Sinks[0].Marks) != 1 {
			t.Errorf("status %+v", s)
		}
		r.clean()
	})
}

func TestAStopInTheMiddleOfTheLoadDrains(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, "a", "b")
		w.target["b"].slow = 300 * time.Millisecond
		w.log.part = 3
		r := start(t, w.config(newLife(), 1))
		for i := range int64(200) {
			w.log.commit(op{i % 7, i})
		}
		after(time.Millisecond)
		w.target["b"].takes(100 * time.Millisecond)
		r.clean()
		rec := w.disk.newest()
		if low := w.target["b"].lowest(); low.Less(rec.Upto) || w.target["a"].lowest() != low {
			t.Errorf("stopped with marks %v and %v, saved %v", w.target["a"].lowest(), low, rec.Upto)
		}
		applied := w.target["a"].applied
		r = start(t, w.config(newLife(), 1))
		after(time.Minute)
		r.clean()
		w.same(t)
		if again := w.target["a"].applied - 200; again != 0 {
			t.Errorf("%d changes were applied twice, %d before the stop", again, applied)
		}
	})
}

func TestSavesAreAtMostOneAnInterval(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		r := start(t, w.config(newLife(), 1))
		for i := range int64(100) {
			w.log.commit(op{1, i})
			after(100 * time.Millisecond)
		}
		if n := w.disk.saves; n < 9 || n > 12 {
			t.Errorf("%d saves in 10 s, want about one a second", n)
		}
		r.clean()
	})
}

func TestManyRowsOrSnapshotProgressAreSavedAtOnce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		cfg := w.config(newLife(), 1)
		cfg.SaveRows = 10
		cfg.SaveEvery = time.Hour
		r := start(t, cfg)
		after(time.Millisecond)
		w.log.commit(op{1, 1})
		after(time.Millisecond)
		if n := w.disk.saves; n != 1 {
			t.Errorf("%d saves, want the first position only", n)
		}
		for i := range int64(10) {
			w.log.commit(op{1, i})
		}
		after(time.Millisecond)
		if rec := w.disk.newest(); rec.Resume != "11" {
			t.Errorf("saved %s after 10 rows, want 11", rec.Resume)
		}
		w.log.mu.Lock()
		w.log.snapshot = []byte("chunk 1")
		w.log.mu.Unlock()
		w.log.commit(op{2, 1})
		after(time.Millisecond)
		rec := w.disk.newest()
		if string(rec.Snapshot) != "chunk 1" || rec.Released != rec.Resume {
			t.Errorf("saved progress %q at %s, released %s", rec.Snapshot, rec.Resume, rec.Released)
		}
		if w.log.released >= 12 {
			t.Errorf("the slot stands at %d, which one generation holds only", w.log.released)
		}
		r.clean()
	})
}

// Interleaving 20.
func TestAnIdleSourceIsSavedAndReleased(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		r := start(t, w.config(newLife(), 1))
		w.log.commit(op{1, 1})
		after(time.Millisecond)
		w.log.mu.Lock()
		w.log.txns = append(w.log.txns, nil, nil) // transactions of other tables
		w.log.mu.Unlock()
		after(5 * time.Second)
		if w.log.released != 3 {
			t.Errorf("the slot stands at %d, want 3", w.log.released)
		}
		if at := w.target["a"].mark(0); at != pos(1, 3) {
			t.Errorf("mark %v: an idle mark below what is released would be a gap", at)
		}
		r.clean()
	})
}

// R-01, invariant 1: a release never passes what both generations of the checkpoint hold.
func TestReleaseFollowsBothGenerations(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		r := start(t, w.config(newLife(), 1))
		for i := range int64(50) {
			w.log.commit(op{1, i})
			after(300 * time.Millisecond)
			w.disk.mu.Lock()
			for _, rec := range w.disk.records {
				if rec.Upto.Commit < uint64(w.log.released) {
					t.Errorf("the slot stands at %d, a generation at %v", w.log.released, rec.Upto)
				}
			}
			w.disk.mu.Unlock()
		}
		r.clean()
	})
}

func TestAnnouncedShapesAreNotPublishedAgain(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.log.shape = true
		for range 2 {
			r := start(t, w.config(newLife(), 1))
			w.log.commit(op{1, 1}, op{2, 2})
			after(time.Second)
			r.clean()
		}
		shapes := 0
		for _, h := range w.target["a"].history {
			if h == "new_shape" {
				shapes++
			}
		}
		if shapes != 1 || w.disk.newest().Announced["public.items"] == "" {
			t.Errorf("%d shapes were published, announced %v", shapes, w.disk.newest().Announced)
		}
		w.same(t)
	})
}

// Interleaving 1a.
func TestALostCheckpointIsRefusedUnlessAnOperatorBeginsANewEpoch(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		r := start(t, w.config(newLife(), 1))
		w.log.commit(op{1, 1})
		after(2 * time.Second)
		r.clean()
		w.disk.records = nil
		cfg := w.config(newLife(), 1)
		p, err := pipeline.New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		err = p.Run(t.Context())
		wantCode(t, err, pipeline.ExitGap)
		if !strings.Contains(err.Error(), "--new-epoch") || w.disk.saves == 0 || p.Status().State != pipeline.Halted {
			t.Errorf("refused with %v", err)
		}
		l := newLife()
		l.step = func(at string) bool { return at == "read" }
		cfg = w.config(l, 1)
		cfg.NewEpoch = true
		w.log.anew = []byte("all stale")
		r = start(t, cfg)
		<-l.killed
		_ = r.stop() // a dead process says nothing
		if rec := w.disk.newest(); string(rec.Snapshot) != "all stale" {
			t.Errorf("%q is saved before the first read: a crash forgets that the targets are to be emptied", rec.Snapshot)
		}
		r = start(t, w.config(newLife(), 1)) // the operator has said it once
		w.log.commit(op{1, 2})
		after(2 * time.Second)
		r.clean()
		w.same(t)
		if rec := w.disk.newest(); rec.Epoch != 2 || w.target["a"].mark(0).Epoch != 2 {
			t.Errorf("epoch %d, mark %v, want epoch 2", rec.Epoch, w.target["a"].mark(0))
		}
	})
}

// Beside a checkpoint the flag would be ignored, and whoever sets it would wait for what never happens. A later life of the process that began
// anew is none that was asked to.
func TestANewEpochBesideACheckpointIsRefused(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		cfg := w.config(newLife(), 1)
		cfg.NewEpoch = true
		fails := 1
		w.log.readErr = func() error {
			fails--
			if fails == 0 {
				return change.ErrUnreachable
			}
			return nil
		}
		r := start(t, cfg)
		w.log.commit(op{1, 1})
		after(5 * time.Second)
		if s := r.p.Status(); s.Restarts != 1 || s.State != pipeline.Running {
			t.Errorf("%d restarts, state %s: %s", s.Restarts, s.State, s.LastError)
		}
		r.clean()
		w.same(t)
		cfg = w.config(newLife(), 1)
		cfg.NewEpoch = true
		err := start(t, cfg).wait()
		wantCode(t, err, pipeline.ExitPreflight)
		for _, want := range []string{"--new-epoch", "epoch 1", "drop the pipeline", "docs/continuity.md"} {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("refused with %v, which doesn't say %s", err, want)
			}
		}
	})
}

func TestAnOldCheckpointIsRefused(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		r := start(t, w.config(newLife(), 1))
		w.log.commit(op{1, 1})
		after(2 * time.Second)
		r.clean()
		w.target["a"].marks[change.Lane{Stream: source}] = change.Mark{Lane: change.Lane{Stream: source}, Pos: pos(2, 1)}
		wantCode(t, start(t, w.config(newLife(), 1)).wait(), pipeline.ExitGap)
	})
}

func (r *running) wait() error { return <-r.done }

func TestADamagedCheckpointIsAGapAndAnUnreadableOneIsNotFresh(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.disk.loadErr = checkpoint.ErrCorrupt
		wantCode(t, start(t, w.config(newLife(), 1)).wait(), pipeline.ExitGap)
		w.disk.loadErr = errors.New("input/output error")
		wantCode(t, start(t, w.config(newLife(), 1)).wait(), pipeline.ExitRuntime)
		if w.log.opened != 0 {
			t.Error("the source was opened without a checkpoint")
		}
	})
}

// Interleaving 1b.
func TestAnotherIdentityBeginsANewEpochBeforeAnythingIsPublished(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		r := start(t, w.config(newLife(), 1))
		w.log.commit(op{1, 1})
		after(3 * time.Second)
		r.clean()
		w.log.identity = "log-2"
		life := newLife()
		saved := uint32(0)
		w.target["a"].entered = func([]change.Change) { saved = w.disk.newest().Epoch }
		r = start(t, w.config(life, 1))
		w.log.commit(op{1, 2})
		after(3 * time.Second)
		r.clean()
		w.same(t)
		if rec := w.disk.newest(); rec.Epoch != 2 || rec.Identity != "log-2" || saved != 2 {
			t.Errorf("epoch %d of %s, %d when the first change was applied", rec.Epoch, rec.Identity, saved)
		}
		if got := w.log.epochs; got[len(got)-1] != 2 {
			t.Errorf("the source was opened in epochs %v", got)
		}
	})
}

func TestANewIdentityWithATargetBeyondTheCheckpointIsAGap(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		r := start(t, w.config(newLife(), 1))
		w.log.commit(op{1, 1})
		after(3 * time.Second)
		r.clean()
		w.log.identity = "log-2"
		w.target["a"].marks[change.Lane{Stream: source}] = change.Mark{Lane: change.Lane{Stream: source}, Pos: pos(1, 9)}
		wantCode(t, start(t, w.config(newLife(), 1)).wait(), pipeline.ExitGap)
	})
}

// Interleaving 18.
func TestWhereADirectTargetStands(t *testing.T) {
	at := func(p change.Position) *change.Position { return &p }
	cases := []struct {
		name string
		a, b *change.Position // marks; nil: none
		code int
		from change.Resume
	}{
		{"all where the checkpoint stands", at(pos(1, 50)), at(pos(1, 50)), 0, "50"},
		{"ahead of the checkpoint", at(pos(1, 55)), at(pos(1, 50)), 0, "50"},
		{"between released and saved", at(pos(1, 50)), at(pos(1, 45)), 0, "40"},
		{"at what was released", at(pos(1, 50)), at(pos(1, 40)), 0, "40"},
		{"below what was released", at(pos(1, 50)), at(pos(1, 39)), pipeline.ExitGap, ""},
		{"a new sink beside an old one", at(pos(1, 50)), nil, pipeline.ExitGap, ""},
		{"all marks are gone", nil, nil, pipeline.ExitGap, ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(t, "a", "b")
				for range 60 {
					w.log.txns = append(w.log.txns, []op{{1, 1}})
				}
				w.log.released = 40
				w.disk.records = []checkpoint.Record{{Pipeline: source, Epoch: 1, Identity: "log-1", Resume: "50", Upto: pos(1, 50),
					Released: "40", ReleasedUpto: pos(1, 40), Announced: map[string]string{}, Generation: 7}}
				for name, m := range map[string]*change.Position{"a": c.a, "b": c.b} {
					if m != nil {
						w.target[name].marks[change.Lane{Stream: source}] = change.Mark{Lane: change.Lane{Stream: source}, Pos: *m}
					}
				}
				r := start(t, w.config(newLife(), 1))
				if c.code != 0 {
					err := r.wait()
					wantCode(t, err, c.code)
					if c.b == nil && !strings.Contains(err.Error(), "start with --new-epoch") {
						t.Errorf("refused with %v, which names no way out", err)
					}
					return
				}
				after(5 * time.Second)
				r.clean()
				if rec := w.disk.newest(); rec.Resume != "60" {
					t.Errorf("ended at %s", rec.Resume)
				}
				a, b := w.target["a"], w.target["b"]
				if want := int(60 - c.a.Commit); a.applied != want {
					t.Errorf("a applied %d, want %d", a.applied, want)
				}
				if want := int(60 - c.b.Commit); b.applied != want {
					t.Errorf("b applied %d, want %d", b.applied, want)
				}
				if a.regress+b.regress > 0 {
					t.Error("an older change came over a newer one")
				}
			})
		})
	}
}

func TestACrashBeforeTheFirstCommitStartsAgain(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, "a", "b")
		l := newLife()
		l.step = func(at string) bool { return at == "apply.before" }
		r := start(t, w.config(l, 1))
		w.log.commit(op{1, 1})
		after(time.Second)
		_ = r.stop() // a dead process says nothing
		r = start(t, w.config(newLife(), 1))
		after(3 * time.Second)
		r.clean()
		w.same(t)
	})
}
