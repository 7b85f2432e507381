-- Whether a ledger folds, in all of the log (part -1) or in one part of it, and why not. Written by the engine, and by whoever pauses or
-- resumes; no row: it runs.
create table ledger.condition (
    ledger text collate "C" not null,
    state text not null,
    reason text not null,
    cause text collate "C" not null,
    position bigint not null,
    changed_at timestamptz not null default clock_timestamp(),
    part smallint not null default -1,
    constraint condition_pkey primary key (ledger, part),
    constraint condition_state_check check (state in ('paused', 'stopped', 'outdated'))
);
