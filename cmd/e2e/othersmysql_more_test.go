package e2e

import "strings"

// othersMore are cases that no one suite owns.
var othersMore = []othersCase{
	{"MariaDB: ALTER in two phases", "mariadb", "create table x6 (id int primary key, a int); insert into x6 values (0, 1), (5, 2)",
		"set binlog_alter_two_phase = 1; alter table x6 add b int; insert into x6 values (7, 7, 7); alter table x6 rename to x6b; insert into x6b values (8, 8, 8); set binlog_alter_two_phase = 0"},
	{"Maxwell, Airbyte: a dump that is restored into the source", "", "create table x8 (id int primary key, a int); insert into x8 values (0, 1), (5, 2)",
		"/*!40101 SET NAMES utf8mb4 */; /*!50503 SET @x = 1 */; drop table if exists `x8`; create table `x8` (`id` int not null, `a` int default null, primary key (`id`)) engine=InnoDB default charset=utf8mb4; lock tables `x8` write; /*!40000 ALTER TABLE `x8` DISABLE KEYS */; insert into `x8` values (1,1),(2,2); /*!40000 ALTER TABLE `x8` ENABLE KEYS */; unlock tables"},
	{"MariaDB: a period that is made later", "mariadb", "create table x14 (id int primary key, a int); insert into x14 values (1, 1)",
		"alter table x14 add s date, add e date; update x14 set s = '2020-01-01', e = '2021-01-01'; alter table x14 add period for p (s, e); insert into x14 values (2, 2, '2020-01-01', '2021-01-01')"},
	{"MariaDB: GTIDs of several domains and servers", "mariadb", "create table x17 (id int primary key)",
		"set gtid_domain_id = 7; insert into x17 values (1); set server_id = 77; insert into x17 values (2); set gtid_domain_id = 0; insert into x17 values (3); set server_id = default; insert into x17 values (4)"},
	{"DM: another engine, and back", "", "create table x21 (id int primary key); insert into x21 values (1)", "alter table x21 engine = myisam; insert into x21 values (2); alter table x21 engine = innodb; insert into x21 values (3)"},
	{"Canal: a temporary table that is dropped together with one of the log", "", "create table x22 (id int primary key); insert into x22 values (1)",
		"create temporary table x22t (id int); drop table x22t, x22; create table x22 (id int primary key); insert into x22 values (5)"},
	{"gh-ost latin1text: the character set and the collation of a key", "", "create table x26 (k varchar(20) primary key, v int) collate utf8mb4_bin; insert into x26 values ('a', 1), ('A', 2); create table x27 (k varchar(20) primary key, v int) collate utf8mb4_bin; insert into x27 values ('a', 1), ('B', 2)",
		"alter table x26 modify k varchar(20) character set latin1 collate latin1_bin; insert into x26 values ('é', 1); update x26 set v = 5; delete from x26 where k = 'A'; alter table x27 convert to character set utf8mb4 collate utf8mb4_general_ci; insert into x27 values ('c', 1) on duplicate key update v = 9; insert into x27 values ('A', 7) on duplicate key update v = 9; replace into x27 values ('b', 3)"},
	{"Airbyte: texts that are longer in the target's character set", "", "create table y1 (id int primary key, a varchar(20000) character set latin1, b varchar(30000) character set latin1, c varchar(10000) character set latin1); insert into y1 values (1, repeat('é', 20000), repeat('b', 30000), 'c')",
		"insert into y1 values (2, repeat('z', 20000), repeat('é', 30000), 'c'); update y1 set c = repeat('é', 10000) where id = 1"},
	{"Vitess: long bytes as a key, and a key of sixteen columns backwards", "", "create table y6 (k varbinary(3000) primary key, v int); insert into y6 values (repeat(x'00', 3000), 1); create table y7 (a int, b int, c int, d int, e int, f int, g int, h int, i int, j int, k int, l int, m int, n int, o int, p int, v int, primary key (p, o, n, m, l, k, j, i, h, g, f, e, d, c, b, a)); insert into y7 values (1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17)",
		"insert into y6 values (repeat(x'ff', 3000), 2); update y6 set v = 3; delete from y6 where k = repeat(x'ff', 3000); update y7 set v = 1, a = 9; insert into y7 values (1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17)"},
	{"Debezium: nine hundred columns", "", "create table y9 (id int primary key, " + strings.ReplaceAll(manyColumns+", "+strings.ReplaceAll(manyColumns, "c", "d")+", "+strings.ReplaceAll(manyColumns, "c", "e"), " int", " tinyint") + "); insert into y9 (id, c1) values (1, 5)",
		"update y9 set c300 = 4, e300 = 7"},
	{"Maxwell: a MyISAM statement that fails half way", "", "create table y12 (id int primary key, v int) engine = myisam; create procedure y12p() begin declare continue handler for 1062 begin end; insert into y12 values (10, 1), (11, 1), (10, 2), (12, 1); update y12 set id = id + 1 order by id; end",
		"call y12p(); insert into y12 values (50, 1)"},
	{"Debezium MySqlEnumColumn, Maxwell test_enum: labels with everything in them", "", "create table y13 (id int primary key, e enum('a/b', 'c''d', 'e f', '', ' lead', 'q\"r', '%s', '{x}', ':y', '日本', 'z;--') character set utf8mb4, s set('a b', 'c''d', 'e:f', 'g/h', '日', '(', 'x\\ty')); insert into y13 values (1, 'a/b', 'a b,c''d'), (2, '', '')",
		"insert into y13 values (3, 'e f', 'g/h,日,('), (4, ' lead', 'x\\ty'), (5, '日本', 'e:f'), (6, 'z;--', null); update y13 set e = 'q\"r' where id = 1"},
	{"Debezium default_value: defaults of every kind", "", "create table y14 (id int primary key default 7, b bit(4) default b'101', e enum('x', 'y') default 'y', d decimal(5, 2) default 1.5, j varchar(20) default '\\\\''\"', t timestamp(3) default current_timestamp(3), dt datetime default '2020-01-01 00:00:00', y year default 2020, bin binary(3) default x'616200', h varchar(10) default x'6162', n varchar(5) default null, bl boolean default true); insert into y14 (id) values (1)",
		"insert into y14 () values (); update y14 set n = 'n'"},
	{"Debezium NoBlob, Maxwell test_minimal: row images that lack columns", "", "create table y15 (id int primary key, v mediumtext, w mediumtext); insert into y15 values (1, repeat('v', 70000), repeat('w', 70000))",
		"set binlog_row_image = minimal; update y15 set v = 'v'; set binlog_row_image = noblob; update y15 set id = id, w = 'w'; set binlog_row_image = full; update y15 set id = 2"},
	{"Debezium json_test, Maxwell test_json: documents", "", `create table y16 (id int primary key, j json); insert into y16 values (1, '{"a": 1, "b": [1.0, 1e3, -0.0, 18446744073709551615, 1.7976931348623157e308, "é", null, true, {}, []]}'), (2, 'null'), (3, null), (4, '"s"'), (5, '1'), (6, '{"": {"": []}}')`,
		"update y16 set j = json_set(j, '$.z', 5) where id = 1; insert into y16 values (7, json_object('d', cast('2020-01-01' as date), 'x', 'y')); update y16 set j = json_array_append(j, '$', 1) where id = 5"},
	{"gh-ost: names that go round", "", "create table y17 (id int primary key); insert into y17 values (1)",
		"create table y17x like y17; insert into y17x values (2); truncate y17; drop table y17; rename table y17x to y17; create table y17x (id int primary key, q int); insert into y17x values (1, 1); rename table y17 to y17y, y17x to y17; insert into y17 values (5, 5)"},
}
