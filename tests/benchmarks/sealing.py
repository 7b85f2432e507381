"""How fast a log is hashed, proved, sealed and published, beside bare SHA-256, pymerkle, and the same log without any of it.

    python -m tests.benchmarks.sealing [--small] [--only hashing proofs packs publishing maps] [--seconds 5] [--pairs 8] [--callers 16 64]
        [--sizes 10000 1000000 10000000] [--streams 10000 100000 1000000]

*hashing*: entries of about 800 bytes, all in memory, on one core. *proofs*: trees of synthetic leaves in a folder of tiles; cold is a
reader that has read nothing, of files that the system was told to forget; warm is one reader for all requests, of files that are in
memory. pymerkle keeps its leaves in SQLite; cold is a tree with an empty cache. *publishing*: callers append one event after the other
to an embedded server of its own, durable, and a service seals and publishes in the same process; then it is stopped and started again
while they go on, and what was appended with and without is compared in pairs. Witnesses are processes on the same machine. *maps*:
histories of three or four entries, three streams a case, recorded in bulk, sealed in one go, and then bound.
"""

from __future__ import annotations

import argparse
import gc
import importlib
import multiprocessing
import os
import random
import socket
import statistics
import sys
import tempfile
import threading
import time
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from hashlib import sha256
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4
from zipfile import ZipFile

from domain.packs.pack import Selection, SelectionKind
from domain.recording import Batch, CommandKey, Draft
from domain.sealing.checkpoint import Checkpoint, parse_checkpoint
from domain.sealing.growth import TiledEdge
from domain.sealing.note import parse_note
from domain.sealing.policy import Policy, TrustedLog, parse_policy
from domain.sealing.subset import verify_subset
from domain.sealing.tree import leaf_hash, leaf_hashes, root_of, verify_consistency, verify_inclusion
from infra.bootstrap import Settings, open_platform
from infra.packs.verify import verify_pack
from infra.packs.writer import make_pack
from infra.postgres.embedded import EmbeddedConfig, EmbeddedPostgres
from infra.postgres.migrations import migrate
from infra.postgres.recorder import PostgresLog
from infra.sealing.publisher import Publisher
from infra.sealing.rounds import rounds
from infra.sealing.sealer import Sealer
from infra.sealing.service import SealingService
from infra.sealing.signer import Signer
from infra.sealing.store import TileStore
from infra.sealing.tree import SealedTree
from infra.sealing.wholeness import commitment
from infra.sealing.witness_client import WitnessClient
from tests.benchmarks.append import ENTRY, TIME_AT, execute
from tests.benchmarks.books import run as run_program
from tests.benchmarks.books import write_book

pymerkle: Any = importlib.import_module("pymerkle")  # it ships no types

ORIGIN = "bench.example.org/log"
CASE = 10  # entries of a case, here
WITNESSES = 3
PARTS = ("hashing", "proofs", "packs", "publishing", "maps")


def spent(work: Callable[[], object]) -> float:
    """Seconds that it takes."""
    gc.collect()
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def percentiles(seconds: Sequence[float], digits: int = 1) -> str:
    """Median and 99th percentile, in milliseconds."""
    ordered = sorted(seconds)
    return " / ".join(f"{1000 * ordered[int(len(ordered) * share)]:,.{digits}f}" for share in (0.5, 0.99))


# ------------------------------------------------------------------------------------------------------------- hashing


def some_entries(count: int) -> list[bytes]:
    """Entries of the size that a claim has, no two the same."""
    return [b'{"n":%012d,' % number + ENTRY[1:] for number in range(count)]


def a_selection(count: int, chance: random.Random) -> list[int]:
    """A tenth of the leaves as a pack picks them: cases, each in two or three runs that lie apart."""
    chosen: set[int] = set()
    while len(chosen) < count // 10:
        at = chance.randrange(count)
        for run in (4, 3, 3)[: chance.choice((2, 3))]:
            chosen |= set(range(at, min(at + run, count)))
            at += chance.randrange(200, 2_000)
    return sorted(index for index in chosen if index < count)


def compare_hashing(options: argparse.Namespace) -> None:
    """Entries a second, each way three times in turn; the median."""
    count, single = options.entries, min(options.entries, 20_000)
    entries = some_entries(count)
    hashes = leaf_hashes(entries)
    root = root_of(hashes)
    with tempfile.TemporaryDirectory() as folder:
        tree = built(Path(folder), hashes)
        chosen = a_selection(count, random.Random(1))
        picked, joint = [entries[index] for index in chosen], tree.subset(chosen, count)
        alone = random.Random(2).sample(range(count), single)
        paths = [tree.inclusion(index, count) for index in alone]
        indexes = list(range(count))
        everything = tree.subset(indexes, count)
    peer = pymerkle.InmemoryTree.init_from_entries(entries, algorithm="sha256")
    proofs = [peer.prove_inclusion(index + 1, count) for index in alone]

    def verify_alone() -> None:
        for index, path in zip(alone, paths, strict=True):
            verify_inclusion(leaf_hash(entries[index]), index, count, path, root)

    ways: dict[str, tuple[int, Callable[[], object]]] = {
        "bare SHA-256 of each entry": (count, lambda: [sha256(entry).digest() for entry in entries]),
        "leaf hashes": (count, lambda: leaf_hashes(entries)),
        "pymerkle: leaf hashes": (count, lambda: [peer.hash_buff(entry) for entry in entries]),
        "a pack of everything, verified": (
            count,
            lambda: verify_subset(leaf_hashes(entries), indexes, count, everything, root),
        ),
        "a pack of a tenth, by cases, verified": (
            len(picked),
            lambda: verify_subset(leaf_hashes(picked), chosen, count, joint, root),
        ),
        "pymerkle: the tree over everything, its root": (
            count,
            lambda: pymerkle.InmemoryTree.init_from_entries(entries, algorithm="sha256").get_root(),
        ),
        "inclusion, one by one, verified": (single, verify_alone),
        "pymerkle: inclusion, one by one, verified": (
            single,
            lambda: [
                pymerkle.verify_inclusion(peer.hash_buff(entries[index]), root, proof)
                for index, proof in zip(alone, proofs, strict=True)
            ],
        ),
    }
    found: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(3):
        for name, (each, work) in ways.items():
            found[name].append(each / spent(work))
    bare = statistics.median(next(iter(found.values())))
    print(f"\n### hashing: {count:,} entries of {len(entries[0])} bytes\n")
    print("| on one core | entries/s | beside bare SHA-256 |\n|---|---|---|")
    for name, rates in found.items():
        rate = statistics.median(rates)
        print(f"| {name} | {rate:,.0f} | {100 * rate / bare:.0f} % |", flush=True)


# -------------------------------------------------------------------------------------------------------------- proofs


def built(folder: Path, hashes: Sequence[bytes]) -> SealedTree:
    """A durable tree of these leaves, without entries."""
    return grown(folder, [hashes])


def grown(folder: Path, pieces: Iterable[Sequence[bytes]]) -> SealedTree:
    """The same of leaves that come in pieces."""
    store = TileStore(folder / "log")
    store.create(ORIGIN)
    edge = TiledEdge()
    with store.lock():
        for piece in pieces:
            edge, tiles = edge.extended(piece)
            store.write(tiles)
        store.write_head(Checkpoint(ORIGIN, edge.size, edge.root))
    return SealedTree(store)


def synthetic_leaves(size: int, piece: int = 262_144) -> Iterator[list[bytes]]:
    """Leaf hashes of nothing, in pieces."""
    for first in range(0, size, piece):
        yield [sha256(number.to_bytes(8, "big")).digest() for number in range(first, min(size, first + piece))]


def forget(folder: Path) -> None:
    """Tells the system to drop what it has in memory of the files in a folder."""
    for parent, _, files in os.walk(folder):
        for name in files:
            descriptor = os.open(f"{parent}/{name}", os.O_RDONLY)
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(descriptor)


def compare_proofs(options: argparse.Namespace) -> None:
    """Making proofs at growing sizes."""
    print("\n### proofs, made: ms, p50 / p99\n")
    print(
        "| leaves | by | inclusion, cold | inclusion, warm | consistency, cold | consistency, warm | leaves/s, durable |"
    )
    print("|---|---|---|---|---|---|---|")
    for size in options.sizes:
        with tempfile.TemporaryDirectory() as folder:
            began = time.perf_counter()
            tree = grown(Path(folder), synthetic_leaves(size))
            rate = size / (time.perf_counter() - began)
            check_proofs(tree)
            print(f"| {size:,} | ours | {our_proofs(tree, Path(folder), options.requests)} | {rate:,.0f} |", flush=True)
        if size <= options.pymerkle:
            with tempfile.TemporaryDirectory() as folder:
                print(f"| {size:,} | pymerkle | {their_proofs(size, Path(folder), options.requests)} |", flush=True)


def check_proofs(tree: SealedTree) -> None:
    """What is timed is right: some proofs are verified."""
    for number in range(20):
        index, old = number * tree.size // 20, 1 + number * tree.size // 20
        verify_inclusion(tree.leaf(index), index, tree.size, tree.inclusion(index, tree.size), tree.root)
        verify_consistency(old, tree.root_at(old), tree.size, tree.root, tree.consistency(old, tree.size))


def our_proofs(tree: SealedTree, folder: Path, requests: int) -> str:
    """Cells: inclusion cold and warm, consistency cold and warm."""
    chance, size = random.Random(tree.size), tree.size
    store = TileStore(folder / "log")

    def inclusion(reader: SealedTree | None = None) -> object:
        return (reader or SealedTree(store)).inclusion(chance.randrange(size), size)

    def consistency(reader: SealedTree | None = None) -> object:
        return (reader or SealedTree(store)).consistency(chance.randrange(1, size), size)

    cells = []
    for prove in (inclusion, consistency):
        forget(folder)
        cells.append(percentiles([once(prove) for _ in range(requests)], 2))
        for _ in range(requests):
            prove(tree)
        cells.append(percentiles([once(partial(prove, tree)) for _ in range(requests)], 2))
    return " | ".join(cells)


def once(work: Callable[[], object]) -> float:
    """Seconds of one request, garbage and all."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def their_proofs(size: int, folder: Path, requests: int) -> str:
    """The same of pymerkle, with a last cell for storing. Its cold proofs are few where they are slow."""
    file = folder / "pymerkle.sqlite"
    with pymerkle.SqliteTree(str(file)) as tree:
        stored = spent(lambda: tree.append_entries([number.to_bytes(8, "big") for number in range(size)]))
        chance = random.Random(size)
        cells = []
        for prove in (
            lambda: tree.prove_inclusion(chance.randrange(size) + 1, size),
            lambda: tree.prove_consistency(chance.randrange(1, size), size),
        ):
            cold: list[float] = []
            until = time.perf_counter() + 20
            while len(cold) < 5 or (len(cold) < requests and time.perf_counter() < until):
                tree.cache_clear()
                cold.append(once(prove))
            cells.append(f"{percentiles(cold)} ({len(cold)})")
            for _ in range(requests):
                prove()
            cells.append(percentiles([once(prove) for _ in range(requests)], 2))
    return " | ".join([*cells, f"{size / stored:,.0f}"])


# ---------------------------------------------------------------------------------------------------------- publishing


class TimedStore(TileStore):
    """A store that knows when each tree was durable, and when each was published."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.sealed: list[tuple[int, float]] = []
        self.out: list[tuple[int, float]] = []
        self.worked: list[float] = []

    def published_size(self) -> int:
        """How many leaves the published checkpoint has."""
        return self.out[-1][0] if self.out else 0

    def write_head(self, head: Checkpoint) -> None:
        """As `TileStore`."""
        super().write_head(head)
        self.sealed.append((head.size, time.perf_counter()))

    def publish(self, note: bytes) -> None:
        """As `TileStore`."""
        super().publish(note)
        self.out.append((parse_checkpoint(parse_note(note).text).size, time.perf_counter()))
        self.worked.append(time.thread_time())


@dataclass(frozen=True)
class Run:
    """Events a second while sealing and while not, in pairs; all else in seconds: appends, how far behind commit events were, and the
    processor time that sealing took for each."""

    rates: dict[bool, list[float]]
    appends: dict[bool, list[float]]
    sealed: list[float]
    published: list[float]
    work: float


def run_process(
    url: str, callers: int, seconds: float, pairs: int, policy: bytes, seed: bytes, answer: Connection
) -> None:
    """Appends from some threads, and seals meanwhile: for `seconds`, then on and off in turn as long. A process of its own."""
    commits: list[Commit] = []
    windows: dict[bool, list[Window]] = {True: [], False: []}
    ended = threading.Event()
    with ExitStack() as stack:
        log = stack.enter_context(PostgresLog(url))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        store = TimedStore(folder / "log")
        service = stack.enter_context(sealing(log, store, policy, seed, folder))
        threads = [threading.Thread(target=_call, args=(log, ended, commits)) for _ in range(callers)]
        for thread in threads:
            thread.start()
        settle(store, log)
        begun = len(store.out) - 1
        whole = a_window(seconds)
        settle(store, log)
        work = (store.worked[-1] - store.worked[begun]) / (store.out[-1][0] - store.out[begun][0])
        for is_on in [True, False, False, True] * (pairs // 2):
            if is_on != service.running:
                service.start() if is_on else service.stop()
            if is_on:
                settle(store, log)
            windows[is_on].append(a_window(seconds / 2))
        ended.set()
        for thread in threads:
            thread.join()
    within = {is_on: [[each for each in commits if each.is_in(own)] for own in windows[is_on]] for is_on in windows}
    watched = [each for each in commits if each.is_in(whole)]
    answer.send(
        Run(
            {is_on: [len(own) / (seconds / 2) for own in parts] for is_on, parts in within.items()},
            {is_on: [each.after - each.before for own in parts for each in own] for is_on, parts in within.items()},
            behind(watched, store.sealed),
            behind(watched, store.out),
            work,
        )
    )


Window = tuple[float, float]


class Commit(NamedTuple):
    """An append, when it began and ended, and its position."""

    before: float
    after: float
    position: int

    def is_in(self, window: Window) -> bool:
        """Whether it ended within."""
        return window[0] <= self.after < window[1]


def a_window(seconds: float) -> Window:
    """Waits; what was meanwhile."""
    begin = time.perf_counter()
    time.sleep(seconds)
    return begin, begin + seconds


def an_append(log: PostgresLog) -> int:
    """One event on a stream of its own; its position."""
    stream = f"case-{uuid4()}"
    draft = Draft(stream, 1, "case.claim-stated.v1", stream, ENTRY, TIME_AT)
    return log.append(Batch([draft], CommandKey("officer", stream, b"0" * 32))).positions[-1]


def _call(log: PostgresLog, ended: threading.Event, commits: list[Commit]) -> None:
    after = time.perf_counter()
    while not ended.is_set():
        before = after
        position = an_append(log)
        after = time.perf_counter()
        commits.append(Commit(before, after, position))


def behind(commits: Sequence[Commit], heads: Sequence[tuple[int, float]]) -> list[float]:
    """How long after its commit each event was in a head, in seconds."""
    sizes = [size for size, _ in heads]
    return [max(0.0, heads[bisect_left(sizes, each.position)][1] - each.after) for each in commits]


@contextmanager
def sealing(log: PostgresLog, store: TimedStore, policy: bytes, seed: bytes, folder: Path) -> Iterator[SealingService]:
    """The service of a running platform."""
    signer = Signer.create(folder / "signer", ORIGIN, seed)
    trusted = (
        replace(parse_policy(policy), logs=tuple(TrustedLog(key) for key in signer.verifiers)) if policy else Policy()
    )
    store.create(ORIGIN)
    publisher = Publisher(store, trusted, WitnessClient())
    service = SealingService(
        log,
        partial(rounds, log, store, signer, publisher, store.published_size),
        interval=Settings.seal_interval / 1000,
        on_state=lambda _: None,
        commit_if_due=lambda: None,
    )
    service.start()
    try:
        yield service
    finally:
        service.stop()
        publisher.close()


def settle(store: TimedStore, log: PostgresLog) -> None:
    """Waits until all that is recorded now is published."""
    head, deadline = log.head().position, time.monotonic() + 60
    while not store.out or store.published_size() < head:
        if time.monotonic() > deadline:
            raise RuntimeError(f"published {store.published_size()} of {head}")
        time.sleep(0.02)


def serve_witness(folder: str, name: str, log_key: str, answer: Connection) -> None:
    """A witness in a process of its own; answers with its line of a policy."""
    import uvicorn

    from api.witness import create_witness_app
    from infra.witness import WitnessDesk

    desk = WitnessDesk.create(Path(folder), name)
    desk.add_log(log_key)
    listener = socket.create_server(("127.0.0.1", 0))
    answer.send(f"witness {name.rpartition('/')[2]} {desk.vkey} http://127.0.0.1:{listener.getsockname()[1]}")
    uvicorn.Server(uvicorn.Config(create_witness_app(desk), log_level="error")).run(sockets=[listener])


@contextmanager
def witnesses(log_key: str) -> Iterator[bytes]:
    """Three witnesses; the policy that asks for two of them. They know the log by its key."""
    context = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as folder:
        started, lines = [], []
        for number in range(WITNESSES):
            mine, theirs = context.Pipe()
            arguments = (f"{folder}/{number}", f"witness.example.org/w{number}", log_key, theirs)
            process = context.Process(target=serve_witness, args=arguments)
            process.start()
            started.append(process)
            lines.append(mine.recv())
        try:
            yield "\n".join([*lines, "group two 2 w0 w1 w2", "quorum two", ""]).encode()
        finally:
            for process in started:
                process.terminate()
                process.join()


def measured(server: EmbeddedPostgres, callers: int, options: argparse.Namespace, witnessed: bool) -> Run:
    """One run, on an empty log."""
    context = multiprocessing.get_context("spawn")
    url, seed = a_database(server), os.urandom(32)
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        (key,) = Signer.create(Path(folder) / "same", ORIGIN, seed).verifiers
        policy = stack.enter_context(witnesses(key.vkey)) if witnessed else b""
        mine, theirs = context.Pipe()
        arguments = (url, callers, options.seconds, options.pairs, policy, seed, theirs)
        process = context.Process(target=run_process, args=arguments)
        process.start()
        theirs.close()
        run: Run = mine.recv()
        process.join()
    return run


def a_database(server: EmbeddedPostgres) -> str:
    """A database with an empty log."""
    name = f"bench_{uuid4().hex}"
    execute(server.url(), f"create database {name}")
    url = server.url(database=name)
    migrate(url)
    return url


def compare_publishing(server: EmbeddedPostgres, options: argparse.Namespace) -> None:
    """Print a line for every number of callers, without and with witnesses."""
    print(f"\n### publishing while appending: events of {len(ENTRY)} bytes; ms, p50 / p99\n")
    columns = [
        "callers",
        "witnesses",
        "events/s, off",
        "on",
        "loss (pairs)",
        "append, off",
        "on",
        "sealed behind commit",
    ]
    print(
        f"| {' | '.join([*columns, 'published behind commit', 'processor, µs an entry'])} |\n{'|---' * (len(columns) + 2)}|"
    )
    for callers in options.callers:
        for witnessed in (False, True):
            run = measured(server, callers, options, witnessed)
            off, on = run.rates[False], run.rates[True]
            losses = sorted(100 - 100 * sealing / bare for bare, sealing in zip(off, on, strict=True))
            cells = [
                f"{callers} | {f'2 of {WITNESSES}' if witnessed else 'none'}",
                f"{statistics.median(off):,.0f} | {statistics.median(on):,.0f}",
                f"{statistics.median(losses):.0f} % ({losses[0]:.0f} to {losses[-1]:.0f})",
                f"{percentiles(run.appends[False])} | {percentiles(run.appends[True])}",
                f"{percentiles(run.sealed, 0)} | {percentiles(run.published, 0)} | {1e6 * run.work:.1f}",
            ]
            print(f"| {' | '.join(cells)} |", flush=True)


# ---------------------------------------------------------------------------------------------------------------- maps


def a_book(streams: int) -> Iterator[Batch]:
    """Cases of three streams with ten entries in all, a third of them recorded at once and the others later."""
    waiting: list[list[Draft]] = []
    for _ in range(-(-streams // 3)):
        waiting.append(a_case())
        for drafts in waiting[-200::100]:
            if drafts:
                yield Batch(drafts[:5])
                del drafts[:5]
    for drafts in waiting:
        if drafts:
            yield Batch(drafts)


def a_case() -> list[Draft]:
    """Four entries of a case, three of its claim, three of its payment."""
    own = str(uuid4())
    case = f"case-{own}"
    streams = [(f"{kind}-{own}", version) for kind in ("case", "claim", "payment") for version in (1, 2, 3)]
    return [
        Draft(stream, version, "case.claim-stated.v1", case, ENTRY, TIME_AT)
        for stream, version in [*streams, (case, 4)]
    ]


def compare_maps(server: EmbeddedPostgres, options: argparse.Namespace) -> None:
    """Sealing in one go, and the maps, at growing sizes."""
    print("\n### catching up, and the wholeness maps\n")
    print(
        "| streams | partition keys | entries | sealed, entries/s | both maps, s | peak MiB (before) |\n|---|---|---|---|---|---|"
    )
    context = multiprocessing.get_context("spawn")
    for streams in options.streams:
        url = a_database(server)
        with tempfile.TemporaryDirectory() as folder, PostgresLog(url) as log:
            for _ in log.append_bulk(a_book(streams)):
                pass
            head = log.head().position
            rate = head / spent(lambda: caught_up(log, Path(folder)))
            mine, theirs = context.Pipe()
            process = context.Process(target=bind, args=(url, folder, theirs))
            process.start()
            theirs.close()
            sizes, seconds, before, peak = mine.recv()
            process.join()
            print(
                f"| {sizes[0]:,} | {sizes[1]:,} | {head:,} | {rate:,.0f} | {seconds:.1f} | {peak} ({before}) |",
                flush=True,
            )


def caught_up(log: PostgresLog, folder: Path) -> None:
    """Seals all that a log has."""
    store = TileStore(folder / "log")
    store.create(ORIGIN)
    with store.lock():
        sealer = Sealer(log, store, Signer.create(folder / "signer", ORIGIN))
        sealer.start()
        sealer.integrate()


def bind(url: str, folder: str, answer: Connection) -> None:
    """Both maps, in a process of its own: their sizes, seconds, and MiB before and at the most."""
    with PostgresLog(url) as log:
        tree = SealedTree(TileStore(Path(folder) / "log"))
        Path("/proc/self/clear_refs").write_text("5")  # the highest mark begins here
        before = mib("VmRSS")
        began = time.perf_counter()
        streams, partitions = commitment(log, tree, tree.size)
        seconds = time.perf_counter() - began
        answer.send(((streams.head.size, partitions.head.size), seconds, before, mib("VmHWM")))


def mib(what: str) -> int:
    """Memory of this process, as the kernel counts it."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) // 1024 for line in lines if line.startswith(f"{what}:"))


# --------------------------------------------------------------------------------------------------------------- packs


def compare_packs(options: argparse.Namespace) -> None:
    """A pack of a whole log that the program imported: rule by rule, beside bare SHA-256 of the same entries."""
    with tempfile.TemporaryDirectory() as folder:
        book, data, pack = Path(folder) / "book.csv", Path(folder) / "data", Path(folder) / "pack.zip"
        write_book(book, options.cases)
        run_program("--data", data, "init", "--origin", "bench")
        run_program("--data", data, "import", book)
        with open_platform(Settings(data=data), folding=True, sealing=True) as platform:
            made = make_pack(platform, Selection(kind=SelectionKind.ALL), pack, office=True)
            policy = Policy(logs=tuple(TrustedLog(key) for key in platform.sealing.signer().verifiers))
            chance = random.Random(options.cases)
            proofs = [once(lambda: platform.sealing.proof(chance.randrange(made.report.upto) + 1)) for _ in range(500)]
        with ZipFile(pack) as files:
            entries = files.read("entries.jsonl").splitlines()
        report = verify_pack(pack, policy)
    bare = spent(lambda: [sha256(entry).digest() for entry in entries])
    count, seconds = report.entries, report.seconds
    print(
        f"\n### a pack of everything: {count:,} entries of {sum(map(len, entries)) // count} bytes, {report.bytes / 2**20:,.1f} MiB, "
        f"made in {made.seconds:.1f} s\n\n| verified on one core | s | entries/s | beside bare SHA-256 |\n|---|---|---|---|"
    )
    parts = {
        "bare SHA-256 of each entry": bare,
        "rules 1 and 4: unpacked, digests, leaf hashes, each entry canonical": seconds[1] + seconds[4],
        "rules 2 and 3: signature, all entries in the tree": seconds[2] + seconds[3],
        "rule 5: whole histories": seconds[5],
        "rules 1 to 6": sum(seconds[rule] for rule in range(1, 7)),
        "rule 7: ledgers made anew and compared": seconds[7],
        "all": sum(seconds.values()),
    }
    for name, each in parts.items():
        print(f"| {name} | {each:.2f} | {count / each:,.0f} | {100 * bare / each:.0f} % |", flush=True)
    print(
        f"\na proof as a door hands it out, with the row and the receipt checked: {percentiles(proofs)} ms, p50 / p99"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints the tables that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--small", action="store_true", help="sizes that take a minute, to see that it runs")
    parser.add_argument("--entries", type=int, default=200_000)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 1_000_000, 10_000_000])
    parser.add_argument("--requests", type=int, default=500)
    parser.add_argument("--pymerkle", type=int, default=1_000_000, help="largest tree that pymerkle is given")
    parser.add_argument("--cases", type=int, default=20_000, help="of the pack; about five entries each")
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument(
        "--pairs", type=int, default=8, help="even number of windows with sealing, and of those without"
    )
    parser.add_argument("--callers", type=int, nargs="+", default=[16, 64])
    parser.add_argument("--streams", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    options = parser.parse_args(arguments)
    if options.small:
        options.entries, options.sizes, options.streams = 20_000, [10_000, 100_000], [3_000, 30_000]
        options.requests, options.seconds, options.pairs, options.pymerkle, options.cases = 100, 2, 2, 10_000, 2_000
    for part, compare in (("hashing", compare_hashing), ("proofs", compare_proofs), ("packs", compare_packs)):
        if part in options.only:
            compare(options)
    if {"publishing", "maps"} & set(options.only):
        with tempfile.TemporaryDirectory() as folder, EmbeddedPostgres(EmbeddedConfig(data=Path(folder))) as server:
            if "publishing" in options.only:
                compare_publishing(server, options)
            if "maps" in options.only:
                compare_maps(server, options)
    return 0


if __name__ == "__main__":
    sys.exit(main())
