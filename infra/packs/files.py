"""Evidence files in a pack: sealed as they are stored, each beside what opens it (docs/packs.md, rule 8).

An entry bears the digest of the sealed file, and the sealed file the commitment to its key; so whoever has the pack opens the file that the
event named, and no other. A file whose subject was erased opens to nobody, and is left out.
"""

from __future__ import annotations

import mimetypes
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final
from uuid import uuid4

import msgspec

from domain.errors import InputError, NotFoundError, VerificationError
from domain.evidence.ports import EvidenceFiles
from domain.evidence.sealed_file import HEADER_BYTES, KEY_FIELD, Header, open_shown, read_header
from domain.sealing.personal import Opening
from domain.sealing.ports import Opener
from infra.packs.layout import EVIDENCE_FILE, evidence_file, opening_file
from infra.packs.reader import PackReader

_DIGEST: Final = re.compile(rb'"sha256":"([0-9a-f]{64})"')
_OPENING_BYTES: Final = 1_000
_CANONICAL: Final = msgspec.json.Encoder(order="sorted")


def digests_in(entry: bytes) -> Iterator[str]:
    """Every digest that an entry bears: those of evidence files, and of sealed texts, of which there is no file."""
    for found in _DIGEST.finditer(entry):
        yield found[1].decode()


def opening_of(files: EvidenceFiles, opener: Opener, sha256: str) -> bytes | None:
    """What opens a file, as its member of a pack; None where there is no such file, or where it opens to nobody any more.

    Raises:
        VerificationError: what is stored begins like no sealed file.
    """
    try:
        header = _header(files.sealed(sha256))
    except NotFoundError:
        return None
    (opening,) = opener.openings([(header.head.key, KEY_FIELD)])
    return None if opening is None else _CANONICAL.encode(opening)


def check_files(reader: PackReader, named: set[str], keep: Path | None) -> int:
    """Rule 8. How many evidence files the pack has; into `keep` they are written, opened.

    Raises:
        VerificationError: one is named by no entry of the pack, is not the one of its digest, or does not open.
        InputError: one cannot be written.
    """
    members = [name for name in reader.manifest.files if EVIDENCE_FILE.fullmatch(name)]
    digests = sorted({name.removeprefix("files/").removesuffix(".json") for name in members})
    for sha256 in digests:
        name, opening = evidence_file(sha256), opening_file(sha256)
        for needed in (name, opening):
            if needed not in reader.manifest.files:
                raise VerificationError(f"{needed} is missing")
        if sha256 not in named:
            raise VerificationError(f"{name}: no entry of the pack names it")
        if reader.manifest.files[name].sha256 != sha256:
            raise VerificationError(f"{name}: it is not the file of that digest")
        _open(reader, sha256, _opening(reader, opening), keep)
    return len(digests)


def _opening(reader: PackReader, name: str) -> Opening:
    if reader.manifest.files[name].bytes > _OPENING_BYTES:
        raise VerificationError(f"{name}: it is too long")
    data = reader.bytes_of(name)
    try:
        opening = msgspec.json.decode(data, type=Opening)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise VerificationError(f"{name}: it cannot be read") from None
    if _CANONICAL.encode(opening) != data:
        raise VerificationError(f"{name}: it is not canonical JSON")
    return opening


def _open(reader: PackReader, sha256: str, opening: Opening, keep: Path | None) -> None:
    name = evidence_file(sha256)
    try:
        pieces = open_shown(opening, reader.pieces(name), sha256)
        if keep is None:
            for _ in pieces:
                pass
        else:
            _keep(pieces, keep / (sha256 + _ending(_header(reader.pieces(name)))))
    except VerificationError as error:
        raise VerificationError(f"{name}: {error}") from None


def _keep(pieces: Iterable[bytes], target: Path) -> None:
    """Writes a file under its name once all of it was found right."""
    half = target.with_name(f".{target.name}.{uuid4().hex}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with half.open("xb") as file:
            for piece in pieces:
                file.write(piece)
        os.link(half, target)
    except OSError as error:
        raise InputError(f"cannot write {target}: {error.strerror}", field="files-to", rule="new-file") from error
    finally:
        with suppress(OSError):
            half.unlink(missing_ok=True)


def _header(sealed: Iterable[bytes]) -> Header:
    beginning = b""
    for piece in sealed:
        beginning += piece
        if len(beginning) >= HEADER_BYTES:
            break
    return read_header(beginning)


def _ending(header: Header) -> str:
    return mimetypes.guess_extension(header.head.type) or ".bin"
