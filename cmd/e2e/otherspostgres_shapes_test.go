package e2e

import (
	"fmt"
	"strings"
)

// pgShapes are statements that change a table's columns among its rows.
var pgShapes = []pgCase{
	{name: "Debezium: a type that has gone when its rows are read",
		before: "create type gon as enum ('a', 'b'); create table gont (id int primary key, e gon); insert into gont values (1, 'a')",
		after:  "insert into gont values (2, 'b');; drop table gont;; drop type gon"},
	{name: "PostgreSQL 100_bugs: FULL with a dropped column, and with values that rows of before don't hold",
		before: "create table dro (a int, b_drop int, c int); alter table dro replica identity full; insert into dro values (1, 1, 1), (2, 2, 2); create table mis (a int); alter table mis replica identity full; insert into mis values (1), (2)",
		after:  "alter table dro drop column b_drop;; update dro set a = 100 where a = 1;; alter table mis add column b bool default false;; insert into mis values (3, true);; update mis set b = true where a = 1;; delete from mis where b = false;; alter table mis add column d text default 'it''s', add column e int[] default '{1,2}', add column f timestamptz default '2024-01-01 00:00+02', add column g jsonb default '{\"a\": 1}', add column h interval default '1 day', add column i bytea default '\\x00ff';; update mis set a = a + 10"},
	{name: "PostgreSQL 017 and 019: shapes within a transaction, and such that are rolled back",
		before: "create table ddt (id int primary key, v text); insert into ddt values (1, 'a')",
		after: "begin; insert into ddt values (2, 'b'); alter table ddt add column c int; insert into ddt values (3, 'c', 3); savepoint s; alter table ddt add column d text; insert into ddt values (4, 'd', 4, 'd'); rollback to s; insert into ddt values (5, 'e', 5); alter table ddt add column d int; insert into ddt values (6, 'f', 6, 6); commit;;" +
			"begin; insert into ddt select i, repeat('x', 100), i, i from generate_series(1000, 5000) i; savepoint a; alter table ddt drop column v; alter table ddt add column w int; insert into ddt select i, i, i, i from generate_series(6000, 9000) i; rollback to a; alter table ddt add column x int; insert into ddt select i, 'y', i, i, i from generate_series(10000, 12000) i; commit;; update ddt set v = 'last' where id = 1"},
	{name: "Debezium DBZ-688, Airbyte: columns with other names, the key too",
		before: "create table swp (id int primary key, a int, b text); insert into swp values (1, 1, 'b')",
		after:  "alter table swp rename a to x;; insert into swp (id, x, b) values (2, 5, 'text');; alter table swp rename b to a;; update swp set a = 'moved' where id = 1;; alter table swp rename id to key;; update swp set x = 6 where key = 2;; delete from swp where key = 1;; insert into swp values (7, 8, 'z')"},
	{name: "Debezium DBZ-1413, DomainTypesIT: domains of domains, of enums, of arrays, of composites; arrays of them",
		before: "create type den as enum ('x', 'y'); create type dco as (a int, b text[]); create domain d1 as numeric(8, 2); create domain d2 as d1 check (value > 0); create domain d3 as den; create domain d4 as int[]; create domain d5 as dco; create domain d6 as varchar(5) not null default 'd'; create domain d7 as varbit(3); create type dnest as (c dco, d d2, e den[]);" +
			"create table dom (id int primary key, a d2, b d3, c d4, d d5, e d6, f d7, g d2[], h d3[], i dnest, j dnest[]); insert into dom values (1, 1.5, 'x', '{1,NULL}', '(1,\"{a,b}\")', 'e', B'101', '{1.50,2}', '{x,y}', '(\"(1,\"\"{a}\"\")\",2.50,{x})', null)",
		after: "insert into dom (id) values (2);; update dom set a = 2, c = '{{1},{2}}', j = array[i, null] where id = 1;; alter type den add value 'w' before 'x'; alter type den add value 'z';; update dom set b = 'w', h = '{z,w}' where id = 2;; create domain d8 as money default 0;; alter table dom add column k d8, add column l d2 default 3;; update dom set k = 8.25;; alter domain d2 drop constraint d2_check;; insert into dom (id, a) values (3, -1)"},
	{name: "Materialize alter-table-after-source, Flink: types that hold more",
		before: "create table wid (id int primary key, a smallint, b int, c real, d varchar(5), e numeric(5, 2), f varbit(3), g timestamp(0), h char(3)); insert into wid values (1, 1, 1, 0.1, 'a', 1.5, B'1', '2024-01-01', 'x')",
		after:  "alter table wid alter a type int, alter b type bigint, alter c type double precision, alter d type varchar(50), alter e type numeric(10, 2), alter f type varbit(30), alter g type timestamp;; insert into wid values (2, 100000, 1::bigint << 40, 0.1, 'longer than five', 12345.67, B'11111', '2024-01-01 00:00:00.5', 'y');; alter table wid alter d type text, alter e type numeric;; insert into wid values (3, 1, 1, 1, repeat('t', 100), 1.2345, B'', null, null)"},
	{name: "pgcopydb, PostgreSQL 006_rewrite: what changes no column",
		before: "create table noc (id int primary key, a int, b text); insert into noc values (1, 1, 'x'), (2, 2, 'y')",
		after: "vacuum full noc;; cluster noc using noc_pkey;; alter table noc alter b set storage external, alter a set statistics 10, set (fillfactor = 50), add constraint c check (a > 0) not valid, alter a set default 5, alter a set not null;; alter table noc validate constraint c, alter a drop not null;; insert into noc (id) values (3);; create index concurrently on noc (b);; reindex table noc;; analyze noc;; comment on table noc is 'it''s';; comment on column noc.a is 'x';;" +
			"alter table noc enable row level security;; alter table noc add unique (b), add check (a < 1000) not valid;; grant select on noc to public;; alter table noc owner to current_user;; alter table noc set without cluster;; alter table noc drop constraint noc_pkey, add primary key (id);; update noc set a = 1 where id = 1;; alter table noc set logged;; delete from noc where id = 2;; lock table noc; insert into noc values (9)"},
	{name: "PostgreSQL 011_generated, pgcopydb cdc-generated-column: generated columns, stored, over others, dropped expressions",
		before: "create table gen (a int primary key, b int generated always as (a * 2) stored, c text, d text generated always as (upper(c)) stored unique); insert into gen (a, c) values (1, 'x'), (2, 'y')",
		after:  "insert into gen (a, c) values (4, 'z');; update gen set a = 6 where a = 2;; update gen set c = 'w' where a = 1;; delete from gen where a = 4;; alter table gen add column e int generated always as (a - 1) stored;; update gen set c = c || 'v';; alter table gen drop column b;; insert into gen (a, c) values (7, 'q')"},
	{name: "PostgreSQL 18: virtual generated columns", on: 18,
		before: "create table vir (a int primary key, b int generated always as (a * 2), c text, d int generated always as (length(c)) virtual not null); insert into vir (a, c) values (1, 'x'), (2, 'y')",
		after:  "insert into vir (a, c) values (4, 'z');; update vir set a = 6 where a = 2;; update vir set c = 'ww' where a = 1;; insert into vir (a, c) values (7, 'q');; alter table vir add constraint nn check (c is not null) not enforced;; insert into vir (a, c) values (8, '')"},
	{name: "PostgreSQL: 1,600 columns, names of 63 bytes", before: "create table wde (" + pgManyColumns + "); insert into wde (c1, c2, c1600) values (1, 2, 3); create table n23456789012345678901234567890123456789012345678901234567890123 (c23456789012345678901234567890123456789012345678901234567890123 int primary key)",
		after: "insert into wde (c1, c7, c1599) values (2, 1, 2);; update wde set c1600 = null, c128 = 5 where c1 = 1;; delete from wde where c1 = 2;; insert into n23456789012345678901234567890123456789012345678901234567890123 values (1)"},
}

var pgManyColumns = func() string {
	var b strings.Builder
	b.WriteString("c1 int primary key")
	for i := 2; i <= 1600; i++ {
		fmt.Fprintf(&b, ", c%d int", i)
	}
	return b.String()
}()

// pgTables are statements that make, rename, take apart and drop tables.
var pgTables = []pgCase{
	{name: "gh-ost, pg_repack, Debezium: a table is made anew beside the old one and takes its name",
		before: "create table gho (id int primary key, v int); insert into gho values (1, 1), (2, 2)",
		after:  "create table gho_new (like gho including all); alter table gho_new add column w int;; insert into gho values (3, 3);; begin; lock table gho; insert into gho_new (id, v) select id, v from gho; alter table gho rename to gho_old; alter table gho_new rename to gho; commit;; insert into gho values (5, 5, 5);; drop table gho_old;; update gho set w = 1 where id < 3"},
	{name: "Debezium DBZ-1205, Flink NewlyAddedTable: dropped and made again, with other columns; in a transaction",
		before: "create table drp (id int primary key, v int); insert into drp values (1, 1); create table drq (id int primary key); insert into drq values (1)",
		after:  "update drp set v = 2;; drop table drp; create table drp (id int primary key, v int, w text); insert into drp values (5, 5, 'w');; begin; insert into drq values (2); drop table drq; create table drq (id int primary key); insert into drq values (7); commit;; insert into drq values (8)"},
	{name: "PostgreSQL 013_partition, Materialize partitioned-tables: partitions with other columns, of partitions, rows that move",
		before: "create table prt (a int primary key, b text) partition by list (a); create table prt_1 (b text, x int, a int not null); alter table prt_1 drop column x; alter table prt attach partition prt_1 for values in (1, 2, 3); create table prt_2 partition of prt for values in (4, 5, 6) partition by list (a); create table prt_2_1 (a int not null, b text); alter table prt_2 attach partition prt_2_1 for values in (5); create table prt_2_2 partition of prt_2 for values in (4, 6); create table prt_d partition of prt default; insert into prt values (1, 'a'), (4, 'd'), (5, 'e'), (100, 'z');" +
			"create table pkk (id int, at date, v text, primary key (at, id)) partition by range (at); create table pkk1 partition of pkk for values from ('2024-01-01') to ('2024-04-01'); create table pkk2 partition of pkk for values from ('2024-04-01') to ('2024-07-01'); insert into pkk values (1, '2024-01-01', 'a'), (2, '2024-05-01', 'b'); create table pha (id int primary key, v int) partition by hash (id); create table pha0 partition of pha for values with (modulus 2, remainder 0); create table pha1 partition of pha for values with (modulus 2, remainder 1); insert into pha select i, i from generate_series(1, 20) i",
		after: "insert into prt_1 (a) values (3);; update prt set a = 2 where a = 1;; update prt set a = 6 where a = 5;; update prt set a = 4 + 1 where a = 4;; update prt set a = 1 where a = 100;; delete from prt where a = 6;; insert into prt values (200, 'n');; update pkk set at = '2024-06-01' where id = 1;; create table pkk3 partition of pkk for values from ('2024-07-01') to ('2025-01-01');; insert into pkk values (3, '2024-08-01', 'c');; alter table pkk add column w int;; update pkk set w = 1;; update pkk set at = at + 100 where id = 2;; update pha set id = id + 100 where id < 5;; truncate pkk;; insert into pkk values (9, '2024-02-02', 'x', 1)"},
	{name: "PostgreSQL 013_partition: identities of the root and of its parts",
		before: "create table pid (a int, k int, b text, t text, primary key (a)) partition by range (a); create table pid1 partition of pid for values from (0) to (100); create table pid2 partition of pid for values from (100) to (200); alter table pid1 replica identity full; insert into pid select i, i, 'b', string_agg(md5((g * i)::text), '') from unnest(array[1, 2, 101, 102]) i, generate_series(1, 300) g group by i",
		after:  "update pid set b = 'c';; update pid set a = a + 10, t = 'whole';; delete from pid where a in (12, 112);; update pid set a = a + 120 where a < 100"},
	{name: "PeerDB Test_Inheritance, Sequin: tables that inherit",
		before: "create table inh (id int primary key, v text); create table inh_a (x int, primary key (id)) inherits (inh); create table inh_b (primary key (id)) inherits (inh); insert into inh values (1, 'p'); insert into inh_a values (1, 'a', 1); insert into inh_b values (1, 'b')",
		after:  "update inh set v = v || '!';; insert into inh_a values (2, 'c', 2);; delete from inh where v = 'b!';; update inh_a set x = 9 where id = 2;; alter table inh add column w int;; update inh set w = 3;; alter table inh_b no inherit inh;; insert into inh_b values (5, 'q');; truncate only inh;; create table inh_c (primary key (id)) inherits (inh); insert into inh_c values (1, 'late')"},
	{name: "Debezium drop-table with REPLICA IDENTITY FULL: the last rows of a table that is gone; of one that has another key",
		before: "create table fdr (id int primary key, v text); alter table fdr replica identity full; insert into fdr values (1, 'a'), (2, 'b'); create table fdm (id int primary key, v text); alter table fdm replica identity full; insert into fdm values (1, 'a'), (2, 'b')",
		after:  "update fdr set v = 'x';; delete from fdr where id = 2;; drop table fdr;; update fdm set v = 'x';; drop table fdm; create table fdm (id int primary key, v text, w int); alter table fdm replica identity full; insert into fdm values (5, 'a', 5);; update fdm set w = 6"},
	{name: "Debezium, pgcopydb: no row, no column at all",
		before: "create table emp (id int primary key, v text); create table ser (id serial primary key, v text default 'd', w timestamptz default now(), x uuid default gen_random_uuid())",
		after:  "insert into ser default values;; insert into ser default values;; update ser set x = default;; insert into emp values (1, null);; delete from emp"},
}

// pgNames are names that somebody has to quote.
var pgNames = []pgCase{
	{name: "Flink quote_primary_key, JDBC sink quoting: names that SQL or a sink has a use for",
		before: `create table excluded (id int primary key, excluded text, t text, u text, c1 text); create table "t" ("t" int primary key, "old" text, "new" text, "user" text); create table "u" (c1 int, c2 text, "values" text); alter table u replica identity full; create table "select" ("from" int primary key, "where" text); create table unnest (id int primary key, oid int, "order" int, "group" text, "default" text); create table r (id int, ctid_ text, "limit" int);alter table r replica identity full;` +
			`insert into excluded values (1, 'a', 'b', 'c', 'd'); insert into t values (1, 'a', 'b', 'c'); insert into u values (1, 'a', 'b'), (1, 'a', 'b'); insert into "select" values (1, 'a'); insert into unnest values (1, 2, 3, 'a', 'b'); insert into r values (1, 'a', 5)`,
		after: `update excluded set excluded = 'x', t = null;; insert into excluded values (2, 'q', 'q', 'q', 'q');; update t set "old" = 'x';; delete from t where t = 1;; insert into t values (3, 'x', 'y', 'z');; delete from u where ctid = (select min(ctid) from u);; update u set c2 = 'z';; update "select" set "where" = 'b';; update unnest set oid = 9, "order" = null;; delete from unnest;; insert into unnest values (4, 4, 4, 'z');; update r set "limit" = 6`},
	{name: "pgcopydb cdc-test-decoding: names of every kind",
		before: `create table "dqname""" (id serial primary key, "a""b" int default 1); create table ":Identifer As ""Column"".$1:" ("time" bigint primary key, "[column name]" text, "A" int, "a" int, "%s" text, "$1" text, "x y" text, "new
line" text); create table U&"\0441\043B\043E\043D" (id int primary key, U&"!0441!043B!043E!043D" UESCAPE '!' text)`,
		after: `insert into "dqname""" default values;; insert into ":Identifer As ""Column"".$1:" values (1, 'foo', 1, 2, '%d', '$2', 'z', 'n'), (5, 'foo', 1, 2, '%d', '$2', 'z', 'n');; update ":Identifer As ""Column"".$1:" set "time" = 2, "[column name]" = '[bar]' where "time" = 1;; update ":Identifer As ""Column"".$1:" set "A" = 7;; delete from ":Identifer As ""Column"".$1:" where "time" = 5;; insert into U&"\0441\043B\043E\043D" values (1, 'open');; update U&"\0441\043B\043E\043D" set id = 2`},
}
