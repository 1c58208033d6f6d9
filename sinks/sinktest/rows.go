package sinktest

import (
	"fmt"
	"testing"

	"github.com/tailwater-cdc/tailwater/pkg/change"
)

func testChanges(t *testing.T, h Harness) {
	s, l := h.Open(t, h.Addr), &log{table: orders()}
	apply(t, s, l.insert(order(1, "new")...), l.insert(order(2, "new")...), l.snapshot(order(3, "read")...))
	h.want(t, l.table, `1|new|\N|1`, `2|new|\N|2`, `3|read|\N|3`)
	apply(t, s, l.update(change.Int(1), change.Text("paid"), change.Text("x"), change.Null()), l.delete(l.key(2)...))
	h.want(t, l.table, `1|paid|x|\N`, `3|read|\N|3`)
	apply(t, s, l.insert(order(3, "again")...), l.delete(order(77, "never was")...), l.update(order(9, "whole")...))
	h.want(t, l.table, `1|paid|x|\N`, `3|again|\N|3`, `9|whole|\N|9`)
	apply(t, s)
}

func testUnset(t *testing.T, h Harness) {
	s, l := h.Open(t, h.Addr), &log{table: orders()}
	var unset change.Value
	apply(t, s,
		l.insert(change.Int(1), change.Text(""), change.Text("kept"), change.Int(5)),
		l.insert(change.Int(2), change.Text("a"), change.Text("b"), change.Int(6)),
		l.insert(change.Int(3), change.Text("a"), change.Text("b"), change.Int(7)))
	apply(t, s,
		l.update(change.Int(1), change.Text("s"), unset, unset),
		l.update(change.Int(2), unset, change.Null(), unset),
		l.update(change.Int(3), unset, change.Text(""), change.Null()))
	h.want(t, l.table, `1|s|kept|5`, `2|a|\N|6`, `3|a||\N`)
	apply(t, s, l.update(change.Int(1), unset, unset, unset)) // nothing but the key: the row is there, so nothing happens
	h.want(t, l.table, `1|s|kept|5`, `2|a|\N|6`, `3|a||\N`)
}

func testKeyChange(t *testing.T, h Harness) {
	s, l := h.Open(t, h.Addr), &log{table: orders()}
	apply(t, s, l.insert(order(1, "a")...), l.insert(order(2, "b")...))
	apply(t, s, l.delete(order(1, "a")...), l.insert(order(10, "a")...))
	h.want(t, l.table, `10|a|\N|10`, `2|b|\N|2`)
	// 2 becomes 1, 10 becomes 2: each key is free when it is taken
	apply(t, s, l.delete(l.key(2)...), l.insert(order(1, "b")...), l.delete(l.key(10)...), l.insert(order(2, "a")...))
	h.want(t, l.table, `1|b|\N|1`, `2|a|\N|2`)
}

func testOneKey(t *testing.T, h Harness) {
	s, l := h.Open(t, h.Addr), &log{table: orders()}
	var unset change.Value
	apply(t, s,
		l.insert(order(1, "a")...), l.update(order(1, "b")...), l.delete(l.key(1)...), l.insert(order(1, "c")...), // present
		l.insert(order(2, "a")...), l.delete(l.key(2)...), // absent
		l.insert(order(3, "a")...), l.update(change.Int(3), change.Text("s"), unset, unset), l.update(change.Int(3), unset, change.Text("n"), unset))
	h.want(t, l.table, `1|c|\N|1`, `3|s|n|3`)
	apply(t, s, l.update(change.Int(3), unset, unset, change.Null()), l.update(change.Int(3), unset, change.Text("m"), unset),
		l.update(change.Int(1), unset, unset, change.Int(8)), l.delete(l.key(1)...))
	h.want(t, l.table, `3|s|m|\N`)
}

func testTruncate(t *testing.T, h Harness) {
	s, l := h.Open(t, h.Addr), &log{table: orders()}
	apply(t, s, l.insert(order(1, "before")...))
	apply(t, s, l.insert(order(2, "before")...), l.marker(change.Truncate), l.insert(order(3, "after")...), l.insert(order(1, "after")...))
	h.want(t, l.table, `1|after|\N|1`, `3|after|\N|3`)
	apply(t, s, l.marker(change.Truncate))
	h.want(t, l.table)
	apply(t, s, l.marker(change.Truncate))
}

// reshaped is orders with one more column.
func reshaped() *change.Table {
	t := orders()
	t.Columns = append(t.Columns, change.Column{Name: "extra", Native: "text", Kind: change.KindText, Nullable: true})
	return t
}

func testReshape(t *testing.T, h Harness) {
	s, l := h.Open(t, h.Addr), &log{table: orders()}
	apply(t, s, l.insert(order(1, "old")...))
	l.table = reshaped()
	apply(t, s, l.marker(change.NewShape))
	h.want(t, l.table, `1|old|\N|1|\N`)
	apply(t, s, l.insert(append(order(2, "new"), change.Text("x"))...))
	h.want(t, l.table, `1|old|\N|1|\N`, `2|new|\N|2|x`)
	apply(t, h.Open(t, h.Addr), l.marker(change.NewShape)) // a restart meets it again
	h.want(t, l.table, `1|old|\N|1|\N`, `2|new|\N|2|x`)
}

func testMixedShapes(t *testing.T, h Harness) {
	s, old := h.Open(t, h.Addr), &log{table: orders()}
	newer := &log{table: reshaped(), at: 100}
	var unset change.Value
	apply(t, s,
		old.insert(order(1, "old")...), old.insert(order(2, "old")...), // no marker between: a pointer is enough
		newer.update(append(order(1, "new"), change.Text("x"))...),
		newer.update(change.Int(2), unset, unset, unset, change.Text("y")),
		newer.insert(append(order(3, "new"), change.Null())...))
	h.want(t, newer.table, `1|new|\N|1|x`, `2|old|\N|2|y`, `3|new|\N|3|\N`)
	other := &log{table: orders(), at: 200}
	other.table.Name = "other"
	apply(t, s, newer.delete(append(order(1, "new"), change.Null())...), other.insert(order(1, "other")...), other.insert(order(2, "other")...),
		newer.insert(append(order(4, "new"), change.Null())...), other.delete(other.key(2)...))
	h.want(t, newer.table, `2|old|\N|2|y`, `3|new|\N|3|\N`, `4|new|\N|4|\N`)
	h.want(t, other.table, `1|other|\N|1`)
}

func testReplay(t *testing.T, h Harness) {
	s, l := h.Open(t, h.Addr), &log{table: orders()}
	var unset change.Value
	history := []change.Change{
		l.insert(order(1, "a")...), l.insert(order(2, "a")...), l.update(change.Int(1), change.Text("b"), unset, unset),
		l.delete(l.key(2)...), l.insert(order(3, "a")...), l.update(order(3, "b")...), l.update(change.Int(3), unset, change.Text("n"), unset),
		l.delete(l.key(1)...), l.insert(order(1, "c")...),
	}
	apply(t, s, history...)
	want := []string{`1|c|\N|1`, `3|b|n|3`}
	h.want(t, l.table, want...)
	for from := range history {
		err := s.Apply(t.Context(), history[from:])
		if err != nil { // a partial update of a row that a later change removed may be refused; what is after it goes on
			for _, r := range refused(t, err) {
				t.Logf("replay from %d: change %d: %v", from, from+r.Index, r.Cause)
			}
			continue
		}
		h.want(t, l.table, want...)
	}
}

func testBig(t *testing.T, h Harness) {
	s, l := h.Open(t, h.Addr), &log{table: orders()}
	const n = 100_000
	c := make([]change.Change, 0, n+n/10)
	for i := range int64(n) {
		c = append(c, l.insert(order(i, "big")...))
	}
	for i := range int64(n / 10) {
		c = append(c, l.delete(l.key(i*10)...))
	}
	apply(t, s, c...)
	rows := h.Rows(t, l.table)
	if len(rows) != n-n/10 {
		t.Fatalf("%d rows, want %d", len(rows), n-n/10)
	}
	seen := make(map[string]bool, len(rows))
	for _, r := range rows {
		seen[r[0]] = true
	}
	for i := range n {
		if seen[fmt.Sprint(i)] != (i%10 != 0) {
			t.Fatalf("row %d is there: %v", i, seen[fmt.Sprint(i)])
		}
	}
}
