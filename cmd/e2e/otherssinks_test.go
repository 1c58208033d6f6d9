package e2e

import (
	"fmt"
	"strings"
	"testing"
)

// sinkTargets are tables at a PostgreSQL target as other systems' suites and their users make them; both ends are equal in the end.
var sinkTargets = []pgCase{
	{name: "pglogical, PostgreSQL 031_column_list: columns that were dropped, defaults, a column that only the target computes",
		before: "create table s01 (id int primary key, v text); insert into s01 values (1, 'a')",
		ready:  "create table s01 (g1 int, v text, g2 int, id int, at timestamptz default now(), up text generated always as (upper(v)) stored, primary key (id)); alter table s01 drop g1, drop g2",
		after:  "insert into s01 values (2, 'b');; update s01 set v = 'x' where id = 1;; update s01 set id = 3 where id = 2"},
	{name: "JDBC sink: a unique index in another order, with more columns beside it, that takes NULLs for equal",
		before: "create table s02 (a int, b text, c int, primary key (a, b)); insert into s02 values (1, 'x', 1), (2, '', null)",
		ready:  "create table s02 (a int, b text, c int); create unique index on s02 (b, a) include (c) nulls not distinct",
		after:  "update s02 set c = 5;; update s02 set b = 'y' where a = 1;; delete from s02 where b = '';; insert into s02 values (3, '', 3)"},
	{name: "pglogical triggers: triggers that stamp and log, of rows and of statements",
		before: "create table s03 (id int primary key, v text); insert into s03 values (1, 'a'), (2, 'b')",
		ready: "create table s03 (id int primary key, v text, stamp timestamptz); create schema logs; create table logs.l (what text, n int); create function s03_b() returns trigger language plpgsql as $$ begin new.stamp := now(); return new; end $$;" +
			"create function s03_a() returns trigger language plpgsql as $$ declare m int; begin select count(*) into m from rows_; insert into logs.l values (tg_op, m); return null; end $$; create trigger b before insert or update on s03 for each row execute function s03_b();" +
			"create trigger a1 after insert on s03 referencing new table as rows_ for each statement execute function s03_a(); create trigger a2 after delete on s03 referencing old table as rows_ for each statement execute function s03_a();" +
			"create function s03_d() returns trigger language plpgsql as $$ begin insert into logs.l values ('row', old.id); return old; end $$; create trigger d before delete on s03 for each row execute function s03_d()",
		after: "insert into s03 values (3, 'c');; update s03 set v = 'x';; delete from s03 where id = 1;; update s03 set id = 20 where id = 2"},
	{name: "SeaTunnel, pgloader: columns that hold more than the source's",
		before: "create table s04 (id smallint primary key, i int, b bigint, f real, v varchar(5), n numeric(5, 2), u uuid, l text, j jsonb, bo boolean, bi bit(3)); insert into s04 values (1, 1, 1, 0.1, 'a', 1.50, '00000000-0000-0000-0000-00000000000a', 'one', '{\"a\": 1}', true, '101')",
		ready:  "create type s04_e as enum ('two', 'one'); create table s04 (id numeric primary key, i bigint, b numeric(20, 0), f real, v char(20), n numeric(5, 2), u text, l s04_e, j text, bo text, bi bit varying(9))",
		after:  "insert into s04 values (2, -1, 9223372036854775807, 1e-7, '', -0.01, null, 'two', '[]', false, '000');; update s04 set f = 0.25, l = 'two';; update s04 set id = 3 where id = 1"},
	{name: "RisingWave 12026: every key of 10,000 rows moves, to where another one was",
		before: "create table s06 (id int primary key, v int); insert into s06 select i, i from generate_series(1, 10000) i",
		after:  "begin; update s06 set id = id + 20000; update s06 set id = id - 19999; commit;; update s06 set v = v + 1;; begin; delete from s06 where id % 2 = 0; insert into s06 select i, -i from generate_series(2, 10000, 2) i; commit"},
	{name: "Materialize, TiCDC hot row: one row changes 3,000 times in one transaction, and 200 times in as many",
		before: "create table s07 (id int primary key, v int, w text); insert into s07 values (1, 0, 'w'), (2, 0, 'w')",
		after: "do $$ begin for i in 1..3000 loop update s07 set v = v + 1 where id = 1; end loop; end $$;; do $$ begin for i in 1..200 loop update s07 set v = v - 1, w = w || 'x' where id = 2; commit; end loop; end $$;;" +
			"do $$ begin for i in 1..500 loop delete from s07 where id = 1; insert into s07 values (1, i); end loop; end $$"},
	{name: "Debezium JdbcSinkInsertMode: tables of nothing but a key, of one column and of two",
		before: "create table s08 (id int primary key); create table s08b (a text, b int, primary key (b, a)); insert into s08 values (1), (2); insert into s08b values ('', 1), ('x', 2)",
		ready:  "create table s08 (id int primary key); create table s08b (b int, a text, primary key (a, b))",
		after:  "update s08 set id = 10 where id = 1;; delete from s08 where id = 2;; insert into s08 values (2);; update s08b set a = 'y';; begin; delete from s08b; insert into s08b values ('y', 1); commit"},
	{name: "Sequin, Airbyte: what is empty: texts, bytes, arrays, documents, ranges, in keys too",
		before: "create table s09 (t text, b bytea, a int[], j jsonb, r int4range, m text[], primary key (t, b)); insert into s09 values ('', '', '{}', '{}', 'empty', '{\"\"}'), (' ', '\\x00', '{{}}', '\"\"', '(,)', '{NULL,\"NULL\"}')",
		ready:  "create table s09 (m text[], r int4range, j jsonb, a int[], b bytea, t text, primary key (b, t))",
		after:  "update s09 set a = null where t = '';; update s09 set t = '', b = '\\x01' where t = ' ';; delete from s09 where b = ''"},
	{name: "Vitess VReplication: rows of every size in one statement",
		before: "create table s10 (id int primary key, v text, w text); alter table s10 alter v set storage external; insert into s10 select i, repeat('v', (i * i * i) % 90000), 'w' from generate_series(1, 60) i",
		after:  "update s10 set w = 'x';; update s10 set v = v || 'y' where id % 3 = 0;; begin; update s10 set w = 'z' where id = 5; update s10 set id = 500, w = 'zz' where id = 5; commit"},
	{name: "PostgreSQL 013_partition: a target whose partitions have other columns, triggers and keys of their own",
		before: "create table s11 (id int primary key, v text); insert into s11 values (1, 'a'), (15, 'b')",
		ready: "create table s11 (id int primary key, v text) partition by hash (id); create table s11a (x int, v text, id int not null); alter table s11a drop x; alter table s11 attach partition s11a for values with (modulus 2, remainder 0); create table s11b partition of s11 for values with (modulus 2, remainder 1);" +
			"create function s11_f() returns trigger language plpgsql as $$ begin return old; end $$; create trigger t before delete on s11b for each row execute function s11_f()",
		after: "update s11 set id = id + 1;; update s11 set v = 'x';; delete from s11 where id = 2;; insert into s11 select i, 'n' from generate_series(100, 130) i;; delete from s11 where id > 120"},
}

// TestOthersTargets: what other systems' suites find at a target.
func TestOthersTargets(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, stream, link, sink, when string }{
		{"direct", "direct", "", "", "behind"}, {"kafka", "kafka", "", "", "running"}, {"canal", "kafka", "format: canal-json", "", "behind"},
		{"lanes", "direct", "atomic: false, lanes: 3", "", "running"}, {"halt", "direct", "", ", on_error: halt", "running"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := pgRig(t, "pg18", "pg15", c.stream)
			r.config.link, r.config.inSink = c.link, c.sink
			r.pgOthers(t, c.when, sinkTargets)
		})
	}
}

// TestOthersTargetSettings is Materialize's session-guc-change at the target: a database whose settings change what is read and how it is locked.
func TestOthersTargetSettings(t *testing.T) {
	t.Parallel()
	bothStreams(t, func(t *testing.T, stream string) {
		r := pgRig(t, "pg18", "pg15", stream)
		r.source.Exec("create table sts (id int primary key, j jsonb, b bytea, i interval, d date, t timestamptz, f float8, x xml, m money, a text[], n int[], v text); alter table sts replica identity full; create table stk (a text[], f real); alter table stk replica identity full;" +
			`insert into sts values (1, '{"a": 1}', '\x00ff5c', '-1 mon 3 days', '2024-02-03', '2024-02-03 04:05:06.789+05', 0.1, 'a<b/>', 12.5, '{a,"\\",NULL,"NULL"}', '{1,NULL}', 'it''s \'); insert into stk values ('{NULL}', 0.1), ('{"NULL"}', 0.1)`)
		for setting := range strings.SplitSeq("array_nulls = off;default_transaction_isolation = serializable;bytea_output = escape;IntervalStyle = sql_standard;DateStyle = 'German';extra_float_digits = -15;xmloption = document;"+
			"quote_all_identifiers = on;standard_conforming_strings = off;transform_null_equals = on;timezone = 'Asia/Kolkata';search_path = nowhere;statement_timeout = '30s';lock_timeout = '20s';default_transaction_deferrable = on;"+
			"backslash_quote = off;plan_cache_mode = force_generic_plan;client_min_messages = debug1;synchronous_commit = off;row_security = on;client_encoding = LATIN1;enable_seqscan = off", ";") {
			r.target.Exec("alter database " + r.target.name() + " set " + setting)
		}
		r.once()
		r.pgEqual(t)
		r.source.Exec("insert into sts select 2, j, b, i, d, t, f, x, m, a, n, v from sts; update sts set id = 5 where id = 1; update sts set v = '\\' where id = 2; delete from stk where a = '{NULL}'; update stk set f = 0.2")
		r.once()
		r.pgEqual(t)
	})
}

// TestOthersScales is PostgreSQL's 008_diff_schema without a key: rows are found by their values, whose digits the target shows in another way.
func TestOthersScales(t *testing.T) {
	t.Parallel()
	for _, target := range []string{"pg15", "mysql97", "mariadb118"} {
		t.Run(target, func(t *testing.T) {
			t.Parallel()
			r := pgRig(t, "pg18", target, "direct")
			r.source.Exec("create table o (a int, b numeric(10, 2), c bigint); alter table o replica identity full; insert into o values (1, 1.5, 7), (2, 2.5, 7), (2, 2.5, 7), (4, null, null)")
			pos := `text collate "C"`
			if target != "pg15" {
				pos = "varchar(42) character set ascii collate ascii_bin"
			}
			r.target.Exec("create table o (c numeric(20, 1), a numeric(10, 2), b numeric(12, 4), _tailwater_pos " + pos + " unique)")
			r.once()
			r.source.Exec("delete from o where a = 1; update o set b = 3 where a = 2; delete from o where ctid = (select min(ctid) from o where a = 2); update o set c = 1 where a = 4")
			r.once()
			if have := fmt.Sprint(r.target.Query("select a, b, c from o order by a")); have != `[[2.00 3.0000 7.0] [4.00 \N 1.0]]` && have != "[[2.00 3.0000 7.0] [4.00 NULL 1.0]]" {
				t.Errorf("the target has %s", have)
			}
		})
	}
}
