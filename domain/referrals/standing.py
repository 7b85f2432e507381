"""Where a referral stands, folded from its events (`referral.after`). It says what others decided, and never touches a balance."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec

from domain.money import Fen
from domain.vocabulary import Conclusion, Level, ReferralKind


class ReferralState(StrEnum):
    """How far a referral has come where it was sent."""

    SENT = "sent"
    ACKNOWLEDGED = "acknowledged"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    RETURNED = "returned"
    CONCLUDED = "concluded"


class Milestones(msgspec.Struct, frozen=True, kw_only=True):
    """When criminal procedure reached its steps, as far as anybody told."""

    case_filed: datetime | None = None
    prosecuted: datetime | None = None
    first_judgment: datetime | None = None


NO_MILESTONES = Milestones()


class ReferralStanding(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a referral. Times are those in the world; `…_received` is when this office was told."""

    kind: ReferralKind
    to: str
    sent: datetime
    claims: tuple[str, ...] = ()
    amount: Fen | None = None
    reported: datetime | None = None
    approved: datetime | None = None
    state: ReferralState = ReferralState.SENT
    acknowledged: datetime | None = None
    receipt: str | None = None
    accepted: datetime | None = None
    accepted_received: datetime | None = None
    their_number: str | None = None
    refused: datetime | None = None
    refused_received: datetime | None = None
    reconsideration_asked: datetime | None = None
    returned: datetime | None = None
    forwarded: datetime | None = None
    forwarded_to: str | None = None
    material_handed_over: datetime | None = None
    milestones: Milestones = NO_MILESTONES
    last_answer: datetime | None = None
    """When this office last heard of it."""
    supervision: Level | None = None
    conclusion: Conclusion | None = None
    concluded: datetime | None = None

    @property
    def waits(self) -> bool:
        """Whoever it was sent to has yet to decide whether to take it."""
        return self.state in (ReferralState.SENT, ReferralState.ACKNOWLEDGED)
