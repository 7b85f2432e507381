"""Which complaints may be one and the same: candidates by named rules, from facts that are not personal. An officer settles them.

The only thing asked of a person is whether two complaints bear the same sealed subject, a random id. A hint is about two complaints
of one matter; nobody's complaints are counted or gathered (N21: officials are held to account, not petitioners).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from domain.complaints.complaint import Particulars
from domain.money import yuan
from domain.vocabulary import DuplicateRule

PROGRAM: Final = "duplicates/1"
"""Name and version of the rules below, as hints bear it; another meaning of a rule is another version."""


class KnownComplaint(msgspec.Struct, frozen=True, kw_only=True):
    """What is compared of a complaint."""

    complaint: str
    received: datetime
    particulars: Particulars


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """Another complaint that may be the same: the strongest rule that says so, and what the two have in common."""

    other: str
    rule: DuplicateRule
    reason: str


def candidates(new: KnownComplaint, known: Iterable[KnownComplaint], zone: ZoneInfo) -> list[Candidate]:
    """The known complaints that may be the same as `new`, strongest rule first, then by id. Linear in `known`; itself is left out."""
    found = []
    for other in known:
        if other.complaint != new.complaint:
            candidate = _candidate(new, other, zone)
            if candidate is not None:
                found.append(candidate)
    return sorted(found, key=lambda candidate: (_STRENGTH[candidate.rule], candidate.other))


_STRENGTH: Final[Mapping[DuplicateRule, int]] = {rule: rank for rank, rule in enumerate(DuplicateRule)}

Reason = Callable[[KnownComplaint, KnownComplaint, ZoneInfo], str | None]


def _candidate(new: KnownComplaint, other: KnownComplaint, zone: ZoneInfo) -> Candidate | None:
    for rule in DuplicateRule:
        reason = _RULES[rule](new, other, zone)
        if reason is not None:
            return Candidate(other=other.complaint, rule=rule, reason=reason)
    return None


def _same_lead(new: KnownComplaint, other: KnownComplaint, _: ZoneInfo) -> str | None:
    ours, theirs = new.particulars.handed_down, other.particulars.handed_down
    if ours is None or theirs is None or not _alike(ours.number, theirs.number) or not _alike(ours.by, theirs.by):
        return None
    return f"handed down by {theirs.by} as {theirs.number}"


def _same_person(new: KnownComplaint, other: KnownComplaint, _: ZoneInfo) -> str | None:
    ours, theirs = new.particulars, other.particulars
    if ours.subject is None or ours.subject != theirs.subject:
        return None
    if _contradict(ours.project, theirs.project) or _contradict(ours.debtor, theirs.debtor):
        return None
    return "the same complainant; neither project nor debtor speaks against it"


def _same_amount(field: str) -> Reason:
    def rule(new: KnownComplaint, other: KnownComplaint, _: ZoneInfo) -> str | None:
        named, amount = getattr(other.particulars, field), other.particulars.amount
        if not amount or amount != new.particulars.amount or not _alike(getattr(new.particulars, field), named):
            return None
        return f"{named}, {yuan(amount)} yuan"

    return rule


def _same_day(field: str) -> Reason:
    def rule(new: KnownComplaint, other: KnownComplaint, zone: ZoneInfo) -> str | None:
        ours, theirs = new.particulars, other.particulars
        named, day = getattr(theirs, field), _day(other.received, zone)
        if day != _day(new.received, zone) or not _alike(getattr(ours, field), named):
            return None
        if _differ(ours.amount, theirs.amount) or _differ(ours.headcount, theirs.headcount):
            return None
        return f"{named}, {day.isoformat()}"

    return rule


_RULES: Final[Mapping[DuplicateRule, Reason]] = {
    DuplicateRule.SAME_LEAD: _same_lead,
    DuplicateRule.SAME_PERSON: _same_person,
    DuplicateRule.SAME_PROJECT_AND_AMOUNT: _same_amount("project"),
    DuplicateRule.SAME_DEBTOR_AND_AMOUNT: _same_amount("debtor"),
    DuplicateRule.SAME_PROJECT_AND_DAY: _same_day("project"),
    DuplicateRule.SAME_DEBTOR_AND_DAY: _same_day("debtor"),
}


def _day(moment: datetime, zone: ZoneInfo) -> date:
    return moment.astimezone(zone).date()


def _alike(ours: str | None, theirs: str | None) -> bool:
    """Both say something, and the same but for width, case and blanks."""
    return _plain(ours) == _plain(theirs) != ""


def _contradict(ours: str | None, theirs: str | None) -> bool:
    """Both say something, and not the same."""
    return _plain(ours) != _plain(theirs) and "" not in (_plain(ours), _plain(theirs))


def _differ(ours: int | None, theirs: int | None) -> bool:
    return ours is not None and theirs is not None and ours != theirs


def _plain(name: str | None) -> str:
    return "".join(unicodedata.normalize("NFKC", name or "").split()).casefold()
