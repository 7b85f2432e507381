"""Commands as a person types them: lists from files, a bank's file by its layout, what is refused and what is said."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.api.fake_platform import FakePlatform
from tests.cli.conftest import Run

DONE, WRONG_USAGE, REFUSED, NOT_THERE = 0, 2, 3, 4


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def said(run: Run, *arguments: str) -> dict[str, Any]:
    """What a command that is recorded says, as JSON."""
    ran = run(*arguments, "--format", "json")
    assert ran.code == DONE, ran.err
    return dict(json.loads(ran.out))


def lines_of(platform: FakePlatform, case: str) -> dict[str, Any]:
    return {each.row.line: each.row.balance for each in platform.rows("claim", filters={"case": case})}


def test_a_case_is_worked_from_lists_and_a_banks_file(run: Run, platform: FakePlatform, here: Path):
    (here / "名册.csv").write_text("姓名,欠薪金额\n张三,1000\n李四,2000\n合计,3000\n", "utf-8-sig")
    (here / "回盘.txt").write_text("2|x\n1|x|张三|100000|x|0000|\n2|x|李四|200000|x|0101|户名不符\n", "utf-8")
    (here / "voucher.pdf").write_bytes(b"%PDF-1.4\nsigned")
    case = said(run, "case", "register", "--as", "li-jing", "--debtor", "甲公司", "--funding", "private")["thing"]
    entered = said(run, "case", "add-lines", case, "--as", "li-jing", "--lines", "@名册.csv")
    assert {event["state"] for event in entered["events"]} == {"recorded"}
    said(
        run,
        "case",
        "verify-lines",
        case,
        "--as",
        "li-jing",
        "--lines",
        "姓名|核定",
        "--lines",
        "李四|2000",
        "--lines",
        "张三|1000",
    )
    ordered = said(
        run,
        "case",
        "instruct",
        case,
        "--as",
        "li-jing",
        "--source",
        "employer",
        "--lines",
        "1|1000",
        "--lines",
        "2|2000",
    )
    payment = next(event["id"].split("/")[0] for event in ordered["events"] if event["type"].startswith("payment."))
    returned = (
        "payment",
        "bank-return",
        payment,
        "--as",
        "li-jing",
        "--rows",
        "@回盘.txt",
        "--evidence",
        "voucher.pdf",
    )
    said(run, *returned, "--layout", "example-agency-payroll")
    lines = lines_of(platform, case)
    assert {line: (balance.verified, balance.paid) for line, balance in lines.items()} == {
        "1": (100_000, 100_000),
        "2": (200_000, 0),
    }
    why = run("why", case, "--language", "en")
    assert why.code == DONE
    assert "nothing is owing" in why.out


def test_a_list_that_is_wrong_records_nothing_and_says_where(run: Run, platform: FakePlatform, here: Path):
    case = said(run, "case", "register", "--as", "li-jing", "--debtor", "甲公司")["thing"]
    before = platform.log.head()
    (here / "名册.csv").write_text("姓名,欠薪金额\n张三,1000\n李四,二千\n", "utf-8-sig")
    ran = run("case", "add-lines", case, "--as", "li-jing", "--lines", "@名册.csv", "--language", "en")
    assert (ran.code, platform.log.head()) == (WRONG_USAGE, before)
    assert "lines.claimed" in ran.err
    gone = run("case", "add-lines", case, "--as", "li-jing", "--lines", "@none.csv", "--language", "en")
    assert gone.code == WRONG_USAGE
    assert "none.csv cannot be read" in gone.err
    layout = run(
        "payment", "bank-return", "payment-x", "--as", "li-jing", "--rows", "1|credited", "--layout", "standart"
    )
    assert layout.code in (WRONG_USAGE, NOT_THERE)


def test_a_command_under_one_key_is_recorded_once(run: Run, platform: FakePlatform):
    asked = ("case", "register", "--as", "li-jing", "--debtor", "甲公司", "--key", "k-1", "--language", "en")
    first = said(run, *asked)
    before = platform.log.head()
    again = run(*asked, "--format", "json")
    assert json.loads(again.out)["thing"] == first["thing"]
    assert "had been recorded" in again.err
    assert platform.log.head() == before


def test_a_refusal_names_rule_and_clause_and_who_is_unknown_is_told(run: Run, platform: FakePlatform):
    case = said(run, "case", "register", "--as", "li-jing", "--debtor", "甲公司")["thing"]
    ran = run("case", "approve-closing", case, "--as", "li-jing", "--language", "en")
    assert ran.code == REFUSED
    assert "[rule two-officers, clause definitions: closed]" in ran.err
    assert run("case", "register", "--as", "nobody", "--debtor", "甲公司").code != DONE
    assert run("case", "register", "--debtor", "甲公司").code == WRONG_USAGE


def test_a_form_is_taken_as_rest_takes_it(run: Run, platform: FakePlatform, here: Path):
    (here / "form.json").write_text(json.dumps({"debtor": "甲公司", "funding": "private"}), "utf-8")
    case = said(run, "case", "register", "--as", "li-jing", "--form", "form.json")["thing"]
    assert platform.case(case) is not None
    (here / "form.json").write_text("{", "utf-8")
    assert run("case", "register", "--as", "li-jing", "--form", "form.json").code == WRONG_USAGE
