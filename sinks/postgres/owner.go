package postgres

import (
	"context"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/sinks/internal/upsert"
)

// checkOwner refuses a target table that another source or sink writes too, where a row counts once for its Position: two sources have
// equal ones, and a row that is taken for a replay of another would be lost without a word. Where rows have keys, the key tells them apart, and
// that no two writers have one key is the operator's to know. The caller holds the table's lock.
func (s *Sink) checkOwner(ctx context.Context, pg *pgconn.PgConn, table *change.Table, to *target) (shared bool, err error) {
	byKey := s.config.Mode != Append && len(table.Key) > 0 && (to == nil || to.column(upsert.ColumnPos) == nil)
	rows, err := query(ctx, pg, `SELECT DISTINCT source, sink FROM `+s.own(upsert.TableShapes)+` WHERE name = $3 AND (source, sink) <> ($1, $2)
ORDER BY source, sink`, s.config.SourceID, s.config.SinkName, table.Name)
	if err != nil {
		return false, wrapped("read the recorded shapes", err)
	}
	if len(rows) == 0 {
		return false, nil
	}
	source, sink := *rows[0][0], *rows[0][1]
	name := quoteIdent(s.config.Schema) + "." + quoteIdent(table.Name)
	written := name
	if to != nil {
		written = to.rows(name)
	}
	if byKey {
		s.log.Warn("the target table has another writer: no two may write one key, and a truncate empties it for both", "table", name,
			"source", source, "sink", sink)
		return true, nil
	}
	return true, preflightError("%s belongs to source %q, sink %q, and source %q, sink %q would write to it too, where rows are told apart by %s: "+
		"give each sink a schema of its own; or, if the first is gone for good: UPDATE %s SET %s = NULL; "+
		"DELETE FROM %s WHERE source = %s AND sink = %s AND name = %s", name, source, sink, s.config.SourceID, s.config.SinkName, upsert.ColumnPos,
		written, upsert.ColumnPos, s.own(upsert.TableShapes), quoteLiteral(source), quoteLiteral(sink), quoteLiteral(table.Name))
}
