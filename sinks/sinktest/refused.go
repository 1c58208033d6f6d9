package sinktest

import (
	"slices"
	"testing"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/sinks"
)

// testPartial hides a few bad rows among many: exactly they are named, and nothing of the call stays.
func testPartial(t *testing.T, h Harness) {
	s, l := h.Open(t, h.Addr), &log{table: orders()}
	apply(t, s, l.insert(order(1, "before")...))
	if h.Refuse != nil {
		h.Refuse(t, l.table, "status")
	}
	var c []change.Change
	want := map[int]sinks.Class{}
	for i := range int64(3000) {
		row := order(i, "many")
		if i == 0 || i == 1234 || i == 1235 || i == 2999 {
			row[1] = h.Refused
			want[len(c)] = sinks.Reject
		}
		c = append(c, l.insert(row...))
	}
	c = append(c, l.update(order(1234, "behind the bad one")...)) // waits behind it, and is not bad itself
	from, to := []change.Mark{mark(0, 0)}, []change.Mark{mark(0, 1, c...)}
	wantRefused(t, s.ApplyAt(t.Context(), c, nil, from, to), want)
	h.want(t, l.table, `1|before|\N|1`)
	wantMarks(t, s)

	var rest []change.Change
	var parked []sinks.Parked
	for i := range c {
		if class, bad := want[i]; bad || c[i].After[1].Str() == "behind the bad one" {
			parked = append(parked, sinks.Parked{Change: c[i], Lane: lane(0), Code: map[bool]string{true: "C"}[bad], Cause: class.String()})
			continue
		}
		rest = append(rest, c[i])
	}
	if err := s.ApplyAt(t.Context(), rest, parked, from, to); err != nil {
		t.Fatal(err)
	}
	if rows := h.Rows(t, l.table); len(rows) != 2996 {
		t.Errorf("%d rows, want 2996", len(rows))
	}
	wantMarks(t, s, to...)
}

// testRowMissing: a change with Unset columns never becomes an insert (invariant 7).
func testRowMissing(t *testing.T, h Harness) {
	s, l := h.Open(t, h.Addr), &log{table: orders()}
	var unset change.Value
	apply(t, s, l.insert(order(1, "there")...), l.insert(order(2, "there")...))
	partial := func(id int64) change.Change { return l.update(change.Int(id), change.Text("partial"), unset, unset) }
	rest := func(id int64) change.Change { return l.update(change.Int(id), unset, change.Null(), change.Null()) }
	cases := []struct {
		name string
		c    []change.Change
		bad  []int
	}{
		{"alone", []change.Change{partial(7)}, []int{0}},
		{"among others", []change.Change{partial(1), partial(7), partial(2)}, []int{1}},
		{"after its delete", []change.Change{l.delete(l.key(1)...), partial(1)}, []int{1}},
		{"two that make a whole", []change.Change{partial(7), rest(7)}, []int{0}},
		{"nothing but a key", []change.Change{l.update(l.key(7)...)}, []int{0}},
		{"an insert with holes", []change.Change{l.insert(change.Int(7), change.Text("x"), unset, unset)}, []int{0}},
		{"before the insert", []change.Change{partial(7), l.delete(l.key(8)...), partial(8), l.insert(order(9, "x")...)}, []int{0, 2}},
	}
	for _, c := range cases {
		want := map[int]sinks.Class{}
		for _, i := range c.bad {
			want[i] = sinks.Reject
		}
		err := s.Apply(t.Context(), c.c)
		wantRefused(t, err, want)
		for _, r := range refused(t, err) {
			if r.Code != sinks.CodeRowMissing {
				t.Errorf("%s: code %s, want %s", c.name, r.Code, sinks.CodeRowMissing)
			}
		}
		h.want(t, l.table, `1|there|\N|1`, `2|there|\N|2`)
	}
}

// testUniqueMoves lets a unique value move between rows in ways that only the order of the log allows.
func testUniqueMoves(t *testing.T, h Harness) {
	s, l := h.Open(t, h.Addr), &log{table: orders()}
	apply(t, s, l.insert(order(1, "x")...), l.insert(order(2, "y")...))
	h.Unique(t, l.table, "status")
	apply(t, s, l.delete(l.key(1)...), l.insert(order(3, "x")...))
	apply(t, s, l.insert(order(4, "z")...), l.delete(l.key(4)...), l.insert(order(5, "z")...))
	h.want(t, l.table, `2|y|\N|2`, `3|x|\N|3`, `5|z|\N|5`)
	apply(t, s, l.update(order(2, "free")...), l.update(order(3, "y")...), l.update(order(2, "x")...)) // a swap, refused as folded
	h.want(t, l.table, `2|x|\N|2`, `3|y|\N|3`, `5|z|\N|5`)
}

// testWait: what another lane may have to come first for is named with Class Wait.
func testWait(t *testing.T, h Harness) {
	s, l := h.Open(t, h.Addr), &log{table: orders()}
	apply(t, s, l.insert(order(1, "x")...))
	h.Unique(t, l.table, "status")
	c := []change.Change{l.insert(order(2, "a")...), l.insert(order(3, "x")...), l.insert(order(4, "b")...)}
	wantRefused(t, s.Apply(t.Context(), c), map[int]sinks.Class{1: sinks.Wait})
	h.want(t, l.table, `1|x|\N|1`)
	apply(t, s, l.delete(l.key(1)...)) // the other lane
	apply(t, s, c...)
	h.want(t, l.table, `2|a|\N|2`, `3|x|\N|3`, `4|b|\N|4`)
}

func testParked(t *testing.T, h Harness) {
	s, l := h.Open(t, h.Addr), &log{table: orders()}
	var unset change.Value
	bad := l.insert(change.Int(1), h.Refused, change.Text("\"é\x00"), change.Null())
	behind := l.update(change.Int(1), unset, change.Text(""), change.Null())
	gone := l.delete(l.key(1)...)
	good := l.insert(order(2, "good")...)
	parked := []sinks.Parked{
		{Change: bad, Lane: lane(3), Code: "X1", Cause: "it is \"bad\", é"},
		{Change: behind, Lane: lane(3)}, {Change: gone, Lane: lane(3)}}
	to := mark(3, 9, good)
	if err := s.ApplyAt(t.Context(), []change.Change{good}, parked, []change.Mark{mark(3, 0)}, []change.Mark{to}); err != nil {
		t.Fatal(err)
	}
	h.want(t, l.table, `2|good|\N|2`)
	wantParked(t, h.Open(t, h.Addr), parked)
	wantMarks(t, s, to)
	// a fenced call parks nothing
	_ = s.ApplyAt(t.Context(), nil, parked, []change.Mark{mark(3, 0)}, []change.Mark{to})
	wantParked(t, s, parked)
}

func wantParked(t testing.TB, s sinks.MarkSink, want []sinks.Parked) {
	t.Helper()
	got := load(t, s, Stream).Parked
	if len(got) != len(want) {
		t.Fatalf("%d parked changes, want %d: %+v", len(got), len(want), got)
	}
	for i := range got {
		g, w := &got[i], &want[i]
		if g.Code != w.Code || g.Cause != w.Cause || g.Lane != w.Lane || g.Change.Op != w.Change.Op || g.Change.Pos != w.Change.Pos {
			t.Errorf("parked change %d is %+v, want %+v", i, g, w)
		}
		if !slices.Equal(g.Change.After, w.Change.After) || !slices.Equal(g.Change.Before, w.Change.Before) {
			t.Errorf("parked change %d has the values %v %v, want %v %v", i, g.Change.Before, g.Change.After, w.Change.Before, w.Change.After)
		}
		a, _ := change.Fingerprint(g.Change.Table)
		if b, _ := change.Fingerprint(w.Change.Table); a != b {
			t.Errorf("parked change %d has another shape", i)
		}
	}
}

func testSuperseded(t *testing.T, h Harness) {
	s, l := h.Open(t, h.Addr), &log{table: orders()}
	bad := func(id int64) sinks.Parked {
		return sinks.Parked{Change: l.update(change.Int(id), h.Refused, change.Null(), change.Null()), Lane: lane(int32(id % 2)), Code: "X"}
	}
	parked := []sinks.Parked{bad(1), bad(2), bad(1)}
	snapshot := []change.Change{l.snapshot(order(1, "read")...), l.snapshot(order(3, "read")...)}
	late := bad(3)
	parked = append(parked, late)
	to := mark(0, 1)
	if err := s.ApplyAt(t.Context(), nil, parked, []change.Mark{mark(0, 0)}, []change.Mark{to}); err != nil {
		t.Fatal(err)
	}
	applyAt(t, s, snapshot, to, mark(0, 2))
	h.want(t, l.table, `1|read|\N|1`, `3|read|\N|3`)
	wantParked(t, s, []sinks.Parked{parked[1], late}) // key 2 has not been read, and 3 was parked after the read
}

// testTruncated: a Truncate removes what is parked of its table in whatever lane, and no more.
func testTruncated(t *testing.T, h Harness) {
	s, l := h.Open(t, h.Addr), &log{table: orders()}
	others := *orders()
	others.Name = "others"
	bad := func(id int64, n int32) sinks.Parked {
		return sinks.Parked{Change: l.update(change.Int(id), h.Refused, change.Null(), change.Null()), Lane: lane(n), Code: "X"}
	}
	first, second, other := bad(1, 0), bad(2, 1), bad(3, 0)
	other.Change.Table = &others
	marker := l.marker(change.Truncate)
	late := bad(4, 0)
	from, to := []change.Mark{mark(0, 0), mark(1, 0)}, []change.Mark{mark(0, 1), mark(1, 1)}
	if err := s.ApplyAt(t.Context(), nil, []sinks.Parked{first, second, other}, from, to); err != nil {
		t.Fatal(err)
	}
	wantParked(t, s, []sinks.Parked{first, second, other})
	from, to = to, []change.Mark{mark(0, 2, late.Change), mark(1, 2, marker)}
	if err := s.ApplyAt(t.Context(), []change.Change{marker}, []sinks.Parked{late}, from, to); err != nil {
		t.Fatal(err)
	}
	wantParked(t, s, []sinks.Parked{other, late})
}
