package streamtest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/stream"
)

// keys is one key for each of a few lanes, and so, where there are several, for more than one of them.
var keys = []int64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}

func testMarkers(t *testing.T, h Harness) {
	s := h.open(t)
	p := h.publisher(t, s, stream.Start{Epoch: epoch})
	table, altered := h.table("a"), h.table("a", "extra")
	batches := []change.Batch{
		marker(change.NewShape, table, 1), transaction(table, 2, "", keys...), marker(change.Truncate, table, 3),
		transaction(table, 4, "", keys...), marker(change.NewShape, altered, 5), transaction(altered, 6, "", keys...),
	}
	publish(t, p, batches...)
	h.settle(t, p, len(batches))
	sub := h.subscriber(t, s, h.Sinks[0], newMemory())
	defer closed(t, sub)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var commits []uint64
	for len(commits) < 3+3*len(keys) {
		d, err := sub.Fetch(ctx, 1<<20)
		if err != nil {
			t.Fatalf("fetch after %d changes: %v", len(commits), err)
		}
		for i := range d.Changes {
			c := &d.Changes[i]
			if c.Op.IsMarker() && h.Lanes > 1 && (len(d.Changes) != 1 || len(d.From) != h.Lanes || len(d.To) != h.Lanes) {
				t.Errorf("%s at %s came with %d changes and %d of %d lanes", c.Op, c.Pos, len(d.Changes), len(d.From), h.Lanes)
			}
			commits = append(commits, c.Pos.Commit)
		}
		if err := sub.Commit(ctx, d); err != nil {
			t.Fatalf("commit: %v", err)
		}
	}
	// All before a marker comes before it in every lane, and all after it after: the commits never go down.
	for i := 1; i < len(commits); i++ {
		if commits[i] < commits[i-1] {
			t.Fatalf("a change of commit %d came after one of commit %d", commits[i], commits[i-1])
		}
	}
	closed(t, p)
}

func testLaneRule(t *testing.T, h Harness) {
	s := h.open(t)
	p := h.publisher(t, s, stream.Start{Epoch: epoch})
	table := h.table("a")
	publish(t, p, transaction(table, 1, "", 1))
	sub := h.subscriber(t, s, h.Sinks[0], newMemory())
	defer closed(t, sub)
	first := fetchChange(t, sub)
	publish(t, p, transaction(table, 2, "", 1))
	h.settle(t, p, 2)
	ctx, cancel := context.WithTimeout(t.Context(), moment)
	defer cancel()
	for {
		d, err := sub.Fetch(ctx, 1<<20)
		if err != nil {
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Fatalf("fetch: %v", err)
			}
			break
		}
		if len(d.Changes) > 0 || d.From[0].Lane == first.From[0].Lane {
			t.Fatalf("a second delivery of lane %v, %d changes, before the first was committed", d.From[0].Lane, len(d.Changes))
		}
	}
	if err := sub.Commit(t.Context(), first); err != nil {
		t.Fatalf("commit: %v", err)
	}
	if err := sub.Commit(t.Context(), first); err == nil {
		t.Error("a delivery could be committed twice")
	}
	second := fetchChange(t, sub)
	if second.From[0] != first.To[0] {
		t.Errorf("the second delivery begins at %+v, the first ended at %+v", second.From[0], first.To[0])
	}
	closed(t, p)
}

// fetchChange fetches until a delivery holds changes; deliveries without are committed.
func fetchChange(t *testing.T, sub stream.Subscriber) stream.Delivery {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for {
		d, err := sub.Fetch(ctx, 1<<20)
		if err != nil {
			t.Fatalf("fetch: %v", err)
		}
		if len(d.Changes) > 0 {
			return d
		}
		if err := sub.Commit(ctx, d); err != nil {
			t.Fatalf("commit: %v", err)
		}
	}
}

func testEnds(t *testing.T, h Harness) {
	s := h.open(t)
	p := h.publisher(t, s, stream.Start{Epoch: epoch})
	batches := transactions(h.table("a"), 1, 25)
	publish(t, p, batches...)
	h.settle(t, p, 25)
	readers := h.readAll(t, s)
	for _, r := range readers {
		ends, err := r.sub.Ends(t.Context())
		if err != nil {
			t.Fatalf("ends: %v", err)
		}
		if len(ends) != h.Lanes {
			t.Errorf("ends of %d lanes, want %d", len(ends), h.Lanes)
		}
		r.memory.wait(t, "the ends", func(m *memory) bool {
			for _, end := range ends {
				if at := m.marks[end.Lane]; at.Next < end.Next || at.Pos.Less(end.Pos) {
					return false
				}
			}
			return true
		})
		r.stop()
		r.memory.sameChanges(t, batches)
	}
	closed(t, p)
}

func testLost(t *testing.T, h Harness) {
	if !h.Rebalances {
		return // one subscriber a sink: there is no lane to lose
	}
	s := h.open(t)
	p := h.publisher(t, s, stream.Start{Epoch: epoch})
	publish(t, p, transaction(h.table("a"), 1, "", 1))
	h.settle(t, p, 1)
	m := newMemory()
	sub := h.subscriber(t, s, h.Sinks[0], m)
	defer closed(t, sub)
	d := fetchChange(t, sub)
	other := h.subscriber(t, s, h.Sinks[0], m)
	select {
	case <-d.Lost:
	case <-time.After(patience):
		t.Fatal("the lanes were not taken away")
	}
	if err := sub.Commit(t.Context(), d); !errors.Is(err, change.ErrFenced) {
		t.Errorf("commit of a lost lane: %v, want ErrFenced", err)
	}
	closed(t, other) // the lanes come back, and what was not committed comes again
	again := fetchChange(t, sub)
	if again.Changes[0].Pos != d.Changes[0].Pos {
		t.Errorf("after the loss %s came, want %s again", again.Changes[0].Pos, d.Changes[0].Pos)
	}
	closed(t, p)
}
