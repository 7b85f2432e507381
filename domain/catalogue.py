"""Every stream of this release, and the event types made from them, with what reads the older ones."""

from __future__ import annotations

from typing import Any

from domain.backstops.backstop import Backstop
from domain.books.ledger_book import LedgerBook
from domain.campaigns.genesis import Genesis
from domain.cases.case import Case
from domain.claims.claim import Claim
from domain.complaints.complaint import Complaint
from domain.custody.custody import Custody
from domain.entries import EventTypes
from domain.follow_ups.call_list import CallList
from domain.officers.officer import Officer
from domain.orders.order import Order
from domain.packs.pack import Pack
from domain.payments.payment import Payment
from domain.projects.permit_list import PermitList
from domain.projects.project import Project
from domain.referrals.referral import Referral

EVENT_TYPES = EventTypes(
    (
        Genesis,
        Case,
        Claim,
        Payment,
        LedgerBook,
        Officer,
        Pack,
        Order,
        Project,
        PermitList,
        Referral,
        Complaint,
        Backstop,
        Custody,
        CallList,
    )
)


def _followed_up_in_words(data: dict[str, Any]) -> dict[str, Any]:
    """Version 1 had the method in words, and did not know whether the asker was independent: such an answer confirms nothing."""
    said = data.pop("method")
    return {**data, "method": "other", "said_method": said, "independent": False}


EVENT_TYPES.upcast("claim.followed-up.v1", "claim.followed-up.v2", _followed_up_in_words)
EVENT_TYPES.upcast("case.roster-confirmed.v1", "case.roster-confirmed.v2", lambda data: data)
EVENT_TYPES.upcast("case.closing-proposed.v1", "case.closing-proposed.v2", lambda data: data)
EVENT_TYPES.upcast("payment.line-credited.v1", "payment.line-credited.v2", lambda data: {**data, "evidence": []})
