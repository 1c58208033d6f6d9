package pgvalue

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"unicode/utf8"

	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// Row builds one row after another. It is scratch memory that one goroutine owns: a row takes one allocation, the
// string that all its texts are substrings of; its values come from a slab.
type Row struct {
	values []change.Value
	slab   change.Slab
	spans  []span // of the values that hold text
	text   []byte
	labels []string
}

type span struct {
	column     int
	start, end int
}

// Begin starts a row of n columns.
func (r *Row) Begin(n int) {
	r.values = r.slab.Row(n)
	r.spans, r.text, r.labels = r.spans[:0], r.text[:0], nil
}

// Unset adds a column that the log doesn't carry.
func (r *Row) Unset() { r.values = append(r.values, change.Value{}) }

// Null adds a column that is NULL.
func (r *Row) Null() { r.values = append(r.values, change.Null()) }

// Size is the bytes of text of the row so far.
func (r *Row) Size() int { return len(r.text) }

// UnknownLabels are the labels in the row that their columns' Enums lack, each behind its column's name: the lists are older than the row,
// or much younger.
func (r *Row) UnknownLabels() []string { return r.labels }

// Values ends the row and returns it. It is the caller's.
func (r *Row) Values() []change.Value {
	all := r.slab.Text(r.text)
	for _, s := range r.spans {
		v := &r.values[s.column]
		*v = change.TextOf(v.Kind(), all[s.start:s.end])
	}
	values := r.values
	r.values = nil
	return values
}

var (
	errUTF8  = errors.New("not UTF-8, which the database, of SQL_ASCII, doesn't check: take the table out of include, correct the value at the source, and put it back, which has it read again")
	errValue = errors.New("not a value of its type")
)

// shownBytes is how much of a refused value an error quotes.
const shownBytes = 64

// Text adds a column from its text, which it copies. The error wraps change.ErrHalt and names the column.
func (r *Row) Text(col *change.Column, b []byte) error {
	v, err := r.parse(col, b)
	if err != nil {
		return fmt.Errorf("column %s: %q as %s (%s): %w: %w", col.Name, b[:min(len(b), shownBytes)], col.Kind, col.Native, err, change.ErrHalt)
	}
	r.values = append(r.values, v)
	return nil
}

// parse returns the value, or, for a kind that holds text, a value of that kind without it, after adding the text.
func (r *Row) parse(col *change.Column, b []byte) (change.Value, error) {
	switch col.Kind {
	case change.KindInt:
		n, ok := parseInt(b)
		return change.Int(n), fits(ok)
	case change.KindBool:
		ok := len(b) == 1 && (b[0] == 't' || b[0] == 'f')
		return change.Bool(ok && b[0] == 't'), fits(ok)
	case change.KindFloat32:
		f, err := strconv.ParseFloat(string(b), 32)
		return change.Float32(float32(f)), fits(err == nil)
	case change.KindFloat64:
		f, err := strconv.ParseFloat(string(b), 64)
		return change.Float64(f), fits(err == nil)
	case change.KindDate:
		n, ok := parseDate(b)
		return change.Date(n), fits(ok)
	case change.KindTime:
		n, rest, ok := parseClock(b)
		return change.Time(n), fits(ok && len(rest) == 0)
	case change.KindInstant:
		n, ok := parseStamp(b, "+00")
		return change.Instant(n), fits(ok)
	case change.KindWallTime:
		n, ok := parseStamp(b, "")
		return change.WallTime(n), fits(ok)
	case change.KindBytes:
		return change.Bytes(""), r.addHex(b)
	case change.KindDecimal:
		return r.addText(col.Kind, b, isDecimal(b))
	case change.KindUUID:
		return r.addText(col.Kind, b, isUUID(b))
	case change.KindBits:
		return r.addText(col.Kind, b, isBits(b))
	case change.KindText, change.KindJSON, change.KindInterval, change.KindNative:
		if !utf8.Valid(b) {
			return change.Value{}, errUTF8
		}
		if col.Enum != nil && !hasLabel(*col.Enum, b) {
			r.labels = append(r.labels, col.Name+" "+string(b))
		}
		return r.addText(col.Kind, b, true)
	}
	return change.Value{}, errValue
}

func fits(ok bool) error {
	if ok {
		return nil
	}
	return errValue
}

func hasLabel(labels []string, b []byte) bool {
	for _, label := range labels {
		if label == string(b) {
			return true
		}
	}
	return false
}

func (r *Row) addText(kind change.Kind, b []byte, ok bool) (change.Value, error) {
	if !ok {
		return change.Value{}, errValue
	}
	start := len(r.text)
	r.text = append(r.text, b...)
	r.spans = append(r.spans, span{len(r.values), start, len(r.text)})
	return change.TextOf(kind, ""), nil
}

func (r *Row) addHex(b []byte) error {
	if len(b) < 2 || b[0] != '\\' || b[1] != 'x' {
		return errValue
	}
	start := len(r.text)
	text, err := hex.AppendDecode(r.text, b[2:])
	if err != nil {
		return errValue
	}
	r.text = text
	r.spans = append(r.spans, span{len(r.values), start, len(text)})
	return nil
}
