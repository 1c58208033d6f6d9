-- One table of seven columns, and a backlog in transactions of 100 rows: call load_orders(1, 10000) writes a million, from number 1 on.
create table orders (
    id          bigint primary key,
    customer_id bigint         not null,
    status      text           not null,
    amount      numeric(12, 2) not null,
    note        text,
    created_at  timestamptz    not null default now(),
    updated_at  timestamptz    not null default now()
) with (autovacuum_enabled = false); -- whom it would meet would be chance

create procedure load_orders(start bigint, transactions int) language plpgsql as $$
declare
    first bigint;
begin
    for t in 0 .. transactions - 1 loop
        first := start - 1 + t * 100;
        insert into orders (id, customer_id, status, amount, note)
        select n, n % 5000, 'new', (n % 10000) / 100.0, 'note for order number ' || n
        from generate_series(first + 1, first + 100) as n;
        commit;
    end loop;
end $$;
