package mysql

import (
	"context"
	"fmt"
	"strconv"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/codec"
	"github.com/tailwater-cdc/tailwater/sinks"
	"github.com/tailwater-cdc/tailwater/sinks/internal/upsert"
)

// parkedColumns are what parseParked reads.
const parkedColumns = "stream, lane, code, cause, `change`"

// park appends the storing of parked changes, in the transaction that moves the marks past them (invariant 8).
func (s *Sink) park(ctx context.Context, x *script, parked []sinks.Parked) error {
	for i := range parked {
		start := len(x.b)
		p := &parked[i]
		body, err := codec.AppendChange(nil, &p.Change)
		if err != nil {
			return fmt.Errorf("park %s of %s at %s: %w", p.Change.Op, p.Change.Table, p.Change.Pos, err)
		}
		x.b = append(x.b, "INSERT INTO "+s.own(upsert.TableParked)+
			" (source, sink, stream, `schema`, name, `key`, pos, code, cause, `change`, lane) VALUES ("...)
		t := p.Change.Table
		for _, v := range []string{s.config.SourceID, s.config.SinkName, p.Lane.Stream, t.Schema, t.Name, upsert.KeyHash(&p.Change),
			p.Change.Pos.String(), p.Code, upsert.Storable(p.Cause)} {
			x.b = append(appendQuoted(x.b, v), ", "...)
		}
		x.b = append(appendQuoted(x.b, string(body)), ", "...)
		x.b = append(strconv.AppendInt(x.b, int64(p.Lane.N), 10), ')')
		if err := x.room(ctx, start); err != nil {
			return err
		}
		x.end(-1, nil)
	}
	return nil
}

// supersede appends the removal of parked changes whose row is another by now: those of a snapshot row's key, and all of a truncated table, at or
// below its Position.
func (s *Sink) supersede(x *script, c []change.Change, stream string) {
	rows, tables := upsert.Superseding(c, s.config.Mode.folding())
	for _, c := range rows {
		s.removeParked(x, stream, c, " AND `key` = "+quoteLiteral(upsert.KeyHash(c)))
	}
	for _, c := range tables {
		s.removeParked(x, stream, c, "")
	}
}

func (s *Sink) removeParked(x *script, stream string, c *change.Change, and string) {
	x.add("DELETE FROM " + s.own(upsert.TableParked) + " WHERE " + s.mine() + " AND stream = " + quoteLiteral(stream) + " AND `schema` = " +
		quoteLiteral(c.Table.Schema) + " AND name = " + quoteLiteral(c.Table.Name) + and + " AND pos <= " + quoteLiteral(c.Pos.String()))
}

func parseParked(rows [][]*string) ([]sinks.Parked, error) {
	var out []sinks.Parked
	for _, r := range rows {
		lane, err := strconv.ParseInt(*r[1], 10, 32)
		if err != nil {
			return nil, fmt.Errorf("parked change of stream %s: %w", *r[0], err)
		}
		c, err := codec.ParseChange([]byte(*r[4]))
		if err != nil {
			return nil, fmt.Errorf("parked change of lane %s/%d: %w", *r[0], lane, err)
		}
		out = append(out, sinks.Parked{Change: c, Lane: change.Lane{Stream: *r[0], N: int32(lane)}, Code: *r[2], Cause: *r[3]})
	}
	return out, nil
}
