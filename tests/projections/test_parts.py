"""What lets workers share ledgers: a row is read and changed by events of one part of the log alone, so parts are folded apart.

Looked at on logs in which nearly everything that can be recorded is: the sample campaign, all stories, and a book of real records.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from domain.campaigns.campaign import WINTER_2019
from domain.catalogue import EVENT_TYPES
from domain.entries import Recorded
from domain.streams import StreamEvent
from infra.books.mapping_files import load_mapping
from infra.folding.feed import EVERY_PART, shard_of
from infra.sample.campaign import CASES
from infra.sample.playing import SEED
from projections.catalogue import catalogue
from projections.folding import Folding, Rows, fold_all, sums_of
from projections.ledger import AnyLedger, Row, RowLedger, SummaryLedger, Title
from tests.conftest import SOAKING
from tests.infra.test_importing import Office
from tests.interop.test_made_packs import first_rows
from tests.sample.played import ZONE, played
from tests.stories.told import told

pytestmark = pytest.mark.slow
Events = Sequence[Recorded[StreamEvent]]


def shared_rows(ledgers: Sequence[AnyLedger], events: Events) -> dict[tuple[str, str], set[str]]:
    """(ledger, key) of every row that events of more than one partition key read or change, and those keys."""
    folding = Folding(ledgers)
    rows: Rows = {}
    touched: dict[tuple[str, str], set[str]] = {}
    for recorded in events:
        here = set(folding.keys(recorded))
        here |= {(change.ledger, change.key) for change in folding.apply(recorded, rows)}
        for each in here:
            touched.setdefault(each, set()).add(recorded.envelope.partitionkey)
    return {each: keys for each, keys in touched.items() if len(keys) > 1}


def require_parts(events: Events, zone: ZoneInfo = ZONE) -> int:
    """Holds a log against the law; how many rows it was held against."""
    ledgers = catalogue(WINTER_2019, zone)
    assert shared_rows(list(ledgers), events) == {}
    whole = fold_all(ledgers, events)
    apart: Rows = {}
    for part in EVERY_PART:
        of_part = [recorded for recorded in events if shard_of(recorded.envelope.partitionkey) == part]
        for name, rows in fold_all(ledgers, of_part).items():
            assert not apart.setdefault(name, {}).keys() & rows.keys(), f"rows of {name} are in two parts"
            apart[name].update(rows)
    assert {name: rows for name, rows in apart.items() if rows} == {name: rows for name, rows in whole.items() if rows}
    for ledger in ledgers:
        if isinstance(ledger, SummaryLedger):
            of = ledger.source.name
            assert sums_of(ledger, apart.get(of, {}).values()) == sums_of(ledger, whole.get(of, {}).values())
    return sum(map(len, whole.values()))


def test_no_row_of_the_sample_campaign_is_of_two_parts() -> None:
    assert require_parts(played(SEED, CASES).events) > 4_000


def test_no_row_of_any_story_is_of_two_parts() -> None:
    assert require_parts([EVENT_TYPES.decode(each) for each in told()]) > 400


@pytest.mark.real_data
def test_no_row_of_an_imported_book_is_of_two_parts(real_data: Path, tmp_path: Path) -> None:
    office = Office(tmp_path)
    book = real_data / "new-jersey-wage-claims.xlsx"
    office.bring_file(book if SOAKING else first_rows(book, tmp_path), load_mapping("new-jersey"))
    assert require_parts(office.events()) > 4_000


class _Count(Row, frozen=True, kw_only=True):
    events: int = 0


@pytest.mark.parametrize("key", [lambda _: "all", lambda recorded: recorded.envelope.jurisdiction])
def test_a_ledger_whose_rows_are_of_several_parts_is_found(key: Callable[[Recorded[StreamEvent]], str]) -> None:
    counting = RowLedger[_Count]("counting", _Count, 1, Title("计数", "Counting"))
    events = played(SEED, CASES).events
    counting.on(*{type(recorded.event) for recorded in events}, key=key)(
        lambda row, _: _Count(events=(row or _Count()).events + 1)
    )
    assert shared_rows([counting], events)
