"""Stories of who is owed what: determined, rejected, named, waived, disputed, merged and split (definitions.md, claim line)."""

from __future__ import annotations

from tests.stories.office import YUAN, Office


def test_a_case_is_determined_when_its_roster_is_confirmed_by_another_officer(office: Office):
    case = office.case(500, 300)
    office.verify(case, _1=500, _2=300)
    assert office.words(case) == set()
    office.do("zhao", f"cases/{case}/declare-roster")
    assert office.refused("zhao", f"cases/{case}/confirm-roster") == "two-officers"
    office.do("qian", f"cases/{case}/confirm-roster")
    assert office.words(case) == {"determined"}


def test_one_more_worker_undoes_what_was_determined(office: Office):
    case = office.paid_case(500)
    office.lines(case, 200)
    assert office.words(case) == set()
    assert office.why_not(case, "determined") == {"roster-unchanged", "nothing-pending"}


def test_a_line_determined_again_undoes_it_too(office: Office):
    case = office.paid_case(500, 300)
    office.reject(case, "2", 200, 100)
    assert "not-reverified" in office.why_not(case, "determined")
    office.roster(case)
    assert "determined" in office.words(case)


def test_verified_to_zero_by_rejecting_everyone_is_solved_only_when_all_were_told(office: Office):
    case = office.case(500, 300)
    lines = [{"claim": "1", "rejected": 500 * YUAN, "verified": 0, "ground": "不属实"}]
    assert office.refused("zhao", f"cases/{case}/verify-lines", lines=lines) == "rejection-told"
    office.reject(case, "1", 0, 500)
    office.reject(case, "2", 0, 300)
    office.roster(case)
    assert office.words(case) == {"determined", "solved"}
    assert office.figures(case)["verified"] == 0
    office.close(case, "no-arrears")
    office.write_off(case)
    assert "written_off" in office.words(case)
    assert "confirmed" not in office.words(case)


def test_rejecting_everyone_is_seen_as_such(office: Office):
    case = office.case(500)
    office.reject(case, "1", 0, 500)
    office.roster(case)
    [line] = office.rows("claim", case=case)
    assert (line["verified"], line["rejected"], line["owing"]) == (0, 500 * YUAN, 0)


def test_parts_that_do_not_make_the_claim_are_refused(office: Office):
    case = office.case(500)
    lines = [{"claim": "1", "verified": 400 * YUAN}]
    assert office.refused("zhao", f"cases/{case}/verify-lines", lines=lines) == "claim-adds-up"


def test_one_bad_row_of_two_hundred_records_none(office: Office):
    case = office.case(*range(100, 150))
    lines = [{"claim": str(n), "verified": (99 + n) * YUAN} for n in range(1, 51)]
    lines[37]["verified"] = 1
    assert office.refused("zhao", f"cases/{case}/verify-lines", lines=lines) == "claim-adds-up"
    assert office.figures(case)["verified"] == 0


def test_a_provisional_worker_is_later_identified_as_another(office: Office):
    case = office.case()
    office.add(case, [{"nickname": "老陕", "crew": "木工班", "claimed": 400 * YUAN}])
    [line] = office.get(f"cases/{case}")["claims"]
    office.do("zhao", f"claims/{line['key']}/identify", worker="王强", worker_id="140321198001011230", how="身份证原件")
    office.do(
        "qian",
        f"claims/{line['key']}/identify",
        worker="王刚",
        worker_id="140321198202021238",
        how="派出所核实",
        another_person=True,
    )
    office.verify(case, _1=400)
    office.roster(case)
    office.pay(case, _1=400)
    office.ask(case, _1="received")
    assert "confirmed" in office.words(case)
    types = [item["type"] for item in office.get(f"cases/{case}")["timeline"]]
    assert types.count("claim.identified.v1") == 2


def test_a_correction_of_identity_undoes_the_confirmation(office: Office):
    case = office.paid_case(400)
    office.ask(case, _1="received")
    assert "confirmed" in office.words(case)
    [line] = office.get(f"cases/{case}")["claims"]
    office.do("qian", f"claims/{line['key']}/identify", worker="李刚", how="派出所核实", another_person=True)
    assert "confirmed" not in office.words(case)


def test_an_unnamed_head_count_can_be_paid_but_never_confirmed(office: Office):
    case = office.case()
    office.add(case, [{"headcount": 12, "claimed": 6_000 * YUAN}])
    office.verify(case, _1=6_000)
    office.roster(case)
    office.pay(case, _1=6_000)
    assert office.words(case) == {"determined", "solved"}
    assert "everybody-named" in office.why_not(case, "confirmed")


def test_a_head_count_is_split_into_people_before_one_is_named(office: Office):
    case = office.case()
    office.add(case, [{"headcount": 2, "claimed": 900 * YUAN}])
    [line] = office.get(f"cases/{case}")["claims"]
    assert (
        office.refused("zhao", f"claims/{line['key']}/identify", worker="王强", how="身份证") == "one-worker-identified"
    )
    parts = [{"worker": "王强", "claimed": 500 * YUAN}, {"worker": "王刚", "claimed": 400 * YUAN}]
    office.do("zhao", f"claims/{line['key']}/split", parts=parts, ground="分人核实")
    assert office.figures(case)["claimed"] == 900
    assert office.get(f"cases/{case}")["standing"]["lines"] == 2


def test_a_worker_who_was_entered_twice_is_counted_once_and_what_was_paid_stays_paid(office: Office):
    case = office.case(500)
    office.lines(case, 500)
    office.verify(case, _1=500, _2=500)
    office.pay(case, _2=300)
    first, second = office.get(f"cases/{case}")["claims"]
    office.do("zhao", f"claims/{second['key']}/merge", into=first["key"], ground="同一人重复登记")
    assert office.get(f"cases/{case}")["standing"]["lines"] == 1
    assert office.figures(case)["claimed"] == 500
    assert (office.figures(case)["paid"], office.figures(case)["owing"]) == (300, 200)


def test_a_waiver_without_contact_is_refused(office: Office):
    case = office.case(500)
    office.verify(case, _1=500)
    [line] = office.get(f"cases/{case}")["claims"]
    address = f"claims/{line['key']}/waive"
    told = office.told()
    assert office.refused("zhao", address, amount=100 * YUAN, ground="本人放弃", told=told) == "waived-by-the-worker"
    assert office.figures(case)["owing"] == 500


def test_a_waiver_by_the_workers_own_statement_lowers_what_is_owing(office: Office):
    case = office.case(500)
    office.verify(case, _1=500)
    [line] = office.get(f"cases/{case}")["claims"]
    office.do(
        "zhao",
        f"claims/{line['key']}/waive",
        amount=100 * YUAN,
        ground="本人放弃部分",
        told=office.told(),
        evidence=[office.file(case, b"statement")],
    )
    assert (office.figures(case)["owing"], office.figures(case)["waived"]) == (400, 100)


def test_a_waiver_that_proves_false_is_owed_again(office: Office):
    case = office.case(500)
    office.verify(case, _1=500)
    office.roster(case)
    [line] = office.get(f"cases/{case}")["claims"]
    form = {"amount": 100 * YUAN, "ground": "本人放弃", "told": office.told(), "evidence": [office.file(case)]}
    office.do("zhao", f"claims/{line['key']}/waive", **form)
    office.pay(case, _1=400)
    assert "solved" in office.words(case)
    office.do("qian", f"claims/{line['key']}/refute-waiver", amount=100 * YUAN, ground="本人称系胁迫")
    assert office.figures(case)["owing"] == 100
    assert "solved" not in office.words(case)


def test_a_dispute_that_was_referred_keeps_a_case_open(office: Office):
    case = office.case(500)
    row = {"claim": "1", "verified": 300 * YUAN, "disputed": 200 * YUAN, "ground": "工程量有争议"}
    office.do("zhao", f"cases/{case}/verify-lines", lines=[row], told=office.told())
    office.roster(case)
    office.pay(case, _1=300)
    assert office.figures(case)["owing"] == 0
    assert office.why_not(case) == {"nothing-disputed"}


def test_what_was_drawn_already_is_no_claim(office: Office):
    case = office.case()
    office.add(case, [{"worker": "王强", "gross": 9_000 * YUAN, "drawn": 4_000 * YUAN}])
    assert office.figures(case)["claimed"] == 5_000


def test_two_clerks_enter_lines_beside_each_other(office: Office):
    case = office.case(500)
    office.lines(case, 300, by="qian")
    office.lines(case, 200, by="zhao")
    assert sorted(row["line"] for row in office.rows("claim", case=case)) == ["1", "2", "3"]
