"""What a witness decides when a log submits a checkpoint (C2SP tlog-witness, add-checkpoint).

A witness sees of a log its origin, sizes and roots, never an entry. For each log it knows it remembers the latest head that
it cosigned, and cosigns another only when that one begins with it. So two witnesses' clients cannot be shown two logs.

Guarantees: the decision is a function of the request, what is remembered, and the time. The caller keeps what the protocol
needs beyond that: from reading the latest head to having stored the new one durably no other decision for this log runs, and
the answer leaves only then. Nothing that was remembered before is needed any more.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from domain.errors import VerificationError
from domain.sealing.checkpoint import Checkpoint
from domain.sealing.cosignature import Cosigner, with_lines
from domain.sealing.note import Note, Verified, VerifierKey, verify_signatures
from domain.sealing.submission import SIZE_TYPE, Submission, parse_submission, print_size
from domain.sealing.tree import EMPTY_ROOT, verify_consistency

TEXT_TYPE: Final = "text/plain; charset=utf-8"
COSIGNED: Final = 200
MALFORMED: Final = 400
NOT_SIGNED: Final = 403
UNKNOWN_LOG: Final = 404
OTHER_SIZE: Final = 409
INCONSISTENT: Final = 422


@dataclass(frozen=True, slots=True)
class WitnessedHead:
    """The latest head that a witness cosigned of a log.

    `note` is what it serves to monitors: the checkpoint with the log's signatures that it verified and its own.
    """

    size: int
    root: bytes
    note: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """What to answer. `head`: what to remember for `origin` before answering; None leaves everything as it is."""

    status: int
    body: bytes
    content_type: str = TEXT_TYPE
    origin: str = ""
    head: WitnessedHead | None = None


@dataclass(frozen=True, slots=True)
class Witness:
    """Who cosigns, and for which logs: for each origin the keys that may sign its checkpoints."""

    logs: Mapping[str, Sequence[VerifierKey]]
    cosigner: Cosigner

    def add_checkpoint(self, body: bytes, latest: Callable[[str], WitnessedHead | None], time: int) -> Answer:
        """Decides on a request, with the checks in the order of the specification.

        `latest` is asked at most once, for an origin that is in `logs`; None: nothing was cosigned yet. `time` is in POSIX
        seconds, from 1 on.
        """
        try:
            submitted = parse_submission(body)
        except VerificationError as error:
            return _refusal(MALFORMED, error)
        origin = submitted.checkpoint.origin
        if not self.logs.get(origin):
            return _refusal(UNKNOWN_LOG, f"the log {origin!r} is not known here")
        try:
            signed = verify_signatures(submitted.note, self.logs[origin])
        except VerificationError as error:
            return _refusal(NOT_SIGNED, error)
        if not signed:
            return _refusal(NOT_SIGNED, f"no known key of the log {origin!r} signed the checkpoint")
        if submitted.old_size > submitted.checkpoint.size:
            return _refusal(MALFORMED, "the old size is larger than the checkpoint's")
        known = latest(origin)
        size, root = (known.size, known.root) if known else (0, EMPTY_ROOT)
        if submitted.old_size != size:
            return Answer(OTHER_SIZE, print_size(size), SIZE_TYPE, origin)
        return self._cosigned(submitted, root, signed, time)

    def _cosigned(
        self, submitted: Submission, root: bytes, signed: Sequence[Verified[VerifierKey]], time: int
    ) -> Answer:
        head = submitted.checkpoint
        try:
            verify_consistency(submitted.old_size, root, head.size, head.root, submitted.proof)
        except VerificationError as error:
            return _refusal(INCONSISTENT, error)
        line = self.cosigner.signature_line(submitted.note.text, time)
        return Answer(COSIGNED, line.encode(), TEXT_TYPE, head.origin, _remembered(head, submitted.note, signed, line))


def _remembered(head: Checkpoint, note: Note, signed: Sequence[Verified[VerifierKey]], line: str) -> WitnessedHead:
    by_the_log = Note(note.text, tuple(verified.signature for verified in signed))
    return WitnessedHead(head.size, head.root, with_lines(by_the_log, [line]))


def _refusal(status: int, reason: object) -> Answer:
    return Answer(status, f"{reason}\n".encode())
