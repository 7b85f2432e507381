"""How a provable log stands, as its readers are told: sizes, keys, witnesses, commitments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from domain.sealing.sorted_map import WholenessMap
from domain.sealing.tiles import Bundle
from infra.sealing.publisher import WitnessStatus


@dataclass(frozen=True)
class Sizes:
    """How far each state reaches: the last position that is recorded, sealed, published."""

    recorded: int
    sealed: int
    published: int


@dataclass(frozen=True)
class Commitment:
    """The latest commitment to the wholeness maps: the event at `position` binds all histories as of `upto`."""

    position: int
    upto: int
    recorded_at: datetime
    streams: int
    partitions: int


@dataclass(frozen=True)
class SealingStatus:
    """How the provable log stands. `quorum` is the policy's; `witnessed`: whether there is one to be met at all."""

    origin: str
    vkeys: Sequence[str]
    witnessed: bool
    quorum: str
    recorded: int
    sealed: int
    published: int
    root: bytes | None
    note: bytes | None
    published_at: datetime | None
    witnesses: Sequence[WitnessStatus]
    running: bool
    stopped: str | None
    trouble: str | None
    committed: Commitment | None
    folder: Path
    signer: Path


@dataclass(frozen=True)
class Served:
    """A file below `/log/`. A bundle holds entries, everything else only hashes."""

    data: bytes
    bundle: Bundle | None


@dataclass(frozen=True)
class Bound:
    """Maps, and the event that binds the log to them."""

    position: int
    upto: int
    streams: WholenessMap
    partitions: WholenessMap


@dataclass(frozen=True)
class Folders:
    """Where a deployment keeps its provable log. `policy`: file that says who must cosign; None: nobody."""

    log: Path
    signer: Path
    policy: Path | None
