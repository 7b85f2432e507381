"""What a ledger is, for those who write one. The engine knows SQL; a ledger does not.

Three kinds, all pure:

* a *row ledger* (`RowLedger`) keeps one row a key. A row changes by events (`on`) and by changes of another ledger's rows (`follows`);
* a *derived ledger* (`DerivedLedger`) is a function of one row of another ledger: which rows stand here because that row says so;
* a *summary ledger* (`SummaryLedger`) sums, per cell, what each row of another ledger contributes.

A fold is total: it takes any subset of a history in order, so a row may be None where an opening was left out. It never refuses, reads no
clock, and returns the same row for the same input for ever; what changes its result raises the ledger's `version`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Generic, TypeVar

import msgspec

from domain.entries import Recorded, type_of
from domain.streams import StreamEvent

MAX_ORDERS = 2
"""Orders that a ledger may be paged by as of a position (design.md 6); doors offer no others."""


class Row(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A row of a ledger. Ledgers are disposable, so defaults may be left out when a row is stored."""


R = TypeVar("R", bound=Row)
S = TypeVar("S", bound=Row)

Fold = Callable[[Any, Recorded[Any]], Any]
KeyOf = Callable[[Recorded[Any]], "str | None"]


class Kind(StrEnum):
    """How a column is shown and written to a sheet."""

    TEXT = "text"
    MONEY = "money"
    INTEGER = "int"
    DATE = "date"
    TIME = "datetime"
    BOOLEAN = "bool"
    LIST = "list"
    SEALED = "sealed"
    """Personal: joined on reading, by right."""


@dataclass(frozen=True)
class Column:
    """A column that doors show. `of` takes the row and gives the value, without personal plain text."""

    name: str
    zh: str
    en: str
    kind: Kind
    of: Callable[[Any], object]
    sealed_field: str = ""
    """For `SEALED`: the field label that the value was sealed under."""


@dataclass(frozen=True)
class Title:
    """A name in the two languages of the doors."""

    zh: str
    en: str


@dataclass
class _Ledger(Generic[R]):
    name: str
    row: type[R]
    version: int
    title: Title
    columns: Sequence[Column] = ()
    orders: Sequence[str] = ()
    """Row attributes (or columns) that pages can be ordered by, besides the key."""
    filters: Sequence[str] = ()
    """Columns that pages can be filtered by, for equality."""
    search: str | None = None
    """Column that pages can be searched in by prefix."""
    led_by: str | None = None
    """The filter for which every order has indexes of its own: its pages are quick however the order lies to it; orders then cost twice."""

    def __post_init__(self) -> None:
        if len(self.orders) > MAX_ORDERS:
            raise ValueError(
                f"ledger {self.name} declares {len(self.orders)} orders; {MAX_ORDERS} can be kept as of any position"
            )
        known = {column.name for column in self.columns}
        if len(known) < len(self.columns):
            raise ValueError(f"ledger {self.name} has two columns of one name")
        for name in (*self.orders, *self.filters, *([self.search] if self.search else [])):
            if name not in known:
                raise ValueError(f"ledger {self.name} has no column {name!r} to order, filter or search by")
        if self.led_by is not None and self.led_by not in self.filters:
            raise ValueError(f"ledger {self.name} is led by {self.led_by!r}, which is none of its filters")

    @property
    def sources(self) -> Sequence[AnyLedger]:
        """The ledgers whose rows this one is folded from."""
        return ()

    def column(self, name: str) -> Column:
        """The column of that name.

        Raises:
            KeyError: the ledger has none of that name.
        """
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)


@dataclass
class RowLedger(_Ledger[R]):
    """Keeps one row a key."""

    _folds: dict[str, tuple[KeyOf, Fold]] = field(default_factory=dict)
    _followed: list[tuple[AnyLedger, KeyOf, Callable[..., Any]]] = field(default_factory=list)

    def on(self, *event_classes: type[StreamEvent], key: KeyOf | None = None) -> Callable[[Fold], Fold]:
        """Declares the fold of some event types: `fold(row | None, recorded) -> row | None`; None ends the row.

        `key` gives the row that an event changes (None: none); the event's stream where it is not given.
        """

        def declare(fold: Fold) -> Fold:
            for event_class in event_classes:
                name = type_of(event_class)
                if name in self._folds:
                    raise ValueError(f"ledger {self.name} folds {name} twice")
                self._folds[name] = (key or _stream, fold)
            return fold

        return declare

    def follows(self, source: RowLedger[S], key: KeyOf) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Declares what a change of a row of `source` does to this ledger's row: `fold(row | None, old, new, recorded)`.

        `key` gives this ledger's row from the event that changed the source's row.
        """

        def declare(fold: Callable[..., Any]) -> Callable[..., Any]:
            self._followed.append((source, key, fold))
            return fold

        return declare

    @property
    def sources(self) -> Sequence[AnyLedger]:
        return tuple(source for source, _, _ in self._followed)

    @property
    def folds(self) -> Mapping[str, tuple[KeyOf, Fold]]:
        """By event type: which row it changes, and how."""
        return self._folds

    @property
    def followed(self) -> Sequence[tuple[AnyLedger, KeyOf, Callable[..., Any]]]:
        """Source ledgers, the key, and the fold of their changes."""
        return self._followed


@dataclass
class DerivedLedger(_Ledger[R]):
    """Rows that stand because a row of `source` says so: `derive(source row) -> {key: row}`."""

    source: RowLedger[Any] | None = None
    derive: Callable[[Any], Mapping[str, R]] | None = None

    @property
    def sources(self) -> Sequence[AnyLedger]:
        return (self.source,) if self.source is not None else ()

    def rows_of(self, source_row: Row | None) -> Mapping[str, R]:
        """The rows that stand because of `source_row`; none when it is None."""
        if source_row is None or self.derive is None:
            return {}
        return self.derive(source_row)


Cell = tuple[str, ...]
Sums = tuple[int, ...]


@dataclass
class SummaryLedger:
    """Sums per cell over the rows of `source`.

    `contribute(source row)` yields (cell, sums): `cell` has one text a dimension, `sums` one integer a measure. Every measure must
    be a plain sum, so that shards can be added up on reading.
    """

    name: str
    version: int
    title: Title
    source: RowLedger[Any]
    dimensions: Sequence[str]
    measures: Sequence[str]
    contribute: Callable[[Any], Iterable[tuple[Cell, Sums]]]

    @property
    def sources(self) -> Sequence[AnyLedger]:
        return (self.source,)

    def difference(self, old: Row | None, new: Row | None) -> dict[Cell, Sums]:
        """What a change of a source row adds to each cell; cells that do not change are left out."""
        result: dict[Cell, list[int]] = {}
        for row, sign in ((old, -1), (new, 1)):
            if row is None:
                continue
            for cell, sums in self.contribute(row):
                total = result.setdefault(cell, [0] * len(self.measures))
                for i, value in enumerate(sums):
                    total[i] += sign * value
        return {cell: tuple(total) for cell, total in result.items() if any(total)}


AnyLedger = RowLedger[Any] | DerivedLedger[Any] | SummaryLedger


def _stream(recorded: Recorded[Any]) -> str:
    return recorded.envelope.subject


class Catalogue:
    """The ledgers of a deployment, in an order in which each stands after those it is folded from.

    Raises:
        ValueError: two ledgers share a name, a source is missing, or they follow each other in a circle.
    """

    def __init__(self, ledgers: Iterable[AnyLedger]) -> None:
        given = {ledger.name: ledger for ledger in ledgers}
        ordered: dict[str, AnyLedger] = {}
        while len(ordered) < len(given):
            ready = [
                ledger
                for name, ledger in given.items()
                if name not in ordered and all(source.name in ordered for source in ledger.sources)
            ]
            if not ready:
                raise ValueError(
                    f"these ledgers wait for each other or for one that is missing: {sorted(given.keys() - ordered.keys())}"
                )
            for ledger in ready:
                ordered[ledger.name] = ledger
        self._ledgers = ordered

    def __iter__(self) -> Any:
        return iter(self._ledgers.values())

    def __len__(self) -> int:
        return len(self._ledgers)

    def __contains__(self, name: object) -> bool:
        return name in self._ledgers

    def __getitem__(self, name: str) -> AnyLedger:
        return self._ledgers[name]

    def names(self) -> list[str]:
        """In order of dependence."""
        return list(self._ledgers)

    def followers(self, name: str) -> list[str]:
        """The ledgers folded from this one, directly or not, in order."""
        found = {name}
        for ledger in self._ledgers.values():
            if any(source.name in found for source in ledger.sources):
                found.add(ledger.name)
        return [other for other in self._ledgers if other in found and other != name]

    def sources(self, name: str) -> list[str]:
        """The ledgers that this one is folded from, directly or not, in order."""
        found: set[str] = set()
        waiting = [name]
        while waiting:
            for source in self._ledgers[waiting.pop()].sources:
                if source.name not in found:
                    found.add(source.name)
                    waiting.append(source.name)
        return [other for other in self._ledgers if other in found]
