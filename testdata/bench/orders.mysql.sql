-- The table of orders.sql in MySQL's types, and the same backlog: call load_orders(1, 10000) writes a million rows, from number 1 on.
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
create procedure load_orders(start bigint, transactions int)
begin
    declare t int default 0;
    while t < transactions do
        start transaction;
        insert into orders (id, customer_id, status, amount, note)
        with recursive g (n) as (select start + t * 100 union all select n + 1 from g where n < start + t * 100 + 99)
        select n, n % 5000, 'new', (n % 10000) / 100.0, concat('note for order number ', n) from g;
        commit;
        set t = t + 1;
    end while;
end//
delimiter ;
