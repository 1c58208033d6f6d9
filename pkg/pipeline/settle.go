package pipeline

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/sinks"
)

// settle makes j durable: applied, or parked where the target refuses (invariant 8). What stands before a new shape of its table goes first and by
// itself: the target may not be altered while rows of the shape before are on their way to it.
func (l *applying) settle(ctx, work context.Context, lost <-chan struct{}, j *job) error {
	for n := j.beforeShape(); n > 0; n = j.beforeShape() {
		if err := l.settleWhole(ctx, work, lost, j.cut(n)); err != nil {
			return err
		}
		if err := j.behind(j.keys()); err != nil {
			return err
		}
	}
	return l.settleWhole(ctx, work, lost, j)
}

// beforeShape is how many changes stand before the first marker of a new shape whose table has changes before it; 0: there is none. A marker that
// all lanes have waited for comes alone.
func (j *job) beforeShape() int {
	isShape := func(c change.Change) bool { return c.Op == change.NewShape }
	if len(j.lanes) != 1 || !slices.ContainsFunc(j.changes, isShape) {
		return 0
	}
	seen := map[string]*change.Table{}
	var last *change.Table
	for i := range j.changes {
		table := j.changes[i].Table
		if table == last {
			continue
		}
		if was := seen[keysOf(table)]; was != nil && was != table && isShape(j.changes[i]) {
			return i
		}
		last = table
		seen[keysOf(table)] = table
	}
	return 0
}

func (l *applying) settleWhole(ctx, work context.Context, lost <-chan struct{}, j *job) error {
	for {
		if err := l.room(ctx, lost, j); err != nil {
			return err
		}
		began := time.Now()
		err := l.applyAt(ctx, work, lost, j)
		if err == nil {
			return l.applied(j, time.Since(began))
		}
		partial, ok := errors.AsType[*sinks.PartialError](err)
		if !ok {
			return err
		}
		if err := j.check(partial); err != nil {
			return err
		}
		if i := j.waits(partial); i >= 0 {
			err = l.inOrder(ctx, work, lost, cutting{j: j, at: i})
		} else {
			err = l.reject(j, partial.Refused)
		}
		if err != nil {
			return err
		}
	}
}

// check refuses a PartialError that doesn't name changes of the call, which would loop for ever.
func (j *job) check(p *sinks.PartialError) error {
	if len(p.Refused) == 0 {
		return fmt.Errorf("the sink refused a call and named no change: %w", change.ErrHalt)
	}
	for _, r := range p.Refused {
		if r.Index < 0 || r.Index >= len(j.changes) {
			return fmt.Errorf("the sink refused change %d of %d: %w", r.Index, len(j.changes), change.ErrHalt)
		}
	}
	return nil
}

// waits is the first refused change whose order has not been waited for, or -1.
func (j *job) waits(p *sinks.PartialError) int {
	for _, r := range p.Refused {
		if r.Class == sinks.Wait && j.waited.Less(j.changes[r.Index].Pos) {
			return r.Index
		}
	}
	return -1
}

// reject parks what was refused, or halts where the sink is configured to.
func (l *applying) reject(j *job, refused []sinks.Refused) error {
	for _, r := range refused {
		c := &j.changes[r.Index]
		if !c.Op.IsMarker() && l.sink.OnError == Park {
			continue
		}
		return fmt.Errorf("sink %s refused a %s of %s at %s, key %s, code %s: %w: %w", l.sink.Name, c.Op, c.Table, c.Pos, keyText(c), r.Code, r.Cause, change.ErrHalt)
	}
	return j.refuse(refused)
}

func keyText(c *change.Change) string {
	if c.Op.IsMarker() {
		return "none"
	}
	key, err := change.AppendKey(nil, c.Table, c.Row())
	if err != nil {
		return err.Error()
	}
	return string(key)
}

// applyAt calls the target, again and again while what fails is passing. A call under way is never cut short by a lost lane or a
// stop: it ends, or work does.
func (l *applying) applyAt(ctx, work context.Context, lost <-chan struct{}, j *job) error {
	failed := false
	defer func() {
		if failed {
			l.board.retried(l.sink.Name)
		}
	}()
	for wait := l.cfg.minBackoff; ; wait = min(2*wait, l.cfg.maxBackoff) {
		select {
		case <-lost:
			return errLost
		default:
		}
		call, cancel := context.WithCancel(work)
		err := l.target.ApplyAt(call, j.changes, j.parked, j.from, j.to)
		cancel()
		if failed && errors.Is(err, change.ErrFenced) {
			if applied, loadErr := l.stands(work, j.to); applied || loadErr != nil {
				return loadErr
			}
		}
		if done, err := verdict(err); done {
			return err
		}
		l.board.retry(l.sink.Name, !failed, err)
		failed = true
		if work.Err() != nil {
			return fmt.Errorf("apply: %w: %w", err, context.Cause(work))
		}
		code := codeOf(err)
		l.cfg.Observer.retry(l.event, code)
		l.board.fail(fmt.Errorf("sink %s: %w", l.sink.Name, err))
		l.log.Warn("the target failed; trying again", "pipeline", l.cfg.Name, "sink", l.sink.Name, "code", code, "wait", wait, "err", err)
		if err := l.pause(ctx, lost, jittered(wait)); err != nil {
			return err
		}
	}
}

// stands says that the target's marks are the ones a call was to leave behind: the answer to its commit was lost, not the commit. No
// other call leads to the same marks, and rows without a key would come twice if it were made again.
func (l *applying) stands(work context.Context, to []change.Mark) (bool, error) {
	states := map[string]sinks.State{}
	for _, m := range to {
		state, ok := states[m.Lane.Stream]
		if !ok {
			var err error
			if state, err = l.target.Load(work, m.Lane.Stream); err != nil {
				return false, fmt.Errorf("load marks of %s: %w", m.Lane.Stream, err)
			}
			states[m.Lane.Stream] = state
		}
		if !slices.Contains(state.Marks, m) {
			return false, nil
		}
	}
	return true, nil
}

// verdict says whether err ends the call; if not, the same call may succeed later.
func verdict(err error) (bool, error) {
	switch _, partial := errors.AsType[*sinks.PartialError](err); {
	case err == nil, partial:
		return true, err
	case errors.Is(err, change.ErrFenced):
		return true, fmt.Errorf("%w: %s", errMoved, err.Error())
	case errors.Is(err, change.ErrHalt), errors.Is(err, change.ErrGap):
		return true, err
	case sinks.ClassOf(err) != sinks.Retry:
		return true, fmt.Errorf("%w: %w", err, change.ErrHalt)
	}
	return false, err
}

func codeOf(err error) string {
	if e, ok := errors.AsType[*sinks.Error](err); ok && e.Code != "" {
		return e.Code
	}
	return "unknown"
}

// jittered is d, more or less a quarter, so that many loops don't come back at once.
func jittered(d time.Duration) time.Duration {
	return d - d/4 + rand.N(d/2+1)
}

// pause waits; a lost lane or a stop ends it with an error, and the delivery is dropped.
func (l *applying) pause(ctx context.Context, lost <-chan struct{}, d time.Duration) error {
	return l.pauseOr(ctx, lost, d, nil)
}

func (l *applying) pauseOr(ctx context.Context, lost <-chan struct{}, d time.Duration, early <-chan struct{}) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-early:
	case <-lost:
		return errLost
	case <-ctx.Done():
		return errStopped
	}
	return nil
}

// fits says that j may park what it wants to while n changes are parked. One job that is above the limit alone fits where nothing is parked:
// nobody could make room for it.
func (l *applying) fits(j *job, n int) bool {
	return len(j.parked) == 0 || n == 0 || n+len(j.parked) <= l.sink.ParkedLimit
}

// room lets a job that parks wait while parked_limit is reached. Nothing is ever dropped for it; somebody must act.
func (l *applying) room(ctx context.Context, lost <-chan struct{}, j *job) error {
	if l.fits(j, l.parkedNow()) {
		return nil
	}
	l.log.Error("parked_limit is reached: the lane pauses; `tailwater parked list` says what was refused: take the cause away at the target, raise the sink's parked_limit and start again, then take a new snapshot of the tables", "pipeline", l.cfg.Name,
		"sink", l.sink.Name, "limit", l.sink.ParkedLimit, "n", l.parkedNow(), "table", j.parked[0].Change.Table.String(), "code", j.parked[0].Code, "err", j.parked[0].Cause)
	l.board.pausing(l.sink.Name, 1)
	defer l.board.pausing(l.sink.Name, -1)
	for {
		if err := l.pause(ctx, lost, l.cfg.parkedRecheck); err != nil {
			return err
		}
		n := 0
		for _, name := range l.assigned() {
			state, err := l.target.Load(ctx, name)
			if err != nil {
				return fmt.Errorf("load what is parked of %s: %w", name, err)
			}
			n += len(state.Parked)
		}
		if l.fits(j, n) {
			return errAgain // other keys may have been taken away than those we know of
		}
	}
}

func (l *applying) assigned() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var names []string
	for name := range l.streams {
		names = append(names, name)
	}
	return names
}
