-- How many subjects have been erased. Whoever keeps keys in memory compares it before he uses one.
create table vault.erasures (
    count bigint not null,
    only_row boolean not null default true,
    constraint erasures_pkey primary key (only_row),
    constraint erasures_only_row_check check (only_row)
);
insert into vault.erasures (count) values (0);
