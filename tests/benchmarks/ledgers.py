"""How fast ledgers are rebuilt and read, at growing sizes, beside reading and decoding alone and the library's own projection runner.

    python -m tests.benchmarks.ledgers [--cases 10000 100000] [--requests 200] [--library 3000]

A synthetic log of so many cases (about eleven events each) is recorded in bulk on an embedded server of its own, durable. The catalogue and
one ledger of it are rebuilt from the first event: folding with full history, then indexes, each timed apart. Pages and the board are
read at random positions, one after the other. The library's runner keeps two counters over events of its own PostgreSQL recorder,
in its default mode: far less than a ledger does, one transaction an event.
"""

from __future__ import annotations

import argparse
import random
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import psycopg2
from eventsourcing.application import Application
from eventsourcing.domain import Aggregate
from eventsourcing.persistence import Tracking
from eventsourcing.postgres import PostgresTrackingRecorder
from eventsourcing.projection import Projection, ProjectionRunner

from domain.campaigns.campaign import WINTER_2019
from domain.catalogue import EVENT_TYPES
from infra.folding.engine import Engine, EngineConfig
from infra.postgres.config import RecorderConfig
from infra.postgres.embedded import EmbeddedConfig, EmbeddedPostgres
from infra.postgres.ledger_reader import LedgerReader
from infra.postgres.ledger_store import LedgerStore
from infra.postgres.migrations import migrate
from infra.postgres.recorder import PostgresLog
from projections.catalogue import catalogue
from tests.synthetic import synthetic_batches

CHUNK = 10_000


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


def execute(url: str, statement: str) -> None:
    """One statement outside of a transaction."""
    connection = psycopg2.connect(url)
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(statement)
    connection.close()


def percentiles(work: Callable[[], object], times: int) -> str:
    """Median and 95th percentile of a request, in milliseconds."""
    spent = []
    for _ in range(times):
        began = time.perf_counter()
        work()
        spent.append((time.perf_counter() - began) * 1000)
    spent.sort()
    return f"{spent[len(spent) // 2]:.1f} / {spent[int(len(spent) * 0.95)]:.1f}"


def measure(server: EmbeddedPostgres, cases: int, requests: int) -> None:
    """One size: record, read, rebuild, page."""
    database = f"bench_{uuid4().hex}"
    execute(server.url(), f"create database {database}")
    url = server.url(database=database)
    migrate(url)
    ledgers = catalogue(WINTER_2019, ZoneInfo("Asia/Shanghai"))
    with PostgresLog(url) as log:
        for _ in log.append_bulk(synthetic_batches(cases)):
            pass
        head = log.head().position
        began = time.perf_counter()
        for stored in log.stream(0, head, CHUNK):
            for entry in stored:
                EVENT_TYPES.decode(entry)
        decoding = head / (time.perf_counter() - began)
        store = LedgerStore(url, RecorderConfig(role="qingling_projector"), ledgers)
        engine = Engine(log, store, ledgers, EVENT_TYPES, EngineConfig())
        whole = engine.rebuild()
        one = engine.rebuild(["payment"])
        print(
            f"| {cases:,} | {head:,} | {decoding:,.0f} | {head / one.seconds_folding:,.0f} | {head / whole.seconds_folding:,.0f} |"
            f" {whole.seconds_indexing:.1f} | {whole.seconds_checking:.1f} |"
            f" {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} |",
            flush=True,
        )
        pages(url, ledgers, head, cases, requests)
        store.close()


def pages(url: str, ledgers: object, head: int, cases: int, requests: int) -> None:
    """Pages of the case ledger and the board, now and as of random positions."""
    chance = random.Random(cases)
    reader = LedgerReader(url, RecorderConfig(role="qingling_reader"), ledgers)  # type: ignore[arg-type]
    orders = ("owing", "received")

    def page(as_of: int | None) -> object:
        return reader.page("case", as_of=as_of, order=chance.choice(orders), descending=chance.random() < 0.5, limit=50)

    def somewhere() -> int:
        return chance.randrange(1, head + 1)

    execute(url, "analyze")
    print(f"  pages of {cases:,} cases, ms (p50 / p95): now {percentiles(lambda: page(None), requests)};", end=" ")
    print(f"as of any position {percentiles(lambda: page(somewhere()), requests)};", end=" ")
    print(f"board now {percentiles(lambda: reader.cells('clearance'), requests)};", end=" ")
    print(
        f"board as of any position {percentiles(lambda: reader.cells('clearance', as_of=somewhere()), requests)}",
        flush=True,
    )
    reader.close()


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints a row a size, and the library's figure with the ratio to it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--requests", type=int, default=200)
    parser.add_argument("--library", type=int, default=3_000, help="events that the library's runner is given")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder, EmbeddedPostgres(EmbeddedConfig(data=Path(folder))) as server:
        print(
            "| cases | events | decoding alone /s | payment ledger /s | catalogue /s | indexes s | checks s | peak MiB |"
        )
        print("|---|---|---|---|---|---|---|---|", flush=True)
        for cases in options.cases:
            measure(server, cases, options.requests)
        rate = library_rate(server, options.library)
        print(f"\nthe library's projection runner, one counter: {rate:,.0f} events/s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
