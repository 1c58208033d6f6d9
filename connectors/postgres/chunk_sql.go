package postgres

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/snapshot"
)

// relationName is a table as a FROM clause names it.
type relationName struct {
	schema, name string
	partitioned  bool // its rows stand in its partitions; else the rows of heirs are not its own
}

func (n relationName) from() string {
	if n.partitioned {
		return quoteTable(n.schema, n.name)
	}
	return "only " + quoteTable(n.schema, n.name)
}

// statement is one SELECT with its parameters in text format.
type statement struct {
	sql    strings.Builder
	params [][]byte
}

// bind adds a parameter that is read as the column's type.
func (s *statement) bind(col *change.Column, text []byte) {
	s.params = append(s.params, text)
	s.sql.WriteString("$" + strconv.Itoa(len(s.params)) + "::" + col.Native)
}

func (s *statement) list(columns []change.Column) {
	for i := range columns {
		if i > 0 {
			s.sql.WriteString(", ")
		}
		s.sql.WriteString(quote(columns[i].Name))
	}
}

func keyColumns(t *change.Table) []change.Column {
	columns := make([]change.Column, len(t.Key))
	for i, at := range t.Key {
		columns[i] = t.Columns[at]
	}
	return columns
}

// selectAll reads a whole table.
func selectAll(n relationName, t *change.Table, where string) *statement {
	s := &statement{}
	s.sql.WriteString("select ")
	s.list(t.Columns)
	s.sql.WriteString(" from " + n.from())
	if where != "" {
		s.sql.WriteString(" where (" + where + "\n)")
	}
	return s
}

// selectRange reads the rows behind a key in the order of the key's index. A comparison of rows takes a composite key as one, and each
// column's own collation decides (P-13).
func selectRange(n relationName, t *change.Table, q *snapshot.Select) *statement {
	s := selectAll(n, t, q.Where)
	key := keyColumns(t)
	if len(q.After) > 0 {
		word := " where ("
		if q.Where != "" {
			word = " and ("
		}
		s.sql.WriteString(word)
		s.list(key)
		s.sql.WriteString(") > (")
		for i, text := range q.After {
			if i > 0 {
				s.sql.WriteString(", ")
			}
			s.bind(&key[i], []byte(text))
		}
		s.sql.WriteString(")")
	}
	s.sql.WriteString(" order by ")
	s.list(key)
	s.sql.WriteString(" limit " + strconv.Itoa(q.Limit))
	return s
}

// selectKeys reads the rows with some keys.
func selectKeys(n relationName, t *change.Table, keys []string) (*statement, error) {
	s := selectAll(n, t, "")
	columns := keyColumns(t)
	s.sql.WriteString(" where (")
	s.list(columns)
	s.sql.WriteString(") in (values ")
	for i, key := range keys {
		values, err := snapshot.ParseKey(t, key)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", err, change.ErrHalt)
		}
		if i > 0 {
			s.sql.WriteString(", ")
		}
		s.sql.WriteByte('(')
		for k := range values {
			if k > 0 {
				s.sql.WriteString(", ")
			}
			s.bind(&columns[k], paramText(&columns[k], values[k]))
		}
		s.sql.WriteByte(')')
	}
	s.sql.WriteString(")")
	return s, nil
}

// paramText is a value as the server reads it: change's text, except for bytes and for the years that ISO 8601 writes with a sign.
func paramText(col *change.Column, v change.Value) []byte {
	text := change.AppendText([]byte{}, col, v) // nil would be NULL
	switch v.Kind() {
	case change.KindBytes:
		return hex.AppendEncode([]byte(`\x`), []byte(v.Str()))
	case change.KindDate, change.KindInstant, change.KindWallTime:
		if !v.IsInfinite() {
			return eraText(text)
		}
	}
	return text
}

// eraText turns a year before 1 into one BC, and drops the sign of one above 9999.
func eraText(text []byte) []byte {
	if text[0] == '+' {
		return text[1:]
	}
	negative := text[0] == '-'
	if negative {
		text = text[1:]
	}
	digits, rest, _ := strings.Cut(string(text), "-")
	year, err := strconv.Atoi(digits)
	if err != nil || !negative && year > 0 {
		return text
	}
	return fmt.Appendf(nil, "%04d-%s BC", year+1, rest)
}
