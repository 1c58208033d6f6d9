package mysql_test

import (
	"testing"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/testenv"
	"github.com/tailwater-cdc/tailwater/sinks"
	"github.com/tailwater-cdc/tailwater/sinks/mysql"
)

// TestNoRowOfAnotherKeyIsOverwritten: ON DUPLICATE KEY UPDATE writes over the row that it meets in whatever unique index. Each table has a row of key 1
// in the way of one of key 2.
func TestNoRowOfAnotherKeyIsOverwritten(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name string
		sql  string
		key  []int
		row  []change.Value
		mode mysql.Mode
	}{
		{"secondary", "create table t (id int primary key, a varchar(9), b varchar(9), unique u (a))", []int{0},
			[]change.Value{change.Int(2), change.Text("x"), change.Text("new")}, mysql.Upsert},
		{"secondary, ahead of the key", "create table t (id int not null, a varchar(9) primary key, b varchar(9), unique k (id))", []int{0},
			[]change.Value{change.Int(2), change.Text("x"), change.Text("new")}, mysql.Upsert},
		{"by a surrogate", "create table t (n bigint auto_increment primary key, id int not null, a varchar(9), b varchar(9), unique u (a), unique k (id))", []int{0},
			[]change.Value{change.Int(2), change.Text("x"), change.Text("new")}, mysql.Upsert},
		{"of a prefix", "create table t (id int primary key, a varchar(9), b varchar(9), unique u (a(1)))", []int{0},
			[]change.Value{change.Int(2), change.Text("xyz"), change.Text("new")}, mysql.Upsert},
		{"soft delete", "create table t (id int primary key, a varchar(9), b varchar(9), unique u (a))", []int{0},
			[]change.Value{change.Int(2), change.Text("x"), change.Text("new")}, mysql.SoftDelete},
		{"append", "create table t (id int, a varchar(9), b varchar(9), unique u (a))", []int{0},
			[]change.Value{change.Int(2), change.Text("x"), change.Text("new")}, mysql.Append},
		{"no key", "create table t (id int, a varchar(9), b varchar(9), unique u (a))", nil,
			[]change.Value{change.Int(2), change.Text("x"), change.Text("new")}, mysql.Upsert},
	}
	testenv.AllMySQL(t, func(t *testing.T, my *testenv.My) {
		for _, c := range cases {
			t.Run(c.name, func(t *testing.T) {
				my.Exec("drop table if exists t, _tailwater_shapes")
				my.Exec(c.sql)
				conf := config(my)
				conf.Mode = c.mode
				s := open(t, conf)
				tab := table()
				tab.Key = c.key
				mustApply(t, s, at(tab, 1, change.Insert, change.Int(1), change.Text("x"), change.Text("old")))
				good := at(tab, 2, change.Insert, change.Int(7), change.Text("y"), change.Text("good"))
				bad := at(tab, 3, change.Insert, c.row...)
				r := wantRefused(t, s.Apply(t.Context(), []change.Change{good, bad}), 1, sinks.Wait)
				if r.Code != "1062" {
					t.Errorf("refused as %s: %v, want the server's own words for a duplicate", r.Code, r.Cause)
				}
				wantRows(t, my, "select id, a, b from t", "1|x|old")
				mustApply(t, s, good)
				wantRows(t, my, "select id, a, b from t order by id", "1|x|old", "7|y|good")
			})
		}
	})
}

// TestTwoSnapshotRowsThatCollide have no Position that could tell them apart.
func TestTwoSnapshotRowsThatCollide(t *testing.T) {
	t.Parallel()
	testenv.AllMySQL(t, func(t *testing.T, my *testenv.My) {
		my.Exec("create table t (id int, a varchar(9), b varchar(9), unique u (a))")
		s := open(t, config(my))
		tab := table()
		tab.Key = nil
		row := func(id int64) change.Change {
			c := at(tab, 1, change.SnapshotRow, change.Int(id), change.Text("x"), change.Null())
			c.Txn = nil
			return c
		}
		wantRefused(t, s.Apply(t.Context(), []change.Change{row(1), row(2)}), 1, sinks.Wait)
	})
}
