"""A bank's file is read by its mapping, and never taken for more than it says."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from domain.errors import InputError
from domain.payments.handlers import BankOutcome, BankResult
from domain.sheets.bank_return import PaymentLine, match_bank_rows, parse_bank_mapping, read_bank_return
from infra.sample.words import person
from tests.domain.sheets.conftest import ZONE, rules

ONE, TWO = person(1), person(2)
MAPPING: dict[str, Any] = {
    "name": "office",
    "columns": {
        "sequence": "笔号",
        "worker": ["户名", "姓名"],
        "account": "账号",
        "amount": "金额",
        "code": "状态",
        "message": "原因",
    },
    "credited": ["成功", "00"],
    "failed": ["失败"],
    "returned": ["退回"],
}
LINES = [
    PaymentLine(1, 10_000, ONE.name, "6200000000000000001"),
    PaymentLine(2, 20_000, TWO.name, "6200000000000000002"),
    PaymentLine(3, 30_000, TWO.name, "6200000000000000003"),
]


def mapping(**changed: Any):
    return parse_bank_mapping(MAPPING | changed)


def test_a_file_with_headings_is_read_whatever_else_stands_in_it(pasted):
    read = pasted(
        read_bank_return,
        f"笔号,机构,户名,账号,金额,状态,原因\n1,x,{ONE.name},6200000000000000001,100.00,成功,\n2,x,{TWO.name},6200000000000000002,200,失败,账号有误\n",
        mapping=mapping(),
    )
    assert (read.faults, read.warnings) == ((), ())
    assert [(row.sequence, row.result, row.amount, row.message) for row in read.rows] == [
        (1, BankResult.CREDITED, 10_000, None),
        (2, BankResult.FAILED, 20_000, "账号有误"),
    ]
    outcomes, faults = match_bank_rows(read, LINES)
    assert faults == ()
    assert outcomes == (
        BankOutcome(1, BankResult.CREDITED, 10_000, ""),
        BankOutcome(2, BankResult.FAILED, 20_000, "账号有误"),
    )


def test_a_file_without_headings_is_read_by_places_below_the_rows_to_skip(pasted):
    by_place = mapping(unit="分", skip=1, columns={"sequence": 1, "amount": 4, "code": 3, "booked_on": 6})
    read = pasted(
        read_bank_return, "2|30000|合计\n0001|x|00|10000|y|20200105|\n0002|x|退回|20000|y|20200106|\n", mapping=by_place
    )
    assert read.faults == ()
    assert [(row.row, row.sequence, row.amount, row.result) for row in read.rows] == [
        (2, 1, 10_000, BankResult.CREDITED),
        (3, 2, 20_000, BankResult.RETURNED),
    ]
    assert read.rows[0].booked_on == datetime(2020, 1, 5, tzinfo=ZONE)


@pytest.mark.parametrize(("code", "rule"), [("处理中", "bank-code"), ("", "required")])
def test_a_code_that_the_mapping_does_not_know_is_never_taken_for_paid(pasted, code, rule):
    read = pasted(read_bank_return, f"笔号,金额,状态\n1,100,{code}", mapping=mapping())
    assert rules(read.faults) == [(2, "状态", rule)]
    assert read.rows[0].result is None
    assert match_bank_rows(read, LINES)[0] == ()


@pytest.mark.parametrize(
    ("row", "line"),
    [
        (f",{ONE.name},6200000000000000001,100,成功", 1),
        (",,620000*********0002,200,成功", 2),
        (f",{ONE.name},,100,成功", 1),
        (f",{TWO.name},,300,成功", 3),
    ],
)
def test_without_a_number_the_account_or_the_name_with_the_amount_tells_the_line(pasted, row, line):
    lines = LINES if ",62" in row else [PaymentLine(one.line, one.amount, one.worker) for one in LINES]
    read = pasted(read_bank_return, f"笔号,户名,账号,金额,状态\n{row}", mapping=mapping())
    outcomes, faults = match_bank_rows(read, lines)
    assert faults == ()
    assert [outcome.line for outcome in outcomes] == [line]


@pytest.mark.parametrize(
    ("row", "rule"),
    [
        ("9,,,100,成功", "line-found"),
        (",无此人,,100,成功", "line-found"),
        (f",{TWO.name},,999,成功", "one-line"),
        ("1,,,99,成功", "amount-agrees"),
        ("1,,,101,退回", "amount-agrees"),
        (f"1,{TWO.name},,100,成功", "line-agrees"),
    ],
)
def test_a_row_that_fits_no_line_is_a_fault(pasted, row, rule):
    read = pasted(read_bank_return, f"笔号,户名,账号,金额,状态\n{row}", mapping=mapping())
    assert [fault.rule for fault in match_bank_rows(read, LINES)[1]] == [rule]


def test_a_part_may_come_back_and_a_line_may_be_credited_and_then_returned(pasted):
    read = pasted(read_bank_return, "笔号,金额,状态\n1,100,成功\n1,40,退回", mapping=mapping())
    outcomes, faults = match_bank_rows(read, LINES)
    assert faults == ()
    assert [outcome.amount for outcome in outcomes] == [10_000, 4_000]


def test_a_line_that_is_credited_twice_is_a_fault(pasted):
    read = pasted(read_bank_return, "笔号,金额,状态\n1,100,成功\n1,100,成功", mapping=mapping())
    assert [fault.rule for fault in match_bank_rows(read, LINES)[1]] == ["line-once"]


def test_a_row_that_does_not_say_which_line_it_means_is_a_fault(pasted):
    assert rules(pasted(read_bank_return, "笔号,金额,状态\n,100,成功", mapping=mapping()).faults) == [
        (2, "笔号", "required")
    ]


@pytest.mark.parametrize(
    ("changed", "field", "rule"),
    [
        ({"colums": {}}, "colums", "known-key"),
        ({"columns": {"code": "a", "sequence": "b", "acount": "c"}}, "columns.acount", "known-key"),
        ({"columns": {"sequence": "b"}}, "columns.code", "essential"),
        ({"columns": {"code": "b"}}, "columns", "essential"),
        ({"columns": {"code": 1, "sequence": "b"}}, "columns", "one-source"),
        ({"columns": {"code": 1, "sequence": 0}}, "columns", "one-source"),
        ({"columns": {"code": True, "sequence": 0}}, "columns", "type"),
        ({"credited": "00"}, "credited", "type"),
        ({"unit": "角"}, "unit", "type"),
        ({"skip": -1}, "skip", "positive"),
        ({"failed": ["００"]}, "failed", "one-meaning"),
    ],
)
def test_a_mapping_with_a_fault_is_refused_and_the_key_named(changed, field, rule):
    with pytest.raises(InputError) as caught:
        mapping(**changed)
    assert caught.value.rule == rule
    assert caught.value.field.startswith(field)
