package rowimage

import (
	"fmt"

	"github.com/tailwater-cdc/tailwater/connectors/mysql/internal/myvalue"
	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// The fields of a TABLE_MAP's optional metadata. Others describe what no value depends on: geometry types, visibility, the dimensions of a
// VECTOR.
// Source: MySQL 9.7, libs/mysql/binlog/event/rows_event.h, Optional_metadata_field_type.
const (
	fieldSignedness      = 1
	fieldDefaultCharset  = 2
	fieldColumnCharset   = 3
	fieldColumnName      = 4
	fieldSetLabels       = 5
	fieldEnumLabels      = 6
	fieldKey             = 8
	fieldKeyPrefix       = 9
	fieldLabelDefault    = 10
	fieldLabelCollations = 11
)

// optional is a TABLE_MAP's optional metadata as it stands in the event.
type optional struct {
	unsigned        []byte // a bit for each numeric column, the highest of a byte first
	names           []string
	characters      collations // of text columns
	labels          collations // of ENUM and SET columns
	sets, enums     [][][]byte
	key, prefix     []int
	haveSignedness  bool
	haveCharacters  bool
	haveLabelSource bool
	columns         []myvalue.Type // what is known of the columns otherwise; nil: nothing
}

// adopt takes the names of columns that the event doesn't name.
func (o *optional) adopt(columns []myvalue.Type) {
	o.columns = columns
	for i := range columns {
		o.names = append(o.names, columns[i].Name)
	}
}

// collations say each column's collation, or one for all but the exceptions.
type collations struct {
	common     int
	exceptions map[int]int
	each       []int
}

func (c *collations) at(i int) (int, bool) {
	if c.each != nil {
		if i >= len(c.each) {
			return 0, false
		}
		return c.each[i], true
	}
	if id, ok := c.exceptions[i]; ok {
		return id, true
	}
	return c.common, true
}

func parseOptional(w *wire) (*optional, error) {
	o := &optional{}
	var seen [1 << 8]bool
	for w.more() {
		kind := w.number(1)
		f := wire{b: w.take(w.packed())}
		if w.bad {
			return nil, w.err()
		}
		if seen[kind] { // no server writes one twice, and which of them holds nobody can say
			return nil, fmt.Errorf("optional metadata %d stands twice: %w", kind, change.ErrHalt)
		}
		seen[kind] = true
		o.field(kind, &f)
		if f.bad {
			return nil, fmt.Errorf("optional metadata %d: %w", kind, f.err())
		}
	}
	return o, nil
}

func (o *optional) field(kind uint64, f *wire) {
	switch kind {
	case fieldSignedness:
		o.unsigned, o.haveSignedness = f.b, true
	case fieldDefaultCharset:
		o.characters, o.haveCharacters = f.common(), true
	case fieldColumnCharset:
		o.characters, o.haveCharacters = collations{each: f.numbers()}, true
	case fieldLabelDefault:
		o.labels, o.haveLabelSource = f.common(), true
	case fieldLabelCollations:
		o.labels, o.haveLabelSource = collations{each: f.numbers()}, true
	case fieldColumnName:
		for f.more() {
			o.names = append(o.names, string(f.take(f.packed())))
		}
	case fieldSetLabels:
		o.sets = f.lists()
	case fieldEnumLabels:
		o.enums = f.lists()
	case fieldKey:
		o.key = f.numbers()
	case fieldKeyPrefix:
		for f.more() {
			o.key = append(o.key, f.small())
			o.prefix = append(o.prefix, f.small())
		}
	}
}

// small reads a packed integer that must be below 2^31.
func (w *wire) small() int {
	n := w.packed()
	if n > 1<<31-1 {
		w.bad = true
		return 0
	}
	return int(n)
}

func (w *wire) numbers() []int {
	list := []int{}
	for w.more() {
		list = append(list, w.small())
	}
	return list
}

func (w *wire) common() collations {
	c := collations{common: w.small(), exceptions: map[int]int{}}
	for w.more() {
		at := w.small()
		c.exceptions[at] = w.small()
	}
	return c
}

// lists reads the labels of one column after another.
func (w *wire) lists() [][][]byte {
	var all [][][]byte
	for w.more() {
		var labels [][]byte
		for n := w.packed(); n > 0 && !w.bad; n-- {
			labels = append(labels, w.take(w.packed()))
		}
		all = append(all, labels)
	}
	return all
}

// apply hands the metadata to the columns. Each list counts only the columns that it is about.
func (o *optional) apply(m *TableMap) error {
	var numeric, character, labelled, sets, enums int
	for i := range m.Types {
		t := &m.Types[i]
		switch {
		case isNumeric(t) && o.columns != nil && !o.haveSignedness:
			t.Unsigned = o.columns[i].Unsigned
		case isNumeric(t):
			if !o.haveSignedness || numeric/8 >= len(o.unsigned) {
				return missing(t, "signedness")
			}
			t.Unsigned = t.Wire != myvalue.Year && o.unsigned[numeric/8]>>(7-numeric%8)&1 != 0
			numeric++
		case (t.Wire == myvalue.Enum || t.Wire == myvalue.Set) && o.columns != nil: // labels come with names only
			t.Collation, t.Labels = o.columns[i].Collation, o.columns[i].Labels
		case t.Wire == myvalue.Enum || t.Wire == myvalue.Set:
			id, ok := o.labels.at(labelled)
			if labelled++; !ok || !o.haveLabelSource {
				return missing(t, "collation")
			}
			t.Collation = id
			list, at := o.enums, &enums
			if t.Wire == myvalue.Set {
				list, at = o.sets, &sets
			}
			if *at >= len(list) {
				return missing(t, "labels")
			}
			if err := t.SetLabels(list[*at]); err != nil {
				return err
			}
			*at++
		case isCharacter(t) && o.columns != nil && !o.haveCharacters:
			t.Collation = o.columns[i].Collation
		case isCharacter(t):
			id, ok := o.characters.at(character)
			if character++; !ok || !o.haveCharacters {
				return missing(t, "collation")
			}
			if t.Wire != myvalue.Geometry && t.Wire != myvalue.Vector {
				t.Collation = id
			}
		}
	}
	return o.applyKey(m)
}

func missing(t *myvalue.Type, what string) error {
	return fmt.Errorf("column %s: no %s: set binlog_row_metadata=FULL, and write the table again: %w", t.Name, what, change.ErrHalt)
}

func (o *optional) applyKey(m *TableMap) error {
	for _, at := range o.key {
		if at >= len(m.Types) {
			return fmt.Errorf("key column %d of %d: %w", at, len(m.Types), change.ErrHalt)
		}
	}
	m.Key = o.key
	for _, n := range o.prefix {
		if n > 0 {
			m.Prefix = o.prefix
		}
	}
	return nil
}

func isNumeric(t *myvalue.Type) bool {
	switch t.Wire {
	case myvalue.Tiny, myvalue.Short, myvalue.Int24, myvalue.Long, myvalue.LongLong, myvalue.Year, myvalue.Float, myvalue.Double, myvalue.Decimal:
		return true
	}
	return false
}

// isCharacter says that the column has a place in the lists of collations. MySQL 9.7 counts a VECTOR too, and MariaDB a GEOMETRY.
func isCharacter(t *myvalue.Type) bool {
	switch t.Wire {
	case myvalue.String, myvalue.Varchar, myvalue.Blob, myvalue.BlobCompressed, myvalue.VarcharCompressed:
		return true
	case myvalue.Geometry:
		return t.Flavor == myvalue.MariaDB
	case myvalue.Vector:
		return t.Flavor == myvalue.MySQL
	}
	return false
}
