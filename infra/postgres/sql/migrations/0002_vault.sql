-- The vault: ciphertexts of personal fields and the wrapped keys that open them. Outside the log, so that they can be erased.
create schema vault authorization qingling_owner;

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
create table vault.ciphertext (
    sha256 bytea not null,
    subject text collate "C" not null,
    blob bytea not null,
    constraint ciphertext_pkey primary key (sha256),
    constraint ciphertext_subject_fkey foreign key (subject) references vault.subject_key
);

create index ciphertext_subject_idx on vault.ciphertext (subject);

-- How many subjects have been erased. Whoever keeps keys in memory compares it before he uses one.
create table vault.erasures (
    count bigint not null,
    only_row boolean not null default true,
    constraint erasures_pkey primary key (only_row),
    constraint erasures_only_row_check check (only_row)
);
insert into vault.erasures (count) values (0);

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

-- Destroys the key and the ciphertexts of a subject; how many ciphertexts went, null if there never was such a subject.
create function vault.erase(p_subject text) returns bigint
    language plpgsql volatile
    set search_path = pg_catalog, pg_temp
    as $$
declare
    v_deleted bigint;
begin
    perform pg_advisory_xact_lock(1397047628);
    if not exists (select from vault.subject_key where subject = p_subject) then
        return null;
    end if;
    update vault.subject_key set wrapped = null, destroyed_at = clock_timestamp()
     where subject = p_subject and destroyed_at is null;
    if not found then
        return 0;
    end if;
    delete from vault.ciphertext where subject = p_subject;
    get diagnostics v_deleted = row_count;
    update vault.erasures set count = count + 1;
    return v_deleted;
end
$$;

-- A key that was destroyed stays so, and a subject is never forgotten: else it could be given a new key.
create function vault.refuse_return() returns trigger
    language plpgsql
    set search_path = pg_catalog, pg_temp
    as $$
begin
    if old.destroyed_at is null and tg_op = 'UPDATE' then
        return new;
    end if;
    raise exception 'the key of % is destroyed or kept, never brought back and never taken out: % is refused', old.subject, tg_op
        using errcode = 'QL004';
end
$$;

create trigger subject_key_stays before update or delete on vault.subject_key
    for each row execute function vault.refuse_return();
alter table vault.subject_key enable always trigger subject_key_stays;

-- Unlike events, rows of the vault may go. The projector has no rights here: what is computed from the log holds no personal data.
revoke all on all functions in schema vault from public;

grant usage on schema vault to qingling_writer, qingling_reader;
grant select on vault.subject_key, vault.ciphertext, vault.erasures to qingling_writer, qingling_reader;
grant insert on vault.subject_key, vault.ciphertext to qingling_writer;
grant update (wrapped, kek, destroyed_at) on vault.subject_key to qingling_writer;
grant update (count) on vault.erasures to qingling_writer;
grant delete on vault.ciphertext to qingling_writer;
grant execute on function vault.hold_erasures(), vault.erase(text) to qingling_writer;
