package typetable

import (
	"encoding/json"
	"slices"

	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// The engines, as change.Table.Engine names them.
const (
	Postgres = "postgres"
	MySQL    = "mysql"
	MariaDB  = "mariadb"
)

// Type is a column type of one engine.
type Type struct {
	Name   string        // as its server writes it
	SQL    string        // as a definition has it; empty: Name
	Setup  string        // SQL that makes the type, at the source and at a target that is to have it
	Column change.Column // what the connector says of it; MySQL and MariaDB: the Kind
	Values []Value
	Own    string            // SQL of the server's own text of the column "%s"; empty: what Shown says
	Create map[string]string // the column that a sink makes, by the target's engine; absent: Name
	Only   []string          // the servers that have it; empty: all of the engine
	Newer  bool              // PostgreSQL: a target of 15 parks the values
	Note   string            // for the page

	made bool // by somebody in a database, which another may lack
}

// Value is one value of a Type.
type Value struct {
	SQL  string            // as it is inserted
	Text string            // the source server's own text
	JSON string            // on the wire
	To   map[string]string // a target's own text where it doesn't follow from JSON, or Refused, by the target's engine
}

// Refused stands for a text where the target can't hold the value: its row is parked.
const Refused = "refused"

// Family is the types that share a table.
type Family struct {
	Table string
	Types []Type
}

// On returns the types that a server has, by its name in testdata/servers.
func (f *Family) On(server string) []Type {
	var types []Type
	for _, t := range f.Types {
		if len(t.Only) == 0 || slices.Contains(t.Only, server) {
			types = append(types, t)
		}
	}
	return types
}

// Definition is the type as a column definition has it.
func (t *Type) Definition() string {
	if t.SQL != "" {
		return t.SQL
	}
	return t.Name
}

// Created is the type of the column that the sink of an engine makes.
func (t *Type) Created(engine string) string {
	if created, ok := t.Create[engine]; ok {
		return created
	}
	return t.Name
}

// val is a value that is written in one way, shown in another, and on the wire is JSON.
func val(sql, text, wire string) Value { return Value{SQL: sql, Text: text, JSON: wire} }

// at says what an engine's target shows of v.
func (v Value) at(engine, text string) Value {
	to := map[string]string{engine: text}
	for e, t := range v.To {
		to[e] = t
	}
	v.To = to
	return v
}

// only says that no MySQL and no MariaDB can hold v.
func (v Value) only() Value { return v.at(MySQL, Refused).at(MariaDB, Refused) }

// my says what MySQL and MariaDB show of v.
func (v Value) my(text string) Value { return v.at(MySQL, text).at(MariaDB, text) }

// numbers are values that are written, shown and sent as they stand.
func numbers(texts ...string) []Value {
	values := make([]Value, len(texts))
	for i, s := range texts {
		values[i] = val(s, s, s)
	}
	return values
}

// strings are values that are shown as they are written in quotes, and are strings on the wire.
func strs(texts ...string) []Value {
	values := make([]Value, len(texts))
	for i, s := range texts {
		values[i] = val(quote(s), s, jsonString(s))
	}
	return values
}

func quote(s string) string {
	var b []byte
	b = append(b, '\'')
	for i := range len(s) {
		if s[i] == '\'' {
			b = append(b, '\'')
		}
		b = append(b, s[i])
	}
	return string(append(b, '\''))
}

func jsonString(s string) string { return string(change.AppendJSONString(nil, s)) }

// unquoted is what a JSON string holds, and any other JSON as it is.
func unquoted(wire string) string {
	var s string
	if err := json.Unmarshal([]byte(wire), &s); err != nil {
		return wire
	}
	return s
}

// list joins values.
func list(parts ...[]Value) []Value { return slices.Concat(parts...) }

// one is a list of single values.
func one(values ...Value) []Value { return values }

// Made says that somebody made the type in a database: another may lack it, and gets a text.
func (t *Type) Made() bool { return t.made }

// WireText is the text of a value's JSON form.
func WireText(v Value) string { return unquoted(v.JSON) }
