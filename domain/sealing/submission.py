"""What a log and a witness say to each other: add-checkpoint of the witness protocol (C2SP tlog-witness), both halves.

The request is

    old <size of the last checkpoint that the witness cosigned>
    <hashes of the consistency proof in Base64, one a line, at most 63>
    <an empty line>
    <the signed checkpoint>

and the answer to it either cosignature lines (200), or the size that the witness has (409), or a refusal.

Guarantees: what is printed here is accepted by what reads it; what is not spelled so raises `VerificationError`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from domain.errors import VerificationError
from domain.sealing.checkpoint import Checkpoint, parse_checkpoint
from domain.sealing.cosignature import Cosignature, CosignerKey, cosignatures_of
from domain.sealing.encoding import base64_of, lines_of, read_decimal, read_hash, read_text
from domain.sealing.note import Note, parse_note, parse_signatures
from domain.sealing.tree import MAX_PATH

SIZE_TYPE: Final = "text/x.tlog.size"
"""Content type of the answer 409."""

_OLD: Final = "old "


@dataclass(frozen=True, slots=True)
class Submission:
    """A request, taken apart: nothing in it is verified yet."""

    old_size: int
    proof: tuple[bytes, ...]
    checkpoint: Checkpoint
    note: Note


def print_submission(old_size: int, proof: Sequence[bytes], note: bytes) -> bytes:
    """The body of a request. `note` is the signed checkpoint, `proof` that it extends the tree of `old_size` leaves."""
    hashes = "".join(f"{base64_of(node)}\n" for node in proof)
    return f"{_OLD}{old_size}\n{hashes}\n".encode() + note


def parse_submission(body: bytes) -> Submission:
    """Takes the body of a request apart.

    Raises:
        VerificationError: it is malformed (the witness answers 400).
    """
    text = read_text(body, "the request")
    head, blank, note_text = text.partition("\n\n")
    if not blank:
        raise VerificationError("the request has no empty line before the checkpoint")
    first, *hashes = lines_of(head + "\n", "the request")
    if not first.startswith(_OLD):
        raise VerificationError("the request does not begin with the old size")
    if len(hashes) > MAX_PATH:
        raise VerificationError(f"the request has more than {MAX_PATH} hashes")
    old_size = read_decimal(first.removeprefix(_OLD), "the old size")
    proof = tuple(read_hash(line, "a hash of the proof") for line in hashes)
    note = parse_note(note_text.encode())
    return Submission(old_size, proof, parse_checkpoint(note.text), note)


def print_size(size: int) -> bytes:
    """The body of an answer 409: the size of the latest checkpoint that the witness cosigned."""
    return f"{size}\n".encode()


def parse_size(body: bytes) -> int:
    """Reads the body of an answer 409.

    Raises:
        VerificationError: it is not a size.
    """
    (line, *more) = lines_of(read_text(body, "the answer of the witness"), "the answer of the witness")
    if more:
        raise VerificationError("the answer of the witness has more than one line")
    return read_decimal(line, "the size that the witness has")


def accepted_cosignatures(note: bytes, answer: bytes, known: Iterable[CosignerKey]) -> list[Cosignature]:
    """The cosignatures in an answer 200 that are by known keys and verify over the checkpoint that was sent.

    Others are left out, since nobody here can say anything of them; so are lines that are already in the note.

    Raises:
        VerificationError: the answer is malformed, a known key's cosignature does not verify, or there is none.
    """
    lines = parse_signatures(read_text(answer, "the answer of the witness"))
    sent = parse_note(note)
    accepted = cosignatures_of(Note(sent.text, lines), known)
    if not accepted:
        raise VerificationError("the witness answered without a cosignature by a known key")
    return [cosignature for cosignature in accepted if cosignature.line not in {line.line for line in sent.signatures}]
