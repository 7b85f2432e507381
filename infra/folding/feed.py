"""Where the engine gets entries from. A feed is one ordered run of the log, whole or the part of it that some shards make.

The engine asks for what stands after a position and is told how far it then has seen everything (*watermark*): entries that nobody
folds may be left out, so the watermark says more than the last entry does. Positions only rise within a feed; a feed may be read
again from any position, since a ledger that was stopped catches up by itself. (Binary format: PostgreSQL's documentation of COPY.)
"""

from __future__ import annotations

import io
import struct
from collections.abc import Collection, Sequence
from typing import NamedTuple, Protocol

from domain.recording import Head
from infra.postgres.ledger_store import LedgerSession


class FeedEntry(NamedTuple):
    """An entry as far as folding needs it."""

    position: int
    type: str
    entry: bytes


class Stretch(NamedTuple):
    """A piece of a feed: its entries in order, and the position up to which there are no others that had been asked for."""

    entries: Sequence[FeedEntry]
    watermark: int


class Feed(Protocol):
    """Used by one thread."""

    part: int
    """Which part of the log: -1 is the whole; else the number under which its positions are kept."""
    shards: frozenset[int] | None
    """The shards (crc32 of the partition key mod 16) whose entries come this way; None: all."""

    def head(self) -> int:
        """The last position that the feed holds now."""

    def read(self, after: int, upto: int, skip: Collection[str] = ()) -> Stretch:
        """Entries with `after` < position <= `upto`, which is not beyond the head; those of types in `skip` may be left out.

        The watermark may stay below `upto`; what is left is read by the next call.
        """

    def wait(self, after: int, timeout: float) -> bool:
        """Waits until there is something after a position, at most `timeout` seconds."""


class WatchedLog(Protocol):
    """What the feed needs of a log beside its table."""

    def head(self) -> Head:
        """The last recorded entry."""

    def wait_for_append(self, after: int, timeout: float) -> bool:
        """Waits until the log has grown beyond a position."""


class LogFeed:
    """The whole log, read from its table by COPY in binary, since that is what a rebuild waits for longest.

    Positions are dense and an entry is visible only after all before it, so whatever was asked for has been seen.
    """

    part = -1
    shards: frozenset[int] | None = None

    def __init__(self, log: WatchedLog, session: LedgerSession) -> None:
        self._log = log
        self._session = session
        self._types: dict[bytes, str] = {}

    def head(self) -> int:
        """See `Feed.head`."""
        return self._log.head().position

    def read(self, after: int, upto: int, skip: Collection[str] = ()) -> Stretch:
        """See `Feed.read`."""
        if upto <= after:
            return Stretch((), after)
        data = io.BytesIO()
        with self._session.reading("reading the log") as cursor:
            where = cursor.mogrify("position > %s and position <= %s", (after, upto)).decode()
            if skip:
                where += cursor.mogrify(" and type <> all(%s)", (sorted(skip),)).decode()
            query = f"select position, type, entry from qingling.event where {where} order by position"
            cursor.copy_expert(f"copy ({query}) to stdout (format binary)", data, _BUFFER)
        return Stretch(self._entries(data.getvalue()), upto)

    def wait(self, after: int, timeout: float) -> bool:
        """See `Feed.wait`."""
        return self._log.wait_for_append(after, timeout)

    def _entries(self, data: bytes) -> list[FeedEntry]:
        types = self._types
        entries = []
        at, end = _HEADER, len(data) - _TRAILER
        while at < end:
            _, _, position, size = _to_type(data, at)
            name = data[(at := at + 18) : (at := at + size)]
            (size,) = _to_entry(data, at)
            entry = data[(at := at + 4) : (at := at + size)]
            entries.append(FeedEntry(position, types.get(name) or types.setdefault(name, name.decode()), entry))
        return entries


_BUFFER = 1 << 16
_HEADER = 19  # bytes: signature, flags, length of the header's extension
_TRAILER = 2
_to_type = struct.Struct(">hiqi").unpack_from  # columns, size, position, size of the type
_to_entry = struct.Struct(">i").unpack_from
