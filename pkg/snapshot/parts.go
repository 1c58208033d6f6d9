package snapshot

import (
	"slices"
	"strings"
)

// A table's parts can come with rows, lose them or go without a word in the log. The progress holds of which parts the table's rows have been
// or are being read; each Lookup is held against it. A part that is gone, or is another one now, leaves rows at targets that nothing will
// ever take away: the table is emptied there and read again. The rows of a part that has come are read beside the stream.

// Look has a table looked up again: the caller has seen that it was created again or has other parts than before. It returns at once; a
// table that isn't snapshotted is left alone. Any goroutine may call it.
func (r *Runner) Look(name string) {
	r.mu.Lock()
	r.looks = append(r.looks, name)
	r.mu.Unlock()
	signal(r.wake)
}

// takeLooks makes the next step of each table to be looked at a Lookup, and those that are left out of the log stale.
func (r *Runner) takeLooks() {
	r.mu.Lock()
	looks, leaves := r.looks, r.leaves
	r.looks, r.leaves = nil, nil
	r.mu.Unlock()
	for _, l := range leaves {
		r.Left(l.table)
		r.accepted = append(r.accepted, l.taken)
	}
	for _, name := range looks {
		if t := r.byName[name]; t != nil {
			r.voidAll()
			t.info, t.checked = Info{}, false
		}
	}
	if len(looks) > 0 {
		r.report()
	}
}

func partIDs(parts []Part) []string {
	if parts == nil {
		return nil
	}
	ids := make([]string, len(parts))
	for i, p := range parts {
		ids[i] = p.ID
	}
	return ids
}

// lost says that parts whose rows may be downstream are gone.
func (t *table) lost(now []Part) bool {
	if t.Parts == nil || now == nil {
		return false
	}
	is := make(map[string]bool, len(now))
	for _, p := range now {
		is[p.ID] = true
	}
	return slices.ContainsFunc(t.Parts, func(id string) bool { return !is[id] })
}

// gained returns the parts that have come with rows since the table's rows were begun to be read. The empty ones are known from now on: all
// that will be in them is in the stream.
func (t *table) gained() []Part {
	if t.Parts == nil || len(t.info.Parts) == len(t.Parts) {
		return nil
	}
	was := make(map[string]bool, len(t.info.Parts))
	for _, id := range t.Parts {
		was[id] = true
	}
	var come []Part
	for _, p := range t.info.Parts {
		switch {
		case was[p.ID]:
		case p.Empty:
			t.Parts = append(t.Parts, p.ID)
		default:
			come = append(come, p)
		}
	}
	return come
}

// readGained reads the rows of parts that have come, once all others have been read. A table without a key is read anew.
func (r *Runner) readGained(t *table) {
	known := len(t.Parts)
	come := t.gained()
	r.dirty = r.dirty || len(t.Parts) != known
	if len(come) == 0 || !t.Done {
		return
	}
	var where []string
	for _, p := range come {
		if p.Where == "" {
			where = nil
			break
		}
		where = append(where, "("+p.Where+")")
	}
	if len(t.info.Table.Key) == 0 {
		where = nil
	}
	r.log.Info("snapshot: partitions have come with their rows, which are read", "table", t.Table, "n", len(come))
	all := partIDs(t.info.Parts)
	t.startOver()
	t.Before = ""
	t.Parts, t.Whole, t.Where = all, true, strings.Join(where, " or ")
	t.info = Info{} // the stream's changes of a table that is done were not observed
	r.gate, r.dirty = gateHorizon, true
}
