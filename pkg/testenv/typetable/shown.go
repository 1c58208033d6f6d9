package typetable

import (
	"encoding/base64"
	"encoding/hex"
	"strconv"
	"strings"
)

// Shown is SQL for an engine's own text of a column of a type. PostgreSQL's is its output function's, which a bare name asks for. MySQL's
// and MariaDB's FLOAT shows six digits by itself, and is asked for as the DOUBLE that it is; bytes are shown in hexadecimal.
func Shown(engine, typ, column string) string {
	if engine == Postgres {
		return column
	}
	switch base(typ) {
	case "binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob", "vector",
		"geometry", "point", "linestring", "polygon", "multipoint", "multilinestring", "multipolygon", "geomcollection", "geometrycollection":
		return "hex(" + column + ")"
	case "bit":
		return "lpad(bin(" + column + "+0)," + strconv.Itoa(max(1, argument(typ))) + ",'0')"
	case "float", "double":
		return "concat(cast(" + column + " as double))"
	case "tinyint", "smallint", "mediumint", "int", "bigint", "year", "decimal":
		return "cast(" + column + "+0 as char)"
	case "date", "time", "datetime", "timestamp", "uuid", "inet4", "inet6":
		return "cast(" + column + " as char)"
	}
	return "convert(" + column + " using utf8mb4)"
}

// base is the first word of a type.
func base(typ string) string {
	if i := strings.IndexAny(typ, "( "); i >= 0 {
		return typ[:i]
	}
	return typ
}

// argument is the first number in parentheses, 0 for none.
func argument(typ string) int {
	_, rest, _ := strings.Cut(typ, "(")
	rest = rest[:max(0, strings.IndexAny(rest, ",)"))]
	n, err := strconv.Atoi(rest)
	if err != nil {
		return 0
	}
	return n
}

// At is the text that a target of an engine shows of v, or Refused. Where the target has the source's own type, that is the source's own text;
// else it follows from the JSON form by the column that the sink makes.
func (t *Type) At(engine string, v Value) string {
	if text, ok := v.To[engine]; ok {
		return text
	}
	created := t.Created(engine)
	if _, other := t.Create[engine]; !other {
		return v.Text
	}
	wire := unquoted(v.JSON)
	if engine == Postgres {
		return postgresText(created, wire)
	}
	return myText(created, wire)
}

func postgresText(created, wire string) string {
	switch base(created) {
	case "bytea":
		return `\x` + hex.EncodeToString(bytesOf(wire))
	case "timestamp":
		return strings.Replace(shortFraction(strings.TrimSuffix(wire, "Z")), "T", " ", 1) + map[bool]string{true: "+00"}[strings.HasSuffix(wire, "Z")]
	case "interval":
		return shortFraction(wire)
	}
	return wire
}

// shortFraction takes the zeros off a fraction's end.
func shortFraction(s string) string {
	if strings.Contains(s, ".") {
		return strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
	}
	return s
}

func myText(created, wire string) string {
	switch base(created) {
	case "longblob", "tinyblob", "varbinary":
		return strings.ToUpper(hex.EncodeToString(bytesOf(wire)))
	case "datetime":
		return strings.Replace(strings.TrimSuffix(wire, "Z"), "T", " ", 1)
	case "tinyint":
		if wire == "true" || wire == "false" {
			return map[bool]string{true: "1", false: "0"}[wire == "true"]
		}
	case "decimal":
		_, scale, _ := strings.Cut(strings.TrimSuffix(created, ")"), ",")
		n, err := strconv.Atoi(scale)
		if err != nil || n == 0 {
			return wire
		}
		whole, fraction, _ := strings.Cut(wire, ".")
		return whole + "." + fraction + strings.Repeat("0", max(0, n-len(fraction)))
	}
	return wire
}

func bytesOf(base64Text string) []byte {
	b, err := base64.StdEncoding.DecodeString(base64Text)
	if err != nil {
		return []byte("not base64: " + base64Text)
	}
	return b
}
