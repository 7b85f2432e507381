"""Every way in which a book can be bad is told with field, row and rule, and no half of a case comes out of it."""

from __future__ import annotations

import zipfile

import pytest

from domain.books.mapping import parse_mapping
from domain.errors import InputError, UnreadableBookError
from tests.infra.books.conftest import HEAD, MAPPING
from tests.infra.books.test_opening import declaring

GOOD = ["A2", "盂县", "2019.11.25", "乙", 7]


@pytest.mark.parametrize(
    ("bad", "field", "rule"),
    [
        (["A1", "盂县", "2019.11.25", "甲", "一千元"], "claimed", "amount"),
        (["A1", "盂县", "3021-04-30", "甲", 100], "received", "date-range"),
        (["A1", "哥谭县", "2019.11.25", "甲", 100], "jurisdiction", "known-jurisdiction"),
        (["A1", "盂县", None, "甲", 100], "received", "required"),
        ([None, "盂县", "2019.11.25", "甲", 100], "number", "required"),
        (["A1", "盂县", "2019.11.25", "甲", 0.001], "claimed", "whole-fen"),
        (["A1", "盂县", "2019.11.25", "甲", -5], "claimed", "amount-range"),
    ],
)
def test_a_bad_row_is_rejected_and_the_others_are_read(make_book, read_file, bad, field, rule):
    reading = read_file(make_book([["台账"], HEAD, GOOD, bad]))
    assert [case.number for case in reading.cases] == ["A2"]
    (reject,) = reading.rejects
    assert (reject.field, reject.row, reject.rule) == (field, 4, rule)
    assert f"row 4, column '{MAPPING['fields'][field]}' ({field})" in reject.message
    assert reject.message_zh.startswith(f"第4行“{MAPPING['fields'][field]}”")


def test_a_missing_header_refuses_the_book(make_book, read_file):
    with pytest.raises(UnreadableBookError, match="lacks '县区'") as refused:
        read_file(make_book([["台账"], [heading for heading in HEAD if heading != "县区"], GOOD]))
    assert (refused.value.field, refused.value.row, refused.value.rule) == ("jurisdiction", 2, "header")


def test_a_zip_that_is_no_workbook_refuses_the_book(tmp_path, read_file):
    path = tmp_path / "photos.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.jpg", b"x")
    with pytest.raises(UnreadableBookError) as refused:
        read_file(path)
    assert (refused.value.field, refused.value.rule) == ("path", "is-a-workbook")


def test_a_sheet_of_two_gigabytes_refuses_the_book(make_book, read_file):
    with pytest.raises(UnreadableBookError) as refused:
        read_file(declaring(make_book([HEAD, GOOD]), 2 * 1024**3))
    assert (refused.value.field, refused.value.rule) == ("path", "too-large")


def test_a_wrong_key_refuses_the_mapping():
    with pytest.raises(InputError, match="the nearest is 'fields'") as refused:
        parse_mapping({"name": "x", "feilds": {}})
    assert (refused.value.field, refused.value.rule) == ("feilds", "known-key")


def test_an_unknown_county_in_a_constant_refuses_the_mapping(make_book, read_file):
    fields = MAPPING["fields"] | {"jurisdiction": {"constant": "哥谭县"}}
    with pytest.raises(InputError) as refused:
        read_file(make_book([HEAD, GOOD]), fields=fields)
    assert (refused.value.field, refused.value.rule) == ("fields.jurisdiction.constant", "known-jurisdiction")
