package mysql_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/testenv"
	"github.com/tailwater-cdc/tailwater/sinks"
	"github.com/tailwater-cdc/tailwater/sinks/mysql"
)

// exact ends the definition of a table whose texts compare bytewise, in either dialect.
const exact = " default charset utf8mb4 collate /*!80000 utf8mb4_0900_bin */ /*M! utf8mb4_nopad_bin */"

// TestTargetMustFit: what doesn't fit ends the sink before a row is written, with what to run.
func TestTargetMustFit(t *testing.T) {
	t.Parallel()
	column := func(c change.Column) func(*change.Table) {
		return func(t *change.Table) { c.Name = "a"; t.Columns[1] = c }
	}
	textKey := func(t *change.Table) { t.Columns[0].Kind, t.Columns[0].Native = change.KindText, "text" }
	cases := []struct {
		name   string
		sql    string // makes table "t"; empty: there is none
		shape  func(*change.Table)
		create bool
		want   error
		words  string
	}{
		{"no table", "", nil, false, change.ErrPreflight, "CREATE TABLE"},
		{"no unique index", "create table t (id int, a text, b text)", nil, true, change.ErrPreflight, "CREATE UNIQUE INDEX"},
		{"wider unique index", "create table t (id int, a varchar(9), b text, unique (id, a))", nil, true, change.ErrPreflight, "CREATE UNIQUE INDEX"},
		{"unique index of a prefix", "create table t (id varchar(9), a text, b text, unique (id(3)))" + exact, textKey, true, change.ErrPreflight, "CREATE UNIQUE INDEX"},
		{"a view", "create view t as select 1 as id, '' as a, '' as b", nil, true, change.ErrPreflight, "not a table"},
		{"no transactions", "create table t (id int primary key, a text, b text) engine = MyISAM", nil, true, change.ErrPreflight, "ENGINE = InnoDB"},
		{"column missing", "create table t (id int primary key, a text)", nil, false, change.ErrHalt, "ADD COLUMN `b` longtext"},
		{"NOT NULL column missing", "create table t (id int primary key, a text); insert into t values (1, 'x')", func(t *change.Table) { t.Columns[2].Nullable = false }, true, change.ErrHalt, "fill it in"},
		{"column that nobody fills", "create table t (id int primary key, a text, b text, c int not null)", nil, true, change.ErrHalt, "MODIFY `c`"},
		{"key folds case", "create table t (id varchar(9) primary key, a text, b text) default charset utf8mb4 collate utf8mb4_general_ci", textKey, true, change.ErrHalt, "coarsely"},
		{"key drops blanks", "create table t (id varchar(9) primary key, a text, b text) default charset utf8mb4 collate utf8mb4_bin", textKey, true, change.ErrHalt, "coarsely"},
		{"key is a char", "create table t (id char(9) primary key, a text, b text)" + exact, textKey, true, change.ErrHalt, "coarsely"},
		{"key is citext", "create table t (id varchar(9) primary key, a text, b text) default charset utf8mb4 collate utf8mb4_general_ci",
			func(t *change.Table) { textKey(t); t.Columns[0].Equality = change.CaseInsensitive }, true, change.ErrHalt, "coarsely"},
		{"key is computed", "create table t (n int, id int generated always as (n) stored unique, a text, b text)", nil, true, change.ErrHalt, "plain column"},
		{"computed by the target", "create table t (id int primary key, a int generated always as (id) stored, b text)",
			column(change.Column{Native: "integer", Kind: change.KindInt, Bits: 32}), true, change.ErrHalt, "computed by the target"},
		{"scale rounds", "create table t (id int primary key, a decimal(10,2), b text)",
			column(change.Column{Native: "numeric(12,3)", Kind: change.KindDecimal, Precision: 12, Scale: 3}), true, change.ErrHalt, "rounds"},
		{"double rounds", "create table t (id int primary key, a double, b text)", column(change.Column{Native: "numeric", Kind: change.KindDecimal}), true, change.ErrHalt, "rounds"},
		{"float rounds", "create table t (id int primary key, a float, b text)", column(change.Column{Native: "double precision", Kind: change.KindFloat64}), true, change.ErrHalt, "rounds"},
		{"double rounds a bigint", "create table t (id int primary key, a double, b text)", column(change.Column{Native: "bigint", Kind: change.KindInt, Bits: 64}), true, change.ErrHalt, "rounds"},
		{"float with digits", "create table t (id int primary key, a double(10,2), b text)", column(change.Column{Native: "double precision", Kind: change.KindFloat64}), true, change.ErrHalt, "rounds"},
		{"fraction digits", "create table t (id int primary key, a datetime(3), b text)",
			column(change.Column{Native: "timestamptz", Kind: change.KindInstant, Precision: 6}), true, change.ErrHalt, "rounds"},
		{"no zone", "create table t (id int primary key, a timestamp(6), b text)",
			column(change.Column{Native: "timestamp", Kind: change.KindWallTime, Precision: 6}), true, change.ErrHalt, "zone"},
		{"stamp to date", "create table t (id int primary key, a date, b text)", column(change.Column{Native: "timestamp", Kind: change.KindWallTime}), true, change.ErrHalt, "drops"},
		{"text to number", "create table t (id int primary key, a int, b text)", nil, true, change.ErrHalt, "something else"},
		{"number to year", "create table t (id int primary key, a year, b text)", column(change.Column{Native: "integer", Kind: change.KindInt, Bits: 32}), true, change.ErrHalt, "no way"},
		{"bytes to text", "create table t (id int primary key, a text, b text)", column(change.Column{Native: "bytea", Kind: change.KindBytes}), true, change.ErrHalt, "bytes"},
		{"text to bytes", "create table t (id int primary key, a blob, b text)", nil, true, change.ErrHalt, "something else"},
		{"long table name", "", func(t *change.Table) { t.Name = strings.Repeat("ü", 65) }, true, change.ErrHalt, "64"},
		{"long column name", "", func(t *change.Table) { t.Columns[1].Name = strings.Repeat("x", 65) }, true, change.ErrHalt, "64"},
		{"blank at the end", "", func(t *change.Table) { t.Columns[1].Name = "x " }, true, change.ErrHalt, "blank"},
		{"rare characters", "", func(t *change.Table) { t.Columns[1].Name = "😀" }, true, change.ErrHalt, "takes in no name"},
		{"columns that differ in case", "", func(t *change.Table) { t.Columns[1].Name = "B" }, true, change.ErrHalt, "tell apart columns B and b"},
		{"our table", "", func(t *change.Table) { t.Name = "_tailwater_marks" }, true, change.ErrHalt, "ours"},
		{"our column", "", func(t *change.Table) { t.Columns[1].Name = "_tailwater_pos" }, true, change.ErrHalt, "ours"},
	}
	testenv.AllMySQL(t, func(t *testing.T, my *testenv.My) {
		for _, c := range cases {
			t.Run(c.name, func(t *testing.T) {
				my.Exec("drop view if exists t; drop table if exists t, _tailwater_shapes")
				if c.sql != "" {
					my.Exec(c.sql)
				}
				conf := config(my)
				conf.CreateTables = c.create
				s := open(t, conf)
				tab := table()
				if c.shape != nil {
					c.shape(tab)
				}
				err := s.Apply(t.Context(), []change.Change{at(tab, 1, change.NewShape)})
				if !errors.Is(err, c.want) || sinks.ClassOf(err) != sinks.Fatal || !strings.Contains(err.Error(), c.words) {
					t.Errorf("class %s: %v\nwant %v with %q", sinks.ClassOf(err), err, c.want, c.words)
				}
			})
		}
	})
}

func TestJSONIsNotNormalised(t *testing.T) {
	t.Parallel()
	my := testenv.MySQL(t, "mysql97")
	my.Exec("create table t (id int primary key, a json, b text)")
	s := open(t, config(my))
	tab := table()
	tab.Columns[1].Kind, tab.Columns[1].Native = change.KindJSON, "jsonb"
	if err := s.Apply(t.Context(), []change.Change{at(tab, 1, change.NewShape)}); !errors.Is(err, change.ErrHalt) || !strings.Contains(err.Error(), "white space") {
		t.Errorf("a document of another engine in MySQL's json: %v", err)
	}
	tab = table()
	tab.Engine, tab.Columns[1].Kind, tab.Columns[1].Native = "mysql", change.KindJSON, "json"
	mustApply(t, s, at(tab, 1, change.Insert, change.Int(1), change.JSON(`{"a": 1.0}`), change.Null()))
	wantRows(t, my, "select id, a from t", `1|{"a": 1.0}`)
}

func TestExistingTable(t *testing.T) {
	t.Parallel()
	testenv.AllMySQL(t, func(t *testing.T, my *testenv.My) {
		my.Exec("create table t (extra int default 7, B varchar(3), ID bigint auto_increment unique not null, a enum('sad', 'glad', '1')," +
			" g varchar(9) generated always as (concat(B, '!')) stored, s set('x', 'y'), c char(3), m timestamp(6) null on update current_timestamp(6))" + exact)
		c := config(my)
		c.CreateTables = false
		s := open(t, c)
		tab := table()
		tab.Columns = append(tab.Columns, change.Column{Name: "g", Native: "text", Kind: change.KindText, Nullable: true, Generated: true},
			change.Column{Name: "s", Native: "text", Kind: change.KindText, Nullable: true}, change.Column{Name: "c", Native: "text", Kind: change.KindText, Nullable: true},
			change.Column{Name: "m", Native: "timestamptz", Kind: change.KindInstant, Precision: 6, Nullable: true})
		var unset change.Value
		null := change.Null()
		mustApply(t, s, at(tab, 1, change.Insert, change.Int(0), change.Text("sad"), change.Text("ü'2"), unset, change.Text("x,y"), null, change.Instant(0)),
			at(tab, 2, change.Insert, change.Int(2), null, null, change.Text("ignored"), change.Text(""), change.Text("x"), null))
		mustApply(t, s, at(tab, 3, change.Update, change.Int(0), change.Text("glad"), unset, unset, unset, unset, unset)) // m is not stamped
		wantRows(t, my, "select id, a, b, g, s, c, m, extra from t order by id", `0|glad|ü'2|ü'2!|x,y|\N|2000-01-01 00:00:00.000000|7`, `2|\N|\N|\N||x|\N|7`)
		for _, bad := range []change.Change{
			at(tab, 4, change.Insert, change.Int(3), change.Text("SAD"), null, unset, null, null, null),  // the server would take it for sad
			at(tab, 4, change.Insert, change.Int(3), change.Text("2"), null, unset, null, null, null),    // and this for the second label
			at(tab, 5, change.Insert, change.Int(3), null, change.Text("abc "), unset, null, null, null), // and cut these blanks
			at(tab, 5, change.Insert, change.Int(3), null, null, unset, null, change.Text("ab "), null),
			at(tab, 5, change.Insert, change.Int(3), null, null, unset, change.Text("x,z"), null, null),
			at(tab, 6, change.Insert, change.Int(3), null, null, unset, null, null, change.Instant(-31*365*86400e6)), // 1970 is the first year of a timestamp
		} {
			err := s.Apply(t.Context(), []change.Change{at(tab, 4, change.Insert, change.Int(8), null, null, unset, null, null, null), bad})
			wantRefused(t, err, 1, sinks.Reject)
		}
	})
}

func TestTwoSchemasOneTable(t *testing.T) {
	t.Parallel()
	my := testenv.MySQL(t, "mariadb10")
	s := open(t, config(my))
	mustApply(t, s, at(table(), 1, change.NewShape))
	other := table()
	other.Schema = "archive"
	for _, s := range []*mysql.Sink{s, open(t, config(my))} {
		err := s.Apply(t.Context(), []change.Change{at(other, 2, change.NewShape)})
		if !errors.Is(err, change.ErrHalt) || !strings.Contains(err.Error(), "archive.t") || !strings.Contains(err.Error(), "public.t") {
			t.Errorf("two schemas with one table name: %v", err)
		}
	}
}

func TestRenameIsNotGuessed(t *testing.T) {
	t.Parallel()
	testenv.AllMySQL(t, func(t *testing.T, my *testenv.My) {
		s := open(t, config(my))
		mustApply(t, s, at(table(), 1, change.Insert, change.Int(1), change.Text("x"), change.Null()))
		renamed := table()
		renamed.Columns[1].Name = "z"
		row := at(renamed, 2, change.Insert, change.Int(2), change.Text("y"), change.Null())
		err := s.Apply(t.Context(), []change.Change{row})
		if !errors.Is(err, change.ErrHalt) || !strings.Contains(err.Error(), "RENAME COLUMN `a` TO `z`") {
			t.Fatalf("a column gone and a column new: %v", err)
		}
		my.Exec("alter table t rename column a to z")
		mustApply(t, s, row)
		wantRows(t, my, "select id, z from t order by id", "1|x", "2|y")
	})
}

func TestTypeChangeHalts(t *testing.T) {
	t.Parallel()
	testenv.AllMySQL(t, func(t *testing.T, my *testenv.My) {
		conf := config(my)
		conf.Policy = sinks.Policy{sinks.KindWiden: sinks.Halt}
		s := open(t, conf)
		old := at(table(), 1, change.Insert, change.Int(1), change.Text("x"), change.Null())
		mustApply(t, s, old)
		wider := table()
		wider.Columns[0].Native, wider.Columns[0].Bits = "bigint", 64
		row := at(wider, 2, change.Insert, change.Int(1<<40), change.Text("y"), change.Null())
		err := s.Apply(t.Context(), []change.Change{row})
		if !errors.Is(err, change.ErrHalt) || !strings.Contains(err.Error(), "MODIFY `id` bigint") {
			t.Fatalf("a wider type at the source: %v", err)
		}
		my.Exec("alter table t modify id bigint not null")
		mustApply(t, s, row)
		mustApply(t, open(t, conf), old) // the shape from before comes again
		wantRows(t, my, "select id, a from t order by id", "1|x", "1099511627776|y")
	})
}

// TestTargetVanishes: a target that is altered or dropped under the sink is looked at again, and never made anew without its rows.
func TestTargetVanishes(t *testing.T) {
	t.Parallel()
	testenv.AllMySQL(t, func(t *testing.T, my *testenv.My) {
		s := open(t, config(my))
		row := at(table(), 1, change.Insert, change.Int(1), change.Text("x"), change.Null())
		mustApply(t, s, row)
		my.Exec("alter table t drop column b")
		if err := s.Apply(t.Context(), []change.Change{row}); sinks.ClassOf(err) != sinks.Retry {
			t.Fatalf("a dropped column is met as %v, want Retry", err)
		}
		mustApply(t, s, row) // nullable, so it is added again
		my.Exec("drop table t")
		if err := s.Apply(t.Context(), []change.Change{row}); sinks.ClassOf(err) != sinks.Retry {
			t.Fatalf("a dropped table is met as %v, want Retry", err)
		}
		err := s.Apply(t.Context(), []change.Change{row})
		if !errors.Is(err, change.ErrHalt) || sinks.ClassOf(err) != sinks.Fatal || !strings.Contains(err.Error(), "gone") {
			t.Fatalf("a dropped table: %v", err)
		}
	})
}
