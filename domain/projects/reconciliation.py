"""Is the base of construction projects fully known (clause N39)? Permits and approvals beside the registered projects. Pure.

Guarantees: the same rows and projects give the same answer in whatever order they are handed in; every row is found in exactly one of
*matched*, *unregistered* and *ambiguous*, every project is matched, a candidate of something ambiguous, or *unlisted*; nothing is
matched on a resemblance, only on equal normal forms. It takes n log n steps, for sorting; the rest is linear.

A row is matched by its number, to the one project that bears it among its permits (or approvals, as the list is of the one or the
other); else by name and place, to the one project of both. What would fit several is not chosen between, but shown as ambiguous.
"""

from __future__ import annotations

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from enum import StrEnum
from typing import TypeVar

import msgspec

from domain.projects.permit_list import ListedRow, ListKind
from domain.projects.standing import Standing

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

_TAILS = ("建设工程", "建设项目", "工程项目", "工程", "项目", "建设")
"""What is said at the end of one name and left out of another without making it another project."""


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """A row and where it stands: the list's stream and the row's number in its newest edition."""

    list: str
    row: int
    kind: ListKind
    number: str | None
    name: str
    place: str | None
    developer: str | None


class Registered(msgspec.Struct, frozen=True, kw_only=True):
    """A registered project, as far as a list can speak of it."""

    project: str
    name: str
    place: str
    developer: str | None
    permits: tuple[str, ...] = ()
    approvals: tuple[str, ...] = ()

    def numbers(self, kind: ListKind) -> tuple[str, ...]:
        """Its numbers of the kind that a list gives."""
        return self.permits if kind is ListKind.PERMIT else self.approvals


class MatchRule(StrEnum):
    """Why a row and a project are the same."""

    NUMBER = "number"
    NAME_AND_PLACE = "name-and-place"


class Particular(StrEnum):
    """What a row and the project that it matches may say differently."""

    NUMBER = "number"
    NAME = "name"
    PLACE = "place"
    DEVELOPER = "developer"


class Match(msgspec.Struct, frozen=True):
    """A row, its project, the rule, and in which particulars the two conflict; what one of them leaves out conflicts with nothing."""

    row: Listed
    project: str
    rule: MatchRule
    conflicts: tuple[Particular, ...]


class Ambiguous(msgspec.Struct, frozen=True):
    """A row that fits several registered projects by one rule: the register holds them twice, or the list says too little."""

    row: Listed
    rule: MatchRule
    projects: tuple[str, ...]


class Reconciliation(msgspec.Struct, frozen=True, kw_only=True):
    """The answer, every part of it in order of list and row, or of project."""

    matched: tuple[Match, ...]
    unregistered: tuple[Listed, ...]
    """Permitted or approved, and not in the register."""
    unlisted: tuple[str, ...]
    """In the register, and in no list: ids of projects."""
    ambiguous: tuple[Ambiguous, ...]
    listed_twice: tuple[tuple[Listed, ...], ...]
    """Rows of one kind of list that are the same entry: of one number, or without a number of one name and place."""

    @property
    def conflicting(self) -> tuple[Match, ...]:
        """Matched, but with conflicting particulars."""
        return tuple(match for match in self.matched if match.conflicts)


def listed(list_id: str, kind: ListKind, rows: Sequence[ListedRow], place: str) -> tuple[Listed, ...]:
    """The rows of an edition, ready to be held against the register; a row without a place is of the list's own."""
    return tuple(
        Listed(
            list=list_id,
            row=number,
            kind=kind,
            number=row.number,
            name=row.name,
            place=row.place or place,
            developer=row.developer,
        )
        for number, row in enumerate(rows, start=1)
    )


def registered(project: str, standing: Standing) -> Registered:
    """A project, ready to be held against the lists."""
    particulars = standing.particulars
    return Registered(
        project=project,
        name=particulars.name,
        place=particulars.jurisdiction,
        developer=standing.developer,
        permits=particulars.permits,
        approvals=particulars.approvals,
    )


def reconcile(rows: Iterable[Listed], projects: Iterable[Registered]) -> Reconciliation:
    """Holds the lists against the register. Rows are told apart by list and number, projects by id."""
    rows, register = sorted(rows, key=_place_of), _Register(projects)
    matched: list[Match] = []
    unregistered: list[Listed] = []
    ambiguous: list[Ambiguous] = []
    for row in rows:
        rule, found = register.find(row)
        if not found:
            unregistered.append(row)
        elif len(found) == 1:
            matched.append(Match(row, found[0].project, rule, _conflicts(row, found[0])))
        else:
            ambiguous.append(Ambiguous(row, rule, tuple(sorted(each.project for each in found))))
    touched = {match.project for match in matched} | {project for each in ambiguous for project in each.projects}
    return Reconciliation(
        matched=tuple(matched),
        unregistered=tuple(unregistered),
        unlisted=tuple(sorted(register.ids - touched)),
        ambiguous=tuple(ambiguous),
        listed_twice=_twice(rows),
    )


class _Register:
    """The registered projects by what a row may find them by."""

    def __init__(self, projects: Iterable[Registered]) -> None:
        by_id = {project.project: project for project in projects}
        self.ids = by_id.keys()
        by_number: dict[tuple[ListKind, str], dict[str, Registered]] = defaultdict(dict)
        by_name: dict[tuple[str, str], dict[str, Registered]] = defaultdict(dict)
        for project in by_id.values():
            for kind in ListKind:
                for number in project.numbers(kind):
                    by_number[kind, normal_number(number)][project.project] = project
            if name := normal_name(project.name):
                by_name[name, project.place][project.project] = project
        self._by_number, self._by_name = by_number, by_name

    def find(self, row: Listed) -> tuple[MatchRule, Sequence[Registered]]:
        """The projects that fit the row, and by which rule; several where it cannot be told which."""
        number = normal_number(row.number)
        if number and (found := _at(self._by_number, (row.kind, number))):
            return MatchRule.NUMBER, found
        if row.place is None:
            return MatchRule.NAME_AND_PLACE, ()
        return MatchRule.NAME_AND_PLACE, _at(self._by_name, (normal_name(row.name), row.place))


def _at(index: Mapping[K, Mapping[str, V]], key: K) -> Sequence[V]:
    return tuple(index[key].values()) if key in index else ()


def _conflicts(row: Listed, project: Registered) -> tuple[Particular, ...]:
    numbers = {normal_number(number) for number in project.numbers(row.kind)} - {""}
    number = normal_number(row.number)
    return tuple(
        particular
        for particular, differs in (
            (Particular.NUMBER, bool(number and numbers) and number not in numbers),
            (Particular.NAME, normal_name(row.name) != normal_name(project.name)),
            (Particular.PLACE, row.place is not None and row.place != project.place),
            (Particular.DEVELOPER, _differ(row.developer, project.developer)),
        )
        if differs
    )


def _differ(one: str | None, other: str | None) -> bool:
    return bool(one and other) and _letters(one or "") != _letters(other or "")


def _twice(rows: Sequence[Listed]) -> tuple[tuple[Listed, ...], ...]:
    identities = [_identity(row) for row in rows]
    several = {identity for identity, times in Counter(identities).items() if times > 1}
    groups: dict[Hashable, list[Listed]] = {}
    for row, identity in zip(rows, identities, strict=True):
        if identity in several:
            groups.setdefault(identity, []).append(row)
    return tuple(tuple(group) for group in groups.values())


def _identity(row: Listed) -> Hashable:
    number, name = normal_number(row.number), normal_name(row.name)
    if number:
        return row.kind, number
    return (row.kind, name, row.place) if name else _place_of(row)


def _place_of(row: Listed) -> tuple[str, int]:
    return (row.list, row.row)


def normal_number(number: str | None) -> str:
    """A number as it is compared: widths and cases made one, nothing but letters and digits kept. Empty: no number."""
    return _letters(number or "")


def normal_name(name: str) -> str:
    """A project's name as it is compared: as a number, without the words that only say that it is a project.

    A name that consists of nothing else keeps the last of them; one without any letter or digit is empty, and matches nothing.
    """
    letters = _letters(name)
    while tail := next((each for each in _TAILS if letters.endswith(each) and letters != each), None):
        letters = letters.removesuffix(tail)
    return letters


def _letters(text: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFKC", text).casefold() if c.isalnum())
