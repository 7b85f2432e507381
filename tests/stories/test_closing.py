"""Stories of closing, writing off, reopening and the board (definitions.md, closed, written off, cleared; N27)."""

from __future__ import annotations

from tests.stories.office import PINGDING, YUAN, Office


def test_a_closing_is_approved_by_somebody_else(office: Office):
    case = office.paid_case(500)
    office.do("zhao", f"cases/{case}/propose-closing", outcome="paid", ground="付清")
    assert office.refused("zhao", f"cases/{case}/approve-closing") == "two-officers"
    office.do("qian", f"cases/{case}/approve-closing")
    assert "closed" in office.words(case)


def test_a_closing_is_refused_with_its_ground_and_proposed_again(office: Office):
    case = office.paid_case(500)
    office.do("zhao", f"cases/{case}/propose-closing", outcome="paid", ground="付清")
    office.do("qian", f"cases/{case}/refuse-closing", ground="签收表缺页")
    assert "closed" not in office.words(case)
    office.close(case)
    assert "closed" in office.words(case)


def test_a_case_that_owes_is_not_closed_as_paid(office: Office):
    case = office.case(500)
    office.verify(case, _1=500)
    office.roster(case)
    rule = office.refused("zhao", f"cases/{case}/propose-closing", outcome="paid", ground="已协商")
    assert rule == "unsolved-not-closed"


def test_only_the_leading_group_writes_off(office: Office):
    case = office.paid_case(500)
    office.close(case)
    assert office.refused("qian", f"cases/{case}/write-off", ground="销") == "written-off-by-leading-group"
    office.write_off(case)
    assert "written_off" in office.words(case)


def test_no_case_is_written_off_while_it_owes(office: Office):
    case = office.case(500)
    office.verify(case, _1=500)
    office.roster(case)
    assert office.refused("city", f"cases/{case}/write-off", ground="销") != ""
    assert "written_off" not in office.words(case)


def test_the_debtor_vanished_and_the_case_ended_judicial_still_owing_on_the_board(office: Office):
    case = office.case(500)
    office.verify(case, _1=500)
    office.roster(case)
    office.do("zhao", f"cases/{case}/record-cause", cause="fled", by="甲公司", amount=500 * YUAN)
    office.close(case, "judicial")
    assert office.words(case) == {"determined", "closed"}
    assert office.refused("city", f"cases/{case}/write-off", ground="销") != ""
    now = office.cell("in-year", "year-end")["now"]
    assert (now["members"], now["closed"], now["written_off"], now["owing"]) == (1, 1, 0, 500 * YUAN)


def test_a_reopened_case_is_off_the_board_again(office: Office):
    case = office.paid_case(500)
    office.close(case)
    office.write_off(case)
    assert office.cell("in-year", "year-end")["state"] == "cleared"
    office.do("qian", f"cases/{case}/reopen", ground="又有工人反映")
    assert office.words(case) == {"determined", "solved"}
    assert office.cell("in-year", "year-end")["state"] == "open"


def test_a_cell_is_cleared_in_hand_only_when_every_worker_confirmed(office: Office):
    case = office.paid_case(500, 300)
    office.close(case)
    office.write_off(case)
    office.ask(case, _1="received")
    assert office.cell("in-year", "year-end")["state"] == "cleared"
    office.ask(case, _2="received")
    assert office.cell("in-year", "year-end")["state"] == "cleared-in-hand"
    office.ask(case, _2="not-received")
    assert office.cell("in-year", "year-end")["state"] == "open"


def test_a_late_registration_un_clears_a_cell_that_was_known_as_cleared(office: Office):
    case = office.paid_case(500)
    office.close(case)
    office.write_off(case)
    office.on(1, 5)
    assert office.cell("in-year", "year-end")["state"] == "cleared"
    known = office.position()
    late = {"received": "2019-12-20T10:00:00+08:00", "occurred": "2019-12-20T10:00:00+08:00", "late": "found-on-review"}
    office.do("zhao", "cases", debtor="乙公司", funding="private", **late)
    cell = office.cell("in-year", "year-end")
    assert cell["state"] == "open"
    assert cell["state_then"] == "cleared"
    assert office.cell("in-year", "year-end", as_known_at=known)["state"] == "cleared"


def test_a_late_complaint_without_class_hinders_a_cell(office: Office):
    case = office.paid_case(500)
    office.close(case)
    office.write_off(case)
    office.complaint()
    cell = office.cell("in-year", "year-end")
    assert (cell["state"], cell["hindering"]) == ("hindered", 1)
    number = office.rows("reception")[0]["number"]
    office.do("zhao", f"complaints/{number}/classify", classification="other-matter", ground="劳动合同咨询")
    assert office.cell("in-year", "year-end")["state"] == "cleared"


def test_nothing_recorded_is_never_cleared(office: Office):
    assert office.cell("historical", "year-end").get("state", "none-recorded") == "none-recorded"


def test_a_case_in_two_classes_counts_in_both(office: Office):
    case = office.paid_case(500)
    office.do("zhao", f"cases/{case}/hand-down", by="省人社厅", number="晋转1")
    for name in ("in-year", "handed-down"):
        assert office.cell(name, "year-end")["now"]["members"] == 1
    office.do("zhao", f"cases/{case}/leave-class", case_class="in-year", ground="只按转办")
    assert office.cell("in-year", "year-end").get("now", {"members": 0})["members"] == 0
    rule = office.refused("zhao", f"cases/{case}/leave-class", case_class="handed-down", ground="无")
    assert rule == "class-at-least-one"


def test_a_case_that_was_handed_down_is_closed_when_its_sender_accepts(office: Office):
    case = office.paid_case(500)
    office.do("zhao", f"cases/{case}/hand-down", by="省人社厅", number="晋转2")
    office.do("zhao", f"cases/{case}/propose-closing", outcome="paid", ground="付清")
    assert office.refused("qian", f"cases/{case}/approve-closing") == "sender-accepts"
    office.do("zhao", f"cases/{case}/sender-answer", by="省人社厅", accepted=True)
    office.do("qian", f"cases/{case}/approve-closing")
    assert "closed" in office.words(case)


def test_a_decision_on_an_old_page_is_refused(office: Office):
    case = office.paid_case(500)
    office.do("zhao", f"cases/{case}/propose-closing", outcome="paid", ground="付清")
    seen = office.position()
    office.do("zhao", f"cases/{case}/assign", duty="contact", officer="sun")
    answer = office.post("qian", f"cases/{case}/approve-closing", {}, **{"If-Match": f'"{seen}"'})
    assert answer.status_code == 409
    assert "closed" not in office.words(case)


def test_an_approval_counts_only_while_the_case_is_solved(office: Office):
    case = office.paid_case(500)
    office.do("zhao", f"cases/{case}/propose-closing", outcome="paid", ground="付清")
    office.ask(case, _1="not-received")
    assert office.refused("qian", f"cases/{case}/approve-closing") == "unsolved-not-closed"


def test_a_withdrawn_proposal_cannot_be_approved(office: Office):
    case = office.paid_case(500)
    office.do("zhao", f"cases/{case}/propose-closing", outcome="paid", ground="付清")
    office.do("zhao", f"cases/{case}/withdraw-closing", ground="有误")
    assert office.refused("qian", f"cases/{case}/approve-closing") != ""


def test_as_known_then_a_case_stays_what_it_was(office: Office):
    case = office.case(500)
    office.verify(case, _1=500)
    office.roster(case)
    before = office.position()
    office.pay(case, _1=500)
    assert office.words(case, as_known_at=before) == {"determined"}
    assert office.words(case) == {"determined", "solved"}


def test_the_board_of_a_place_shows_its_own_cases_only(office: Office):
    office.case(500)
    office.case(300, by="yu")
    assert office.cell("in-year", "year-end", PINGDING)["now"]["claimed"] == 500 * YUAN
    assert office.cell("in-year", "year-end", "140322")["now"]["claimed"] == 300 * YUAN
