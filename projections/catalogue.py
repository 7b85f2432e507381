"""The ledgers of a deployment. A new ledger is one file and one line here."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from domain.campaigns.campaign import Campaign
from projections.backstop_ledger import backstop_ledger, recovery_ledger
from projections.book_ledger import book_ledger
from projections.call_list_ledger import call_list_ledger
from projections.case_ledger import case_ledger
from projections.claim_ledger import claim_ledger
from projections.clearance import clearance_board, reception_board
from projections.custody_ledger import custody_ledger
from projections.discrepancy_ledger import discrepancy_ledger
from projections.duty_ledger import duty_ledger
from projections.evidence_ledger import dossier_ledger, evidence_ledger
from projections.ledger import Catalogue
from projections.officer_ledger import officer_ledger
from projections.order_ledger import order_ledger
from projections.payment_ledger import payment_ledger
from projections.permit_ledger import permit_ledger, permit_list_ledger
from projections.project_ledger import project_ledger, safeguard_ledger
from projections.reception_ledger import acceptance_ledger, reception_ledger
from projections.referral_ledger import referral_ledger


def catalogue(campaign: Campaign, zone: ZoneInfo) -> Catalogue:
    """Every ledger, for a campaign and its time zone."""
    return Catalogue(
        (
            claim_ledger,
            payment_ledger,
            custody_ledger,
            order_ledger,
            referral_ledger,
            backstop_ledger,
            recovery_ledger,
            call_list_ledger,
            case_ledger,
            duty_ledger,
            discrepancy_ledger,
            clearance_board(campaign, zone),
            reception_ledger,
            acceptance_ledger,
            reception_board(campaign, zone),
            project_ledger,
            safeguard_ledger,
            permit_list_ledger,
            permit_ledger,
            dossier_ledger,
            evidence_ledger,
            book_ledger,
            officer_ledger,
        )
    )
