"""What the tests of the provable log share: keys, small logs, RFC 6962 read literally, and mutations."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from hashlib import sha256

from domain.sealing.checkpoint import Checkpoint, sign_checkpoint
from domain.sealing.cosignature import Cosigner, with_lines
from domain.sealing.note import SigningKey, parse_note
from domain.sealing.tree import HashReader, leaf_hash, root_of

SEED = bytes(range(32))
LOG = SigningKey("audit.example.org/log1", SEED)
WITNESS = Cosigner("witness.example.org/w1", bytes(range(32, 64)))
SECOND_WITNESS = Cosigner("witness.example.org/w2", bytes(range(64, 96)))
TIME = 1_767_225_600


def entries(count: int) -> list[bytes]:
    """Distinct entries."""
    return [f"entry {number}".encode() for number in range(count)]


def leaves(count: int) -> list[bytes]:
    """Distinct leaf hashes."""
    return [leaf_hash(entry) for entry in entries(count)]


def reader_of(hashes: Sequence[bytes]) -> HashReader:
    """Nodes of a tree of these leaf hashes."""

    @cache
    def read(level: int, index: int) -> bytes:
        return literal_root(hashes[index << level : (index + 1) << level])

    return read


def literal_root(hashes: Sequence[bytes]) -> bytes:
    """MTH as RFC 6962 section 2.1 defines it."""
    if len(hashes) < 2:
        return hashes[0] if hashes else sha256(b"").digest()
    split = literal_split(len(hashes))
    return sha256(b"\x01" + literal_root(hashes[:split]) + literal_root(hashes[split:])).digest()


def literal_split(count: int) -> int:
    """The largest power of two strictly smaller than `count`."""
    split = 1
    while split * 2 < count:
        split *= 2
    return split


def literal_path(index: int, hashes: Sequence[bytes]) -> list[bytes]:
    """PATH as RFC 6962 section 2.1.1 defines it."""
    if len(hashes) == 1:
        return []
    split = literal_split(len(hashes))
    if index < split:
        return [*literal_path(index, hashes[:split]), literal_root(hashes[split:])]
    return [*literal_path(index - split, hashes[split:]), literal_root(hashes[:split])]


def literal_subproof(old: int, hashes: Sequence[bytes], whole: bool) -> list[bytes]:
    """SUBPROOF as RFC 6962 section 2.1.2 defines it."""
    if old == len(hashes):
        return [] if whole else [literal_root(hashes)]
    split = literal_split(len(hashes))
    if old <= split:
        return [*literal_subproof(old, hashes[:split], whole), literal_root(hashes[split:])]
    return [*literal_subproof(old - split, hashes[split:], False), literal_root(hashes[:split])]


def signed(hashes: Sequence[bytes], *, cosigners: Sequence[Cosigner] = (), key: SigningKey = LOG) -> bytes:
    """The signed checkpoint of a log of these leaf hashes."""
    note = parse_note(sign_checkpoint(Checkpoint(key.name, len(hashes), root_of(hashes)), [key]))
    return with_lines(note, [cosigner.signature_line(note.text, TIME) for cosigner in cosigners])


def bit_flips(data: bytes) -> Iterator[bytes]:
    """Every sequence of bytes that differs in one bit."""
    for bit in range(len(data) * 8):
        flipped = bytearray(data)
        flipped[bit // 8] ^= 1 << bit % 8
        yield bytes(flipped)


def lengths(data: bytes) -> Iterator[bytes]:
    """Every prefix, `data` without each of its bytes, and with each byte doubled."""
    for at in range(len(data)):
        yield data[:at]
        yield data[:at] + data[at + 1 :]
        yield data[: at + 1] + data[at:]


def all_mutations(data: bytes) -> Iterator[bytes]:
    """Bit flips and changes of length, those left out that happen to change nothing."""
    for make in (bit_flips, lengths):
        yield from (mutated for mutated in make(data) if mutated != data)


def wrong_paths(path: Sequence[bytes], flips: Callable[[bytes], Iterator[bytes]] = bit_flips) -> Iterator[object]:
    """Proofs that differ from a good one, in every hash, in length, order and type."""
    good = list(path)
    for at, node in enumerate(good):
        yield from ([*good[:at], wrong, *good[at + 1 :]] for wrong in flips(node))
        yield [*good[:at], *good[at + 1 :]]
        yield [*good[: at + 1], *good[at:]]
        yield [*good[:at], node[:-1], *good[at + 1 :]]
        yield [*good[:at], node + b"\x00", *good[at + 1 :]]
        yield [*good[:at], node.hex(), *good[at + 1 :]]
        yield [*good[:at], None, *good[at + 1 :]]
    if len(set(good)) > 1:
        yield good[::-1]
    yield [*good, bytes(32)]
    yield [bytes(32), *good]
    yield [bytes(32)] * 64
    yield from (None, 7, b"".join(good), "path", {"path": good}, iter(good))
