package typetable

import (
	"strings"

	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// PostgresFamilies are the types of PostgreSQL 15 and 18.
func PostgresFamilies() []Family {
	return []Family{
		{"numbers", postgresNumbers()},
		{"texts", postgresTexts()},
		{"times", postgresTimes()},
		{"made", postgresMade()},
		{"shapes", postgresNatives()},
		{"lists", postgresArrays()},
	}
}

// pg is a type of PostgreSQL; mine is the column that the MySQL and MariaDB sinks make.
func pg(name, mine string, column change.Column, values ...Value) Type {
	return Type{Name: name, Column: column, Values: values, Create: map[string]string{MySQL: mine, MariaDB: mine}}
}

// native is a type of PostgreSQL that travels as its text.
func native(name string, values ...Value) Type {
	return pg(name, "longtext", change.Column{Kind: change.KindNative, Equality: change.Unknown}, values...)
}

// exact is a native type whose values are equal only if their texts are.
func exact(name string, values ...Value) Type {
	return pg(name, "longtext", change.Column{Kind: change.KindNative}, values...)
}

// after is t after setup.
func (t Type) after(setup string) Type {
	t.Setup = setup
	return t
}

// in is t on some servers only.
func (t Type) in(servers ...string) Type {
	t.Only = servers
	return t
}

func (t Type) note(s string) Type {
	t.Note = s
	return t
}

const noNegativeZero = "MariaDB has no negative zero and makes 0 of it."

func postgresNumbers() []Type {
	integer := func(bits int) change.Column { return change.Column{Kind: change.KindInt, Bits: bits} }
	decimal := func(precision, scale int) change.Column {
		return change.Column{Kind: change.KindDecimal, Precision: precision, Scale: scale, Equality: change.Numeric}
	}
	short := change.Column{Kind: change.KindFloat32, Equality: change.Numeric}
	double := change.Column{Kind: change.KindFloat64, Equality: change.Numeric}
	special := func() []Value {
		return one(val("'NaN'", "NaN", `"NaN"`).only(), val("'Infinity'", "Infinity", `"Infinity"`).only(), val("'-Infinity'", "-Infinity", `"-Infinity"`).only())
	}
	exactNumber := func(sql, text string) Value { return val(sql, text, jsonString(text)) }
	long := strings.Repeat("9", 36)
	return []Type{
		pg("smallint", "smallint", integer(16), numbers("-32768", "32767", "0")...),
		pg("integer", "int", integer(32), numbers("-2147483648", "2147483647")...),
		pg("bigint", "bigint", integer(64), numbers("-9223372036854775808", "9223372036854775807")...),
		pg("boolean", "tinyint(1)", change.Column{Kind: change.KindBool}, val("true", "t", "true").at(Postgres, "t"), val("false", "f", "false").at(Postgres, "f")),
		pg("real", "float", short, list(one(
			val("0.1", "0.1", "0.1").my("0.10000000149011612"), val("'-0'", "-0", "-0").at(MariaDB, "0"),
			val("1e38", "1e+38", "1e+38").my("9.999999680285692e37"), val("1.1754944e-38", "1.1754944e-38", "1.1754944e-38").my("1.1754943508222875e-38"),
			val("16777216", "1.6777216e+07", "16777216"), val("3.4028235e38", "3.4028235e+38", "3.4028235e+38").my("3.4028234663852886e38")), special())...).note(noNegativeZero),
		pg("double precision", "double", double, list(one(
			val("0.1", "0.1", "0.1"), val("0.30000000000000004", "0.30000000000000004", "0.30000000000000004"), val("'-0'", "-0", "-0").at(MariaDB, "0"),
			val("5e-324", "5e-324", "5e-324"), val("1.7976931348623157e308", "1.7976931348623157e+308", "1.7976931348623157e+308").my("1.7976931348623157e308"),
			val("1e15", "1e+15", "1000000000000000").my("1e15"), val("9007199254740993", "9.007199254740992e+15", "9007199254740992").my("9.007199254740992e15")), special())...).note(noNegativeZero),
		pg("numeric", "decimal(65,30)", decimal(0, 0), list(one(
			exactNumber("1.00", "1.00"), exactNumber("0", "0").my("0."+strings.Repeat("0", 30)), exactNumber("-0.000000000000000000000000000001", "-0.000000000000000000000000000001"),
			exactNumber("123456789012345678901234567890.123456789", "123456789012345678901234567890.123456789"),
			exactNumber("1e-31", "0."+strings.Repeat("0", 30)+"1").only(), exactNumber(long, long).only(),
			exactNumber("1e100", "1"+strings.Repeat("0", 100)).only()), special())...),
		pg("numeric(10,2)", "decimal(10,2)", decimal(10, 2), exactNumber("1", "1.00"), exactNumber("-99999999.99", "-99999999.99"), val("'NaN'", "NaN", `"NaN"`).only()),
		pg("numeric(3,-2)", "decimal(5,0)", decimal(3, -2), exactNumber("12345", "12300")),
		pg("numeric(2,4)", "decimal(4,4)", decimal(2, 4), exactNumber("0.0012", "0.0012")),
		native("money", val("1234.5", "$1,234.50", `"$1,234.50"`), val("-0.01", "-$0.01", `"-$0.01"`)).note("The text is written by the source's lc_monetary."),
		exact("oid", val("4294967295", "4294967295", `"4294967295"`)),
		exact("xid8", val("'18446744073709551615'", "18446744073709551615", `"18446744073709551615"`)),
		native("xid", val("'4294967295'", "4294967295", `"4294967295"`)),
		native("cid", val("'7'", "7", `"7"`)),
		native("tid", val("'(1,2)'", "(1,2)", `"(1,2)"`)),
		exact("pg_lsn", val("'16/B374D848'", "16/B374D848", `"16/B374D848"`)),
		native("pg_snapshot", val("'10:20:10,14,15'", "10:20:10,14,15", `"10:20:10,14,15"`)),
		native("txid_snapshot", val("'10:20:10,14,15'", "10:20:10,14,15", `"10:20:10,14,15"`)),
	}
}

func postgresTexts() []Type {
	text := func(length int) change.Column { return change.Column{Kind: change.KindText, Length: length} }
	bits := func(length int) change.Column { return change.Column{Kind: change.KindBits, Length: length} }
	document, binary := change.Column{Kind: change.KindJSON}, change.Column{Kind: change.KindJSON, Equality: change.Unknown}
	padded := change.Column{Kind: change.KindText, Equality: change.Unknown}
	return []Type{
		pg("text", "longtext", text(0), list(strs("", "naïve \\ \" ' \n\t", "日本語 😀", " x ", "null", "\\N"),
			one(val("repeat('é', 3000)", strings.Repeat("é", 3000), jsonString(strings.Repeat("é", 3000)))))...),
		pg("character varying(20)", "longtext", text(20), strs("x ", "")...),
		pg("character varying", "longtext", text(0), strs("any")...),
		pg("character(3)", "longtext", text(3), val("'x'", "x  ", `"x  "`), val("'äöü'", "äöü", `"äöü"`)),
		pg("bpchar", "longtext", padded, val("'x '", "x ", `"x "`)),
		pg(`"char"`, "longtext", text(0), strs("x", "")...),
		pg("name", "longtext", text(0), strs("x", strings.Repeat("n", 63))...),
		pg("bytea", "longblob", change.Column{Kind: change.KindBytes}, val(`'\x00ff27'`, `\x00ff27`, `"AP8n"`), val(`'\x'`, `\x`, `""`)),
		pg("json", "longtext", document, strs(`{"a" : 1.0,  "a":2}`, "null", `[1e400, "\u00e9"]`)...),
		pg("jsonb", "longtext", binary, val(`'{"b":1.0,"a":"é"}'`, `{"a": "é", "b": 1.0}`, `"{\"a\": \"é\", \"b\": 1.0}"`), val("'null'", "null", `"null"`),
			val("'123456789012345678901234567890.10'", "123456789012345678901234567890.10", `"123456789012345678901234567890.10"`)),
		native("jsonpath", val(`'$.a[*] ? (@ > 1)'`, `$."a"[*]?(@ > 1)`, `"$.\"a\"[*]?(@ > 1)"`)),
		native("xml", strs(`<a b="1">é</a>`)...),
		pg("uuid", "char(36)", change.Column{Kind: change.KindUUID}, val("'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", `"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"`)),
		pg("bit(3)", "longtext", bits(3), val("'101'", "101", `"101"`)),
		pg("bit varying", "longtext", bits(0), strs("", "10")...),
		pg("bit varying(5)", "longtext", bits(5), strs("10101")...),
		native("tsvector", val("'fat:2,4 cat:3A'", "'cat':3A 'fat':2,4", `"'cat':3A 'fat':2,4"`)),
		native("tsquery", val("'fat & (rat | !cat)'", "'fat' & ( 'rat' | !'cat' )", `"'fat' & ( 'rat' | !'cat' )"`)),
		native("refcursor", strs("c1")...),
		native("aclitem", val("'postgres=arwd/postgres'", "postgres=arwd/postgres", `"postgres=arwd/postgres"`)),
	}
}
