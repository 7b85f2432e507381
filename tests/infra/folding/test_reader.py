"""What readers may ask, and what they are told when it makes no sense. That pages are right is a law (`test_laws.py`)."""

from __future__ import annotations

import base64
import itertools

import msgspec
import pytest

from domain.errors import InputError, NotFoundError, NotReadyError
from infra.postgres import ledger_pages, ledger_tables
from tests.infra.folding.test_engine import ADDED, PLACED, eventually, history
from tests.projections.laws import MemoryFeed
from tests.projections.toys import entry_of


@pytest.fixture
def read(toys):
    """The reader of ledgers that hold one thing with three versions, and two others."""
    entries = history(PLACED, ADDED, ADDED)
    entries += [
        entry_of(i, PLACED, f"thing-{i}", "b-1", amount=None, label=label, tags=["a", "b"])
        for i, label in enumerate(["ab", "a\u0301"], start=4)
    ]
    toys.fold(MemoryFeed(entries))
    return toys.reader


def keys(page):
    return [row.key for row in page.rows]


def forged(*fields):
    return base64.urlsafe_b64encode(msgspec.json.encode(fields)).decode().rstrip("=")


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"order": "box"}, "order"),
        ({"filters": {"label": "x"}}, "label"),
        ({"filters": {"amount": "five"}}, "amount"),
        ({"filters": {"amount": "9" * 30}}, "amount"),
        ({"filters": {"empty": "perhaps"}}, "empty"),
        ({"filters": {"box": "a\0"}}, "box"),
        ({"after": "!"}, "after"),
        ({"after": "Zm9v"}, "after"),
        ({"after": forged("label", False, "x", "k")}, "after"),
        ({"after": forged(None, True, None, "k")}, "after"),
        ({"after": forged(None, False, None, "k\0")}, "after"),
        ({"order": "amount", "after": forged("amount", False, None, "k")}, "after"),
        ({"order": "amount", "after": forged("amount", False, "x", "k")}, ""),
    ],
)
def test_what_a_page_cannot_have_is_refused_with_the_field_that_asks_for_it(read, asked, field):
    for as_of in (None, 3):
        with pytest.raises(InputError) as refusal:
            read.page("things", as_of=as_of, **asked)
        assert refusal.value.field == field


def test_a_ledger_without_a_searched_column_refuses_a_search(read):
    with pytest.raises(InputError, match="no column to search in"):
        read.page("odd", prefix="x")


def test_a_search_finds_what_begins_so_now_and_as_of_a_position(read):
    assert keys(read.page("things", prefix="a")) == ["thing-1", "thing-4", "thing-5"]
    assert keys(read.page("things", prefix="ab")) == ["thing-4"]
    assert keys(read.page("things", prefix="a\u0301")) == ["thing-5"]
    assert keys(read.page("things", prefix="a", as_of=4)) == ["thing-1", "thing-4"]
    assert keys(read.page("things", prefix="")) == ["thing-1", "thing-4", "thing-5"]
    assert keys(read.page("things", prefix="\U0010ffff", as_of=4)) == []
    assert keys(read.page("things", prefix="\0", as_of=4)) == []


@pytest.mark.parametrize("gathered", [0, 3, 30])
@pytest.mark.parametrize("few", [0, 1_000])
def test_pages_are_the_same_however_much_of_a_filter_is_gathered(toys, monkeypatch, gathered, few):
    """Small segments, so that a page has many runs; a label in every third thing, a box in every second, most things changed later."""
    monkeypatch.setattr(ledger_tables, "SEGMENT_BITS", 3)
    monkeypatch.setattr(ledger_tables, "_SEGMENTS", 1 << 60)
    monkeypatch.setattr(ledger_pages, "_GATHERED", gathered)
    monkeypatch.setattr(ledger_pages, "_FEW", few)
    placed = [
        entry_of(i, PLACED, f"thing-{i:02}", f"b-{i % 2}", amount=i * 7 % 10, label=("ab", "ac", "b")[i % 3], tags=[])
        for i in range(1, 31)
    ]
    added = [entry_of(i, ADDED, f"thing-{i - 30:02}", f"b-{i % 2}", amount=5) for i in range(31, 51)]
    toys.fold(MemoryFeed(placed + added))

    def amount(i: int, as_of: int) -> int:
        return i * 7 % 10 + 5 * (i + 30 <= as_of)

    for as_of, descending in itertools.product((None, 20, 30, 37, 44, 50), (False, True)):
        seen = as_of or 50
        there = [i for i in range(1, min(seen, 30) + 1) if i % 2 == 1 and i % 3 in (0, 1)]
        there.sort(key=lambda i: (amount(i, seen), i), reverse=descending)
        asked = {"filters": {"box": "b-1"}, "prefix": "a", "order": "amount", "descending": descending, "as_of": as_of}
        found, after = [], None
        while True:
            page = toys.reader.page("things", limit=4, after=after, **asked)
            found += keys(page)
            after = page.next
            if after is None:
                break
        assert found == [f"thing-{i:02}" for i in there], (as_of, descending)


def test_an_absent_value_stands_before_all_others(read):
    assert keys(read.page("things", order="amount")) == ["thing-4", "thing-5", "thing-1"]
    assert keys(read.page("things", order="amount", descending=True)) == ["thing-1", "thing-5", "thing-4"]


def test_a_page_bears_the_position_that_it_is_as_of(read):
    assert read.page("things").position == 5
    assert read.page("things", as_of=2).position == 2


def test_a_ledger_is_not_read_beyond_its_own_position_unless_it_may_say_so(read):
    with pytest.raises(NotReadyError) as refusal:
        read.page("things", as_of=6)
    assert refusal.value.position == 5
    assert read.page("things", as_of=6, allow_behind=True).position == 5
    for beyond in (lambda: read.row("things", "thing-1", as_of=6), lambda: read.cells("totals", as_of=6)):
        with pytest.raises(NotReadyError):
            beyond()
    with pytest.raises(NotReadyError):
        next(read.stream_rows("things", as_of=6))


def test_a_row_and_its_versions_say_from_where_to_where_they_hold(read):
    assert read.row("things", "thing-9") is None
    now, then = read.row("things", "thing-1"), read.row("things", "thing-1", as_of=2)
    assert (now.position, now.until, now.row.amount) == (3, None, 11)
    assert (then.position, then.until, then.row.amount) == (2, 3, 6)
    assert read.row("things", "thing-4", as_of=3) is None
    assert [(v.position, v.until) for v in read.versions("things", "thing-1")] == [(1, 2), (2, 3), (3, None)]


def test_rows_are_streamed_in_order_of_key_and_filtered(read):
    assert [row.key for row in read.stream_rows("things", filters={"tags": "b"})] == ["thing-4", "thing-5"]
    assert [row.key for row in read.stream_rows("things", as_of=4, filters={"box": "b-1"})] == ["thing-4"]


def test_sums_are_not_rows_and_rows_are_not_sums(read):
    with pytest.raises(NotFoundError, match="sums, not rows"):
        read.page("totals")
    with pytest.raises(NotFoundError, match="rows, not sums"):
        read.cells("things")
    with pytest.raises(NotFoundError, match="there is no ledger 'cases'; there are things"):
        read.page("cases")


def test_before_anything_was_folded_a_ledger_is_missing(toys):
    assert {one.state for one in toys.reader.status()} == {"missing"}
    assert toys.reader.watermark_age() is None
    with pytest.raises(NotReadyError, match="never folded"):
        toys.reader.page("things")


def test_the_state_of_a_ledger_counts_what_it_is_behind(toys):
    from tests.migrated import execute

    toys.fold(MemoryFeed(history(PLACED, ADDED)))
    execute(
        toys.url,
        "insert into qingling.event select i, 'thing-1', i, 'thing.added.v1', clock_timestamp() + i * interval '1 microsecond',"
        " 'a-1', '' from generate_series(1, 5) as i",
    )
    (things, *_) = toys.reader.status()
    assert (things.name, things.position, things.head, things.lag) == ("things", 2, 5, 3)
    assert things.updated_at is not None
    assert toys.reader.position("things") == 2
    assert toys.reader.server_version().startswith("PostgreSQL ")
    eventually(lambda: (toys.reader.watermark_age() or 0) > 0)
