package postgres_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/testenv"
	"github.com/tailwater-cdc/tailwater/sinks"
)

// TestNamesThatTheTargetLacks: a value that names an object of the target's catalogue has its own row refused, and a table that is gone has none.
func TestNamesThatTheTargetLacks(t *testing.T) {
	t.Parallel()
	types := []string{"regclass", "regtype", "regproc", "regnamespace", "regrole", "regconfig"}
	good := []string{"pg_class", "integer", "now", "public", "postgres", "simple"}
	codes := []string{"42P01", "42704", "42883", "3F000", "42704", "42704"}
	testenv.All(t, func(t *testing.T, pg *testenv.PG) {
		ddl := "id int primary key"
		tab := table()
		tab.Columns = tab.Columns[:1]
		for i, typ := range types {
			name := fmt.Sprint("c", i)
			ddl += ", " + name + " " + typ
			tab.Columns = append(tab.Columns, change.Column{Name: name, Native: typ, Kind: change.KindNative, Nullable: true})
		}
		pg.Exec("create table t (" + ddl + ")")
		s := open(t, config(pg))
		row := func(id int, lacks int) change.Change {
			values := []change.Value{change.Int(int64(id))}
			for i := range types {
				v := change.Native(good[i])
				if i == lacks {
					v = change.Native("not_here")
				}
				values = append(values, v)
			}
			return at(tab, uint64(id), change.Insert, values...)
		}
		var all, taken []change.Change
		for i := range types {
			all = append(all, row(2*i, -1), row(2*i+1, i))
			taken = append(taken, row(2*i, -1))
		}
		err := s.Apply(t.Context(), all)
		partial, ok := errors.AsType[*sinks.PartialError](err)
		if !ok || len(partial.Refused) != len(types) {
			t.Fatalf("values that name nothing: %v", err)
		}
		for i, r := range partial.Refused {
			if r.Index != 2*i+1 || r.Code != codes[i] || r.Class != sinks.Reject {
				t.Errorf("refused %d is change %d, %s, %s", i, r.Index, r.Code, r.Class)
			}
		}
		mustApply(t, s, taken...)
		wantRows(t, pg, "select count(*) from t", fmt.Sprint(len(types)))
		pg.Exec("drop table t")
		if err := s.Apply(t.Context(), taken); err == nil || errors.As(err, &partial) {
			t.Errorf("a table that is gone: %v", err)
		}
	})
}
