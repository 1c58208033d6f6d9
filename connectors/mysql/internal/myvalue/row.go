package myvalue

import (
	"errors"
	"fmt"

	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// Row builds one row after another, or the two images of an update. It is scratch memory that one goroutine owns: a row takes one
// allocation, the string that all its texts are substrings of; its values come from a slab. The zero Row is ready.
type Row struct {
	values  []change.Value
	slab    change.Slab
	spans   []span // of the values that hold text
	text    []byte
	inflate inflater // of COMPRESSED columns
}

type span struct {
	column     int
	start, end int
	kind       change.Kind
}

// keptBytes is how much scratch memory one large row may leave behind.
const keptBytes = 16 << 20

// Begin starts a row of n columns, or the two images of n/2 columns each.
func (r *Row) Begin(n int) {
	if cap(r.text) > keptBytes {
		r.text = nil
	}
	r.values = r.slab.Row(n)
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
	all := r.slab.Text(r.text)
	for _, s := range r.spans {
		r.values[s.column] = change.TextOf(s.kind, all[s.start:s.end])
	}
	values := r.values
	r.values = nil
	return values
}

var (
	errValue   = errors.New("not a value of its type")
	errShort   = errors.New("the row image ends inside it")
	errCharset = errors.New("not text of its character set")
)

// shownBytes is how much of a refused value an error quotes.
const shownBytes = 64

// refuse says what couldn't be read of which column.
func refuse(t *Type, b []byte, err error) error {
	return fmt.Errorf("column %s (%s): %.*q: %w: %w", t.Name, t.native(), shownBytes, b[:min(len(b), shownBytes)], err, change.ErrHalt)
}

// Binary adds a column from the beginning of b, the cells of a row image, and returns how many bytes the cell took. The error wraps
// change.ErrHalt and names the column.
func (r *Row) Binary(t *Type, b []byte) (int, error) {
	v, n, err := r.binary(t, b)
	if err != nil {
		return 0, refuse(t, b, err)
	}
	r.values = append(r.values, v)
	return n, nil
}

// Text adds a column from what a text-protocol result set holds for t.SelectExpr. The error wraps change.ErrHalt and names the column.
func (r *Row) Text(t *Type, b []byte) error {
	v, err := r.parse(t, b)
	if err != nil {
		return refuse(t, b, err)
	}
	r.values = append(r.values, v)
	return nil
}

// added marks the text from start on as the column that comes next.
func (r *Row) added(kind change.Kind, start int) change.Value {
	r.spans = append(r.spans, span{len(r.values), start, len(r.text), kind})
	return change.Value{}
}

// add adds b as it is.
func (r *Row) add(kind change.Kind, b []byte) change.Value {
	start := len(r.text)
	r.text = append(r.text, b...)
	return r.added(kind, start)
}

// characters adds what a text or binary column stores: bytes as they are, text in UTF-8.
func (r *Row) characters(t *Type, b []byte) (change.Value, error) {
	if t.Collation == binaryCollation && t.isText() {
		return r.add(change.KindBytes, b), nil
	}
	set := t.charset()
	if set == nil {
		return change.Value{}, t.unknownCollation()
	}
	start := len(r.text)
	text, ok := set.append(r.text, b)
	if !ok {
		return change.Value{}, fmt.Errorf("%w, %s", errCharset, set.name)
	}
	r.text = text
	kind := change.KindText
	if t.Special == JSONText {
		kind = change.KindJSON
	}
	return r.added(kind, start), nil
}
