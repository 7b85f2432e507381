-- Before anything is sealed: nobody is erased until the end of the transaction, and the erasures so far are counted. The
-- advisory lock is shared by those who seal and taken whole by who erases; the number spells SEAL.
create function vault.hold_erasures() returns bigint
    language plpgsql volatile
    set search_path = pg_catalog, pg_temp
    as $$
begin
    perform pg_advisory_xact_lock_shared(1397047628);
    return (select count from vault.erasures);
end
$$;
