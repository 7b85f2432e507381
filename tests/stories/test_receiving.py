"""Stories of complaints: the same day, the first officer asked, returned, refused in writing, withdrawn, joined (N20, N21)."""

from __future__ import annotations

from tests.stories.office import Office, soon


def classified(office: Office) -> str:
    number = office.complaint()
    office.do("zhao", f"complaints/{number}/classify", classification="wage-arrears", ground="花名册、考勤")
    return number


def test_a_complaint_is_registered_classified_and_taken_into_a_case(office: Office):
    number = classified(office)
    case = office.do("zhao", "cases", complaint=number, funding="private")["thing"]
    [row] = office.rows("reception")
    assert row["number"] == number
    assert office.rows("acceptance", case=case)


def test_it_is_taken_into_several_cases(office: Office):
    number = classified(office)
    first = office.do("zhao", "cases", complaint=number, funding="private")["thing"]
    second = office.case(300)
    office.do("zhao", f"complaints/{number}/accept", case=second, told=office.told())
    assert {row["case"] for row in office.rows("acceptance")} == {first, second}


def test_only_arrears_become_a_case(office: Office):
    number = office.complaint()
    case = office.case(100)
    form = {"case": case, "told": office.told()}
    assert office.refused("zhao", f"complaints/{number}/accept", **form) == "arrears-are-accepted"


def test_a_complaint_is_refused_in_writing_with_its_remedy(office: Office):
    number = classified(office)
    told = office.told()
    office.do("zhao", f"complaints/{number}/refuse", ground="已过时效", document="不予受理1", told=told)
    again = {"ground": "再次", "document": "不予受理2", "told": told}
    assert office.refused("zhao", f"complaints/{number}/refuse", **again) == "refused-once"


def test_something_else_is_advised_of_its_channel(office: Office):
    number = office.complaint()
    form = {"channel": "劳动仲裁委", "remedy": "一年内申请仲裁", "told": office.told()}
    assert office.refused("zhao", f"complaints/{number}/advise", **form) == "classified-before-answered"
    office.do("zhao", f"complaints/{number}/classify", classification="other-matter", ground="工伤")
    office.do("zhao", f"complaints/{number}/advise", **form)


def test_it_is_returned_for_what_is_missing_and_completed(office: Office):
    number = office.complaint()
    office.do(
        "zhao",
        f"complaints/{number}/return",
        missing=["evidence"],
        until=soon(office).date().isoformat(),
        told=office.told(),
    )
    office.do("zhao", f"complaints/{number}/complete", brought=["evidence"], headcount=3)
    [row] = office.rows("reception")
    assert row["headcount"] == 3


def test_only_the_workers_own_statement_withdraws(office: Office):
    number = office.complaint()
    assert office.refused("zhao", f"complaints/{number}/withdraw") == "withdrawn-by-own-statement"
    office.do("zhao", f"complaints/{number}/withdraw", statement="已收到工资，撤回", evidence=[office.file()])


def test_the_same_complaint_again_is_found_and_settled_as_a_duplicate(office: Office):
    first = office.complaint(complainant="王强", complainant_id="140321199001011234")
    second = office.complaint(complainant="王强", complainant_id="140321199001011234")
    office.do("zhao", f"complaints/{second}/settle-duplicate", other=first, same=True, ground="同人同事")
    rows = {row["number"]: row for row in office.rows("reception")}
    assert rows[second] != rows[first]


def test_what_came_is_classified_late_and_the_ledger_says_so(office: Office):
    number = office.complaint()
    office.on(11, 23)
    office.do("zhao", f"complaints/{number}/classify", classification="wage-arrears", ground="核实")
    receptions = office.get("clearance", jurisdiction="140321")["receptions"]
    assert "1" in str(receptions)
    assert any(each.get("late") for each in receptions if isinstance(each, dict))


def test_the_first_officer_hands_over_by_name(office: Office):
    number = office.complaint()
    office.do("zhao", f"complaints/{number}/hand-over", officer="qian", reason="属其分管")
    assert (
        office.refused("zhao", f"complaints/{number}/hand-over", officer="qian", reason="再次") == "handed-to-another"
    )


def test_an_entry_that_comes_late_says_why(office: Office):
    office.on(11, 26)
    form = {"channel": "visit", "debtor": "甲公司", "received": "2019-11-21T10:00:00+08:00"}
    form["occurred"] = form["received"]
    assert office.refused("zhao", "complaints", **form) == "late-has-reason"
    office.do("zhao", "complaints", **form, late="found-on-review")


def test_who_reads_without_a_token_records_nothing(office: Office):
    response = office.client.post("/v1/complaints", json={"channel": "visit"})
    assert response.status_code == 401
