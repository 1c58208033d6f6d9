package mysql

import (
	"slices"
	"strings"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/sinks"
)

// mayEmpty halts for a Truncate of the source's that nobody has allowed. One that begins a snapshot is the sink's own affair.
func (s *Sink) mayEmpty(c *change.Change) error {
	if c.Op == change.Truncate && c.Txn != nil && s.config.Policy.Of(sinks.KindTruncate) == sinks.Halt {
		return halt("the source has emptied %s at %s, and on_schema_change.truncate is halt: start once with apply, which empties the target, or ignore, which keeps its rows", c.Table, c.Pos)
	}
	return nil
}

// emptied tells of the call's Truncates, once they are durable.
func (s *Sink) emptied(run *call) {
	for i := range run.changes {
		c := &run.changes[i]
		if c.Op != change.Truncate || c.Txn == nil || run.plans[c.Table].absent {
			continue
		}
		action := s.config.Policy.Of(sinks.KindTruncate)
		if action == sinks.Ignore {
			s.log.Warn("the source has emptied a table and the target keeps its rows, as on_schema_change says", "table", c.Table.String(), "pos", c.Pos.String())
		}
		s.met(sinks.SchemaChange{Table: c.Table, Kind: sinks.KindTruncate, Action: action})
	}
}

// emptySQL returns the statements that empty tables inside a transaction; TRUNCATE would end it. The server checks foreign keys row by row, so tables go
// behind those that point at them. Where that is no order (a table that points at itself, two that point at each other), columns that
// may be NULL are set to NULL first: they are of rows that go as well.
func emptySQL(plans []*plan) []string {
	var left []*plan
	for _, p := range plans {
		if !slices.ContainsFunc(left, func(q *plan) bool { return q.listed == p.listed }) {
			left = append(left, p)
		}
	}
	var cut, deletes []string
	for _, p := range left {
		for _, f := range p.to.references {
			if f.table == p.listed && f.nullable {
				cut = append(cut, nullSQL(f))
			}
		}
	}
	for len(left) > 0 {
		at := slices.IndexFunc(left, func(p *plan) bool { return len(pointing(p, left)) == 0 })
		if at < 0 { // in a circle
			at = 0
			for _, f := range pointing(left[0], left) {
				if f.nullable {
					cut = append(cut, nullSQL(f))
				}
			}
		}
		deletes = append(deletes, "DELETE FROM "+left[at].name)
		left = slices.Delete(left, at, at+1)
	}
	return append(cut, deletes...)
}

// pointing are the foreign keys to p of other tables that are still to be emptied.
func pointing(p *plan, left []*plan) []foreignKey {
	var out []foreignKey
	for _, f := range p.to.references {
		if f.table != p.listed && slices.ContainsFunc(left, func(q *plan) bool { return q.listed == f.table }) {
			out = append(out, f)
		}
	}
	return out
}

func nullSQL(f foreignKey) string {
	var set, where []string
	for _, c := range f.columns {
		set = append(set, quoteIdent(c)+" = NULL")
		where = append(where, quoteIdent(c)+" IS NOT NULL")
	}
	return "UPDATE " + f.table + " SET " + strings.Join(set, ", ") + " WHERE " + strings.Join(where, " AND ")
}
