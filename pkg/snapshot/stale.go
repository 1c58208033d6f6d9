package snapshot

import "github.com/tailwater-cdc/tailwater/pkg/change"

// askStale gets ready to empty all tables of which a target may hold rows that nothing will ever take away: those of an earlier life whose
// log is gone, and those of a table that was dropped and created again. All of them at once, for foreign keys may tie them together at the
// target. The SELECT is there for the log's end behind it: above that stand all changes of the table that was, and, since a Horizon was asked
// for in this run, all that an earlier process may have published, so that a Truncate begun again is a later one.
func (r *Runner) askStale(current *table) {
	for _, t := range r.tables {
		if t.stale() && t.info.Table == nil {
			r.ask(&job{kind: jobLookup, table: t, sel: Select{Name: t.Table}})
			return
		}
	}
	r.ask(&job{kind: jobStale, table: current, sel: Select{Name: current.Table, Limit: 1, MaxBytes: r.cfg.ChunkBytes}})
}

// Left makes a table stale of which the log has changes that it doesn't bring as the table's own: it is emptied downstream and its rows are read, now or, where
// it isn't there, once a Look finds it. Log.Read calls it, before it returns the first of the changes: the progress that goes with them holds it.
func (r *Runner) Left(name string) {
	t := r.byName[name]
	if t == nil {
		r.leftUnread(name)
		return
	}
	if t.Stale && t.Done {
		return // it isn't there
	}
	t.Stale, t.Whole, r.dirty = true, false, true
	if r.export != nil && r.export.table == t {
		return // it is read at one address of the log, and once more when it is looked at
	}
	r.voidAll()
	t.startOver()
	t.info, t.checked, r.gate = Info{}, false, gateHorizon
	r.report()
}

// leave is a table that is left out of the log.
type leave struct {
	table string
	taken chan struct{}
}

// Leave is Left for a table that is out of the log altogether, from a place on that no row tells. What it returns is closed once that is part of the progress
// that Read has handed over. Any goroutine may call it.
func (r *Runner) Leave(name string) <-chan struct{} {
	l := leave{name, make(chan struct{})}
	r.mu.Lock()
	r.leaves = append(r.leaves, l)
	r.mu.Unlock()
	signal(r.wake)
	return l.taken
}

// leftUnread is Left for a table whose rows are not read.
func (r *Runner) leftUnread(name string) {
	r.dirty = true
	for i := range r.aside {
		if r.aside[i].Table == name {
			r.aside[i].Stale = true
			return
		}
	}
	r.mu.Lock()
	r.heard[name] = struct{}{}
	r.mu.Unlock()
	r.aside = append(r.aside, savedTable{Table: name, Stale: true, Estimate: -1})
}

func (t *table) stale() bool { return t.Stale && !t.Done }

// empty makes the Truncates, unless a table has changed its shape since it was looked up. What the stream has brought of the tables goes with
// the rest, so chunks wait for a new horizon: each SELECT then sees all transactions that stand before the Truncate (invariant 2), and no
// condition may keep rows out.
func (r *Runner) empty(j *job) {
	if j.chunk.Incarnation != j.table.Incarnation || j.chunk.Revision != j.table.Revision {
		j.table.info, j.table.checked = Info{}, false
		return
	}
	var emptied []*table
	for _, t := range r.tables {
		if !t.stale() || t.info.Table == nil {
			continue
		}
		for _, s := range t.shapes {
			if s.batch > t.asked && s.table != t.info.Table && !r.same(s.table, t.info.Table) {
				t.info = Info{}
				return
			}
		}
		emptied = append(emptied, t)
	}
	if len(emptied) == 0 {
		return
	}
	var changes []change.Change
	for _, t := range emptied {
		changes = r.introduce(changes, t.info.Table, r.upto)
	}
	for _, t := range emptied {
		changes = append(changes, change.Change{Op: change.Truncate, Table: t.info.Table, Pos: r.upto})
	}
	r.pieces, r.last = changes, func() {
		for _, t := range emptied {
			if t.Where != "" {
				r.log.Warn("snapshot: the table is emptied first, so all its rows are read", "table", t.Table, "where", t.Where)
			}
			t.Stale, t.Whole, t.Where = false, false, ""
			r.log.Info("snapshot: the table is emptied downstream before its rows come", "table", t.Table)
		}
		r.gate, r.dirty = gateHorizon, true
	}
}
