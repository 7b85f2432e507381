"""Evidence files at the doors: taken in, told about, handed out to who may read them.

A file is sealed under the key of the thing that it belongs to, or, where that is only beginning, under a key of its own; what is
answered is the `Evidence` that a command's form takes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO, Final

import msgspec
from starlette.datastructures import UploadFile

from api.reading import Reading
from api.views.values import local
from api.views.view import LogTag, Said, View, log_tag, said
from api.words import EVENT_TYPES, Word
from domain.errors import ErasedError, InputError, NotFoundError, NotReadyError, UnauthorisedError
from domain.evidence.media import KINDS, SHOWN_SMALL, EvidenceKind
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
    """A file as an event names it, with what it is; a command's form takes all of it."""

    sha256: str
    """SHA-256 of the sealed file."""
    type: str
    """Media type, found from the content."""
    name: SealedName | None = None
    kind: str
    """photo, pdf, office, text, audio, or video."""
    size: int
    """Bytes of the file itself."""

    @property
    def named(self) -> dict[str, Any]:
        """The reference alone, as it stands in an event."""
        return self.model_dump(include={"sha256", "type", "name"}, exclude_none=True)


class NamedByView(View):
    """An event that names a file."""

    position: int
    type: str
    title: Said
    recorded: str
    case: str | None
    """The case that it belongs to; null: something else."""


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
    thumbnail: bool
    """Whether there is a small picture of it."""
    name: str | None
    """Its name; null where the reader may not see it, where it has none, or where it was erased."""
    erased: bool
    """Whether its key was destroyed, so that nobody opens it any more."""
    named_by: list[NamedByView]
    """The events that name it and that the reader may see, in order; none until a command has."""


def require_officer(reading: Reading) -> None:
    """Files are handed in by somebody.

    Raises:
        UnauthorisedError: nobody is named.
    """
    if reading.reader.officer is None:
        raise UnauthorisedError("handing in evidence needs a token that names an officer")


def put_upload(reading: Reading, subject: str | None, upload: UploadFile) -> EvidenceView:
    """Takes a file that came with a form.

    Raises:
        UnauthorisedError: nobody is named.
        InputError: it may not be evidence (docs/evidence.md).
    """
    return put(reading, subject, _pieces(upload.file), upload.filename)


def put_file(reading: Reading, subject: str | None, path: Path) -> EvidenceView:
    """Takes a file of this machine.

    Raises:
        InputError: it cannot be read, or may not be evidence.
    """
    try:
        with path.open("rb") as file:
            return put(reading, subject, _pieces(file), path.name)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}", field="evidence", rule="readable") from None


def put(reading: Reading, subject: str | None, content: Iterable[bytes], name: str | None) -> EvidenceView:
    """Takes a file in pieces; under the key of a stream, or one of its own."""
    require_officer(reading)
    under = subject or reading.platform.vault.new_subject()
    files = reading.platform.files
    evidence = files.put(under, content, name=(name or "")[:LONGEST_NAME] or None)
    return EvidenceView(
        **msgspec.to_builtins(evidence),
        kind=KINDS[evidence.type].value,
        size=files.about(evidence.sha256).size,
    )


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    while piece := file.read(_PIECE):
        yield piece


def stored_view(reading: Reading, sha256: str) -> StoredEvidenceView:
    """What is known of a file.

    Raises:
        NotFoundError: there is no such file.
    """
    about = reading.platform.files.about(sha256)
    rows = list(_rows(reading, sha256))
    names = [row.file.name for row in rows if row.file.name is not None]
    opened = reading.platform.opened([(name, NAME_FIELD) for name in names])
    return StoredEvidenceView(
        log=log_tag(reading),
        sha256=sha256,
        type=about.type,
        kind=KINDS[about.type].value,
        size=about.size,
        subject=about.subject,
        thumbnail=has_thumbnail(about.type),
        name=next(filter(None, opened), None) if reading.reader.may_see_names else None,
        erased=_erased(reading, sha256),
        named_by=_named_by(reading, rows),
    )


def _rows(reading: Reading, sha256: str) -> Iterator[Any]:
    """Rows of the evidence ledger of one file, as far as the ledger has come."""
    with suppress(NotReadyError):
        for versioned in reading.platform.rows("evidence", filters={"file": sha256}):
            yield versioned.row


def _erased(reading: Reading, sha256: str) -> bool:
    try:
        reading.platform.files.open(sha256)
    except ErasedError:
        return True
    return False


def _named_by(reading: Reading, rows: Iterable[Any]) -> list[NamedByView]:
    found = []
    for position, partition in sorted((at, row.partition) for row in rows for at in row.file.positions):
        item = reading.platform.event(position).item
        if reading.reader.may_see(item.visibility):
            found.append(
                NamedByView(
                    position=position,
                    type=item.type,
                    title=said(EVENT_TYPES.get(item.type, Word(item.type, item.type))),
                    recorded=local(item.recorded, reading.platform.info.zone),
                    case=partition if partition.startswith("case-") else None,
                )
            )
    return found


def has_thumbnail(media: str) -> bool:
    """Whether a small picture of files of this type can be made."""
    return media in SHOWN_SMALL


def kind_of(media: str) -> EvidenceKind | None:
    """What a media type is; None: one of another release."""
    return KINDS.get(media)


def opened_file(reading: Reading, sha256: str, part: range | None = None) -> Iterator[bytes]:
    """The file, or a part of it, for a reader who may see what is personal.

    Raises:
        NotFoundError: there is no such file, or none for this reader.
        ErasedError: its key was destroyed.
    """
    if not reading.reader.may_see_names:
        raise NotFoundError(f"there is no evidence file {sha256} that you may see")
    opened = reading.platform.files.open(sha256)
    return opened if part is None else _part_of(opened, part)


def _part_of(pieces: Iterator[bytes], part: range) -> Iterator[bytes]:
    """Bytes `part` of what comes. A part that reaches the end comes from a file that was found right as a whole."""
    at = 0
    for piece in pieces:
        cut = piece[max(0, part.start - at) : max(0, part.stop - at)]
        at += len(piece)
        if cut:
            yield cut
        if at > part.stop:
            return


def thumbnail_of(reading: Reading, sha256: str) -> bytes:
    """A small picture of a photograph, as JPEG.

    Raises:
        NotFoundError: there is no such file, none for this reader, or it is no photograph that can be shown small.
        ErasedError: its key was destroyed.
        RuleError: it is too large, or damaged.
    """
    from infra.bootstrap import thumbnail

    media = reading.platform.files.about(sha256).type
    if not has_thumbnail(media):
        raise NotFoundError(f"there are no thumbnails of {media}")
    return thumbnail(media, b"".join(opened_file(reading, sha256)))


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
