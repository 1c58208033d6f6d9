package postgres

import (
	"fmt"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/sinks/internal/upsert"
)

// markArgs are the parameters of a statement over marks: source, sink, and one array a column.
func (s *Sink) markArgs(marks []change.Mark) [][]byte {
	streams, lanes := make([]string, len(marks)), make([]int64, len(marks))
	next, pos := make([]int64, len(marks)), make([]string, len(marks))
	for i, m := range marks {
		streams[i], lanes[i], next[i], pos[i] = m.Lane.Stream, int64(m.Lane.N), m.Next, m.Pos.String()
	}
	return [][]byte{[]byte(s.config.SourceID), []byte(s.config.SinkName), textArray(streams), int8Array(lanes), int8Array(next), textArray(pos)}
}

var (
	markOIDs    = []uint32{oidText, oidText, paramText.array, paramInt8.array, paramInt8.array, paramText.array}
	markFormats = []int16{0, 0, 1, 1, 1, 1}
)

// lockMarks queues the locking of from's lanes and their comparison with from. Two appliers of a lane that has no mark yet meet at the insert:
// the second waits for the first's transaction, and then sees its mark (invariant 2). A mark that has stood somewhere and is gone is found out by the
// comparison.
func (s *Sink) lockMarks(x *exchange, from []change.Mark) {
	if len(from) == 0 {
		return
	}
	var first []change.Mark
	for i, m := range from {
		if i == 0 || m.Lane.Stream != from[i-1].Lane.Stream {
			x.sendNamed(flightName, s.inFlight("pg_advisory_xact_lock_shared", m.Lane.Stream))
		}
		if m.Next == 0 && m.Pos == (change.Position{}) {
			first = append(first, m)
		}
	}
	table := s.own(upsert.TableMarks)
	if len(first) > 0 {
		x.send(statement{
			sql: "INSERT INTO " + table + " (source, sink, stream, lane, next, pos) SELECT $1, $2, u.stream, u.lane, 0, " +
				quoteLiteral(change.Position{}.String()) + " FROM unnest($3::text[], $4::bigint[]) AS u(stream, lane)" +
				" ORDER BY u.stream COLLATE \"C\", u.lane ON CONFLICT DO NOTHING",
			args: s.markArgs(first)[:4], oids: markOIDs[:4], formats: markFormats[:4]})
	}
	x.sendNamed(lockName, statement{
		sql: "SELECT m.stream, m.lane, m.next, m.pos FROM " + table + " AS m JOIN unnest($3::text[], $4::bigint[]) AS u(stream, lane)" +
			" ON m.stream = u.stream AND m.lane = u.lane WHERE m.source = $1 AND m.sink = $2 ORDER BY m.stream, m.lane FOR UPDATE OF m",
		args: s.markArgs(from)[:4], oids: markOIDs[:4], formats: markFormats[:4],
		read: func(rr *pgconn.ResultReader) error { return compareMarks(rr, from) }})
}

// What every call sends, by the names under which a session prepares them.
const (
	flightName = "tailwater_flight"
	lockName   = "tailwater_lock"
	moveName   = "tailwater_move"
)

// inFlight takes the lock by which Load waits for every ApplyAt of the stream that has not ended: one whose connection broke may still
// commit, and a Load that overtook it would return marks that are about to move.
func (s *Sink) inFlight(lock, stream string) statement {
	return statement{sql: "SELECT pg_catalog." + lock + "(pg_catalog.hashtextextended(pg_catalog.jsonb_build_array($1::text, $2::text, $3::text)::text, 0))",
		args: [][]byte{[]byte(s.config.SourceID), []byte(s.config.SinkName), []byte(stream)}}
}

// compareMarks reads the locked marks: one that is not as from says is change.ErrFenced.
func compareMarks(rr *pgconn.ResultReader, from []change.Mark) error {
	var have []change.Mark
	for rr.NextRow() {
		m, err := parseMark(textRow(rr.Values()))
		if err != nil {
			return err
		}
		have = append(have, m)
	}
	if _, err := rr.Close(); err != nil {
		return err
	}
	return upsert.CompareMarks(have, from)
}

func parseMark(r []*string) (change.Mark, error) { return upsert.ParseMark(*r[0], *r[1], *r[2], *r[3]) }

// moveMarks queues the marks' new places. All of their lanes are locked.
func (s *Sink) moveMarks(x *exchange, to []change.Mark) {
	if len(to) == 0 {
		return
	}
	x.sendNamed(moveName, statement{
		sql: "UPDATE " + s.own(upsert.TableMarks) + " AS m SET next = u.next, pos = u.pos, updated = now()" +
			" FROM unnest($3::text[], $4::bigint[], $5::bigint[], $6::text[]) AS u(stream, lane, next, pos)" +
			" WHERE m.source = $1 AND m.sink = $2 AND m.stream = u.stream AND m.lane = u.lane",
		args: s.markArgs(to), oids: markOIDs, formats: markFormats,
		read: func(rr *pgconn.ResultReader) error {
			tag, err := rr.Close()
			if err == nil && tag.RowsAffected() != int64(len(to)) {
				return fmt.Errorf("moved %d marks of %d: %w", tag.RowsAffected(), len(to), change.ErrFenced)
			}
			return err
		}})
}
