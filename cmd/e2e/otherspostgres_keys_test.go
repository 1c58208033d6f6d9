package e2e

import (
	"fmt"
	"strings"
)

// pgKeys are what rows are known by.
var pgKeys = []pgCase{
	{name: "PostgreSQL 100_bugs, pgcopydb cdc-replica-identity-index: REPLICA IDENTITY USING INDEX, with other indexes beside it",
		before: "create function dbl(x int) returns int immutable language sql as 'select x * 2'; create table rix (a int not null, b int not null, c text); create unique index rix_b on rix (b) include (c); create unique index rix_x on rix ((a + b)); create unique index rix_p on rix (a) where a > dbl(1); create index on rix (c) where b > dbl(1); alter table rix replica identity using index rix_b; insert into rix values (1, 10, 'a'), (2, 20, 'b'), (3, 30, 'c');" +
			"create table rip (id int primary key, u int not null unique, v text); alter table rip replica identity using index rip_u_key; insert into rip values (1, 10, 'a'), (2, 20, 'b'), (3, 30, 'c');" +
			"create table ric (id int primary key, k int not null, v text); create unique index ric_c on ric (k, id); alter table ric replica identity using index ric_c; insert into ric values (1, 10, 'a'), (2, 20, 'b'), (3, 30, 'c')",
		after: "update rix set a = -a where a = 1;; update rix set b = 21 where b = 20;; delete from rix where b = 30;; update rip set id = 9 where id = 1;; update rip set u = 21 where id = 2;; delete from rip where id = 3;; update ric set v = 'x';; update ric set id = 9 where id = 1;; update ric set k = 0 where id = 2;; delete from ric where id = 3"},
	{name: "Flink, pgstream: a key whose columns stand in another order, and in the middle",
		before: "create table kor (x text, c int, y text, a varchar(10), z text, primary key (a, c)); insert into kor values ('x', 1, 'y', 'a', 'z'), ('x', 2, 'y', 'a', 'z'), ('x', 1, 'y', 'b', 'z'), ('x', 3, 'y', 'B ', 'z')",
		after:  "update kor set z = 'w' where c = 1;; update kor set c = 9 where a = 'b';; update kor set a = 'b' where c = 2;; delete from kor where a = 'B '"},
	{name: "Materialize replica-identity-default-nothing, Debezium: no key, a unique one alone, NOTHING, excluded ranges",
		before: "create table nok (a int, t text); create table unq (a int unique not null, t text); create table noi (id int primary key, t text); alter table noi replica identity nothing; create table exc (r int4range, exclude using gist (r with &&)); insert into nok values (1, 'a'), (1, 'a'); insert into unq values (1, 'a'); insert into noi values (1, 'a'); insert into exc values ('[1,3)')",
		after:  "insert into nok values (1, 'a'), (null, null), (null, null);; insert into unq values (2, 'b');; insert into noi values (2, 'b'), (3, 'c');; insert into exc values ('[4,5)');; alter table exc replica identity full;; update exc set r = '[7,8)' where r = '[4,5)'"},
	{name: "pglogical primary_key: a deferrable key under REPLICA IDENTITY FULL, which tells no rows apart within a transaction",
		before: "create table dfr (id int primary key deferrable, v text); alter table dfr replica identity full; insert into dfr values (1, 'a'), (2, 'b'), (3, 'c')",
		after:  "update dfr set id = id + 1;; update dfr set v = v || id;; delete from dfr where id = 3"},
	{name: "PostgreSQL 013_partition: a root with REPLICA IDENTITY FULL, and a partition without",
		before: "create table pif (a int primary key, b text, t text) partition by range (a); create table pif1 partition of pif for values from (0) to (100); create table pif2 partition of pif for values from (100) to (200); alter table pif replica identity full; alter table pif1 replica identity full; insert into pif values (1, 'a', 'x'), (2, 'b', 'y'), (101, 'c', 'z'), (102, 'd', 'w')",
		after:  "update pif set b = 'e' where a in (1, 101);; delete from pif where a in (2, 102);; update pif set a = a + 10;; update pif set a = 12 where a = 111"},
	{name: "PostgreSQL 034_temporal: keys WITHOUT OVERLAPS", on: 18,
		before: "create extension if not exists btree_gist; create table tmp (id int4range, at daterange, a text, primary key (id, at without overlaps)); create table tmu (id int4range not null, at daterange not null, a text, constraint tmu_u unique (id, at without overlaps)); alter table tmu replica identity using index tmu_u; create table tmf (id int4range, at daterange, a text, primary key (id, at without overlaps)); alter table tmf replica identity full;" +
			"insert into tmp values ('[1,2)', '[2000-01-01,2010-01-01)', 'a'), ('[2,3)', '[2000-01-01,2010-01-01)', 'b'); insert into tmu select * from tmp; insert into tmf select * from tmp",
		after: "insert into tmp values ('[3,4)', '[2000-01-01,2010-01-01)', 'c');; update tmp set a = 'x' where id = '[1,2)';; update tmp set at = '[2001-01-01,)' where id = '[1,2)';; delete from tmp where id = '[2,3)';; update tmu set a = 'x' where id = '[1,2)';; delete from tmu where id = '[2,3)';; update tmf set at = '[2005-01-01,2006-01-01)' where id = '[1,2)';; delete from tmf where id = '[2,3)'"},
}

// pgKeysOfEveryType are tables whose key has one type: a row that changes, one whose key does, one that goes.
func pgKeysOfEveryType() []pgCase {
	var cases []pgCase
	for i, c := range [][5]string{ // the type, two keys, the new text of the first, what makes the type
		{"numeric", "1.0", "'NaN'", "1.00", ""}, {"float8", "'-0'", "'NaN'", "0", ""}, {"float4", "0.1", "'-Infinity'", "0.2", ""}, {"bool", "true", "false", "null", ""},
		{"text", "''", "'ü '", "' '", ""}, {`"char"`, "'a'", "'b'", "''", ""}, {"name", "'a'", "'B'", "'c'", ""}, {"bytea", `'\x00'`, `'\xff'`, `'\x0000'`, ""},
		{"timestamptz", "'2024-01-01 00:00+02'", "'infinity'", "'-infinity'", ""}, {"timestamp(3)", "'2024-01-01 00:00:00.1234'", "'0044-03-15 BC'", "'294276-12-31'", ""}, {"date", "'0001-01-01 BC'", "'infinity'", "'5874897-12-31'", ""},
		{"timetz", "'24:00+01'", "'00:00-01'", "'23:00+00'", ""}, {"time", "'24:00'", "'00:00'", "'12:00:00.000001'", ""}, {"interval", "'1 mon'", "'-1 day'", "'30 days'", ""},
		{"uuid", "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'", "'00000000-0000-0000-0000-000000000000'", "'ffffffff-ffff-ffff-ffff-ffffffffffff'", ""}, {"inet", "'10.0.0.1/8'", "'::1'", "'10.0.0.1'", ""}, {"cidr", "'10.0.0.0/8'", "'::/0'", "'10.0.0.0/9'", ""}, {"macaddr8", "'08:00:2b:01:02:03:04:05'", "'00:00:00:00:00:00:00:00'", "'ff:00:2b:01:02:03:04:05'", ""},
		{"bit(3)", "B'101'", "B'000'", "B'111'", ""}, {"varbit", "B''", "B'1'", "B'10'", ""}, {"jsonb", `'{"a": 1.0}'`, "'null'", `'{"a": 1.00}'`, ""}, {"int4range", "'[1,5]'", "'empty'", "'(,)'", ""}, {"nummultirange", "'{[1.0,2.0]}'", "'{}'", "'{[1.00,2.0]}'", ""},
		{"int[]", "'{1,2}'", "'{}'", "'[0:1]={1,2}'", ""}, {"text[]", `'{a,"b,c"}'`, "'{NULL}'", `'{"NULL"}'`, ""}, {"numeric[]", "'{1.0}'", "'{NaN}'", "'{1.00}'", ""}, {"money", "'1.10'", "'-92233720368547758.08'", "'0'", ""}, {"pg_lsn", "'0/1'", "'F/0'", "'1/1'", ""}, {"xid8", "'1'", "'18446744073709551615'", "'2'", ""}, {"oid", "1", "4294967295", "2", ""},
		{"kmood", "'b'", "'a c'", "'ü'", "create type kmood as enum ('b', 'a c', 'ü')"}, {"kpair", `'(1,"a b")'`, "'(,)'", `'(1.0,"a b")'`, "create type kpair as (n numeric, t text)"}, {"kpos", "1.5", "2", "1.50", "create domain kpos as numeric(6, 2) check (value > 0)"}, {"citext", "'Ab'", "'c'", "'AB'", "create extension citext"}, {"ltree", "'a.b'", "'c'", "'a'", "create extension ltree"}, {"hstore", "'a=>1'", "''", "'a=>NULL'", "create extension hstore"},
		{"text collate ci", "'Ab'", "'c'", "'AB'", "create collation ci (provider = icu, locale = 'und-u-ks-level2', deterministic = false)"}, {"tsvector", "'a:1'", "''", "'a:1B'", ""}, {"varchar(3)", "'a'", "'a '", "'b'", ""}, {"char(5)", "'a'", "'b'", "'c'", ""},
	} {
		table := fmt.Sprintf("kty%d", i)
		insert := fmt.Sprintf("insert into %s values (%s, 1), (%s, 2)", table, c[1], c[2])
		update := fmt.Sprintf("update %s set k = %s where v = 10", table, c[3])
		if c[3] == "null" {
			update = "select 1"
		}
		cases = append(cases, pgCase{name: "Debezium, Estuary: keys of " + c[0],
			before: strings.Join([]string{c[4], fmt.Sprintf("create table %s (k %s primary key, v int); %s", table, c[0], insert)}, ";"),
			after:  fmt.Sprintf("update %[1]s set v = v * 10;; %[2]s;; delete from %[1]s where v = 20;; insert into %[1]s values (%[3]s, 3)", table, update, c[2])})
	}
	return cases
}
