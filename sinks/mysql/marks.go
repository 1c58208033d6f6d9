package mysql

import (
	"cmp"
	"context"
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
// one: two appliers meet there, the second waits for the first's transaction, and then sees its mark (invariant 2).
func (s *Sink) begin(ctx context.Context, c *conn, from []change.Mark) error {
	c.dirty = true
	if len(from) == 0 {
		_, err := c.exec(ctx, beginSQL)
		return err
	}
	sorted := slices.Clone(from)
	slices.SortFunc(sorted, func(a, b change.Mark) int {
		return cmp.Or(strings.Compare(a.Lane.Stream, b.Lane.Stream), cmp.Compare(a.Lane.N, b.Lane.N))
	})
	have, err := s.lockMarks(ctx, c, beginSQL+"; ", sorted)
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
		if have, err = s.lockMarks(ctx, c, "", sorted); err != nil {
			return err
		}
	}
	return upsert.CompareMarks(have, from)
}

// lockMarks runs first, locks the marks of the lanes and returns those that there are.
func (s *Sink) lockMarks(ctx context.Context, c *conn, first string, sorted []change.Mark) ([]change.Mark, error) {
	var have []change.Mark
	for len(sorted) > 0 {
		stream, n := sorted[0].Lane.Stream, 0
		var lanes []string
		for n < len(sorted) && sorted[n].Lane.Stream == stream {
			lanes = append(lanes, strconv.Itoa(int(sorted[n].Lane.N)))
			n++
		}
		rows, err := c.query(ctx, first+s.selectMarks()+" WHERE "+s.mine()+" AND stream = "+quoteLiteral(stream)+" AND lane IN ("+
			strings.Join(lanes, ", ")+") ORDER BY lane FOR UPDATE")
		if err != nil {
			return nil, err
		}
		marks, err := parseMarks(rows)
		if err != nil {
			return nil, err
		}
		have, sorted, first = append(have, marks...), sorted[n:], ""
	}
	return have, nil
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
