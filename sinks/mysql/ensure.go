package mysql

import (
	"context"
	"database/sql"
	"fmt"
	"reflect"
	"strings"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/fault"
	"github.com/tailwater-cdc/tailwater/sinks"
	"github.com/tailwater-cdc/tailwater/sinks/internal/reshape"
	"github.com/tailwater-cdc/tailwater/sinks/internal/upsert"
)

// at is where the sink's rows go.
func (s *Sink) at() destination {
	return destination{database: s.config.Schema, mode: s.config.Mode, dialect: s.server.dialect, folds: s.server.folds}
}

// ensure returns the plan for the shape of c. At its first use, and whenever c is a marker that says that it is the present one again, it makes
// sure that the target fits, and alters it where it may: ahead of the transaction of the rows, which DDL would end, and so that whatever step
// was the last before a crash, all of it can be done again.
func (s *Sink) ensure(ctx context.Context, m *change.Change) (*plan, error) {
	table := m.Table
	if p, ok := s.plans.Get(table); ok && m.Op != change.NewShape {
		return p, nil
	}
	if err := checkNames(table); err != nil {
		return nil, err
	}
	c, err := s.pool.acquire(ctx)
	if err != nil {
		return nil, err
	}
	defer s.pool.release(c)
	t := &turn{table: table, pos: m.Pos, name: qualified(s.config.Schema, table.Name)}
	if t.fingerprint, err = change.Fingerprint(table); err != nil {
		return nil, err
	}
	if err := s.settle(ctx, c, t); err != nil {
		return nil, fmt.Errorf("make sure that %s.%s fits %s: %w", s.config.Schema, table.Name, table, err)
	}
	if t.decision.Tell(s.log, table, t.statement, s.met); t.statement != "" {
		s.plans.Clear() // rows of other shapes meet another target now
	}
	p := &plan{table: table, name: t.name, mode: s.config.Mode, absent: true}
	if t.to != nil {
		if p, err = s.planFor(ctx, c, t); err != nil {
			return nil, err
		}
	}
	s.plans.Put(table, p)
	return p, nil
}

// planFor makes the plan for a target that fits, and notes how that looks.
func (s *Sink) planFor(ctx context.Context, c *conn, t *turn) (*plan, error) {
	p, err := newPlan(t.table, t.to, s.at())
	if err != nil {
		return nil, err
	}
	if err := s.pin(ctx, c, p); err != nil {
		return nil, fmt.Errorf("look at %s: %w", p.name, err)
	}
	if s.config.TrustKeys && !upsert.LogsActions(t.table) {
		if p.checked, err = acting(ctx, c, s.at(), t.table.Name); err != nil {
			return nil, fmt.Errorf("look at the foreign keys of %s: %w", p.name, err)
		}
	}
	for _, k := range t.table.Key {
		if col := &t.table.Columns[k]; vague(t.table.Engine, col, t.to.column(col.Name)) {
			s.log.Warn("a key of the target compares by a collation: two keys that it takes for equal and the source does not would be one row",
				"table", p.name, "column", col.Name, "collation", t.to.column(col.Name).collation)
		}
	}
	return p, nil
}

// pin notes how the target looks while nobody can alter it, if it is then what the plan was made for.
func (s *Sink) pin(ctx context.Context, c *conn, p *plan) error {
	c.dirty = true
	err := c.each(ctx, beginSQL+"; "+strings.Join(p.lookSQL(), "; "), func(i int, rows *sql.Rows) error {
		looks, err := look(i, rows)
		p.looks = append(p.looks, looks)
		return err
	})
	if err != nil {
		return wrapped("read its columns", err)
	}
	now, err := readTarget(ctx, c, s.at(), p.table.Name)
	if err != nil {
		return err
	}
	if now == nil || !reflect.DeepEqual(now.columns, p.to.columns) {
		return retryError("somebody is altering it")
	}
	return nil
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

// settle brings the target to the shape and leaves it as it is then in t. DDL commits by itself, so the shape is recorded last: what was done before a
// crash is found in the catalogue, and only what is missing is done again. All of it happens under one lock of the session that runs the DDL,
// behind a look at what was recorded last: a process that has fallen behind alters nothing, and one that loses its session loses both.
func (s *Sink) settle(ctx context.Context, c *conn, t *turn) error {
	unlock, err := s.lock(ctx, c, s.at().folded(t.table.Name)) // two lanes meet a new shape at once
	if err != nil {
		return err
	}
	defer unlock()
	if t.seen, err = s.shapesOf(ctx, c, t.table); err != nil {
		return err
	}
	if t.to, err = readTarget(ctx, c, s.at(), t.table.Name); err != nil {
		return err
	}
	if t.shared, err = s.checkOwner(ctx, c, t.table, t.to); err != nil {
		return err
	}
	if t.to != nil && t.seen.Past(t.fingerprint, t.pos) {
		t.to.aliases = t.seen.Aliases(t.table)
		return fit(t.table, t.to, s.at())
	}
	if err := s.alter(ctx, c, t); err != nil || t.to == nil {
		return err
	}
	if err := s.fill(ctx, c, t); err != nil {
		return err
	}
	if err := fit(t.table, t.to, s.at()); err != nil {
		return err
	}
	if present := t.seen.Present(); present == nil || present.Fingerprint != t.fingerprint {
		if err := s.recordShape(ctx, c, t); err != nil {
			return err
		}
	}
	fault.Point("shape.recorded")
	return nil
}

// alter runs what brings the target to the shape, if anything does.
func (s *Sink) alter(ctx context.Context, c *conn, t *turn) (err error) {
	if t.statement, err = s.alteration(ctx, c, t); err != nil || t.statement == "" {
		return err
	}
	fault.Point("shape.before")
	_, err = c.exec(ctx, lockTimeout+t.statement)
	after, cancel := context.WithTimeout(context.WithoutCancel(ctx), rollbackLimit)
	defer cancel()
	if _, back := c.exec(after, "SET SESSION lock_wait_timeout = DEFAULT"); back != nil {
		c.broken = true
	}
	if err != nil {
		return wrapped("run "+t.statement, err)
	}
	fault.Point("shape.altered")
	if t.to, err = readTarget(ctx, c, s.at(), t.table.Name); err != nil {
		return err
	}
	if t.to == nil {
		return halt("the table is not visible after %s", t.statement)
	}
	return nil
}

// fill gives rows that are there the value that the source has for them in a new column. It comes before the shape is recorded, and so before any row of
// it: whatever is NULL then is of a row from before.
func (s *Sink) fill(ctx context.Context, c *conn, t *turn) error {
	for _, col := range t.decision.Fill {
		if s.config.Mode == Append {
			return nil // its rows are of a time that had no such column
		}
		tc := t.to.column(col.Name)
		v, err := change.ParseText(col, *col.Missing)
		if err != nil || tc == nil || tc.generated {
			return err
		}
		w, why := wayTo(t.table.Engine, col, tc)
		if why != "" {
			return halt("%s.%s of %s can't hold the source's %s as it is: %s", t.name, quoteIdent(tc.name), tc.declared, col.Native, why)
		}
		literal, err := w.append(nil, v)
		if err != nil {
			return err
		}
		name := quoteIdent(tc.name)
		if _, err := c.exec(ctx, "UPDATE "+t.name+" SET "+name+" = "+string(literal)+" WHERE "+name+" IS NULL"); err != nil {
			return wrapped("fill "+t.name+"."+name, err)
		}
	}
	return nil
}

// lockTimeout bounds the wait for those who have the table in a transaction, in seconds: whoever comes behind a waiting ALTER TABLE waits with it. It is
// tried again later. A statement that a foreign key forbids is not to run whatever rows may do.
const lockTimeout = "SET SESSION lock_wait_timeout = 5, foreign_key_checks = 1; "

// noneParked halts for a key under new names while changes are parked under the old ones: nobody could tell which rows have to wait behind them
// (invariant 8).
func (s *Sink) noneParked(ctx context.Context, c *conn, t *turn) error {
	rows, err := c.query(ctx, "SELECT 1 FROM "+s.own(upsert.TableParked)+" WHERE "+s.mine()+" AND `schema` = "+quoteLiteral(t.table.Schema)+
		" AND name = "+quoteLiteral(t.table.Name)+" LIMIT 1")
	if err != nil {
		return wrapped("look for parked changes", err)
	}
	if len(rows) > 0 {
		return halt("the key of %s has other columns or names than before, and changes are parked under the old ones: settle those first, `parked list` shows them", t.table)
	}
	return nil
}

// alteration is the one statement that brings the target to the shape; empty if there is nothing to do.
func (s *Sink) alteration(ctx context.Context, c *conn, t *turn) (string, error) {
	d := newDDL(t.table, s.at())
	if t.to == nil {
		return t.decision.Create(reshape.Creation{Table: t.table, Name: t.name, Known: t.seen.Present() != nil, Forget: s.forgetSQL(t.table), SQL: d.create(),
			Policy: s.config.Policy, CreateTables: s.config.CreateTables})
	}
	d.to = t.to
	in := reshape.Input{Table: t.table, Target: &shaped{to: t.to, ddl: d, seen: t.seen}, Name: t.name, Policy: s.config.Policy,
		CreateTables: s.config.CreateTables, Shared: t.shared, Once: t.seen.Once, Forget: s.forgetSQL(t.table),
		Empty: func() (bool, error) {
			rows, err := c.query(ctx, "SELECT 1 FROM "+t.name+" LIMIT 1")
			return len(rows) == 0, wrapped("look for rows", err)
		},
		Cleared: func(name string) (bool, error) {
			rows, err := c.query(ctx, "SELECT 1 FROM "+t.name+" WHERE "+quoteIdent(name)+" IS NOT NULL LIMIT 1")
			return len(rows) == 0, wrapped("look for values", err)
		}}
	if present := t.seen.Present(); present != nil {
		in.Before = present.Table
	}
	var err error
	if t.decision, err = reshape.Decide(in); err != nil {
		return "", err
	}
	if old := t.decision.OldKey; s.config.Mode != Append && len(old) > 0 {
		if index, ok := t.to.uniqueOn(old); ok {
			return "", halt("%s has a unique index on %s, the key that the source had before, so rows that it tells apart by its key of now would be refused: %s",
				t.name, strings.Join(old, ", "), d.rekey(index))
		}
	}
	if t.decision.Rekeyed {
		if err := s.noneParked(ctx, c, t); err != nil {
			return "", err
		}
	}
	own := missingOwn(t.table, t.to, s.config.Mode)
	sql := d.alter(t.decision.Steps, own)
	if len(own) > 0 && !s.config.CreateTables {
		return "", halt("%s lacks columns and create_tables is off: %s", t.name, sql)
	}
	for _, step := range t.decision.Steps {
		if tc := t.to.column(step.Name); (step.Op == reshape.Retype || step.Op == reshape.Relax) && tc.extras {
			return "", halt("%s.%s has a default, a comment or another attribute, which the statement would take away: complete it and run it: %s",
				t.name, quoteIdent(tc.name), sql)
		}
	}
	return sql, nil
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
