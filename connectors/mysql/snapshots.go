package mysql

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/tailwater-cdc/tailwater/connectors"
	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/snapshot"
)

var _ connectors.Snapshotter = (*Source)(nil)

// beside puts the snapshot's Runner before the log: it hands over the log's batches, and between them the rows of tables.
func (s *Source) beside(o *opening) error {
	s.reader = &chunkReader{source: s}
	config := snapshot.Config{Log: s.log, Reader: s.reader, Logger: s.config.Logger,
		Saved: o.start.Snapshot, Anew: o.start.Anew, Upto: o.at.upto, Resume: s.log.resume,
		MemoryBytes: s.config.SnapshotBytes, ChunkBytes: s.config.chunkBytes,
		Altered: s.columns.remarks.behind,
		Never:   s.config.SnapshotMode == SnapshotNever, Gone: func(name string) bool {
			schema, table, _ := strings.Cut(name, ".")
			return s.selection.Has(schema, table) // and isn't in the list: the log has told, or will, of what becomes of it
		}}
	for _, t := range o.tables {
		config.Tables = append(config.Tables, t.String())
	}
	var err error
	if s.runner, err = snapshot.New(config); err != nil {
		return fmt.Errorf("resume the snapshot: %w", err)
	}
	return nil
}

// Snapshot is connectors.Snapshotter's. A table that isn't captured is change.ErrPreflight.
func (s *Source) Snapshot(ctx context.Context, table, where string) error {
	var list []tableName
	err := s.catalog.session(ctx, func(conn *session) (err error) {
		list, err = listTables(ctx, conn)
		return err
	})
	found := slices.ContainsFunc(s.selection.selected(list), func(t tableName) bool { return t.String() == table })
	if err == nil && !found {
		err = fmt.Errorf("%w: it doesn't exist, or isn't selected: %w", errTable, change.ErrPreflight)
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
