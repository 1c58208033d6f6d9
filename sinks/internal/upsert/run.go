package upsert

import "github.com/tailwater-cdc/tailwater/pkg/change"

// mark ends the open step with the marker, or adds it to those that have just ended one.
func (f *folder) mark(marker *change.Change) {
	f.cut()
	if n := len(f.steps); n > 0 {
		last := &f.steps[n-1]
		if m := last.Markers; len(m) == 0 || Together(m[len(m)-1], marker) {
			last.Markers = append(m, marker)
			return
		}
	}
	f.steps = append(f.steps, Step{Markers: []*change.Change{marker}})
}

// cut ends the open step.
func (f *folder) cut() {
	var removes, writes []*Run
	for _, t := range f.tables {
		g := newGrouper(t)
		for i := range t.entries {
			g.add(&t.entries[i])
		}
		removes = append(removes, g.removes...)
		writes = append(writes, g.writes...)
	}
	f.tables, f.last = f.tables[:0], nil
	if runs := append(removes, writes...); len(runs) > 0 {
		f.steps = append(f.steps, Step{Runs: runs})
	}
}

// grouper makes the runs of one table: deletes by key go before all writes, so that a unique value may move from one row to
// another; writes are apart by the set of columns that they have.
type grouper struct {
	table           *change.Table
	removes, writes []*Run
	last            *Run
	lastSet         string // what appendSet says of last
	written         int    // rows that are not removed by key
	bySet           map[string]*Run
	set             []byte
}

func newGrouper(t *tableFold) grouper {
	g := grouper{table: t.table}
	for i := range t.entries {
		if t.entries[i].action != Remove {
			g.written++
		}
	}
	if n := len(t.entries) - g.written; n > 0 {
		g.removes = []*Run{{Table: t.table, Action: Remove, Rows: make([]Row, 0, n)}}
	}
	return g
}

func (g *grouper) add(e *entry) {
	if e.action == Remove {
		g.removes[0].Rows = append(g.removes[0].Rows, e.Row)
		return
	}
	run := g.runOf(e)
	run.Rows = append(run.Rows, e.Row)
	if run != g.last {
		g.last, g.lastSet = run, string(g.set)
	}
}

// runOf returns the run that e belongs to, most often that of the row before. A table without a key keeps its order: only neighbours share a run.
func (g *grouper) runOf(e *entry) *Run {
	g.set = appendSet(g.set[:0], e)
	ordered := e.action == Add || e.action == RemoveOne
	if g.last != nil && g.lastSet == string(g.set) {
		return g.last
	}
	if !ordered {
		if run, ok := g.bySet[string(g.set)]; ok {
			return run
		}
	}
	run := &Run{Table: g.table, Action: e.action}
	if len(g.writes) == 0 { // most often the only one
		run.Rows = make([]Row, 0, g.written)
	}
	if len(g.set) > 1 {
		for i := range e.Values {
			if !e.Values[i].IsUnset() {
				run.Present = append(run.Present, i)
			}
		}
	}
	if !ordered {
		if g.bySet == nil {
			g.bySet = make(map[string]*Run, 1)
		}
		g.bySet[string(g.set)] = run
	}
	g.writes = append(g.writes, run)
	return run
}

// appendSet appends what tells e's run from others: its action and, if columns are missing, which are present.
func appendSet(dst []byte, e *entry) []byte {
	dst = append(dst, byte(e.action))
	whole := true
	for i := range e.Values {
		if e.Values[i].IsUnset() {
			whole = false
			break
		}
	}
	if whole {
		return dst
	}
	start := len(dst)
	dst = append(dst, make([]byte, (len(e.Values)+7)/8)...)
	for i := range e.Values {
		if !e.Values[i].IsUnset() {
			dst[start+i/8] |= 1 << (i % 8)
		}
	}
	return dst
}
