package mysql_test

import (
	"errors"
	"testing"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/testenv"
	"github.com/tailwater-cdc/tailwater/sinks"
)

func wantTwo(t *testing.T, err error) {
	t.Helper()
	partial, ok := errors.AsType[*sinks.PartialError](err)
	if !ok || len(partial.Refused) != 2 || partial.Refused[0].Index != 1 || partial.Refused[1].Index != 2 {
		t.Errorf("want changes 1 and 2 refused, have %v", err)
	}
}

// TestTruncateOfAFamily: TRUNCATE parent, child at the source is a marker for each, and neither can go before the other on a target
// that has the foreign key.
func TestTruncateOfAFamily(t *testing.T) {
	t.Parallel()
	families := map[string]string{
		"no action": "foreign key (id) references t (id)",
		"restrict":  "foreign key (id) references t (id) on delete restrict",
		"cascade":   "foreign key (id) references t (id) on delete cascade",
		"itself":    "up int, foreign key (id) references t (id), foreign key (up) references child (id)",
	}
	testenv.AllMySQL(t, func(t *testing.T, my *testenv.My) {
		for name, key := range families {
			t.Run(name, func(t *testing.T) {
				my.Exec("drop table if exists child; drop table if exists t, alone, _tailwater_shapes")
				my.Exec("create table t (id int primary key, a text, b text); create table alone (id int primary key, a text, b text, check (a <> 'bad'));" +
					"create table child (id int primary key, a text, b text, " + key + ")")
				s := open(t, config(my))
				parent, child, alone := table(), table(), table()
				child.Name, alone.Name = "child", "alone"
				row := func(tab *change.Table, n uint64, id int64) change.Change {
					return at(tab, n, change.Insert, change.Int(id), change.Null(), change.Null())
				}
				truncate := []change.Change{at(parent, 5, change.Truncate), at(alone, 5, change.Truncate), at(child, 5, change.NewShape), at(child, 5, change.Truncate)}
				before := []change.Change{row(parent, 2, 1), row(parent, 2, 2), row(child, 3, 1), row(child, 3, 2), row(alone, 4, 1)}
				mustApply(t, s, before...)
				if name == "itself" {
					my.Exec("update child set up = 2 where id = 1; update child set up = 1 where id = 2")
				}
				mustApply(t, s, append(truncate, row(parent, 6, 2))...)
				wantRows(t, my, "select 'parent', id from t union all select 'child', id from child union all select 'alone', id from alone", "parent|2")

				// nor does the search for a refused row part them
				mustApply(t, s, before...)
				bad := at(alone, 7, change.Insert, change.Int(3), change.Text("bad"), change.Null())
				err := s.Apply(t.Context(), append(append([]change.Change{row(alone, 4, 9)}, truncate...), bad, row(parent, 8, 4)))
				wantRefused(t, err, 5, sinks.Reject)
			})
		}
		t.Run("a child that stays", func(t *testing.T) {
			my.Exec("drop table if exists child; drop table if exists t, _tailwater_shapes")
			my.Exec("create table t (id int primary key, a text, b text); create table child (id int primary key, foreign key (id) references t (id))")
			s := open(t, config(my))
			mustApply(t, s, at(table(), 1, change.Insert, change.Int(1), change.Null(), change.Null()))
			my.Exec("insert into child values (1)")
			wantRefused(t, s.Apply(t.Context(), []change.Change{at(table(), 2, change.Truncate)}), 0, sinks.Wait)
			wantRefused(t, s.Apply(t.Context(), []change.Change{at(table(), 2, change.Delete, change.Int(1), change.Null(), change.Null())}), 0, sinks.Wait)
			wantRows(t, my, "select id from t", "1")
			my.Exec("delete from child where true")
			mustApply(t, s, at(table(), 2, change.Truncate))
			wantRows(t, my, "select id from t")
			my.Exec("alter table child add a text, add b text")
			orphan := table()
			orphan.Name = "child"
			wantRefused(t, s.Apply(t.Context(), []change.Change{at(orphan, 3, change.Insert, change.Int(5), change.Null(), change.Null())}), 0, sinks.Wait)
		})
	})
}
