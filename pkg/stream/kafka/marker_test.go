package kafka

import (
	"errors"
	"testing"

	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// TestMarkerBarrier puts lanes where a crash may leave them and looks what is handed out first.
func TestMarkerBarrier(t *testing.T) {
	t.Parallel()
	table := &change.Table{Name: "t"}
	at := func(commit uint64) change.Position {
		return change.Position{Epoch: 1, Commit: commit, Seq: change.SeqRow}
	}
	txn := &change.Txn{}
	row := func(commit uint64) change.Change {
		return change.Change{Op: change.Insert, Table: table, Pos: at(commit), Txn: txn}
	}
	mark := func(op change.Op, commit uint64, txn *change.Txn) change.Change {
		return change.Change{Op: op, Table: table, Pos: at(commit), Txn: txn}
	}
	cases := []struct {
		name     string
		one, two []change.Change
		from     change.Position // of lane two
		out      bool            // lane two has an uncommitted delivery
		lanes    int             // of the first delivery; 0: there is none
		changes  int
		gap      bool
		by       [3]int16 // the publisher's epoch of lane one's first and later entries, and of lane two's; of two without any, who wrote below
	}{
		{name: "both stand at it", one: []change.Change{mark(change.Truncate, 5, txn)}, two: []change.Change{mark(change.Truncate, 5, txn)}, from: at(4), lanes: 2, changes: 1},
		{name: "one has yet to reach it", one: []change.Change{mark(change.Truncate, 5, txn)}, from: at(4), out: true},
		{name: "one stands at it with a delivery out", one: []change.Change{mark(change.Truncate, 5, txn)}, two: []change.Change{mark(change.Truncate, 5, txn)}, from: at(4), out: true},
		{name: "a chunk's truncate that one lane never got", one: []change.Change{mark(change.Truncate, 5, nil)}, two: []change.Change{mark(change.Truncate, 8, nil)}, from: at(4), lanes: 1},
		{name: "a chunk's truncate, the other lane is past it", one: []change.Change{mark(change.Truncate, 5, nil)}, from: at(6), lanes: 1},
		{name: "a shape that one lane never got", one: []change.Change{mark(change.NewShape, 5, txn)}, two: []change.Change{row(7)}, from: at(4), out: true, lanes: 1, changes: 1},
		{name: "a truncate that one lane has lost", one: []change.Change{mark(change.Truncate, 5, txn)}, two: []change.Change{row(7)}, from: at(4), out: true, gap: true},
		{name: "a transaction's truncate whose rest the next publisher has written", one: []change.Change{mark(change.Truncate, 5, txn)},
			two: []change.Change{mark(change.Truncate, 5, txn)}, from: at(4), lanes: 2, changes: 1, by: [3]int16{1, 1, 2}},
		{name: "a chunk's truncate that the next publisher has begun again where it was", one: []change.Change{mark(change.Truncate, 5, nil), mark(change.Truncate, 5, nil)},
			two: []change.Change{mark(change.Truncate, 5, nil)}, from: at(4), lanes: 1, by: [3]int16{1, 2, 2}},
		{name: "a chunk's shape that the next publisher has begun again where it was", one: []change.Change{mark(change.NewShape, 5, nil), mark(change.NewShape, 5, nil)},
			two: []change.Change{mark(change.NewShape, 5, nil)}, from: at(4), lanes: 1, changes: 1, by: [3]int16{1, 2, 2}},
		{name: "the next publisher has fenced the other lane", one: []change.Change{mark(change.Truncate, 5, nil)}, from: at(4), lanes: 1, by: [3]int16{1, 1, 2}},
		{name: "the other lane has yet to reach its publisher", one: []change.Change{mark(change.Truncate, 5, nil)}, from: at(4), by: [3]int16{2, 2, 1}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			a := &assignment{lanes: map[change.Lane]*inLane{}, topics: map[string][]*inLane{}, lost: make(chan struct{})}
			for n, changes := range [][]change.Change{c.one, c.two} {
				l := &inLane{id: change.Lane{Stream: "t", N: int32(n)}, end: 1}
				l.from = change.Mark{Lane: l.id, Next: 1, Pos: at(4)}
				if n == 1 {
					l.from.Pos, l.out = c.from, c.out
				}
				l.seen.epoch = c.by[2]
				for i, x := range changes {
					l.entries = append(l.entries, entry{c: x, next: int64(i + 2), by: producer{epoch: c.by[2*n+min(i, 1-n)]}})
					l.end = int64(i + 2)
				}
				a.lanes[l.id] = l
				a.topics["t"] = append(a.topics["t"], l)
				a.order = append(a.order, l)
			}
			d, ok, err := a.deliver(1 << 20)
			if errors.Is(err, change.ErrGap) != c.gap || ok != (c.lanes > 0) {
				t.Fatalf("delivered %v, %v", ok, err)
			}
			if ok && (len(d.From) != c.lanes || len(d.To) != c.lanes || len(d.Changes) != c.changes) {
				t.Errorf("a delivery of %d lanes and %d changes, want %d and %d", len(d.From), len(d.Changes), c.lanes, c.changes)
			}
		})
	}
}
