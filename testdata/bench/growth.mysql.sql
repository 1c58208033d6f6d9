-- The procedure of growth.sql.
delimiter //
create procedure load_growth(start bigint, transactions int, size int, tables int, columns mediumtext, expressions mediumtext)
begin
    declare t int default 0;
    while t < transactions do
        set @load = concat('insert into t', t % tables, ' (', columns, ') with recursive g (n) as (select ', start + t * size,
            ' union all select n + 1 from g where n < ', start + t * size + size - 1, ') select ', expressions, ' from g');
        prepare load_one from @load;
        execute load_one;
        set t = t + 1;
    end while;
    deallocate prepare load_one;
end//
delimiter ;
