"""Which line a row means: the strongest that it gives decides, contradictions are told, and nothing is guessed."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from domain.sheets.matching import CaseLine, match_rows
from domain.sheets.payment_list import PaymentRow
from infra.sample.words import person

ONE, TWO, THREE = person(1), person(2), person(3)
OLD = "110105491231002"
NEW = "11010519491231002X"
LINES = [
    CaseLine("claim-a", "1", ONE.name, ONE.identity, ONE.phone),
    CaseLine("claim-b", "2", TWO.name, TWO.identity, TWO.phone),
    CaseLine("claim-c", "3", "同名", "140399197001010010", "12000001111"),
    CaseLine("claim-d", "4", "同名", "140399197001010029", "12000002222"),
    CaseLine("claim-e", "5", "买买提·艾力", NEW, None),
    CaseLine("claim-f", "6", THREE.name, THREE.identity, THREE.phone),
    CaseLine("claim-g", "7", THREE.name, THREE.identity, THREE.phone),
    CaseLine("claim-h", "8"),
]


def matched(row: PaymentRow, lines: Sequence[CaseLine] = LINES, **more):
    return match_rows([row], lines, {}, **more)


@pytest.mark.parametrize(
    ("said", "claim", "by"),
    [
        ({"line": "2"}, "claim-b", "line"),
        ({"line": "００2"}, "claim-b", "line"),
        ({"line": "8"}, "claim-h", "line"),
        ({"worker_id": TWO.identity}, "claim-b", "id"),
        ({"worker_id": OLD}, "claim-e", "id"),
        ({"worker": ONE.name}, "claim-a", "name"),
        ({"worker": f" {ONE.name[0]} {ONE.name[1:]}"}, "claim-a", "name"),
        ({"worker": "买买提•艾力"}, "claim-e", "name"),
        ({"line": ONE.name}, "claim-a", "name"),
        ({"worker": "同名", "last_four": "0029"}, "claim-d", "name-and-last-four"),
        ({"worker": "同名", "last_four": "29"}, "claim-d", "name-and-last-four"),
        ({"worker": "同名", "phone": "12000001111"}, "claim-c", "name-and-last-four"),
        ({"worker": "同名", "worker_id": "1403**********0010"}, "claim-c", "name-and-last-four"),
        ({"worker": ONE.name, "phone": "12999999999"}, "claim-a", "name"),
    ],
)
def test_a_row_means_the_line_that_the_strongest_of_it_names(said, claim, by):
    found = matched(PaymentRow(9, 1, **said))
    assert found.faults == ()
    assert [(match.row, match.claim, match.by) for match in found.matches] == [(9, claim, by)]
    assert found.claim_of(9) == claim


@pytest.mark.parametrize(
    ("said", "rule", "names"),
    [
        ({"worker": "同名"}, "one-line", ("3、4",)),
        ({"worker": "同名", "last_four": "9999"}, "one-line", ("3、4",)),
        ({"worker_id": THREE.identity}, "one-line", ("6、7",)),
        ({"worker": THREE.name, "worker_id": THREE.identity}, "one-line", ("6、7",)),
        ({"line": "99"}, "line-found", ()),
        ({"worker": "无此人"}, "line-found", ()),
        ({"worker": "买买提艾里"}, "line-found", ("5",)),
        ({"worker_id": "140399197001019999"}, "line-found", ()),
        ({}, "line-found", ()),
        ({"line": "1", "worker": TWO.name}, "line-agrees", ("1",)),
        ({"line": "1", "worker_id": TWO.identity}, "line-agrees", ("1",)),
        ({"worker": ONE.name, "worker_id": "140399197001019999"}, "line-agrees", ("1",)),
        ({"worker": ONE.name, "worker_id": "1403**********9999"}, "line-agrees", ("1",)),
    ],
)
def test_a_row_that_means_none_or_several_or_contradicts_itself_is_a_fault_that_names_lines(said, rule, names):
    found = matched(PaymentRow(9, 1, **said))
    assert found.matches == ()
    assert [(fault.row, fault.rule) for fault in found.faults] == [(9, rule)]
    message = found.faults[0].zh + found.faults[0].en
    assert all(name in message for name in names)
    assert not any(who in message for line in LINES for who in (line.worker, line.worker_id) if who)


def test_another_name_under_the_right_identity_number_is_looked_at():
    found = matched(PaymentRow(9, 1, worker="曾用名", worker_id=ONE.identity))
    assert found.claim_of(9) == "claim-a"
    assert [warning.rule for warning in found.warnings] == ["names-differ"]


def test_a_payment_for_nobody_stays_unallocated_where_that_is_wanted_and_an_ambiguous_one_does_not():
    rows = [
        PaymentRow(2, 1, worker="无此人"),
        PaymentRow(3, 1, worker="同名"),
        PaymentRow(4, 1, line="1", worker=TWO.name),
    ]
    found = match_rows(rows, LINES, {"worker": "户名"}, unmatched="unallocated")
    assert [(match.row, match.claim) for match in found.matches] == [(2, None)]
    assert [(warning.row, warning.column, warning.rule) for warning in found.warnings] == [(2, "户名", "unallocated")]
    assert [fault.rule for fault in found.faults] == ["one-line", "line-agrees"]


@pytest.mark.parametrize(("twice", "faults", "warnings"), [("fault", 1, 0), ("warning", 0, 1), ("allowed", 0, 0)])
def test_two_rows_for_one_line(twice, faults, warnings):
    found = match_rows([PaymentRow(2, 1, line="1"), PaymentRow(3, 1, worker=ONE.name)], LINES, {}, twice=twice)
    assert (len(found.faults), len(found.warnings), len(found.matches)) == (faults, warnings, 2)


def test_several_unallocated_rows_are_not_one_line_twice():
    rows = [PaymentRow(2, 1, worker="无此人"), PaymentRow(3, 1, worker="也无此人")]
    assert match_rows(rows, LINES, {}, unmatched="unallocated").faults == ()
