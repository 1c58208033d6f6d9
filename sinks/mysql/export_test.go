package mysql

import (
	"context"
	"strings"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/sinks/internal/reshape"
	"github.com/tailwater-cdc/tailwater/sinks/internal/upsert"
)

// What tests from outside need of the inside.
var (
	QuoteIdent    = quoteIdent
	QuoteLiteral  = quoteLiteral
	CheckIdent    = checkIdent
	ClassOfNumber = classOf
	ParseLabels   = parseLabels
	Wider         = wider
	AppendFloat   = appendFloat
	AppendBytes   = appendBytes
	Inexact       = inexact
	AppendDecimal = decimalOf(30)
)

// Session is what every connection begins with.
func Session(mariadb bool) string { return dialect{mariadb}.session() }

// TargetColumn describes a column of a target without a server.
type TargetColumn struct {
	Name, Type, Declared, Charset, Collation string
	Length, Precision, Scale, Fraction       int
	Generated, Restamped                     bool
}

// Golden is one case of the golden files.
type Golden struct {
	Table   *change.Table
	Columns []TargetColumn
	Mode    Mode
	MariaDB bool
	Changes []change.Change
}

func (g *Golden) plan() (*plan, destination, error) {
	to := &target{base: true, engine: "InnoDB", references: []foreignKey{{table: qualified("shop", g.Table.Name), columns: []string{"up"}, nullable: true}}}
	for _, c := range g.Columns {
		to.columns = append(to.columns, targetColumn{name: c.Name, typ: c.Type, declared: c.Declared, charset: c.Charset, collation: c.Collation, length: c.Length,
			precision: c.Precision, scale: c.Scale, fraction: c.Fraction, generated: c.Generated, restamped: c.Restamped})
	}
	at := destination{database: "shop", mode: g.Mode, dialect: dialect{g.MariaDB}}
	p, err := newPlan(g.Table, to, at)
	return p, at, err
}

// Write returns what does the work of a call's rows without a server, and shows the statements that it makes.
func (g *Golden) Write() (func() (string, error), error) {
	p, _, err := g.plan()
	if err != nil {
		return nil, err
	}
	x := newScript(nil, 1<<30)
	w := writer{x: x, plans: map[*change.Table]*plan{g.Table: p}}
	return func() (string, error) {
		x.reset()
		steps, err := upsert.Fold(g.Changes, g.Mode.folding())
		if err != nil {
			return "", err
		}
		err = w.write(context.Background(), steps) // nothing is sent
		return string(x.b), err
	}, nil
}

// Statements returns every statement for the case's changes, and those that make the table.
func (g *Golden) Statements() (string, error) {
	p, at, err := g.plan()
	if err != nil {
		return "", err
	}
	d := newDDL(g.Table, at)
	write, err := g.Write()
	if err != nil {
		return "", err
	}
	rows, err := write()
	if err != nil {
		return "", err
	}
	parts := []string{"-- create", d.create(), "-- add a column", d.alter([]reshape.Step{{Op: reshape.Add, Column: &g.Table.Columns[1]}}, nil), "-- changes", rows}
	if g.Mode == Upsert {
		parts = append(parts, "-- truncate", strings.Join(emptySQL([]*plan{p}), ";\n"))
	}
	return strings.Join(parts, "\n") + "\n", nil
}
