package postgres

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// rollbackLimit bounds the wait for a ROLLBACK; a connection that takes longer is closed, which rolls back as well.
const rollbackLimit = 5 * time.Second

// session settles what the text of values means, whatever the role or the database says, and that the transaction of a process that
// is frozen or cut off gives its locks back after a minute. A row that a policy hides is an error and not a row that isn't there.
// synchronous_commit stays as it is.
const session = `SET standard_conforming_strings = on; SET DateStyle = 'ISO, YMD'; SET IntervalStyle = 'postgres'; ` +
	`SET TimeZone = 'UTC'; SET xmloption = 'content'; SET array_nulls = on; SET extra_float_digits = 1; SET row_security = off; ` +
	`SET idle_in_transaction_session_timeout = '60s'`

// idleLimit is how long a connection that nobody needed stays, while others are in use.
const idleLimit = time.Minute

// pool is a fixed number of places for connections, each made when it is first needed. The one used last is taken first, since the server's
// side of it is warm: few lanes at once keep to few connections.
type pool struct {
	config *pgconn.Config
	trusts bool          // foreign keys are not checked
	places chan struct{} // one for each connection that may still be taken
	size   int
	wg     sync.WaitGroup // of connections that are being taken down

	mu   sync.Mutex
	idle []idle // the one used last at the end
}

type idle struct {
	pg    *pgconn.PgConn
	since time.Time
}

func newPool(config *pgconn.Config, size int) *pool {
	p := &pool{config: config, places: make(chan struct{}, size), size: size}
	for range size {
		p.places <- struct{}{}
	}
	return p
}

var errClosed = errors.New("the sink is closed")

// acquire waits for a place, and connects if no connection is idle. release gives both back.
func (p *pool) acquire(ctx context.Context) (*pgconn.PgConn, error) {
	select {
	case _, open := <-p.places:
		if !open {
			return nil, errClosed
		}
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	if pg := p.take(); pg != nil {
		return pg, nil
	}
	pg, err := connect(ctx, p.config, p.trusts)
	if err != nil {
		p.places <- struct{}{}
		return nil, err
	}
	return pg, nil
}

// take returns the idle connection that was used last, nil: none.
func (p *pool) take() *pgconn.PgConn {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.idle) == 0 {
		return nil
	}
	last := len(p.idle) - 1
	pg := p.idle[last].pg
	p.idle = p.idle[:last]
	return pg
}

// release ends whatever transaction pg is in and gives its place back.
func (p *pool) release(pg *pgconn.PgConn) {
	defer func() { p.places <- struct{}{} }()
	if pg.IsClosed() {
		p.wg.Go(func() { <-pg.CleanupDone() })
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), rollbackLimit)
	defer cancel()
	if err := tidy(ctx, pg); err != nil {
		closeConn(pg)
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if p.idle = append(p.idle, idle{pg: pg, since: now}); now.Sub(p.idle[0].since) > idleLimit {
		unused := p.idle[0].pg
		p.idle = p.idle[1:]
		p.wg.Go(func() { closeConn(unused) })
	}
}

// tidy leaves pg in no transaction, and with room for more prepared statements.
func tidy(ctx context.Context, pg *pgconn.PgConn) error {
	if pg.TxStatus() != 'I' {
		if err := pg.Exec(ctx, "ROLLBACK").Close(); err != nil {
			return err
		}
	}
	return forgetPrepared(ctx, pg)
}

// close waits for all places and closes their connections.
func (p *pool) close() {
	for range p.size {
		<-p.places
	}
	for _, c := range p.idle {
		closeConn(c.pg)
	}
	close(p.places)
	p.wg.Wait()
}

func closeConn(pg *pgconn.PgConn) {
	ctx, cancel := context.WithTimeout(context.Background(), rollbackLimit)
	defer cancel()
	_ = pg.Close(ctx) // the server rolls back what was open; there is nothing to do about an error
	<-pg.CleanupDone()
}

// unchecked is the role in which the server runs no triggers of foreign keys, as for its own logical replication.
const unchecked = "SET session_replication_role = replica"

func connect(ctx context.Context, config *pgconn.Config, trusts bool) (*pgconn.PgConn, error) {
	pg, err := pgconn.ConnectConfig(ctx, config)
	if err != nil {
		doing := fmt.Sprintf("connect to %s:%d/%s", config.Host, config.Port, config.Database)
		if server, ok := errors.AsType[*pgconn.PgError](err); ok && isDenied(server.Code) {
			return nil, wrapped(doing, err)
		}
		if _, ok := errors.AsType[net.Error](err); ok || ctx.Err() == nil {
			return nil, fmt.Errorf("%s: %w: %w", doing, err, change.ErrUnreachable)
		}
		return nil, fmt.Errorf("%s: %w", doing, err)
	}
	if err := pg.Exec(ctx, session+prepareSQL).Close(); err != nil {
		closeConn(pg)
		return nil, wrapped("set up the session", err)
	}
	if trusts {
		if err := pg.Exec(ctx, unchecked).Close(); err != nil {
			closeConn(pg)
			return nil, wrapped("foreign_keys: trust ("+trustSQL(config.User)+")", err)
		}
	}
	return pg, nil
}

// query runs one statement with text parameters and returns its rows as text; nil is NULL.
func query(ctx context.Context, pg *pgconn.PgConn, sql string, args ...string) ([][]*string, error) {
	params := make([][]byte, len(args))
	for i, a := range args {
		params[i] = []byte(a)
	}
	rr := pg.ExecParams(ctx, sql, params, nil, nil, nil)
	var out [][]*string
	for rr.NextRow() {
		out = append(out, textRow(rr.Values()))
	}
	_, err := rr.Close()
	return out, err
}

func textRow(values [][]byte) []*string {
	row := make([]*string, len(values))
	for i, v := range values {
		if v != nil {
			s := string(v)
			row[i] = &s
		}
	}
	return row
}
