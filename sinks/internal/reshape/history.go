package reshape

import (
	"slices"

	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// Recorded is a shape as the target has it beside the marks.
type Recorded struct {
	Table       *change.Table
	Fingerprint string
	Pos         string // of the change that brought it last; texts and Positions have one order
}

// History is every shape that a sink has met of one table.
type History []Recorded

// Present is the shape that came last; nil: none has.
func (h History) Present() *Recorded {
	var last *Recorded
	for i := range h {
		if last == nil || last.Pos < h[i].Pos {
			last = &h[i]
		}
	}
	return last
}

// Past says that a shape which comes at pos is not the present one but one of before: the target has moved on and isn't altered for it. What
// has fallen behind, a frozen process that thaws or a parked change that comes again, so undoes nothing.
func (h History) Past(fingerprint string, pos change.Position) bool {
	last := h.Present()
	return last != nil && last.Fingerprint != fingerprint && pos.String() <= last.Pos
}

// Once says that a recorded shape has a column of that name.
func (h History) Once(name string) bool {
	return slices.ContainsFunc(h, func(r Recorded) bool { return r.Table.ColumnIndex(name) >= 0 })
}

// Aliases are, for a past shape, the names that its columns have now, where the source has renamed them since.
func (h History) Aliases(past *change.Table) map[string]string {
	names := make(map[string]string)
	for _, p := range Between(past, h.Present().Table).Renamed {
		names[p.Old.Name] = p.New.Name
	}
	return names
}
