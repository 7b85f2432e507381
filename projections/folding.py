"""The pure half of the engine: one event, some ledgers, the rows that it changes.

The same function serves live folding, rebuilding, replay in memory and the tests; only where rows come from differs. `Rows` is a
mapping that the caller keeps: rows of the keys that `keys` names must be in it before `apply` is called (or be absent because the
ledger has none).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from domain.entries import Recorded
from domain.errors import FoldError
from projections.ledger import AnyLedger, DerivedLedger, Row, RowLedger, SummaryLedger


class Change(NamedTuple):
    """A row of a ledger went from `old` to `new` (None: not there)."""

    ledger: str
    key: str
    old: Row | None
    new: Row | None


Rows = dict[str, dict[str, Row]]
"""By ledger, then by key. An absent key is a row that does not exist."""


class Folding:
    """Folds events into some ledgers of a catalogue, given in order of dependence with every source among them."""

    def __init__(self, ledgers: Iterable[AnyLedger]) -> None:
        self.ledgers: Sequence[AnyLedger] = tuple(ledgers)
        self._plans: dict[str, _Plan] = {}
        for ledger in self.ledgers:
            if isinstance(ledger, RowLedger):
                self._plan(ledger)
        self.summaries = tuple(ledger for ledger in self.ledgers if isinstance(ledger, SummaryLedger))
        self._derived = tuple(ledger for ledger in self.ledgers if isinstance(ledger, DerivedLedger))

    def _plan(self, ledger: RowLedger[Any]) -> None:
        for event_type, (key, fold) in ledger.folds.items():
            self._plans.setdefault(event_type, _Plan()).folds.append((ledger.name, key, fold))
        for source, key, fold in ledger.followed:
            for plan in self._plans.values():
                if any(name == source.name for name in plan.changed):
                    plan.followed.append((ledger.name, source.name, key, fold))
        for plan in self._plans.values():
            if any(name == ledger.name for name, _, _ in plan.folds) or any(
                name == ledger.name for name, *_ in plan.followed
            ):
                plan.changed.append(ledger.name)

    @property
    def event_types(self) -> frozenset[str]:
        """The event types that change anything here; others need not be decoded."""
        return frozenset(self._plans)

    def keys(self, recorded: Recorded[Any]) -> list[tuple[str, str]]:
        """(ledger, key) of every stored row that `apply` will read or write for this event."""
        plan = self._plans.get(recorded.envelope.type)
        if plan is None:
            return []
        found = [(name, key(recorded)) for name, key, _ in plan.folds]
        found += [(name, key(recorded)) for name, _, key, _ in plan.followed]
        return [(name, key) for name, key in found if key is not None]

    def apply(self, recorded: Recorded[Any], rows: Rows) -> list[Change]:
        """Folds one event; puts the new rows into `rows` and returns what changed, each (ledger, key) once.

        Raises:
            FoldError: a fold raised, or was handed what it cannot take; names ledger and position. `rows` is then undefined.
        """
        plan = self._plans.get(recorded.envelope.type)
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
        for ledger in self._derived:
            self._derive(recorded, ledger, changes)
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
            raise FoldError(
                f"ledger {name} stopped at position {recorded.position} ({recorded.envelope.id}): {type(error).__name__}: {error}",
                ledger=name,
                position=recorded.position,
            ) from error
        if new is old or new == old:
            return
        if new is None:
            kept.pop(key, None)
        else:
            kept[key] = new
        before = changes.get((name, key))
        changes[name, key] = Change(name, key, old if before is None else before.old, new)

    def _derive(
        self, recorded: Recorded[Any], ledger: DerivedLedger[Any], changes: dict[tuple[str, str], Change]
    ) -> None:
        source = ledger.sources[0].name
        for change in [c for c in changes.values() if c.ledger == source]:
            try:
                before, now = ledger.rows_of(change.old), ledger.rows_of(change.new)
            except Exception as error:
                raise FoldError(
                    f"ledger {ledger.name} stopped at position {recorded.position}: {type(error).__name__}: {error}",
                    ledger=ledger.name,
                    position=recorded.position,
                ) from error
            for key in before.keys() | now.keys():
                old, new = before.get(key), now.get(key)
                if old != new:
                    changes[ledger.name, key] = Change(ledger.name, key, old, new)


class _Plan:
    """What one event type does: its folds, then the ledgers that follow those, in order."""

    __slots__ = ("changed", "folds", "followed")

    def __init__(self) -> None:
        self.folds: list[tuple[str, Any, Any]] = []
        self.followed: list[tuple[str, str, Any, Any]] = []
        self.changed: list[str] = []


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


def sums_of(summary: SummaryLedger, source_rows: Iterable[Row]) -> dict[tuple[str, ...], tuple[int, ...]]:
    """The cells of a summary over the given rows of its source, computed from nothing; cells that sum to zero are left out."""
    total: dict[tuple[str, ...], list[int]] = {}
    for row in source_rows:
        for cell, sums in summary.contribute(row):
            kept = total.setdefault(cell, [0] * len(summary.measures))
            for i, value in enumerate(sums):
                kept[i] += value
    return {cell: tuple(values) for cell, values in total.items() if any(values)}
