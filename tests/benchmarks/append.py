"""How fast events are recorded, beside the library's own PostgreSQL recorder, Message DB, and raw COPY, on one server.

    python -m tests.benchmarks.append [--seconds 2] [--repeats 3] [--callers 1 4 16 64] [--processes 1 3] [--url URL] [--message-db FOLDER]

Every caller is a thread that appends one event after the other, each to a new stream, the same entry of about 700 bytes for all.
Ours does all it ever does: idempotency key, contiguous versions, recorded time filled in, guards, durable commit. The library
runs in its default mode (psycopg 3, one session a caller). Message DB is called through psycopg2, one session a caller, with an
expected version. The server is an embedded one of its own, durable, unless `--url` names another (as a superuser).

Message DB is its npm package's folder `database` (`npm install --no-save @eventide/message-db`). Where the server has no
pgcrypto, PostgreSQL's own gen_random_uuid() serves, which is all that Message DB takes from it.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import multiprocessing
import re
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.synchronize import Barrier
from pathlib import Path
from urllib.parse import parse_qs, urlsplit, urlunsplit
from uuid import uuid4

import psycopg2
import psycopg2.extensions
from eventsourcing.persistence import StoredEvent
from eventsourcing.utils import Environment

from domain.canonical import canonical_bytes
from domain.recording import TIME_PLACEHOLDER, Batch, CommandKey, Draft, time_offset
from infra.postgres.binary import EVENT_COLUMNS
from infra.postgres.embedded import EmbeddedConfig, EmbeddedPostgres
from infra.postgres.migrations import migrate
from infra.postgres.recorder import PostgresLog

CHECKOUT = Path(__file__).resolve().parents[2]
MESSAGE_DB = CHECKOUT / "node_modules" / "@eventide" / "message-db" / "database"
CHUNK = 5_000  # events in a transaction of an import
CASE = 5  # events of a source case


@dataclass(frozen=True)
class Rate:
    """Events a second, and how long one append took, in milliseconds."""

    events: float
    median: float
    p99: float


# ------------------------------------------------------------------------------------------------------------ the event


def an_entry(stream: str) -> bytes:
    """An entry as the casework makes them: ids, digests of sealed fields, amounts in fen."""
    line = {"gross": 385_000, "kind": "wage", "period": "2019-11", "worker": {"digest": "7f" * 32, "subject": stream}}
    return canonical_bytes(
        {
            "actor": "officer-0123456789ab",
            "basis": "stated",
            "correlation": "0123456789abcdef0123456789abcdef",
            "data": {"lines": [line], "number": "YQ-2019-0001"},
            "datacontenttype": "application/json",
            "id": f"{stream}/1",
            "jurisdiction": "140321",
            "occurred": "2019-12-02T16:00:00+08:00",
            "partitionkey": stream,
            "received": "2019-12-02T17:20:00+08:00",
            "source": "urn:qingling:yangquan",
            "specversion": "1.0",
            "subject": stream,
            "time": TIME_PLACEHOLDER,
            "type": "case.claim-stated.v1",
            "version": 1,
            "visibility": "case",
        }
    )


ENTRY = an_entry("case-00000000-0000-0000-0000-000000000000")
TIME_AT = time_offset(ENTRY)


# --------------------------------------------------------------------------------------------------------- the systems

Append = Callable[[], object]


@contextlib.contextmanager
def ours(url: str, callers: int) -> Iterator[Callable[[], Append]]:
    """Our recorder: one for the process, shared by its threads."""
    with PostgresLog(url) as log:

        def append() -> object:
            stream = f"case-{uuid4()}"
            draft = Draft(stream, 1, "case.claim-stated.v1", stream, ENTRY, TIME_AT)
            return log.append(Batch([draft], CommandKey("officer", stream, b"0" * 32)))

        yield lambda: append


@contextlib.contextmanager
def library(url: str, callers: int) -> Iterator[Callable[[], Append]]:
    """The library's own PostgreSQL recorder in its default mode."""
    from eventsourcing.postgres import PostgresFactory

    parts = urlsplit(url)
    environment = {
        "POSTGRES_DBNAME": parts.path.strip("/"),
        "POSTGRES_HOST": parts.hostname or parse_qs(parts.query)["host"][0],
        "POSTGRES_PORT": str(parts.port or parse_qs(parts.query).get("port", ["5432"])[0]),
        "POSTGRES_USER": parts.username or "postgres",
        "POSTGRES_PASSWORD": parts.password or "none",
        "POSTGRES_POOL_SIZE": str(callers),
        "CREATE_TABLE": "no" if callers else "yes",
    }
    factory = PostgresFactory(Environment("bench", environment))
    recorder = factory.application_recorder()

    def append() -> object:
        return recorder.insert_events([StoredEvent(uuid4(), 1, "case.claim-stated.v1", ENTRY)])

    try:
        yield lambda: append
    finally:
        factory.close()


@contextlib.contextmanager
def message_db(url: str, callers: int) -> Iterator[Callable[[], Append]]:
    """Message DB's `write_message`, a session of its own for every caller."""
    sessions = []

    def caller() -> Append:
        session = psycopg2.connect(url, options="-c search_path=message_store,public")
        session.autocommit = True
        sessions.append(session)
        cursor = session.cursor()
        data = ENTRY.decode()

        def append() -> object:
            arguments = (str(uuid4()), f"case-{uuid4()}", "case.claim-stated.v1", data)
            cursor.execute("select write_message(%s, %s, %s, %s, null, -1)", arguments)
            return cursor.fetchone()

        return append

    try:
        yield caller
    finally:
        for session in sessions:
            session.close()


SYSTEMS = {"ours": ours, "library": library, "Message DB": message_db}


def prepare(system: str, server: str, folder: Path) -> str:
    """A database with the system's empty tables; its URL."""
    name = f"bench_{uuid4().hex}"
    execute(server, f"create database {name}")
    url = urlunsplit(urlsplit(server)._replace(path=f"/{name}"))
    if system == "ours":
        migrate(url)
    elif system == "library":
        with library(url, 0):
            pass
    else:
        install_message_db(url, folder)
    return url


def install_message_db(url: str, folder: Path) -> None:
    """Run the files that Message DB's own install script runs, in its order."""
    execute(url, (folder / "roles" / "message-store.sql").read_text())
    execute(url, (folder / "schema" / "message-store.sql").read_text())
    if execute(url, "select 1 from pg_available_extensions where name = 'pgcrypto'"):
        execute(url, (folder / "extensions" / "pgcrypto.sql").read_text())
    files = ["tables/messages.sql"]
    for part in ("functions", "indexes", "views", "privileges"):
        files += re.findall(r"\$base/(\S+\.sql)", (folder / f"install-{part}.sh").read_text())
    for file in files:
        execute(f"{url}{'&' if '?' in url else '?'}options=-csearch_path%3Dmessage_store", (folder / file).read_text())


def execute(url: str, statement: str) -> list[tuple]:
    """One statement or file of them, outside of a transaction."""
    with contextlib.closing(psycopg2.connect(url)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []


# ------------------------------------------------------------------------------------------------------------- appends


def measure(system: str, url: str, callers: int, processes: int, seconds: float) -> Rate:
    """Append from `callers` threads in each of `processes` processes for some seconds."""
    context = multiprocessing.get_context("spawn")
    ready = context.Barrier(processes)
    with context.Pool(processes, _remember, (ready,)) as pool:
        parts = pool.starmap(run_process, [(system, url, callers, seconds)] * processes, chunksize=1)
    latencies = sorted(latency for part in parts for latency in part)
    return Rate(len(latencies) / seconds, *(1000 * latencies[int(len(latencies) * share)] for share in (0.5, 0.99)))


_ready: Barrier


def _remember(ready: Barrier) -> None:
    global _ready  # noqa: PLW0603 - a barrier reaches a spawned process only while it starts
    _ready = ready


def run_process(system: str, url: str, callers: int, seconds: float) -> list[float]:
    """One process of `measure`: how long each append took, warm-up excluded, in seconds."""
    latencies: list[float] = []
    with SYSTEMS[system](url, callers) as caller:
        appends = [caller() for _ in range(callers)]
        for append in appends:
            append()
        _ready.wait()
        begin = time.perf_counter() + 0.5
        threads = [
            threading.Thread(target=_call, args=(append, begin, begin + seconds, latencies)) for append in appends
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    return latencies


def _call(append: Append, begin: float, end: float, latencies: list[float]) -> None:
    after = time.perf_counter()
    while after < end:
        before = after
        append()
        after = time.perf_counter()
        if before >= begin and after <= end:
            latencies.append(after - before)


def compare_appends(server: str, options: argparse.Namespace) -> None:
    """Print a line for every number of callers and processes."""
    systems = [name for name in SYSTEMS if name != "Message DB" or options.message_db.is_dir()]
    if "Message DB" not in systems:
        print(f"Message DB is left out: it is not in {options.message_db}")
    urls = {system: prepare(system, server, options.message_db) for system in systems}
    print(f"\nappend, one event each ({len(ENTRY)} bytes), callers a process\n")
    print(
        f"{'processes':>9} {'callers':>7}  "
        + "  ".join(f"{name + ', events/s (ms p50/p99)':>34}" for name in systems)
        + "  ratio"
    )
    for processes in options.processes:
        for callers in options.callers:
            found: dict[str, list[Rate]] = {name: [] for name in systems}
            for _ in range(options.repeats):  # in turn, so that what else the machine does falls on all alike
                for name in systems:
                    found[name].append(measure(name, urls[name], callers, processes, options.seconds))
            rates = {name: middle(each) for name, each in found.items()}
            cells = "  ".join(f"{r.events:14,.0f} ({r.median:7.2f}/{r.p99:8.2f})" for r in rates.values())
            ratios = "  ".join(f"{rates['ours'].events / rates[name].events:.1f} x {name}" for name in systems[1:])
            print(f"{processes:9} {callers:7}  {cells}  {ratios}", flush=True)


def middle(rates: Sequence[Rate]) -> Rate:
    """The one with the median number of events."""
    return sorted(rates, key=lambda rate: rate.events)[len(rates) // 2]


# --------------------------------------------------------------------------------------------------------------- import


def a_book(events: int, *, keys: bool) -> Iterator[Batch]:
    """Source cases of five events, each a command of its own if asked for."""
    for _ in range(events // CASE):
        stream = f"case-{uuid4()}"
        drafts = [Draft(stream, n, "case.claim-stated.v1", stream, ENTRY, TIME_AT) for n in range(1, CASE + 1)]
        yield Batch(drafts, CommandKey("import", stream, b"0" * 32) if keys else None)


def imported(url: str, events: int, *, keys: bool) -> float:
    """Events a second of `append_bulk`, encoding and all."""
    batches = list(a_book(events, keys=keys))
    with PostgresLog(url) as log:
        started = time.perf_counter()
        for _ in log.append_bulk(batches):
            pass
        return events / (time.perf_counter() - started)


def copied(url: str, source: str, events: int) -> float:
    """Events a second of raw COPY of the rows that an import left in `source`, encoded beforehand."""
    with contextlib.closing(psycopg2.connect(source)) as connection, connection.cursor() as cursor:
        chunks = [_rows(cursor, after) for after in range(0, events, CHUNK)]
    with contextlib.closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        started = time.perf_counter()
        for rows in chunks:
            cursor.copy_expert(f"copy {EVENT_COLUMNS} from stdin (format binary)", io.BytesIO(rows), 65_536)
            connection.commit()
        return events / (time.perf_counter() - started)


def _rows(cursor: psycopg2.extensions.cursor, after: int) -> bytes:
    rows = io.BytesIO()
    chosen = f"select * from qingling.event where position > {after} and position <= {after + CHUNK} order by position"
    cursor.copy_expert(f"copy ({chosen}) to stdout (format binary)", rows)
    return rows.getvalue()


def compare_imports(server: str, options: argparse.Namespace) -> None:
    """Print import beside raw COPY of the same rows into the same table; medians of three, taken in turn."""
    bare, keyed, raw = [], [], []
    for _ in range(3):
        source = prepare("ours", server, options.message_db)
        bare.append(imported(source, options.events, keys=False))
        keyed.append(imported(prepare("ours", server, options.message_db), options.events, keys=True))
        raw.append(copied(prepare("ours", server, options.message_db), source, options.events))
    print(f"\nimport of {options.events:,} events, {CHUNK:,} a transaction, {CASE} a source case\n")
    floor = statistics.median(raw)
    for name, rates in (
        ("raw COPY, same rows and table", raw),
        ("append_bulk", bare),
        ("append_bulk, a command a case", keyed),
    ):
        rate = statistics.median(rates)
        print(f"{name:32} {rate:10,.0f} events/s  {100 * rate / floor:5.0f} %", flush=True)


# ------------------------------------------------------------------------------------------------------------ the whole


@contextlib.contextmanager
def a_server(url: str) -> Iterator[str]:
    """The server named, or a durable embedded one that vanishes afterwards."""
    if url:
        yield url
        return
    with tempfile.TemporaryDirectory() as folder:
        config = EmbeddedConfig(data=Path(folder), settings={"max_connections": "400"})
        with EmbeddedPostgres(config) as server:
            yield server.url()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the comparison and print it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=2.0, help="how long each figure is measured")
    parser.add_argument("--repeats", type=int, default=3, help="how often, the systems in turn; the median counts")
    parser.add_argument("--callers", type=int, nargs="+", default=[1, 4, 16, 64])
    parser.add_argument("--processes", type=int, nargs="+", default=[1, 3])
    parser.add_argument("--events", type=int, default=100_000, help="events of the import")
    parser.add_argument("--url", default="", help="a PostgreSQL to measure on, as a superuser")
    parser.add_argument("--message-db", type=Path, default=MESSAGE_DB, help="folder `database` of @eventide/message-db")
    options = parser.parse_args(arguments)
    with a_server(options.url) as server:
        print(execute(server, "select version()")[0][0])
        compare_appends(server, options)
        compare_imports(server, options)
    return 0


if __name__ == "__main__":
    sys.exit(main())
