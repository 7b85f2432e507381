"""A lane: some ledgers that stand at the same position in the same parts of the log and are folded together, in one decoding pass.

Ledgers that these are folded from, but that do not belong to the lane, *support* it: their rows are taken as of the lane's position
and folded in memory, never written. Rows that events need are loaded once a stretch and kept in a bounded cache that only reads.

A lane writes nothing. `fold` turns a stretch into a `Chunk`, the change of the stored rows that belongs to it; whoever writes that
says so, or throws the lane away. A lane that raised is not used again before `reset`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from operator import add
from typing import Any, Generic, Protocol, TypeVar

from domain.entries import EventTypes, Recorded, type_of
from domain.errors import UnknownEventError
from infra.folding.feed import UNDIVIDED, FeedEntry, Parts, Stretch, shard_of
from infra.postgres.ledger_chunk import Chunk, Versions
from infra.postgres.ledger_registry import Generation
from infra.postgres.ledger_tables import RowTable, SumTable
from projections.folding import Change, Contributions, Folding, Summing, added
from projections.ledger import AnyLedger, Cell, RowLedger, SummaryLedger, Sums

V = TypeVar("V")


class Rows(Protocol):
    """Where a lane's stored rows come from. Everything is as of what is committed."""

    def rows(self, table: RowTable, keys: Sequence[str], as_of: int | None) -> Iterable[tuple[str, Any]]:
        """The rows of some keys as of a position; None: the open ones."""

    def sums(self, table: SumTable, keys: Sequence[str]) -> Iterable[tuple[str, Sums]]:
        """The cumulative sums of some cells as of the last mark."""

    def since(
        self, table: SumTable, source: RowTable, position: int, shards: frozenset[int] | None
    ) -> dict[int, dict[Cell, Sums]]:
        """By shard and cell: what was added between the last mark before a position and that position."""


@dataclass(frozen=True)
class Member:
    """A ledger of a lane with its live (or building) generation and table."""

    ledger: AnyLedger
    generation: Generation
    table: RowTable | SumTable


class Lane:
    """See the module. `position` is where its ledgers stand, uncommitted chunks included."""

    def __init__(
        self,
        members: Sequence[Member],
        support: Sequence[Member],
        position: int,
        *,
        types: EventTypes,
        rows: Rows,
        cache_rows: int,
        parts: Parts = UNDIVIDED,
    ) -> None:
        self.parts = parts
        self.members = members
        self.support = support
        self.position = position
        self._types = types
        self._rows = rows
        self._shards = None if parts == UNDIVIDED else frozenset(parts)
        self._folding = Folding(_in_order(members, support))
        self._decoded = {name: self._is_folded(name) for name in types}
        self.skip: Collection[str] = frozenset(name for name, folded in self._decoded.items() if not folded)
        self._tables = {member.ledger.name: member.table for member in members}
        self._cache_rows = cache_rows
        self._sources = {m.ledger.name: m.table for m in (*members, *support) if isinstance(m.table, RowTable)}
        self._written = frozenset(self._tables)
        self._supporting = frozenset(member.ledger.name for member in support)
        self.reset(position)

    @property
    def names(self) -> frozenset[str]:
        """The ledgers that it folds."""
        return self._written

    def reset(self, position: int) -> None:
        """Forgets everything but a position: the next stretch starts from what is stored."""
        self.position = position
        stored = {m.ledger.name for m in (*self.members, *self.support) if isinstance(m.ledger, RowLedger)}
        self._ended: Mapping[str, AbstractSet[str]] = {}
        self._cache: Recent[Any] = Recent(stored, complete=position == 0)
        self._summaries = [
            _Summary(member.table, Summing(member.ledger), Recent({member.ledger.name}, complete=position == 0))
            for member in self.members
            if isinstance(member.table, SumTable) and isinstance(member.ledger, SummaryLedger)
        ]
        if position:
            for summary in self._summaries:
                source = self._sources[summary.source]
                summary.begin(self._rows.since(summary.table, source, position, self._shards), position)

    def fold(self, stretch: Stretch) -> Chunk:
        """Folds a stretch that begins after the lane's position; entries at or before it change nothing.

        Raises:
            FoldError: a fold raised at a position of the stretch.
            UnknownEventError: an event is of a type or shape that this release does not know.
        """
        events = [self._decode(entry) for entry in stretch.entries if entry.position > self.position]
        folded = [recorded for recorded in events if recorded is not None]
        self._provide(folded)
        versions = {name: Versions(table) for name, table in self._tables.items()}
        rows = self._cache.young
        for recorded in folded:
            changes = self._folding.apply(recorded, rows)
            if changes:
                self._note(recorded, changes, versions)
        for summary in self._summaries:
            name = summary.table.ledger.name
            summary.close(stretch.watermark, versions[name], self._rows, self._ended.get(name, _NONE))
        self._ended = {name: ended for name, kept in versions.items() if (ended := kept.ended())}
        chunk = Chunk(
            generations=[member.generation.id for member in self.members],
            of=self.parts,
            after=self.position,
            upto=stretch.watermark,
            parts=[part for name in versions if (part := versions[name].part()) is not None],
            events=len(folded),
        )
        self.position = stretch.watermark
        self._cache.rotate(self._cache_rows)
        return chunk

    def _is_folded(self, event_type: str) -> bool:
        return type_of(self._types.class_of(event_type)) in self._folding.event_types

    def _decode(self, entry: FeedEntry) -> Recorded[Any] | None:
        wanted = self._decoded.get(entry.type)
        if wanted is None:
            try:
                wanted = self._decoded[entry.type] = self._is_folded(entry.type)
            except UnknownEventError as error:
                raise UnknownEventError(f"{error} (position {entry.position})", position=entry.position) from None
        return self._types.decode_entry(entry.position, entry.entry) if wanted else None

    def _provide(self, events: Sequence[Recorded[Any]]) -> None:
        """Puts every row that the events may need within reach of the fold."""
        wanted: dict[str, set[str]] = {name: set() for name in self._cache.young}
        keys_of = self._folding.keys
        for recorded in events:
            for name, key in keys_of(recorded):
                wanted[name].add(key)
        for name, keys in wanted.items():
            missing = self._cache.missing(name, keys - self._ended.get(name, _NONE))
            if missing:
                as_of = self.position if name in self._supporting else None
                self._cache.young[name].update(self._rows.rows(self._sources[name], missing, as_of))

    def _note(self, recorded: Recorded[Any], changes: Sequence[Change], versions: Mapping[str, Versions]) -> None:
        shard = shard_of(recorded.envelope.partitionkey)
        position = recorded.position
        for change in changes:
            kept = versions.get(change.ledger)
            if kept is not None:
                kept.change(change.key, shard, position, change.old, change.new)
            for summary in self._summaries:
                if summary.source == change.ledger:
                    summary.add(recorded, shard, change)


def _in_order(members: Sequence[Member], support: Sequence[Member]) -> list[AnyLedger]:
    """Every ledger after those it is folded from."""
    waiting = {member.ledger.name: member.ledger for member in (*support, *members)}
    ordered: list[AnyLedger] = []
    while waiting:
        for name, ledger in list(waiting.items()):
            if not any(source.name in waiting for source in ledger.sources):
                ordered.append(waiting.pop(name))
    return ordered


class Recent(Generic[V]):
    """What was used lately, by ledger and key, in two generations: rotating drops what was not used since the last rotation.

    `young` is a plain mapping that folds read and write. Nothing is dropped that the last stretch used, so what is not yet
    committed is always here. `complete`: nothing was ever dropped, so an absent key is known to have no row.
    """

    def __init__(self, names: Iterable[str], *, complete: bool) -> None:
        self.young: dict[str, dict[str, V]] = {name: {} for name in names}
        self._old: dict[str, dict[str, V]] = {name: {} for name in self.young}
        self.complete = complete

    def missing(self, name: str, keys: Iterable[str]) -> list[str]:
        """Makes known values of some keys young and returns the keys that must be looked for."""
        young, old = self.young[name], self._old[name]
        absent = [key for key in keys if key not in young]
        if old:
            for key in absent:
                if key in old:
                    young[key] = old.pop(key)
            absent = [key for key in absent if key not in young]
        return [] if self.complete else absent

    def rotate(self, limit: int) -> None:
        """Drops the older half when both together might pass `limit` values."""
        if sum(map(len, self.young.values())) * 2 < limit:
            return
        if any(self._old.values()):
            self.complete = False
        for name in self.young:
            self._old[name] = self.young[name]
            self.young[name] = {}


class _Summary:
    """The sums of one summary within a lane: as of the last mark, and what was added since, by mark."""

    def __init__(self, table: SumTable, summing: Summing, cells: Recent[Sums]) -> None:
        self.table = table
        self.source = table.ledger.source.name
        self._summing = summing
        self._cells = cells
        self._name = table.ledger.name
        self._mark = 0
        self._rows: dict[str, tuple[int, Contributions, Contributions]] = {}
        """By key of the source, for the mark that is not yet passed: shard, what its row contributed before, and what it does now."""
        self._begun: dict[int, dict[Cell, Sums]] = {}
        """By shard, for the same mark: what was added before the lane began."""
        self._passed: list[tuple[int, dict[int, dict[Cell, Sums]]]] = []

    def begin(self, added_since: dict[int, dict[Cell, Sums]], position: int) -> None:
        """Takes up what was added since the last mark before the lane's position."""
        self._begun = added_since
        self._mark = self._mark_of(position)

    def _mark_of(self, position: int) -> int:
        """The first mark at or after a position: the one that its change belongs to."""
        return -(-position // self.table.mark) * self.table.mark

    def add(self, recorded: Recorded[Any], shard: int, change: Change) -> None:
        """Takes note of a change of a source row."""
        if recorded.position > self._mark:
            self._pass()
            self._mark = self._mark_of(recorded.position)
        before, now = self._summing.both(recorded, change)
        noted = self._rows.get(change.key)
        self._rows[change.key] = (shard, before if noted is None else noted[1], now)

    def _pass(self) -> None:
        """Adds up what belongs to the mark that has been passed."""
        total, self._begun = self._begun, {}
        for shard, before, now in self._rows.values():
            if before != now:
                cells = total.setdefault(shard, {})
                added(added(cells, now), before, -1)
        self._rows.clear()
        if total:
            self._passed.append((self._mark, total))

    def close(self, watermark: int, versions: Versions, rows: Rows, ended: Collection[str]) -> None:
        """Turns what was added up to every mark that is passed into versions of the cells. `ended`: known to have no row."""
        if self._mark <= watermark:
            self._pass()
        if not self._passed:
            return
        passed, self._passed = self._passed, []
        key_of = self.table.key
        keys = {(shard, cell): key_of(shard, cell) for _, total in passed for shard in total for cell in total[shard]}
        missing = self._cells.missing(self._name, [key for key in keys.values() if key not in ended])
        sums = self._cells.young[self._name]
        if missing:
            sums.update(rows.sums(self.table, missing))
        for mark, total in passed:
            for shard, cells in total.items():
                for cell, difference in cells.items():
                    if any(difference):
                        _step(versions, sums, keys[shard, cell], shard, mark, difference)
        self._cells.rotate(_CELLS)


_CELLS = 400_000
_NONE: frozenset[str] = frozenset()


def _step(versions: Versions, sums: dict[str, Sums], key: str, shard: int, mark: int, difference: Sums) -> None:
    old = sums.pop(key, None)
    new = difference if old is None else tuple(map(add, old, difference))
    if any(new):
        sums[key] = new
    versions.change(key, shard, mark, old, new if any(new) else None)
