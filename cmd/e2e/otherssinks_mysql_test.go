package e2e

import (
	"testing"
)

// myTargets are tables at a MySQL or MariaDB target as its users make them, of a PostgreSQL source; both ends are equal in the end.
var myTargets = []pgCase{
	{name: "SeaTunnel, TiCDC: columns that hold more, in another order, with defaults, comments and more of them",
		before: "create table m01 (id smallint primary key, i int, v varchar(5), n numeric(5, 2), d date); insert into m01 values (1, 1, 'a', 1.50, '2024-01-01')",
		ready:  "create table m01 (seen timestamp default current_timestamp on update current_timestamp, d date comment 'day', n decimal(5, 2), v varchar(200) not null default 'd', i bigint default 7, extra int not null default 9, id decimal(20, 0), up varchar(200) as (upper(v)) stored, primary key (id)) default charset utf8mb4 collate utf8mb4_general_ci",
		after:  "insert into m01 values (2, -1, '', -0.01, null);; update m01 set v = 'é' where id = 1;; update m01 set id = 3, i = null where id = 2"},
	{name: "TiCDC clustered_index, Vitess: a unique index in another order, NULLs beside it",
		before: "create table m02 (a int, b text, c int, primary key (a, b)); insert into m02 values (1, 'x', 1), (2, '', null)",
		ready:  "create table m02 (c int, b varchar(100) character set utf8mb4 collate /*!80000 utf8mb4_0900_bin */ /*M! utf8mb4_nopad_bin */ not null, a int not null, unique key (b, a), key (c))",
		after:  "update m02 set c = 5;; update m02 set b = 'X' where a = 1;; insert into m02 values (1, 'x', 9);; delete from m02 where b = ''"},
	{name: "Debezium JdbcSinkToMySQL: triggers that stamp and log",
		before: "create table m03 (id int primary key, v text); insert into m03 values (1, 'a'), (2, 'b')",
		ready:  "create table m03 (id int primary key, v longtext, stamp datetime(6)); create table m03_log (what varchar(10), n int); create trigger m03_a before insert on m03 for each row set new.stamp = now(6); create trigger m03_b after update on m03 for each row insert into m03_log values ('u', new.id); create trigger m03_c after delete on m03 for each row insert into m03_log values ('d', old.id)",
		after:  "insert into m03 values (3, 'c');; update m03 set v = 'x';; delete from m03 where id = 1;; update m03 set id = 20 where id = 2"},
	{name: "Maxwell, TiDB partition_table: a partitioned target",
		before: "create table m04 (id int primary key, v text); insert into m04 values (1, 'a'), (15, 'b')",
		ready:  "create table m04 (id int primary key, v longtext) partition by range (id) (partition p0 values less than (10), partition p1 values less than maxvalue)",
		after:  "update m04 set id = 3 where id = 15;; update m04 set v = 'x';; insert into m04 values (99, 'n');; delete from m04 where id = 1;; truncate m04;; insert into m04 values (5, 'y')"},
	{name: "RisingWave 12026: every key of 5,000 rows moves, to where another one was",
		before: "create table m05 (id int primary key, v int); insert into m05 select i, i from generate_series(1, 5000) i",
		after:  "begin; update m05 set id = id + 20000; update m05 set id = id - 19999; commit;; update m05 set v = v + 1;; begin; delete from m05 where id % 2 = 0; insert into m05 select i, -i from generate_series(2, 5000, 2) i; commit"},
	{name: "TiCDC hot row: one row changes 3,000 times in one transaction",
		before: "create table m06 (id int primary key, v int); insert into m06 values (1, 0), (2, 0)",
		after:  "do $$ begin for i in 1..3000 loop update m06 set v = v + 1 where id = 1; end loop; end $$;; do $$ begin for i in 1..500 loop delete from m06 where id = 2; insert into m06 values (2, i); end loop; end $$"},
	{name: "Debezium JdbcSinkInsertMode: tables of nothing but a key", before: "create table m07 (id int primary key); create table m07b (a varchar(10), b int, primary key (b, a)); insert into m07 values (1), (2); insert into m07b values ('', 1), ('x', 2)",
		after: "update m07 set id = 10 where id = 1;; delete from m07 where id = 2;; insert into m07 values (2);; update m07b set a = 'y';; begin; delete from m07b; insert into m07b values ('y', 1); commit"},
	{name: "Airbyte, Debezium: numbers that aren't exact, as a key and without one",
		before: "create table m08 (f real, d float8, v text, primary key (f, d)); create table m08b (f real, d float8, v text); alter table m08b replica identity full; insert into m08 values (0.1, 0.1, 'a'), (2.2, 1e308, 'b'), (1024, -0.5, 'c'); insert into m08b select * from m08",
		after:  "update m08 set v = 'x';; update m08 set f = 3.3 where v = 'x' and d < 1 and f < 1;; delete from m08 where d = 1e308;; update m08b set v = v || 'y';; delete from m08b where f < 1"},
}

// TestOthersTargetsMySQL: the same at targets of another engine.
func TestOthersTargetsMySQL(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ target, stream, when string }{{"mysql97", "direct", "behind"}, {"mariadb118", "direct", "running"}, {"mysql97", "kafka", "running"}, {"mariadb10", "direct", "behind"}} {
		t.Run(c.target+"/"+c.stream, func(t *testing.T) {
			t.Parallel()
			r := pgRig(t, "pg18", c.target, c.stream)
			r.pgOthers(t, c.when, myTargets)
		})
	}
}
