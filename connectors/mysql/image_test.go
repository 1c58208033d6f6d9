package mysql_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/tailwater-cdc/tailwater/connectors"
	"github.com/tailwater-cdc/tailwater/connectors/mysql"
	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/preflight"
	"github.com/tailwater-cdc/tailwater/pkg/testenv"
)

// imageTables have a primary key, a unique one, and none; a column that is NOT NULL stands among those that a statement leaves alone.
const imageTables = "create table p (id int primary key, a int not null, b varchar(20), c text not null); " +
	"create table u (a int, k int not null, t text not null, unique key x (k)); create table n (a int, t text)"

// TestPartialImages: what the log doesn't carry is Unset, whatever the key and the column are like.
func TestPartialImages(t *testing.T) {
	each(t, func(t *testing.T, my *testenv.My) {
		my.Exec(imageTables)
		s := startTail(t, my, config(t, my))
		my.Exec("insert into p values (1, 1, 'x', 'long'), (2, 2, 'y', 'long'); insert into u values (1, 1, 'long'); insert into n values (1, 'long'), (1, 'long')")
		s.want("new_shape p", `insert p + 1 1 "x" "long"`, `insert p + 2 2 "y" "long"`, "new_shape u", `insert u + 1 1 "long"`, "new_shape n", `insert n + 1 "long"`, `insert n + 1 "long"`)
		my.Exec("set session binlog_row_image = minimal")
		my.Exec("insert into p (id, a, b, c) values (3, 3, null, 'c')")
		my.Exec("update p set b = null where id = 1; update p set a = 7 where id = 2; update u set a = null; update n set a = 2 limit 1")
		my.Exec("delete from p where id = 1; delete from u; delete from n where a = 2")
		s.want(`insert p + 3 3 null "c"`, `update p - 1 ? ? ? + 1 ? null ?`, `update p - 2 ? ? ? + 2 7 ? ?`, `update u - ? 1 ? + null 1 ?`,
			`delete n - 1 "long"`, `insert n + 2 "long"`, "delete p - 1 ? ? ?", "delete u - ? 1 ?", `delete n - 2 "long"`)
		my.Exec("set session binlog_row_image = noblob; insert into u values (5, 5, 'long')")
		my.Exec("update p set a = 8 where id = 2; update u set a = 6; update n set a = 3; delete from u; update p set c = 'new' where id = 2")
		s.want(`insert u + 5 5 "long"`, `update p - 2 7 "y" ? + 2 8 "y" ?`, `update u - 5 5 ? + 6 5 ?`, `delete n - 1 "long"`, `insert n + 3 "long"`,
			"delete u - 6 5 ?", `update p - 2 8 "y" ? + 2 8 "y" "new"`)
	})
}

// TestPartialImagesHalt: what would lose a value halts, and names table, column and the way out.
func TestPartialImagesHalt(t *testing.T) {
	cases := []struct{ name, image, sql, table, column string }{
		{"a key that changes, minimal", "minimal", "update p set id = 9", "p", "column a"},
		{"a key that changes, noblob", "noblob", "update p set id = 9", "p", "column c"},
		{"a unique key that changes", "noblob", "update u set k = 9", "u", "column t"},
		{"a new row whose column takes its default", "minimal", "insert into p (id, a, c) values (9, 9, 'c')", "p", "column b"},
	}
	each(t, func(t *testing.T, my *testenv.My) {
		my.Exec(imageTables)
		my.Exec("insert into p values (1, 1, 'x', 'long'); insert into u values (1, 1, 'long')")
		for _, c := range cases {
			s := startTail(t, my, config(t, my))
			my.Exec("set session binlog_row_image = " + c.image)
			my.Exec("begin; " + c.sql)
			my.Exec("commit; set session binlog_row_image = full; delete from p; delete from u; " +
				"insert into p values (1, 1, 'x', 'long'); insert into u values (1, 1, 'long')")
			t.Log(c.name)
			s.halts(change.ErrHalt, my.Database+"."+c.table, c.column, "binlog_row_image = FULL")
			s.stop()
		}
	})
}

// TestKeyOfThen: a minimal image has the key that the table had when the row was written, and the log says which that was, a unique one too.
func TestKeyOfThen(t *testing.T) {
	each(t, func(t *testing.T, my *testenv.My) {
		for sql, want := range map[string]string{"update t set v = 2": "update t - ? 2 ? + ? 2 2", "delete from t": "delete t - ? 2 ?"} {
			for _, later := range []string{"drop key x, add unique key y (a)", "drop key x"} {
				my.Exec("drop table if exists t; create table t (a int not null, b int not null, v int, unique key x (b)); insert into t values (1, 2, 1)")
				s := startTail(t, my, config(t, my))
				s.stop()
				my.Exec("set session binlog_row_image = minimal")
				my.Exec(sql)
				my.Exec("set session binlog_row_image = full; alter table t " + later)
				s.start()
				s.want("new_shape t", want)
				s.stop()
			}
		}
	})
}

// TestPartialJSON: a server that writes parts of JSON is refused before anything is read.
func TestPartialJSON(t *testing.T) {
	t.Parallel()
	server := testenv.StartMySQL(t, "mysql97", testenv.Options{Settings: []string{"binlog-row-value-options=PARTIAL_JSON"}})
	server.Exec("create table a (id int primary key, j json)")
	c := configAs(t, server.My, "root", "")
	if _, err := mysql.Open(c)(t.Context(), connectors.Start{Epoch: 1}); !errors.Is(err, change.ErrPreflight) || !strings.Contains(err.Error(), "binlog_row_value_options") {
		t.Errorf("it opened with %v", err)
	}
	for _, f := range mysql.Doctor(t.Context(), c) {
		if f.Check == "mysql.partial_json" && f.Severity == preflight.Error && strings.Contains(f.Fix, "binlog_row_value_options") {
			return
		}
	}
	t.Error("doctor says nothing of it")
}
