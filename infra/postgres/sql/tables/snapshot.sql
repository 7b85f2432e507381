-- Snapshots of the eventsourcing library: a cache beside the log, no part of the record.
create table qingling.snapshot (
    stream text collate "C" not null,
    version integer not null,
    type text collate "C" not null,
    state bytea not null,
    constraint snapshot_pkey primary key (stream, version)
);
