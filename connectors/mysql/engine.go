package mysql

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/tailwater-cdc/tailwater/pkg/change"
)

var (
	errEngine    = errors.New("its engine doesn't roll back, so what of the transaction stands isn't known: ALTER TABLE ... ENGINE = InnoDB, then take a new snapshot")
	errEngineOld = errors.New("it was made or rebuilt after a transaction that was rolled back, or is gone, so whether its engine rolled back isn't known: take a new snapshot")
)

// moment is when a group was committed.
type moment struct {
	micros int64  // since 1970
	server uint32 // whose clock that is; 0: the server's own
}

// engineOf says whether a table's engine has transactions, and since when, in seconds since 1970, it is that table. Both are of today's
// catalogue; a change of the engine rebuilds the table.
func engineOf(ctx context.Context, conn *session, t tableName) (transactional bool, since int64, err error) {
	rows, err := conn.all(ctx, "select coalesce(e.transactions, ''), unix_timestamp(t.create_time) from information_schema.tables t "+
		"left join information_schema.engines e on e.engine = t.engine where t.table_schema = "+quoteText(t.schema)+" and t.table_name = "+quoteText(t.name))
	if err != nil {
		return false, 0, fmt.Errorf("ask for the engine of %s: %w", t, err)
	}
	if len(rows) != 1 {
		return false, 0, errNoTable
	}
	if rows[0][1] == "" { // CSV, MERGE and others in MariaDB: made at no time that would prove anything
		return rows[0][0] == "YES", math.MaxInt64, nil
	}
	seconds, err := strconv.ParseFloat(rows[0][1], 64)
	if err != nil {
		return false, 0, fmt.Errorf("table %s was made at %q: %w: %w", t, rows[0][1], err, change.ErrHalt)
	}
	return rows[0][0] == "YES", int64(seconds), nil
}

// rolledBack refuses tables of which it can't be told that their engine took a group's rows back when it was rolled back.
//
// Invariant 4: today's engine counts only if the table is older than the group. Seconds are all that the catalogue has.
func (s *Source) rolledBack(tables []tableName, at moment) error {
	ctx := s.log.wire.ctx
	return s.catalog.session(ctx, func(conn *session) error {
		for _, t := range tables {
			transactional, since, err := engineOf(ctx, conn, t)
			if err != nil && !errors.Is(err, errNoTable) {
				return err
			}
			known := err == nil && since < time.UnixMicro(at.micros).Unix() && (at.server == 0 || at.server == s.server.id)
			switch {
			case !known:
				return fmt.Errorf("table %s: %w: %w", t, errEngineOld, change.ErrHalt)
			case !transactional:
				return fmt.Errorf("table %s: %w: %w", t, errEngine, change.ErrHalt)
			}
		}
		return nil
	})
}
