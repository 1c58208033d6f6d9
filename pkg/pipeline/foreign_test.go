package pipeline_test

import (
	"context"
	"testing"
	"time"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/pipeline"
	"github.com/tailwater-cdc/tailwater/pkg/stream"
)

// wider is a stream that has one more lane, which another process applies.
type wider struct {
	stream.Stream
	end change.Mark
}

type widerSubscriber struct {
	stream.Subscriber
	end change.Mark
}

func (w wider) Subscriber(ctx context.Context, s stream.Subscription) (stream.Subscriber, error) {
	sub, err := w.Stream.Subscriber(ctx, s)
	return widerSubscriber{Subscriber: sub, end: w.end}, err
}

func (w widerSubscriber) Ends(ctx context.Context) ([]change.Mark, error) {
	ends, err := w.Subscriber.Ends(ctx)
	return append(ends, w.end), err
}

// Interleaving 19, with a lane of another process: its mark in the target tells.
func TestAUniqueViolationWaitsForLanesOfOtherProcesses(t *testing.T) {
	other := change.Lane{Stream: "other", N: 0}
	cases := []struct {
		name   string
		mark   change.Mark
		passes bool // before long
	}{
		{"behind", change.Mark{Lane: other, Next: 3, Pos: pos(1, 1)}, false},
		{"passed", change.Mark{Lane: other, Next: 3, Pos: pos(1, 9)}, true},
		{"standing at its end", change.Mark{Lane: other, Next: 5, Pos: pos(1, 1)}, true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(t)
				a := w.target["a"]
				a.refuse = unique
				a.marks[other] = c.mark
				cfg := w.config(newLife(), 1)
				cfg.Stream = wider{Stream: cfg.Stream, end: change.Mark{Lane: other, Next: 5}}
				cfg.Direct, cfg.Role = false, pipeline.ApplyOnly
				pub, err := cfg.Stream.Publisher(t.Context(), stream.Start{Epoch: 1})
				if err != nil {
					t.Fatal(err)
				}
				s := &scripted{running: start(t, cfg), pub: pub}
				s.publish(w.txn(1, op{1, 7}))
				s.publish(w.txn(2, op{3, 30}, op{2, 7}))
				if a.state()[3] != 30 {
					t.Error("what stands before the change that waits was not applied")
				}
				after(30 * time.Second)
				if parked := parkedText(a); (parked != "") != c.passes {
					t.Errorf("parked %q", parked)
				}
				if s.p.Status().Sinks[0].Waits == 0 != c.passes {
					t.Errorf("status %+v", s.p.Status().Sinks)
				}
				s.clean()
			})
		})
	}
}
