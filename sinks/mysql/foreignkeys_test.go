package mysql_test

import (
	"strings"
	"testing"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/preflight"
	"github.com/tailwater-cdc/tailwater/pkg/testenv"
	"github.com/tailwater-cdc/tailwater/sinks"
	"github.com/tailwater-cdc/tailwater/sinks/mysql"
)

const (
	foreignFamily = "drop table if exists child; drop table if exists t, other, more, _tailwater_shapes; create table t (id int primary key, a text, b text, check (a <> 'bad'));" +
		"create table child (id int primary key, a text, b text, foreign key (id) references t (id) %)"
	foreignShow = "select 'parent', id from t union all select 'child', id from child order by 1, 2"
)

// foreignRows are a parent's and a child's tables of a source of that kind, and how rows of them are made.
func foreignRows(engine string) (parent, child *change.Table, row func(tab *change.Table, n uint64, op change.Op, id int64) change.Change) {
	parent, child = table(), table()
	parent.Engine, child.Engine, child.Name = engine, engine, "child"
	return parent, child, func(tab *change.Table, n uint64, op change.Op, id int64) change.Change {
		return at(tab, n, op, change.Int(id), change.Null(), change.Null())
	}
}

// trusting is a sink under an account that has no more rights than what grants prints.
func trusting(t *testing.T, my *testenv.My) (*mysql.Sink, mysql.Config) {
	t.Helper()
	user, password := my.User("SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER ON " + my.Database + ".*")
	c := config(my)
	c.URL, c.Password, c.TrustKeys = strings.Replace(c.URL, "root", user, 1), password, true
	return open(t, c), c
}

// TestForeignKeysAreTrusted: with foreign_keys: trust rows come in any order, and what the source's log carries of its foreign keys isn't done a second
// time. A Truncate of the parent's topic doesn't wait for the child's.
func TestForeignKeysAreTrusted(t *testing.T) {
	t.Parallel()
	testenv.AllMySQL(t, func(t *testing.T, my *testenv.My) {
		for name, action := range map[string]string{"no action": "", "restrict": "on delete restrict", "cascade": "on delete cascade", "on update": "on update cascade"} {
			t.Run(name, func(t *testing.T) {
				my.Exec(strings.Replace(foreignFamily, "%", action, 1))
				s, c := trusting(t, my)
				parent, child, row := foreignRows("postgres")
				mustApply(t, s, row(child, 1, change.SnapshotRow, 1), row(child, 1, change.SnapshotRow, 2))
				mustApply(t, s, row(parent, 1, change.SnapshotRow, 1), row(parent, 1, change.SnapshotRow, 2), row(child, 2, change.Insert, 3))
				mustApply(t, s, row(parent, 3, change.Delete, 1))
				wantRows(t, my, foreignShow, "child|1", "child|2", "child|3", "parent|2")

				// nor does the search for a refused row blame others
				bad := at(parent, 5, change.Insert, change.Int(7), change.Text("bad"), change.Null())
				err := s.Apply(t.Context(), []change.Change{row(child, 4, change.Insert, 9), bad, row(parent, 6, change.Delete, 2)})
				wantRefused(t, err, 1, sinks.Reject)
				mustApply(t, s, at(parent, 7, change.Truncate), row(parent, 8, change.Insert, 4))
				wantRows(t, my, foreignShow, "child|1", "child|2", "child|3", "parent|4")
				mustApply(t, s, at(child, 7, change.Truncate), row(child, 8, change.Insert, 4))
				wantRows(t, my, foreignShow, "child|4", "parent|4")
				if f := mysql.Doctor(t.Context(), c); worst(f) != preflight.OK || !strings.Contains(summaries(f), "foreign_keys is trust") {
					t.Errorf("the doctor finds %+v", f)
				}
				c.TrustKeys = false
				if f := mysql.Doctor(t.Context(), c); worst(f) != preflight.Warn || !strings.Contains(summaries(f), "child has a foreign key") {
					t.Errorf("the doctor finds %+v", f)
				}
			})
		}
	})
}

// TestForeignKeysThatActAreNotTrusted: what they do isn't known to be in a MariaDB source's log, so the target goes on doing it, and checks what
// belongs together; one that only forbids is trusted all the same.
func TestForeignKeysThatActAreNotTrusted(t *testing.T) {
	t.Parallel()
	testenv.AllMySQL(t, func(t *testing.T, my *testenv.My) {
		my.Exec(strings.Replace(foreignFamily, "%", "on delete cascade", 1))
		my.Exec("create table more (id int primary key); create table other (id int primary key, a text, b text, foreign key (id) references more (id))")
		s, _ := trusting(t, my)
		parent, child, row := foreignRows("mariadb")
		other := table()
		other.Engine, other.Name = "mariadb", "other"
		mustApply(t, s, row(other, 1, change.Insert, 5), row(parent, 2, change.Insert, 1), row(child, 3, change.Insert, 1), row(other, 4, change.Insert, 6))
		err := s.Apply(t.Context(), []change.Change{row(other, 5, change.Insert, 7), row(child, 6, change.Insert, 2), row(other, 7, change.Insert, 8)})
		wantRefused(t, err, 1, sinks.Wait)
		mustApply(t, s, row(other, 8, change.Insert, 9), row(parent, 9, change.Delete, 1))
		wantRows(t, my, foreignShow)
		wantRows(t, my, "select id from other order by 1", "5", "6", "9")
		mustApply(t, s, row(parent, 10, change.Insert, 3), row(child, 11, change.Insert, 3), row(other, 12, change.Insert, 10), at(other, 13, change.Truncate))
		mustApply(t, s, at(child, 14, change.Truncate), at(parent, 14, change.Truncate))
		wantRows(t, my, foreignShow)
	})
}

// TestRowsThatWaitForTheirOwnTransaction: a table that points at itself, whose rows come parent first when they go, and child first when they come; with
// a bad row beside them, or taken one by one by the server.
func TestRowsThatWaitForTheirOwnTransaction(t *testing.T) {
	t.Parallel()
	testenv.AllMySQL(t, func(t *testing.T, my *testenv.My) {
		my.Exec("create table t (id int primary key, a text, b int, foreign key (b) references t (id), check (a <> 'bad'))")
		s := open(t, config(my))
		tab := table()
		tab.Columns[2].Native, tab.Columns[2].Kind, tab.Columns[2].Bits = "integer", change.KindInt, 32
		in := func(txn string, c change.Change) change.Change {
			c.Txn = &change.Txn{ID: txn}
			return c
		}
		bad := at(tab, 9, change.Insert, change.Int(9), change.Text("bad"), change.Null())
		row := func(n uint64, op change.Op, id int64, up change.Value) change.Change {
			return at(tab, n, op, change.Int(id), change.Null(), up)
		}
		come := []change.Change{in("1", row(1, change.Insert, 1, change.Int(2))), in("1", row(2, change.Insert, 2, change.Int(3))), in("1", row(3, change.Insert, 3, change.Null())), in("bad", bad)}
		wantRefused(t, s.Apply(t.Context(), come), 3, sinks.Reject)
		mustApply(t, s, come[:3]...)
		gone := []change.Change{in("2", row(4, change.Delete, 3, change.Null())), in("2", row(5, change.Delete, 2, change.Int(3))), in("2", row(6, change.Delete, 1, change.Int(2))), in("bad", bad)}
		wantRefused(t, s.Apply(t.Context(), gone), 3, sinks.Reject)
		mustApply(t, s, gone[:3]...)
		wantRows(t, my, "select id from t")
	})
}
