"""The laws of `tests/projections/laws.py` on the toys and on the real catalogue, in PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.campaigns.campaign import WINTER_2019
from domain.catalogue import EVENT_TYPES
from infra.folding.feed import FeedEntry
from infra.postgres import ledger_pages, ledger_tables
from projections.catalogue import catalogue
from tests.conftest import SOAKING
from tests.histories import MOVES_TO_THE_END, History
from tests.migrated import log_database
from tests.projections.laws import check_laws
from tests.projections.toys import TYPES, toy_catalogue, toy_entries

ZONE = ZoneInfo("Asia/Shanghai")
EXAMPLES = settings(
    max_examples=60 if SOAKING else 8,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    database=None,
    derandomize=True,
)


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """One database for all examples; each empties its ledgers first."""
    with log_database() as made:
        yield made


@pytest.fixture(autouse=True)
def everything_small(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that short histories pass several marks and segments, and pages take several rounds."""
    monkeypatch.setattr(ledger_tables, "MARK", 4)
    monkeypatch.setattr(ledger_tables, "SEGMENT_BITS", 2)
    monkeypatch.setattr(ledger_tables, "_SEGMENTS", 1 << 60)
    monkeypatch.setattr(ledger_pages, "_FIRST_BATCH", 1)
    monkeypatch.setattr(ledger_pages, "_FEW", 2)
    monkeypatch.setattr(ledger_pages, "_GATHERED", 1)


@pytest.mark.slow
@EXAMPLES
@given(entries=toy_entries(), stop_at=st.integers(0, 12))
def test_every_law_holds_for_ledgers_that_use_all_that_a_ledger_can(url, entries, stop_at):
    check_laws(url, toy_catalogue(), TYPES, entries, stop_at=min(stop_at, len(entries)))


@st.composite
def campaign_entries(draw: st.DrawFn) -> list[FeedEntry]:
    """Several cases of the real domain, their events interleaved."""
    histories = []
    for number in range(draw(st.integers(1, 3))):
        history = History(case=f"case-{number}")
        history.state_line(draw(st.integers(0, 2_000)), None, named=True)
        for move in draw(st.lists(MOVES_TO_THE_END, max_size=8)):
            move(history)
        histories.append([recorded.envelope for recorded in history.recorded])
    order = draw(st.permutations([i for i, envelopes in enumerate(histories) for _ in envelopes]))
    waiting = [iter(envelopes) for envelopes in histories]
    envelopes = [next(waiting[i]) for i in order]
    return [FeedEntry(i, e.type, msgspec.json.encode(e)) for i, e in enumerate(envelopes, start=1)]


@pytest.mark.slow
@EXAMPLES
@given(entries=campaign_entries(), stop_at=st.integers(0, 20))
def test_every_law_holds_for_the_ledgers_of_a_campaign(url, entries, stop_at):
    check_laws(url, catalogue(WINTER_2019, ZONE), EVENT_TYPES, entries, stop_at=min(stop_at, len(entries)))
