package streamtest

import (
	"testing"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/stream"
)

func testOrder(t *testing.T, h Harness) {
	s := h.open(t)
	readers := h.readAll(t, s)
	p := h.publisher(t, s, stream.Start{Epoch: epoch})
	batches := append(transactions(h.table("a"), 1, 200), transactions(h.table("b"), 201, 100)...)
	publish(t, p, batches...)
	acked(t, p, uint64(len(batches)))
	for _, r := range readers {
		r.memory.wait(t, "all changes", applied(count(batches)))
		r.stop()
		r.memory.sameChanges(t, batches)
		if r.memory.covered > 0 {
			t.Errorf("%d changes came twice without a crash", r.memory.covered)
		}
	}
	closed(t, p)
}

func testAcked(t *testing.T, h Harness) {
	s := h.open(t)
	p := h.publisher(t, s, stream.Start{Epoch: epoch})
	batches := transactions(h.table("a"), 1, 30)
	publish(t, p, batches...)
	publish(t, p, change.Batch{Upto: change.Position{Epoch: epoch, Commit: 31, Seq: change.MaxSeq}}) // the log moved on without us
	if h.AckedByCommit {
		select {
		case n := <-p.Acked():
			t.Fatalf("%d batches are acknowledged, and no sink has committed anything", n)
		default:
		}
	} else {
		acked(t, p, 31)
		closed(t, p) // from here on nobody sends: what was acknowledged is there
	}
	readers := h.readAll(t, s)
	for _, r := range readers {
		r.memory.wait(t, "all acknowledged changes", applied(count(batches)))
	}
	if h.AckedByCommit {
		acked(t, p, 31)
		closed(t, p)
	}
}

func testReplay(t *testing.T, h Harness) {
	first := h.Open(t)
	table := h.table("a")
	batches := transactions(table, 1, 40)
	memories := make([]*memory, len(h.Sinks))
	p := h.publisher(t, first, stream.Start{Epoch: epoch})
	publish(t, p, batches[:30]...)
	h.settle(t, p, 30)
	for i, sink := range h.Sinks {
		memories[i] = newMemory()
		r := h.read(t, first, sink, memories[i])
		memories[i].wait(t, "the first changes", applied(count(batches[:30])))
		r.stop()
	}
	closed(t, p)
	closed(t, first)

	// The checkpoint knows of ten only: the other twenty come again.
	second := h.open(t)
	p = h.publisher(t, second, stream.Start{Epoch: epoch, Saved: batches[9].Upto})
	publish(t, p, batches[10:]...)
	for i, sink := range h.Sinks {
		r := h.read(t, second, sink, memories[i])
		memories[i].wait(t, "the changes after the replay", applied(count(batches)))
		r.stop()
		memories[i].sameChanges(t, batches)
		if h.Dedupes && memories[i].covered > 0 {
			t.Errorf("%d changes of the replay reached %s", memories[i].covered, sink)
		}
		if replayed := count(batches[10:30]); !h.Dedupes && memories[i].covered != replayed {
			t.Errorf("%d changes of the replay reached %s, want all %d", memories[i].covered, sink, replayed)
		}
	}
	closed(t, p)
}

func testTwoSinks(t *testing.T, h Harness) {
	s := h.open(t)
	p := h.publisher(t, s, stream.Start{Epoch: epoch})
	batches := transactions(h.table("a"), 1, 20)
	publish(t, p, batches...)
	h.settle(t, p, 20)
	one := h.read(t, s, h.Sinks[0], newMemory())
	one.memory.wait(t, "all changes at the first sink, with the second not there", applied(count(batches)))
	two := h.read(t, s, h.Sinks[1], newMemory())
	two.memory.wait(t, "all changes at the second sink", applied(count(batches)))
	one.stop()
	two.stop()
	one.memory.sameChanges(t, batches)
	two.memory.sameChanges(t, batches)
	closed(t, p)
}

func testResume(t *testing.T, h Harness) {
	s := h.open(t)
	p := h.publisher(t, s, stream.Start{Epoch: epoch})
	batches := transactions(h.table("a"), 1, 40)
	m := newMemory()
	r := h.read(t, s, h.Sinks[0], m)
	publish(t, p, batches[:20]...)
	m.wait(t, "the first changes", applied(count(batches[:20])))
	r.stop()
	publish(t, p, batches[20:]...)
	r = h.read(t, s, h.Sinks[0], m)
	m.wait(t, "all changes", applied(count(batches)))
	r.stop()
	m.sameChanges(t, batches)
	if m.covered > 0 {
		t.Errorf("%d changes below the marks came again", m.covered)
	}
	closed(t, p)
}
