package typetable

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// character is a type of texts in a character set.
func character(name, set string, values ...Value) Type {
	t := my(name, "text", change.KindText, values...)
	t.SQL = name + " character set " + set
	return t
}

func mysqlTexts() []Type {
	long := func(s string, n int) Value {
		return val(fmt.Sprintf("repeat('%s', %d)", s, n), strings.Repeat(s, n), jsonString(strings.Repeat(s, n)))
	}
	return []Type{
		character("char(5)", "utf8mb4", append(strs("日本語", "", "😀"), val("'a  '", "a", `"a"`))...).note("Blanks at the end are not kept by the server."),
		character("char(255)", "utf8mb4", long("日", 255)),
		character("char(0)", "utf8mb4", strs("")...),
		character("varchar(5)", "utf8mb4", strs("a  ", "日本語")...),
		character("varchar(70)", "utf8mb4 collate utf8mb4_bin", append(strs("it's", "tab\tend", "line\nend"), val(`'back\\slash'`, `back\slash`, `"back\\slash"`))...),
		character("varchar(300)", "utf8mb4", long("x", 300)),
		character("varchar(20)", "utf8mb3", strs("é", "日本")...),
		character("tinytext", "utf8mb4", strs("é", "")...),
		character("text", "utf8mb4", long("é", 300)),
		character("mediumtext", "utf8mb4", strs("日本語")...),
		character("longtext", "utf8mb4", long("日", 70000)),
	}
}

// mysqlCharsets are texts in every character set of MySQL and MariaDB, as UTF-8.
func mysqlCharsets() []Type {
	var list []Type
	add := func(set string, texts ...string) {
		t := character("varchar(20)", set, strs(texts...)...)
		t.Note = "character set " + set
		list = append(list, t)
	}
	for _, c := range []struct{ sets, text string }{
		{"latin1", "ÿ€ café"}, {"latin2 cp852 cp1250 macce keybcs2", "žluťoučký"}, {"latin5 cp850 dec8 hp8", "Köln"}, {"latin7 cp1257", "Žemaitė"}, {"greek", "Ελλάδα"}, {"hebrew", "שלום"},
		{"cp1251 cp866 koi8r", "Москва"}, {"koi8u", "Київ"}, {"cp1256", "سلام"}, {"macroman", "café"}, {"armscii8", "Հայ"}, {"geostd8", "თბილისი"}, {"tis620", "ไทย"}, {"swe7", "Malm\u00f6"},
		{"ucs2", "日aé"}, {"utf16 utf16le utf32", "a😀é日"}, {"gbk gb2312 big5", "中文"}, {"sjis", "日本ｱ"}, {"cp932 eucjpms", "日本ｱ～①"}, {"ujis", "日本ｱ"}, {"euckr", "한국어"}, {"ascii", "plain"},
	} {
		for _, set := range strings.Fields(c.sets) {
			add(set, c.text, "az")
		}
	}
	char := character("char(10)", "ucs2", strs("日a", "")...)
	char.Note = "character set ucs2"
	gb18030 := character("varchar(20)", "gb18030", strs("中文€😀")...).in("mysql97")
	gb18030.Note = "character set gb18030"
	return append(list, char, gb18030)
}

// mysqlLists are the types whose values are named in the definition.
func mysqlLists() []Type {
	member := func(sql, text string) Value { return val(sql, text, jsonString(text)) }
	labels := func(n int) string {
		all := make([]string, n)
		for i := range all {
			all[i] = fmt.Sprintf("'v%d'", i)
		}
		return strings.Join(all, ",")
	}
	t := func(name, definition string, values ...Value) Type {
		typ := my(name, "text", change.KindText, values...)
		typ.SQL = definition
		return typ
	}
	few := "enum('a','b','it''s','c,d')"
	return []Type{
		t(few, few, member("'a'", "a"), member("'it''s'", "it's"), member("4", "c,d"), val("0", "", `""`).only()).note("The empty text that a value outside the list leaves is carried; MySQL and MariaDB in strict mode take it only where the column has it as a label."),
		t("enum('ä','€')", "enum('ä','€') character set latin1", strs("ä", "€")...),
		t("enum('日','é')", "enum('日','é') character set utf8mb4", strs("日", "é")...),
		t("enum('日','😀')", "enum('日','😀') character set utf8mb4", strs("日", "😀")...).as(MySQL, "varchar(1)").as(MariaDB, "varchar(1)").
			note("No catalogue of the servers tells a label with a character of four bytes, or with a question mark beside wide characters: the column is a text at targets."),
		t("set('😀','b')", "set('😀','b') character set utf8mb4", member("3", "😀,b")).as(MySQL, "varchar(3)").as(MariaDB, "varchar(3)"),
		t("enum("+labels(300)+")", "enum("+labels(300)+")", member("'v1'", "v1"), member("'v255'", "v255"), member("'v256'", "v256"), member("'v299'", "v299")),
		t("set('a','b','c')", "set('a','b','c')", member("'a,c'", "a,c"), member("''", ""), member("'c,b,a'", "a,b,c"), member("2", "b")),
		t("set("+labels(64)+")", "set("+labels(64)+")", member("'v63'", "v63"), member("'v0,v63'", "v0,v63"), member("0", "")),
		t("set('ü','a')", "set('ü','a') character set latin1", member("3", "ü,a")),
	}
}

// raw is a value of bytes, given in hexadecimal.
func raw(sql, hexText string) Value {
	b, err := hex.DecodeString(hexText)
	if err != nil {
		b = []byte(err.Error())
	}
	return val(sql, strings.ToUpper(hexText), `"`+base64.StdEncoding.EncodeToString(b)+`"`)
}

func mysqlBytes() []Type {
	b := func(name string, values ...Value) Type { return my(name, "bytea", change.KindBytes, values...) }
	many := func(hexText string, n int) Value {
		return raw(fmt.Sprintf("repeat(x'%s', %d)", hexText, n), strings.Repeat(hexText, n))
	}
	return []Type{
		b("binary(4)", raw("x'00'", "00000000"), raw("x'01020304'", "01020304"), raw("''", "00000000"), raw("x'ff00'", "ff000000"), raw("x'0020'", "00200000")),
		b("binary(16)", raw("x'00112233445566778899aabbccddee00'", "00112233445566778899aabbccddee00")),
		b("binary(255)", raw("x'41'", "41"+strings.Repeat("00", 254))),
		b("varbinary(5)", raw("x'00'", "00"), raw("''", ""), raw("x'6100'", "6100")),
		b("varbinary(300)", many("00", 300), raw("x'ff'", "ff")),
		b("tinyblob", many("80", 255)),
		b("blob", many("80", 65535), raw("''", "")),
		b("mediumblob", many("80", 65536)),
		b("longblob", many("00ff", 100000), raw("x''", "")),
	}
}

const (
	point      = "000000000101000000000000000000F03F0000000000000040" // POINT(1 2), SRID 0: four bytes of SRID, and WKB
	pointAt    = "110F00000101000000000000000000F03F0000000000000040" // in SRID 3857
	line       = "00000000010200000002000000000000000000000000000000000000000000000000000000000000000000F03F"
	lineEnd    = "000000000000F03F"
	collection = "00000000010700000001000000" + "0101000000000000000000F03F0000000000000040"
	square     = "0000000001030000000100000004000000" + "00000000000000000000000000000000" + "000000000000F03F0000000000000000" + "000000000000F03F000000000000F03F" + "00000000000000000000000000000000"
)
