package e2e

// pgStatements are the forms in which a statement changes rows.
var pgStatements = []pgCase{
	{name: "PostgreSQL 001_rep_changes, pglogical basic: keys that all change, duplicates of a table without a key",
		before: "create table rep (a int primary key); insert into rep select generate_series(1, 50); create table ful (a int, t text, n numeric); alter table ful replica identity full; insert into ful select i % 5, null, (i % 2)::numeric(4, 2) from generate_series(1, 20) i",
		after:  "delete from rep where a > 20;; update rep set a = -a;; insert into ful select i % 5, 'x', 1.0 from generate_series(1, 20) i;; update ful set a = a * a where t is null;; delete from ful where a = 4 and t = 'x';; update ful set n = 1.000 where n = 1;; insert into ful values (null, null, null), (null, null, null);; delete from ful where ctid = (select min(ctid) from ful where a is null)"},
	{name: "Debezium DBZ-5295, pgcopydb: MERGE, ON CONFLICT, statements within statements, UPDATE FROM, DELETE USING",
		before: "create table mrg (id int primary key, v text); insert into mrg values (1, 'a'), (2, 'b'), (3, 'c'); create table mrg2 (id int primary key, m int, v text)",
		after: "merge into mrg using (values (1, 'm'), (9, 'n'), (3, null)) s (id, v) on mrg.id = s.id when matched and s.v is null then delete when matched then update set v = s.v when not matched then insert values (s.id, s.v);;" +
			"insert into mrg values (1, 'x'), (10, 'y') on conflict (id) do update set v = excluded.v || mrg.v, id = mrg.id + 100;; insert into mrg values (2, 'no') on conflict do nothing;;" +
			"with w as (insert into mrg values (20, 'w'), (21, 'w') returning id), u as (update mrg set v = 'u' where id = 2 returning id), d as (delete from mrg where id = 9 returning id) insert into mrg2 select id, id, 'cte' from w union all select id, id, 'u' from u union all select id, id, 'd' from d;;" +
			"update mrg set v = mrg2.v || '!' from mrg2 where mrg2.m = mrg.id;; delete from mrg2 using mrg where mrg.id = mrg2.m and mrg.id > 20"},
	{name: "PostgreSQL 003_constraints, pglogical foreign_key: keys that cascade, set NULL, set a default, and point at their own table",
		before: "create table fka (id int primary key); create table fkb (id int primary key, a int references fka on delete cascade on update cascade, b int default 1 references fka on delete set default, c int references fka on delete set null); create table fks (id int primary key, up int references fks on delete cascade);" +
			"insert into fka values (1), (2), (3), (4); insert into fkb values (10, 2, 3, 4), (11, 3, 2, 2), (12, 4, 4, null); insert into fks values (1, null), (2, 1), (3, 2), (4, null)",
		after: "delete from fka where id = 2;; update fka set id = 33 where id = 3;; delete from fka where id = 4;; delete from fks where id = 1;; begin; set constraints all deferred; insert into fka values (5); insert into fkb values (13, 5, 5, 5); commit"},
	{name: "pglogical triggers: triggers that change the row and write elsewhere, rules, a view that takes rows",
		before: "create table trg (id int primary key, v int); create table aud (n int generated always as identity primary key, what text); create table rul (id int primary key, v text); create view vw as select id, v from rul where v <> 'hidden' with check option;" +
			"create function trg_f() returns trigger language plpgsql as $$ begin if tg_op = 'INSERT' then new.v := new.v * 2; return new; end if; insert into aud (what) values (tg_op || old.id); return coalesce(new, old); end $$;" +
			"create trigger a before insert or update or delete on trg for each row execute function trg_f(); create rule r as on delete to rul do also insert into aud (what) values ('rule'); create rule i as on insert to rul where new.id < 0 do instead nothing",
		after: "insert into trg values (1, 1), (2, 2);; update trg set v = v + 1;; delete from trg where id = 2;; insert into vw values (1, 'a'), (-5, 'b'), (2, 'c');; update vw set v = 'd' where id = 1;; delete from vw where id = 2;; create or replace view vw as select id, v, 1 as one from rul;; drop view vw"},
	{name: "wal2json savepoint, PostgreSQL 016 and 018: subtransactions, exceptions, what is rolled back",
		before: "create table sav (id int primary key, v text)",
		after: "begin; insert into sav values (1); savepoint a; insert into sav values (2); savepoint b; update sav set v = 'x'; rollback to a; insert into sav values (3); release a; commit;; begin; insert into sav values (4); rollback;;" +
			"do $$ begin for i in 10 .. 40 loop begin insert into sav values (i, 'p'); if i % 3 = 0 then raise exception 'no'; end if; exception when others then update sav set v = 'e' where id = i - 1; end; end loop; end $$;;" +
			"begin; insert into sav select i, repeat('s', 200) from generate_series(1000, 4000) i; savepoint s; delete from sav where id >= 2000; rollback to s; savepoint s2; update sav set v = 'z' where id between 1000 and 1100; release s2; commit"},
	{name: "Debezium, Airbyte: one key often in one transaction",
		before: "create table onc (id int primary key, v int, w text); insert into onc values (1, 1), (2, 2), (3, 3)",
		after: "begin; delete from onc where id = 1; insert into onc values (1, 10); update onc set v = 11 where id = 1; delete from onc where id = 2; insert into onc values (5, 5); delete from onc where id = 5; update onc set id = 30 where id = 3; update onc set id = 3 where id = 30; insert into onc values (6); update onc set id = 7 where id = 6; update onc set id = 6 where id = 7; commit;;" +
			"begin; update onc set id = -id; update onc set id = id + 100; commit;; begin; truncate onc; insert into onc values (1, 1); truncate onc; insert into onc values (2, 2); commit"},
	{name: "PostgreSQL 010_truncate: several tables, CASCADE, identities, in a transaction, and back",
		before: "create table tra (id int generated by default as identity primary key, v text); create table trb (id int primary key, a int references tra); create table trc (id int primary key); insert into tra (v) values ('a'), ('b'); insert into trb values (1, 1), (2, 2); insert into trc values (1), (2)",
		after:  "truncate tra, trb restart identity; insert into tra (v) values ('c'); insert into trb values (9, 1);; truncate tra cascade;; insert into tra (v) values ('d');; begin; truncate trc; rollback;; begin; truncate only trc; insert into trc values (5); savepoint s; truncate trc; rollback to s; commit"},
	{name: "PostgreSQL 100_bugs, 009_matviews, pgcopydb cdc-matview: temporary, unlogged and passing tables, views that keep rows, sequences",
		before: "create table src (id int primary key, v text); insert into src values (1, 'a'); create materialized view mat as select * from src; create sequence seq; create unlogged table unl (id int)",
		after: "create temporary table tt1 as select 1 as a; update tt1 set a = 2; create temporary table src (id int, x int); insert into src values (7, 7); drop table src; drop table tt1;; insert into unl values (1); update unl set id = 2;; insert into src values (2, 'b');; refresh materialized view mat;; select nextval('seq'), setval('seq', 100);;" +
			"begin; create table gone (id int primary key); insert into gone values (1); drop table gone; commit;; create table ctas as select * from src;; select * into slct from src;; create table lke (like src including all); insert into lke select * from src;; alter materialized view mat rename to mat2; drop materialized view mat2"},
	{name: "pgcopydb cdc-test-decoding: nothing but a key, what changes nothing, quotes, 17 digits",
		before: `create table apk (a int, b int, primary key (a, b)); create table nop (id int primary key, v text, f float8, q varchar(40)); alter table nop replica identity full; insert into apk values (1, 2), (3, 4); insert into nop values (1, 'hello', -216237.00000035969, 'It''s'), (2, 'x', 14.949999999999999, E'trailing''')`,
		after:  `update apk set a = 1 where a = 1;; update apk set b = 5 where a = 3;; insert into apk values (7, 7);; delete from apk where a = 1;; update nop set v = 'hello' where id = 1;; update nop set f = 3.141592653589793, q = E'\\''"\n\t' where id = 2;; update nop set id = id`},
	{name: "Debezium DBZ-842, DBZ-911, DBZ-7193, pgcopydb 710: values that stand outside of the row and don't change",
		before: "create table tst (id int primary key, n int, t text, b bytea, j jsonb, a text[], e text); alter table tst alter e set storage external; insert into tst select i, i, string_agg(md5((g * i)::text), ''), decode(string_agg(md5((g + i)::text), ''), 'hex'), jsonb_build_object('k', string_agg(md5(g::text), '')), array[string_agg(md5(g::text), ',')], repeat('e', 9000) from generate_series(1, 3) i, generate_series(1, 300) g group by i;" +
			"create table tsf (like tst including all); alter table tsf replica identity full; insert into tsf select * from tst; create table tsn (n int, t text); alter table tsn replica identity full; insert into tsn select n, t from tst;",
		after: "update tst set n = 10 where id = 1;; update tst set t = 'short' where id = 2;; update tst set b = b || 'x', n = null where id = 3;; update tst set j = null, a = a || array['more'] where id = 1;; alter table tst add column late int;; update tst set late = 5 where id = 1;; alter table tst drop column e;; update tst set late = 6;;" +
			"update tsf set n = 10;; update tsf set id = id + 10;; alter table tsf drop column b;; update tsf set n = 11;; update tsn set n = n + 1;; delete from tsn where n = 3"},
	{name: "Debezium LogicalDecodingMessageIT, Flink PostgresLogicalMessageE2ETest: messages among rows",
		before: "create table msg (id int primary key)",
		after:  "begin; select pg_logical_emit_message(true, 'p', repeat('m', 100000)); insert into msg values (1); select pg_logical_emit_message(false, 'q', '\\x00ff'::bytea); insert into msg values (2); select pg_logical_emit_message(true, '', ''); commit;; select pg_logical_emit_message(true, 'alone', 'x');; begin; select pg_logical_emit_message(false, 'x', 'y'); insert into msg values (3); rollback"},
	{name: "pglogical huge_tx_many_tables: many tables in one transaction",
		before: "do $$ begin for i in 1 .. 25 loop execute format('create table many%s (id int primary key, v text)', i); execute format('insert into many%s values (1, ''a'')', i); end loop; end $$",
		after:  "do $$ begin for j in 1 .. 3 loop for i in 1 .. 25 loop execute format('insert into many%s values (%s, ''b'')', i, j + 1); execute format('update many%s set v = v || ''c''', i); end loop; end loop; end $$"},
	{name: "PostgreSQL 004_sync, Debezium: COPY, COPY FREEZE",
		before: "create table cpy (id int primary key, v text)",
		after:  `copy cpy from program 'printf "1\tone\n2\t\\N\n3\t\n"';; begin; create table frz (id int primary key, v text); copy frz from program 'printf "1\tone\n2\ttwo\n"' with (freeze); insert into frz values (3); commit;; begin; truncate cpy; copy cpy from program 'printf "7\tx\n"' with (freeze); commit`},
	{name: "Sequin, PeerDB Test_Composite_PKey: identity columns, serial, what sets their numbers",
		before: "create table idn (id int generated always as identity primary key, c1 int generated by default as identity, s serial, t text); insert into idn (t) values ('a'), ('b')",
		after:  "insert into idn overriding system value values (100, 7, 7, 'c');; insert into idn (t) values ('d');; update idn set id = default where t = 'c';; update idn set c1 = c1 + 1;; alter table idn alter id set generated by default; insert into idn values (50, 1, 1, 'e');; alter table idn alter id drop identity; insert into idn values (51, 1, 1, 'f')"},
	{name: "MERGE and RETURNING of PostgreSQL 17 and 18", on: 18,
		before: "create table m18 (id int primary key, v text default uuidv7()::text); insert into m18 values (1), (2), (3)",
		after:  "merge into m18 using (values (1), (8)) s (id) on m18.id = s.id when matched then update set v = 'm' when not matched then insert (id) values (s.id) when not matched by source then delete returning merge_action(), old.v, new.v;; update m18 set v = 'w' returning old.*, new.*"},
}
