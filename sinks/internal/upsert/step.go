package upsert

import (
	"time"

	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// Mode says what a target table is to hold.
type Mode uint8

// The modes.
const (
	Upsert     Mode = iota // the source's rows as they are now
	SoftDelete             // the same, deleted rows kept and stamped
	Append                 // every change as a row of its own
)

// Action is what a Run does to its table.
type Action uint8

// The actions.
const (
	Remove    Action = iota + 1 // delete by key; one that isn't there is no error
	Put                         // insert whole rows, or overwrite the rows of their keys
	Patch                       // update the present columns of rows that must be there (invariant 7)
	Add                         // insert a row of a table without a key, or of Append mode, once for its Position
	RemoveOne                   // delete exactly one row that equals this one
)

var actionNames = [...]string{"invalid", "remove", "put", "patch", "add", "remove_one"}

// String returns the action's name.
func (a Action) String() string {
	if int(a) < len(actionNames) {
		return actionNames[a]
	}
	return actionNames[0]
}

// Row is one folded row.
type Row struct {
	Values  []change.Value // one for each column of the table; belongs to the change it came from unless several were merged
	Last    *change.Change // the last change in it: its Op, Position and Txn are the row's
	Deleted time.Time      // SoftDelete: when the row was deleted, zero if it is alive
}

// Run is rows of one table that one kind of statement writes. No two rows of a run are of one key, except in runs of Add and
// RemoveOne, which keep the order of the changes.
type Run struct {
	Table   *change.Table
	Action  Action
	Present []int // ordinals of the columns that every row of the run has; nil: all of them
	Rows    []Row
}

// Step is runs to write in order and the markers after them: none, or neighbours that are Together.
type Step struct {
	Runs    []*Run
	Markers []*change.Change
}

// OneTransaction says that the changes are of one transaction of the source, or rows of one chunk of a snapshot.
func OneTransaction(c []change.Change) bool {
	for i := 1; i < len(c); i++ {
		if !sameTransaction(&c[i-1], &c[i]) {
			return false
		}
	}
	return true
}

func sameTransaction(a, b *change.Change) bool {
	if a.Txn == b.Txn {
		return a.Txn != nil || a.Pos == b.Pos
	}
	return a.Txn != nil && b.Txn != nil && a.Txn.ID == b.Txn.ID
}

// FoldLength is how many of the changes to fold together, so that a target can work on them while the next ones are folded: whole
// transactions, for within one a target may be in a state that its constraints forbid, and at least rows for each table among them, so that the
// statements of many tables are no smaller for it. At least one if there are any.
func FoldLength(c []change.Change, rows int) int {
	var last *change.Table
	tables := map[*change.Table]struct{}{}
	for i := range c {
		if i > 0 && i >= rows*len(tables) && !sameTransaction(&c[i-1], &c[i]) {
			return i
		}
		if c[i].Table != last {
			last = c[i].Table
			tables[last] = struct{}{}
		}
	}
	return len(c)
}

// Together says that two neighbours are markers of one transaction. What the source did with one TRUNCATE of several tables, foreign keys
// between them may forbid to do one by one.
func Together(a, b *change.Change) bool {
	return a.Op.IsMarker() && b.Op.IsMarker() && a.Txn != nil && b.Txn != nil && a.Txn.ID == b.Txn.ID
}
