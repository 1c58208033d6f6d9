package e2e

import (
	"strings"
	"testing"
)

// sinkHalts are targets into which no row may go as it is: the end says why and what to run, and then all goes on.
var sinkHalts = []struct {
	pgCase
	code  int
	words []string
	fix   string
}{
	{pgCase{name: "PostgreSQL 011_generated: a column of the source that the target computes", before: "create table h1 (id int primary key, a int, b int); insert into h1 values (1, 1, 5)",
		ready: "create table h1 (id int primary key, a int, b int generated always as (a * 2) stored)", after: "update h1 set b = 7;; insert into h1 values (2, 2, null)"},
		1, []string{`"h1"."b" is computed by the target`, "DROP EXPRESSION"}, "alter table h1 alter b drop expression"},
	{pgCase{name: "Debezium JdbcSinkPrimaryKeyMode: texts as a key of numbers, where two are one", before: "create table h2 (k text primary key, v int); insert into h2 values ('7', 1), ('007', 2)",
		ready: "create table h2 (k int primary key, v int)", after: "update h2 set v = v + 1;; delete from h2 where k = '7'"},
		1, []string{`"h2"."k" of integer`, "two of the source's keys could be one row", "TYPE text"}, `alter table h2 alter k type text collate "C"`},
	{pgCase{name: "PostgreSQL rules: an INSERT that is rewritten", before: "create table h3 (id int primary key, v text); insert into h3 values (1, 'a')",
		ready: "create table h3 (id int primary key, v text); create table h3x (id int); create rule r as on insert to h3 do also insert into h3x values (new.id)", after: "update h3 set v = 'b'"},
		1, []string{`"h3"`, "rewritten by a rule", "DROP RULE r ON"}, "drop rule r on h3"},
	{pgCase{name: "PostgresViewIT: a view", before: "create table h4 (id int primary key, v text); insert into h4 values (1, 'a')",
		ready: "create table h4_t (id int primary key, v text); create view h4 as select * from h4_t", after: "update h4 set v = 'b'"},
		4, []string{`"h4" is not a table`}, "drop view h4; alter table h4_t rename to h4"},
	{pgCase{name: "Citus, pg_partman: a partitioned target whose key has a column more", before: "create table h5 (id int primary key, d date not null, v text); insert into h5 values (1, '2024-01-01', 'a')",
		ready: "create table h5 (id int, d date, v text, primary key (id, d)) partition by range (d); create table h5a partition of h5 default", after: "update h5 set d = '2024-02-02'"},
		4, []string{"no unique index on exactly the source's key", `("id")`}, "drop table h5; create table h5 (id int primary key, d date, v text) partition by range (id); create table h5a partition of h5 default"},
	{pgCase{name: "Debezium JdbcSinkSchemaEvolution: a column that nobody fills", before: "create table h6 (id int primary key, v text); insert into h6 values (1, 'a')",
		ready: "create table h6 (id int primary key, v text, tenant text not null)", after: "update h6 set v = 'b'"},
		1, []string{`"h6"."tenant" is NOT NULL`, "DROP NOT NULL"}, "alter table h6 alter tenant drop not null"},
	{pgCase{name: "kafka-connect-jdbc: a time stamp that loses its zone, by the digits that it loses", before: "create table h7 (id int primary key, t timestamptz, n numeric); insert into h7 values (1, '2024-01-01 00:00:00.123456+02', 1.23456)",
		ready: "create table h7 (id int primary key, t timestamp, n numeric)", after: "update h7 set n = 0.1"},
		1, []string{`"h7"."t"`, "drops the time zone"}, "alter table h7 alter t type timestamptz"},
	{pgCase{name: "kafka-connect-jdbc: the names of the columns in other letters", before: "create table h8 (id int primary key, v text); insert into h8 values (1, 'a')",
		ready: `create table h8 ("ID" int primary key, "V" text)`, after: "update h8 set v = 'b'"},
		1, []string{"h8", `"ID" is NOT NULL`}, `alter table h8 rename "ID" to id; alter table h8 rename "V" to v`},
}

// TestOthersSinkHalts: nothing is written before somebody has decided, however often it is started.
func TestOthersSinkHalts(t *testing.T) {
	t.Parallel()
	for i, c := range sinkHalts {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := pgRig(t, "pg18", "pg15", []string{"direct", "kafka"}[i%2])
			pgSQL(r.source, c.before)
			pgSQL(r.target, c.ready)
			for range 2 {
				r.unchangedRows(func() { r.start("run", "--once").refuses(c.code, c.words...) })
			}
			pgSQL(r.target, c.fix)
			r.once()
			r.pgEqual(t)
			pgSQL(r.source, c.after)
			r.once()
			r.pgEqual(t)
		})
	}
}

// TestOthersTooWide: tables that no statement makes at the target end the program with the server's own word, and the others go on without them.
func TestOthersTooWide(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, target, sink, before, word string }{
		{"Estuary: 1,600 columns into MySQL", "mysql97", "", "create table wide (" + pgManyColumns + "); insert into wide (c1) values (1)", "Too many columns"},
		{"Estuary: 1,600 columns into MariaDB", "mariadb118", "", "create table wide (" + pgManyColumns + "); insert into wide (c1) values (1)", "Too many columns"},
		{"1,600 columns and one of ours", "pg15", ", mode: soft_delete", "create table wide (" + pgManyColumns + "); insert into wide (c1) values (1)", "at most 1600 columns"},
		{"TiDB case_sensitive: columns that differ in case alone", "mysql97", "", `create table wide (id int primary key, "A" int, a int); insert into wide values (1, 1, 2)`, "names differ in case only"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := pgRig(t, "pg18", c.target, "direct")
			r.config.inSink = c.sink
			r.source.Exec(c.before + "; create table other (id int primary key, v text); insert into other values (1, 'a')")
			for range 2 {
				if said := r.start("run", "--once").ends(1); !strings.Contains(said, c.word) || !strings.Contains(said, "wide") { // the statement takes many lines
					t.Errorf("says %.2000s", said)
				}
			}
			r.config.include = []string{"public.other"}
			r.once()
			r.equal("other")
		})
	}
}
