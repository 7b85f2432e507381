"""A pack taken apart: rule 1, that the zip is exactly what its manifest says.

Guarantees: once a `PackReader` is open, every byte of every file has been read, counted and digested as the manifest says, and every
file is of its form. Nothing in it is believed yet. Memory: 32 bytes and some for each entry, none for the entries themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from domain.errors import VerificationError
from domain.recording import MAX_ENTRY
from domain.sealing.note import MAX_NOTE
from infra.packs.archive import Archive
from infra.packs.layout import (
    CHECKPOINT,
    ENTRIES,
    LEDGER_FILE,
    MANIFEST,
    POSITIONS,
    PROOF,
    WHOLENESS,
    WITHHELD,
    Manifest,
    parse_manifest,
    parse_positions,
    parse_proof_lines,
    parse_wholeness,
    parse_withheld,
)

_MOST: Final = 2**28
"""Bytes of the largest file that is held in memory as a whole."""
_SHORTEST: Final = len(b"{}\n")

Progress = Callable[[int, int], None]
"""Told how many bytes of how many were read."""
Look = Callable[[Manifest, Sequence[bytes]], None]
"""Shown all entries, some at a time and in order, while they are read for rule 1. What is wrong with them it says later."""


class PackReader:
    """An open pack. `leaves` are the leaf hashes at `positions`, which rise; `shown` are those that are not withheld."""

    def __init__(self, path: Path, progress: Progress | None = None, look: Look | None = None) -> None:
        """Opens a pack and checks rule 1.

        Raises:
            VerificationError: it is no pack, or not exactly what its manifest says.
            InputError: the file cannot be read.
        """
        self._progress = progress
        self._look = look
        self._archive = Archive(path)
        try:
            self.manifest = self._manifest()
            self._read_all()
        except BaseException:
            self._archive.__exit__(None, None, None)
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._archive.__exit__(kind, error, trace)

    @property
    def ledgers(self) -> list[str]:
        """Names of the ledgers that there are files of."""
        found = (LEDGER_FILE.fullmatch(name) for name in self.manifest.files)
        return sorted({match[1] for match in found if match})

    def entries(self) -> Iterator[bytes]:
        """The shown entries, in order of their positions."""
        return chain.from_iterable(_lines(self._archive.pieces(ENTRIES)))

    def pieces(self, name: str) -> Iterator[bytes]:
        """The bytes of a file, piece by piece."""
        return self._archive.pieces(name)

    def bytes_of(self, name: str) -> bytes:
        """The bytes of a file.

        Raises:
            VerificationError: there is none of that name, or it is too large to be held.
        """
        if name not in self.manifest.files:
            raise VerificationError(f"{name} is not in the pack")
        return self._archive.read(name, _MOST)

    def _manifest(self) -> Manifest:
        names = list(self._archive.members)
        if not names or names[0] != MANIFEST:
            raise VerificationError(f"the first file of a pack is {MANIFEST}")
        manifest = parse_manifest(self._archive.read(MANIFEST, _MOST))
        found, named = set(names[1:]), set(manifest.files)
        if missing := sorted(named - found):
            raise VerificationError(f"{missing[0]} is named by the manifest and missing from the zip")
        if further := sorted(found - named):
            raise VerificationError(f"{further[0]} is in the zip and not named by the manifest")
        for name, file in manifest.files.items():
            if self._archive.members[name].size != file.bytes:
                raise VerificationError(
                    f"{name}: it has {self._archive.members[name].size} bytes; the manifest says {file.bytes}"
                )
        if manifest.entries * _SHORTEST > manifest.files[ENTRIES].bytes:
            raise VerificationError(f"{ENTRIES}: it is too short for the {manifest.entries} entries of the manifest")
        return manifest

    def _read_all(self) -> None:
        self._read, self._total = 0, sum(file.bytes for file in self.manifest.files.values())
        for name in self.manifest.files:
            if name != ENTRIES:
                for _ in self._digested(name):
                    pass
        leaves = self._leaves_of_shown()
        self.withheld = parse_withheld(self.bytes_of(WITHHELD))
        self.positions = parse_positions(self.bytes_of(POSITIONS), len(leaves) + len(self.withheld))
        self.checkpoint = self._archive.read(CHECKPOINT, MAX_NOTE)
        self.proof = parse_proof_lines(self.bytes_of(PROOF))
        self.partitions, self.presence = parse_wholeness(self.bytes_of(WHOLENESS))
        self.shown: Sequence[int] = self.positions
        self.leaves = leaves
        if self.withheld:
            self._put_in_withheld(leaves)

    def _leaves_of_shown(self) -> list[bytes]:
        """The leaf hash of each line of entries.jsonl, and the check of its digest, in one reading."""
        leaves: list[bytes] = []
        for lines in _lines(self._digested(ENTRIES)):
            leaves += [sha256(b"\x00" + line).digest() for line in lines]
            if len(leaves) > self.manifest.entries:
                break
            if self._look is not None:
                self._look(self.manifest, lines)
        if len(leaves) != self.manifest.entries:
            raise VerificationError(f"{ENTRIES}: it does not have the {self.manifest.entries} lines of the manifest")
        return leaves

    def _digested(self, name: str) -> Iterator[bytes]:
        digest = sha256()
        for piece in self._archive.pieces(name):
            digest.update(piece)
            self._read += len(piece)
            if self._progress is not None:
                self._progress(self._read, self._total)
            yield piece
        if digest.hexdigest() != self.manifest.files[name].sha256:
            raise VerificationError(f"{name}: its digest is not the one of the manifest")

    def _put_in_withheld(self, leaves: Sequence[bytes]) -> None:
        known = set(self.positions)
        for position in self.withheld:
            if position not in known or position > self.manifest.upto:
                raise VerificationError(f"{WITHHELD}: position {position} is none of those packed up to the pack's")
        self.shown = [position for position in self.positions if position not in self.withheld]
        shown = iter(leaves)
        self.leaves = [
            bytes.fromhex(self.withheld[position].leaf) if position in self.withheld else next(shown)
            for position in self.positions
        ]


def _lines(pieces: Iterator[bytes]) -> Iterator[list[bytes]]:
    """The lines of entries.jsonl, as many at a time as come."""
    rest = b""
    for piece in pieces:
        lines = (rest + piece).split(b"\n")
        rest = lines.pop()
        if len(rest) > MAX_ENTRY or max(map(len, lines), default=0) > MAX_ENTRY:
            raise VerificationError(f"{ENTRIES}: a line has more than the {MAX_ENTRY} bytes that an entry may have")
        yield lines
    if rest:
        raise VerificationError(f"{ENTRIES}: its last line is not ended")
