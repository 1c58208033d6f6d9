package sinktest

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/sinks"
)

func load(t testing.TB, s sinks.MarkSink, stream string) sinks.State {
	t.Helper()
	state, err := s.Load(t.Context(), stream)
	if err != nil {
		t.Fatalf("load: %v", err)
	}
	return state
}

// applyAt applies c and moves one mark, from its first to its second place.
func applyAt(t testing.TB, s sinks.MarkSink, c []change.Change, move ...change.Mark) {
	t.Helper()
	if err := s.ApplyAt(t.Context(), c, nil, move[:1], move[1:]); err != nil {
		t.Fatalf("apply at %v: %v", move[0], err)
	}
}

func wantMarks(t testing.TB, s sinks.MarkSink, want ...change.Mark) {
	t.Helper()
	if got := load(t, s, Stream).Marks; !slices.Equal(got, want) {
		t.Errorf("marks are %v, want %v", got, want)
	}
}

func testMarks(t *testing.T, h Harness) {
	s, l := h.Open(t, h.Addr), &log{table: orders()}
	if state := load(t, s, Stream); len(state.Marks)+len(state.Parked) != 0 {
		t.Fatalf("a new stream has the state %+v", state)
	}
	a, b := l.insert(order(1, "a")...), l.insert(order(2, "b")...)
	applyAt(t, s, []change.Change{a}, mark(0, 0), mark(0, 10, a))
	applyAt(t, s, []change.Change{b}, mark(1, 0), mark(1, 5, b))
	wantMarks(t, s, mark(0, 10, a), mark(1, 5, b))
	if state := load(t, s, "another"); len(state.Marks) != 0 {
		t.Errorf("another stream has the marks %v", state.Marks)
	}
	// a marker takes all lanes of a topic at once
	marker := l.marker(change.Truncate)
	err := s.ApplyAt(t.Context(), []change.Change{marker}, nil, []change.Mark{mark(1, 5, b), mark(0, 10, a)},
		[]change.Mark{mark(0, 11, marker), mark(1, 6, marker)})
	if err != nil {
		t.Fatal(err)
	}
	wantMarks(t, h.Open(t, h.Addr), mark(0, 11, marker), mark(1, 6, marker))
	h.want(t, l.table)
	applyAt(t, s, nil, mark(0, 11, marker), mark(0, 12, marker)) // holes and control batches move a mark alone
	wantMarks(t, s, mark(0, 12, marker), mark(1, 6, marker))
	for _, wrong := range []change.Mark{mark(0, 11, marker), mark(0, 12, a), mark(0, 0), mark(2, 7, a)} { // the last is lost: its lane has none
		err := s.ApplyAt(t.Context(), []change.Change{l.insert(order(9, "no")...)}, nil, []change.Mark{wrong}, []change.Mark{mark(wrong.Lane.N, 13, b)})
		if !errors.Is(err, change.ErrFenced) {
			t.Errorf("from %v: %v, want change.ErrFenced", wrong, err)
		}
	}
	wantMarks(t, s, mark(0, 12, marker), mark(1, 6, marker))
	h.want(t, l.table)
}

// testZombie lets an applier and its successor, which both stand at the same marks, apply at once.
func testZombie(t *testing.T, h Harness) {
	first := h.Open(t, h.Addr)
	second := h.Open(t, h.Addr)
	l := &log{table: orders()}
	c := l.insert(order(1, "start")...)
	applyAt(t, first, []change.Change{c}, mark(0, 0), mark(0, 1, c))
	at := mark(0, 1, c)
	for round := range int64(20) {
		c := []change.Change{l.update(order(1, fmt.Sprint("first ", round))...), l.update(order(1, fmt.Sprint("second ", round))...)}
		next := []change.Mark{mark(0, 10+2*round, c[0]), mark(0, 11+2*round, c[1])}
		won := race(t, contest{at, c, next}, first, second)
		h.want(t, l.table, fmt.Sprintf(`1|%s|\N|1`, c[won].After[1].Str()))
		wantMarks(t, first, next[won])
		at = next[won]
	}
}

// testFirst lets two appliers begin a lane that has no mark.
func testFirst(t *testing.T, h Harness) {
	l := &log{table: orders()}
	first, second := h.Open(t, h.Addr), h.Open(t, h.Addr)
	apply(t, first, l.insert(order(1, "start")...))
	for n := range int32(10) {
		c := []change.Change{l.update(order(1, fmt.Sprint("first ", n))...), l.update(order(1, fmt.Sprint("second ", n))...)}
		won := race(t, contest{mark(n, 0), c, []change.Mark{mark(n, 1, c[0]), mark(n, 2, c[1])}}, first, second)
		h.want(t, l.table, fmt.Sprintf(`1|%s|\N|1`, c[won].After[1].Str()))
	}
}

// contest is one call for each of two appliers that stand at the same mark.
type contest struct {
	at      change.Mark
	changes []change.Change
	to      []change.Mark
}

// race applies changes[i] by s[i], both from at, and returns which one won; the other must be fenced.
func race(t *testing.T, c contest, s ...sinks.MarkSink) int {
	t.Helper()
	errs := make([]error, len(s))
	var wg sync.WaitGroup
	for i := range s {
		wg.Go(func() {
			errs[i] = s[i].ApplyAt(t.Context(), c.changes[i:i+1], nil, []change.Mark{c.at}, c.to[i:i+1])
		})
	}
	wg.Wait()
	won := slices.Index(errs, nil)
	if won < 0 || !errors.Is(errs[1-won], change.ErrFenced) {
		t.Fatalf("want one winner and one change.ErrFenced, have %v and %v", errs[0], errs[1])
	}
	return won
}

func testLanes(t *testing.T, h Harness) {
	s := h.Open(t, h.Addr)
	const lanes, rounds = 4, 20
	table := orders()
	var wg sync.WaitGroup
	errs := make([]error, lanes)
	for n := range int32(lanes) {
		wg.Go(func() {
			l := &log{table: table, at: uint64(n) * 1000}
			at := mark(n, 0)
			for i := range int64(rounds) {
				c := l.insert(order(int64(n)*1000+i, "lane")...)
				to := mark(n, i+1, c)
				if errs[n] = s.ApplyAt(t.Context(), []change.Change{c}, nil, []change.Mark{at}, []change.Mark{to}); errs[n] != nil {
					return
				}
				at = to
			}
		})
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	if rows := h.Rows(t, table); len(rows) != lanes*rounds {
		t.Errorf("%d rows, want %d", len(rows), lanes*rounds)
	}
}
