-- qingling holds the log. ledger holds what is computed from it and may be thrown away; its tables belong to the projector.
-- Everything else belongs to the owner, who also applies later migrations, hence its right on the database.
do $$
begin
    execute pg_catalog.format('grant create on database %I to qingling_owner', pg_catalog.current_database());
end
$$;

create schema qingling authorization qingling_owner;
create schema ledger authorization qingling_owner;
alter default privileges for role qingling_projector in schema ledger
    grant select on tables to qingling_writer, qingling_reader;

set role qingling_owner;
