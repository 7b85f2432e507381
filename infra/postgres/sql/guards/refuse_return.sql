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
