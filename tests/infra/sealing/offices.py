"""Offices with a log that is sealed, signed and published, and a province that witnesses it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from domain.sealing.checkpoint import parse_checkpoint
from domain.sealing.cosignature import CosignerKey
from domain.sealing.note import SigningKey, parse_note
from domain.sealing.policy import Policy, TrustedLog, TrustedWitness
from infra.memory.recorder import MemoryLog
from infra.sealing.publisher import Publisher
from infra.sealing.sealer import Sealer
from infra.sealing.signer import Signer
from infra.sealing.store import TileStore
from infra.sealing.tree import SealedTree
from infra.sealing.witness_client import Exchange, Reply
from infra.witness import WitnessDesk
from tests.drafts import a_batch

ORIGIN = "log.example/office"
SEED = bytes(range(32))
KEY = SigningKey(ORIGIN, SEED).verifier
NOON = datetime(2019, 12, 2, 4, tzinfo=UTC)
URL = "https://witness.example/province"


class Province:
    """A witness that an office reaches."""

    def __init__(self, folder: Path) -> None:
        self.desk = WitnessDesk.create(folder, "witness.example/province")
        self.desk.add_log(KEY.vkey)

    def __call__(self, method: str, url: str, body: bytes | None = None) -> Reply:
        if body is None:
            note = self.desk.checkpoint(url.split("/")[-2])
            return Reply(404, "", b"") if note is None else Reply(200, "", note)
        answer = self.desk.add_checkpoint(body, 1_575_259_200)
        return Reply(answer.status, answer.content_type, answer.body)

    def close(self) -> None:
        """There is nothing to give up."""

    @property
    def policy(self) -> Policy:
        witness = TrustedWitness(b"province", CosignerKey.parse(self.desk.vkey), URL)
        return Policy((TrustedLog(KEY),), (witness,), (), b"province")


class Office:
    """A log that is sealed, signed and published."""

    def __init__(self, folder: Path, policy: Policy, exchange: Exchange) -> None:
        self.folder = folder
        self.log = MemoryLog(clock=lambda: NOON)
        self.store = TileStore(folder / "log")
        self.publisher = Publisher(self.store, policy, exchange)

    def record(self, streams: Sequence[str]) -> None:
        for stream in streams:
            self.log.append(a_batch(stream, 1))

    def publish(self) -> int:
        """Seals, signs and publishes all that is recorded; the size of what is published then."""
        with self.store.lock(wait=False):
            sealer = Sealer(self.log, self.store, Signer.open(self.folder / "signer", ORIGIN))
            sealer.start()
            sealer.integrate()
            self.publisher.publish(sealer.sign(), SealedTree(self.store))
        return self.published

    @property
    def published(self) -> int:
        note = self.store.published()
        assert note is not None
        return parse_checkpoint(parse_note(note).text).size
