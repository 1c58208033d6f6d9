package rowimage_test

import (
	"fmt"
	"strings"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/testenv"
)

// same are literals that are written as they read.
func same(values ...string) []literal {
	list := make([]literal, len(values))
	for i, v := range values {
		list[i] = literal{v, v}
	}
	return list
}

// quoted are literals that are written in quotes.
func quoted(values ...string) []literal {
	list := make([]literal, len(values))
	for i, v := range values {
		list[i] = literal{"'" + strings.ReplaceAll(v, "'", "''") + "'", v}
	}
	return list
}

func valuesOf(my *testenv.My) []typeCase {
	list := slicesConcat(numbers(), times(), texts(), bytesCases())
	if my.MariaDB {
		return append(list, mariaDBCases(my)...)
	}
	return append(list, mySQLCases()...)
}

// point12 is POINT(1 2): four bytes of SRID, and WKB.
const point12 = "AAAAAAEBAAAAAAAAAAAA8D8AAAAAAAAAQA=="

func slicesConcat(lists ...[]typeCase) []typeCase {
	var all []typeCase
	for _, l := range lists {
		all = append(all, l...)
	}
	return all
}

func numbers() []typeCase {
	integer, unsigned := change.KindInt, change.KindUint
	nines := strings.Repeat("9", 35)
	return []typeCase{
		{"tinyint", integer, same("-128", "127", "0", "-1"), ""},
		{"tinyint unsigned", unsigned, same("255", "0", "128"), ""},
		{"smallint", integer, same("-32768", "32767"), ""},
		{"smallint unsigned", unsigned, same("65535"), ""},
		{"mediumint", integer, same("-8388608", "8388607", "-1"), ""},
		{"mediumint unsigned", unsigned, same("16777215", "8388608"), ""},
		{"int", integer, same("-2147483648", "2147483647"), ""},
		{"int unsigned", unsigned, same("4294967295"), ""},
		{"bigint", integer, same("-9223372036854775808", "9223372036854775807"), ""},
		{"bigint unsigned", unsigned, same("18446744073709551615", "9223372036854775808"), ""},
		{"int(8) zerofill", unsigned, []literal{{"42", "42"}}, "cast(c+0 as char)"},
		{"bigint(20) zerofill", unsigned, []literal{{"18446744073709551615", "18446744073709551615"}, {"7", "7"}}, "cast(c+0 as char)"},
		{"boolean", integer, []literal{{"true", "1"}, {"false", "0"}}, ""},
		{"year", integer, []literal{{"1901", "1901"}, {"2155", "2155"}, {"2024", "2024"}, {"0", "0"}}, "cast(c+0 as char)"},
		{"decimal(10,2)", change.KindDecimal, same("0.00", "-0.01", "99999999.99", "-99999999.99", "1234.50", "0.10"), ""},
		{"decimal(10,0)", change.KindDecimal, same("0", "-1", "9999999999"), ""},
		{"decimal(10,2) unsigned", change.KindDecimal, same("0.00", "99999999.99"), ""},
		{"decimal(9,9)", change.KindDecimal, same("0.123456789", "-0.000000001"), ""},
		{"decimal(18,9)", change.KindDecimal, same("123456789.123456789", "-0.000000001", "100000000.000000000"), ""},
		{"decimal(65,30)", change.KindDecimal, same(nines+"."+strings.Repeat("9", 30), "-"+nines+"."+strings.Repeat("9", 30), "-0."+strings.Repeat("0", 29)+"1"), ""},
		{"decimal(65,0)", change.KindDecimal, same(nines + strings.Repeat("9", 30)), ""},
		{"decimal(1,0)", change.KindDecimal, same("5", "-9"), ""},
		{"decimal(12,2) zerofill", change.KindDecimal, []literal{{"1.5", "1.50"}, {"0", "0.00"}}, "cast(c+0.00 as char)"},
		{"float", change.KindFloat32, []literal{{"0.1", "0.1"}, {"16777217", "16777216"}, {"-3.4028234e38", "-3.4028235e+38"}, {"1.17549435e-38", "1.1754944e-38"}, {"1e-45", "1e-45"}, {"-0.0", ""}, {"123456789", "123456790"}}, ""},
		{"float unsigned", change.KindFloat32, []literal{{"0.1", "0.1"}}, ""},
		{"float(7,3)", change.KindFloat32, []literal{{"1234.5678", "1234.568"}}, ""},
		{"double", change.KindFloat64, []literal{{"0.1e0", "0.1"}, {"1.7976931348623157e308", "1.7976931348623157e+308"}, {"-2.2250738585072014e-308", "-2.2250738585072014e-308"}, {"4.9e-324", ""}, {"0.30000000000000004e0", "0.30000000000000004"}, {"9007199254740993", ""}, {"1e15", "1000000000000000"}, {"123456789012345678e0", ""}}, ""},
		{"double(20,5)", change.KindFloat64, []literal{{"1234567.891234", "1234567.89123"}, {"0.1", "0.1"}}, ""},
		{"bit(1)", change.KindBits, []literal{{"b'1'", "1"}, {"b'0'", "0"}}, ""},
		{"bit(9)", change.KindBits, []literal{{"b'101010101'", "101010101"}, {"b'1'", "000000001"}}, "lpad(bin(c+0),9,'0')"},
		{"bit(64)", change.KindBits, []literal{{"b'" + strings.Repeat("1", 64) + "'", strings.Repeat("1", 64)}, {"0", strings.Repeat("0", 64)}, {"1", strings.Repeat("0", 63) + "1"}}, "lpad(bin(c+0),64,'0')"},
	}
}

func times() []typeCase {
	var list []typeCase
	fraction := func(n int) string { return (".123456")[:min(n+1, 7)*min(n, 1)] }
	for n := range 7 {
		f, zero := fraction(n), (".000000")[:(n+1)*min(n, 1)]
		list = append(list,
			typeCase{fmt.Sprintf("datetime(%d)", n), change.KindWallTime, []literal{
				{"'2024-02-29 23:59:58" + f + "'", "2024-02-29T23:59:58" + f}, {"'1000-01-01 00:00:00'", "1000-01-01T00:00:00" + zero},
				{"'9999-12-31 23:59:59" + f + "'", "9999-12-31T23:59:59" + f}, {"'0000-00-00 00:00:00'", "0000-00-00 00:00:00" + zero},
				{"'2024-00-10 01:02:03" + f + "'", "2024-00-10 01:02:03" + f}, {"'2024-02-00 01:02:03'", "2024-02-00 01:02:03" + zero},
				{"'2023-02-31 00:00:00'", "2023-02-31 00:00:00" + zero}, {"'1969-12-31 23:59:59" + f + "'", "1969-12-31T23:59:59" + f},
				{"'0000-01-01 00:00:00'", "0000-01-01T00:00:00" + zero}}, ""},
			typeCase{fmt.Sprintf("timestamp(%d) null", n), change.KindInstant, []literal{
				{"'2024-02-29 23:59:58" + f + "'", "2024-02-29T23:59:58" + f + "Z"}, {"'1970-01-01 00:00:01'", "1970-01-01T00:00:01" + zero + "Z"},
				{"'2038-01-19 03:14:07" + zero + "'", "2038-01-19T03:14:07" + zero + "Z"}, {"'0000-00-00 00:00:00'", "0000-00-00 00:00:00" + zero}}, ""},
			typeCase{fmt.Sprintf("time(%d)", n), change.KindTime, []literal{
				{"'12:00:00'", "12:00:00" + zero}, {"'-00:00:01'", "-00:00:01" + zero}, {"'838:59:59" + zero + "'", "838:59:59" + zero},
				{"'-838:59:59" + zero + "'", "-838:59:59" + zero}, {"'23:59:58" + f + "'", "23:59:58" + f}, {"'-23:59:58" + f + "'", "-23:59:58" + f},
				{"'00:00:00'", "00:00:00" + zero}, {"'-100:00:00" + f + "'", "-100:00:00" + f}, {"'-00:00:00" + f + "'", ""}}, ""},
		)
	}
	return append(list, typeCase{"date", change.KindDate, quoted("2024-02-29", "1000-01-01", "9999-12-31", "0000-00-00", "2024-00-00", "2024-10-00", "2023-02-31", "0000-01-01", "0001-01-01"), ""})
}

func bytesCases() []typeCase {
	b := change.KindBytes
	return []typeCase{
		{"binary(4)", b, []literal{{"x'00'", "AAAAAA=="}, {"x'01020304'", "AQIDBA=="}, {"''", "AAAAAA=="}, {"x'ff00'", "/wAAAA=="}, {"x'0020'", "ACAAAA=="}}, ""},
		{"binary(16)", b, []literal{{"x'00112233445566778899aabbccddee00'", "ABEiM0RVZneImaq7zN3uAA=="}}, ""},
		{"binary(255)", b, []literal{{"x'41'", ""}}, ""},
		{"varbinary(5)", b, []literal{{"x'00'", "AA=="}, {"''", ""}, {"x'6100'", "YQA="}}, ""},
		{"varbinary(300)", b, []literal{{"repeat(x'00', 300)", ""}, {"x'ff'", "/w=="}}, ""},
		{"tinyblob", b, []literal{{"repeat(x'80', 255)", ""}}, ""},
		{"blob", b, []literal{{"repeat(x'80', 65535)", ""}, {"''", ""}}, ""},
		{"mediumblob", b, []literal{{"repeat(x'80', 65536)", ""}}, ""},
		{"longblob", b, []literal{{"repeat(x'00ff', 100000)", ""}, {"x''", ""}}, ""},
		{"geometry", b, []literal{{"ST_GeomFromText('POINT(1 2)')", point12}, {"ST_GeomFromText('LINESTRING(0 0,1 1)', 4326)", ""}}, ""},
		{"point", b, []literal{{"ST_GeomFromText('POINT(1 2)')", point12}}, ""},
		{"geometrycollection", b, []literal{{"ST_GeomFromText('GEOMETRYCOLLECTION(POINT(1 2))')", ""}}, ""},
		{"polygon", b, []literal{{"ST_GeomFromText('POLYGON((0 0,1 0,1 1,0 0))')", ""}}, ""},
	}
}

func texts() []typeCase {
	text := change.KindText
	list := []typeCase{
		{"char(5) character set utf8mb4", text, []literal{{"'a  '", "a"}, {"'日本語'", "日本語"}, {"''", ""}, {"'😀'", "😀"}}, ""},
		{"char(255) character set utf8mb4", text, []literal{{"repeat('日', 255)", strings.Repeat("日", 255)}, {"'x'", "x"}}, ""},
		{"char(100) character set utf8mb3", text, quoted("é", "日本"), ""},
		{"varchar(5) character set utf8mb4", text, []literal{{"'a  '", "a  "}, {"'日本語'", "日本語"}}, ""},
		{"varchar(70) character set utf8mb4 collate utf8mb4_bin", text, quoted("it's", "tab\tend"), ""},
		{"varchar(300)", text, []literal{{"repeat('x', 300)", strings.Repeat("x", 300)}}, ""},
		{"tinytext", text, quoted("é"), ""},
		{"text", text, []literal{{"repeat('é', 300)", strings.Repeat("é", 300)}}, ""},
		{"mediumtext", text, quoted("日本語"), ""},
		{"longtext character set latin1", text, quoted("café", "€uro"), ""},
		{"char(10) character set latin1", text, quoted("ÿ€", "a b"), ""},
		{"char(10) character set ucs2", text, []literal{{"'日a '", "日a"}, {"''", ""}}, ""},
		{"varchar(10) character set utf16", text, quoted("a😀é", "日"), ""},
		{"char(10) character set utf16le", text, quoted("a😀é", "日"), ""},
		{"varchar(10) character set utf32", text, quoted("a😀é", "日"), ""},
		{"char(80) character set utf32", text, quoted("a😀é", "日"), ""},
		{"varchar(20) character set gbk", text, quoted("中文"), ""},
		{"varchar(20) character set gb2312", text, quoted("中文"), ""},
		{"varchar(20) character set big5", text, quoted("中文"), ""},
		{"varchar(20) character set sjis", text, quoted("日本ｱ"), ""},
		{"varchar(20) character set cp932", text, quoted("日本ｱ～①"), ""},
		{"varchar(20) character set ujis", text, quoted("日本ｱ"), ""},
		{"varchar(20) character set eucjpms", text, quoted("日本ｱ～"), ""},
		{"varchar(20) character set euckr", text, quoted("한국어"), ""},
		{"text character set ascii", text, quoted("plain"), ""},
		{"enum('a','b','it''s','c,d')", text, []literal{{"'a'", "a"}, {"'it''s'", "it's"}, {"4", "c,d"}, {"0", ""}}, ""},
		{"enum('ä','€') character set latin1", text, quoted("ä", "€"), ""},
		{"enum('日','\\\\n','a\\nb','x\\0y') character set utf8mb4", text, []literal{{"'日'", "日"}, {"2", `\n`}, {"3", "a\nb"}, {"4", "x\x00y"}}, ""},
		{"enum('😀','a?') character set utf8mb4", text, []literal{{"'😀'", "😀"}, {"2", "a?"}}, ""},
		{"enum('a','é') character set binary", text, quoted("a", "é"), ""},
		{"set('a','é') character set binary", text, quoted("a,é"), ""},
		{"char(0)", text, quoted(""), ""},
		{"varchar(0)", text, quoted(""), ""},
		{"binary(0)", change.KindBytes, quoted(""), ""},
		{"set('😀','b') character set utf8mb4", text, []literal{{"'😀,b'", "😀,b"}}, ""},
		{"enum(" + labels(300) + ")", text, []literal{{"'v1'", "v1"}, {"'v255'", "v255"}, {"'v256'", "v256"}, {"'v299'", "v299"}, {"1", "v0"}}, ""},
		{"set('a','b','c')", text, []literal{{"'a,c'", "a,c"}, {"''", ""}, {"'c,b,a'", "a,b,c"}, {"2", "b"}}, ""},
		{"set(" + labels(64) + ")", text, []literal{{"'v63'", "v63"}, {"'v0,v63'", "v0,v63"}, {"0", ""}}, ""},
		{"set(" + labels(17) + ")", text, []literal{{"'v16,v8,v0'", "v0,v8,v16"}}, ""},
		{"set(" + labels(33) + ")", text, []literal{{"'v32'", "v32"}}, ""},
		{"set('','a','ü') character set latin1", text, []literal{{"1", ""}, {"3", ""}, {"7", ""}, {"'ü'", "ü"}}, ""},
	}
	for _, set := range strings.Fields("latin2 latin5 latin7 greek hebrew cp1250 cp1251 cp1256 cp1257 cp850 cp852 cp866 koi8r koi8u macce macroman armscii8 dec8 hp8 geostd8 keybcs2 swe7 tis620") {
		list = append(list, typeCase{"varchar(20) character set " + set, text, []literal{{"'plain'", "plain"}, {"x'417A'", "Az"}}, ""})
	}
	return list
}

func labels(n int) string {
	var list []string
	for i := range n {
		list = append(list, fmt.Sprintf("'v%d'", i))
	}
	return strings.Join(list, ",")
}
