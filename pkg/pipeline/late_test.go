package pipeline_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tailwater-cdc/tailwater/pkg/pipeline"
	"github.com/tailwater-cdc/tailwater/pkg/stream"
)

// lateLane hands over one lane's deliveries late, as a slower broker does.
type lateLane struct {
	stream.Stream
	lane int32
	by   time.Duration
	on   *atomic.Bool
}

func (l lateLane) Subscriber(ctx context.Context, s stream.Subscription) (stream.Subscriber, error) {
	sub, err := l.Stream.Subscriber(ctx, s)
	return lateSubscriber{sub, l}, err
}

type lateSubscriber struct {
	stream.Subscriber
	late lateLane
}

func (s lateSubscriber) Fetch(ctx context.Context, maxBytes int) (stream.Delivery, error) {
	d, err := s.Subscriber.Fetch(ctx, maxBytes)
	if err == nil && s.late.on.Load() && len(d.To) == 1 && d.To[0].Lane.N == s.late.lane && len(d.Changes) > 0 {
		time.Sleep(s.late.by) // the bubble's clock
	}
	return d, err
}

// Interleaving 19: a lane that was quiet for longer than order_wait gets the row that frees a value a little later than its neighbour gets
// the one that takes it. How long it was quiet before says nothing of what is on its way.
func TestAQuietLaneIsWaitedForAsAnyOther(t *testing.T) {
	for name, quiet := range map[string]time.Duration{"quiet for a second": time.Second, "quiet for a minute": time.Minute} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(t)
				a := w.target["a"]
				a.refuse = unique
				ids := onLanes(w.log.table, 2)
				cfg := w.config(newLife(), 2)
				var late atomic.Bool
				cfg.Stream = lateLane{cfg.Stream, 1, 50 * time.Millisecond, &late}
				cfg.Direct, cfg.Role = false, pipeline.ApplyOnly
				pub, err := cfg.Stream.Publisher(t.Context(), stream.Start{Epoch: 1})
				if err != nil {
					t.Fatal(err)
				}
				s := &scripted{running: start(t, cfg), pub: pub}
				s.publish(w.txn(1, op{ids[1], 7}))
				after(quiet)
				late.Store(true)
				s.publish(w.txn(2, op{ids[1], -1}, op{ids[0], 7})) // the value moves from lane 1 to lane 0
				after(time.Minute)
				if got := parkedText(a); got != "" {
					t.Errorf("parked %q, want nothing; the target holds %v", got, a.state())
				}
				s.clean()
			})
		})
	}
}

// idleLane is a stream with a lane of which nothing is ever handed over, as of a topic that nobody writes to.
type idleLane struct {
	stream.Stream
	lane int32
}

func (l idleLane) Subscriber(ctx context.Context, s stream.Subscription) (stream.Subscriber, error) {
	sub, err := l.Stream.Subscriber(ctx, s)
	return idleSubscriber{sub, l.lane}, err
}

type idleSubscriber struct {
	stream.Subscriber
	lane int32
}

func (s idleSubscriber) Fetch(ctx context.Context, maxBytes int) (stream.Delivery, error) {
	for {
		d, err := s.Subscriber.Fetch(ctx, maxBytes)
		if err != nil || d.To[0].Lane.N != s.lane {
			return d, err
		}
	}
}

// Many violations that stay cost one order_wait, not one each.
func TestManyViolationsWaitOnce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t)
		a := w.target["a"]
		a.refuse = unique
		ids := onLane(w.log.table, 2, 1, 21)
		cfg := w.config(newLife(), 2)
		cfg.Stream = idleLane{cfg.Stream, 0}
		cfg.Direct, cfg.Role = false, pipeline.ApplyOnly
		pub, err := cfg.Stream.Publisher(t.Context(), stream.Start{Epoch: 1})
		if err != nil {
			t.Fatal(err)
		}
		s := &scripted{running: start(t, cfg), pub: pub}
		s.publish(w.txn(1, op{ids[0], 7}))
		after(time.Minute)
		var ops []op
		for _, id := range ids[1:] {
			ops = append(ops, op{id, 7})
		}
		s.publish(w.txn(2, ops...))
		parked := func() int {
			a.mu.Lock()
			defer a.mu.Unlock()
			return len(a.parked)
		}
		if n := parked(); n != 0 {
			t.Errorf("%d changes are parked before order_wait is over", n)
		}
		after(7 * time.Second)
		if n := parked(); n != len(ops) {
			t.Errorf("%d changes are parked behind order_wait, want %d", n, len(ops))
		}
		s.clean()
	})
}
