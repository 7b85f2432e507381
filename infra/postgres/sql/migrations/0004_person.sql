-- Finds a person's subject again by a blinded number, so that one person is sealed under one key. The blind is HMAC-SHA-256
-- under a key of the keyring; it is personal data still, and goes when the subject is erased.
create table vault.person (
    blind bytea not null,
    subject text collate "C" not null,
    constraint person_pkey primary key (blind),
    constraint person_blind_check check (octet_length(blind) = 32)
);

create index person_subject_idx on vault.person (subject);

-- Destroys the key and the ciphertexts of a subject, and what finds it again; how many ciphertexts went, null if there never
-- was such a subject.
create or replace function vault.erase(p_subject text) returns bigint
    language plpgsql volatile
    set search_path = pg_catalog, pg_temp
    as $$
declare
    v_deleted bigint;
begin
    perform pg_advisory_xact_lock(1397047628);
    delete from vault.person where subject = p_subject;
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

grant select, insert, delete on vault.person to qingling_writer;
