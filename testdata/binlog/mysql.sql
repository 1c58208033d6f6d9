-- What only MySQL is asked, after common.sql.
create table documents (id int primary key, a json, b vector(3))
insert into documents values (1, '{"b": [1, -0.0, 1e15, 1.5, true, null], "a": {"": "\\"x\\\\n"}}', string_to_vector('[1,2,3]')), (2, json_array(cast('12.340' as decimal(10,3)), cast('2024-01-02' as date), cast('12:34:56.7' as time(1)), cast(x'00ff' as binary)), null)
update documents set a = json_set(a, '$.c', repeat('x', 300)) where id = 1
create table computed (id int primary key, v int generated always as (id + 1) virtual, s int generated always as (id + 2) stored, h int invisible default 9)
insert into computed (id) values (1)
set binlog_transaction_compression = on
begin
insert into wide (id, c) values (1, repeat('a', 100000)), (2, 'b')
update wide set c = 'c' where id = 1
delete from wide where id = 2
commit
set binlog_transaction_compression = off
