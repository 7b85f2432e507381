"""The port to the evidence files: who keeps them, and what every implementation guarantees.

*Content-addressed.* A file is named by the SHA-256 (hex) of its sealed form (`sealed_file.py`), which is what an `Evidence` in an entry
bears; equal files put twice have nothing in common, so no name betrays what is in it.
*Durable.* What `put` has returned is found after a crash; an interrupted `put` leaves nothing that could be found. A file is put before
the event that names it is recorded; if that event never comes, the file is an orphan that harms nobody (`stored` finds it).
*Unchanging.* A file is never replaced. It goes by `delete` alone, when its subject was erased or no entry names it.
*Shared.* Safe for threads, and for processes on one store.

Whether somebody may read a file is for the caller to know.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple, Protocol

from domain.vocabulary import Evidence


class StoredFile(NamedTuple):
    """What can be said of a file without a key: its media type, the bytes of the file itself, and whose key opens it."""

    type: str
    size: int
    subject: str


class EvidenceFiles(Protocol):
    """Keeps evidence files, sealed."""

    def put(self, subject: str, content: Iterable[bytes], *, name: str | None = None) -> Evidence:
        """Takes a file in pieces of any length, looks at it, seals it under the key of `subject`, and names it.

        `subject`: the stream that it belongs to, or the person that it alone is about. `name` is sealed under the same key.

        Raises:
            InputError: it may not be evidence (`domain.evidence.admission.admit`), or its name holds a lone surrogate.
            ErasedError: the subject was erased.
            RecordingError: the store failed; nothing was kept.
        """

    def open(self, sha256: str) -> Iterator[bytes]:
        """The file in chunks. Only after the last one has come is it known to be whole and the recorded one.

        Raises:
            NotFoundError: there is no such file.
            ErasedError: its key was destroyed.
            VerificationError: at once or on the way: it is not what was put.
        """

    def has(self, sha256: str) -> bool:
        """Whether the file is there."""

    def about(self, sha256: str) -> StoredFile:
        """What it is and how large; from its header and length, which `check` and `open` prove.

        Raises:
            NotFoundError: there is no such file.
            VerificationError: it begins like no sealed file, or was cut off.
        """

    def sealed(self, sha256: str) -> Iterator[bytes]:
        """The sealed form in pieces, for a pack or a copy; opens to who has the key shown (`sealed_file.open_shown`).

        Raises:
            NotFoundError: there is no such file.
        """

    def check(self, sha256: str) -> None:
        """Holds the stored bytes against their name; needs no key.

        Raises:
            NotFoundError: there is no such file.
            VerificationError: they are others.
        """

    def delete(self, sha256: str) -> bool:
        """Deletes the file for ever; returns whether it was there. Erasing its subject is what makes copies unreadable too.

        Raises:
            RecordingError: the store failed; ask again.
        """

    def stored(self) -> Iterator[str]:
        """The digests of all files, in ascending order."""
