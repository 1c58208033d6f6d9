package postgres

import (
	"strings"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/sinks/internal/reshape"
	"github.com/tailwater-cdc/tailwater/sinks/internal/upsert"
)

// What tests from outside need of the inside.
var (
	QuoteIdent    = quoteIdent
	CheckIdent    = checkIdent
	ClassOfCode   = classOf
	AppendNumeric = appendNumeric
	Wider         = wider
)

// TargetColumn describes a column of a target without a server.
type TargetColumn struct {
	Name, Bare, Declared string
	Type                 uint32
	Typmod               int
	Generated, Identity  bool
}

// EncodeColumns encodes every column of the rows of c, which are whole and of one table, into buffers that are used again. It returns what does so.
func EncodeColumns(table *change.Table, columns []TargetColumn, c []change.Change) (func() error, error) {
	to := &target{kind: "r"}
	for _, tc := range columns {
		to.columns = append(to.columns, targetColumn{name: tc.Name, typ: tc.Type, typmod: tc.Typmod, bare: tc.Bare, declared: tc.Declared, bytewise: true})
	}
	p, err := newPlan(table, to, "shop", Upsert)
	if err != nil {
		return nil, err
	}
	rows := make([]upsert.Row, len(c))
	for i := range c {
		rows[i] = upsert.Row{Values: c[i].After, Last: &c[i]}
	}
	buffers := make([][]byte, len(p.columns))
	return func() error {
		for i := range p.columns {
			var err error
			if buffers[i], err = p.columns[i].appendArray(buffers[i][:0], rows); err != nil {
				return err
			}
		}
		return nil
	}, nil
}

// Statements returns every statement for rows of table in a target of these columns: for whole rows, and for rows of which only
// the columns at present have come.
func Statements(table *change.Table, columns []TargetColumn, mode Mode, present []int) (string, error) {
	to := &target{kind: "r"}
	for i, c := range columns {
		to.columns = append(to.columns, targetColumn{number: i + 1, name: c.Name, typ: c.Type, typmod: c.Typmod, bare: c.Bare, declared: c.Declared,
			generated: c.Generated, identity: c.Identity, bytewise: true})
	}
	p, err := newPlan(table, to, "shop", mode)
	if err != nil {
		return "", err
	}
	d := &ddl{table: table, name: p.name, mode: mode}
	for i := range table.Columns {
		d.types = append(d.types, nativeType(&table.Columns[i]))
	}
	truncate := truncateSQL([]*plan{p})
	if mode == SoftDelete {
		truncate = p.stampAllSQL()
	}
	parts := []string{"-- create", d.create(), "-- add a column", d.alter([]reshape.Step{{Op: reshape.Add, Column: &table.Columns[1], Name: table.Columns[1].Name}}, nil), "-- truncate", truncate}
	part := func(name, sql string) { parts = append(parts, "-- "+name, sql) }
	switch {
	case p.keyed():
		part("put", p.put)
		part("remove", p.remove)
		part("patch", p.patchSQL(p.present(present)))
		part("patch of nothing but the key", p.patchSQL(p.key))
	default:
		part("add", p.addSQL(p.present(nil)))
		part("add with holes", p.addSQL(p.present(present)))
	}
	if mode != Append && len(table.Key) == 0 {
		part("remove one", p.removeOneSQL(p.removedOne(&upsert.Run{})))
	}
	return strings.Join(parts, "\n") + "\n", nil
}
