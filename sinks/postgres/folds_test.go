package postgres_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/testenv"
	"github.com/tailwater-cdc/tailwater/sinks"
)

// TestOneCallOfManyFolds: a call of more rows than are folded together is one transaction still, in order, and a refused row of a late fold is the only one
// named.
func TestOneCallOfManyFolds(t *testing.T) {
	t.Parallel()
	testenv.All(t, func(t *testing.T, pg *testenv.PG) {
		pg.Exec("create table t (id int primary key, a text, b text)")
		s, tab := open(t, config(pg)), table()
		var c []change.Change
		add := func(op change.Op, row ...change.Value) {
			one := at(tab, uint64(len(c)+1), op, row...)
			one.Txn = &change.Txn{ID: fmt.Sprint(len(c))}
			c = append(c, one)
		}
		const rows = 6000
		for id := range int64(rows) {
			add(change.Insert, change.Int(id), change.Text("a"), change.Text("b"))
		}
		add(change.Update, change.Int(0), change.Value{}, change.Text("patched")) // its row is a fold of long before
		add(change.Delete, change.Int(1), change.Null(), change.Null())
		bad := len(c)
		add(change.Insert, change.Int(rows), change.Text("\x00"), change.Null())
		add(change.Insert, change.Int(1), change.Text("anew"), change.Null())
		var partial *sinks.PartialError
		if err := s.Apply(t.Context(), c); !errors.As(err, &partial) || len(partial.Refused) != 1 || partial.Refused[0].Index != bad {
			t.Fatalf("want change %d refused, have %v", bad, err)
		}
		wantRows(t, pg, "select count(*) from t", "0")
		mustApply(t, s, append(c[:bad:bad], c[bad+1:]...)...)
		wantRows(t, pg, "select count(*), count(distinct xmin::text) from t", fmt.Sprintf("%d|1", rows))
		wantRows(t, pg, "select id, a, b from t where id < 3 order by id", "0|a|patched", `1|anew|\N`, "2|a|b")
	})
}
