-- One row for every subject ever sealed for. The row of an erased subject stays, without its key, and so tells an erasure from
-- a loss and keeps the subject from being given a new key.
create table vault.subject_key (
    subject text collate "C" not null,
    wrapped bytea,
    kek integer not null,
    created_at timestamptz not null default clock_timestamp(),
    destroyed_at timestamptz,
    constraint subject_key_pkey primary key (subject),
    constraint subject_key_destroyed_check check ((wrapped is null) = (destroyed_at is not null))
);

-- What a sealed field in an event is the digest of. Rows are never changed; they go with their subject.
