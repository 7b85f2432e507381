"""The laws of every ledger, checked against a fold in memory. They take any catalogue and any history.

*As known at p*: rows, every version and sums, read as of each position p, are what folding the first p events gives. *Live = rebuilt*.
*Exactly once*: feeding what was fed before changes nothing; where chunks end, and whether a ledger was stopped on the way, does not show.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from domain.entries import EventTypes, Recorded
from domain.recording import Head
from infra.folding.engine import Engine
from infra.folding.feed import UNDIVIDED, FeedEntry, Parts, Stretch, shard_of
from infra.folding.leader import EngineConfig
from infra.postgres.config import RecorderConfig
from infra.postgres.ledger_reader import LedgerReader
from infra.postgres.ledger_store import LedgerStore
from infra.postgres.ledger_tables import bounded
from projections.folding import Folding, sums_of
from projections.ledger import Catalogue, Row, RowLedger, SummaryLedger
from tests.migrated import execute

QUICK = EngineConfig(
    chunk=3, catch_up_chunk=5, cache_rows=4, rebuild_rows=4, poll=0.0, confirm=0.0, leadership=0.01, retired_for=0.0
)
"""Small chunks and a cache that forgets at once, so that short histories meet what long ones would."""


class MemoryFeed:
    """A feed of entries in memory; it may show only the first so many, and be one of some parts."""

    def __init__(self, entries: Sequence[FeedEntry], parts: Parts = UNDIVIDED) -> None:
        self.entries = [entry if entry.shard >= 0 else entry._replace(shard=_shard(entry)) for entry in entries]
        self.parts = parts
        self.shown = len(entries)

    def head(self) -> int:
        """See `Feed`."""
        return self.shown

    def read(self, after: int, upto: int, skip: Collection[str] = (), parts: Parts = UNDIVIDED) -> Stretch:
        """See `Feed`."""
        wanted = [entry for entry in self.entries[after:upto] if parts == UNDIVIDED or entry.shard in parts]
        return Stretch([entry for entry in wanted if entry.type not in skip], upto)

    def wait(self, after: int, timeout: float) -> bool:
        """See `Feed`."""
        return self.shown > after

    def is_current(self) -> bool:
        """See `Feed`."""
        return True

    def close(self) -> None:
        """See `Feed`."""


def _shard(entry: FeedEntry) -> int:
    """The shard that an entry's key has; 0 of one that cannot be read."""
    try:
        return shard_of(msgspec.json.decode(entry.entry)["partitionkey"])
    except (msgspec.MsgspecError, KeyError):
        return 0


class Unwatched:
    """A log of which the feed is not made."""

    def head(self) -> Head:
        """Empty."""
        return Head(0, None)

    def wait_for_append(self, after: int, timeout: float) -> bool:
        """Never grows."""
        return False


@dataclass(frozen=True)
class State:
    """What ledgers hold after some events: rows by ledger and key, sums by summary and cell."""

    rows: dict[str, dict[str, Row]]
    sums: dict[str, dict[tuple[str, ...], tuple[int, ...]]]


def expected(catalogue: Catalogue, events: Sequence[Recorded[Any]]) -> list[State]:
    """The state after the first 0, 1, 2, … events, folded in memory from nothing."""
    folding = Folding(catalogue)
    rows: dict[str, dict[str, Any]] = {}
    shown: dict[str, dict[str, Row]] = {
        ledger.name: {} for ledger in catalogue if not isinstance(ledger, SummaryLedger)
    }
    states = [_state(catalogue, shown)]
    for recorded in events:
        for change in folding.apply(recorded, rows):
            if change.new is None:
                del shown[change.ledger][change.key]
            else:
                shown[change.ledger][change.key] = change.new
        states.append(_state(catalogue, shown))
    return states


def _state(catalogue: Catalogue, rows: dict[str, dict[str, Row]]) -> State:
    sums = {
        ledger.name: sums_of(ledger, rows[ledger.source.name].values())
        for ledger in catalogue
        if isinstance(ledger, SummaryLedger)
    }
    return State({name: dict(kept) for name, kept in rows.items()}, sums)


class Bench:
    """Ledgers of a catalogue in a database of their own, folded from a feed in memory."""

    def __init__(self, url: str, catalogue: Catalogue, types: EventTypes, config: EngineConfig = QUICK) -> None:
        self.url = url
        self.catalogue = catalogue
        self.types = types
        self.config = config
        self.store = LedgerStore(url, RecorderConfig(role="qingling_projector"), catalogue)
        self.reader = LedgerReader(url, RecorderConfig(role="qingling_reader"), catalogue)

    def close(self) -> None:
        """Close every session."""
        self.reader.close()
        self.store.close()

    def engine(self, feed: MemoryFeed, **changed: Any) -> Engine:
        """An engine on the feed."""
        config = replace(self.config, **changed)
        return Engine(Unwatched(), self.store, self.catalogue, self.types, config, feed=lambda _: feed)

    def fold(self, feed: MemoryFeed, upto: int | None = None, **changed: Any) -> Engine:
        """Folds live in this thread until every ledger that folds has seen the first `upto` entries."""
        feed.shown = len(feed.entries) if upto is None else upto
        engine = self.engine(feed, **changed)
        deadline = time.monotonic() + 60
        looked = itertools.count()

        def until() -> bool:
            assert time.monotonic() < deadline, f"the engine did not get there: {engine.trouble}"
            return next(looked) > 1 and all(
                s.position == feed.shown for s in self.reader.status() if s.state == "running"
            )

        engine.run(until=until)
        assert engine.trouble is None, engine.trouble
        return engine

    def state(self, position: int) -> State:
        """What the ledgers say as of a position."""
        rows = {
            ledger.name: {row.key: row.row for row in self.reader.stream_rows(ledger.name, as_of=position)}
            for ledger in self.catalogue
            if not isinstance(ledger, SummaryLedger)
        }
        sums = {
            ledger.name: self.reader.cells(ledger.name, as_of=position)
            for ledger in self.catalogue
            if isinstance(ledger, SummaryLedger)
        }
        return State(rows, sums)

    def stored(self) -> dict[str, list[tuple[Any, ...]]]:
        """Everything that is stored of every live generation, sums at their marks included."""
        found = {}
        for ledger, number in execute(self.url, "select ledger, number from ledger.generation where state = 'live'"):
            table = f'select *, null from ledger."{ledger}_g{number}" order by key, from_position'
            found[ledger] = [tuple(map(str, row)) for row in execute(self.url, table)]
        return found


@contextmanager
def bench(url: str, catalogue: Catalogue, types: EventTypes) -> Iterator[Bench]:
    """A bench on a database whose ledgers are empty, whatever was there before."""
    empty(url)
    with closing(Bench(url, catalogue, types)) as made:
        yield made


def empty(url: str) -> None:
    """Removes every generation."""
    for ledger, number in execute(url, "delete from ledger.generation returning ledger, number"):
        execute(url, f'drop table if exists ledger."{ledger}_g{number}"')
    execute(url, "delete from ledger.condition")


def check_laws(
    url: str, catalogue: Catalogue, types: EventTypes, entries: Sequence[FeedEntry], *, stop_at: int = 0
) -> None:
    """Checks every law on one history, in a migrated database that may hold ledgers of an earlier check."""
    states = expected(catalogue, [types.decode_entry(entry.position, entry.entry) for entry in entries])
    with bench(url, catalogue, types) as made:
        feed = MemoryFeed(entries)
        engine = made.fold(feed)
        check_as_known(made, states)
        check_pages(made, states)
        live = made.stored()
        engine.rebuild()
        assert made.stored() == live, "rebuilt differs from live"
    check_interrupted(url, catalogue, types, entries, live, stop_at)


def check_as_known(made: Bench, states: Sequence[State]) -> None:
    """As of every position the ledgers say what folding the events up to there gives; the current ledger is the last of them."""
    for position, state in enumerate(states):
        assert made.state(position) == state, f"as known at {position}"
    for ledger in made.catalogue:
        if isinstance(ledger, SummaryLedger):
            assert made.reader.cells(ledger.name) == states[-1].sums[ledger.name]
            continue
        assert {row.key: row.row for row in made.reader.stream_rows(ledger.name)} == states[-1].rows[ledger.name]
        for key in {key for state in states for key in state.rows[ledger.name]}:
            found = [(row.position, row.until, row.row) for row in made.reader.versions(ledger.name, key)]
            assert found == _versions([state.rows[ledger.name].get(key) for state in states]), f"{ledger.name} {key}"


def check_pages(made: Bench, states: Sequence[State], *, limit: int = 2) -> None:
    """Pages walked from the first to the last, in every order and direction, filtered and not, hold every row once and in order.

    They are walked as of now and as of the first and the last position of every run of positions at which a ledger is the same.
    """
    for ledger in made.catalogue:
        if isinstance(ledger, SummaryLedger):
            continue
        history = [state.rows[ledger.name] for state in states]
        for order, descending in itertools.product((None, *ledger.orders), (False, True)):
            for as_of, rows in ((None, history[-1]), *_ends_of_runs(history)):
                for filters in _filters(ledger, rows):
                    kept = {key: row for key, row in rows.items() if _meets(ledger, row, filters)}
                    found = list(_walked(made, ledger.name, as_of, order, limit, filters, descending=descending))
                    assert found == _ordered(ledger, kept, order, descending=descending), (
                        ledger.name,
                        order,
                        as_of,
                        filters,
                    )


def _ends_of_runs(history: Sequence[dict[str, Row]]) -> Iterator[tuple[int, dict[str, Row]]]:
    for position, rows in enumerate(history):
        around = history[max(0, position - 1) : position + 2]
        if position in {0, len(history) - 1} or any(other != rows for other in around):
            yield position, rows


def _walked(
    made: Bench,
    ledger: str,
    as_of: int | None,
    order: str | None,
    limit: int,
    filters: dict[str, str],
    *,
    descending: bool,
) -> Iterator[tuple[str, Row]]:
    after = None
    while True:
        page = made.reader.page(
            ledger, as_of=as_of, order=order, descending=descending, after=after, limit=limit, filters=filters
        )
        assert len(page.rows) <= limit
        yield from ((row.key, row.row) for row in page.rows)
        after = page.next
        if after is None:
            return


def _filters(ledger: Any, rows: dict[str, Row]) -> Iterator[dict[str, str]]:
    """No filter, and for each column that can be filtered by a value that some row has; then all of them at once."""
    yield {}
    together: dict[str, str] = {}
    for name in ledger.filters:
        for row in list(rows.values())[:1]:
            value = ledger.column(name).of(row)
            if value is not None and value != ():
                yield {name: (text := str(value[0] if isinstance(value, tuple | list) else value))}
                together[name] = text
    if len(together) > 1:
        yield together


def _meets(ledger: Any, row: Row, filters: dict[str, str]) -> bool:
    return all(
        wanted in map(str, value) if isinstance(value, tuple | list) else str(value) == wanted
        for name, wanted in filters.items()
        for value in [ledger.column(name).of(row)]
    )


def _ordered(ledger: Any, rows: dict[str, Row], order: str | None, *, descending: bool) -> list[tuple[str, Row]]:
    def place(item: tuple[str, Row]) -> Any:
        key, row = item
        value = None if order is None else ledger.column(order).of(row)
        return (value is not None, bounded(value) if isinstance(value, str) else value if value is not None else 0, key)

    return sorted(rows.items(), key=place, reverse=descending)


def _versions(rows: Sequence[Row | None]) -> list[tuple[int, int | None, Row]]:
    runs: list[tuple[int, int | None, Row]] = []
    start = 0
    for row, run in itertools.groupby(rows):
        length = len(list(run))
        if row is not None:
            runs.append((start, None if start + length == len(rows) else start + length, row))
        start += length
    return runs


class StutteringFeed(MemoryFeed):
    """A feed that delivers again what it delivered before, as one does that resumes from an older position."""

    def read(self, after: int, upto: int, skip: Collection[str] = (), parts: Parts = UNDIVIDED) -> Stretch:
        """See `Feed`."""
        return super().read(max(0, after - 4), upto, skip, parts)


def check_interrupted(
    url: str,
    catalogue: Catalogue,
    types: EventTypes,
    entries: Sequence[FeedEntry],
    live: dict[str, list[tuple[Any, ...]]],
    stop_at: int,
) -> None:
    """Other chunks, a feed that repeats itself, and ledgers that are paused on the way and catch up by themselves, give the same rows.

    Every ledger is once among those that are paused and once among those that go on meanwhile.
    """
    names = [ledger.name for ledger in catalogue if isinstance(ledger, RowLedger)]
    for paused in (names[::2], names[1::2]):
        with bench(url, catalogue, types) as made:
            feed = StutteringFeed(entries)
            engine = made.fold(feed, upto=stop_at, chunk=1, catch_up_chunk=1)
            for name in paused:
                engine.pause(name)
            made.fold(feed, chunk=100, catch_up_chunk=100, cache_rows=1_000)
            for name in paused:
                engine.resume(name)
            made.fold(feed, chunk=2, catch_up_chunk=4)
            assert made.stored() == live, f"{paused} were paused at {stop_at} and caught up"
