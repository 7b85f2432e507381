"""Bulk import: COPY under the append lock, with the guarantees of a single append.

Each transaction takes the lock, answers batches whose command was recorded before, checks that versions follow, reads the
clock once, fills the times, and copies events and commands; the guards of the tables hold as ever. While one chunk is copied in
a thread, the next is taken from the source and encoded. A session lost at COMMIT is replaced, and the log is asked under the
lock what is there before anything is copied again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import psycopg2
from psycopg2.extensions import cursor as Cursor  # noqa: N812

from domain.errors import IdempotencyError
from domain.recording import Batch, Draft, Outcome
from infra.postgres.binary import COMMAND_COLUMNS, EVENT_COLUMNS, Row, copy_in, row_of, write_command, write_events
from infra.postgres.committer import Committer
from infra.postgres.connection import Pool, from_microseconds, is_lost, transaction, translated
from infra.postgres.lost import find_recorded
from infra.recorders import StoreFailedError, StoreUnreachableError, VersionTakenError, check_batch

_COMMANDS = """
    select c.place, k.digest = c.digest, array(
        select (extract(epoch from e.recorded_at) * 1000000)::bigint
        from qingling.event as e where e.position = any (k.positions) order by e.position), k.positions
    from unnest(%s::text[], %s::text[], %s::bytea[]) with ordinality as c (actor, key, digest, place)
    cross join lateral (select * from qingling.command where actor = c.actor and key = c.key offset 0) as k
"""
_VERSIONS = """
    select n.stream, coalesce((select max(e.version) from qingling.event as e where e.stream = n.stream), 0)
    from unnest(%s::text[]) as n (stream)
"""
_HEAD = """
    select coalesce(max(position), 0), greatest(
        coalesce(%s, clock_timestamp()),
        (select recorded_at from qingling.event order by position desc limit 1) + interval '1 microsecond')
    from qingling.event
"""
_MICROSECOND = timedelta(microseconds=1)


@dataclass(slots=True)
class Chunk:
    """Batches that share a transaction, encoded for COPY but for positions and times."""

    batches: list[Batch] = field(default_factory=list)
    rows: list[list[Row]] = field(default_factory=list)
    events: int = 0
    keys: set[tuple[str, str]] = field(default_factory=set)

    def add(self, batch: Batch) -> None:
        """Take in a batch and encode it."""
        self.batches.append(batch)
        self.rows.append([row_of(draft) for draft in batch.drafts])
        self.events += len(batch.drafts)
        if batch.command is not None:
            self.keys.add((batch.command.actor, batch.command.key))

    def takes(self, batch: Batch, limit: int) -> bool:
        """Whether the batch fits in: by its events, and by its key, which a transaction can only look up once."""
        repeated = batch.command is not None and (batch.command.actor, batch.command.key) in self.keys
        return not self.batches or (not repeated and self.events + len(batch.drafts) <= limit)


class BulkImport:
    """One call of `append_bulk`: its session, and the thread that copies."""

    def __init__(self, pool: Pool, committer: Committer, announce: Callable[[int], None]) -> None:
        self._pool = pool
        self._config = pool.config
        self._committer = committer
        self._announce = announce

    def run(self, batches: Iterable[Batch], now: datetime | None) -> Iterator[Outcome]:
        """Record the batches; see `LogWriter.append_bulk`."""
        self._connection = self._pool.connect(patience=self._config.reconnect_patience)
        chunks = _chunks(batches, self._config.bulk_events)
        try:
            with ThreadPoolExecutor(1, "qingling-bulk") as copier:
                copying: Future[list[Outcome]] | None = None
                while True:
                    chunk, failure = _next(chunks)
                    if copying is not None:
                        yield from copying.result()
                    if failure is not None:
                        raise failure
                    if chunk is None:
                        return
                    copying = copier.submit(self._record, chunk, now)
        finally:
            self._connection.close()

    def _record(self, chunk: Chunk, now: datetime | None) -> list[Outcome]:
        """Record a chunk; a session that is lost on the way is replaced and the log asked what is there."""
        self._committer.compare_clocks()
        self._committer.check_running()
        lost = self._try(chunk, now, look=False)
        deadline = time.monotonic() + self._config.reconnect_patience
        while isinstance(lost, psycopg2.Error):
            try:
                self._connection = self._pool.connect(patience=deadline - time.monotonic())
                lost = self._try(chunk, now, look=True)
            except StoreFailedError as error:
                raise _unknown(chunk, lost) from error
            if isinstance(lost, psycopg2.Error) and time.monotonic() > deadline:
                raise _unknown(chunk, lost)
        return lost

    def _try(self, chunk: Chunk, now: datetime | None, *, look: bool) -> list[Outcome] | psycopg2.Error:
        """The outcomes, or the driver's error when the session is lost."""
        with translated("importing"):
            try:
                with transaction(self._connection) as cursor:
                    cursor.execute("select qingling.lock_log()")
                    outcomes = self._recorded_before(cursor, chunk, look=look)
                    self._copy(cursor, chunk, outcomes, now)
            except psycopg2.Error as error:
                if not is_lost(self._connection, error):
                    raise
                return error
        recorded = [outcome for outcome in outcomes if outcome is not None]
        self._announce(max((outcome.positions[-1] for outcome in recorded if outcome.positions), default=0))
        return recorded

    def _recorded_before(self, cursor: Cursor, chunk: Chunk, *, look: bool) -> list[Outcome | None]:
        """For each batch where it stands already: by its very bytes after a lost session, else by its command."""
        outcomes = [find_recorded(cursor, batch.drafts) if look else None for batch in chunk.batches]
        places = [n for n, batch in enumerate(chunk.batches) if batch.command is not None and outcomes[n] is None]
        commands = [command for n in places if (command := chunk.batches[n].command) is not None]
        if not commands:
            return outcomes
        columns = [c.actor for c in commands], [c.key for c in commands], [psycopg2.Binary(c.digest) for c in commands]
        cursor.execute(_COMMANDS, columns)
        for place, same, times, positions in cursor.fetchall():
            if not same:
                raise IdempotencyError(f"the key {commands[place - 1].key!r} was used before for another request")
            outcomes[places[place - 1]] = Outcome(tuple(positions), tuple(map(from_microseconds, times)), replayed=True)
        return outcomes

    def _copy(self, cursor: Cursor, chunk: Chunk, outcomes: list[Outcome | None], now: datetime | None) -> None:
        """Record the batches that have no outcome yet, and set it."""
        missing = [n for n, outcome in enumerate(outcomes) if outcome is None]
        drafts = [draft for n in missing for draft in chunk.batches[n].drafts]
        if self._config.contiguous:
            _check_follows(cursor, drafts)
        position, moment = _next_place(cursor, now, drafts)
        events: list[bytes] = []
        commands: list[bytes] = []
        for n in missing:
            times = tuple(moment + i * _MICROSECOND for i in range(len(chunk.rows[n])))
            positions = tuple(range(position, position + len(times)))
            write_events(events, chunk.rows[n], position, moment)
            if (command := chunk.batches[n].command) is not None:
                write_command(commands, command, positions)
            outcomes[n] = Outcome(positions, times)
            position += len(times)
            moment += len(times) * _MICROSECOND
        copy_in(cursor, EVENT_COLUMNS, events)
        copy_in(cursor, COMMAND_COLUMNS, commands)


def _unknown(chunk: Chunk, lost: object) -> StoreUnreachableError:
    return StoreUnreachableError(
        "the session was lost while importing, and the log cannot be asked again: whether the last"
        f" {chunk.events} events were recorded is not known; import them again ({str(lost).strip()})"
    )


def _chunks(batches: Iterable[Batch], limit: int) -> Iterator[Chunk]:
    chunk = Chunk()
    for batch in batches:
        check_batch(batch)
        if len(batch.drafts) > limit:
            raise StoreFailedError(
                f"a batch has {len(batch.drafts)} events; it is never split, and a transaction holds {limit}"
            )
        if not chunk.takes(batch, limit):
            yield chunk
            chunk = Chunk()
        chunk.add(batch)
    if chunk.batches:
        yield chunk


def _next(chunks: Iterator[Chunk]) -> tuple[Chunk | None, Exception | None]:
    """The next chunk. An error of the source waits until what was taken before it is recorded and handed out."""
    try:
        return next(chunks, None), None
    except Exception as error:  # noqa: BLE001 - raised by the caller
        return None, error


def _check_follows(cursor: Cursor, drafts: Sequence[Draft]) -> None:
    """Every version follows the last one of its stream, in the log or among the drafts."""
    cursor.execute(_VERSIONS, (list({draft.stream for draft in drafts}),))
    last: dict[str, int] = dict(cursor.fetchall())
    for draft in drafts:
        if draft.version != last[draft.stream] + 1:
            raise VersionTakenError(
                f"{draft.stream}/{draft.version} does not follow the stream's last version, {last[draft.stream]}"
            )
        last[draft.stream] = draft.version


def _next_place(cursor: Cursor, now: datetime | None, drafts: Sequence[Draft]) -> tuple[int, datetime]:
    """Position and recorded time of the next event."""
    if now is not None and drafts:
        cursor.execute("select qingling.is_simulation(%s)", (psycopg2.Binary(drafts[0].entry),))
        if cursor.fetchone() != (True,):
            raise StoreFailedError("only a simulation plays its times")
    cursor.execute(_HEAD, (now,))
    ((position, moment),) = cursor.fetchall()
    return position + 1, moment
