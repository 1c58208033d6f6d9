package pipeline_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/pipeline"
	"github.com/tailwater-cdc/tailwater/pkg/stream"
	"github.com/tailwater-cdc/tailwater/sinks"
)

// wantReady holds a pipeline to be ready, or not for a reason that says so.
func wantReady(t *testing.T, p *pipeline.Pipeline, reason string) {
	t.Helper()
	if s := p.Status(); s.State != pipeline.Running || (s.NotReady == "") != (reason == "") || !strings.Contains(s.NotReady, reason) {
		t.Errorf("state %s, not ready for %q, want %q", s.State, s.NotReady, reason)
	}
}

func TestADeadSourceIsNotReady(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		r := start(t, w.config(newLife(), 1))
		w.log.commit(op{1, 1})
		after(time.Minute)
		wantReady(t, r.p, "")
		fail := func(err error) {
			w.log.mu.Lock()
			defer w.log.mu.Unlock()
			w.log.readErr, w.log.openErr = nil, nil
			if err != nil {
				w.log.readErr = func() error { return err }
				w.log.openErr = w.log.readErr
			}
		}
		fail(change.ErrUnreachable)
		after(time.Hour)
		wantReady(t, r.p, "the source or the stream is not open")
		fail(nil)
		after(time.Minute)
		wantReady(t, r.p, "")
		r.clean()
	})
}

// A stream that acknowledges nothing, or a target that fails, for longer than a failover takes; nothing of it is counted as published.
func TestADeadTargetIsNotReady(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		a := w.target["a"]
		cfg := w.config(newLife(), 1)
		var (
			mu        sync.Mutex
			published int
		)
		cfg.Observer.Rows = func(_ pipeline.Event, at pipeline.Stage, _ *change.Table, _ change.Op, n int) {
			mu.Lock()
			defer mu.Unlock()
			if at == pipeline.StagePublished {
				published += n
			}
		}
		r := start(t, cfg)
		after(time.Minute)
		wantReady(t, r.p, "")
		fail := func(f func(int) error) {
			a.mu.Lock()
			a.fail = f
			a.mu.Unlock()
		}
		fail(func(int) error { return errors.New("connection refused") })
		w.log.commit(op{1, 1})
		after(5 * time.Second)
		wantReady(t, r.p, "")
		if s := r.p.Status().Sinks[0]; !strings.Contains(s.Retry, "connection refused") {
			t.Errorf("while a call is tried again status says %+v", s)
		}
		after(time.Minute)
		wantReady(t, r.p, "the stream has acknowledged none for 1m")
		wantReady(t, r.p, "sink a: the target fails for 1m")
		mu.Lock()
		if published != 0 {
			t.Errorf("%d rows are counted as published, and nothing is acknowledged", published)
		}
		mu.Unlock()
		fail(nil)
		after(time.Minute)
		wantReady(t, r.p, "")
		if s := r.p.Status().Sinks[0]; s.Retry != "" || !s.Since.IsZero() || published != 1 {
			t.Errorf("after it %+v, %d rows published", s, published)
		}
		r.clean()
	})
}

func TestASinkThatIsNotOpenIsNotReady(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		a := w.target["a"]
		cfg := w.config(newLife(), 1)
		open := cfg.Sinks[0].Open
		down := false
		cfg.Sinks[0].Open = func(ctx context.Context) (sinks.MarkSink, error) {
			a.mu.Lock()
			defer a.mu.Unlock()
			if down {
				return nil, change.ErrUnreachable
			}
			return open(ctx)
		}
		r := start(t, cfg)
		after(time.Second)
		wantReady(t, r.p, "")
		a.mu.Lock()
		down = true
		a.marks[change.Lane{Stream: source}] = change.Mark{Lane: change.Lane{Stream: source}, Next: 9} // somebody else's: it gives way
		a.mu.Unlock()
		w.log.commit(op{1, 1})
		after(time.Minute)
		wantReady(t, r.p, "sink a: its target or the stream is not open")
		_ = r.stop()
	})
}

// A gap is counted where it is.
func TestAGapSaysWhose(t *testing.T) {
	for want, breaks := range map[string]func(w *world){
		"":  func(w *world) { w.log.openErr = func() error { return change.ErrGap } },
		"a": func(w *world) { w.target["a"].fail = func(int) error { return change.ErrGap } },
	} {
		t.Run("sink "+want, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(t)
				breaks(w)
				cfg := w.config(newLife(), 1)
				var mu sync.Mutex
				var events []pipeline.Event
				cfg.Observer.Gap = func(e pipeline.Event, _ error) { mu.Lock(); events = append(events, e); mu.Unlock() }
				r := start(t, cfg)
				w.log.commit(op{1, 1})
				wantCode(t, r.wait(), pipeline.ExitGap)
				if len(events) != 1 || events[0] != (pipeline.Event{Pipeline: source, Sink: want}) {
					t.Errorf("gaps %+v, want one of sink %q", events, want)
				}
			})
		})
	}
}

// troubledStream hands out what its subscriber is to tell its trouble to.
type troubledStream struct {
	stream.Stream
	tell chan func(error)
}

func (s troubledStream) Subscriber(ctx context.Context, sub stream.Subscription) (stream.Subscriber, error) {
	s.tell <- sub.Trouble
	return s.Stream.Subscriber(ctx, sub)
}

func TestASinkThatCannotJoinIsNotReady(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		cfg := w.config(newLife(), 1)
		tell := make(chan func(error), 1)
		cfg.Stream = troubledStream{cfg.Stream, tell}
		r := start(t, cfg)
		after(time.Second)
		wantReady(t, r.p, "")
		trouble := <-tell
		trouble(errors.New("no coordinator"))
		after(5 * time.Second)
		wantReady(t, r.p, "")
		trouble(errors.New("connection refused"))
		after(20 * time.Second)
		wantReady(t, r.p, "sink a: no lanes for 25s: connection refused")
		trouble(nil)
		wantReady(t, r.p, "")
		r.clean()
	})
}
