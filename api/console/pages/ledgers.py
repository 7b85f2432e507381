"""The ledgers: their list, a table of each, a row with its versions, exports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from api.admission import Read
from api.console.rendering import language_of, path, render
from api.exports import export_response
from api.parameters import ExportParameters, LedgerParameters, NoParameters
from api.views.ledger import (
    Asked,
    ColumnView,
    LedgerPageView,
    Listed,
    catalogue_view,
    ledger_page,
    ledger_versions,
    listed,
)
from api.views.status import status_view
from api.words import COLUMN_WORDS, Vocabulary
from projections.ledger import Kind

router = APIRouter(prefix="/ledgers")

TRAIL = 20
"""Pages that a reader can go back by; from further on there is the first page."""

FIRST_PAGE = "-"
"""Stands for the first page, which has no cursor."""


class TableParameters(LedgerParameters):
    """A ledger's table: a page, and how one came to it."""

    trail: Annotated[str | None, Field(max_length=8_000)] = None
    """Cursors of the pages before this one, joined by commas."""
    columns: Annotated[str | None, Field(pattern="^all$")] = None
    """`all`: also the columns that are empty on this page."""


@router.get("", response_class=Response)
def ledgers(request: Request, read: Read, _: Annotated[NoParameters, Query()]) -> Response:
    """Every ledger, with where it stands."""
    standing = {ledger.name: ledger for ledger in status_view(read).ledgers}
    return render(request, read, "ledgers.html", catalogue=catalogue_view(read), standing=standing)


@router.get("/{name}", response_class=Response)
def ledger(request: Request, name: str, read: Read, asked: Annotated[TableParameters, Query()]) -> Response:
    """A page of a ledger: filtered, sorted, as known at any time."""
    found = listed(read, name)
    asked.wait_on(read, name)
    trail = asked.trail.split(",") if asked.trail else []
    language = language_of(request)
    here = {name: value for name, value in request.query_params.items() if name not in ("after", "trail")}

    def forward(cursor: str) -> str:
        passed = [*trail, asked.after or FIRST_PAGE][-TRAIL:]
        return path(language, "ledgers", name, **here, after=cursor, trail=",".join(passed))

    view = ledger_page(read, name, _in_its_order(found, asked.asked()), forward)
    back = None
    if trail:
        before = None if trail[-1] == FIRST_PAGE else trail[-1]
        back = path(language, "ledgers", name, **here, after=before, trail=",".join(trail[:-1]))
    columns, folded_away = _visible(view, everything=asked.columns == "all")
    return render(
        request,
        read,
        "ledger.html",
        page=view,
        columns=columns,
        folded_away=folded_away,
        back=back,
        orders=[view_column for view_column in view.columns if view_column.name in found.orders],
        filters=_filters(read, name, view),
        search=next((c for c in view.columns if c.name == found.search), None),
    )


def _in_its_order(ledger: Listed, asked: Asked) -> Asked:
    """What is asked, with names; in the ledger's first order where none is: amounts and times from the largest, words from the first."""
    if asked.order is not None or not ledger.orders:
        return replace(asked, names=True)
    order = ledger.orders[0]
    return replace(asked, names=True, order=order, descending=ledger.column(order).kind in (Kind.MONEY, Kind.TIME))


def _visible(view: LedgerPageView, *, everything: bool) -> tuple[list[ColumnView], list[ColumnView]]:
    """Columns that say something on this page, and those that do not. The id of a case is left to the link on its number."""
    columns = sorted(view.columns, key=lambda column: _rank(view.ledger, column.name))
    if everything:
        return columns, []
    with_number = any(column.name == "number" for column in view.columns)
    empty = {
        column.name
        for column in view.columns
        if view.rows and all(row.values[column.name] in (None, [], False) for row in view.rows)
    }
    hidden = empty | ({"case"} if with_number else set())
    shown = [column for column in columns if column.name not in hidden]
    return shown, [column for column in columns if column.name in empty]


FIRST: Mapping[str, tuple[str, ...]] = {
    "case": (
        "number",
        "jurisdiction",
        "received",
        "classes",
        "stage",
        "headcount",
        "verified",
        "paid",
        "owing",
        "debtor",
    ),
    "claim": ("case", "line", "worker", "claimed", "verified", "paid", "owing"),
}
"""Columns that a reader looks at first; the others follow in the ledger's own order."""


def _rank(ledger: str, column: str) -> int:
    first = FIRST.get(ledger, ())
    return first.index(column) if column in first else len(first)


def _filters(read: Read, name: str, view: LedgerPageView) -> list[tuple[ColumnView, Vocabulary | None]]:
    """The columns that can be filtered by, each with its closed list where it has one."""
    wanted = listed(read, name).filters
    return [(column, COLUMN_WORDS.get((name, column.name))) for column in view.columns if column.name in wanted]


@router.get("/{name}/export", response_class=Response)
def export(name: str, read: Read, asked: Annotated[ExportParameters, Query()]) -> Response:
    """The whole ledger as a file."""
    return export_response(read, name, asked)


@router.get("/{name}/rows/{key:path}", response_class=Response)
def versions(request: Request, name: str, key: str, read: Read, _: Annotated[NoParameters, Query()]) -> Response:
    """A row as it ever stood, each version with the event that made it."""
    view = ledger_versions(read, name, key, names=True)
    changed: list[list[ColumnView]] = []
    before: dict[str, Any] = {}
    for version in view.versions:
        changed.append([column for column in view.columns if version.values[column.name] != before.get(column.name)])
        before = version.values
    return render(
        request,
        read,
        "versions.html",
        row=view,
        steps=list(zip(view.versions, changed, strict=True)),
    )
