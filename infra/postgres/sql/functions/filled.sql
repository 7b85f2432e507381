-- The final bytes of an entry: the recorded time (RFC 3339, UTC, 27 bytes) over the placeholder at p_time_at (from 0; -1: none).
-- No SET clause and fully qualified, so that the planner can inline it.
create function qingling.filled(p_entry bytea, p_time_at integer, p_recorded_at timestamptz) returns bytea
    language sql stable
    as $$
        select case when p_time_at < 0 then p_entry else
            pg_catalog.overlay(
                p_entry,
                pg_catalog.convert_to(
                    pg_catalog.to_char(pg_catalog.timezone('UTC', p_recorded_at), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
                    'UTF8'),
                p_time_at + 1, 27)
        end
    $$;
