package postgres

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/fault"
	"github.com/tailwater-cdc/tailwater/sinks"
	"github.com/tailwater-cdc/tailwater/sinks/internal/upsert"
)

// call is one ApplyAt.
type call struct {
	changes    []change.Change
	parked     []sinks.Parked
	from, to   []change.Mark
	plans      map[*change.Table]*plan
	generation int  // of the plans
	again      bool // the plans have been made for this attempt
}

// ApplyAt is sinks.MarkSink. It sends everything in one round trip and commits in a second one. Where a row is refused, it begins again
// and searches for exactly the refused ones.
func (s *Sink) ApplyAt(ctx context.Context, c []change.Change, parked []sinks.Parked, from, to []change.Mark) error {
	if err := upsert.CheckMarks(from, to); err != nil {
		return err
	}
	run := call{changes: c, parked: parked, from: from, to: to, generation: s.plans.Generation()}
	err := s.attempt(ctx, &run)
	if isOutdated(err) { // somebody has altered the target: no row is refused for that
		run.generation, run.again = s.plans.Forget(run.generation), true
		err = s.attempt(ctx, &run)
	}
	if err == nil {
		s.emptied(&run)
	}
	return s.plans.Judge(run.generation, err, isStale)
}

func (s *Sink) attempt(ctx context.Context, run *call) error {
	if err := s.plan(ctx, run); err != nil {
		return err
	}
	return s.transact(ctx, run)
}

// plan makes sure that the target fits every shape of the call, before its transaction.
func (s *Sink) plan(ctx context.Context, run *call) error {
	run.plans = make(map[*change.Table]*plan)
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
		run.plans[last] = p
	}
	return nil
}

// mayEmpty halts for a Truncate of the source's that nobody has allowed. One that begins a snapshot is the sink's own affair.
func (s *Sink) mayEmpty(c *change.Change) error {
	if c.Op == change.Truncate && c.Txn != nil && s.config.Policy.Of(sinks.KindTruncate) == sinks.Halt {
		return halt("the source has emptied %s at %s, and on_schema_change.truncate is halt: start once with apply, which empties the target, or ignore, which keeps its rows", c.Table, c.Pos)
	}
	return nil
}

// emptied tells of the call's Truncates, once they are durable.
func (s *Sink) emptied(run *call) {
	for i := range run.changes {
		c := &run.changes[i]
		if c.Op != change.Truncate || c.Txn == nil || run.plans[c.Table].absent {
			continue
		}
		action := s.config.Policy.Of(sinks.KindTruncate)
		if action == sinks.Ignore {
			s.log.Warn("the source has emptied a table and the target keeps its rows, as on_schema_change says", "table", c.Table.String(), "pos", c.Pos.String())
		}
		s.met(sinks.SchemaChange{Table: c.Table, Kind: sinks.KindTruncate, Action: action})
	}
}

func (s *Sink) transact(ctx context.Context, run *call) error {
	pg, err := s.pool.acquire(ctx)
	if err != nil {
		return err
	}
	defer s.pool.release(pg) // rolls back what has not been committed
	err = run.ofValue(s.applyWhole(ctx, pg, run))
	if !isRowError(err) || isOutdated(err) && !run.again {
		return err
	}
	if pg.TxStatus() != 'I' {
		if err := pg.Exec(ctx, "ROLLBACK").Close(); err != nil {
			return wrapped("roll back", err)
		}
	}
	return s.applySearching(ctx, pg, run)
}

// applyWhole applies the call in order, the server at work on one fold while the next is made.
func (s *Sink) applyWhole(ctx context.Context, pg *pgconn.PgConn, run *call) error {
	x := newExchange(ctx, pg)
	x.exec(beginSQL)
	x.exec(deferred)
	s.lockMarks(x, run.from) // Invariant 2: first of all, and compared before anything can be committed
	fault.Point("sink.begun")
	if err := errors.Join(s.writeAll(x, run), s.end(x, run)); err != nil {
		x.abandon()
		return err
	}
	if err := x.finish(); err != nil {
		return wrapped("apply", err)
	}
	return commit(ctx, pg)
}

// writeAll queues all changes of the call. The first fold is a short one, for the server waits for it.
func (s *Sink) writeAll(x *exchange, run *call) error {
	w := s.writer(x, run)
	rows := firstRows
	for rest := run.changes; len(rest) > 0; rows = statementRows {
		n := upsert.FoldLength(rest, rows)
		steps, err := upsert.Fold(rest[:n], s.config.Mode.folding())
		if err != nil {
			return err
		}
		if err := w.write(steps); err != nil {
			return err
		}
		rest = rest[n:]
	}
	return nil
}

// applySearching applies the call in ever smaller parts until it knows which changes are refused. Where none is, because they were refused
// only as they were folded, it commits.
func (s *Sink) applySearching(ctx context.Context, pg *pgconn.PgConn, run *call) error {
	x := newExchange(ctx, pg)
	x.exec(beginSQL)
	s.lockMarks(x, run.from)
	if err := x.finish(); err != nil {
		return wrapped("begin", err)
	}
	refused, err := upsert.Bisect(run.changes, func(c []change.Change) error { return s.try(ctx, pg, run, c) })
	if err != nil {
		return err
	}
	if len(refused) > 0 {
		return &sinks.PartialError{Refused: refused}
	}
	x = newExchange(ctx, pg)
	if err := s.end(x, run); err != nil {
		x.abandon()
		return err
	}
	if err := x.finish(); err != nil {
		return wrapped("apply", err)
	}
	return commit(ctx, pg)
}

// try applies some of the changes. Where rows of one transaction are in each other's way, they are taken out first and written anew.
func (s *Sink) try(ctx context.Context, pg *pgconn.PgConn, run *call, c []change.Change) error {
	err := s.tryOnce(ctx, pg, run, attempted{changes: c})
	if !isCollision(err) || len(c) == 1 || !upsert.OneTransaction(c) {
		return err
	}
	anew, failed := s.movable(ctx, pg, run, c)
	if failed != nil || len(anew) == 0 {
		return cmp.Or(failed, err)
	}
	if again := s.tryOnce(ctx, pg, run, attempted{changes: c, anew: anew}); !isRowError(again) {
		return again
	}
	return err
}

// movable are the tables of the changes whose rows can be deleted and inserted again, and nothing is lost by it.
func (s *Sink) movable(ctx context.Context, pg *pgconn.PgConn, run *call, c []change.Change) (map[*change.Table]bool, error) {
	out := map[*change.Table]bool{}
	for i := range c {
		t := c[i].Table
		p := run.plans[t]
		if out[t] || p.absent || p.mode != Upsert || !p.keyed() {
			continue
		}
		to, err := readTarget(ctx, pg, s.config.Schema, t.Name)
		if err != nil {
			return nil, err
		}
		if to != nil && !to.referenced && !to.triggers && len(p.columns) == to.written() {
			out[t] = true
		}
	}
	return out, nil
}

// attempted are changes that are tried.
type attempted struct {
	changes []change.Change
	anew    map[*change.Table]bool // see writer
}

// tryOnce applies some of the changes behind a savepoint, and goes back to it if they are refused.
func (s *Sink) tryOnce(ctx context.Context, pg *pgconn.PgConn, run *call, a attempted) error {
	c := a.changes
	steps, err := upsert.Fold(c, s.config.Mode.folding())
	if err != nil {
		return err
	}
	x := newExchange(ctx, pg)
	x.exec("SAVEPOINT tailwater")
	x.exec(deferred)
	w := s.writer(x, run)
	w.anew = a.anew
	if err = w.write(steps); err != nil {
		x.abandon()
	} else {
		x.exec(immediate)
		err = run.ofValue(wrapped("apply", x.finish()))
	}
	if pg.IsClosed() {
		return err
	}
	if err == nil { // not in the exchange: that a Patch hit its rows is known only here
		return wrapped("apply", pg.Exec(ctx, "RELEASE SAVEPOINT tailwater").Close())
	}
	if own, ok := errors.AsType[*sinks.Error](err); ok && isOutdated(err) && !run.again {
		return &sinks.Error{Class: sinks.Retry, Code: own.Code, Err: err} // ends the search: it would blame every row
	}
	if back := pg.Exec(ctx, "ROLLBACK TO SAVEPOINT tailwater; RELEASE SAVEPOINT tailwater").Close(); back != nil {
		return fmt.Errorf("%w; roll back: %w", err, back)
	}
	return err
}

// What the source checked at its transaction's end may not hold before. immediate checks it while the changes it is about can still be told.
const (
	deferred  = "SET CONSTRAINTS ALL DEFERRED"
	immediate = "SET CONSTRAINTS ALL IMMEDIATE"
)

// end queues what the call writes besides rows: the parked changes and the marks, in the rows' own transaction (invariant 8).
func (s *Sink) end(x *exchange, run *call) error {
	x.exec(immediate)
	s.compareTargets(x, run)
	if len(run.from) > 0 && s.streams.MayHaveParked(run.from[0].Lane.Stream, len(run.parked)) {
		s.supersede(x, run.changes, run.from[0].Lane.Stream)
	}
	if err := s.park(x, run.parked); err != nil {
		return err
	}
	s.moveMarks(x, run.to)
	return nil
}

func commit(ctx context.Context, pg *pgconn.PgConn) error {
	fault.Point("sink.written")
	if err := pg.Exec(ctx, "COMMIT").Close(); err != nil {
		return wrapped("commit", err)
	}
	fault.Point("sink.committed")
	return nil
}
