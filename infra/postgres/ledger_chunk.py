"""What a stretch of events changes in stored ledgers, ready to be written: versions of rows, in COPY's text format."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from domain.errors import FoldError
from infra.postgres.ledger_tables import FOREVER, LedgerTable, RowTable, SumTable


@dataclass
class Part:
    """What a chunk changes in one ledger. Lines are in COPY's text format."""

    table: LedgerTable
    closed: Mapping[str, int]
    """Keys whose stored open version ends, and the position at which it does."""
    past: Sequence[bytes]
    open: Sequence[bytes]


@dataclass
class Chunk:
    """The change of a lane's ledgers from one position to the next. `of`: the parts of the log that it comes from."""

    generations: Sequence[int]
    of: tuple[int, ...]
    after: int
    upto: int
    parts: Sequence[Part]
    events: int


class Versions:
    """Collects what happens to the rows of one table within a chunk; each version that ends within it is written once, as past."""

    def __init__(self, table: RowTable | SumTable) -> None:
        self._table = table
        self._open: dict[str, tuple[int, int, Any]] = {}
        self._closed: dict[str, int] = {}
        self._past: list[bytes] = []

    def change(self, key: str, shard: int, position: int, old: Any, new: Any) -> None:
        """A row went from `old` to `new` (None: not there) at a position."""
        begun = self._open.pop(key, None)
        if begun is not None:
            self._past.append(self._line(key, begun[1], begun[0], position, begun[2]))
        elif old is not None:
            self._closed[key] = position
        if new is not None:
            self._open[key] = (position, shard, new)

    def ended(self) -> set[str]:
        """Keys that had a stored row before and have none after the chunk, which is not known elsewhere before it is committed."""
        return self._closed.keys() - self._open.keys()

    def part(self) -> Part | None:
        """What is to be written; None when nothing changed."""
        if not self._open and not self._closed and not self._past:
            return None
        opened = [self._line(key, shard, start, FOREVER, row) for key, (start, shard, row) in self._open.items()]
        return Part(self._table, self._closed, self._past, opened)

    def _line(self, key: str, shard: int, start: int, end: int, row: Any) -> bytes:
        try:
            return self._table.line(key, shard, start, end, row)
        except Exception as error:
            name = self._table.ledger.name
            raise FoldError(
                f"ledger {name} made a row at position {start} that its columns cannot show: {type(error).__name__}: {error}",
                ledger=name,
                position=start,
            ) from error
