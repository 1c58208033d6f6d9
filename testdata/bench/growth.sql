-- Rows in transactions of `size`, tables t0 to t{tables-1} one after the other: expressions are of n, the row's number.
create procedure load_growth(start bigint, transactions int, size int, tables int, columns text, expressions text) language plpgsql as $$
declare
    first bigint;
begin
    for t in 0 .. transactions - 1 loop
        first := start + t::bigint * size;
        execute format('insert into t%s (%s) select %s from generate_series(%s::bigint, %s::bigint) as n', t % tables, columns, expressions, first, first + size - 1);
        commit;
    end loop;
end $$;

-- MySQL's function of that name.
create function sha2(words text, bits int) returns text language sql immutable as $$ select encode(sha256(convert_to(words, 'UTF8')), 'hex') $$;
