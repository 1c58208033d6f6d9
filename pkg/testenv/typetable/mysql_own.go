package typetable

import (
	"strings"

	"github.com/tailwater-cdc/tailwater/pkg/change"
)

const (
	mysql97    = "mysql97"
	mariadb10  = "mariadb10"
	mariadb118 = "mariadb118"
)

// mysqlOwn are the types that the other of the two lacks or has otherwise.
func mysqlOwn() []Type {
	shapes := func(name string, values ...Value) []Type {
		t := my(name, "bytea", change.KindBytes, values...).note("Four bytes of SRID, and WKB. In a target of the other of MySQL and MariaDB a LONGBLOB.")
		return []Type{t.as(MariaDB, "longblob").in(mysql97), t.as(MySQL, "longblob").in(mariadb10, mariadb118)}
	}
	var list []Type
	list = append(list, shapes("geometry", raw("ST_GeomFromText('POINT(1 2)')", point), raw("ST_GeomFromText('POINT(1 2)', 3857)", pointAt), raw("ST_GeomFromText('LINESTRING(0 0,1 1)')", line[:26]+strings.Repeat("0", 32)+lineEnd+lineEnd))...)
	list = append(list, shapes("point", raw("ST_GeomFromText('POINT(1 2)')", point))...)
	list = append(list, shapes("linestring", raw("ST_GeomFromText('LINESTRING(0 0,1 1)')", line[:26]+strings.Repeat("0", 32)+lineEnd+lineEnd))...)
	list = append(list, shapes("polygon", raw("ST_GeomFromText('POLYGON((0 0,1 0,1 1,0 0))')", square))...)
	list = append(list, shapes("multipoint", raw("ST_GeomFromText('MULTIPOINT(1 2)')", strings.Replace(collection, "0107", "0104", 1)))...)
	list = append(list, shapes("multilinestring", raw("ST_GeomFromText('MULTILINESTRING((0 0,1 1))')", "00000000010500000001000000"+line[8:26]+strings.Repeat("0", 32)+lineEnd+lineEnd))...)
	list = append(list, shapes("multipolygon", raw("ST_GeomFromText('MULTIPOLYGON(((0 0,1 0,1 1,0 0)))')", "00000000010600000001000000"+square[8:]))...)
	list = append(list, my("geomcollection", "bytea", change.KindBytes, raw("ST_GeomFromText('GEOMETRYCOLLECTION(POINT(1 2))')", collection)).as(MariaDB, "longblob").in(mysql97),
		my("geometrycollection", "bytea", change.KindBytes, raw("ST_GeomFromText('GEOMETRYCOLLECTION(POINT(1 2))')", collection)).as(MySQL, "longblob").in(mariadb10, mariadb118),
		my("vector(3)", "bytea", change.KindBytes, raw("string_to_vector('[1,2,3]')", "0000803F0000004000004040")).as(MariaDB, "longblob").in(mysql97).note("Its floats, least byte first."),
		my("vector(3)", "bytea", change.KindBytes, raw("vec_fromtext('[1,2,3]')", "0000803F0000004000004040")).as(MySQL, "longblob").in(mariadb118).note("Its floats, least byte first."),
		mysqlJSON(), mariadbJSON())
	return append(list, mariadbOwn()...)
}

func mysqlJSON() Type {
	document := func(sql, text string) Value { return val(sql, text, jsonString(text)) }
	return my("json", "json", change.KindJSON,
		document(`'{"b": 1, "a": [true, false, null], "cc": {}}'`, `{"a": [true, false, null], "b": 1, "cc": {}}`),
		document("'[]'", "[]"), document(`'"text"'`, `"text"`), document("'null'", "null"), document("'true'", "true"), document("'-1'", "-1"),
		document("'[1.0, -0.0, 1e15, 1e14, 123456789012345.6, 1e-15, 1.5e-7, 1e16, -2.5e-300, 1.7976931348623157e308, 5e-324]'",
			"[1.0, -0.0, 1e15, 100000000000000.0, 123456789012345.6, 0.000000000000001, 0.00000015, 1e16, -2.5e-300, 1.7976931348623157e308, 5e-324]"),
		document("'[32767, 32768, -32769, 65536, 2147483648, 9223372036854775807, 18446744073709551615]'", "[32767, 32768, -32769, 65536, 2147483648, 9223372036854775807, 18446744073709551615]"),
		document("json_array(cast('2024-01-02' as date), cast('-838:59:59' as time), cast('2024-01-02 03:04:05.678901' as datetime(6)))",
			`["2024-01-02", "-838:59:59.000000", "2024-01-02 03:04:05.678901"]`),
		document("json_array(cast('12.340' as decimal(10,3)))", "[12.340]").at(MySQL, "[12.34]"),
		document("json_array(cast('1234567890123456789.123' as decimal(22,3)))", "[1234567890123456789.123]").at(MySQL, Refused),
		document(`'"tab\\tquote\\" \\u00e9 日 😀 \\u0001"'`, `"tab\tquote\" é 日 😀 \u0001"`),
		document("json_array(cast(x'00ff' as binary))", `["base64:type15:AP8="]`),
	).as(MariaDB, "longtext").in(mysql97).note("The server's own text of the document: its order of members, its numbers. An exact DECIMAL within it is read by a MySQL target as a DOUBLE, which drops zeros at its end; one that a DOUBLE would round is parked.")
}

func mariadbJSON() Type {
	t := my("longtext", "json", change.KindJSON, strs(`{"b": 1,"a":[1.0]}`, "[ ]", "null")...).in(mariadb10, mariadb118)
	t.SQL, t.Note = "json", "JSON is a LONGTEXT with a check; the text is kept as it was written."
	return t
}

// mariadbOwn are the types that MariaDB alone has.
func mariadbOwn() []Type {
	packed := func(name, theirs string, kind change.Kind, values ...Value) Type {
		t := my(name+" /*M!100301 COMPRESSED*/", theirs, kind, values...).as(MySQL, name).as(MariaDB, name).in(mariadb10, mariadb118)
		t.SQL = name + " compressed"
		return t
	}
	repeated := func(s string, n int) Value {
		return val("repeat('"+s+"', 500)", strings.Repeat(s, n), jsonString(strings.Repeat(s, n)))
	}
	return []Type{
		my("uuid", "uuid", change.KindUUID, strs("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "00000000-0000-0000-0000-000000000000", "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
			"01890a5d-ac96-774b-bcce-b302099a8057", "12345678-1234-3234-9234-123456789000")...).as(MySQL, "char(36)").in(mariadb10, mariadb118),
		my("inet6", "text", change.KindNative, strs("::", "::1", "2001:db8::ff00:42:8329", "::ffff:192.0.2.128", "::192.0.2.128", "1::1:0:1:0:1:0", "1:2:3:4:5:6:7:8")...).as(MySQL, "longtext").in(mariadb10, mariadb118),
		my("inet4", "text", change.KindNative, strs("0.0.0.0", "255.255.255.255", "192.168.1.0")...).as(MySQL, "longtext").in(mariadb10, mariadb118),
		packed("varchar(500)", "text", change.KindText, append(strs("", "é", "x"), repeated("a", 500))...),
		packed("text", "text", change.KindText, append(strs("short", ""), repeated("é", 500))...),
		packed("varbinary(500)", "bytea", change.KindBytes, raw("repeat(x'00', 500)", strings.Repeat("00", 500)), raw("x'00'", "00")),
		packed("tinyblob", "bytea", change.KindBytes, raw("repeat(x'01', 200)", strings.Repeat("01", 200))),
		my("timestamp", "timestamp with time zone", change.KindInstant, val("'2106-02-07 06:28:15'", "2106-02-07 06:28:15", `"2106-02-07T06:28:15Z"`).at(MySQL, Refused)).nullable().in(mariadb118).
			note("MariaDB 11.5 and later go to 2106, MySQL to 2038."),
	}
}
