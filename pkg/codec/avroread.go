package codec

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"unicode/utf8"

	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// avroReader walks a body in Avro.
type avroReader struct {
	b   []byte
	bad bool
}

func (r *avroReader) long() int64 {
	n, size := binary.Varint(r.b)
	if size <= 0 {
		r.bad, r.b = true, nil
		return 0
	}
	r.b = r.b[size:]
	return n
}

func (r *avroReader) take(n int64) []byte {
	if n < 0 || n > int64(len(r.b)) {
		r.bad, r.b = true, nil
		return nil
	}
	out := r.b[:n]
	r.b = r.b[n:]
	return out
}

func (r *avroReader) text() []byte { return r.take(r.long()) }

// present reads the place in a union of null and something.
func (r *avroReader) present() bool {
	n := r.long()
	if n != 0 && n != 1 {
		r.bad = true
	}
	return n == 1
}

var errAvro = errors.New("not a body of the schema that the table's shape has")

// avroShape is what an avroRow is made for: a shape, and the columns in it that are text.
type avroShape struct {
	l    *layout
	text string
}

func (d *Decoder) avroRowOf(l *layout, text []byte) (*avroRow, error) {
	if d.avroLast != nil && d.avroLast.l == l && d.avroLast.text == string(text) {
		return d.avroLast, nil
	}
	shape := avroShape{l, string(text)}
	row := d.avroRows[shape]
	if row == nil {
		var err error
		if row, err = newAvroRow(l, text); err != nil {
			return nil, err
		}
		if len(d.avroRows) >= maxPlans {
			clear(d.avroRows)
		}
		d.avroRows[shape] = row
	}
	d.avroLast = row
	return row, nil
}

// avro reads a value. The shape says how its schema is, so the registry is not asked.
func (d *Decoder) avro(c *change.Change, row *avroRow, value []byte) (err error) {
	if len(value) < avroHead || value[0] != 0 {
		return errAvro
	}
	r := avroReader{b: value[avroHead:]}
	d.rows.begin()
	if c.Before, err = d.avroSide(&r, row, unsetColumns{set: d.unset.before, count: d.unset.beforeCount}); err != nil {
		return fmt.Errorf("before: %w", err)
	}
	if c.After, err = d.avroSide(&r, row, unsetColumns{set: d.unset.after, count: d.unset.afterCount, placeholders: true}); err != nil {
		return fmt.Errorf("after: %w", err)
	}
	r.passSource(row.l.table.Engine)
	switch string(r.text()) {
	case "c":
		c.Op = change.Insert
	case "u":
		c.Op = change.Update
	case "d":
		c.Op = change.Delete
	case "r":
		c.Op = change.SnapshotRow
	default:
		return errAvro
	}
	if r.present() {
		r.long()
	}
	if r.bad || len(r.b) > 0 {
		return errAvro
	}
	d.rows.finish()
	return nil
}

func (r *avroReader) passSource(engine string) {
	for range 3 {
		r.text()
	}
	if r.present() {
		r.long()
	}
	r.text() // snapshot
	r.text() // db
	switch engine {
	case "postgres":
		r.text()
		r.text()
		for range 2 {
			if r.present() {
				r.long()
			}
		}
	case "mysql", "mariadb":
		r.text()
		if r.present() {
			r.text()
		}
		r.text()
		r.long()
	default:
		r.text()
	}
}

// avroSide reads the union of null and a row.
func (d *Decoder) avroSide(r *avroReader, row *avroRow, unset unsetColumns) ([]change.Value, error) {
	if !r.present() {
		if unset.count > 0 {
			return nil, errUnset
		}
		return nil, nil
	}
	out := make([]change.Value, len(row.columns))
	for i := range row.columns {
		col := &row.columns[i]
		if col.optional && !r.present() {
			if unset.has(i) && !unset.placeholders {
				continue
			}
			if out[i] = change.Null(); unset.has(i) {
				return nil, fmt.Errorf("column %s %w", col.Name, errUnset)
			}
			continue
		}
		if unset.has(i) {
			if !unset.placeholders || string(r.text()) != placeholder {
				return nil, fmt.Errorf("column %s %w", col.Name, errUnset)
			}
			continue
		}
		if err := d.rows.avro(r, col, &out[i]); err != nil {
			return nil, fmt.Errorf("column %s: %w", col.Name, err)
		}
		if r.bad {
			return nil, fmt.Errorf("column %s: %w", col.Name, errAvro)
		}
	}
	return out, nil
}

// avro reads a value without its place in the union.
func (r *rowReader) avro(b *avroReader, col *avroColumn, v *change.Value) error {
	switch col.typ {
	case avroBool:
		one := b.take(1)
		if len(one) == 1 && one[0] > 1 {
			return errAvro
		}
		*v = change.Bool(len(one) == 1 && one[0] == 1)
	case avroInt, avroLong:
		n := b.long()
		if col.typ == avroInt && (n > math.MaxInt32 || n < math.MinInt32) || col.Kind == change.KindUint && (n < 0 || n > math.MaxUint32) {
			return errRange
		}
		if *v = change.Int(n); col.Kind == change.KindUint {
			*v = change.Uint(uint64(n))
		}
	case avroFloat:
		if f := b.take(4); f != nil {
			*v = change.Float32(math.Float32frombits(binary.LittleEndian.Uint32(f)))
		}
	case avroDouble:
		if f := b.take(8); f != nil {
			*v = change.Float64(math.Float64frombits(binary.LittleEndian.Uint64(f)))
		}
	case avroDate, avroTime, avroInstant, avroWallTime:
		return r.avroTime(b.long(), col, v)
	case avroDecimal:
		start := len(r.text)
		r.text = appendDecimalText(r.text, b.text(), col.Scale)
		r.keep(v, change.KindDecimal, start)
	default:
		return r.avroText(b.text(), col, v)
	}
	return nil
}

func (r *rowReader) avroTime(n int64, col *avroColumn, v *change.Value) error {
	switch col.typ {
	case avroDate:
		if n > math.MaxInt32 || n < math.MinInt32 {
			return errRange
		}
		*v = change.Date(n - epochDays)
	case avroTime:
		if n < 0 || n > microsPerDay {
			return errRange
		}
		*v = change.Time(n)
	default:
		if n < math.MinInt64+epochMicros+1 { // the two infinities have no number here
			return errRange
		}
		if *v = change.Instant(n - epochMicros); col.Kind == change.KindWallTime {
			*v = change.WallTime(n - epochMicros)
		}
	}
	return col.checkTime(*v)
}

func (r *rowReader) avroText(b []byte, col *avroColumn, v *change.Value) (err error) {
	switch col.Kind {
	case change.KindUint:
		*v, err = change.ParseText(col.Column, string(b))
		return err
	case change.KindDate, change.KindTime, change.KindInstant, change.KindWallTime:
		r.word = append(r.word[:0], b...)
		return r.timeText(col.column, v)
	}
	if col.typ != avroBytes && !utf8.Valid(b) {
		return errUTF8
	}
	start := len(r.text)
	r.text = append(r.text, b...)
	r.keep(v, col.Kind, start)
	return nil
}

// avroKey holds a record's key against its row.
func (d *Decoder) avroKey(c *change.Change, row *avroRow, key []byte) (err error) {
	if len(c.Table.Key) == 0 {
		if key != nil {
			return fmt.Errorf("%w: %.255q, and the table has none", errKey, key)
		}
		return nil
	}
	if d.key, err = row.appendKey(d.key[:0], c.Row()); err != nil {
		return err
	}
	if len(key) < avroHead || key[0] != 0 || !bytes.Equal(key[avroHead:], d.key) {
		return fmt.Errorf("%w: %.255q, want %.255q", errKey, key, d.key)
	}
	return nil
}
