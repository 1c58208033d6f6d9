package rowimage_test

import (
	"strings"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/testenv"
)

// mySQLCases are of types that only MySQL has.
func mySQLCases() []typeCase {
	return []typeCase{
		{"json", change.KindJSON, jsonValues(), ""},
		{"varchar(20) character set gb18030", change.KindText, quoted("中文€😀"), ""},
		{"varchar(20) character set utf8mb4 collate utf8mb4_0900_bin", change.KindText, quoted("a "), ""},
		{"vector(3)", change.KindBytes, []literal{{"string_to_vector('[1,2,3]')", "AACAPwAAAEAAAEBA"}}, ""},
		{"vector(100)", change.KindBytes, []literal{{"string_to_vector('[0.1]')", ""}}, ""},
		{"geomcollection", change.KindBytes, []literal{{"ST_GeomFromText('GEOMETRYCOLLECTION(POINT(1 2))')", ""}}, ""},
	}
}

func jsonValues() []literal {
	list := []literal{
		{`'{"b": 1, "a": [true, false, null], "cc": {}}'`, `{"a": [true, false, null], "b": 1, "cc": {}}`},
		{`'[]'`, `[]`}, {`'"text"'`, `"text"`}, {`'null'`, `null`}, {`'true'`, `true`}, {`'-1'`, `-1`},
		{`'[1.0, -0.0, 1e15, 1e14, 123456789012345.6, 1e-15, 1e-14, 1.5e-7, 1e16, 1e100, -2.5e-300, 1.7976931348623157e308, 5e-324]'`,
			`[1.0, -0.0, 1e15, 100000000000000.0, 123456789012345.6, 0.000000000000001, 0.00000000000001, 0.00000015, 1e16, 1e100, -2.5e-300, 1.7976931348623157e308, 5e-324]`},
		{`'[32767, 32768, -32768, -32769, 65535, 65536, 2147483647, 2147483648, -2147483649, 9223372036854775807, 18446744073709551615]'`,
			`[32767, 32768, -32768, -32769, 65535, 65536, 2147483647, 2147483648, -2147483649, 9223372036854775807, 18446744073709551615]`},
		{`json_object('k"\\', '\n\t\b\r/"\\日😀', 'c', char(1 using utf8mb4), 'd', char(127 using utf8mb4))`, ""},
		{`json_array(cast('12.340' as decimal(10,3)), cast('-0.5' as decimal(65,30)), cast('2024-01-02' as date), cast('12:34:56.789' as time(3)), cast('-838:59:59' as time), cast('2024-01-02 03:04:05.678901' as datetime(6)), cast('2024-01-02 03:04:05' as datetime))`, ""},
		{`json_array(cast('0000-00-00' as date), cast('00:00:00' as time), cast(2024 as year), cast(x'00ff' as binary), b'101', cast(1.5 as float), cast(1.5 as double))`, ""},
		{`json_array(timestamp'2024-01-02 03:04:05', cast('-00:00:00.5' as time(1)))`, ""},
		{`json_object('bin', repeat(x'ff', 200), 'line', repeat(x'ff', 57), 'more', repeat(x'ff', 58), 'two', repeat(x'00', 114), 'none', x'')`, ""},
		{`json_object('long', repeat('x', 70000), 'deep', json_array(repeat('y', 40000), 1, true, 70000))`, ""},
		{`concat(repeat('[', 99), repeat(']', 99))`, strings.Repeat("[", 99) + strings.Repeat("]", 99)},
		{`json_object('', '', 'a', '127 bytes', 'b', repeat('z', 127), 'c', repeat('z', 128), 'd', repeat('z', 16384))`, ""},
		{`json_array(ST_GeomFromText('POINT(1 2)'), point(3,4))`, ""},
	}
	return list
}

// mariaDBCases are of types that only MariaDB has.
func mariaDBCases(my *testenv.My) []typeCase {
	list := []typeCase{
		{"json", change.KindJSON, []literal{{`'{"b": 1,"a":[1.0]}'`, `{"b": 1,"a":[1.0]}`}}, ""},
		{"uuid", change.KindUUID, quoted("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "00000000-0000-0000-0000-000000000000", "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
			"01890a5d-ac96-774b-bcce-b302099a8057", "ffffffff-ffff-1fff-8fff-ffffffffffff", "12345678-1234-3234-9234-123456789000", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380000"), ""},
		{"inet6", change.KindNative, quoted("::", "::1", "2001:db8::ff00:42:8329", "::ffff:192.0.2.128", "::192.0.2.128", "fe80::1:0:0:1", "1::1:0:1:0:1:0",
			"1::2:3:4:5:6:7", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "1::", "::2:0:0:0", "1:2:3:4:5:6:7:8"), ""},
		{"varchar(500) compressed", change.KindText, []literal{{"repeat('a', 500)", strings.Repeat("a", 500)}, {"''", ""}, {"'é'", "é"}, {"'x'", "x"}}, ""},
		{"varchar(200) compressed character set latin1", change.KindText, []literal{{"repeat('é', 200)", strings.Repeat("é", 200)}}, ""},
		{"varbinary(500) compressed", change.KindBytes, []literal{{"repeat(x'00', 500)", ""}, {"x'00'", "AA=="}}, ""},
		{"text compressed character set latin1", change.KindText, []literal{{"repeat('é', 500)", strings.Repeat("é", 500)}, {"''", ""}, {"'short'", "short"}}, ""},
		{"tinyblob compressed", change.KindBytes, []literal{{"repeat(x'01', 200)", ""}}, ""},
		{"longtext compressed", change.KindText, []literal{{"repeat('日', 100000)", strings.Repeat("日", 100000)}}, ""},
		{"varchar(20) collate utf8mb4_nopad_bin", change.KindText, quoted("a "), ""},
		{"varchar(20) collate utf8mb4_uca1400_as_cs", change.KindText, quoted("日"), ""},
		{"varchar(20) character set utf16 collate utf16_uca1400_ai_ci", change.KindText, quoted("日"), ""},
		{"enum('日') character set ucs2 collate ucs2_uca1400_ai_ci", change.KindText, quoted("日"), ""},
	}
	list = append(list, typeCase{"inet4", change.KindNative, quoted("0.0.0.0", "255.255.255.255", "192.168.1.0"), ""})
	if my.Name == "mariadb118" {
		list = append(list,
			typeCase{"vector(3) not null", change.KindBytes, []literal{{"vec_fromtext('[1,2,3]')", "AACAPwAAAEAAAEBA"}}, ""},
			typeCase{"timestamp null", change.KindInstant, []literal{{"'2106-02-07 06:28:15'", "2106-02-07T06:28:15Z"}}, ""})
	}
	return list
}
