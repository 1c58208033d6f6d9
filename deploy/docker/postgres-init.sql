-- Runs once, when the server's volume is empty: the source with a table, and an empty target.
create database shop;
create database warehouse;
\connect shop
create table orders (
  id bigint generated always as identity primary key,
  customer text not null,
  amount numeric(12, 2) not null,
  placed timestamptz not null default now()
);
insert into orders (customer, amount) values ('grace', 12.00), ('edsger', 7.25);
