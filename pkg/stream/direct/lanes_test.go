package direct_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/stream"
	"github.com/tailwater-cdc/tailwater/pkg/stream/direct"
)

func TestTheFirstDeliveryOfSeveralLanesMakesAllMarks(t *testing.T) {
	t.Parallel()
	r := newRig(t, direct.Config{Lanes: 4})
	r.publish(batch(2, 1, 1, true))
	d := r.fetch("a", 1<<20)
	if len(d.To) != 4 || len(d.Changes) != 0 || d.To[3].Pos != upto(1) {
		t.Errorf("first delivery %s to %v, want all lanes at %v", ids(d), d.To, upto(1))
	}
}

func TestAnotherNumberOfLanesIsRefused(t *testing.T) {
	t.Parallel()
	r := newRig(t, direct.Config{Lanes: 4})
	begin := func(context.Context, []change.Lane) ([]change.Mark, error) {
		return []change.Mark{{Lane: change.Lane{Stream: source}, Pos: upto(2)}}, nil
	}
	if _, err := r.s.Subscriber(t.Context(), stream.Subscription{Sink: "a", Begin: begin}); !errors.Is(err, change.ErrPreflight) {
		t.Errorf("subscribe: %v, want ErrPreflight", err)
	}
}

func TestLanesKeepEachKeysOrderAndMarkersWaitForAll(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const lanes, keys = 3, 40
		r := newRig(t, direct.Config{Lanes: lanes})
		b := batch(2, 1, keys, true)
		b.Changes = append(b.Changes, truncate(at(2, keys+1)))
		r.publish(b, batch(3, 1, keys, true))
		r.commit("a", r.fetch("a", 1<<20)) // the first marks
		held := r.fetch("a", 1<<20)
		rows := len(held.Changes)
		for range lanes - 1 {
			d := r.fetch("a", 1<<20)
			rows += len(d.Changes)
			r.commit("a", d)
		}
		if rows != keys {
			t.Fatalf("%d rows before the marker, want %d", rows, keys)
		}
		r.nothing("a", 1<<20) // one lane has not reached the marker
		r.commit("a", held)
		d := r.fetch("a", 1<<20)
		if ids(d) != "[truncate]" || len(d.To) != lanes || d.To[0].Pos != at(2, keys+1) {
			t.Fatalf("fetched %s to %v, want the marker down all lanes", ids(d), d.To)
		}
		r.nothing("a", 1<<20)
		r.commit("a", d)
		select {
		case n := <-r.pub.Acked():
			if n != 1 {
				t.Errorf("acknowledged %d, want 1", n)
			}
		default:
			t.Error("the first batch is not acknowledged")
		}
		seen := 0
		for range lanes {
			d := r.fetch("a", 1<<20)
			for i := range d.Changes {
				key, _ := change.AppendLaneKey(nil, items, d.Changes[i].Row())
				if n := change.LaneOf(key, lanes); n != d.To[0].Lane.N {
					t.Errorf("key %s is in lane %d, want %d", key, d.To[0].Lane.N, n)
				}
			}
			if d.To[0].Pos != upto(3) {
				t.Errorf("lane %d ends at %v, want %v", d.To[0].Lane.N, d.To[0].Pos, upto(3))
			}
			seen += len(d.Changes)
			r.commit("a", d)
		}
		if seen != keys {
			t.Errorf("%d rows behind the marker, want %d", seen, keys)
		}
		r.wantAcked(2)
	})
}

func TestClosingUnblocksEverybody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, direct.Config{Atomic: true, MemoryBytes: 1})
		r.publish(batch(2, 1, 1, true))
		published, fetched := make(chan error, 1), make(chan error, 1)
		go func() { published <- r.pub.Publish(t.Context(), batch(3, 2, 2, true)) }()
		r.fetch("a", 1)
		go func() { _, err := r.subs["a"].Fetch(t.Context(), 1); fetched <- err }()
		synctest.Wait()
		if err := r.s.Close(); err != nil {
			t.Fatal(err)
		}
		if <-published == nil || <-fetched == nil {
			t.Error("publish or fetch went on after Close")
		}
		if _, err := r.s.Publisher(t.Context(), stream.Start{}); err == nil {
			t.Error("a closed stream opened a publisher")
		}
	})
}
