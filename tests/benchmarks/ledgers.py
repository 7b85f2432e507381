"""How fast logs are recorded, and ledgers rebuilt and read, at growing sizes, beside raw COPY, decoding alone and the library's own runner.

    python -m tests.benchmarks.ledgers [--cases 10000 100000] [--data FOLDER [--keep]] [--steps record rebuild read] [--library 3000]

*record*: a synthetic log of so many cases (about eleven events each) is recorded in bulk on an embedded server of its own, durable. Its
last batches are made beforehand and timed apart; as many rows are then copied raw behind them, and rolled back. *rebuild*: the
catalogue and one ledger of it are rebuilt from the first event: folding with full history, indexes and checks, each timed apart. *read*:
pages and boards at random positions, one request after the other. The library's runner keeps a counter over events of its own
PostgreSQL recorder, in its default mode: far less than a ledger does, one transaction an event.

A log of ten million events takes a while: with `--data` and `--keep` it stays in that folder, and is not recorded again. Every step runs
in a process of its own, whose peak memory is printed; the server's is not in it.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import multiprocessing
import random
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import ParamSpec, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

import psycopg2
from eventsourcing.application import Application
from eventsourcing.domain import Aggregate
from eventsourcing.persistence import Tracking
from eventsourcing.postgres import PostgresTrackingRecorder
from eventsourcing.projection import Projection, ProjectionRunner

from domain.campaigns.campaign import WINTER_2019
from domain.catalogue import EVENT_TYPES
from domain.recording import Batch
from infra.folding.engine import Engine
from infra.folding.leader import EngineConfig
from infra.postgres.binary import EVENT_COLUMNS
from infra.postgres.config import RecorderConfig
from infra.postgres.embedded import EmbeddedConfig, EmbeddedPostgres
from infra.postgres.ledger_reader import LedgerReader
from infra.postgres.ledger_store import LedgerStore
from infra.postgres.migrations import migrate
from infra.postgres.recorder import PostgresLog
from projections.catalogue import catalogue
from projections.ledger import Catalogue
from tests.synthetic import PLACES, synthetic_batches

CHUNK = 10_000
BATCHES_A_CASE = 3
APART = 30_000
"""Batches at the end of a log that are made before they are timed, at the most."""
COPIED = 5_000
STEPS = ("record", "rebuild", "read")

P = ParamSpec("P")
T = TypeVar("T")


class Counters(PostgresTrackingRecorder):
    """The least that a view can be: one row with a counter, updated with the tracking position of each event."""

    def count(self, tracking: Tracking) -> None:
        """One event more."""
        with self.datastore.transaction(commit=True) as cursor:
            self._insert_tracking(cursor, tracking)
            cursor.execute("update counted set n = n + 1")


class Counting(Projection[Counters]):
    """Counts events."""

    name = "counting"

    def process_event(self, _: object, tracking: Tracking) -> None:
        """One event, one transaction."""
        self.view.count(tracking)


class Library(Application[UUID]):
    """The library's application on its own PostgreSQL module."""


def library_rate(server: EmbeddedPostgres, events: int) -> float:
    """Events a second that the library's projection runner gets through."""
    execute(server.url(), "drop database if exists library")
    execute(server.url(), "create database library")
    folder = server.url().split("host=")[1].split("&")[0].replace("%2F", "/")
    env = {
        "PERSISTENCE_MODULE": "eventsourcing.postgres",
        "POSTGRES_DBNAME": "library",
        "POSTGRES_HOST": folder,
        "POSTGRES_PORT": "5432",
        "POSTGRES_USER": "postgres",
        "POSTGRES_PASSWORD": "none",
    }
    with Library(env=env) as app:
        for _ in range(events // 100):
            aggregate = Aggregate()
            for _ in range(99):
                aggregate.trigger_event(Aggregate.Event)
            app.save(aggregate)
    execute(server.url(database="library"), "create table counted (n bigint); insert into counted values (0)")
    began = time.perf_counter()
    with ProjectionRunner(application_class=Library, projection_class=Counting, view_class=Counters, env=env) as runner:
        runner.wait(events, timeout=600)
    return events / (time.perf_counter() - began)


def execute(url: str, statement: str) -> list[tuple[object, ...]]:
    """One statement outside of a transaction."""
    with contextlib.closing(psycopg2.connect(url)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []


def apart(step: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> tuple[T, int]:
    """What a step returns from a process of its own, and the peak memory of that process in MiB."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        found = pool.submit(step, *arguments, **named).result()
        return found, pool.submit(peak).result()


def peak() -> int:
    """Peak memory of this process, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def the_catalogue() -> Catalogue:
    """Every ledger of the winter campaign."""
    return catalogue(WINTER_2019, ZoneInfo("Asia/Shanghai"))


# ------------------------------------------------------------------------------------------------------------ recording


@dataclass(frozen=True)
class Recording:
    """What recording a log was like: events a second as a whole with the making of the events; of the last batches alone; of raw COPY.

    `peak`: MiB, before the last batches were made.
    """

    whole: float
    bulk: float
    copied: float
    peak: int


def recorded(url: str, cases: int) -> Recording:
    """Records a synthetic log; the last of its batches are made before they are timed."""
    migrate(url)
    made = synthetic_batches(cases)
    apart = min(BATCHES_A_CASE * cases // 2, APART)
    with PostgresLog(url) as log:
        whole = _events_per_second(log, islice(made, BATCHES_A_CASE * cases - apart))
        memory = peak()
        last = list(made)
        before = log.head().position
        bulk = _events_per_second(log, last)
        return Recording(whole, bulk, _copied(url, before, log.head().position), memory)


def told(cases: int, recording: Recording) -> str:
    """What recording was like, for who reads the benchmark."""
    return (
        f"\n{cases:,} cases recorded: {recording.whole:,.0f} events/s with the making of them; made beforehand, onto that log,"
        f" {recording.bulk:,.0f}/s; raw COPY there {recording.copied:,.0f}/s ({recording.bulk / recording.copied:.0%});"
        f" peak {recording.peak} MiB"
    )


def _events_per_second(log: PostgresLog, batches: Iterable[Batch]) -> float:
    before, began = log.head().position, time.perf_counter()
    for _ in log.append_bulk(batches):
        pass
    return (log.head().position - before) / (time.perf_counter() - began)


def _copied(url: str, after: int, upto: int) -> float:
    """Events a second of raw COPY of the rows after a position, as if they came once more behind the last; nothing of it stays."""
    count = upto - after
    with contextlib.closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute(
            "select max(recorded_at) - min(recorded_at) + interval '1 microsecond' from qingling.event where position > %s",
            (after,),
        )
        (later,) = cursor.fetchone() or (None,)
        again = "position + %s as position, 'again-' || stream, version, type, recorded_at + %s, partitionkey, entry"
        chunks = []
        for start in range(after, upto, COPIED):
            rows = io.BytesIO()
            chosen = f"select {again} from qingling.event where position > %s and position <= %s order by position"
            query = cursor.mogrify(chosen, (count, later, start, start + COPIED)).decode()
            cursor.copy_expert(f"copy ({query}) to stdout (format binary)", rows)
            chunks.append(rows.getvalue())
        began = time.perf_counter()
        for each in chunks:
            cursor.copy_expert(f"copy {EVENT_COLUMNS} from stdin (format binary)", io.BytesIO(each), 65_536)
        spent = time.perf_counter() - began
        connection.rollback()
    return count / spent


# ----------------------------------------------------------------------------------------------------------- rebuilding


@dataclass(frozen=True)
class Building:
    """What rebuilding was like: events a second of decoding alone, one ledger, the catalogue; seconds of the catalogue's other stages.

    `processor`: microseconds of Python an event of the catalogue; unlike the rates, it does not show what else a machine does.
    """

    events: int
    decoding: float
    payment: float
    whole: float
    processor: float
    indexes: float
    checks: float


def rebuilt(url: str) -> Building:
    """Rebuilds the catalogue, then the payment ledger, whose whole history is compared with the one before."""
    ledgers = the_catalogue()
    with (
        PostgresLog(url) as log,
        contextlib.closing(LedgerStore(url, RecorderConfig(role="qingling_projector"), ledgers)) as store,
    ):
        head = log.head().position
        began = time.perf_counter()
        for stored in log.stream(0, head, CHUNK):
            for entry in stored:
                EVENT_TYPES.decode(entry)
        decoding = head / (time.perf_counter() - began)
        engine = Engine(log, store, ledgers, EVENT_TYPES, EngineConfig())
        spent = time.process_time()
        whole = engine.rebuild()
        spent = time.process_time() - spent
        one = engine.rebuild(["payment"])
        return Building(
            head,
            decoding,
            head / one.seconds_folding,
            head / whole.seconds_folding,
            spent / head * 1e6,
            whole.seconds_indexing,
            whole.seconds_checking,
        )


def sizes(url: str) -> str:
    """What the log and the ledgers take on disk, tables and indexes, and the ledgers that take most."""
    relations = (
        "select case when n.nspname = 'ledger' then regexp_replace(c.relname, '_g[0-9]+_(open|past)$', '') else n.nspname end,"
        " pg_table_size(c.oid), pg_indexes_size(c.oid) from pg_class as c join pg_namespace as n on n.oid = c.relnamespace"
        " where c.relkind = 'r' and n.nspname in ('ledger', 'qingling')"
    )
    found = execute(
        url,
        f"select name, sum(t)::bigint, sum(i)::bigint from ({relations}) as r (name, t, i) group by 1 order by 2 desc",
    )
    sums = {str(name): (int(str(tables)), int(str(indexes))) for name, tables, indexes in found}
    log = sums.pop("qingling")
    largest = sorted(sums, key=lambda name: -sum(sums[name]))[:4]
    everything = tuple(sum(each[i] for each in sums.values()) for i in (0, 1))
    told = [("log", log), ("ledgers", everything), *((f"of them {name}", sums[name]) for name in largest)]
    return "; ".join(f"{name} {_mib(tables)} + {_mib(indexes)}" for name, (tables, indexes) in told)


def _mib(size: int) -> str:
    return f"{size / 2**20:,.0f}"


# -------------------------------------------------------------------------------------------------------------- reading


def percentiles(work: Callable[[], object], times: int) -> str:
    """Median, 95th percentile and longest of a request, in milliseconds."""
    spent = []
    for _ in range(times):
        began = time.perf_counter()
        work()
        spent.append((time.perf_counter() - began) * 1000)
    spent.sort()
    return f"{spent[len(spent) // 2]:.1f} / {spent[int(len(spent) * 0.95)]:.1f} / {spent[-1]:.1f}"


Ask = Callable[[random.Random], dict[str, object]]
"""What a page is asked for, at random."""


def _classes(cases: int) -> Iterator[tuple[str, str, Ask]]:
    """The kinds of pages that are measured: their name, their ledger and how one is asked for."""
    orders = ("owing", "received", None)
    second = {
        "stage": ("open", "determined", "solved", "closed", "written-off"),
        "funding": ("government", "private", "other"),
        "stated_closed": ("false", "true"),
    }

    def ordered(chance: random.Random, **asked: object) -> dict[str, object]:
        return {"order": chance.choice(orders), "descending": chance.random() < 0.5, **asked}

    def place(chance: random.Random) -> dict[str, str]:
        return {"jurisdiction": chance.choice(PLACES)}

    def by(name: str) -> Ask:
        return lambda chance: ordered(chance, filters={name: chance.choice(second[name])})

    def place_and(name: str) -> Ask:
        return lambda chance: ordered(chance, filters={**place(chance), name: chance.choice(second[name])})

    # A tenth, a hundredth, … of all numbers begin so.
    width = len(str(cases - 1))
    digits = "{:07d}".format

    def beginning(chance: random.Random, fixed: int) -> str:
        return "1/" + digits(chance.randrange(cases))[: 7 - width + fixed]

    yield "any", "case", ordered
    yield "a place", "case", lambda chance: ordered(chance, filters=place(chance))
    for name in second:
        yield f"{name}", "case", by(name)
    for name in second:
        yield f"a place, {name}", "case", place_and(name)
    yield "a tenth by prefix", "case", lambda chance: ordered(chance, prefix=beginning(chance, 1))
    yield "a hundredth by prefix", "case", lambda chance: ordered(chance, prefix=beginning(chance, 2))
    yield (
        "a place, a tenth by prefix",
        "case",
        lambda chance: ordered(chance, prefix=beginning(chance, 1), filters=place(chance)),
    )
    yield "claims of a case", "claim", lambda chance: {"filters": {"case": f"case-1-{chance.randrange(cases)}"}}
    yield "claims of a place", "claim", lambda chance: {"order": "owing", "descending": True, "filters": place(chance)}
    yield (
        "payments of a place",
        "payment",
        lambda chance: {"order": "paid_on", "descending": True, "filters": place(chance)},
    )


def read(url: str, cases: int, requests: int) -> None:
    """Prints a table of pages and boards, now and as of random positions, one request after the other."""
    with contextlib.closing(LedgerReader(url, RecorderConfig(role="qingling_reader"), the_catalogue())) as reader:
        head = reader.position("case")
        print(f"\n| {cases:,} cases, ms (p50 / p95 / longest) | now | as of any position |\n|---|---|---|", flush=True)
        for name, ledger, ask in _classes(cases):
            chance = random.Random(cases)
            now = percentiles(lambda: reader.page(ledger, **ask(chance)), requests)  # type: ignore[arg-type]  # noqa: B023
            then = percentiles(
                lambda: reader.page(ledger, as_of=chance.randrange(1, head + 1), **ask(chance)),  # type: ignore[arg-type]  # noqa: B023
                requests,
            )
            print(f"| {ledger}: {name} | {now} | {then} |", flush=True)
        chance = random.Random(cases)
        now = percentiles(lambda: reader.cells("clearance"), requests)
        then = percentiles(lambda: reader.cells("clearance", as_of=chance.randrange(1, head + 1)), requests)
        print(f"| board | {now} | {then} |", flush=True)


# ------------------------------------------------------------------------------------------------------------ the whole


def measure(server: EmbeddedPostgres, cases: int, steps: Sequence[str], requests: int) -> None:
    """One size: record it, unless that was done before; rebuild; read."""
    name = f"cases_{cases}"
    url = server.url(database=name)
    if not execute(server.url(), f"select 1 from pg_database where datname = '{name}'"):
        unfinished = f"unfinished_{cases}"
        execute(server.url(), f"drop database if exists {unfinished}")
        execute(server.url(), f"create database {unfinished}")
        recording, _ = apart(recorded, server.url(database=unfinished), cases)
        execute(server.url(), f"alter database {unfinished} rename to {name}")
        print(told(cases, recording), flush=True)
    if "rebuild" in steps:
        built, memory = apart(rebuilt, url)
        print(
            "\n| cases | events | decoding alone /s | payment ledger /s | catalogue /s | its Python, µs an event | indexes, s"
            " | checks, s | peak MiB |"
            "\n|---|---|---|---|---|---|---|---|---|"
            f"\n| {cases:,} | {built.events:,} | {built.decoding:,.0f} | {built.payment:,.0f} | {built.whole:,.0f} |"
            f" {built.processor:.0f} | {built.indexes:.1f} | {built.checks:.1f} | {memory} |",
            flush=True,
        )
        execute(url, "vacuum (analyze)")
        print(f"\non disk, MiB of tables + indexes: {sizes(url)}", flush=True)
    if "read" in steps:
        read(url, cases, requests)


@contextlib.contextmanager
def a_folder(given: Path | None, *, keep: bool) -> Iterator[Path]:
    """The folder given, or one that vanishes; what is not to be kept does, too."""
    if given is not None and keep:
        yield given
        return
    if given is not None:
        given.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=given) as folder:
        yield Path(folder)


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints tables for each size, and the library's figure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument(
        "--steps", nargs="+", choices=STEPS, default=STEPS, help="a log that is missing is recorded in any case"
    )
    parser.add_argument("--requests", type=int, default=200)
    parser.add_argument(
        "--library", type=int, default=3_000, help="events that the library's runner is given; 0: leave it out"
    )
    parser.add_argument(
        "--data", type=Path, help="folder in which the server keeps its data; with --keep, beyond this run"
    )
    parser.add_argument("--keep", action="store_true", help="keep what is in --data, and use logs that are there")
    options = parser.parse_args(arguments)
    if options.keep and options.data is None:
        parser.error("--keep needs --data")
    with a_folder(options.data, keep=options.keep) as folder, EmbeddedPostgres(EmbeddedConfig(data=folder)) as server:
        for cases in options.cases:
            measure(server, cases, options.steps, options.requests)
        if options.library:
            rate = library_rate(server, options.library)
            print(f"\nthe library's projection runner, one counter: {rate:,.0f} events/s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
