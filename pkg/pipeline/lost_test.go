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

// TestALostAnswerIsNoSecondCall: a connection that breaks at COMMIT may have committed. The marks tell; where they are the ones that the call
// was to leave behind it is applied, and rows without a key don't come twice.
func TestALostAnswerIsNoSecondCall(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		a := w.target["a"]
		lost := 0
		a.answer = func(int) error {
			if a.applied == 0 || lost == 3 {
				return nil
			}
			lost++
			return errors.New("connection reset at COMMIT")
		}
		r := start(t, w.config(newLife(), 1))
		for v := range int64(5) {
			w.log.commit(op{1, v + 1})
			after(5 * time.Second)
		}
		r.clean()
		w.same(t)
		if s := r.p.Status(); lost != 3 || a.applied != 5 || s.Restarts != 0 {
			t.Errorf("%d answers lost, %d changes applied, %d restarts; want 3, 5 and 0", lost, a.applied, s.Restarts)
		}
	})
}
