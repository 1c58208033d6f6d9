package postgres

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tailwater-cdc/tailwater/connectors"
	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/snapshot"
)

// Source reads one slot. It is a connectors.Source.
type Source struct {
	config    *Config
	selection selection
	epoch     uint32
	catalog   *catalog
	shapes    *shapes
	homes     *homes
	log       *log
	reader    *chunkReader
	runner    *snapshot.Runner
	prints    map[string]snapshot.Info // of the tables as the catalogue had them last; of watch's goroutine
	lookNow   chan struct{}

	mu      sync.Mutex
	left    map[string]uint32          // oids of tables whose rows have come under another name, or that are unlogged, until they are looked at
	leaving map[string]<-chan struct{} // of the unlogged ones, see snapshot.Runner.Leave

	closing   sync.Once
	stopWatch context.CancelFunc
	watching  sync.WaitGroup
}

var _ connectors.Source = (*Source)(nil)

// Read is connectors.Source's.
func (s *Source) Read(ctx context.Context, maxBytes int) (change.Batch, error) {
	return s.runner.Read(ctx, maxBytes)
}

// Head is connectors.Source's. Where the log's end is not on disk yet it commits an empty message of its own.
func (s *Source) Head(ctx context.Context) (change.Position, error) {
	var lsn uint64
	err := s.catalog.session(ctx, func(conn *pgx.Conn) (err error) {
		lsn, err = readHead(ctx, conn)
		return err
	})
	if err != nil {
		return change.Position{}, err
	}
	s.log.Nudge() // whoever asks waits for Upto
	return below(s.epoch, lsn), nil
}

// Release is connectors.Source's. It returns at once; the server is told next, and again at Close.
func (s *Source) Release(_ context.Context, upTo change.Resume) error { return s.log.Release(upTo) }

// Close is connectors.Source's.
func (s *Source) Close() error {
	var err error
	s.closing.Do(func() {
		s.stopWatch()
		s.watching.Wait()
		err = errors.Join(s.runner.Close(), s.log.Close())
		ctx, cancel := context.WithTimeout(context.Background(), closeWait)
		defer cancel()
		s.reader.Close(ctx)
		s.catalog.close(ctx) // after the stream, which asks it
	})
	return err
}

// watch starts to look for tables made since, which the publication doesn't have, and for those that are others than before.
func (s *Source) watch(ctx context.Context) {
	ctx, s.stopWatch = context.WithCancel(ctx)
	s.watching.Go(func() {
		ticker := time.NewTicker(s.config.watchEvery)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
			case <-s.lookNow:
			}
			err := s.joinNew(ctx)
			if halts(err) {
				s.log.wire.queue.Fail(err)
				return
			}
			if err != nil && ctx.Err() == nil {
				s.config.Logger.Error("a new table is not captured", "err", err)
			}
		}
	})
}
