package mysql

import (
	"cmp"
	"context"
	"database/sql"
	"slices"
	"strconv"
	"strings"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/sinks/internal/upsert"
)

const beginSQL = "START TRANSACTION READ WRITE"

// mine finds this source's and sink's rows in a table of ours.
func (s *Sink) mine() string {
	return "source = " + quoteLiteral(s.config.SourceID) + " AND sink = " + quoteLiteral(s.config.SinkName)
}

// selectMarks reads marks by their key, whatever the optimizer thinks of a small table: a scan would wait for the marks of other lanes.
func (s *Sink) selectMarks() string {
	return "SELECT stream, lane, next, pos FROM " + s.own(upsert.TableMarks) + " FORCE INDEX (PRIMARY)"
}

// begin starts the transaction, locks the marks of from's lanes in the order of their key and compares them with from. A lane that has no mark yet gets
// one: two appliers meet there, the second waits for the first's transaction, and then sees its mark (invariant 2). In the same round trip it looks
// whether the targets of plans are still what they were: from there on the server keeps them so until the transaction ends.
func (s *Sink) begin(ctx context.Context, c *conn, from []change.Mark, plans []*plan) error {
	c.dirty = true
	sorted := slices.Clone(from)
	slices.SortFunc(sorted, func(a, b change.Mark) int {
		return cmp.Or(strings.Compare(a.Lane.Stream, b.Lane.Stream), cmp.Compare(a.Lane.N, b.Lane.N))
	})
	have, err := s.lockMarks(ctx, c, sorted, plans)
	if err != nil {
		return err
	}
	if missing := without(sorted, have); len(missing) > 0 {
		var rows []string
		for _, m := range missing {
			rows = append(rows, "("+quoteLiteral(s.config.SourceID)+", "+quoteLiteral(s.config.SinkName)+", "+quoteLiteral(m.Lane.Stream)+", "+
				strconv.Itoa(int(m.Lane.N))+", 0, "+quoteLiteral(change.Position{}.String())+")")
		}
		if _, err := c.exec(ctx, "INSERT INTO "+s.own(upsert.TableMarks)+" (source, sink, stream, lane, next, pos) VALUES "+
			strings.Join(rows, ", ")+" ON DUPLICATE KEY UPDATE lane = lane"); err != nil {
			return err
		}
		if have, err = s.lockMarks(ctx, c, sorted, nil); err != nil {
			return err
		}
	}
	return upsert.CompareMarks(have, from)
}

// lockMarks locks the marks of the lanes and returns those that there are; the first time, with plans, it begins the transaction.
func (s *Sink) lockMarks(ctx context.Context, c *conn, sorted []change.Mark, plans []*plan) ([]change.Mark, error) {
	var statements []string
	if plans != nil {
		statements = append(statements, beginSQL)
	}
	streams := 0
	for len(sorted) > 0 {
		stream, n := sorted[0].Lane.Stream, 0
		var lanes []string
		for n < len(sorted) && sorted[n].Lane.Stream == stream {
			lanes = append(lanes, strconv.Itoa(int(sorted[n].Lane.N)))
			n++
		}
		statements = append(statements, s.selectMarks()+" WHERE "+s.mine()+" AND stream = "+quoteLiteral(stream)+" AND lane IN ("+
			strings.Join(lanes, ", ")+") ORDER BY lane FOR UPDATE")
		sorted = sorted[n:]
		streams++
	}
	var looks []func(*sql.Rows) error
	for _, p := range plans {
		for i, statement := range p.lookSQL() {
			statements = append(statements, statement)
			looks = append(looks, func(rows *sql.Rows) error { return p.same(i, rows) })
		}
	}
	if streams+len(looks) == 0 {
		_, err := c.exec(ctx, beginSQL)
		return nil, err
	}
	var have []change.Mark
	err := c.each(ctx, strings.Join(statements, "; "), func(i int, rows *sql.Rows) error {
		if i >= streams {
			return looks[i-streams](rows)
		}
		found, err := texts(rows)
		if err != nil {
			return err
		}
		marks, err := parseMarks(found)
		have = append(have, marks...)
		return err
	})
	return have, err
}

func parseMarks(rows [][]*string) ([]change.Mark, error) {
	var out []change.Mark
	for _, r := range rows {
		m, err := upsert.ParseMark(*r[0], *r[1], *r[2], *r[3])
		if err != nil {
			return nil, err
		}
		out = append(out, m)
	}
	return out, nil
}

// without returns the marks whose lanes have has not.
func without(marks, have []change.Mark) []change.Mark {
	var out []change.Mark
	for _, m := range marks {
		if !slices.ContainsFunc(have, func(h change.Mark) bool { return h.Lane == m.Lane }) {
			out = append(out, m)
		}
	}
	return out
}

// moveMarks appends the marks' new places. All of their lanes are locked.
func (s *Sink) moveMarks(x *script, to []change.Mark) {
	for _, m := range to {
		x.b = append(x.b, "UPDATE "+s.own(upsert.TableMarks)+" SET next = "...)
		x.b = strconv.AppendInt(x.b, m.Next, 10)
		x.b = append(x.b, ", pos = '"...)
		x.b, _ = m.Pos.AppendText(x.b) // never an error
		x.b = append(x.b, "', updated = UTC_TIMESTAMP(6) WHERE "+s.mine()+" AND stream = "...)
		x.b = appendQuoted(x.b, m.Lane.Stream)
		x.b = append(x.b, " AND lane = "...)
		x.b = strconv.AppendInt(x.b, int64(m.Lane.N), 10)
		x.end(1, fenced(m))
	}
}
