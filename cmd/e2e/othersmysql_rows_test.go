package e2e

import "slices"

func othersCases() []othersCase {
	return slices.Concat(othersStatements, othersSessions, othersKeys, othersShapes, othersTables, othersNoise, othersMore, othersWords)
}

// othersStatements are the forms in which a statement changes rows.
var othersStatements = []othersCase{
	{"Debezium DBZ-2670, Maxwell: ON DUPLICATE KEY UPDATE, of the key too", "",
		"create table odk (id int auto_increment primary key, k int unique, v varchar(20)); insert into odk values (1, 1, 'a'), (2, 2, 'b')",
		"insert into odk (k, v) values (1, 'x'), (3, 'new') on duplicate key update v = concat(values(v), '!'); insert into odk (k, v) values (2, 'y') on duplicate key update id = 90"},
	{"DM: REPLACE, of one row and of two at once", "",
		"create table rep (id int primary key, k int unique, v int); insert into rep values (1, 10, 1), (2, 20, 2), (3, 30, 3)",
		"replace into rep values (1, 11, 5); replace into rep values (2, 30, 6); replace into rep set id = 9, k = 90"},
	{"Canal: INSERT IGNORE, INSERT SET, INSERT SELECT, a table expression", "",
		"create table ins (id int primary key, v int); insert into ins values (1, 1)",
		"insert ignore into ins values (1, 9), (2, 2); insert into ins set id = 3; insert into ins select id + 10, v from ins; insert into ins with recursive n as (select 100 i union all select i + 1 from n where i < 150) select i, i from n"},
	{"Debezium MultiTableStatement, DBZ-871: UPDATE and DELETE of several tables", "",
		"create table ma (id int primary key, v int); create table mb (id int primary key, a int, v int); insert into ma values (1, 1), (2, 2), (3, 3); insert into mb values (1, 1, 1), (2, 1, 1), (3, 2, 2), (4, 3, 3)",
		"update ma join mb on mb.a = ma.id set ma.v = ma.v + 10, mb.v = mb.v + 100 where ma.id < 3; delete ma, mb from ma join mb on mb.a = ma.id where ma.id = 1; delete from mb using mb join ma on mb.a = ma.id where ma.id = 3; update ma, (select max(id) m from mb) s set ma.v = s.m"},
	{"gh-ost update-pk, Vitess: keys that move past each other", "",
		"create table mv (id int primary key, v varchar(5)); insert into mv values (1, 'a'), (2, 'b'), (3, 'c')",
		"update mv set id = id + 1 order by id desc; update mv set id = id - 1 order by id; update mv set id = -1 where id = 1; update mv set id = 1 where id = 2; update mv set id = 2 where id = -1; begin; delete from mv where id = 3; insert into mv values (3, 'again'); update mv set id = 4 where id = 3; update mv set id = 3 where id = 4; commit"},
	{"Maxwell, DM: unique values that are exchanged in one transaction", "",
		"create table swp (id int primary key, u int unique); insert into swp values (1, 1), (2, 2)",
		"begin; update swp set u = null where id = 1; update swp set u = 1 where id = 2; update swp set u = 2 where id = 1; commit"},
	{"Tungsten: triggers that change the row, write to others and fire others", "",
		"create table trg (id int primary key, v int); create table aud (n int auto_increment primary key, what varchar(20), id int); create table aud2 (n int primary key);" +
			"create trigger trg_b before insert on trg for each row set new.v = new.v * 2; create trigger trg_a after update on trg for each row begin insert into aud (what, id) values ('old', old.id); insert into aud (what, id) values ('new', new.id); end;" +
			"create trigger trg_d after delete on trg for each row insert into aud (what, id) values ('gone', old.id); create trigger aud_a after insert on aud for each row insert into aud2 values (new.n); insert into trg values (1, 1)",
		"insert into trg values (2, 2), (3, 3); update trg set v = v + 1; delete from trg where id = 2"},
	{"Vitess, gh-ost: foreign keys that cascade, over three tables and within one", "mysql",
		"create table fa (id int primary key); create table fb (id int primary key, a int, foreign key (a) references fa (id) on delete cascade on update cascade); create table fc (id int primary key, b int, foreign key (b) references fb (id) on delete set null);" +
			"create table fs (id int primary key, up int, foreign key (up) references fs (id) on delete cascade); insert into fa values (1), (2), (3); insert into fb values (10, 1), (20, 2), (30, 3); insert into fc values (100, 10), (200, 20), (300, 30); insert into fs values (1, null), (2, 1), (3, 2), (4, null)",
		"delete from fa where id = 1; update fa set id = 22 where id = 2; delete from fs where id = 1"},
	{"Debezium: savepoints, what is rolled back, and DDL that commits", "",
		"create table sav (id int primary key)",
		"begin; insert into sav values (1); savepoint `s p`; insert into sav values (2); rollback to savepoint `s p`; insert into sav values (3); savepoint s2; insert into sav values (4); release savepoint s2; commit;" +
			"begin; insert into sav values (5); rollback; begin; insert into sav values (6); create table sav2 (id int primary key); insert into sav2 values (1); rollback; start transaction with consistent snapshot; insert into sav values (7); commit"},
	{"Maxwell: autocommit off, LOCK TABLES, a consistent snapshot", "",
		"create table acm (id int primary key)",
		"set autocommit = 0; insert into acm values (1); insert into acm values (2); rollback; insert into acm values (3); commit; set autocommit = 1; lock tables acm write; insert into acm values (4); delete from acm where id = 3; unlock tables"},
	{"Canal: procedures, functions, prepared statements and cursors that write", "",
		"create table prc (id int primary key, v varchar(40)); create procedure prc_p(n int) begin declare i int default 0; while i < n do insert into prc values (i, concat('row ', i)); set i = i + 1; end while; update prc set v = uuid() where id % 2; end;" +
			"create function prc_f() returns int no sql return 7",
		"call prc_p(20); prepare s from 'insert into prc values (?, ?)'; set @a = 100, @b = 'it''s ?'; execute s using @a, @b; deallocate prepare s; insert into prc values (200 + prc_f(), rand())"},
	{"DM: temporary tables, of the name of one that is there too", "",
		"create table tmp (id int primary key); insert into tmp values (1), (2)",
		"create temporary table tmp (id int, x int); insert into tmp values (7, 7); update tmp set x = 8; truncate tmp; alter table tmp add y int; delete from tmp; drop temporary table tmp; insert into tmp values (3);" +
			"create temporary table tmp as select 9 as id; drop table tmp; create temporary table t_x like tmp; insert into t_x values (50); insert into tmp select * from t_x; drop temporary table if exists t_x"},
	{"Airbyte, Debezium: TRUNCATE among rows", "",
		"create table trc (id int primary key, v int); insert into trc values (1, 1), (2, 2)",
		"insert into trc values (3, 3); truncate table trc; insert into trc values (1, 9); truncate trc; insert into trc values (2, 8); begin; delete from trc; insert into trc values (2, 7); commit"},
	{"go-mysql: LOAD DATA", "mariadb",
		"create table ldd (id int primary key, v varchar(20))",
		"insert into ldd values (1, 'a'), (2, 'tab\\there'); select id + 10, v from ldd into outfile './{db}.txt'; load data infile './{db}.txt' into table ldd; load data infile './{db}.txt' replace into table ldd (id, @x) set v = upper(@x)"},
	{"MariaDB: RETURNING, and a period whose portions change", "mariadb",
		"create table ptn (id int, s date, e date, v int, period for p (s, e)); create table ptk (id int, s date, e date, period for p (s, e), primary key (id, p without overlaps)); insert into ptn values (1, '2020-01-01', '2021-01-01', 1); insert into ptk values (1, '2020-01-01', '2021-01-01')",
		"insert into ptn values (2, '2020-01-01', '2021-01-01', 1) returning id; update ptn for portion of p from '2020-03-01' to '2020-04-01' set v = 2; delete from ptk for portion of p from '2020-05-01' to '2020-06-01'; delete from ptn where v = 2 returning v"},
	{"MySQL: an alias for the new row, VALUES ROW and TABLE", "mysql",
		"create table vrw (id int primary key, v int); insert into vrw values (1, 1)",
		"insert into vrw values (1, 5), (2, 2) as new on duplicate key update v = new.v + 1; insert into vrw values row(3, 3), row(4, 4); create table vrw2 like vrw; insert into vrw2 table vrw"},
}

// othersSessions are settings of a session.
var othersSessions = []othersCase{
	{"Debezium, Flink: the time zone of a session", "",
		"create table tzs (id int primary key, t timestamp(6) null, d datetime(6)); set time_zone = '+05:30'; insert into tzs values (1, '2024-01-01 00:00:00.5', '2024-01-01 00:00:00.5')",
		"set time_zone = '-11:00'; insert into tzs values (2, '2024-03-31 02:30:00', '2024-03-31 02:30:00'), (3, '1970-01-01 13:00:00', null); update tzs set t = t + interval 1 microsecond where id = 1; set time_zone = '+13:00'; insert into tzs values (4, now(6), now(6))"},
	{"Maxwell: the clock of a session", "",
		"create table clk (id int primary key, t timestamp default current_timestamp)",
		"set timestamp = 86400; insert into clk (id) values (1); set timestamp = 2000000000; insert into clk (id) values (2); set timestamp = 1; update clk set t = current_timestamp"},
	{"gh-ost: values that a session without strict mode lets in", "",
		"set sql_mode = ''; create table lax (id int primary key, e enum('a', 'b') not null, s set('x', 'y'), d date, n tinyint, v varchar(3)); insert into lax values (1, 'a', 'x,y', '2024-01-01', 300, 'abcdef')",
		"set sql_mode = ''; insert into lax values (2, 'a', 'y,x,y', '2024-02-29', -300, 'äöüß'), (3, 2, 3, '2023-02-28', '12abc', '')"},
	{"Maxwell test_row_query_log_is_on: statements beside their rows", "mysql",
		"create table rql (id int primary key, v varchar(20))",
		"set binlog_rows_query_log_events = 1; insert into rql values (1, 'it''s -- a'); update /* c */ rql set v = 'truncate rql'; set binlog_rows_query_log_events = 0"},
	{"MariaDB: rows without annotations", "mariadb",
		"create table ann (id int primary key)",
		"set binlog_annotate_row_events = 0; insert into ann values (1); set binlog_annotate_row_events = 1; insert into ann values (2); set statement max_statement_time = 10 for insert into ann values (3)"},
	{"Debezium MySqlGtidTags: a tagged GTID", "mysql",
		"create table tag (id int primary key)",
		"set gtid_next = 'automatic:a_tag'; insert into tag values (1); insert into tag values (2); set gtid_next = 'automatic:tag2'; alter table tag add v int; set gtid_next = 'automatic'; insert into tag values (3, 3)"},
	{"Debezium sql_bin_log_off: a table whose rows are not in the log at all is none of ours", "",
		"create table sbl (id int primary key)",
		"set sql_log_bin = 0; insert into sbl values (1); delete from sbl; set sql_log_bin = 1; insert into sbl values (2)"},
	{"Canal: a transaction that writes to databases beside ours, and rows by name from elsewhere", "",
		"create table els (id int primary key); create table {other}.els (id int primary key)",
		"use {other}; insert into {db}.els values (1); insert into els values (5); begin; insert into els values (6); insert into {db}.els values (2); update els join {db}.els x on x.id = 2 set els.id = 77, x.id = 3 where els.id = 5; commit; alter table {db}.els add column v int; insert into {db}.els values (9, 9); truncate els; truncate {db}.els; insert into {db}.els values (1, 1)"},
}
