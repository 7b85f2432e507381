"""Who is missing (N20, N39): complaints taken into cases that nobody registered, and permits and approvals beside the registered projects.

Guarantee: what is told is so as of one position; nothing is matched on a resemblance (`domain/projects/reconciliation.py`).
"""

from __future__ import annotations

from collections.abc import Collection

from api import time_axes
from api.reading import Reading
from api.views.values import local
from api.views.view import KnownAt, LogTag, Place, Said, View, log_tag, place, said
from api.words import word
from domain.projects.permit_list import ListKind
from domain.projects.reconciliation import Listed, reconcile, registered
from projections.permit_ledger import PermitRow
from projections.project_ledger import ProjectRow


class OrphanView(View):
    """A complaint that was taken into a case which nobody registered."""

    complaint: str
    number: str
    case: str
    place: Place
    received: str


class ListedView(View):
    """A permit or approval as an authority lists it."""

    permit_list: str
    row: int
    """Its row in the newest edition, from 1."""
    kind: str
    kind_title: Said
    number: str | None
    name: str
    place: Place | None
    developer: str | None


class ProjectView(View):
    """A registered project."""

    project: str
    number: str
    name: str
    place: Place


class MatchView(View):
    """A listed entry and its project, which say something differently."""

    listed: ListedView
    project: ProjectView
    rule: str
    rule_title: Said
    conflicts: list[Said]
    """In which particulars they differ."""


class AmbiguousView(View):
    """A listed entry that fits several projects."""

    listed: ListedView
    rule: str
    rule_title: Said
    projects: list[ProjectView]


class CompletenessView(View):
    """What is missing as of a position."""

    log: LogTag
    position: int
    as_known_at: KnownAt | None
    jurisdiction: Place | None
    complete: bool
    """Whether nothing below is missing, ambiguous, in conflict or listed twice. Without any list the base is not known: not complete."""
    orphans: list[OrphanView]
    lists: int
    """Editions that the register is held against: the newest whole one of each authority."""
    listed: int
    projects: int
    matched: int
    unregistered: list[ListedView]
    """Permitted or approved, and not in the register."""
    unlisted: list[ProjectView]
    """In the register, and in no list."""
    ambiguous: list[AmbiguousView]
    conflicting: list[MatchView]
    listed_twice: list[list[ListedView]]


def completeness_view(
    reading: Reading, *, as_known_at: str | None = None, jurisdiction: str | None = None
) -> CompletenessView:
    """Of a jurisdiction and all below it, or of all.

    Raises:
        InputError: the time or the jurisdiction cannot be read.
        NotReadyError: a ledger has not reached the position.
    """
    platform = reading.platform
    info = platform.info
    asked = time_axes.known_at(platform, as_known_at)
    position = platform.head().position if asked is None else asked
    platform.wait_for(position, timeout=_PATIENCE, ledgers=["case", "acceptance", "permit-list", "permit", "project"])
    root = None if jurisdiction is None else info.tree.find(jurisdiction).code
    within: Collection[str] | None = None if root is None else info.tree.within(root)

    def here(code: str | None) -> bool:
        return within is None or code in within

    permits = [v.row for v in platform.rows("permit", as_of=position) if here(v.row.jurisdiction)]
    projects = {
        v.row.project: v.row
        for v in platform.rows("project", as_of=position)
        if here(v.row.standing.particulars.jurisdiction)
    }
    orphans = [v.row for v in platform.orphans(as_of=position) if here(v.row.jurisdiction)]
    found = reconcile(map(_listed, permits), [registered(row.project, row.standing) for row in projects.values()])

    def project(named: str) -> ProjectView:
        return _project(reading, projects[named])

    def listed(row: Listed) -> ListedView:
        return _listed_view(reading, row)

    missing = (orphans, found.unregistered, found.unlisted, found.ambiguous, found.conflicting, found.listed_twice)
    return CompletenessView(
        log=log_tag(reading),
        position=position,
        as_known_at=None if asked is None else KnownAt(asked=as_known_at, position=asked),
        jurisdiction=None if root is None else place(info, root),
        complete=bool(permits) and not any(missing),
        orphans=[
            OrphanView(
                complaint=row.complaint,
                number=row.number,
                case=row.case,
                place=place(info, row.jurisdiction),
                received=local(row.received, info.zone),
            )
            for row in orphans
        ],
        lists=len({row.permit_list for row in permits}),
        listed=len(permits),
        projects=len(projects),
        matched=len(found.matched),
        unregistered=[listed(row) for row in found.unregistered],
        unlisted=[project(each) for each in found.unlisted],
        ambiguous=[
            AmbiguousView(
                listed=listed(each.row),
                rule=each.rule.value,
                rule_title=said(word(each.rule)),
                projects=[project(named) for named in each.projects],
            )
            for each in found.ambiguous
        ],
        conflicting=[
            MatchView(
                listed=listed(match.row),
                project=project(match.project),
                rule=match.rule.value,
                rule_title=said(word(match.rule)),
                conflicts=[said(word(each)) for each in match.conflicts],
            )
            for match in found.conflicting
        ],
        listed_twice=[[listed(row) for row in rows] for rows in found.listed_twice],
    )


_PATIENCE = 1.0
"""Seconds that an answer waits for the ledgers."""


def _listed(row: PermitRow) -> Listed:
    return Listed(
        list=row.permit_list,
        row=row.place_in_list,
        kind=ListKind(row.kind),
        number=row.number,
        name=row.name,
        place=row.jurisdiction,
        developer=row.developer,
    )


def _listed_view(reading: Reading, row: Listed) -> ListedView:
    return ListedView(
        permit_list=row.list,
        row=row.row,
        kind=row.kind.value,
        kind_title=said(word(row.kind)),
        number=row.number,
        name=row.name,
        place=None if row.place is None else place(reading.platform.info, row.place),
        developer=row.developer,
    )


def _project(reading: Reading, row: ProjectRow) -> ProjectView:
    particulars = row.standing.particulars
    return ProjectView(
        project=row.project,
        number=row.standing.number,
        name=particulars.name,
        place=place(reading.platform.info, particulars.jurisdiction),
    )
