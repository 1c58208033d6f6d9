package upsert

import (
	"errors"
	"fmt"
	"time"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/sinks"
)

// CodeUnsetKey is the Code of a change whose key is not known.
const CodeUnsetKey = "unset_key"

// CodeNoKey is the Code of a change that only a key could place: an update of a table without one whose old row the log lacks.
const CodeNoKey = "no_key"

// Fold turns changes, in order, into steps. A fold ends at a marker and where the shape of a table changes; Append folds nothing.
// An error is a *sinks.Error of Class Reject about one change: Bisect finds which. The steps point into c.
func Fold(c []change.Change, mode Mode) ([]Step, error) {
	f := folder{mode: mode, changes: c}
	if err := f.makeKeys(); err != nil {
		return nil, err
	}
	for i := range c {
		if err := f.add(i); err != nil {
			return nil, err
		}
	}
	f.cut()
	return f.steps, nil
}

type folder struct {
	mode    Mode
	changes []change.Change
	keys    string // all keys, one after the other
	ends    []int  // where the key of each change ends
	steps   []Step
	tables  []*tableFold // of the step that is open, in order of first appearance
	last    *tableFold
	counts  map[*change.Table]int
}

// tableFold is what has come for one table since the last cut.
type tableFold struct {
	table   *change.Table
	byKey   map[string]int
	entries []entry
}

type entry struct {
	Row
	action Action
	owned  bool // Values are ours to change
}

// makeKeys appends the keys of all changes to one string, so that a key costs no allocation of its own.
func (f *folder) makeKeys() error {
	f.ends = make([]int, len(f.changes))
	f.counts = make(map[*change.Table]int)
	if f.mode == Append {
		return nil
	}
	var b []byte
	var last *change.Table
	n := 0
	for i := range f.changes {
		c := &f.changes[i]
		if !c.Op.IsMarker() && len(c.Table.Key) > 0 {
			var err error
			if b, err = change.AppendKey(b, c.Table, c.Row()); err != nil {
				return &sinks.Error{Class: sinks.Reject, Code: CodeUnsetKey, Err: fmt.Errorf("%s at %s: %w", c.Op, c.Pos, err)}
			}
			if c.Table != last {
				f.counts[last] += n
				last, n = c.Table, 0
			}
			n++
		}
		f.ends[i] = len(b)
	}
	f.counts[last] += n
	f.keys = string(b)
	return nil
}

func (f *folder) key(i int) string {
	if i == 0 {
		return f.keys[:f.ends[0]]
	}
	return f.keys[f.ends[i-1]:f.ends[i]]
}

func (f *folder) add(i int) error {
	c := &f.changes[i]
	if c.Op.IsMarker() {
		f.mark(c)
		return nil
	}
	t := f.tableOf(c.Table)
	switch {
	case f.mode == Append:
		t.entries = append(t.entries, entry{Row: Row{Values: c.Row(), Last: c}, action: Add})
		return nil
	case len(c.Table.Key) == 0:
		return t.addKeyless(c, f.mode)
	}
	next := f.entryOf(c)
	at, known := t.byKey[f.key(i)]
	if known && t.entries[at].absorb(&next, f.mode) {
		return nil
	}
	if known { // the key is gone by now, so this row can't be there: another step, in which it is refused
		f.cut()
		t = f.tableOf(c.Table)
	}
	t.byKey[f.key(i)] = len(t.entries)
	t.entries = append(t.entries, next)
	return nil
}

// tableOf returns the open fold of t. Another shape of the same table ends the step: rows of two shapes never merge.
func (f *folder) tableOf(t *change.Table) *tableFold {
	if f.last != nil && f.last.table == t {
		return f.last
	}
	for _, open := range f.tables {
		if open.table == t {
			f.last = open
			return open
		}
		if open.table.Name == t.Name && open.table.Schema == t.Schema {
			f.cut()
			break
		}
	}
	f.last = &tableFold{table: t}
	if f.mode != Append && len(t.Key) > 0 {
		n := f.counts[t]
		f.last.byKey = make(map[string]int, n)
		f.last.entries = make([]entry, 0, n)
	}
	f.tables = append(f.tables, f.last)
	return f.last
}

func (f *folder) entryOf(c *change.Change) entry {
	e := entry{Row: Row{Values: c.Row(), Last: c}, action: Put}
	switch {
	case c.Op == change.Delete:
		e.action = Remove
		if f.mode == SoftDelete {
			e.Deleted = deletedAt(c)
		}
	case hasHoles(c.Table, e.Values):
		e.action = Patch
	}
	return e
}

// deletedAt is when the source deleted the row. What has no transaction has no time of its own: the Postgres epoch stands for it.
func deletedAt(c *change.Change) time.Time {
	if c.Txn == nil || c.Txn.Committed.IsZero() {
		return time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	return c.Txn.Committed
}

// hasHoles says that the log did not carry the whole row. Generated columns don't count: a source may leave them out for good.
func hasHoles(t *change.Table, row []change.Value) bool {
	for i := range row {
		if row[i].IsUnset() && !t.Columns[i].Generated {
			return true
		}
	}
	return false
}

// absorb folds next onto the earlier change of its key. It returns false where the two can't be one row: a Patch of a row that is
// gone must be refused, not merged.
func (e *entry) absorb(next *entry, mode Mode) bool {
	switch next.action {
	case Put:
		*e = *next
		return true
	case Remove:
		if mode == SoftDelete && e.action != Remove {
			e.Deleted, e.Last = next.Deleted, next.Last
			return true
		}
		*e = *next
		return true
	}
	if e.action == Remove || !e.Deleted.IsZero() {
		return false
	}
	if !e.owned {
		e.Values = append([]change.Value(nil), e.Values...)
		e.owned = true
	}
	for i, v := range next.Values {
		if !v.IsUnset() {
			e.Values[i] = v
		}
	}
	e.Last = next.Last
	return true // Invariant 7: a Patch stays one even if all its columns are present by now
}

var errNoOldRow = errors.New("an update of a table without a key needs the old row: ALTER TABLE ... REPLICA IDENTITY FULL")

// addKeyless adds a change of a table without a key. Its rows are never folded: twins stay two.
func (t *tableFold) addKeyless(c *change.Change, mode Mode) error {
	remove := entry{Row: Row{Values: c.Before, Last: c}, action: RemoveOne}
	if mode == SoftDelete {
		remove.Deleted = deletedAt(c)
	}
	switch c.Op {
	case change.Delete:
		t.entries = append(t.entries, remove)
		return nil
	case change.Update:
		if c.Before == nil || hasHoles(c.Table, c.After) {
			return &sinks.Error{Class: sinks.Reject, Code: CodeNoKey, Err: fmt.Errorf("%s at %s: %w", c.Table, c.Pos, errNoOldRow)}
		}
		t.entries = append(t.entries, remove)
	}
	t.entries = append(t.entries, entry{Row: Row{Values: c.After, Last: c}, action: Add})
	return nil
}
