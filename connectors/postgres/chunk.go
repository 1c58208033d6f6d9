package postgres

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/tailwater-cdc/tailwater/connectors/postgres/internal/pgvalue"
	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/snapshot"
)

// chunkReader reads tables for a snapshot. It is a snapshot.Reader; its caller closes it after the Runner.
type chunkReader struct {
	seam    seam
	conn    *pgx.Conn // of Select and Horizon; made when needed
	scratch pgvalue.Row

	mu    sync.Mutex
	names map[string]relationName // by "schema.name"
}

func newChunkReader(s seam) *chunkReader {
	return &chunkReader{seam: s, names: map[string]relationName{}}
}

// Close ends the reader's session.
func (r *chunkReader) Close(ctx context.Context) {
	if r.conn != nil {
		r.conn.Close(ctx) // an error says that it is closed already
	}
}

// chunkParams are for sessions that read rows: nobody's default may cut them short, and no row security may hide a row.
var chunkParams = map[string]string{
	"statement_timeout":                   "0",
	"lock_timeout":                        "0",
	"idle_in_transaction_session_timeout": "0",
	"row_security":                        "off",
	"jit":                                 "off",
}

// connectChunks opens a session for rows, which come in large reads.
func connectChunks(ctx context.Context, c *Config) (*pgx.Conn, error) {
	config, err := pgx.ParseConfig(c.URL)
	if err != nil {
		return nil, fmt.Errorf("parse the source's url: %w: %w", err, change.ErrPreflight)
	}
	c.apply(&config.Config)
	for name, value := range chunkParams {
		config.RuntimeParams[name] = value
	}
	config.DefaultQueryExecMode = pgx.QueryExecModeDescribeExec
	config.BuildFrontend = func(r io.Reader, w io.Writer) *pgproto3.Frontend {
		return pgproto3.NewFrontend(bufio.NewReaderSize(r, readBuffer), w)
	}
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("connect to the source for a snapshot: %w", classify(err))
	}
	return conn, nil
}

func (r *chunkReader) session(ctx context.Context) (*pgx.Conn, error) {
	if r.conn != nil && !r.conn.IsClosed() {
		return r.conn, nil
	}
	var err error
	r.conn, err = connectChunks(ctx, r.seam.config)
	return r.conn, err
}

var errAmbiguous = errors.New("two tables have this name, for a name holds a dot")

// resolve finds the table of a "schema.name", and about how many rows it has.
func (r *chunkReader) resolve(ctx context.Context, name string) (n relationName, estimate int64, err error) {
	const query = `select n.nspname::text, c.relname::text, c.relkind = 'p', (select coalesce(sum(l.reltuples), -1)::int8
			from pg_partition_tree(c.oid) p join pg_class l on l.oid = p.relid where p.isleaf and l.reltuples >= 0),
			c.reltuples::int8
		from pg_class c join pg_namespace n on n.oid = c.relnamespace
		where n.nspname || '.' || c.relname = $1 and c.relkind in ('r', 'p') and c.relpersistence = 'p'`
	found := 0
	err = r.seam.shapes.catalog.session(ctx, func(conn *pgx.Conn) error {
		found = 0
		rows, err := conn.Query(ctx, query, name)
		if err != nil {
			return err
		}
		var parts, own int64
		_, err = pgx.ForEachRow(rows, []any{&n.schema, &n.name, &n.partitioned, &parts, &own}, func() error {
			found++
			if estimate = own; n.partitioned {
				estimate = parts
			}
			return nil
		})
		return err
	})
	switch {
	case err != nil:
		return n, 0, fmt.Errorf("look for %s: %w", name, classify(err))
	case found == 0:
		return n, 0, fmt.Errorf("look for %s: %w", name, snapshot.ErrNoTable)
	case found > 1:
		return n, 0, fmt.Errorf("look for %s: %w: %w", name, errAmbiguous, change.ErrPreflight)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.names[name] = n
	return n, estimate, nil
}

// known is resolve for a name that was looked up before.
func (r *chunkReader) known(ctx context.Context, name string) (relationName, error) {
	r.mu.Lock()
	n, ok := r.names[name]
	r.mu.Unlock()
	if ok {
		return n, nil
	}
	n, _, err := r.resolve(ctx, name)
	return n, err
}

// Lookup is snapshot.Reader's.
func (r *chunkReader) Lookup(ctx context.Context, name string) (snapshot.Info, error) {
	n, estimate, err := r.resolve(ctx, name)
	if err != nil {
		return snapshot.Info{}, err
	}
	info, oid, err := r.describe(ctx, n)
	info.Estimate = estimate
	if err != nil {
		return info, err
	}
	err = r.seam.shapes.catalog.session(ctx, func(conn *pgx.Conn) error {
		members, err := readMembers(ctx, conn, r.seam.config.Publication.Name, []uint32{oid})
		if info.Member = members[oid]; err != nil || !n.partitioned {
			return err
		}
		parts, err := readParts(ctx, conn, []uint32{oid})
		info.Parts = parts[oid]
		return err
	})
	return info, err
}

func (r *chunkReader) describe(ctx context.Context, n relationName) (snapshot.Info, uint32, error) {
	t, oid, err := r.seam.table(ctx, n.schema, n.name)
	if errors.Is(err, errNoTable) {
		err = fmt.Errorf("%w: %w", err, snapshot.ErrNoTable)
	}
	info := snapshot.Info{Table: t, Incarnation: incarnation(oid), Estimate: -1}
	if err != nil {
		return info, oid, err
	}
	err = r.seam.shapes.catalog.session(ctx, func(conn *pgx.Conn) error {
		revisions, err := readRevisions(ctx, conn, []uint32{oid})
		revise(&info, revisions[oid])
		return err
	})
	return info, oid, err
}

// Horizon is snapshot.Reader's: a transaction number that is assigned now, above that of every transaction that has one.
func (r *chunkReader) Horizon(ctx context.Context) (string, error) {
	conn, err := r.session(ctx)
	if err != nil {
		return "", err
	}
	xid, err := one(ctx, conn.PgConn(), "select pg_current_xact_id()::text")
	if err != nil {
		return "", fmt.Errorf("assign a transaction number: %w", err)
	}
	return xid, nil
}

var errAnswer = errors.New("the server did not answer with one value")

// one runs statements and returns the only value of the last.
func one(ctx context.Context, conn *pgconn.PgConn, sql string) (string, error) {
	results, err := conn.Exec(ctx, sql).ReadAll()
	if err != nil {
		return "", classify(err)
	}
	last := results[len(results)-1]
	if len(last.Rows) != 1 || len(last.Rows[0]) != 1 {
		return "", errAnswer
	}
	return string(last.Rows[0][0]), nil
}

// Select is snapshot.Reader's.
func (r *chunkReader) Select(ctx context.Context, q snapshot.Select) (snapshot.Chunk, error) {
	conn, err := r.session(ctx)
	if err != nil {
		return snapshot.Chunk{}, err
	}
	c, err := r.read(ctx, conn, &q)
	if err != nil {
		conn.Close(ctx) // it may stand in a failed transaction; the next call makes another
		return c, err
	}
	if q.Name == "" {
		return c, nil
	}
	// The end is read after the rows, so it stands above every transaction that they come from. The rows of a commit
	// are visible before its record is flushed: head sees to that.
	if conn, err = r.session(ctx); err != nil {
		return c, err
	}
	if c.High, err = r.seam.head(ctx, conn); err != nil {
		return c, classify(err)
	}
	return c, nil
}

// stateNoTable is undefined_table.
const stateNoTable = "42P01"

// begin opens a transaction with the table locked against DDL and TRUNCATE before its snapshot is taken: neither is visible
// by that snapshot alone, and a rewritten table would seem empty to it.
func begin(ctx context.Context, conn *pgconn.PgConn, n relationName) error {
	const sql = "begin isolation level repeatable read read only; lock table %s in access share mode"
	_, err := conn.Exec(ctx, fmt.Sprintf(sql, n.from())).ReadAll()
	if sqlState(err) == stateNoTable {
		return fmt.Errorf("lock: %w: %w", err, snapshot.ErrNoTable)
	}
	if err != nil {
		return fmt.Errorf("lock: %w", classify(err))
	}
	return nil
}

func (r *chunkReader) read(ctx context.Context, conn *pgx.Conn, q *snapshot.Select) (snapshot.Chunk, error) {
	var c snapshot.Chunk
	var n relationName
	if q.Name != "" {
		var err error
		if n, err = r.known(ctx, q.Name); err != nil {
			return c, err
		}
		if err := begin(ctx, conn.PgConn(), n); err != nil {
			return c, err
		}
	}
	text, err := one(ctx, conn.PgConn(), "select pg_current_snapshot()::text")
	if err != nil {
		return c, fmt.Errorf("take a watermark: %w", err)
	}
	seen, err := parseVisibility(text)
	if err != nil {
		return c, fmt.Errorf("take a watermark: %w", err)
	}
	c.Seen = seen
	if q.Name == "" {
		return c, nil
	}
	if c.Info, _, err = r.describe(ctx, n); err != nil {
		return c, err
	}
	if err := r.rows(ctx, conn, n, q, &c); err != nil {
		return c, err
	}
	if conn.IsClosed() {
		return c, nil
	}
	if _, err := conn.PgConn().Exec(ctx, "commit").ReadAll(); err != nil {
		return c, fmt.Errorf("end the chunk's transaction: %w", classify(err))
	}
	return c, nil
}

// rows reads the rows of a Select into c. Where they are more than its MaxBytes it ends the session: what the server would send
// still is not wanted.
func (r *chunkReader) rows(ctx context.Context, conn *pgx.Conn, n relationName, q *snapshot.Select, c *snapshot.Chunk) error {
	t := c.Table
	var s *statement
	var err error
	switch {
	case len(t.Key) == 0, q.After != nil && len(q.After) != len(t.Key), q.Keys != nil && len(q.Keys) == 0:
		return nil // another key than asked for: the Runner sees that and asks again
	case q.Keys != nil:
		if s, err = selectKeys(n, t, q.Keys); err != nil {
			return err
		}
	default:
		s = selectRange(n, t, q)
	}
	c.Rows = make([][]change.Value, 0, q.Limit)
	size := 0
	result := conn.PgConn().ExecParams(ctx, s.sql.String(), s.params, nil, nil, nil)
	for result.NextRow() {
		cells := result.Values()
		row, err := r.seam.row(&r.scratch, t, cells)
		if err != nil {
			return err
		}
		c.Rows = append(c.Rows, row)
		size += rowSize(row)
		full := size >= q.MaxBytes && q.Keys == nil && len(c.Rows) < q.Limit
		if full || len(c.Rows) == q.Limit {
			c.More = q.Keys == nil
			c.Last = make([]string, len(t.Key))
			for i, at := range t.Key {
				c.Last[i] = string(cells[at])
			}
		}
		if full {
			conn.PgConn().Conn().Close() // an error here or below says that the session is over, which is the aim
			result.Close()
			conn.Close(ctx)
			return nil
		}
	}
	if _, err := result.Close(); err != nil {
		return fmt.Errorf("read rows of %s: %w", t, classify(err))
	}
	return nil
}

func rowSize(row []change.Value) int {
	c := change.Change{After: row}
	return c.Size()
}
