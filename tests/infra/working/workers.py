"""Workers within the test's own process, and what holds for the ledgers whatever happened to those who fold them."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import psycopg2

from domain.campaigns.campaign import WINTER_2019
from domain.catalogue import EVENT_TYPES
from infra.bootstrap import ZONE
from infra.folding.engine import Engine
from infra.folding.leader import EngineConfig
from infra.kafka.cluster import KafkaConfig
from infra.kafka.worker import Worker
from infra.postgres.config import RecorderConfig
from infra.postgres.ledger_reader import LedgerReader
from infra.postgres.ledger_store import LedgerStore
from infra.postgres.recorder import PostgresLog
from projections.catalogue import catalogue
from projections.ledger import Catalogue
from tests.infra.relaying.relays import ORIGIN, beside
from tests.migrated import execute

LEDGERS = catalogue(WINTER_2019, ZoneInfo(ZONE))
QUICK = EngineConfig(longest_pause=2.0)


@contextmanager
def worker_of(
    url: str,
    config: KafkaConfig,
    *,
    origin: str = ORIGIN,
    engine: EngineConfig = QUICK,
    ledgers: Catalogue = LEDGERS,
) -> Iterator[Worker]:
    """A worker that does not run yet."""
    with (
        PostgresLog(url) as log,
        closing(LedgerStore(url, RecorderConfig(role="qingling_projector"), ledgers)) as store,
    ):
        yield Worker(log, config, origin, lambda feed: Engine(log, store, ledgers, EVENT_TYPES, engine, feed=feed))


@contextmanager
def reader_of(url: str) -> Iterator[LedgerReader]:
    with closing(LedgerReader(url, RecorderConfig(role="qingling_reader"), LEDGERS)) as reader:
        yield reader


def hindmost(url: str) -> int:
    """Where the part of a live ledger stands that stands furthest behind; 0 while a ledger is not there yet."""
    [(found, ledgers)] = execute(
        url,
        "select coalesce(min(position), 0), count(distinct ledger) from ledger.progress as p"
        " join ledger.generation as g on g.id = p.generation where g.state = 'live'",
    )
    return int(found) if ledgers == len(LEDGERS.names()) else 0


def stored(url: str) -> dict[str, tuple[int, int]]:
    """Of every live ledger the number of versions of its rows or sums, and a digest of all that stands in them."""
    found = {}
    for ledger, number in execute(url, "select ledger, number from ledger.generation where state = 'live'"):
        if ledger not in LEDGERS:
            continue
        [(count, digest)] = execute(
            url, f'select count(*), sum(hashtextextended(t::text, 0)) from ledger."{ledger}_g{number}" as t'
        )
        found[ledger] = (int(count), int(digest or 0))
    return found


def require_folded_from_log(url: str) -> None:
    """Every part of every ledger stands at the head, none is stopped, and each version of each row is what a fold of the log makes."""
    with (
        PostgresLog(url) as log,
        closing(LedgerStore(url, RecorderConfig(role="qingling_projector"), LEDGERS)) as store,
    ):
        head = log.head().position
        assert {position for (position,) in execute(url, _STANDS)} == {head}
        assert not execute(url, "select * from ledger.condition")
        before = stored(url)
        report = Engine(log, store, LEDGERS, EVENT_TYPES).rebuild()
        assert set(report.compared) == set(
            LEDGERS.names()
        )  # by digests, which are then swapped for what was made of the log
        assert before == stored(url)
        assert sum(count for count, _ in before.values()) > 0


_STANDS = "select position from ledger.progress as p join ledger.generation as g on g.id = p.generation where g.state = 'live'"


@dataclass
class Watch:
    """Looks all the while how far the ledgers are; a database that is away is waited for."""

    url: str
    position: int = 0
    longest: float = 0.0
    """Seconds in which no part moved, at the most, while the log grew."""

    def running(self) -> AbstractContextManager[object]:
        """Until it is left."""
        return beside(self._run)

    def _run(self, ended: threading.Event) -> None:
        last = time.monotonic()
        while not ended.wait(0.1):
            try:
                found = hindmost(self.url)
            except psycopg2.Error:
                continue
            if found > self.position:
                self.longest = max(self.longest, time.monotonic() - last) if self.position else 0.0
                self.position, last = found, time.monotonic()
