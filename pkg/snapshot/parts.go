package snapshot

import (
	"slices"
	"strings"
)

// A table's parts can come with rows, lose them or go without a word in the log. The progress holds of which parts the table's rows have been
// or are being read; each Lookup is held against it. A part that is gone, or is another one now, leaves rows at targets that nothing will
// ever take away: the table is emptied there and read again. The rows of a part that has come are read beside the stream.

// Look has a table looked up again: the caller has seen that it was created again or has other parts than before. It returns at once; a
// table that isn't snapshotted is left alone. The parts that the caller has seen, if any, are noted with the next progress: by the Lookup, which may have to wait, they
// may be gone again. Any goroutine may call it.
func (r *Runner) Look(name string, parts ...Part) {
	r.mu.Lock()
	r.looks = append(r.looks, look{name, parts})
	r.mu.Unlock()
	signal(r.wake)
}

// look is a table to be looked up again.
type look struct {
	table string
	parts []Part // that have been seen
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
	for _, l := range looks {
		if t := r.byName[l.table]; t != nil {
			r.voidAll()
			r.dirty = t.see(l.parts) || r.dirty
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

func setOf(ids []string) map[string]bool {
	set := make(map[string]bool, len(ids))
	for _, id := range ids {
		set[id] = true
	}
	return set
}

// lost says that parts whose rows may be downstream are gone. The stream may have brought rows of those that have come, too.
func (t *table) lost(now []Part) bool {
	if t.Parts == nil || now == nil {
		return false
	}
	is := setOf(partIDs(now))
	gone := func(id string) bool { return !is[id] }
	return slices.ContainsFunc(t.Parts, gone) || slices.ContainsFunc(t.Come, gone)
}

// see notes the parts that are there at some moment, so that one which goes before its rows are read is missed, and says whether there is a new one. The
// empty ones count as read from now on: all that will be in them is in the stream.
func (t *table) see(now []Part) bool {
	if t.Parts == nil {
		return false // it is not known of which parts the rows are
	}
	was := setOf(slices.Concat(t.Parts, t.Come))
	noted := false
	for _, p := range now {
		switch {
		case was[p.ID]:
			continue
		case p.Empty:
			t.Parts = append(t.Parts, p.ID)
		default:
			t.Come = append(t.Come, p.ID)
		}
		noted = true
	}
	return noted
}

// gained returns the parts that have come with rows since the table's rows were begun to be read.
func (t *table) gained() []Part {
	if len(t.Come) == 0 {
		return nil
	}
	has := setOf(t.Come)
	var come []Part
	for _, p := range t.info.Parts {
		if has[p.ID] {
			come = append(come, p)
		}
	}
	return come
}

// readGained reads the rows of parts that have come, once all others have been read. A table without a key is read anew.
func (r *Runner) readGained(t *table) {
	come := t.gained()
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
	t.Parts, t.Come, t.Whole, t.Where = all, nil, true, strings.Join(where, " or ")
	t.info = Info{} // the stream's changes of a table that is done were not observed
	r.gate, r.dirty = gateHorizon, true
}
