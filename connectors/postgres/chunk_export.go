package postgres

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"

	"github.com/jackc/pglogrepl"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/tailwater-cdc/tailwater/connectors/postgres/internal/pgvalue"
	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/snapshot"
)

// Open is snapshot.Reader's: the snapshot that a temporary slot exports holds exactly the commits below its consistent point. The slot
// waits for the transactions that run.
func (r *chunkReader) Open(ctx context.Context, name, where string) (snapshot.Export, error) {
	n, err := r.known(ctx, name)
	if err != nil {
		return snapshot.Export{}, err
	}
	conn, err := connectChunks(ctx, r.seam.config)
	if err != nil {
		return snapshot.Export{}, err
	}
	e, err := r.export(ctx, conn, n, where)
	if err != nil {
		conn.Close(context.WithoutCancel(ctx)) // the error is told already
		return snapshot.Export{}, err
	}
	return e, nil
}

func (r *chunkReader) export(ctx context.Context, conn *pgx.Conn, n relationName, where string) (snapshot.Export, error) {
	if err := begin(ctx, conn.PgConn(), n); err != nil {
		return snapshot.Export{}, err
	}
	info, _, err := r.describe(ctx, n)
	if err != nil {
		return snapshot.Export{}, err
	}
	lsn, err := r.adoptSnapshot(ctx, conn.PgConn())
	if err != nil {
		return snapshot.Export{}, err
	}
	// The rows are read for longer than Open may take.
	long, cancel := context.WithCancel(context.WithoutCancel(ctx))
	s := selectAll(n, info.Table, where)
	rows := &exportedRows{seam: r.seam, table: info.Table, conn: conn, cancel: cancel,
		result: conn.PgConn().ExecParams(long, s.sql.String(), s.params, nil, nil, nil)}
	return snapshot.Export{Info: info, At: below(r.seam.epoch, lsn), Rows: rows}, nil
}

// adoptSnapshot makes the session's transaction see what a new slot begins after, and returns that address. The slot is gone when it
// returns: it has served its purpose once the snapshot is ours.
func (r *chunkReader) adoptSnapshot(ctx context.Context, conn *pgconn.PgConn) (uint64, error) {
	repl, _, err := r.seam.config.connectReplication(ctx)
	if err != nil {
		return 0, err
	}
	defer repl.Close(context.WithoutCancel(ctx)) // the slot ends with its session
	var random [8]byte
	rand.Read(random[:]) // never fails
	slot := "tailwater_copy_" + hex.EncodeToString(random[:])
	options := pglogrepl.CreateReplicationSlotOptions{Temporary: true, Mode: pglogrepl.LogicalReplication, SnapshotAction: "EXPORT_SNAPSHOT"}
	made, err := pglogrepl.CreateReplicationSlot(ctx, repl, slot, plugin, options)
	if err != nil {
		return 0, fmt.Errorf("create a temporary slot: %w", classify(err))
	}
	lsn, err := pglogrepl.ParseLSN(made.ConsistentPoint)
	if err != nil {
		return 0, fmt.Errorf("create a temporary slot: %w", err)
	}
	if _, err := conn.Exec(ctx, "set transaction snapshot "+quoteText(made.SnapshotName)).ReadAll(); err != nil {
		return 0, fmt.Errorf("take over the slot's snapshot: %w", classify(err))
	}
	return uint64(lsn), nil
}

// exportedRows hands over the rows of one long SELECT.
type exportedRows struct {
	seam    seam
	table   *change.Table
	conn    *pgx.Conn
	result  *pgconn.ResultReader
	cancel  context.CancelFunc
	scratch pgvalue.Row
}

// Next is snapshot.Rows'.
func (e *exportedRows) Next(ctx context.Context, maxBytes int) ([][]change.Value, error) {
	stop := context.AfterFunc(ctx, e.cancel)
	defer stop()
	var rows [][]change.Value
	for size := 0; len(rows) == 0 || size < maxBytes; {
		if !e.result.NextRow() {
			if _, err := e.result.Close(); err != nil {
				return nil, fmt.Errorf("read rows of %s: %w", e.table, classify(err))
			}
			break
		}
		row, err := e.seam.row(&e.scratch, e.table, e.result.Values())
		if err != nil {
			return nil, err
		}
		rows = append(rows, row)
		size += rowSize(row)
	}
	return rows, nil
}

// Close is snapshot.Rows'.
func (e *exportedRows) Close() error {
	e.cancel()
	e.conn.PgConn().Conn().Close() // closed already, or with rows on their way that nobody wants
	e.conn.Close(context.Background())
	return nil
}
