package mysql

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
	have, want := plainType(s.to.column(name).declared), bare(s.ddl.types[s.ddl.table.ColumnIndex(p.New.Name)])
	follows := s.seen.columns[p.Old.Name][have] || s.seen.columns[p.New.Name][have]
	switch {
	case have == want || !follows:
		return reshape.Same
	case wider(have, want):
		return reshape.Wider
	case ourEngine(s.ddl.table.Engine) && holdsText(parseType(want), parseType(have)) && keepsText(p):
		return reshape.Same // it was made larger than the source's type, whose character set was another one
	}
	return reshape.Narrow
}

// keepsText says that a text of the source has room for what it had before, also in another character set.
func keepsText(p reshape.Pair) bool {
	room := func(col *change.Column, bytes int) int {
		native, ok := uncompressed(col.Native)
		if !ok {
			native = col.Native
		}
		t := parseType(native)
		if families[t.name] != familyText || t.name == "char" {
			return 0
		}
		return max(capacity[t.name]/bytes, t.arg(0, 0))
	}
	bytes := 1
	if p.Old.Charset != p.New.Charset {
		bytes = charBytes
	}
	was := room(p.Old, 1)
	return was > 0 && room(p.New, bytes) >= was
}

// SQL is reshape.Target.
func (s *shaped) SQL(steps []reshape.Step) string { return s.ddl.alter(steps, nil) }

// declaredType is a type as the catalogue shows it, taken apart: decimal(10,2) unsigned.
type declaredType struct {
	name     string
	args     []int
	labels   []string // of an enum or set
	unsigned bool
	plain    bool // it was understood
}

func parseType(s string) declaredType {
	t := declaredType{name: typeName(s), plain: true}
	if t.name == "enum" || t.name == "set" {
		t.labels = parseLabels(s)
		return t
	}
	rest := strings.TrimPrefix(s, t.name)
	if strings.HasPrefix(rest, "(") {
		inside, after, ok := strings.Cut(rest[1:], ")")
		if !ok {
			return declaredType{name: s}
		}
		for _, arg := range strings.Split(inside, ",") {
			n, err := strconv.Atoi(arg)
			if err != nil {
				return declaredType{name: s}
			}
			t.args = append(t.args, n)
		}
		rest = after
	}
	t.unsigned = rest == " unsigned"
	t.plain = rest == "" || t.unsigned
	return t
}

func (t declaredType) arg(i, fallback int) int {
	if i < len(t.args) {
		return t.args[i]
	}
	return fallback
}

// integers are the integer types from small to large, and the digits of their largest numbers.
var (
	integers       = []string{"tinyint", "smallint", "mediumint", "int", "bigint"}
	integerDigits  = []int{3, 5, 7, 10, 19}
	unsignedDigits = []int{3, 5, 8, 10, 20}
)

// capacity is how many bytes the types without a declared length take. Source: MySQL manual 13.7, Data Type Storage Requirements.
var capacity = map[string]int{"tinytext": 1<<8 - 1, "text": 1<<16 - 1, "mediumtext": 1<<24 - 1, "longtext": 1<<32 - 1,
	"tinyblob": 1<<8 - 1, "blob": 1<<16 - 1, "mediumblob": 1<<24 - 1, "longblob": 1<<32 - 1}

// wider says that every value of a type is one of the other, and that MODIFY leaves it as it is. Types that it doesn't know are not.
func wider(from, to string) bool {
	a, b := parseType(from), parseType(to)
	if !a.plain || !b.plain {
		return false
	}
	switch families[b.name] {
	case familyInt:
		i, j := slices.Index(integers, a.name), slices.Index(integers, b.name)
		return i >= 0 && (a.unsigned == b.unsigned && j >= i || a.unsigned && !b.unsigned && j > i)
	case familyDecimal:
		return holdsDigits(a, b)
	case familyDouble:
		i := slices.Index(integers, a.name)
		return len(b.args) == 0 && !b.unsigned && (a.name == "float" && len(a.args) == 0 || i >= 0 && i < slices.Index(integers, "bigint"))
	case familyText, familyBytes:
		return holdsText(a, b)
	case familyEnum, familySet:
		return a.name == b.name && !slices.ContainsFunc(a.labels, func(l string) bool { return !slices.Contains(b.labels, l) })
	case familyTime, familyDatetime, familyTimestamp:
		return a.name == b.name && b.arg(0, 0) >= a.arg(0, 0)
	case familyBit:
		return a.name == b.name && b.arg(0, 1) >= a.arg(0, 1)
	}
	return false
}

// holdsDigits says that a decimal has room for every value of a number's type.
func holdsDigits(a, b declaredType) bool {
	precision, scale := b.arg(0, 10), b.arg(1, 0)
	if b.unsigned && !a.unsigned {
		return false
	}
	if i := slices.Index(integers, a.name); i >= 0 {
		digits := integerDigits[i]
		if a.unsigned {
			digits = unsignedDigits[i]
		}
		return precision-scale >= digits
	}
	return a.name == "decimal" && scale >= a.arg(1, 0) && precision-scale >= a.arg(0, 10)-a.arg(1, 0)
}

// holdsText says that a type of texts or bytes takes what another one does. Blanks and zeros at the end count, so char and binary, which add
// or drop them, only grow as char does.
func holdsText(a, b declaredType) bool {
	if families[a.name] != families[b.name] || a.name == "binary" || b.name == "binary" {
		return false
	}
	bytes := 1
	if families[b.name] == familyText {
		bytes = charBytes
	}
	switch {
	case a.name == "char" || b.name == "char":
		return a.name == b.name && b.arg(0, 1) >= a.arg(0, 1)
	case capacity[a.name] > 0:
		return capacity[b.name] >= capacity[a.name]
	case capacity[b.name] > 0:
		return capacity[b.name] >= a.arg(0, 1)*bytes
	}
	return a.name == b.name && b.arg(0, 1) >= a.arg(0, 1)
}
