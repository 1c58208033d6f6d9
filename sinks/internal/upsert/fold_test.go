package upsert_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/sinks"
	"github.com/tailwater-cdc/tailwater/sinks/internal/upsert"
)

var (
	orders  = newTable("orders", 0)
	orders2 = newTable("orders", 0) // the next version of orders
	history = newTable("history")
	txn     = &change.Txn{ID: "1", Committed: time.Unix(7, 0)}
)

func newTable(name string, key ...int) *change.Table {
	t := &change.Table{Schema: "s", Name: name, Key: key}
	for _, column := range []string{"id", "a", "b", "gen"} {
		t.Columns = append(t.Columns, change.Column{Name: column, Kind: change.KindText, Generated: column == "gen"})
	}
	return t
}

// row reads "1 x - ?" as id 1, a x, b NULL; ? is Unset. The generated column is Unset always.
func row(s string) []change.Value {
	out := make([]change.Value, 4)
	for i, f := range strings.Fields(s) {
		switch f {
		case "?":
		case "-":
			out[i] = change.Null()
		default:
			out[i] = change.Text(f)
		}
	}
	return out
}

// script reads one change a line: table, op, row.
func script(t *testing.T, lines ...string) []change.Change {
	t.Helper()
	tables := map[string]*change.Table{"orders": orders, "orders2": orders2, "history": history}
	ops := map[string]change.Op{"i": change.Insert, "u": change.Update, "d": change.Delete, "r": change.SnapshotRow, "t": change.Truncate, "n": change.NewShape}
	var out []change.Change
	for i, line := range lines {
		f := strings.SplitN(line, " ", 3)
		c := change.Change{Op: ops[f[1]], Table: tables[f[0]], Pos: change.Position{Commit: uint64(i + 1)}, Txn: txn}
		if c.Op == 0 || c.Table == nil {
			t.Fatalf("bad line %q", line)
		}
		switch {
		case c.Op == change.Delete:
			c.Before = row(f[2])
		case !c.Op.IsMarker():
			c.After = row(f[2])
		}
		out = append(out, c)
	}
	return out
}

// show writes steps one run a line.
func show(steps []upsert.Step) []string {
	var out []string
	for _, s := range steps {
		for _, r := range s.Runs {
			name := r.Table.Name
			if r.Table == orders2 {
				name = "orders2"
			}
			line := fmt.Sprintf("%s %s %v:", name, r.Action, r.Present)
			for _, row := range r.Rows {
				line += " ["
				for i, v := range row.Values[:3] {
					line += map[bool]string{true: " "}[i > 0] + map[change.Kind]string{change.KindUnset: "?", change.KindNull: "-"}[v.Kind()] + v.Str()
				}
				line += fmt.Sprintf("]@%d", row.Last.Pos.Commit)
				if !row.Deleted.IsZero() {
					line += "x"
				}
			}
			out = append(out, line)
		}
		var markers []string
		for _, m := range s.Markers {
			markers = append(markers, m.Op.String())
		}
		if len(markers) > 0 {
			out = append(out, strings.Join(markers, "+"))
		}
	}
	return out
}

func TestFold(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name string
		mode upsert.Mode
		in   []string
		want []string
	}{
		{"last whole row", upsert.Upsert, []string{"orders i 1 a b", "orders u 1 c d"}, []string{"orders put [0 1 2]: [1 c d]@2"}},
		{"insert then delete is delete", upsert.Upsert, []string{"orders i 1 a b", "orders d 1 ? ?"}, []string{"orders remove []: [1 ? ?]@2"}},
		{"delete then insert", upsert.Upsert, []string{"orders d 1 ? ?", "orders i 1 a b"}, []string{"orders put [0 1 2]: [1 a b]@2"}},
		{"present columns merge forward", upsert.Upsert, []string{"orders i 1 a b", "orders u 1 ? -", "orders u 1 c ?"}, []string{"orders put [0 1 2]: [1 c -]@3"}},
		{"two holes never make a whole", upsert.Upsert, []string{"orders u 1 a ?", "orders u 1 ? b"}, []string{"orders patch [0 1 2]: [1 a b]@2"}},
		{"a whole row fills a hole", upsert.Upsert, []string{"orders u 1 a ?", "orders u 1 c d"}, []string{"orders put [0 1 2]: [1 c d]@2"}},
		{"a hole after a delete is its own", upsert.Upsert, []string{"orders d 1 ? ?", "orders u 1 a ?"},
			[]string{"orders remove []: [1 ? ?]@1", "orders patch [0 1]: [1 a ?]@2"}},
		{"grouped by columns", upsert.Upsert, []string{"orders u 1 a ?", "orders u 2 ? b", "orders u 3 c ?", "orders i 4 d d"},
			[]string{"orders patch [0 1]: [1 a ?]@1 [3 c ?]@3", "orders patch [0 2]: [2 ? b]@2", "orders put [0 1 2]: [4 d d]@4"}},
		{"deletes first", upsert.Upsert, []string{"orders i 1 a b", "orders d 2 ? ?", "orders r 3 a b"},
			[]string{"orders remove []: [2 ? ?]@2", "orders put [0 1 2]: [1 a b]@1 [3 a b]@3"}},
		{"never across a marker", upsert.Upsert, []string{"orders i 1 a b", "history t", "orders u 1 c d"},
			[]string{"orders put [0 1 2]: [1 a b]@1", "truncate", "orders put [0 1 2]: [1 c d]@3"}},
		{"markers of one transaction stay together", upsert.Upsert, []string{"orders i 1 a b", "orders t", "history t", "orders i 2 a b"},
			[]string{"orders put [0 1 2]: [1 a b]@1", "truncate+truncate", "orders put [0 1 2]: [2 a b]@4"}},
		{"never across a shape", upsert.Upsert, []string{"orders i 1 a b", "orders2 u 1 c d", "orders2 u 1 ? e"},
			[]string{"orders put [0 1 2]: [1 a b]@1", "orders2 put [0 1 2]: [1 c e]@3"}},
		{"without a key nothing folds", upsert.Upsert, []string{"history i 1 a b", "history i 1 a b", "history d 1 a b", "history i 1 a b"},
			[]string{"history add [0 1 2]: [1 a b]@1 [1 a b]@2", "history remove_one [0 1 2]: [1 a b]@3", "history add [0 1 2]: [1 a b]@4"}},
		{"without a key, columns that never come part nothing", upsert.Upsert, []string{"history i 1 a ?", "history i 2 a ?", "history i 3 a b"},
			[]string{"history add [0 1]: [1 a ?]@1 [2 a ?]@2", "history add [0 1 2]: [3 a b]@3"}},
		{"soft delete keeps the row", upsert.SoftDelete, []string{"orders i 1 a b", "orders d 1 ? ?", "orders d 2 ? ?"},
			[]string{"orders remove []: [2 ? ?]@3x", "orders put [0 1 2]: [1 a b]@2x"}},
		{"soft delete undone", upsert.SoftDelete, []string{"orders i 1 a b", "orders d 1 ? ?", "orders i 1 c d"}, []string{"orders put [0 1 2]: [1 c d]@3"}},
		{"a hole after a soft delete", upsert.SoftDelete, []string{"orders i 1 a b", "orders d 1 ? ?", "orders u 1 c ?"},
			[]string{"orders put [0 1 2]: [1 a b]@2x", "orders patch [0 1]: [1 c ?]@3"}},
		{"append folds nothing", upsert.Append, []string{"orders i 1 a b", "orders u 1 c ?", "orders d 1 ? ?"},
			[]string{"orders add [0 1 2]: [1 a b]@1", "orders add [0 1]: [1 c ?]@2", "orders add [0]: [1 ? ?]@3"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			in := script(t, c.in...)
			before := fmt.Sprint(in)
			steps, err := upsert.Fold(in, c.mode)
			if err != nil {
				t.Fatal(err)
			}
			if got := show(steps); !slices.Equal(got, c.want) {
				t.Errorf("folded to\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(c.want, "\n"))
			}
			if fmt.Sprint(in) != before {
				t.Error("the changes were changed")
			}
		})
	}
}

func TestFoldRefuses(t *testing.T) {
	t.Parallel()
	for line, code := range map[string]string{"orders i ? a b": upsert.CodeUnsetKey, "history u 1 a b": upsert.CodeNoKey} {
		_, err := upsert.Fold(script(t, line), upsert.Upsert)
		own, ok := errors.AsType[*sinks.Error](err)
		if !ok || own.Class != sinks.Reject || own.Code != code {
			t.Errorf("%s: %v, want code %s", line, err, code)
		}
	}
}

// TestFoldLength: whole transactions, enough rows for each table, and all that there is otherwise.
func TestFoldLength(t *testing.T) {
	t.Parallel()
	c := script(t, "orders i 0 a b", "orders i 1 a b", "history i 2 a b", "orders i 3 a b", "orders i 4 a b", "orders i 5 a b", "orders i 6 a b")
	for i, id := range []string{"1", "1", "2", "2", "2", "3", "4"} {
		c[i].Txn = &change.Txn{ID: id}
	}
	for _, k := range []struct{ from, rows, want int }{
		{0, 1, 2}, // the transaction that the first row is of
		{0, 2, 2},
		{0, 3, 6}, // two tables: three rows for each
		{0, 4, 7},
		{2, 1, 3},
		{6, 1, 1},
		{7, 1, 0},
	} {
		if n := upsert.FoldLength(c[k.from:], k.rows); n != k.want {
			t.Errorf("from %d with %d rows: %d, want %d", k.from, k.rows, n, k.want)
		}
	}
	chunk := script(t, "orders r 0 a b", "orders r 1 a b", "orders r 2 a b")
	for i := range chunk {
		chunk[i].Txn, chunk[i].Pos = nil, change.Position{Commit: 7}
	}
	if n := upsert.FoldLength(chunk, 1); n != 3 {
		t.Errorf("%d rows of a chunk, want all 3", n)
	}
}

func TestBisect(t *testing.T) {
	t.Parallel()
	c := script(t, "orders i 0 a b", "orders i 1 a b", "orders t", "orders i 2 a b", "orders u 1 c d", "orders i 3 a b", "orders i 4 a b", "orders i 3 c d")
	applied := ""
	try := func(c []change.Change) error {
		ids := ""
		for i := range c {
			if c[i].Op.IsMarker() {
				ids += "t"
				continue
			}
			id := c[i].Row()[0].Str()
			if id == "1" || id == "3" {
				class := map[string]sinks.Class{"1": sinks.Reject, "3": sinks.Wait}[id]
				return &sinks.Error{Class: class, Code: id, Err: errors.New("no")}
			}
			ids += id
		}
		applied += ids
		return nil
	}
	refused, err := upsert.Bisect(c, try)
	if err != nil {
		t.Fatal(err)
	}
	want := "[{1 reject 1 no} {5 wait 3 no}]"
	if fmt.Sprint(refused) != want || applied != "0t24" {
		t.Errorf("refused %v, applied %s; want %s and 0t24", refused, applied, want)
	}
	broken := errors.New("broken")
	if _, err := upsert.Bisect(c, func([]change.Change) error { return broken }); !errors.Is(err, broken) {
		t.Errorf("an error about no change is %v", err)
	}
}

func TestCache(t *testing.T) {
	t.Parallel()
	var c upsert.Cache[int]
	if _, ok := c.Get(orders); ok {
		t.Error("an empty cache has a plan")
	}
	c.Put(orders, 1)
	if p, ok := c.Get(orders); !ok || p != 1 {
		t.Error("the plan is not kept")
	}
	if _, ok := c.Get(orders2); ok {
		t.Error("another version has the same plan")
	}
	c.Clear()
	if _, ok := c.Get(orders); ok {
		t.Error("a cleared cache has a plan")
	}
}

// batch is n whole inserts of different keys.
func batch(n int) []change.Change {
	out := make([]change.Change, n)
	for i := range out {
		out[i] = change.Change{Op: change.Insert, Table: orders, After: row(fmt.Sprint(i, " a b")), Txn: txn}
	}
	return out
}

// TestFoldAllocates holds the fold to allocations a call, not a row.
func TestFoldAllocates(t *testing.T) {
	c := batch(4096)
	allocs := testing.AllocsPerRun(10, func() {
		if _, err := upsert.Fold(c, upsert.Upsert); err != nil {
			t.Fatal(err)
		}
	})
	if allocs > 200 {
		t.Errorf("%d rows fold in %.0f allocations, want 200 at most", len(c), allocs)
	}
}

func BenchmarkFold(b *testing.B) {
	c := batch(5000)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := upsert.Fold(c, upsert.Upsert); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N*len(c))/b.Elapsed().Seconds(), "rows/s")
}
