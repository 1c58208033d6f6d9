package snapshot

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/fault"
)

// rows returns the next batch of rows to be handed over, if there is any.
func (r *Runner) rows(ctx context.Context, maxBytes int) (change.Batch, bool, error) {
	for len(r.pieces) == 0 && r.last == nil {
		var err error
		more := false
		if r.export != nil {
			more, err = r.fetch(ctx, maxBytes)
		} else {
			more, err = r.settle()
		}
		if err != nil || !more {
			return change.Batch{}, false, err
		}
	}
	n, size := 0, 0
	for n < len(r.pieces) && (n == 0 || size < maxBytes) {
		size += r.pieces[n].Size()
		n++
	}
	b := change.Batch{Changes: r.pieces[:n:n], Upto: r.upto, Resume: r.resume}
	r.pieces = r.pieces[n:]
	r.published = n > 0
	if len(r.pieces) > 0 {
		return b, true, nil
	}
	r.pieces = nil
	if last := r.last; last != nil {
		r.last = nil
		last()
	}
	return b, n > 0 || r.dirty, nil
}

// settle turns the oldest chunk into pieces if it can be handed over now. It says whether anything was dealt with.
func (r *Runner) settle() (bool, error) {
	// A chunk goes between two source transactions, after all that was in the log when it had been read.
	if len(r.out) == 0 || !r.out[0].ready || r.midTxn {
		return false, nil
	}
	j := r.out[0]
	if j.kind == jobWatermark {
		r.remove(j)
		r.window.look(j.chunk.Seen)
		r.judge(j.chunk.Seen)
		r.window.prune(j.chunk.Seen)
		return false, nil
	}
	if r.upto.Less(j.chunk.High) {
		return false, nil
	}
	if j.kind == jobStale {
		r.remove(j)
		r.empty(j)
		return len(r.pieces) > 0, nil
	}
	r.window.look(j.chunk.Seen)
	if !r.good(j) {
		r.voidAll()
		return false, nil
	}
	r.remove(j)
	changes, err := r.assemble(j)
	if err != nil {
		return false, err
	}
	r.window.prune(j.chunk.Seen)
	r.pieces, r.last = changes, func() { r.finished(j) }
	return true, nil
}

// judge opens the gate if a watermark settles the horizon, and looks for another one later if not, or if it doesn't see
// transactions whose keys are forgotten.
func (r *Runner) judge(v Visibility) {
	if r.gate == gateSettle && v.Settled(r.horizon) {
		r.gate = gateOpen
	}
	if r.gate != gateOpen || r.window.blind() {
		r.retryAt = time.Now().Add(retryEvery)
	}
}

// good says that a chunk may be handed over; if not, it is read again.
func (r *Runner) good(j *job) bool {
	t := j.table
	if r.window.blind() || t.info.Table == nil {
		return false
	}
	if r.window.truncated(t) { // its rows are gone; those that came later are in the stream
		r.retryAt = time.Now().Add(retryEvery)
		return false
	}
	if j.chunk.Incarnation != t.Incarnation || j.chunk.Revision != t.Revision {
		t.info, t.checked = Info{}, false
		return false
	}
	if j.chunk.Table != t.info.Table && !r.same(j.chunk.Table, t.info.Table) {
		before := t.Key
		t.info.Table = j.chunk.Table
		if sig := KeySignature(j.chunk.Table); !slices.Equal(sig, before) {
			t.info, t.checked = Info{}, false
			return false
		}
	}
	altered := r.cfg.Altered != nil && r.cfg.Altered(t.Table, j.chunk.High)
	for _, s := range t.shapes {
		altered = altered || s.batch > j.batch && s.table != j.chunk.Table && !r.same(s.table, j.chunk.Table)
	}
	if altered {
		r.log.Info("snapshot: the table changed its shape while rows were read; they are read again", "table", t.Table)
	}
	return !altered
}

// same says that two Tables are one shape.
func (r *Runner) same(a, b *change.Table) bool {
	x, err := change.Fingerprint(a)
	y, err2 := change.Fingerprint(b)
	return err == nil && err2 == nil && x == y
}

// assemble makes the changes of a chunk at the present Upto.
func (r *Runner) assemble(j *job) ([]change.Change, error) {
	t, shape := j.table, j.chunk.Table
	changes := make([]change.Change, 0, len(j.chunk.Rows)+1)
	var key []byte
	for _, row := range j.chunk.Rows {
		if len(t.touched) > 0 || len(t.reread) > 0 {
			var err error
			if key, err = change.AppendKey(key[:0], shape, row); err != nil {
				return nil, fmt.Errorf("row of a chunk: %w", err)
			}
			if _, ok := t.reread[string(key)]; ok {
				j.whole = append(j.whole, string(key))
			}
			var keep bool
			if row, keep = t.settle(string(key), row); !keep {
				continue
			}
		}
		if len(changes) == 0 {
			changes = r.introduce(changes, shape, r.upto)
		}
		changes = append(changes, change.Change{Op: change.SnapshotRow, Table: shape, After: row, Pos: r.upto})
	}
	return r.assembleAbsent(j, changes), nil
}

// assembleAbsent appends the rows to be read again that the SELECT didn't see yet: the stream alone has brought them.
func (r *Runner) assembleAbsent(j *job, changes []change.Change) []change.Change {
	if len(j.sel.Keys) == 0 {
		return changes
	}
	read := make(map[string]bool, len(j.chunk.Rows))
	var key []byte
	for _, row := range j.chunk.Rows {
		key, _ = change.AppendKey(key[:0], j.chunk.Table, row) // assemble has seen to its error
		read[string(key)] = true
	}
	for _, key := range j.sel.Keys {
		if read[key] {
			continue
		}
		if row, goes := j.table.settle(key, nil); goes {
			if len(changes) == 0 {
				changes = r.introduce(changes, j.chunk.Table, r.upto)
			}
			changes = append(changes, change.Change{Op: change.SnapshotRow, Table: j.chunk.Table, After: row, Pos: r.upto})
		}
	}
	return changes
}

// introduce appends the NewShape of a Table that has not been announced in this run.
func (r *Runner) introduce(changes []change.Change, t *change.Table, at change.Position) []change.Change {
	if _, ok := r.announced[t]; ok {
		return changes
	}
	r.announced[t] = struct{}{}
	return append(changes, change.Change{Op: change.NewShape, Table: t, Pos: at})
}

// finished makes the progress current once all rows of a chunk are handed over.
func (r *Runner) finished(j *job) {
	t := j.table
	for _, key := range j.sel.Keys {
		t.unwant(key) // read, or gone
	}
	for _, key := range j.whole {
		t.unwant(key) // Invariant 7: whole downstream by now, through its row or through the stream
	}
	t.Rows += int64(len(j.chunk.Rows))
	if j.kind == jobChunk {
		if j.chunk.Last != nil {
			t.Last = j.chunk.Last
		}
		t.Scanned = !j.chunk.More
	}
	r.dirty = true
	if t.Scanned && len(t.reread) == 0 {
		r.complete(t)
	}
}

// complete ends a table's snapshot with the batch that is handed over now.
func (r *Runner) complete(t *table) {
	fault.Point("snapshot.before_done")
	t.Done, t.Scanned, t.Last, t.shapes = true, false, nil, nil
	clear(t.touched)
	if t.Whole {
		t.Where = "" // it was for this once
	}
	r.dirty = true
	r.log.Info("snapshot done", "table", t.Table, "n", t.Rows, "took", time.Since(t.Started))
	if t.info.Table != nil {
		r.readGained(t)
	}
}
