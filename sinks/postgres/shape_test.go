package postgres_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/testenv"
	"github.com/tailwater-cdc/tailwater/sinks"
	"github.com/tailwater-cdc/tailwater/sinks/postgres"
	"github.com/tailwater-cdc/tailwater/sinks/sinktest"
)

// TestTypesThatChange: what a column of a source becomes where the target follows it, with its collation and without a NOT NULL of the source's.
func TestTypesThatChange(t *testing.T) {
	t.Parallel()
	text := func(native string, n int) change.Column {
		return change.Column{Native: native, Kind: change.KindText, Length: n}
	}
	decimal := func(native string, p, s int) change.Column {
		return change.Column{Native: native, Kind: change.KindDecimal, Precision: p, Scale: s}
	}
	labels := func(all ...string) change.Column {
		return change.Column{Native: "enum('" + strings.Join(all, "','") + "')", Kind: change.KindText, Enum: &all}
	}
	cases := []struct {
		name, engine string
		old, now     change.Column
		key          bool
		want         string // type and collation; empty: it halts
	}{
		{"varchar", "postgres", text("character varying(5)", 5), text("character varying(9)", 9), false, "character varying(9)|default|f"},
		{"varchar of a key", "postgres", text("character varying(5)", 5), text("character varying(9)", 9), true, "character varying(9)|C|t"},
		{"varchar of a key to text", "postgres", text("character varying(5)", 5), text("text", 0), true, "text|C|t"},
		{"text to varchar", "postgres", text("text", 0), text("character varying(9)", 9), false, ""},
		{"numeric", "postgres", decimal("numeric(10,2)", 10, 2), decimal("numeric(14,4)", 14, 4), false, "numeric(14,4)||f"},
		{"scale", "postgres", decimal("numeric(10,2)", 10, 2), decimal("numeric(10,3)", 10, 3), false, ""},
		{"float", "postgres", change.Column{Native: "real", Kind: change.KindFloat32}, change.Column{Native: "double precision", Kind: change.KindFloat64}, false, "double precision||f"},
		{"fraction", "postgres", change.Column{Native: "timestamp(3) with time zone", Kind: change.KindInstant, Precision: 3},
			change.Column{Native: "timestamp with time zone", Kind: change.KindInstant, Precision: 6}, false, "timestamp with time zone||f"},
		{"zone", "postgres", change.Column{Native: "timestamp without time zone", Kind: change.KindWallTime, Precision: 6},
			change.Column{Native: "timestamp with time zone", Kind: change.KindInstant, Precision: 6}, false, ""},
		{"int of MySQL", "mysql", change.Column{Native: "int", Kind: change.KindInt, Bits: 32}, change.Column{Native: "bigint", Kind: change.KindInt, Bits: 64}, false, "bigint||f"},
		{"unsigned of MySQL", "mysql", change.Column{Native: "int unsigned", Kind: change.KindUint, Bits: 32}, change.Column{Native: "bigint unsigned", Kind: change.KindUint, Bits: 64}, false, "numeric(20,0)||f"},
		{"varchar of MySQL", "mysql", text("varchar(5)", 5), text("varchar(9)", 9), false, "text|default|f"},
		{"labels of MySQL", "mysql", labels("a", "b"), labels("a", "b", "c"), false, "text|default|f"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			pg := testenv.Postgres(t, 18)
			s := open(t, config(pg))
			shape := func(col change.Column) *change.Table {
				tab := table()
				tab.Engine, tab.Columns[0].Native = c.engine, "integer"
				col.Name = "a"
				tab.Columns[1] = col
				if c.key {
					tab.Key = []int{0, 1}
				}
				return tab
			}
			mustApply(t, s, at(shape(c.old), 1, change.NewShape))
			err := s.Apply(t.Context(), []change.Change{at(shape(c.now), 2, change.NewShape)})
			if c.want == "" {
				if !errors.Is(err, change.ErrHalt) || !strings.Contains(err.Error(), `ALTER COLUMN "a" TYPE `+c.now.Native) {
					t.Errorf("%v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			wantRows(t, pg, `select format_type(atttypid, atttypmod), coalesce(collname, ''), attnotnull from pg_attribute a
left join pg_collation c on c.oid = attcollation where attrelid = 't'::regclass and attname = 'a'`, c.want)
		})
	}
}

// widerTable is table with a wider key.
func widerTable() *change.Table {
	tab := table()
	tab.Columns[0].Native, tab.Columns[0].Bits = "bigint", 64
	return tab
}

// TestAnAlterThatFails: what the server refuses to alter halts with the statement, and goes on once somebody has seen to it.
func TestAnAlterThatFails(t *testing.T) {
	t.Parallel()
	pg := testenv.Postgres(t, 15)
	role := pg.Database + "_writer"
	pg.Exec("create role " + role + " login")
	t.Cleanup(func() { pg.Exec("drop owned by " + role + "; drop role " + role) })
	pg.Exec("create table t (id int primary key, a text, b text); create view v as select id from t")
	c := config(pg)
	c.CreateTables = false
	c.URL = withUser(t, c.URL, role)
	sql, err := postgres.Grants(c)
	if err != nil {
		t.Fatal(err)
	}
	pg.Exec(sql)
	if !strings.Contains(sql, "OWNER TO") {
		t.Errorf("the grants say nothing of owners:\n%s", sql)
	}
	pg.Exec("grant select, insert, update, delete on t to " + role)
	s := open(t, c)
	mustApply(t, s, at(table(), 1, change.Insert, change.Int(1), change.Null(), change.Null()))
	row := at(widerTable(), 2, change.Insert, change.Int(1<<40), change.Null(), change.Null())
	err = s.Apply(t.Context(), []change.Change{row})
	if sinks.ClassOf(err) != sinks.Fatal || !strings.Contains(err.Error(), `ALTER COLUMN "id" TYPE bigint`) || !strings.Contains(err.Error(), "42501") {
		t.Errorf("a role that owns nothing: class %s: %v", sinks.ClassOf(err), err)
	}
	pg.Exec("alter table t owner to " + role)
	for range 2 { // the first time the target is looked at again
		err = s.Apply(t.Context(), []change.Change{row})
	}
	if sinks.ClassOf(err) != sinks.Fatal || !strings.Contains(err.Error(), `ALTER COLUMN "id" TYPE bigint`) || !strings.Contains(err.Error(), "view") {
		t.Errorf("a view stands in the way: class %s: %v", sinks.ClassOf(err), err)
	}
	pg.Exec("drop view v")
	mustApply(t, s, row)
	wantRows(t, pg, "select id from t order by id", "1", "1099511627776")
}

// TestAnAlterDoesNotWaitForEver: while somebody reads the target in a transaction, ALTER TABLE gives up and lets the others through.
func TestAnAlterDoesNotWaitForEver(t *testing.T) {
	t.Parallel()
	pg := testenv.Postgres(t, 15)
	s := open(t, config(pg))
	mustApply(t, s, at(table(), 1, change.Insert, change.Int(1), change.Null(), change.Null()))
	reader := pg.Connect()
	if _, err := reader.Exec(t.Context(), "begin; select * from t"); err != nil {
		t.Fatal(err)
	}
	row := at(widerTable(), 2, change.Insert, change.Int(1<<40), change.Null(), change.Null())
	if err := s.Apply(t.Context(), []change.Change{row}); sinks.ClassOf(err) != sinks.Retry || err == nil {
		t.Errorf("a table that is being read: class %s: %v", sinks.ClassOf(err), err)
	}
	if _, err := reader.Exec(t.Context(), "commit"); err != nil {
		t.Fatal(err)
	}
	mustApply(t, s, row)
}

// TestAKeyRenamedUnderParkedChanges: keys of parked changes have the old name, so nobody could tell what has to wait behind them.
func TestAKeyRenamedUnderParkedChanges(t *testing.T) {
	t.Parallel()
	pg := testenv.Postgres(t, 15)
	sinktest.KeyRenamed(t, harness(t, pg), func() { pg.Exec("delete from _tailwater_parked") })
}

// TestLabels: an enumeration of the target's gets the labels that the source's has got; renamed ones are somebody's to see to.
func TestLabels(t *testing.T) {
	t.Parallel()
	pg := testenv.Postgres(t, 15)
	pg.Exec("create type mood as enum ('sad', 'glad')")
	s := open(t, config(pg))
	shape := func(labels ...string) *change.Table {
		tab := table()
		tab.Columns[1].Native, tab.Columns[1].Enum = "mood", &labels
		return tab
	}
	row := func(tab *change.Table, n uint64, label string) change.Change {
		return at(tab, n, change.Insert, change.Int(int64(n)), change.Text(label), change.Null())
	}
	mustApply(t, s, row(shape("sad", "glad"), 1, "sad"))
	more := shape("it's", "sad", "calm", "glad", "mad")
	mustApply(t, s, at(more, 2, change.NewShape), row(more, 2, "calm"), row(more, 3, "it's"), row(more, 4, "mad"))
	wantRows(t, pg, "select enumlabel from pg_enum order by enumsortorder", "it's", "sad", "calm", "glad", "mad")
	other := shape("it's", "sad", "calm", "happy", "mad")
	err := s.Apply(t.Context(), []change.Change{at(other, 5, change.NewShape)})
	if !errors.Is(err, change.ErrHalt) || !strings.Contains(err.Error(), "ALTER TYPE mood ADD VALUE IF NOT EXISTS 'happy' AFTER 'calm'") {
		t.Errorf("a label that is gone: %v", err)
	}
	pg.Exec("alter type mood rename value 'glad' to 'happy'")
	mustApply(t, s, at(other, 5, change.NewShape), row(other, 5, "happy"))
	wantRows(t, pg, "select id, a from t order by a, id", "3|it's", "1|sad", "2|calm", "5|happy", "4|mad")
}

// TestShapesInEveryMode: what the target keeps besides the source's columns stays as it is.
func TestShapesInEveryMode(t *testing.T) {
	t.Parallel()
	for mode, rows := range map[postgres.Mode][]string{
		postgres.Append:     {`1|status|5|\N|insert`, "2|state|1099511627776|extra|insert"},
		postgres.SoftDelete: {`1|status|5|before|\N`, `2|state|1099511627776|extra|\N`},
	} {
		for _, keyless := range []bool{false, true} {
			t.Run(fmt.Sprint(mode, keyless), func(t *testing.T) {
				t.Parallel()
				pg := testenv.Postgres(t, 15)
				c := config(pg)
				r := sinktest.NewReshaping()
				c.Mode, c.Policy = mode, r.Policy
				last := map[postgres.Mode]string{postgres.Append: "_tailwater_op", postgres.SoftDelete: "_tailwater_deleted_at"}[mode]
				if keyless {
					r.Keyless()
				}
				s := open(t, c)
				mustApply(t, s, r.Before...)
				mustApply(t, s, r.Changes...)
				mustApply(t, open(t, c), r.Changes...)
				wantRows(t, pg, "select id, state, n, extra, "+last+" from orders order by id", rows...)
			})
		}
	}
}

// TestASharedColumnIsNotDropped: another sink may still write the column.
func TestASharedColumnIsNotDropped(t *testing.T) {
	t.Parallel()
	pg := testenv.Postgres(t, 15)
	r := sinktest.NewReshaping()
	c := config(pg)
	c.Policy, c.SinkName = r.Policy, "other"
	mustApply(t, open(t, c), r.Before...)
	c.SinkName = "copy"
	s := open(t, c)
	mustApply(t, s, r.Before...)
	err := s.Apply(t.Context(), r.Changes)
	if !errors.Is(err, change.ErrHalt) || !strings.Contains(err.Error(), "writes to the table too") || !strings.Contains(err.Error(), `DROP COLUMN "note"`) {
		t.Errorf("a column of two writers: %v", err)
	}
	wantRows(t, pg, "select id, status, note, n from orders", "1|status|note|5")
}
