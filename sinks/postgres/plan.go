package postgres

import (
	"fmt"
	"strings"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/sinks/internal/upsert"
)

// column is one column of a plan: what is written and where its values come from.
type column struct {
	name   string // unquoted
	way    way
	source int                                // ordinal in the shape; -1: one of ours
	own    func(row *upsert.Row) change.Value // of ours: its value
	same   string                             // for RemoveOne: "" if IS NOT DISTINCT FROM tells all values apart, else the type to compare as text
}

// value is what c takes from a row.
func (c *column) value(row *upsert.Row) change.Value {
	if c.own != nil {
		return c.own(row)
	}
	return row.Values[c.source]
}

// plan is how rows of one shape are written to one target table. It is immutable.
type plan struct {
	table      *change.Table
	name       string // of the target, schema and table quoted
	rows       string // see target.rows
	revision   string // of the target
	mode       Mode
	columns    []column
	ordinals   []int // column of each of the shape's columns; -1: left out
	key        []int // columns of the key, in its order
	own        []int // columns of ours
	identity   bool  // the target has a column that only OVERRIDING SYSTEM VALUE may set
	referenced bool
	checked    bool   // its foreign keys are checked although the others are not
	absent     bool   // there is no target, and none is to be made: nothing is written
	parted     bool   // see target
	skips      bool   // see target
	named      bool   // some column's values are names of the target's own objects
	put        string // the statement for whole rows
	remove     string
}

// keyed says that rows are found by a key, and not only once by Position.
func (p *plan) keyed() bool { return p.mode != Append && len(p.table.Key) > 0 }

// ownType is the type with which a column of ours is made.
func ownType(name string) string {
	switch name {
	case upsert.ColumnPos:
		return `text COLLATE "C" UNIQUE`
	case upsert.ColumnOp:
		return "text NOT NULL"
	case upsert.ColumnUnset:
		return "text[]"
	}
	return "timestamp with time zone"
}

// newPlan matches a shape with a target that fits it; fit has checked that it does.
func newPlan(table *change.Table, to *target, schema string, mode Mode) (*plan, error) {
	p := &plan{table: table, name: quoteIdent(schema) + "." + quoteIdent(table.Name), revision: to.revision, mode: mode, referenced: to.referenced, parted: to.parted, skips: to.skips,
		ordinals: make([]int, len(table.Columns))}
	p.rows = to.rows(p.name)
	for i := range table.Columns {
		col := &table.Columns[i]
		p.ordinals[i] = -1
		tc := to.column(col.Name)
		if tc == nil || tc.generated {
			continue // fit has made sure that only what either side computes itself is left out
		}
		w, why := wayTo(table.Engine, col, tc)
		if why != "" {
			return nil, halt("%s.%s of %s can't hold the source's %s as it is: %s", p.name, quoteIdent(col.Name), tc.declared, col.Native, why)
		}
		p.identity = p.identity || tc.identity
		p.named = p.named || namesObjects(tc)
		p.ordinals[i] = len(p.columns)
		p.columns = append(p.columns, column{name: tc.name, way: w, source: i, same: compareAs(tc)})
	}
	for _, k := range table.Key {
		p.key = append(p.key, p.ordinals[k])
	}
	for _, name := range upsert.OwnColumns(mode.folding(), len(table.Key) == 0) {
		p.own = append(p.own, len(p.columns))
		p.columns = append(p.columns, p.ownColumn(name))
	}
	if p.keyed() {
		p.put, p.remove = p.putSQL(p.present(nil)), p.removeSQL()
	}
	return p, nil
}

func (p *plan) ownColumn(name string) column {
	c := column{name: name, source: -1, way: way{param: paramText, append: textOf(&change.Column{Kind: change.KindText})}}
	switch name {
	case upsert.ColumnPos:
		c.own = upsert.PosOf
	case upsert.ColumnOp:
		c.own = upsert.OpOf
	case upsert.ColumnUnset:
		c.way.cast = "text[]"
		c.own = p.unsetOf
	case upsert.ColumnCommitted:
		c.way = way{param: paramTimestamptz, append: appendMicros}
		c.own = upsert.CommittedOf
	case upsert.ColumnDeleted:
		c.way = way{param: paramTimestamptz, append: appendMicros}
		c.own = upsert.DeletedOf
	}
	return c
}

// unsetOf names the columns that the log did not carry, as an array's text: in Append mode NULL must not stand for them.
func (p *plan) unsetOf(r *upsert.Row) change.Value {
	var b strings.Builder
	for i := range r.Values {
		if !r.Values[i].IsUnset() || p.ordinals[i] < 0 {
			continue
		}
		if b.Len() > 0 {
			b.WriteByte(',')
		}
		b.WriteString(`"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(p.table.Columns[i].Name) + `"`)
	}
	if b.Len() == 0 {
		return change.Null()
	}
	return change.Text("{" + b.String() + "}")
}

// present returns the columns to write for rows that have these ordinals of the shape, nil: all; ours are at the end.
func (p *plan) present(ordinals []int) []int {
	var out []int
	if ordinals == nil {
		for _, at := range p.ordinals {
			if at >= 0 {
				out = append(out, at)
			}
		}
		return append(out, p.own...)
	}
	for _, i := range ordinals {
		if at := p.ordinals[i]; at >= 0 {
			out = append(out, at)
		}
	}
	return append(out, p.own...)
}

func (p *plan) isKey(column int) bool {
	for _, k := range p.key {
		if k == column {
			return true
		}
	}
	return false
}

// compareAs tells how RemoveOne compares values of a type: "" where IS NOT DISTINCT FROM tells apart all that differ, else the type whose text is
// compared: types without equality (json, xml, point), and those that take different texts for equal (numeric, citext).
func compareAs(c *targetColumn) string {
	switch c.typ {
	case oidBool, oidInt2, oidInt4, oidInt8, oidBytea, oidUUID, oidDate, oidTime, oidTimestamp, oidTimestamptz:
		return ""
	case oidText, oidVarchar:
		if c.bytewise {
			return ""
		}
	case oidNumeric:
		if c.typmod >= 0 { // all of its values have one scale, and the source's may have another
			return ""
		}
	}
	return c.bare
}

func (p *plan) String() string { return fmt.Sprintf("%s to %s", p.table, p.name) }
