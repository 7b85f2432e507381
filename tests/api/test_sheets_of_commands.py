"""Rows that come as a sheet: pasted, or from a file; and who is meant in them. Nothing is guessed, and every fault names its row."""

from __future__ import annotations

from collections.abc import Mapping
from zoneinfo import ZoneInfo

import pytest

from api.commands.catalogue import command_named
from api.commands.fields import Entry, Kind
from api.commands.matching import finder
from api.commands.rows import MOST_ROWS, Rows, cells_of, rows_of
from api.words import Word
from tests.stories.office import Office

ZONE = ZoneInfo("Asia/Shanghai")


def sheet_of(noun: str, verb: str) -> Entry:
    """The field of a command that takes rows."""
    command = command_named(noun, verb)
    assert command is not None
    return next(entry for entry in command.entries if entry.kind is Kind.ROWS)


def entered(text: str) -> Rows:
    """A roster that was pasted."""
    return rows_of(sheet_of("case", "add-lines"), text, ZONE)


def faults(read: Rows) -> list[tuple[str, str, int]]:
    return [(fault.field, fault.rule, fault.row) for fault in read.faults]


@pytest.mark.parametrize(
    "text",
    [
        "姓名\t欠薪金额\n张三\t6000\n李四\t5,999.50",
        "欠薪金额（元）,姓名\n6000.00,张三\n5999.50,李四",
        "Name | Claimed\n张三 | 6000\n李四 | ¥5999.5",
        "worker\tclaimed\r\n张三\t6000\r\n\r\n李四\t5999.50\r\n",
        "姓名\t欠薪金额\n张三\t6000\n李四\t5999.50\n合计\t11999.50",
    ],
)
def test_columns_may_stand_in_any_order_and_language(text: str):
    read = entered(text)
    assert read.faults == []
    assert read.rows == [{"worker": "张三", "claimed": 600_000}, {"worker": "李四", "claimed": 599_950}]
    assert read.sums == {"claimed": 1_199_950}


def test_without_headings_columns_stand_in_the_forms_order():
    entry = sheet_of("case", "verify-lines")
    order = [inner.name for inner in entry.inner]
    read = rows_of(entry, "1\t6000\n2\t5000", ZONE)
    assert order[:2] == ["claim", "verified"]
    assert read.rows == [{"claim": "1", "verified": 600_000}, {"claim": "2", "verified": 500_000}]


def test_a_column_that_the_form_has_no_field_for_is_told():
    read = entered("姓名\t籍贯\t欠薪金额\t\n张三\t山西\t6000\t")
    assert read.rows == [{"worker": "张三", "claimed": 600_000}]
    assert read.unread == ["籍贯"]


def test_what_cannot_be_read_is_told_with_its_row_and_column_and_the_rest_is_read():
    read = entered("姓名\t欠薪金额\n张三\t六千\n\n李四\t-5\n王五\t700\t多余")
    assert [(field, row) for field, _, row in faults(read)] == [
        ("lines.claimed", 2),
        ("lines.claimed", 4),
        ("lines", 5),
    ]
    assert read.faults[-1].rule == "row-shape"
    assert read.numbers == [2, 4, 5]
    assert read.sums == {"claimed": 70_000}


def test_sums_below_the_rows_are_held_against_them():
    read = entered("姓名\t欠薪金额\n张三\t6000\n合计\t6001")
    assert faults(read) == [("lines.claimed", "control-totals", 3)]
    assert len(read.rows) == 1


def test_a_word_of_a_closed_list_is_taken_as_a_person_writes_it():
    entry = sheet_of("case", "pay")
    read = rows_of(entry, "明细\t金额\t领取方式\n1\t6000\t本人账户\n2\t1\town-account\n3\t1\t托人", ZONE)
    assert [row.get("paid_to") for row in read.rows] == ["own-account", "own-account", None]
    assert faults(read) == [("lines.paid_to", "known-word", 4)]


def test_more_rows_than_a_command_takes_are_refused_whole():
    read = entered("姓名\t欠薪金额\n" + "张三\t1\n" * (MOST_ROWS + 1))
    assert (len(read.rows), faults(read)) == (0, [("lines", "rows", MOST_ROWS + 1)])


@pytest.mark.parametrize("text", ["", "\n \n", "姓名\t欠薪金额\n"])
def test_a_sheet_without_rows_has_none(text: str):
    read = entered(text)
    assert (read.rows, read.faults) == ([], [])


def test_cells_of_a_csv_may_hold_what_parts_them():
    assert cells_of('"张,三",6000\n"李 ""四""",5') == [["张,三", "6000"], ['李 "四"', "5"]]


def who(**named: str) -> Mapping[str, str]:
    return named


def test_who_is_named_is_found_by_number_then_name_then_telephone():
    office = Office()
    case = office.case()
    office.add(
        case,
        [
            {"worker": "张三", "worker_id": "140321199001010011", "phone": "13900000001", "claimed": 100},
            {"worker": "张三", "worker_id": "140321199001010022", "phone": "13900000002", "claimed": 100},
            {"worker": "李四", "phone": "13900000003", "claimed": 100},
        ],
    )
    find = finder(office.reading("zhao"), case)
    assert find(who(worker="李　四")) == "3"
    assert find(who(worker="张三", worker_id="140321199001010022")) == "2"
    assert find(who(worker="张三", phone="139 0000 0001")) == "1"
    assert find(who(worker="李四", phone="13999999999")) == "3", "a telephone changes"
    two = find(who(worker="张三"))
    assert isinstance(two, Word)
    assert "1、2" in two.zh
    assert isinstance(find(who(worker="赵六")), Word)
    assert find(who(worker="李四", worker_id="140321199001010033")) == "3", "the roster has no number of that worker"
    other = find(who(worker="李四", worker_id="140321199001010011"))
    assert isinstance(other, Word)
    assert "不是同一人" in other.zh


def test_a_line_that_left_the_case_is_not_meant():
    office = Office()
    case = office.case()
    office.add(case, [{"worker": "张三", "claimed": 100}, {"worker": "张三", "claimed": 100}])
    line = next(row["values"] for row in office.get("ledgers/claim", limit=10)["rows"] if row["values"]["line"] == "2")
    assert line["line"] == "2"
    office.do("zhao", f"cases/{case}/split", claims=["2"], ground="另案办理")
    assert finder(office.reading("zhao"), case)(who(worker="张三")) == "1"


def test_lists_are_matched_by_the_names_in_them_through_a_public_door():
    office = Office()
    case = office.case(100, 200)
    rows = office.rows("claim", case=case)
    assert len(rows) == 2
    office.client.cookies.set("qingling_session", "zhao")
    answer = office.client.post(
        f"/zh/do/case/verify-lines?of={case}",
        data={"of": case, "lines": "姓名\t核定\n工人200\t200\n工人100\t100", "act": "record"},
        headers={"Origin": "http://testserver"},
        follow_redirects=False,
    )
    assert answer.status_code == 303, answer.text[:2_000]
    assert {row["line"]: row["verified"] for row in office.rows("claim", case=case)} == {"1": 10_000, "2": 20_000}


BANK = """2|合计300元
0001|6222|工人100|10000|x|0000||
0002|6222|工人200|20000|x|0101|户名不符|
"""


def payment_instructed(office: Office) -> tuple[str, str]:
    """A case of two lines whose wages the bank was told to pay; the case and the payment."""
    case = office.case(100, 200)
    office.verify(case, _1=100, _2=200)
    lines = [{"claim": "1", "amount": 10_000}, {"claim": "2", "amount": 20_000}]
    said = office.do("zhao", f"cases/{case}/instruct", source="employer", lines=lines)
    return case, next(event["stream"] for event in said["events"] if event["type"].startswith("payment."))


def read_sheet(office: Office, address: str, content: str, by: str = "zhao") -> dict:
    headers = {"Authorization": f"Bearer {by}"}
    answer = office.client.post(f"/v1/sheets/{address}", content=content.encode(), headers=headers)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def test_a_banks_file_in_its_own_layout_pays_what_it_says_was_credited_and_nothing_else():
    office = Office()
    case, payment = payment_instructed(office)
    before = office.position()
    read = read_sheet(office, f"payment/bank-return?of={payment}&layout=example-agency-payroll&name=a.txt", BANK)
    assert office.position() == before, "reading records nothing"
    assert read["faults"] == []
    assert [(row["line"], row["result"], row["amount"]) for row in read["rows"]] == [
        (1, "credited", 10_000),
        (2, "failed", 20_000),
    ]
    office.do("zhao", f"payments/{payment}/bank-return", rows=read["rows"], evidence=[office.file(case)])
    assert office.figures(case)["paid"] == 100
    assert office.figures(case)["owing"] == 200


def test_a_row_of_a_bank_without_its_number_is_found_by_who_was_paid():
    office = Office()
    _, payment = payment_instructed(office)
    read = read_sheet(
        office, f"payment/bank-return?of={payment}&layout=standard", "户名,状态\n工人200,成功\n工人100,退票\n"
    )
    assert [(row["line"], row["result"]) for row in read["rows"]] == [("2", "credited"), ("1", "returned")]


@pytest.mark.parametrize(
    ("content", "rule", "row"),
    [
        ("笔号,状态\n1,处理中\n", "bank-code", 2),
        ("笔号,户名,状态\n1,工人200,成功\n", "line-agrees", 2),
        ("户名,状态\n工人300,成功\n", "line-found", 2),
    ],
)
def test_what_a_bank_does_not_plainly_say_is_never_taken_for_paid(content: str, rule: str, row: int):
    office = Office()
    _, payment = payment_instructed(office)
    read = read_sheet(office, f"payment/bank-return?of={payment}&layout=standard", content)
    assert [(fault["rule"], fault["row"]) for fault in read["faults"]] == [(rule, row)]


def test_a_sheet_is_read_for_an_officer_and_for_a_command_that_takes_one():
    office = Office()
    assert office.client.post("/v1/sheets/case/add-lines", content=b"a").status_code == 401
    for address, status in (
        ("case/close-all", 404),
        ("case/declare-roster", 404),
        ("case/verify-lines?of=case-none", 404),
        ("payment/bank-return?layout=none", 400),
    ):
        answer = office.client.post(f"/v1/sheets/{address}", content=b"a,b\n", headers={"Authorization": "Bearer zhao"})
        assert answer.status_code == status, (address, answer.text)
    assert [each["name"] for each in office.get("sheets/layouts")["layouts"]] == ["standard", "example-agency-payroll"]
