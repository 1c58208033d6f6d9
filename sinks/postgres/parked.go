package postgres

import (
	"fmt"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/codec"
	"github.com/tailwater-cdc/tailwater/sinks"
	"github.com/tailwater-cdc/tailwater/sinks/internal/upsert"
)

// park queues the storing of parked changes, in the transaction that moves the marks past them (invariant 8).
func (s *Sink) park(x *exchange, parked []sinks.Parked) error {
	if len(parked) == 0 {
		return nil
	}
	var columns [8][]string
	lanes := make([]int64, len(parked))
	ascii := x.pg.ParameterStatus("server_encoding") != "UTF8"
	for i := range parked {
		p := &parked[i]
		body, err := codec.AppendChange(nil, &p.Change)
		if err != nil {
			return fmt.Errorf("park %s of %s at %s: %w", p.Change.Op, p.Change.Table, p.Change.Pos, err)
		}
		cause := upsert.Storable(p.Cause)
		if ascii { // what has been refused may be a letter that the database lacks
			body, cause = escaped(body), string(escaped([]byte(cause)))
		}
		lanes[i] = int64(p.Lane.N)
		t := p.Change.Table
		for j, v := range []string{p.Lane.Stream, t.Schema, t.Name, upsert.KeyHash(&p.Change), p.Change.Pos.String(), p.Code, cause, string(body)} {
			columns[j] = append(columns[j], v)
		}
	}
	st := statement{
		sql: "INSERT INTO " + s.own(upsert.TableParked) + " (source, sink, stream, schema, name, key, pos, code, cause, change, lane)" +
			" SELECT $1, $2, u.* FROM unnest($3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[]," +
			" $11::bigint[]) AS u",
		args: [][]byte{[]byte(s.config.SourceID), []byte(s.config.SinkName)}, oids: []uint32{oidText, oidText}, formats: []int16{0, 0}}
	for _, c := range columns {
		st.args, st.oids, st.formats = append(st.args, textArray(c)), append(st.oids, paramText.array), append(st.formats, 1)
	}
	st.args, st.oids, st.formats = append(st.args, int8Array(lanes)), append(st.oids, paramInt8.array), append(st.formats, 1)
	x.send(st)
	return nil
}

// escaped writes all but ASCII as JSON's escapes, which in a document mean the same.
func escaped(text []byte) []byte {
	out := make([]byte, 0, len(text))
	for _, r := range string(text) {
		switch {
		case r < utf8.RuneSelf:
			out = append(out, byte(r))
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			out = fmt.Appendf(out, `\u%04x\u%04x`, high, low)
		default:
			out = fmt.Appendf(out, `\u%04x`, r)
		}
	}
	return out
}

// superseded are the changes of a call that stand for parked ones, a column each.
type superseded struct{ schemas, names, keys, positions []string }

func (u *superseded) add(c *change.Change) {
	u.schemas, u.names = append(u.schemas, c.Table.Schema), append(u.names, c.Table.Name)
	u.keys, u.positions = append(u.keys, upsert.KeyHash(c)), append(u.positions, c.Pos.String())
}

// supersede queues the removal of parked changes whose row is another by now: those of a snapshot row's key, and all of a truncated table, at
// or below its Position.
func (s *Sink) supersede(x *exchange, c []change.Change, stream string) {
	snapshot, truncates := upsert.Superseding(c, s.config.Mode.folding())
	var rows, tables superseded
	for _, c := range snapshot {
		rows.add(c)
	}
	for _, c := range truncates {
		tables.add(c)
	}
	s.removeParked(x, stream, &rows, " AND p.key = u.key")
	s.removeParked(x, stream, &tables, "")
}

func (s *Sink) removeParked(x *exchange, stream string, u *superseded, and string) {
	if len(u.keys) == 0 {
		return
	}
	x.send(statement{
		sql: "DELETE FROM " + s.own(upsert.TableParked) + " AS p USING unnest($4::text[], $5::text[], $6::text[], $7::text[]) AS u(schema, name, key, pos)" +
			" WHERE p.source = $1 AND p.sink = $2 AND p.stream = $3 AND p.schema = u.schema AND p.name = u.name" + and +
			" AND p.pos <= u.pos COLLATE \"C\"",
		args: [][]byte{[]byte(s.config.SourceID), []byte(s.config.SinkName), []byte(stream),
			textArray(u.schemas), textArray(u.names), textArray(u.keys), textArray(u.positions)},
		oids:    []uint32{oidText, oidText, oidText, paramText.array, paramText.array, paramText.array, paramText.array},
		formats: []int16{0, 0, 0, 1, 1, 1, 1}})
}

// parkedColumns are what readParked reads.
const parkedColumns = "stream, lane, code, cause, change"

func readParked(rr *pgconn.ResultReader) ([]sinks.Parked, error) {
	var out []sinks.Parked
	for rr.NextRow() {
		r := textRow(rr.Values())
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
	_, err := rr.Close()
	return out, err
}
