-- The append lock: whoever holds it is the only one that appends, until the end of the transaction.
-- An advisory lock, because LOCK TABLE would need a right that an append-only role must not have. The number spells QING.
create function qingling.lock_log() returns void
    language sql volatile
    set search_path = pg_catalog, pg_temp
    as 'select pg_catalog.pg_advisory_xact_lock(1363758663)';
