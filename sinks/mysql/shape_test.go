package mysql_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/testenv"
	"github.com/tailwater-cdc/tailwater/sinks"
	"github.com/tailwater-cdc/tailwater/sinks/mysql"
	"github.com/tailwater-cdc/tailwater/sinks/sinktest"
)

// TestTypesThatChange: what a column of a source becomes where the target follows it, with its collation and what else its definition says.
func TestTypesThatChange(t *testing.T) {
	t.Parallel()
	text := func(native string, n int) change.Column {
		return change.Column{Native: native, Kind: change.KindText, Length: n, Charset: "utf8mb4"}
	}
	labels := func(all ...string) change.Column {
		return change.Column{Native: "enum('" + strings.Join(all, "','") + "')", Kind: change.KindText, Enum: &all}
	}
	cases := []struct {
		name     string
		old, now change.Column
		before   string // what somebody has made of the column
		key      bool
		want     string // type and whether it is nullable; empty: it halts
		words    string
	}{
		{"varchar", text("varchar(5)", 5), text("varchar(9)", 9), "", false, "varchar(9)|YES", ""},
		{"varchar of a key", text("varchar(5)", 5), text("varchar(9)", 9), "", true, "varchar(9)|NO", ""},
		{"varchar to text", text("varchar(5)", 5), text("text", 0), "", false, "text|YES", ""},
		{"varchar that is shorter", text("varchar(9)", 9), text("varchar(5)", 5), "", false, "", "MODIFY `a` varchar(5)"},
		{"varchar with a default", text("varchar(5)", 5), text("varchar(9)", 9), "varchar(5) null default 'x'", false, "", "has a default"},
		{"varchar with a comment", text("varchar(5)", 5), text("varchar(9)", 9), "varchar(5) null comment 'x'", false, "", "a comment"},
		{"varchar with a collation", text("varchar(5)", 5), text("varchar(9)", 9), "varchar(5) charset utf8mb4 collate utf8mb4_general_ci null", false, "varchar(9)|YES", ""},
		{"more labels", labels("a", "b"), labels("a", "it''s", "b"), "", false, "enum('a','it''s','b')|YES", ""},
		{"fewer labels", labels("a", "b"), labels("a"), "", false, "", "MODIFY `a` enum('a')"},
		{"unsigned", change.Column{Native: "int unsigned", Kind: change.KindUint, Bits: 32}, change.Column{Native: "bigint unsigned", Kind: change.KindUint, Bits: 64}, "", false, "bigint unsigned|YES", ""},
		{"fraction", change.Column{Native: "datetime", Kind: change.KindWallTime}, change.Column{Native: "datetime(6)", Kind: change.KindWallTime, Precision: 6}, "", false, "datetime(6)|YES", ""},
	}
	testenv.AllMySQL(t, func(t *testing.T, my *testenv.My) {
		for _, c := range cases {
			t.Run(c.name, func(t *testing.T) {
				my.Exec("drop table if exists t, _tailwater_shapes")
				s := open(t, config(my))
				shape := func(col change.Column) *change.Table {
					tab := table()
					tab.Engine, tab.Columns[0].Native = "mysql", "int"
					tab.Columns[2].Native = "longtext"
					col.Name, col.Nullable = "a", !c.key
					tab.Columns[1] = col
					if c.key {
						tab.Key = []int{0, 1}
					}
					return tab
				}
				mustApply(t, s, at(shape(c.old), 1, change.NewShape))
				if c.before != "" {
					my.Exec("alter table t modify a " + c.before)
				}
				collation := "select coalesce(collation_name, '') from information_schema.columns where table_schema = database() and table_name = 't' and column_name = 'a'"
				was := my.Value(collation)
				err := s.Apply(t.Context(), []change.Change{at(shape(c.now), 2, change.NewShape)})
				if c.want == "" {
					if !errors.Is(err, change.ErrHalt) || !strings.Contains(err.Error(), c.words) {
						t.Errorf("%v, want %q", err, c.words)
					}
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				got := my.Value("select concat(replace(column_type, 'bigint(20)', 'bigint'), '|', is_nullable) from information_schema.columns where table_schema = database() and table_name = 't' and column_name = 'a'")
				if is := my.Value(collation); got != c.want || is != was {
					t.Errorf("%s, collation %s, want %s, %s", got, is, c.want, was)
				}
			})
		}
	})
}

func widerTable() *change.Table {
	tab := table()
	tab.Columns[0].Native, tab.Columns[0].Bits = "bigint", 64
	return tab
}

// TestAnAlterThatFails: what the server refuses to alter halts with the statement, and goes on once somebody has seen to it.
func TestAnAlterThatFails(t *testing.T) {
	t.Parallel()
	testenv.AllMySQL(t, func(t *testing.T, my *testenv.My) {
		my.Exec("create table t (id int primary key, a text, b text)")
		c := config(my)
		open(t, c) // makes our tables
		user, password := my.User("SELECT, INSERT, UPDATE, DELETE ON " + my.Database + ".*")
		c.URL, c.Password, c.CreateTables = strings.Replace(c.URL, "root", user, 1), password, false
		s := open(t, c)
		mustApply(t, s, at(table(), 1, change.Insert, change.Int(1), change.Null(), change.Null()))
		row := at(widerTable(), 2, change.Insert, change.Int(1<<40), change.Null(), change.Null())
		err := s.Apply(t.Context(), []change.Change{row})
		if sinks.ClassOf(err) != sinks.Fatal || !strings.Contains(err.Error(), "MODIFY `id` bigint NOT NULL") || !strings.Contains(err.Error(), "denied") {
			t.Errorf("an account that may not: class %s: %v", sinks.ClassOf(err), err)
		}
		my.Exec("alter table t modify id bigint not null")
		mustApply(t, s, row)
		wantRows(t, my, "select id from t order by id", "1", "1099511627776")
		if sql, err := mysql.Grants(c); err != nil || !strings.Contains(sql, "ALTER ON") {
			t.Errorf("the grants say nothing of ALTER: %v\n%s", err, sql)
		}
	})
}

// TestAnAlterDoesNotWaitForEver: while somebody has the target in a transaction, ALTER TABLE gives up and lets the others through.
func TestAnAlterDoesNotWaitForEver(t *testing.T) {
	t.Parallel()
	testenv.AllMySQL(t, func(t *testing.T, my *testenv.My) {
		s := open(t, config(my))
		mustApply(t, s, at(table(), 1, change.Insert, change.Int(1), change.Null(), change.Null()))
		reader := my.Connect()
		for _, sql := range []string{"begin", "select * from t"} {
			if _, err := reader.ExecContext(t.Context(), sql); err != nil {
				t.Fatal(err)
			}
		}
		row := at(widerTable(), 2, change.Insert, change.Int(1<<40), change.Null(), change.Null())
		if err := s.Apply(t.Context(), []change.Change{row}); sinks.ClassOf(err) != sinks.Retry || err == nil {
			t.Errorf("a table that is being read: class %s: %v", sinks.ClassOf(err), err)
		}
		if _, err := reader.ExecContext(t.Context(), "commit"); err != nil {
			t.Fatal(err)
		}
		mustApply(t, s, row)
	})
}

// TestAKeyRenamedUnderParkedChanges: keys of parked changes have the old name, so nobody could tell what has to wait behind them.
func TestAKeyRenamedUnderParkedChanges(t *testing.T) {
	t.Parallel()
	my := testenv.MySQL(t, "mysql97")
	sinktest.KeyRenamed(t, harness(my), func() { my.Exec("delete from _tailwater_parked") })
}

// TestShapesInEveryMode: what the target keeps besides the source's columns stays as it is.
func TestShapesInEveryMode(t *testing.T) {
	t.Parallel()
	testenv.AllMySQL(t, func(t *testing.T, my *testenv.My) {
		for mode, rows := range map[mysql.Mode][]string{
			mysql.Append:     {`1|status|5|\N|insert`, "2|state|1099511627776|extra|insert"},
			mysql.SoftDelete: {`1|status|5|before|\N`, `2|state|1099511627776|extra|\N`},
		} {
			for _, keyless := range []bool{false, true} {
				my.Exec("drop table if exists orders, _tailwater_shapes")
				c := config(my)
				r := sinktest.NewReshaping()
				c.Mode, c.Policy = mode, r.Policy
				last := map[mysql.Mode]string{mysql.Append: "_tailwater_op", mysql.SoftDelete: "_tailwater_deleted_at"}[mode]
				if keyless {
					r.Keyless()
				}
				s := open(t, c)
				mustApply(t, s, r.Before...)
				mustApply(t, s, r.Changes...)
				mustApply(t, open(t, c), r.Changes...)
				wantRows(t, my, "select id, state, n, extra, "+last+" from orders order by id", rows...)
			}
		}
	})
}
