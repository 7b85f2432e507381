"""Ledgers: the catalogue, a page of one, a row, the versions of a row."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from api.reading import Reading
from api.time_axes import known_at
from api.views.values import Names, Value, sealed_in, values_of
from api.views.view import KnownAt, LogTag, Said, View, log_tag
from domain.errors import InputError, NotFoundError
from projections.ledger import Column, DerivedLedger, RowLedger, SummaryLedger

if TYPE_CHECKING:
    from infra.bootstrap import VersionedRow

Listed = RowLedger[Any] | DerivedLedger[Any]
"""A ledger that lists rows; a summary has a board instead."""


class ColumnView(View):
    """A column of a ledger."""

    name: str
    zh: str
    en: str
    kind: str
    """How its values are to be read: text, money (fen), int, date, datetime, bool, list, sealed."""

    def to(self, language: str) -> str:
        """Its heading in a language."""
        return self.en if language == "en" else self.zh


class LedgerView(View):
    """A ledger of the catalogue, and what it can be asked."""

    name: str
    title: Said
    kind: str
    """`rows`, or `summary`: sums that are shown on a board."""
    version: int
    """Rises when a release folds it differently."""
    columns: list[ColumnView]
    orders: list[str]
    """Columns that it can be ordered by, besides its key."""
    filters: list[str]
    """Columns that it can be filtered by, for equality."""
    search: str | None
    """Column that can be searched by prefix."""
    folded_from: list[str]
    """The ledgers whose rows it is folded from."""


class CatalogueView(View):
    """Every ledger."""

    log: LogTag
    ledgers: list[LedgerView]


class RowView(View):
    """A row, and the position of the event that last changed it."""

    key: str
    position: int
    values: dict[str, Value]


class LedgerPageView(View):
    """A page of a ledger."""

    log: LogTag
    ledger: str
    title: Said
    position: int
    """The position that the whole page is true at."""
    complete: int
    """Below `position` where the ledger is stopped in a part of the log: the rows of that part are as of there."""
    as_known_at: KnownAt | None
    """What was asked for; null: as known now."""
    order: str | None
    descending: bool
    filters: dict[str, str]
    prefix: str | None
    limit: int
    columns: list[ColumnView]
    rows: list[RowView]
    after: str | None
    """The cursor of the next page; null on the last."""
    next: str | None
    """The address of the next page; null on the last."""


class LedgerRowView(View):
    """One row of a ledger, as known at a position."""

    log: LogTag
    ledger: str
    as_known_at: KnownAt | None
    columns: list[ColumnView]
    row: RowView


class VersionView(View):
    """A row as it stood from one position until before another."""

    position: int
    until: int | None
    """The position that replaced it; null: it stands."""
    values: dict[str, Value]


class VersionsView(View):
    """Every version of a row, oldest first."""

    log: LogTag
    ledger: str
    title: Said
    key: str
    columns: list[ColumnView]
    versions: list[VersionView]


@dataclass(frozen=True)
class Asked:
    """What a reader asks of a ledger; texts as they came."""

    as_known_at: str | None = None
    order: str | None = None
    descending: bool = False
    after: str | None = None
    limit: int = 50
    filters: Mapping[str, str] = field(default_factory=dict)
    prefix: str | None = None
    names: bool = False


def catalogue_view(reading: Reading) -> CatalogueView:
    """Every ledger of the deployment."""
    return CatalogueView(log=log_tag(reading), ledgers=[_ledger_view(ledger) for ledger in reading.platform.catalogue])


def _ledger_view(ledger: Listed | SummaryLedger) -> LedgerView:
    about = {
        "name": ledger.name,
        "title": Said(zh=ledger.title.zh, en=ledger.title.en),
        "version": ledger.version,
        "folded_from": [source.name for source in ledger.sources],
    }
    if isinstance(ledger, SummaryLedger):
        return LedgerView(**about, kind="summary", columns=[], orders=[], filters=[], search=None)
    return LedgerView(
        **about,
        kind="rows",
        columns=column_views(ledger.columns),
        orders=list(ledger.orders),
        filters=list(ledger.filters),
        search=ledger.search,
    )


def column_views(columns: Iterable[Column]) -> list[ColumnView]:
    """Columns as views."""
    return [ColumnView(name=c.name, zh=c.zh, en=c.en, kind=c.kind.value) for c in columns]


def listed(reading: Reading, name: str) -> Listed:
    """The ledger of that name, if it lists rows.

    Raises:
        NotFoundError: there is none, with the nearest name, or it is a summary.
    """
    catalogue = reading.platform.catalogue
    if name not in catalogue:
        raise NotFoundError(f"there is no ledger {name!r}{nearest(name, catalogue.names())}")
    ledger = catalogue[name]
    if isinstance(ledger, SummaryLedger):
        raise NotFoundError(f"{name!r} is a summary without rows of its own; its board is at /v1/clearance")
    return ledger


def nearest(said: str, known: Iterable[str]) -> str:
    """What to add to "there is no such …": the nearest name, or all of them."""
    names = sorted(known)
    near = difflib.get_close_matches(said, names, n=1, cutoff=0.5)
    return f"; did you mean {near[0]!r}?" if near else f"; there are {', '.join(names)}"


def ledger_page(reading: Reading, name: str, asked: Asked, link: Callable[[str], str]) -> LedgerPageView:
    """A page. `link` gives the address of the page after a cursor.

    Raises:
        NotFoundError: no such ledger.
        InputError: an order, filter, prefix or time that the ledger cannot be asked for.
    """
    ledger = listed(reading, name)
    refuse_what_it_is_not_kept_by(ledger, asked)
    platform = reading.platform
    position = known_at(platform, asked.as_known_at)
    page = platform.page(
        name,
        as_of=position,
        order=asked.order,
        descending=asked.descending,
        after=asked.after,
        limit=asked.limit,
        filters=asked.filters,
        prefix=asked.prefix,
    )
    return LedgerPageView(
        log=log_tag(reading),
        ledger=name,
        title=Said(zh=ledger.title.zh, en=ledger.title.en),
        position=page.position,
        complete=page.complete,
        as_known_at=None if position is None else KnownAt(asked=asked.as_known_at, position=position),
        order=asked.order,
        descending=asked.descending,
        filters=dict(asked.filters),
        prefix=asked.prefix,
        limit=asked.limit,
        columns=column_views(ledger.columns),
        rows=row_views(reading, ledger, page.rows, names=asked.names),
        after=page.next,
        next=None if page.next is None else link(page.next),
    )


def row_views(reading: Reading, ledger: Listed, rows: Sequence[VersionedRow[Any]], *, names: bool) -> list[RowView]:
    """Rows as views, their personal fields opened by right."""
    opened = Names(reading, asked=names)
    opened.gather(sealed_in(ledger.columns, (versioned.row for versioned in rows)))
    zone = reading.platform.info.zone
    return [
        RowView(key=v.key, position=v.position, values=values_of(ledger.columns, v.row, opened, zone)) for v in rows
    ]


def refuse_what_it_is_not_kept_by(ledger: Listed, asked: Asked) -> None:
    """Refuses an order, filter or search that the ledger does not declare.

    Raises:
        InputError: naming the field and the nearest that there is.
    """
    if asked.order is not None and asked.order not in ledger.orders:
        raise InputError(
            f"ledger {ledger.name} is not kept in order of {asked.order!r}{nearest(asked.order, ledger.orders)}",
            field="order",
            rule="known-order",
        )
    for name in asked.filters:
        if name not in ledger.filters:
            raise InputError(
                f"ledger {ledger.name} cannot be filtered by {name!r}{nearest(name, (*ledger.filters, *PARAMETERS))}",
                field=name,
                rule="known-parameter",
            )
    if asked.prefix and ledger.search is None:
        raise InputError(f"ledger {ledger.name} has no column to search in", field="prefix", rule="known-parameter")


PARAMETERS = ("as_known_at", "order", "descending", "limit", "after", "prefix", "min_position", "wait", "names")
"""Query parameters of a ledger page that are not filters."""


def ledger_row(reading: Reading, name: str, key: str, as_known_at: str | None, *, names: bool) -> LedgerRowView:
    """One row.

    Raises:
        NotFoundError: no such ledger, or no such row then.
    """
    ledger = listed(reading, name)
    position = known_at(reading.platform, as_known_at)
    found = reading.platform.row(name, key, as_of=position)
    return LedgerRowView(
        log=log_tag(reading),
        ledger=name,
        as_known_at=None if position is None else KnownAt(asked=as_known_at, position=position),
        columns=column_views(ledger.columns),
        row=row_views(reading, ledger, [found], names=names)[0],
    )


def ledger_versions(reading: Reading, name: str, key: str, *, names: bool) -> VersionsView:
    """Every version of a row.

    Raises:
        NotFoundError: no such ledger, or there never was such a row.
    """
    ledger = listed(reading, name)
    found = reading.platform.versions(name, key)
    if not found:
        raise NotFoundError(f"ledger {name} never had a row {key!r}")
    views = row_views(reading, ledger, found, names=names)
    return VersionsView(
        log=log_tag(reading),
        ledger=name,
        title=Said(zh=ledger.title.zh, en=ledger.title.en),
        key=key,
        columns=column_views(ledger.columns),
        versions=[
            VersionView(position=view.position, until=version.until, values=view.values)
            for view, version in zip(views, found, strict=True)
        ],
    )
