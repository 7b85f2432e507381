"""A deployment whose database is real: folder, signer, and the rounds by which it seals. Tests may exchange its database."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from domain.campaigns.campaign import WINTER_2019
from domain.campaigns.genesis import GENESIS_STREAM, Genesis, LogKind
from domain.canonical import canonical_bytes
from domain.catalogue import EVENT_TYPES
from domain.recording import TIME_PLACEHOLDER, Batch, Draft, StoredEntry, time_offset
from domain.sealing.policy import Policy
from domain.streams import Context, Provenance
from infra.jurisdictions import YANGQUAN, load_tree
from infra.postgres.fsck import fsck
from infra.postgres.recorder import PostgresLog
from infra.sealing.findings import TamperReport
from infra.sealing.recovery import RecoveryReport, recover
from infra.sealing.sealer import Sealer
from infra.sealing.signer import Signer
from infra.sealing.store import TileStore
from infra.sealing.tamper import tamper_report
from infra.streams import StreamStore
from tests.drafts import a_batch

ORIGIN = "log.example/deployed"


class Deployment:
    """Folder and signer of a log; its database may be exchanged for a restored one."""

    def __init__(self, folder: Path, url: str) -> None:
        self.store = TileStore(folder / "log")
        self.signer = Signer.create(folder / "signer", ORIGIN, bytes(range(32)))
        self.url = url
        self._events = 0

    @contextmanager
    def log(self) -> Iterator[PostgresLog]:
        with PostgresLog(self.url) as log:
            yield log

    def record(self, events: int) -> None:
        """Cases of one event each. Before the first come the three events that every log of these tests begins with."""
        with self.log() as log:
            if self._events == 0:
                self._begin(log)
            batches = [a_batch(f"case-{self._events + n}", key=f"key-{self._events + n}") for n in range(events)]
            list(log.append_bulk(batches))
        self._events += events

    def _begin(self, log: PostgresLog) -> None:
        places = tuple(load_tree(YANGQUAN))
        noon = datetime(2019, 12, 2, 4, tzinfo=UTC)
        provenance = Provenance(occurred=noon, received=noon)
        genesis = Genesis(
            id=GENESIS_STREAM,
            kind=LogKind.REAL,
            origin=ORIGIN,
            root=places[0].code,
            places=places,
            timezone="Asia/Shanghai",
            currency="CNY",
            campaign=WINTER_2019,
            provenance=provenance,
        )
        genesis.announce_key(self.signer.verifiers[0].vkey, provenance)
        streams = StreamStore(log, EVENT_TYPES, f"urn:qingling:{ORIGIN}")
        streams.commit(genesis, context=Context(actor="system", correlation="test"))
        log.append(Batch([_with_sealed_field()]))

    def seal(self, *, sign: bool = True) -> None:
        with self.log() as log, self.store.lock():
            sealer = Sealer(log, self.store, self.signer)
            sealer.start()
            sealer.integrate()
            if sign:
                self.store.publish(sealer.sign())

    def entries(self) -> Sequence[StoredEntry]:
        with self.log() as log:
            return log.read(0, 100_000)

    def recover(self, progress: Callable[[int, int], None] | None = None) -> RecoveryReport:
        with self.log() as log:
            return recover(self.url, log, self.store, self.signer, progress)

    def report(self) -> TamperReport:
        """What `qingling log fsck` finds."""
        with self.log() as log:
            return tamper_report(log, self.store, self.signer, Policy(), EVENT_TYPES, laws=fsck(self.url))

    def lose_folder(self) -> None:
        shutil.rmtree(self.store.folder)
        self.store = TileStore(self.store.folder)

    def published(self) -> int:
        kept = self.store.history().latest(ORIGIN)
        assert kept is not None
        return kept.size


def _with_sealed_field() -> Draft:
    sealed = {"commit": "0" * 64, "sha256": "a" * 64, "subject": "person-a"}
    content = {
        "data": {"name": sealed},
        "id": "person/1",
        "partitionkey": "person",
        "subject": "person",
        "time": TIME_PLACEHOLDER,
        "type": "test.happened.v1",
        "version": 1,
    }
    entry = canonical_bytes(content)
    return Draft("person", 1, "test.happened.v1", "person", entry, time_offset(entry))
