-- The target's table for the latency run: each new row tells its note to whoever listens, at commit.
create table orders (
    id          bigint primary key,
    customer_id bigint         not null,
    status      text           not null,
    amount      numeric(12, 2) not null,
    note        text,
    created_at  timestamptz    not null,
    updated_at  timestamptz    not null
);
create function tell() returns trigger language plpgsql as $$ begin perform pg_notify('seen', new.note); return null; end $$;
create trigger tell after insert on orders for each row execute function tell();
