package postgres

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/sinks/internal/upsert"
)

// ensure returns the plan for a shape. At its first use it makes sure that the target fits, and alters it where it may: in a
// transaction of its own, ahead of the rows, idempotent.
func (s *Sink) ensure(ctx context.Context, table *change.Table) (*plan, error) {
	if p, ok := s.plans.Get(table); ok {
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
	to, err := s.settle(ctx, pg, table)
	if err != nil {
		return nil, fmt.Errorf("make sure that %s.%s fits %s: %w", s.config.Schema, table.Name, table, err)
	}
	p, err := newPlan(table, to, s.config.Schema, s.config.Mode)
	if err != nil {
		return nil, err
	}
	s.plans.Put(table, p)
	return p, nil
}

// settle brings the target to the shape in one transaction and returns it as it is then.
func (s *Sink) settle(ctx context.Context, pg *pgconn.PgConn, table *change.Table) (*target, error) {
	fingerprint, err := change.Fingerprint(table)
	if err != nil {
		return nil, err
	}
	if err := begin(ctx, pg); err != nil {
		return nil, err
	}
	// One at a time: two lanes meet a new shape at once, and CREATE TABLE IF NOT EXISTS races with itself.
	lock := "SELECT pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended($1, 0))::text"
	if _, err := query(ctx, pg, lock, s.config.Schema+"."+table.Name); err != nil {
		return nil, wrapped("lock", err)
	}
	seen, err := s.shapesOf(ctx, pg, table)
	if err != nil {
		return nil, err
	}
	to, err := readTarget(ctx, pg, s.config.Schema, table.Name)
	if err != nil {
		return nil, err
	}
	if err := s.checkOwner(ctx, pg, table, to); err != nil {
		return nil, err
	}
	if to != nil && !seen.prints[fingerprint] {
		if err := retyped(table, to, seen, s.config.Schema); err != nil {
			return nil, err
		}
	}
	statement, err := s.alteration(ctx, pg, table, to, seen)
	if err != nil {
		return nil, err
	}
	if statement != "" {
		if err := pg.Exec(ctx, statement).Close(); err != nil {
			return nil, wrapped("run "+statement, err)
		}
		s.log.Info("target altered", "table", table.String(), "statement", statement)
		if to, err = readTarget(ctx, pg, s.config.Schema, table.Name); err != nil {
			return nil, err
		}
		if to == nil {
			return nil, halt("the table is not visible after %s", statement)
		}
	}
	if err := fit(table, to, s.config.Schema, s.config.Mode); err != nil {
		return nil, err
	}
	if err := s.recordShape(ctx, pg, table, fingerprint); err != nil {
		return nil, err
	}
	return to, wrapped("commit", pg.Exec(ctx, "COMMIT").Close())
}

// shapes are what this sink has met of one target table.
type shapes struct {
	known   bool                       // some shape was recorded: the table existed
	columns map[string]map[string]bool // of all recorded shapes: the types that a column was made or would have been made with
	prints  map[string]bool            // their fingerprints
}

// shapesOf reads the recorded shapes of the target table. Another source table of the same name is refused: the two would share it.
func (s *Sink) shapesOf(ctx context.Context, pg *pgconn.PgConn, table *change.Table) (shapes, error) {
	rows, err := query(ctx, pg, `SELECT schema, shape, fingerprint FROM `+s.own(upsert.TableShapes)+` WHERE source = $1 AND sink = $2 AND name = $3`,
		s.config.SourceID, s.config.SinkName, table.Name)
	if err != nil {
		return shapes{}, wrapped("read the recorded shapes", err)
	}
	out := shapes{known: len(rows) > 0, columns: make(map[string]map[string]bool), prints: make(map[string]bool)}
	for _, r := range rows {
		if *r[0] != table.Schema {
			return out, halt("%s.%s and %s both go to %s.%s: give them sinks with schemas of their own",
				*r[0], table.Name, table, s.config.Schema, table.Name)
		}
		old, err := change.ParseShape([]byte(*r[1]))
		if err != nil {
			return out, halt("a recorded shape of %s: %w", table, err)
		}
		out.prints[*r[2]] = true
		for i := range old.Columns {
			name := old.Columns[i].Name
			if out.columns[name] == nil {
				out.columns[name] = make(map[string]bool)
			}
			out.columns[name][declaredAs(old.Engine, &old.Columns[i])] = true
		}
	}
	return out, nil
}

// alteration is the statement that brings the target to the shape; empty if there is nothing to do.
func (s *Sink) alteration(ctx context.Context, pg *pgconn.PgConn, table *change.Table, to *target, seen shapes) (string, error) {
	name := quoteIdent(s.config.Schema) + "." + quoteIdent(table.Name)
	if to == nil && seen.known {
		return "", halt("%s is gone and its rows with it: restore it, or forget it and take a snapshot: "+
			"DELETE FROM %s WHERE source = %s AND sink = %s AND name = %s", name, s.own(upsert.TableShapes),
			quoteLiteral(s.config.SourceID), quoteLiteral(s.config.SinkName), quoteLiteral(table.Name))
	}
	var columns []*change.Column
	var own []string
	if to != nil {
		if columns, own = missing(table, to, s.config.Mode); len(columns)+len(own) == 0 {
			return "", nil
		}
	}
	d, err := newDDL(ctx, pg, table, s.config.Schema, s.config.Mode)
	if err != nil {
		return "", err
	}
	if to == nil {
		if !s.config.CreateTables {
			return "", preflightError("%s doesn't exist and create_tables is off: %s", name, d.create())
		}
		return d.create(), nil
	}
	sql := d.add(columns, own)
	if !s.config.CreateTables {
		return "", halt("%s lacks columns and create_tables is off: %s", name, sql)
	}
	for _, col := range columns {
		if !col.Nullable {
			return "", halt("%s lacks %s, which is NOT NULL at the source, so rows that are there have a value of it that the log doesn't show: "+
				"%s, fill it in, and start again", name, quoteIdent(col.Name), sql)
		}
	}
	if gone := dropped(table, to, seen); len(columns) > 0 && gone != "" {
		return "", halt("%s lacks %s while the source no longer has %s: if that is a rename, ALTER TABLE %s RENAME COLUMN %s TO %s; if not, %s",
			name, quoteIdent(columns[0].Name), gone, name, gone, quoteIdent(columns[0].Name), sql)
	}
	return sql, nil
}

// declaredAs is the type that a column of the shape has in a table that the sink makes, where the target knows the source's types.
func declaredAs(engine string, col *change.Column) string {
	if engine == "postgres" {
		return col.Native
	}
	return nativeType(col)
}

// retyped halts where the source has changed a column's type and the target still has the one from before. A shape that was met
// before has passed here, so one that comes again is not held against a target that has moved on.
func retyped(table *change.Table, to *target, seen shapes, schema string) error {
	name := quoteIdent(schema) + "." + quoteIdent(table.Name)
	for i := range table.Columns {
		col := &table.Columns[i]
		tc, want := to.column(col.Name), declaredAs(table.Engine, col)
		if tc != nil && tc.declared != want && seen.columns[col.Name][tc.declared] {
			return halt("%s.%s is %s, as it was at the source, which now has %s: ALTER TABLE %s ALTER COLUMN %s TYPE %s",
				name, quoteIdent(col.Name), tc.declared, want, name, quoteIdent(col.Name), want)
		}
	}
	return nil
}

// dropped names the columns of the target that the source once had and has no longer.
func dropped(table *change.Table, to *target, seen shapes) string {
	var names []string
	for i := range to.columns {
		if name := to.columns[i].name; seen.columns[name] != nil && table.ColumnIndex(name) < 0 {
			names = append(names, quoteIdent(name))
		}
	}
	return strings.Join(names, ", ")
}

// recordShape writes the shape beside the marks, once for each fingerprint.
func (s *Sink) recordShape(ctx context.Context, pg *pgconn.PgConn, table *change.Table, fingerprint string) error {
	shape, err := change.AppendShape(nil, table)
	if err != nil {
		return err
	}
	_, err = query(ctx, pg, `INSERT INTO `+s.own(upsert.TableShapes)+` (source, sink, schema, name, fingerprint, shape) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT DO NOTHING`, s.config.SourceID, s.config.SinkName, table.Schema, table.Name, fingerprint, string(shape))
	return wrapped("record the shape", err)
}
