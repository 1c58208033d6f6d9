package pipeline

import (
	"context"
	"fmt"
	"time"

	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// cutting names a change of a job that a unique or foreign key of the target refuses for now.
type cutting struct {
	j  *job
	at int
}

// inOrder applies what stands before the change, so that this lane holds back nothing lower, and waits until every other lane has
// passed its Position. The lowest of several that wait finds all others at or above it: there is no deadlock.
func (l *applying) inOrder(ctx, work context.Context, lost <-chan struct{}, c cutting) error {
	j := c.j
	pos := j.changes[c.at].Pos
	ends, err := l.sub.Ends(work)
	if err != nil {
		return fmt.Errorf("read the lanes' ends: %w", err)
	}
	if len(ends) > 1 && len(j.lanes) == 1 {
		if c.at > 0 {
			if err := l.settle(ctx, work, lost, j.cut(c.at)); err != nil {
				return err
			}
			if err := j.behind(j.keys()); err != nil {
				return err
			}
		}
		l.mu.Lock()
		j.lanes[0].head = pos
		l.wake()
		l.mu.Unlock()
		if j.since.IsZero() {
			j.since = time.Now()
		}
		if err := l.await(ctx, work, lost, waiting{pos: pos, own: j.to[0].Lane, since: j.since}); err != nil {
			return err
		}
	}
	j.waited = pos
	return nil
}

// waiting is one lane that waits for the others to pass pos.
type waiting struct {
	pos   change.Position
	own   change.Lane
	since time.Time // of the delivery's first wait
}

func (l *applying) await(ctx, work context.Context, lost <-chan struct{}, w waiting) error {
	l.board.sink(l.sink.Name, func(s *SinkStatus) { s.Waits++ })
	defer l.board.sink(l.sink.Name, func(s *SinkStatus) { s.Waits-- })
	foreign := map[change.Lane]stood{}
	for {
		l.mu.Lock()
		moved := l.moved
		l.mu.Unlock()
		passed, err := l.passed(work, w, foreign)
		if passed || err != nil {
			return err
		}
		if err := l.pauseOr(ctx, lost, max(l.sink.OrderWait/10, time.Millisecond), moved); err != nil {
			return err
		}
	}
}

// stood is where a lane of another process was seen last, and since when.
type stood struct {
	mark  change.Mark
	since time.Time
}

// passed says that every lane of the pipeline but our own has applied all below the Position: its mark or the first change that it
// has in hand is at or above it, or it has stood still with nothing in hand for order_wait: at its log's end, or in front of a marker
// that waits for this very lane. That time counts from the delivery's first wait: how long a lane was quiet before says nothing of what it is
// about to get.
func (l *applying) passed(work context.Context, w waiting, foreign map[change.Lane]stood) (bool, error) {
	ends, err := l.sub.Ends(work)
	if err != nil {
		return false, fmt.Errorf("read the lanes' ends: %w", err)
	}
	theirs, err := l.foreignMarks(work, ends)
	if err != nil {
		return false, err
	}
	now := time.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, end := range ends {
		if end.Lane == w.own {
			continue
		}
		if s := l.lanes[end.Lane]; s != nil {
			if s.mark.Pos.Less(w.pos) && !(s.busy && !s.head.Less(w.pos)) &&
				!(!s.busy && min(now.Sub(s.since), now.Sub(w.since)) >= l.sink.OrderWait) {
				return false, nil
			}
			continue
		}
		f := foreign[end.Lane]
		if m := theirs[end.Lane]; f.since.IsZero() || f.mark != m {
			f = stood{mark: m, since: now}
			foreign[end.Lane] = f
		}
		if f.mark.Pos.Less(w.pos) && !(reached(f.mark, end) && now.Sub(f.since) >= l.sink.OrderWait) {
			return false, nil
		}
	}
	return true, nil
}

// foreignMarks reads the marks of lanes that other processes apply.
func (l *applying) foreignMarks(work context.Context, ends []change.Mark) (map[change.Lane]change.Mark, error) {
	streams := map[string]bool{}
	l.mu.Lock()
	for _, end := range ends {
		if l.lanes[end.Lane] == nil {
			streams[end.Lane.Stream] = true
		}
	}
	l.mu.Unlock()
	marks := map[change.Lane]change.Mark{}
	for name := range streams {
		state, err := l.target.Load(work, name)
		if err != nil {
			return nil, fmt.Errorf("load marks of %s: %w", name, err)
		}
		for _, m := range state.Marks {
			marks[m.Lane] = m
		}
	}
	return marks, nil
}

// reached says that a mark stands at a lane's end. A direct stream counts no offsets, so its Position tells.
func reached(m, end change.Mark) bool {
	return m.Next >= end.Next && (end.Next > 0 || !m.Pos.Less(end.Pos))
}

const onceRecheck = time.Second // how often marks of lanes of other processes are read

// untilEnd ends fetching once every lane has reached the end that it had when capture finished.
func (l *applying) untilEnd(ctx context.Context) {
	select {
	case <-l.finish:
	case <-ctx.Done():
		return
	}
	ends, err := l.sub.Ends(ctx)
	if err != nil {
		l.stop(fmt.Errorf("read the lanes' ends: %w", err))
		return
	}
	for {
		l.mu.Lock()
		moved := l.moved
		l.mu.Unlock()
		done, err := l.allReached(ctx, ends)
		if err != nil {
			l.stop(err)
			return
		}
		if done {
			l.stop(errOnce)
			return
		}
		if l.pauseOr(ctx, nil, onceRecheck, moved) != nil {
			return
		}
	}
}

func (l *applying) allReached(ctx context.Context, ends []change.Mark) (bool, error) {
	theirs, err := l.foreignMarks(ctx, ends)
	if err != nil {
		return false, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, end := range ends {
		m := theirs[end.Lane]
		if s := l.lanes[end.Lane]; s != nil {
			if s.busy {
				return false, nil
			}
			m = s.mark
		}
		if !reached(m, end) {
			return false, nil
		}
	}
	return true, nil
}
