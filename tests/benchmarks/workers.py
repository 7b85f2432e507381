"""Ledgers folded by workers from Kafka, beside the embedded engine, which folds from the log: how soon, how fast, by how many.

    python -m tests.benchmarks.workers [--cases 10000] [--seconds 60] [--rate 1000] [--steps relay live rebuild …] [--data FOLDER]

A synthetic log (about eleven events a case) on an embedded server, durable; one real broker of Apache Kafka (KRaft); the relay, each
worker and the embedded engine are processes of their own (`qingling relay`, `qingling work`). All in one run, on this machine's cores:

The log is recorded as `tests.benchmarks.ledgers` does. *relay*: the whole of it relayed to an empty topic. *live*: folded from there by two
workers, into ledgers that begin with nothing. *rebuild*: the catalogue rebuilt by one worker, by two, and by the embedded engine from the
log (`--by` leaves some out). *read*: pages and the board, as `tests.benchmarks.ledgers` reads them. *visible*: somebody appends at a steady
rate, fifty times a second; how long after the append returned the lowest position of all ledgers and parts has passed it, through Kafka
(two workers) and by the embedded engine; looked at every few milliseconds. And what every program used of a core meanwhile.

With `--data` the server's folder is kept, and a log that is there is not recorded again; topics are not kept.
"""

from __future__ import annotations

import argparse
import bisect
import multiprocessing
import os
import re
import resource
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from uuid import uuid4

import psycopg2
from psycopg2.extensions import cursor as Cursor  # noqa: N812 - the driver's class has a lower-case name

from domain.recording import Batch, Draft
from infra.bootstrap import Settings, initialise, open_engine
from infra.folding.rebuild import RebuildReport
from infra.postgres.embedded import EmbeddedConfig, EmbeddedPostgres
from infra.postgres.recorder import PostgresLog
from tests.benchmarks import ledgers
from tests.benchmarks.ledgers import apart, execute
from tests.conftest import CHECKOUT
from tests.kafka_broker import Broker, broker, free_ports
from tests.synthetic import synthetic_batches

STEPS = ("relay", "live", "rebuild", "read", "visible")
BUILDERS = {"one": 1, "two": 2, "embedded": 0}
"""Who rebuilds: so many workers; none: the embedded engine."""
REQUESTS = 200
APPENDS = 50
"""Appends a second of whoever records."""
WARMING = 10.0
"""Seconds of appending that do not count."""
LOOK = 0.005
PATIENCE = 3_600.0
_LOWEST = (
    "select coalesce(min(position), 0) from ledger.progress as p join ledger.generation as g on g.id = p.generation"
    " where g.state = 'live'"
)


@dataclass
class Program:
    """`qingling` in a process of its own."""

    name: str
    process: subprocess.Popen[bytes]
    port: int = 0

    def figure(self, name: str) -> float:
        """One of the figures that it serves; not a number while it serves none, or does not know it."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=5) as answer:
                found = re.search(rf"^{name} (\S+)$", answer.read().decode(), re.MULTILINE)
        except OSError:
            found = None
        return float(found[1]) if found else float("nan")

    def ended(self) -> int:
        """Waits for it; its peak memory in MiB. Fails when it failed."""
        _, status, used = os.wait4(self.process.pid, 0)
        self.process.returncode = os.waitstatus_to_exitcode(status)
        assert self.process.returncode in (0, 130), (self.name, self.process.returncode)
        return used.ru_maxrss // 1024

    def stop(self) -> int:
        """Has it end; its peak memory in MiB. Fails when it has ended by itself."""
        os.kill(self.process.pid, signal.SIGTERM)  # `terminate` would reap it, and its figures with it
        return self.ended()


@dataclass
class Bench:
    """A deployment on a server and a broker."""

    settings: Settings
    server: EmbeddedPostgres
    kafka: Broker

    def program(self, name: str, *arguments: str, metrics: bool = False) -> Program:
        """Starts one."""
        port = free_ports(1)[0] if metrics else 0
        more = ("--metrics-port", str(port)) if metrics else ()
        environ = {
            **os.environ,
            "QINGLING_DATA": str(self.settings.data),
            "QINGLING_DATABASE_URL": self.settings.database_url,
            "QINGLING_KAFKA": self.settings.kafka,
            "QINGLING_KAFKA_TOPIC": self.settings.kafka_topic,
        }
        command = [sys.executable, "-m", "api.cli.main", *arguments, *more]
        process = subprocess.Popen(command, cwd=CHECKOUT, env=environ, stdout=subprocess.DEVNULL)
        return Program(name, process, port)

    @contextmanager
    def relaying(self) -> Iterator[Program]:
        """The relay runs, and has caught up."""
        relay = self.program("relay", "relay", metrics=True)
        try:
            waited(lambda: relay.figure("qingling_relay_lag") == 0)
            yield relay
        finally:
            relay.stop()

    @contextmanager
    def working(self, count: int) -> Iterator[list[Program]]:
        """So many workers run, share the partitions, and have caught up."""
        workers = [self.program(f"worker {n + 1}", "work", "--feed", "kafka", metrics=True) for n in range(count)]
        share = self.settings.kafka_partitions // count
        try:
            waited(lambda: all(one.figure("qingling_worker_partitions") == share for one in workers))
            waited(lambda: all(one.figure("qingling_worker_lag") == 0 for one in workers))
            yield workers
        finally:
            for one in workers:
                one.stop()

    @contextmanager
    def embedded(self) -> Iterator[Program]:
        """The embedded engine runs, and has caught up."""
        engine = self.program("engine", "work", "--feed", "log", metrics=True)
        try:
            waited(lambda: engine.figure("qingling_worker_lag") == 0)
            yield engine
        finally:
            engine.stop()

    def used(self, programs: Sequence[Program]) -> dict[str, float]:
        """Seconds of processor that each has used so far, the broker and the database with all their processes."""
        postmaster = int((self.server.config.data / "postgres" / "postmaster.pid").read_text().split()[0])
        assert self.kafka._process is not None
        roots = {one.name: one.process.pid for one in programs}
        return {
            name: processor(pid)
            for name, pid in {**roots, "broker": self.kafka._process.pid, "database": postmaster}.items()
        }


def processor(pid: int) -> float:
    """Seconds of processor of a process and of those that it started, the ended ones included."""
    ticks, children = 0, {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        children[int(stat.parent.name)] = int(fields[1]), sum(map(int, fields[11:15]))
    for one, (parent, used) in children.items():
        ticks += used if pid in (one, parent) else 0
    return ticks / os.sysconf("SC_CLK_TCK")


def difference(before: Mapping[str, float], after: Mapping[str, float], seconds: float = 1.0) -> str:
    """What every program used of the processor meanwhile, a second of that time."""
    return ", ".join(f"{name} {(used - before[name]) / seconds:.2f}" for name, used in after.items())


def waited(done: Callable[[], bool]) -> None:
    """Waits for something."""
    deadline = time.monotonic() + PATIENCE
    while not done():
        assert time.monotonic() < deadline, "this took too long"
        time.sleep(0.05)


# ---------------------------------------------------------------------------------------------------------- from nothing


def relayed(bench: Bench, head: int) -> None:
    """The log to an empty topic."""
    began = time.perf_counter()
    peak = bench.program("relay", "relay", "--once").ended()
    row("relay, to an empty topic", head, time.perf_counter() - began, str(peak))


def live(bench: Bench, head: int) -> None:
    """From there into ledgers that begin with nothing."""
    began = time.perf_counter()
    workers = [bench.program(f"worker {n}", "work", "--feed", "kafka", "--once") for n in range(2)]
    peaks = [one.ended() for one in workers]
    spent = time.perf_counter() - began
    [(lowest,)] = rows(bench.settings.database_url, _LOWEST)
    assert lowest >= head, (lowest, head)
    row("two workers, live from nothing", head, spent, " and ".join(map(str, peaks)))


def row(by: str, events: int, spent: float, peaks: str) -> None:
    """Prints what a whole log took."""
    print("\n| whole log of | by | s | events/s | peak MiB, each |\n|---|---|---|---|---|")
    print(f"| {events:,} | {by} | {spent:.1f} | {events / spent:,.0f} | {peaks} |", flush=True)


def rows(url: str, query: str) -> list[tuple[int, ...]]:
    """What a query finds."""
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute(query)
        return list(cursor.fetchall())


# -------------------------------------------------------------------------------------------------------------- rebuild


def rebuilt(settings: Settings, *, by_workers: bool) -> tuple[RebuildReport, int]:
    """The report, and the peak memory of this process in MiB."""
    with open_engine(settings) as engine:
        report = engine.rebuild(by_workers=by_workers)
    return report, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def forget(settings: Settings) -> None:
    """The ledgers vanish, and are not folded until they have been rebuilt: whoever is measured begins with nothing, on a disk for one."""
    for (table,) in execute(
        settings.database_url,
        "select c.oid::regclass::text from pg_class as c where relnamespace = 'ledger'::regnamespace and relkind = 'p'",
    ):
        execute(settings.database_url, f"drop table {table}")
    execute(
        settings.database_url,
        "delete from ledger.condition; delete from ledger.progress; delete from ledger.generation",
    )
    with open_engine(settings) as engine:
        for name in engine.catalogue.names():
            engine.pause(name)


def rebuild(bench: Bench, by: Sequence[str]) -> None:
    """One worker, two, and the embedded engine."""
    print(
        "\n| rebuilt by | events | folding, s | events/s | indexes, s | checks, s | peak MiB, each | processor, s in all |"
    )
    print("|---|---|---|---|---|---|---|---|", flush=True)
    for name in by:
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool, ExitStack() as stack:
            count = BUILDERS[name]
            workers: list[Program] = []
            forget(bench.settings)
            if count:
                stack.enter_context(bench.relaying())
                workers = stack.enter_context(bench.working(count))
            before = bench.used(workers) | {"caller": pool.submit(time.process_time).result()}
            report, peak = pool.submit(rebuilt, bench.settings, by_workers=bool(count)).result()
            after = bench.used(workers) | {"caller": pool.submit(time.process_time).result()}
            peaks = [one.stop() for one in workers] or [peak]
            workers.clear()
        execute(bench.settings.database_url, "delete from ledger.condition")
        events, folding = report.position - report.resumed_from, report.seconds_folding
        print(
            f"| {name} | {events:,} | {folding:.1f} | {events / folding:,.0f} | {report.seconds_indexing:.1f} |"
            f" {report.seconds_checking:.1f} | {' and '.join(map(str, peaks))} | {difference(before, after)} |",
            flush=True,
        )


# -------------------------------------------------------------------------------------------------------------- visible


@dataclass(frozen=True)
class Appended:
    """When an append returned (the clock that all processes share), and the last position that it recorded."""

    at: float
    position: int


def append_steadily(url: str, seed: int, seconds: float, rate: int) -> list[Appended]:
    """Appends for so long, `APPENDS` times a second."""
    size = rate // APPENDS
    count = int(seconds * APPENDS)
    batches = list(islice(portions(seed, count * size, size), count))
    found = []
    with PostgresLog(url) as log:
        began = time.monotonic()
        for number, batch in enumerate(batches):
            time.sleep(max(0.0, began + number / APPENDS - time.monotonic()))
            positions = log.append(batch).positions
            found.append(Appended(time.monotonic(), positions[-1]))
    return found


def portions(seed: int, events: int, size: int) -> Iterator[Batch]:
    """The drafts of a synthetic log, so many at a time."""
    drafts: list[Draft] = []
    for batch in synthetic_batches(events // 10 + 1_000, seed):
        drafts += batch.drafts
        while len(drafts) >= size:
            yield Batch(drafts[:size])
            del drafts[:size]


def visible(bench: Bench, seconds: float, rate: int) -> None:
    """Through Kafka, then by the embedded engine."""
    print("\n| commit → visible in every ledger | appended/s | p50 | p95 | p99 | max, ms | of a core |")
    print("|---|---|---|---|---|---|---|", flush=True)
    with bench.relaying() as relay, bench.working(2) as workers:
        print(measured(bench, "through Kafka, two workers", [relay, *workers], seconds, rate, 101), flush=True)
    with bench.embedded() as engine:
        print(measured(bench, "the embedded engine", [engine], seconds, rate, 102), flush=True)


def measured(bench: Bench, name: str, programs: Sequence[Program], seconds: float, rate: int, seed: int) -> str:
    """A row of the table."""
    url = bench.settings.database_url
    with (
        ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool,
        closing(psycopg2.connect(url)) as connection,
        connection.cursor() as cursor,
    ):
        connection.autocommit = True
        cursor.execute("select coalesce(max(position), 0) from qingling.event")
        [head] = cursor.fetchone() or (0,)
        appending = pool.submit(append_steadily, url, seed + head, WARMING + seconds, rate)
        waited(lambda: appending.done() or lowest(cursor) > head)
        begun = time.monotonic() + WARMING
        seen: list[Appended] = []
        before: Mapping[str, float] = {}
        while not appending.done():
            if not before and time.monotonic() >= begun:
                before, began = bench.used(programs), time.monotonic()
            _look(cursor, seen)
        after, ended = bench.used(programs), time.monotonic()
        appended = appending.result()
        while not seen or seen[-1].position < appended[-1].position:
            assert all(one.process.poll() is None for one in programs), "a program has ended"
            _look(cursor, seen)
    counted = [one for one in appended if one.at >= begun]
    reached = [one.position for one in seen]
    late = sorted((seen[bisect.bisect_left(reached, one.position)].at - one.at) * 1_000 for one in counted)
    events = (counted[-1].position - counted[0].position) / (counted[-1].at - counted[0].at)
    cores = difference(before, after, ended - began)
    figures = " | ".join(f"{late[min(len(late) - 1, int(len(late) * part))]:,.0f}" for part in (0.5, 0.95, 0.99, 1))
    return f"| {name} | {events:,.0f} | {figures} | {cores} |"


def _look(cursor: Cursor, seen: list[Appended]) -> None:
    """Looks up to where every ledger is, after a moment; the time is that of the answer."""
    time.sleep(LOOK)
    position = lowest(cursor)
    seen.append(Appended(time.monotonic(), position))


def lowest(cursor: Cursor) -> int:
    """The lowest position of all live ledgers and parts."""
    cursor.execute(_LOWEST)
    return int((cursor.fetchone() or (0,))[0])


# ----------------------------------------------------------------------------------------------------------------- main


def recorded(server: EmbeddedPostgres, settings: Settings, cases: int) -> int:
    """Its head; the log is recorded unless it is there."""
    if not is_recorded(server):
        execute(server.url(), "create database bench")
        initialise(settings, origin="bench")
        recording, _ = apart(ledgers.recorded, settings.database_url, cases)
        print(ledgers.told(cases, recording), flush=True)
    with PostgresLog(settings.database_url) as log:
        return log.head().position


def is_recorded(server: EmbeddedPostgres) -> bool:
    """Whether the log's database is there."""
    return bool(rows(server.url(), "select 1 from pg_database where datname = 'bench'"))


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints the tables of the steps."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--rate", type=int, default=1_000, help="events a second")
    parser.add_argument("--steps", nargs="+", choices=STEPS, default=list(STEPS))
    parser.add_argument("--by", nargs="+", choices=BUILDERS, default=list(BUILDERS))
    parser.add_argument("--data", type=Path, help="folder of the server, kept")
    options = parser.parse_args(arguments)
    with (
        tempfile.TemporaryDirectory() as folder,
        EmbeddedPostgres(EmbeddedConfig(data=options.data or Path(folder) / "server")) as server,
        broker() as kafka,
    ):
        settings = Settings(
            data=(options.data or Path(folder)) / "deployment",
            database_url=server.url(database="bench"),
            kafka=kafka.address,
            kafka_topic=f"bench.{uuid4().hex}",
        )
        head = recorded(server, settings, options.cases)
        bench = Bench(settings, server, kafka)
        print(f"{head:,} events; {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}", flush=True)
        if "relay" in options.steps:
            relayed(bench, head)
        if "live" in options.steps:
            live(bench, head)
        if "rebuild" in options.steps:
            rebuild(bench, options.by)
        if "read" in options.steps:
            execute(settings.database_url, "vacuum (analyze)")
            print(f"\non disk, MiB of tables + indexes: {ledgers.sizes(settings.database_url)}", flush=True)
            ledgers.read(settings.database_url, options.cases, REQUESTS)
        if "visible" in options.steps:
            visible(bench, options.seconds, options.rate)
        print(f"\nload at the end {os.getloadavg()[0]:.1f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
