"""A file is known by what is in it, refused when it is none of the kinds, too large, or an archive that would unfold beyond measure."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import InputError
from domain.evidence.admission import admit
from domain.evidence.media import KINDS, LIMITS, MIB, EvidenceKind
from domain.evidence.office import MEMBERS, UNFOLDED_BYTES
from tests.domain.evidence.material import DOCX_TYPES, JPEG, MP4, XLSX_TYPES, archive, ole, xlsx

ODS = "application/vnd.oasis.opendocument.spreadsheet"
FTYP = b"\x00\x00\x00\x18ftyp"
ADMITTED = {
    "jpeg": (JPEG, "image/jpeg"),
    "png": (b"\x89PNG\r\n\x1a\n" + bytes(30), "image/png"),
    "webp": (b"RIFF\x10\x00\x00\x00WEBPVP8 " + bytes(30), "image/webp"),
    "heic": (FTYP + b"heic\x00\x00\x00\x00mif1heic", "image/heic"),
    "heic of a phone": (FTYP + b"mif1\x00\x00\x00\x00mif1heic", "image/heic"),
    "pdf": (b"%PDF-1.7\n" + bytes(30), "application/pdf"),
    "mp3 with tags": (b"ID3\x04" + bytes(30), "audio/mpeg"),
    "mp3": (b"\xff\xfb\x90\x64" + bytes(30), "audio/mpeg"),
    "aac": (b"\xff\xf1\x50\x80" + bytes(30), "audio/aac"),
    "amr": (b"#!AMR\n" + bytes(30), "audio/amr"),
    "ogg": (b"OggS\x00\x02" + bytes(30), "audio/ogg"),
    "wav": (b"RIFF\x10\x00\x00\x00WAVEfmt " + bytes(30), "audio/wav"),
    "m4a": (FTYP + b"M4A \x00\x00\x00\x00isomM4A ", "audio/mp4"),
    "mp4": (MP4, "video/mp4"),
    "mp4 that a player of another brand plays": (FTYP + b"mp42\x00\x00\x00\x00qt  M4A ", "video/mp4"),
    "3gp": (FTYP + b"3gp4\x00\x00\x00\x00isom3gp4", "video/3gpp"),
    "mov": (FTYP + b"qt  \x00\x00\x00\x00qt  \x00\x00\x00\x00", "video/quicktime"),
    "webm": (b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\x82\x84webm" + bytes(30), "video/webm"),
    "avi": (b"RIFF\x10\x00\x00\x00AVI LIST" + bytes(30), "video/x-msvideo"),
    "xlsx": (xlsx(), "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    "docx": (
        archive({"[Content_Types].xml": DOCX_TYPES}),
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ),
    "ods": (archive({"mimetype": ODS.encode(), "content.xml": b"<x/>"}, method=zipfile.ZIP_STORED), ODS),
    "ofd": (archive({"OFD.xml": b"<x/>"}), "application/ofd"),
    "xls": (ole("Root Entry", "Workbook"), "application/vnd.ms-excel"),
    "doc": (ole("Root Entry", "1Table", "WordDocument"), "application/msword"),
    "text": ("张三说：十一月没有发工资。\n".encode(), "text/plain"),
    "text of old": ("张三,没有发工资".encode("gb18030"), "text/plain"),
    "text with a mark": ("﻿工资".encode("utf-16"), "text/plain"),
    "text with commas": ("张三,一月\n李四,二月,三月\n".encode(), "text/plain"),
    "csv": ("姓名,金额\n张三,100\n李四,200\n".encode(), "text/csv"),
    "tsv of old": ("姓名\t金额\n张三\t100\n".encode("gb18030"), "text/csv"),
}
REFUSED = {
    "program": b"MZ\x90\x00\x03" + bytes(100),
    "plain archive": archive({"a.txt": b"a"}),
    "sheet with macros": archive({"[Content_Types].xml": XLSX_TYPES + b"vnd.ms-excel.sheet.macroEnabled.main+xml"}),
    "sheet with a part for macros": archive(
        {"[Content_Types].xml": XLSX_TYPES + b"application/vnd.ms-office.vbaProject"}
    ),
    "old sheet with macros": ole("Root Entry", "Workbook", "_VBA_PROJECT"),
    "slides": archive({"[Content_Types].xml": b"presentationml.presentation.main+xml"}),
    "old container": ole("Root Entry", "Something"),
    "old name elsewhere": ole("Root Entry") + b"\0" * 7 + "Workbook\0".encode("utf-16-le"),
    "old name between entries": ole("Root Entry", "Workbook", padding=520),
    "frame without a rate": b"\xff\xfb\xf0\x64" + bytes(30),
    "page": b"<!DOCTYPE html><script>1</script>",
    "drawing": b"\n <svg onload='x'/>",
    "unknown brand": FTYP + b"avif\x00\x00\x00\x00miafMA1B",
    "other riff": b"RIFF\x10\x00\x00\x00ACON" + bytes(30),
    "matroska": b"\x1a\x45\xdf\xa3\x9f\x42\x82\x88matroska" + bytes(30),
    "text that turns binary": b"a" * 5_000 + b"\x00" + b"a" * 100,
    "no encoding": b"\xff" * 3 + b"abc",
    "rar": b"Rar!\x1a\x07\x01\x00" + bytes(20),
}


def pieces(content: bytes, size: int = 100) -> Iterator[bytes]:
    return (content[at : at + size] for at in range(0, len(content), size))


def outcome(content: bytes) -> bytes | str:
    """What was admitted, or the rule by which it was refused."""
    try:
        admitted = admit(pieces(content, 7))
    except InputError as error:
        return error.rule
    return b"".join(admitted.chunks) if admitted.type in KINDS else admitted.type


def refusal(content: bytes) -> InputError:
    with pytest.raises(InputError) as refused:
        list(admit(pieces(content, 65_536)).chunks)
    assert refused.value.field == "file"
    return refused.value


@pytest.mark.parametrize(("content", "media"), ADMITTED.values(), ids=ADMITTED)
def test_a_kind_is_known_from_the_content(content, media):
    admitted = admit(pieces(content))
    assert admitted.type == media
    assert b"".join(admitted.chunks) == content


def test_every_kind_that_may_come_in_is_tried():
    assert {media for _, media in ADMITTED.values()} | {"application/vnd.oasis.opendocument.text"} == set(KINDS)
    assert set(LIMITS) == set(KINDS.values()) == set(EvidenceKind)


@pytest.mark.parametrize("content", REFUSED.values(), ids=REFUSED)
def test_what_is_no_evidence_is_refused(content):
    assert refusal(content).rule == "evidence-type"


def test_an_empty_file_is_refused():
    assert refusal(b"").rule == "evidence-empty"


def test_an_office_file_behind_a_password_is_refused_with_the_reason():
    assert "password" in str(refusal(ole("EncryptedPackage")))
    locked = bytearray(xlsx())
    for at in (locked.find(b"PK\x03\x04") + 6, locked.find(b"PK\x01\x02") + 8):
        locked[at] |= 1
    assert "password" in str(refusal(bytes(locked)))


@pytest.mark.parametrize("kind", [EvidenceKind.PHOTO, EvidenceKind.TEXT])
def test_a_file_over_the_limit_of_its_kind_is_refused_while_it_comes(kind):
    taken = 0

    def endless() -> Iterator[bytes]:
        nonlocal taken
        yield JPEG if kind is EvidenceKind.PHOTO else b"text"
        while True:
            taken += MIB
            yield b" " * MIB

    with pytest.raises(InputError) as refused:
        for _ in admit(endless()).chunks:
            pass
    assert refused.value.rule == "evidence-size"
    assert taken <= LIMITS[kind] + MIB


# Archives


def test_a_bomb_that_admits_what_it_is_is_refused():
    bomb = archive({"[Content_Types].xml": XLSX_TYPES, **{f"xl/{i}": bytes(21 * MIB) for i in range(10)}})
    assert len(bomb) < MIB
    assert refusal(bomb).rule == "archive"


def forged(content: bytes, member: str, **fields: int) -> bytes:
    """The archive with other figures in the directory's record of a member."""
    changed = bytearray(content)
    at = changed.find(b"PK\x01\x02")
    while changed[at + 46 : at + 46 + len(member)] != member.encode():
        at = changed.find(b"PK\x01\x02", at + 1)
    for name, value in fields.items():
        offset, size = {"method": (10, 2), "packed": (20, 4), "unfolded": (24, 4), "begin": (42, 4)}[name]
        changed[at + offset : at + offset + size] = value.to_bytes(size, "little")
    return bytes(changed)


def test_a_bomb_that_says_it_is_small_is_refused():
    bomb = xlsx(**{"xl/big": bytes(30 * MIB)})
    assert refusal(forged(bomb, "xl/big", unfolded=1_000)).rule == "archive"
    assert refusal(forged(bomb, "xl/big", unfolded=31 * MIB)).rule == "archive"


def test_a_bomb_is_left_as_soon_as_it_is_more_than_it_said(monkeypatch):
    unfolded = 0
    original = zlib.decompressobj

    class Counted:
        def __init__(self, bits: int) -> None:
            self._real = original(bits)

        def decompress(self, data: bytes, most: int) -> bytes:
            nonlocal unfolded
            piece = self._real.decompress(data, most)
            unfolded += len(piece)
            return piece

        def __getattr__(self, name: str) -> object:
            return getattr(self._real, name)

    bomb = forged(xlsx(**{"xl/big": bytes(100 * MIB)}), "xl/big", unfolded=1_000)
    monkeypatch.setattr("domain.evidence.office.zlib.decompressobj", Counted)
    assert refusal(bomb).rule == "archive"
    assert unfolded < MIB


@pytest.mark.parametrize("more", [-1, 1])
def test_a_member_that_ends_before_or_behind_what_is_said_is_refused(more):
    content = xlsx(**{"xl/a": b"abc" * 50})
    packed = zipfile.ZipFile(io.BytesIO(content)).getinfo("xl/a").compress_size
    assert refusal(forged(content, "xl/a", packed=packed + more)).rule == "archive"


def test_members_that_lie_over_each_other_are_refused():
    content = xlsx(**{"xl/a": b"a" * 50, "xl/b": b"a" * 50})
    begin = zipfile.ZipFile(io.BytesIO(content)).getinfo("xl/a").header_offset
    assert refusal(forged(content, "xl/b", begin=begin)).rule == "archive"


@pytest.mark.parametrize("fields", [{"method": 12}, {"packed": 2**31}, {"begin": 3}, {"method": 0}])
def test_a_directory_that_lies_is_refused(fields):
    assert refusal(forged(xlsx(**{"xl/a": b"abc" * 50}), "xl/a", **fields)).rule == "archive"


def test_too_many_members_are_refused():
    assert refusal(archive({str(i): b"" for i in range(MEMBERS + 1)})).rule == "archive"


def test_a_table_of_contents_that_is_too_large_is_refused():
    assert refusal(archive({"[Content_Types].xml": XLSX_TYPES + bytes(2 * MIB)})).rule == "archive"


def test_all_that_an_honest_archive_may_unfold_to_is_admitted():
    sheet = bytes(4 * MIB)
    content = xlsx(**{f"xl/{i}": sheet for i in range(5)})
    assert len(sheet) * 5 < UNFOLDED_BYTES
    assert admit(pieces(content, 65_536)).type.endswith("spreadsheetml.sheet")


@given(st.data())
def test_a_damaged_office_file_is_admitted_or_refused_and_nothing_else(data):
    content = bytearray(data.draw(st.sampled_from((xlsx(**{"xl/a": b"abc" * 90}), ole("Root Entry", "Workbook")))))
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    kept = bytes(content[: data.draw(st.integers(1, len(content)))])
    assert outcome(kept) in (kept, "archive", "evidence-type")


@given(st.binary(min_size=1, max_size=300))
def test_whatever_comes_in_is_admitted_whole_or_refused(content):
    assert outcome(content) in (content, "archive", "evidence-type")
