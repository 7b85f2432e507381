-- The log. A row is written once; entry holds the canonical bytes, the other columns repeat what they say so that it can be found.
create table qingling.event (
    position bigint not null,
    stream text collate "C" not null,
    version integer not null,
    type text collate "C" not null,
    recorded_at timestamptz not null,
    partitionkey text collate "C" not null,
    entry bytea not null,
    constraint event_pkey primary key (position),
    constraint event_stream_version_key unique (stream, version),
    constraint event_position_check check (position >= 1),
    constraint event_version_check check (version >= 0)
) with (autovacuum_vacuum_insert_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.02);

-- Bytes as they are: compression would halve the speed of importing large entries, and sealed fields hardly compress.
alter table qingling.event alter entry set storage external;

-- A case and all that belongs to it, in the order of the log.
create index event_partitionkey_idx on qingling.event (partitionkey, position);
