package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// Status is what the server says of a source's slot.
type Status struct {
	LagBytes      int64  // log written and not confirmed
	RetainedBytes int64  // log that the server keeps for the slot
	WALStatus     string // reserved, extended, unreserved or lost
	Active        bool   // somebody reads it
}

// Status asks for the state of the slot: one query over the catalogue's connection. Any goroutine may call it.
func (s *Source) Status(ctx context.Context) (Status, error) {
	var st Status
	err := s.catalog.session(ctx, func(conn *pgx.Conn) error {
		const query = `select coalesce(pg_current_wal_lsn() - confirmed_flush_lsn, 0)::int8,
			coalesce(pg_current_wal_lsn() - restart_lsn, 0)::int8, coalesce(wal_status, ''), active
			from pg_replication_slots where slot_name = $1`
		row := conn.QueryRow(ctx, query, s.config.Slot.Name)
		return row.Scan(&st.LagBytes, &st.RetainedBytes, &st.WALStatus, &st.Active)
	})
	if err != nil {
		return st, fmt.Errorf("read the state of slot %s: %w", s.config.Slot.Name, err)
	}
	return st, nil
}
