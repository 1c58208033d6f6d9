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
)

// reassigned is a stream of one lane that goes to the same member anew: between the return of a Fetch and the start of its delivery, or, under way,
// while its delivery is being applied.
type reassigned struct {
	underWay bool

	begin func(context.Context, []change.Lane) ([]change.Mark, error)
	c     []change.Change
	lane  change.Lane

	mu    sync.Mutex
	calls int
	marks []change.Mark // of the second assignment
	lost  [2]chan struct{}
}

func (s *reassigned) Known(context.Context) (uint32, error) { return 0, nil }

func (s *reassigned) Publisher(context.Context, stream.Start) (stream.Publisher, error) {
	return nil, errors.New("none")
}

func (s *reassigned) Subscriber(ctx context.Context, sub stream.Subscription) (stream.Subscriber, error) {
	s.begin = sub.Begin
	_, err := sub.Begin(ctx, []change.Lane{s.lane})
	return s, err
}

func (s *reassigned) Close() error { return nil }

func (s *reassigned) Ends(context.Context) ([]change.Mark, error) {
	return []change.Mark{{Lane: s.lane, Next: 1}}, nil
}

func (s *reassigned) Fetch(ctx context.Context, _ int) (stream.Delivery, error) {
	s.mu.Lock()
	s.calls++
	n := s.calls
	s.mu.Unlock()
	switch n {
	case 1: // its delivery is on the way to its goroutine: the assignment ends, and the next one begins
		if s.underWay {
			break
		}
		close(s.lost[0])
		if _, err := s.begin(ctx, []change.Lane{s.lane}); err != nil {
			return stream.Delivery{}, err
		}
	case 2:
		time.Sleep(time.Second) // the bubble's clock: the first delivery has run, or is being applied
		if !s.underWay {
			break
		}
		close(s.lost[0])
		marks, err := s.begin(ctx, []change.Lane{s.lane})
		if err != nil {
			return stream.Delivery{}, err
		}
		s.mu.Lock()
		s.marks = marks
		s.mu.Unlock()
		<-ctx.Done()
		return stream.Delivery{}, ctx.Err()
	default:
		<-ctx.Done()
		return stream.Delivery{}, ctx.Err()
	}
	return stream.Delivery{Changes: s.c, Lost: s.lost[n-1], From: []change.Mark{{Lane: s.lane}}, To: []change.Mark{{Lane: s.lane, Next: 1, Pos: s.c[0].Pos}}}, nil
}

func (s *reassigned) Commit(_ context.Context, d stream.Delivery) error {
	if d.Lost == s.lost[0] {
		return change.ErrFenced
	}
	return nil
}

// A delivery of the last assignment that comes late leaves the lanes of this one alone.
func TestALateDeliveryOfTheLastAssignment(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		cfg := w.config(newLife(), 1)
		cfg.Stream = &reassigned{c: w.txn(1, op{1, 7}).Changes, lane: change.Lane{Stream: source}, lost: [2]chan struct{}{make(chan struct{}), make(chan struct{})}}
		cfg.Direct, cfg.Role, cfg.Once = false, pipeline.ApplyOnly, true
		r := start(t, cfg)
		after(10 * time.Minute)
		if got := w.target["a"].state(); got[1] != 7 {
			t.Errorf("ten minutes later the target holds %v", got)
		}
		select {
		case err := <-r.done:
			wantCode(t, err, pipeline.ExitOK)
		default:
			t.Error("--once has not ended")
			_ = r.stop()
		}
	})
}

// An assignment begins with the marks that the last one's deliveries leave, not with those that one of them is about to move.
func TestMarksAreLoadedOnceNothingIsBeingApplied(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.target["a"].slow = time.Minute
		cfg := w.config(newLife(), 1)
		s := &reassigned{underWay: true, c: w.txn(1, op{1, 7}).Changes, lane: change.Lane{Stream: source}, lost: [2]chan struct{}{make(chan struct{}), make(chan struct{})}}
		cfg.Stream, cfg.Direct, cfg.Role = s, false, pipeline.ApplyOnly
		r := start(t, cfg)
		after(10 * time.Minute)
		s.mu.Lock()
		if len(s.marks) != 1 || s.marks[0].Next != 1 {
			t.Errorf("the second assignment begins at %+v; the delivery of the first has moved the mark to 1", s.marks)
		}
		s.mu.Unlock()
		if err := r.stop(); err != nil {
			t.Error(err)
		}
	})
}

// Interleaving 1a: an epoch is used again, and its changes come behind what a sink has applied of a later one.
func TestAnOlderEpochBehindAMarkIsAGap(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		a := w.target["a"]
		lane := change.Lane{Stream: source}
		a.marks[lane] = change.Mark{Lane: lane, Pos: pos(3, 5)}
		cfg := w.config(newLife(), 1)
		cfg.Direct, cfg.Role = false, pipeline.ApplyOnly
		pub, err := cfg.Stream.Publisher(t.Context(), stream.Start{Epoch: 1})
		if err != nil {
			t.Fatal(err)
		}
		s := &scripted{running: start(t, cfg), pub: pub}
		s.publish(w.txn(100, op{1, 1}))
		after(time.Minute)
		err = s.stop()
		wantCode(t, err, pipeline.ExitGap)
		for _, want := range []string{"epoch 1", "epoch 3", "--new-epoch"} {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("ended with %v, which doesn't say %s", err, want)
			}
		}
		if got := a.state(); len(got) != 0 {
			t.Errorf("the target holds %v", got)
		}
	})
}
