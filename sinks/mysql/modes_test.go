package mysql_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/testenv"
	"github.com/tailwater-cdc/tailwater/sinks"
	"github.com/tailwater-cdc/tailwater/sinks/mysql"
)

// table is public.t of an int key and two nullable texts.
func table() *change.Table {
	return &change.Table{Source: "shop", Engine: "postgres", Schema: "public", Name: "t", Key: []int{0}, Columns: []change.Column{
		{Name: "id", Native: "integer", Kind: change.KindInt, Bits: 32},
		{Name: "a", Native: "text", Kind: change.KindText, Nullable: true},
		{Name: "b", Native: "text", Kind: change.KindText, Nullable: true},
	}}
}

func at(t *change.Table, n uint64, op change.Op, row ...change.Value) change.Change {
	c := change.Change{Op: op, Table: t, Pos: change.Position{Epoch: 1, Commit: n, Seq: change.SeqRow},
		Txn: &change.Txn{ID: "x", Committed: time.Unix(1_700_000_000+int64(n), 0)}}
	if op == change.Delete {
		c.Before = row
	} else if !op.IsMarker() {
		c.After = row
	}
	return c
}

func mustApply(t *testing.T, s *mysql.Sink, c ...change.Change) {
	t.Helper()
	if err := s.Apply(t.Context(), c); err != nil {
		t.Fatal(err)
	}
}

func wantRows(t *testing.T, my *testenv.My, sql string, want ...string) {
	t.Helper()
	var got []string
	for _, r := range my.Query(sql) {
		got = append(got, strings.Join(r, "|"))
	}
	if !slices.Equal(got, want) {
		t.Errorf("%s gives\n%s\nwant\n%s", sql, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// wantRefused checks that of c exactly the change at index is refused.
func wantRefused(t *testing.T, err error, index int, class sinks.Class) sinks.Refused {
	t.Helper()
	partial, ok := errors.AsType[*sinks.PartialError](err)
	if !ok || len(partial.Refused) != 1 || partial.Refused[0].Index != index || partial.Refused[0].Class != class {
		t.Fatalf("want change %d refused as %s, have %v", index, class, err)
	}
	return partial.Refused[0]
}

func TestAppend(t *testing.T) {
	t.Parallel()
	testenv.AllMySQL(t, func(t *testing.T, my *testenv.My) {
		c := config(my)
		c.Mode = mysql.Append
		s := open(t, c)
		tab := table()
		var unset change.Value
		history := []change.Change{
			at(tab, 1, change.Insert, change.Int(1), change.Text("a"), change.Null()),
			at(tab, 2, change.Update, change.Int(1), change.Text("b"), unset),
			at(tab, 3, change.Delete, change.Int(1), unset, unset),
			at(tab, 4, change.Truncate),
		}
		mustApply(t, s, history...)
		mustApply(t, s, history...)
		mustApply(t, s, history[2:]...)
		read := at(tab, 5, change.SnapshotRow, change.Int(9), change.Text("r"), change.Text("s"))
		read.Txn = nil
		mustApply(t, s, read)
		wantRows(t, my, `select _tailwater_op, id, a, b, _tailwater_unset, timestampdiff(second, '1970-01-01', _tailwater_committed_at) from t
order by _tailwater_pos is null, _tailwater_pos`,
			`insert|1|a|\N|\N|1700000001`, `update|1|b|\N|["b"]|1700000002`, `delete|1|\N|\N|["a","b"]|1700000003`,
			`truncate|\N|\N|\N|["id","a","b"]|1700000004`, `snapshot_row|9|r|s|\N|\N`)
	})
}

func TestSoftDelete(t *testing.T) {
	t.Parallel()
	testenv.AllMySQL(t, func(t *testing.T, my *testenv.My) {
		c := config(my)
		c.Mode = mysql.SoftDelete
		s := open(t, c)
		tab := table()
		var unset change.Value
		show := `select id, a, b, timestampdiff(second, '1970-01-01', _tailwater_deleted_at) from t order by id`
		mustApply(t, s, at(tab, 1, change.Insert, change.Int(1), change.Text("a"), change.Null()),
			at(tab, 2, change.Insert, change.Int(2), change.Text("a"), change.Null()), at(tab, 3, change.Delete, change.Int(2), unset, unset))
		wantRows(t, my, show, `1|a|\N|\N`, `2|a|\N|1700000003`)
		mustApply(t, s, at(tab, 4, change.Delete, change.Int(1), unset, unset), at(tab, 5, change.Insert, change.Int(2), change.Text("b"), change.Null()))
		wantRows(t, my, show, `1|a|\N|1700000004`, `2|b|\N|\N`)
		err := s.Apply(t.Context(), []change.Change{at(tab, 6, change.Update, change.Int(1), change.Text("x"), unset)})
		if r := wantRefused(t, err, 0, sinks.Reject); r.Code != sinks.CodeRowMissing {
			t.Errorf("a partial update of a deleted row: %v", err)
		}
		mustApply(t, s, at(tab, 7, change.Update, change.Int(2), unset, change.Text("y")), at(tab, 8, change.Delete, change.Int(2), unset, unset))
		wantRows(t, my, show, `1|a|\N|1700000004`, `2|b|y|1700000008`)
		mustApply(t, s, at(tab, 9, change.Insert, change.Int(3), change.Null(), change.Null()), at(tab, 10, change.Truncate),
			at(tab, 11, change.Insert, change.Int(1), change.Null(), change.Null()))
		wantRows(t, my, show, `1|\N|\N|\N`, `2|b|y|1700000008`, `3|\N|\N|1700000010`)

		keyless := table()
		keyless.Key, keyless.Name = nil, "k"
		mustApply(t, s, at(keyless, 1, change.Insert, change.Int(1), change.Null(), change.Null()),
			at(keyless, 2, change.Insert, change.Int(1), change.Null(), change.Null()),
			at(keyless, 3, change.Delete, change.Int(1), change.Null(), change.Null()))
		wantRows(t, my, `select id, timestampdiff(second, '1970-01-01', _tailwater_deleted_at) from k order by 2`, `1|\N`, `1|1700000003`)
	})
}
