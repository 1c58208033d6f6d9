package e2e

import (
	"slices"
	"strings"
	"testing"

	"github.com/tailwater-cdc/tailwater/pkg/testenv"
)

// pgCase is what another system's suite does to a PostgreSQL source: after a snapshot of what before makes, all tables of the source are equal at
// the target once after is applied. A ";;" ends a transaction, {db} stands for the database. ready is run at the target first.
type pgCase struct {
	name          string // the system, and what it tests
	on            int    // the server's first version that has it; 0: all
	before, after string
	ready         string
}

func pgSQL(at engine, sql string) {
	for part := range strings.SplitSeq(strings.ReplaceAll(sql, "{db}", at.name()), ";;") {
		if strings.TrimSpace(part) != "" {
			at.Exec(part)
		}
	}
}

// pgEnds are the sources, each with a target and a stream.
var pgEnds = [][3]string{{"pg15", "pg18", "direct"}, {"pg18", "pg15", "direct"}, {"pg18", "pg15", "kafka"}}

// TestOthersPostgres: what other systems' suites do, in one database, while the program runs and while it stands still, so that today's catalogue is
// another than the log's.
func TestOthersPostgres(t *testing.T) {
	t.Parallel()
	for _, ends := range pgEnds {
		for _, when := range []string{"running", "behind"} {
			t.Run(strings.Join(ends[:], "/")+"/"+when, func(t *testing.T) {
				t.Parallel()
				r := pgRig(t, ends[0], ends[1], ends[2])
				r.config.inSink = ", on_schema_change: { drop: apply }"
				cases := slices.Concat(pgStatements, pgKeys, pgShapes, pgTables, pgMore)
				if r.stream == "direct" {
					cases = slices.Concat(cases, pgNames, pgTargets, pgKeysOfEveryType())
				} else { // each table is a topic, and each topic takes its time
					cases = slices.DeleteFunc(cases, func(c pgCase) bool { return strings.Contains(c.name, "many tables") })
				}
				r.pgOthers(t, when, cases)
			})
		}
	}
}

// pgRig is a pipeline between two PostgreSQL servers.
func pgRig(t *testing.T, source, target, stream string) *rig {
	t.Helper()
	from, _ := engineOn(t, source)
	to, _ := engineOn(t, target)
	return rigBetween(t, stream, from, to)
}

func (r *rig) pgOthers(t *testing.T, when string, cases []pgCase) {
	t.Helper()
	major := r.source.(*postgres).Major
	cases = slices.DeleteFunc(slices.Clone(cases), func(c pgCase) bool { return c.on > major })
	r.source.Exec("create table the_last (id int primary key)")
	for _, c := range cases {
		pgSQL(r.source, c.before)
		pgSQL(r.target, c.ready)
	}
	r.once()
	r.pgEqual(t)
	var p *process
	if when == "running" {
		p = r.start("run")
	}
	for _, c := range cases {
		pgSQL(r.source, c.after)
	}
	r.source.Exec("insert into the_last values (1)")
	if p != nil {
		r.arrives(p, "select count(*) from the_last", "1")
		p.stop()
	}
	r.once() // tables made meanwhile are read by a snapshot
	r.pgEqual(t)
}

// pgTables are the tables of the source that have rows of their own: their names as they are, and quoted.
func (r *rig) pgTables() [][]string {
	r.t.Helper()
	return r.source.Query(`select c.relname::text, quote_ident(c.relname) from pg_class c
		where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition and c.relpersistence = 'p' order by 1`)
}

// pgColumns are a table's columns: their names as they are, quoted, and whether they are generated.
func (r *rig) pgColumns(table string) [][]string {
	r.t.Helper()
	return r.source.Query("select attname::text, quote_ident(attname), attgenerated <> '' from pg_attribute where attnum > 0 and not attisdropped and attrelid = " +
		pgText(table) + "::regclass order by attnum")
}

// pgEqual compares all tables of the source, column by column whatever the order in which the target has them; a generated column is
// compared where the target has it. Each value is the server's own text.
func (r *rig) pgEqual(t *testing.T) {
	t.Helper()
	if _, other := r.target.(*mysql); other {
		r.pgEqualMySQL(t)
		return
	}
	for _, table := range r.pgTables() {
		if !r.target.has(table[1]) {
			if n := r.source.Value("select count(*) from only " + table[1]); n != "0" {
				t.Errorf("%s: the target lacks the table, which has %s rows", table[0], n)
			}
			continue
		}
		at := first(r.target.Query("select attname::text from pg_attribute where attnum > 0 and not attisdropped and attrelid = " + pgText(table[1]) + "::regclass"))
		var names []string
		for _, c := range r.pgColumns(table[1]) {
			if c[2] != "t" || slices.Contains(at, c[0]) {
				names = append(names, c[1]+"::text as "+c[1])
			}
		}
		query := "select " + strings.Join(names, ", ") + " from "
		there := pgOnly(r.target, table[1])
		if strings.Contains(r.config.inSink, "soft_delete") {
			there += " where _tailwater_deleted_at is null"
		}
		if !testenv.Compare(t, r.source.Of(query+pgOnly(r.source, table[1])), r.target.Of(query+there)) {
			t.Errorf("%s differs", table[0])
		}
	}
}

func pgText(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// pgOnly is a table without those that inherit from it; a partitioned one is all of its parts.
func pgOnly(e engine, table string) string {
	if e.Value("select relkind from pg_class where oid = "+pgText(table)+"::regclass") == "p" {
		return table
	}
	return "only " + table
}
