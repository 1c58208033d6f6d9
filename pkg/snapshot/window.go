package snapshot

import (
	"fmt"

	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// window remembers what emitted transactions did to the rows of unfinished tables, until a watermark shows them visible.
type window struct {
	groups  []*group
	current *group     // of the transaction that comes now; among groups unless it is ignored
	seen    Visibility // of the last watermark used: what it sees need not be kept
	scratch []byte
	fresh   int // groups since the last prune
	bytes   int // an estimate of the memory held
	max     int
}

// group is one transaction in the window.
type group struct {
	txn       *change.Txn
	seen      bool // by the watermark given to look
	ignored   bool // seen already when it came
	forgotten bool // its keys did not fit: it may have touched any
	events    []*event
	truncated []*table
	bytes     int
}

// event is one row change in the window.
type event struct {
	table   *table
	key     string
	group   *group
	row     []change.Value // after it; nil: deleted
	partial bool           // row lacks columns
	emitted bool
	next    *event // the key's next
}

// eventBytes is about what an event takes besides its key and its row.
const eventBytes = 160

// open returns the group of a transaction whose changes come now.
func (w *window) open(txn *change.Txn) *group {
	if w.current != nil && w.current.txn == txn {
		return w.current
	}
	w.current = &group{txn: txn, ignored: w.seen != nil && w.seen.Sees(txn)}
	if !w.current.ignored {
		w.groups = append(w.groups, w.current)
		w.fresh++
	}
	return w.current
}

// observe takes note of one change of the stream and says whether it may be emitted. An Update that lacks columns may not be while its
// row may be missing downstream: its key goes to t.reread.
func (w *window) observe(t *table, c *change.Change) (bool, error) {
	if len(c.Table.Key) == 0 { // read at an exact address: no window
		return !isPartial(c), nil
	}
	g := w.open(c.Txn)
	if c.Op == change.Truncate {
		g.truncated = append(g.truncated, t)
		return true, nil
	}
	var err error
	if w.scratch, err = change.AppendKey(w.scratch[:0], c.Table, c.Row()); err != nil {
		return false, fmt.Errorf("key of a change at %s: %w", c.Pos, err)
	}
	first := t.touched[string(w.scratch)]
	last := first
	for last != nil && last.next != nil {
		last = last.next
	}
	// Whether it is emitted depends on nothing that a later process may not know: what this one takes out, and a sink has passed,
	// no later one can hand over.
	partial := isPartial(c)
	emit := !partial || t.Whole
	e := &event{table: t, group: g, partial: partial, emitted: emit}
	if c.Op != change.Delete {
		e.row = c.After
	}
	if last != nil {
		e.key = first.key
	} else {
		e.key = string(w.scratch)
	}
	if !emit {
		t.want(e.key)
	}
	if !g.ignored && !g.forgotten {
		w.keep(e, last, c)
	}
	return emit, nil
}

func (w *window) keep(e, last *event, c *change.Change) {
	if last == nil {
		e.table.touched[e.key] = e
	} else {
		last.next = e
	}
	size := eventBytes + len(e.key) + c.Size()
	e.group.events = append(e.group.events, e)
	e.group.bytes += size
	w.bytes += size
}

func isPartial(c *change.Change) bool {
	if c.Op != change.Update {
		return false
	}
	for i := range c.After {
		if c.After[i].IsUnset() {
			return true
		}
	}
	return false
}

// full says that the keys don't fit.
func (w *window) full() bool { return w.bytes > w.max }

// forget gives all keys up and keeps the transactions: until a watermark sees them, no chunk is good.
func (w *window) forget() {
	for _, g := range w.groups {
		w.drop(g)
		g.forgotten = true
	}
}

// look computes which transactions a watermark sees.
func (w *window) look(v Visibility) {
	for _, g := range w.groups {
		g.seen = g.seen || v.Sees(g.txn)
	}
}

// prune ends with what v sees, the watermark of the oldest chunk that was still to be handed over.
func (w *window) prune(v Visibility) {
	w.look(v)
	w.seen, w.fresh = v, 0
	if w.current != nil && (w.current.ignored || w.current.seen) {
		w.current.ignored = true // what comes of it from now on is seen as well
	}
	kept := w.groups[:0]
	for _, g := range w.groups {
		if g.seen {
			w.drop(g)
		} else {
			kept = append(kept, g)
		}
	}
	clear(w.groups[len(kept):])
	w.groups = kept
}

// blind says that some transaction whose keys are forgotten is not seen by the watermark given to look.
func (w *window) blind() bool {
	for _, g := range w.groups {
		if g.forgotten && !g.seen {
			return true
		}
	}
	return false
}

// truncated says that t was emptied by a transaction that the watermark given to look doesn't see.
func (w *window) truncated(t *table) bool {
	for _, g := range w.groups {
		if g.seen {
			continue
		}
		for _, other := range g.truncated {
			if other == t {
				return true
			}
		}
	}
	return false
}

func (w *window) drop(g *group) {
	for _, e := range g.events {
		e.unlink()
	}
	w.bytes -= g.bytes
	g.events, g.bytes = nil, 0
}

func (e *event) unlink() {
	at := e.table.touched[e.key]
	if at == e {
		if e.next == nil {
			delete(e.table.touched, e.key)
		} else {
			e.table.touched[e.key] = e.next
		}
		return
	}
	for at != nil && at.next != e {
		at = at.next
	}
	if at != nil {
		at.next = e.next
	}
}

// settle returns the row as it stands after all that the stream has brought, and whether it goes out at all. Invariant 2: a row that an
// unseen transaction wrote whole, or deleted, doesn't go out as it was read; it does with the columns that were taken out of the stream.
func (t *table) settle(key string, row []change.Value) ([]change.Value, bool) {
	goes := row != nil
	for e := t.touched[key]; e != nil; e = e.next {
		switch {
		case e.group.seen:
		case !e.partial:
			row, goes = e.row, false
		case row != nil:
			merged := append([]change.Value(nil), row...)
			for i, v := range e.row {
				if !v.IsUnset() {
					merged[i] = v
				}
			}
			row, goes = merged, goes || !e.emitted
		}
	}
	return row, goes
}
