package mysql

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"sync"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/sinks"
	"github.com/tailwater-cdc/tailwater/sinks/internal/upsert"
)

// Sink writes to one database of a MySQL or MariaDB server. Its methods may be called from several goroutines, for different lanes.
type Sink struct {
	config  Config
	pool    *pool
	log     *slog.Logger
	server  server
	plans   upsert.Plans[*plan]
	streams upsert.Streams

	mu     sync.Mutex
	closed bool
}

var _ sinks.MarkSink = (*Sink)(nil)

// server is what the sink must know of the target's server.
type server struct {
	dialect dialect
	version string
	packet  int  // max_allowed_packet
	folds   bool // names of tables are compared without case
}

// Open connects, and makes the tables of our own that don't exist. It returns change.ErrUnreachable, change.ErrDenied or
// change.ErrPreflight where somebody must act.
func Open(ctx context.Context, config Config, logger *slog.Logger) (*Sink, error) {
	s, err := newSink(config, logger)
	if err != nil {
		return nil, err
	}
	if err := s.start(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("sink %s: %w", s.config.SinkName, err), s.Close())
	}
	return s, nil
}

func newSink(config Config, logger *slog.Logger) (*Sink, error) {
	config, dc, err := config.checked()
	if err != nil {
		return nil, err
	}
	p, err := newPool(dc, config.MaxConns)
	if err != nil {
		return nil, fmt.Errorf("sink %s: %w", config.SinkName, err)
	}
	return &Sink{config: config, pool: p, log: logger}, nil
}

func (s *Sink) start(ctx context.Context) error {
	c, err := s.pool.acquire(ctx)
	if err != nil {
		return err
	}
	defer s.pool.release(c)
	if s.server, err = readServer(ctx, c); err != nil {
		return err
	}
	if err := s.server.tooOld(); err != nil {
		return err
	}
	return s.makeOwn(ctx, c)
}

// tooOld refuses servers that lack what every statement has: MySQL's name for the new row (8.0.19), collations that count blanks.
func (s server) tooOld() error {
	var major, minor, patch int
	if _, err := fmt.Sscanf(s.version, "%d.%d.%d", &major, &minor, &patch); err != nil {
		return preflightError("the server's version is %q", s.version)
	}
	least := [3]int{8, 0, 19}
	if s.dialect.mariadb {
		least = [3]int{10, 6, 0}
	}
	if slices.Compare([]int{major, minor, patch}, least[:]) < 0 {
		return preflightError("%s %s is too old: want %d.%d.%d or later", s.dialect, s.version, least[0], least[1], least[2])
	}
	return nil
}

func readServer(ctx context.Context, c *conn) (server, error) {
	rows, err := c.query(ctx, "SELECT VERSION(), @@max_allowed_packet, @@lower_case_table_names")
	if err != nil || len(rows) != 1 {
		return server{}, wrapped("read the server's settings", err)
	}
	packet, err := strconv.Atoi(*rows[0][1])
	if err != nil {
		return server{}, fmt.Errorf("read max_allowed_packet: %w", err)
	}
	return server{dialect: dialectOf(*rows[0][0]), version: *rows[0][0], packet: packet, folds: *rows[0][2] != "0"}, nil
}

// Close waits for calls that run and ends the connections.
func (s *Sink) Close() error {
	s.mu.Lock()
	closed := s.closed
	s.closed = true
	s.mu.Unlock()
	if closed {
		return nil
	}
	return s.pool.close()
}

// Apply is sinks.Sink: ApplyAt without marks.
func (s *Sink) Apply(ctx context.Context, c []change.Change) error {
	return s.ApplyAt(ctx, c, nil, nil, nil)
}

// Load is sinks.MarkSink. It waits until every ApplyAt of the stream has ended, one of a process that is gone included: it takes the locks
// of all marks, those that are being made too.
func (s *Sink) Load(ctx context.Context, stream string) (sinks.State, error) {
	out, err := s.load(ctx, stream)
	if err != nil {
		return sinks.State{}, wrapped("load the state of "+stream, err)
	}
	s.streams.Loaded(stream, len(out.Parked))
	return out, nil
}

func (s *Sink) load(ctx context.Context, stream string) (out sinks.State, err error) {
	c, err := s.pool.acquire(ctx)
	if err != nil {
		return out, err
	}
	defer s.pool.release(c)
	c.dirty = true
	of := " WHERE " + s.mine() + " AND stream = " + quoteLiteral(stream)
	rows, err := c.query(ctx, beginSQL+"; "+s.selectMarks()+of+" ORDER BY lane FOR UPDATE") // and nobody moves a mark until both are read
	if err != nil {
		return out, err
	}
	if out.Marks, err = parseMarks(rows); err != nil {
		return out, err
	}
	rows, err = c.query(ctx, "SELECT "+parkedColumns+" FROM "+s.own(upsert.TableParked)+of+" ORDER BY id")
	if err != nil {
		return out, err
	}
	if out.Parked, err = parseParked(rows); err != nil {
		return out, err
	}
	_, err = c.exec(ctx, "COMMIT")
	return out, err
}
