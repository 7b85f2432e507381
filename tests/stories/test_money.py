"""Stories of money: what discharges a claim and what does not, what comes back, and money that belongs to nobody (definitions.md, paid)."""

from __future__ import annotations

from tests.stories.office import YUAN, Office


def test_money_paid_to_the_foreman_discharges_nothing(office: Office):
    case = office.case(500, 300)
    office.verify(case, _1=500, _2=300)
    office.roster(case)
    said = office.do(
        "zhao",
        f"cases/{case}/take-custody",
        number="托1",
        holder_kind="foreman",
        holder="刘工头",
        payer="甲公司",
        amount=800 * YUAN,
    )
    assert said["events"][0]["type"].startswith("custody.")
    assert (office.figures(case)["owing"], office.figures(case)["custody"]) == (800, 800)
    assert "solved" not in office.words(case)


def test_money_of_a_custody_account_counts_when_it_reaches_the_workers(office: Office):
    case = office.case(500, 300)
    office.verify(case, _1=500, _2=300)
    office.roster(case)
    custody = office.do(
        "zhao",
        f"cases/{case}/take-custody",
        number="托2",
        holder_kind="custody-account",
        account="县财政代管户",
        payer="甲公司",
        amount=800 * YUAN,
        evidence=[office.file(case)],
    )["thing"]
    office_custody = office.rows("custody", case=case)[0]["custody"]
    office.do("zhao", f"custodies/{office_custody}/authorise", claims=["1", "2"], evidence=[office.file(case)])
    office.do(
        "zhao",
        f"custodies/{office_custody}/pass-on",
        lines=[{"claim": "1", "amount": 500 * YUAN}],
        list_back=True,
        evidence=[office.file(case)],
    )
    assert custody == case
    assert (office.figures(case)["owing"], office.figures(case)["custody"]) == (300, 300)
    office.do(
        "zhao",
        f"custodies/{office_custody}/pass-on",
        lines=[{"claim": "2", "amount": 300 * YUAN}],
        list_back=True,
        evidence=[office.file(case)],
    )
    assert office.words(case) == {"determined", "solved"}


def test_more_than_is_held_cannot_be_passed_on_unseen(office: Office):
    case = office.case(500)
    office.verify(case, _1=500)
    office.do("zhao", f"cases/{case}/take-custody", number="托3", holder_kind="foreman", holder="刘", amount=200 * YUAN)
    custody = office.rows("custody", case=case)[0]["custody"]
    office.do("zhao", f"custodies/{custody}/pass-on", lines=[{"claim": "1", "amount": 500 * YUAN}])
    [row] = office.rows("custody", case=case)
    assert (row["held"], row["overdrawn"]) == (0, 300 * YUAN)
    assert "custody-overdrawn" in office.discrepancies(case)


def test_a_payment_without_a_document_solves_nothing(office: Office):
    case = office.case(500)
    office.verify(case, _1=500)
    office.roster(case)
    payment = office.pay(case, documented=False, _1=500)
    assert office.why_not(case) == {"nothing-only-stated"}
    office.do("zhao", f"payments/{payment}/evidence", lines=[1], evidence=[office.file(case)])
    assert "solved" in office.words(case)


def test_a_voucher_that_proves_false_undoes_solved(office: Office):
    case = office.paid_case(500)
    payment = office.rows("payment", case=case)[0]["payment"]
    office.do("qian", f"payments/{payment}/refute", lines=[1])
    assert office.why_not(case) == {"nothing-only-stated"}


def test_what_the_bank_returns_after_closing_reopens_the_debt_by_itself(office: Office):
    case = office.paid_case(500)
    office.close(case)
    office.write_off(case)
    payment = office.rows("payment", case=case)[0]["payment"]
    office.do("zhao", f"payments/{payment}/bank-return", rows=[{"line": 1, "result": "returned", "reason": "账号有误"}])
    assert office.figures(case)["owing"] == 500
    assert office.words(case) == {"closed", "determined"}
    assert "solved-no-longer" in office.discrepancies(case)


def test_a_part_that_is_reversed_is_owed_again(office: Office):
    case = office.paid_case(500)
    payment = office.rows("payment", case=case)[0]["payment"]
    office.do("zhao", f"payments/{payment}/give-back", line=1, amount=200 * YUAN, reason="多发冲销")
    assert (office.figures(case)["paid"], office.figures(case)["owing"]) == (300, 200)


def test_what_is_only_ordered_is_not_paid_until_the_bank_says_so(office: Office):
    case = office.case(500, 300)
    office.verify(case, _1=500, _2=300)
    office.roster(case)
    lines = [{"claim": "1", "amount": 500 * YUAN}, {"claim": "2", "amount": 300 * YUAN}]
    office.do("zhao", f"cases/{case}/instruct", source="wage-account", lines=lines, voucher="代发001")
    assert office.figures(case)["paid"] == 0
    payment = office.rows("payment", case=case)[0]["payment"]
    rows = [{"line": 1, "result": "credited"}, {"line": 2, "result": "failed", "reason": "户名不符"}]
    office.do("zhao", f"payments/{payment}/bank-return", rows=rows, evidence=[office.file(case)])
    assert (office.figures(case)["paid"], office.figures(case)["owing"]) == (500, 300)
    assert office.get(f"cases/{case}")["standing"]["instructed"] == 0


def test_a_payment_for_nobody_solves_nothing_until_it_finds_its_worker(office: Office):
    case = office.case(500)
    office.verify(case, _1=500)
    office.roster(case)
    lines = [{"amount": 500 * YUAN}]
    office.do("zhao", f"cases/{case}/pay", source="employer", lines=lines, evidence=[office.file(case)])
    assert (office.figures(case)["unallocated"], office.figures(case)["owing"]) == (500, 500)
    assert "unallocated-payment" in office.discrepancies(case)
    payment = office.rows("payment", case=case)[0]["payment"]
    office.do("zhao", f"payments/{payment}/allocate", line=1, claim="1", reason="签收表核对")
    assert (office.figures(case)["unallocated"], office.figures(case)["owing"]) == (0, 0)
    assert "solved" in office.words(case)


def test_one_workers_overpayment_never_covers_anothers_arrears(office: Office):
    case = office.case(500, 300)
    office.verify(case, _1=500, _2=300)
    office.roster(case)
    office.pay(case, _1=800)
    assert (office.figures(case)["owing"], office.figures(case)["overpaid"]) == (300, 300)
    assert "solved" not in office.words(case)


def test_a_list_whose_total_is_not_its_rows_is_refused_as_a_whole(office: Office):
    case = office.case(500, 300)
    office.verify(case, _1=500, _2=300)
    lines = [{"claim": "1", "amount": 500 * YUAN}, {"claim": "2", "amount": 300 * YUAN}]
    form = {"source": "employer", "lines": lines}
    assert office.refused("zhao", f"cases/{case}/pay", **form, total_amount=801 * YUAN) == "control-totals"
    assert office.refused("zhao", f"cases/{case}/pay", **form, total_lines=3) == "control-totals"
    office.do("zhao", f"cases/{case}/pay", **form, total_amount=800 * YUAN, total_lines=2)


def test_a_payment_that_is_sent_twice_is_recorded_once(office: Office):
    case = office.case(500)
    office.verify(case, _1=500)
    form = {"source": "employer", "lines": [{"claim": "1", "amount": 500 * YUAN}]}
    first = office.post("zhao", f"cases/{case}/pay", form, **{"Idempotency-Key": "click"}).json()
    again = office.post("zhao", f"cases/{case}/pay", form, **{"Idempotency-Key": "click"}).json()
    assert (first["replayed"], again["replayed"]) == (False, True)
    assert first["events"] == again["events"]
    assert office.figures(case)["paid"] == 500
    other = office.post("zhao", f"cases/{case}/pay", {**form, "voucher": "另"}, **{"Idempotency-Key": "click"})
    assert (other.status_code, other.json()["type"]) == (422, "urn:qingling:problem:idempotency-key-reused")


def test_living_aid_is_no_wage(office: Office):
    case = office.case(500)
    office.verify(case, _1=500)
    office.roster(case)
    office.do(
        "zhao",
        f"cases/{case}/pay",
        source="treasury",
        purpose="living-aid",
        lines=[{"claim": "1", "amount": 500 * YUAN, "paid_to": "handed-over"}],
        evidence=[office.file(case)],
    )
    assert office.figures(case)["owing"] == 500
    assert office.get(f"cases/{case}")["standing"]["living_aid"] == 500 * YUAN


def test_a_backstop_covers_and_what_it_paid_is_to_be_recovered(office: Office):
    case = office.case(500)
    office.verify(case, _1=500)
    office.roster(case)
    asked = {"number": "兜1", "resort": "wage-deposit", "amount": 500 * YUAN, "ground": "企业无力支付"}
    backstop = next(
        event["stream"]
        for event in office.do("zhao", f"cases/{case}/request-backstop", **asked)["events"]
        if event["type"].startswith("backstop.")
    )
    due = office.platform.now().replace(year=2020, month=1, day=10).isoformat()
    office.do("city", f"backstops/{backstop}/approve", limit=500 * YUAN, due=due)
    office.do(
        "zhao",
        f"cases/{case}/pay",
        source="wage-deposit",
        backstop=backstop,
        lines=[{"claim": "1", "amount": 500 * YUAN, "paid_to": "own-account"}],
        evidence=[office.file(case)],
    )
    assert "solved" in office.words(case)
    office.do("zhao", f"backstops/{backstop}/open-recovery", debtor="甲公司", amount=500 * YUAN, due=due)
    [row] = office.rows("recovery", case=case)
    assert row["balance"] == 500 * YUAN
    office.do("zhao", f"backstops/{backstop}/recovery-received", amount=200 * YUAN, debtor="甲公司")
    [row] = office.rows("recovery", case=case)
    assert row["balance"] == 300 * YUAN


def test_a_parent_groups_holders_cover_by_their_shares(office: Office):
    case = office.case(1_000)
    office.verify(case, _1=1_000)
    asked = {
        "number": "兜2",
        "resort": "parent-group",
        "amount": 1_000 * YUAN,
        "ground": "项目公司无力支付",
        "passed": [
            {"resort": "wage-deposit", "explanation": "未缴存"},
            {"resort": "revolving-fund", "explanation": "额度用尽"},
            {"resort": "treasury", "explanation": "非政府项目"},
        ],
    }
    said = office.do("zhao", f"cases/{case}/request-backstop", **asked)
    backstop = next(event["stream"] for event in said["events"] if event["type"].startswith("backstop."))
    holders = [{"name": "甲集团", "share": 6_000}, {"name": "乙投资", "share": 3_000}]
    address = f"backstops/{backstop}/open-group-supervision"
    assert office.refused("city", address, group="甲集团", holders=holders) == "shares-make-whole"
    holders.append({"name": "丙信托", "share": 1_000})
    office.do("city", address, group="甲集团", holders=holders)


def test_the_debtor_pays_while_the_police_decide(office: Office):
    case = office.case(500)
    office.verify(case, _1=500)
    office.roster(case)
    now = office.platform.now().isoformat()
    kinds = ["transfer-letter", "investigation-report", "list-of-items", "evidence"]
    package = {
        "number": "移1",
        "kind": "police",
        "to": "平定县公安局",
        "ground": "涉嫌拒不支付劳动报酬",
        "amount": 500 * YUAN,
        "claims": ["1"],
        "paper_kinds": kinds,
        "team": ["zhao", "sun"],
        "reported": now,
        "approved": now,
        "evidence": [office.file(case, kind.encode()) for kind in kinds],
    }
    assert office.refused("zhao", f"cases/{case}/refer", **package) == "two-officers"
    assert office.refused("zhao", f"cases/{case}/refer", **package, proposed_by="zhao") == "two-officers"
    assert (
        office.refused("qian", f"cases/{case}/refer", **{**package, "team": ["zhao"]}, proposed_by="zhao")
        == "team-of-two"
    )
    said = office.do("qian", f"cases/{case}/refer", **package, proposed_by="zhao")
    referral = next(event["stream"] for event in said["events"] if event["type"].startswith("referral."))
    office.do("zhao", f"referrals/{referral}/acknowledge", receipt="收1")
    office.pay(case, _1=500)
    assert "solved" in office.words(case)
    office.do("zhao", f"referrals/{referral}/accept", number="公刑字1")
    office.do("zhao", f"referrals/{referral}/conclude", conclusion="discontinued", note="已支付")
    [row] = office.rows("referral", case=case)
    assert row["conclusion"] == "discontinued"
    office.close(case)
    assert office.words(case) == {"closed", "determined", "solved"}


def test_instalments_that_were_agreed_discharge_nothing(office: Office):
    case = office.case(500)
    office.verify(case, _1=500)
    parts = [
        {"due": "2019-12-10", "amount": 300 * YUAN},
        {"due": "2019-12-30", "amount": 200 * YUAN},
    ]
    office.do("zhao", f"cases/{case}/agree-instalments", debtor="甲公司", parts=parts)
    assert office.figures(case)["owing"] == 500
