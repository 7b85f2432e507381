"""The provable log of the platform in memory: a real tree over its entries, real keys, real proofs; only disk and threads are left out.

The contract is that of `infra.sealing.provable_log.ProvableLog`. A test moves `sealed` and `published` with `seal` and `publish`,
and says with `stopped`, `trouble`, `keyless` what goes wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from domain.campaigns.genesis import Genesis
from domain.errors import NotFoundError, NotReadyError
from domain.sealing.bundles import encode_bundle
from domain.sealing.checkpoint import Checkpoint, parse_checkpoint, sign_checkpoint
from domain.sealing.cosignature import Cosigner, with_lines
from domain.sealing.note import SigningKey, parse_note
from domain.sealing.policy import Policy, parse_policy
from domain.sealing.proof_file import ProofFile
from domain.sealing.receipt import Receipt
from domain.sealing.sorted_map import Kind, Tally
from domain.sealing.state import State, state_of
from domain.sealing.tiles import WIDTH, Bundle, Tile, parse_path
from domain.sealing.tree import consistency_proof, inclusion_proof, leaf_hash, root_of
from domain.streams import Provenance
from infra.sealing.publisher import WitnessStatus
from infra.sealing.standing import Commitment, SealingStatus, Served, Sizes

if TYPE_CHECKING:
    from tests.api.fake_platform import FakePlatform

LONG_AGO = datetime(2020, 1, 16, tzinfo=UTC)
"""When the first checkpoint was published; each later one a minute after the one before."""
WITNESSES = (Cosigner("province.example", b"\x21" * 32), Cosigner("auditors.example", b"\x22" * 32))


@dataclass(frozen=True)
class Kept:
    """A checkpoint of the history."""

    size: int
    note: bytes
    kept_at: datetime


@dataclass
class FakeSealing:
    """See the module."""

    platform: FakePlatform
    witnesses: Sequence[Cosigner] = ()
    keyless: bool = False
    running: bool = True
    stopped: str | None = None
    trouble: str | None = None
    sealed: int = 0
    kept: list[Kept] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.keys = [SigningKey(self.origin, b"\x11" * 32)]
        self.store = self

    @property
    def origin(self) -> str:
        return str(self.platform.info.origin)

    # What a test does

    def seal(self, upto: int | None = None) -> None:
        self.sealed = self.platform.head().position if upto is None else upto

    def publish(self, upto: int | None = None) -> bytes:
        size = self.platform.head().position if upto is None else upto
        self.sealed = max(self.sealed, size)
        head = Checkpoint(self.origin, size, root_of(self.leaves()[:size]))
        note = sign_checkpoint(head, self.keys)
        at = LONG_AGO + timedelta(minutes=len(self.kept))
        lines = [witness.signature_line(head.text, int(at.timestamp())) for witness in self.witnesses]
        note = with_lines(parse_note(note), lines)
        self.kept.append(Kept(size, note, at))
        return note

    def leaves(self) -> list[bytes]:
        return [leaf_hash(entry) for _, entry in self.platform.entries]

    # The contract

    def policy(self) -> Policy:
        lines = [f"log {key.verifier.vkey}" for key in self._signing()]
        lines += [f"witness {w.name} {w.verifier.vkey} https://{w.name}/witness" for w in self.witnesses]
        if self.witnesses:
            lines.append(f"group both all {' '.join(w.name for w in self.witnesses)}")
        lines.append(f"quorum {'both' if self.witnesses else 'none'}")
        return parse_policy("\n".join([*lines, ""]).encode())

    def _signing(self) -> Sequence[SigningKey]:
        return [] if self.keyless else self.keys

    def sizes(self) -> Sizes:
        return Sizes(self.platform.head().position, self.sealed, self.kept[-1].size if self.kept else 0)

    def state_of(self, position: int) -> State:
        return state_of(position, self.sizes().sealed, self.sizes().published)

    def status(self) -> SealingStatus:
        sizes, latest = self.sizes(), self.kept[-1] if self.kept else None
        return SealingStatus(
            origin=self.origin,
            vkeys=[key.verifier.vkey for key in self._signing()],
            witnessed=bool(self.witnesses),
            quorum="both" if self.witnesses else "none",
            recorded=sizes.recorded,
            sealed=sizes.sealed,
            published=sizes.published,
            root=root_of(self.leaves()[: sizes.sealed]) if sizes.sealed else None,
            note=latest.note if latest else None,
            published_at=latest.kept_at if latest else None,
            witnesses=[self._witness(witness, latest) for witness in self.witnesses],
            running=self.running,
            stopped=self.stopped,
            trouble=self.trouble,
            committed=self._committed(),
            folder=Path("/nowhere/log"),
            signer=Path("/nowhere/signer"),
        )

    def _witness(self, witness: Cosigner, latest: Kept | None) -> WitnessStatus:
        return WitnessStatus(
            name=witness.name,
            vkey=witness.verifier.vkey,
            url=f"https://{witness.name}/witness",
            cosigned=latest.size if latest else None,
            at=latest.kept_at if latest else None,
            trouble=self.trouble,
        )

    def _committed(self) -> Commitment | None:
        for recorded, _ in reversed(self.platform.entries):
            event = recorded.event
            if isinstance(event, Genesis.WholenessCommitted):
                at = recorded.envelope.time
                return Commitment(recorded.position, event.upto, at, event.streams.size, event.partitions.size)
        return None

    def checkpoint(self) -> bytes:
        if not self.kept:
            raise NotReadyError(_NO_KEY if self.keyless else "no checkpoint of this log was published yet")
        return self.kept[-1].note

    def served(self, path: str) -> Served:
        named = parse_path(path)
        size = self.sizes().published
        wider = isinstance(named, Bundle) and named.index * WIDTH + named.width <= size
        if isinstance(named, Tile) and named.index * WIDTH + named.width <= size >> 8 * named.level:
            return Served(self._hashes(named), None)
        if not (wider and isinstance(named, Bundle)):
            raise NotFoundError(f"{path} belongs to no published checkpoint yet")
        return Served(encode_bundle([self.platform.entries[leaf][1] for leaf in named.leaves]), named)

    def _hashes(self, tile: Tile) -> bytes:
        """By the definition, not by the code that writes tiles."""
        span = 256**tile.level
        first = tile.index * WIDTH
        leaves = self.leaves()
        return b"".join(root_of(leaves[i * span : (i + 1) * span]) for i in range(first, first + tile.width))

    def _node(self, level: int, index: int) -> bytes:
        return root_of(self.leaves()[index << level : (index + 1) << level])

    def proof(self, position: int) -> ProofFile:
        size = parse_checkpoint(parse_note(self.checkpoint()).text).size
        if position > size:
            raise NotReadyError(f"position {position} is not published yet; the checkpoint reaches {size}")
        receipt = Receipt(self.origin, position, self.leaves()[position - 1])
        path = tuple(inclusion_proof(position - 1, size, self._node))
        proof = ProofFile(position - 1, path, self.checkpoint(), receipt.text.encode())
        receipt.verified(proof, self.policy())
        return proof

    def receipt(self, position: int) -> Receipt:
        return Receipt(self.origin, position, self.leaves()[self.proof(position).index])

    def consistency(self, old: int, new: int) -> list[bytes]:
        if not 0 < old <= new <= self.sizes().published:
            raise NotFoundError(f"there are no published trees of {old} and {new} leaves, in this order")
        return consistency_proof(old, new, self._node)

    def wait_published(self, position: int, timeout: float) -> None:
        if self.stopped is not None:
            raise NotReadyError(f"sealing has stopped: {self.stopped}")
        if self.sizes().published < position:
            if self.trouble is not None or self.keyless:
                raise NotReadyError(f"position {position} is not published yet: {self.trouble or _NO_KEY}")
            self.publish()

    def commit_wholeness(self, actor: str) -> int:
        if self.keyless:
            raise NotReadyError(_NO_KEY)
        upto = self.platform.head().position
        maps = []
        for kind in Kind:
            tally = Tally(kind)
            for recorded, entry in self.platform.entries:
                envelope = recorded.envelope
                tally.add(envelope.subject if kind is Kind.STREAM else envelope.partitionkey, leaf_hash(entry))
            maps.append(tally.map())
        now = self.platform.entries[-1][0].envelope.time.astimezone(self.platform.info.zone)
        genesis = self.platform.genesis
        genesis.commit_wholeness(upto, maps[0].head, maps[1].head, Provenance(occurred=now, received=now))
        self.platform.record(genesis, now, actor)
        self.seal()
        return self.platform.head().position

    # The history of published checkpoints

    def history(self) -> FakeSealing:
        return self

    def at(self, origin: str, size: int) -> Kept | None:
        return next((kept for kept in self.kept if (origin, kept.size) == (self.origin, size)), None)


_NO_KEY = "this log has no signing key yet; `qingling log rotate-key` makes the first one"
