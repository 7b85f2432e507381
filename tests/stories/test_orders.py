"""Stories of orders and referrals, and of projects and their safeguards (N28-N30, N33, N39)."""

from __future__ import annotations

from tests.stories.office import YUAN, Office, soon


def ordered(office: Office, case: str, number: str = "令1") -> str:
    said = office.do(
        "zhao",
        f"cases/{case}/issue-order",
        number=number,
        kind="pay-within-limit",
        law="保障农民工工资支付条例第53条",
        against="甲公司",
        amount=500 * YUAN,
        due=soon(office).isoformat(),
    )
    return str(next(event["stream"] for event in said["events"] if event["type"].startswith("order.")))


def test_an_order_is_served_and_complied_with_in_part(office: Office):
    case = office.case(500)
    order = ordered(office, case)
    office.do("zhao", f"orders/{order}/serve", method="in-person", receiver="会计", due=soon(office).isoformat())
    office.do("zhao", f"orders/{order}/comply", amount=200 * YUAN, partly=True)
    [row] = office.rows("order", case=case)
    assert row["in_force"] is True
    assert office.figures(case)["paid"] == 0


def test_an_order_to_pay_names_its_sum(office: Office):
    case = office.case(500)
    form = {
        "number": "令2",
        "kind": "pay-within-limit",
        "law": "条例",
        "against": "甲公司",
        "due": soon(office).isoformat(),
    }
    assert office.refused("zhao", f"cases/{case}/issue-order", **form) == "payment-order-has-sum"


def test_a_number_is_given_once(office: Office):
    case = office.case(500)
    ordered(office, case)
    form = {"number": "令1", "kind": "rectify", "law": "条例", "against": "乙公司"}
    assert office.refused("zhao", f"cases/{case}/issue-order", **form) == "number-once"


def test_a_withdrawn_order_that_is_served_all_the_same_binds_nobody(office: Office):
    case = office.case(500)
    order = ordered(office, case)
    office.do("zhao", f"orders/{order}/withdraw", ground="文号有误")
    office.do("zhao", f"orders/{order}/serve", method="in-person")
    [row] = office.rows("order", case=case)
    assert row["in_force"] is False


def test_a_referral_that_is_refused_can_be_reconsidered(office: Office):
    case = office.case(500)
    said = office.do(
        "zhao", f"cases/{case}/refer", number="转1", kind="competent-department", to="住建局", ground="违法分包"
    )
    referral = next(event["stream"] for event in said["events"] if event["type"].startswith("referral."))
    office.do("zhao", f"referrals/{referral}/acknowledge", receipt="收1")
    office.do("zhao", f"referrals/{referral}/refused", ground="不属职责")
    [row] = office.rows("referral", case=case)
    assert row["state"] == "refused"
    [view] = office.get(f"cases/{case}")["related"]["referral"]
    assert view["values"]["number"] == "转1"


def test_a_project_shows_its_safeguards_and_one_is_refuted(office: Office):
    said = office.do("zhao", "projects", number="项1", name="安置小区二期", funding="government", industry="housing")
    project = said["thing"]
    office.do(
        "zhao",
        f"projects/{project}/show-safeguard",
        safeguard="dedicated-account",
        valid_from="2019-11-01",
        bank="农行平定支行",
        account_name="安置小区工资专户",
        evidence=[office.file(project)],
    )
    rows = {row["safeguard"]: row for row in office.rows("safeguard")}
    assert "dedicated-account" in rows
    office.do(
        "qian",
        f"projects/{project}/refute-safeguard",
        safeguard="dedicated-account",
        since="2019-12-01",
        ground="已销户",
    )
    assert {row["safeguard"]: row for row in office.rows("safeguard")} != rows


def test_who_is_missing_of_the_permits_is_found(office: Office):
    office.do(
        "zhao",
        "projects",
        number="项2",
        name="安置小区二期",
        funding="government",
        industry="housing",
        permits=["140321201901"],
    )
    office.do(
        "zhao",
        "permit-lists/hand-in",
        kind="permit",
        authority="平定县住建局",
        asof="2019-11-20",
        rows=[{"name": "安置小区二期", "number": "140321201901"}, {"name": "污水处理厂", "number": "140321201902"}],
        evidence=[office.file()],
    )
    missing = office.get("completeness")
    assert [row["name"] for row in missing["unregistered"]] == ["污水处理厂"]
    assert (missing["matched"], missing["unlisted"], missing["complete"]) == (1, [], False)
    plant = {"name": "污水处理厂", "funding": "government", "industry": "water", "permits": ["140321201902"]}
    office.do("zhao", "projects", number="项3", **plant)
    assert office.get("completeness")["complete"] is True
    office.do("zhao", "projects", number="项4", name="无证项目", funding="private", industry="other")
    [unlisted] = office.get("completeness")["unlisted"]
    assert unlisted["number"] == "项4"
    assert office.get("completeness", jurisdiction="140322")["projects"] == 0
