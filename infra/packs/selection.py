"""Which cases a pack shows: whether a case is one that a selection asks for."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from zoneinfo import ZoneInfo

from domain.errors import InputError
from domain.jurisdictions import JurisdictionTree
from domain.packs.pack import Selection, SelectionKind
from projections.case_ledger import CaseRow


def asked_for(selection: Selection, tree: Callable[[], JurisdictionTree], zone: ZoneInfo) -> Callable[[CaseRow], bool]:
    """Says of a case, by its row, whether the selection asks for it. Days are those of `zone`.

    Raises:
        InputError: the tree has no such jurisdiction.
    """
    match selection.kind:
        case SelectionKind.CASE:
            return lambda row: row.case == selection.value
        case SelectionKind.PROJECT:
            return lambda row: row.particulars.project == selection.value
        case SelectionKind.JURISDICTION:
            places = tree().within(selection.value or "")
            return lambda row: row.particulars.jurisdiction in places
        case SelectionKind.RECEIVED:
            first, last = selection.first or date.min, selection.last or date.max
            return lambda row: first <= row.particulars.received.astimezone(zone).date() <= last
        case SelectionKind.ALL:
            return lambda _: True


def selection_of(
    *,
    case: str | None = None,
    project: str | None = None,
    jurisdiction: str | None = None,
    first: date | None = None,
    last: date | None = None,
    everything: bool = False,
) -> Selection:
    """The one selection that was asked for.

    Raises:
        InputError: none was, or several at once.
    """
    found = []
    for kind, value in (
        (SelectionKind.CASE, case),
        (SelectionKind.PROJECT, project),
        (SelectionKind.JURISDICTION, jurisdiction),
    ):
        if value is not None:
            found.append(Selection(kind=kind, value=value))
    if first is not None or last is not None:
        found.append(_span(first, last))
    if everything:
        found.append(Selection(kind=SelectionKind.ALL))
    if len(found) != 1:
        raise InputError(
            "say which cases: one of --case, --project, --jurisdiction, --from with --to, or --all",
            field="selection",
            rule="one-selection",
        )
    return found[0]


def _span(first: date | None, last: date | None) -> Selection:
    if first is None or last is None or last < first:
        raise InputError("a span of days has --from and --to, in this order", field="from", rule="span-of-days")
    return Selection(kind=SelectionKind.RECEIVED, first=first, last=last)
