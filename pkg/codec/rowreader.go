package codec

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"

	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// rowReader reads rows from JSON. The text of all rows of one change goes into one buffer, which becomes one string at the end.
type rowReader struct {
	text  []byte
	spans []span
	word  []byte // a name or a value that is not kept

	dialect dialect
}

// span is a value whose text is in the buffer.
type span struct {
	value      *change.Value
	kind       change.Kind
	start, end int
}

// keptBuffer is the largest buffer that is kept for the next change.
const keptBuffer = 1 << 20

func (r *rowReader) begin() {
	if cap(r.text) > keptBuffer {
		r.text = nil
	}
	if cap(r.word) > keptBuffer {
		r.word = nil
	}
	r.text, r.spans = r.text[:0], r.spans[:0]
}

// finish gives the values their text.
func (r *rowReader) finish() {
	text := string(r.text)
	for _, sp := range r.spans {
		*sp.value = change.TextOf(sp.kind, text[sp.start:sp.end])
	}
	clear(r.spans)
}

// unsetColumns is which columns of a row the record's header calls Unset.
type unsetColumns struct {
	set          []bool // by ordinal, if count is not 0
	count        int
	placeholders bool // they may be there, holding the placeholder
	partial      bool // others may be missing too: they are as in the other row
}

func (u *unsetColumns) has(at int) bool { return u.count > 0 && u.set[at] }

var (
	errTwice   = errors.New("stands twice")
	errMissing = errors.New("is missing, and header " + HeaderUnset + " does not name it")
	errUnset   = errors.New("has a value, though header " + HeaderUnset + " names it")
)

// read reads a row, or null. Columns may stand in any order.
func (r *rowReader) read(s *scanner, l *layout, unset unsetColumns) ([]change.Value, error) {
	if s.peek() == 'n' && s.word("null") {
		if unset.count > 0 {
			return nil, errUnset
		}
		return nil, nil
	}
	if !s.take('{') {
		return nil, s.want("a row")
	}
	row := make([]change.Value, len(l.columns))
	count, at := 0, -1
	for first := true; ; first = false {
		var err error
		if at, err = r.column(s, l, at+1, first); err != nil {
			return nil, err
		}
		if at < 0 {
			break
		}
		col := &l.columns[at]
		if unset.has(at) {
			if err := r.placeholder(s, col, unset.placeholders); err != nil {
				return nil, fmt.Errorf("column %s: %w", col.Name, err)
			}
			continue
		}
		if !row[at].IsUnset() {
			return nil, fmt.Errorf("column %s: %w", col.Name, errTwice)
		}
		count++
		if err := r.value(s, col, &row[at]); err != nil {
			return nil, fmt.Errorf("column %s: %w", col.Name, err)
		}
	}
	if unset.partial || count+unset.count == len(row) {
		return row, nil
	}
	for i := range row {
		if row[i].IsUnset() && !unset.has(i) { // Invariant 7: what got lost on the way is not taken for Unset
			return nil, fmt.Errorf("column %s: %w", l.columns[i].Name, errMissing)
		}
	}
	return row, nil
}

// column reads the next column's name and returns its ordinal, which likely is guess or one of the next; -1 after the last one.
func (r *rowReader) column(s *scanner, l *layout, guess int, first bool) (int, error) {
	if !first && guess < len(l.columns) && s.word(l.columns[guess].name) {
		return guess, nil
	}
	if first && guess < len(l.columns) && s.word(l.columns[guess].name[1:]) {
		return guess, nil
	}
	more, err := s.next(first)
	if !more {
		return -1, err
	}
	if r.word, err = s.name(r.word); err != nil {
		return -1, err
	}
	at, ok := l.ordinal(r.word)
	if !ok {
		return -1, fmt.Errorf("column %.255q is not one of the table's", r.word)
	}
	return at, nil
}

func (r *rowReader) placeholder(s *scanner, col *column, allowed bool) (err error) {
	if r.word, err = s.text(r.word[:0]); err != nil {
		return err
	}
	if !allowed || string(r.word) != col.placeholder() {
		return errUnset
	}
	return nil
}

// value reads a value of col into v; one with text gets it by finish.
func (r *rowReader) value(s *scanner, col *column, v *change.Value) error {
	if s.peek() == 'n' && s.word("null") {
		*v = change.Null()
		return nil
	}
	if r.dialect != 0 {
		if done, err := r.inDialect(s, col, v); done {
			return err
		}
	}
	switch col.Kind {
	case change.KindBool:
		switch {
		case s.word("true"):
			*v = change.Bool(true)
		case s.word("false"):
			*v = change.Bool(false)
		default:
			return s.want("true or false")
		}
		return nil
	case change.KindInt, change.KindUint:
		return integer(s, col, v)
	case change.KindFloat32, change.KindFloat64:
		return r.float(s, col, v)
	case change.KindDate, change.KindTime, change.KindInstant, change.KindWallTime:
		return r.time(s, col, v)
	case change.KindBytes:
		return r.bytes(s, v)
	}
	start := len(r.text)
	var err error
	if r.text, err = s.text(r.text); err != nil {
		return err
	}
	r.keep(v, col.Kind, start)
	return nil
}

// keep makes the buffer from start on the text of v.
func (r *rowReader) keep(v *change.Value, kind change.Kind, start int) {
	*v = change.Null() // not Unset, so that a second one is seen
	r.spans = append(r.spans, span{value: v, kind: kind, start: start, end: len(r.text)})
}

func integer(s *scanner, col *column, v *change.Value) error {
	text, whole, err := s.number()
	if err != nil {
		return err
	}
	if !whole {
		return fmt.Errorf("%.64q is no integer", text)
	}
	if col.Kind == change.KindUint {
		n, err := strconv.ParseUint(string(text), 10, 64)
		*v = change.Uint(n)
		return err
	}
	n, err := strconv.ParseInt(string(text), 10, 64)
	*v = change.Int(n)
	return err
}

func (r *rowReader) float(s *scanner, col *column, v *change.Value) (err error) {
	text := r.word[:0]
	if s.peek() == '"' {
		if r.word, err = s.text(text); err != nil {
			return err
		}
		text = r.word
		switch string(text) {
		case "NaN", "Infinity", "-Infinity":
		default:
			return fmt.Errorf("%.64q is no number", text)
		}
	} else if text, _, err = s.number(); err != nil {
		return err
	}
	if col.Kind == change.KindFloat32 {
		f, err := strconv.ParseFloat(string(text), 32)
		*v = change.Float32(float32(f))
		return err
	}
	f, err := strconv.ParseFloat(string(text), 64)
	*v = change.Float64(f)
	return err
}

// bytes reads base64 in its one canonical form.
func (r *rowReader) bytes(s *scanner, v *change.Value) (err error) {
	if r.word, err = s.text(r.word[:0]); err != nil {
		return err
	}
	start := len(r.text)
	if r.text, err = base64.StdEncoding.Strict().AppendDecode(r.text, r.word); err != nil {
		return err
	}
	if base64.StdEncoding.EncodedLen(len(r.text)-start) != len(r.word) {
		return errors.New("line breaks in base64")
	}
	r.keep(v, change.KindBytes, start)
	return nil
}
