package mysql

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/fault"
	"github.com/tailwater-cdc/tailwater/sinks"
	"github.com/tailwater-cdc/tailwater/sinks/internal/upsert"
)

// A deadlock has rolled back the whole transaction; it is made again so often, after a moment, before the caller hears of it.
const (
	deadlockTries = 10
	deadlockPause = 20 * time.Millisecond // at most, times the number of tries
)

// call is one ApplyAt.
type call struct {
	changes    []change.Change
	parked     []sinks.Parked
	from, to   []change.Mark
	plans      map[*change.Table]*plan
	targets    []*plan // one for each target
	generation int     // of the plans
	again      bool    // the plans have been made for this attempt
}

// ApplyAt is sinks.MarkSink. Where a row is refused, it begins again and searches for exactly the refused ones.
func (s *Sink) ApplyAt(ctx context.Context, c []change.Change, parked []sinks.Parked, from, to []change.Mark) error {
	if err := upsert.CheckMarks(from, to); err != nil {
		return err
	}
	run := call{changes: c, parked: parked, from: from, to: to, generation: s.plans.Generation()}
	err := s.persist(ctx, &run)
	if _, blamed := errors.AsType[*doubtful](err); blamed { // somebody may have altered the target: no row is refused for that
		run.generation, run.again = s.plans.Forget(run.generation), true
		err = s.persist(ctx, &run)
	}
	if err == nil {
		s.emptied(&run)
	}
	return s.plans.Judge(run.generation, err, isStale)
}

// doubtful is a refusal of the server's under plans that were made before this call: the target may be another by now.
type doubtful struct{ err error }

func (e *doubtful) Error() string { return e.err.Error() }
func (e *doubtful) Unwrap() error { return e.err }

// doubted says whether a refusal is to be met again with new plans before a row is blamed.
func (run *call) doubted(err error) bool {
	if run.again {
		return false
	}
	if isServers(err) {
		return true
	}
	for i := range run.changes {
		if run.changes[i].Op == change.Truncate {
			return isReferenced(err) // a foreign key that is new decides in which order tables are emptied
		}
	}
	return false
}

// persist attempts the call until it meets no deadlock.
func (s *Sink) persist(ctx context.Context, run *call) error {
	for try := 1; ; try++ {
		err := s.attempt(ctx, run)
		if !isDeadlock(err) || try == deadlockTries {
			return err
		}
		select {
		case <-time.After(rand.N(deadlockPause * time.Duration(try))):
		case <-ctx.Done():
			return err
		}
	}
}

func (s *Sink) attempt(ctx context.Context, run *call) error {
	if err := s.plan(ctx, run); err != nil {
		return err
	}
	c, err := s.pool.acquire(ctx)
	if err != nil {
		return err
	}
	defer s.pool.release(c) // rolls back what has not been committed
	err = s.applyWhole(ctx, c, run)
	if !upsert.IsRowError(err) {
		return err
	}
	if run.doubted(err) {
		return &doubtful{err}
	}
	if _, err := c.exec(ctx, "ROLLBACK"); err != nil {
		return wrapped("roll back", err)
	}
	return s.applySearching(ctx, c, run)
}

// plan makes sure that the target fits every shape of the call, before its transaction.
func (s *Sink) plan(ctx context.Context, run *call) error {
	run.plans, run.targets = make(map[*change.Table]*plan), []*plan{}
	var last *change.Table
	for i := range run.changes {
		c := &run.changes[i]
		if row := c.Row(); !c.Op.IsMarker() && len(row) != len(c.Table.Columns) {
			return halt("%s of %s at %s has %d values for %d columns", c.Op, c.Table, c.Pos, len(row), len(c.Table.Columns))
		}
		if err := s.mayEmpty(c); err != nil {
			return err
		}
		if c.Table == last && c.Op != change.NewShape {
			continue
		}
		last = c.Table
		if _, ok := run.plans[last]; ok && c.Op != change.NewShape {
			continue
		}
		p, err := s.ensure(ctx, c)
		if err != nil {
			return err
		}
		if run.plans[last] = p; p.absent {
			continue
		}
		if at := slices.IndexFunc(run.targets, func(t *plan) bool { return t.name == p.name }); at >= 0 {
			run.targets[at] = p // a later shape of the same table: the target fits both, and looks as when it was made to fit this one
		} else {
			run.targets = append(run.targets, p)
		}
	}
	return nil
}

// applyWhole applies the call as one fold.
func (s *Sink) applyWhole(ctx context.Context, c *conn, run *call) error {
	steps, err := upsert.Fold(run.changes, s.config.Mode.folding())
	if err != nil {
		return err
	}
	if err := s.begin(ctx, c, run.from, run.targets); err != nil { // Invariant 2: first of all
		return wrapped("begin", err)
	}
	fault.Point("sink.begun")
	x := newScript(c, s.server.packet)
	w := s.writer(x, run)
	if err := w.write(ctx, steps); err != nil {
		return wrapped("apply", err)
	}
	return s.end(ctx, x, run)
}

// applySearching applies the call in ever smaller parts until it knows which changes are refused. Where none is, because they were refused
// only as they were folded, it commits.
func (s *Sink) applySearching(ctx context.Context, c *conn, run *call) error {
	if err := s.begin(ctx, c, run.from, run.targets); err != nil {
		return wrapped("begin", err)
	}
	x := newScript(c, s.server.packet)
	refused, err := upsert.Bisect(run.changes, func(part []change.Change) error { return s.try(ctx, x, run, part) })
	if err != nil {
		return err
	}
	if len(refused) > 0 {
		return &sinks.PartialError{Refused: refused}
	}
	return s.end(ctx, x, run)
}

// try applies some of the changes. Where rows of one transaction are in each other's way, they are taken out first and written anew.
func (s *Sink) try(ctx context.Context, x *script, run *call, part []change.Change) error {
	w := s.writer(x, run)
	err := s.tryOnce(ctx, run, w, part)
	if !isTaken(err) || len(part) == 1 || !upsert.OneTransaction(part) {
		return err
	}
	anew, failed := s.movable(ctx, x.c, run, part)
	if failed != nil || len(anew) == 0 {
		return cmp.Or(failed, err)
	}
	w = s.writer(x, run)
	w.anew = anew
	if again := s.tryOnce(ctx, run, w, part); !upsert.IsRowError(again) {
		return again
	}
	return err
}

// movable are the tables of the changes whose rows can be deleted and inserted again, and nothing is lost by it.
func (s *Sink) movable(ctx context.Context, c *conn, run *call, part []change.Change) (map[*change.Table]bool, error) {
	out := map[*change.Table]bool{}
	for i := range part {
		t := part[i].Table
		p := run.plans[t]
		if out[t] || p.absent || p.mode != Upsert || !p.keyed() {
			continue
		}
		to, err := readTarget(ctx, c, s.at(), t.Name)
		if err != nil {
			return nil, err
		}
		if to != nil && len(to.references) == 0 && len(p.columns) == to.written() {
			out[t] = true
		}
	}
	return out, nil
}

// tryOnce applies some of the changes behind a savepoint, and goes back to it if they are refused.
func (s *Sink) tryOnce(ctx context.Context, run *call, w writer, part []change.Change) error {
	x := w.x
	steps, err := upsert.Fold(part, s.config.Mode.folding())
	if err != nil {
		return err
	}
	x.reset()
	if _, err := x.c.exec(ctx, "SAVEPOINT tailwater"); err != nil { // by itself: what is refused before it is sent goes back to this one too
		return wrapped("set a savepoint", err)
	}
	if err = w.write(ctx, steps); err == nil {
		err = x.flush(ctx)
	}
	if err = wrapped("apply", err); err == nil || !upsert.IsRowError(err) {
		return err
	}
	if run.doubted(err) {
		return &doubtful{&sinks.Error{Class: sinks.Retry, Err: err}} // ends the search
	}
	x.reset()
	if _, back := x.c.exec(ctx, "ROLLBACK TO SAVEPOINT tailwater"); back != nil {
		return wrapped("roll back", back)
	}
	if isCollision(err) && len(part) == 1 {
		return s.explain(ctx, x, run, steps, err)
	}
	return err
}

// end writes what the call writes besides rows, the parked changes and the marks, in the rows' own transaction (invariant 8), and commits.
func (s *Sink) end(ctx context.Context, x *script, run *call) error {
	if len(run.from) > 0 && s.streams.MayHaveParked(run.from[0].Lane.Stream, len(run.parked)) {
		s.supersede(x, run.changes, run.from[0].Lane.Stream)
	}
	if err := x.settle(s.park(ctx, x, run.parked)); err != nil {
		return wrapped("park", err)
	}
	s.moveMarks(x, run.to)
	if err := x.flush(ctx); err != nil {
		return wrapped("apply", err)
	}
	fault.Point("sink.written")
	if _, err := x.c.exec(ctx, "COMMIT"); err != nil {
		return wrapped("commit", err)
	}
	x.c.dirty = false
	fault.Point("sink.committed")
	return nil
}

// explain lets the server say which unique index a row collides with: an INSERT that overwrites nothing fails in its own words.
func (s *Sink) explain(ctx context.Context, x *script, run *call, steps []upsert.Step, err error) error {
	for _, step := range steps {
		for _, r := range step.Runs {
			if r.Action != upsert.Put && r.Action != upsert.Add || len(r.Rows) != 1 {
				continue
			}
			p := run.plans[r.Table]
			columns := p.present(r.Present)
			statement := []byte(p.insert(columns).head)
			statement, encoded := p.appendRow(statement, columns, &r.Rows[0])
			if encoded != nil {
				return err
			}
			_, said := x.c.exec(ctx, string(statement))
			if named := wrapped("apply", said); sinks.ClassOf(named) == sinks.Wait && said != nil {
				return named
			}
			if said == nil { // can't be: put back what it inserted
				_, said = x.c.exec(ctx, "ROLLBACK TO SAVEPOINT tailwater")
				return errors.Join(err, said)
			}
		}
	}
	return fmt.Errorf("another row stands in the way: %w", err)
}
