"""An edition of a list is recorded whole, in entries that fit, and every row of it can be cited."""

from __future__ import annotations

from datetime import date

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.entries import draft
from domain.errors import InputError
from domain.projects.permit_list import Edition, ListedRow, ListKind, PermitList, read, rows_digest
from domain.recording import MAX_ENTRY
from domain.streams import Context, StreamEvent
from tests.domain.projects.material import FILE, WHEN, project, recorded

ROWS = tuple(ListedRow(name=f"项目{i}", number=f"施-{i}", place="140321", developer="城投") for i in range(1, 4))
CONTEXT = Context(actor="officer-a", correlation="test")


def new_list() -> PermitList:
    return PermitList(
        id="permit-list-1", kind=ListKind.PERMIT, authority="平定县住建局", place="140321", provenance=WHEN
    )


def newest(events: list[StreamEvent]) -> Edition | None:
    edition: Edition | None = None
    for event in events:
        edition = read(edition, event)
    return edition


def test_an_edition_is_read_back_with_its_rows_in_order():
    permits = new_list()
    assert permits.hand_in(FILE, date(2019, 11, 28), ROWS, WHEN) == 1
    edition = newest(recorded(permits))
    assert edition is not None
    assert (edition.rows, edition.whole, edition.digest) == (ROWS, True, rows_digest(ROWS))
    assert (permits.jurisdiction, permits.partitionkey) == ("140321", "permit-list-1")


def test_a_later_edition_takes_the_place_of_the_earlier():
    permits = new_list()
    permits.hand_in(FILE, date(2019, 11, 28), ROWS, WHEN)
    permits.hand_in(FILE, date(2019, 12, 28), ROWS[:1], WHEN)
    edition = newest(recorded(permits))
    assert edition is not None
    assert (edition.edition, edition.asof, edition.rows) == (2, date(2019, 12, 28), ROWS[:1])


def test_an_edition_without_rows_is_whole():
    permits = new_list()
    permits.hand_in(FILE, date(2019, 11, 28), (), WHEN)
    edition = newest(recorded(permits))
    assert edition is not None
    assert edition.whole
    assert edition.rows == ()


def test_thousands_of_rows_lie_in_entries_that_are_allowed_and_together_in_few():
    rows = tuple(
        ListedRow(name=f"某某街道老旧小区改造及配套设施建设工程第{i}标段", number=f"14030{i}", developer="建设单位" * 6)
        for i in range(5_000)
    )
    permits = new_list()
    permits.hand_in(FILE, date(2019, 11, 28), rows, WHEN)
    events = permits.collect_events()
    entries = [draft(permits, event, CONTEXT, "urn:qingling:test").entry for event in events]  # type: ignore[arg-type]
    assert max(map(len, entries)) <= MAX_ENTRY
    assert len(entries) < 40


def test_the_longest_rows_that_are_allowed_fit_an_entry():
    rows = tuple(ListedRow(name="\x01" * 1_300, developer="大" * 50) for _ in range(20))
    permits = new_list()
    permits.hand_in(FILE, date(2019, 11, 28), rows, WHEN)
    edition = newest(recorded(permits))
    assert edition is not None
    assert edition.rows == rows


def test_a_row_that_is_too_long_is_refused_by_its_number_and_nothing_is_recorded():
    permits = new_list()
    with pytest.raises(InputError) as refused:
        permits.hand_in(FILE, date(2019, 11, 28), (*ROWS, ListedRow(name="长" * 3_000)), WHEN)
    assert (refused.value.row, refused.value.rule, len(permits.pending_events)) == (4, "row-length", 1)


@given(st.integers(0, 400), st.data())
def test_of_an_edition_of_which_a_part_is_missing_nothing_is_said(count, data):
    rows = tuple(ListedRow(name=f"第{i}号工程" * 20) for i in range(count))
    permits = new_list()
    permits.hand_in(FILE, date(2019, 11, 28), rows, WHEN)
    events = recorded(permits)
    kept = data.draw(st.lists(st.booleans(), min_size=len(events), max_size=len(events)))
    edition = newest([event for event, keep in zip(events, kept, strict=True) if keep])
    if edition is None:
        assert not kept[0]
    elif kept[1]:
        assert edition.whole == all(kept[2:])
        assert edition.rows in ((), rows)
    else:
        assert not edition.whole


def test_rows_of_an_edition_whose_header_is_left_out_are_not_taken_for_the_one_before():
    permits = new_list()
    permits.hand_in(FILE, date(2019, 11, 28), ROWS, WHEN)
    permits.hand_in(FILE, date(2019, 12, 28), ROWS, WHEN)
    opened, header, _, _, later_rows = recorded(permits)
    edition = newest([opened, header, later_rows])
    assert edition is not None
    assert not edition.whole
    assert edition.held == ()


def test_rows_that_are_not_those_of_the_header_are_not_given():
    permits = new_list()
    permits.hand_in(FILE, date(2019, 11, 28), ROWS, WHEN)
    edition = newest(recorded(permits))
    assert edition is not None
    assert msgspec.structs.replace(edition, digest="0" * 64).rows == ()


def test_an_event_of_another_stream_changes_nothing():
    permits = new_list()
    edition = newest(recorded(permits))
    stranger = recorded(project())[0]
    assert read(edition, stranger) is edition
    assert read(None, stranger) is None
