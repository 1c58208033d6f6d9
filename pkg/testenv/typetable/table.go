package typetable

import (
	"fmt"
	"slices"
	"strings"
)

// Table is a family on one server: a column for each type, and a row for each value, which is NULL in all other columns, so that a value that
// a target refuses takes no other with it.
type Table struct {
	Name  string
	Types []Type
	Cells []Cell
}

// Cell is a value and where it stands.
type Cell struct {
	ID, Column int
	Value      Value
}

// Later is what is added to a row's id for the same row again, written later.
const Later = 10_000

// Tables returns the families on a server, by its name in testdata/servers.
func Tables(families []Family, server string) []Table {
	var tables []Table
	for i := range families {
		t := Table{Name: "t_" + families[i].Table, Types: families[i].On(server)}
		for c := range t.Types {
			for _, v := range t.Types[c].Values {
				t.Cells = append(t.Cells, Cell{ID: len(t.Cells) + 1, Column: c, Value: v})
			}
		}
		tables = append(tables, t)
	}
	return tables
}

// ColumnName is the name of a type's column.
func ColumnName(i int) string { return fmt.Sprintf("c%02d", i) }

// Setup is the SQL that makes the types.
func (t *Table) Setup() []string {
	var all []string
	for _, typ := range t.Types {
		if typ.Setup != "" && !slices.Contains(all, typ.Setup) {
			all = append(all, typ.Setup)
		}
	}
	return all
}

// CreateSQL makes the table.
func (t *Table) CreateSQL() string {
	var b strings.Builder
	b.WriteString("create table " + t.Name + " (id integer primary key")
	for i := range t.Types {
		b.WriteString(",\n" + ColumnName(i) + " " + t.Types[i].Definition())
	}
	b.WriteString(")")
	return b.String()
}

// InsertSQL writes all rows, their ids raised by more.
func (t *Table) InsertSQL(more int) string {
	var b strings.Builder
	for _, c := range t.Cells {
		fmt.Fprintf(&b, "insert into %s (id, %s) values (%d, %s);\n", t.Name, ColumnName(c.Column), c.ID+more, c.Value.SQL)
	}
	return b.String()
}

// Texts is a query of the ids and of an engine's own text of each column, whose types there are given by typ.
func (t *Table) Texts(engine string, typ func(column int) string) string {
	columns := []string{"id"}
	for i := range t.Types {
		name := ColumnName(i)
		expr := Shown(engine, typ(i), name)
		if own := t.Types[i].Own; own != "" && typ(i) == t.Types[i].Name {
			expr = strings.ReplaceAll(own, "%s", name)
		}
		columns = append(columns, expr+" as "+name)
	}
	return "select " + strings.Join(columns, ", ") + " from " + t.Name + " order by id"
}

// Differences holds rows of Texts against want, cell by cell, and returns a line for each that differs. A cell that wants Refused wants no row.
// The rows' ids are raised by more.
func (t *Table) Differences(rows [][]string, more int, want func(c Cell) string) []string {
	byID := map[string][]string{}
	for _, row := range rows {
		byID[row[0]] = row
	}
	var lines []string
	for _, c := range t.Cells {
		have, row := Refused, byID[fmt.Sprint(c.ID+more)]
		if row != nil {
			have = row[c.Column+1]
		}
		if wanted := want(c); have != wanted {
			lines = append(lines, fmt.Sprintf("%s of %s is %q, want %q", c.Value.SQL, t.Types[c.Column].Name, have, wanted))
		}
	}
	return lines
}
