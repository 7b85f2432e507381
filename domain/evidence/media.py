"""Which kinds of file may be evidence, how large, and how a kind is known from the first bytes alone, never from the name.

What cannot be told from its beginning (office files, which are archives or OLE containers, and plain text) is decided in `office.py`
and `text.py` from the whole file; those kinds are small.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

MIB: Final = 1_048_576
HEAD_BYTES: Final = 4_096
"""As much of a file's beginning as `of_head` wants to see."""


class EvidenceKind(StrEnum):
    """What an evidence file is."""

    PHOTO = "photo"
    PDF = "pdf"
    OFFICE = "office"
    TEXT = "text"
    AUDIO = "audio"
    VIDEO = "video"


LIMITS: Final[Mapping[EvidenceKind, int]] = {
    EvidenceKind.PHOTO: 20 * MIB,
    EvidenceKind.PDF: 50 * MIB,
    EvidenceKind.OFFICE: 20 * MIB,
    EvidenceKind.TEXT: 20 * MIB,
    EvidenceKind.AUDIO: 200 * MIB,
    EvidenceKind.VIDEO: 512 * MIB,
}
"""Bytes that a file of each kind may have."""

KINDS: Final[Mapping[str, EvidenceKind]] = {
    "image/jpeg": EvidenceKind.PHOTO,
    "image/png": EvidenceKind.PHOTO,
    "image/webp": EvidenceKind.PHOTO,
    "image/heic": EvidenceKind.PHOTO,
    "application/pdf": EvidenceKind.PDF,
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": EvidenceKind.OFFICE,
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": EvidenceKind.OFFICE,
    "application/vnd.oasis.opendocument.spreadsheet": EvidenceKind.OFFICE,
    "application/vnd.oasis.opendocument.text": EvidenceKind.OFFICE,
    "application/ofd": EvidenceKind.OFFICE,
    "application/vnd.ms-excel": EvidenceKind.OFFICE,
    "application/msword": EvidenceKind.OFFICE,
    "text/plain": EvidenceKind.TEXT,
    "text/csv": EvidenceKind.TEXT,
    "audio/mpeg": EvidenceKind.AUDIO,
    "audio/aac": EvidenceKind.AUDIO,
    "audio/amr": EvidenceKind.AUDIO,
    "audio/mp4": EvidenceKind.AUDIO,
    "audio/ogg": EvidenceKind.AUDIO,
    "audio/wav": EvidenceKind.AUDIO,
    "video/mp4": EvidenceKind.VIDEO,
    "video/3gpp": EvidenceKind.VIDEO,
    "video/quicktime": EvidenceKind.VIDEO,
    "video/webm": EvidenceKind.VIDEO,
    "video/x-msvideo": EvidenceKind.VIDEO,
}
"""The media types that may come in."""

SHOWN_SMALL: Final = frozenset({"image/jpeg", "image/png", "image/webp"})
"""Media types of which thumbnails are made."""

_BEGINNINGS: Final = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"%PDF-", "application/pdf"),
    (b"ID3", "audio/mpeg"),
    (b"#!AMR", "audio/amr"),
    (b"OggS", "audio/ogg"),
)
_RIFF: Final = {b"WEBP": "image/webp", b"WAVE": "audio/wav", b"AVI ": "video/x-msvideo"}
_BRANDS: Final = (
    ("image/heic", {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx"}),
    ("audio/mp4", {b"M4A ", b"M4B "}),
    ("video/quicktime", {b"qt  "}),
    ("video/3gpp", {b"3gp4", b"3gp5", b"3gp6", b"3gp7", b"3g2a", b"3ge6", b"3gg6"}),
    ("video/mp4", {b"isom", b"iso2", b"iso4", b"iso5", b"iso6", b"mp41", b"mp42", b"avc1", b"M4V ", b"MSNV", b"dash"}),
)
_EBML: Final = b"\x1a\x45\xdf\xa3"


def of_head(head: bytes) -> str | None:
    """The media type of a file that begins so, if its beginning is enough to tell; None: it is not, or is no allowed one.

    Sources: ISO/IEC 14496-12 (file type box), RFC 6386 and Microsoft's RIFF, ISO 11172-3 and 13818-7 (frame headers), RFC 8794 (EBML).
    """
    for beginning, media in _BEGINNINGS:
        if head.startswith(beginning):
            return media
    if head.startswith(b"RIFF"):
        return _RIFF.get(head[8:12])
    if head[4:8] == b"ftyp":
        return _of_brands(head)
    if head.startswith(_EBML):
        return "video/webm" if b"webm" in head[:64] else None
    return _of_audio_frame(head)


def _of_brands(head: bytes) -> str | None:
    """The major brand decides, else the compatible ones: a phone's `mif1` photo names `heic` among those."""
    box = head[8 : min(int.from_bytes(head[:4], "big"), len(head))]
    compatible = {box[at : at + 4] for at in range(8, len(box) - 3, 4)}
    for brands in ({box[:4]}, compatible):
        for media, known in _BRANDS:
            if brands & known:
                return media
    return None


def _of_audio_frame(head: bytes) -> str | None:
    """An MPEG frame begins with eleven set bits, an ADTS frame with twelve and layer 0."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return None
    version, layer = head[1] >> 3 & 3, head[1] >> 1 & 3
    if layer == 0 and head[1] & 0xF0 == 0xF0:
        return "audio/aac"
    rate, sampling = head[2] >> 4, head[2] >> 2 & 3
    return "audio/mpeg" if layer == 1 and version != 1 and rate not in (0, 15) and sampling != 3 else None
