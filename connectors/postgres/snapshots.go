package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/tailwater-cdc/tailwater/connectors"
	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/snapshot"
)

var _ connectors.Snapshotter = (*Source)(nil)

// beside puts the snapshot's Runner before the log: it hands over the log's batches, and between them the rows of tables.
func (s *Source) beside(o *opening) error {
	s.reader = newChunkReader(s.seam())
	config := snapshot.Config{Log: s.log, Reader: s.reader, Logger: s.config.Logger,
		MemoryBytes: s.config.SnapshotBytes, Saved: o.start.Snapshot, Anew: o.start.Anew, Upto: o.at.upto, Resume: s.log.resume}
	config.Begun, config.Never = o.begun, s.config.SnapshotMode == SnapshotNever
	s.prints = map[string]snapshot.Info{}
	for i, t := range o.tables {
		config.Tables = append(config.Tables, t.String())
		s.prints[t.String()] = o.begun[i]
	}
	var err error
	if s.runner, err = snapshot.New(config); err != nil {
		return fmt.Errorf("resume the snapshot: %w", err)
	}
	return nil
}

// Snapshot is connectors.Snapshotter's. A table that isn't captured is change.ErrPreflight.
func (s *Source) Snapshot(ctx context.Context, table, where string) error {
	var found bool
	err := s.catalog.session(ctx, func(conn *pgx.Conn) error {
		list, err := readCandidates(ctx, conn, s.config.Publication.Name)
		for _, t := range s.selection.selected(list) {
			found = found || t.published && t.String() == table
		}
		return err
	})
	if err == nil && !found {
		err = fmt.Errorf("%w: it doesn't exist, isn't selected or isn't published: %w", errTable, change.ErrPreflight)
	}
	if err != nil {
		return fmt.Errorf("snapshot of %s: %w", table, err)
	}
	return s.runner.Request(ctx, table, where)
}

// Progress is connectors.Snapshotter's.
func (s *Source) Progress() []connectors.Progress {
	list := s.runner.Progress()
	out := make([]connectors.Progress, len(list))
	for i, p := range list {
		out[i] = connectors.Progress(p)
	}
	return out
}

// joinNew joins to the publication the tables that match and that it lacks, and asks for the snapshot of those whose rows nobody has
// read: they were published already where a table was renamed, or the publication is of all tables. What can't be joined is told
// at each look. A crash between the two loses nothing: the next Open finds the table selected and not in the saved progress.
//
// Invariant 5: one that was captured and is out of the publication, or was, has missed changes.
func (s *Source) joinNew(ctx context.Context) error {
	known := map[string]bool{}
	for _, p := range s.runner.Progress() {
		known[p.Table] = true
	}
	var appeared []tableName
	err := s.catalog.session(ctx, func(conn *pgx.Conn) error {
		from, err := readEnd(ctx, conn)
		if err != nil {
			return err
		}
		tables, failed := s.join(ctx, conn)
		s.homes.addAll(tables, from)
		now, err := readBegun(ctx, conn, tables)
		if err == nil {
			err = addMembers(ctx, conn, s.config.Publication.Name, tables, now)
		}
		if err != nil {
			return errors.Join(failed, err)
		}
		appeared = appeared[:0]
		for _, t := range tables {
			if !known[t.String()] {
				appeared = append(appeared, t.tableName)
			}
		}
		return errors.Join(failed, s.look(tables, now), s.lookLeft(tables))
	})
	if s.config.SnapshotMode == SnapshotNever {
		return err
	}
	for _, t := range appeared {
		s.config.Logger.Info("a table has appeared in the publication", "table", t.String(), "publication", s.config.Publication.Name)
		err = errors.Join(err, s.runner.Request(ctx, t.String(), ""))
	}
	return err
}

// join sees that the publication leaves nothing out, and returns the tables that are in it by now.
func (s *Source) join(ctx context.Context, conn *pgx.Conn) ([]candidate, error) {
	name := s.config.Publication.Name
	list, err := readCandidates(ctx, conn, name)
	if err != nil {
		return nil, err
	}
	exists, err := publishesAll(ctx, conn, name)
	if err == nil && !exists {
		err = fmt.Errorf("publication %s: %w: %w", name, errPublication, change.ErrPreflight)
	}
	tables := s.selection.selected(list)
	if err = errors.Join(err, s.lapsed(tables), s.unlogged(list)); err != nil {
		return nil, err
	}
	var published []candidate
	for _, t := range tables {
		if !t.published {
			if one := joinTable(ctx, conn, name, t.tableName); one != nil {
				if _, captured := s.prints[t.String()]; captured && errors.Is(one, change.ErrPreflight) {
					one = fmt.Errorf("%w: %w", errPublishes, one)
				}
				err = errors.Join(err, one)
				continue
			}
			s.config.Logger.Info("a table is joined to the publication", "table", t.String(), "publication", name)
		}
		published = append(published, t)
	}
	return published, err
}
