"""Where a complaint stands: what its events make of it, and the questions that an auditor asks of every reception (N20, N21).

`ReceptionState` is folded by `domain/complaints/complaint.py` (`after`). The predicates below are the only place where the words
are computed; guards, ledgers, the completeness audit and *cleared* all call them. Withdrawing a complaint, or calling it a
duplicate, excuses from none of them: a withdrawal settles no claim, and what is the same as another is accepted into the same case.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

import msgspec

from domain.campaigns.campaign import end_of_day
from domain.vocabulary import ComplaintClass, MissingItem


class ReceptionStage(StrEnum):
    """How far a complaint has come: the furthest answer that it has had."""

    OPEN = "open"
    CLASSIFIED = "classified"
    RETURNED = "returned"
    """Returned for completion, and not completed yet."""
    WITHDRAWN = "withdrawn"
    ADVISED = "advised"
    HANDED_ON = "handed-on"
    REFUSED = "refused"
    ACCEPTED = "accepted"


class ReceptionState(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a complaint. Instants carry an offset; ids are those of streams."""

    complaint: str
    place: str
    received: datetime
    due: datetime
    """By when it must be classified (N20)."""
    first_officer: str
    """Who was asked first (首问责任人); never changes."""
    officer: str
    """Who answers for it now."""
    classification: ComplaintClass | None = None
    classified_at: datetime | None = None
    """When it was first classified; classifying anew makes nobody late."""
    classified_by: str | None = None
    classification_entered_at: datetime | None = None
    """Recorded time of that event: a late entry is not a late act, and both are shown."""
    returned_at: datetime | None = None
    """When it was returned for completion, until when, and what is still missing; empty once all of it was brought."""
    returned_until: datetime | None = None
    missing: tuple[MissingItem, ...] = ()
    cases: tuple[str, ...] = ()
    refused_at: datetime | None = None
    advised_at: datetime | None = None
    departments: tuple[str, ...] = ()
    """Departments that were ordered to deal with it."""
    awaited: tuple[str, ...] = ()
    """Those of them that have not answered."""
    handed_to: str | None = None
    """Place whose local government named a person."""
    withdrawn_at: datetime | None = None
    hinted: tuple[str, ...] = ()
    """Complaints that a program takes for the same, and no officer has settled."""
    duplicates: tuple[str, ...] = ()
    distinct: tuple[str, ...] = ()

    @property
    def stage(self) -> ReceptionStage:
        """How far it has come. Advice and handing on answer no complaint that is classified as wage arrears."""
        if self.cases:
            return ReceptionStage.ACCEPTED
        if self.refused_at is not None:
            return ReceptionStage.REFUSED
        if self.classification is not ComplaintClass.WAGE_ARREARS:
            if self.departments or self.handed_to is not None:
                return ReceptionStage.HANDED_ON
            if self.advised_at is not None:
                return ReceptionStage.ADVISED
        if self.withdrawn_at is not None:
            return ReceptionStage.WITHDRAWN
        if self.returned_at is not None:
            return ReceptionStage.RETURNED
        return ReceptionStage.OPEN if self.classification is None else ReceptionStage.CLASSIFIED


def classification_due(received: datetime, zone: ZoneInfo) -> datetime:
    """N20: verified and classified the same day. The last microsecond of the local day on which it was received.

    Raises:
        ValueError: `received` bears no offset from UTC.
    """
    if received.tzinfo is None:
        raise ValueError(f"{received} bears no offset from UTC")
    return end_of_day(received.astimezone(zone).date(), zone)


def unclassified(state: ReceptionState, at: datetime) -> bool:
    """Whether it was received by an instant and not classified by it."""
    return state.received <= at and (state.classified_at is None or state.classified_at > at)


def classified_on_the_day(state: ReceptionState) -> bool:
    """N20 was kept: the act of classifying, whenever it was entered, lay on the day of reception."""
    return state.classified_at is not None and state.classified_at <= state.due


def classified_late(state: ReceptionState, at: datetime) -> bool:
    """N20 was broken by an instant: its day has ended, and it was classified after that or not at all."""
    return state.due < at and not classified_on_the_day(state)


def undecided(state: ReceptionState) -> bool:
    """Classified as wage arrears, and neither accepted into a case nor refused in writing (N21)."""
    return state.classification is ComplaintClass.WAGE_ARREARS and not state.cases and state.refused_at is None


def unanswered(state: ReceptionState) -> bool:
    """Classified as no wage arrears, and whoever complained was told nothing that N21 asks for.

    Another matter: advised, handed on, or refused in writing. A repeat petition: its local government has named a person.
    """
    match state.classification:
        case ComplaintClass.OTHER_MATTER:
            handed_on = bool(state.departments) or state.handed_to is not None
            return state.advised_at is None and not handed_on and state.refused_at is None
        case ComplaintClass.REPEAT_PETITION:
            return state.handed_to is None
        case _:
            return False


def unregistered_cases(state: ReceptionState, registered: Callable[[str], bool]) -> tuple[str, ...]:
    """The cases that it was accepted into and that nobody ever registered: *accepted without a case*.

    `registered` says whether a case of that id was registered, as of the same position as `state`. The handlers look the case up,
    or register it in the same transaction, so only what was recorded past them (an import, a defect) can be found here. An
    auditor asks all the same: this is the reconciliation of reception and case ledger.
    """
    return tuple(case for case in state.cases if not registered(case))


def hinders_clearing(state: ReceptionState, by: datetime, registered: Callable[[str], bool]) -> bool:
    """Keeps *cleared* at `by` from holding (definitions.md): a reception received by then, unclassified or accepted without a case."""
    return state.received <= by and (unclassified(state, by) or bool(unregistered_cases(state, registered)))
