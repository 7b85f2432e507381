"""A mapping is checked before any book is opened, and every mistake names its key."""

from __future__ import annotations

from typing import Any

import pytest

from domain.books.mapping import FIELDS, UNITS, derivation, parse_mapping
from domain.books.source import SourceCase, SourceLine
from domain.errors import InputError

SMALLEST: dict[str, Any] = {
    "name": "office",
    "fields": {"number": "编号", "jurisdiction": "县区", "received": ["受理日期", "登记日期"]},
}


def with_fields(**fields: object) -> dict[str, Any]:
    return SMALLEST | {"fields": SMALLEST["fields"] | fields}


def test_the_smallest_mapping_says_where_number_place_and_day_come_from():
    mapping = parse_mapping(SMALLEST)
    assert mapping.fields["received"].column == ("受理日期", "登记日期")
    assert mapping.required() == ("number", "jurisdiction", "received")
    assert mapping.rows.case == "one-row"


def test_what_no_case_can_do_without_is_required_whatever_the_mapping_says():
    mapping = parse_mapping(with_fields(debtor="单位") | {"header": {"required": []}})
    assert mapping.required() == ("number", "jurisdiction", "received")


@pytest.mark.parametrize(
    ("table", "path", "rule", "says"),
    [
        ({"nme": "x"}, "nme", "known-key", "the nearest is 'name'"),
        (SMALLEST | {"sheet": {"nam": "x"}}, "sheet.nam", "known-key", "'name'"),
        (SMALLEST | {"rows": {"cases": "one-row"}}, "rows.cases", "known-key", "'case'"),
        (with_fields(debter="单位"), "fields.debter", "known-key", "'debtor'"),
        (with_fields(debtor={"colum": "单位"}), "fields.debtor.colum", "known-key", "'column'"),
        (SMALLEST | {"rows": {"case": "two-rows"}}, "rows", "type", "two-rows"),
        (SMALLEST | {"header": {"rows": "1"}}, "header", "type", "rows"),
        (SMALLEST | {"header": 1}, "header", "type", "table"),
        (SMALLEST | {"name": 1}, "name", "type", "str"),
        (SMALLEST | {"jurisdictions": "x"}, "jurisdictions", "type", "table"),
        (SMALLEST | {"unmapped": "drop"}, "unmapped", "type", "drop"),
        ({"name": "x", "fields": {"number": "编号"}}, "fields.jurisdiction", "essential", "comes from"),
        (with_fields(debtor={}), "fields.debtor", "one-source", "comes from"),
        (with_fields(debtor={"column": "a", "constant": "b"}), "fields.debtor", "one-source", "comes from"),
        (with_fields(debtor={"constant": ["a"]}), "fields.debtor.constant", "type", "a text"),
        (with_fields(number={"constant": "1"}), "fields.number.constant", "key-applies", "number of its own"),
        (with_fields(number={"column": "a", "values": {"a": "b"}}), "fields.number.values", "key-applies", "as it"),
        (with_fields(debtor={"column": "a", "unit": "元"}), "fields.debtor.unit", "key-applies", "nothing for a field"),
        (with_fields(debtor={"parts": ["a", "b"]}), "fields.debtor.parts", "key-applies", "number"),
        (
            with_fields(received={"column": "a", "unreadable": "keep"}),
            "fields.received.unreadable",
            "key-applies",
            "no",
        ),
        (with_fields(paid={"column": "a", "unit": "吨"}), "fields.paid", "type", "吨"),
        (with_fields(funding={"constant": "city"}), "fields.funding", "known-word", "'city'"),
        (
            with_fields(funding={"column": "a", "values": {"国企": "state"}}),
            "fields.funding",
            "known-word",
            "state-owned",
        ),
        (with_fields(paid={"derive": "verified * 2"}), "fields.paid.derive", "derivation", "not like"),
        (with_fields(paid={"derive": "verified - outstandin"}), "fields.paid.derive", "known-word", "outstanding"),
        (with_fields(paid={"derive": "verified - paid"}), "fields.paid.derive", "known-word", "'paid'"),
        (with_fields(period="a", period_to="b"), "fields.period", "one-source", "not from both"),
        (SMALLEST | {"people": {"Lead": "a"}}, "people.Lead", "role", "lower-case"),
        (SMALLEST | {"people": {"lead": {"column": "a", "unit": "元"}}}, "people.lead.unit", "key-applies", "person"),
        (SMALLEST | {"header": {"required": ["debtor"]}}, "header.required", "known-word", "'debtor'"),
        (SMALLEST | {"rows": {"lines_by": ["debtor"]}}, "rows.lines_by", "known-word", "'debtor'"),
        (SMALLEST | {"rows": {"totals": ["("]}}, "rows.totals", "pattern", "regular expression"),
        (SMALLEST | {"check": {"negative": ["debtor"]}}, "check.negative", "known-word", "'debtor'"),
        (SMALLEST | {"header": {"rows": 0}}, "header", "positive", "at least 1"),
        (SMALLEST | {"sheet": {"index": 0}}, "sheet.index", "positive", "from 1"),
    ],
)
def test_a_mistake_is_refused_with_its_key_and_its_rule(table, path, rule, says):
    with pytest.raises(InputError, match=says) as refused:
        parse_mapping(table)
    assert (refused.value.field, refused.value.rule) == (path, rule)
    assert path in str(refused.value)


def test_a_derivation_is_a_sum_of_amounts():
    assert derivation("verified - outstanding") == ((1, "verified"), (-1, "outstanding"))
    assert derivation("claimed-rejected+paid") == ((1, "claimed"), (-1, "rejected"), (1, "paid"))
    assert derivation("verified -") == ()


def test_every_field_of_a_source_case_can_be_mapped():
    made = {"rows", "lines", "people", "extra"}  # made by the reader, or by sections of their own
    assert set(SourceCase.__struct_fields__) - made <= set(FIELDS)
    assert set(SourceLine.__struct_fields__) <= set(FIELDS)


def test_foreign_money_is_read_as_yuan_and_fen():
    assert UNITS["dollars"] == UNITS["元"] == 100
    assert UNITS["cents"] == UNITS["fen"] == 1
    assert UNITS["万元"] == 1_000_000
