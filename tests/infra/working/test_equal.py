"""Ledgers that two workers fold from Kafka are those that the embedded engine folds from the log: every version, every sum, every page,
now and as of any position, on the sample campaign, on stories and on a book of real records."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from random import Random

import orjson
import pytest

from domain.catalogue import EVENT_TYPES
from domain.errors import NotReadyError
from infra.bootstrap import Settings, open_engine
from infra.folding.feed import EVERY_PART
from infra.kafka.cluster import KafkaConfig
from infra.postgres.config import RecorderConfig
from infra.postgres.connection import connect
from infra.postgres.ledger_reader import LedgerReader
from infra.postgres.ledger_sums import sums_at
from infra.postgres.refill import refill
from infra.sample.campaign import CASES
from infra.sample.playing import SEED
from projections.folding import Folding, Rows, sums_of
from projections.ledger import Row, SummaryLedger
from tests.conftest import SOAKING
from tests.infra.relaying.relays import require_equal
from tests.infra.working.equal_logs import (
    LEDGERS,
    PARTITIONS,
    Carried,
    Imported,
    Recorded,
    board_of,
    carried,
    database,
    first_difference,
    held_back,
    live_tables,
    pages,
    seen_then,
    stands,
)
from tests.interop.test_made_packs import first_rows
from tests.kafka_broker import Broker
from tests.migrated import execute
from tests.sample.played import played
from tests.stories.told import told

pytestmark = [pytest.mark.kafka, pytest.mark.slow, pytest.mark.timeout(7_200 if SOAKING else 300)]
POSITIONS = 40 if SOAKING else 2


def _sample() -> Recorded:
    return Recorded(played(SEED, CASES).log.read(0, 1_000_000))


def _stories() -> Recorded:
    entries = told(1 if SOAKING else 3)
    return Recorded(entries, first=len(entries) // 2)


@pytest.fixture(
    scope="module",
    params=["sample", "stories", *([pytest.param("new-jersey", marks=pytest.mark.real_data)] if SOAKING else [])],
)
def both(
    request: pytest.FixtureRequest, kafka_broker: Broker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Carried]:
    """A log that went through a relay and two workers, and the same folded the embedded way."""
    folder = tmp_path_factory.mktemp(request.param)
    source: Recorded | Imported
    if request.param == "new-jersey":
        book = request.getfixturevalue("real_data") / "new-jersey-wage-claims.xlsx"
        source = Imported(book if SOAKING else first_rows(book, folder), "new-jersey")
    else:
        source = {"sample": _sample, "stories": _stories}[request.param]()
    config = KafkaConfig(kafka_broker.address, topic=f"test.equal.{request.param}", partitions=PARTITIONS)
    with carried(source, config, folder) as made:
        yield made


def test_both_workers_fold_and_every_part_stands_at_the_head(both: Carried) -> None:
    assert sorted(partition for share in both.shares for partition in share) == list(range(PARTITIONS))
    assert [len(share) for share in both.shares] == [PARTITIONS // 2] * 2
    assert stands(both.folded.database_url) == {part: {both.head} for part in EVERY_PART}
    assert stands(both.reference.database_url) == {-1: {both.head}}
    assert {(status.state, status.lag) for status in both.reader.status()} == {("running", 0)}


def test_every_version_is_that_of_the_embedded_fold(both: Carried) -> None:
    assert set(both.compared) == set(LEDGERS.names()), "the embedded fold is that of a rebuild"
    count, difference = first_difference(both.folded.database_url, both.reference.database_url)
    assert difference is None
    assert count > both.head // 2


def test_the_sums_of_every_mark_are_those_of_the_rows(both: Carried) -> None:
    for url in (both.folded.database_url, both.reference.database_url):
        connection = connect(url, RecorderConfig(role="qingling_reader"))
        try:
            for name, table in live_tables(url).items():
                ledger = LEDGERS[name]
                if not isinstance(ledger, SummaryLedger):
                    continue
                for mark in range(0, both.head + 1, table.mark):
                    rows = [each.row for each in both.expected.stream_rows(ledger.source.name, as_of=mark)]
                    with connection.cursor() as cursor:
                        assert sums_at(cursor, table, mark) == sums_of(ledger, rows), f"{name} as of mark {mark}"
        finally:
            connection.close()


def test_pages_sums_and_the_board_are_equal_as_of_any_position(both: Carried) -> None:
    chance = Random(both.head)
    for position in both.positions(POSITIONS):
        then = chance.randrange(position + 1)
        assert board_of(both.reader, position, then) == board_of(both.expected, position, then)
        require_same(both.reader, position, both.expected, position)
    require_same(both.reader, None, both.expected, None)


def test_what_was_read_while_they_folded_is_what_held_at_its_position(both: Carried) -> None:
    assert both.seen
    for seen in both.seen:
        assert seen == seen_then(both.expected, seen)


def test_the_topics_hold_the_logs_bytes_and_the_general_one_nothing_for_the_office_alone(both: Carried) -> None:
    general = require_equal(both.log, both.config)
    expected = [
        each.position
        for each in both.log.read(0, 10_000_000)
        if orjson.loads(each.entry)["visibility"] in ("case", "public")
    ]
    assert general.positions == expected


@pytest.mark.skipif(
    not SOAKING, reason="in scripts/soak; without Kafka in every run, by tests/infra/folding/test_parts.py"
)
@pytest.mark.parametrize("both", ["sample", "stories"], indirect=True)
def test_while_a_worker_is_held_back_the_ledgers_are_exactly_those_of_its_position(both: Carried) -> None:
    chance = Random(both.head)
    held = sorted(chance.sample(range(1, both.head), POSITIONS))
    with held_back(both) as workers:
        reader = workers.reader
        for position in held:
            workers.let(position, both.head)
            require_hindmost(reader, position, both)
        workers.let(both.head, both.head)
        require_same(reader, None, both.expected, None)
        assert first_difference(workers.url, both.reference.database_url)[1] is None


def test_what_differs_is_told_by_ledger_and_version(tmp_path: Path) -> None:
    with ExitStack() as stack:
        urls = [database(stack) for _ in range(2)]
        for url in urls:
            refill(url, _sample().entries[:200])
            with open_engine(Settings(data=tmp_path, database_url=url)) as engine:
                engine.run_once()
        assert first_difference(*urls)[1] is None
        table = live_tables(urls[0])["case"]
        [(key, shard)] = execute(urls[0], f"select key, shard from {table.open} order by key limit 1")
        execute(urls[0], f"update {table.open} set shard = shard + 1 where key = %s", (key,))
        told_of = first_difference(*urls)[1]
        assert told_of is not None
        assert told_of.startswith("ledger case, after ")
        assert told_of.endswith(f"key {key}: shard: '{shard + 1}', not '{shard}'")
        execute(urls[1], f"delete from {table.open} where key = %s", (key,))
        assert str(first_difference(*urls)[1]).endswith(" is only here")
        assert str(first_difference(*reversed(urls))[1]).endswith(" is only there")


# What equal means


def require_same(reader: LedgerReader, as_of: int | None, expected: LedgerReader, then: int | None) -> None:
    """What a reader says as of a position (None: now) is what another one says as of one."""
    for ledger in LEDGERS:
        name = ledger.name
        if isinstance(ledger, SummaryLedger):
            assert reader.cells(name, as_of=as_of) == expected.cells(name, as_of=then), name
            continue
        rows, others = (
            [(each.key, each.position, each.row) for each in one.stream_rows(name, as_of=at)]
            for one, at in ((reader, as_of), (expected, then))
        )
        assert rows == others, f"rows of {name}"
        assert list(pages(reader, ledger, as_of)) == list(pages(expected, ledger, then)), f"pages of {name}"
        for key, position, row in rows[:: max(1, len(rows) // 5)]:
            found = reader.row(name, key, as_of=as_of)
            assert found is not None
            assert (found.position, found.row) == (position, row)


def require_hindmost(reader: LedgerReader, position: int, both: Carried) -> None:
    """A ledger is read as of where its hindmost part stands, and no further."""
    for ledger in LEDGERS:
        assert reader.position(ledger.name) == position
        if not isinstance(ledger, SummaryLedger):
            page = reader.page(ledger.name, limit=1)
            assert (page.position, page.complete) == (position, position)
    assert {(status.position, status.lag) for status in reader.status()} == {(position, both.head - position)}
    require_same(reader, None, both.expected, position)
    require_same(reader, position // 2, both.expected, position // 2)
    assert board_of(reader, position, position // 2) == board_of(both.expected, position, position // 2)
    require_fold_of_first(reader, position, both)
    for as_of in (position + 1, both.head):
        for refused in refusals(reader, as_of):
            with pytest.raises(NotReadyError) as caught:
                refused()
            assert caught.value.position == position
    for ledger in LEDGERS:
        if not isinstance(ledger, SummaryLedger):
            page = reader.page(ledger.name, as_of=both.head, allow_behind=True)
            assert (page.position, page.complete) == (position, position)


def refusals(reader: LedgerReader, as_of: int) -> Iterator[Callable[[], object]]:
    """Every way to read every ledger as of a position."""
    for ledger in LEDGERS:
        name = ledger.name
        yield lambda name=name: reader.wait_for([name], as_of, 0)  # type: ignore[misc]
        if isinstance(ledger, SummaryLedger):
            yield lambda name=name: reader.cells(name, as_of=as_of)  # type: ignore[misc]
            continue
        yield lambda name=name: reader.page(name, as_of=as_of)  # type: ignore[misc]
        yield lambda name=name: reader.row(name, "x", as_of=as_of)  # type: ignore[misc]
        yield lambda name=name: next(reader.stream_rows(name, as_of=as_of))  # type: ignore[misc]
    yield lambda: reader.missing("acceptance", "case", "case", as_of=as_of)


def require_fold_of_first(reader: LedgerReader, position: int, both: Carried) -> None:
    """The ledgers as they are now are what folding the log's first entries gives, computed from nothing."""
    folding = Folding(LEDGERS)
    rows: Rows = {}
    shown: dict[str, dict[str, Row]] = {}
    for stored in both.log.read(0, position):
        for change in folding.apply(EVENT_TYPES.decode(stored), rows):
            kept = shown.setdefault(change.ledger, {})
            if change.new is None:
                del kept[change.key]
            else:
                kept[change.key] = change.new
    for ledger in LEDGERS:
        if isinstance(ledger, SummaryLedger):
            expected = sums_of(ledger, shown.get(ledger.source.name, {}).values())
            assert reader.cells(ledger.name) == expected
            continue
        assert {each.key: each.row for each in reader.stream_rows(ledger.name)} == shown.get(ledger.name, {})
