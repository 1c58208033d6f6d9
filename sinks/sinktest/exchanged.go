package sinktest

import (
	"testing"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/sinks"
)

// testExchanged: a transaction exchanges values of a unique index, by a third value or, as a source may that checks it at the end, at once. Its rows
// arrive, and nothing else is refused than what is bad, whatever else comes with them.
func testExchanged(t *testing.T, h Harness) {
	s, l := h.Open(t, h.Addr), &log{table: orders()}
	apply(t, s, l.insert(order(1, "a")...), l.insert(order(2, "b")...), l.insert(order(3, "c")...), l.insert(order(4, "d")...))
	h.Unique(t, l.table, "status")
	if h.Refuse != nil {
		h.Refuse(t, l.table, "note")
	}
	s = h.Open(t, h.Addr)
	in := func(rows ...[]change.Value) (out []change.Change) {
		txn := l.insert(order(0, "")...).Txn
		for _, r := range rows {
			c := l.update(r...)
			c.Txn = txn
			out = append(out, c)
		}
		return out
	}
	third := in(order(1, "x"), order(2, "a"), order(1, "b"))
	apply(t, s, third...)
	h.want(t, l.table, `1|b|\N|1`, `2|a|\N|2`, `3|c|\N|3`, `4|d|\N|4`)
	atOnce := in(order(1, "a"), order(3, "b"), order(2, "c"))
	apply(t, s, atOnce...)
	h.want(t, l.table, `1|a|\N|1`, `2|c|\N|2`, `3|b|\N|3`, `4|d|\N|4`)

	all := append([]change.Change{l.insert(order(5, "e")...), l.insert(change.Int(6), change.Text("f"), h.Refused, change.Null())}, in(order(1, "b"), order(3, "a"))...)
	all = append(all, in(order(7, "d"), order(8, "h"))...) // 7 is in the way of nobody who goes: it waits
	wantRefused(t, s.Apply(t.Context(), all), map[int]sinks.Class{1: sinks.Reject, 4: sinks.Wait})
	good := append(append([]change.Change{all[0]}, all[2:4]...), all[5])
	apply(t, s, good...)
	h.want(t, l.table, `1|b|\N|1`, `2|c|\N|2`, `3|a|\N|3`, `4|d|\N|4`, `5|e|\N|5`, `8|h|\N|8`)
}
