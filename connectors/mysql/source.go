package mysql

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tailwater-cdc/tailwater/connectors"
	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/snapshot"
)

// Source reads one server's log. It is a connectors.Source.
type Source struct {
	config    *Config
	server    server
	selection selection
	epoch     uint32
	guard     *session // holds the source's lock
	catalog   *catalog
	shapes    *shapes
	log       *log
	reader    *chunkReader
	runner    *snapshot.Runner
	columns   *columnIDs
	check     chan struct{} // there may be new tables
	phases    phases        // MariaDB: XA transactions that were committed

	closing   sync.Once
	stopWatch context.CancelFunc
	watching  sync.WaitGroup
}

var _ connectors.Source = (*Source)(nil)

// Head is connectors.Source's.
func (s *Source) Head(ctx context.Context) (change.Position, error) {
	var end logEnd
	err := s.catalog.session(ctx, func(conn *session) (err error) {
		end, err = s.server.readEnd(ctx, conn)
		return err
	})
	if err != nil {
		return change.Position{}, err
	}
	s.log.Nudge() // whoever asks waits for Upto
	return below(s.epoch, end.file, end.offset), nil
}

// Release is connectors.Source's. The server isn't told: it keeps its log by its own rules (binlog_expire_logs_seconds), which doctor holds
// against what the log grows by.
func (s *Source) Release(_ context.Context, upTo change.Resume) error { return s.log.Release(upTo) }

// Close is connectors.Source's.
func (s *Source) Close() error {
	var err error
	s.closing.Do(func() {
		if s.stopWatch != nil {
			s.stopWatch()
			s.watching.Wait()
		}
		err = errors.Join(s.runner.Close(), s.log.Close())
		s.reader.close()
		s.catalog.close() // after the stream, which asks it
		s.guard.close()   // last: until here nobody else may read
	})
	return err
}

// watchEvery is how often the catalogue is looked at for new tables, and the lock for whether we still hold it.
const watchEvery = 10 * time.Second

// watch starts to look for tables made since, and to keep the lock's session.
func (s *Source) watch() {
	ctx, cancel := context.WithCancel(context.Background())
	s.stopWatch = cancel
	s.watching.Go(func() {
		ticker := time.NewTicker(watchEvery)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-s.check:
			case <-ticker.C:
				if err := s.keepLock(ctx); err != nil && ctx.Err() == nil {
					s.log.wire.queue.Fail(err)
					s.log.wire.cancel(err)
					return
				}
			}
			if err := s.joinNew(ctx); err != nil && ctx.Err() == nil {
				s.config.Logger.Error("a new table is not captured", "err", err)
			}
		}
	})
}

// keepLock returns an error once the session with the lock has ended: somebody else may hold it by now.
func (s *Source) keepLock(ctx context.Context) error {
	row, err := s.guard.one(ctx, "select is_used_lock("+quoteText(lockName(s.config.SourceID))+") = connection_id()")
	if err == nil && row[0] != "1" {
		err = errHeld
	}
	if err != nil {
		return fmt.Errorf("the lock of source %s is lost: %w: %w", s.config.SourceID, err, change.ErrUnreachable)
	}
	return nil
}

// look has the snapshot look at a table again. It says whether the snapshot knows the table.
func (s *Source) look(t tableName) bool {
	s.runner.Look(t.String())
	return slices.ContainsFunc(s.runner.Progress(), func(p snapshot.Progress) bool { return p.Table == t.String() })
}

// kind is what the catalogue has by a name, as kindOf says it.
func (s *Source) kind(ctx context.Context, t tableName) (kind string, err error) {
	err = s.catalog.session(ctx, func(conn *session) (err error) {
		kind, err = kindOf(ctx, conn, t)
		return err
	})
	return kind, err
}

// known are the tables of a database that the snapshot knows.
func (s *Source) known(database string) []tableName {
	var tables []tableName
	for _, p := range s.runner.Progress() {
		if name, of := strings.CutPrefix(p.Table, database+"."); of {
			tables = append(tables, tableName{database, name})
		}
	}
	return tables
}

// joinNew asks for the snapshot of tables that match and whose rows nobody has read. One that was made while the log was read has all its
// rows in the log; one that was renamed into the selection hasn't.
func (s *Source) joinNew(ctx context.Context) error {
	var known []string
	for _, p := range s.runner.Progress() {
		known = append(known, p.Table)
	}
	var list []tableName
	err := s.catalog.session(ctx, func(conn *session) (err error) {
		list, err = listTables(ctx, conn)
		return err
	})
	for _, t := range s.selection.selected(list) {
		if s.config.SnapshotMode == SnapshotNever {
			if !strings.HasPrefix(t.name, "#") {
				s.runner.Note(t.String(), snapshot.Info{}) // so that it is seen later if it is left out for a while
			}
			continue
		}
		if err == nil && !slices.Contains(known, t.String()) && !strings.HasPrefix(t.name, "#") {
			s.config.Logger.Info("a table has appeared", "table", t.String())
			if err = s.runner.Request(ctx, t.String(), ""); errors.Is(err, snapshot.ErrNoTable) {
				err = nil // gone since
			}
		}
	}
	return err
}
