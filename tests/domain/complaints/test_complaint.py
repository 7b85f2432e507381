"""What an officer may and may not do with a complaint, and what is recorded whoever likes it or not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from domain.complaints.complaint import Complaint
from domain.complaints.reception import ReceptionStage, ReceptionState
from domain.errors import RuleError
from domain.vocabulary import ComplaintClass, DuplicateRule, MissingItem, Told
from tests.domain.complaints.intakes import RECEIVED, STATEMENT, TOLD, a_complaint, particulars, sealed, when

ARREARS, OTHER, REPEAT = ComplaintClass.WAGE_ARREARS, ComplaintClass.OTHER_MATTER, ComplaintClass.REPEAT_PETITION
BLANK = Told(on="", how="")


def classified(as_what: ComplaintClass | None) -> Complaint:
    complaint = a_complaint()
    if as_what is not None:
        complaint.classify(as_what, "工资表已核对", when())
    complaint.collect_events()
    return complaint


def accepted() -> Complaint:
    complaint = classified(ARREARS)
    complaint.accept("case-1", when())
    complaint.collect_events()
    return complaint


def refused() -> Complaint:
    complaint = classified(ARREARS)
    complaint.refuse("超过两年", "不受〔2019〕1号", TOLD, when())
    complaint.collect_events()
    return complaint


def now(complaint: Complaint) -> ReceptionState:
    """Where it stands."""
    return complaint.reception


def stage(complaint: Complaint) -> ReceptionStage:
    return complaint.reception.stage


def refusal(complaint: Complaint, act: Callable[[Complaint], None]) -> RuleError:
    with pytest.raises(RuleError) as caught:
        act(complaint)
    assert not complaint.pending_events, "what was refused left something"
    return caught.value


# Registering


def test_a_complaint_begins_unclassified_and_its_first_officer_answers_for_it():
    complaint = a_complaint()
    assert stage(complaint) is ReceptionStage.OPEN
    assert complaint.reception.officer == complaint.reception.first_officer == "officer-a"
    assert complaint.jurisdiction == "140321"
    assert complaint.partitionkey == complaint.id


def test_an_anonymous_complaint_is_registered_like_any_other():
    complaint = a_complaint(complainant=None)
    assert complaint.particulars.subject is None
    complaint.classify(ARREARS, "现场核实", when())
    complaint.accept("case-1", when())
    assert stage(complaint) is ReceptionStage.ACCEPTED


@pytest.mark.parametrize(("came", "group"), [(None, False), (5, False), (6, True)])
def test_more_than_five_people_are_a_group_visit(came: int | None, group: bool):
    assert particulars(came=came).group_visit is group


def test_whoever_is_known_by_a_telephone_number_alone_has_a_subject():
    assert particulars(complainant=None, phone=sealed("person-7")).subject == "person-7"


# Classifying


def test_a_complaint_may_be_classified_anew_and_stays_as_early_as_it_first_was():
    complaint = classified(OTHER)
    complaint.classify(ARREARS, "系劳务报酬", when(30))
    assert complaint.reception.classification is ARREARS
    assert complaint.reception.classified_at == RECEIVED + timedelta(hours=1)


def test_a_withdrawn_complaint_is_classified_all_the_same():
    complaint = a_complaint()
    complaint.withdraw(STATEMENT, when(2))
    complaint.classify(ARREARS, "撤回不等于已付", when(3))
    assert complaint.reception.classification is ARREARS
    assert complaint.reception.withdrawn_at is not None


# What is refused, with rule and clause

REFUSALS: dict[str, tuple[Callable[[], Complaint], Callable[[Complaint], None], str, str]] = {
    "classifying without a ground": (a_complaint, lambda c: c.classify(ARREARS, " ", when()), "ground-given", "N20"),
    "classifying before it was received": (
        a_complaint,
        lambda c: c.classify(ARREARS, "核实", when(-1)),
        "classified-after-received",
        "N20",
    ),
    "classifying as what it is": (
        lambda: classified(ARREARS),
        lambda c: c.classify(ARREARS, "核实", when()),
        "classified-anew-differs",
        "N20",
    ),
    "making no arrears of an accepted one": (
        accepted,
        lambda c: c.classify(OTHER, "核实", when()),
        "accepted-is-arrears",
        "N21",
    ),
    "accepting what is unclassified": (
        a_complaint,
        lambda c: c.accept("case-1", when()),
        "arrears-are-accepted",
        "N21",
    ),
    "accepting another matter": (
        lambda: classified(OTHER),
        lambda c: c.accept("case-1", when()),
        "arrears-are-accepted",
        "N21",
    ),
    "accepting a repeat petition": (
        lambda: classified(REPEAT),
        lambda c: c.accept("case-1", when()),
        "arrears-are-accepted",
        "N21",
    ),
    "accepting twice into one case": (accepted, lambda c: c.accept("case-1", when()), "accepted-once", "N21"),
    "joining what is in no case": (
        lambda: classified(ARREARS),
        lambda c: c.join("case-2", "同一项目", when()),
        "joined-after-accepted",
        "N21",
    ),
    "joining the case it is in": (accepted, lambda c: c.join("case-1", "同一项目", when()), "accepted-once", "N21"),
    "joining without a ground": (accepted, lambda c: c.join("case-2", "", when()), "ground-given", "N21"),
    "refusing without a ground": (
        lambda: classified(ARREARS),
        lambda c: c.refuse("", "1号", TOLD, when()),
        "ground-given",
        "N21",
    ),
    "refusing without a document": (
        lambda: classified(ARREARS),
        lambda c: c.refuse("超过两年", "", TOLD, when()),
        "in-writing",
        "N21",
    ),
    "refusing without telling": (
        lambda: classified(ARREARS),
        lambda c: c.refuse("超过两年", "1号", BLANK, when()),
        "told-when-and-how",
        "N21",
    ),
    "refusing without saying how it was told": (
        lambda: classified(ARREARS),
        lambda c: c.refuse("超过两年", "1号", Told(on=TOLD.on, how=" "), when()),
        "told-when-and-how",
        "N21",
    ),
    "refusing without saying when it was told": (
        lambda: classified(ARREARS),
        lambda c: c.refuse("超过两年", "1号", Told(on="", how=TOLD.how), when()),
        "told-when-and-how",
        "N21",
    ),
    "refusing what is unclassified": (
        a_complaint,
        lambda c: c.refuse("超过两年", "1号", TOLD, when()),
        "classified-before-answered",
        "N20",
    ),
    "refusing what is accepted": (
        accepted,
        lambda c: c.refuse("超过两年", "1号", TOLD, when()),
        "accepted-not-refused",
        "N21",
    ),
    "refusing twice": (refused, lambda c: c.refuse("超过两年", "2号", TOLD, when()), "refused-once", "N21"),
    "advising on wage arrears": (
        lambda: classified(ARREARS),
        lambda c: c.advise("仲裁", "申请仲裁", TOLD, when()),
        "arrears-are-handled",
        "N21",
    ),
    "advising before classifying": (
        a_complaint,
        lambda c: c.advise("仲裁", "申请仲裁", TOLD, when()),
        "classified-before-answered",
        "N20",
    ),
    "advising without a channel": (
        lambda: classified(OTHER),
        lambda c: c.advise("", "申请仲裁", TOLD, when()),
        "channel-and-remedy",
        "N21",
    ),
    "advising without a remedy": (
        lambda: classified(OTHER),
        lambda c: c.advise("仲裁", "", TOLD, when()),
        "channel-and-remedy",
        "N21",
    ),
    "advising without telling": (
        lambda: classified(OTHER),
        lambda c: c.advise("仲裁", "申请仲裁", BLANK, when()),
        "told-when-and-how",
        "N21",
    ),
    "ordering a department to deal with arrears": (
        lambda: classified(ARREARS),
        lambda c: c.order_department("住建局", when()),
        "arrears-are-handled",
        "N21",
    ),
    "ordering nobody": (
        lambda: classified(OTHER),
        lambda c: c.order_department("", when()),
        "department-named",
        "N21",
    ),
    "handing arrears to a local government": (
        lambda: classified(ARREARS),
        lambda c: c.hand_to_local_government("140300", sealed("person-9"), when()),
        "arrears-are-handled",
        "N21",
    ),
    "handing to no place": (
        lambda: classified(REPEAT),
        lambda c: c.hand_to_local_government("", sealed("person-9"), when()),
        "place-named",
        "N21",
    ),
    "returning for nothing": (
        a_complaint,
        lambda c: c.return_for_completion((), RECEIVED + timedelta(days=5), TOLD, when()),
        "return-names-what-is-missing",
        "25号令 §18",
    ),
    "returning without time": (
        a_complaint,
        lambda c: c.return_for_completion((MissingItem.PERIOD,), RECEIVED, TOLD, when(0)),
        "time-to-complete",
        "25号令 §18",
    ),
    "returning what is accepted": (
        accepted,
        lambda c: c.return_for_completion((MissingItem.PERIOD,), RECEIVED + timedelta(days=5), TOLD, when()),
        "returned-before-decided",
        "25号令 §18",
    ),
    "returning what is refused": (
        refused,
        lambda c: c.return_for_completion((MissingItem.PERIOD,), RECEIVED + timedelta(days=5), TOLD, when()),
        "returned-before-decided",
        "25号令 §18",
    ),
    "withdrawing without the worker's own statement": (
        a_complaint,
        lambda c: c.withdraw((), when()),
        "withdrawn-by-own-statement",
        "definitions: case and complaint",
    ),
    "settling without a ground": (
        a_complaint,
        lambda c: c.settle_duplicate("complaint-2", "", when(), same=True),
        "ground-given",
        "N20",
    ),
    "being one's own duplicate": (
        a_complaint,
        lambda c: c.settle_duplicate(c.id, "同一件", when(), same=True),
        "two-complaints",
        "N20",
    ),
    "handing over to whoever answers already": (
        a_complaint,
        lambda c: c.hand_over("officer-a", "休假", when()),
        "handed-to-another",
        "N20",
    ),
    "handing over without a reason": (
        a_complaint,
        lambda c: c.hand_over("officer-b", "", when()),
        "ground-given",
        "N20",
    ),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_what_is_refused_names_rule_and_clause_and_leaves_nothing(name: str):
    given, act, rule, clause = REFUSALS[name]
    complaint = given()
    complaint.collect_events()
    error = refusal(complaint, act)
    assert (error.rule, error.clause) == (rule, clause)


def test_a_complaint_is_withdrawn_once():
    complaint = a_complaint()
    complaint.withdraw(STATEMENT, when())
    complaint.collect_events()
    assert refusal(complaint, lambda c: c.withdraw(STATEMENT, when(2))).rule == "withdrawn-once"


@pytest.mark.parametrize("same", [True, False])
def test_what_is_settled_is_not_settled_so_again_but_may_be_settled_otherwise(same: bool):
    complaint = a_complaint()
    complaint.settle_duplicate("complaint-2", "两件对照", when(), same=same)
    complaint.collect_events()
    again = refusal(complaint, lambda c: c.settle_duplicate("complaint-2", "两件对照", when(2), same=same))
    assert again.rule == "settled-anew-differs"
    complaint.settle_duplicate("complaint-2", "重新核对", when(3), same=not same)
    assert complaint.reception.duplicates == (() if same else ("complaint-2",))
    assert complaint.reception.distinct == (("complaint-2",) if same else ())


# Answers


def test_an_accepted_complaint_may_be_in_several_cases_and_join_a_further_one_later():
    complaint = classified(ARREARS)
    complaint.accept("case-1", when(), TOLD)
    complaint.accept("case-2", when())
    complaint.join("case-3", "同一项目另案", when(50))
    assert complaint.reception.cases == ("case-1", "case-2", "case-3")


def test_a_refused_complaint_may_be_accepted_after_all():
    complaint = refused()
    complaint.accept("case-1", when(100))
    assert stage(complaint) is ReceptionStage.ACCEPTED
    assert complaint.reception.refused_at is not None


def test_another_matter_is_advised_and_its_department_ordered_and_heard():
    complaint = classified(OTHER)
    complaint.advise("劳动人事争议仲裁", "一年内申请仲裁", TOLD, when())
    assert stage(complaint) is ReceptionStage.ADVISED
    complaint.order_department("住建局", when(), "阳人社函〔2019〕9号", RECEIVED + timedelta(days=10))
    assert stage(complaint) is ReceptionStage.HANDED_ON
    assert now(complaint).awaited == ("住建局",)
    complaint.record_answer("住建局", when(60), answer=sealed("complaint-1"), evidence=STATEMENT)
    assert now(complaint).awaited == ()
    assert now(complaint).departments == ("住建局",)


def test_an_answer_that_nobody_asked_for_is_recorded():
    complaint = a_complaint()
    complaint.record_answer("水利局", when())
    assert [type(event) for event in complaint.pending_events][-1] is Complaint.DepartmentAnswered
    assert now(complaint).departments == ()


def test_a_repeat_petition_is_handed_to_a_place_that_names_a_person():
    complaint = classified(REPEAT)
    complaint.hand_to_local_government("140300", sealed("person-9"), when(), "阳信函〔2019〕3号")
    assert now(complaint).handed_to == "140300"
    assert stage(complaint) is ReceptionStage.HANDED_ON


def test_advice_given_to_another_matter_does_not_answer_it_once_it_is_arrears():
    complaint = classified(OTHER)
    complaint.advise("仲裁", "申请仲裁", TOLD, when())
    complaint.classify(ARREARS, "补交考勤表，属欠薪", when(20))
    assert stage(complaint) is ReceptionStage.CLASSIFIED


def test_a_withdrawal_leaves_the_cases_as_they_are():
    complaint = accepted()
    complaint.withdraw(STATEMENT, when(9), sealed("complaint-1"))
    assert stage(complaint) is ReceptionStage.ACCEPTED
    assert now(complaint).cases == ("case-1",)


# Completion


def test_a_complaint_is_returned_until_all_that_is_missing_was_brought():
    complaint = a_complaint(debtor=None, amount=None)
    until = RECEIVED + timedelta(days=5)
    complaint.return_for_completion((MissingItem.EMPLOYER, MissingItem.AMOUNT), until, TOLD, when())
    assert stage(complaint) is ReceptionStage.RETURNED
    assert now(complaint).returned_until == until
    complaint.complete((MissingItem.EMPLOYER,), particulars(amount=None), when(24), STATEMENT)
    assert now(complaint).missing == (MissingItem.AMOUNT,)
    complaint.complete((MissingItem.AMOUNT,), particulars(), when(48))
    assert stage(complaint) is ReceptionStage.OPEN
    assert now(complaint).returned_until is None
    assert complaint.particulars == particulars()


def test_what_is_brought_without_having_been_asked_for_is_recorded():
    complaint = a_complaint(amount=None)
    complaint.complete((MissingItem.AMOUNT,), particulars(), when())
    assert complaint.particulars.amount == 24_000_000


# Corrections, duty, duplicates


def test_a_correction_names_what_changed_and_none_is_recorded_when_nothing_did():
    complaint = a_complaint()
    complaint.collect_events()
    complaint.amend(particulars(), "核对", when())
    assert not complaint.pending_events
    complaint.amend(particulars(amount=1, project=None), "登记笔误", when())
    event = complaint.pending_events[-1]
    assert isinstance(event, Complaint.ParticularsAmended)
    assert event.changed == ("amount", "project")
    assert complaint.particulars == particulars(amount=1, project=None)


def test_the_first_officer_asked_is_known_for_ever_whoever_answers_now():
    complaint = a_complaint()
    complaint.hand_over("officer-b", "调岗", when())
    assert now(complaint).officer == "officer-b"
    assert now(complaint).first_officer == "officer-a"


def test_a_hint_waits_for_an_officer_and_is_given_once():
    complaint = a_complaint()
    for _ in range(2):
        complaint.hint_duplicate("complaint-2", DuplicateRule.SAME_PERSON, "the same", "duplicates/1", when())
    assert sum(isinstance(event, Complaint.DuplicateHinted) for event in complaint.pending_events) == 1
    assert now(complaint).hinted == ("complaint-2",)
    complaint.settle_duplicate("complaint-2", "不同工地", when(), same=False)
    complaint.hint_duplicate("complaint-2", DuplicateRule.SAME_PERSON, "the same", "duplicates/2", when())
    assert not now(complaint).hinted
    assert now(complaint).distinct == ("complaint-2",)


def test_nothing_is_hinted_to_be_its_own_duplicate():
    complaint = a_complaint()
    complaint.hint_duplicate(complaint.id, DuplicateRule.SAME_PERSON, "the same", "duplicates/1", when())
    assert now(complaint).hinted == ()
