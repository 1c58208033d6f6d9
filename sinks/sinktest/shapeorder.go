package sinktest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/sinks"
)

// everything follows all that can be followed.
var everything = sinks.Policy{sinks.KindDrop: sinks.Follow}

// testShapeComesBack: a shape of before is the present one again, under the pointer that it had.
func testShapeComesBack(t *testing.T, h Harness) {
	s, told := h.watched(t, everything)
	narrow := known()
	wide := altered(narrow, with(extra(true)))
	l := &log{table: narrow}
	apply(t, s, l.insert(whole(narrow, 0, 1)...))
	told()
	for i := range int64(3) {
		l.table = wide
		apply(t, s, l.marker(change.NewShape), l.insert(whole(wide, 2*i+1, 1)...))
		l.table = narrow
		apply(t, s, l.marker(change.NewShape), l.insert(whole(narrow, 2*i+2, 1)...))
		if got := told(); got != "add apply extra, drop apply extra" {
			t.Errorf("round %d: told %q", i, got)
		}
	}
	if got := h.Columns(t, narrow); !slices.Equal(got, []string{"id", "status", "note", "n"}) {
		t.Errorf("the target has %q", got)
	}
	if n := len(h.Rows(t, narrow)); n != 7 {
		t.Errorf("%d rows", n)
	}
}

// testPastRow: a row of a shape that the target has left behind, a parked one that comes again say, undoes nothing: what was dropped is left out,
// what was renamed goes under the name of now.
func testPastRow(t *testing.T, h Harness) {
	s, told := h.watched(t, everything)
	old := known()
	now := altered(altered(altered(old, named("status", "state")), without("note")), bits(64))
	l := &log{table: old}
	first, parked := l.insert(whole(old, 1, 1)...), l.insert(whole(old, 2, 2)...)
	apply(t, s, first)
	l.table = now
	apply(t, s, l.marker(change.NewShape), l.insert(whole(now, 3, 1<<40)...))
	told()
	fresh, again := h.watched(t, everything)
	apply(t, s, parked)
	apply(t, fresh, parked)
	h.want(t, now, "1|status|1", "2|status|2", "3|state|1099511627776")
	if got := told() + again(); got != "" {
		t.Errorf("told %q", got)
	}
}

// testDroppedAndMade: a column that is gone while another of its name is new holds values that nobody can tell from the first one's.
func testDroppedAndMade(t *testing.T, h Harness) {
	old := known()
	other := altered(old, func(t *change.Table) { t.Columns[2].ID = 7<<16 | 99 })
	l := &log{table: old}
	s, _ := h.watched(t, nil)
	apply(t, s, l.insert(whole(old, 1, 1)...))
	l.table = other
	marker := l.marker(change.NewShape)
	h.halts(t, s, "UPDATE", marker)
	s, told := h.watched(t, everything)
	apply(t, s, marker, l.insert(whole(other, 2, 1)...))
	h.want(t, shaped("orders", []string{"id", "status", "n", "note"}), `1|status|1|\N`, "2|status|1|note")
	if got := told(); got != "drop apply note, add apply note" {
		t.Errorf("told %q", got)
	}
	anew := altered(other, func(t *change.Table) { // the whole table was made anew: names are all that is left
		for i := range t.Columns {
			t.Columns[i].ID = 8<<16 | uint64(i+1)
		}
	})
	l.table = anew
	apply(t, s, l.marker(change.NewShape), l.insert(whole(anew, 3, 1)...))
	if got := told(); got != "" {
		t.Errorf("a table that was made anew: told %q", got)
	}
}

// testDroppedComesAgain: a column that was dropped and kept at the target is made again at the source, after others have come. What the target has of it is
// stale, until it is cleared.
func testDroppedComesAgain(t *testing.T, h Harness) {
	for name, f := range map[string]func() *change.Table{"known": known, "unknown": orders} {
		t.Run(name, func(t *testing.T) {
			first := altered(f(), func(t *change.Table) { t.Name = name })
			l := &log{table: first}
			s, told := h.watched(t, nil)
			apply(t, s, l.insert(whole(first, 1, 1)...))
			l.table = altered(first, without("note"))
			apply(t, s, l.marker(change.NewShape), l.insert(whole(l.table, 2, 2)...))
			again := first.Columns[2]
			if again.ID != 0 {
				again.ID = 7<<16 | 50
			}
			l.table = altered(l.table, with(again))
			told()
			marker, row := l.marker(change.NewShape), l.insert(whole(l.table, 3, 3)...)
			h.halts(t, s, "UPDATE", marker, row)
			h.Clear(t, first, "note")
			apply(t, s, marker, row)
			h.want(t, shaped(name, []string{"id", "note"}), `1|\N`, `2|\N`, "3|note")
			if got := told(); got != "" {
				t.Errorf("told %q", got)
			}
			l.table = altered(l.table, without("note")) // and from then on it is what it was
			apply(t, h.OpenWith(t, h.Addr, everything, nil), l.marker(change.NewShape), l.insert(whole(l.table, 4, 4)...))
			if got := h.Columns(t, first); !slices.Equal(got, []string{"id", "status", "n"}) {
				t.Errorf("the target has %q", got)
			}
		})
	}
}

// testUnproved: a source that names no columns can't prove a rename.
func testUnproved(t *testing.T, h Harness) {
	old := orders()
	next := altered(old, named("note", "remark"))
	l := &log{table: old}
	s, _ := h.watched(t, nil)
	apply(t, s, l.insert(whole(old, 1, 1)...))
	l.table = next
	marker := l.marker(change.NewShape)
	h.halts(t, s, "RENAME COLUMN", marker)
	s, told := h.watched(t, sinks.Policy{sinks.KindRename: sinks.Ignore})
	apply(t, s, marker, l.insert(whole(next, 2, 1)...))
	if got := told(); got != "drop ignore note, add apply remark" {
		t.Errorf("told %q", got)
	}
	h.want(t, shaped("orders", []string{"id", "note", "remark"}), `1|note|\N`, `2|\N|remark`)
	l.table = altered(next, with(change.Column{Name: "later", Native: "text", Kind: change.KindText, Nullable: true}))
	apply(t, h.Open(t, h.Addr), l.marker(change.NewShape)) // note was gone before: no rename
}

// reshapings is shapes of one table, one after the other, with a row behind each marker.
func reshapings(name string) []change.Change {
	first := altered(known(), func(t *change.Table) { t.Name = name })
	l := &log{table: first}
	all := []change.Change{l.insert(whole(first, 1, 1)...)}
	for i, f := range []func(*change.Table){with(extra(true)), without("extra"), with(extra(true)), named("note", "remark"), bits(64)} {
		l.table = altered(l.table, f)
		all = append(all, l.marker(change.NewShape), l.insert(whole(l.table, int64(i+2), int64(i))...))
	}
	return all
}

// testShapeZombie: a frozen applier that thaws with any change of any shape alters nothing, whatever its successor has done meanwhile.
func testShapeZombie(t *testing.T, h Harness) {
	all := reshapings("orders")
	zombie, _ := h.watched(t, everything)
	at := mark(0, 0)
	applyAt(t, zombie, all[:1], at, mark(0, 1, all[0]))
	successor, _ := h.watched(t, everything)
	for i := 1; i < len(all); i += 2 {
		at = mark(0, int64(i), all[i-1])
		// both stand before the same marker; the zombie comes first, freezes after its DDL, or comes late
		applyAt(t, successor, all[i:i+2], at, mark(0, int64(i+2), all[i+1]))
		last := all[i].Table
		want, rows := h.Columns(t, last), lines(h.Rows(t, last))
		for k := 1; k <= i; k += 2 {
			for _, z := range []sinks.MarkSink{zombie, h.OpenWith(t, h.Addr, everything, nil)} {
				err := z.ApplyAt(t.Context(), all[k:k+2], nil, []change.Mark{mark(0, int64(k), all[k-1])}, []change.Mark{mark(0, int64(k+2), all[k+1])})
				if !errors.Is(err, change.ErrFenced) {
					t.Errorf("a zombie with change %d behind change %d: %v", k, i, err)
				}
			}
		}
		if got := h.Columns(t, last); !slices.Equal(got, want) {
			t.Fatalf("behind change %d a zombie has made %q of %q", i, got, want)
		}
		if got := lines(h.Rows(t, last)); !slices.Equal(got, rows) {
			t.Fatalf("behind change %d a zombie has made\n%s\nof\n%s", i, strings.Join(got, "\n"), strings.Join(rows, "\n"))
		}
	}
}

// shapeCuts is how many places in each direction a change of shape is cut off at.
const shapeCuts = 10

// testShapeCut cuts the connection after so many bytes of a call that changes everything of a shape; another instance then makes the call again, from what
// it finds, and both ends are the same.
func testShapeCut(t *testing.T, h Harness) {
	p := newProxy(t, h.Addr)
	var out, in int64
	round := func(name string, cut func()) {
		old := altered(known(), func(t *change.Table) { t.Name = name })
		next := altered(altered(altered(altered(old, named("status", "state")), without("note")), bits(64)), with(filled("before")))
		l := &log{table: old}
		first := l.insert(whole(old, 1, 5)...)
		l.table = next
		c := []change.Change{l.marker(change.NewShape), l.insert(whole(next, 2, 1<<40)...)}
		lane := change.Lane{Stream: name}
		from, to := change.Mark{Lane: lane, Next: 1, Pos: first.Pos}, change.Mark{Lane: lane, Next: 2, Pos: c[1].Pos}
		through := h.OpenWith(t, p.addr(), everything, nil)
		applyAt(t, through, []change.Change{first}, change.Mark{Lane: lane}, from)
		p.count()
		cut()
		err := through.ApplyAt(t.Context(), c, nil, []change.Mark{from}, []change.Mark{to})
		p.cutAfter(0, 0)
		direct := h.OpenWith(t, h.Addr, everything, nil)
		state := load(t, direct, name)
		if moved := slices.Equal(state.Marks, []change.Mark{to}); !moved {
			if err == nil {
				t.Fatalf("%s: applied without an error, and the mark is %v", name, state.Marks)
			}
			applyAt(t, direct, c, from, to)
		}
		if got := h.Columns(t, next); !slices.Equal(got, []string{"id", "state", "n", "extra"}) {
			t.Fatalf("%s: the target has %q", name, got)
		}
		h.want(t, next, "1|status|5|before", "2|state|1099511627776|extra")
	}
	round("whole", func() {})
	out, in = p.count()
	for i := range int64(shapeCuts) {
		round(fmt.Sprint("out", i), func() { p.cutAfter(max(1, out*i/shapeCuts), 0) })
		round(fmt.Sprint("in", i), func() { p.cutAfter(0, max(1, in*i/shapeCuts)) })
	}
}
