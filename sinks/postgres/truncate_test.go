package postgres_test

import (
	"errors"
	"testing"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/testenv"
	"github.com/tailwater-cdc/tailwater/sinks"
)

// TestTruncateOfAFamily: TRUNCATE parent, child at the source is a marker for each, and neither can go before the other on a target
// that has the foreign key.
func TestTruncateOfAFamily(t *testing.T) {
	t.Parallel()
	for name, action := range map[string]string{"no action": "", "deferred": "deferrable initially deferred", "restrict": "on delete restrict", "cascade": "on delete cascade"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pg := testenv.Postgres(t, 18)
			pg.Exec(`create table t (id int primary key, a text, b text); create table child (id int primary key, a text, b text, foreign key (id) references t ` + action + `);
create table alone (id int primary key, a text, b text)`)
			s := open(t, config(pg))
			parent, child, alone := table(), table(), table()
			child.Name, alone.Name = "child", "alone"
			row := func(tab *change.Table, n uint64, id int64) change.Change {
				return at(tab, n, change.Insert, change.Int(id), change.Null(), change.Null())
			}
			truncate := []change.Change{at(parent, 5, change.Truncate), at(alone, 5, change.Truncate), at(child, 5, change.NewShape), at(child, 5, change.Truncate)}
			before := []change.Change{row(parent, 2, 1), row(child, 3, 1), row(alone, 4, 1)}
			mustApply(t, s, before...)
			mustApply(t, s, append(truncate, row(parent, 6, 2))...)
			wantRows(t, pg, "select 'parent', id from t union all select 'child', id from child union all select 'alone', id from alone", "parent|2")

			// nor does the search for a refused row part them
			mustApply(t, s, before...)
			bad := at(parent, 7, change.Insert, change.Int(3), change.Text("\x00"), change.Null())
			err := s.Apply(t.Context(), append(append([]change.Change{row(alone, 4, 9)}, truncate...), bad, row(parent, 8, 4)))
			partial, ok := errors.AsType[*sinks.PartialError](err)
			if !ok || len(partial.Refused) != 1 || partial.Refused[0].Index != 5 {
				t.Errorf("a bad row behind a TRUNCATE of a family: %v", err)
			}
		})
	}
}

// TestTruncateOfAParentAlone: through Kafka the parent's marker and the child's come by a topic each, the parent's first.
func TestTruncateOfAParentAlone(t *testing.T) {
	t.Parallel()
	for name, action := range map[string]string{"no action": "", "deferred": "deferrable initially deferred", "restrict": "on delete restrict", "cascade": "on delete cascade"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			testenv.All(t, func(t *testing.T, pg *testenv.PG) {
				pg.Exec(`create table t (id int primary key, a text, b text); create table child (id int primary key, a text, b text, foreign key (id) references t ` + action + `)`)
				s := open(t, config(pg))
				parent, child := table(), table()
				child.Name = "child"
				row := func(tab *change.Table, n uint64, id int64) change.Change {
					return at(tab, n, change.Insert, change.Int(id), change.Null(), change.Null())
				}
				mustApply(t, s, row(parent, 2, 1), row(child, 3, 1))
				err := s.Apply(t.Context(), []change.Change{at(parent, 5, change.Truncate), row(child, 6, 7)})
				partial, ok := errors.AsType[*sinks.PartialError](err)
				if !ok || len(partial.Refused) != 1 || partial.Refused[0].Index != 1 || partial.Refused[0].Class != sinks.Wait {
					t.Errorf("foreign keys are not looked at behind a TRUNCATE: %v", err)
				}
				mustApply(t, s, at(parent, 5, change.Truncate), row(parent, 6, 2))
				mustApply(t, s, at(child, 5, change.Truncate), row(child, 7, 2))
				wantRows(t, pg, "select 'parent', id from t union all select 'child', id from child order by 1", "child|2", "parent|2")
			})
		})
	}
}
