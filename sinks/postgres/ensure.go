package postgres

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/fault"
	"github.com/tailwater-cdc/tailwater/sinks"
	"github.com/tailwater-cdc/tailwater/sinks/internal/reshape"
	"github.com/tailwater-cdc/tailwater/sinks/internal/upsert"
)

// ensure returns the plan for the shape of c. At its first use, and whenever c is a marker that says that it is the present one again, it makes
// sure that the target fits, and alters it where it may: in a transaction of its own, ahead of the rows, idempotent.
func (s *Sink) ensure(ctx context.Context, c *change.Change) (*plan, error) {
	table := c.Table
	if p, ok := s.plans.Get(table); ok && c.Op != change.NewShape {
		return p, nil
	}
	if err := checkNames(table); err != nil {
		return nil, err
	}
	pg, err := s.pool.acquire(ctx)
	if err != nil {
		return nil, err
	}
	defer s.pool.release(pg)
	t := &turn{table: table, pos: c.Pos, name: quoteIdent(s.config.Schema) + "." + quoteIdent(table.Name)}
	if t.fingerprint, err = change.Fingerprint(table); err != nil {
		return nil, err
	}
	if err := s.settle(ctx, pg, t); err != nil {
		return nil, fmt.Errorf("make sure that %s.%s fits %s: %w", s.config.Schema, table.Name, table, err)
	}
	if t.decision.Tell(s.log, table, t.statement, s.met); t.statement != "" {
		s.plans.Clear() // rows of other shapes meet another target now
	}
	p := &plan{table: table, name: t.name, mode: s.config.Mode, absent: true}
	if t.to != nil {
		if p, err = newPlan(table, t.to, s.config.Schema, s.config.Mode); err != nil {
			return nil, err
		}
		p.checked = s.config.TrustKeys && t.to.acting && !upsert.LogsActions(table)
	}
	s.plans.Put(table, p)
	return p, nil
}

// turn is one look at a target for one shape.
type turn struct {
	table       *change.Table
	fingerprint string
	pos         change.Position // of the change that needs it
	name        string          // of the target, quoted
	to          *target         // nil: there is none
	seen        shapes
	shared      bool // another source or sink writes to the table too
	decision    reshape.Decision
	statement   string // that was run
}

// settle brings the target to the shape in one transaction, records the shape in it, and leaves the target as it is then in t.
func (s *Sink) settle(ctx context.Context, pg *pgconn.PgConn, t *turn) (err error) {
	if err := begin(ctx, pg); err != nil {
		return err
	}
	// One at a time: two lanes meet a new shape at once, and CREATE TABLE IF NOT EXISTS races with itself. Whoever has the lock sees what was
	// recorded last, so a process that has fallen behind alters nothing.
	lock := "SELECT pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended($1, 0))::text"
	if _, err := query(ctx, pg, lock, s.config.Schema+"."+t.table.Name); err != nil {
		return wrapped("lock", err)
	}
	if t.seen, err = s.shapesOf(ctx, pg, t.table); err != nil {
		return err
	}
	if t.to, err = readTarget(ctx, pg, s.config.Schema, t.table.Name); err != nil {
		return err
	}
	if t.shared, err = s.checkOwner(ctx, pg, t.table, t.to); err != nil {
		return err
	}
	if t.to != nil && t.seen.Past(t.fingerprint, t.pos) {
		t.to.aliases = t.seen.Aliases(t.table)
		if err := fit(t.table, t.to, s.config.Schema, s.config.Mode); err != nil {
			return err
		}
		return wrapped("commit", pg.Exec(ctx, "COMMIT").Close())
	}
	if err := s.alter(ctx, pg, t); err != nil {
		return err
	}
	if t.to == nil { // ignored
		return wrapped("commit", pg.Exec(ctx, "COMMIT").Close())
	}
	if err := fit(t.table, t.to, s.config.Schema, s.config.Mode); err != nil {
		return err
	}
	if present := t.seen.Present(); present == nil || present.Fingerprint != t.fingerprint {
		if err := s.recordShape(ctx, pg, t); err != nil {
			return err
		}
	}
	if err := wrapped("commit", pg.Exec(ctx, "COMMIT").Close()); err != nil {
		return err
	}
	fault.Point("shape.recorded")
	return nil
}

// alter runs what brings the target to the shape, if anything does.
func (s *Sink) alter(ctx context.Context, pg *pgconn.PgConn, t *turn) (err error) {
	if t.statement, err = s.alteration(ctx, pg, t); err != nil || t.statement == "" {
		return err
	}
	fault.Point("shape.before")
	if err := pg.Exec(ctx, lockTimeout+t.statement).Close(); err != nil {
		return wrapped("run "+t.statement, err)
	}
	fault.Point("shape.altered")
	if t.to, err = readTarget(ctx, pg, s.config.Schema, t.table.Name); err != nil {
		return err
	}
	if t.to == nil {
		return halt("the table is not visible after %s", t.statement)
	}
	return nil
}

// lockTimeout bounds the wait for those who read the table: whoever comes behind a waiting ALTER TABLE waits with it. It is tried again later.
const lockTimeout = "SET LOCAL lock_timeout = '5s'; "

// noneParked halts for a key under new names while changes are parked under the old ones: nobody could tell which rows have to wait behind them
// (invariant 8).
func (s *Sink) noneParked(ctx context.Context, pg *pgconn.PgConn, t *turn) error {
	rows, err := query(ctx, pg, "SELECT 1 FROM "+s.own(upsert.TableParked)+" WHERE source = $1 AND sink = $2 AND schema = $3 AND name = $4 LIMIT 1",
		s.config.SourceID, s.config.SinkName, t.table.Schema, t.table.Name)
	if err != nil {
		return wrapped("look for parked changes", err)
	}
	if len(rows) > 0 {
		return halt("the key of %s has other columns or names than before, and changes are parked under the old ones: settle those first, `parked list` shows them", t.table)
	}
	return nil
}

// alteration is the statement that brings the target to the shape; empty if there is nothing to do.
func (s *Sink) alteration(ctx context.Context, pg *pgconn.PgConn, t *turn) (string, error) {
	d, err := newDDL(ctx, pg, t.table, s.config.Schema, s.config.Mode)
	if err != nil {
		return "", err
	}
	present := t.seen.Present()
	if t.to == nil {
		return t.decision.Create(reshape.Creation{Table: t.table, Name: t.name, Known: t.seen.Present() != nil, Forget: s.forgetSQL(t.table), SQL: d.create(),
			Policy: s.config.Policy, CreateTables: s.config.CreateTables})
	}
	d.to = t.to
	in := reshape.Input{Table: t.table, Target: &shaped{to: t.to, ddl: d, seen: t.seen}, Name: t.name, Policy: s.config.Policy,
		CreateTables: s.config.CreateTables, Shared: t.shared, Once: t.seen.Once, Forget: s.forgetSQL(t.table),
		Empty: func() (bool, error) { // also of tables that inherit from it: they get its columns
			rows, err := query(ctx, pg, "SELECT 1 FROM "+t.name+" LIMIT 1")
			return len(rows) == 0, wrapped("look for rows", err)
		},
		Cleared: func(name string) (bool, error) {
			rows, err := query(ctx, pg, "SELECT 1 FROM "+t.to.rows(t.name)+" WHERE "+quoteIdent(name)+" IS NOT NULL LIMIT 1")
			return len(rows) == 0, wrapped("look for values", err)
		}}
	if present != nil {
		in.Before = present.Table
	}
	if t.decision, err = reshape.Decide(in); err != nil {
		return "", err
	}
	for _, col := range t.decision.Fill {
		if _, err := change.ParseText(col, *col.Missing); err != nil {
			return "", halt("what rows from before %s.%s have in it: %w", t.table, col.Name, err)
		}
	}
	if old := t.decision.OldKey; s.config.Mode != Append && len(old) > 0 {
		if i := t.to.uniqueOn(old); i >= 0 {
			return "", halt("%s has a unique index on %s, the key that the source had before, so rows that it tells apart by its key of now would be refused: %s",
				t.name, strings.Join(old, ", "), d.rekey(t.to.unique[i]))
		}
	}
	if t.decision.Rekeyed {
		if err := s.noneParked(ctx, pg, t); err != nil {
			return "", err
		}
	}
	own := missingOwn(t.table, t.to, s.config.Mode)
	if len(own) > 0 && !s.config.CreateTables {
		return "", halt("%s lacks columns and create_tables is off: %s", t.name, d.alter(t.decision.Steps, own))
	}
	return d.alter(t.decision.Steps, own), nil
}

// forgetSQL forgets what shapes the table has had.
func (s *Sink) forgetSQL(t *change.Table) string {
	return "DELETE FROM " + s.own(upsert.TableShapes) + " WHERE source = " + quoteLiteral(s.config.SourceID) + " AND sink = " + quoteLiteral(s.config.SinkName) +
		" AND name = " + quoteLiteral(t.Name)
}

// met tells whoever counts.
func (s *Sink) met(c sinks.SchemaChange) {
	if s.config.OnSchemaChange != nil {
		s.config.OnSchemaChange(c)
	}
}
