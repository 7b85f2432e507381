"""The log in PostgreSQL: `PostgresLog` appends and reads it, and is the eventsourcing library's application recorder.

Guarantees: those of the port in `domain/recording.py`. Safe to share between threads. Appends go through one session and are
merged (`infra/postgres/committer.py`); reads borrow sessions of a pool; bulk import has a session of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from tempfile import TemporaryFile
from typing import Self

from psycopg2.extensions import cursor as Cursor  # noqa: N812 - the driver's class has a lower-case name

from domain.errors import IdempotencyError, RecordingError
from domain.recording import Batch, CommandKey, Head, History, LogReader, LogWriter, Outcome, StoredEntry
from domain.sealing.sorted_map import Kind
from infra.postgres.binary import copy_entries, copy_out
from infra.postgres.bulk import BulkImport
from infra.postgres.committer import Clock, Committer
from infra.postgres.config import RecorderConfig
from infra.postgres.connection import Pool
from infra.postgres.histories import spool_histories, spooled
from infra.postgres.notices import Announcer, Listener
from infra.recorders import LogRecorder, Wakeups

_COMMAND = """
    select digest, positions, array(
        select e.recorded_at from qingling.event as e where e.position = any (c.positions) order by e.position)
    from qingling.command as c where actor = %s and key = %s
"""
_COLUMNS = "position, stream, version, type, recorded_at, partitionkey, entry"


def system_clock() -> datetime:
    """The host's clock."""
    return datetime.now(UTC)


class PostgresLog(LogRecorder, LogReader, LogWriter):
    """The log in a PostgreSQL database that `infra.postgres.migrations.migrate` has prepared."""

    def __init__(self, dsn: str, config: RecorderConfig | None = None, *, clock: Clock = system_clock) -> None:
        """Open the log.

        Host and database clock are compared at once; when they disagree, reading goes on and `append` raises `ClockError`.

        Raises:
            StoreUnreachableError: the database cannot be reached.
            StoreFailedError: it holds no log.
        """
        self.config = config or RecorderConfig()
        self.originator_id_type = self.config.originator_id_type
        self.poll_interval = self.config.poll_interval
        self._clock = clock
        self._pool = Pool(dsn, self.config)
        self._wakeups = Wakeups(self.poll_interval)
        self._announcer = Announcer(self._pool)
        self._listener = Listener(self._pool, self._wakeups)
        self._committer = Committer(self._pool, clock, self._announce)
        try:
            with self._pool.session():
                pass  # fails at once, where reading would wait for the server to come back
            self._committer.compare_clocks()
            self._wakeups.announce(self.head().position)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close every session. Appends and reads raise from now on."""
        self._committer.close()
        self._announcer.close()
        self._listener.close()
        self._pool.close()

    @property
    def stopped(self) -> RecordingError | None:
        """Why this process no longer records, or None."""
        return self._committer.stopped

    def stop(self, reason: RecordingError) -> None:
        """Record nothing any more in this process; every append raises `reason`. Reading goes on."""
        self._committer.stopped = self._committer.stopped or reason

    def check_running(self) -> None:
        """Raise what stopped this process's recording, if anything did."""
        self._committer.check_running()

    @property
    def wakeups(self) -> Wakeups:
        """Announces this process's appends at once, and those of others as far as NOTIFY brings them."""
        self._listener.start()
        return self._wakeups

    def append(self, batch: Batch, *, now: datetime | None = None) -> Outcome:
        """See `LogWriter.append`."""
        return self._committer.append(batch, now)

    def recorded(self, command: CommandKey) -> Outcome | None:
        """See `LogWriter.recorded`."""
        rows = self._pool.rows("looking for a command", _COMMAND, (command.actor, command.key))
        if not rows:
            return None
        digest, positions, times = rows[0]
        if bytes(digest) != command.digest:
            raise IdempotencyError(f"the key {command.key!r} was used before for another request")
        return Outcome(tuple(positions), tuple(times), replayed=True)

    def append_bulk(self, batches: Iterable[Batch], *, now: datetime | None = None) -> Iterator[Outcome]:
        """See `LogWriter.append_bulk`. Up to one transaction's batches are taken from `batches` in advance."""
        self.check_running()
        return BulkImport(self._pool, self._committer, self._announce).run(batches, now)

    def head(self) -> Head:
        """See `LogReader.head`."""
        rows = self._pool.rows(
            "reading the log's head", "select position, recorded_at from qingling.event order by position desc limit 1"
        )
        return Head(*rows[0]) if rows else Head(0, None)

    def read(self, after: int, limit: int) -> Sequence[StoredEntry]:
        """See `LogReader.read`."""
        return self.select_positions(after + 1, None, limit, ())

    def entries(self, after: int, limit: int) -> Sequence[bytes]:
        """See `LogReader.entries`."""
        return self._pool.read("reading entries", partial(copy_entries, after=after, limit=limit))

    def read_partition(self, partitionkey: str, *, after: int = 0, upto: int | None = None) -> Sequence[StoredEntry]:
        """See `LogReader.read_partition`."""
        return self._entries(
            "partitionkey = %s and position > %s and position <= %s order by position",
            (partitionkey, after, _or_end(upto)),
        )

    def read_partitions(self, partitionkeys: Sequence[str]) -> Sequence[StoredEntry]:
        """See `LogReader.read_partitions`."""
        return self._entries("partitionkey = any(%s) order by position", (list(partitionkeys),))

    def read_streams(self, streams: Sequence[str]) -> Sequence[StoredEntry]:
        """See `LogReader.read_streams`."""
        return self._entries("stream = any(%s) order by position", (list(streams),))

    def last_of_partition(self, partitionkey: str) -> int:
        """See `LogReader.last_of_partition`."""

        def query(cursor: Cursor) -> int:
            cursor.execute(
                "select position from qingling.event where partitionkey = %s order by position desc limit 1",
                (partitionkey,),
            )
            found = cursor.fetchone()
            return 0 if found is None else int(found[0])

        return self._pool.read("reading the end of a partition", query)

    def read_stream(self, stream: str, *, upto: int | None = None) -> Sequence[StoredEntry]:
        """See `LogReader.read_stream`."""
        return self._entries("stream = %s and position <= %s order by version", (stream, _or_end(upto)))

    def stream(self, after: int, upto: int, chunk: int = 10_000) -> Iterator[Sequence[StoredEntry]]:
        """The entries with `after` < position <= `upto`, in order, `chunk` at a time; memory holds one chunk."""
        while after < upto:
            reading = partial(copy_out, after=after, upto=min(upto, after + chunk))
            entries = self._pool.read("streaming the log", reading)
            if not entries:
                return
            after = entries[-1].position
            yield entries

    def histories(self, kind: Kind, upto: int) -> Iterator[History]:
        """Every stream or partition key that has entries up to a position, in no order; memory stays flat."""
        with TemporaryFile() as file:
            self._pool.read(
                "reading what histories there are", lambda cursor: spool_histories(cursor, kind, upto, file)
            )
            yield from spooled(file)

    def position_at(self, instant: datetime) -> int:
        """See `LogReader.position_at`."""
        rows = self._pool.rows("resolving an instant", "select qingling.position_at(%s)", (instant,))
        return int(rows[0][0])

    def select_versions(
        self, stream: str, *, after: int | None, upto: int | None, descending: bool, limit: int | None
    ) -> list[StoredEntry]:
        """See `LogRecorder.select_versions`."""
        order = "desc" if descending else "asc"
        return self._entries(
            f"stream = %s and version > %s and version <= %s order by version {order} limit %s",
            (stream, -1 if after is None else after, 2**31 - 1 if upto is None else upto, limit),
        )

    def select_positions(self, first: int, last: int | None, limit: int, types: Sequence[str]) -> list[StoredEntry]:
        """See `LogRecorder.select_positions`."""
        condition = "and type = any(%s)" if types else ""
        return self._entries(
            f"position >= %s and position <= %s {condition} order by position limit %s",
            (first, _or_end(last), *([list(types)] if types else []), limit),
        )

    def _entries(self, condition: str, parameters: Sequence[object]) -> list[StoredEntry]:
        rows = self._pool.rows(
            "reading the log", f"select {_COLUMNS} from qingling.event where {condition}", parameters
        )
        return [_entry(*row) for row in rows]

    def _announce(self, position: int) -> None:
        self._wakeups.announce(position)
        self._announcer.announce(position)


def _entry(
    position: int, stream: str, version: int, type_: str, recorded_at: datetime, partitionkey: str, entry: memoryview
) -> StoredEntry:
    return StoredEntry(position, stream, version, type_, recorded_at, partitionkey, bytes(entry))


def _or_end(position: int | None) -> int:
    return 2**63 - 1 if position is None else position
