package e2e

// othersKeys are what rows are known by.
var othersKeys = []othersCase{
	{"Debezium DBZ-1194, gh-ost enum-pk, bit-unique-key: keys of every kind", "",
		"create table kdt (a datetime(6), b date, c time(3), primary key (a, b, c)); insert into kdt values ('2024-01-01 00:00:00.000001', '0001-01-01', '-838:59:59'), ('9999-12-31 23:59:59.999999', '9999-12-31', '838:59:59');" +
			"create table ken (e enum('b', 'a', 'c'), s set('x', 'y', 'z'), primary key (e, s)); insert into ken values ('b', 'x'), ('a', 'x,z'), ('c', '');" +
			"create table kbi (b bit(12), v varbinary(8), f binary(4), primary key (b, v, f)); insert into kbi values (b'101', x'00', x'0100'), (b'101', x'0000', x'01'), (b'111', x'00', x'02'), (0, x'', x'00000000');" +
			"create table kde (d decimal(20, 6), u bigint unsigned, y year, primary key (y, d, u)); insert into kde values (-1.5, 18446744073709551615, 2024), (0.000001, 0, 1901);" +
			"create table kfl (f double, g float, primary key (f, g)); insert into kfl values (0.1, 0.1), (1e308, 3.4e38), (-0.5, 16777217);" +
			"create table kts (t timestamp(6), id int, primary key (t, id)); insert into kts values ('2024-02-29 12:34:56.789012', 1), ('1970-01-01 00:00:01', 2)",
		"update kdt set c = '00:00:00.001' where b = '0001-01-01'; delete from kdt where b = '9999-12-31'; update ken set s = 'y,z' where e = 'a'; delete from ken where e = 'b'; update kbi set v = x'00ff' where b = b'111'; delete from kbi where b = 0;" +
			"update kde set u = u - 1 where y = 2024; delete from kde where y = 1901; delete from kfl where f > 1e300; update kfl set f = f * 3 where f > 0; update kts set id = 9 where id = 1; delete from kts where id = 2"},
	{"Vitess: texts as keys that a collation takes for the same, and that another doesn't", "",
		"create table kci (k varchar(20) primary key, v int) collate utf8mb4_general_ci; insert into kci values ('a', 1), ('b', 2), ('straße', 3); create table kbn (k varchar(20) primary key, v int) collate utf8mb4_bin; insert into kbn values ('a', 1), ('A', 2), ('ä', 3), ('Ä', 4);" +
			"create table kl1 (k varchar(20), l char(5), primary key (k, l)) character set latin1 collate latin1_general_cs; insert into kl1 values ('é', 'a'), ('É', 'a'), ('e', 'A')",
		"update kci set k = 'A' where k = 'a'; update kci set k = 'STRASSE' where v = 3; replace into kci values ('B', 9); delete from kci where k = 'A'; insert into kci values ('á', 5); update kbn set v = v * 10; delete from kbn where k = 'A'; update kl1 set k = 'e2' where k = 'e'; delete from kl1 where k = 'É'"},
	{"Vitess: blanks and emoji in keys, in MySQL's own collation", "mysql",
		"create table k9 (k varchar(20) primary key, v int) collate utf8mb4_0900_ai_ci; insert into k9 values ('a', 1), ('a ', 2), ('😀', 3), ('😁', 4); create table k9b (k varchar(20) primary key, v int) collate utf8mb4_0900_as_cs; insert into k9b values ('a', 1), ('A', 2), ('á', 3)",
		"update k9 set v = v * 10; delete from k9 where v = 20; insert into k9 values ('b ', 1), ('b', 2); update k9b set v = v * 10; delete from k9b where v = 20"},
	{"Maxwell pksen: a key whose columns stand elsewhere, are written otherwise, backwards or in part", "",
		"create table kor (v int, B int, a int, c varchar(50), primary key (a, b)); insert into kor values (1, 2, 3, 'x'), (2, 3, 2, 'y'); create table kpx (c varchar(100), t text, primary key (c(3), t(4))); insert into kpx values ('abcdef', 'text one'), ('abd', 'text');" +
			"create table kun (a int not null, b int, u varchar(10) not null, unique key x (b), unique key y (u, a)); insert into kun values (1, null, 'p'), (1, null, 'q')",
		"update kor set b = 5 where a = 3; delete from kor where a = 2; update kpx set c = 'abz' where c = 'abd'; update kpx set t = 'text one!' where c = 'abcdef'; update kun set b = 7 where u = 'p'; delete from kun where u = 'q'; insert into kun values (2, 8, 'r')"},
	{"Airbyte, Flink: no key at all, rows that are the same, NULLs", "",
		"create table nok (a int, b varchar(10)); insert into nok values (1, 'x'), (1, 'x'), (1, 'x'), (null, null), (null, null); create table nun (a int unique, b int); insert into nun values (null, 1), (null, 1), (1, 1)",
		"delete from nok where a = 1 limit 1; update nok set b = 'y' where a = 1 limit 1; insert into nok select * from nok; delete from nok where a is null limit 1; update nok set a = 9; update nun set b = 2 where a is null limit 1; delete from nun where a = 1; update nun set a = 5 limit 1"},
	{"gh-ost autoinc-zero-value: a number of nought and below", "",
		"set sql_mode = 'NO_AUTO_VALUE_ON_ZERO'; create table zro (id int auto_increment primary key, v int); insert into zro values (0, 1), (-5, 2)",
		"update zro set v = 9 where id = 0; insert into zro (v) values (3); delete from zro where id = -5; insert into zro values (-6, 1)"},
	{"gh-ost bigint: numbers at their limits, in keys and out of them", "",
		"create table lim (id bigint unsigned primary key, a bigint, b tinyint unsigned, c mediumint, d decimal(65, 30)); insert into lim values (18446744073709551615, -9223372036854775808, 255, -8388608, 12345678901234567890123456789012345.123456789012345678901234567890), (9223372036854775808, 9223372036854775807, 0, 8388607, -0.000000000000000000000000000001)",
		"update lim set a = a + 1 where a < 0; update lim set id = id - 1 where a > 0; delete from lim where id = 18446744073709551615"},
}

// othersShapes are statements that change a table's columns.
var othersShapes = []othersCase{
	{"Debezium: columns first, behind another, several in one statement", "",
		"create table col (id int primary key, a int, b varchar(10)); insert into col values (1, 1, 'x')",
		"alter table col add column z int first, add column y varchar(20) after a, add (w int, u text); insert into col values (7, 2, 2, 'y', 'b', 1, 'u'); alter table col modify column b varchar(10) first, modify column u text after id; insert into col values ('first', 8, 3, 'u3', 3, 'y3', 3); alter table col drop column w, drop column a; insert into col values ('b', 9, 4, 'u4', 'y4'); update col set z = 1"},
	{"DM: columns that are added and dropped at once (INSTANT)", "",
		"create table ins2 (id int primary key, a int, b int); insert into ins2 values (1, 1, 1), (2, 2, 2)",
		"alter table ins2 add column c int, algorithm = instant; update ins2 set c = 5 where id = 1; alter table ins2 drop column b, algorithm = instant; insert into ins2 values (3, 3, 3); alter table ins2 add column d varchar(10) after id, algorithm = instant; update ins2 set d = 'd'; delete from ins2 where id = 2"},
	{"gh-ost rename: columns of other names", "",
		"create table rnm (id int primary key, a int, b int, c varchar(10)); insert into rnm values (1, 1, 2, 'c'), (2, 3, 4, 'd')",
		"alter table rnm rename column c to d; insert into rnm values (3, 5, 6, 'e'); alter table rnm change a a2 int, add a int; insert into rnm (id, b) values (4, 7); alter table rnm rename column id to k; update rnm set d = 'g' where k = 1"},
	{"gh-ost drop-null-add-not-null: a column that may not be NULL", "",
		"create table nna (id int primary key); insert into nna values (1)", "alter table nna add c int not null default 5; insert into nna (id) values (2)"},
	{"gh-ost modify-change-case: a column's name in other letters", "",
		"create table cse (id int primary key, someName int); insert into cse values (1, 1)",
		"alter table cse change someName SomeName int; insert into cse values (2, 2); update cse set somename = 3 where id = 1"},
	{"Maxwell: wider numbers, longer texts, more labels", "",
		"create table wid (id int primary key, n smallint, v varchar(10), e enum('a', 'b'), d decimal(5, 2), t time); insert into wid values (1, 1, 'x', 'a', 1.5, '01:02:03')",
		"alter table wid modify n bigint, modify v varchar(300), modify e enum('a', 'b', 'c'), modify d decimal(10, 4), modify t time(6); insert into wid values (2, 9223372036854775807, repeat('v', 300), 'c', 123456.7891, '01:02:03.123456'); alter table wid modify v text; insert into wid values (3, 0, repeat('t', 3000), 'b', 0, null)"},
	{"gh-ost enum-modified, Debezium enum_column_test: a label in the middle", "",
		"create table enm (id int primary key, e enum('station', 'post_office') not null default 'station'); insert into enm values (1, 'station'), (2, 'post_office')",
		"alter table enm modify e enum('station', 'plane', 'post_office', 'now') not null default 'station'; insert into enm values (3, 'now'), (4, 'post_office'); update enm set e = 'plane' where id = 1"},
	{"gh-ost convert-utf8mb4, alter-charset-all-dml: another character set", "",
		"create table chs (id int primary key, a varchar(20), b varchar(100)) character set latin1; insert into chs values (1, 'é', 'ÿ€')",
		"insert into chs values (2, 'ü', 'x'); alter table chs convert to character set utf8mb4; insert into chs values (3, '日本', '😀'); update chs set b = '日' where id = 1; alter table chs character set ascii; alter table chs add c varchar(10); update chs set c = 'c'"},
	{"Maxwell: what changes no column", "",
		"create table noc (id int primary key, a int, b varchar(20)); insert into noc values (1, 1, 'x')",
		"alter table noc add index (a), add unique u (a, b), comment 'it''s a `table` (1)', auto_increment = 100; alter table noc rename index a to a2, alter a set default 5, alter b drop default; alter table noc modify a int default 7 comment 'x;y'; alter table noc drop index u, drop key a2; create index i on noc (b(3) desc); drop index i on noc;" +
			"alter table noc force; alter table noc engine = innodb; alter table noc order by a; alter table noc row_format = compressed; alter table noc add constraint chk check (a > 0); alter table noc drop constraint chk; analyze table noc; optimize table noc; check table noc; repair table noc; flush tables noc; alter table noc disable keys; alter table noc enable keys; insert into noc (id, b) values (2, 'y')"},
	{"Debezium, Flink: NULL where it was forbidden, and forbidden where it wasn't", "",
		"create table nul (id int primary key, a int not null, b int); insert into nul values (1, 1, 1)",
		"alter table nul modify a int null, modify b int not null; insert into nul values (2, null, 2)"},
	{"gh-ost generated-columns: virtual, stored, as a key's part", "",
		"create table gen (id int primary key, a int, b int as (a * 2) virtual, c int as (a + 1) stored, unique (c)); insert into gen (id, a) values (1, 1)",
		"insert into gen (id, a) values (2, 2); update gen set a = 10 where id = 1; delete from gen where id = 2; insert into gen (id, a) values (3, 3); alter table gen drop column b; update gen set a = 4 where id = 3"},
	{"MySQL: keys over expressions, invisible columns and indexes", "mysql",
		"create table fun (id int primary key, a int, j json, index f ((a * 2)), index m ((cast(j -> '$.t' as unsigned array))), hid int invisible default 5, unique u ((lower(hid)))); insert into fun (id, a, j) values (1, 1, '{\"t\": [1, 2]}')",
		"insert into fun (id, a, j, hid) values (2, 2, '{\"t\": [3]}', 6); update fun set a = 3, j = json_set(j, '$.t[0]', 9); create index late on fun ((a + id)); insert into fun (id, a, hid) values (3, 3, 7); alter table fun alter column hid set visible, alter index f invisible; update fun set hid = 8 where id = 3; delete from fun where id = 2"},
	{"MySQL: a primary key that the server makes", "mysql",
		"set sql_generate_invisible_primary_key = 1; create table gip (a int, b varchar(10)); insert into gip values (1, 'x'), (1, 'x')",
		"insert into gip values (2, 'y'); update gip set b = 'z' where a = 1 limit 1; delete from gip where a = 2"},
	{"MariaDB: invisible columns, CHECKs, DEFAULTs of expressions, compressed columns", "mariadb",
		"create table inv (id int primary key, a int invisible default 3, b varchar(200) compressed, c varchar(40) default (concat('x', id)) check (length(c) > 0)); insert into inv (id, b) values (1, repeat('b', 200))",
		"insert into inv (id, a, b) values (2, 9, repeat('c', 199)); alter table inv add d int invisible; update inv set d = 4 where id = 1"},
}
