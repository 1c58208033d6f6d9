package mysql

import (
	"context"
	"database/sql"
	"fmt"
	"reflect"
	"strings"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/sinks/internal/upsert"
)

// at is where the sink's rows go.
func (s *Sink) at() destination {
	return destination{database: s.config.Schema, mode: s.config.Mode, dialect: s.server.dialect, folds: s.server.folds}
}

// ensure returns the plan for a shape. At its first use it makes sure that the target fits, and alters it where it may: ahead of the
// transaction of the rows, which DDL would end, and so that whatever step was the last before a crash, all of it can be done again.
func (s *Sink) ensure(ctx context.Context, table *change.Table) (*plan, error) {
	if p, ok := s.plans.Get(table); ok {
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
	to, err := s.settle(ctx, c, table)
	if err != nil {
		return nil, fmt.Errorf("make sure that %s.%s fits %s: %w", s.config.Schema, table.Name, table, err)
	}
	p, err := newPlan(table, to, s.at())
	if err != nil {
		return nil, err
	}
	if err := s.pin(ctx, c, p); err != nil {
		return nil, fmt.Errorf("look at %s: %w", p.name, err)
	}
	for _, k := range table.Key {
		if col := &table.Columns[k]; vague(table.Engine, col, to.column(col.Name)) {
			s.log.Warn("a key of the target compares by a collation: two keys that it takes for equal and the source does not would be one row",
				"table", p.name, "column", col.Name, "collation", to.column(col.Name).collation)
		}
	}
	s.plans.Put(table, p)
	return p, nil
}

// pin notes how the target looks while nobody can alter it, if it is then what the plan was made for.
func (s *Sink) pin(ctx context.Context, c *conn, p *plan) error {
	c.dirty = true
	err := c.each(ctx, beginSQL+"; "+p.lookSQL(), func(_ int, rows *sql.Rows) (err error) {
		p.looks, err = look(rows)
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

// settle brings the target to the shape and returns it as it is then. The shape is recorded last: a table that is made and not recorded is
// empty and fits.
func (s *Sink) settle(ctx context.Context, c *conn, table *change.Table) (*target, error) {
	fingerprint, err := change.Fingerprint(table)
	if err != nil {
		return nil, err
	}
	unlock, err := s.lock(ctx, c, s.at().folded(table.Name)) // two lanes meet a new shape at once
	if err != nil {
		return nil, err
	}
	defer unlock()
	seen, err := s.shapesOf(ctx, c, table)
	if err != nil {
		return nil, err
	}
	to, err := readTarget(ctx, c, s.at(), table.Name)
	if err != nil {
		return nil, err
	}
	if err := s.checkOwner(ctx, c, table, to); err != nil {
		return nil, err
	}
	if to != nil && !seen.prints[fingerprint] {
		if err := retyped(table, to, seen, s.at()); err != nil {
			return nil, err
		}
	}
	if to, err = s.alter(ctx, c, table, to, seen); err != nil {
		return nil, err
	}
	if err := fit(table, to, s.at()); err != nil {
		return nil, err
	}
	return to, s.recordShape(ctx, c, table, fingerprint)
}

// alter runs what brings the target to the shape, if anything does.
func (s *Sink) alter(ctx context.Context, c *conn, table *change.Table, to *target, seen shapes) (*target, error) {
	statement, err := s.alteration(table, to, seen)
	if err != nil || statement == "" {
		return to, err
	}
	if _, err := c.exec(ctx, statement); err != nil {
		return nil, wrapped("run "+statement, err)
	}
	s.log.Info("target altered", "table", table.String(), "statement", statement)
	if to, err = readTarget(ctx, c, s.at(), table.Name); err != nil {
		return nil, err
	}
	if to == nil {
		return nil, halt("the table is not visible after %s", statement)
	}
	return to, nil
}

// shapes are what this sink has met of one target table.
type shapes struct {
	known   bool                       // some shape was recorded: the table existed
	columns map[string]map[string]bool // of all recorded shapes: the types that a column was made or would have been made with
	prints  map[string]bool            // their fingerprints
}

// shapesOf reads the recorded shapes of the target table. Another source table of the same name is refused: the two would share it.
func (s *Sink) shapesOf(ctx context.Context, c *conn, table *change.Table) (shapes, error) {
	rows, err := c.query(ctx, "SELECT `schema`, shape, fingerprint, name FROM "+s.own(upsert.TableShapes)+" WHERE "+s.mine()+" AND "+s.named(table.Name))
	if err != nil {
		return shapes{}, wrapped("read the recorded shapes", err)
	}
	out := shapes{known: len(rows) > 0, columns: make(map[string]map[string]bool), prints: make(map[string]bool)}
	for _, r := range rows {
		if *r[0] != table.Schema || *r[3] != table.Name {
			return out, halt("%s.%s and %s both go to %s: give them sinks with databases of their own",
				*r[0], *r[3], table, qualified(s.config.Schema, table.Name))
		}
		old, err := change.ParseShape([]byte(*r[1]))
		if err != nil {
			return out, halt("a recorded shape of %s: %w", table, err)
		}
		out.prints[*r[2]] = true
		for i, made := range types(old, s.server.dialect, s.config.Mode) {
			name := old.Columns[i].Name
			if out.columns[name] == nil {
				out.columns[name] = make(map[string]bool)
			}
			out.columns[name][bare(made)] = true
		}
	}
	return out, nil
}

// alteration is the statement that brings the target to the shape; empty if there is nothing to do.
func (s *Sink) alteration(table *change.Table, to *target, seen shapes) (string, error) {
	name := qualified(s.config.Schema, table.Name)
	d := newDDL(table, s.at())
	switch {
	case to == nil && seen.known:
		return "", halt("%s is gone and its rows with it: restore it, or forget it and take a snapshot: "+
			"DELETE FROM %s WHERE source = %s AND sink = %s AND name = %s", name, s.own(upsert.TableShapes),
			quoteLiteral(s.config.SourceID), quoteLiteral(s.config.SinkName), quoteLiteral(table.Name))
	case to == nil && !s.config.CreateTables:
		return "", preflightError("%s doesn't exist and create_tables is off: %s", name, d.create())
	case to == nil:
		return d.create(), nil
	}
	columns, own := missing(table, to, s.config.Mode)
	if len(columns)+len(own) == 0 {
		return "", nil
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

// bare is a type without its character set, as the catalogue shows it.
func bare(made string) string {
	name, _, _ := strings.Cut(made, " CHARACTER SET")
	return plainType(name)
}

// retyped halts where the source has changed a column's type and the target still has the one from before. A shape that was met
// before has passed here, so one that comes again is not held against a target that has moved on.
func retyped(table *change.Table, to *target, seen shapes, at destination) error {
	name := qualified(at.database, table.Name)
	for i, made := range types(table, at.dialect, at.mode) {
		col := &table.Columns[i]
		tc := to.column(col.Name)
		if tc == nil || plainType(tc.declared) == bare(made) || !seen.columns[col.Name][plainType(tc.declared)] {
			continue
		}
		return halt("%s.%s is %s, as it was at the source, which now has %s: ALTER TABLE %s MODIFY %s %s",
			name, quoteIdent(col.Name), tc.declared, col.Native, name, quoteIdent(col.Name), made)
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
func (s *Sink) recordShape(ctx context.Context, c *conn, table *change.Table, fingerprint string) error {
	shape, err := change.AppendShape(nil, table)
	if err != nil {
		return err
	}
	_, err = c.exec(ctx, "INSERT INTO "+s.own(upsert.TableShapes)+" (source, sink, `schema`, name, fingerprint, shape) VALUES ("+
		quoteLiteral(s.config.SourceID)+", "+quoteLiteral(s.config.SinkName)+", "+quoteLiteral(table.Schema)+", "+quoteLiteral(table.Name)+", "+
		quoteLiteral(fingerprint)+", "+quoteLiteral(string(shape))+") ON DUPLICATE KEY UPDATE fingerprint = fingerprint")
	return wrapped("record the shape", err)
}
