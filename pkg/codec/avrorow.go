package codec

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"unicode/utf8"

	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// avroType is how a column stands in Avro.
type avroType uint8

const (
	avroString avroType = iota
	avroUUID
	avroBytes
	avroBool
	avroInt
	avroLong
	avroFloat
	avroDouble
	avroDecimal
	avroDate
	avroTime
	avroInstant
	avroWallTime
)

// avroColumn is a column of a row in Avro.
type avroColumn struct {
	*column
	typ      avroType
	optional bool // a union of null and the type: every column but the key's, so that shapes may change
}

// avroRow encodes and decodes a table's rows.
type avroRow struct {
	l       *layout
	columns []avroColumn
	text    string // tw.text
}

// textSide is the letter in front of the ordinals in tw.text.
const textSide = 't'

// mayBeText says that a column has an Avro type that lacks values which the column may hold.
func mayBeText(c *change.Column) bool {
	switch c.Kind {
	case change.KindDecimal, change.KindDate, change.KindTime, change.KindInstant, change.KindWallTime:
		return true
	}
	return false
}

// newAvroRow makes l's rows; text, which tw.text holds, is the columns that are text.
func newAvroRow(l *layout, text []byte) (*avroRow, error) {
	r := &avroRow{l: l, columns: make([]avroColumn, len(l.columns)), text: string(text)}
	rest, set, count, ok := parseSide(text, textSide, nil, len(l.columns))
	if !ok || len(rest) > 0 {
		return nil, errorf("header %s: %.64q is no list of columns among %d", HeaderText, text, len(l.columns))
	}
	for i := range l.columns {
		r.columns[i] = avroColumn{column: &l.columns[i], typ: avroTypeOf(l.table, l.columns[i].Column), optional: true}
		if count > 0 && set[i] {
			if !mayBeText(l.columns[i].Column) {
				return nil, errorf("header %s: column %s is not one of those", HeaderText, l.columns[i].Name)
			}
			r.columns[i].typ = avroString
		}
	}
	for _, k := range l.table.Key {
		r.columns[k].optional = l.columns[k].Nullable
	}
	return r, nil
}

// avroTypeOf: what has no type of its own in Avro for all that the column may hold is text.
func avroTypeOf(t *change.Table, c *change.Column) avroType {
	switch c.Kind {
	case change.KindBool:
		return avroBool
	case change.KindInt:
		if c.Bits > 0 && c.Bits <= 32 {
			return avroInt
		}
		return avroLong
	case change.KindUint:
		switch {
		case c.Bits > 0 && c.Bits <= 24:
			return avroInt
		case c.Bits == 32:
			return avroLong
		}
	case change.KindFloat32:
		return avroFloat
	case change.KindFloat64:
		return avroDouble
	case change.KindDecimal:
		if c.Precision > 0 && c.Scale >= 0 && c.Scale <= c.Precision {
			return avroDecimal
		}
	case change.KindBytes:
		return avroBytes
	case change.KindUUID:
		return avroUUID
	case change.KindDate:
		return avroDate
	case change.KindTime:
		if t.Engine == "postgres" { // elsewhere it is a duration with a sign
			return avroTime
		}
	case change.KindInstant:
		return avroInstant
	case change.KindWallTime:
		return avroWallTime
	}
	return avroString
}

var (
	errAvroUnset = errors.New("is not in the log, and this column's Avro type has no value that says so: ALTER TABLE ... REPLICA IDENTITY FULL, or binlog_row_image=FULL, or another format")
	errAvroValue = errors.New("has no value in this column's Avro type: name the column in stream.text_columns, correct the row, or use another format")
)

// append appends the union of null and the row.
func (r *avroRow) append(dst []byte, row []change.Value, before bool) (_ []byte, err error) {
	if row == nil {
		return append(dst, 0), nil
	}
	dst = append(dst, 2)
	for i := range row {
		col, v := &r.columns[i], row[i]
		switch {
		case v.IsUnset() && before && col.optional, v.IsNull() && col.optional:
			dst = append(dst, 0)
			continue
		case v.IsUnset() && !before && col.typ <= avroBytes && col.typ != avroUUID:
			if col.optional {
				dst = append(dst, 2)
			}
			dst = appendAvroString(dst, placeholder) // Invariant 7, as Debezium says it
			continue
		case v.IsUnset():
			return dst, fmt.Errorf("column %s %w", col.Name, errAvroUnset)
		}
		if col.optional {
			dst = append(dst, 2)
		}
		if dst, err = col.append(dst, v); err != nil {
			return dst, fmt.Errorf("column %s: %w", col.Name, err)
		}
	}
	return dst, nil
}

func (r *avroRow) appendKey(dst []byte, row []change.Value) (_ []byte, err error) {
	for _, k := range r.l.table.Key {
		col, v := &r.columns[k], row[k]
		switch {
		case v.IsUnset():
			return dst, fmt.Errorf("%s.%s: %w", r.l.table, col.Name, change.ErrUnsetKey)
		case v.IsNull() && col.optional:
			dst = append(dst, 0)
			continue
		case col.optional:
			dst = append(dst, 2)
		}
		if dst, err = col.append(dst, v); err != nil {
			return dst, fmt.Errorf("column %s: %w", col.Name, err)
		}
	}
	return dst, nil
}

// The days and microseconds from 1970 to 2000.
const (
	epochDays   = 10_957
	epochMicros = epochDays * microsPerDay
)

// append appends a value without its place in the union.
func (c *avroColumn) append(dst []byte, v change.Value) ([]byte, error) {
	if v.Kind() != c.Kind && (c.typ != avroString || v.Kind() != change.KindPartialDate || !c.mayBePartial()) {
		return dst, fmt.Errorf("%q, of kind %s, %w", v.Str(), v.Kind(), errAvroValue)
	}
	switch c.typ {
	case avroBool:
		if v.Bool() {
			return append(dst, 1), nil
		}
		return append(dst, 0), nil
	case avroInt, avroLong:
		if v.Kind() == change.KindInt && c.typ == avroInt && (v.Int() > math.MaxInt32 || v.Int() < math.MinInt32) || v.Kind() == change.KindUint && v.Uint() > math.MaxUint32 {
			return dst, errRange
		}
		return binary.AppendVarint(dst, int64(v.Uint())), nil
	case avroFloat:
		return binary.LittleEndian.AppendUint32(dst, math.Float32bits(v.Float32())), nil
	case avroDouble:
		return binary.LittleEndian.AppendUint64(dst, math.Float64bits(v.Float64())), nil
	case avroBytes:
		return appendAvroString(dst, v.Str()), nil
	case avroDecimal:
		return appendAvroDecimal(dst, v.Str(), c.Column)
	case avroDate, avroTime, avroInstant, avroWallTime:
		return c.appendTime(dst, v)
	}
	return c.appendText(dst, v)
}

func (c *avroColumn) appendTime(dst []byte, v change.Value) ([]byte, error) {
	if v.IsInfinite() {
		return dst, fmt.Errorf("%s %w", change.AppendText(nil, c.Column, v), errAvroValue)
	}
	if err := c.checkTime(v); err != nil {
		return dst, err
	}
	n := v.Int()
	switch c.typ {
	case avroDate:
		if n += epochDays; n > math.MaxInt32 || n < math.MinInt32 {
			return dst, fmt.Errorf("%s %w", change.AppendText(nil, c.Column, v), errAvroValue)
		}
	case avroTime:
		if n < 0 || n > microsPerDay {
			return dst, fmt.Errorf("%s %w", change.AppendText(nil, c.Column, v), errAvroValue)
		}
	default:
		if n > math.MaxInt64-epochMicros {
			return dst, fmt.Errorf("%s %w", change.AppendText(nil, c.Column, v), errAvroValue)
		}
		n += epochMicros
	}
	return binary.AppendVarint(dst, n), nil
}

// appendText appends what is text in Avro: text, and the canonical text of what has no type there.
func (c *avroColumn) appendText(dst []byte, v change.Value) ([]byte, error) {
	switch v.Kind() {
	case change.KindPartialDate:
		if c.Kind != change.KindPartialDate && !isPartialDate(v.Str()) {
			return dst, fmt.Errorf("%.64q is no partial date", v.Str())
		}
	case change.KindUint, change.KindDate, change.KindTime, change.KindInstant, change.KindWallTime:
		if v.Kind() != change.KindUint {
			if err := c.checkTime(v); err != nil {
				return dst, err
			}
		}
		var room [48]byte
		text := change.AppendText(room[:0], c.Column, v)
		return append(binary.AppendVarint(dst, int64(len(text))), text...), nil
	}
	if !utf8.ValidString(v.Str()) {
		return dst, errUTF8
	}
	return appendAvroString(dst, v.Str()), nil
}
