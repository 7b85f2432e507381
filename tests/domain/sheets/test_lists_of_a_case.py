"""Lists about lines that a case has already: what was verified, paid and answered."""

from __future__ import annotations

from datetime import datetime

import pytest

from domain.errors import InputError
from domain.sheets.answers import ANSWER_WORDS, METHOD_WORDS, read_answers
from domain.sheets.payment_list import PAID_TO_WORDS, ControlTotals, read_payments
from domain.sheets.verification import read_verification
from domain.vocabulary import Answer, FollowUpMethod, PaidTo
from infra.sample.words import person
from tests.domain.sheets.conftest import ZONE, rules

ONE, TWO = person(1), person(2)


def test_a_verification_is_read_with_how_the_worker_was_told(pasted):
    read = pasted(
        read_verification,
        "明细号\t姓名\t反映金额\t核实金额\t核减金额\t撤回\t争议\t核减理由\t告知日期\t告知方式\t救济途径\n"
        f"1\t{ONE.name}\t1000\t900\t100\t\t\t考勤不足\t2019-12-30 14:30\t当面\t仲裁\n"
        f"2\t{TWO.name}\t1000\t400\t100\t200\t300\t考勤不足\t2019年12月31日\t电话\t\n",
    )
    assert read.faults == ()
    assert [(row.line, row.verified, row.rejected, row.withdrawn, row.disputed) for row in read.rows] == [
        ("1", 90_000, 10_000, 0, 0),
        ("2", 40_000, 10_000, 20_000, 30_000),
    ]
    assert read.rows[0].told_on == datetime(2019, 12, 30, 14, 30, tzinfo=ZONE)
    assert read.rows[1].determined == 100_000


def test_rows_of_a_prepared_list_with_nothing_filled_in_stay_pending(pasted):
    read = pasted(
        read_verification, f"明细号\t姓名\t反映金额\t核实\t核减\n1\t{ONE.name}\t1000\t1000\t\n2\t{TWO.name}\t500\t\t-\n"
    )
    assert (len(read.rows), read.untouched, read.faults) == (1, 1, ())
    assert read.totals.amounts == {"claimed": 100_000, "verified": 100_000, "rejected": 0}


@pytest.mark.parametrize(
    ("cells", "fault"),
    [
        ("1000\t900\t\t\t\t", ("核实", "parts-add-up")),
        ("1000\t900\t100\t\t\t", ("依据", "ground-given")),
        ("1000\t\t100\t少\t\t", ("核实", "required")),
        ("1000\t1000\t\t\t2019-12-30\t", ("告知方式", "told-whole")),
        ("1000\t1000\t\t\t\t当面", ("告知时间", "told-whole")),
        ("1000\t-5\t\t\t\t", ("核实", "amount-range")),
    ],
)
def test_a_verification_that_contradicts_itself_is_a_fault(pasted, cells, fault):
    read = pasted(read_verification, f"明细号\t反映金额\t核实\t核减\t依据\t告知时间\t告知方式\n1\t{cells}")
    assert rules(read.faults) == [(2, *fault)]


def test_where_nothing_is_verified_the_remedy_is_asked_for(pasted):
    read = pasted(
        read_verification, "明细号\t核实\t核减\t依据\t告知时间\t告知方式\n1\t0\t100\t无欠薪\t2019-12-30\t当面"
    )
    assert read.faults == ()
    assert [warning.rule for warning in read.warnings] == ["remedy-told"]


def test_a_list_without_the_column_that_it_is_for_is_a_fault(pasted):
    assert ("核实", "column-missing") in [
        (f.column, f.rule) for f in pasted(read_verification, "姓名\t电话\n甲\t1").faults
    ]
    assert ("金额", "column-missing") in [(f.column, f.rule) for f in pasted(read_payments, "姓名\t电话\n甲\t1").faults]
    assert ("答复", "column-missing") in [(f.column, f.rule) for f in pasted(read_answers, "姓名\t电话\n甲\t1").faults]


def test_a_payment_list_says_how_the_money_reached_each_worker(pasted):
    read = pasted(
        read_payments,
        "姓名\t实发金额\t领取方式\t签收\t银行卡号\t发放日期\n"
        f"{ONE.name}\t1,000.00\t打卡\t\t6200 0000 0000 0000 001\t2020.1.5\n"
        f"{TWO.name}\t500\t\t{TWO.name}\t\t2020.1.5\n"
        "丙寅\t300\t\t√\t\t\n"
        "丁卯\t200\t\t\t\t\n"
        "合计\t2,000\n",
        control=ControlTotals(lines=4, amount=200_000),
    )
    assert read.faults == ()
    assert [row.paid_to for row in read.rows] == [PaidTo.OWN_ACCOUNT, PaidTo.HANDED_OVER, PaidTo.HANDED_OVER, None]
    assert read.rows[0].account == "6200000000000000001"
    assert read.rows[0].paid_on == datetime(2020, 1, 5, tzinfo=ZONE)


def test_control_totals_counted_apart_are_held_against_the_list(pasted):
    text = "明细号\t金额\n1\t100\n2\t200\n"
    assert pasted(read_payments, text, control=ControlTotals(2, 30_000)).faults == ()
    read = pasted(read_payments, text, control=ControlTotals(3, 30_001))
    assert [(f.row, f.rule) for f in read.faults] == [(0, "control-totals")] * 2
    assert "3 counted, 2 in the list" in read.faults[0].en
    assert "另计300.01，表内300.00" in read.faults[1].zh


def test_money_that_somebody_else_holds_is_no_payment(pasted):
    for said in ("包工头代领", "托管账户", "代领"):
        assert rules(pasted(read_payments, f"明细号\t金额\t领取方式\n1\t100\t{said}").faults) == [
            (2, "领取方式", "own-hands")
        ]


def test_a_signature_of_somebody_else_is_looked_at_unless_they_are_documented(pasted):
    text = f"姓名\t金额\t领取方式\t签收\n{ONE.name}\t1\t\t{TWO.name}\n{ONE.name}\t1\t委托代领\t{TWO.name}\n"
    read = pasted(read_payments, text)
    assert rules(read.warnings) == [(2, "签收", "signed-by-another")]
    assert [row.paid_to for row in read.rows] == [None, PaidTo.PROXY]


def test_paying_nothing_is_a_fault_and_paying_more_than_is_owing_is_a_fact(pasted):
    read = pasted(read_payments, "明细号\t欠付余额\t金额\n1\t100\t0\n2\t100\t100.01\n3\t100\t100\n4\t100\t\n")
    assert rules(read.faults) == [(2, "金额", "positive")]
    assert rules(read.warnings) == [(3, "金额", "more-than-owing")]
    assert read.untouched == 1


def test_answers_are_read_in_the_words_of_whoever_asked(pasted):
    read = pasted(
        read_answers,
        "明细号\t姓名\t答复\t到手金额\t方式\t号码来源\t回访日期\n"
        f"1\t{ONE.name}\t全额收到\t1,000\t\t花名册\t2020-01-20\n"
        f"2\t{TWO.name}\t少收\t400\t微信\t\t\n"
        "3\t丙寅\t关机\t\t电话\t\t\n"
        "4\t丁卯\t\t\t\t\t\n",
    )
    assert read.faults == ()
    assert [(row.answer, row.amount, row.method) for row in read.rows] == [
        (Answer.RECEIVED, 100_000, FollowUpMethod.PHONE),
        (Answer.LESS, 40_000, FollowUpMethod.MESSAGE),
        (Answer.UNREACHABLE, None, FollowUpMethod.PHONE),
    ]
    assert read.rows[0].asked_on == datetime(2020, 1, 20, tzinfo=ZONE)
    assert read.untouched == 1


def test_an_answer_that_is_none_of_the_words_is_a_fault_that_names_them(pasted):
    read = pasted(read_answers, "明细号\t答复\n1\t大概收到了")
    assert rules(read.faults) == [(2, "答复", "known-word")]
    assert "全额收到" in read.faults[0].zh


def test_less_without_how_much_is_looked_at(pasted):
    assert rules(pasted(read_answers, "明细号\t答复\n1\t少收").warnings) == [(2, "到手金额", "how-much")]


def test_an_answer_without_an_answer_is_a_fault(pasted):
    assert rules(pasted(read_answers, "明细号\t答复\t到手金额\n1\t\t100").faults) == [(2, "答复", "required")]


def test_lists_without_headings_stand_in_the_order_of_their_forms(pasted):
    assert pasted(read_verification, "12\t900\t100\t\t\t考勤不足").rows[0].rejected == 10_000
    assert pasted(read_payments, "12\t900\t打卡").rows[0].paid_to is PaidTo.OWN_ACCOUNT
    assert pasted(read_answers, "12\t收到\t900\t电话").rows[0].amount == 90_000
    with pytest.raises(InputError):
        pasted(read_payments, "12\t900\t打卡\t1\t2")


def test_every_word_of_the_vocabulary_can_be_said_and_no_other():
    assert set(ANSWER_WORDS) == {answer.value for answer in Answer}
    assert set(METHOD_WORDS) == {method.value for method in FollowUpMethod}
    assert set(PAID_TO_WORDS) - {way.value for way in PaidTo} == {"held"}
    for words in (ANSWER_WORDS, METHOD_WORDS, PAID_TO_WORDS):
        said = [word for sayings in words.values() for word in sayings]
        assert len(said) == len(set(said)), "no word means two things"
