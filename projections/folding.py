"""The pure half of the engine: one event, some ledgers, the rows that it changes.

The same function serves live folding, rebuilding, replay in memory and the tests; only where rows come from differs. `Rows` is a
mapping that the caller keeps: rows of the keys that `keys` names must be in it before `apply` is called (or be absent because the
ledger has none).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import add, sub
from typing import Any, Generic, NamedTuple, TypeVar

from domain.entries import Recorded
from domain.errors import FoldError
from projections.ledger import AnyLedger, Cell, DerivedLedger, Row, RowLedger, SummaryLedger, Sums


class Change(NamedTuple):
    """A row of a ledger went from `old` to `new` (None: not there)."""

    ledger: str
    key: str
    old: Row | None
    new: Row | None


Rows = dict[str, dict[str, Row]]
"""By ledger, then by key. An absent key is a row that does not exist."""


class Folding:
    """Folds events into some ledgers of a catalogue, given in order of dependence with every source among them.

    An event counts as what it is read as: one of an older type, upcast on reading, is folded like one of the current type.
    """

    def __init__(self, ledgers: Iterable[AnyLedger]) -> None:
        self.ledgers: Sequence[AnyLedger] = tuple(ledgers)
        self._plans: dict[str, _Plan] = {}
        for ledger in self.ledgers:
            if isinstance(ledger, RowLedger):
                self._plan(ledger)
        self.summaries = tuple(ledger for ledger in self.ledgers if isinstance(ledger, SummaryLedger))
        self._deriving: dict[str, list[tuple[str, Remembered[Mapping[str, Row]]]]] = {}
        for ledger in self.ledgers:
            if isinstance(ledger, DerivedLedger):
                deriving = self._deriving.setdefault(ledger.sources[0].name, [])
                deriving.append((ledger.name, Remembered(ledger.rows_of)))

    def _plan(self, ledger: RowLedger[Any]) -> None:
        for event_type, (key, fold) in ledger.folds.items():
            self._plans.setdefault(event_type, _Plan()).folds.append((ledger.name, key, fold))
        for source, key, fold in ledger.followed:
            for plan in self._plans.values():
                if source.name in plan.changed:
                    plan.followed.append((ledger.name, source.name, key, fold))
        for plan in self._plans.values():
            if any(name == ledger.name for name, *_ in (*plan.folds, *plan.followed)):
                plan.changed.append(ledger.name)
            plan.keys = [(name, key) for name, key, _ in plan.folds] + [
                (name, key) for name, _, key, _ in plan.followed
            ]

    @property
    def event_types(self) -> frozenset[str]:
        """The current event types that change anything here; others need not be decoded."""
        return frozenset(self._plans)

    def keys(self, recorded: Recorded[Any]) -> list[tuple[str, str]]:
        """(ledger, key) of every stored row that `apply` will read or write for this event.

        Raises:
            FoldError: a ledger's `key` raised.
        """
        plan = self._plans.get(recorded.event.TOPIC)
        if plan is None:
            return []
        name = ""
        found = []
        try:
            for name, key_of in plan.keys:
                key = key_of(recorded)
                if key is not None:
                    found.append((name, key))
        except Exception as error:
            raise _stopped(name, recorded, error) from error
        return found

    def apply(self, recorded: Recorded[Any], rows: Rows) -> list[Change]:
        """Folds one event; puts the new rows into `rows` and returns what changed, each (ledger, key) once.

        Raises:
            FoldError: a fold raised, or was handed what it cannot take; names ledger and position. `rows` is then undefined.
        """
        plan = self._plans.get(recorded.event.TOPIC)
        if plan is None:
            return []
        changes: dict[tuple[str, str], Change] = {}
        for name, key_of, fold in plan.folds:
            key = key_of(recorded)
            if key is not None:
                self._step(recorded, rows, changes, name, key, fold, ())
        for name, source, key_of, fold in plan.followed:
            key = key_of(recorded)
            if key is not None:
                for change in [c for c in changes.values() if c.ledger == source]:
                    self._step(recorded, rows, changes, name, key, fold, (change.old, change.new))
        for change in list(changes.values()):
            for name, remembered in self._deriving.get(change.ledger, ()):
                self._derive(recorded, name, remembered, change, changes)
        return list(changes.values())

    def _step(
        self,
        recorded: Recorded[Any],
        rows: Rows,
        changes: dict[tuple[str, str], Change],
        name: str,
        key: str,
        fold: Any,
        source: tuple[Row | None, ...],
    ) -> None:
        kept = rows.setdefault(name, {})
        old = kept.get(key)
        try:
            new = fold(old, *source, recorded)
        except Exception as error:
            raise _stopped(name, recorded, error) from error
        if new is old or new == old:
            return
        if new is None:
            del kept[key]
        else:
            kept[key] = new
        before = changes.get((name, key))
        if before is None:
            changes[name, key] = Change(name, key, old, new)
        elif before.old == new:
            del changes[name, key]
        else:
            changes[name, key] = Change(name, key, before.old, new)

    @staticmethod
    def _derive(
        recorded: Recorded[Any],
        name: str,
        remembered: Remembered[Mapping[str, Row]],
        change: Change,
        changes: dict[tuple[str, str], Change],
    ) -> None:
        try:
            before, now = remembered.both(change)
        except Exception as error:
            raise _stopped(name, recorded, error) from error
        if not before and not now:
            return
        for key in before.keys() | now.keys():
            old, new = before.get(key), now.get(key)
            if old != new:
                changes[name, key] = Change(name, key, old, new)


def _stopped(ledger: str, recorded: Recorded[Any], error: Exception) -> FoldError:
    return FoldError(
        f"ledger {ledger} stopped at position {recorded.position} ({recorded.envelope.id}): {type(error).__name__}: {error}",
        ledger=ledger,
        position=recorded.position,
    )


V = TypeVar("V")
Contributions = tuple[tuple[Cell, Sums], ...]
_REMEMBERED = 50_000


class Remembered(Generic[V]):
    """A pure function of a row, with the result for each key's latest row kept: the old row of a change was the new one of the last."""

    def __init__(self, function: Callable[[Row | None], V]) -> None:
        self._function = function
        self._latest: dict[str, tuple[Row | None, V]] = {}

    def both(self, change: Change) -> tuple[V, V]:
        """The function's values for the old row and the new one."""
        known = self._latest.get(change.key)
        before = known[1] if known is not None and known[0] is change.old else self._function(change.old)
        now = self._function(change.new)
        if len(self._latest) >= _REMEMBERED:
            self._latest.clear()
        self._latest[change.key] = (change.new, now)
        return before, now


class Summing:
    """What the rows of a source contribute to the cells of a summary."""

    def __init__(self, summary: SummaryLedger) -> None:
        self.summary = summary
        self._remembered = Remembered(self._contributions)

    def _contributions(self, row: Row | None) -> Contributions:
        return () if row is None else tuple(self.summary.contribute(row))

    def both(self, recorded: Recorded[Any], change: Change) -> tuple[Contributions, Contributions]:
        """What the old row of a change contributed, and what the new one does.

        Raises:
            FoldError: the summary's `contribute` raised.
        """
        try:
            return self._remembered.both(change)
        except Exception as error:
            raise _stopped(self.summary.name, recorded, error) from error


def added(total: dict[Cell, Sums], contributions: Iterable[tuple[Cell, Sums]], sign: int = 1) -> dict[Cell, Sums]:
    """Adds contributions (or takes them away) into `total`, which is returned."""
    for cell, sums in contributions:
        held = total.get(cell)
        if held is None:
            total[cell] = sums if sign > 0 else tuple(-value for value in sums)
        elif sign > 0:
            total[cell] = tuple(map(add, held, sums))
        else:
            total[cell] = tuple(map(sub, held, sums))
    return total


class _Plan:
    """What one event type does: its folds, then the ledgers that follow those, in order."""

    __slots__ = ("changed", "folds", "followed", "keys")

    def __init__(self) -> None:
        self.folds: list[tuple[str, Any, Any]] = []
        self.followed: list[tuple[str, str, Any, Any]] = []
        self.changed: list[str] = []
        self.keys: list[tuple[str, Any]] = []


def fold_all(ledgers: Iterable[AnyLedger], events: Iterable[Recorded[Any]]) -> Rows:
    """The rows after a history, in memory: every row and derived ledger by name and key. For one case, for replay, for tests."""
    folding = Folding(ledgers)
    rows: Rows = {}
    derived = {ledger.name for ledger in folding.ledgers if isinstance(ledger, DerivedLedger)}
    for recorded in events:
        for change in folding.apply(recorded, rows):
            if change.ledger in derived:
                kept = rows.setdefault(change.ledger, {})
                if change.new is None:
                    kept.pop(change.key, None)
                else:
                    kept[change.key] = change.new
    return rows


def sums_of(summary: SummaryLedger, source_rows: Iterable[Row]) -> dict[Cell, Sums]:
    """The cells of a summary over the given rows of its source, computed from nothing; cells that sum to zero are left out."""
    total: dict[Cell, Sums] = {}
    for row in source_rows:
        added(total, summary.contribute(row))
    return {cell: sums for cell, sums in total.items() if any(sums)}
