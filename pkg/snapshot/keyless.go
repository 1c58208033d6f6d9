package snapshot

import (
	"context"
	"fmt"

	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// exporting is the read of a table without a key at one log address: the stream is handed over to that address, stands still while
// Truncate and all rows go out, and goes on.
type exporting struct {
	Export
	table *table
	begun bool // the markers are out
}

// opened begins to hand over an Export.
func (r *Runner) opened(j *job) {
	r.patience = retryEvery
	t := j.table
	t.begin(j.export.Info)
	t.Rows, t.Scanned = 0, false
	r.export = &exporting{Export: j.export, table: t}
	r.dirty = true
}

// split cuts a batch at the Export's address; the rest is held until the rows are out. What stands before the address repeats the
// Resume before it: no Resume lies between.
func (r *Runner) split(b change.Batch) change.Batch {
	at := r.export.At
	n := 0
	for n < len(b.Changes) && !at.Less(b.Changes[n].Pos) {
		n++
	}
	if n == len(b.Changes) && !at.Less(b.Upto) {
		return b
	}
	rest := b
	rest.Changes = b.Changes[n:]
	r.held = &rest
	return change.Batch{Changes: b.Changes[:n:n], Upto: at, Resume: r.resume}
}

// fetch makes the next rows of the Export into pieces. It says whether there are any, or the end of them.
func (r *Runner) fetch(ctx context.Context, maxBytes int) (bool, error) {
	e := r.export
	if r.midTxn || r.upto.Less(e.At) {
		return false, nil
	}
	if e.At.Less(r.upto) {
		return false, fmt.Errorf("snapshot of %s at %s: the stream stands at %s already", e.table.Table, e.At, r.upto)
	}
	rows, err := e.Rows.Next(ctx, maxBytes)
	if err != nil {
		return false, fmt.Errorf("snapshot of %s: %w", e.table.Table, err)
	}
	if !e.begun {
		e.begun = true
		r.pieces = r.introduce(r.pieces, e.Table, e.At)
		r.pieces = append(r.pieces, change.Change{Op: change.Truncate, Table: e.Table, Pos: e.At})
	}
	for _, row := range rows {
		r.pieces = append(r.pieces, change.Change{Op: change.SnapshotRow, Table: e.Table, After: row, Pos: e.At})
	}
	e.table.Rows += int64(len(rows))
	if len(rows) > 0 {
		return true, nil
	}
	r.export = nil
	if err := e.Rows.Close(); err != nil {
		return false, fmt.Errorf("snapshot of %s: %w", e.table.Table, err)
	}
	r.last = func() { r.complete(e.table) }
	return true, nil
}
