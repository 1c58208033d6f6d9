package queue

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// place is an end that knows what it has followed.
type place struct{ first, last uint64 }

func at(n uint64) place { return place{n, n} }

func (p place) Follow(next place) place { return place{p.first, next.last} }

func places(t Taken[place]) (list []place) {
	for _, ends := range t.Ends {
		for _, e := range ends {
			list = append(list, e.At)
		}
	}
	return list
}

func segment(changes int, ends ...Mark[place]) Segment[place] {
	var c change.Change
	return Segment[place]{Changes: make([]change.Change, changes), Ends: ends, Bytes: changes * c.Size()}
}

// TestEndsTakeNoRoom: while nobody reads, transactions of which nothing is wanted must not pile up: they have no bytes to be
// bounded by.
func TestEndsTakeNoRoom(t *testing.T) {
	t.Parallel()
	const many = 10000
	for name, first := range map[string]Segment[place]{
		"an empty log":         segment(0, Mark[place]{0, at(1)}),
		"behind a transaction": segment(2, Mark[place]{2, at(1)}),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			q := New[place](1)
			q.Put(first)
			for n := uint64(2); n <= many; n++ {
				q.Put(segment(0, Mark[place]{0, at(n)}))
			}
			if len(q.segments) != 1 || len(q.segments[0].Ends) != 1 {
				t.Errorf("%d segments, %d ends in the first", len(q.segments), len(q.segments[0].Ends))
			}
			got := q.Take(1 << 20)
			if list := places(got); !slices.Equal(list, []place{{1, many}}) || len(got.Changes) != len(first.Changes) {
				t.Errorf("took %d changes and ends %v; want %d and one of 1 to %d", len(got.Changes), list, len(first.Changes), many)
			}
		})
	}
}

// TestAddWakesNobody: what is added is there for who looks; who waits learns of it by Wake.
func TestAddWakesNobody(t *testing.T) {
	t.Parallel()
	q := New[place](1 << 20)
	q.Add(segment(1, Mark[place]{1, at(1)}))
	select {
	case <-q.Ready():
		t.Error("Add has woken the reader")
	default:
	}
	q.Wake()
	<-q.Ready()
	if got := q.Take(1 << 20); len(got.Changes) != 1 || len(got.Ends) != 1 {
		t.Errorf("took %d changes and %d ends, want one of each", len(got.Changes), len(got.Ends))
	}
	q.Put(segment(1))
	<-q.Ready()
}

// TestEndOfAnOpenTransaction: an end that joins the part of a transaction before it stays behind all of that part's changes.
func TestEndOfAnOpenTransaction(t *testing.T) {
	t.Parallel()
	q := New[place](1)
	q.Put(segment(3, Mark[place]{1, at(1)}))
	q.Put(segment(0, Mark[place]{0, at(2)}))
	for i, want := range [][]place{{at(1)}, nil, {at(2)}} {
		got := q.Take(1)
		if len(got.Changes) != 1 || !slices.Equal(places(got), want) {
			t.Errorf("take %d: %d changes, ends %v; want 1 and %v", i, len(got.Changes), places(got), want)
		}
	}
}

// TestTakeLosesNothing: whatever is asked for at once, all changes and ends come, in order, an end never in front of a change before it.
func TestTakeLosesNothing(t *testing.T) {
	t.Parallel()
	var one change.Change
	for _, bytes := range []int{1, one.Size(), 3 * one.Size(), 1 << 20} {
		q := New[place](1 << 20)
		var b Builder[place]
		for n := range uint64(100) {
			b.Add(&change.Change{Pos: change.Position{Commit: n}})
			if n%3 == 2 {
				b.End(at(n + 1))
			}
			if n%7 == 0 {
				q.Put(b.Take())
			}
		}
		q.Put(b.Take())
		q.Fail(change.ErrGap)
		q.Fail(errors.ErrUnsupported)
		var changes, ended uint64
		for {
			got := q.Take(bytes)
			for i := range got.Changes {
				if got.Changes[i].Pos.Commit != changes {
					t.Fatalf("%d bytes at once: change %d in place of %d", bytes, got.Changes[i].Pos.Commit, changes)
				}
				changes++
			}
			for _, p := range places(got) {
				if p.last > changes || p.first != ended+3 {
					t.Fatalf("%d bytes at once: end %v after %d changes and the end %d", bytes, p, changes, ended)
				}
				ended = p.last
			}
			if got.Err != nil {
				if changes != 100 || ended != 99 || !errors.Is(got.Err, change.ErrGap) || q.bytes != 0 {
					t.Errorf("%d bytes at once: %d changes, ends up to %d, %d bytes left, %v", bytes, changes, ended, q.bytes, got.Err)
				}
				break
			}
		}
	}
}

// BenchmarkQueue is what a change costs from its decoder to its reader, by how many changes a transaction has.
func BenchmarkQueue(b *testing.B) {
	for _, per := range []int{1, 64} {
		b.Run(fmt.Sprint(per), func(b *testing.B) {
			b.ReportAllocs()
			q := New[place](64 << 20)
			var builder Builder[place]
			for b.Loop() {
				for range 16 {
					for i := range 256 {
						builder.Add(&change.Change{Op: change.Insert})
						if i%per == per-1 {
							builder.End(at(uint64(i)))
						}
					}
					q.Put(builder.Take())
				}
				for len(q.Take(1<<20).Changes) > 0 {
				}
			}
		})
	}
}

// TestRoomsAreUsedAgain: what was taken stays as it was, however often its segments' room is filled again, and joining transactions allocates
// once for all of them.
func TestRoomsAreUsedAgain(t *testing.T) {
	q := New[place](1 << 30)
	b := q.Builder()
	const txns, rows = 20, 10
	next := uint64(0)
	fill := func() {
		for range txns {
			for range rows {
				b.Add(&change.Change{Pos: change.Position{Seq: next}})
				next++
			}
			b.End(at(next))
			q.Put(b.Take())
		}
	}
	var taken [][]change.Change
	for range 30 {
		fill()
		first := q.Take(1) // one that is handed over as it is, and what is left of its segment
		taken = append(taken, first.Changes, q.Take(1<<30).Changes)
	}
	want := uint64(0)
	for _, changes := range taken {
		for i := range changes {
			if changes[i].Pos.Seq != want {
				t.Fatalf("change %d is %d", want, changes[i].Pos.Seq)
			}
			want++
		}
	}
	if want != next {
		t.Errorf("%d changes of %d", want, next)
	}
	for _, room := range q.rooms.free {
		for _, c := range room[:cap(room)] {
			if c.After != nil || c.Pos != (change.Position{}) {
				t.Fatal("room that is kept holds a change")
			}
		}
	}
	allocated := testing.AllocsPerRun(100, func() { fill(); q.Take(1 << 30) })
	if allocated > 3*txns {
		t.Errorf("%.0f allocations for %d transactions", allocated, txns)
	}
}

// TestRoomsAreBounded: rooms keeps no more than its bound, and gives none that is too small.
func TestRoomsAreBounded(t *testing.T) {
	t.Parallel()
	var r rooms
	for range 100 {
		r.put(make([]change.Change, 100))
	}
	if r.kept > roomsKept || r.kept < roomsKept/2 {
		t.Errorf("room for %d changes is kept, the bound is %d", r.kept, roomsKept)
	}
	if room := r.take(101); cap(room) < 101 || r.kept != 0 || len(r.free) != 0 {
		t.Errorf("room for %d changes; %d kept", cap(room), r.kept)
	}
}
