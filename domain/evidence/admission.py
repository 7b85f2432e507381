"""What comes in is looked at before anything of it is kept: its kind from its content, its size while it streams. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import NamedTuple

from domain.errors import InputError
from domain.evidence import office, text
from domain.evidence.media import HEAD_BYTES, KINDS, LIMITS, MIB, EvidenceKind, of_head


class Admitted(NamedTuple):
    """A file that may be evidence: its media type, and its bytes, which are still counted while they are taken."""

    type: str
    chunks: Iterator[bytes]


def admit(content: Iterable[bytes]) -> Admitted:
    """Looks at a file. Recordings and photographs are not held in memory, office files and text are, up to their limit.

    Raises:
        InputError: the file is empty (`evidence-empty`), of no allowed kind (`evidence-type`), an unsound archive (`archive`), or too
            large (`evidence-size`; for what streams, only when the surplus comes).
    """
    pieces = iter(content)
    head = _up_to(HEAD_BYTES, pieces)
    if not head:
        raise InputError("the file is empty", field="file", rule="evidence-empty")
    media = of_head(head)
    if media is not None:
        return Admitted(media, _limited(chain((head,), pieces), KINDS[media]))
    kind, detect = (
        (EvidenceKind.OFFICE, office.media_type) if office.is_container(head) else (EvidenceKind.TEXT, text.media_type)
    )
    if kind is EvidenceKind.TEXT and not text.may_be_text(head):
        raise InputError("this is no kind of file that is taken as evidence", field="file", rule="evidence-type")
    whole = b"".join(_limited(chain((head,), pieces), kind))
    return Admitted(detect(whole), iter((whole,)))


def _up_to(size: int, pieces: Iterator[bytes]) -> bytes:
    """So many bytes at least, with what is left of the last piece; less only where the file ends."""
    taken = bytearray()
    while len(taken) < size and (piece := next(pieces, None)) is not None:
        taken += piece
    return bytes(taken)


def _limited(pieces: Iterable[bytes], kind: EvidenceKind) -> Iterator[bytes]:
    limit, taken = LIMITS[kind], 0
    for piece in pieces:
        taken += len(piece)
        if taken > limit:
            raise InputError(
                f"a file of kind {kind.value} may have {limit // MIB} MiB", field="file", rule="evidence-size"
            )
        yield piece
