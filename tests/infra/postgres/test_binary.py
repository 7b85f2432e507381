"""COPY's binary format: what is written is what PostgreSQL stores, and what is read back."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta

import psycopg2
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.recording import Draft, StoredEntry, filled
from infra.postgres.binary import EVENT_COLUMNS, copy_in, copy_out, row_of, write_events
from tests.drafts import a_draft

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
SINCE_1900 = st.timedeltas(timedelta(0), timedelta(days=365 * 8000))
TIMES = SINCE_1900.map(lambda since: datetime(1900, 1, 1, tzinfo=UTC) + since)
MICROSECOND = timedelta(microseconds=1)


@given(
    texts=st.lists(st.tuples(TEXTS, TEXTS, TEXTS), min_size=1, max_size=5),
    moment=TIMES | TIMES.map(lambda time: time.replace(microsecond=999_998)),
    blob=st.binary(max_size=50),
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_events_come_back_as_they_were_written(
    log_url: str, texts: list[tuple[str, str, str]], moment: datetime, blob: bytes
) -> None:
    drafts = [
        a_draft(f"{stream}/{n}", n, partitionkey=key, type_=type_) for n, (stream, type_, key) in enumerate(texts)
    ]
    drafts.append(Draft("blob", 2**31 - 1, "", "", blob, -1))
    parts: list[bytes] = []
    write_events(parts, map(row_of, drafts), 1, moment)
    with closing(psycopg2.connect(log_url)) as connection, connection.cursor() as cursor:
        cursor.execute("set session_replication_role = replica")  # past the guard on times
        copy_in(cursor, EVENT_COLUMNS, parts)
        read = copy_out(cursor, after=0, upto=10)
        cursor.execute("select * from qingling.event order by position")
        rows = cursor.fetchall()
    times = [moment + n * MICROSECOND for n in range(len(drafts))]
    assert read == [
        StoredEntry(n, d.stream, d.version, d.type, time, d.partitionkey, filled(d.entry, d.time_at, time))
        for n, (d, time) in enumerate(zip(drafts, times, strict=True), 1)
    ]
    assert [(*row[:6], bytes(row[6])) for row in rows] == [
        (e.position, e.stream, e.version, e.type, e.recorded_at, e.partitionkey, e.entry) for e in read
    ]


def test_nothing_is_copied_when_nothing_was_written(log_url: str) -> None:
    with closing(psycopg2.connect(log_url)) as connection, connection.cursor() as cursor:
        copy_in(cursor, EVENT_COLUMNS, [])
        assert copy_out(cursor, after=0, upto=10) == []
