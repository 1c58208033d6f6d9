package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/tailwater-cdc/tailwater/connectors/internal/queue"
	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// emptyEvery is how often a batch without a change may be handed over.
const emptyEvery = time.Second

// log is the stream as it is read: the server's log in order, without snapshots. One goroutine calls Read.
type log struct {
	id   identity
	slot string
	wire *wire
	left func(departure) // told before the batch which brings changes of it under another name

	at     place // handed over
	resume change.Resume
	empty  time.Time // when the last batch without a change was handed over
	moved  bool      // at has moved since the last batch
}

// Read hands over what has come, as connectors.Source.Read does. When wake fires it returns early, with no change and the present
// Upto; a nil wake never does.
func (l *log) Read(ctx context.Context, maxBytes int, wake <-chan struct{}) (change.Batch, error) {
	for {
		t := l.wire.queue.Take(maxBytes)
		urgent := false
		for _, ends := range t.Ends {
			urgent = l.pass(ends) || urgent
		}
		if len(t.Changes) > 0 {
			return l.batch(t.Changes), nil
		}
		if l.moved && (urgent || time.Since(l.empty) >= emptyEvery) {
			l.empty = time.Now()
			return l.batch(nil), nil
		}
		if t.Err != nil {
			return change.Batch{}, t.Err
		}
		woken, err := l.wait(ctx, wake)
		if err != nil {
			return change.Batch{}, err
		}
		if woken {
			return l.batch(nil), nil
		}
	}
}

// pass moves on over ends, and says whether they are to be handed over though no change has come.
func (l *log) pass(ends []queue.Mark[end]) (urgent bool) {
	for i := range ends {
		e := &ends[i].At
		if e.at.lsn != 0 {
			l.at, l.moved = e.at, true
		}
		if e.more == nil {
			continue
		}
		for _, d := range e.more.left {
			l.left(d)
		}
		urgent = true
	}
	return urgent
}

// wait waits for the queue, for the time of the next empty batch if one is due, for wake or for the end of ctx.
func (l *log) wait(ctx context.Context, wake <-chan struct{}) (woken bool, err error) {
	var due <-chan time.Time
	if l.moved {
		timer := time.NewTimer(time.Until(l.empty.Add(emptyEvery)))
		defer timer.Stop()
		due = timer.C
	}
	select {
	case <-ctx.Done():
		return false, fmt.Errorf("read the log after %s: %w", lsnText(l.at.lsn), context.Cause(ctx))
	case <-wake:
		return true, nil
	case <-due:
	case <-l.wire.queue.Ready():
	}
	return false, nil
}

func (l *log) batch(changes []change.Change) change.Batch {
	if l.moved {
		l.resume = makeResume(l.id, l.slot, l.at)
		l.moved = false
	}
	return change.Batch{Changes: changes, Upto: l.at.upto, Resume: l.resume}
}

// Nudge asks the server where it stands, so that the Upto of an idle log moves on: the answer comes as a batch at once, without the
// limit of one empty batch a second. Any goroutine may call it.
func (l *log) Nudge() { l.wire.nudge() }

// Release lets the server forget its log up to a Resume.
func (l *log) Release(upTo change.Resume) error {
	t, lsn, _, err := parseResume(upTo)
	if err != nil {
		return fmt.Errorf("release: %w", err)
	}
	if t.System != l.id.System || t.Database != l.id.Database || t.Slot != l.slot {
		return fmt.Errorf("release %s: it is a place in another log: %w", upTo, change.ErrHalt)
	}
	l.wire.release(lsn)
	return nil
}

// Close ends the stream after the last Release has been sent.
func (l *log) Close() error { return l.wire.stop() }
