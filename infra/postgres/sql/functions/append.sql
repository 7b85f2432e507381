-- Records merged batches in one call. Each batch is recorded whole, or answered with why not; none hinders another.
--
-- The arrays of events run in order of batch (p_batches counts from 1). The arrays of commands have one element a batch: null
-- where it is not repeatable; p_counts says how many events it has. The caller sees to it that within one call no stream and no
-- (actor, key) stands in two batches. outcomes, one a batch: 0 recorded, 1 recorded before (replayed_* say where), 2 a version is taken or does not follow,
-- 3 the key was used for another request; subjects names the stream and version that stands in the way. What is recorded now
-- stands from first_position on, one position and one microsecond apart. Times are microseconds since 1970.
--
-- Generic plans: what is planned once stays right, since every look-up is by an index whatever the arrays hold.
-- SECURITY INVOKER: the writer needs INSERT for the bulk path anyway, and the guards hold for every way in.
create function qingling.append(
    p_streams text[], p_versions integer[], p_types text[], p_partitionkeys text[], p_entries bytea[], p_time_at integer[],
    p_batches integer[],
    p_actors text[], p_keys text[], p_digests bytea[], p_counts integer[],
    p_contiguous boolean, p_now timestamptz, p_host_clock timestamptz, p_tolerance interval,
    out outcomes smallint[], out subjects text[], out first_position bigint, out first_time bigint,
    out replayed_batches integer[], out replayed_positions bigint[], out replayed_times bigint[]
)
    language plpgsql volatile
    set search_path = pg_catalog, pg_temp
    set plan_cache_mode = force_generic_plan
    as $$
declare
    v_time timestamptz;
    v_found record;
begin
    if abs(extract(epoch from clock_timestamp() - p_host_clock)) > extract(epoch from p_tolerance) then
        raise exception 'the host''s clock says %, the database''s %', p_host_clock, clock_timestamp() using errcode = 'QL001';
    end if;
    if p_now is not null and not qingling.is_simulation(p_entries[1]) then
        raise exception 'only a simulation plays its times' using errcode = 'QL002';
    end if;
    perform qingling.lock_log();
    outcomes := array_fill(0::smallint, array[cardinality(p_keys)]);
    subjects := array_fill(null::text, array[cardinality(p_keys)]);

    if cardinality(array_remove(p_keys, null)) > 0 then
        for v_found in
            select c.batch, k.digest = c.digest as same, k.positions
            from unnest(p_actors, p_keys, p_digests) with ordinality as c (actor, key, digest, batch)
            cross join lateral (select * from qingling.command where actor = c.actor and key = c.key offset 0) as k
        loop
            if not v_found.same then
                outcomes[v_found.batch] := 3;
                continue;
            end if;
            outcomes[v_found.batch] := 1;
            select replayed_batches || array_agg(v_found.batch::integer order by e.position),
                   replayed_positions || array_agg(e.position order by e.position),
                   replayed_times || array_agg((extract(epoch from e.recorded_at) * 1000000)::bigint order by e.position)
              into replayed_batches, replayed_positions, replayed_times
              from qingling.event as e where e.position = any (v_found.positions);
        end loop;
    end if;

    -- Scalar subqueries on purpose: they stay index look-ups whatever a plan was made for.
    for v_found in
        select n.batch, n.stream || '/' || min(n.version) as subject
        from unnest(p_batches, p_streams, p_versions) as n (batch, stream, version)
        where outcomes[n.batch] = 0
        group by n.batch, n.stream
        having case
            when p_contiguous then
                min(n.version) <> 1 + coalesce((select max(e.version) from qingling.event as e where e.stream = n.stream), 0)
                or max(n.version) - min(n.version) + 1 <> count(*)
            else
                bool_or(coalesce((select true from qingling.event as e where e.stream = n.stream and e.version = n.version), false))
        end
    loop
        outcomes[v_found.batch] := 2;
        subjects[v_found.batch] := v_found.subject;
    end loop;

    select position, recorded_at into first_position, v_time from qingling.event order by position desc limit 1;
    first_position := coalesce(first_position, 0) + 1;
    v_time := greatest(coalesce(p_now, clock_timestamp()), v_time + interval '1 microsecond');
    first_time := extract(epoch from v_time) * 1000000;

    insert into qingling.event (position, stream, version, type, recorded_at, partitionkey, entry)
    select first_position + n.ordinal, n.stream, n.version, n.type, n.recorded_at, n.partitionkey,
           qingling.filled(n.entry, n.time_at, n.recorded_at)
    from (
        select a.*, v_time + a.ordinal * interval '1 microsecond' as recorded_at
        from (
            select u.*, row_number() over (order by u.place) - 1 as ordinal
            from unnest(p_streams, p_versions, p_types, p_partitionkeys, p_entries, p_time_at, p_batches) with ordinality
                as u (stream, version, type, partitionkey, entry, time_at, batch, place)
            where outcomes[u.batch] = 0
        ) as a
    ) as n;

    insert into qingling.command (actor, key, digest, positions)
    select c.actor, c.key, c.digest, array(select generate_series(c.next - c.count, c.next - 1))
    from (
        select n.*, first_position + sum(n.count) over (order by n.batch) as next
        from unnest(p_actors, p_keys, p_digests, p_counts) with ordinality as n (actor, key, digest, count, batch)
        where outcomes[n.batch] = 0
    ) as c
    where c.key is not null;
end
$$;
