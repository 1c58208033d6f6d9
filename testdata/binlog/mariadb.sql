-- What only MariaDB is asked, after common.sql.
create table addresses (id int primary key, a uuid, b inet4, c inet6, d json)
insert into addresses values (1, 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '192.168.1.0', '2001:db8::ff00:42:8329', '{"a": [1.0]}'), (2, '6ba7b810-9dad-11d1-80b4-00c04fd43000', '0.0.0.0', '::ffff:192.0.2.128', null)
create table small (id int primary key, a text compressed, b varchar(500) compressed character set latin1, c varbinary(500) compressed)
insert into small values (1, repeat('é', 200), repeat('é', 200), repeat(x'00', 200)), (2, 'x', '', x'00')
set column_compression_zlib_wrap = 1
insert into small values (3, repeat('é', 200), repeat('é', 200), repeat(x'00', 200))
create table computed (id int primary key, v int generated always as (id + 1) virtual, s int generated always as (id + 2) stored, h int invisible default 9, u text, unique (u))
insert into computed (id, u) values (1, 'u')
update computed set h = 8
delete from computed
set global log_bin_compress = 1
set global log_bin_compress_min_len = 10
insert into wide (id, c) values (1, repeat('a', 100000)), (2, 'b')
update wide set c = repeat('c', 100) where id = 1
delete from wide
set global log_bin_compress = 0
