"""The books of real offices, read whole, beside figures computed from them in another way."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import date
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from python_calamine import CalamineWorkbook

from domain.books.source import Reading, SourceCase
from infra.books.mapping_files import load_mapping
from infra.books.reader import read_book
from infra.jurisdictions import load_tree

pytestmark = pytest.mark.real_data


def read(path: Path, mapping: str) -> tuple[Reading, list[SourceCase]]:
    reading = read_book(
        path, load_mapping(mapping), load_tree(), today=date(2026, 1, 1), zone=ZoneInfo("America/New_York")
    )
    return reading, list(reading.cases)


def cents(cell: float) -> int:
    """By way of decimal text, not the way that the reader takes."""
    amount = Decimal(str(cell)) * 100
    assert amount == amount.to_integral_value()
    return int(amount)


@pytest.fixture(scope="module")
def new_jersey(real_data):
    return read(real_data / "new-jersey-wage-claims.xlsx", "new-jersey")


@pytest.fixture(scope="module")
def new_jersey_rows(real_data):
    return CalamineWorkbook.from_path(real_data / "new-jersey-wage-claims.xlsx").get_sheet_by_index(0).to_python()[1:]


def test_new_jersey_every_row_is_a_case_or_a_double(new_jersey):
    reading, cases = new_jersey
    assert len(cases) == len({case.number for case in cases}) == 25_715
    assert reading.rejects == []
    assert len(reading.doubles) == 10
    assert [double.dropped_rows for double in reading.doubles][:2] == [(13110,), (14869,)]
    totals = reading.totals
    assert (totals.rows_read, totals.cases, totals.doubles, totals.rejected_rows) == (25_725, 25_715, 10, 0)
    assert reading.unmapped == ()


def test_new_jersey_sums_are_the_sources_to_the_cent_before_and_after_doubles(new_jersey, new_jersey_rows):
    reading, _ = new_jersey
    once = {row[0]: row for row in new_jersey_rows}
    for rows, totals in ((new_jersey_rows, reading.totals_with_doubles), (once.values(), reading.totals)):
        assert totals.verified == sum(cents(row[5]) for row in rows)
        assert totals.outstanding == sum(cents(row[6]) for row in rows)
        assert totals.paid == totals.verified - totals.outstanding
        assert totals.overpaid == sum(-cents(row[6]) for row in rows if row[6] < 0)
    assert reading.totals.verified == 14_482_665_870
    assert reading.totals.outstanding == 5_471_482_903


def test_new_jersey_closed_but_owing_and_overpaid_stand_as_the_source_states_them(new_jersey, new_jersey_rows):
    _, cases = new_jersey
    source = {row[0]: row for row in new_jersey_rows}
    closed_owing = [case for case in cases if case.state == "Closed" and (case.outstanding or 0) > 0]
    assert len(closed_owing) == 227
    assert {case.state_means for case in closed_owing} == {"closed"}
    overpaid = {case.number for case in cases if case.lines[0].paid > case.lines[0].verified}
    assert overpaid == {number for number, row in source.items() if row[6] < 0}
    assert len(overpaid) == 9
    assert Counter(case.state_means for case in cases)["judicial"] == sum(
        row[1] == "Docketed Judgment" for row in source.values()
    )
    assert sum(row[1] != "Closed" and row[6] <= 0 for row in new_jersey_rows) == 767
    open_yet_owing_nothing = [case for case in cases if case.state_means != "closed" and (case.outstanding or 0) <= 0]
    assert len(open_yet_owing_nothing) == 767 - 1  # one of those rows stands twice


def test_new_jersey_each_case_says_what_its_row_says(new_jersey, new_jersey_rows):
    _, cases = new_jersey
    for case in cases:
        number, state, employer, entered, name, verified, outstanding = new_jersey_rows[case.rows[0] - 2]
        assert (case.number, case.state, case.debtor_code) == (number, state, str(int(employer)))
        assert case.debtor == (name.strip() if isinstance(name, str) else name.isoformat())
        assert case.received.replace(tzinfo=None) == entered
        assert (case.lines[0].verified, case.outstanding) == (cents(verified), cents(outstanding))
        assert (case.jurisdiction, case.funding, case.lines[0].headcount) == ("US-NJ", "other", 0)


@pytest.fixture(scope="module")
def washington(real_data):
    return read(real_data / "washington-complaints.xlsx", "washington")


@pytest.fixture(scope="module")
def washington_rows(real_data):
    sheet = CalamineWorkbook.from_path(real_data / "washington-complaints.xlsx").get_sheet_by_index(0)
    return sheet.to_python(skip_empty_area=False)[5:]


def test_washington_is_one_case_a_complaint_and_what_is_rejected_is_named(washington, washington_rows):
    reading, cases = washington
    complaints = {str(int(row[0])) for row in washington_rows}
    assert len(complaints) == 20_621
    rejected = {reject.number: reject.rule for reject in reading.rejects}
    assert {case.number for case in cases} | set(rejected) == complaints
    assert len(cases) + len(rejected) == 20_621
    assert Counter(rejected.values()) == {
        "required": 5,  # no date of filing
        "amount-range": 1,  # -636 claimed
        "whole-fen": 1,  # a tenth of a cent assessed
    }
    assert reading.header_row == 5
    assert reading.doubles == []
    assert reading.totals.rows_read == 47_249


def test_washington_amounts_are_counted_once_and_violations_are_kept(washington, washington_rows):
    reading, cases = washington
    rows = defaultdict(list)
    for row in washington_rows:
        rows[str(int(row[0]))].append(row)
    accepted = {case.number for case in cases}
    for field, column in (("claimed", 11), ("verified", 12)):
        expected = sum(cents(row[column]) for number in accepted for row in rows[number] if row[column] != "")
        assert getattr(reading.totals, field) == expected
    for case in cases:
        assert case.matters == tuple(dict.fromkeys(row[10].strip() for row in rows[case.number] if row[10].strip()))
        assert (len(case.lines), case.state_means) == (1, "closed")
        assert case.closed_on is not None
        assert case.lines[0].paid is None
    assert sum(len(case.rows) for case in cases) == 47_249 - reading.totals.rejected_rows
