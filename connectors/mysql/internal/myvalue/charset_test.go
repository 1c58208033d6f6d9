package myvalue_test

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/tailwater-cdc/tailwater/connectors/mysql/internal/myvalue"
	"github.com/tailwater-cdc/tailwater/pkg/testenv"
)

var update = flag.Bool("update", false, "write the tables of charsets anew, from MySQL 9.7")

// sequences are what a character set's conversion is tried with: every character it can have, and what isn't one.
func sequences(set string) [][]byte {
	var list [][]byte
	for i := range 256 {
		list = append(list, []byte{byte(i)})
	}
	if width := len(wide[set]); width > 0 {
		list = nil
		for _, s := range strings.Fields(wide[set]) {
			b, _ := hex.DecodeString(s)
			list = append(list, b)
		}
		return list
	}
	if !slices.Contains(multi, set) {
		return list
	}
	for i := 0x80; i < 0x100; i++ {
		for j := 0x40; j < 0x100; j++ { // and no ?, which is what a server makes of what it can't read
			list = append(list, []byte{byte(i), byte(j)})
		}
	}
	switch set {
	case "ujis", "eucjpms":
		for i := 0xa0; i < 0x100; i++ {
			for j := 0xa0; j < 0x100; j++ {
				list = append(list, []byte{0x8f, byte(i), byte(j)})
			}
		}
	case "gb18030":
		for n := range 4 * 10 * 126 * 10 {
			list = append(list, []byte{0x81 + byte(n/12600), '0' + byte(n/1260%10), 0x81 + byte(n/10%126), '0' + byte(n%10)})
		}
		list = append(list, []byte("\x90\x30\x81\x30"), []byte("\xe3\x32\x9a\x35"))
	}
	return list
}

var multi = strings.Fields("gbk gb2312 big5 sjis cp932 euckr ujis eucjpms gb18030")

// wide are sequences of the Unicode encodings.
var wide = map[string]string{
	"ucs2":    "0000 0041 00e9 20ac d7ff e000 ffff fffd",
	"utf16":   "0000 0041 00e9 20ac d7ff e000 ffff fffd d83dde00 dbffdfff 00410041",
	"utf16le": "0000 4100 e900 ac20 ffd7 00e0 ffff fdff 3dd800de ffdbffdf 41004100",
	"utf32":   "00000000 00000041 000000e9 000020ac 0000d7ff 0000e000 0001f600 0010ffff",
	"utf8mb3": "00 41 c3a9 e282ac efbfbd ee8080",
	"utf8mb4": "00 41 c3a9 e282ac efbfbd f09f9880 f48fbfbf",
}

// TestCharsets converts every character of every character set, and holds it against the server's CONVERT. With -update it writes the
// tables of those of several bytes from what MySQL converts.
func TestCharsets(t *testing.T) {
	testenv.AllMySQL(t, func(t *testing.T, my *testenv.My) {
		conn := my.Connect()
		if _, err := conn.ExecContext(t.Context(), "create temporary table s (id int primary key, b varbinary(4))"); err != nil {
			t.Fatal(err)
		}
		for _, row := range my.Query("select character_set_name, maxlen from information_schema.character_sets where character_set_name <> 'binary'") {
			set, list := row[0], sequences(row[0])
			own := converted(t, my, set, list)
			if *update && !my.MariaDB && slices.Contains(multi, set) {
				writeTable(t, set, list, own)
				continue
			}
			column := myvalue.Type{Name: "c", Wire: myvalue.Blob, Length: 2, Collation: collationOf(my, set)}
			for i, b := range list {
				got, err := convert(&column, b)
				if want := own[i]; got != want && want != "" || err == nil != (want != "" || len(b) == 0) {
					t.Errorf("%s: %x is %q, %v, the server says %q", set, b, got, err, want)
				}
			}
			column.Wire, column.Length = myvalue.String, 240
			if most, _ := strconv.Atoi(row[1]); column.Column().Length != 240/most {
				t.Errorf("%s: %d characters in 240 bytes, at most %d bytes each", set, column.Column().Length, most)
			}
		}
	})
}

// convert reads b as a cell of the log.
func convert(column *myvalue.Type, b []byte) (string, error) {
	var r myvalue.Row
	r.Begin(1)
	if _, err := r.Binary(column, append(binary.LittleEndian.AppendUint16(nil, uint16(len(b))), b...)); err != nil {
		return "", err
	}
	return r.Values()[0].Str(), nil
}

func collationOf(my *testenv.My, set string) int {
	id, _ := strconv.Atoi(my.Value("select min(id) from information_schema.collations where character_set_name = '" + set + "'"))
	return id
}

// converted are the server's conversions, empty where it has none.
func converted(t *testing.T, my *testenv.My, set string, list [][]byte) []string {
	t.Helper()
	my.Exec("create temporary table if not exists s (id int primary key, b varbinary(4)); truncate table s")
	for begin := 0; begin < len(list); begin += 4000 {
		var sql strings.Builder
		for i, b := range list[begin:min(begin+4000, len(list))] {
			fmt.Fprintf(&sql, ",(%d,x'%x')", begin+i, b)
		}
		my.Exec("insert into s values " + sql.String()[1:])
	}
	var all []string
	for i, row := range my.Query("select ifnull(hex(convert(convert(b using " + set + ") using utf8mb4)), '') from s order by id") {
		b, err := hex.DecodeString(row[0])
		if err != nil || !utf8.Valid(b) {
			t.Fatalf("%s: %q", set, row[0])
		}
		text := string(b)
		lost := strings.Count(text, "?") > bytes.Count(list[i], []byte("?")) || strings.ContainsRune(text, utf8.RuneError) && !strings.HasPrefix(set, "u") && set != "gb18030"
		if lost {
			text = ""
		}
		all = append(all, text)
	}
	return all
}

// writeTable writes what multibyte.go says a table is.
func writeTable(t *testing.T, set string, list [][]byte, own []string) {
	t.Helper()
	table := make([]uint16, 256+128*256)
	switch set {
	case "ujis", "eucjpms":
		table = append(table, make([]uint16, 128*128)...)
	case "gb18030":
		table = append(table, make([]uint16, 4*10*126*10)...)
	}
	const more = 256 + 128*256
	for i, b := range list {
		r, size := utf8.DecodeRuneInString(own[i])
		if size != len(own[i]) || size == 0 || r > 0xffff {
			continue
		}
		switch len(b) {
		case 1:
			table[b[0]] = uint16(r)
		case 2:
			table[256+int(b[0]-0x80)*256+int(b[1])] = uint16(r)
		case 3:
			table[more+int(b[1]-0x80)*128+int(b[2]-0x80)] = uint16(r)
		default:
			table[more+i-(256+128*192)] = uint16(r)
		}
	}
	var file bytes.Buffer
	z, err := gzip.NewWriterLevel(&file, gzip.BestCompression)
	if err == nil {
		err = binary.Write(z, binary.LittleEndian, table)
	}
	if err == nil {
		err = z.Close()
	}
	if err == nil {
		err = os.WriteFile(filepath.Join("charsets", set+".gz"), file.Bytes(), 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestCollations holds what is known of each collation against the server: its character set, and, where keys under it are told apart
// by their bytes or their case, that it tells no less apart.
func TestCollations(t *testing.T) {
	testenv.AllMySQL(t, func(t *testing.T, my *testenv.My) {
		query := "select id, collation_name, character_set_name from information_schema.collations where character_set_name <> 'binary'"
		if my.MariaDB {
			query = "select id, full_collation_name, character_set_name from information_schema.collation_character_set_applicability where character_set_name <> 'binary'"
		}
		for _, row := range my.Query(query) {
			id, _ := strconv.Atoi(row[0])
			char := myvalue.Type{Wire: myvalue.String, Length: 12, Collation: id}
			varchar := myvalue.Type{Wire: myvalue.Varchar, Length: 12, Collation: id}
			if got := char.Column().Charset; got != row[2] {
				t.Errorf("%s is of %q, the server says %s", row[1], got, row[2])
				continue
			}
			compares := func(a, b string) bool {
				return my.Value(fmt.Sprintf("select convert(%s using %s) = convert(%s using %s) collate %s", a, row[2], b, row[2], row[1])) == "1"
			}
			equality := char.Column().Equality.String()
			if !strings.HasSuffix(row[1], "_bin") && row[2] != "ascii" {
				if equality != "unknown" || varchar.Column().Equality.String() != "unknown" {
					t.Errorf("%s is %s", row[1], equality)
				}
				continue
			}
			want := "bytewise"
			if compares("'a'", "'A'") {
				want = "case_insensitive"
			}
			if equality != want {
				t.Errorf("%s of a CHAR is %s, want %s", row[1], equality, want)
			}
			if compares("'a'", "'a '") {
				want = "unknown"
			}
			if got := varchar.Column().Equality.String(); got != want {
				t.Errorf("%s of a VARCHAR is %s, want %s", row[1], got, want)
			}
		}
		for _, row := range my.Query(asciiPairs) {
			t.Errorf("ascii_general_ci takes %s and %s for equal", row[0], row[1])
		}
	})
}

// asciiPairs are the characters that ascii_general_ci takes for equal though they aren't one letter in two cases. A blank equals nothing at
// the end, where a CHAR has none.
const asciiPairs = `with recursive n (i) as (select 0 union all select i + 1 from n where i < 127)
 select a.i, b.i from n a join n b on a.i < b.i and a.i <> 32 and b.i <> 32
 where char(a.i using ascii) = char(b.i using ascii) collate ascii_general_ci and not (a.i between 65 and 90 and b.i = a.i + 32)`
