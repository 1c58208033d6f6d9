package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// target is a table of the target as its catalogue describes it.
type target struct {
	oid        string
	revision   string // see revisionSQL
	kind       string // relkind: r table, p partitioned table, v view, ...
	parted     bool   // its rows are in tables below it: partitions, or the chunks of a TimescaleDB hypertable
	referenced bool   // some foreign key points at it
	triggers   bool   // somebody's own triggers run
	acting     bool   // some foreign key of it, or that points at it, changes rows by itself
	skips      bool   // a trigger or a rule may keep a row that is deleted or updated
	rule       string // one that rewrites INSERT or UPDATE, quoted; empty: none
	columns    []targetColumn
	unique     []uniqueIndex     // those that ON CONFLICT can use
	aliases    map[string]string // of a past shape: the names that its columns have now
}

// uniqueIndex is an index over whole columns.
type uniqueIndex struct {
	name       string // quoted where it has to be
	constraint string // whose index it is; empty: none
	columns    []int  // ordinals in the target's columns
}

type targetColumn struct {
	number    int // attnum
	name      string
	typ       uint32 // object id of its type; of a domain, that of what it is made of: what the domain's own limit does to a value counts
	typmod    int
	base      string // that type's name without length or precision
	bare      string // the type's name without length or precision
	declared  string // the type's name as declared
	notNull   bool
	generated bool     // computed by the target
	identity  bool     // generated always as identity
	defaults  bool     // has a default or an identity
	bytewise  bool     // its collation tells apart all texts that differ
	collation string   // the clause that names it, if it is not its type's own
	labels    []string // of an enumeration, in order
}

// length is the limit of a varchar or char in characters; 0: none.
func (c *targetColumn) length() int {
	if c.typmod < 4 {
		return 0
	}
	return c.typmod - 4
}

// numeric is the declared precision and scale of a numeric. Source: PostgreSQL, numeric.c, make_numeric_typmod.
func (c *targetColumn) numeric() (precision, scale int) {
	m := c.typmod - 4
	return m >> 16 & 0xffff, (m&0x7ff ^ 1024) - 1024
}

// fraction is how many fraction digits a time type keeps.
func (c *targetColumn) fraction() int {
	if c.typ == oidInterval {
		return min(c.typmod&0xffff, 6)
	}
	return min(c.typmod, 6)
}

func (t *target) column(name string) *targetColumn {
	for i := range t.columns {
		if t.columns[i].name == name {
			return &t.columns[i]
		}
	}
	if now, ok := t.aliases[name]; ok && now != name {
		for i := range t.columns {
			if t.columns[i].name == now {
				return &t.columns[i]
			}
		}
	}
	return nil
}

// written counts the columns that the target doesn't compute itself.
func (t *target) written() (n int) {
	for i := range t.columns {
		if !t.columns[i].generated {
			n++
		}
	}
	return n
}

// revisionSQL is another text once the table c is another one, a column of it was altered, or a trigger was made, dropped or switched: what was done to
// an entry of the catalogue has a later xmin. Triggers of single partitions are not seen.
const revisionSQL = `(SELECT pg_catalog.concat_ws('/', c.oid, count(*), sum(a.xmin::text::bigint * a.attnum),
    (SELECT pg_catalog.concat_ws(' ', count(*), sum(g.xmin::text::bigint)) FROM pg_catalog.pg_trigger g WHERE g.tgrelid = c.oid AND NOT g.tgisinternal))
  FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0)`

// Of a trigger's type bit 0 is FOR EACH ROW, 1 BEFORE, 3 DELETE and 4 UPDATE; of a rule's event 2 is UPDATE, 3 INSERT and 4 DELETE. Source: PostgreSQL,
// pg_trigger.h, and the manual's pg_rewrite. A session that trusts foreign keys runs those for replicas; those of origin run there too for a table whose
// keys are checked all the same.
const tableSQL = `SELECT c.oid::text, c.relkind::text,
  EXISTS (SELECT FROM pg_catalog.pg_constraint f WHERE f.contype = 'f' AND f.confrelid = c.oid)::text,
  EXISTS (SELECT FROM pg_catalog.pg_constraint f WHERE f.contype = 'f' AND c.oid IN (f.confrelid, f.conrelid)
    AND (f.confdeltype IN ('c', 'n', 'd') OR f.confupdtype IN ('c', 'n', 'd')))::text,
  (EXISTS (SELECT FROM pg_catalog.pg_rewrite w WHERE w.ev_class = c.oid AND w.ev_type = '4' AND (w.ev_enabled IN ('O', 'A') OR w.ev_enabled = 'R' AND s.trusts))
    OR EXISTS (SELECT FROM pg_catalog.pg_trigger g WHERE NOT g.tgisinternal AND (g.tgenabled IN ('O', 'A') OR g.tgenabled = 'R' AND s.trusts) AND g.tgtype & 3 = 3 AND g.tgtype & 24 <> 0
      AND (g.tgrelid = c.oid OR g.tgrelid IN (SELECT relid FROM pg_catalog.pg_partition_tree(c.oid)))))::text,
  coalesce((SELECT min(pg_catalog.quote_ident(w.rulename)) FROM pg_catalog.pg_rewrite w WHERE w.ev_class = c.oid AND w.ev_type IN ('2', '3')
    AND (w.ev_enabled IN ('O', 'A') OR w.ev_enabled = 'R' AND s.trusts)), ''),
  EXISTS (SELECT FROM pg_catalog.pg_trigger g WHERE g.tgrelid = c.oid AND NOT g.tgisinternal)::text, ` + revisionSQL + `,
  ` + hypertablesSQL + `
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace,
  (SELECT pg_catalog.current_setting('session_replication_role') = 'replica' AS trusts) s
WHERE n.nspname = $1 AND c.relname = $2`

const columnsSQL = `SELECT a.attnum::text, a.attname::text, b.typ::text, b.typmod::text,
  pg_catalog.format_type(a.atttypid, -1), pg_catalog.format_type(a.atttypid, a.atttypmod), a.attnotnull::text,
  (a.attgenerated <> '')::text, (a.attidentity = 'a')::text, (a.atthasdef OR a.attidentity <> '')::text,
  coalesce(l.collisdeterministic, true)::text, pg_catalog.format_type(b.typ, -1),
  CASE WHEN a.attcollation <> y.typcollation THEN pg_catalog.format(' COLLATE %I.%I', n.nspname, l.collname) ELSE '' END,
  coalesce((SELECT pg_catalog.json_agg(e.enumlabel ORDER BY e.enumsortorder) FROM pg_catalog.pg_enum e WHERE e.enumtypid = b.typ), '[]')::text
FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type y ON y.oid = a.atttypid
LEFT JOIN pg_catalog.pg_collation l ON l.oid = a.attcollation LEFT JOIN pg_catalog.pg_namespace n ON n.oid = l.collnamespace
CROSS JOIN LATERAL (WITH RECURSIVE d(typ, typmod) AS (SELECT a.atttypid, a.atttypmod
    UNION ALL SELECT t.typbasetype, t.typtypmod FROM d JOIN pg_catalog.pg_type t ON t.oid = d.typ WHERE t.typtype = 'd')
  SELECT d.typ, d.typmod FROM d JOIN pg_catalog.pg_type t ON t.oid = d.typ WHERE t.typtype <> 'd') b
WHERE a.attrelid = $1::pg_catalog.oid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum`

const uniqueSQL = `SELECT i.indkey::text, i.indnkeyatts::text, i.indexrelid::regclass::text, coalesce(c.conname::text, '')
FROM pg_catalog.pg_index i LEFT JOIN pg_catalog.pg_constraint c ON c.conindid = i.indexrelid AND c.contype IN ('p', 'u')
WHERE i.indrelid = $1::pg_catalog.oid AND i.indisunique AND i.indisvalid AND i.indimmediate AND i.indpred IS NULL AND i.indexprs IS NULL`

// hypertablesSQL tells whether the database has hypertables at all, by the extension's own view.
const hypertablesSQL = `EXISTS (SELECT FROM pg_catalog.pg_class h JOIN pg_catalog.pg_namespace n ON n.oid = h.relnamespace
    WHERE n.nspname = 'timescaledb_information' AND h.relname = 'hypertables')::text`

// rows names the rows that the target itself holds. Those of tables that inherit from it are none of them: the source's log tells of each table by
// itself, and two tables may have rows of one key.
func (t *target) rows(name string) string {
	if t.parted {
		return name
	}
	return "ONLY " + name
}

// readTarget reads the table's catalogue; nil: there is no such table.
func readTarget(ctx context.Context, pg *pgconn.PgConn, schema, name string) (*target, error) {
	rows, err := query(ctx, pg, tableSQL, schema, name)
	if err != nil || len(rows) == 0 {
		return nil, wrapped("read the catalogue of "+schema+"."+name, err)
	}
	t := &target{oid: *rows[0][0], kind: *rows[0][1], referenced: *rows[0][2] == "true", acting: *rows[0][3] == "true", skips: *rows[0][4] == "true", rule: *rows[0][5], triggers: *rows[0][6] == "true", revision: *rows[0][7], parted: *rows[0][1] == "p"}
	if *rows[0][8] == "true" {
		rows, err = query(ctx, pg, "SELECT FROM timescaledb_information.hypertables WHERE hypertable_schema = $1 AND hypertable_name = $2", schema, name)
		if err != nil {
			return nil, wrapped("look whether "+schema+"."+name+" is a hypertable", err)
		}
		t.parted = t.parted || len(rows) > 0
	}
	rows, err = query(ctx, pg, columnsSQL, t.oid)
	if err != nil {
		return nil, wrapped("read the columns of "+schema+"."+name, err)
	}
	for _, r := range rows {
		c, err := parseColumn(r)
		if err != nil {
			return nil, fmt.Errorf("read the columns of %s.%s: %w", schema, name, err)
		}
		t.columns = append(t.columns, c)
	}
	rows, err = query(ctx, pg, uniqueSQL, t.oid)
	if err != nil {
		return nil, wrapped("read the indexes of "+schema+"."+name, err)
	}
	for _, r := range rows {
		t.unique = append(t.unique, uniqueIndex{name: *r[2], constraint: *r[3], columns: t.ordinals(strings.Fields(*r[0]), *r[1])})
	}
	return t, nil
}

func parseColumn(r []*string) (targetColumn, error) {
	number, err := strconv.Atoi(*r[0])
	if err != nil {
		return targetColumn{}, err
	}
	typ, err := strconv.ParseUint(*r[2], 10, 32)
	if err != nil {
		return targetColumn{}, err
	}
	typmod, err := strconv.Atoi(*r[3])
	if err != nil {
		return targetColumn{}, err
	}
	var labels []string
	if err := json.Unmarshal([]byte(*r[13]), &labels); err != nil {
		return targetColumn{}, err
	}
	is := func(i int) bool { return *r[i] == "true" }
	return targetColumn{number: number, name: *r[1], typ: uint32(typ), typmod: typmod, bare: *r[4], declared: *r[5],
		notNull: is(6), generated: is(7), identity: is(8), defaults: is(9), bytewise: is(10), base: *r[11], collation: *r[12], labels: labels}, nil
}

// ordinals are those of an index's columns by their numbers, of which the first n are its key.
func (t *target) ordinals(numbers []string, n string) []int {
	var ordinals []int
	for i, number := range numbers {
		if strconv.Itoa(i) == n {
			break
		}
		for j := range t.columns {
			if strconv.Itoa(t.columns[j].number) == number {
				ordinals = append(ordinals, j)
			}
		}
	}
	return ordinals
}

// hasUnique says that a unique index stands on exactly these columns.
func (t *target) hasUnique(names []string) bool { return t.uniqueOn(names) >= 0 }

// uniqueOn is the unique index on exactly these columns, or -1.
func (t *target) uniqueOn(names []string) int {
	for i, index := range t.unique {
		if len(index.columns) != len(names) {
			continue
		}
		found := 0
		for _, name := range names {
			for _, ordinal := range index.columns {
				if t.columns[ordinal].name == name {
					found++
					break
				}
			}
		}
		if found == len(names) {
			return i
		}
	}
	return -1
}
