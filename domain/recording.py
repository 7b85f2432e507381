"""What it means to record: the shapes that cross the line between the pure core and a store, and the store's port.

Words (ARCHITECTURE.md, glossary): a *draft* is an entry whose recorded time is still the placeholder; *recording* gives it a
position and a time; from then on its bytes never change. Positions are dense: 1, 2, 3, … without gaps.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple, Protocol

from domain.errors import RecordingError

TIME_WIDTH = 27
TIME_PLACEHOLDER = "0000-00-00T00:00:00.000000Z"
_MARK = b'"time":"' + TIME_PLACEHOLDER.encode() + b'"'
MAX_ENTRY = 65_535
"""Bytes an entry may have (C2SP tlog-tiles: an entry bundle counts its length in sixteen bits)."""


def time_offset(entry: bytes) -> int:
    """Zero-based offset of the 27 bytes of recorded time in a draft entry, or -1 when it holds no placeholder.

    The envelope's `time` sorts after `data`, and a quotation mark within a string is escaped, so the last match is the
    envelope's own whatever a text says.
    """
    found = entry.rfind(_MARK)
    return found if found < 0 else found + len(b'"time":"')


def time_text(recorded_at: datetime) -> str:
    """The recorded time as it stands in an entry: RFC 3339, UTC, six digits of a second, always 27 characters."""
    return recorded_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ").rjust(TIME_WIDTH, "0")


def filled(entry: bytes, offset: int, recorded_at: datetime) -> bytes:
    """The final bytes of a draft: `recorded_at` written over the placeholder at `offset`; unchanged where offset is -1."""
    if offset < 0:
        return entry
    return entry[:offset] + time_text(recorded_at).encode() + entry[offset + TIME_WIDTH :]


@dataclass(frozen=True, slots=True)
class Draft:
    """An entry that waits for its position and time. `version` counts from 1 within `stream`."""

    stream: str
    version: int
    type: str
    partitionkey: str
    entry: bytes
    time_at: int

    def __post_init__(self) -> None:
        if len(self.entry) > MAX_ENTRY:
            raise RecordingError(
                f"the entry of {self.stream}/{self.version} has {len(self.entry)} bytes; {MAX_ENTRY} are allowed"
            )


@dataclass(frozen=True, slots=True)
class CommandKey:
    """What makes a command repeatable: `digest` is a keyed digest (HMAC-SHA-256) of the request, never the request."""

    actor: str
    key: str
    digest: bytes


@dataclass(frozen=True, slots=True)
class Batch:
    """Drafts that are recorded together or not at all, with the command they come from (None: not repeatable)."""

    drafts: Sequence[Draft]
    command: CommandKey | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """Where a batch stands in the log. `replayed`: the same command had been recorded before; nothing was added now."""

    positions: tuple[int, ...]
    recorded_at: tuple[datetime, ...]
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class StoredEntry:
    """A recorded entry as the store hands it out."""

    position: int
    stream: str
    version: int
    type: str
    recorded_at: datetime
    partitionkey: str
    entry: bytes


class History(NamedTuple):
    """Where the entries of a stream, or of a partition key, stand: `positions` in order of version, or of position."""

    name: str
    positions: Sequence[int]
    contiguous: bool
    """Whether a stream's versions are 1, 2, 3, … without gaps; a partition key has none that could be missing."""


@dataclass(frozen=True, slots=True)
class Head:
    """The end of the log; position 0 with no time when it is empty."""

    position: int
    recorded_at: datetime | None


class LogReader(Protocol):
    """Reads the log. Any number of readers may run beside writers; what is returned is committed and never changes."""

    def head(self) -> Head:
        """The last recorded entry."""

    def read(self, after: int, limit: int) -> Sequence[StoredEntry]:
        """Up to `limit` entries with position > `after`, in order of position, without gaps."""

    def entries(self, after: int, limit: int) -> Sequence[bytes]:
        """The bytes of up to `limit` entries with position > `after`, in order and without gaps: the first is that at `after` + 1.

        Raises:
            LogMismatchError: a position is missing from what is stored.
        """

    def read_partition(self, partitionkey: str, *, after: int = 0, upto: int | None = None) -> Sequence[StoredEntry]:
        """Every entry of one partition key (a case and all that belongs to it) with `after` < position <= `upto`, in order."""

    def read_partitions(self, partitionkeys: Sequence[str]) -> Sequence[StoredEntry]:
        """Every entry of several partition keys, in order of position."""

    def read_streams(self, streams: Sequence[str]) -> Sequence[StoredEntry]:
        """Every entry of several streams, in order of position."""

    def last_of_partition(self, partitionkey: str) -> int:
        """The position of the last entry of one partition key; 0 where it has none."""

    def read_stream(self, stream: str, *, upto: int | None = None) -> Sequence[StoredEntry]:
        """Every entry of one stream with position <= `upto`, in order of version."""

    def position_at(self, instant: datetime) -> int:
        """The last position whose recorded time is <= `instant`: what was known then.

        An instant that is not past for the database is resolved under the append lock, so that no entry can later be
        recorded at or before it below the position returned.
        """


class LogWriter(Protocol):
    """Appends to the log. Safe to share between threads; concurrent calls are merged into one transaction."""

    def append(self, batch: Batch, *, now: datetime | None = None) -> Outcome:
        """Records a batch, all of it or nothing; returns after it is durable.

        `now` plays the clock of a simulation (it only runs forward) and is refused on a real log.

        Raises:
            ConflictError: a (stream, version) of the batch is taken, or does not follow the last one.
            IdempotencyError: the command's key was used for another request.
            RecordingError: the store failed; after a lost commit the writer has looked again before raising.
            ClockError: host and database disagree about the time; the writer has stopped.
        """

    def recorded(self, command: CommandKey) -> Outcome | None:
        """What came of a command that was recorded before; None where it was not. An append looks again, under the lock.

        Raises:
            IdempotencyError: the command's key was used for another request.
        """

    def append_bulk(self, batches: Iterable[Batch], *, now: datetime | None = None) -> Iterator[Outcome]:
        """Records many batches in order with COPY, in transactions of at most 5,000 events, a batch never split.

        Yields one outcome a batch, after the transaction that holds it is durable. A conflict or a failure undoes the
        transaction it happens in and raises; what was yielded before stays recorded. A batch whose command was recorded
        before is answered as replayed.
        """
