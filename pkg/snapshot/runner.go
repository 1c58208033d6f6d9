package snapshot

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/fault"
)

const (
	maxOut          = 2                     // one chunk to be handed over, one read ahead
	nudgeEvery      = 10 * time.Millisecond // while a chunk waits for Upto
	retryEvery      = 100 * time.Millisecond
	idleEvery       = time.Second // an empty Batch is handed over at most this often
	firstLimit      = 512
	lastLimit       = 1 << 18
	freshMany       = 4096 // transactions in the window after which a watermark is due without a chunk
	rereadMany      = 1000 // keys to read again: so many at once, and first once there are as many
	longestPatience = time.Minute
)

var errClosed = errors.New("the snapshot's runner is closed")

// Runner is a Log with snapshots in it. One goroutine calls Read and Close; Request and Progress may be called by others.
type Runner struct {
	cfg    Config
	log    *slog.Logger
	jobs   chan *job
	done   chan *job
	wake   chan struct{}
	closed chan struct{}
	cancel context.CancelFunc
	worker sync.WaitGroup
	timer  *time.Timer // wakes Log.Read

	tables []*table
	aside  []savedTable // of tables that are not read
	byName map[string]*table
	byPtr  map[*change.Table]*table // nil: a table that is not read
	out    []*job                   // asked for and not yet dealt with, oldest first
	window window

	upto      change.Position
	resume    change.Resume
	newest    change.Position // of the changes that the log has brought
	midTxn    bool            // changes above upto have been handed over
	batches   uint64          // observed so far
	announced map[*change.Table]struct{}
	held      *change.Batch // what came behind an Export's address
	pieces    []change.Change
	last      func() // makes the progress current with the last of pieces
	export    *exporting
	horizon   string // transactions begun before it may be invisible and were not observed
	gate      gate
	retryAt   time.Time
	patience  time.Duration // between two attempts to open an Export

	rereadRoom int // bytes that boundReread has found free and that have not been taken since
	dirty      bool
	published  bool      // the batch before this Read held rows
	handed     time.Time // when the last batch was handed over
	accepted   []chan struct{}

	mu       sync.Mutex
	requests []request
	looks    []look
	leaves   []leave
	notes    []savedTable
	heard    map[string]struct{} // tables that are in tables or aside, or will be
	progress []Progress
	read     []bool // of progress: all rows are, whether or not the table has been looked at since
}

// gate says whether chunks may be read at all: not while transactions may be invisible that the log will not bring (any more), because
// they were emitted before this run, or stand in front of the log's first place.
type gate uint8

const (
	gateOpen    gate = iota
	gateHorizon      // a Horizon is to be had
	gateSettle       // waits for a watermark that has it settled
)

type request struct {
	table, where string
	info         Info
	taken        chan struct{}
}

// New makes a Runner. The caller closes it.
func New(cfg Config) (*Runner, error) {
	cfg.fill()
	var saved []savedTable
	if cfg.Saved != nil {
		var err error
		if saved, err = parseProgress(cfg.Saved); err != nil {
			return nil, err
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	r := &Runner{cfg: cfg, log: cfg.Logger, cancel: cancel, upto: cfg.Upto, resume: cfg.Resume,
		jobs: make(chan *job, maxOut), done: make(chan *job, maxOut), wake: make(chan struct{}, 1), closed: make(chan struct{}),
		gate: gateHorizon, byName: map[string]*table{}, byPtr: map[*change.Table]*table{}, heard: map[string]struct{}{},
		announced: map[*change.Table]struct{}{}, window: window{max: cfg.KeyBytes / 2}, handed: time.Now(), patience: retryEvery}
	if err := r.merge(saved); err != nil {
		cancel()
		return nil, err
	}
	r.boundReread()
	r.timer = time.AfterFunc(time.Hour, func() { signal(r.wake) })
	r.timer.Stop()
	r.report()
	r.worker.Go(func() { work(ctx, cfg.Reader, r.jobs, r.done, r.wake) })
	return r, nil
}

// Saved is the progress as of now, for the first place that is saved. It is called before the first Read.
func (r *Runner) Saved() ([]byte, error) { return formatProgress(r.tables, r.aside) }

// Close ends the Runner's goroutine and waits for it. The Log and the Reader's connections stay the caller's.
func (r *Runner) Close() error {
	r.timer.Stop()
	r.cancel()
	close(r.closed)
	close(r.jobs)
	r.worker.Wait()
	close(r.done)
	var err error
	for j := range r.done {
		if j.export.Rows != nil {
			err = errors.Join(err, j.export.Rows.Close())
		}
	}
	if r.export != nil {
		err = errors.Join(err, r.export.Rows.Close())
	}
	return err
}

// Read is connectors.Source's Read: the log's batches, with the rows of chunks between source transactions.
func (r *Runner) Read(ctx context.Context, maxBytes int) (change.Batch, error) {
	if r.published {
		r.published = false
		fault.Point("snapshot.chunk_published")
	}
	for {
		r.takeRequests()
		r.takeLooks()
		if err := r.takeAnswers(); err != nil {
			return change.Batch{}, err
		}
		if len(r.accepted) > 0 && r.pieces == nil && r.last == nil {
			return r.handOver(change.Batch{Upto: r.upto, Resume: r.resume}) // somebody waits for it
		}
		b, ok, err := r.rows(ctx, maxBytes)
		if err != nil {
			return change.Batch{}, err
		}
		if ok {
			return r.handOver(b)
		}
		r.plan()
		if b, err = r.next(ctx, maxBytes); err != nil {
			return change.Batch{}, err
		}
		if len(b.Changes) > 0 || r.dirty && !r.midTxn || r.quiet() || time.Since(r.handed) >= idleEvery {
			return r.handOver(b)
		}
	}
}

// quiet says that there is nothing to read beside the log.
func (r *Runner) quiet() bool { return len(r.out) == 0 && r.export == nil && r.current() == nil }

// current is the table that is read now.
func (r *Runner) current() *table {
	for _, t := range r.tables {
		if !t.Done || !t.checked {
			return t
		}
	}
	return nil
}

// handOver completes a batch with the progress as of its changes. Within a source transaction that can wait: a process that begins again
// does so in front of it, and finds the same.
func (r *Runner) handOver(b change.Batch) (change.Batch, error) {
	if r.dirty && (!r.midTxn || len(r.accepted) > 0) {
		saved, err := formatProgress(r.tables, r.aside)
		if err != nil {
			return change.Batch{}, err
		}
		b.Snapshot, r.dirty = saved, false
		r.report()
	}
	for _, taken := range r.accepted {
		close(taken)
	}
	r.accepted = nil
	r.handed = time.Now()
	return b, nil
}

// next returns what the log brings next; empty when something else is to be done first.
func (r *Runner) next(ctx context.Context, maxBytes int) (change.Batch, error) {
	if r.opening() {
		// The stream must not pass the address at which the table will be read.
		select {
		case <-r.wake:
		case <-ctx.Done():
			return change.Batch{}, context.Cause(ctx)
		}
		return change.Batch{Upto: r.upto, Resume: r.resume}, nil
	}
	var b change.Batch
	if r.held != nil && r.export == nil {
		b, r.held = *r.held, nil
	} else {
		var err error
		if b, err = r.cfg.Log.Read(ctx, maxBytes, r.wake); err != nil {
			return change.Batch{}, err
		}
	}
	if r.export != nil {
		b = r.split(b)
	}
	return r.observe(b)
}

// observe takes note of a batch and takes out of it what may not be emitted.
func (r *Runner) observe(b change.Batch) (change.Batch, error) {
	r.batches++
	out, copied := b.Changes, false
	for i := range b.Changes {
		c := &b.Changes[i]
		emit, err := r.watch(c)
		if err != nil {
			return change.Batch{}, err
		}
		if !emit && !copied {
			out, copied = append([]change.Change(nil), b.Changes[:i]...), true
		} else if emit && copied {
			out = append(out, *c)
		}
	}
	if n := len(b.Changes); n > 0 {
		r.newest = b.Changes[n-1].Pos
	}
	r.midTxn = b.Upto.Less(r.newest)
	b.Changes = out
	if b.Upto.Less(r.upto) {
		b.Upto = r.upto // a log that begins again at a Resume older than our Upto
	}
	r.upto, r.resume = b.Upto, b.Resume
	if r.window.full() {
		r.log.Info("snapshot: too many keys were changed while rows were read; they are read again", "n", r.window.bytes)
		r.window.forget()
		r.voidAll()
	}
	return b, nil
}

func (r *Runner) watch(c *change.Change) (bool, error) {
	if c.Op == change.NewShape {
		r.announced[c.Table] = struct{}{}
		return true, nil
	}
	if !r.cfg.Upto.IsZero() && !r.cfg.Upto.Less(c.Pos) {
		return false, nil // handed over and acknowledged before this run: Resume was older than Upto
	}
	t, ok := r.byPtr[c.Table]
	if !ok {
		t = r.byName[c.Table.String()]
		r.byPtr[c.Table] = t
	}
	if t == nil || t.Done {
		return true, nil
	}
	t.saw(c.Table, r.batches)
	before := t.rereadBytes
	emit, err := r.window.observe(t, c)
	if !emit {
		r.dirty = true
		if r.rereadRoom -= t.rereadBytes - before; r.rereadRoom < 0 {
			r.boundReread()
		}
	}
	return emit, err
}

func (t *table) saw(shape *change.Table, batch uint64) {
	for i := range t.shapes {
		if t.shapes[i].table == shape {
			t.shapes[i].batch = batch
			return
		}
	}
	t.shapes = append(t.shapes, seenShape{shape, batch})
}

// takeAnswers sorts in what the worker has brought.
func (r *Runner) takeAnswers() error {
	for {
		var j *job
		select {
		case j = <-r.done:
		default:
			return nil
		}
		j.ready = true
		if j.void {
			if j.export.Rows != nil {
				if err := j.export.Rows.Close(); err != nil {
					return fmt.Errorf("snapshot of %s: %w", j.sel.Name, err)
				}
			}
			r.remove(j)
			continue
		}
		if j.kind == jobChunk || j.kind == jobReread {
			fault.Point("snapshot.chunk_read")
		}
		if err := r.sortIn(j); err != nil {
			return fmt.Errorf("snapshot of %s: %w", j.sel.Name, err)
		}
	}
}

func (r *Runner) remove(j *job) {
	for i := range r.out {
		if r.out[i] == j {
			r.out = append(r.out[:i:i], r.out[i+1:]...)
			return
		}
	}
}

// voidAll gives up all that is being read.
func (r *Runner) voidAll() {
	kept := r.out[:0:0]
	for _, j := range r.out {
		j.void = true
		if !j.ready {
			kept = append(kept, j) // its answer is still to come
		}
	}
	r.out = kept
}

// report makes the progress that other goroutines see.
func (r *Runner) report() {
	list, read := make([]Progress, len(r.tables)), make([]bool, len(r.tables))
	for i, t := range r.tables {
		read[i] = t.Done
		list[i] = Progress{Table: t.Table, Rows: t.Rows, Estimate: t.Estimate, Started: t.Started, Done: t.Done && t.checked}
	}
	r.mu.Lock()
	r.progress, r.read = list, read
	r.mu.Unlock()
}

// Progress returns how far each table has come, in the order in which they are read. One that is to be looked at again is not done.
func (r *Runner) Progress() []Progress {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.looks)+len(r.leaves) == 0 {
		return r.progress
	}
	list := slices.Clone(r.progress)
	for i := range list {
		list[i].Done = list[i].Done && !slices.ContainsFunc(r.looks, func(l look) bool { return l.table == list[i].Table }) &&
			!slices.ContainsFunc(r.leaves, func(l leave) bool { return l.table == list[i].Table })
	}
	return list
}
