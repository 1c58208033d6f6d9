package pipeline_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/stream"
)

// thief takes the lanes of sink a away, as a rebalance does.
func thief(t *testing.T, s stream.Stream) stream.Subscriber {
	t.Helper()
	sub, err := s.Subscriber(t.Context(), stream.Subscription{Sink: "a",
		Begin: func(context.Context, []change.Lane) ([]change.Mark, error) { return nil, nil }})
	if err != nil {
		t.Fatal(err)
	}
	return sub
}

// Interleaving 4: a target transaction under way when the lanes are lost is not cut in the middle; the marks decide.
func TestALostLaneDoesNotCutATargetTransaction(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		a := w.target["a"]
		a.slow = 5 * time.Second
		cfg := w.config(newLife(), 1)
		r := start(t, cfg)
		w.log.commit(op{1, 1})
		after(time.Second)
		stolen := thief(t, cfg.Stream)
		after(5 * time.Second)
		if a.calls != 1 || a.contexts[0] != nil || a.state()[1] != 1 {
			t.Errorf("%d calls, contexts %v, target %v", a.calls, a.contexts, a.state())
		}
		if err := stolen.Close(); err != nil {
			t.Fatal(err)
		}
		after(time.Minute)
		w.log.commit(op{1, 2})
		after(time.Minute)
		w.same(t)
		if slices.Index(a.history, "1=1") != 0 || len(a.history) != 2 {
			t.Errorf("the target was written %v", a.history)
		}
		r.clean()
	})
}

// A target transaction that has not begun when the lanes are lost never begins.
func TestALostLaneStopsWhatHasNotBegun(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		a := w.target["a"]
		a.fail = func(int) error { return errors.New("connection reset") }
		cfg := w.config(newLife(), 1)
		r := start(t, cfg)
		w.log.commit(op{1, 1})
		after(5 * time.Second) // between two tries
		stolen := thief(t, cfg.Stream)
		synctest.Wait()
		a.mu.Lock()
		calls := a.calls
		a.fail = nil
		a.mu.Unlock()
		after(50 * time.Millisecond)
		if a.calls != calls {
			t.Error("a call began after the lanes were lost")
		}
		if err := stolen.Close(); err != nil {
			t.Fatal(err)
		}
		after(time.Minute)
		w.same(t)
		r.clean()
	})
}
