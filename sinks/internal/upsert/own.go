package upsert

import (
	"time"

	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// Columns of our own in target tables, by the same names everywhere.
const (
	OwnPrefix       = "_tailwater_"
	ColumnPos       = OwnPrefix + "pos"          // Append, and tables without a key: the change's Position; NULL for snapshot rows
	ColumnOp        = OwnPrefix + "op"           // Append: what happened
	ColumnCommitted = OwnPrefix + "committed_at" // Append: when, by the source's clock
	ColumnUnset     = OwnPrefix + "unset"        // Append: columns that the log did not carry; NULL where it carried all
	ColumnDeleted   = OwnPrefix + "deleted_at"   // SoftDelete
)

// Tables of our own in the target's schema.
const (
	TableMarks  = OwnPrefix + "marks"
	TableParked = OwnPrefix + "parked"
	TableShapes = OwnPrefix + "shapes"
)

// OwnColumns are the columns of ours that a target table needs.
func OwnColumns(mode Mode, keyless bool) []string {
	switch {
	case mode == Append:
		return []string{ColumnOp, ColumnPos, ColumnCommitted, ColumnUnset}
	case mode == SoftDelete && keyless:
		return []string{ColumnPos, ColumnDeleted}
	case mode == SoftDelete:
		return []string{ColumnDeleted}
	case keyless:
		return []string{ColumnPos}
	}
	return nil
}

// OpOf is what happened to the row, in words.
func OpOf(r *Row) change.Value { return change.Text(r.Last.Op.String()) }

// PosOf is the row's Position; NULL for what a snapshot hands over, because all rows of a chunk share one.
func PosOf(r *Row) change.Value {
	if r.Last.Txn == nil {
		return change.Null()
	}
	return change.Text(r.Last.Pos.String())
}

// CommittedOf is when the source committed the row; NULL for what a snapshot hands over.
func CommittedOf(r *Row) change.Value {
	if r.Last.Txn == nil {
		return change.Null()
	}
	return InstantOf(r.Last.Txn.Committed)
}

// DeletedOf is when the row was deleted; NULL if it is alive.
func DeletedOf(r *Row) change.Value {
	if r.Deleted.IsZero() {
		return change.Null()
	}
	return InstantOf(r.Deleted)
}

// StampOf is the time with which a Truncate stamps the rows that it would have removed.
func StampOf(truncate *change.Change) change.Value {
	if truncate.Txn == nil {
		return change.Instant(0)
	}
	return InstantOf(truncate.Txn.Committed)
}

// InstantOf is a Go time as an Instant.
func InstantOf(t time.Time) change.Value {
	const secondsTo2000 = 946684800
	return change.Instant((t.Unix()-secondsTo2000)*1e6 + int64(t.Nanosecond())/1e3)
}
