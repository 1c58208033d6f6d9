package mysql_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/testenv"
	"github.com/tailwater-cdc/tailwater/sinks"
)

// declared are the types of a table's columns as the catalogue shows them, NOT NULL marked by !.
func declared(my *testenv.My, table string) []string {
	var out []string
	for _, r := range my.Query("select concat(column_type, if(is_nullable = 'NO', '!', '')) from information_schema.columns where table_schema = database()" +
		" and table_name = '" + table + "' order by ordinal_position") {
		out = append(out, strings.NewReplacer("bigint(20)", "bigint", "int(11)", "int", "year(4)", "year").Replace(r[0])) // MariaDB shows widths
	}
	return out
}

func TestSameEngineKeepsTypes(t *testing.T) {
	t.Parallel()
	testenv.AllMySQL(t, func(t *testing.T, my *testenv.My) {
		engine := "mysql"
		if my.MariaDB {
			engine = "mariadb"
		}
		s := open(t, config(my))
		natives := []struct {
			column change.Column
			want   string
		}{
			{change.Column{Native: "varchar(20)", Kind: change.KindText, Length: 20, Charset: "latin1"}, "varchar(20)"},
			{change.Column{Native: "char(3)", Kind: change.KindText, Length: 3}, "char(3)"},
			{change.Column{Native: "text", Kind: change.KindText, Charset: "utf8mb4"}, "text"},
			{change.Column{Native: "text", Kind: change.KindText, Charset: "latin1"}, "longtext"}, // its characters may take more bytes
			{change.Column{Native: "varchar(20000)", Kind: change.KindText, Length: 20000, Charset: "latin1"}, "longtext"},
			{change.Column{Native: "decimal(10,3)", Kind: change.KindDecimal, Precision: 10, Scale: 3}, "decimal(10,3)"},
			{change.Column{Native: "enum('it''s','b')", Kind: change.KindText}, "enum('it''s','b')"},
			{change.Column{Native: "set('a','b')", Kind: change.KindText}, "set('a','b')"},
			{change.Column{Native: "bit(5)", Kind: change.KindBits, Length: 5}, "bit(5)"},
			{change.Column{Native: "timestamp(3)", Kind: change.KindInstant, Precision: 3}, "timestamp(3)"},
			{change.Column{Native: "time(2)", Kind: change.KindTime, Precision: 2}, "time(2)"},
			{change.Column{Native: "varbinary(9)", Kind: change.KindBytes, Length: 9}, "varbinary(9)"},
			{change.Column{Native: "no_such_type", Kind: change.KindNative}, "longtext"},
			{change.Column{Native: "int); drop table x; --", Kind: change.KindText}, "longtext"},
		}
		tab := table()
		tab.Engine, tab.Columns = engine, tab.Columns[:1]
		tab.Columns[0].Native = "int(11)"
		var want []string
		for i, n := range natives {
			n.column.Name, n.column.Nullable = string(rune('a'+i)), true
			tab.Columns = append(tab.Columns, n.column)
			want = append(want, n.want)
		}
		mustApply(t, s, at(tab, 1, change.NewShape))
		if got := declared(my, "t"); !slices.Equal(got[1:], want) {
			t.Errorf("columns became %q, want %q", got[1:], want)
		}
		row := []change.Value{change.Int(1), change.Text("é"), change.Text("abc"), change.Text("x "), change.Text(" "), change.Text("y"), change.Decimal("1.500"),
			change.Text("it's"), change.Text("a,b"), change.Bits("00101"), change.Instant(1000), change.Time(10000), change.Bytes("\x00"), change.Null(), change.Null()}
		mustApply(t, s, at(tab, 2, change.Insert, row...))
		mustApply(t, open(t, config(my)), at(tab, 3, change.Delete, row...))
		wantRows(t, my, "select id from t")
	})
}

// TestSpecialTypes are those of one server only: they stay what they are there, and become texts or bytes elsewhere.
func TestSpecialTypes(t *testing.T) {
	t.Parallel()
	shape := func(engine string) *change.Table {
		tab := table()
		tab.Engine, tab.Columns = engine, tab.Columns[:1]
		for i, c := range []change.Column{{Native: "point", Kind: change.KindBytes}, {Native: "json", Kind: change.KindJSON},
			{Native: "uuid", Kind: change.KindUUID}, {Native: "inet6", Kind: change.KindNative}, {Native: "year", Kind: change.KindInt, Bits: 16}} {
			c.Name, c.Nullable = string(rune('a'+i)), true
			tab.Columns = append(tab.Columns, c)
		}
		return tab
	}
	point := change.Bytes("\x00\x00\x00\x00\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\xf0?\x00\x00\x00\x00\x00\x00\x00@")
	row := []change.Value{change.Int(1), point, change.JSON(`{"a": 1}`), change.UUID("00112233-4455-6677-8899-aabbccddeeff"), change.Native("::1"), change.Int(2024)}
	my := testenv.MySQL(t, "mysql97")
	tab := shape("mysql")
	tab.Columns = slices.Delete(tab.Columns, 3, 5)
	mustApply(t, open(t, config(my)), at(tab, 1, change.Insert, slices.Delete(slices.Clone(row), 3, 5)...))
	wantRows(t, my, "select st_astext(a), b, e from t", `POINT(1 2)|{"a": 1}|2024`)
	my = testenv.MySQL(t, "mariadb118")
	mustApply(t, open(t, config(my)), at(shape("mariadb"), 1, change.Insert, row...))
	wantRows(t, my, "select st_astext(a), b, c, d, e from t", `POINT(1 2)|{"a": 1}|00112233-4455-6677-8899-aabbccddeeff|::1|2024`)
	my = testenv.MySQL(t, "mysql97")
	mustApply(t, open(t, config(my)), at(shape("mariadb"), 1, change.Insert, row...))
	if got, want := declared(my, "t"), []string{"int!", "longblob", "longtext", "char(36)", "longtext", "year"}; !slices.Equal(got, want) {
		t.Errorf("MariaDB's types became %q in MySQL, want %q", got, want)
	}
}

// TestKeysFitTheIndex: whatever the source's keys are, the table can be made, its keys compare bytewise, and a key that is too long is refused with
// its length.
func TestKeysFitTheIndex(t *testing.T) {
	t.Parallel()
	text := func(n int) change.Column { return change.Column{Native: "text", Kind: change.KindText, Length: n} }
	bytes := func(n int) change.Column { return change.Column{Native: "bytea", Kind: change.KindBytes, Length: n} }
	cases := []struct {
		name string
		key  []change.Column
		want []string
		long change.Value // for the last column
		says string
	}{
		{"a text", []change.Column{text(0)}, []string{"varchar(768)!"}, change.Text(strings.Repeat("ü", 769)), "769 characters"},
		{"a short text", []change.Column{text(20)}, []string{"varchar(20)!"}, change.Text(strings.Repeat("ü", 21)), "21 characters"},
		{"a long text", []change.Column{text(5000)}, []string{"varchar(768)!"}, change.Text(strings.Repeat("x", 5000)), "5000 characters"},
		{"bytes", []change.Column{bytes(0)}, []string{"varbinary(3072)!"}, change.Bytes(strings.Repeat("x", 3073)), "3073"},
		{"a text and a number", []change.Column{{Native: "bigint", Kind: change.KindInt, Bits: 64}, text(0)}, []string{"bigint!", "varchar(756)!"},
			change.Text(strings.Repeat("x", 757)), "757 characters"},
		{"short and free", []change.Column{text(255), text(0)}, []string{"varchar(255)!", "varchar(513)!"}, change.Text(strings.Repeat("x", 514)), "514"},
		{"four long", []change.Column{text(500), text(500), text(500), text(0)}, []string{"varchar(192)!", "varchar(192)!", "varchar(192)!", "varchar(192)!"},
			change.Text(strings.Repeat("x", 193)), "193"},
		{"a decimal", []change.Column{{Native: "numeric", Kind: change.KindDecimal}}, []string{"decimal(65,30)!"}, change.Decimal(strings.Repeat("9", 36)), ""},
		{"json", []change.Column{{Native: "json", Kind: change.KindJSON}}, []string{"varchar(768)!"}, change.JSON(`"` + strings.Repeat("x", 768) + `"`), "770"},
	}
	testenv.AllMySQL(t, func(t *testing.T, my *testenv.My) {
		for i, c := range cases {
			tab := &change.Table{Source: "shop", Engine: "postgres", Schema: "public", Name: "t" + string(rune('a'+i))}
			good, bad := []change.Value{}, []change.Value{}
			for k, col := range c.key {
				col.Name = string(rune('a' + k))
				tab.Columns, tab.Key = append(tab.Columns, col), append(tab.Key, k)
				v := map[change.Kind]change.Value{change.KindText: change.Text("a"), change.KindBytes: change.Bytes("a"), change.KindInt: change.Int(1),
					change.KindDecimal: change.Decimal("1"), change.KindJSON: change.JSON("1")}[col.Kind]
				good, bad = append(good, v), append(bad, v)
			}
			bad[len(bad)-1] = c.long
			s := open(t, config(my))
			r := wantRefused(t, s.Apply(t.Context(), []change.Change{at(tab, 1, change.Insert, good...), at(tab, 2, change.Insert, bad...)}), 1, sinks.Reject)
			if !strings.Contains(r.Cause.Error(), c.says) {
				t.Errorf("%s: refused with %v, want %q", c.name, r.Cause, c.says)
			}
			if got := declared(my, tab.Name); !slices.Equal(got, c.want) {
				t.Errorf("%s: the table has %q, want %q", c.name, got, c.want)
			}
		}
	})
}

// TestKeysCompareBytewise: what a looser collation takes for one row are several.
func TestKeysCompareBytewise(t *testing.T) {
	t.Parallel()
	keys := []string{"a", "A", "a ", "á", "ａ", "", " ", "ß", "ss", "a\x00", "a\\", "a'"}
	testenv.AllMySQL(t, func(t *testing.T, my *testenv.My) {
		s := open(t, config(my))
		tab := table()
		tab.Columns[0].Kind, tab.Columns[0].Native = change.KindText, "text"
		var c []change.Change
		for i, k := range keys {
			c = append(c, at(tab, uint64(i), change.Insert, change.Text(k), change.Text(k), change.Null()))
		}
		mustApply(t, s, c...)
		if n := my.Value("select count(*) from t where id = a collate " + my.Value("select collation_name from information_schema.columns where table_schema = database() and table_name = 't' and column_name = 'id'")); n != "12" {
			t.Errorf("%s rows of %d", n, len(keys))
		}
		for i, k := range keys {
			mustApply(t, s, at(tab, 100, change.Update, change.Text(k), change.Value{}, change.Text("u")), at(tab, 101, change.Delete, change.Text(k), change.Value{}, change.Value{}))
			if n := my.Query("select count(*), count(b) from t")[0]; n[1] != "0" || n[0] != my.Value("select "+string(rune('0'+(len(keys)-i-1)/10))+string(rune('0'+(len(keys)-i-1)%10))) {
				t.Errorf("after the update and the delete of %q there are %v rows", k, n)
			}
		}
	})
}

// TestWideRow: more varchars of another character set than a row takes here.
func TestWideRow(t *testing.T) {
	t.Parallel()
	my := testenv.MySQL(t, "mariadb118")
	tab := table()
	tab.Engine = "mysql"
	for i := range 5 {
		tab.Columns = append(tab.Columns, change.Column{Name: string(rune('p' + i)), Native: "varchar(10000)", Kind: change.KindText, Length: 10000, Charset: "latin1", Nullable: true})
	}
	mustApply(t, open(t, config(my)), at(tab, 1, change.NewShape))
	if got := declared(my, "t"); !slices.Contains(got, "longtext") || !slices.Contains(got, "varchar(10000)") {
		t.Errorf("the table has %q", got)
	}
}

// TestNullKey: a nullable unique index takes it, and every replay would add the row again.
func TestNullKey(t *testing.T) {
	t.Parallel()
	my := testenv.MySQL(t, "mysql97")
	my.Exec("create table t (id int unique, a text, b text)")
	s := open(t, config(my))
	wantRefused(t, s.Apply(t.Context(), []change.Change{at(table(), 1, change.Insert, change.Null(), change.Null(), change.Null())}), 0, sinks.Reject)
}

// TestLargeRows: what the server takes at once bounds statements, and a larger row is refused with its size.
func TestLargeRows(t *testing.T) {
	t.Parallel()
	testenv.AllMySQL(t, func(t *testing.T, my *testenv.My) {
		s := open(t, config(my))
		var c []change.Change
		for i := range int64(60) {
			c = append(c, at(table(), uint64(i), change.Insert, change.Int(i), change.Text(strings.Repeat("x", 700_000)), change.Null()))
		}
		mustApply(t, s, c...)
		wantRows(t, my, "select count(*), sum(length(a)) from t", "60|42000000")
		if my.MariaDB { // its default is 16 MiB
			huge := at(table(), 100, change.Insert, change.Int(100), change.Text(strings.Repeat("'", 9<<20)), change.Null())
			if r := wantRefused(t, s.Apply(t.Context(), []change.Change{c[0], huge}), 1, sinks.Reject); !strings.Contains(r.Cause.Error(), "max_allowed_packet") {
				t.Error(r.Cause)
			}
			if err := s.ApplyAt(t.Context(), nil, []sinks.Parked{{Change: huge, Code: "X"}}, nil, nil); !errors.Is(err, change.ErrHalt) {
				t.Errorf("a parked change that is larger: %v", err)
			}
		}
	})
}
