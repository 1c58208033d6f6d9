package postgres

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/tailwater-cdc/tailwater/pkg/snapshot"
)

// rootPart is a Part of each partitioned table, so that one without a partition is known to be partitioned.
const rootPart = "root"

// readParts returns what partitioned tables are made of, by their oid. TRUNCATE gives a partition another file; so do VACUUM FULL, CLUSTER and
// an ALTER that rewrites it, which can't be told from it.
//
// See decisions.md: the log under publish_via_partition_root tells nothing of this.
func readParts(ctx context.Context, q querier, roots []uint32) (map[uint32][]snapshot.Part, error) {
	if len(roots) == 0 {
		return nil, nil
	}
	// The size is read now, after the partition is seen to be one. A foreign table has none and may have rows.
	const query = `select r.oid, l.oid, l.relfilenode, coalesce(pg_get_partition_constraintdef(l.oid), ''),
			l.relkind = 'r' and coalesce(pg_relation_size(l.oid), 0) = 0
		from unnest($1::oid[]) r (oid) cross join lateral pg_partition_tree(r.oid) p join pg_class l on l.oid = p.relid
		where p.isleaf order by l.oid`
	parts := make(map[uint32][]snapshot.Part, len(roots))
	for _, oid := range roots {
		parts[oid] = []snapshot.Part{{ID: rootPart, Empty: true}}
	}
	rows, err := q.Query(ctx, query, roots)
	if err != nil {
		return nil, fmt.Errorf("list the partitions: %w", err)
	}
	var root, oid, file uint32
	var p snapshot.Part
	_, err = pgx.ForEachRow(rows, []any{&root, &oid, &file, &p.Where, &p.Empty}, func() error {
		p.ID = fmt.Sprintf("%d:%d", oid, file)
		parts[root] = append(parts[root], p)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list the partitions: %w", err)
	}
	return parts, nil
}

// readBegun returns what tells later that one of the tables is another one, or has other parts.
func readBegun(ctx context.Context, q querier, tables []candidate) ([]snapshot.Info, error) {
	var roots, all []uint32
	for _, t := range tables {
		all = append(all, t.oid)
		if t.partitioned {
			roots = append(roots, t.oid)
		}
	}
	parts, err := readParts(ctx, q, roots)
	if err != nil {
		return nil, err
	}
	revisions, err := readRevisions(ctx, q, all)
	if err != nil {
		return nil, err
	}
	list := make([]snapshot.Info, len(tables))
	for i, t := range tables {
		list[i] = snapshot.Info{Incarnation: incarnation(t.oid), Parts: parts[t.oid]}
		revise(&list[i], revisions[t.oid])
	}
	return list, nil
}

func incarnation(oid uint32) string { return fmt.Sprint(oid) }

// oidOf is the oid of an incarnation.
func oidOf(incarnation string) (uint32, bool) {
	oid, err := strconv.ParseUint(incarnation, 10, 32)
	return uint32(oid), err == nil
}

// imprint is an Info but for its Revision as text: another one when a Look is due.
func imprint(i snapshot.Info) string {
	var b strings.Builder
	b.WriteString(i.Incarnation + " " + i.Member)
	for _, p := range i.Parts {
		b.WriteByte(' ')
		b.WriteString(p.ID)
	}
	return b.String()
}

// look has those tables looked up again that are others now than when they were looked at before, have other parts, or were out of the publication
// for a while.
func (s *Source) look(tables []candidate, now []snapshot.Info) error {
	seen := make(map[string]snapshot.Info, len(tables))
	var err error
	for i, t := range tables {
		name := t.String()
		seen[name] = now[i]
		was, known := s.prints[name]
		left := known && was.Member != now[i].Member && was.Incarnation == now[i].Incarnation
		switch {
		case !known && s.config.SnapshotMode == SnapshotNever:
			s.runner.Note(name, now[i])
		case !known || imprint(was) == imprint(now[i]) && was.Revision == now[i].Revision:
		case imprint(was) == imprint(now[i]):
			s.revised(name, was, now[i])
		case left && s.unread(name):
			err = errors.Join(err, snapshot.Missed(name))
		case left:
			s.config.Logger.Warn("the table was out of the publication for a while, or this was altered", "table", name, "publication", s.config.Publication.Name)
			s.runner.Look(name, now[i].Parts...)
		case s.config.SnapshotMode == SnapshotNever:
			s.config.Logger.Warn("the table was created again, or a partition of it was attached, detached, dropped or truncated, of which the log tells nothing; "+
				"rows that are gone stay at the targets: delete them there; for rows that came with a partition run tailwater snapshot start", "table", name)
		default:
			s.config.Logger.Info("the table was created again, or a partition of it was attached, detached, dropped, truncated or rewritten", "table", name)
			s.runner.Look(name, now[i].Parts...)
		}
	}
	maps.Copy(seen, missing(s.prints, seen))
	s.prints = seen
	return err
}

// missing is what was has and now lacks: a table that is dropped and comes again is another one.
func missing(was, now map[string]snapshot.Info) map[string]snapshot.Info {
	out := map[string]snapshot.Info{}
	for name, info := range was {
		if _, ok := now[name]; !ok {
			out[name] = info
		}
	}
	return out
}

// bareLeaf names a partition of a root with REPLICA IDENTITY FULL that hasn't that itself; "": there is none, or the table isn't partitioned. The log
// describes the root and holds the partition's old row. It describes the root anew when a partition's identity changes.
// Source: PostgreSQL, pgoutput.c, maybe_send_schema and rel_sync_cache_relation_cb; execReplication.c.
func (s *shapes) bareLeaf(ctx context.Context, root uint32) (name string, err error) {
	const query = `select coalesce(min(l.oid::regclass::text), '') from pg_class r
		cross join lateral pg_partition_tree(case when r.relkind = 'p' then r.oid end) p join pg_class l on l.oid = p.relid
		where r.oid = $1 and p.isleaf and l.relkind = 'r' and l.relreplident <> 'f'`
	err = s.catalog.with(ctx, func(tx pgx.Tx) error { return tx.QueryRow(ctx, query, root).Scan(&name) })
	if err != nil {
		return "", fmt.Errorf("look at the partitions' replica identities: %w", err)
	}
	return name, nil
}
