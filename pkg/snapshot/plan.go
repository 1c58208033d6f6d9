package snapshot

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// Request asks for a snapshot of one table beside the stream, of all rows or of those that match where. It returns once the request is
// part of the progress that Read has handed over; an unknown table is change.ErrPreflight.
func (r *Runner) Request(ctx context.Context, name, where string) error {
	info, err := r.cfg.Reader.Lookup(ctx, name)
	switch {
	case errors.Is(err, ErrNoTable):
		return fmt.Errorf("snapshot of %s: %w: %w", name, err, change.ErrPreflight)
	case err != nil:
		return fmt.Errorf("snapshot of %s: %w", name, err)
	case len(info.Table.Key) == 0 && where != "":
		return fmt.Errorf("snapshot of %s: it has no key, so its snapshot begins with Truncate and must be of all rows: %w", name, change.ErrPreflight)
	}
	q := request{table: name, where: where, info: info, taken: make(chan struct{})}
	r.mu.Lock()
	for i := range r.progress {
		if r.progress[i].Table == name && !r.read[i] {
			r.mu.Unlock()
			return fmt.Errorf("snapshot of %s: one is under way: %w", name, change.ErrPreflight)
		}
	}
	r.requests = append(r.requests, q)
	r.mu.Unlock()
	signal(r.wake)
	select {
	case <-q.taken:
		return nil
	case <-r.closed:
		return fmt.Errorf("snapshot of %s: %w", name, errClosed)
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// takeRequests makes requests part of the progress. What was emitted of their tables so far was not observed, so chunks wait for a new
// horizon.
func (r *Runner) takeRequests() {
	r.mu.Lock()
	requests := r.requests
	r.requests = nil
	notes := r.notes
	r.notes = nil
	r.mu.Unlock()
	r.takeNotes(notes)
	for _, q := range requests {
		r.accepted = append(r.accepted, q.taken)
		t := r.byName[q.table]
		if t == nil {
			t = newTable(r.unaside(q))
			r.tables = append(r.tables, t)
			r.byName[q.table] = t
		} else if !t.Done {
			continue // asked for twice at the same time
		}
		r.voidAll() // a Horizon of before this doesn't do
		t.startOver()
		t.Before = ""
		// A request is forgotten if the process dies before it is saved. What was taken out of the stream would be lost then.
		t.Whole, t.Where, t.checked, t.info = true, q.where, false, Info{}
		r.log.Info("snapshot requested", "table", q.table)
		clear(r.byPtr)
		r.gate, r.dirty = gateHorizon, true
	}
}

// plan gives the worker what it can do next.
func (r *Runner) plan() {
	t := r.current()
	if t == nil {
		r.window = window{max: r.cfg.KeyBytes / 2}
		return
	}
	r.timer.Reset(idleEvery) // while a snapshot is under way an idle log doesn't keep Read for longer
	switch {
	case r.export != nil:
		r.nudge(r.upto.Less(r.export.At))
	case len(r.out) > 0:
		first := r.out[0]
		waiting := first.ready && !first.void && r.upto.Less(first.chunk.High)
		r.nudge(waiting)
		r.readAhead(t)
	case !r.due():
	case t.info.Table == nil:
		r.ask(&job{kind: jobLookup, table: t, sel: Select{Name: t.Table}})
	case r.gate == gateHorizon:
		r.ask(&job{kind: jobHorizon})
	case t.Stale:
		r.askStale(t)
	case r.gate == gateSettle || r.window.fresh > freshMany || r.window.forgotten():
		r.ask(&job{kind: jobWatermark})
	case len(t.info.Table.Key) == 0:
		r.ask(&job{kind: jobOpen, table: t, sel: Select{Name: t.Table, Where: t.Where}, patience: r.cfg.OpenTime})
	default:
		r.readNext(t, t.Last, t.Scanned)
	}
}

// due says that nothing has to be waited for before the worker may be asked again; if not, the timer is set.
func (r *Runner) due() bool {
	wait := time.Until(r.retryAt)
	if wait <= 0 {
		return true
	}
	r.timer.Reset(wait)
	return false
}

// nudge asks the server for the log's end, now and again, while something waits for it.
func (r *Runner) nudge(waiting bool) {
	if waiting {
		r.cfg.Log.Nudge()
		r.timer.Reset(nudgeEvery)
	}
}

// readAhead asks for the chunk behind the newest one that is here.
func (r *Runner) readAhead(t *table) {
	newest := r.out[len(r.out)-1]
	if len(r.out) == maxOut || newest.table != t || !newest.ready || newest.kind != jobChunk || !newest.chunk.More || r.gate != gateOpen {
		return
	}
	r.readNext(t, newest.chunk.Last, false)
}

// readNext asks for a chunk behind a key, or for rows to be read again.
func (r *Runner) readNext(t *table, after []string, scanned bool) {
	j := &job{kind: jobChunk, table: t, sel: Select{Name: t.Table, Where: t.Where, After: after, Limit: t.limit, MaxBytes: r.cfg.ChunkBytes}}
	if len(r.out) == 0 && (scanned || len(t.reread) >= rereadMany) {
		j.kind = jobReread
		j.sel.Where, j.sel.After = "", nil
		j.sel.Keys = make([]string, 0, min(len(t.reread), rereadMany))
		for key := range t.reread {
			if len(j.sel.Keys) == rereadMany {
				break
			}
			j.sel.Keys = append(j.sel.Keys, key)
		}
		j.sel.Limit = len(j.sel.Keys)
	}
	r.ask(j)
}

func (r *Runner) ask(j *job) {
	j.batch = r.batches
	r.out = append(r.out, j)
	r.jobs <- j // never blocks: it has room for all that can be out
}

// opening says that the stream stands still while an Export opens.
func (r *Runner) opening() bool {
	return len(r.out) > 0 && r.out[0].kind == jobOpen && !r.out[0].ready
}

// sortIn deals with an answer. A chunk stays out until it can be handed over.
func (r *Runner) sortIn(j *job) error {
	switch {
	case j.err != nil, j.kind == jobLookup, j.kind == jobHorizon, j.kind == jobOpen:
		r.remove(j)
	}
	switch {
	case errors.Is(j.err, ErrNoTable):
		r.vanished(j.table)
		return nil
	case errors.Is(j.err, errImpatient):
		r.patience = min(2*r.patience, longestPatience)
		r.retryAt = time.Now().Add(r.patience)
		r.log.Warn("snapshot waits, the stream goes on", "table", j.sel.Name, "err", j.err, "took", j.took)
		return nil
	case j.err != nil:
		return j.err
	}
	switch j.kind {
	case jobHorizon:
		r.horizon, r.gate = j.horizon, gateSettle
	case jobLookup:
		r.lookedUp(j)
	case jobOpen:
		r.opened(j)
	case jobChunk:
		r.adapt(j)
	}
	return nil
}

// vanished ends the snapshot of a table that is gone.
func (r *Runner) vanished(t *table) {
	if !t.Done {
		r.log.Warn("snapshot: the table is gone, its snapshot ends", "table", t.Table, "n", t.Rows)
	}
	r.voidAll()
	t.unwantAll()
	clear(t.touched)
	t.Done, t.checked, r.dirty = true, true, true
}

// lookedUp begins or resumes a table. One that was dropped and created again starts over, done or not.
func (r *Runner) lookedUp(j *job) {
	t, info := j.table, j.info
	known := !t.Started.IsZero()
	t.asked = j.batch
	if t.missed(info.Member) {
		r.log.Warn("snapshot: changes of the table were left out of the log for a while", "table", t.Table)
	}
	wasDone, was := t.Done, t.Revision
	others := t.revise(info)
	if !t.begin(info) || others {
		r.log.Warn("snapshot: what was read of the table is not what it holds now, its snapshot starts over", "table", t.Table)
		if wasDone {
			r.gate, t.info = gateHorizon, Info{} // its changes, and their shapes, were not observed so far
		}
		known = false
	}
	t.checked = true
	r.dirty = r.dirty || !known || was != t.Revision
	if t.info.Table != nil {
		r.dirty = t.see(t.info.Parts) || r.dirty
		r.readGained(t)
	}
	r.report()
	if !known {
		r.log.Info("snapshot begins", "table", t.Table, "n", info.Estimate)
	}
}

// adapt chooses the next chunk's number of rows from the size and the duration of this one.
func (r *Runner) adapt(j *job) {
	n := len(j.chunk.Rows)
	if n == 0 || (n < j.sel.Limit/2 && !j.chunk.More) {
		return
	}
	size := 1
	for _, row := range j.chunk.Rows {
		c := change.Change{After: row}
		size += c.Size()
	}
	next := int(float64(n) * float64(r.cfg.ChunkBytes) / float64(size))
	if j.took > 0 {
		next = min(next, int(float64(n)*float64(r.cfg.ChunkTime)/float64(j.took)))
	}
	j.table.limit = max(1, min(next, 4*n, lastLimit))
}

// forgotten says that keys have been given up and a watermark must show their transactions first.
func (w *window) forgotten() bool {
	for _, g := range w.groups {
		if g.forgotten {
			return true
		}
	}
	return false
}
