package mysql

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"
	"time"

	mysqldriver "github.com/go-sql-driver/mysql"

	"github.com/tailwater-cdc/tailwater/pkg/change"
)

const (
	rollbackLimit = 5 * time.Second  // of the wait for a ROLLBACK; a connection that takes longer is closed, which rolls back as well
	idleLimit     = 45 * time.Second // after which an unused connection is closed: before the server does it, see session
)

// dialect is what MySQL and MariaDB do each in their own way.
type dialect struct {
	mariadb bool
}

func (d dialect) String() string {
	if d.mariadb {
		return "MariaDB"
	}
	return "MySQL"
}

// engine is the dialect's name in change.Table.Engine.
func (d dialect) engine() string {
	if d.mariadb {
		return "mariadb"
	}
	return "mysql"
}

// bytewise is the collation that tells apart all texts that differ, in their last blanks too.
func (d dialect) bytewise() string {
	if d.mariadb {
		return "utf8mb4_nopad_bin"
	}
	return "utf8mb4_0900_bin"
}

func dialectOf(version string) dialect { return dialect{mariadb: strings.Contains(version, "MariaDB")} }

// sqlMode makes the server refuse what it would change otherwise, take the zero, partial and impossible dates of a source as they are, and read
// literals as they are written.
const sqlMode = "STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION,NO_AUTO_VALUE_ON_ZERO,NO_BACKSLASH_ESCAPES,ALLOW_INVALID_DATES"

// session settles what the text of values means and what the server checks, whatever the account or the server says. After a minute
// without a statement the server ends the session, so that the transaction of a process that is frozen or cut off gives its locks back.
// READ COMMITTED: after the wait for a mark's lock we must see what its last owner wrote, and no gap is locked that another lane
// inserts into.
func (d dialect) session() string {
	return "SET NAMES utf8mb4 COLLATE " + d.bytewise() + "; SET SESSION sql_mode = '" + sqlMode + "', time_zone = '+00:00', autocommit = 1, " +
		"foreign_key_checks = 1, unique_checks = 1, sql_safe_updates = 0, sql_auto_is_null = 0, completion_type = 0, " +
		"sql_select_limit = 18446744073709551615, sql_big_selects = 1, wait_timeout = 60; SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED"
}

// connector makes connections with our session.
type connector struct{ driver.Connector }

// Connect is driver.Connector's.
func (c connector) Connect(ctx context.Context) (driver.Conn, error) {
	dc, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	if err := settleSession(ctx, dc); err != nil {
		return nil, errors.Join(err, dc.Close())
	}
	return dc, nil
}

func settleSession(ctx context.Context, dc driver.Conn) error {
	q, ok1 := dc.(driver.QueryerContext)
	x, ok2 := dc.(driver.ExecerContext)
	if !ok1 || !ok2 {
		return fmt.Errorf("set up the session: %w", errors.ErrUnsupported)
	}
	rows, err := q.QueryContext(ctx, "SELECT CAST(VERSION() AS BINARY)", nil)
	if err != nil {
		return fmt.Errorf("read the version: %w", err)
	}
	version := make([]driver.Value, 1)
	err = errors.Join(rows.Next(version), rows.Close())
	text, ok := version[0].([]byte)
	if err != nil || !ok {
		return fmt.Errorf("read the version: %w", err)
	}
	if _, err := x.ExecContext(ctx, dialectOf(string(text)).session(), nil); err != nil {
		return fmt.Errorf("set up the session: %w", err)
	}
	return nil
}

// pool is a fixed number of places for connections, each made when it is first needed.
type pool struct {
	db     *sql.DB
	places chan struct{}
	size   int
	doing  string // "connect to ...", for messages
	user   string
}

func newPool(dc *mysqldriver.Config, size int) (*pool, error) {
	inner, err := mysqldriver.NewConnector(dc)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", err, change.ErrPreflight)
	}
	p := &pool{db: sql.OpenDB(connector{inner}), places: make(chan struct{}, size), size: size,
		doing: "connect to " + dc.Addr + "/" + dc.DBName, user: dc.User}
	p.db.SetMaxOpenConns(size)
	p.db.SetMaxIdleConns(size)
	p.db.SetConnMaxIdleTime(idleLimit)
	for range size {
		p.places <- struct{}{}
	}
	return p, nil
}

var errClosed = errors.New("the sink is closed")

// conn is a connection at work. It belongs to one goroutine.
type conn struct {
	*sql.Conn
	dirty  bool // a transaction may be left open
	broken bool // it must not be used again
}

// acquire waits for a free place and connects it if it isn't. release gives it back.
func (p *pool) acquire(ctx context.Context) (*conn, error) {
	select {
	case _, open := <-p.places:
		if !open {
			return nil, errClosed
		}
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	c, err := p.db.Conn(ctx)
	if err == nil {
		return &conn{Conn: c}, nil
	}
	p.places <- struct{}{}
	if _, ok := errors.AsType[*mysqldriver.MySQLError](err); ok || ctx.Err() != nil {
		return nil, wrapped(p.doing, err)
	}
	return nil, fmt.Errorf("%s: %w: %w", p.doing, err, change.ErrUnreachable)
}

// release ends whatever c is in and gives its place back.
func (p *pool) release(c *conn) {
	if c.dirty && !c.broken {
		ctx, cancel := context.WithTimeout(context.Background(), rollbackLimit)
		defer cancel()
		_, err := c.exec(ctx, "ROLLBACK")
		c.broken = err != nil
	}
	if c.broken {
		_ = c.Raw(func(any) error { return driver.ErrBadConn }) // takes the connection out of the pool, which closes it
	}
	_ = c.Close() // gives it back to the pool; says only that it is gone already
	p.places <- struct{}{}
}

// close waits for all places and closes their connections.
func (p *pool) close() error {
	for range p.size {
		<-p.places
	}
	close(p.places)
	return p.db.Close()
}

// exec runs statements, divided by semicolons, and returns for each how many rows it found or wrote. The statements after a failed one have not
// run.
func (c *conn) exec(ctx context.Context, statements string) (affected []int64, err error) {
	err = c.Raw(func(dc any) error {
		x, ok := dc.(driver.ExecerContext)
		if !ok {
			return errors.ErrUnsupported
		}
		result, err := x.ExecContext(ctx, statements, nil)
		if err != nil {
			return err
		}
		all, ok := result.(mysqldriver.Result)
		if !ok {
			return errors.ErrUnsupported
		}
		affected = all.AllRowsAffected()
		return nil
	})
	return affected, err
}

// query runs statements of which the last returns rows, and returns those as text; nil is NULL.
func (c *conn) query(ctx context.Context, statements string) (out [][]*string, err error) {
	err = c.each(ctx, statements, func(_ int, rows *sql.Rows) error {
		out, err = texts(rows)
		return err
	})
	return out, err
}

// each runs statements and hands over the rows of those that return some.
func (c *conn) each(ctx context.Context, statements string, read func(i int, rows *sql.Rows) error) (err error) {
	rows, err := c.QueryContext(ctx, statements)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for i := 0; ; i++ {
		if err := read(i, rows); err != nil {
			return err
		}
		if !rows.NextResultSet() {
			return rows.Err()
		}
	}
}

func texts(rows *sql.Rows) (out [][]*string, err error) {
	names, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	for rows.Next() {
		row, to := make([]*string, len(names)), make([]any, len(names))
		for i := range row {
			to[i] = &row[i]
		}
		if err := rows.Scan(to...); err != nil {
			return nil, err
		}
		out = append(out, row)
	}
	return out, rows.Err()
}
