package postgres

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/tailwater-cdc/tailwater/pkg/snapshot"
)

// readRevisions returns by which file and which entries of its columns each table is what it is, by oid: "file/transactions/those of the key's columns",
// a transaction being one that made or altered a column that there is. Partitioned tables have none (see readParts).
//
// What gives rows other values without a row in the log (ALTER ... TYPE ... USING, a column with a volatile DEFAULT, IDENTITY or a stored expression, SET
// EXPRESSION) writes the whole table into another file and the column's entry anew. Each alone changes for other reasons. See decisions.md.
// Source: PostgreSQL, tablecmds.c, ATRewriteTables and ATExecAlterColumnType; seen on 15 and 18.
func readRevisions(ctx context.Context, q querier, oids []uint32) (map[uint32]string, error) {
	// The log carries generated columns from publishesGenerated on.
	const query = `select c.oid, c.relfilenode || '/' || string_agg(distinct a.xmin::text, ' ')
				|| '/' || coalesce(string_agg(distinct a.xmin::text, ' ') filter (where a.attnum = any(i.indkey::int2[])), '')
		from unnest($1::oid[]) u (oid) join pg_class c on c.oid = u.oid join pg_attribute a on a.attrelid = c.oid
			left join pg_index i on i.indrelid = c.oid and (i.indisprimary or i.indisreplident)
		where c.relkind = 'r' and a.attnum > 0 and not a.attisdropped
			and (a.attgenerated = '' or current_setting('server_version_num')::int >= $2)
		group by c.oid, c.relfilenode`
	rows, err := q.Query(ctx, query, oids, publishesGenerated)
	if err != nil {
		return nil, fmt.Errorf("read the tables' files: %w", err)
	}
	revisions := make(map[uint32]string, len(oids))
	var oid uint32
	var revision string
	if _, err = pgx.ForEachRow(rows, []any{&oid, &revision}, func() error {
		revisions[oid] = revision
		return nil
	}); err != nil {
		return nil, fmt.Errorf("read the tables' files: %w", err)
	}
	return revisions, nil
}

// revise completes what tells later that rows have other values.
func revise(info *snapshot.Info, revision string) {
	info.Revision = revision
	if revision != "" {
		info.Since = func(earlier string) snapshot.Kept { return since(earlier, revision) }
	}
}

// since is what rows have kept between two revisions of one table.
func since(earlier, now string) snapshot.Kept {
	was, is := strings.Split(earlier, "/"), strings.Split(now, "/")
	if len(was) != len(is) || len(is) != 3 {
		return snapshot.KeptNone
	}
	if was[0] == is[0] {
		return snapshot.KeptAll
	}
	known := strings.Fields(was[1])
	altered := func(transactions string) bool {
		return slices.ContainsFunc(strings.Fields(transactions), func(x string) bool { return !slices.Contains(known, x) })
	}
	switch {
	case !altered(is[1]):
		return snapshot.KeptAll
	case altered(is[2]):
		return snapshot.KeptNone
	}
	return snapshot.KeptKeys
}

// revised has a table looked up that has another revision and is the same in all else. Most often its rows are as they were: it was emptied, as the
// log tells, vacuumed whole, or a column of it was altered.
func (s *Source) revised(name string, was, now snapshot.Info) {
	kept := now.Since == nil || now.Since(was.Revision) == snapshot.KeptAll
	switch {
	case s.unread(name):
		if !kept {
			s.config.Logger.Warn(snapshot.Unread, "table", name)
		}
		return
	case !kept:
		s.config.Logger.Info("DDL has changed values of the table's rows, of which the log tells nothing: they are read again", "table", name)
	}
	s.runner.Look(name)
}
