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
