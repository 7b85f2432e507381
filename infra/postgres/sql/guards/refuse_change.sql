-- What is recorded is never changed. ALWAYS: these fire for replication and under session_replication_role too.
create function qingling.refuse_change() returns trigger
    language plpgsql
    set search_path = pg_catalog, pg_temp
    as $$
begin
    raise exception 'what is recorded is never changed: % on %.% is refused', tg_op, tg_table_schema, tg_table_name
        using errcode = 'QL004', hint = 'A correction is a new event, with its reason and authority.';
end
$$;

create trigger event_is_never_changed before update or delete on qingling.event
    for each row execute function qingling.refuse_change();
create trigger event_is_never_emptied before truncate on qingling.event
    for each statement execute function qingling.refuse_change();
create trigger command_is_never_changed before update or delete on qingling.command
    for each row execute function qingling.refuse_change();
create trigger command_is_never_emptied before truncate on qingling.command
    for each statement execute function qingling.refuse_change();

alter table qingling.event enable always trigger event_is_never_changed;
alter table qingling.event enable always trigger event_is_never_emptied;
alter table qingling.command enable always trigger command_is_never_changed;
alter table qingling.command enable always trigger command_is_never_emptied;
