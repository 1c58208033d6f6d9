package pipeline

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/tailwater-cdc/tailwater/connectors"
	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/fault"
)

var (
	errPublisher = errors.New("the publisher has ended")
	errDrain     = errors.New("drain_timeout is over")
)

// capture is the capture loop. Each run is one life: open, flow, close.
type capture struct {
	cfg   *Config
	board *board
	log   *slog.Logger
	event Event
	anew  bool // a life of this process has found no Record: the one that is there now is ours
}

// run reads until ctx is cancelled, or with Once until all that was committed at the start has been acknowledged. Then everything
// that it has published is acknowledged, saved and released (invariant 10), unless hard ends before.
func (c *capture) run(ctx, hard context.Context, ready func()) error {
	o, err := c.open(ctx)
	if err != nil {
		return err
	}
	if s, ok := o.source.(connectors.Snapshotter); ok {
		c.board.source(s.Progress)
	}
	c.board.update(func(s *Status) {
		s.Epoch, s.Identity, s.Read, s.Published = o.rec.Epoch, o.rec.Identity, o.rec.Upto, o.rec.Upto
		s.Saved, s.Released, s.Unacked = o.rec.Upto, o.rec.ReleasedUpto, 0
	})
	ready()
	err = c.flow(ctx, hard, o)
	ended := o.publisher.Close()
	if errors.Is(err, errPublisher) && ended != nil {
		err = nil // the cause says more
	}
	if ended != nil {
		ended = fmt.Errorf("publish: %w", ended)
	}
	c.board.source(nil)
	return errors.Join(err, ended, o.source.Close())
}

// flow runs the reader beside the settler, which this function is.
func (c *capture) flow(ctx, hard context.Context, o opening) error {
	work, stop := lingering(ctx, hard, c.cfg.DrainTimeout)
	defer stop(nil)
	reading, stopReading := context.WithCancel(ctx)
	defer stopReading()
	r := &reader{capture: c, opening: o, announced: copyOf(o.rec.Announced), ended: make(chan error, 1)}
	s := newSettler(c, o, r)

	var wg sync.WaitGroup
	wg.Go(func() { r.ended <- r.run(reading, work) })
	err := s.run(work)
	stopReading()
	stop(err)
	wg.Wait()
	return err
}

// lingering is a context that outlives ctx by the drain timeout, so that what is in flight can end; hard ends it at once.
func lingering(ctx, hard context.Context, timeout time.Duration) (context.Context, context.CancelCauseFunc) {
	work, cancel := context.WithCancelCause(hard)
	var (
		mu    sync.Mutex
		timer *time.Timer
	)
	unhook := context.AfterFunc(ctx, func() {
		mu.Lock()
		defer mu.Unlock()
		timer = time.AfterFunc(timeout, func() { cancel(errDrain) })
	})
	return work, func(cause error) {
		unhook()
		mu.Lock()
		if timer != nil {
			timer.Stop()
		}
		mu.Unlock()
		cancel(cause)
	}
}

// cutOff is err, or, where work has ended, why that was: "context canceled" would say nothing of drain_timeout.
func cutOff(work context.Context, err error) error {
	if work.Err() != nil && errors.Is(err, work.Err()) {
		return context.Cause(work)
	}
	return err
}

// pending is a batch on its way: what is saved once it is acknowledged.
type pending struct {
	resume    change.Resume
	upto      change.Position
	snapshot  []byte
	rows      int
	runs      []run // what of them, for who counts
	announced []announcement
}

type announcement struct{ table, fingerprint string }

// reader is the half of the capture loop that reads and publishes.
type reader struct {
	*capture
	opening
	announced map[string]string        // as of the last batch published
	prints    map[*change.Table]string // fingerprints
	ended     chan error               // the reader's end, once

	mu        sync.Mutex
	queue     []pending
	published uint64
}

func (r *reader) run(ctx, work context.Context) error {
	var head change.Position
	if r.cfg.Once {
		var err error
		if head, err = r.source.Head(ctx); err != nil {
			return unlessStopped(ctx, fmt.Errorf("read the log's end: %w", err))
		}
	}
	var newest change.Position // of all that has been read
	upto := r.begin
	for open := false; open || ctx.Err() == nil; {
		if r.cfg.Once && !open && !upto.Less(head) && r.snapshotComplete() {
			return nil // before Read: on a server where nothing happens it might never return
		}
		// Invariant 10: a stop falls between two transactions. A part of one would be repeated, and a target that takes
		// transactions whole would wait for the rest.
		reading := ctx
		if open {
			reading = work
		}
		b, err := r.source.Read(reading, r.cfg.BatchBytes)
		if err != nil {
			return unlessStopped(reading, fmt.Errorf("read: %w", err))
		}
		if err := r.publish(work, b); err != nil {
			return err
		}
		if n := len(b.Changes); n > 0 {
			newest = b.Changes[n-1].Pos
		}
		upto, open = b.Upto, b.Upto.Less(newest)
	}
	return nil
}

func unlessStopped(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

func (r *reader) publish(work context.Context, b change.Batch) error {
	r.cfg.Observer.rows(r.event, StageRead, b.Changes)
	r.cfg.Observer.read(r.event, b.Changes)
	b, news, err := r.filter(b)
	if err != nil {
		return err
	}
	p := pending{resume: b.Resume, upto: b.Upto, snapshot: b.Snapshot, rows: len(b.Changes), runs: runsOf(b.Changes), announced: news}
	r.mu.Lock()
	r.queue = append(r.queue, p) // before Publish: its acknowledgement may come first
	r.mu.Unlock()
	r.board.update(func(s *Status) {
		s.Read = max2(s.Read, b.Upto)
		if s.Unacked == 0 {
			s.AckedAt = time.Now()
		}
		s.Unacked++
		if n := len(b.Changes); n > 0 && b.Changes[n-1].Txn != nil {
			s.Committed = b.Changes[n-1].Txn.Committed
		}
	})
	if err := r.publisher.Publish(work, b); err != nil {
		return fmt.Errorf("publish up to %s: %w", b.Upto, cutOff(work, err))
	}
	r.mu.Lock()
	r.published++
	r.mu.Unlock()
	fault.Point("capture.published")
	return nil
}

// filter takes out the NewShape markers of shapes that are the newest announced already. b itself is not changed.
func (r *reader) filter(b change.Batch) (change.Batch, []announcement, error) {
	var (
		news []announcement
		kept []change.Change // nil: all so far
	)
	for i := range b.Changes {
		ch := &b.Changes[i]
		drop := false
		if ch.Op == change.NewShape {
			print, err := r.fingerprint(ch.Table)
			if err != nil {
				return b, nil, err
			}
			table := ch.Table.String()
			if drop = r.announced[table] == print; !drop {
				r.announced[table] = print
				news = append(news, announcement{table: table, fingerprint: print})
			}
		}
		switch {
		case drop && kept == nil:
			kept = append(make([]change.Change, 0, len(b.Changes)), b.Changes[:i]...)
		case !drop && kept != nil:
			kept = append(kept, *ch)
		}
	}
	if kept != nil {
		b.Changes = kept
	}
	return b, news, nil
}

func (r *reader) fingerprint(t *change.Table) (string, error) {
	if print, ok := r.prints[t]; ok {
		return print, nil
	}
	print, err := change.Fingerprint(t)
	if err != nil {
		return "", err
	}
	if r.prints == nil {
		r.prints = map[*change.Table]string{}
	}
	r.prints[t] = print
	return print, nil
}

func (r *reader) snapshotComplete() bool {
	s, ok := r.source.(connectors.Snapshotter)
	return !ok || complete(s.Progress())
}

// take removes the first n batches of the queue.
func (r *reader) take(n uint64) []pending {
	r.mu.Lock()
	defer r.mu.Unlock()
	n = min(n, uint64(len(r.queue)))
	taken := r.queue[:n:n]
	r.queue = r.queue[n:]
	return taken
}

func (r *reader) count() uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.published
}

func copyOf(m map[string]string) map[string]string {
	n := make(map[string]string, len(m)+1)
	for k, v := range m {
		n[k] = v
	}
	return n
}
