"""Evidence files at the doors: taken in, told about, handed out to who may read them.

A file is sealed under the key of the thing that it belongs to, or, where that is only beginning, under a key of its own; what is
answered is the `Evidence` that a command's form takes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, Final

import msgspec
from starlette.datastructures import UploadFile

from api.reading import Reading
from api.views.view import LogTag, View, log_tag
from domain.errors import InputError, NotFoundError, UnauthorisedError
from domain.evidence.media import KINDS
from domain.evidence.sealed_file import NAME_FIELD
from domain.sealing.personal import Sealed
from domain.vocabulary import Evidence

_PIECE: Final = 1 << 20
LONGEST_NAME: Final = 200


class SealedName(View):
    """A file's name, sealed."""

    subject: str
    sha256: str
    commit: str


class EvidenceView(View):
    """A file as an event names it."""

    sha256: str
    """SHA-256 of the sealed file."""
    type: str
    """Media type, found from the content."""
    name: SealedName | None = None


class StoredEvidenceView(View):
    """What can be said of a stored file."""

    log: LogTag
    sha256: str
    type: str
    kind: str
    """photo, pdf, office, text, audio, or video."""
    size: int
    """Bytes of the file itself."""
    subject: str
    """Whose key opens it."""


def put_upload(reading: Reading, subject: str | None, upload: UploadFile) -> dict[str, Any]:
    """Takes a file that came with a form.

    Raises:
        UnauthorisedError: nobody is named.
        InputError: it may not be evidence (docs/evidence.md).
    """
    return put(reading, subject, _pieces(upload.file), upload.filename)


def put_file(reading: Reading, subject: str | None, path: Path) -> dict[str, Any]:
    """Takes a file of this machine.

    Raises:
        InputError: it cannot be read, or may not be evidence.
    """
    try:
        with path.open("rb") as file:
            return put(reading, subject, _pieces(file), path.name)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}", field="evidence", rule="readable") from None


def put(reading: Reading, subject: str | None, content: Iterable[bytes], name: str | None) -> dict[str, Any]:
    """Takes a file in pieces; what a command's form takes of it."""
    if reading.reader.officer is None:
        raise UnauthorisedError("handing in evidence needs a token that names an officer")
    under = subject or reading.platform.vault.new_subject()
    evidence = reading.platform.files.put(under, content, name=(name or "")[:LONGEST_NAME] or None)
    made: dict[str, Any] = msgspec.to_builtins(evidence)
    return made


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    while piece := file.read(_PIECE):
        yield piece


def stored_view(reading: Reading, sha256: str) -> StoredEvidenceView:
    """What is known of a file without opening it.

    Raises:
        NotFoundError: there is no such file.
    """
    about = reading.platform.files.about(sha256)
    return StoredEvidenceView(
        log=log_tag(reading),
        sha256=sha256,
        type=about.type,
        kind=KINDS[about.type].value,
        size=about.size,
        subject=about.subject,
    )


def opened_file(reading: Reading, sha256: str) -> Iterator[bytes]:
    """The file, for a reader who may see what is personal.

    Raises:
        NotFoundError: there is no such file, or none for this reader.
        ErasedError: its key was destroyed.
    """
    if not reading.reader.may_see_names:
        raise NotFoundError(f"there is no evidence file {sha256} that you may see")
    return reading.platform.files.open(sha256)


def name_of(reading: Reading, evidence: Evidence) -> str | None:
    """The name of a file, opened by right."""
    if evidence.name is None or not reading.reader.may_see_names:
        return None
    return reading.platform.opened([(evidence.name, NAME_FIELD)])[0]


def names_of(reading: Reading, evidence: Iterable[dict[str, Any]]) -> dict[str, str | None]:
    """By digest the names of files as events name them."""
    found: dict[str, str | None] = {}
    for each in evidence:
        name = each.get("name")
        sealed = Sealed(**name) if isinstance(name, dict) else None
        found[str(each["sha256"])] = name_of(reading, Evidence(sha256=each["sha256"], type=each["type"], name=sealed))
    return found
