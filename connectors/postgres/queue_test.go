package postgres

import (
	"testing"

	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// TestEndsTakeNoRoom: while nobody reads, transactions of which nothing is wanted must not pile up: they have no bytes to be
// bounded by.
func TestEndsTakeNoRoom(t *testing.T) {
	t.Parallel()
	const many = 10000
	empty := func(lsn uint64) segment { return segment{ends: []end{{at: place{lsn: lsn}}}} }
	cases := []struct {
		name    string
		first   segment
		changes int
	}{
		{"an empty log", empty(1), 0},
		{"behind a transaction", segment{changes: make([]change.Change, 2), ends: []end{{n: 2, at: place{lsn: 1}}}, bytes: 2}, 2},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			q := newQueue(1)
			q.put(c.first)
			for lsn := uint64(2); lsn <= many; lsn++ {
				q.put(empty(lsn))
			}
			if len(q.segments) != 1 || len(q.segments[0].ends) != 1 {
				t.Errorf("%d segments, %d ends in the first", len(q.segments), len(q.segments[0].ends))
			}
			got := q.take(1 << 20)
			if !got.moved || got.at.lsn != many || len(got.changes) != c.changes {
				t.Errorf("took %d changes and place %d, moved %v; want %d and %d", len(got.changes), got.at.lsn, got.moved, c.changes, many)
			}
		})
	}
}

// TestEndOfAnOpenTransaction: an end that joins the part of a transaction before it stays behind all of that part's changes.
func TestEndOfAnOpenTransaction(t *testing.T) {
	t.Parallel()
	q := newQueue(1)
	q.put(segment{changes: make([]change.Change, 3), ends: []end{{n: 1, at: place{lsn: 1}}}, bytes: 3 * sizeOfOne()})
	q.put(segment{ends: []end{{at: place{lsn: 2}}}, urgent: true})
	for i, want := range []uint64{1, 0, 2} {
		got := q.take(1)
		if len(got.changes) != 1 || got.moved != (want > 0) || got.at.lsn != want {
			t.Errorf("take %d: %d changes, moved %v to %d; want 1 and %d", i, len(got.changes), got.moved, got.at.lsn, want)
		}
	}
}

func sizeOfOne() int {
	var c change.Change
	return c.Size()
}
