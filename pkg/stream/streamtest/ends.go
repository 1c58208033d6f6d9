package streamtest

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/stream"
)

func testBackPressure(t *testing.T, h Harness) {
	s := h.open(t)
	p := h.publisher(t, s, stream.Start{Epoch: epoch})
	table := h.table("a")
	publish(t, p, transaction(table, 1, "", 1)) // what a stream sets up at a table's first use is done
	h.settle(t, p, 1)
	resume := func() {}
	switch {
	case h.Stall != nil:
		resume = h.Stall(t)
	case !h.AckedByCommit:
		t.Skip("this stream can't be stalled")
	}
	n := uint64(1)
	blocked := func(ctx context.Context) error {
		n++
		return p.Publish(ctx, transaction(table, n, strings.Repeat("x", h.MemoryBytes/8), 1))
	}
	for {
		ctx, cancel := context.WithTimeout(t.Context(), moment)
		err := blocked(ctx)
		cancel()
		if errors.Is(err, context.DeadlineExceeded) {
			n-- // it was not taken
			break
		}
		if err != nil {
			t.Fatalf("publish %d: %v", n, err)
		}
		if n > 20 {
			t.Fatalf("published %d batches of an eighth of the memory, and nothing took them", n)
		}
	}
	if n < 4 {
		t.Errorf("publish blocked after %d batches of an eighth of the memory", n)
	}
	done := make(chan error, 1)
	go func() { done <- blocked(t.Context()) }()
	select {
	case err := <-done:
		t.Fatalf("publish returned %v while the stream was full", err)
	case <-time.After(moment):
	}
	resume()
	readers := h.readAll(t, s)
	select {
	case err := <-done:
		if err != nil {
			t.Fatalf("publish after the stall: %v", err)
		}
	case <-time.After(patience):
		t.Fatal("publish stayed blocked after the stall")
	}
	acked(t, p, n)
	for _, r := range readers {
		r.memory.wait(t, "all changes", applied(int(n)))
	}
	closed(t, p)
}

func testFenced(t *testing.T, h Harness) {
	s := h.open(t)
	readers := h.readAll(t, s)
	table := h.table("a")
	old := h.publisher(t, s, stream.Start{Epoch: epoch})
	publish(t, old, transaction(table, 1, "", 1))
	acked(t, old, 1)
	p := h.publisher(t, s, stream.Start{Epoch: epoch, Saved: place(1, 0)})
	publish(t, p, transaction(table, 2, "", 1))
	acked(t, p, 1)
	for _, r := range readers {
		r.memory.wait(t, "the newer publisher's change", applied(2))
	}

	_ = old.Publish(t.Context(), transaction(table, 1, "stale", 1)) // it may only learn of it now
	timeout := time.After(patience)
	for open := true; open; {
		select {
		case _, open = <-old.Acked():
		case <-timeout:
			t.Fatal("the older publisher goes on")
		}
	}
	if err := old.Close(); !errors.Is(err, change.ErrFenced) {
		t.Errorf("the older publisher ended with %v, want ErrFenced", err)
	}
	if err := old.Publish(t.Context(), transaction(table, 3, "", 1)); err == nil {
		t.Error("publish after the end returned no error")
	}
	publish(t, p, transaction(table, 4, "", 1))
	acked(t, p, 2)
	for _, r := range readers {
		r.memory.wait(t, "the last change", applied(3))
		r.stop()
		for i := range r.memory.applied {
			if strings.Contains(r.memory.applied[i].After[1].Str(), "stale") {
				t.Error("the older publisher's change came through")
			}
		}
	}
	closed(t, p)
}

func testClose(t *testing.T, h Harness) {
	s := h.open(t)
	p := h.publisher(t, s, stream.Start{Epoch: epoch})
	sub := h.subscriber(t, s, h.Sinks[0], newMemory())
	done := make(chan error, 1)
	go func() {
		_, err := sub.Fetch(t.Context(), 1<<20)
		done <- err
	}()
	select {
	case err := <-done:
		t.Fatalf("fetch of an empty stream returned %v", err)
	case <-time.After(moment):
	}
	closed(t, sub)
	select {
	case err := <-done:
		if err == nil {
			t.Error("fetch returned a delivery when its subscriber was closed")
		}
	case <-time.After(patience):
		t.Fatal("fetch stayed blocked after close")
	}
	closed(t, p)
	closed(t, p) // again
	if err := p.Publish(t.Context(), transaction(h.table("a"), 1, "", 1)); err == nil {
		t.Error("publish after close returned no error")
	}
	select {
	case _, open := <-p.Acked():
		if open {
			t.Error("something was acknowledged, and nothing was published")
		}
	case <-time.After(patience):
		t.Error("acked stays open after close")
	}
}
