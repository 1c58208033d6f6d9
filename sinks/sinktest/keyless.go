package sinktest

import (
	"testing"

	"github.com/tailwater-cdc/tailwater/pkg/change"
)

func history() *log {
	return &log{table: &change.Table{Source: "shop", Engine: "none", Schema: "public", Name: "history", Columns: []change.Column{
		{Name: "what", Native: "text", Kind: change.KindText, Nullable: true},
		{Name: "n", Native: "integer", Kind: change.KindInt, Bits: 32, Nullable: true},
		{Name: "doc", Native: "json", Kind: change.KindJSON, Nullable: true},
	}}}
}

func entry(what string, n int64) []change.Value {
	return []change.Value{change.Text(what), change.Int(n), change.JSON(`{"a": 1}`)}
}

func testTwins(t *testing.T, h Harness) {
	s, l := h.Open(t, h.Addr), history()
	twins := []change.Change{l.insert(entry("a", 1)...), l.insert(entry("a", 1)...), l.insert(change.Text("a"), change.Null(), change.Null())}
	apply(t, s, twins...)
	apply(t, s, twins...)
	apply(t, s, twins[1:]...)
	h.want(t, l.table, `a|1|{"a": 1}`, `a|1|{"a": 1}`, `a|\N|\N`)
	apply(t, s, l.delete(entry("a", 1)...))
	h.want(t, l.table, `a|1|{"a": 1}`, `a|\N|\N`)
	apply(t, s, l.delete(change.Text("a"), change.Null(), change.Null()), l.insert(entry("b", 2)...), l.delete(entry("b", 2)...),
		l.insert(entry("b", 2)...), l.insert(entry("b", 2)...), l.delete(entry("b", 2)...))
	h.want(t, l.table, `a|1|{"a": 1}`, `b|2|{"a": 1}`)
	both := l.next(change.Update, entry("a", 1), entry("c", 1))
	apply(t, s, both)
	h.want(t, l.table, `c|1|{"a": 1}`, `b|2|{"a": 1}`)
}

func testKeylessSnapshot(t *testing.T, h Harness) {
	s, l := h.Open(t, h.Addr), history()
	apply(t, s, l.insert(entry("gone", 1)...))
	begin := l.marker(change.Truncate)
	begin.Txn = nil
	chunk := []change.Change{begin, l.snapshot(entry("x", 1)...), l.snapshot(entry("x", 1)...), l.snapshot(entry("y", 1)...)}
	for i := range chunk {
		chunk[i].Pos = begin.Pos // all of a chunk stand at one Position
	}
	apply(t, s, chunk...)
	apply(t, s, chunk...) // a chunk that was cut off begins again
	h.want(t, l.table, `x|1|{"a": 1}`, `x|1|{"a": 1}`, `y|1|{"a": 1}`)
	apply(t, s, l.delete(entry("x", 1)...))
	h.want(t, l.table, `x|1|{"a": 1}`, `y|1|{"a": 1}`)
}
