package kafka

import (
	"testing"

	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// TestAShapeHasOneTable: what a reader was given stands for its shape for ever; until one has asked, the publisher's own Table does.
func TestAShapeHasOneTable(t *testing.T) {
	t.Parallel()
	table := func() *change.Table { return &change.Table{Source: "s", Schema: "public", Name: "orders"} }
	s := &Stream{cfg: Config{SourceID: "s", Prefix: "p", Topic: DefaultTopic}}
	s.names = newNames(&s.cfg)
	h := newShapes(s)
	read, ours, later := table(), table(), table()
	if h.adopt("f", ours) {
		t.Error("a shape that nobody has read is known")
	}
	if err := h.know("f", read); err != nil {
		t.Fatal(err)
	}
	for _, c := range []*change.Table{ours, ours} {
		if !h.adopt("f", c) {
			t.Fatal("a shape that was read isn't known")
		}
	}
	if got, err := h.lookup("f"); err != nil || got != ours {
		t.Errorf("a reader has %p, %v; want the publisher's %p", got, err, ours)
	}
	if !h.adopt("f", later) {
		t.Error("a shape that was read isn't known")
	}
	if got, err := h.lookup("f"); err != nil || got != ours {
		t.Errorf("the reader has %p, %v now; want %p as before", got, err, ours)
	}
}
