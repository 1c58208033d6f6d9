package sinktest

import (
	"slices"
	"testing"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/sinks"
)

// Reshaping is a call that changes all that can change of a table's shape and writes a row of the new one, for tests that kill a process
// in the middle of it.
type Reshaping struct {
	Policy       sinks.Policy
	Before       []change.Change // what stands in the target before, From is its mark
	Changes      []change.Change
	Zero, From   []change.Mark
	To           []change.Mark
	old, present *change.Table
}

// ReshapingPoints are the points of package fault between every two steps of such a call.
var ReshapingPoints = []string{"shape.before", "shape.altered", "shape.recorded", "sink.begun", "sink.written", "sink.committed"}

// NewReshaping returns the same call in every process.
func NewReshaping() Reshaping {
	old := known()
	next := altered(altered(altered(altered(old, named("status", "state")), without("note")), bits(64)), with(filled("before")))
	l := &log{table: old}
	r := Reshaping{Policy: everything, Before: []change.Change{l.insert(whole(old, 1, 5)...)}, old: old, present: next}
	l.table = next
	r.Changes = []change.Change{l.marker(change.NewShape), l.insert(whole(next, 2, 1<<40)...)}
	r.Zero = []change.Mark{mark(0, 0)}
	r.From = []change.Mark{mark(0, 1, r.Before...)}
	r.To = []change.Mark{mark(0, 2, r.Changes...)}
	return r
}

// Keyless takes the key away from both shapes.
func (r Reshaping) Keyless() {
	r.old.Key, r.present.Key = nil, nil
}

// GoOn makes the call again in another process, from what the killed one has left behind, and holds the target against what one whole call leaves.
func (r Reshaping) GoOn(t *testing.T, h Harness, point string) {
	t.Helper()
	has := h.Columns(t, r.present)
	was, is := []string{"id", "status", "note", "n"}, []string{"id", "state", "n", "extra"}
	if !slices.Equal(has, was) && !slices.Equal(has, is) {
		t.Fatalf("killed at %s, the target has %q", point, has)
	}
	if early := point == ReshapingPoints[0]; early != slices.Equal(has, was) && point != "shape.altered" { // where DDL is part of a transaction, that is gone
		t.Fatalf("killed at %s, the target has %q", point, has)
	}
	s := h.OpenWith(t, h.Addr, r.Policy, nil)
	state := load(t, s, Stream)
	if moved := slices.Equal(state.Marks, r.To); moved != (point == "sink.committed") {
		t.Fatalf("killed at %s, the mark is %v", point, state.Marks)
	}
	if !slices.Equal(state.Marks, r.To) {
		applyAt(t, s, r.Changes, r.From[0], r.To[0])
	}
	if has := h.Columns(t, r.present); !slices.Equal(has, is) {
		t.Errorf("killed at %s and gone on, the target has %q", point, has)
	}
	h.want(t, r.present, "1|status|5|before", "2|state|1099511627776|extra")
}
