-- Four roles, so that no session can do more than its work. They cannot log in: a deployment grants them to its own
-- login roles, or a session of the embedded server takes one on with the start-up option "-c role=…".
-- Roles belong to the whole server; two databases migrated at once may both find one missing, hence the exceptions.
do $$
declare
    v_role text;
begin
    foreach v_role in array array['qingling_owner', 'qingling_writer', 'qingling_projector', 'qingling_reader'] loop
        if not exists (select from pg_catalog.pg_roles where rolname = v_role) then
            begin
                execute pg_catalog.format('create role %I nologin', v_role);
            exception when duplicate_object or unique_violation then
                null; -- the other one made it
            end;
        end if;
    end loop;
    -- Who is no superuser takes on the owner's role to make what belongs to it, and sets the projector's default rights.
    foreach v_role in array array['qingling_owner', 'qingling_projector'] loop
        if not pg_catalog.pg_has_role(v_role, 'member') then
            execute pg_catalog.format('grant %I to current_user', v_role);
        end if;
    end loop;
end
$$;
