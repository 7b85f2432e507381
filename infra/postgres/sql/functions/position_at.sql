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
