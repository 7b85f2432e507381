"""Where the engine gets entries from. A feed is one ordered run of the log, whole or the part of it that some shards make.

The engine asks for what stands after a position and is told how far it then has seen everything (*watermark*): entries that nobody
folds may be left out, so the watermark says more than the last entry does. Positions only rise within a feed; a feed may be read
again from any position, since a ledger that was stopped catches up by itself.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from domain.recording import Head, StoredEntry


@dataclass(frozen=True, slots=True)
class Stretch:
    """A piece of a feed: its entries in order, and the position up to which there are no others that had been asked for."""

    entries: Sequence[StoredEntry]
    watermark: int


class Feed(Protocol):
    """Used by one thread."""

    part: int
    """Which part of the log: -1 is the whole; else the number under which its positions are kept."""
    shards: frozenset[int] | None
    """The shards (crc32 of the partition key mod 16) whose entries come this way; None: all."""

    def head(self) -> int:
        """The last position that the feed holds now."""

    def read(self, after: int, upto: int, limit: int, skip: Collection[str] = ()) -> Stretch:
        """Entries with `after` < position <= `upto`; at most `limit` positions are passed. Those of types in `skip` may be left out.

        Where nothing is left up to `upto`, or to the head, the watermark says so and there are no entries.
        """

    def wait(self, after: int, timeout: float) -> bool:
        """Waits until there is something after a position, at most `timeout` seconds."""


class ReadableLog(Protocol):
    """What a feed needs of a log: a part of `domain.recording.LogReader`, and a wait."""

    def head(self) -> Head:
        """The last recorded entry."""

    def read(self, after: int, limit: int) -> Sequence[StoredEntry]:
        """Up to `limit` entries after a position, in order, without gaps."""

    def wait_for_append(self, after: int, timeout: float) -> bool:
        """Waits until the log has grown beyond a position."""


class LogFeed:
    """The whole log, as its store hands it out."""

    part = -1
    shards: frozenset[int] | None = None

    def __init__(self, log: ReadableLog) -> None:
        self._log = log

    def head(self) -> int:
        """See `Feed.head`."""
        return self._log.head().position

    def read(self, after: int, upto: int, limit: int, skip: Collection[str] = ()) -> Stretch:
        """See `Feed.read`."""
        entries = self._log.read(after, min(limit, upto - after)) if upto > after else ()
        watermark = entries[-1].position if entries else after
        return Stretch([entry for entry in entries if entry.type not in skip] if skip else entries, watermark)

    def wait(self, after: int, timeout: float) -> bool:
        """See `Feed.wait`."""
        return self._log.wait_for_append(after, timeout)
