"""The balance of one claim line, folded from its own events and the payment lines that name it. Pure and total.

V, W, P, O of definitions.md: verified, waived, paid, owing. Total means that any subset of a history, in order, folds without an
error: *as it was by a day* leaves events out. A line that has left (merged, split) claims and owes nothing of its own any more; money that
is on it all the same shows as overpaid, and money that is taken back from it later as owing, so that none is lost from sight.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec

from domain.claims.claim import Claim
from domain.money import Fen
from domain.payments.payment import Payment
from domain.streams import Basis, StreamEvent
from domain.vocabulary import Answer, ClaimKind, Purpose

_NO_ANSWER = (Answer.UNREACHABLE, Answer.WRONG_PERSON, Answer.REFUSED_TO_SAY)


class Balance(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a line. `stated_paid` is the part of `paid` whose only basis is that somebody says so."""

    headcount: int
    named: bool
    kind: ClaimKind
    person: str | None = None
    """The subject that the worker's name is sealed under: the same person has the same one."""
    claimed: Fen | None = None
    verified: Fen | None = None
    """Determined by an officer, else as the source states it; None: neither."""
    verifications: int = 0
    """How often an officer determined the line."""
    rejected: Fen = 0
    withdrawn: Fen = 0
    disputed: Fen = 0
    waived: Fen = 0
    instructed: Fen = 0
    """Ordered to be paid and neither credited nor failed; discharges nothing."""
    paid: Fen = 0
    stated_paid: Fen = 0
    living_aid: Fen = 0
    told: bool = False
    answer: Answer | None = None
    answered_amount: Fen | None = None
    attempts: int = 0
    """How often somebody tried to ask, answered or not."""
    vanished: bool = False
    left: bool = False
    """Merged into another line, or split into its parts."""
    most_stated: Fen = 0
    """The highest figure that a source ever stated for the line."""
    last_paid: datetime | None = None

    @property
    def determined(self) -> bool:
        """An officer verified the line."""
        return self.verifications > 0

    @property
    def due(self) -> Fen:
        """V − W: what the worker must receive."""
        return 0 if self.left else (self.verified or 0) - self.waived

    @property
    def owing(self) -> Fen:
        """余额: max(0, V − W − P)."""
        return max(0, self.due - self.paid)

    @property
    def overpaid(self) -> Fen:
        """What was paid beyond V − W; a figure of its own, never netted between workers."""
        return max(0, self.paid - self.due)

    @property
    def shrunk(self) -> Fen:
        """By how much a source states less now than it once did, without an officer having determined it."""
        return 0 if self.determined else max(0, self.most_stated - _stated(self.claimed, self.verified))

    @property
    def pending(self) -> Fen:
        """Claimed and neither verified, rejected, withdrawn nor referred as disputed."""
        if self.claimed is None or self.left:
            return 0
        return self.claimed - (self.verified or 0) - self.rejected - self.withdrawn - self.disputed

    @property
    def confirmed(self) -> bool:
        """到手: the latest answer that counts says that all of V − W was received, by an admitted method, to an independent asker. An
        unnamed head-count can be paid, but never confirmed."""
        return (
            not self.left
            and self.named
            and self.answer is Answer.RECEIVED
            and (self.answered_amount is None or self.answered_amount >= self.due)
        )

    @property
    def contradicted(self) -> bool:
        """The latest answer says "less" or "not", which undoes *solved*."""
        if self.left:
            return False
        if self.answer in (Answer.LESS, Answer.NOT_RECEIVED):
            return True
        return self.answer is Answer.RECEIVED and self.answered_amount is not None and self.answered_amount < self.due


def after(balance: Balance | None, event: StreamEvent) -> Balance | None:
    """The balance after an event of the line or of a payment to it; an event that it knows nothing of changes nothing."""
    if isinstance(event, Claim.Created):
        return Balance(
            headcount=event.headcount,
            named=event.worker is not None,
            person=None if event.worker is None else event.worker.subject,
            kind=event.kind,
            claimed=event.figures.claimed,
            verified=event.figures.verified,
            rejected=event.figures.rejected or 0,
            most_stated=_stated(event.figures.claimed, event.figures.verified),
        )
    if balance is None:
        return None
    step = _STEPS.get(type(event))
    return balance if step is None else step(balance, event)


def line_of(event: StreamEvent) -> str | None:
    """The claim line that an event is about: its own stream, or the line that a payment's event names; None: of none."""
    if isinstance(event, Payment.Event):
        return getattr(event, "claim", None)
    return event.originator_id if isinstance(event, Claim.Event) else None


_set = msgspec.structs.replace


def _stated(claimed: Fen | None, verified: Fen | None) -> Fen:
    """The figure by which a source says how large a line is: what is claimed, else what it calls verified."""
    return claimed if claimed is not None else verified or 0


def _restated(balance: Balance, event: Claim.Restated) -> Balance:
    changed = _set(
        balance,
        headcount=event.headcount,
        claimed=event.figures.claimed,
        vanished=False,
        most_stated=max(balance.most_stated, _stated(event.figures.claimed, event.figures.verified)),
    )
    if balance.determined:
        return changed
    return _set(changed, verified=event.figures.verified, rejected=event.figures.rejected or 0)


def _identified(balance: Balance, event: Claim.Identified) -> Balance:
    """Another person than before: what the former one answered is void (definitions.md, *confirmed*)."""
    person = event.worker.subject
    if balance.person in (None, person):
        return _set(balance, named=True, person=person)
    return _set(balance, person=person, answer=None, answered_amount=None)


def _verified(balance: Balance, event: Claim.Verified) -> Balance:
    return _set(
        balance,
        verifications=balance.verifications + 1,
        verified=event.verified,
        rejected=event.rejected,
        withdrawn=event.withdrawn,
        disputed=event.disputed,
        told=event.told is not None,
    )


def _told(balance: Balance, _: Claim.ToldWorker) -> Balance:
    return _set(balance, told=True)


def _waived(balance: Balance, event: Claim.Waived) -> Balance:
    return _set(balance, waived=balance.waived + event.amount)


def _waiver_refuted(balance: Balance, event: Claim.WaiverRefuted) -> Balance:
    return _set(balance, waived=max(0, balance.waived - event.amount))


def _left(balance: Balance, _: Claim.Merged | Claim.Split) -> Balance:
    return _set(balance, left=True)


def _followed_up(balance: Balance, event: Claim.FollowedUp) -> Balance:
    """Every attempt counts. An answer replaces the last one if it may confirm, or says that something is missing, whoever asked."""
    attempted = _set(balance, attempts=balance.attempts + 1)
    if event.answer in _NO_ANSWER:
        return attempted
    qualifies = event.method.admitted and event.independent
    falls_short = event.answer is not Answer.RECEIVED or (event.amount is not None and event.amount < balance.due)
    if not (qualifies or falls_short):
        return attempted
    return _set(attempted, answer=event.answer, answered_amount=event.amount)


def _vanished(balance: Balance, _: Claim.VanishedFromBook) -> Balance:
    return _set(balance, vanished=True)


def _instructed(balance: Balance, event: Payment.LineInstructed) -> Balance:
    return _set(balance, instructed=balance.instructed + event.amount)


def _failed(balance: Balance, event: Payment.LineFailed) -> Balance:
    return _set(balance, instructed=balance.instructed - event.amount)


def _credited(balance: Balance, event: Payment.LineCredited) -> Balance:
    if event.instructed is not None:
        balance = _set(balance, instructed=balance.instructed - event.instructed)
    return _added(balance, event)


def _added(balance: Balance, event: Payment.LineCredited | Payment.LineMovedHere) -> Balance:
    if event.purpose is Purpose.LIVING_AID:
        return _set(balance, living_aid=balance.living_aid + event.amount)
    stated = event.amount if (event.provenance.basis or Basis.STATED) is Basis.STATED else 0
    occurred = event.credited_on if isinstance(event, Payment.LineMovedHere) else event.provenance.occurred
    latest = occurred if balance.last_paid is None else max(balance.last_paid, occurred)
    return _set(balance, paid=balance.paid + event.amount, stated_paid=balance.stated_paid + stated, last_paid=latest)


def _taken(balance: Balance, event: Payment.LineReturned | Payment.LineReversed | Payment.LineMovedAway) -> Balance:
    if event.purpose is Purpose.LIVING_AID:
        return _set(balance, living_aid=balance.living_aid - event.amount)
    stated = event.amount if event.basis_was is Basis.STATED else 0
    return _set(balance, paid=balance.paid - event.amount, stated_paid=balance.stated_paid - stated)


def _evidenced(balance: Balance, event: Payment.LineEvidenced) -> Balance:
    """A grade is raised, or refuted and so lowered."""
    if event.purpose is Purpose.LIVING_AID:
        return balance
    was_stated = event.basis_was is Basis.STATED
    is_stated = (event.provenance.basis or Basis.STATED) is Basis.STATED
    return _set(balance, stated_paid=balance.stated_paid + event.amount * (is_stated - was_stated))


_STEPS: dict[type[StreamEvent], Callable[[Balance, Any], Balance]] = {
    Claim.Restated: _restated,
    Claim.Identified: _identified,
    Claim.Verified: _verified,
    Claim.ToldWorker: _told,
    Claim.Waived: _waived,
    Claim.WaiverRefuted: _waiver_refuted,
    Claim.Merged: _left,
    Claim.Split: _left,
    Claim.FollowedUp: _followed_up,
    Claim.VanishedFromBook: _vanished,
    Payment.LineInstructed: _instructed,
    Payment.LineFailed: _failed,
    Payment.LineCredited: _credited,
    Payment.LineReturned: _taken,
    Payment.LineReversed: _taken,
    Payment.LineMovedAway: _taken,
    Payment.LineMovedHere: _added,
    Payment.LineEvidenced: _evidenced,
}
LINE_EVENTS: tuple[type[StreamEvent], ...] = tuple(step for step in _STEPS if issubclass(step, Claim.Event))
PAYMENT_EVENTS: tuple[type[StreamEvent], ...] = tuple(step for step in _STEPS if issubclass(step, Payment.Event))
"""The events that change a balance: of the line itself, and of payments that name it."""
