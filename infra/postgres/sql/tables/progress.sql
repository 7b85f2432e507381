-- Up to where a generation was folded, for each part of its feed (-1: the feed is whole). Changes in the transaction that changes rows.
create table ledger.progress (
    generation bigint not null,
    part smallint not null,
    position bigint not null,
    head bigint not null,
    confirmed_at timestamptz not null default clock_timestamp(),
    constraint progress_pkey primary key (generation, part),
    constraint progress_generation_fkey foreign key (generation) references ledger.generation on delete cascade
) with (fillfactor = 50);
