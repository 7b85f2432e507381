"""Where the engine gets entries from: the log's own table, or a topic that carries copies of it.

The log is folded whole, or in *parts*: part k are the entries whose partition key has the shard k (`shard_of`), so the rows and sums of
a part are no other part's. A feed brings all of it, or some parts. The engine asks for what stands after a position and is told how
far it then has seen everything (*watermark*): entries that nobody folds may be left out, so the watermark says more than the last
entry does. Positions only rise; a feed may be read again from any position, since a ledger that was stopped catches up by
itself. (Binary format: PostgreSQL's documentation of COPY.)
"""

from __future__ import annotations

import io
import struct
from collections.abc import Collection, Sequence
from typing import NamedTuple, Protocol
from zlib import crc32

from domain.recording import Head
from infra.postgres.ledger_registry import WHOLE
from infra.postgres.ledger_store import LedgerSession
from infra.postgres.ledger_tables import SHARDS

Parts = tuple[int, ...]
UNDIVIDED: Parts = (WHOLE,)
EVERY_PART: Parts = tuple(range(SHARDS))


def shard_of(partitionkey: str) -> int:
    """The shard of a partition key, the same in every feed (design.md 6)."""
    return crc32(partitionkey.encode()) % SHARDS


class FeedEntry(NamedTuple):
    """An entry as far as folding needs it. `shard`: -1 where the log is read undivided."""

    position: int
    type: str
    entry: bytes
    shard: int = WHOLE


class Stretch(NamedTuple):
    """A piece of a feed: its entries in order, and the position up to which there are no others that had been asked for."""

    entries: Sequence[FeedEntry]
    watermark: int


class Feed(Protocol):
    """Used by one thread."""

    parts: Parts
    """The parts whose entries come this way; `UNDIVIDED`: all of the log, which may be read by parts all the same."""

    def head(self) -> int:
        """The last position up to which it can be read now."""

    def read(self, after: int, upto: int, skip: Collection[str] = (), parts: Parts = UNDIVIDED) -> Stretch:
        """Entries of some parts with `after` < position <= `upto`, which is not beyond the head; those of types in `skip` may be left out.

        The watermark may stay below `upto`; what is left is read by the next call.
        """

    def wait(self, after: int, timeout: float) -> bool:
        """Waits until there is something after a position, at most `timeout` seconds."""

    def is_current(self) -> bool:
        """Whether `head` is known just now to be all there is. A feed that may hang without an error asks before it says so."""

    def close(self) -> None:
        """Lets go of what it holds."""


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

    parts = UNDIVIDED

    def __init__(self, log: WatchedLog, session: LedgerSession) -> None:
        self._log = log
        self._session = session
        self._types: dict[bytes, str] = {}

    def head(self) -> int:
        """See `Feed.head`."""
        return self._log.head().position

    def read(self, after: int, upto: int, skip: Collection[str] = (), parts: Parts = UNDIVIDED) -> Stretch:
        """See `Feed.read`."""
        if upto <= after:
            return Stretch((), after)
        data = io.BytesIO()
        columns = "position, type, entry" if parts == UNDIVIDED else "position, type, entry, partitionkey"
        with self._session.reading("reading the log") as cursor:
            where = cursor.mogrify("position > %s and position <= %s", (after, upto)).decode()
            if skip:
                where += cursor.mogrify(" and type <> all(%s)", (sorted(skip),)).decode()
            query = f"select {columns} from qingling.event where {where} order by position"
            cursor.copy_expert(f"copy ({query}) to stdout (format binary)", data, _BUFFER)
        entries = self._entries(data.getvalue(), sharded=parts != UNDIVIDED)
        return Stretch(entries if parts == UNDIVIDED else [each for each in entries if each.shard in parts], upto)

    def wait(self, after: int, timeout: float) -> bool:
        """See `Feed.wait`."""
        return self._log.wait_for_append(after, timeout)

    def is_current(self) -> bool:
        """Asking for the head asks the database."""
        return True

    def close(self) -> None:
        """It holds nothing of its own."""

    def _entries(self, data: bytes, *, sharded: bool) -> list[FeedEntry]:
        """The lines of COPY; `sharded`: each ends in the partition key."""
        types = self._types
        entries = []
        at, end, shard = _HEADER, len(data) - _TRAILER, WHOLE
        while at < end:
            _, _, position, size = _to_type(data, at)
            name = data[(at := at + 18) : (at := at + size)]
            (size,) = _to_size(data, at)
            entry = data[(at := at + 4) : (at := at + size)]
            if sharded:
                (size,) = _to_size(data, at)
                shard = crc32(data[(at := at + 4) : (at := at + size)]) % SHARDS
            entries.append(FeedEntry(position, types.get(name) or types.setdefault(name, name.decode()), entry, shard))
        return entries


_BUFFER = 1 << 16
_HEADER = 19  # bytes: signature, flags, length of the header's extension
_TRAILER = 2
_to_type = struct.Struct(">hiqi").unpack_from  # columns, size, position, size of the type
_to_size = struct.Struct(">i").unpack_from
