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
	}{
		{"both stand at it", []change.Change{mark(change.Truncate, 5, txn)}, []change.Change{mark(change.Truncate, 5, txn)}, at(4), false, 2, 1, false},
		{"one has yet to reach it", []change.Change{mark(change.Truncate, 5, txn)}, nil, at(4), true, 0, 0, false},
		{"one stands at it with a delivery out", []change.Change{mark(change.Truncate, 5, txn)}, []change.Change{mark(change.Truncate, 5, txn)}, at(4), true, 0, 0, false},
		{"a chunk's truncate that one lane never got", []change.Change{mark(change.Truncate, 5, nil)}, []change.Change{mark(change.Truncate, 8, nil)}, at(4), false, 1, 0, false},
		{"a chunk's truncate, the other lane is past it", []change.Change{mark(change.Truncate, 5, nil)}, nil, at(6), false, 1, 0, false},
		{"a shape that one lane never got", []change.Change{mark(change.NewShape, 5, txn)}, []change.Change{row(7)}, at(4), true, 1, 1, false},
		{"a truncate that one lane has lost", []change.Change{mark(change.Truncate, 5, txn)}, []change.Change{row(7)}, at(4), true, 0, 0, true},
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
				for i, x := range changes {
					l.entries = append(l.entries, entry{c: x, next: int64(i + 2)})
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
