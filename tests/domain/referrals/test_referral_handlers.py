"""Commands about referrals on a log in memory."""

from __future__ import annotations

from typing import Any

import pytest

from domain.claims.claim import Claim, Figures
from domain.errors import NotFoundError, RuleError
from domain.recording import CommandKey
from domain.referrals import handlers
from domain.referrals.referral import Referral
from domain.referrals.standing import ReferralState
from domain.streams import Visibility
from domain.vocabulary import ClaimKind, Conclusion, Level, Milestone, ReferralKind
from tests.domain.orders.office import CASE, ORIGIN, PROOF, Office, sealed, when
from tests.domain.referrals.test_referral import APPROVED, PACKAGE, at


@pytest.fixture
def office() -> Office:
    office = Office()
    for case, line in ((CASE, "claim-1"), ("case-2", "claim-2")):
        if case != CASE:
            office.open_case(case)
        claim = Claim(
            id=line,
            case=case,
            place="140321",
            line="1",
            kind=ClaimKind.WAGE,
            headcount=1,
            figures=Figures(claimed=900_000),
            provenance=when(),
        )
        office.streams.commit(claim, context=office.context)
    return office


def send(office: Office, number: str = "1", **other: Any) -> str:
    fields: dict[str, Any] = {
        "origin": ORIGIN,
        "case": CASE,
        "number": number,
        "kind": ReferralKind.POLICE,
        "to": "平定县公安局",
        "ground": sealed("the debtor fled"),
        "claims": ("claim-1",),
        "papers": PACKAGE,
        "team": ("officer-a", "officer-b"),
        "approved": at(-20),
        "provenance": APPROVED,
    }
    return handlers.send_referral(office.streams, **office.how(**fields | other)).id


def test_a_referral_lives_from_sending_to_its_conclusion_through_its_handlers(office: Office) -> None:
    referral, how, s, text = send(office), office.how, office.streams, sealed("words")
    handlers.acknowledge_referral(s, referral=referral, **how(provenance=when(1), receipt="1", signer=text))
    handlers.record_referral_forwarded(s, referral=referral, to="盂县公安局", **how(provenance=when(2)))
    handlers.record_referral_returned(s, referral=referral, **how(provenance=when(3), ground=text))
    handlers.record_referral_refused(s, referral=referral, **how(provenance=when(4), ground=text, evidence=PROOF))
    handlers.ask_reconsideration(s, referral=referral, of="检察院", ground=text, **how(provenance=when(5)))
    handlers.accept_referral(s, referral=referral, **how(provenance=when(6), number="立1"))
    handlers.record_material_handed_over(s, referral=referral, papers=PACKAGE, **how(provenance=when(7)))
    handlers.record_supervision(s, referral=referral, level=Level.CITY, by="市公安局", **how(provenance=when(8)))
    handlers.record_referral_progress(s, referral=referral, **how(provenance=when(9), milestone=Milestone.PROSECUTED))
    handlers.conclude_referral(s, referral=referral, conclusion=Conclusion.ESTABLISHED, **how(provenance=when(10)))
    assert [recorded.envelope.type.split(".")[1] for recorded in office.events(referral)] == [
        "sent",
        "acknowledged",
        "forwarded",
        "returned",
        "refused",
        "reconsideration-asked",
        "accepted",
        "material-handed-over",
        "supervision-set",
        "progressed",
        "concluded",
    ]
    assert {recorded.envelope.partitionkey for recorded in office.events(referral)} == {CASE}
    assert s.get(Referral, referral).standing.state is ReferralState.CONCLUDED


def test_the_clause_that_a_referral_rests_on_stands_in_its_entry(office: Office) -> None:
    [sent] = office.events(send(office))
    assert (sent.envelope.clause, sent.envelope.approvedby) == ("N28", "officer-head")


def test_claim_lines_of_another_case_are_refused(office: Office) -> None:
    end = office.end
    with pytest.raises(RuleError, match="not of this case: claim-2"):
        send(office, claims=("claim-1", "claim-2"))
    assert office.end == end


def test_a_document_number_is_taken_once_but_the_same_command_may_be_sent_again(office: Office) -> None:
    command = CommandKey("clerk-1", "key-1", b"digest")
    referral = send(office, command=command)
    end = office.end
    assert send(office, command=command) == referral
    with pytest.raises(RuleError, match="there is a referral '1' already"):
        send(office)
    assert office.end == end


def test_a_referral_belongs_to_a_case_that_there_is(office: Office) -> None:
    with pytest.raises(NotFoundError, match="no case case-9"):
        send(office, case="case-9")
    with pytest.raises(NotFoundError, match="no referral referral-9"):
        handlers.accept_referral(office.streams, referral="referral-9", **office.how(provenance=when()))


def test_a_referral_to_discipline_is_not_in_the_case_and_only_for_reviewers(office: Office) -> None:
    referral = send(office, kind=ReferralKind.DISCIPLINE, claims=(), papers=(), team=(), provenance=when(clause="N35"))
    handlers.acknowledge_referral(office.streams, referral=referral, **office.how(provenance=when(1)))
    assert {recorded.envelope.visibility for recorded in office.events(referral)} == {Visibility.REVIEW}
    of_the_case = {recorded.envelope.subject for recorded in office.streams.partitions([CASE])[CASE]}
    assert of_the_case == {CASE, "claim-1"}
