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

-- The log. A row is written once; entry holds the canonical bytes, the other columns repeat what they say so that it can be found.
create table qingling.event (
    position bigint not null,
    stream text collate "C" not null,
    version integer not null,
    type text collate "C" not null,
    recorded_at timestamptz not null,
    partitionkey text collate "C" not null,
    entry bytea not null,
    constraint event_pkey primary key (position),
    constraint event_stream_version_key unique (stream, version),
    constraint event_position_check check (position >= 1),
    constraint event_version_check check (version >= 0)
) with (autovacuum_vacuum_insert_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.02);

-- Bytes as they are: compression would halve the speed of importing large entries, and sealed fields hardly compress.
alter table qingling.event alter entry set storage external;

-- A case and all that belongs to it, in the order of the log.
create index event_partitionkey_idx on qingling.event (partitionkey, position);

-- What makes a command repeatable: the keyed digest of the request and where its events stand. Written with them, never changed.
create table qingling.command (
    actor text collate "C" not null,
    key text collate "C" not null,
    digest bytea not null,
    positions bigint[] not null,
    constraint command_pkey primary key (actor, key)
);

-- Snapshots of the eventsourcing library: a cache beside the log, no part of the record.
create table qingling.snapshot (
    stream text collate "C" not null,
    version integer not null,
    type text collate "C" not null,
    state bytea not null,
    constraint snapshot_pkey primary key (stream, version)
);

-- How far the eventsourcing library's process applications have read each upstream log.
create table qingling.tracking (
    application text collate "C" not null,
    notification_id bigint not null,
    constraint tracking_pkey primary key (application)
);

-- The append lock: whoever holds it is the only one that appends, until the end of the transaction.
-- An advisory lock, because LOCK TABLE would need a right that an append-only role must not have. The number spells QING.
create function qingling.lock_log() returns void
    language sql volatile
    set search_path = pg_catalog, pg_temp
    as 'select pg_catalog.pg_advisory_xact_lock(1363758663)';

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

-- The last position recorded at or before an instant. Times rise with positions, so halving the log finds it without an index.
-- Where the instant is not before the last entry, the append lock is taken first: an append in flight may hold an earlier time.
create function qingling.position_at(p_instant timestamptz) returns bigint
    language plpgsql volatile
    set search_path = pg_catalog, pg_temp
    as $$
declare
    v_low bigint := 0;
    v_high bigint;
    v_middle bigint;
    v_last timestamptz;
begin
    select position, recorded_at into v_high, v_last from qingling.event order by position desc limit 1;
    if v_last is null or v_last <= p_instant then
        perform qingling.lock_log();
        select position, recorded_at into v_high, v_last from qingling.event order by position desc limit 1;
        if v_last is null or v_last <= p_instant then
            return coalesce(v_high, 0);
        end if;
    end if;
    while v_low < v_high - 1 loop -- recorded at v_low or before: yes; at v_high: no
        v_middle := (v_low + v_high) / 2;
        if (select recorded_at <= p_instant from qingling.event where position = v_middle) then
            v_low := v_middle;
        else
            v_high := v_middle;
        end if;
    end loop;
    return v_low;
end
$$;

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

-- Positions are dense and times rise strictly, whoever inserts. A time may lie ahead of the clock by 5 s, or by 1 s after the
-- last one: a clock that once jumped ahead must not brick the log. The times of a simulation are played, so no clock bounds them.
-- An ordinary trigger: replicas and restores load rows without it, and fsck checks what they loaded.
create function qingling.check_appended() returns trigger
    language plpgsql
    set search_path = pg_catalog, pg_temp
    as $$
declare
    v_new record;
    v_last record;
begin
    select min(position) as first_position, max(position) as last_position, count(*) as count,
           min(recorded_at) as first_time, max(recorded_at) as last_time, bool_and(earlier < recorded_at) as rising
      into v_new
      from (select position, recorded_at, lag(recorded_at) over (order by position) as earlier from appended) as new_row;
    if v_new.count = 0 then
        return null;
    end if;
    select position, recorded_at into v_last
      from qingling.event where position < v_new.first_position order by position desc limit 1;
    if v_new.first_position <> coalesce(v_last.position, 0) + 1
        or v_new.last_position - v_new.first_position + 1 <> v_new.count then
        raise exception 'positions are dense: % to % (% rows) do not follow %',
            v_new.first_position, v_new.last_position, v_new.count, coalesce(v_last.position, 0) using errcode = 'QL003';
    end if;
    if v_new.first_time <= v_last.recorded_at or not v_new.rising then
        raise exception 'recorded times rise strictly: position % or a later one is not after the one before it',
            v_new.first_position using errcode = 'QL003';
    end if;
    if v_new.last_time > greatest(clock_timestamp() + interval '5 seconds', v_last.recorded_at + interval '1 second')
        and not qingling.is_simulation(null) then
        raise exception 'the recorded time % lies ahead of the clock', v_new.last_time using errcode = 'QL003';
    end if;
    return null;
end
$$;

create trigger event_follows_the_last after insert on qingling.event
    referencing new table as appended
    for each statement execute function qingling.check_appended();

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
