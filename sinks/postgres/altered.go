package postgres

import (
	"errors"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/tailwater-cdc/tailwater/sinks"
)

// codeAltered is the code of a call whose target somebody has altered since its plan was made.
const codeAltered = "altered"

var errAltered = errors.New("the target's table was altered while it ran: it is looked at again")

// compareTargets queues the comparison of the written tables with what their plans were made of. It stands behind the rows: the locks that they took
// keep others from altering the tables until the commit, so what it sees is what the rows met. Without it a type that rounds, a collation
// that takes keys for the same or a trigger that keeps rows would go unseen until the next start.
func (s *Sink) compareTargets(x *exchange, run *call) {
	var names, revisions []string
	for table, p := range run.plans {
		if !p.absent {
			names, revisions = append(names, table.Name), append(revisions, p.revision)
		}
	}
	if len(names) == 0 {
		return
	}
	x.p.SendQueryPrepared(comparison, [][]byte{textArray(names), textArray(revisions), []byte(s.config.Schema)}, []int16{1, 1, 0}, nil)
	x.reads = append(x.reads, func(rr *pgconn.ResultReader) error {
		altered := rr.NextRow()
		if _, err := rr.Close(); err != nil || !altered {
			return err
		}
		return &sinks.Error{Class: sinks.Retry, Code: codeAltered, Err: errAltered}
	})
}

// A session prepares the comparison once: to plan it takes several times as long as to run it.
const (
	comparison = "tailwater_targets"
	prepareSQL = "; PREPARE " + comparison + " (text[], text[], name) AS SELECT 1 FROM unnest($1, $2) AS u(name, revision) WHERE u.revision IS DISTINCT FROM (SELECT " + revisionSQL +
		" FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $3 AND c.relname = u.name::name)"
)
