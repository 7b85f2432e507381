"""Office files, known from what is in them; archives that unfold beyond measure, hide anything or carry macros are refused. Pure.

An archive is admitted only if every member is stored or deflated, in clear, no two lie over each other, each unfolds to exactly the
size that the directory says, and all together stay within `UNFOLDED_BYTES`. Members are unfolded for this in pieces and thrown away.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from typing import Final

from domain.errors import InputError
from domain.evidence.media import MIB

UNFOLDED_BYTES: Final = 200 * MIB
"""What all members of an archive may unfold to."""
MEMBERS: Final = 4_096
_TYPES_BYTES: Final = MIB
_PIECE: Final = 256 * 1_024

_ZIP: Final = b"PK\x03\x04"
_OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_MAIN_PARTS: Final = (
    (b"spreadsheetml.sheet.main+xml", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    (b"wordprocessingml.document.main+xml", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
)
_ODF: Final = ("application/vnd.oasis.opendocument.spreadsheet", "application/vnd.oasis.opendocument.text")
_OLE_STREAMS: Final = (
    ("Workbook", "application/vnd.ms-excel"),
    ("Book", "application/vnd.ms-excel"),
    ("WordDocument", "application/msword"),
)
_OLE_SECTOR: Final = 512
_OLE_ENTRY: Final = 128


def is_container(head: bytes) -> bool:
    """Whether a file that begins so has to be looked into."""
    return head.startswith((_ZIP, _OLE))


def media_type(content: bytes) -> str:
    """The media type of an office file.

    Raises:
        InputError: it is no office file that is allowed (`evidence-type`), or an archive that is unsound (`archive`).
    """
    return _of_archive(content) if content.startswith(_ZIP) else _of_ole(content)


def _of_archive(content: bytes) -> str:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = archive.infolist()
            _refuse_bombs(content, members)
            return _office_type(archive, {member.filename: member for member in members})
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, NotImplementedError) as error:
        raise _unsound("is damaged") from error


def _refuse_bombs(content: bytes, members: list[zipfile.ZipInfo]) -> None:
    if len(members) > MEMBERS:
        raise _unsound(f"has more than {MEMBERS} members")
    if sum(member.file_size for member in members) > UNFOLDED_BYTES:
        raise _unsound(f"unfolds to more than {UNFOLDED_BYTES // MIB} MiB")
    end = 0
    for member in sorted(members, key=lambda each: each.header_offset):
        if member.flag_bits & 1:
            raise _unsound("is protected by a password")
        if member.header_offset < end:
            raise _unsound("has members that lie over each other")
        begin = _data_begin(content, member)
        end = begin + member.compress_size
        if end > len(content) or not _unfolds_as_said(memoryview(content)[begin:end], member):
            raise _unsound(f"says {member.file_size} bytes of a member that are not so many")


def _data_begin(content: bytes, member: zipfile.ZipInfo) -> int:
    """Where a member's data begin: after the local header, whose name and extra field may differ from the directory's."""
    local = content[member.header_offset : member.header_offset + 30]
    if len(local) < 30 or not local.startswith(_ZIP):
        raise _unsound("is damaged")
    return member.header_offset + 30 + int.from_bytes(local[26:28], "little") + int.from_bytes(local[28:30], "little")


def _unfolds_as_said(data: memoryview, member: zipfile.ZipInfo) -> bool:
    if member.compress_type == zipfile.ZIP_STORED:
        return len(data) == member.file_size
    if member.compress_type != zipfile.ZIP_DEFLATED:
        return False
    unfolding, unfolded = zlib.decompressobj(-15), 0
    for at in range(0, len(data), _PIECE):
        left = bytes(data[at : at + _PIECE])
        while left:
            unfolded += len(unfolding.decompress(left, _PIECE))
            left = unfolding.unconsumed_tail
            if unfolded > member.file_size or unfolding.unused_data:
                return False
    return unfolding.eof and unfolded == member.file_size


def _office_type(archive: zipfile.ZipFile, members: dict[str, zipfile.ZipInfo]) -> str:
    if (types := members.get("[Content_Types].xml")) is not None:
        return _open_xml(_small(archive, types))
    if (mimetype := members.get("mimetype")) is not None:
        named = _small(archive, mimetype).decode("ascii", "replace").strip()
        if named in _ODF:
            return named
    if "OFD.xml" in members:
        return "application/ofd"
    raise _not_allowed("an archive")


def _open_xml(types: bytes) -> str:
    if b"macroEnabled" in types or b"vbaProject" in types:
        raise _not_allowed("an office file with macros")
    for part, media in _MAIN_PARTS:
        if part in types:
            return media
    raise _not_allowed("an office file of this kind")


def _small(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    if member.file_size > _TYPES_BYTES:
        raise _unsound("has a table of contents that is too large")
    return archive.read(member)


def _of_ole(content: bytes) -> str:
    if _has_entry(content, "EncryptedPackage"):
        raise InputError("the office file is protected by a password", field="file", rule="archive")
    if _has_entry(content, "_VBA_PROJECT"):
        raise _not_allowed("an office file with macros")
    for stream, media in _OLE_STREAMS:
        if _has_entry(content, stream):
            return media
    raise _not_allowed("a container that is neither a workbook nor a document")


def _has_entry(content: bytes, name: str) -> bool:
    """Whether a directory entry of that name is there: entries lie at multiples of their size ([MS-CFB] 2.6.1)."""
    wanted = (name + "\0").encode("utf-16-le")
    at = content.find(wanted, _OLE_SECTOR)
    while at >= 0:
        length = int.from_bytes(content[at + 64 : at + 66], "little")
        if (at - _OLE_SECTOR) % _OLE_ENTRY == 0 and length == len(wanted):
            return True
        at = content.find(wanted, at + 1)
    return False


def _unsound(why: str) -> InputError:
    return InputError(f"the office file {why}", field="file", rule="archive")


def _not_allowed(what: str) -> InputError:
    return InputError(f"{what} is not taken as evidence", field="file", rule="evidence-type")
