package codec

import (
	"unicode/utf8"

	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// reserved is the name that markers' keys have and no column may have.
const reserved = "__tailwater"

// layout is what encoding and decoding a table's rows share: made once per *change.Table.
type layout struct {
	table   *change.Table
	columns []column
	byName  map[string]int // made by ordinal
}

type column struct {
	*change.Column
	name string // `,"id":`
	unit int64  // microseconds that a Time, Instant or WallTime of this precision is a multiple of
	set  bool   // it is one of MySQL's sets
}

// maxColumns bounds what reading one record may take, whatever a shape says; no engine has tables as wide.
const maxColumns = 16_384

func newLayout(t *change.Table) (*layout, error) {
	if len(t.Columns) > maxColumns {
		return nil, errorf("table %s has %d columns, at most %d can be carried", t, len(t.Columns), maxColumns)
	}
	l := &layout{table: t, columns: make([]column, len(t.Columns))}
	seen := make(map[string]bool, len(t.Columns))
	for i := range t.Columns {
		c := &t.Columns[i]
		switch {
		case seen[c.Name]:
			return nil, errorf("table %s: two columns are named %q", t, c.Name)
		case c.Name == reserved:
			return nil, errorf("table %s: column name %q is reserved; rename the column or leave it out", t, c.Name)
		case !utf8.ValidString(c.Name):
			return nil, errorf("table %s: column name %q is not UTF-8", t, c.Name)
		case c.Kind <= change.KindNull || c.Kind > change.KindNative:
			return nil, errorf("table %s: column %s is of kind %s", t, c.Name, c.Kind)
		}
		seen[c.Name] = true
		l.columns[i] = column{Column: c, name: string(append(change.AppendJSONString([]byte{','}, c.Name), ':')), unit: unitOf(c.Precision), set: isSet(t.Engine, c)}
	}
	key := make([]bool, len(t.Columns))
	for _, k := range t.Key {
		if k < 0 || k >= len(t.Columns) || key[k] {
			return nil, errorf("table %s: key column %d of %d is out of range or stands twice", t, k, len(t.Columns))
		}
		key[k] = true
	}
	return l, nil
}

// ordinal returns which column has that name. Only a decoder that meets columns out of their order asks, so byName is made for the first question.
func (l *layout) ordinal(name []byte) (int, bool) {
	if l.byName == nil {
		l.byName = make(map[string]int, len(l.columns))
		for i := range l.columns {
			l.byName[l.columns[i].Name] = i
		}
	}
	i, ok := l.byName[string(name)]
	return i, ok
}

// unitOf returns the microseconds of one unit in the last of digits fraction digits.
func unitOf(digits int) int64 {
	unit := int64(1_000_000)
	for range min(max(digits, 0), 6) {
		unit /= 10
	}
	return unit
}
