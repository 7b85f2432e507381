"""The text of a checkpoint: which log, how many leaves, and the root over them (C2SP tlog-checkpoint).

    <origin>
    <size in decimal>
    <root in Base64>

Guarantees: what is accepted is spelled in the one way that it would be printed in. Extension lines of other logs are read,
since a cosignature covers them, and never written: no monitor can audit them, and implementations differ on who signs them.
A checkpoint has no time of its own; times come from cosignatures.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from domain.errors import VerificationError
from domain.sealing.encoding import HASH_BYTES, MAX_SIZE, base64_of, checked_text, lines_of, read_decimal, read_hash
from domain.sealing.note import (
    Note,
    SigningKey,
    Verified,
    VerifierKey,
    is_key_name,
    parse_note,
    print_note,
    verify_signatures,
)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A tree head of a log, not signed yet. `root` has 32 bytes; `extensions` come from other logs."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The three lines as they are signed.

        Raises:
            ValueError: no log may publish this: its origin could not be the name of a key, there are extension lines, or
                size and root are not those of a tree.
        """
        if not 0 <= self.size <= MAX_SIZE or len(self.root) != HASH_BYTES:
            raise ValueError(f"size {self.size} and a root of {len(self.root)} bytes are no head of a tree")
        if not is_key_name(self.origin) or self.extensions:
            raise ValueError(
                f"{self.origin!r} is no origin without spaces and plus signs, or there are extension lines"
            )
        return f"{self.origin}\n{self.size}\n{base64_of(self.root)}\n"


def parse_checkpoint(text: str) -> Checkpoint:
    """Reads the text of a note as a checkpoint. That the root of an empty tree is that of RFC 6962 is not checked here.

    Raises:
        VerificationError: it is not exactly that.
    """
    origin, *rest = lines_of(checked_text(text, "the checkpoint"), "the checkpoint")
    if len(rest) < 2 or not all((origin, *rest)):
        raise VerificationError("a checkpoint is three lines and more, none of them empty")
    size, root, *extensions = rest
    return Checkpoint(
        origin,
        read_decimal(size, "the size in the checkpoint"),
        read_hash(root, "the root in the checkpoint"),
        tuple(extensions),
    )


def sign_checkpoint(checkpoint: Checkpoint, keys: Iterable[SigningKey]) -> bytes:
    """The signed note of a checkpoint, with a line of each key. While a log changes keys, old and new both sign.

    That it is consistent with all that was signed before is the caller's duty.

    Raises:
        ValueError: there is no key, or a key does not bear the origin's name.
    """
    text, signers = checkpoint.text, list(keys)
    if any(key.name != checkpoint.origin for key in signers):
        raise ValueError(f"only a key named {checkpoint.origin} signs for this origin")
    return print_note(text, [key.signature_line(text) for key in signers])


@dataclass(frozen=True, slots=True)
class SignedCheckpoint:
    """A checkpoint that a log's own key signed, and the note it came in."""

    checkpoint: Checkpoint
    note: Note
    by: tuple[Verified[VerifierKey], ...]


def open_checkpoint(data: bytes, keys: Iterable[VerifierKey]) -> SignedCheckpoint:
    """A signed checkpoint. It must be signed by one of `keys` whose name is the checkpoint's origin.

    Raises:
        VerificationError: it is malformed, a known key's signature does not verify, or none of its log's keys signed.
    """
    note = parse_note(data)
    checkpoint = parse_checkpoint(note.text)
    own = [key for key in keys if key.name == checkpoint.origin]
    if not own:
        raise VerificationError(f"no key of the log {checkpoint.origin!r} is known")
    verified = verify_signatures(note, own)
    if not verified:
        raise VerificationError(f"no known key of the log {checkpoint.origin!r} signed the checkpoint")
    return SignedCheckpoint(checkpoint, note, tuple(verified))
