package mysql

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	gomysql "github.com/go-mysql-org/go-mysql/mysql"

	"github.com/tailwater-cdc/tailwater/connectors/mysql/internal/myvalue"
	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/snapshot"
)

// chunkReader reads tables for a snapshot. It is a snapshot.Reader; its caller closes it after the Runner.
type chunkReader struct {
	source *Source
	conn   *session // of Select and Horizon; made when needed
	row    myvalue.Row

	mu    sync.Mutex
	names map[string]tableName // by "schema.name"
}

func (r *chunkReader) close() {
	if r.conn != nil {
		r.conn.close()
	}
}

// session is the reader's own, in no transaction and with no lock.
func (r *chunkReader) session(ctx context.Context) (*session, error) {
	if r.conn != nil && !r.conn.closed {
		return r.conn, nil
	}
	var err error
	r.conn, err = connectChunks(ctx, r.source.config)
	return r.conn, err
}

// connectChunks opens a session for rows: none waits for a lock for long, since others would wait behind it.
func connectChunks(ctx context.Context, c *Config) (*session, error) {
	s, err := c.connect(ctx)
	if err != nil {
		return nil, err
	}
	if err := s.exec(ctx, "set lock_wait_timeout = 1",
		"set session transaction isolation level repeatable read"); err != nil {
		s.close()
		return nil, fmt.Errorf("set up a session for rows: %w", err)
	}
	return s, nil
}

var errAmbiguous = errors.New("two tables have this name, for a name holds a dot")

// resolve finds the table of a "schema.name", and about how many rows it has.
func (r *chunkReader) resolve(ctx context.Context, name string) (tableName, int64, error) {
	var t tableName
	estimate := int64(-1)
	found := 0
	err := r.source.catalog.session(ctx, func(conn *session) error {
		found = 0
		for i := range len(name) {
			if name[i] != '.' {
				continue
			}
			rows, err := conn.all(ctx, "select table_rows from information_schema.tables where table_type = 'BASE TABLE' and table_schema = "+
				quoteText(name[:i])+" and table_name = "+quoteText(name[i+1:]))
			if err != nil {
				return err
			}
			if len(rows) > 0 {
				found++
				t = tableName{name[:i], name[i+1:]}
				if n, err := strconv.ParseInt(rows[0][0], 10, 64); err == nil {
					estimate = n
				}
			}
		}
		return nil
	})
	switch {
	case err != nil:
		return t, 0, fmt.Errorf("look for %s: %w", name, err)
	case found == 0:
		return t, 0, fmt.Errorf("look for %s: %w", name, snapshot.ErrNoTable)
	case found > 1:
		return t, 0, fmt.Errorf("look for %s: %w: %w", name, errAmbiguous, change.ErrPreflight)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.names == nil {
		r.names = map[string]tableName{}
	}
	r.names[name] = t
	return t, estimate, nil
}

// known is resolve for a name that was looked up before.
func (r *chunkReader) known(ctx context.Context, name string) (tableName, error) {
	r.mu.Lock()
	t, ok := r.names[name]
	r.mu.Unlock()
	if ok {
		return t, nil
	}
	t, _, err := r.resolve(ctx, name)
	return t, err
}

// Lookup is snapshot.Reader's.
func (r *chunkReader) Lookup(ctx context.Context, name string) (snapshot.Info, error) {
	t, estimate, err := r.resolve(ctx, name)
	if err != nil {
		return snapshot.Info{}, err
	}
	var info snapshot.Info
	err = r.source.catalog.session(ctx, func(conn *session) (err error) {
		info, _, err = r.describe(ctx, conn, t)
		return err
	})
	info.Estimate = estimate
	return info, err
}

func (r *chunkReader) describe(ctx context.Context, conn *session, t tableName) (snapshot.Info, *shape, error) {
	incarnation, revision := r.source.shapes.incarnation(t)
	s, err := r.source.shapes.fromCatalog(ctx, conn, t)
	if errors.Is(err, errNoTable) {
		err = fmt.Errorf("%w: %w", err, snapshot.ErrNoTable)
	}
	if err != nil {
		return snapshot.Info{}, nil, err
	}
	return snapshot.Info{Table: s.table, Incarnation: incarnation, Revision: revision, Estimate: -1}, s, nil
}

// Select is snapshot.Reader's.
func (r *chunkReader) Select(ctx context.Context, q snapshot.Select) (snapshot.Chunk, error) {
	for {
		conn, err := r.session(ctx)
		if err != nil {
			return snapshot.Chunk{}, err
		}
		c, err := r.read(ctx, conn, &q)
		if err == nil && q.Name != "" {
			c.High, err = r.head(ctx)
		}
		if err == nil {
			return c, nil
		}
		conn.close() // it may stand in a transaction or hold a lock; the next call makes another
		if !passing(err) || ctx.Err() != nil {
			return c, err
		}
		pause(ctx, busyPause)
	}
}

// busyPause is how long the reader leaves a table alone that was busy: who waits for a table's lock keeps others waiting behind it.
const busyPause = 200 * time.Millisecond

// passing says that a read met a table that was just being changed, or one that is busy: nothing is wrong.
func passing(err error) bool {
	code := errorCode(err)
	return code == codeDefChanged || code == codeLockTimeout || code == codeLockDenied || errors.Is(err, errOutdated)
}

var errOutdated = errors.New("the catalogue, as the transaction sees it, is older than the table")

// outdated tells a column that has gone between the transaction's snapshot and the opening of the table from one that never was, in a
// where of the configuration.
func outdated(err error, t *change.Table) error {
	var my *gomysql.MyError
	if !errors.As(err, &my) || my.Code != codeBadField {
		return err
	}
	for i := range t.Columns {
		if strings.Contains(my.Message, t.Columns[i].Name+"'") {
			return fmt.Errorf("%w: %w", errOutdated, err)
		}
	}
	return err
}

// head is the log's end, read after the rows, so it stands above every transaction that they come from.
func (r *chunkReader) head(ctx context.Context) (change.Position, error) {
	conn, err := r.session(ctx)
	if err != nil {
		return change.Position{}, err
	}
	end, err := r.source.server.readEnd(ctx, conn)
	if err != nil {
		return change.Position{}, err
	}
	return below(r.source.epoch, end.file, end.offset), nil
}

func (r *chunkReader) read(ctx context.Context, conn *session, q *snapshot.Select) (snapshot.Chunk, error) {
	var c snapshot.Chunk
	var t tableName
	if q.Name != "" {
		var err error
		if t, err = r.known(ctx, q.Name); err != nil {
			return c, err
		}
	}
	seen, err := r.begin(ctx, conn, t)
	if err != nil {
		return c, err
	}
	c.Seen = seen
	if q.Name != "" {
		if err := hold(ctx, conn, t); err != nil {
			return c, err
		}
		var s *shape
		if c.Info, s, err = r.describe(ctx, conn, t); err != nil {
			return c, err
		}
		if err := r.rows(ctx, conn, q, s, &c); err != nil {
			return c, outdated(err, s.table)
		}
	}
	if conn.closed {
		return c, nil
	}
	if err := conn.exec(ctx, "commit"); err != nil {
		return c, fmt.Errorf("end the chunk's transaction: %w", err)
	}
	return c, nil
}

// hold opens the table in the transaction, so that no DDL comes between what the catalogue says and the rows.
func hold(ctx context.Context, conn *session, t tableName) error {
	err := conn.exec(ctx, "select 1 from "+quoteTable(t.schema, t.name)+" limit 0")
	if code := errorCode(err); code == codeNoSuchTable || code == codeNoDatabase {
		err = fmt.Errorf("%w: %w", err, snapshot.ErrNoTable)
	}
	if err != nil {
		return fmt.Errorf("open %s: %w", t, err)
	}
	return nil
}

// rows reads the rows of a Select into c. Where they are more than its MaxBytes it ends the session: what the server would send
// still is not wanted.
func (r *chunkReader) rows(ctx context.Context, conn *session, q *snapshot.Select, s *shape, c *snapshot.Chunk) error {
	t := s.table
	if len(t.Key) == 0 || q.After != nil && len(q.After) != len(t.Key) || q.Keys != nil && len(q.Keys) == 0 {
		return nil // another key than asked for: the Runner sees that and asks again
	}
	st := statementOf(s)
	if err := st.readCollations(ctx, conn); err != nil {
		return err
	}
	wanted := map[string]bool{}
	for _, key := range q.Keys {
		wanted[key] = true
	}
	var sql string
	var err error
	if q.Keys != nil {
		sql, err = st.keys(q.Keys)
	} else {
		sql, err = st.after(q)
	}
	if err != nil {
		return err
	}
	n, size := len(t.Columns), 0
	return conn.rows(ctx, sql, func(cells [][]byte) error {
		row, err := r.decode(s, cells[:n])
		if err != nil {
			return err
		}
		if q.Keys != nil {
			key, err := change.AppendKey(nil, t, row)
			if err != nil || !wanted[string(key)] { // the server takes it for one of them, we don't
				return err
			}
		}
		c.Rows = append(c.Rows, row)
		if q.Keys != nil { // no place to go on from is asked for
			return nil
		}
		size += rowSize(row)
		full := size >= q.MaxBytes && len(c.Rows) < q.Limit
		if full || len(c.Rows) == q.Limit {
			c.More = true
			c.Last = make([]string, len(t.Key))
			for i := range t.Key {
				c.Last[i] = string(cells[n+i])
			}
		}
		if full {
			return errStopEarly
		}
		return nil
	})
}

// decode decodes the texts of a row's columns; a row above max_row_bytes halts as it does in the stream.
func (r *chunkReader) decode(s *shape, cells [][]byte) ([]change.Value, error) {
	return decodeRow(&r.row, s, cells, r.source.config)
}

func decodeRow(scratch *myvalue.Row, s *shape, cells [][]byte, c *Config) ([]change.Value, error) {
	scratch.Begin(len(cells))
	for i, cell := range cells {
		if cell == nil {
			scratch.Null()
			continue
		}
		if err := scratch.Text(&s.types[i], cell); err != nil {
			return nil, fmt.Errorf("table %s: %w", s.table, err)
		}
	}
	row := scratch.Values()
	err := c.ZeroDates.apply(s, row)
	if err == nil {
		err = checkRow(s.table, row, c.MaxRowBytes)
	}
	if err != nil {
		return nil, fmt.Errorf("table %s: %w", s.table, err)
	}
	return row, nil
}

func rowSize(row []change.Value) int {
	c := change.Change{After: row}
	return c.Size()
}
