package sinktest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/sinks"
)

// Null is how Rows shows NULL.
const Null = `\N`

// Harness is one empty target.
type Harness struct {
	Addr string // where the target's server listens, host:port
	// Open opens the sink on the target: it makes missing tables and keeps rows as they are at the source. addr is Harness.Addr or a proxy
	// before it. Every call is another instance of the same sink: same source id, same name. The harness closes it at the test's end
	// if the test hasn't.
	Open func(t testing.TB, addr string) sinks.MarkSink
	// OpenWith is Open with a policy for changes of shape, and whom to tell of them; met may be nil.
	OpenWith func(t testing.TB, addr string, p sinks.Policy, met func(c sinks.SchemaChange)) sinks.MarkSink
	// Columns returns the names of the target's columns in their order; nil where there is no such table.
	Columns func(t testing.TB, table *change.Table) []string
	// Need makes the column refuse NULL, and rows that don't name it.
	Need func(t testing.TB, table *change.Table, column string)
	// Clear sets the column to NULL in all rows.
	Clear func(t testing.TB, table *change.Table, column string)
	// Rows returns all rows of the target of table: its columns in the table's order as text, NULL as Null, in any order.
	Rows func(t testing.TB, table *change.Table) [][]string
	// Unique makes the column unique in the target of table.
	Unique  func(t testing.TB, table *change.Table, column string)
	Refused change.Value // a text that the target never takes, or not any more after Refuse
	// Refuse makes the target refuse Refused in a column of texts; nil: no column of texts takes it.
	Refuse func(t testing.TB, table *change.Table, column string)
}

// Stream is the stream of all deliveries of the suite.
const Stream = "shop.public.orders"

// Run runs the suite. open is called once for each test and returns a target of its own.
func Run(t *testing.T, open func(t *testing.T) Harness) {
	t.Helper()
	cases := []struct {
		name string
		run  func(t *testing.T, h Harness)
	}{
		{"insert, update, delete", testChanges},
		{"unset is not null is not empty", testUnset},
		{"key change", testKeyChange},
		{"one batch, many changes of a key", testOneKey},
		{"truncate", testTruncate},
		{"reshape", testReshape},
		{"mixed shapes in one call", testMixedShapes},
		{"shape: every kind under every action", testKinds},
		{"shape: a new table", testNewTable},
		{"shape: a truncate", testTruncateKind},
		{"shape: comes back", testShapeComesBack},
		{"shape: a row of a past one", testPastRow},
		{"shape: a column dropped and made", testDroppedAndMade},
		{"shape: a dropped column comes again", testDroppedComesAgain},
		{"shape: an unproved rename", testUnproved},
		{"shape: a zombie alters nothing", testShapeZombie},
		{"shape: cut off at every step", testShapeCut},
		{"replay of any suffix", testReplay},
		{"folded is sequential", testFold},
		{"weird names", testNames},
		{"values at their limits", testValues},
		{"big batch", testBig},
		{"marks", testMarks},
		{"zombie", testZombie},
		{"two first appliers", testFirst},
		{"lanes beside each other", testLanes},
		{"cut off at every step", testCut},
		{"partial names exactly the bad", testPartial},
		{"row missing", testRowMissing},
		{"unique value moves", testUniqueMoves},
		{"unique values are exchanged", testExchanged},
		{"wait", testWait},
		{"parked", testParked},
		{"superseded by a snapshot row", testSuperseded},
		{"superseded by a truncate", testTruncated},
		{"keyless twins", testTwins},
		{"keyless truncate and snapshot", testKeylessSnapshot},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.run(t, open(t))
		})
	}
}

// orders is a table of an int key, a text, a nullable text and a nullable number.
func orders() *change.Table {
	return &change.Table{Source: "shop", Engine: "none", Schema: "public", Name: "orders", Key: []int{0}, Columns: []change.Column{
		{Name: "id", Native: "bigint", Kind: change.KindInt, Bits: 64},
		{Name: "status", Native: "text", Kind: change.KindText},
		{Name: "note", Native: "text", Kind: change.KindText, Nullable: true},
		{Name: "n", Native: "integer", Kind: change.KindInt, Bits: 32, Nullable: true},
	}}
}

// log makes changes in the order of a log: each takes the next Position.
type log struct {
	table *change.Table
	at    uint64
}

func (l *log) next(op change.Op, before, after []change.Value) change.Change {
	l.at++
	c := change.Change{Op: op, Table: l.table, Before: before, After: after, Pos: change.Position{Epoch: 1, Commit: l.at, Seq: change.SeqRow}}
	if op != change.SnapshotRow {
		c.Txn = &change.Txn{ID: fmt.Sprint(l.at), Committed: time.Unix(1_700_000_000+int64(l.at), 0).UTC()}
	}
	return c
}

func (l *log) insert(row ...change.Value) change.Change { return l.next(change.Insert, nil, row) }
func (l *log) update(row ...change.Value) change.Change { return l.next(change.Update, nil, row) }
func (l *log) snapshot(row ...change.Value) change.Change {
	return l.next(change.SnapshotRow, nil, row)
}
func (l *log) delete(row ...change.Value) change.Change { return l.next(change.Delete, row, nil) }
func (l *log) marker(op change.Op) change.Change        { return l.next(op, nil, nil) }

// key is a row of which only the key is known.
func (l *log) key(id int64) []change.Value {
	row := make([]change.Value, len(l.table.Columns))
	row[0] = change.Int(id)
	return row
}

// order is a whole row of orders.
func order(id int64, status string) []change.Value {
	return []change.Value{change.Int(id), change.Text(status), change.Null(), change.Int(id)}
}

func apply(t testing.TB, s sinks.MarkSink, c ...change.Change) {
	t.Helper()
	if err := s.Apply(t.Context(), c); err != nil {
		t.Fatalf("apply: %v", err)
	}
}

// lines sorts rows and makes each one line.
func lines(rows [][]string) []string {
	out := make([]string, len(rows))
	for i, r := range rows {
		out[i] = strings.Join(r, "|")
	}
	slices.Sort(out)
	return out
}

func (h Harness) want(t testing.TB, table *change.Table, want ...string) {
	t.Helper()
	slices.Sort(want)
	if got := lines(h.Rows(t, table)); !slices.Equal(got, want) {
		t.Errorf("the target holds\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func lane(n int32) change.Lane { return change.Lane{Stream: Stream, N: n} }

func mark(n int32, next int64, c ...change.Change) change.Mark {
	m := change.Mark{Lane: lane(n), Next: next}
	if len(c) > 0 {
		m.Pos = c[len(c)-1].Pos
	}
	return m
}

// refused returns the indexes that a *sinks.PartialError names.
func refused(t testing.TB, err error) []sinks.Refused {
	t.Helper()
	partial, ok := errors.AsType[*sinks.PartialError](err)
	if !ok {
		t.Fatalf("want a *sinks.PartialError, have %v", err)
	}
	return partial.Refused
}

func wantRefused(t testing.TB, err error, want map[int]sinks.Class) {
	t.Helper()
	have := refused(t, err)
	last := -1
	for _, r := range have {
		if class, ok := want[r.Index]; !ok || class != r.Class {
			t.Errorf("change %d is refused as %s (%s: %v), want %v", r.Index, r.Class, r.Code, r.Cause, want)
		}
		if r.Code == "" || r.Cause == nil || r.Index <= last {
			t.Errorf("refused without a code or a cause, or out of order: %+v", r)
		}
		last = r.Index
	}
	if len(have) != len(want) {
		t.Errorf("%d changes are refused, want %d", len(have), len(want))
	}
}
