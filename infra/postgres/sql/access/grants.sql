-- Appending is INSERT and nothing more; bulk import copies into the tables, so the writer holds the right on them itself.
revoke all on all functions in schema qingling from public;

grant usage on schema qingling to qingling_writer, qingling_projector, qingling_reader;
grant select, insert on qingling.event, qingling.command, qingling.snapshot to qingling_writer;
grant select, insert, update on qingling.tracking to qingling_writer;
grant select on qingling.event to qingling_projector, qingling_reader;

grant execute on function
    qingling.append(text[], integer[], text[], text[], bytea[], integer[], integer[], text[], text[], bytea[],
                    integer[], boolean, timestamptz, timestamptz, interval)
    to qingling_writer;
grant execute on function qingling.filled(bytea, integer, timestamptz), qingling.is_simulation(bytea) to qingling_writer;
grant execute on function qingling.lock_log(), qingling.position_at(timestamptz)
    to qingling_writer, qingling_projector, qingling_reader;

grant usage, create on schema ledger to qingling_projector;
grant usage on schema ledger to qingling_writer, qingling_reader;
