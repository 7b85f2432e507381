"""Small evidence packs, made from a synthetic log in memory by docs/packs.md alone: what verifiers are tested with.

A pack is a dictionary of files until it is zipped, so that a test can change one file and seal the manifest again as whoever
wants to deceive would do. The ledgers in it are any bytes: their digests are what is checked here.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import orjson

from domain.canonical import canonical_bytes, sha256_hex
from domain.recording import filled
from domain.sealing.checkpoint import Checkpoint, sign_checkpoint
from domain.sealing.cosignature import Cosigner, with_lines
from domain.sealing.encoding import base64_of
from domain.sealing.note import SigningKey, parse_note
from domain.sealing.proof_file import ProofFile
from domain.sealing.receipt import Receipt
from domain.sealing.sorted_map import Kind, Tally, WholenessMap, key_of
from domain.sealing.subset import subset_proof
from domain.sealing.tree import HashReader, inclusion_proof, leaf_hash, node_hash, root_of
from tests.conftest import CHECKOUT
from tests.synthetic import BEGUN, SOURCE, synthetic_batches

ORIGIN = SOURCE.removeprefix("urn:qingling:")
KEY = SigningKey(ORIGIN, bytes(range(32)))
WITNESS = Cosigner("witness.example.org/w1", bytes(range(32, 64)))
TIME = 1_767_225_600

Files = dict[str, bytes]


def entry(
    stream: str, version: int, kind: str, data: Mapping[str, Any], *, source: str = SOURCE, visibility: str = "public"
) -> bytes:
    """An entry of a stream that is its own partition."""
    at = "2020-01-01T00:00:00+00:00"
    return canonical_bytes(
        {
            "actor": "officer-synthetic",
            "correlation": "synthetic",
            "data": data,
            "datacontenttype": "application/json",
            "id": f"{stream}/{version}",
            "jurisdiction": "1403",
            "occurred": at,
            "partitionkey": stream,
            "received": at,
            "source": source,
            "specversion": "1.0",
            "subject": stream,
            "time": "2020-01-01T00:00:00.000000Z",
            "type": kind,
            "version": version,
            "visibility": visibility,
        }
    )


@dataclass
class SmallLog:
    """A log in memory: the entries, the partition key of each, and the positions that are not everybody's to see."""

    entries: list[bytes] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    hidden: set[int] = field(default_factory=set)

    def add(self, partitionkey: str, data: bytes, *, hidden: bool = False) -> int:
        """Records an entry and returns its position."""
        self.entries.append(data)
        self.keys.append(partitionkey)
        if hidden:
            self.hidden.add(len(self.entries))
        return len(self.entries)

    @classmethod
    def synthetic(cls, cases: int) -> SmallLog:
        """A genesis, so many cases of about ten events with other offices' in between, and an entry for officers only."""
        log = cls()
        example = orjson.loads((CHECKOUT / "tests/vectors/log.created.v1.full.json").read_bytes())
        says = {**example["data"], "kind": "simulation", "origin": ORIGIN}
        log.add("log", entry("log", 1, "log.created.v1", says))
        for batch in synthetic_batches(cases):
            for each in batch.drafts:
                at = BEGUN + timedelta(seconds=len(log.entries))
                log.add(each.partitionkey, filled(each.entry, each.time_at, at))
        log.add("officer-1", entry("officer-1", 1, "officer.appointed.v1", {}, visibility="office"), hidden=True)
        return log

    def map(self, upto: int) -> WholenessMap:
        """The wholeness map of partition keys as of a position."""
        tally = Tally(Kind.PARTITION)
        for key, data in zip(self.keys[:upto], self.entries[:upto], strict=True):
            tally.add(key, leaf_hash(data))
        return tally.map()


@dataclass(frozen=True)
class Choice:
    """What a pack is made of: `partitions` besides `log` (None: all), and what is said of the choice."""

    selection: Mapping[str, str]
    partitions: tuple[str, ...] | None = None
    office: bool = False
    after: int = 3
    """Entries of other cases that are recorded between commitment and making, and behind them."""

    @classmethod
    def of_case(cls, case: str) -> Choice:
        return cls({"kind": "case", "value": case}, (case,))

    @classmethod
    def of_place(cls, place: str, cases: Iterable[str]) -> Choice:
        return cls({"kind": "jurisdiction", "value": place}, tuple(cases))

    @classmethod
    def of_all(cls, *, office: bool = False) -> Choice:
        return cls({"kind": "all"}, None, office)


def make_pack(log: SmallLog, choice: Choice, *, said: Mapping[str, Any] | None = None) -> Files:
    """Records commitment and making, and returns the files of the pack. `said` overrides what the event of the making says."""
    upto = len(log.entries)
    maps = log.map(upto)
    names = sorted({*log.keys} if choice.partitions is None else {"log", *choice.partitions}, key=str.encode)
    ledgers = {
        name: (f"\ufeffposition,covered\r\n{name},1\r\n".encode(), name.encode() * 9) for name in ("case", "claim")
    }
    listed = set(names)
    packed = [position for position in range(1, upto + 1) if log.keys[position - 1] in listed]
    withheld = [] if choice.office else [position for position in packed if position in log.hidden]
    hidden = canonical_bytes(
        {str(at): {"leaf": leaf_hash(log.entries[at - 1]).hex(), "partitionkey": log.keys[at - 1]} for at in withheld}
    )
    head = {"root": maps.head.root.hex(), "size": maps.head.size}
    commitment = {"partitions": head, "streams": head, "upto": upto}
    wholeness = log.add("log", entry("log", 2, "log.wholeness-committed.v1", commitment))
    _meanwhile(log, choice.after)
    making = {
        "cases": len(names) - 1,
        "ledgers": [
            {"csv": sha256_hex(csv), "name": name, "rows": 1, "uncovered": 0, "xlsx": sha256_hex(xlsx)}
            for name, (csv, xlsx) in ledgers.items()
        ],
        "place": "1403",
        "selection": choice.selection,
        "upto": upto,
        "wholeness": wholeness,
        "withheld": sha256_hex(hidden),
        "withoffice": choice.office,
        **(said or {}),
    }
    made = log.add("pack-1", entry("pack-1", 1, "pack.made.v1", making, visibility="office"))
    _meanwhile(log, choice.after)
    packed += [wholeness, made]
    files: Files = {
        "checkpoint": cosigned(log.entries),
        "proof.txt": proof_of(log.entries, packed),
        "positions.txt": runs(packed),
        "entries.jsonl": b"".join(log.entries[at - 1] + b"\n" for at in packed if at not in withheld),
        "withheld.json": hidden,
        "wholeness.json": wholeness_of(maps, names),
        "README.html": b"<!doctype html>",
        "schemas/case.registered.v1.json": b"{}",
    }
    for name, (csv, xlsx) in ledgers.items():
        files[f"ledgers/{name}.csv"], files[f"ledgers/{name}.xlsx"] = csv, xlsx
    return resealed(
        files,
        {
            "entries": len(packed) - len(withheld),
            "format": "qingling/pack/v1",
            "kind": "simulation",
            "language": "zh",
            "made": made,
            "office": choice.office,
            "origin": ORIGIN,
            "partitions": names,
            "selection": dict(choice.selection),
            "size": len(log.entries),
            "upto": upto,
            "wholeness": wholeness,
        },
    )


def _meanwhile(log: SmallLog, count: int) -> None:
    for _ in range(count):
        number = len(log.entries)
        log.add(f"case-other-{number}", entry(f"case-other-{number}", 1, "case.registered.v1", {}))


def cosigned(entries: Sequence[bytes]) -> bytes:
    """The signed checkpoint of these entries, with one cosignature."""
    note = sign_checkpoint(Checkpoint(ORIGIN, len(entries), root_of([leaf_hash(each) for each in entries])), [KEY])
    opened = parse_note(note)
    return with_lines(opened, [WITNESS.signature_line(opened.text, TIME)])


def reader_of(hashes: Sequence[bytes]) -> HashReader:
    """All nodes of a tree, level by level."""
    rows = [list(hashes)]
    while len(rows[-1]) > 1:
        last = rows[-1]
        rows.append([node_hash(last[at], last[at + 1]) for at in range(0, len(last) - 1, 2)])
    return lambda level, index: rows[level][index]


def proof_of(entries: Sequence[bytes], positions: Sequence[int]) -> bytes:
    """proof.txt of these positions."""
    read = reader_of([leaf_hash(each) for each in entries])
    proof = subset_proof([at - 1 for at in positions], len(entries), read)
    return "".join(base64_of(node) + "\n" for node in proof).encode()


def runs(positions: Sequence[int]) -> bytes:
    """positions.txt: rising positions as runs that are as long as they can be."""
    lines: list[list[int]] = []
    for at in positions:
        if lines and at == lines[-1][1] + 1:
            lines[-1][1] = at
        else:
            lines.append([at, at])
    return "".join(f"{first}\n" if first == last else f"{first}-{last}\n" for first, last in lines).encode()


def wholeness_of(maps: WholenessMap, names: Sequence[str]) -> bytes:
    """wholeness.json: the leaves of these names, and the subset proof that joins them to the head of the map."""
    size = maps.head.size
    hashes, leaves = _map_hashes(maps)
    index_of = {leaf[:32]: index for index, leaf in enumerate(leaves)}
    said = sorted((index_of[key_of(name)], name) for name in names)
    return canonical_bytes(
        {
            "partitions": [
                {
                    "entries": int.from_bytes(leaves[index][32:40], "big"),
                    "index": index,
                    "name": name,
                    "root": leaves[index][40:].hex(),
                }
                for index, name in said
            ],
            "proof": [node.hex() for node in subset_proof([index for index, _ in said], size, reader_of(hashes))],
        }
    )


def _map_hashes(maps: WholenessMap) -> tuple[list[bytes], list[bytes]]:
    """Hashes and bytes of the leaves of a map, in its order: docs/proofs.md, "Wholeness map"."""
    leaves = [
        leaf.key + leaf.entries.to_bytes(8, "big") + leaf.root
        for leaf in (maps._leaf(index) for index in range(maps.head.size))
    ]
    return [leaf_hash(b"qingling/wholeness/v1 partition\n" + leaf) for leaf in leaves], leaves


# ----------------------------------------------------------------------------------------------------------------- files


def resealed(files: Files, said: Mapping[str, Any] | None = None) -> Files:
    """The files with a manifest that has their digests; what it says besides is `said`, or what it said."""
    others = {name: data for name, data in files.items() if name != "manifest.json"}
    text = dict(said) if said is not None else orjson.loads(files["manifest.json"])
    text["files"] = {name: {"bytes": len(data), "sha256": sha256_hex(data)} for name, data in others.items()}
    return {"manifest.json": canonical_bytes(text), **others}


def manifest_of(files: Files) -> dict[str, Any]:
    """What the manifest says."""
    loaded: dict[str, Any] = orjson.loads(files["manifest.json"])
    return loaded


def saying(files: Files, **changes: object) -> Files:
    """The files with a manifest that says something else."""
    return resealed(files, {**manifest_of(files), **changes})


@dataclass(frozen=True)
class Member:
    """A member of a zip, with the headers that docs/packs.md asks for."""

    name: bytes
    data: bytes
    packed: bytes
    method: int = 8

    @classmethod
    def of(cls, name: str, data: bytes) -> Member:
        deflate = zlib.compressobj(6, zlib.DEFLATED, -15)
        return cls(name.encode(), data, deflate.compress(data) + deflate.flush())

    def stored(self) -> Member:
        return replace(self, packed=self.data, method=0)

    @property
    def fields(self) -> bytes:
        """From the version needed to the length of the extra field."""
        sizes = (zlib.crc32(self.data), len(self.packed), len(self.data), len(self.name), 0)
        return struct.pack("<HHHHHIIIHH", 20, 0, self.method, 0, 33, *sizes)


def zipped(files: Files | Sequence[Member]) -> bytes:
    """The zip of these files, in their order."""
    members = [Member.of(*each) for each in files.items()] if isinstance(files, dict) else files
    directory = b""
    parts: list[bytes] = []
    at = 0
    for member in members:
        directory += b"PK\x01\x02" + struct.pack("<H", 3 << 8 | 20) + member.fields
        directory += struct.pack("<HHHII", 0, 0, 0, 0o100644 << 16, at) + member.name
        parts.append(b"PK\x03\x04" + member.fields + member.name + member.packed)
        at += len(parts[-1])
    body = b"".join(parts)
    end = struct.pack("<HHHHIIH", 0, 0, len(members), len(members), len(directory), len(body), 0)
    return body + directory + b"PK\x05\x06" + end


def proof_file_of(entries: Sequence[bytes], position: int, *, extra: bytes | None = None) -> ProofFile:
    """The proof of an entry, with its receipt; `extra` stands there instead."""
    leaves = [leaf_hash(each) for each in entries]
    own = Receipt(ORIGIN, position, leaves[position - 1]).text.encode() if extra is None else extra
    path = inclusion_proof(position - 1, len(entries), reader_of(leaves))
    return ProofFile(position - 1, tuple(path), cosigned(entries), own)
