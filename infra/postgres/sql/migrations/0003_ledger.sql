-- Which ledgers there are, how far each was folded, and whether it folds. The tables that hold their rows are made at run time.

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
    constraint generation_pkey primary key (id),
    constraint generation_ledger_number_key unique (ledger, number),
    constraint generation_state_check check (state in ('building', 'live', 'retired'))
);

create unique index generation_one_live on ledger.generation (ledger) where state = 'live';
create unique index generation_one_building on ledger.generation (ledger) where state = 'building';

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

-- Whether a ledger folds, and why not. Written by the engine, and by whoever pauses or resumes; no row: it runs.
create table ledger.condition (
    ledger text collate "C" not null,
    state text not null,
    reason text not null,
    cause text collate "C" not null,
    position bigint not null,
    changed_at timestamptz not null default clock_timestamp(),
    constraint condition_pkey primary key (ledger),
    constraint condition_state_check check (state in ('paused', 'stopped', 'outdated'))
);

grant select, insert, update, delete on ledger.generation, ledger.progress, ledger.condition to qingling_projector;
grant select on ledger.generation, ledger.progress, ledger.condition to qingling_writer, qingling_reader;
