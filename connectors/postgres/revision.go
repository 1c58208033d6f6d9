package postgres

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/tailwater-cdc/tailwater/pkg/snapshot"
)

// readRevisions returns by which file and which entries of its columns each table is what it is, by oid: "file/transactions/those of the key's
// columns/columns of composite types", a transaction being one that made or altered a column that there is. A partitioned table has no file.
//
// What gives rows other values without a row in the log (ALTER ... TYPE ... USING, a column with a volatile DEFAULT, IDENTITY or a stored expression, SET
// EXPRESSION) writes the whole table into another file and the column's entry anew. Each alone changes for other reasons. ALTER TYPE ... ADD or DROP
// ATTRIBUTE writes nothing anew, and every value of the composite type reads otherwise. See decisions.md.
// Source: PostgreSQL, tablecmds.c, ATRewriteTables and ATExecAlterColumnType; seen on 15 and 18.
func readRevisions(ctx context.Context, q querier, oids []uint32) (map[uint32]string, error) {
	// The log carries generated columns from publishesGenerated on; below firstOwn are the server's own types.
	const query = `with recursive part (oid, attnum, typ) as (
			select a.attrelid, a.attnum, a.atttypid from unnest($1::oid[]) u (oid) join pg_attribute a on a.attrelid = u.oid
			where a.attnum > 0 and not a.attisdropped and a.atttypid >= $3
			union select p.oid, p.attnum, n.typ from part p join pg_type y on y.oid = p.typ cross join lateral (
				select y.typelem union select y.typbasetype union select r.rngsubtype from pg_range r where y.oid in (r.rngtypid, r.rngmultitypid)
				union select b.atttypid from pg_attribute b where b.attrelid = y.typrelid and b.attnum > 0) n (typ) where n.typ >= $3),
		composites (oid, list) as materialized (
			select oid, string_agg(concat(attnum, ':', case when exists (select from pg_index i where i.indrelid = s.oid and (i.indisprimary or i.indisreplident)
				and attnum = any(i.indkey::int2[])) then 'k' end, sum), ' ' order by attnum) from (
				select p.oid, p.attnum, md5(string_agg(concat_ws(':', b.attrelid, b.attnum, b.atttypid), ' ' order by b.attrelid, b.attnum)) sum
				from part p join pg_type y on y.oid = p.typ join pg_attribute b on b.attrelid = y.typrelid and b.attnum > 0 group by p.oid, p.attnum) s group by oid)
		select c.oid, concat_ws('/', c.relfilenode, string_agg(distinct a.xmin::text, ' '),
				coalesce(string_agg(distinct a.xmin::text, ' ') filter (where a.attnum = any(i.indkey::int2[])), ''),
				coalesce(max(o.list), ''))
		from unnest($1::oid[]) u (oid) join pg_class c on c.oid = u.oid join pg_attribute a on a.attrelid = c.oid
			left join pg_index i on i.indrelid = c.oid and (i.indisprimary or i.indisreplident) left join composites o on o.oid = c.oid
		where a.attnum > 0 and not a.attisdropped
			and (a.attgenerated = '' or current_setting('server_version_num')::int >= $2)
		group by c.oid, c.relfilenode`
	revisions, err := textByOID(ctx, q, query, oids, publishesGenerated, firstOwn)
	if err != nil {
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

// since is what rows have kept between two revisions of one table. One of three parts is of a release that knew nothing of composite types.
func since(earlier, now string) snapshot.Kept {
	was, is := strings.Split(earlier, "/"), strings.Split(now, "/")
	if len(is) == 4 && len(was) == 3 {
		was = append(was, is[3])
	}
	if len(was) != len(is) || len(is) != 4 {
		return snapshot.KeptNone
	}
	kept := sinceAttributes(was[3], is[3])
	if was[0] == is[0] || kept == snapshot.KeptNone {
		return kept
	}
	known := strings.Fields(was[1])
	altered := func(transactions string) bool {
		return slices.ContainsFunc(strings.Fields(transactions), func(x string) bool { return !slices.Contains(known, x) })
	}
	switch {
	case !altered(is[1]):
		return kept
	case altered(is[2]):
		return snapshot.KeptNone
	}
	return snapshot.KeptKeys
}

// sinceAttributes is what rows have kept as their columns of composite types show it: "number:sum", or "number:k" and the sum for one of the key.
func sinceAttributes(was, is string) snapshot.Kept {
	sums := make(map[string]string)
	for column := range strings.FieldsSeq(was) {
		number, sum, _ := strings.Cut(column, ":")
		sums[number] = strings.TrimPrefix(sum, "k")
	}
	kept := snapshot.KeptAll
	for column := range strings.FieldsSeq(is) {
		number, sum, _ := strings.Cut(column, ":")
		sum, inKey := strings.CutPrefix(sum, "k")
		switch before, known := sums[number]; {
		case !known || before == sum:
		case inKey:
			return snapshot.KeptNone
		default:
			kept = snapshot.KeptKeys
		}
	}
	return kept
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

// firstOwn is the first object id that isn't the server's own. Source: PostgreSQL, access/transam.h, FirstNormalObjectId.
const firstOwn = 16384
