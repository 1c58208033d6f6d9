package myvalue

import (
	"fmt"

	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// Row builds one row after another, or the two images of an update. It is scratch memory that one goroutine owns: a row takes two
// allocations, its values and the one string that all its texts are substrings of. The zero Row is ready.
type Row struct {
	values []change.Value
	spans  []span // of the values that hold text
	text   []byte
}

type span struct {
	column     int
	start, end int
	kind       change.Kind
}

// Begin starts a row of n columns, or the two images of n/2 columns each.
func (r *Row) Begin(n int) {
	r.values = make([]change.Value, 0, n)
	r.spans, r.text = r.spans[:0], r.text[:0]
}

// Unset adds a column that the log doesn't carry.
func (r *Row) Unset() { r.values = append(r.values, change.Value{}) }

// Null adds a column that is NULL.
func (r *Row) Null() { r.values = append(r.values, change.Null()) }

// Size is the bytes of text of the row so far.
func (r *Row) Size() int { return len(r.text) }

// Values ends the row and returns it. It is the caller's.
func (r *Row) Values() []change.Value {
	all := string(r.text)
	for _, s := range r.spans {
		r.values[s.column] = withText(s.kind, all[s.start:s.end])
	}
	values := r.values
	r.values = nil
	return values
}

// Binary adds a column from the beginning of b, the cells of a row image, and returns how many bytes the cell took. The error wraps
// change.ErrHalt and names the column.
func (r *Row) Binary(t *Type, b []byte) (int, error) {
	return 0, fmt.Errorf("column %s: type %d is not there yet: %w", t.Name, t.Wire, change.ErrHalt)
}

// Text adds a column from what a text-protocol result set holds for t.SelectExpr. The error wraps change.ErrHalt and names the column.
func (r *Row) Text(t *Type, b []byte) error {
	return fmt.Errorf("column %s: type %d is not there yet: %w", t.Name, t.Wire, change.ErrHalt)
}

func withText(kind change.Kind, s string) change.Value {
	switch kind {
	case change.KindText:
		return change.Text(s)
	case change.KindBytes:
		return change.Bytes(s)
	case change.KindDecimal:
		return change.Decimal(s)
	case change.KindJSON:
		return change.JSON(s)
	case change.KindUUID:
		return change.UUID(s)
	case change.KindBits:
		return change.Bits(s)
	case change.KindPartialDate:
		return change.PartialDate(s)
	}
	return change.Native(s)
}
