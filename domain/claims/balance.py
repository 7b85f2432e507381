"""The balance of one claim line, folded from its own events and the payment lines that name it. Pure and total.

V, W, P, O of definitions.md: verified, waived, paid, owing. Total means that any subset of a history, in order, folds without an
error: *as it was by a day* leaves events out.
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


class Balance(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a line. `stated_paid` is the part of `paid` whose only basis is that somebody says so."""

    headcount: int
    named: bool
    kind: ClaimKind
    claimed: Fen | None = None
    verified: Fen | None = None
    """Determined by an officer, else as the source states it; None: neither."""
    determined: bool = False
    """An officer verified the line."""
    rejected: Fen = 0
    withdrawn: Fen = 0
    disputed: Fen = 0
    waived: Fen = 0
    paid: Fen = 0
    stated_paid: Fen = 0
    living_aid: Fen = 0
    told: bool = False
    answer: Answer | None = None
    answered_amount: Fen | None = None
    vanished: bool = False
    most_stated: Fen = 0
    """The highest figure that a source ever stated for the line."""
    last_paid: datetime | None = None

    @property
    def due(self) -> Fen:
        """V − W: what the worker must receive."""
        return (self.verified or 0) - self.waived

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
        if self.claimed is None:
            return 0
        return self.claimed - (self.verified or 0) - self.rejected - self.withdrawn - self.disputed

    @property
    def confirmed(self) -> bool:
        """到手: the latest answer says that all of V − W was received."""
        return self.answer is Answer.RECEIVED and (self.answered_amount is None or self.answered_amount >= self.due)

    @property
    def contradicted(self) -> bool:
        """The latest answer says "less" or "not", which undoes *solved*."""
        if self.answer in (Answer.LESS, Answer.NOT_RECEIVED):
            return True
        return self.answer is Answer.RECEIVED and self.answered_amount is not None and self.answered_amount < self.due


def after(balance: Balance | None, event: StreamEvent) -> Balance | None:
    """The balance after an event of the line or of a payment to it; an event that it knows nothing of changes nothing."""
    if isinstance(event, Claim.Created):
        return Balance(
            headcount=event.headcount,
            named=event.worker is not None,
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


def _stated(claimed: Fen | None, verified: Fen | None) -> Fen:
    """The figure by which a source says how large a line is: what is claimed, else what it calls verified."""
    return claimed if claimed is not None else verified or 0


def _restated(balance: Balance, event: Claim.Restated) -> Balance:
    changed = msgspec.structs.replace(
        balance,
        headcount=event.headcount,
        claimed=event.figures.claimed,
        vanished=False,
        most_stated=max(balance.most_stated, _stated(event.figures.claimed, event.figures.verified)),
    )
    if balance.determined:
        return changed
    return msgspec.structs.replace(changed, verified=event.figures.verified, rejected=event.figures.rejected or 0)


def _verified(balance: Balance, event: Claim.Verified) -> Balance:
    return msgspec.structs.replace(
        balance,
        determined=True,
        verified=event.verified,
        rejected=event.rejected,
        withdrawn=event.withdrawn,
        disputed=event.disputed,
        told=event.told is not None,
    )


def _followed_up(balance: Balance, event: Claim.FollowedUp) -> Balance:
    if event.answer in (Answer.UNREACHABLE, Answer.WRONG_PERSON, Answer.REFUSED_TO_SAY):
        return balance
    return msgspec.structs.replace(balance, answer=event.answer, answered_amount=event.amount)


def _vanished(balance: Balance, _: Claim.VanishedFromBook) -> Balance:
    return msgspec.structs.replace(balance, vanished=True)


def _credited(balance: Balance, event: Payment.LineCredited) -> Balance:
    if event.purpose is Purpose.LIVING_AID:
        return msgspec.structs.replace(balance, living_aid=balance.living_aid + event.amount)
    stated = event.amount if (event.provenance.basis or Basis.STATED) is Basis.STATED else 0
    occurred = event.provenance.occurred
    latest = occurred if balance.last_paid is None else max(balance.last_paid, occurred)
    return msgspec.structs.replace(
        balance, paid=balance.paid + event.amount, stated_paid=balance.stated_paid + stated, last_paid=latest
    )


def _given_back(balance: Balance, event: Payment.LineReturned | Payment.LineReversed) -> Balance:
    if event.purpose is Purpose.LIVING_AID:
        return msgspec.structs.replace(balance, living_aid=balance.living_aid - event.amount)
    stated = event.amount if event.basis_was is Basis.STATED else 0
    return msgspec.structs.replace(balance, paid=balance.paid - event.amount, stated_paid=balance.stated_paid - stated)


def _evidenced(balance: Balance, event: Payment.LineEvidenced) -> Balance:
    """A grade is raised, or refuted and so lowered."""
    if event.purpose is Purpose.LIVING_AID:
        return balance
    was_stated = event.basis_was is Basis.STATED
    is_stated = (event.provenance.basis or Basis.STATED) is Basis.STATED
    return msgspec.structs.replace(balance, stated_paid=balance.stated_paid + event.amount * (is_stated - was_stated))


_STEPS: dict[type[StreamEvent], Callable[[Balance, Any], Balance]] = {
    Claim.Restated: _restated,
    Claim.Verified: _verified,
    Claim.FollowedUp: _followed_up,
    Claim.VanishedFromBook: _vanished,
    Payment.LineCredited: _credited,
    Payment.LineReturned: _given_back,
    Payment.LineReversed: _given_back,
    Payment.LineEvidenced: _evidenced,
}
