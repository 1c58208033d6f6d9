package rowimage

import (
	"fmt"

	"github.com/tailwater-cdc/tailwater/connectors/mysql/internal/myvalue"
	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// TableMap is a TABLE_MAP event: the shape of the rows that follow it. It owns its bytes.
type TableMap struct {
	ID     uint64 // what row events call the table until the next TABLE_MAP; another one after a restart
	Schema string
	Name   string
	Types  []myvalue.Type
	Key    []int // ordinals of the primary key, in the key's order; empty: none
	Prefix []int // characters or bytes of each key column that the key holds, 0 for all; nil: all of each
}

// String returns schema.name, for messages.
func (m *TableMap) String() string { return m.Schema + "." + m.Name }

const (
	idSize = 6
	// maxColumns is what a table may have, in either server.
	maxColumns = 4096
)

// ParseTableMap decodes the body of a TABLE_MAP event. Without column names it says to set binlog_row_metadata=FULL. A caller that keeps
// bodies can tell the same shape by the bytes behind the first six, which are the ID.
func ParseTableMap(body []byte, flavor string) (*TableMap, error) {
	return parseTableMap(body, flavor, nil)
}

// ParseBareTableMap decodes the body of a TABLE_MAP event that has no column names. columns are the table's at that place, in order, as the caller
// knows them: what the event lacks is theirs, and it has no Key. What the event has is its own: myvalue.Agree holds the two against each other.
func ParseBareTableMap(body []byte, flavor string, columns []myvalue.Type) (*TableMap, error) {
	if len(columns) == 0 {
		return nil, fmt.Errorf("no columns: %w", ErrNoNames)
	}
	return parseTableMap(body, flavor, columns)
}

// ErrNoNames says that a TABLE_MAP has no column names.
var ErrNoNames = fmt.Errorf("no column names: set binlog_row_metadata=FULL, and write the table again: %w", change.ErrHalt)

func parseTableMap(body []byte, flavor string, columns []myvalue.Type) (*TableMap, error) {
	w := wire{b: body}
	m := &TableMap{ID: w.number(idSize)}
	w.take(2) // flags
	m.Schema = w.name()
	m.Name = w.name()
	count := w.packed()
	if w.bad || count == 0 || count > maxColumns {
		return nil, fmt.Errorf("table map %s: %d columns: %w: %w", m, count, errShort, change.ErrHalt)
	}
	wires := w.take(count)
	meta := wire{b: w.take(w.packed())}
	nullable := w.take((count + 7) / 8)
	if w.bad {
		return nil, fmt.Errorf("table map %s: %w", m, w.err())
	}
	o, err := parseOptional(&w)
	if err != nil {
		return nil, fmt.Errorf("table map %s: %w", m, err)
	}
	if len(o.names) == 0 {
		if columns == nil {
			return nil, fmt.Errorf("table map %s: %w", m, ErrNoNames)
		}
		o.adopt(columns)
	}
	if len(o.names) != int(count) {
		return nil, fmt.Errorf("table map %s: %d names for %d columns: %w", m, len(o.names), count, change.ErrHalt)
	}
	m.Types = make([]myvalue.Type, count)
	for i := range m.Types {
		t := &m.Types[i]
		t.Name, t.Wire, t.Nullable, t.Flavor = o.names[i], wires[i], bit(nullable, i), flavor
		if err := describe(t, &meta); err != nil {
			return nil, fmt.Errorf("table map %s: column %s: %w", m, t.Name, err)
		}
	}
	if meta.bad || len(meta.b) > 0 {
		return nil, fmt.Errorf("table map %s: metadata of another length: %w", m, change.ErrHalt)
	}
	if err := o.apply(m); err != nil {
		return nil, fmt.Errorf("table map %s: %w", m, err)
	}
	return m, nil
}

// name reads a length, as many bytes and a zero.
func (w *wire) name() string {
	s := w.take(w.number(1))
	w.take(1)
	return string(s)
}

// describe reads what the metadata block says of a column.
func describe(t *myvalue.Type, meta *wire) error {
	switch t.Wire {
	case myvalue.Tiny, myvalue.Short, myvalue.Int24, myvalue.Long, myvalue.LongLong, myvalue.Year, myvalue.Date,
		myvalue.Timestamp, myvalue.Datetime, myvalue.Time:
	case myvalue.Float, myvalue.Double:
		meta.take(1) // 4 or 8
	case myvalue.Timestamp2, myvalue.Datetime2, myvalue.Time2:
		t.Precision = int(meta.number(1))
	case myvalue.Blob, myvalue.BlobCompressed, myvalue.Geometry, myvalue.JSON, myvalue.Vector:
		t.Length = int(meta.number(1))
	case myvalue.Varchar, myvalue.VarcharCompressed:
		t.Length = int(meta.number(2))
	case myvalue.Bit:
		spare := int(meta.number(1))
		t.Bits = spare + 8*int(meta.number(1))
	case myvalue.Decimal:
		t.Precision, t.Scale = int(meta.number(1)), int(meta.number(1))
	case myvalue.String:
		describeString(t, meta)
	default:
		return fmt.Errorf("type %d: %w", t.Wire, errUnknownType)
	}
	if meta.bad {
		return meta.err()
	}
	return t.Check()
}

var errUnknownType = fmt.Errorf("a type that this version doesn't know: %w", change.ErrHalt)

// describeString reads the real type and length of a STRING; the two bits that a length above 255 needs stand, inverted, in the type.
func describeString(t *myvalue.Type, meta *wire) {
	real, length := meta.number(1), meta.number(1)
	if real&0x30 != 0x30 {
		length |= (real&0x30 ^ 0x30) << 4
		real |= 0x30
	}
	t.Wire, t.Length = byte(real), int(length)
}
