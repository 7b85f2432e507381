-- What makes a command repeatable: the keyed digest of the request and where its events stand. Written with them, never changed.
create table qingling.command (
    actor text collate "C" not null,
    key text collate "C" not null,
    digest bytea not null,
    positions bigint[] not null,
    constraint command_pkey primary key (actor, key)
);
