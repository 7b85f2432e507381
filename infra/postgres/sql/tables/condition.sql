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
