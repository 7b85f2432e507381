"""Logs that go through a relay and two workers, beside the same logs folded the embedded way: what both hold can then be compared.

The workers stand ready before the log grows, so both fold; while they do, somebody reads. What differs is told by ledger and version.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from domain.campaigns.campaign import WINTER_2019
from domain.catalogue import EVENT_TYPES
from domain.recording import StoredEntry
from infra.bootstrap import Settings, initialise, open_engine, open_platform, open_relay, open_worker
from infra.folding.engine import Engine
from infra.folding.feed import EVERY_PART, UNDIVIDED, Feed, Parts, Stretch
from infra.kafka.cluster import KafkaConfig
from infra.kafka.worker import Worker
from infra.postgres.config import RecorderConfig
from infra.postgres.ledger_reader import LedgerReader, Page
from infra.postgres.ledger_store import LedgerSession, LedgerStore
from infra.postgres.ledger_tables import table_of
from infra.postgres.recorder import PostgresLog
from infra.postgres.refill import refill
from projections.board import Board, board
from projections.catalogue import catalogue
from projections.clearance import receptions_of
from projections.ledger import Catalogue, Cell, SummaryLedger, Sums
from tests.infra.relaying.relays import beside, running, wait_for
from tests.migrated import execute, log_database

ZONE = ZoneInfo("Asia/Shanghai")
LEDGERS = catalogue(WINTER_2019, ZONE)
PARTITIONS = 4
_LIMIT = 7


class Source(Protocol):
    """A log that comes in two pieces: what is there before any worker is, and what comes while they fold."""

    def begin(self, settings: Settings) -> None:
        """Records the first piece in an empty database."""

    def go_on(self, settings: Settings) -> None:
        """Records the rest."""


@dataclass(frozen=True)
class Recorded:
    """A log that is there already; `first` of its entries are the first piece, the others come a few hundred at once."""

    entries: Sequence[StoredEntry]
    first: int = 1

    def begin(self, settings: Settings) -> None:
        """See `Source`."""
        refill(settings.database_url, self.entries[: self.first])

    def go_on(self, settings: Settings) -> None:
        """See `Source`."""
        chunk = max(100, len(self.entries) // 10)
        for at in range(self.first, len(self.entries), chunk):
            refill(settings.database_url, self.entries[at : at + chunk])


@dataclass(frozen=True)
class Imported:
    """An office that imports a book."""

    book: Path
    mapping: str

    def begin(self, settings: Settings) -> None:
        """See `Source`."""
        initialise(settings, origin=self.mapping)

    def go_on(self, settings: Settings) -> None:
        """See `Source`."""
        with open_platform(settings) as platform:
            platform.import_book(self.book, mapping=self.mapping, actor="officer-1")


# What was read


@dataclass(frozen=True)
class Seen:
    """What a reader was told of a ledger while workers folded: rows of a page, or the cells of a summary, as of a position."""

    ledger: str
    position: int
    order: str | None
    descending: bool
    shown: Any


def shown(page: Page[Any]) -> tuple[Any, ...]:
    """What a page says of its position alone: until when a row holds may not be known yet."""
    return tuple((each.key, each.position, each.row) for each in page.rows), page.next


def seen_now(reader: LedgerReader, ledger: str, order: str | None, *, descending: bool) -> Seen:
    """Reads a ledger as it is now."""
    if isinstance(reader.catalogue[ledger], SummaryLedger):
        position = reader.position(ledger)
        return Seen(ledger, position, None, False, reader.cells(ledger, as_of=position))
    page = reader.page(ledger, order=order, descending=descending, limit=_LIMIT)
    return Seen(ledger, page.position, order, descending, shown(page))


def seen_then(reader: LedgerReader, seen: Seen) -> Seen:
    """What another reader is told of the same as of the same position."""
    if isinstance(reader.catalogue[seen.ledger], SummaryLedger):
        return replace(seen, shown=reader.cells(seen.ledger, as_of=seen.position))
    page = reader.page(seen.ledger, as_of=seen.position, order=seen.order, descending=seen.descending, limit=_LIMIT)
    return replace(seen, shown=shown(page))


def orders(ledgers: Catalogue) -> Iterator[tuple[str, str | None, bool]]:
    """Every ledger, in each order that pages of it can have; a summary once."""
    for ledger in ledgers:
        if isinstance(ledger, SummaryLedger):
            yield ledger.name, None, False
        else:
            for order, descending in itertools.product((None, *ledger.orders), (False, True)):
                yield ledger.name, order, descending


@contextmanager
def watching(reader: LedgerReader) -> Iterator[list[Seen]]:
    """Reads one ledger after the other, in every order, until it is left."""
    found: list[Seen] = []

    def watch(ended: threading.Event) -> None:
        for name, order, descending in itertools.cycle(orders(LEDGERS)):
            found.append(seen_now(reader, name, order, descending=descending))
            if ended.wait(0.01):
                return

    with beside(watch):
        yield found


def pages(reader: LedgerReader, ledger: Any, as_of: int | None) -> Iterator[tuple[Any, ...]]:
    """The first two pages of a ledger in every order, and by key those that a value of its first row filters."""
    for order, descending in itertools.product((None, *ledger.orders), (False, True)):
        first = reader.page(ledger.name, as_of=as_of, order=order, descending=descending, limit=_LIMIT)
        yield order, descending, shown(first)
        if first.next is not None:
            then = reader.page(
                ledger.name, as_of=as_of, order=order, descending=descending, limit=_LIMIT, after=first.next
            )
            yield order, descending, "second", shown(then)
        for name in ledger.filters if first.rows and order is None and not descending else ():
            value = ledger.column(name).of(first.rows[0].row)
            value = value[0] if isinstance(value, tuple | list) and value else value
            if value is None or value == ():
                continue
            filtered = reader.page(
                ledger.name,
                as_of=as_of,
                order=order,
                descending=descending,
                limit=_LIMIT,
                filters={name: str(value)},
            )
            yield order, descending, name, value, shown(filtered)


def board_of(reader: LedgerReader, position: int, then: int | None = None) -> Board:
    """The clearance board as of a position, `then` being the end of every checkpoint's day that is over."""

    def came(at: int) -> Any:
        orphans = [each.row for each in reader.missing("acceptance", "case", "case", as_of=at)]
        return receptions_of(reader.cells("receptions", as_of=at), orphans, WINTER_2019, ZONE)

    before = [] if then is None else [checkpoint.name for checkpoint in WINTER_2019.checkpoints]
    cells: Mapping[str, Mapping[Cell, Sums]] = {name: reader.cells("clearance", as_of=then) for name in before}
    return board(
        WINTER_2019,
        position,
        reader.cells("clearance", as_of=position),
        cells,
        incomplete=None,
        receptions=came(position),
        receptions_then={name: came(then or 0) for name in before},
    )


# What is stored


def live_tables(url: str) -> dict[str, Any]:
    """The live table of every ledger."""
    found = execute(url, "select ledger, number, segment_bits from ledger.generation where state = 'live'")
    return {name: table_of(LEDGERS[name], number, bits) for name, number, bits in found}


def first_difference(folded: str, reference: str) -> tuple[int, str | None]:
    """How many versions of rows and sums two databases hold, and the first in which they differ, in words."""
    count, (here, there) = 0, (live_tables(folded), live_tables(reference))
    if here.keys() != there.keys() or here.keys() != set(LEDGERS.names()):
        return 0, f"ledgers: {sorted(here)} and {sorted(there)}"
    for name in LEDGERS.names():
        rows, others = (_versions(url, of[name]) for url, of in ((folded, here), (reference, there)))
        for one, other in itertools.zip_longest(rows, others):
            if one != other:
                return count, f"ledger {name}, after {count} equal versions: {_told(here[name], one, other)}"
            count += 1
    return count, None


def _versions(url: str, table: Any) -> list[tuple[str, ...]]:
    columns = ", ".join(f"{name.strip()}::text" for name in table.columns.split(","))
    return execute(url, f"select {columns} from {table.name} as version order by version.key, version.from_position")


def _told(table: Any, one: tuple[str, ...] | None, other: tuple[str, ...] | None) -> str:
    (here, there) = (None if each is None else (each[0], int(each[2])) for each in (one, other))
    if here != there:
        missing = there is None or (here is not None and here < there)
        key, position = (here if missing else there) or ("", 0)
        return f"key {key} from position {position} is only {'here' if missing else 'there'}"
    names = [name.strip() for name in table.columns.split(",")]
    said = [f"{name}: {a!r}, not {b!r}" for name, a, b in zip(names, one or (), other or (), strict=True) if a != b]
    return f"key {(one or ('',))[0]}: {'; '.join(said)}"


def stands(url: str) -> dict[int, set[int]]:
    """By part the positions at which the live ledgers stand there."""
    found: dict[int, set[int]] = {}
    for part, position in execute(
        url,
        "select p.part, p.position from ledger.progress as p join ledger.generation as g on g.id = p.generation"
        " where g.state = 'live'",
    ):
        found.setdefault(part, set()).add(position)
    return found


# Workers, and the whole way


@contextmanager
def at_work(workers: Sequence[Worker]) -> Iterator[None]:
    """Workers in threads, until it is left; begins when the partitions are shared among them all."""
    stop = threading.Event()
    failed: list[BaseException] = []

    def work(worker: Worker) -> None:
        try:
            worker.run(stop.is_set)
        except BaseException as error:  # noqa: BLE001 - told where it is left
            failed.append(error)

    threads = [threading.Thread(target=work, args=(worker,), daemon=True) for worker in workers]
    for thread in threads:
        thread.start()
    try:
        share = PARTITIONS // len(workers)
        wait_for(lambda: failed or all(len(each.status().partitions) == share for each in workers))
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join(60)
    if failed:
        raise failed[0]
    assert not any(thread.is_alive() for thread in threads)


@dataclass
class Carried:
    """A log that two workers have folded, and the embedded engine in a database of its own."""

    folded: Settings
    reference: Settings
    config: KafkaConfig
    origin: str
    log: PostgresLog
    head: int
    seen: list[Seen]
    reader: LedgerReader
    expected: LedgerReader
    shares: Sequence[tuple[int, ...]] = ()
    compared: Sequence[str] = field(default_factory=list)
    """Ledgers whose embedded fold was found equal to its own rebuild."""

    def positions(self, count: int) -> list[int]:
        """Positions at random, the first and the last."""
        chance = Random(self.head)
        return sorted({1, self.head, *(chance.randrange(self.head) for _ in range(count))})


def database(stack: ExitStack) -> str:
    """A database that is dropped at the end."""
    return stack.enter_context(log_database())


def reader_of(stack: ExitStack, url: str) -> LedgerReader:
    """A reader of a database's ledgers."""
    return stack.enter_context(closing(LedgerReader(url, RecorderConfig(role="qingling_reader"), LEDGERS)))


@contextmanager
def carried(source: Source, config: KafkaConfig, folder: Path) -> Iterator[Carried]:
    """Sends a log the whole way; see the module."""
    with ExitStack() as stack:
        url, other = database(stack), database(stack)
        folded = Settings(
            data=folder / "data",
            database_url=url,
            kafka=config.bootstrap,
            kafka_topic=config.topic,
            kafka_partitions=config.partitions,
        )
        reference = replace(folded, database_url=other, kafka="")
        source.begin(folded)
        log = stack.enter_context(closing(PostgresLog(url, RecorderConfig(role="qingling_writer"))))
        reader = reader_of(stack, url)
        origin, seen, shares = _sent(source, folded, log, reader)
        entries = log.read(0, 10_000_000)
        refill(other, entries)
        with open_engine(reference) as engine:
            engine.run_once()
            compared = engine.rebuild().compared
        yield Carried(
            folded,
            reference,
            config,
            origin,
            log,
            len(entries),
            seen,
            reader,
            reader_of(stack, other),
            shares,
            compared,
        )


def _sent(
    source: Source, settings: Settings, log: PostgresLog, reader: LedgerReader
) -> tuple[str, list[Seen], list[tuple[int, ...]]]:
    url = settings.database_url
    with ExitStack() as stack:
        relay = stack.enter_context(open_relay(settings))
        stack.enter_context(running(relay))
        wait_for(lambda: relay.status().position == log.head().position)
        workers = [stack.enter_context(open_worker(settings)) for _ in range(2)]
        stack.enter_context(at_work(workers))
        wait_for(lambda: at_head(url, log))
        seen = stack.enter_context(watching(reader))
        source.go_on(settings)
        wait_for(lambda: at_head(url, log), seconds=1_200)
        return relay.origin, seen, [worker.status().partitions for worker in workers]


def at_head(url: str, log: PostgresLog) -> bool:
    """Whether every ledger stands at the head of the log in every part."""
    return set().union(*stands(url).values()) == {log.head().position}


# Workers that are held back


@dataclass
class HeldFeed:
    """A feed that shows only what is not beyond a position."""

    feed: Feed
    shown: Callable[[], int]

    parts: Parts = field(init=False)

    def __post_init__(self) -> None:
        self.parts = self.feed.parts

    def head(self) -> int:
        """See `Feed`."""
        return min(self.feed.head(), self.shown())

    def read(self, after: int, upto: int, skip: Collection[str] = (), parts: Parts = UNDIVIDED) -> Stretch:
        """See `Feed`."""
        assert upto <= self.shown()
        return self.feed.read(after, upto, skip, parts)

    def wait(self, after: int, timeout: float) -> bool:
        """See `Feed`."""
        ended = time.monotonic() + timeout
        while self.head() <= after and time.monotonic() < ended:
            time.sleep(0.01)
        return self.head() > after

    def is_current(self) -> bool:
        """See `Feed`."""
        return self.feed.is_current()

    def close(self) -> None:
        """See `Feed`."""
        self.feed.close()


@dataclass
class HeldWorkers:
    """Two workers on a copy of a log, each of which folds up to where it is let."""

    url: str
    reader: LedgerReader
    workers: Sequence[Worker]
    upto: list[int]

    def let(self, *upto: int) -> None:
        """Lets each fold up to a position, and waits until it has."""
        self.upto[:] = upto
        wait_for(lambda: stands(self.url) == self._meant())

    def _meant(self) -> dict[int, set[int]]:
        of = {
            partition: at
            for worker, at in zip(self.workers, self.upto, strict=True)
            for partition in worker.status().partitions
        }
        # A partition is nobody's (-1) for a moment while it changes hands.
        return {part: {of.get(part % PARTITIONS, -1)} for part in EVERY_PART}


@contextmanager
def held_back(carried: Carried) -> Iterator[HeldWorkers]:
    """Two workers that have the topic of a log and have folded nothing yet, and another copy of the log."""
    with ExitStack() as stack:
        url = database(stack)
        refill(url, carried.log.read(0, 10_000_000))
        store = LedgerStore(url, RecorderConfig(role="qingling_projector"), LEDGERS)
        log = PostgresLog(url, RecorderConfig(role="qingling_writer"))
        stack.callback(store.close)
        stack.callback(log.close)
        upto = [0, 0]

        def worker(number: int) -> Worker:
            def engine(feed: Callable[[LedgerSession], Feed]) -> Engine:
                def held(session: LedgerSession) -> Feed:
                    return HeldFeed(feed(session), lambda: upto[number])

                return Engine(log, store, LEDGERS, EVENT_TYPES, feed=held)

            return Worker(log, carried.config, carried.origin, engine)

        workers = [worker(0), worker(1)]
        stack.enter_context(at_work(workers))
        yield HeldWorkers(url, reader_of(stack, url), workers, upto)
