package sinktest

import (
	"fmt"
	"slices"
	"testing"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/sinks"
)

// cuts is how many places in each direction the connection is cut at.
const cuts = 24

// testCut cuts the connection after so many bytes of a call, in either direction, and then looks at the target: the rows are there if and
// only if the mark is, and so are the parked changes.
func testCut(t *testing.T, h Harness) {
	p := newProxy(t, h.Addr)
	through, direct := h.Open(t, p.addr()), h.Open(t, h.Addr)
	l := &log{table: orders()}
	c := l.insert(order(0, "start")...)
	applyAt(t, through, []change.Change{c}, mark(0, 0), mark(0, 1, c))
	at := mark(0, 1, c)
	round := func() ([]change.Change, []sinks.Parked, change.Mark, string) {
		status := fmt.Sprint(l.at)
		c := []change.Change{l.update(order(0, status)...), l.insert(order(int64(l.at), status)...), l.delete(l.key(int64(l.at) - 4)...)}
		parked := []sinks.Parked{{Change: l.insert(order(-1, status)...), Lane: lane(0), Code: "X"}}
		return c, parked, mark(0, at.Next+1, parked[0].Change), status
	}
	changes, parked, to, _ := round()
	p.count()
	if err := through.ApplyAt(t.Context(), changes, parked, []change.Mark{at}, []change.Mark{to}); err != nil {
		t.Fatal(err)
	}
	out, in := p.count()
	at = to
	committed, lost := 0, 0
	for _, d := range []struct{ out, in int64 }{{out, 0}, {0, in}} {
		for i := range int64(cuts + 1) {
			changes, parked, to, status := round()
			reconnect(t, through)
			p.cutAfter(d.out*i/cuts, d.in*i/cuts)
			err := through.ApplyAt(t.Context(), changes, parked, []change.Mark{at}, []change.Mark{to})
			p.cutAfter(0, 0)
			state := load(t, direct, Stream)
			moved := slices.Equal(state.Marks, []change.Mark{to})
			if !moved && !slices.Equal(state.Marks, []change.Mark{at}) {
				t.Fatalf("cut at %d of %d: the mark is %v, want %v or %v", i, cuts, state.Marks, at, to)
			}
			if err == nil && !moved {
				t.Fatalf("cut at %d of %d: applied without an error, and the mark has not moved", i, cuts)
			}
			if has := hasLine(h, t, l.table, fmt.Sprintf(`0|%s|\N|0`, status)); has != moved {
				t.Fatalf("cut at %d of %d: mark moved %v, row written %v", i, cuts, moved, has)
			}
			if kept := slices.ContainsFunc(state.Parked, func(p sinks.Parked) bool { return p.Change.Pos == parked[0].Change.Pos }); kept != moved {
				t.Fatalf("cut at %d of %d: mark moved %v, parked %v", i, cuts, moved, kept)
			}
			if moved {
				at = to
				committed++
			} else {
				lost++
			}
		}
	}
	if committed == 0 || lost == 0 {
		t.Errorf("%d calls were committed and %d lost: the cuts have not met both", committed, lost)
	}
}

func hasLine(h Harness, t testing.TB, table *change.Table, line string) bool {
	return slices.Contains(lines(h.Rows(t, table)), line)
}

// reconnect calls until the sink has noticed what was cut before, so that the next cut meets the call and not the connecting.
func reconnect(t testing.TB, s sinks.MarkSink) {
	t.Helper()
	var err error
	for range 10 {
		if err = s.Apply(t.Context(), nil); err == nil {
			return
		}
	}
	t.Fatalf("not connected again: %v", err)
}
