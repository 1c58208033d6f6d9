package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pglogrepl"
	"github.com/jackc/pgx/v5"

	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// server is what an ordinary session says of its server and of itself.
type server struct {
	version     int // server_version_num
	walLevel    string
	standby     bool
	replication bool // our role may replicate
	role        string
	database    string
	databaseOID uint32
}

// oldest is the first version whose pgoutput and catalogue this package knows.
const oldest = 140000

func readServer(ctx context.Context, conn *pgx.Conn) (server, error) {
	const query = `select current_setting('server_version_num')::int, current_setting('wal_level'), pg_is_in_recovery(),
			r.rolsuper or r.rolreplication, current_user::text, d.datname::text, d.oid
		from pg_roles r, pg_database d where r.rolname = current_user and d.datname = current_database()`
	var s server
	err := conn.QueryRow(ctx, query).Scan(&s.version, &s.walLevel, &s.standby, &s.replication, &s.role, &s.database, &s.databaseOID)
	if err != nil {
		return s, fmt.Errorf("ask the server for its settings: %w", classify(err))
	}
	return s, nil
}

var (
	errOld      = errors.New("PostgreSQL 14 or later is needed")
	errStandby  = errors.New("the server is a standby; connect to its primary")
	errWALLevel = errors.New("wal_level is not logical; run ALTER SYSTEM SET wal_level = logical and restart the server")
)

// fit says whether the server can be read from.
func (s server) fit() error {
	switch {
	case s.version < oldest:
		return fmt.Errorf("server version %d: %w: %w", s.version, errOld, change.ErrPreflight)
	case s.standby:
		return fmt.Errorf("%w: %w", errStandby, change.ErrPreflight)
	case s.walLevel != "logical":
		return fmt.Errorf("wal_level %s: %w: %w", s.walLevel, errWALLevel, change.ErrPreflight)
	case !s.replication:
		return fmt.Errorf("role %s lacks REPLICATION; run ALTER ROLE %s REPLICATION: %w", s.role, quote(s.role), change.ErrDenied)
	}
	return nil
}

// The headers of a log page, of a segment's first one and of the others. Where the log's next record would begin behind one, the
// record before it ended in front of it.
// Source: PostgreSQL 18, src/include/access/xlog_internal.h, SizeOfXLogLongPHD and SizeOfXLogShortPHD.
const (
	longHeader  = 40
	shortHeader = 24
)

// readHead returns the address below which all stands that was committed before the call. All of it is flushed on return, so the
// stream gets there though nobody writes: a walsender sends only what is flushed, and nobody flushes what no commit waits for.
func readHead(ctx context.Context, conn *pgx.Conn) (uint64, error) {
	const query = `select pg_current_wal_insert_lsn()::text, pg_current_wal_flush_lsn()::text,
		current_setting('wal_block_size')::int8`
	var insertText, flushText string
	var block uint64
	if err := conn.QueryRow(ctx, query).Scan(&insertText, &flushText, &block); err != nil {
		return 0, fmt.Errorf("ask for the log's end: %w", err)
	}
	insert, err1 := pglogrepl.ParseLSN(insertText)
	flush, err2 := pglogrepl.ParseLSN(flushText)
	if err := errors.Join(err1, err2); err != nil {
		return 0, fmt.Errorf("ask for the log's end: %w", err)
	}
	head := uint64(insert)
	if at := head % block; at == longHeader || at == shortHeader {
		head -= at
	}
	if uint64(flush) >= head {
		return head, nil
	}
	const commit = `begin; set local synchronous_commit = local; select pg_logical_emit_message(true, 'tailwater', ''); commit`
	if _, err := conn.PgConn().Exec(ctx, commit).ReadAll(); err != nil {
		return 0, fmt.Errorf("flush the log: %w", err)
	}
	return head, nil
}
