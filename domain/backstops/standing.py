"""Where a backstop stands, folded from its events (`backstop.after`): its limit, what was paid, and what has to come back.

Whatever is paid opens a balance that must come back to whoever paid: an advance is recovered from the debtor, a wage deposit is
replenished by who had paid it in. Nobody has to open it; an officer's *recovery opened* says from whom, how much, and by when.
Amounts in fen.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec

from domain.backstops.shares import Holder, apportion, shares_are_whole
from domain.money import Fen
from domain.vocabulary import Resort


class BackstopState(StrEnum):
    """How far the office's acts have come."""

    REQUESTED = "requested"
    APPROVED = "approved"
    REFUSED = "refused"
    ENDED = "ended"


class Drawn(msgspec.Struct, frozen=True, kw_only=True):
    """What one payment drew on the backstop, less what came back of it."""

    payment: str
    holder: str | None
    amount: Fen
    returned: Fen = 0

    @property
    def net(self) -> Fen:
        """What stayed paid; more cannot have come back than was paid."""
        return max(0, self.amount - self.returned)


class Recovery(msgspec.Struct, frozen=True, kw_only=True):
    """What is recovered from one debtor, and by when."""

    debtor: str
    amount: Fen
    due: datetime


class HolderShare(msgspec.Struct, frozen=True, kw_only=True):
    """What one holder covers, what it has paid, and what it has yet to pay."""

    name: str
    share: int
    covers: Fen
    paid: Fen

    @property
    def left(self) -> Fen:
        return max(0, self.covers - self.paid)


class BackstopStanding(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a backstop."""

    resort: Resort
    requested: Fen
    requested_by: str | None
    limit: Fen | None = None
    due: datetime | None = None
    refused: bool = False
    ended: bool = False
    draws: tuple[Drawn, ...] = ()
    group: str | None = None
    holders: tuple[Holder, ...] = ()
    recoveries: tuple[Recovery, ...] = ()
    received: Fen = 0
    given_up: Fen = 0
    giving_up: Fen | None = None
    """An amount that an officer proposes to give up, and nobody has decided."""
    giving_up_by: str | None = None

    @property
    def state(self) -> BackstopState:
        """How far it has come; ending it and approving it outweigh what was decided before."""
        if self.ended:
            return BackstopState.ENDED
        if self.limit is not None:
            return BackstopState.APPROVED
        return BackstopState.REFUSED if self.refused else BackstopState.REQUESTED

    @property
    def paid(self) -> Fen:
        """What was paid, less what was returned."""
        return sum(draw.net for draw in self.draws)

    @property
    def limit_left(self) -> Fen:
        """What may still be paid: nothing before it is approved or after it has ended."""
        return max(0, (self.limit or 0) - self.paid) if self.state is BackstopState.APPROVED else 0

    @property
    def over_limit(self) -> Fen:
        """What was paid beyond the limit, or without one; a fact that is shown, not refused."""
        return max(0, self.paid - (self.limit or 0))

    @property
    def settled(self) -> Fen:
        """What came back and did not go away again, and what was given up."""
        return max(0, self.received) + self.given_up

    @property
    def balance(self) -> Fen:
        """The recovery balance: paid, less what came back and less what was given up. Never more than was paid."""
        return max(0, self.paid - self.settled)

    @property
    def over_recovered(self) -> Fen:
        """What came back beyond what was paid and not given up; a figure of its own, owed back by the office."""
        return max(0, self.settled - self.paid)

    @property
    def unopened(self) -> Fen:
        """What was paid and nobody has yet been asked to give back."""
        return max(0, self.paid - sum(recovery.amount for recovery in self.recoveries))

    @property
    def replenishes(self) -> bool:
        """What comes back fills the fund again that it was taken from, rather than repaying an advance."""
        return self.resort is Resort.WAGE_DEPOSIT

    @property
    def shares(self) -> tuple[HolderShare, ...]:
        """What each holder covers of the limit, or before it is approved of what was asked; exact to the fen."""
        if not shares_are_whole(self.holders):
            return ()
        total = max(0, self.requested if self.limit is None else self.limit)
        return tuple(
            HolderShare(name=holder.name, share=holder.share, covers=covers, paid=self._paid_by(holder.name))
            for holder, covers in zip(self.holders, apportion(total, self.holders), strict=True)
        )

    def _paid_by(self, holder: str) -> Fen:
        return sum(draw.net for draw in self.draws if draw.holder == holder)


def overdue(backstop: BackstopStanding, at: datetime) -> bool:
    """Whether an approved backstop has not been paid in full by its due date."""
    return backstop.due is not None and backstop.due < at and backstop.limit_left > 0


def recovery_overdue(backstop: BackstopStanding, at: datetime) -> Fen:
    """Fen that should have come back by an instant, by the due dates of its recoveries, and did not. Never more than the balance."""
    fallen_due = sum(recovery.amount for recovery in backstop.recoveries if recovery.due < at)
    return min(backstop.balance, max(0, fallen_due - backstop.settled))
