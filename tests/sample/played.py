"""Campaigns played in memory, for tests: a simulation with a vault whose sealing follows from what is sealed."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from domain.campaigns.campaign import WINTER_2019, Campaign
from domain.campaigns.genesis import Genesis, LogKind
from domain.catalogue import EVENT_TYPES
from domain.entries import Recorded
from domain.jurisdictions import JurisdictionTree
from domain.sealing.personal import Opening, Sealed
from domain.streams import Context, Provenance
from infra.jurisdictions import load_tree
from infra.memory.recorder import MemoryLog
from infra.sample.playing import SampleReport, play
from infra.streams import StreamStore

ZONE = ZoneInfo("Asia/Shanghai")
BEGUN = datetime(2019, 11, 15, 8, tzinfo=ZONE)


@dataclass(frozen=True)
class PlayedInfo:
    """What a play must know of its log."""

    origin: str = "tests-simulation"
    zone: ZoneInfo = ZONE
    campaign: Campaign = WINTER_2019
    tree: JurisdictionTree = field(default_factory=load_tree)


class PlainVault:
    """Seals without chance and keeps the texts: two plays of one script are the same to the last byte."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}
        self._subjects = 0

    def new_subject(self) -> str:
        self._subjects += 1
        return f"person-{self._subjects}"

    def seal(self, subject: str, field: str, plaintext: str) -> Sealed:
        return self.seal_many([(subject, field, plaintext)])[0]

    def seal_many(self, items: Sequence[tuple[str, str, str]]) -> list[Sealed]:
        sealed = []
        for item in items:
            digest = hashlib.sha256("/".join(item).encode()).hexdigest()
            self.texts[digest] = item[2]
            sealed.append(Sealed(item[0], digest, digest))
        return sealed

    def matches(self, sealed: Sealed, field: str, plaintext: str) -> bool:
        return self.texts[sealed.sha256] == plaintext

    def matches_many(self, items: Sequence[tuple[Sealed, str, str]]) -> list[bool]:
        return [self.matches(*item) for item in items]

    def open_many(self, items: Sequence[tuple[Sealed, str]]) -> list[str | None]:
        return [self.texts[sealed.sha256] for sealed, _ in items]

    def openings(self, items: Sequence[tuple[Sealed, str]]) -> list[Opening | None]:
        return [Opening("0" * 64, self.texts[sealed.sha256]) for sealed, _ in items]


@dataclass(frozen=True)
class Played:
    """A campaign that was played."""

    log: MemoryLog
    vault: PlainVault
    report: SampleReport
    entries: tuple[bytes, ...]
    events: tuple[Recorded, ...]


@functools.cache
def played(seed: str, cases: int) -> Played:
    """The campaign of a seed; played once a run."""
    return played_afresh(seed, cases)


def played_afresh(seed: str, cases: int) -> Played:
    """The campaign of a seed, played now."""
    log, vault, info = MemoryLog(), PlainVault(), PlayedInfo()
    streams = StreamStore(log, EVENT_TYPES, "urn:qingling:tests-simulation")
    genesis = Genesis(
        id="log",
        kind=LogKind.SIMULATION,
        origin=info.origin,
        root="140300",
        places=tuple(info.tree),
        timezone="Asia/Shanghai",
        currency="CNY",
        campaign=WINTER_2019,
        provenance=Provenance(occurred=BEGUN, received=BEGUN),
    )
    streams.commit(genesis, context=Context("system", "genesis"), now=BEGUN)
    report = play(log, streams, vault, info, seed=seed, cases=cases)
    stored = log.read(0, 1_000_000)
    return Played(
        log=log,
        vault=vault,
        report=report,
        entries=tuple(each.entry for each in stored),
        events=tuple(EVENT_TYPES.decode(each) for each in stored),
    )
