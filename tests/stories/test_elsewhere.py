"""Stories of cases that go somewhere else: transferred, refused by the receiver, merged, split (definitions.md, closed; N28)."""

from __future__ import annotations

from tests.stories.office import YUAN, Office


def sent(office: Office, case: str) -> None:
    office.do("zhao", f"cases/{case}/send-transfer", to="盂县人社局", to_place="140322", ground="项目在盂县")


def test_a_transfer_that_the_receiver_refuses_leaves_the_case_where_it_was(office: Office):
    case = office.case(500)
    sent(office, case)
    office.do("yu", f"cases/{case}/return-transfer", by="盂县人社局", ground="不属本地")
    assert office.cell("in-year", "year-end")["now"]["members"] == 1
    assert office.refused("zhao", f"cases/{case}/propose-closing", outcome="transfer-accepted", ground="移送") != ""


def test_a_transfer_that_is_accepted_takes_the_debt_with_it(office: Office):
    case = office.case(500)
    office.verify(case, _1=500)
    sent(office, case)
    office.do("yu", f"cases/{case}/accept-transfer", by="盂县人社局", number="盂案1")
    office.close(case, "transfer-accepted")
    assert office.cell("in-year", "year-end").get("now", {"members": 0})["members"] == 0
    there = office.cell("in-year", "year-end", "140322")["now"]
    assert (there["members"], there["owing"]) == (1, 500 * YUAN)


def test_nobody_else_accepts_what_was_sent_to_another_place(office: Office):
    case = office.case(500)
    sent(office, case)
    office.refused("qian", f"cases/{case}/accept-transfer", by="平定")


def test_a_transfer_is_not_closed_before_it_is_accepted(office: Office):
    case = office.case(500)
    sent(office, case)
    rule = office.refused("zhao", f"cases/{case}/propose-closing", outcome="transfer-accepted", ground="移送")
    assert rule == "transfer-accepted-first"


def test_a_split_case_owes_what_the_whole_did(office: Office):
    case = office.case(500, 300)
    office.verify(case, _1=500, _2=300)
    said = office.do("zhao", f"cases/{case}/split", claims=["2"], ground="另一用人单位", debtor="乙公司")
    other = next(
        event["stream"] for event in said["events"] if event["stream"].startswith("case-") and event["stream"] != case
    )
    assert office.figures(case)["owing"] + office.figures(other)["owing"] == 800
    assert office.figures(other)["owing"] == 300


def test_a_merged_case_leaves_the_count_and_its_debt_does_not(office: Office):
    case, into = office.case(500), office.case(300)
    office.verify(case, _1=500)
    office.verify(into, _1=300)
    office.do("zhao", f"cases/{case}/propose-closing", outcome="merged", ground="同一项目", into=into)
    office.do("qian", f"cases/{case}/approve-closing")
    now = office.cell("in-year", "year-end")["now"]
    assert (now["members"], now["owing"]) == (1, 800 * YUAN)
    assert office.figures(into)["owing"] == 800


def test_an_officer_of_another_place_records_nothing_here(office: Office):
    case = office.case(500)
    office.refused("yu", f"cases/{case}/add-lines", lines=[{"worker": "甲", "claimed": 1}])
    assert office.get(f"cases/{case}")["lines"] == 1


def test_the_leading_group_acts_in_every_place_below_it(office: Office):
    case = office.case(500)
    office.do("city", f"cases/{case}/assign", duty="lead-official", officer="city")


def test_a_duty_is_handed_over_by_name_and_reason(office: Office):
    case = office.case(500)
    office.do("zhao", f"cases/{case}/assign", duty="handler", officer="zhao")
    office.do("qian", f"cases/{case}/hand-over", duty="handler", officer="qian", previous="zhao", reason="休假")
    [row] = [row for row in office.rows("case") if row["case"] == case]
    assert row["handlers"] == ["officer-00000002"]
