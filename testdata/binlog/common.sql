-- What every server is asked. Each line is a statement.
set sql_mode = 'ALLOW_INVALID_DATES'
create table wide (id bigint primary key, a int, b varchar(40) character set utf8mb4, c text character set utf8mb4, d decimal(10,2), e tinyint(1), f double, g datetime(6), h timestamp(3) null, i varbinary(16), j date, k time(2))
insert into wide values (1234567, 42, 'a short text', 'another one', 1234.50, 1, 0.125, '2024-05-06 07:08:09.123456', '2024-05-06 07:08:09.5', x'00ff00ff', '2024-05-06', '-12:34:56.78')
update wide set a = null, c = 'changed' where id = 1234567
delete from wide where id = 1234567
create table numbers (id int primary key, a tinyint unsigned, b smallint, c mediumint, d mediumint unsigned, e int unsigned, f bigint unsigned, g decimal(65,30), h float, i bit(9), j year, k double unsigned)
insert into numbers values (1, 255, -32768, -8388608, 16777215, 4294967295, 18446744073709551615, -99999999999999999999999999999999999.999999999999999999999999999999, 0.1, b'101010101', 2155, 1e300), (2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
create table words (id int primary key, a char(10) character set latin1, b varchar(10) character set gbk, c tinytext character set ucs2, d enum('x','y','ä') character set latin1, e set('a','b','c'), f binary(4), g longtext character set cp932, h char(255) character set utf8mb4)
insert into words values (1, 'café €', '中文', '日本', 'ä', 'a,c', x'0102', '日本～①', repeat('😀', 40)), (2, '', '', '', 0, '', '', '', ''), (3, null, null, null, null, null, null, null, null)
create table days (id int primary key, a date, b datetime(2), c timestamp(1) null, d time(6))
insert into days values (1, '0000-00-00', '2024-00-10 01:02:03.45', '0000-00-00 00:00:00', '-838:59:59'), (2, '2023-02-31', '1969-12-31 23:59:59.99', '1970-01-01 00:00:01.9', '-00:00:00.000001')
create table places (id int primary key, a point, b geometry)
insert into places values (1, ST_GeomFromText('POINT(1 2)'), ST_GeomFromText('LINESTRING(0 0,1 1)'))
create table parts (id int primary key, a int, unique (id, a)) partition by hash (id) partitions 4
insert into parts values (1, 1), (2, 2)
update parts set id = 7 where id = 1
delete from parts
create table plain (a int, b varchar(5))
insert into plain values (1, 'x'), (1, 'x'), (null, null)
delete from plain limit 1
create table images (id int primary key, a int, b text, c varchar(10) not null default 'x')
set binlog_row_image = minimal
insert into images (id, b) values (1, 'long')
update images set a = 5
delete from images
set binlog_row_image = noblob
insert into images (id, b) values (1, 'long')
update images set a = 6
delete from images
set binlog_row_image = full
