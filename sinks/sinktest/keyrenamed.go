package sinktest

import (
	"testing"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/sinks"
)

// KeyRenamed renames a column of the key while changes are parked under its old name, which halts until they are settled.
func KeyRenamed(t *testing.T, h Harness, settle func()) {
	t.Helper()
	s, told := h.watched(t, nil)
	old := known()
	next := altered(old, named("id", "number"))
	l := &log{table: old}
	parked := l.insert(whole(old, 2, 2)...)
	apply(t, s, l.insert(whole(old, 1, 1)...))
	if err := s.ApplyAt(t.Context(), nil, []sinks.Parked{{Change: parked, Lane: lane(0), Code: "X"}}, nil, nil); err != nil {
		t.Fatal(err)
	}
	told()
	l.table = next
	marker, row := l.marker(change.NewShape), l.insert(whole(next, 3, 3)...)
	h.halts(t, s, "parked", marker, row)
	settle()
	apply(t, s, marker, row)
	if got := told(); got != "rename apply number" {
		t.Errorf("told %q", got)
	}
	h.want(t, shaped("orders", []string{"number", "n"}), "1|1", "3|3")
}
