-- The table of orders.sql in MySQL's types, and the same backlog: call load_orders(10000) writes a million rows.
create table orders (
    id          bigint         not null primary key,
    customer_id bigint         not null,
    status      varchar(20)    not null,
    amount      decimal(12, 2) not null,
    note        text,
    created_at  timestamp(6)   not null default now(6),
    updated_at  timestamp(6)   not null default now(6)
);

delimiter //
create procedure load_orders(transactions int)
begin
    declare t int default 0;
    while t < transactions do
        start transaction;
        insert into orders (id, customer_id, status, amount, note)
        with recursive g (n) as (select t * 100 + 1 union all select n + 1 from g where n < t * 100 + 100)
        select n, n % 5000, 'new', (n % 10000) / 100.0, concat('note for order number ', n) from g;
        commit;
        set t = t + 1;
    end while;
end//
delimiter ;
