package postgres_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/testenv"
	"github.com/tailwater-cdc/tailwater/sinks"
	"github.com/tailwater-cdc/tailwater/sinks/postgres"
)

// TestTargetMustFit: what doesn't fit ends the sink before a row is written, with what to run.
func TestTargetMustFit(t *testing.T) {
	t.Parallel()
	pg := testenv.Postgres(t, 15)
	column := func(c change.Column) func(*change.Table) {
		return func(t *change.Table) { c.Name = "a"; t.Columns[1] = c }
	}
	decimal := column(change.Column{Native: "numeric", Kind: change.KindDecimal})
	cases := []struct {
		name   string
		sql    string // makes table "t"; empty: there is none
		shape  func(*change.Table)
		create bool
		want   error
		words  string
	}{
		{"no table", "", nil, false, change.ErrPreflight, "CREATE TABLE"},
		{"no unique index", "create table t (id int, a text, b text)", nil, true, change.ErrPreflight, `CREATE UNIQUE INDEX ON "public"."t" ("id")`},
		{"wider unique index", "create table t (id int, a text, b text, unique (id, a))", nil, true, change.ErrPreflight, "CREATE UNIQUE INDEX"},
		{"partial unique index", "create table t (id int, a text, b text); create unique index on t (id) where a = ''", nil, true, change.ErrPreflight, "CREATE UNIQUE INDEX"},
		{"deferrable key", "create table t (id int primary key deferrable, a text, b text)", nil, true, change.ErrPreflight, "CREATE UNIQUE INDEX"},
		{"a view", "create view t as select 1 as id, ''::text as a, ''::text as b", nil, true, change.ErrPreflight, "not a table"},
		{"column missing", "create table t (id int primary key, a text)", nil, false, change.ErrHalt, `ADD COLUMN "b" text`},
		{"NOT NULL column missing", "create table t (id int primary key, a text); insert into t values (1)", func(t *change.Table) { t.Columns[2].Nullable = false }, true, change.ErrHalt, "fill it in"},
		{"column that nobody fills", "create table t (id int primary key, a text, b text, c int not null)", nil, true, change.ErrHalt, "DROP NOT NULL"},
		{"key compares coarsely", "create collation ci (provider = icu, locale = 'und-u-ks-level2', deterministic = false);" +
			"create table t (id text collate ci primary key, a text, b text)",
			func(t *change.Table) { t.Columns[0].Kind, t.Columns[0].Native = change.KindText, "text" }, true, change.ErrHalt, "coarsely"},
		{"a rule", "create table t (id int primary key, a text, b text); create rule r as on insert to t do also notify x", nil, true, change.ErrHalt, "DROP RULE r"},
		{"texts as a key of numbers", "create table t (id int primary key, a text, b text)",
			func(t *change.Table) { t.Columns[0].Kind, t.Columns[0].Native = change.KindText, "text" }, true, change.ErrHalt, "could be one row"},
		{"computed by the target", "create table t (id int primary key, a text, b text generated always as (a || '!') stored)", nil, true, change.ErrHalt, "DROP EXPRESSION"},
		{"identity always", "create table t (id int primary key, a text, b int generated always as identity)",
			func(t *change.Table) { t.Columns[2].Kind, t.Columns[2].Bits = change.KindInt, 32 }, true, change.ErrHalt, "BY DEFAULT"},
		{"scale rounds", "create table t (id int primary key, a numeric(10,2), b text)", decimal, true, change.ErrHalt, "rounds"},
		{"a domain's scale rounds", "create domain d as numeric(10,2); create domain e as d; create table t (id int primary key, a e, b text)", decimal, true, change.ErrHalt, "rounds"},
		{"an array's scale rounds", "create table t (id int primary key, a numeric(10,2)[], b text)",
			column(change.Column{Native: "numeric[]", Kind: change.KindNative}), true, change.ErrHalt, "elements"},
		{"an array's elements round", "create table t (id int primary key, a real[], b text)",
			column(change.Column{Native: "double precision[]", Kind: change.KindNative}), true, change.ErrHalt, "elements"},
		{"double rounds", "create table t (id int primary key, a float8, b text)", decimal, true, change.ErrHalt, "rounds"},
		{"fraction digits", "create table t (id int primary key, a timestamptz(3), b text)",
			column(change.Column{Native: "timestamptz", Kind: change.KindInstant, Precision: 6}), true, change.ErrHalt, "rounds"},
		{"zone dropped", "create table t (id int primary key, a timestamp, b text)",
			column(change.Column{Native: "timestamptz", Kind: change.KindInstant, Precision: 6}), true, change.ErrHalt, "zone"},
		{"text rounds", "create table t (id int primary key, a numeric(10,2), b text)", nil, true, change.ErrHalt, "rounds"},
		{"domain key compares coarsely", "create extension citext; create domain d as citext; create table t (id d primary key, a text, b text)",
			func(t *change.Table) { t.Columns[0].Kind, t.Columns[0].Native = change.KindText, "text" }, true, change.ErrHalt, "coarsely"},
		{"bytes to text", "create table t (id int primary key, a text, b text)", column(change.Column{Native: "bytea", Kind: change.KindBytes}), true, change.ErrHalt, "bytes"},
		{"json to jsonb", "create table t (id int primary key, a jsonb, b text)", column(change.Column{Native: "json", Kind: change.KindJSON}), true, change.ErrHalt, "white space"},
		{"long table name", "", func(t *change.Table) { t.Name = strings.Repeat("ü", 32) }, true, change.ErrHalt, "63"},
		{"long column name", "", func(t *change.Table) { t.Columns[1].Name = strings.Repeat("x", 64) }, true, change.ErrHalt, "63"},
		{"our table", "", func(t *change.Table) { t.Name = "_tailwater_marks" }, true, change.ErrHalt, "ours"},
		{"our column", "", func(t *change.Table) { t.Columns[1].Name = "_tailwater_pos" }, true, change.ErrHalt, "ours"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			pg.Exec("drop schema public cascade; create schema public")
			if c.sql != "" {
				pg.Exec(c.sql)
			}
			conf := config(pg)
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
}

func TestExistingTable(t *testing.T) {
	t.Parallel()
	pg := testenv.Postgres(t, 18)
	pg.Exec(`create type mood as enum ('sad', 'glad');
create table t (extra int default 7, b varchar(3), id bigint generated always as identity, a mood, g text generated always as (b || '!') stored, tags text[]);
create unique index on t (id) include (b)`)
	c := config(pg)
	c.CreateTables = false
	s := open(t, c)
	tab := table()
	tab.Columns[1].Native = "feeling"
	tab.Columns = append(tab.Columns, change.Column{Name: "g", Native: "text", Kind: change.KindText, Nullable: true, Generated: true},
		change.Column{Name: "tags", Native: "text[]", Kind: change.KindNative, Nullable: true})
	var unset change.Value
	mustApply(t, s, at(tab, 1, change.Insert, change.Int(1), change.Text("sad"), change.Text("ü12"), unset, change.Native(`{a,"b c"}`)),
		at(tab, 2, change.Insert, change.Int(2), change.Null(), change.Null(), change.Text("ignored"), change.Null()))
	mustApply(t, s, at(tab, 3, change.Update, change.Int(1), change.Text("glad"), unset, unset, unset))
	wantRows(t, pg, "select id, a, b, g, tags, extra from t order by id", `1|glad|ü12|ü12!|{a,"b c"}|7`, `2|\N|\N|\N|\N|7`)
	for _, bad := range []change.Change{
		at(tab, 4, change.Insert, change.Int(3), change.Text("mad"), change.Null(), unset, change.Null()),
		at(tab, 5, change.Insert, change.Int(3), change.Null(), change.Text("abc "), unset, change.Null()), // the server would cut the blank
		at(tab, 6, change.Insert, change.Int(3), change.Null(), change.Null(), unset, change.Native("{")),
	} {
		err := s.Apply(t.Context(), []change.Change{at(tab, 4, change.Insert, change.Int(8), change.Null(), change.Null(), unset, change.Null()), bad})
		partial, ok := errors.AsType[*sinks.PartialError](err)
		if !ok || len(partial.Refused) != 1 || partial.Refused[0].Index != 1 || partial.Refused[0].Class != sinks.Reject || partial.Refused[0].Code[:2] != "22" {
			t.Errorf("%v: %v", bad.After, err)
		}
	}
}

// TestDomainsKeepTheirLimits: a cast to a domain cuts what is too long without a word.
func TestDomainsKeepTheirLimits(t *testing.T) {
	t.Parallel()
	pg := testenv.Postgres(t, 18)
	pg.Exec("create domain short as varchar(3); create domain byte as bit(8); create domain n as bigint;" +
		"create table t (id n primary key, a short, b byte)")
	s := open(t, config(pg))
	tab := table()
	tab.Columns[2].Native, tab.Columns[2].Kind = "bit varying", change.KindBits
	mustApply(t, s, at(tab, 1, change.Insert, change.Int(1), change.Text("abc"), change.Bits("00000001")))
	for _, row := range [][]change.Value{{change.Int(2), change.Text("abcd"), change.Null()}, {change.Int(2), change.Null(), change.Bits("000000011")}} {
		err := s.Apply(t.Context(), []change.Change{at(tab, 2, change.Insert, row...)})
		if partial, ok := errors.AsType[*sinks.PartialError](err); !ok || len(partial.Refused) != 1 || partial.Refused[0].Code[:2] != "22" {
			t.Errorf("%v: %v", row, err)
		}
	}
	wantRows(t, pg, "select id, a, b from t", "1|abc|00000001")
}

func TestTwoSchemasOneTable(t *testing.T) {
	t.Parallel()
	pg := testenv.Postgres(t, 15)
	s := open(t, config(pg))
	mustApply(t, s, at(table(), 1, change.NewShape))
	other := table()
	other.Schema = "archive"
	for _, s := range []*postgres.Sink{s, open(t, config(pg))} {
		err := s.Apply(t.Context(), []change.Change{at(other, 2, change.NewShape)})
		if !errors.Is(err, change.ErrHalt) || !strings.Contains(err.Error(), "archive.t") || !strings.Contains(err.Error(), "public.t") {
			t.Errorf("two schemas with one table name: %v", err)
		}
	}
}

func TestRenameIsNotGuessed(t *testing.T) {
	t.Parallel()
	pg := testenv.Postgres(t, 15)
	s := open(t, config(pg))
	mustApply(t, s, at(table(), 1, change.Insert, change.Int(1), change.Text("x"), change.Null()))
	renamed := table()
	renamed.Columns[1].Name = "z"
	row := at(renamed, 2, change.Insert, change.Int(2), change.Text("y"), change.Null())
	err := s.Apply(t.Context(), []change.Change{row})
	if !errors.Is(err, change.ErrHalt) || !strings.Contains(err.Error(), `RENAME COLUMN "a" TO "z"`) {
		t.Fatalf("a column gone and a column new: %v", err)
	}
	pg.Exec("alter table t rename column a to z")
	mustApply(t, s, row)
	wantRows(t, pg, "select id, z from t order by id", "1|x", "2|y")
}

func TestTypeChangeHalts(t *testing.T) {
	t.Parallel()
	pg := testenv.Postgres(t, 18)
	c := config(pg)
	c.Policy = sinks.Policy{sinks.KindWiden: sinks.Halt}
	s := open(t, c)
	old := at(table(), 1, change.Insert, change.Int(1), change.Text("x"), change.Null())
	mustApply(t, s, old)
	wider := table()
	wider.Columns[0].Native, wider.Columns[0].Bits = "bigint", 64
	row := at(wider, 2, change.Insert, change.Int(1<<40), change.Text("y"), change.Null())
	err := s.Apply(t.Context(), []change.Change{row})
	if !errors.Is(err, change.ErrHalt) || !strings.Contains(err.Error(), `ALTER COLUMN "id" TYPE bigint`) {
		t.Fatalf("a wider type at the source: %v", err)
	}
	pg.Exec("alter table t alter column id type bigint")
	mustApply(t, s, row)
	mustApply(t, open(t, c), old) // the shape from before comes again
	wantRows(t, pg, "select id, a from t order by id", "1|x", "1099511627776|y")
}

// TestTargetVanishes: a target that is altered or dropped under the sink is looked at again, and never made anew without its rows.
func TestTargetVanishes(t *testing.T) {
	t.Parallel()
	pg := testenv.Postgres(t, 15)
	s := open(t, config(pg))
	row := func(n uint64) change.Change {
		return at(table(), n, change.Insert, change.Int(int64(n)), change.Text("x"), change.Null())
	}
	tab := row(1)
	mustApply(t, s, tab)
	pg.Exec("alter table t drop column b")
	again := tab
	again.Pos.Commit = 2
	if err := s.Apply(t.Context(), []change.Change{again}); sinks.ClassOf(err) != sinks.Retry {
		t.Fatalf("a dropped column is met as %v, want Retry", err)
	}
	mustApply(t, s, again) // nullable, so it is added again
	pg.Exec("drop table t")
	if err := s.Apply(t.Context(), []change.Change{again}); sinks.ClassOf(err) != sinks.Retry {
		t.Fatalf("a dropped table is met as %v, want Retry", err)
	}
	err := s.Apply(t.Context(), []change.Change{again})
	if !errors.Is(err, change.ErrHalt) || sinks.ClassOf(err) != sinks.Fatal || !strings.Contains(err.Error(), "gone") {
		t.Fatalf("a dropped table: %v", err)
	}
}

func TestSameEngineKeepsTypes(t *testing.T) {
	t.Parallel()
	pg := testenv.Postgres(t, 18)
	s := open(t, config(pg))
	natives := []struct {
		native string
		kind   change.Kind
		want   string
	}{
		{"character varying(20)", change.KindText, "character varying(20)"},
		{"numeric(10,3)", change.KindDecimal, "numeric(10,3)"},
		{"inet", change.KindNative, "inet"}, {"int4range[]", change.KindNative, "int4range[]"},
		{"json", change.KindJSON, "json"}, {"jsonb", change.KindJSON, "jsonb"}, {"bit(5)", change.KindBits, "bit(5)"},
		{"time(3) without time zone", change.KindTime, "time(3) without time zone"},
		{"no_such_type", change.KindNative, "text"}, {"evil int); drop table x; --", change.KindText, "text"},
	}
	tab := table()
	tab.Key = []int{0, 1}
	for i, n := range natives {
		tab.Columns = append(tab.Columns, change.Column{Name: string(rune('p' + i)), Native: n.native, Kind: n.kind, Nullable: true})
	}
	mustApply(t, s, at(tab, 1, change.NewShape))
	for i, n := range natives {
		got := pg.Value(`select format_type(atttypid, atttypmod) from pg_attribute where attrelid = 't'::regclass and attname = '` + string(rune('p'+i)) + `'`)
		if got != n.want {
			t.Errorf("%s became %s, want %s", n.native, got, n.want)
		}
	}
	wantRows(t, pg, `select attname, attnotnull, coalesce(collname, '') from pg_attribute a left join pg_collation c on c.oid = attcollation
where attrelid = 't'::regclass and attnum between 1 and 3 order by attnum`, "id|t|", "a|t|C", "b|f|default")
}
