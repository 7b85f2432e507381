"""Commands about projects and permit lists: load, ask, commit. `now` plays the clock of a simulation."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from datetime import date
from typing import Unpack

from domain.errors import ConflictError, RuleError
from domain.projects.particulars import ProjectParticulars
from domain.projects.permit_list import ListedRow, ListKind, PermitList
from domain.projects.project import Project
from domain.recording import Outcome
from domain.repository import Command, Streams, act, decide_repeatably
from domain.streams import Provenance
from domain.vocabulary import Evidence


def project_id(origin: str, number: str) -> str:
    """The id of the project with that number in that log: a number is taken once."""
    return f"project-{hashlib.sha256(f'{origin} {number}'.encode()).hexdigest()[:32]}"


def permit_list_id(origin: str, kind: ListKind, authority: str, place: str) -> str:
    """The id of an authority's list: its editions follow one another in one stream."""
    return f"permit-list-{hashlib.sha256(f'{origin} {kind.value} {place} {authority}'.encode()).hexdigest()[:32]}"


def register_project(
    streams: Streams,
    *,
    origin: str,
    number: str,
    particulars: ProjectParticulars,
    provenance: Provenance,
    **sent: Unpack[Command],
) -> str:
    """Enters a project in the register; returns its id.

    Raises:
        RuleError: the number is taken.
    """
    project = Project(id=project_id(origin, number), number=number, particulars=particulars, provenance=provenance)
    try:
        streams.commit(project, **sent)
    except ConflictError:
        raise RuleError(f"there is a project {number!r} already", rule="project-once", clause="N39") from None
    return project.id


def change_project(
    streams: Streams, *, project: str, change: Callable[[Project], object], **sent: Unpack[Command]
) -> Outcome:
    """Asks a project for one act or fact, a method of `Project`, and records what it decided.

    Numbers of parties and showings stand in the events recorded, so that a repeated command finds them again.

    Raises:
        NotFoundError: there is no such project.
        Refused: the project refuses, or others were first again and again.
    """

    def ask(found: Project) -> None:
        change(found)

    return act(streams, Project, project, ask, **sent)


def hand_in_list(
    streams: Streams,
    *,
    origin: str,
    kind: ListKind,
    authority: str,
    place: str,
    file: Evidence,
    asof: date,
    rows: Sequence[ListedRow],
    provenance: Provenance,
    **sent: Unpack[Command],
) -> Outcome:
    """Records an edition of an authority's list, header and rows together.

    Raises:
        InputError: a row is too long; nothing was recorded.
    """
    list_id = permit_list_id(origin, kind, authority, place)

    def once() -> Outcome:
        found = streams.find(PermitList, list_id)
        if found is None:
            found = PermitList(id=list_id, kind=kind, authority=authority, place=place, provenance=provenance)
        found.hand_in(file, asof, rows, provenance)
        return streams.commit(found, **sent)

    return decide_repeatably(streams, sent.get("command"), once)
