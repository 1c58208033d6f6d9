-- What TestRecord of connectors/postgres/internal/pgoutput runs before it records pg15.bin and pg18.bin.
create type mood as enum ('sad', 'ok');
create table a (id int primary key, v text, m mood, n numeric(10, 2), b bytea, j jsonb);
create table f (id int, v text);
alter table f replica identity full;
insert into a values (1, 'x', 'ok', 1.5, '\x00ff', '{"a": 1}'), (2, null, null, null, null, null);
update a set v = 'y' where id = 1;
update a set id = 3 where id = 1;
update a set v = (select string_agg(md5(i::text), '') from generate_series(1, 400) i) where id = 2;
update a set m = 'sad' where id = 2;
delete from a where id = 3;
insert into f values (1, 'x');
update f set v = 'ü';
delete from f;
select pg_logical_emit_message(true, 'prefix', 'content');
truncate a, f;
