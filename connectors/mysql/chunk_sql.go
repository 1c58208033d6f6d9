package mysql

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/tailwater-cdc/tailwater/connectors/mysql/internal/myvalue"
	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/snapshot"
)

// statements writes the SELECTs of one table.
type statements struct {
	shape *shape
	key   []keyColumn
}

// keyColumn is a key column as statements compare it. Order and comparison are always of one expression, and a literal is of its type, so
// the two agree under every collation.
type keyColumn struct {
	typ     *myvalue.Type
	column  *change.Column
	name    string // quoted
	expr    string // what is ordered and compared
	token   string // its value as text that is safe in JSON
	charset string // of text; empty: none
	collate string
}

func statementOf(s *shape) *statements {
	st := &statements{shape: s}
	for _, at := range s.table.Key {
		k := keyColumn{typ: &s.types[at], column: &s.table.Columns[at], name: quote(s.table.Columns[at].Name)}
		k.expr, k.token = k.name, "cast("+k.typ.SelectExpr(k.name)+" as char)"
		switch {
		case k.numbered():
			k.expr = "cast(" + k.name + " as unsigned)" // what it is ordered by is its number; that plus 0 is a double, and loses digits of a SET's
			k.token = "cast(" + k.expr + " as char)"
		case k.hexed():
			k.token = "hex(" + k.name + ")"
		}
		st.key = append(st.key, k)
	}
	return st
}

// numbered says that the server orders the column by a number, and compares it with text as text.
func (k *keyColumn) numbered() bool {
	switch k.typ.Wire {
	case myvalue.Enum, myvalue.Set, myvalue.Bit:
		return true
	}
	return false
}

// hexed says that the column holds bytes, of text or not.
func (k *keyColumn) hexed() bool {
	switch k.typ.Wire {
	case myvalue.String, myvalue.Varchar, myvalue.Blob, myvalue.VarcharCompressed, myvalue.BlobCompressed:
		return k.typ.Special == myvalue.Plain || k.typ.Special == myvalue.JSONText
	}
	return false
}

// readCollations asks for the character sets of text in the key, which literals must have.
func (st *statements) readCollations(ctx context.Context, conn *session) error {
	text := false
	for i := range st.key {
		text = text || st.key[i].hexed() && st.key[i].typ.Collation != binaryCollation
	}
	if !text {
		return nil
	}
	t := st.shape.table
	rows, err := conn.all(ctx, "select column_name, character_set_name, collation_name from information_schema.columns where table_schema = "+
		quoteText(t.Schema)+" and table_name = "+quoteText(t.Name)+" and character_set_name is not null")
	if err != nil {
		return fmt.Errorf("read the collations of %s: %w", t, err)
	}
	for i := range st.key {
		k := &st.key[i]
		for _, row := range rows {
			if k.hexed() && row[0] == k.column.Name {
				k.charset, k.collate = row[1], row[2]
			}
		}
	}
	return nil
}

// binaryCollation is the id of the collation of bytes.
const binaryCollation = 63

var errToken = errors.New("not a place in a table")

// literal writes a token's value.
func (k *keyColumn) literal(token string) (string, error) {
	if k.hexed() {
		if _, err := hex.DecodeString(token); err != nil {
			return "", fmt.Errorf("column %s: %w: %w: %w", k.column.Name, errToken, err, change.ErrHalt)
		}
		return k.bytes(token), nil
	}
	return k.typed(token), nil
}

func (k *keyColumn) bytes(digits string) string {
	if k.charset == "" {
		return "x'" + digits + "'"
	}
	return "_" + k.charset + " x'" + digits + "' collate " + k.collate
}

// typed writes a value from its text.
func (k *keyColumn) typed(text string) string {
	quoted := quoteText(text)
	switch {
	case k.typ.Special == myvalue.UUID:
		return "cast(" + quoted + " as uuid)"
	case k.typ.Special == myvalue.Inet6:
		return "cast(" + quoted + " as inet6)"
	case k.typ.Special == myvalue.Inet4:
		return "cast(" + quoted + " as inet4)"
	}
	switch k.typ.Wire {
	case myvalue.Date:
		return "cast(" + quoted + " as date)"
	case myvalue.Time, myvalue.Time2:
		return "cast(" + quoted + " as time(6))"
	case myvalue.Datetime, myvalue.Datetime2, myvalue.Timestamp, myvalue.Timestamp2:
		return "cast(" + quoted + " as datetime(6))"
	case myvalue.Float, myvalue.Double:
		return "(" + quoted + " + 0e0)"
	}
	if isNumber(text) {
		return text
	}
	return quoted
}

func isNumber(text string) bool {
	_, err := strconv.ParseFloat(text, 64)
	return err == nil && strings.Trim(text, "-0123456789.") == ""
}

// all reads a whole table.
func (st *statements) all(where string) string {
	var b strings.Builder
	b.WriteString("select ")
	st.list(&b)
	st.from(&b, where)
	return b.String()
}

func (st *statements) list(b *strings.Builder) {
	for i := range st.shape.types {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(st.shape.types[i].SelectExpr(quote(st.shape.types[i].Name)))
	}
}

func (st *statements) from(b *strings.Builder, where string) {
	b.WriteString(" from " + quoteTable(st.shape.table.Schema, st.shape.table.Name))
	if where != "" {
		b.WriteString(" where (" + where + "\n)")
	}
}

// after reads the rows behind a key in the key's order. The comparison of a composite key is written out, since the server's own of rows uses
// no index; the first column's part of it stands alone, for the index (P-13).
func (st *statements) after(q *snapshot.Select) (string, error) {
	var b strings.Builder
	b.WriteString("select ")
	st.list(&b)
	for i := range st.key {
		b.WriteString(", " + st.key[i].token)
	}
	st.from(&b, q.Where)
	if len(q.After) > 0 {
		word := " where "
		if q.Where != "" {
			word = " and "
		}
		behind, err := st.behind(q.After)
		if err != nil {
			return "", err
		}
		b.WriteString(word + behind)
	}
	b.WriteString(" order by ")
	for i := range st.key {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(st.key[i].expr)
	}
	b.WriteString(" limit " + strconv.Itoa(q.Limit))
	return b.String(), nil
}

// behind writes (a > x) or (a = x and b > y) or ...
func (st *statements) behind(after []string) (string, error) {
	sql, equal := "", ""
	for i := range st.key {
		literal, err := st.key[i].literal(after[i])
		if err != nil {
			return "", err
		}
		if i > 0 {
			sql += " or "
		}
		sql += "(" + equal + st.key[i].expr + " > " + literal + ")"
		equal += st.key[i].expr + " = " + literal + " and "
	}
	return "(" + sql + ")", nil
}

// keys reads the rows with some keys.
func (st *statements) keys(keys []string) (string, error) {
	var b strings.Builder
	b.WriteString("select ")
	st.list(&b)
	st.from(&b, "")
	b.WriteString(" where ")
	for n, key := range keys {
		values, err := snapshot.ParseKey(st.shape.table, key)
		if err != nil {
			return "", fmt.Errorf("%w: %w", err, change.ErrHalt)
		}
		if n > 0 {
			b.WriteString(" or ")
		}
		for i := range st.key {
			if i > 0 {
				b.WriteString(" and ")
			}
			b.WriteString(st.key[i].name + " = " + st.key[i].value(values[i]))
		}
	}
	return b.String(), nil
}

// value writes a value of the column.
func (k *keyColumn) value(v change.Value) string {
	switch {
	case k.charset != "":
		return "convert(" + quoteText(v.Str()) + " using " + k.charset + ") collate " + k.collate
	case k.typ.Wire == myvalue.Enum, k.typ.Wire == myvalue.Set:
		return quoteText(v.Str()) // a label that is a number too
	case v.Kind() == change.KindBytes:
		return quoteBytes(v.Str())
	case v.Kind() == change.KindBits:
		return "b'" + v.Str() + "'"
	}
	text := string(change.AppendText(nil, k.column, v))
	switch v.Kind() {
	case change.KindFloat32:
		text = strconv.FormatFloat(float64(v.Float32()), 'g', -1, 64) // the server compares it as a double, and 0.7 isn't the double of a float
	case change.KindInstant, change.KindWallTime:
		text = strings.TrimSuffix(strings.Replace(text, "T", " ", 1), "Z")
	}
	return k.typed(text)
}
