package postgres

import (
	"context"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/sinks/internal/reshape"
	"github.com/tailwater-cdc/tailwater/sinks/internal/upsert"
)

// shapes are what this sink has met of one target table.
type shapes struct {
	reshape.History
	columns map[string]map[string]bool // of all recorded shapes: the types that a column was made or would have been made with
}

// shapesOf reads the recorded shapes of the target table. Another source table of the same name is refused: the two would share it.
func (s *Sink) shapesOf(ctx context.Context, pg *pgconn.PgConn, table *change.Table) (shapes, error) {
	rows, err := query(ctx, pg, `SELECT schema, shape, fingerprint, pos FROM `+s.own(upsert.TableShapes)+` WHERE source = $1 AND sink = $2 AND name = $3`,
		s.config.SourceID, s.config.SinkName, table.Name)
	if err != nil {
		return shapes{}, wrapped("read the recorded shapes", err)
	}
	out := shapes{columns: make(map[string]map[string]bool)}
	for _, r := range rows {
		if *r[0] != table.Schema {
			return out, halt("%s.%s and %s both go to %s.%s: give them sinks with schemas of their own",
				*r[0], table.Name, table, s.config.Schema, table.Name)
		}
		old, err := change.ParseShape([]byte(*r[1]))
		if err != nil {
			return out, halt("a recorded shape of %s: %w", table, err)
		}
		out.History = append(out.History, reshape.Recorded{Table: old, Fingerprint: *r[2], Pos: *r[3]})
		for i := range old.Columns {
			name := old.Columns[i].Name
			if out.columns[name] == nil {
				out.columns[name] = make(map[string]bool)
			}
			out.columns[name][declaredAs(old.Engine, &old.Columns[i])] = true
		}
	}
	return out, nil
}

// recordShape writes the shape beside the marks, once for each fingerprint, with the Position of the change that brought it last.
func (s *Sink) recordShape(ctx context.Context, pg *pgconn.PgConn, t *turn) error {
	shape, err := change.AppendShape(nil, t.table)
	if err != nil {
		return err
	}
	_, err = query(ctx, pg, `INSERT INTO `+s.own(upsert.TableShapes)+` AS t (source, sink, schema, name, fingerprint, shape, pos) VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (source, sink, schema, name, fingerprint) DO UPDATE SET pos = excluded.pos, seen = excluded.seen WHERE t.pos < excluded.pos`,
		s.config.SourceID, s.config.SinkName, t.table.Schema, t.table.Name, t.fingerprint, string(shape), t.pos.String())
	return wrapped("record the shape", err)
}

// declaredAs is the type that a column of the shape has in a table that the sink makes, where the target knows the source's types.
func declaredAs(engine string, col *change.Column) string {
	if engine == "postgres" {
		return col.Native
	}
	return nativeType(col)
}
