"""Every stream of this release, and the event types made from them."""

from __future__ import annotations

from domain.backstops.backstop import Backstop
from domain.books.ledger_book import LedgerBook
from domain.campaigns.genesis import Genesis
from domain.cases.case import Case
from domain.claims.claim import Claim
from domain.complaints.complaint import Complaint
from domain.entries import EventTypes
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
    )
)
