"""A journal of checkpoints: every one that was signed, published or cosigned, in one SQLite file that only grows.

The signer, the publisher and a witness each keep one of their own.

Guarantees: what `add` returned from is on the disk. Of an origin, sizes never fall and a size has one root: what breaks this is
refused, by whichever process it comes from, and nothing that was kept is ever altered. Safe to share between threads and processes.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import RLock
from typing import Final

from domain.errors import LogMismatchError, RecordingError
from domain.sealing.checkpoint import Checkpoint
from domain.sealing.encoding import base64_of

_FORMAT: Final = 1
_PATIENCE: Final = 30.0  # seconds that another process's transaction is waited for
_PAGE: Final = 1_000
_COLUMNS: Final = "number, origin, size, root, note, kept_at"

_SCHEMA: Final = f"""
begin immediate;
create table if not exists checkpoint (
    number integer primary key,
    origin text not null,
    size integer not null,
    root blob not null,
    note blob not null,
    kept_at text not null
) strict;
create index if not exists checkpoint_by_size on checkpoint (origin, size, number);
create trigger if not exists checkpoint_is_never_altered before update on checkpoint
begin select raise(abort, 'a kept checkpoint is never altered'); end;
create trigger if not exists checkpoint_is_never_deleted before delete on checkpoint
begin select raise(abort, 'a kept checkpoint is never deleted'); end;
pragma user_version = {_FORMAT};
commit;
"""


@dataclass(frozen=True, slots=True)
class KeptCheckpoint:
    """A checkpoint of the journal, the note that bore it, and when it was kept by the clock of the machine."""

    checkpoint: Checkpoint
    note: bytes
    kept_at: datetime

    @property
    def size(self) -> int:
        """How many leaves."""
        return self.checkpoint.size

    @property
    def root(self) -> bytes:
        """The root over them, 32 bytes."""
        return self.checkpoint.root


def system_clock() -> datetime:
    """The host's clock."""
    return datetime.now(UTC)


class CheckpointJournal:
    """See the module. A file that is not there is made."""

    def __init__(self, path: Path, *, clock: Callable[[], datetime] = system_clock) -> None:
        self.path = path
        self._clock = clock
        self._lock = RLock()
        self._open: sqlite3.Connection | None = None
        with self._session() as session:
            (found,) = session.execute("pragma user_version").fetchone()
            if found == 0:
                session.executescript(_SCHEMA)
            elif found != _FORMAT:
                raise LogMismatchError(f"{path} is no journal of checkpoints that this release reads")

    def latest(self, origin: str) -> KeptCheckpoint | None:
        """The largest checkpoint of a log, and of those the one kept last; None when there is none."""
        return self._one("origin = ? order by size desc, number desc limit 1", origin)

    def at(self, origin: str, size: int) -> KeptCheckpoint | None:
        """The checkpoint of this size, as it was kept last; None when there is none."""
        return self._one("origin = ? and size = ? order by number desc limit 1", origin, size)

    def upto(self, origin: str, size: int) -> KeptCheckpoint | None:
        """The largest checkpoint that has at most `size` leaves; None when there is none."""
        return self._one("origin = ? and size <= ? order by size desc, number desc limit 1", origin, size)

    def all(self, origin: str, *, after: int = -1) -> Iterator[KeptCheckpoint]:
        """Every checkpoint of a log with more than `after` leaves, in the order of keeping; memory holds a page of them."""
        number = 0
        while True:
            with self._session() as session:
                rows = session.execute(
                    f"select {_COLUMNS} from checkpoint where origin = ? and size > ? and number > ? order by number limit ?",
                    (origin, after, number, _PAGE),
                ).fetchall()
            yield from (_kept(*row[1:]) for row in rows)
            if len(rows) < _PAGE:
                return
            number = rows[-1][0]

    def origins(self) -> list[str]:
        """The logs that there are checkpoints of."""
        with self._session() as session:
            rows = session.execute("select distinct origin from checkpoint order by origin").fetchall()
        return [origin for (origin,) in rows]

    def add(self, checkpoint: Checkpoint, note: bytes) -> None:
        """Keeps a checkpoint with the note that bears it; one that is the latest already, note and all, is not kept twice.

        Raises:
            LogMismatchError: it is smaller than what is kept, or has another root at the same size.
            RecordingError: the file cannot be written; whether it was is open, and asking again does no harm.
        """
        with self.exclusive():
            latest = self.latest(checkpoint.origin)
            _require_growth(latest, checkpoint, self.path)
            if latest is None or latest.checkpoint != checkpoint or latest.note != note:
                kept_at = self._clock().astimezone(UTC).isoformat()
                values = (checkpoint.origin, checkpoint.size, checkpoint.root, note, kept_at)
                with self._session() as session:
                    session.execute(
                        "insert into checkpoint (origin, size, root, note, kept_at) values (?, ?, ?, ?, ?)", values
                    )

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """No other thread or process adds anything while the block runs; what it adds is kept together, or not at all if it raises."""
        with self._lock:
            if self._open is not None:
                yield
                return
            with self._session() as session:
                session.execute("begin immediate")
                self._open = session
                try:
                    yield
                    _commit(session)
                finally:
                    self._open = None
                    if session.in_transaction:
                        session.execute("rollback")

    def _one(self, condition: str, *parameters: object) -> KeptCheckpoint | None:
        with self._session() as session:
            row = session.execute(f"select {_COLUMNS} from checkpoint where {condition}", parameters).fetchone()
        return None if row is None else _kept(*row[1:])

    @contextmanager
    def _session(self) -> Iterator[sqlite3.Connection]:
        """That of the transaction under way in this thread, else one of its own: so nothing stays open between calls."""
        with self._lock:
            if self._open is not None:
                yield self._open
                return
            with (
                _translated(self.path),
                closing(sqlite3.connect(self.path, _PATIENCE, isolation_level=None)) as session,
            ):
                session.execute("pragma synchronous = extra")
                yield session


def _commit(session: sqlite3.Connection) -> None:
    session.execute("commit")


def _kept(origin: str, size: int, root: bytes, note: bytes, kept_at: str) -> KeptCheckpoint:
    return KeptCheckpoint(Checkpoint(origin, size, root), note, datetime.fromisoformat(kept_at))


def _require_growth(latest: KeptCheckpoint | None, checkpoint: Checkpoint, path: Path) -> None:
    if (
        latest is None
        or checkpoint.size > latest.size
        or (checkpoint.size, checkpoint.root) == (latest.size, latest.root)
    ):
        return
    raise LogMismatchError(
        f"{path} keeps a checkpoint of {latest.size} leaves with root {base64_of(latest.root)}; one of {checkpoint.size} leaves with root "
        f"{base64_of(checkpoint.root)} does not follow it"
    )


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.OperationalError as error:
        raise RecordingError(f"the journal of checkpoints {path} cannot be used: {error}") from error
    except sqlite3.DatabaseError as error:
        raise LogMismatchError(f"the journal of checkpoints {path} is damaged: {error}") from error
