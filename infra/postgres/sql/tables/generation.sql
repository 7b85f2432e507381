-- A ledger is never repaired, only rebuilt: every rebuild is a new generation with tables of its own, beside the one that is read.
create table ledger.generation (
    id bigint not null generated always as identity,
    ledger text collate "C" not null,
    number integer not null,
    fold_version integer not null,
    layout text not null,
    state text not null,
    indexed boolean not null,
    segment_bits smallint not null,
    created_at timestamptz not null default clock_timestamp(),
    live_from timestamptz,
    retired_at timestamptz,
    failed text,
    constraint generation_pkey primary key (id),
    constraint generation_ledger_number_key unique (ledger, number),
    constraint generation_state_check check (state in ('building', 'live', 'retired'))
);

create unique index generation_one_live on ledger.generation (ledger) where state = 'live';
create unique index generation_one_building on ledger.generation (ledger) where state = 'building';
