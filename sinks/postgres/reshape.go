package postgres

import (
	"slices"
	"strconv"
	"strings"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/sinks/internal/reshape"
)

// shaped is a target in the words of package reshape.
type shaped struct {
	to   *target
	ddl  *ddl
	seen shapes
}

var _ reshape.Target = (*shaped)(nil)

// Column is reshape.Target.
func (s *shaped) Column(name string) (reshape.Facts, bool) {
	c := s.to.column(name)
	if c == nil {
		return reshape.Facts{}, false
	}
	return reshape.Facts{Name: c.name, NotNull: c.notNull, Needed: c.notNull && !c.defaults && !c.generated, Generated: c.generated}, true
}

// Width is reshape.Target. A column whose type the source never had is the target's own choice.
func (s *shaped) Width(name string, p reshape.Pair) reshape.Width {
	have, want := s.to.column(name).declared, declaredAs(s.ddl.table.Engine, p.New)
	follows := s.seen.columns[p.Old.Name][have] || s.seen.columns[p.New.Name][have]
	if missing := s.to.column(name).lacks(p.New); follows && have == want && len(missing) > 0 {
		if p.Old.Enum == nil || slices.ContainsFunc(*p.Old.Enum, func(l string) bool { return !slices.Contains(*p.New.Enum, l) }) {
			return reshape.Narrow
		}
		return reshape.Wider
	}
	switch {
	case have == want || !follows:
		return reshape.Same
	case wider(have, want):
		return reshape.Wider
	}
	return reshape.Narrow
}

// lacks are the labels that the target's enumeration doesn't have.
func (c *targetColumn) lacks(col *change.Column) (labels []string) {
	if col.Enum == nil || len(c.labels) == 0 {
		return nil
	}
	for _, l := range *col.Enum {
		if !slices.Contains(c.labels, l) {
			labels = append(labels, l)
		}
	}
	return labels
}

// labelsSQL adds labels to the target's enumeration, where they stand at the source.
func labelsSQL(c *targetColumn, col *change.Column) (statements []string) {
	for i, l := range *col.Enum {
		if slices.Contains(c.labels, l) {
			continue
		}
		place := " BEFORE " + quoteLiteral(c.labels[0])
		if i > 0 {
			place = " AFTER " + quoteLiteral((*col.Enum)[i-1])
		}
		statements = append(statements, "ALTER TYPE "+c.base+" ADD VALUE IF NOT EXISTS "+quoteLiteral(l)+place)
	}
	return statements
}

// SQL is reshape.Target.
func (s *shaped) SQL(steps []reshape.Step) string { return s.ddl.alter(steps, nil) }

// declaredType is a type as the catalogue shows it, taken apart: timestamp(3) without time zone.
type declaredType struct {
	name  string // without its arguments: timestamp without time zone
	args  []int
	plain bool // it was understood
}

func parseType(s string) declaredType {
	open := strings.IndexByte(s, '(')
	if open < 0 {
		return declaredType{name: s, plain: true}
	}
	end := strings.IndexByte(s, ')')
	if end < open {
		return declaredType{name: s}
	}
	t := declaredType{name: s[:open] + s[end+1:], plain: true}
	for _, arg := range strings.Split(s[open+1:end], ",") {
		n, err := strconv.Atoi(strings.TrimSpace(arg))
		if err != nil {
			return declaredType{name: s}
		}
		t.args = append(t.args, n)
	}
	return t
}

// digits are those of the integer types, which are the types that a numeric can hold whole.
var digits = map[string]int{"smallint": 5, "integer": 10, "bigint": 19}

// widenings are types of other names that hold every value of a type, as its cast leaves them.
var widenings = map[string][]string{
	"smallint":          {"integer", "bigint", "real", "double precision"},
	"integer":           {"bigint", "double precision"},
	"real":              {"double precision"},
	"character varying": {"text"},
	"text":              {"character varying"},
}

// wider says that every value of a type is one of the other, and that the server's cast leaves it as it is. Types that it doesn't know are not.
func wider(from, to string) bool {
	a, b := parseType(from), parseType(to)
	if !a.plain || !b.plain || strings.Contains(a.name, "[]") || strings.Contains(b.name, "[]") {
		return false
	}
	if b.name == "numeric" {
		return holdsDigits(a, b)
	}
	if a.name != b.name {
		return len(b.args) == 0 && slices.Contains(widenings[a.name], b.name)
	}
	switch a.name {
	case "character varying", "bit varying", "timestamp without time zone", "timestamp with time zone", "time without time zone",
		"time with time zone", "interval":
		return len(b.args) == 0 || len(a.args) == 1 && len(b.args) == 1 && b.args[0] >= a.args[0]
	}
	return false
}

// holdsDigits says that a numeric has room for every value of a number's type.
func holdsDigits(a, b declaredType) bool {
	whole, fraction := digits[a.name], 0
	if a.name == "numeric" && len(a.args) == 2 {
		whole, fraction = a.args[0]-a.args[1], a.args[1]
	}
	switch {
	case whole == 0 && (a.name != "numeric" || len(a.args) != 2):
		return false
	case len(b.args) == 0:
		return true
	case len(b.args) != 2:
		return false
	}
	return b.args[1] >= fraction && b.args[0]-b.args[1] >= whole
}
