"""Puts sealed entries back that a restored database lacks: the same bytes, at the same positions, with the same recorded times.

Rows go in by COPY with the rights of a writer, under the append lock, in transactions of at most `bulk_events`. The guards of the
table hold as ever; the columns are read out of the entry, whose words they repeat. What is committed stays: who is interrupted
asks for the head again and goes on behind it. That the entries are those that were sealed is for the caller to see to
(`infra.sealing.recovery`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

import orjson
from psycopg2.extensions import cursor as Cursor  # noqa: N812 - the driver's class has a lower-case name

from domain.errors import LogMismatchError
from domain.recording import Draft, StoredEntry, time_text
from infra.postgres.binary import EVENT_COLUMNS, copy_in, row_of, write_events
from infra.postgres.config import RecorderConfig
from infra.postgres.connection import connect, transaction, translated

WRITER = RecorderConfig(role="qingling_writer")

_HEAD = "select coalesce(max(position), 0) from qingling.event"
_UNOPENABLE = """
    select count(*) filter (where k.subject is null or k.destroyed_at is null), count(*)
    from unnest(%s::text[], %s::text[]) as n (sha256, subject)
    left join vault.subject_key as k on k.subject = n.subject
    where not exists (select from vault.ciphertext as c where c.sha256 = decode(n.sha256, 'hex'))
"""


def stored_entry(position: int, entry: bytes) -> StoredEntry:
    """The row of an entry: what stands beside its bytes in the table is what they say themselves.

    Raises:
        LogMismatchError: they do not say it, so this was never an entry of a log.
    """
    try:
        content = orjson.loads(entry)
        stream, version, type_ = content["subject"], content["version"], content["type"]
        partitionkey, recorded_at = content["partitionkey"], datetime.fromisoformat(content["time"])
        whole = time_text(recorded_at) == content["time"] and isinstance(version, int)
    except (ValueError, KeyError, TypeError):
        whole = False
    if not whole:
        raise LogMismatchError(f"the sealed entry of position {position} does not say where it belongs")
    return StoredEntry(position, stream, version, type_, recorded_at, partitionkey, entry)


def refill(
    dsn: str,
    entries: Iterable[StoredEntry],
    progress: Callable[[int], None] | None = None,
    *,
    config: RecorderConfig = WRITER,
) -> int:
    """Records entries that follow the log's head, as they are; returns how many. `progress` is told each position committed.

    Raises:
        LogMismatchError: they do not follow the head, or a guard refuses them; what was committed before stays.
        VersionTakenError: a stream has an event of that version already.
        StoreUnreachableError, StoreFailedError: the database failed. Asked again, it goes on where it was.
    """
    refilled = 0
    waiting = iter(entries)
    with closing(connect(dsn, config)) as connection:
        while chunk := list(islice(waiting, config.bulk_events)):
            with translated("refilling the log"), transaction(connection) as cursor:
                _copy(cursor, chunk)
            refilled += len(chunk)
            if progress is not None:
                progress(chunk[-1].position)
    return refilled


def _copy(cursor: Cursor, chunk: Sequence[StoredEntry]) -> None:
    cursor.execute("select qingling.lock_log()")
    cursor.execute(_HEAD)
    ((head,),) = cursor.fetchall()
    if chunk[0].position != head + 1:
        raise LogMismatchError(
            f"position {chunk[0].position} cannot be refilled: the log ends at {head}. Somebody else writes to it;"
            " stop all writers first"
        )
    rows: list[bytes] = []
    for each in chunk:
        as_it_is = Draft(each.stream, each.version, each.type, each.partitionkey, each.entry, time_at=-1)
        write_events(rows, [row_of(as_it_is)], each.position, each.recorded_at)
    copy_in(cursor, EVENT_COLUMNS, rows)


@dataclass(frozen=True)
class Unopenable:
    """Sealed fields without a ciphertext. `erased`: their subject was erased, so that is as it should be; `lost`: the others."""

    lost: int = 0
    erased: int = 0

    def __add__(self, other: Unopenable) -> Unopenable:
        return Unopenable(self.lost + other.lost, self.erased + other.erased)


def unopenable(dsn: str, entries: Iterable[StoredEntry], *, config: RecorderConfig = WRITER) -> Unopenable:
    """How many sealed fields of these entries have no ciphertext in the vault.

    Raises:
        StoreUnreachableError, StoreFailedError: the database failed.
    """
    found = Unopenable()
    waiting = iter(entries)
    with closing(connect(dsn, config)) as connection, translated("asking the vault"), connection.cursor() as cursor:
        while chunk := list(islice(waiting, config.bulk_events)):
            sealed = [pair for each in chunk for pair in _sealed_in(orjson.loads(each.entry)["data"])]
            cursor.execute(_UNOPENABLE, ([digest for digest, _ in sealed], [subject for _, subject in sealed]))
            ((lost, without),) = cursor.fetchall()
            found += Unopenable(lost, without - lost)
    return found


def _sealed_in(value: Any) -> Iterator[tuple[str, str]]:
    """Digest and subject of every sealed field in an event's data, however deep."""
    if isinstance(value, dict):
        if value.keys() == {"subject", "sha256", "commit"}:
            yield value["sha256"], value["subject"]
        else:
            for each in value.values():
                yield from _sealed_in(each)
    elif isinstance(value, list):
        for each in value:
            yield from _sealed_in(each)
