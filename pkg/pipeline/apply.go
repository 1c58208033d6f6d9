package pipeline

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/stream"
	"github.com/tailwater-cdc/tailwater/sinks"
)

var (
	errOnce    = errors.New("all that was committed at the start is applied")
	errMoved   = errors.New("the target's marks have been moved by somebody else; they are loaded again")
	errLost    = errors.New("the lanes have been assigned to somebody else")
	errStopped = errors.New("asked to stop")
	errAgain   = errors.New("parked changes have been taken away; what is parked is loaded again")
	errParked  = errors.New("changes are parked")
)

// apply is the apply loop of one sink. Each run is one life.
type apply struct {
	cfg    *Config
	sink   *Sink
	board  *board
	log    *slog.Logger
	event  Event
	finish <-chan struct{} // with Once: closed when nothing more will be published
}

// applying is one life of an apply loop.
type applying struct {
	*apply
	target sinks.MarkSink
	sub    stream.Subscriber
	stop   context.CancelCauseFunc // ends fetching

	mu      sync.Mutex
	moved   chan struct{}  // closed and replaced when a mark has moved or lanes have been assigned
	streams map[string]int // parked changes of each assigned stream
	parked  int            // of all of them
	lanes   map[change.Lane]*laneState
	sorted  []*laneState // the lanes by stream and number
	running int          // deliveries that are being applied
	failed  error        // of the first delivery that failed
}

// run fetches until ctx is cancelled, or with Once until the lanes' ends as of finish. Each Delivery is applied in a goroutine of its
// own: a lane has at most one outstanding, so the lanes bound them.
func (a *apply) run(ctx, hard context.Context, ready func()) error {
	target, err := a.sink.Open(ctx)
	if err != nil {
		return fmt.Errorf("open: %w", err)
	}
	work, end := lingering(ctx, hard, a.cfg.DrainTimeout)
	defer end(nil)
	fetching, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	l := &applying{apply: a, target: target, stop: stop,
		moved: make(chan struct{}), streams: map[string]int{}, lanes: map[change.Lane]*laneState{}}
	a.board.marks(a.sink.Name, l.marks)
	defer a.board.marks(a.sink.Name, nil)
	trouble := func(err error) { a.board.trouble(a.sink.Name, err) }
	defer trouble(nil)
	l.sub, err = a.cfg.Stream.Subscriber(ctx, stream.Subscription{Sink: a.sink.Name, Begin: l.begin, Trouble: trouble})
	if err != nil {
		return errors.Join(fmt.Errorf("subscribe: %w", err), target.Close())
	}
	ready()
	var wg sync.WaitGroup
	if a.cfg.Once {
		wg.Go(func() { l.untilEnd(fetching) })
	}
	err = l.fetch(fetching, work, &wg)
	stop(err)
	wg.Wait()
	switch {
	case l.failed != nil:
		err = l.failed
	case errors.Is(context.Cause(fetching), errOnce):
		err = errOnce
	}
	err = l.outcome(ctx, err)
	ended := l.sub.Close()
	if errors.Is(err, ended) {
		ended = nil // Fetch has told it: one sentence
	}
	return errors.Join(err, ended, target.Close())
}

// outcome tells an end that was asked for from one that was not.
func (l *applying) outcome(ctx context.Context, err error) error {
	switch {
	case errors.Is(err, errOnce):
		if n := l.parkedNow(); n > 0 {
			return fmt.Errorf("%d %w in sink %s: `parked list` shows them", n, errParked, l.sink.Name)
		}
		return nil
	case ctx.Err() != nil && (l.failed == nil || errors.Is(l.failed, errMoved)):
		return nil // Fetch ended because it was told to; whoever has moved the marks has applied what we didn't
	case errors.Is(err, change.ErrFenced):
		return fmt.Errorf("%s", err.Error()) // lanes were lost, which ends nothing: the next life gets its own
	}
	return err
}

func (l *applying) fetch(ctx, work context.Context, wg *sync.WaitGroup) error {
	for {
		if err := context.Cause(ctx); err != nil { // a stream that has something needn't look
			return err
		}
		d, err := l.sub.Fetch(ctx, l.cfg.BatchBytes)
		if err != nil {
			return fmt.Errorf("fetch: %w", err)
		}
		l.mu.Lock()
		l.running++
		l.mu.Unlock()
		wg.Go(func() {
			defer l.over()
			switch err := l.deliver(ctx, work, d); {
			case err == nil, errors.Is(err, errStopped), errors.Is(err, errLost): // whoever has the lanes next applies it
			default:
				l.fail(err)
			}
		})
	}
}

// over says that a delivery is not being applied any more, whatever has become of it.
func (l *applying) over() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.running--
	l.wake()
}

// settled waits until nothing is being applied. A lane's mark may move until then, though the lane is lost: a call under way isn't cut short.
func (l *applying) settled(ctx context.Context) error {
	for {
		l.mu.Lock()
		running, moved := l.running, l.moved
		l.mu.Unlock()
		if running == 0 {
			return nil
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// fail ends this life with the first delivery's error.
func (l *applying) fail(err error) {
	l.mu.Lock()
	if l.failed == nil {
		l.failed = err
	}
	l.mu.Unlock()
	l.stop(err)
}

// wake lets everybody who waits for another lane look again. The caller holds mu.
func (l *applying) wake() {
	close(l.moved)
	l.moved = make(chan struct{})
}

// deliver applies one Delivery and commits it. Lost lanes are dropped before a target transaction begins, never in the middle.
func (l *applying) deliver(ctx, work context.Context, d stream.Delivery) error {
	j, err := l.job(d)
	if err != nil {
		return err
	}
	if err := j.behind(j.keys()); err != nil {
		return err
	}
	if len(j.changes) > 0 || len(j.parked) > 0 || moves(j) {
		err = l.settle(ctx, work, d.Lost, j)
	}
	if err == nil {
		err = l.commit(work, d, j)
	}
	if errors.Is(err, errLost) {
		l.lose(j)
	}
	return err
}

func (l *applying) commit(work context.Context, d stream.Delivery, j *job) error {
	err := l.sub.Commit(work, d)
	if errors.Is(err, change.ErrFenced) {
		return errLost
	}
	if err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range j.lanes {
		s.busy = false
	}
	l.wake()
	return nil
}

func moves(j *job) bool {
	for i := range j.to {
		if j.to[i] != j.from[i] {
			return true
		}
	}
	return false
}

// keys is what is parked in the lane of j; a job of several lanes is a marker, which has no key.
func (j *job) keys() *parkedKeys { return &j.lanes[0].parked }

// job prepares what of a delivery the marks don't cover. Nobody else drops anything (invariant 2).
func (l *applying) job(d stream.Delivery) (*job, error) {
	j := &job{lanes: make([]*laneState, len(d.To))}
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case <-d.Lost: // the state of its lanes may be the next assignment's by now
		return nil, errLost
	default:
	}
	for i, to := range d.To {
		s := l.lanes[to.Lane]
		if s == nil {
			return nil, fmt.Errorf("a delivery of lane %d of %s, which is not assigned: %w", to.Lane.N, to.Lane.Stream, errLost)
		}
		if err := older(d, i, s.mark); err != nil {
			return nil, err
		}
		j.lanes[i] = s
		j.from = append(j.from, s.mark)
		j.to = append(j.to, change.Mark{Lane: to.Lane, Next: to.Next, Pos: max2(s.mark.Pos, to.Pos)})
	}
	j.changes = l.uncovered(d.Changes, j.from)
	head := j.to[0].Pos
	if len(j.changes) > 0 {
		head = j.changes[0].Pos
	}
	for _, s := range j.lanes {
		s.busy, s.head = true, head
	}
	l.wake()
	return j, nil
}

// older says that a lane goes on, behind its mark, with an epoch below the mark's: another life of the source publishes under a number that has
// been used. Every one of its changes would pass for applied (invariant 5).
func older(d stream.Delivery, i int, mark change.Mark) error {
	if len(d.Changes) == 0 || d.From[i].Next < mark.Next || d.Changes[0].Pos.Epoch >= mark.Pos.Epoch {
		return nil
	}
	return fmt.Errorf("lane %d of %s goes on at %d with epoch %d, but the target has applied up to epoch %d: the checkpoint that counted the epochs is lost; stop capture, remove the checkpoint, and start with --new-epoch, which reads all rows again: %w",
		mark.Lane.N, mark.Lane.Stream, d.From[i].Next, d.Changes[0].Pos.Epoch, mark.Pos.Epoch, change.ErrGap)
}

// uncovered is c without what every one of the marks covers; c itself where that is nothing, which costs no copy.
func (l *applying) uncovered(c []change.Change, marks []change.Mark) []change.Change {
	low := marks[0].Pos
	for _, m := range marks[1:] {
		if m.Pos.Less(low) {
			low = m.Pos
		}
	}
	first := 0
	for first < len(c) && !low.Covers(&c[first]) {
		first++
	}
	if first == len(c) {
		return c
	}
	kept := append(make([]change.Change, 0, len(c)), c[:first]...)
	for i := first; i < len(c); i++ {
		if low.Covers(&c[i]) {
			l.cfg.Observer.rows(l.event, StageSkipped, c[i:i+1])
		} else {
			kept = append(kept, c[i])
		}
	}
	return kept
}

// applied takes in that j is durable in the target.
func (l *applying) applied(j *job, took time.Duration) error {
	now := time.Now()
	l.cfg.Observer.applied(l.event, took)
	l.cfg.Observer.rows(l.event, StageApplied, j.changes)
	l.cfg.Observer.latency(l.event, j.changes, now)
	l.mu.Lock()
	more, err := j.record()
	l.streams[j.to[0].Lane.Stream] += more
	l.parked += more
	for i, s := range j.lanes {
		s.mark, s.head, s.since = j.to[i], max2(s.head, j.to[i].Pos), now
	}
	l.wake()
	l.mu.Unlock()
	if n := len(j.parked); n > 0 {
		l.log.Warn("the target refused changes: parked with all later ones of their keys", "pipeline", l.cfg.Name, "sink", l.sink.Name,
			"n", n, "table", j.parked[0].Change.Table.String(), "pos", j.parked[0].Change.Pos.String(), "code", j.parked[0].Code, "err", j.parked[0].Cause)
		for i := range j.parked {
			l.cfg.Observer.rows(l.event, StageParked, []change.Change{j.parked[i].Change})
		}
	}
	if more != 0 {
		l.report()
	}
	return err
}
