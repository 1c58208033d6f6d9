package e2e

import (
	"fmt"
	"strings"
)

// othersTables are statements that make, rename, take apart and drop tables.
var othersTables = []othersCase{
	{"Maxwell test_create_like, Debezium DBZ-104 and CreateTableLike: a table like another", "",
		"create table tpl (id int auto_increment primary key, name varchar(20) not null, at datetime default current_timestamp); insert into tpl (name) values ('a'), ('b'); create table {other}.tpl (id int primary key, e enum('x', 'y')); insert into {other}.tpl values (1, 'y')",
		"create table lk1 like tpl; insert into lk1 select * from tpl; create table if not exists lk2 like {other}.tpl; insert into lk2 select * from {other}.tpl; use {other}; create table {db}.lk3 like tpl; insert into {db}.lk3 values (5, 'x')"},
	{"Maxwell test_create_select: a table from a SELECT", "",
		"create table src (id int primary key, v varchar(10)); insert into src values (1, 'a'), (2, 'b')",
		"create table cs1 as select * from src; create table cs2 (primary key (id)) select id, upper(v) v from src; create table if not exists cs2 select 5 as id, 'q' as v; insert into cs2 values (3, 'c'); create table cs3 (id int primary key, x int default 4) ignore select 1 as id union select 2; update cs3 set x = 5"},
	{"gh-ost, pt-online-schema-change: a table is made anew beside the old one and takes its name", "",
		"create table gho (id int primary key, v int); insert into gho values (1, 1), (2, 2), (3, 3)",
		"create table _gho_new like gho; alter table _gho_new add column w int; create trigger gho_i after insert on gho for each row replace into _gho_new (id, v) values (new.id, new.v); insert into gho values (4, 4); insert ignore into _gho_new (id, v) select id, v from gho lock in share mode; rename table gho to _gho_old, _gho_new to gho; drop trigger if exists gho_i; drop table if exists _gho_old; insert into gho values (5, 5, 5); update gho set w = 1 where id < 3"},
	{"Canal: RENAME in a chain, back and forth, by ALTER", "",
		"create table rn1 (id int primary key); create table rn2 (id int primary key); insert into rn1 values (1); insert into rn2 values (2)",
		"rename table rn1 to rnx, rn2 to rn1, rnx to rn2; insert into rn1 values (21); insert into rn2 values (11); alter table rn1 rename to rn3, add v int; insert into rn3 values (22, 1); alter table rn3 rename as rn4; alter table rn4 rename rn1; insert into rn1 values (23, 3); rename table rn2 to {other}.rn2; insert into {other}.rn2 values (7); rename table {other}.rn2 to rn2; insert into rn2 values (12)"},
	{"DM: DROP and CREATE, of several at once, of none, with other columns", "",
		"create table dr1 (id int primary key); create table dr2 (id int primary key, v int); insert into dr1 values (1); insert into dr2 values (1, 1)",
		"drop table if exists dr1, dr2, dr_none; create table dr2 (id int primary key, v int, w varchar(5)); insert into dr2 values (5, 5, 'w'); drop table dr2; create table dr2 (id int primary key, v int); insert into dr2 values (6, 6)"},
	{"Maxwell mysql-test-partition: partitions come, go, are taken apart and emptied", "",
		"create table prt (id int, y int, v int, primary key (id, y)) partition by range (y) subpartition by hash (id) subpartitions 2 (partition p0 values less than (10), partition p1 values less than (20), partition `p 2` values less than maxvalue); insert into prt values (1, 1, 1), (2, 11, 1), (3, 21, 1);" +
			"create table prh (id int primary key, v int) partition by key () partitions 3; insert into prh values (1, 1), (2, 2), (3, 3)",
		"update prt set y = 12 where id = 1; alter table prt reorganize partition `p 2` into (partition p2 values less than (30), partition p3 values less than maxvalue); insert into prt values (4, 31, 1); alter table prt truncate partition p2; alter table prt drop partition p3; insert into prt values (5, 25, 1); alter table prt add partition (partition p4 values less than (100)); insert into prt values (6, 50, 6); alter table prt rebuild partition p0, p1; alter table prt analyze partition all;" +
			"alter table prh coalesce partition 1; insert into prh values (4, 4); alter table prh add partition partitions 2; update prh set id = 10 where id = 1; alter table prh remove partitioning; insert into prh values (5, 5); alter table prh partition by hash (id) partitions 2; delete from prh where id = 2"},
	{"MariaDB: partitions that become tables, and the other way round", "mariadb",
		"create table cvt (id int primary key) partition by range (id) (partition p0 values less than (10), partition p1 values less than (20), partition p2 values less than (30)); insert into cvt values (1), (11), (21)",
		"alter table cvt convert partition p1 to table cv1; insert into cv1 values (12); insert into cvt values (2); create table cv2 (id int primary key); insert into cv2 values (35); alter table cvt convert table cv2 to partition p3 values less than (40); insert into cvt values (36)"},
	{"Tungsten: engines without transactions, and an INSERT that fails half way", "",
		"create table mim (id int primary key, v int) engine = myisam; create table mem (id int primary key) engine = memory; insert into mim values (1, 1); insert into mem values (1)",
		"insert ignore into mim values (2, 2), (1, 9), (3, 3); update mim set id = 8 where id = 1; delete from mim where id = 2; truncate mim; insert into mim values (4, 4); insert into mem values (2), (3); delete from mem where id = 1"},
	{"Tungsten: ARCHIVE and CSV", "mysql", "create table arc (id int auto_increment primary key, v text) engine = archive; insert into arc (v) values ('a'); create table csv (id int not null, v varchar(20) not null) engine = csv; insert into csv values (1, 'a,\"b\"')", "insert into arc (v) values ('b'), ('c'); insert into csv values (2, 'c\\nd'); update csv set v = 'e' where id = 1"},
	{"MariaDB: Aria, a sequence and what takes numbers from it", "mariadb",
		"create table ari (id int primary key) engine = aria; insert into ari values (1); create sequence sq start with 5 increment by 3; create table sqt (id int primary key default (next value for sq), v int)",
		"insert into ari values (2); insert into sqt (v) values (1), (2); select next value for sq; alter sequence sq restart 100; select setval(sq, 200); insert into sqt (v) values (3); create or replace sequence sq2; drop sequence sq2; create or replace table ari (id int primary key, v int) engine = aria; insert into ari values (7, 7)"},
	{"MariaDB: statements that wait, for tables that may be there", "mariadb",
		"create table wai (id int primary key, v int); insert into wai values (1, 1)",
		"alter table if exists wai wait 60 add column if not exists w int, drop column if exists zz; create index if not exists i on wai (v) wait 60; drop index if exists i on wai wait 60; alter online table wai wait 60 comment 'x'; truncate table wai wait 60; insert into wai values (2, 2, 2); rename table if exists none to none2, wai wait 60 to wai2; insert into wai2 values (3, 3, 3); drop table if exists none wait 60; create or replace table wai3 like wai2; insert into wai3 values (1, 1, 1)"},
	{"MariaDB: row images without what is there twice", "mariadb118", "create table dup (id int primary key, a varchar(20), b text, c int); insert into dup values (1, 'a', 'b', 1), (2, 'a', 'b', 2)", "set binlog_row_image = full_nodup; update dup set c = 5 where id = 1; delete from dup where id = 2"},
	{"go-mysql: a view, and rows that go through it", "",
		"create table vwt (id int primary key, v int); create view vw as select id, v from vwt where v > 0 with check option; insert into vwt values (1, 1)",
		"insert into vw values (2, 2); update vw set v = 9 where id = 1; delete from vw where id = 2; alter view vw as select id from vwt; create or replace algorithm = merge sql security invoker view vw as select * from vwt; drop view vw"},
	{"MySQL: a JSON duality view", "mysql", "create table dua (id int primary key, v varchar(10)); insert into dua values (1, 'a')",
		"create or replace json relational duality view dv as select json_duality_object(with (insert, update, delete) '_id': id, 'v': v) from dua; insert into dv values ('{\"_id\": 2, \"v\": \"b\"}'); drop view dv"},
}

// othersNoise is what the log is full of and no row.
var othersNoise = []othersCase{
	{"Debezium DBZ-162, 198, 437, Maxwell ddl corpora: statements that no parser likes", "",
		"create table nse (id int primary key); insert into nse values (1)",
		"create function nse_f(p double) returns varchar(10) deterministic\nbegin\n declare lvl varchar(10); -- it's\n if p > 5 then set lvl = 'PLATINUM'; /* ' */ end if; # \"\n return (lvl);\nend; create procedure nse_p() begin if false then truncate nse; drop table nse; end if; end;" +
			"create event nse_e on schedule every 1 year do begin delete from nse where id = 77; end; alter event nse_e disable; drop event nse_e; drop function nse_f; drop procedure if exists nse_p;" +
			"create user if not exists 'h{db}'@'%' identified by 'it''s`\"'; grant select, insert (id) on {db}.nse to 'h{db}'@'%'; revoke insert (id) on {db}.nse from 'h{db}'@'%'; drop user 'h{db}'@'%'; create role 'r{db}'; drop role 'r{db}'; flush privileges; flush binary logs; flush logs;" +
			"/*!50001 create table `nse 2` (`a``b` int comment 'select (' primary key, `c'd` int default '5', check (`a``b` <> 7)) */; insert into `nse 2` values (1, 1); /*!99999 drop table nse, */ do 1; create database {db}_x character set latin1; alter database {db}_x collate latin1_bin; drop database if exists {db}_x; insert into nse values (2)"},
	{"Maxwell: no database selected, and the name of a database in front", "",
		"create table sel (id int primary key); insert into sel values (1)",
		"create database {db}_y; use {db}_y; drop database {db}_y; truncate table {db}.sel; insert into `{db}`.`sel` values (2); alter table {db} . `sel` add v int; insert into {db}.sel values (3, 3)"},
	{"Debezium: comments and letters of every kind in DDL", "",
		"create table cmt (id int primary key, v varchar(20) comment 'Größe; -- \"日本\" 😀'); insert into cmt values (1, 'ä')",
		"-- a comment\n/* drop table cmt; */ alter /* x */ table\n\t`cmt` add column `größe 日本` int comment '😀''s', comment = 'it''s; \\\\' ; insert into cmt values (2, 'b', 2); /*! alter table cmt add column w int */; update cmt set w = 4 where id = 1"},
	{"Vitess: many columns, a name of 64 letters, a NULL in each", "",
		"create table wde (id int primary key, " + manyColumns + "); insert into wde (id, c1, c64, c65, c300) values (1, 1, 2, 3, 4)",
		"insert into wde (id, c7, c8, c9, c299) values (2, 1, 2, 3, 4); update wde set c300 = null, c128 = 5 where id = 1; delete from wde where id = 2; create table n234567890123456789012345678901234567890123456789012345678901234 (c234567890123456789012345678901234567890123456789012345678901234 int primary key); insert into n234567890123456789012345678901234567890123456789012345678901234 values (1)"},
}

var manyColumns = func() string {
	var b strings.Builder
	for i := 1; i <= 300; i++ {
		fmt.Fprintf(&b, "c%d int, ", i)
	}
	return strings.TrimSuffix(b.String(), ", ")
}()
