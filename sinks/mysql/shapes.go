package mysql

import (
	"context"
	"strings"

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
func (s *Sink) shapesOf(ctx context.Context, c *conn, table *change.Table) (shapes, error) {
	rows, err := c.query(ctx, "SELECT `schema`, shape, fingerprint, name, pos FROM "+s.own(upsert.TableShapes)+" WHERE "+s.mine()+" AND "+s.named(table.Name))
	if err != nil {
		return shapes{}, wrapped("read the recorded shapes", err)
	}
	out := shapes{columns: make(map[string]map[string]bool)}
	for _, r := range rows {
		if *r[0] != table.Schema || *r[3] != table.Name {
			return out, halt("%s.%s and %s both go to %s: give them sinks with databases of their own",
				*r[0], *r[3], table, qualified(s.config.Schema, table.Name))
		}
		old, err := change.ParseShape([]byte(*r[1]))
		if err != nil {
			return out, halt("a recorded shape of %s: %w", table, err)
		}
		out.History = append(out.History, reshape.Recorded{Table: old, Fingerprint: *r[2], Pos: *r[4]})
		for i, made := range types(old, s.server.dialect, s.config.Mode) {
			name := old.Columns[i].Name
			if out.columns[name] == nil {
				out.columns[name] = make(map[string]bool)
			}
			out.columns[name][bare(made)] = true
		}
	}
	return out, nil
}

// recordShape writes the shape beside the marks, once for each fingerprint, with the Position of the change that brought it last.
func (s *Sink) recordShape(ctx context.Context, c *conn, t *turn) error {
	shape, err := change.AppendShape(nil, t.table)
	if err != nil {
		return err
	}
	_, err = c.exec(ctx, "INSERT INTO "+s.own(upsert.TableShapes)+" (source, sink, `schema`, name, fingerprint, shape, pos) VALUES ("+
		quoteLiteral(s.config.SourceID)+", "+quoteLiteral(s.config.SinkName)+", "+quoteLiteral(t.table.Schema)+", "+quoteLiteral(t.table.Name)+", "+
		quoteLiteral(t.fingerprint)+", "+quoteLiteral(string(shape))+", "+quoteLiteral(t.pos.String())+") ON DUPLICATE KEY UPDATE pos = GREATEST(pos, "+
		quoteLiteral(t.pos.String())+"), seen = CURRENT_TIMESTAMP(6)")
	return wrapped("record the shape", err)
}

// bare is a type without its character set, as the catalogue shows it.
func bare(made string) string {
	name, _, _ := strings.Cut(made, " CHARACTER SET")
	return plainType(name)
}
