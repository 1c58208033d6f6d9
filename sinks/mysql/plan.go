package mysql

import (
	"database/sql"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/sinks/internal/upsert"
)

// column is one column of a plan: what is written and where its values come from.
type column struct {
	name   string // as the target has it, quoted
	way    way
	source int                                // ordinal in the shape; -1: one of ours
	own    func(row *upsert.Row) change.Value // of ours: its value
	key    bool
}

// value is what c takes from a row.
func (c *column) value(row *upsert.Row) change.Value {
	if c.own != nil {
		return c.own(row)
	}
	return row.Values[c.source]
}

// append appends the literal of what c takes from a row.
func (c *column) append(dst []byte, row *upsert.Row) ([]byte, error) {
	v := c.value(row)
	if !v.IsNull() {
		return c.way.append(dst, v)
	}
	if c.key { // a nullable column would take it, and a replay would add the row again
		return dst, reject(codeNull, "%s is part of the key and NULL", c.name)
	}
	return append(dst, "NULL"...), nil
}

// plan is how rows of one shape are written to one target table. It is immutable.
type plan struct {
	table    *change.Table
	name     string // of the target, database and table quoted
	listed   string // the same as the catalogue has it
	short    string // the table alone, quoted
	mode     Mode
	dialect  dialect
	columns  []column
	ordinals []int // column of each of the shape's columns; -1: left out
	key      []int // columns of the key, in its order
	own      []int // columns of ours
	stamped  []int // columns that the server stamps at every UPDATE which doesn't set them
	to       *target
	checked  bool     // its foreign keys are checked although the others are not
	absent   bool     // there is no target, and none is to be made: nothing is written
	looks    []string // of the target's columns, one of each lookSQL
	whole    []int    // the columns of whole rows
	put      insert
}

// keyed says that rows are found by a key, and not only once by Position.
func (p *plan) keyed() bool { return p.mode != Append && len(p.table.Key) > 0 }

// destination is where a sink's rows of one name go.
type destination struct {
	database string
	mode     Mode
	dialect  dialect
	folds    bool // the server keeps and compares names of tables and databases in lower case
}

// folded is a table's or the database's name as the catalogue has it.
func (d destination) folded(name string) string {
	if d.folds {
		return strings.ToLower(name)
	}
	return name
}

// newPlan matches a shape with a target that fits it; fit has checked that it does.
func newPlan(table *change.Table, to *target, at destination) (*plan, error) {
	p := &plan{table: table, name: qualified(at.database, table.Name), listed: qualified(at.folded(at.database), at.folded(table.Name)),
		short: quoteIdent(table.Name), mode: at.mode, dialect: at.dialect, to: to,
		ordinals: make([]int, len(table.Columns))}
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
		p.ordinals[i] = len(p.columns)
		if tc.restamped {
			p.stamped = append(p.stamped, len(p.columns))
		}
		p.columns = append(p.columns, column{name: quoteIdent(tc.name), way: w, source: i})
	}
	for _, k := range table.Key {
		p.key = append(p.key, p.ordinals[k])
		if p.keyed() {
			p.columns[p.ordinals[k]].key = true
		}
	}
	for _, name := range upsert.OwnColumns(at.mode.folding(), len(table.Key) == 0) {
		p.own = append(p.own, len(p.columns))
		p.columns = append(p.columns, p.ownColumn(name))
	}
	p.whole = p.present(nil)
	p.put = p.insert(p.whole)
	return p, nil
}

func (p *plan) ownColumn(name string) column {
	c := column{name: quoteIdent(name), source: -1, way: way{append: appendText}}
	stamp := way{append: datetimeOf(&targetColumn{fraction: 6})}
	switch name {
	case upsert.ColumnPos:
		c.own = upsert.PosOf
	case upsert.ColumnOp:
		c.own = upsert.OpOf
	case upsert.ColumnUnset:
		c.own = p.unsetOf
	case upsert.ColumnCommitted:
		c.way, c.own = stamp, upsert.CommittedOf
	case upsert.ColumnDeleted:
		c.way, c.own = stamp, upsert.DeletedOf
	}
	return c
}

// unsetOf names the columns that the log did not carry, as a JSON array: in Append mode NULL must not stand for them.
func (p *plan) unsetOf(r *upsert.Row) change.Value {
	var b []byte
	for i := range r.Values {
		if !r.Values[i].IsUnset() || p.ordinals[i] < 0 {
			continue
		}
		if b == nil {
			b = append(b, '[')
		} else {
			b = append(b, ',')
		}
		b = change.AppendJSONString(b, p.table.Columns[i].Name)
	}
	if b == nil {
		return change.Null()
	}
	return change.Text(string(append(b, ']')))
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

// ours returns the column of ours of that name; -1: there is none.
func (p *plan) ours(name string) int {
	return slices.IndexFunc(p.columns, func(c column) bool { return c.source < 0 && c.name == quoteIdent(name) })
}

// lookSQL are the statements that show how the target looks: its columns, and by what collations its key compares, which the columns of a result don't
// say. The optimizer sees that neither has a row to read.
func (p *plan) lookSQL() []string {
	statements := []string{"SELECT * FROM " + p.name + " LIMIT 0"}
	var collations []string
	for _, k := range p.key {
		if name := p.columns[k].name; p.collated(k) {
			collations = append(collations, "COLLATION(MAX("+name+"))")
		}
	}
	if len(collations) > 0 {
		statements = append(statements, "SELECT CONCAT_WS(' ', "+strings.Join(collations, ", ")+") FROM "+p.name+" WHERE FALSE")
	}
	return statements
}

// collated says that the target's column compares texts.
func (p *plan) collated(k int) bool {
	c := p.to.column(p.table.Columns[p.columns[k].source].Name)
	return c != nil && c.collation != ""
}

// look is what the server says to one of lookSQL: of the columns of an empty result their names, types, digits and fractions, else the collations.
func look(i int, rows *sql.Rows) (string, error) {
	if i > 0 {
		said, err := texts(rows)
		if err != nil || len(said) != 1 || said[0][0] == nil {
			return "", err
		}
		return *said[0][0], nil
	}
	columns, err := rows.ColumnTypes()
	if err != nil {
		return "", err
	}
	var b []byte
	for _, c := range columns {
		precision, scale, _ := c.DecimalSize()
		b = append(append(append(append(b, c.Name()...), 0), c.DatabaseTypeName()...), 0)
		b = append(strconv.AppendInt(append(strconv.AppendInt(b, precision, 10), ','), scale, 10), 0)
	}
	return string(b), rows.Err()
}

// same is an error if the target's columns are not those of the plan. Literals have no type: without this the server would make something of them.
func (p *plan) same(i int, rows *sql.Rows) error {
	now, err := look(i, rows)
	if err == nil && now != p.looks[i] {
		return &doubtful{retryError("%s was altered", p.name)}
	}
	return err
}

func (p *plan) String() string { return fmt.Sprintf("%s to %s", p.table, p.name) }
