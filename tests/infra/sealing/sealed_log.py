"""A sealed log in a temporary folder whose rows, tiles, bundles and checkpoints a test may alter as somebody with all rights would."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from domain.campaigns.campaign import WINTER_2019
from domain.campaigns.genesis import GENESIS_STREAM, Genesis, LogKind
from domain.catalogue import EVENT_TYPES
from domain.recording import Head, History, StoredEntry
from domain.sealing.bundles import encode_bundle
from domain.sealing.checkpoint import Checkpoint
from domain.sealing.cosignature import Cosigner, with_lines
from domain.sealing.growth import TiledEdge
from domain.sealing.note import parse_note
from domain.sealing.policy import Policy, TrustedWitness
from domain.sealing.sorted_map import Kind
from domain.sealing.tiles import hash_reader, new_bundles
from domain.sealing.tree import consistency_proof, leaf_hashes
from domain.streams import Context, Provenance
from infra.jurisdictions import YANGQUAN, load_tree
from infra.memory.recorder import MemoryLog
from infra.sealing.findings import TamperReport
from infra.sealing.signer import Signer
from infra.sealing.store import TileStore
from infra.sealing.tamper import tamper_report
from infra.sealing.tree import SealedTree
from infra.sealing.wholeness import commitment
from infra.streams import StreamStore
from tests.drafts import a_batch

ORIGIN = "log.example/tamper"
NOON = datetime(2019, 12, 2, 4, tzinfo=UTC)
PROVENANCE = Provenance(occurred=NOON, received=NOON)
CONTEXT = Context(actor="system", correlation="test")
WITNESS = Cosigner("witness.example/one", bytes(range(32, 64)))
WITNESSED = Policy(witnesses=(TrustedWitness(b"one", WITNESS.verifier),), quorum=b"one")


class Rows:
    """The rows of a log as a superuser leaves them."""

    def __init__(self, log: MemoryLog) -> None:
        self.log = log
        self.rows: dict[int, StoredEntry] | None = None

    @property
    def known(self) -> dict[int, StoredEntry]:
        if self.rows is not None:
            return self.rows
        return {entry.position: entry for entry in self.log.read(0, 1_000_000)}

    def head(self) -> Head:
        last = max(self.known, default=0)
        return Head(last, self.known[last].recorded_at if last else None)

    def read(self, after: int, limit: int) -> Sequence[StoredEntry]:
        return [self.known[position] for position in sorted(self.known) if position > after][:limit]

    def stream(self, after: int, upto: int, chunk: int = 10_000) -> Iterator[Sequence[StoredEntry]]:
        yield [self.known[position] for position in sorted(self.known) if after < position <= upto]

    def read_stream(self, stream: str, *, upto: int | None = None) -> Sequence[StoredEntry]:
        return [entry for _, entry in sorted(self.known.items()) if entry.stream == stream]

    def histories(self, kind: Kind, upto: int) -> Iterator[History]:
        names: dict[str, list[int]] = {}
        for position, entry in sorted(self.known.items()):
            if position <= upto:
                names.setdefault(entry.stream if kind is Kind.STREAM else entry.partitionkey, []).append(position)
        return (History(name, positions, True) for name, positions in names.items())

    def __getattr__(self, name: str) -> Any:
        return getattr(self.log, name)

    # What somebody with all rights does

    def change(self, position: int, **data: object) -> None:
        entry = self.known[position]
        content = orjson.loads(entry.entry)
        content["data"] |= data or {"note": "changed"}
        changed = orjson.dumps(content, option=orjson.OPT_SORT_KEYS)
        self.rows = self.known | {position: replace(entry, entry=changed)}

    def put(self, position: int, entry: StoredEntry) -> None:
        self.rows = self.known | {position: replace(entry, position=position)}

    def delete(self, *positions: int) -> None:
        self.rows = {position: entry for position, entry in self.known.items() if position not in positions}

    def swap(self, one: int, other: int) -> None:
        first, second = self.known[one], self.known[other]
        self.put(one, second)
        self.put(other, first)

    def renumber(self, behind: int, by: int) -> None:
        self.rows = {
            moved: replace(entry, position=moved)
            for position, entry in self.known.items()
            for moved in [position + by if position > behind else position]
        }


class SealedLog:
    """See the module."""

    def __init__(self, folder: Path, *, cosigned: bool = False) -> None:
        self.memory = MemoryLog(clock=lambda: NOON)
        self.rows = Rows(self.memory)
        self.store = TileStore(folder / "log")
        self.store.create(ORIGIN)
        self.signer = Signer.create(folder / "signer", ORIGIN, bytes(range(32)))
        self.policy = WITNESSED if cosigned else Policy()
        self._cosigned = cosigned
        self._edge = TiledEdge()
        self._streams = StreamStore(self.memory, EVENT_TYPES, f"urn:qingling:{ORIGIN}")
        self._cases = 0
        self._begin()

    def _begin(self) -> None:
        places = tuple(load_tree(YANGQUAN))
        genesis = Genesis(
            id=GENESIS_STREAM,
            kind=LogKind.REAL,
            origin=ORIGIN,
            root=places[0].code,
            places=places,
            timezone="Asia/Shanghai",
            currency="CNY",
            campaign=WINTER_2019,
            provenance=PROVENANCE,
        )
        genesis.announce_key(self.signer.verifiers[0].vkey, PROVENANCE)
        self._streams.commit(genesis, context=CONTEXT)

    @property
    def size(self) -> int:
        return self._edge.size

    def append(self, events: int) -> None:
        """Events of cases of three events each."""
        for _ in range(events):
            case, version = divmod(self._cases, 3)
            self.memory.append(a_batch(f"case-{case}", version + 1))
            self._cases += 1

    def seal(self) -> None:
        """Puts all that is recorded into the tree."""
        entries = [entry.entry for entry in self.memory.read(0, 1_000_000)]
        edge, tiles = self._edge.extended(leaf_hashes(entries[self.size :]))
        bundles = [
            (bundle, encode_bundle(entries[bundle.leaves.start : bundle.leaves.stop]))
            for bundle in new_bundles(self.size, len(entries))
        ]
        self.store.write([*bundles, *tiles])
        self.store.write_head(Checkpoint(ORIGIN, edge.size, edge.root))
        self._edge = edge

    def sign(self) -> bytes:
        """Signs and publishes the tree."""
        head, last = self.store.head(), self.signer.last()
        assert head is not None
        old = 0 if last is None else last.size
        proof = consistency_proof(old, head.size, hash_reader(head.size, self.store.read))
        note = self.signer.sign(head, proof)
        if self._cosigned:
            parsed = parse_note(note)
            note = with_lines(parsed, [WITNESS.signature_line(parsed.text, 1_575_259_200)])
        self.store.publish(note)
        return note

    def grow(self, *batches: int) -> None:
        """Records, seals and publishes so many events, and again."""
        for events in batches:
            self.append(events)
            self.seal()
            self.sign()

    def bind(self) -> int:
        """Records the heads of the wholeness maps as of now; where."""
        streams, partitions = commitment(self.memory, SealedTree(self.store), self.size)
        genesis = self._streams.get(Genesis, GENESIS_STREAM)
        genesis.commit_wholeness(self.size, streams.head, partitions.head, PROVENANCE)
        return self._streams.commit(genesis, context=CONTEXT).positions[-1]

    def announce(self, vkey: str) -> None:
        """Records that a key signs from now on."""
        genesis = self._streams.get(Genesis, GENESIS_STREAM)
        genesis.announce_key(vkey, PROVENANCE)
        self._streams.commit(genesis, context=CONTEXT)

    def retire(self, vkey: str) -> None:
        """Records that a key signs no more, and destroys it."""
        genesis = self._streams.get(Genesis, GENESIS_STREAM)
        genesis.retire_key(vkey, PROVENANCE)
        self._streams.commit(genesis, context=CONTEXT)
        self.signer.retire(vkey)

    def report(self, **more: Any) -> TamperReport:
        return tamper_report(self.rows, self.store, self.signer, self.policy, EVENT_TYPES, **more)

    # Files

    def file(self, path: str) -> Path:
        return self.store.folder / path

    def flip(self, path: str, at: int) -> None:
        """One bit of a file."""
        data = bytearray(self.file(path).read_bytes())
        data[at] ^= 1
        self.file(path).write_bytes(bytes(data))
