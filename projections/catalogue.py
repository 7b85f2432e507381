"""The ledgers of a deployment. A new ledger is one file and one line here."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from domain.campaigns.campaign import Campaign
from projections.book_ledger import book_ledger
from projections.case_ledger import case_ledger
from projections.claim_ledger import claim_ledger
from projections.clearance import clearance_board
from projections.discrepancy_ledger import discrepancy_ledger
from projections.ledger import Catalogue
from projections.officer_ledger import officer_ledger
from projections.payment_ledger import payment_ledger


def catalogue(campaign: Campaign, zone: ZoneInfo) -> Catalogue:
    """Every ledger, for a campaign and its time zone."""
    return Catalogue(
        (
            claim_ledger,
            payment_ledger,
            case_ledger,
            discrepancy_ledger,
            clearance_board(campaign, zone),
            book_ledger,
            officer_ledger,
        )
    )
