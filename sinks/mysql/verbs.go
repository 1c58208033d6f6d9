package mysql

import (
	"context"
	"fmt"

	"github.com/tailwater-cdc/tailwater/sinks"
	"github.com/tailwater-cdc/tailwater/sinks/internal/upsert"
)

// ListParked returns all parked changes of this source and sink, of every stream, in the order in which they were parked.
func (s *Sink) ListParked(ctx context.Context) ([]sinks.Parked, error) {
	c, err := s.pool.acquire(ctx)
	if err != nil {
		return nil, fmt.Errorf("list parked changes: %w", err)
	}
	defer s.pool.release(c)
	rows, err := c.query(ctx, "SELECT "+parkedColumns+" FROM "+s.own(upsert.TableParked)+" WHERE "+s.mine()+" ORDER BY id")
	if err != nil {
		return nil, wrapped("list parked changes", err)
	}
	return parseParked(rows)
}

// Drop forgets this source and sink: its marks, its parked changes, and the shapes it has met. Rows and tables stay.
func (s *Sink) Drop(ctx context.Context) error {
	c, err := s.pool.acquire(ctx)
	if err != nil {
		return fmt.Errorf("drop sink %s: %w", s.config.SinkName, err)
	}
	defer s.pool.release(c)
	x := newScript(c, s.server.packet)
	x.add(beginSQL)
	for _, t := range ownTables {
		x.add("DELETE FROM " + s.own(t.name) + " WHERE " + s.mine())
	}
	x.add("COMMIT")
	if err := x.flush(ctx); err != nil {
		return wrapped("drop sink "+s.config.SinkName, err)
	}
	s.plans.Clear()
	return nil
}
