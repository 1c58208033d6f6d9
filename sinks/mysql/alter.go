package mysql

import (
	"slices"
	"strings"

	"github.com/tailwater-cdc/tailwater/sinks/internal/reshape"
)

// altered is what the steps do to one column that is there.
type altered struct {
	name  string // in the target
	to    string // the name that it gets; empty: it keeps its own
	made  string // the type that it gets; empty: it keeps its own
	relax bool
	drop  bool
}

// alter makes the one statement for the steps and for columns of ours that the target lacks, which either happens or doesn't; empty if there
// is nothing to do.
func (d *ddl) alter(steps []reshape.Step, own []string) string {
	var columns []*altered
	var parts []string
	of := func(name string) *altered {
		if i := slices.IndexFunc(columns, func(a *altered) bool { return a.name == name }); i >= 0 {
			return columns[i]
		}
		columns = append(columns, &altered{name: name})
		return columns[len(columns)-1]
	}
	for _, s := range steps {
		switch s.Op {
		case reshape.Rename:
			of(s.Name).to = s.Column.Name
		case reshape.Retype:
			of(s.Name).made = d.types[d.table.ColumnIndex(s.Column.Name)]
		case reshape.Relax:
			of(s.Name).relax = true
		case reshape.Drop:
			of(s.Name).drop = true
		}
	}
	for _, a := range columns {
		parts = append(parts, d.altered(a))
	}
	for _, s := range steps {
		if s.Op == reshape.Add {
			parts = append(parts, "ADD COLUMN "+quoteIdent(s.Column.Name)+" "+d.types[d.table.ColumnIndex(s.Column.Name)]+" NULL")
		}
	}
	for _, name := range own {
		parts = append(parts, "ADD COLUMN "+quoteIdent(name)+" "+ownType(name))
	}
	var statements []string
	if len(parts) > 0 {
		statements = append(statements, "ALTER TABLE "+d.name+" "+strings.Join(parts, ", "))
	}
	for _, s := range steps {
		if s.Op == reshape.Clear { // printed only
			statements = append(statements, "UPDATE "+d.name+" SET "+quoteIdent(s.Name)+" = NULL")
		}
	}
	return strings.Join(statements, "; ")
}

// altered is one column's part of the statement. A definition has to be given whole: what it doesn't say is lost.
func (d *ddl) altered(a *altered) string {
	switch {
	case a.drop:
		return "DROP COLUMN " + quoteIdent(a.name)
	case a.made == "" && !a.relax:
		return "RENAME COLUMN " + quoteIdent(a.name) + " TO " + quoteIdent(a.to)
	}
	tc, part := d.to.column(a.name), "MODIFY "+quoteIdent(a.name)
	if a.to != "" {
		part = "CHANGE " + quoteIdent(a.name) + " " + quoteIdent(a.to)
	}
	definition := a.made
	if definition == "" {
		definition = tc.declared
	}
	if tc.charset != "" && !strings.Contains(definition, " CHARACTER SET ") && hasCharset(definition) {
		definition += " CHARACTER SET " + tc.charset + " COLLATE " + tc.collation
	}
	null := " NULL"
	if tc.notNull && !a.relax {
		null = " NOT NULL"
	}
	return part + " " + definition + null
}

func hasCharset(declared string) bool {
	switch families[typeName(declared)] {
	case familyText, familyEnum, familySet:
		return true
	}
	return false
}

// rekey makes the statement that gives the target the shape's key instead of the one that index holds.
func (d *ddl) rekey(old index) string {
	parts := []string{"DROP INDEX " + quoteIdent(old.name)}
	if old.name == "PRIMARY" {
		parts[0] = "DROP PRIMARY KEY"
	}
	var key []string
	for _, k := range d.table.Key {
		key = append(key, quoteIdent(d.table.Columns[k].Name))
	}
	if len(key) > 0 {
		parts = append(parts, "ADD PRIMARY KEY ("+strings.Join(key, ", ")+")")
	}
	return "ALTER TABLE " + d.name + " " + strings.Join(parts, ", ")
}
