"""Pasted text is cut into the cells that somebody copied, or refused; nothing in it acts."""

from __future__ import annotations

import pytest

from domain.books.rules import Fault
from domain.errors import InputError
from domain.sheets.intake import MOST_BYTES, MOST_ROWS, cleaned, folded, limited, pasted_rows


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\tb\r\nc\td", [["a", "b"], ["c", "d"]]),
        ('a\t"two\nlines"\nc\td', [["a", "two\nlines"], ["c", "d"]]),
        ('1,"1,234.50",x', [["1", "1,234.50", "x"]]),
        ("甲；乙\n丙；丁", [["甲", "乙"], ["丙", "丁"]]),
        ("甲，乙", [["甲", "乙"]]),
        ("0001|张|100\n0002|李|200", [["0001", "张", "100"], ["0002", "李", "200"]]),
        ("\ufeffa\tb", [["a", "b"]]),
        ("a\rb", [["a"], ["b"]]),
    ],
)
def test_text_is_cut_where_whoever_copied_it_saw_cells(text, expected):
    assert [cells for _, cells in pasted_rows(text)] == expected


def test_a_quotation_mark_without_its_other_half_does_not_swallow_the_rows_below_it():
    rows = pasted_rows('甲\t"乙\n丙\t丁')
    assert [cells for _, cells in rows] == [["甲", '"乙'], ["丙", "丁"]]


def test_in_a_csv_such_a_mark_is_refused_since_commas_may_belong_to_it():
    with pytest.raises(InputError) as caught:
        pasted_rows('甲,"乙\n丙,丁')
    assert caught.value.rule == "quotes"


def test_more_than_two_mebibytes_are_refused():
    pasted_rows("a" * 1000)
    with pytest.raises(InputError) as caught:
        pasted_rows("金" * (MOST_BYTES // 3 + 1))
    assert caught.value.rule == "too-large"


def test_far_too_many_rows_are_refused_before_they_are_read():
    with pytest.raises(InputError) as caught:
        limited((at, ["x"]) for at in range(1, MOST_ROWS + 200))
    assert caught.value.rule == "too-large"


def test_blank_rows_are_left_out_and_the_others_keep_their_numbers():
    assert limited([(1, ["a"]), (2, ["", " "]), (3, []), (4, ["b"])]) == [(1, ["a"]), (4, ["b"])]


@pytest.mark.parametrize("cell", ["a\x00b", "\x1b[31m", "a\x7f", "\ud800", "a\x9fb"])
def test_a_control_character_is_a_fault(cell):
    assert cleaned(cell) == Fault("text-control")


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("\u202d13800000001\u202c", "13800000001"),
        ("张\u200b三", "张三"),
        ("张\n三", "张 三"),
        ("\u3000张三\xa0", "张三"),
        ("'=1+1", "=1+1"),
        ("'＠x", "＠x"),
        ("'tis", "'tis"),
        (12.5, 12.5),
        (None, None),
    ],
)
def test_what_nobody_sees_is_taken_out_of_a_cell(cell, expected):
    assert cleaned(cell) == expected


def test_names_are_compared_without_width_case_blanks_and_kinds_of_middle_dots():
    assert folded("买买提·艾力") == folded("买买提•艾 力") == folded("买买提．艾力")
    assert folded("ＡＢc") == "abc"
