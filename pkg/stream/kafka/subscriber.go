package kafka

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	kafkago "github.com/segmentio/kafka-go"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/stream"
)

// subscriber is one sink's member of its consumer group. It follows the schema topic, joins with the topics of our source that it finds
// there, and joins anew when there are more.
type subscriber struct {
	s     *Stream
	log   *slog.Logger
	group string
	begin func(context.Context, []change.Lane) ([]change.Mark, error)
	tell  func(error) // nil: nobody asks

	ctx  context.Context // ends with the subscriber: the one that its goroutines run under
	stop context.CancelFunc
	wg   sync.WaitGroup

	mu      sync.Mutex
	changed chan struct{} // closed and made anew when a lane or the assignment has changed
	current *assignment   // nil between assignments
	err     error
}

// Subscriber joins the sink's group.
func (s *Stream) Subscriber(ctx context.Context, sub stream.Subscription) (stream.Subscriber, error) {
	if err := s.shapes.refresh(ctx); err != nil {
		return nil, fmt.Errorf("kafka subscriber of %s: %w", sub.Sink, unreachable(err))
	}
	u := &subscriber{s: s, log: s.log.With("sink", sub.Sink), group: s.cfg.group(sub.Sink), begin: sub.Begin, tell: sub.Trouble, changed: make(chan struct{})}
	u.ctx, u.stop = context.WithCancel(context.WithoutCancel(ctx))
	u.wg.Go(u.follow)
	u.wg.Go(u.run)
	return u, nil
}

// trouble tells what keeps us from our lanes; nil: we have them.
func (u *subscriber) trouble(err error) {
	if u.tell != nil && u.ctx.Err() == nil {
		u.tell(err)
	}
}

// Fetch is stream.Subscriber's.
func (u *subscriber) Fetch(ctx context.Context, maxBytes int) (stream.Delivery, error) {
	for {
		u.mu.Lock()
		changed, err := u.changed, u.err
		var d stream.Delivery
		var ok bool
		if err == nil && u.current != nil {
			if d, ok, err = u.current.deliver(maxBytes); err != nil {
				u.failLocked(err)
				err = u.err
			}
			if ok {
				u.wakeLocked() // there is room again
			}
		}
		u.mu.Unlock()
		if err != nil || ok {
			return d, err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return stream.Delivery{}, ctx.Err()
		}
	}
}

// Commit is stream.Subscriber's. The group's offset follows soon, as a hint.
func (u *subscriber) Commit(_ context.Context, d stream.Delivery) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	a := u.current
	if a == nil || a.lost != d.Lost {
		return fmt.Errorf("kafka subscriber of group %s: commit: the lanes are another member's by now: %w", u.group, change.ErrFenced)
	}
	for _, to := range d.To {
		l := a.lanes[to.Lane]
		if l == nil || !l.out {
			return fmt.Errorf("kafka subscriber of group %s: commit of %s/%d, which has no delivery: %w", u.group, to.Lane.Stream, to.Lane.N, change.ErrHalt)
		}
		l.out = false
		a.commits[to.Lane] = to.Next
	}
	select {
	case a.committed <- struct{}{}:
	default:
	}
	u.wakeLocked()
	return nil
}

// Ends is stream.Subscriber's: the high watermarks.
func (u *subscriber) Ends(ctx context.Context) ([]change.Mark, error) {
	marks, err := u.s.ends(ctx)
	if err != nil {
		return nil, fmt.Errorf("kafka subscriber of group %s: ends: %w", u.group, err)
	}
	return marks, nil
}

func (s *Stream) ends(ctx context.Context) ([]change.Mark, error) {
	if err := s.shapes.refresh(ctx); err != nil {
		return nil, err
	}
	lanes, err := s.lanes(ctx, s.shapes.topics())
	if err != nil {
		return nil, err
	}
	ends, err := s.client.offsets(ctx, lanes, kafkago.LastOffset)
	if err != nil {
		return nil, err
	}
	marks := make([]change.Mark, len(lanes))
	for i, l := range lanes {
		marks[i] = change.Mark{Lane: l, Next: ends[l]}
	}
	return marks, nil
}

// Close is stream.Subscriber's.
func (u *subscriber) Close() error {
	u.fail(errClosed)
	u.wg.Wait()
	u.mu.Lock()
	defer u.mu.Unlock()
	if errors.Is(u.err, errClosed) {
		return nil
	}
	return u.err
}

// fail ends the subscriber with err; the first one counts.
func (u *subscriber) fail(err error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.failLocked(err)
}

func (u *subscriber) failLocked(err error) {
	if u.err == nil {
		u.err = fmt.Errorf("kafka subscriber of group %s: %w", u.group, err)
	}
	u.stop()
	u.wakeLocked()
}

// wakeLocked wakes every Fetch that waits, and the fetchers that wait for room. u.mu is held.
func (u *subscriber) wakeLocked() {
	close(u.changed)
	u.changed = make(chan struct{})
}

// followWait is how long one look at the schema topic waits for more at the broker, and between looks where there is none yet.
const followWait = 500 * time.Millisecond

// follow reads the schema topic as it grows.
func (u *subscriber) follow() {
	h := u.s.shapes
	for u.ctx.Err() == nil {
		err := h.read(u.ctx, followWait)
		switch {
		case err == nil || u.ctx.Err() != nil:
		case !passing(err):
			u.fail(err)
			return
		default: // it isn't there yet, or its broker is away
			u.s.client.forget(h.lane.Stream)
			pause := backOff{last: followWait / 2}
			_ = pause.wait(u.ctx) // the loop's condition sees it
		}
	}
}
