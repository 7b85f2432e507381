"""The files of a pack that are not ledgers, and how they are spelled (docs/packs.md, The formats).

Guarantees: of each content exactly one spelling is accepted, and it is the one that is written. Reading raises `VerificationError`
for anything else, and takes no more memory than the bytes handed over let expect.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Final, Literal

import msgspec

from domain.canonical import canonical_bytes
from domain.errors import VerificationError
from domain.packs.pack import Selection, SelectionKind
from domain.sealing.encoding import base64_of, lines_of, read_decimal, read_hash, read_text
from domain.sealing.sorted_map import JointPresence, MapLeaf, key_of
from domain.sealing.tree import MAX_PATH

FORMAT: Final = "qingling/pack/v1"
MANIFEST: Final = "manifest.json"
CHECKPOINT: Final = "checkpoint"
PROOF: Final = "proof.txt"
POSITIONS: Final = "positions.txt"
ENTRIES: Final = "entries.jsonl"
WITHHELD: Final = "withheld.json"
WHOLENESS: Final = "wholeness.json"
README: Final = "README.html"
FIXED: Final = frozenset({CHECKPOINT, PROOF, POSITIONS, ENTRIES, WITHHELD, WHOLENESS, README})
"""What every pack has beside its manifest, ledgers and schemas."""

LEDGER_FILE: Final = re.compile(r"ledgers/([a-z][a-z_-]*)\.(csv|xlsx)")
SCHEMA_FILE: Final = re.compile(r"schemas/([a-z0-9][a-z0-9.-]*)\.json")
EVIDENCE_FILE: Final = re.compile(r"files/([0-9a-f]{64})(\.json)?")
"""An evidence file as it is stored, and what opens it."""

_RUN: Final = re.compile(r"(0|[1-9][0-9]*)(?:-([1-9][0-9]*))?")
_CANONICAL: Final = msgspec.json.Encoder(order="sorted")
_HEX: Final = re.compile(r"[0-9a-f]{64}")


def ledger_file(name: str, format: str) -> str:
    """Where a ledger stands in the zip."""
    return f"ledgers/{name}.{format}"


def schema_file(event_type: str) -> str:
    """Where the schema of an event type stands in the zip."""
    return f"schemas/{event_type}.json"


def evidence_file(sha256: str) -> str:
    """Where an evidence file stands in the zip, sealed."""
    return f"files/{sha256}"


def opening_file(sha256: str) -> str:
    """Where that stands in the zip which opens it."""
    return f"files/{sha256}.json"


# ------------------------------------------------------------------------------------------------------------ manifest


class File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Size in bytes, and SHA-256 in hexadecimal."""

    bytes: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a pack says of itself. `partitions` are sorted; `files` are all but the manifest."""

    format: str
    origin: str
    kind: Literal["real", "simulation"]
    language: Literal["zh", "en"]
    selection: Selection
    upto: int
    wholeness: int
    made: int
    size: int
    entries: int
    partitions: list[str]
    office: bool
    files: dict[str, File]

    @property
    def data(self) -> bytes:
        """The bytes of `manifest.json`."""
        return canonical_bytes(msgspec.to_builtins(self))


def parse_manifest(data: bytes) -> Manifest:
    """Reads `manifest.json`. That its files are so is not checked yet.

    Raises:
        VerificationError: it is not exactly of its form.
    """
    try:
        manifest = msgspec.json.decode(data, type=Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise VerificationError(f"{MANIFEST}: {error}") from None
    if manifest.format != FORMAT:
        raise VerificationError(f"{MANIFEST}: its format is {manifest.format[:50]!r}; this release reads {FORMAT}")
    _require_canonical(manifest, data, MANIFEST)
    _check_numbers(manifest)
    _check_selection(manifest.selection)
    _check_files(manifest.files)
    if any(name.encode() >= after.encode() for name, after in pairwise(manifest.partitions)):
        raise VerificationError(f"{MANIFEST}: the partitions are not in rising order")
    return manifest


def _require_canonical(found: object, data: bytes, name: str) -> None:
    """That data is spelled as RFC 8785 says. With ASCII keys and integers only, that is its one encoding with sorted keys."""
    if _CANONICAL.encode(found) != data:
        raise VerificationError(f"{name}: it is not canonical JSON")


def _check_numbers(manifest: Manifest) -> None:
    for name in ("upto", "wholeness", "made", "size", "entries"):
        if getattr(manifest, name) < 1:
            raise VerificationError(f"{MANIFEST}: {name} is not a number from 1 on")


def _check_selection(selection: Selection) -> None:
    valued = selection.value is not None
    spans = selection.first is not None and selection.last is not None
    fits = {SelectionKind.RECEIVED: not valued and spans, SelectionKind.ALL: not valued and selection.first is None}
    single = valued and selection.first is None and selection.last is None
    if not fits.get(selection.kind, single) or (selection.kind is SelectionKind.ALL and selection.last is not None):
        raise VerificationError(f"{MANIFEST}: a selection by {selection.kind} does not have just these members")


def _check_files(files: Mapping[str, File]) -> None:
    for name, file in files.items():
        if name not in FIXED and not any(form.fullmatch(name) for form in (LEDGER_FILE, SCHEMA_FILE, EVIDENCE_FILE)):
            raise VerificationError(f"{MANIFEST}: {name!r} is no file of a pack")
        if file.bytes < 0 or not _HEX.fullmatch(file.sha256):
            raise VerificationError(f"{MANIFEST}: size or digest of {name} cannot be those of a file")
    if missing := sorted(FIXED - files.keys()):
        raise VerificationError(f"{MANIFEST}: it does not name {', '.join(missing)}")


# ----------------------------------------------------------------------------------------------------------- positions


def print_positions(positions: Iterable[int]) -> Iterator[bytes]:
    """The lines of `positions.txt`, for positions that rise."""
    first = last = 0
    for position in positions:
        if position != last + 1 or not first:
            if first:
                yield _run(first, last)
            first = position
        last = position
    if first:
        yield _run(first, last)


def _run(first: int, last: int) -> bytes:
    return f"{first}\n".encode() if first == last else f"{first}-{last}\n".encode()


def parse_positions(data: bytes, count: int) -> list[int]:
    """Reads `positions.txt`, which must say `count` positions.

    Raises:
        VerificationError: it is not of its form, or says more or fewer.
    """
    runs = list(_runs(data))
    said = sum(last - first + 1 for first, last in runs)
    if said != count:
        raise VerificationError(f"{POSITIONS}: it names {said} positions; the pack has entries for {count}")
    return [position for first, last in runs for position in range(first, last + 1)]


def _runs(data: bytes) -> Iterator[tuple[int, int]]:
    before = -1
    for number, line in enumerate(lines_of(read_text(data, POSITIONS), POSITIONS), start=1):
        match = _RUN.fullmatch(line)
        first = read_decimal(match[1], f"{POSITIONS}, line {number}") if match else 0
        last = read_decimal(match[2], f"{POSITIONS}, line {number}") if match and match[2] else first
        if not match or first < max(1, before + 2) or (match[2] and last <= first):
            raise VerificationError(
                f"{POSITIONS}, line {number}: {line[:50]!r} is no position or run behind those before"
            )
        yield first, last
        before = last


# --------------------------------------------------------------------------------------------------------------- proof


def print_proof(proof: Sequence[bytes]) -> bytes:
    """The bytes of `proof.txt`."""
    return "".join(f"{base64_of(node)}\n" for node in proof).encode()


def parse_proof_lines(data: bytes) -> list[bytes]:
    """Reads `proof.txt`.

    Raises:
        VerificationError: it is not of its form.
    """
    if not data:
        return []
    lines = lines_of(read_text(data, PROOF), PROOF)
    return [read_hash(line, f"{PROOF}, line {number}") for number, line in enumerate(lines, start=1)]


# ------------------------------------------------------------------------------------------------------------ withheld


class Withheld(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An entry that may not be shown: its leaf hash in hexadecimal, and whose it is."""

    leaf: str
    partitionkey: str


def print_withheld(withheld: Mapping[int, Withheld]) -> bytes:
    """The bytes of `withheld.json`."""
    return canonical_bytes({str(position): msgspec.to_builtins(each) for position, each in withheld.items()})


def parse_withheld(data: bytes) -> dict[int, Withheld]:
    """Reads `withheld.json`; positions rise.

    Raises:
        VerificationError: it is not exactly of its form.
    """
    try:
        found = msgspec.json.decode(data, type=dict[str, Withheld])
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise VerificationError(f"{WITHHELD}: {error}") from None
    _require_canonical(found, data, WITHHELD)
    for position, each in found.items():
        if read_decimal(position, f"{WITHHELD}: a position") < 1 or not _HEX.fullmatch(each.leaf):
            raise VerificationError(f"{WITHHELD}: position {position} has no leaf hash, or is none")
    return {int(position): found[position] for position in sorted(found, key=int)}


# ----------------------------------------------------------------------------------------------------------- wholeness


class _Partition(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    index: int
    entries: int
    root: str


class _Wholeness(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    partitions: list[_Partition]
    proof: list[str]


def print_wholeness(names: Iterable[str], presence: JointPresence) -> bytes:
    """The bytes of `wholeness.json`: what a map says of these names, by one proof."""
    by_key = {key_of(name): name for name in names}
    partitions = [_Partition(by_key[leaf.key], index, leaf.entries, leaf.root.hex()) for index, leaf in presence.leaves]
    return canonical_bytes(msgspec.to_builtins(_Wholeness(partitions, [node.hex() for node in presence.proof])))


def parse_wholeness(data: bytes) -> tuple[list[str], JointPresence]:
    """Reads `wholeness.json`: names in order of their indexes, and the proof of their leaves.

    Raises:
        VerificationError: it is not exactly of its form.
    """
    try:
        found = msgspec.json.decode(data, type=_Wholeness)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise VerificationError(f"{WHOLENESS}: {error}") from None
    _require_canonical(found, data, WHOLENESS)
    for text in (*found.proof, *(each.root for each in found.partitions)):
        if not _HEX.fullmatch(text):
            raise VerificationError(f"{WHOLENESS}: {text[:70]!r} is no hash")
    if len(found.proof) > MAX_PATH * max(1, len(found.partitions)):
        raise VerificationError(f"{WHOLENESS}: its proof is longer than any")
    leaves = [
        (each.index, MapLeaf(key_of(each.name), each.entries, bytes.fromhex(each.root))) for each in found.partitions
    ]
    proof = [bytes.fromhex(node) for node in found.proof]
    return [each.name for each in found.partitions], JointPresence(tuple(leaves), tuple(proof))
