-- Whether the log's genesis (position 1; p_first stands in for it while the log is empty) says that its times are played.
create function qingling.is_simulation(p_first bytea) returns boolean
    language plpgsql stable
    set search_path = pg_catalog, pg_temp
    as $$
begin
    return coalesce(
        (convert_from(coalesce((select entry from qingling.event where position = 1), p_first), 'UTF8')::jsonb)
            #>> '{data,kind}' = 'simulation',
        false);
exception when data_exception then
    return false; -- a log that does not begin with a genesis entry, as in the library's suites
end
$$;
