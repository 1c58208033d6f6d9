package mysql

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tailwater-cdc/tailwater/connectors/internal/queue"
	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// emptyEvery is how often a batch without a change may be handed over.
const emptyEvery = time.Second

// log is the stream as it is read: the server's log in order, without snapshots. One goroutine calls Read.
type log struct {
	id   identity
	wire *wire

	at     place    // handed over
	read   *gtidSet // the groups in front of it
	resume change.Resume
	empty  time.Time   // when the last batch without a change was handed over
	moved  bool        // at has moved since the last batch
	nudged bool        // an end is wanted at once
	asked  atomic.Bool // Nudge was called since

	mu       sync.Mutex
	released change.Resume
}

// Read hands over what has come, as connectors.Source.Read does. When wake fires it returns early, with no change and the present
// Upto; a nil wake never does.
func (l *log) Read(ctx context.Context, maxBytes int, wake <-chan struct{}) (change.Batch, error) {
	for {
		t := l.wire.queue.Take(maxBytes)
		for _, ends := range t.Ends {
			l.pass(ends)
		}
		if len(t.Changes) > 0 {
			return l.batch(t.Changes), nil
		}
		l.nudged = l.asked.Swap(false) || l.nudged
		if l.moved && (l.nudged || time.Since(l.empty) >= emptyEvery) {
			l.empty, l.nudged = time.Now(), false
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

// pass moves on over the ends of groups. A GTID counts as read only here, behind its group's end.
func (l *log) pass(ends []queue.Mark[end]) {
	for i := range ends {
		e := &ends[i].At
		l.at, l.moved = e.at, true
		l.read.add(e.id)
		if e.more != nil {
			l.read.merge(e.more)
		}
	}
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
		return false, fmt.Errorf("read the log after %s:%d: %w", l.at.file.name, l.at.offset, context.Cause(ctx))
	case <-wake:
		return true, nil
	case <-due:
	case <-l.wire.queue.Ready():
	}
	return false, nil
}

func (l *log) batch(changes []change.Change) change.Batch {
	if l.moved {
		l.resume = makeResume(l.id, l.at, l.read)
		l.moved = false
	}
	return change.Batch{Changes: changes, Upto: l.at.upto, Resume: l.resume}
}

// Nudge has the present end handed over at once, without the limit of one empty batch a second. The server itself needs no asking: it sends
// all that its log holds. Any goroutine may call it.
func (l *log) Nudge() {
	l.asked.Store(true)
	l.wire.queue.Wake()
}

// Release notes what has been saved. The server isn't told: it keeps its log by its own rules, whoever reads it.
func (l *log) Release(upTo change.Resume) error {
	t, _, _, err := parseResume(upTo)
	if err != nil {
		return fmt.Errorf("release: %w", err)
	}
	if t.Flavor != l.id.Flavor {
		return fmt.Errorf("release %s: it is a place in another log: %w", upTo, change.ErrHalt)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.released = upTo
	return nil
}

// Close ends the stream.
func (l *log) Close() error {
	l.wire.stop()
	return nil
}
