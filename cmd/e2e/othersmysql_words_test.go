package e2e

import "strings"

// othersWords are statements that are written in ways of their own, and keys that other suites leave out.
var othersWords = []othersCase{
	{"go-mysql, Debezium: DDL in a character set whose letters end in a backslash or a quote", "",
		"create table sjs (id int primary key); insert into sjs values (1)",
		"set names sjis; alter table sjs add column a int default 5 comment '\x95\x5c', add column b int comment 'x'; insert into sjs values (2, 2, 2); alter table sjs add column c varchar(20) default '\x95\x5c', add column `\x83\x5c` int; insert into sjs values (3, 3, 3, '\x83\x5c', 3);" +
			"set names gbk; alter table sjs add column d int comment '\xbf\x5c', add column `\xbf\x5c` int comment '\xb8\x60'; insert into sjs values (4, 4, 4, '\xb1\x5c', 4, 4, 4); set names latin1; alter table sjs add column `gr\xf6\xdfe` int, add column z int comment '\xe9\\''; insert into sjs values (5, 5, 5, '\xfc', 5, 5, 5, 5, 5); truncate sjs; insert into sjs (id, z) values (6, 6)"},
	{"Maxwell, Debezium: comments that only some versions run", "",
		"create table vrc (id int primary key); insert into vrc values (1)",
		"alter table vrc add column a int /*!80000 , add column b int */ /*M! , add column c int */ /*!99999 , drop column a */; insert into vrc (id, a) values (2, 2); alter table vrc /*!50503 add */ /*M!999999 junk */ column d int; insert into vrc (id, d) values (3, 3); alter /* , drop column a */ table vrc -- , drop column a\n add e int # , drop\n; update vrc set e = 4"},
	{"Canal: routines that run DDL, and statements that are prepared", "",
		"create table rtn (id int primary key, v int); create table rtd (id int primary key); insert into rtn values (1, 1); insert into rtd values (1); create procedure rtn_p(n int, t varchar(10)) begin declare x int default 5; insert into rtn (id, v) values (n, x); alter table rtn add column w varchar(10) default 'it''s;', add column y int; update rtn set w = t, y = n + x; truncate table rtd; insert into rtd values (n); alter table rtn drop column v; end",
		"call rtn_p(7, 'q'); insert into rtn (id, w) values (8, 'r'); prepare s from 'alter table rtn add column `p q` int comment ''?'''; execute s; deallocate prepare s; insert into rtn (id, `p q`) values (9, 9)"},
	{"go-mysql: a temporary table that has the name of one of the log", "",
		"create table shd (id int primary key, v int); create table shd2 (id int primary key); insert into shd values (1, 1), (2, 2); insert into shd2 values (1), (2)",
		"create temporary table shd (id int primary key, x int); create temporary table shd2 (id int); insert into shd values (5, 5); truncate table shd; delete from shd2; truncate shd2; alter table shd add column y int, drop column x; insert into shd values (7, 7); create index i on shd (y); alter table shd2 add column v int; drop table shd; insert into shd values (3, 3); drop temporary table if exists shd2; insert into shd2 values (3); create temporary table shd like shd2; alter table shd rename to shd_t; drop temporary table shd_t; create temporary table shd select 1 as q; drop table if exists shd; update shd set v = v + 1"},
	{"gh-ost: an AUTO_INCREMENT key that gets larger", "",
		"create table big (id int auto_increment primary key, v int); insert into big (v) values (1), (2)",
		"alter table big modify id bigint auto_increment; insert into big values (9223372036854775800, 3); update big set v = 9 where id = 1; delete from big where id = 2; alter table big auto_increment = 3000000000, modify v bigint; insert into big (id, v) values (3000000000, 9223372036854775807)"},
	{"Vitess: a computed column as the key", "mysql",
		"create table ckg (a int, b int as (a * 2) stored primary key, v int); insert into ckg (a, v) values (1, 1), (2, 2)",
		"insert into ckg (a, v) values (3, 3); update ckg set a = 10 where a = 1; delete from ckg where a = 2; update ckg set v = 5"},
	{"MariaDB: the words of Oracle", "mariadb",
		"create table ora (id int primary key, v varchar(10)); insert into ora values (1, 'a')",
		"set sql_mode = 'oracle'; alter table ora add (w varchar2(20), n number(10, 2), c clob); insert into ora values (2, 'b', 'w', 1.5, 'c'); alter table ora modify v varchar2(40); create table \"ora 2\" (\"i d\" number(5) primary key, r raw(4), d date); insert into \"ora 2\" values (1, x'00ff', '2024-01-01 01:02:03'); begin insert into ora (id) values (3); insert into ora (id) values (4); end"},
	{"MariaDB: rows of a span of time, and statements that set and run", "mariadb",
		"create table spn (id int, s date, e date, v int, period for p (s, e), primary key (id, s)); insert into spn values (1, '2020-01-01', '2024-01-01', 1), (2, '2020-01-01', '2024-01-01', 2)",
		"update spn for portion of p from '2021-01-01' to '2022-01-01' set v = 9; delete from spn for portion of p from '2023-01-01' to '2023-06-01'; set statement max_statement_time = 60 for alter table spn add column w int default 4; set statement sql_mode = 'ansi_quotes' for alter table spn add column `x y` int; set statement binlog_row_image = minimal for update spn set w = 5 where id = 1; insert into spn (id, s, e) values (3, '2020-01-01', '2021-01-01') returning id; delete from spn where id = 2 returning *; create or replace table spn2 (primary key (id)) as select distinct id, 1 as one from spn; create or replace table spn2 (primary key (id)) as select distinct id, 2 as one from spn"},
	{"Maxwell #272: a table's name with a dot and no database", "mariadb",
		"create table dot (id int primary key); create table dot3 (id int primary key); insert into dot values (1)",
		"alter table .`dot` add column a int; insert into dot values (2, 2); rename table .dot to .dot2; alter table .dot2 add column b int; insert into dot2 values (3, 3, 3); create index i on .dot2 (a); truncate table .dot2; insert into dot2 values (4, 4, 4); drop table .dot3"},
	{"Debezium: names that move on in one statement, and a table that moves with its columns", "",
		"create table mvc (id int primary key, a int, b varchar(10), c int); insert into mvc values (1, 1, 'b', 3)",
		"alter table mvc change a x int after c, rename column b to d, add column b2 int first, rename to mvd; insert into mvd values (2, 2, 'a2', 3, 4); alter table mvd rename column x to y, drop column c, rename mvc; insert into mvc values (3, 3, 'a3', 4); update mvc set y = 0 where id = 1"},
	{"Maxwell: a statement of megabytes", "",
		"create table lng (id int primary key); insert into lng values (1)",
		"alter table lng comment = 'x' /* " + strings.Repeat("it's `long` ", 100_000) + "*/, add column a int; insert into lng values (2, 2)"},
}
