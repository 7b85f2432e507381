"""The zip of a pack: written in one way, and read in no other (docs/packs.md, The zip).

Guarantees: all that a header could say besides a member's name, sizes and CRC is fixed, and nothing stands before, between or
behind, so that no two programs can see different things in one file. Reading never takes more memory than asked for: a member is
inflated piece by piece, and no further than the size that it declares.
"""

from __future__ import annotations

import os
import re
import struct
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Final, Self

from domain.errors import InputError, VerificationError

_LOCAL: Final = struct.Struct("<4s5H3I2H")
_CENTRAL: Final = struct.Struct("<4s6H3I5H2I")
_END: Final = struct.Struct("<4s4H2IH")
_CRC_AT: Final = 14
_VERSION: Final = 20
_MADE_BY: Final = 3 << 8 | _VERSION  # Unix
_DEFLATED: Final = 8
_MIDNIGHT: Final = 0
_FIRST_DAY: Final = 1 << 5 | 1  # 1980-01-01, the first that a zip can say
_REGULAR: Final = 0o100644 << 16
_LIMIT: Final = 0xFFFF_FFFF
_NAME: Final = re.compile(rb"[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)?")
_LONGEST_NAME: Final = 200
_MOST_MEMBERS: Final = 10_000
_PIECE: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Member:
    """A file in the zip. `packed` and `size` in bytes; `at` is where its deflated bytes begin."""

    name: str
    crc: int
    packed: int
    size: int
    at: int


def _local_header(name: bytes, crc: int, packed: int, size: int) -> bytes:
    fixed = (b"PK\x03\x04", _VERSION, 0, _DEFLATED, _MIDNIGHT, _FIRST_DAY)
    return _LOCAL.pack(*fixed, crc, packed, size, len(name), 0) + name


def _central_header(name: bytes, crc: int, packed: int, size: int, offset: int) -> bytes:
    fixed = (b"PK\x01\x02", _MADE_BY, _VERSION, 0, _DEFLATED, _MIDNIGHT, _FIRST_DAY)
    return _CENTRAL.pack(*fixed, crc, packed, size, len(name), 0, 0, 0, 0, _REGULAR, offset) + name


def _end_record(members: int, size: int, offset: int) -> bytes:
    return _END.pack(b"PK\x05\x06", 0, 0, members, members, size, offset, 0)


# ------------------------------------------------------------------------------------------------------------- writing


class ArchiveWriter:
    """Writes a zip into an empty file that can be sought in."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._directory: list[bytes] = []

    def add(self, name: str, pieces: Iterable[bytes]) -> None:
        """Adds a member.

        Raises:
            InputError: the zip would reach 4 GiB.
        """
        encoded, offset = name.encode("ascii"), self._file.tell()
        self._file.write(_local_header(encoded, 0, 0, 0))
        deflating = zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS)
        crc = size = 0
        for piece in pieces:
            crc, size = zlib.crc32(piece, crc), size + len(piece)
            self._file.write(deflating.compress(piece))
        self._file.write(deflating.flush())
        end = self._file.tell()
        packed = end - offset - _LOCAL.size - len(encoded)
        if max(size, end) >= _LIMIT:
            raise InputError("a pack and every file in it stay below 4 GiB; choose fewer cases", rule="pack-size")
        self._file.seek(offset)
        self._file.write(_local_header(encoded, crc, packed, size))
        self._file.seek(end)
        self._directory.append(_central_header(encoded, crc, packed, size, offset))

    def finish(self) -> None:
        """Writes the directory; the zip is whole."""
        offset, directory = self._file.tell(), b"".join(self._directory)
        self._file.write(directory + _end_record(len(self._directory), len(directory), offset))


def pieces_of(file: Path) -> Iterator[bytes]:
    """The bytes of a file, piece by piece."""
    with file.open("rb") as source:
        while piece := source.read(_PIECE):
            yield piece


# ------------------------------------------------------------------------------------------------------------- reading


class Archive:
    """An open zip. What is read is as the writer above would have written it, or refused."""

    def __init__(self, path: Path) -> None:
        """Opens a zip and reads its directory.

        Raises:
            VerificationError: it is no zip, or not written in this way.
            InputError: the file cannot be read.
        """
        try:
            self._file = path.open("rb")
        except OSError as error:
            raise InputError(f"cannot read {path}: {error.strerror}", rule="readable") from error
        try:
            self.members = {member.name: member for member in _directory(self._file)}
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def pieces(self, name: str) -> Iterator[bytes]:
        """The bytes of a member, piece by piece.

        Raises:
            VerificationError: they are not of the size and CRC declared, or not deflated well.
        """
        member = self.members[name]
        inflating = zlib.decompressobj(-zlib.MAX_WBITS)
        at, left, crc, size = member.at, member.packed, 0, 0
        while not inflating.eof:
            waiting = inflating.unconsumed_tail
            if not waiting:
                self._file.seek(at)
                waiting = self._file.read(min(_PIECE, left))
                at, left = at + len(waiting), left - len(waiting)
            piece = _inflated(inflating, waiting, name)
            if not piece and not waiting:
                raise VerificationError(f"{name}: the zip ends within it")
            crc, size = zlib.crc32(piece, crc), size + len(piece)
            if size > member.size:
                raise VerificationError(f"{name}: it inflates to more than the {member.size} bytes that it declares")
            yield piece
        if left or inflating.unused_data or inflating.unconsumed_tail:
            raise VerificationError(f"{name}: bytes stand behind its end")
        if size != member.size or crc != member.crc:
            raise VerificationError(f"{name}: size or CRC are not those that it declares")

    def read(self, name: str, most: int) -> bytes:
        """All bytes of a member of at most `most` bytes.

        Raises:
            VerificationError: it is larger, or damaged.
        """
        if self.members[name].size > most:
            raise VerificationError(f"{name}: {self.members[name].size} bytes are more than a pack can need ({most})")
        return b"".join(self.pieces(name))


def _inflated(inflating: zlib._Decompress, waiting: bytes, name: str) -> bytes:
    try:
        return inflating.decompress(waiting, _PIECE)
    except zlib.error:
        raise VerificationError(f"{name}: it is not deflated well") from None


def _directory(file: BinaryIO) -> list[Member]:
    length = file.seek(0, os.SEEK_END)
    if length < _END.size:
        raise VerificationError("this is no zip: it is too short")
    end = _at(file, length - _END.size, _END.size)
    count, size, offset = _END.unpack(end)[4:7]
    if end != _end_record(count, size, offset) or offset + size + _END.size != length:
        raise VerificationError(
            "this is no zip as packs are written: cut short, something behind its end, or a comment"
        )
    if count > _MOST_MEMBERS or size > count * (_CENTRAL.size + _LONGEST_NAME):
        raise VerificationError(f"the zip has {count} members and a directory of {size} bytes; no pack has")
    directory = _at(file, offset, size)
    members: list[Member] = []
    read, expected = 0, 0
    for number in range(1, count + 1):
        if expected > offset:
            raise VerificationError(f"member {number} of the zip begins behind the zip's directory")
        member, read = _member(directory, read, expected, number)
        name = member.name.encode()
        if _at(file, expected, member.at - expected) != _local_header(name, member.crc, member.packed, member.size):
            raise VerificationError(f"{member.name}: its header is not what the zip's directory says")
        expected = member.at + member.packed
        members.append(member)
    if read != size or expected != offset:
        raise VerificationError("the zip holds bytes that belong to no member")
    if len({member.name for member in members}) < count:
        raise VerificationError("the zip holds two members of one name")
    return members


def _member(directory: bytes, at: int, offset: int, number: int) -> tuple[Member, int]:
    """A member of the directory, whose header must stand at `offset`, and where the next one begins."""
    if len(directory) < at + _CENTRAL.size:
        raise VerificationError(f"member {number} of the zip: its directory ends too early")
    fields = _CENTRAL.unpack_from(directory, at)
    crc, packed, size, length = fields[7:11]
    end = at + _CENTRAL.size + length
    name = directory[at + _CENTRAL.size : end]
    if length > _LONGEST_NAME or not _NAME.fullmatch(name):
        raise VerificationError(f"member {number} of the zip: {name[:_LONGEST_NAME]!r} is no name of a pack's file")
    if directory[at:end] != _central_header(name, crc, packed, size, offset):
        raise VerificationError(
            f"{name.decode()}: the zip's directory says something of it that a pack's does not (another method, encryption,"
            " a link, a time, or another place)"
        )
    return Member(name.decode(), crc, packed, size, offset + _LOCAL.size + length), end


def _at(file: BinaryIO, offset: int, size: int) -> bytes:
    file.seek(offset)
    return file.read(size)
