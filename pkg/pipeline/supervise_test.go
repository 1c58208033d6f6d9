package pipeline_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tailwater-cdc/tailwater/connectors"
	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/pipeline"
	"github.com/tailwater-cdc/tailwater/pkg/stream"
	"github.com/tailwater-cdc/tailwater/sinks"
)

func TestExitCodeIsTheWorst(t *testing.T) {
	t.Parallel()
	in := func(err error) error { return fmt.Errorf("open: %w", err) }
	cases := []struct {
		name string
		err  error
		code int
	}{
		{"nothing", nil, 0},
		{"anything", errors.New("x"), 1},
		{"halted", in(change.ErrHalt), 1},
		{"fenced", in(change.ErrFenced), 3},
		{"busy", in(change.ErrBusy), 3},
		{"unreachable", in(change.ErrUnreachable), 3},
		{"denied", in(change.ErrDenied), 3},
		{"preflight", in(change.ErrPreflight), 4},
		{"gap", in(change.ErrGap), 5},
		{"3 over 1", errors.Join(in(change.ErrHalt), in(change.ErrBusy)), 3},
		{"4 over 3", errors.Join(in(change.ErrDenied), in(change.ErrPreflight)), 4},
		{"5 over all", errors.Join(in(change.ErrPreflight), in(change.ErrGap), in(change.ErrBusy)), 5},
	}
	for _, c := range cases {
		if got := pipeline.ExitCode(c.err); got != c.code {
			t.Errorf("%s: exit code %d, want %d", c.name, got, c.code)
		}
	}
}

func TestWhatEndsAStartAndWhatIsTriedAgain(t *testing.T) {
	cases := []struct {
		name  string
		err   error
		tries int // at least; 1: exactly
		code  int
	}{
		{"a slot in use is tried for start_timeout", change.ErrBusy, 3, 3},
		{"an unreachable server as well", change.ErrUnreachable, 3, 3},
		{"a denied login ends at once", change.ErrDenied, 1, 3},
		{"a wrong setting ends at once", change.ErrPreflight, 1, 4},
		{"a gap ends at once", change.ErrGap, 1, 5},
		{"a halt ends at once", change.ErrHalt, 1, 1},
		{"a newer instance ends at once", change.ErrFenced, 1, 3},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(t)
				w.log.openErr = func() error { return fmt.Errorf("open: %w", c.err) }
				began := time.Now()
				wantCode(t, start(t, w.config(newLife(), 1)).wait(), c.code)
				if n := w.log.opened; n < c.tries || c.tries == 1 && n != 1 {
					t.Errorf("opened %d times", n)
				}
				if took := time.Since(began); c.tries > 1 && (took < time.Minute || took > 100*time.Second) {
					t.Errorf("tried for %v, want start_timeout", took)
				}
			})
		})
	}
}

func TestABusySlotThatBecomesFreeStarts(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.log.openErr = func() error {
			if w.log.opened < 4 {
				return change.ErrBusy
			}
			return nil
		}
		r := start(t, w.config(newLife(), 1))
		w.log.commit(op{1, 1})
		after(30 * time.Second)
		if s := r.p.Status(); s.State != pipeline.Running || !s.Capturing || !s.Sinks[0].Ready {
			t.Errorf("status %+v", s)
		}
		r.clean()
		w.same(t)
	})
}

func TestAfterAFirstSuccessPassingFaultsAreTriedForEver(t *testing.T) {
	for _, fault := range []error{change.ErrUnreachable, change.ErrDenied, change.ErrPreflight, errors.New("reset by peer")} {
		t.Run(fault.Error(), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(t)
				cfg := w.config(newLife(), 1)
				var restarts int
				cfg.Observer.Restart = func(pipeline.Event, string, time.Duration) { restarts++ }
				r := start(t, cfg)
				w.log.commit(op{1, 1})
				after(time.Second)
				w.log.mu.Lock()
				w.log.openErr = func() error { return fault }
				w.log.readErr = w.log.openErr
				w.log.mu.Unlock()
				after(time.Hour)
				if s := r.p.Status(); s.Capturing || s.State == pipeline.Halted || restarts < 50 || restarts > 1000 {
					t.Errorf("status %+v after an hour, %d restarts", s, restarts)
				}
				w.log.mu.Lock()
				w.log.openErr, w.log.readErr = nil, nil
				w.log.mu.Unlock()
				w.log.commit(op{1, 2})
				after(time.Minute)
				w.same(t)
				r.clean()
			})
		})
	}
}

func TestAStopDuringTheBackOffIsClean(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.log.openErr = func() error { return change.ErrUnreachable }
		r := start(t, w.config(newLife(), 1))
		after(5 * time.Second)
		r.clean()
	})
}

func TestAnApplyUnderWayFinishesWhenAskedToStop(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.target["a"].slow = 10 * time.Second
		r := start(t, w.config(newLife(), 1))
		w.log.commit(op{1, 1})
		after(time.Second)
		r.cancel()
		synctest.Wait()
		if s := r.p.Status(); s.State != pipeline.Draining {
			t.Errorf("state %s, want draining", s.State)
		}
		if err := <-r.done; err != nil {
			t.Errorf("stopped with %v", err)
		}
		w.same(t)
		if w.log.released != 1 || w.disk.newest().Resume != "1" {
			t.Errorf("saved %s, released %d", w.disk.newest().Resume, w.log.released)
		}
	})
}

func TestADrainIsBounded(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.target["a"].slow = time.Hour
		r := start(t, w.config(newLife(), 1))
		w.log.commit(op{1, 1})
		after(time.Second)
		began := time.Now()
		wantCode(t, r.stop(), pipeline.ExitRuntime)
		if took := time.Since(began); took != 30*time.Second {
			t.Errorf("drained for %v, want drain_timeout", took)
		}
	})
}

func TestASinkThatHaltsEndsItsPipelineAtOnce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, "a", "b")
		w.target["a"].fail = func(int) error { return fmt.Errorf("no room: %w", change.ErrHalt) }
		r := start(t, w.config(newLife(), 1))
		w.log.commit(op{1, 1})
		began := time.Now()
		wantCode(t, r.wait(), pipeline.ExitRuntime)
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("took %v, though nobody was left to drain to", took)
		}
	})
}

func TestOnceEndsWhenAllIsApplied(t *testing.T) {
	for _, lanes := range []int{1, 3} {
		t.Run(fmt.Sprintf("%d lanes", lanes), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(t, "a", "b")
				w.target["b"].slow = time.Second
				for i := range int64(50) {
					w.log.commit(op{i % 7, i})
				}
				cfg := w.config(newLife(), lanes)
				cfg.Once = true
				if err := start(t, cfg).wait(); err != nil {
					t.Errorf("ended with %v", err)
				}
				w.same(t)
				if rec := w.disk.newest(); rec.Resume != "50" || w.log.released != 50 {
					t.Errorf("saved %s, released %d", rec.Resume, w.log.released)
				}
				w.log.silent = true // and with nothing to do, on a server where nothing happens
				cfg = w.config(newLife(), lanes)
				cfg.Once = true
				if err := start(t, cfg).wait(); err != nil {
					t.Errorf("ended with %v", err)
				}
			})
		})
	}
}

func TestOnceWaitsForTheSnapshot(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.log.progress = []connectors.Progress{{Table: "public.items"}}
		w.log.commit(op{1, 1})
		cfg := w.config(newLife(), 1)
		cfg.Once = true
		r := start(t, cfg)
		after(time.Minute)
		if s := r.p.Status(); s.State != pipeline.Snapshotting {
			t.Errorf("state %s, want snapshot", s.State)
		}
		w.log.mu.Lock()
		w.log.progress[0].Done = true
		w.log.mu.Unlock()
		if err := r.wait(); err != nil {
			t.Errorf("ended with %v", err)
		}
	})
}

func TestOnceWithParkedRowsEndsWith1(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.target["a"].refuse = refuseValue(sinks.Reject, "22001", 66)
		w.log.commit(op{1, 66}, op{2, 20})
		cfg := w.config(newLife(), 1)
		cfg.Once = true
		wantCode(t, start(t, cfg).wait(), pipeline.ExitRuntime)
		if w.target["a"].state()[2] != 20 {
			t.Error("a parked row blocked the others")
		}
	})
}

func TestOnceOfApplyAloneEndsAtTheEndsOfItsStart(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		cfg := w.config(newLife(), 1)
		cfg.Direct, cfg.Role, cfg.Once = false, pipeline.ApplyOnly, true
		pub, err := cfg.Stream.Publisher(t.Context(), stream.Start{Epoch: 1})
		if err != nil {
			t.Fatal(err)
		}
		if err := pub.Publish(t.Context(), w.txn(1, op{1, 10})); err != nil {
			t.Fatal(err)
		}
		if err := start(t, cfg).wait(); err != nil {
			t.Errorf("ended with %v", err)
		}
		if w.target["a"].state()[1] != 10 {
			t.Errorf("the target holds %v", w.target["a"].state())
		}
	})
}

func TestAHaltedPipelineLeavesTheOthersRunning(t *testing.T) {
	bubble(t, func(t *testing.T) {
		bad, good := newWorld(t), newWorld(t)
		bad.log.openErr = func() error { return change.ErrGap }
		fleet := fleetOf(t, bad, good)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- fleet.Run(ctx) }()
		after(time.Second)
		good.log.commit(op{1, 1})
		after(time.Second)
		good.same(t)
		if a, b := fleet[0].Status().State, fleet[1].Status().State; a != pipeline.Halted || b != pipeline.Running {
			t.Errorf("states %s and %s", a, b)
		}
		cancel()
		wantCode(t, <-done, pipeline.ExitGap)
	})
}

func TestAWrongConfigurationEndsAllPipelines(t *testing.T) {
	for _, fault := range []error{change.ErrDenied, change.ErrPreflight} {
		t.Run(fault.Error(), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				bad, good := newWorld(t), newWorld(t)
				bad.log.openErr = func() error { return fault }
				wantCode(t, fleetOf(t, bad, good).Run(t.Context()), pipeline.ExitCode(fault))
			})
		})
	}
}

func fleetOf(t *testing.T, worlds ...*world) pipeline.Fleet {
	t.Helper()
	var f pipeline.Fleet
	for _, w := range worlds {
		p, err := pipeline.New(w.config(newLife(), 1))
		if err != nil {
			t.Fatal(err)
		}
		f = append(f, p)
	}
	return f
}

func TestAWrongConfigIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	cases := map[string]func(c *pipeline.Config){
		"no name":             func(c *pipeline.Config) { c.Name = "" },
		"no stream":           func(c *pipeline.Config) { c.Stream = nil },
		"no store":            func(c *pipeline.Config) { c.Store = nil },
		"no source":           func(c *pipeline.Config) { c.Source = nil },
		"direct capture only": func(c *pipeline.Config) { c.Role = pipeline.CaptureOnly },
		"direct without sink": func(c *pipeline.Config) { c.Sinks = nil },
	}
	for name, spoil := range cases {
		cfg := w.config(newLife(), 1)
		spoil(&cfg)
		if _, err := pipeline.New(cfg); !errors.Is(err, change.ErrPreflight) {
			t.Errorf("%s: %v, want ErrPreflight", name, err)
		}
	}
}

func TestAnObserverIsTold(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.target["a"].slow = 2 * time.Second
		var (
			mu     sync.Mutex
			rows   = map[pipeline.Stage]int{}
			states []pipeline.State
			lat    time.Duration
			saved  int
		)
		cfg := w.config(newLife(), 1)
		cfg.Observer = pipeline.Observer{
			State: func(_ pipeline.Event, s pipeline.State) { mu.Lock(); states = append(states, s); mu.Unlock() },
			Rows: func(_ pipeline.Event, at pipeline.Stage, _ *change.Table, _ change.Op, n int) {
				mu.Lock()
				rows[at] += n
				mu.Unlock()
			},
			Latency: func(_ pipeline.Event, d time.Duration, _ int) { mu.Lock(); lat = max(lat, d); mu.Unlock() },
			Saved:   func(pipeline.Event, time.Duration) { mu.Lock(); saved++; mu.Unlock() },
		}
		r := start(t, cfg)
		after(time.Millisecond)
		w.log.commit(op{1, 1}, op{2, 2}, op{1, -1})
		after(10 * time.Second)
		r.clean()
		want := []pipeline.State{pipeline.Running, pipeline.Draining, pipeline.Stopped}
		if !slices.Equal(states, want) {
			t.Errorf("states %v, want %v", states, want)
		}
		if rows[pipeline.StageRead] != 3 || rows[pipeline.StagePublished] != 3 || rows[pipeline.StageApplied] != 3 || lat < 2*time.Second || saved == 0 {
			t.Errorf("rows %v, latency %v, %d saves", rows, lat, saved)
		}
	})
}
