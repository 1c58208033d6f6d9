package postgres

import (
	"context"
	"fmt"
	"maps"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/tailwater-cdc/tailwater/pkg/snapshot"
)

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
		parts[oid] = []snapshot.Part{{ID: "root", Empty: true}} // so that a table without a partition is known to be partitioned
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
	var roots []uint32
	for _, t := range tables {
		if t.partitioned {
			roots = append(roots, t.oid)
		}
	}
	parts, err := readParts(ctx, q, roots)
	if err != nil {
		return nil, err
	}
	list := make([]snapshot.Info, len(tables))
	for i, t := range tables {
		list[i] = snapshot.Info{Incarnation: incarnation(t.oid), Parts: parts[t.oid]}
	}
	return list, nil
}

func incarnation(oid uint32) string { return fmt.Sprint(oid) }

// imprint is an Info as text: another one when a Look is due.
func imprint(i snapshot.Info) string {
	var b strings.Builder
	b.WriteString(i.Incarnation)
	for _, p := range i.Parts {
		b.WriteByte(' ')
		b.WriteString(p.ID)
	}
	return b.String()
}

// look has those tables looked up again that are others now than when they were looked at before, or have other parts.
func (s *Source) look(tables []candidate, now []snapshot.Info) {
	prints := make(map[string]string, len(tables))
	for i, t := range tables {
		prints[t.String()] = imprint(now[i])
	}
	for name, text := range prints {
		if was, known := s.prints[name]; !known || was == text {
			continue
		}
		if s.config.SnapshotMode == SnapshotNever {
			s.config.Logger.Warn("the table was created again, or a partition of it was attached, detached, dropped or truncated, of which the log tells nothing; "+
				"rows that are gone stay at the targets: delete them there; for rows that came with a partition run tailwater snapshot start", "table", name)
			continue
		}
		s.config.Logger.Info("the table was created again, or a partition of it was attached, detached, dropped, truncated or rewritten", "table", name)
		s.runner.Look(name)
	}
	maps.Copy(prints, missing(s.prints, prints))
	s.prints = prints
}

// missing is what was has and now lacks: a table that is dropped and comes again is another one.
func missing(was, now map[string]string) map[string]string {
	out := map[string]string{}
	for name, text := range was {
		if _, ok := now[name]; !ok {
			out[name] = text
		}
	}
	return out
}
