package sinktest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/sinks"
)

// known is orders with the identity of each column, as a source gives it that can prove a rename.
func known() *change.Table {
	t := orders()
	for i := range t.Columns {
		t.Columns[i].ID = 7<<16 | uint64(i+1)
	}
	return t
}

// altered is a copy of a shape that f has changed.
func altered(t *change.Table, f func(*change.Table)) *change.Table {
	c := *t
	c.Columns = slices.Clone(t.Columns)
	f(&c)
	return &c
}

func without(column string) func(*change.Table) {
	return func(t *change.Table) {
		t.Columns = slices.DeleteFunc(t.Columns, func(c change.Column) bool { return c.Name == column })
	}
}

func with(c change.Column) func(*change.Table) {
	return func(t *change.Table) { t.Columns = append(t.Columns, c) }
}

func named(from, to string) func(*change.Table) {
	return func(t *change.Table) { t.Columns[t.ColumnIndex(from)].Name = to }
}

func bits(n int) func(*change.Table) {
	return func(t *change.Table) {
		c := &t.Columns[t.ColumnIndex("n")]
		c.Bits, c.Native = n, fmt.Sprint("int", n)
	}
}

func extra(nullable bool) change.Column {
	return change.Column{Name: "extra", Native: "text", Kind: change.KindText, Nullable: nullable, ID: 7<<16 | 9}
}

// filled is a NOT NULL column of which the source keeps what rows of before have.
func filled(missing string) change.Column {
	c := extra(false)
	c.Missing = &missing
	return c
}

// reread is a NOT NULL column whose values in rows of before come with these.
func reread() change.Column {
	c := extra(false)
	c.Reread = true
	return c
}

// remade is another table of that name: all of its columns are others.
func remade(t *change.Table) {
	for i := range t.Columns {
		t.Columns[i].ID += 1 << 16
	}
}

// whole is a row that has a value in each column.
func whole(t *change.Table, id int64, n int64) []change.Value {
	row := make([]change.Value, len(t.Columns))
	for i := range t.Columns {
		row[i] = change.Text(t.Columns[i].Name)
		if t.Columns[i].Kind == change.KindInt {
			row[i] = change.Int(n)
		}
	}
	row[0] = change.Int(id)
	return row
}

// watched opens the sink with a policy and notes what it tells.
func (h Harness) watched(t testing.TB, p sinks.Policy) (sinks.MarkSink, func() string) {
	var met []string
	s := h.OpenWith(t, h.Addr, p, func(c sinks.SchemaChange) {
		met = append(met, strings.TrimSpace(fmt.Sprintf("%s %s %s", c.Kind, c.Action, c.Column)))
	})
	return s, func() string {
		all := strings.Join(met, ", ")
		met = nil
		return all
	}
}

// kindCase is one kind of change under one action.
type kindCase struct {
	name    string
	policy  sinks.Policy
	next    *change.Table
	n       int64  // of the new shape's row
	told    string // empty and halts false: nothing
	columns string
	rows    []string // of columns
	halts   string   // words of the statement
}

// base is the shape that all of them begin with.
var base = known()

var kindCases = []kindCase{
	{"add", nil, altered(base, with(extra(true))), 1, "add apply extra", "id status note n extra", []string{`1|status|note|5|\N`, `2|status|note|1|extra`}, ""},
	{"add ignored", sinks.Policy{sinks.KindAdd: sinks.Ignore}, altered(base, with(extra(true))), 1, "add ignore extra", "id status note n", []string{`1|status|note|5`, `2|status|note|1`}, ""},
	{"add halts", sinks.Policy{sinks.KindAdd: sinks.Halt}, altered(base, with(extra(true))), 1, "", "", nil, "ADD COLUMN"},
	{"add NOT NULL", nil, altered(base, with(extra(false))), 1, "", "", nil, "fill it in"},
	{"add with a value for rows of before", nil, altered(base, with(filled("it's"))), 1, "add apply extra", "id status note n extra", []string{`1|status|note|5|it's`, `2|status|note|1|extra`}, ""},
	{"add NOT NULL and rows of before are read again", nil, altered(base, with(reread())), 1, "add apply extra", "id status note n extra", []string{`1|status|note|5|\N`, `2|status|note|1|extra`}, ""},
	{"add NOT NULL in another table of that name", nil, altered(altered(base, with(extra(false))), remade), 1, "add apply extra", "id status note n extra", []string{`1|status|note|5|\N`, `2|status|note|1|extra`}, ""},
	{"add NOT NULL in another table, and nothing is read", nil, altered(altered(altered(base, with(extra(false))), remade), func(t *change.Table) { t.Lineage = "another" }), 1, "", "", nil, "fill it in"},
	{"drop", nil, altered(base, without("note")), 1, "drop ignore note", "id status note n", []string{`1|status|note|5`, `2|status|\N|1`}, ""},
	{"drop needed", nil, altered(base, without("status")), 1, "drop ignore status", "id status note n", []string{`1|status|note|5`, `2|\N|note|1`}, ""},
	{"drop applied", sinks.Policy{sinks.KindDrop: sinks.Follow}, altered(base, without("note")), 1, "drop apply note", "id status n", []string{`1|status|5`, `2|status|1`}, ""},
	{"drop halts", sinks.Policy{sinks.KindDrop: sinks.Halt}, altered(base, without("note")), 1, "", "", nil, "DROP COLUMN"},
	{"widen", nil, altered(base, bits(64)), 1 << 40, "widen apply n", "id status note n", []string{`1|status|note|5`, `2|status|note|1099511627776`}, ""},
	{"widen ignored", sinks.Policy{sinks.KindWiden: sinks.Ignore}, altered(base, bits(64)), 6, "widen ignore n", "id status note n", []string{`1|status|note|5`, `2|status|note|6`}, ""},
	{"widen halts", sinks.Policy{sinks.KindWiden: sinks.Halt}, altered(base, bits(64)), 1 << 40, "", "", nil, "bigint"},
	{"narrow", nil, altered(base, bits(16)), 6, "", "", nil, "smallint"},
	{"narrow ignored", sinks.Policy{sinks.KindNarrow: sinks.Ignore}, altered(base, bits(16)), 6, "narrow ignore n", "id status note n", []string{`1|status|note|5`, `2|status|note|6`}, ""},
	{"rename", nil, altered(base, named("note", "remark")), 1, "rename apply remark", "id status remark n", []string{`1|status|note|5`, `2|status|remark|1`}, ""},
	{"rename halts", sinks.Policy{sinks.KindRename: sinks.Halt}, altered(base, named("note", "remark")), 1, "", "", nil, "RENAME COLUMN"},
	{"rename ignored", sinks.Policy{sinks.KindRename: sinks.Ignore}, altered(base, named("note", "remark")), 1,
		"rename ignore remark, drop ignore note, add apply remark", "id status note n remark", []string{`1|status|note|5|\N`, `2|status|\N|1|remark`}, ""},
	{"rename and widen", nil, altered(altered(base, bits(64)), named("n", "m")), 1 << 40, "rename apply m, widen apply m", "id status note m", []string{`1|status|note|5`, `2|status|note|1099511627776`}, ""},
	{"nullability", nil, altered(base, func(t *change.Table) { t.Columns[1].Nullable = true }), 1, "nullability apply status", "id status note n", []string{`1|status|note|5`, `2|status|note|1`}, ""},
	{"nullability ignored", sinks.Policy{sinks.KindNullability: sinks.Ignore}, altered(base, func(t *change.Table) { t.Columns[1].Nullable = true }), 1,
		"nullability ignore status", "id status note n", []string{`1|status|note|5`, `2|status|note|1`}, ""},
	{"nullability halts", sinks.Policy{sinks.KindNullability: sinks.Halt}, altered(base, func(t *change.Table) { t.Columns[1].Nullable = true }), 1, "", "", nil, "NULL"},
	{"all at once", sinks.Policy{sinks.KindDrop: sinks.Follow}, altered(altered(altered(altered(base, named("status", "state")), without("note")), bits(64)), with(extra(true))), 1 << 40,
		"rename apply state, widen apply n, drop apply note, add apply extra", "id state n extra", []string{`1|status|5|\N`, `2|state|1099511627776|extra`}, ""},
	{"key", nil, altered(base, func(t *change.Table) { t.Key = []int{0, 3} }), 1, "", "", nil, "PRIMARY KEY"},
}

// testKinds holds each kind of change under each action: what the target's columns are then, what its rows, what is told, and that a halt
// names the statement and goes on once that was run.
func testKinds(t *testing.T, h Harness) {
	for i, c := range kindCases {
		t.Run(c.name, func(t *testing.T) {
			name := fmt.Sprint("orders", i)
			old, next := altered(base, func(t *change.Table) { t.Name = name }), altered(c.next, func(t *change.Table) { t.Name = name })
			s, told := h.watched(t, c.policy)
			l := &log{table: old}
			apply(t, s, l.insert(whole(old, 1, 5)...))
			h.Need(t, old, "status") // as in a table that somebody else has made
			told()
			l.table = next
			marker, row := l.marker(change.NewShape), l.insert(whole(next, 2, c.n)...)
			if c.halts != "" {
				h.halts(t, s, c.halts, marker, row)
				return
			}
			apply(t, s, marker, row)
			if got := told(); got != c.told {
				t.Errorf("told %q, want %q", got, c.told)
			}
			for range 2 { // and nothing is done or told twice, by this one or by another
				apply(t, s, marker, row)
				if got := told(); got != "" {
					t.Errorf("told again: %s", got)
				}
				s, told = h.watched(t, c.policy)
			}
			columns := strings.Fields(c.columns)
			if got := h.Columns(t, next); !slices.Equal(got, columns) {
				t.Errorf("the target has %q, want %q", got, columns)
			}
			h.want(t, shaped(name, columns), c.rows...)
		})
	}
}

// shaped is a table of these columns, to read it.
func shaped(name string, columns []string) *change.Table {
	t := &change.Table{Name: name}
	for _, c := range columns {
		t.Columns = append(t.Columns, change.Column{Name: c})
	}
	return t
}

// halts wants the changes to halt with a statement, again and again, and the target to stay as it is.
func (h Harness) halts(t *testing.T, s sinks.MarkSink, words string, c ...change.Change) {
	t.Helper()
	before := h.Columns(t, c[0].Table)
	for range 2 {
		err := s.Apply(t.Context(), c)
		if !errors.Is(err, change.ErrHalt) || sinks.ClassOf(err) != sinks.Fatal || !strings.Contains(err.Error(), words) {
			t.Fatalf("class %s: %v\nwant a halt with %q", sinks.ClassOf(err), err, words)
		}
		t.Log(err)
	}
	if after := h.Columns(t, c[0].Table); !slices.Equal(before, after) {
		t.Errorf("the target has %q, which had %q", after, before)
	}
}

// testNewTable: a table that the target lacks.
func testNewTable(t *testing.T, h Harness) {
	l := &log{table: known()}
	marker, row, other := l.marker(change.NewShape), l.insert(whole(l.table, 1, 5)...), l.marker(change.Truncate)
	s, _ := h.watched(t, sinks.Policy{sinks.KindNewTable: sinks.Halt})
	if err := s.Apply(t.Context(), []change.Change{marker, row}); !errors.Is(err, change.ErrPreflight) || !strings.Contains(err.Error(), "CREATE TABLE") {
		t.Errorf("a table that is missing: %v", err)
	}
	s, told := h.watched(t, sinks.Policy{sinks.KindNewTable: sinks.Ignore})
	apply(t, s, marker, row, other, row)
	if got := h.Columns(t, l.table); len(got) != 0 || told() != "new_table ignore" {
		t.Errorf("a table that is ignored has %q", got)
	}
	s, told = h.watched(t, nil)
	apply(t, s, marker, row)
	if got := told(); got != "new_table apply" {
		t.Errorf("told %q", got)
	}
	h.want(t, l.table, "1|status|note|5")
}

// testTruncateKind: what the source empties.
func testTruncateKind(t *testing.T, h Harness) {
	l := &log{table: known()}
	s, told := h.watched(t, nil)
	apply(t, s, l.insert(whole(l.table, 1, 5)...))
	told()
	halting, _ := h.watched(t, sinks.Policy{sinks.KindTruncate: sinks.Halt})
	marker := l.marker(change.Truncate)
	if err := halting.Apply(t.Context(), []change.Change{marker}); !errors.Is(err, change.ErrHalt) || !strings.Contains(err.Error(), "truncate") {
		t.Errorf("a truncate that halts: %v", err)
	}
	ignoring, ignored := h.watched(t, sinks.Policy{sinks.KindTruncate: sinks.Ignore})
	apply(t, ignoring, marker)
	h.want(t, l.table, "1|status|note|5")
	if got := ignored(); got != "truncate ignore" {
		t.Errorf("told %q", got)
	}
	apply(t, s, marker)
	h.want(t, l.table)
	if got := told(); got != "truncate apply" {
		t.Errorf("told %q", got)
	}
	begins := marker // of a snapshot: no transaction of the source
	begins.Txn = nil
	apply(t, ignoring, l.insert(whole(l.table, 2, 5)...), begins)
	h.want(t, l.table)
}
