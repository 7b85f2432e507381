"""A case: its page on either time axis, both axes side by side, and the search by number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import Field

from api.admission import Read
from api.commands.cases import CASES
from api.commands.catalogue import NOUNS
from api.console.rendering import language_of, path, render
from api.parameters import FEW, FEW_EVENTS, KNOWN_AT, MAX_POSITION, WAS_BY, ComparisonParameters, Parameters
from api.views.case import WHOLE, CaseView, EntryView, Window, case_view, comparison
from api.views.ledger import Asked, ColumnView, column_views, ledger_page
from api.views.thing import CommandView, command_view
from api.views.values import OpenedText
from api.views.why import why_view
from api.words import Word
from projections.case_ledger import case_ledger
from projections.claim_ledger import claim_ledger
from projections.payment_ledger import payment_ledger
from projections.replay import RELATED

router = APIRouter()

CLAIM_COLUMNS = (
    "line",
    "worker",
    "headcount",
    "kind",
    "period_from",
    "period_to",
    "claimed",
    "verified",
    "paid",
    "owing",
)
PAYMENT_COLUMNS = (
    "payment",
    "paid_on",
    "source",
    "purpose",
    "voucher",
    "basis",
    "credited_lines",
    "credited",
    "remaining",
)


class PageParameters(Parameters):
    """A case on one of the two time axes."""

    as_known_at: KNOWN_AT = None
    as_it_was_by: WAS_BY = None
    recorded: Annotated[int | None, Field(ge=1, le=MAX_POSITION)] = None
    """The position that was just recorded, from a form of the console."""
    all: bool = False
    """Whether every event and line is shown, however many there are."""
    lines_from: Annotated[int, Field(ge=1, le=1_000_000)] = 1
    events_before: Annotated[int | None, Field(ge=1, le=MAX_POSITION)] = None

    def window(self) -> Window:
        """The part of the case that the page shows."""
        return WHOLE if self.all else Window(FEW, self.lines_from, FEW_EVENTS, self.events_before)


@router.get("/cases/{case:path}/comparison", response_class=Response)
def compared(request: Request, case: str, read: Read, asked: Annotated[ComparisonParameters, Query()]) -> Response:
    """What was known at the end of a day, beside what was so."""
    view = comparison(read, case, asked.day)
    columns = {column.name: column for column in column_views(case_ledger.columns)}
    return render(request, read, "comparison.html", comparison=view, columns=columns)


class WhyPageParameters(Parameters):
    """Why the words hold, on one of the two time axes."""

    as_known_at: KNOWN_AT = None
    as_it_was_by: WAS_BY = None


@router.get("/cases/{case:path}/why", response_class=Response)
def why(request: Request, case: str, read: Read, asked: Annotated[WhyPageParameters, Query()]) -> Response:
    """Why each computed word holds of a case, or does not: condition by condition, event by event."""
    view = why_view(read, case, as_known_at=asked.as_known_at, as_it_was_by=asked.as_it_was_by, names=True)
    return render(request, read, "why.html", why=view, path_parts=("cases", view.case, "why"))


@router.get("/cases/{case:path}", response_class=Response)
def case(request: Request, case: str, read: Read, asked: Annotated[PageParameters, Query()]) -> Response:
    """Where a case stands, line by line, and how it came there."""
    view = case_view(
        read,
        case,
        as_known_at=asked.as_known_at,
        as_it_was_by=asked.as_it_was_by,
        names=True,
        window=asked.window(),
    )
    columns = {column.name: column for column in column_views(case_ledger.columns)}
    return render(
        request,
        read,
        "case.html",
        case=view,
        columns=columns,
        lines_from=asked.lines_from,
        few=FEW,
        claim_columns=column_views(claim_ledger.column(name) for name in CLAIM_COLUMNS),
        related=_related(view),
        acts=_acts(),
        evidence=_evidence(view),
        payment_columns=column_views(payment_ledger.column(name) for name in PAYMENT_COLUMNS),
        labels=_labels(view, language_of(request)),
        path_parts=("cases", view.case),
    )


@dataclass(frozen=True)
class Related:
    """What is done in a case beside lines and payments, as its page shows it: the columns that say something."""

    title: Word
    columns: list[ColumnView]
    entries: list[EntryView]
    ledger: str
    plural: str | None
    """Where the pages of such things are."""


_NOT_SHOWN = {"case", "jurisdiction", "number"}


def _related(view: CaseView) -> list[Related]:
    plural = {noun.ledger: noun.plural for noun in NOUNS}
    found = []
    for ledger in RELATED:
        entries = view.related.get(ledger.name)
        if entries:
            own = {*_NOT_SHOWN, ledger.name, ledger.name.replace("-", "_"), "backstop"}
            columns = [
                column
                for column in column_views(ledger.columns)
                if column.name not in own
                and any(each.values[column.name] not in (None, "", [], False) for each in entries)
            ]
            title = Word(ledger.title.zh, ledger.title.en)
            there = plural.get("backstop" if ledger.name == "recovery" else ledger.name)
            found.append(Related(title, columns, entries, ledger.name, there))
    return found


def _acts() -> list[tuple[Word, list[CommandView]]]:
    """What can be done with a case, under its headings."""
    found: dict[Word, list[CommandView]] = {}
    for command in CASES.commands.values():
        if not command.opens:
            found.setdefault(command.group or CASES.title, []).append(command_view(command))
    return list(found.items())


def _evidence(view: CaseView) -> list[dict[str, Any]]:
    """The files that the shown events name, each once, the latest first."""
    files = (each for item in reversed(view.timeline) for each in item.evidence)
    return list({str(each["sha256"]): each for each in files}.values())


def _labels(view: CaseView, language: str) -> dict[str, str]:
    """By claim line: its number and, where the reader may see it, its worker."""
    found = {}
    for key, label in view.labels.items():
        name = label.worker.text if isinstance(label.worker, OpenedText) and label.worker.text else ""
        said = Word("明细", "Claim line").to(language)
        found[key] = f"{said} {label.line} {name}".strip()
    return found


class FindParameters(Parameters):
    """A case by its number."""

    number: Annotated[str, Field(max_length=200)] = ""


@router.get("/find", response_class=Response)
def find(request: Request, read: Read, asked: Annotated[FindParameters, Query()]) -> Response:
    """The case whose number begins so; the ledger where there are several, or none."""
    language, number = language_of(request), asked.number.strip()
    if not number:
        return RedirectResponse(path(language, "ledgers", "case"), status_code=303)
    found = ledger_page(read, "case", Asked(prefix=number, limit=2), lambda cursor: cursor)
    if len(found.rows) == 1:
        return RedirectResponse(path(language, "cases", found.rows[0].key), status_code=303)
    return RedirectResponse(path(language, "ledgers", "case", prefix=number), status_code=303)
