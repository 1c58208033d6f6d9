package postgres

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/sinks"
	"github.com/tailwater-cdc/tailwater/sinks/internal/upsert"
)

// Sink writes to one schema of one PostgreSQL database. Its methods may be called from several goroutines, for different lanes.
type Sink struct {
	config  Config
	pool    *pool
	log     *slog.Logger
	plans   upsert.Plans[*plan]
	streams upsert.Streams

	mu     sync.Mutex
	closed bool
}

var _ sinks.MarkSink = (*Sink)(nil)

// Open connects, and makes the tables of our own that don't exist. It returns change.ErrUnreachable, change.ErrDenied or
// change.ErrPreflight where somebody must act.
func Open(ctx context.Context, config Config, logger *slog.Logger) (*Sink, error) {
	config, pc, err := config.checked()
	if err != nil {
		return nil, err
	}
	s := &Sink{config: config, pool: newPool(pc, config.MaxConns), log: logger}
	s.pool.trusts = config.TrustKeys
	pg, err := s.pool.acquire(ctx)
	if err != nil {
		return nil, fmt.Errorf("sink %s: %w", config.SinkName, err)
	}
	err = s.makeOwn(ctx, pg)
	s.pool.release(pg)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("sink %s: %w", config.SinkName, err), s.Close())
	}
	return s, nil
}

// Close waits for calls that run and ends the connections.
func (s *Sink) Close() error {
	s.mu.Lock()
	closed := s.closed
	s.closed = true
	s.mu.Unlock()
	if !closed {
		s.pool.close()
	}
	return nil
}

// Apply is sinks.Sink: ApplyAt without marks.
func (s *Sink) Apply(ctx context.Context, c []change.Change) error {
	return s.ApplyAt(ctx, c, nil, nil, nil)
}

// Load is sinks.MarkSink. It waits until every ApplyAt of the stream has ended, one of a process that is gone included.
func (s *Sink) Load(ctx context.Context, stream string) (sinks.State, error) {
	var out sinks.State
	pg, err := s.pool.acquire(ctx)
	if err != nil {
		return out, fmt.Errorf("load the state of %s: %w", stream, err)
	}
	defer s.pool.release(pg)
	where := " WHERE source = $1 AND sink = $2 AND stream = $3 ORDER BY "
	args := [][]byte{[]byte(s.config.SourceID), []byte(s.config.SinkName), []byte(stream)}
	x := newExchange(ctx, pg)
	x.exec(beginSQL)
	x.send(s.inFlight("pg_advisory_xact_lock", stream)) // and nobody moves a mark until both are read
	x.send(statement{sql: "SELECT stream, lane, next, pos FROM " + s.own(upsert.TableMarks) + where + "lane", args: args,
		read: func(rr *pgconn.ResultReader) error {
			for rr.NextRow() {
				m, err := parseMark(textRow(rr.Values()))
				if err != nil {
					return err
				}
				out.Marks = append(out.Marks, m)
			}
			_, err := rr.Close()
			return err
		}})
	x.send(statement{sql: "SELECT " + parkedColumns + " FROM " + s.own(upsert.TableParked) + where + "id", args: args,
		read: func(rr *pgconn.ResultReader) (err error) {
			out.Parked, err = readParked(rr)
			return err
		}})
	x.exec("COMMIT")
	if err := x.finish(); err != nil {
		return sinks.State{}, wrapped("load the state of "+stream, err)
	}
	s.streams.Loaded(stream, len(out.Parked))
	return out, nil
}
