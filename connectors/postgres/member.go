package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/tailwater-cdc/tailwater/pkg/change"
	"github.com/tailwater-cdc/tailwater/pkg/snapshot"
)

// namespaces is the first version that publishes schemas.
const namespaces = 150000

// readMembers returns by which entry of the publication tables are in it, by oid. A table that was taken out for a while, or published by another
// list of columns or with a filter, has another entry afterwards; one that was moved out of a schema that is in it has another dependency (by its xmin) on
// that schema; the publication's own is another one (by its xmin) after any ALTER PUBLICATION
// that sets what it publishes, its owner or its name, which can't be told apart afterwards. One that joins or loses another table is the same.
func readMembers(ctx context.Context, q querier, publication string, oids []uint32) (map[uint32]string, error) {
	var version int
	if err := q.QueryRow(ctx, `select current_setting('server_version_num')::int`).Scan(&version); err != nil {
		return nil, fmt.Errorf("ask for the server's version: %w", err)
	}
	schemas := `(select null::oid as oid, null::oid as pnpubid, null::oid as pnnspid)`
	if version >= namespaces {
		schemas = "pg_publication_namespace"
	}
	query := `select c.oid, p.oid || '.' || p.xmin::text || coalesce(' table ' || r.oid, ' schema ' || n.oid || '.' || d.xmin::text, ' all')
		from pg_publication p cross join pg_class c
			left join pg_publication_rel r on r.prpubid = p.oid and r.prrelid = c.oid
			left join ` + schemas + ` n on n.pnpubid = p.oid and n.pnnspid = c.relnamespace
			left join pg_depend d on d.classid = 'pg_class'::regclass and d.objid = c.oid and d.objsubid = 0
				and d.refclassid = 'pg_namespace'::regclass and d.refobjid = c.relnamespace
		where p.pubname = $1 and c.oid = any($2::oid[])`
	members, err := textByOID(ctx, q, query, publication, oids)
	if err != nil {
		return nil, fmt.Errorf("read the members of publication %s: %w", publication, err)
	}
	return members, nil
}

// addMembers completes what tells later that changes of one of the tables were left out. It is called once they are all published.
func addMembers(ctx context.Context, q querier, publication string, tables []candidate, begun []snapshot.Info) error {
	oids := make([]uint32, len(tables))
	for i, t := range tables {
		oids[i] = t.oid
	}
	members, err := readMembers(ctx, q, publication, oids)
	for i, t := range tables {
		begun[i].Member = members[t.oid]
	}
	return err
}

// lapsed looks for a table that was captured and that the publication lacks now. What it has missed can be read only where rows may be read.
func (s *Source) lapsed(tables []candidate) error {
	for _, t := range tables {
		if _, captured := s.prints[t.String()]; captured && !t.published && s.unread(t.String()) {
			return snapshot.Missed(t.String())
		}
	}
	return nil
}

// unlogged takes note of a table that was captured and that the log doesn't hold now. It is stale from here on, though this process may not be there when it is
// logged again; lookLeft has it read then.
//
// Invariant 5: where rows may not be read it halts, once the progress that says so is on its way, so that the next start does too.
func (s *Source) unlogged(list []candidate) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range list {
		name := t.String()
		if _, captured := s.prints[name]; !captured || !t.unlogged {
			continue
		}
		if _, left := s.left[name]; left {
			if s.unread(name) && s.told(name) {
				return snapshot.Missed(name)
			}
			continue
		}
		s.left[name], s.leaving[name] = t.oid, s.runner.Leave(name)
		s.config.Logger.Warn("the table is unlogged, so its changes are in no log; once it is logged again its rows are to be read", "table", name)
	}
	return nil
}

// told says that the progress which was handed over knows a table as left out.
func (s *Source) told(name string) bool {
	taken := s.leaving[name]
	if taken == nil {
		return true
	}
	select {
	case <-taken:
		return true
	default:
		return false
	}
}

// unread says that a table's rows are not ours to read: by the mode, and nobody has asked for them.
func (s *Source) unread(name string) bool {
	return s.config.SnapshotMode == SnapshotNever &&
		!slices.ContainsFunc(s.runner.Progress(), func(p snapshot.Progress) bool { return p.Table == name })
}

// halts says that nothing but an operator mends what a look at the catalogue has found: the stream goes on without changes that it should bring.
func halts(err error) bool {
	return errors.Is(err, change.ErrGap) || errors.Is(err, errPublishes) || errors.Is(err, errPublication)
}
