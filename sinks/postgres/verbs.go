package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/tailwater-cdc/tailwater/sinks/internal/upsert"

	"github.com/tailwater-cdc/tailwater/sinks"
)

// ListParked returns all parked changes of this source and sink, of every stream, in the order in which they were parked.
func (s *Sink) ListParked(ctx context.Context) ([]sinks.Parked, error) {
	pg, err := s.pool.acquire(ctx)
	if err != nil {
		return nil, fmt.Errorf("list parked changes: %w", err)
	}
	defer s.pool.release(pg)
	var out []sinks.Parked
	x := newExchange(ctx, pg)
	x.send(statement{
		sql:  "SELECT " + parkedColumns + " FROM " + s.own(upsert.TableParked) + " WHERE source = $1 AND sink = $2 ORDER BY id",
		args: [][]byte{[]byte(s.config.SourceID), []byte(s.config.SinkName)},
		read: func(rr *pgconn.ResultReader) (err error) {
			out, err = readParked(rr)
			return err
		}})
	if err := x.finish(); err != nil {
		return nil, wrapped("list parked changes", err)
	}
	return out, nil
}

// Drop forgets this source and sink: its marks, its parked changes, and the shapes it has met. Rows and tables stay.
func (s *Sink) Drop(ctx context.Context) error {
	pg, err := s.pool.acquire(ctx)
	if err != nil {
		return fmt.Errorf("drop sink %s: %w", s.config.SinkName, err)
	}
	defer s.pool.release(pg)
	x := newExchange(ctx, pg)
	x.exec(beginSQL)
	for _, t := range ownTables {
		x.send(statement{sql: "DELETE FROM " + s.own(t.name) + " WHERE source = $1 AND sink = $2",
			args: [][]byte{[]byte(s.config.SourceID), []byte(s.config.SinkName)}})
	}
	x.exec("COMMIT")
	if err := x.finish(); err != nil {
		return wrapped("drop sink "+s.config.SinkName, err)
	}
	s.plans.Clear()
	return nil
}
