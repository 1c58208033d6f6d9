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
	if s.config.SnapshotMode != SnapshotNever {
		for _, t := range o.tables {
			config.Tables = append(config.Tables, t.String())
		}
		config.Begun = o.begun
	}
	s.prints = map[string]string{}
	for i, t := range o.tables {
		s.prints[t.String()] = imprint(o.begun[i])
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
func (s *Source) joinNew(ctx context.Context) error {
	var joined []tableName
	known := map[string]bool{}
	for _, p := range s.runner.Progress() {
		known[p.Table] = true
	}
	err := s.catalog.session(ctx, func(conn *pgx.Conn) error {
		list, err := readCandidates(ctx, conn, s.config.Publication.Name)
		if err != nil {
			return err
		}
		var failed error
		tables := s.selection.selected(list)
		now, err := readBegun(ctx, conn, tables)
		if err != nil {
			return err
		}
		s.look(tables, now)
		for _, t := range tables {
			if t.published {
				if !known[t.String()] && s.config.SnapshotMode != SnapshotNever {
					joined = append(joined, t.tableName)
				}
				continue
			}
			if err := joinTable(ctx, conn, s.config.Publication.Name, t.tableName); err != nil {
				failed = errors.Join(failed, err)
				continue
			}
			joined = append(joined, t.tableName)
		}
		return failed
	})
	for _, t := range joined {
		s.config.Logger.Info("a table has appeared in the publication", "table", t.String(), "publication", s.config.Publication.Name)
		if s.config.SnapshotMode != SnapshotNever {
			err = errors.Join(err, s.runner.Request(ctx, t.String(), ""))
		}
	}
	return err
}
