package mysql

import (
	"context"
	"errors"
	"fmt"

	"github.com/tailwater-cdc/tailwater/connectors/mysql/internal/myvalue"
	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/snapshot"
)

// Open is snapshot.Reader's. MariaDB says in front of which place of the log its snapshot stands. On MySQL a read lock of the table is held
// while another session's snapshot begins and the log's end is read: at both the table's rows are the same.
func (r *chunkReader) Open(ctx context.Context, name, where string) (snapshot.Export, error) {
	for {
		e, err := r.tryOpen(ctx, name, where)
		if err == nil || !passing(err) || ctx.Err() != nil {
			return e, err
		}
		pause(ctx, busyPause)
	}
}

func (r *chunkReader) tryOpen(ctx context.Context, name, where string) (snapshot.Export, error) {
	t, err := r.known(ctx, name)
	if err != nil {
		return snapshot.Export{}, err
	}
	conn, err := connectChunks(ctx, r.source.config)
	if err != nil {
		return snapshot.Export{}, err
	}
	e, err := r.export(ctx, conn, t, where)
	if err != nil {
		conn.close() // the error is told already
		return snapshot.Export{}, err
	}
	return e, nil
}

func (r *chunkReader) export(ctx context.Context, conn *session, t tableName, where string) (snapshot.Export, error) {
	at, err := r.openAt(ctx, conn, t)
	if err != nil {
		return snapshot.Export{}, err
	}
	info, s, err := r.describe(ctx, conn, t)
	if err != nil {
		return snapshot.Export{}, err
	}
	// The rows are read for longer than Open may take.
	long, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	rows := &exportedRows{shape: s, config: r.source.config, batches: make(chan exported), cancel: cancel, done: make(chan struct{})}
	sql := statementOf(s).all(where)
	go rows.read(long, conn, sql)
	return snapshot.Export{Info: info, At: at, Rows: rows}, nil
}

// openAt has the session see t as it stood at the Position returned, for one SELECT.
func (r *chunkReader) openAt(ctx context.Context, conn *session, t tableName) (change.Position, error) {
	at, err := r.openSnapshot(ctx, conn, t)
	if err != nil {
		return at, err
	}
	transactional, _, err := engineOf(ctx, conn, t)
	if errors.Is(err, errNoTable) {
		err = fmt.Errorf("%w: %w", err, snapshot.ErrNoTable)
	}
	if err != nil || transactional {
		return at, err
	}
	return r.openLocked(ctx, conn, t)
}

// openLocked is for a table whose engine knows no snapshot: it is locked against writers for as long as it is read, as such an engine's SELECT
// does anyway.
func (r *chunkReader) openLocked(ctx context.Context, conn *session, t tableName) (change.Position, error) {
	err := conn.exec(ctx, "commit", "lock tables "+quoteTable(t.schema, t.name)+" read")
	if err != nil {
		return change.Position{}, fmt.Errorf("lock %s for as long as it is read: %w", t, lockDenied(err, t))
	}
	end, err := r.source.server.readEnd(ctx, conn)
	if err != nil {
		return change.Position{}, err
	}
	return below(r.source.epoch, end.file, end.offset), nil
}

var errNoLocks = errors.New("the user may take no lock, which a table without a key needs on MySQL, and on MariaDB if its engine has no transactions or XA is in use")

func lockDenied(err error, t tableName) error {
	if code := errorCode(err); code == codeDBDenied || code == codeTableDenied {
		return fmt.Errorf("%w: GRANT LOCK TABLES ON %s.* (tailwater grants source): %w", errNoLocks, quote(t.schema), err)
	}
	return err
}

// openSnapshot begins a transaction that sees t as it stood at the Position returned, if its engine has transactions.
func (r *chunkReader) openSnapshot(ctx context.Context, conn *session, t tableName) (change.Position, error) {
	if r.source.server.flavor == MariaDB {
		before, err := readPhases(ctx, conn)
		if err != nil {
			return change.Position{}, err
		}
		if err := beginSnapshot(ctx, conn); err != nil {
			return change.Position{}, err
		}
		f, offset, err := snapshotPlace(ctx, conn)
		if err != nil {
			return change.Position{}, err
		}
		after, err := readPhases(ctx, conn)
		if err != nil {
			return change.Position{}, err
		}
		if before.quiet && before == after {
			return below(r.source.epoch, f, offset), hold(ctx, conn, t)
		}
		if err := conn.exec(ctx, "commit"); err != nil {
			return change.Position{}, err
		}
	}
	return r.openBehindLock(ctx, conn, t)
}

// openBehindLock begins the transaction while a read lock keeps the table as it is, and waits for who has changed it. On MariaDB that takes the
// engine's own lock, which a prepared XA transaction holds to its very end.
func (r *chunkReader) openBehindLock(ctx context.Context, conn *session, t tableName) (change.Position, error) {
	guard, err := connectChunks(ctx, r.source.config)
	if err != nil {
		return change.Position{}, err
	}
	defer guard.close() // and the lock with it
	if r.source.server.flavor == MariaDB {
		if err := guard.exec(ctx, "set autocommit = 0, innodb_table_locks = 1, innodb_lock_wait_timeout = 1"); err != nil {
			return change.Position{}, fmt.Errorf("lock %s for the log's place: %w", t, err)
		}
	}
	err = guard.exec(ctx, "lock tables "+quoteTable(t.schema, t.name)+" read")
	if errorCode(err) == codeNoSuchTable {
		err = fmt.Errorf("%w: %w", err, snapshot.ErrNoTable)
	}
	if err != nil {
		return change.Position{}, fmt.Errorf("lock %s for the log's place: %w", t, lockDenied(err, t))
	}
	if err := beginSnapshot(ctx, conn); err != nil {
		return change.Position{}, err
	}
	if err := hold(ctx, conn, t); err != nil {
		return change.Position{}, err
	}
	end, err := r.source.server.readEnd(ctx, guard)
	if err != nil {
		return change.Position{}, err
	}
	return below(r.source.epoch, end.file, end.offset), nil
}

// exported is some rows of an export, or why there are no more.
type exported struct {
	rows [][]change.Value
	err  error
}

// exportedRows hands over the rows of one long SELECT, which its own goroutine reads.
type exportedRows struct {
	shape   *shape
	config  *Config
	batches chan exported
	cancel  context.CancelCauseFunc
	done    chan struct{}
	rest    [][]change.Value
	over    bool
}

var errExportClosed = errors.New("the export is closed")

// exportBytes is about what goes from the session to Next at once.
const exportBytes = 256 << 10

func (e *exportedRows) read(ctx context.Context, conn *session, sql string) {
	defer close(e.done)
	defer conn.abort() // whatever it would send still is not wanted
	var scratch myvalue.Row
	var batch [][]change.Value
	size := 0
	send := func(x exported) error {
		select {
		case e.batches <- x:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	err := conn.rows(ctx, sql, func(cells [][]byte) error {
		row, err := decodeRow(&scratch, e.shape, cells, e.config)
		if err != nil {
			return err
		}
		batch = append(batch, row)
		if size += rowSize(row); size < exportBytes {
			return nil
		}
		full := batch
		batch, size = nil, 0
		return send(exported{rows: full})
	})
	if err == nil && len(batch) > 0 {
		err = send(exported{rows: batch})
	}
	if err == nil {
		close(e.batches)
		return
	}
	send(exported{err: fmt.Errorf("read rows of %s: %w", e.shape.table, err)}) // nobody listens: it is closed
}

// Next is snapshot.Rows'.
func (e *exportedRows) Next(ctx context.Context, maxBytes int) ([][]change.Value, error) {
	if len(e.rest) == 0 && !e.over {
		select {
		case x, more := <-e.batches:
			if x.err != nil {
				return nil, x.err
			}
			e.rest, e.over = x.rows, !more
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
	n, size := 0, 0
	for n < len(e.rest) && (n == 0 || size < maxBytes) {
		size += rowSize(e.rest[n])
		n++
	}
	rows := e.rest[:n:n]
	e.rest = e.rest[n:]
	return rows, nil
}

// Close is snapshot.Rows'.
func (e *exportedRows) Close() error {
	e.cancel(errExportClosed)
	<-e.done
	return nil
}
