"""Who seals and who opens: the ports between handlers, pages and exports on one side and the vault on the other.

Guarantees of every implementation: it is safe to share between threads; what `seal` returned opens until its subject is
erased, also after a crash; an erased subject is never sealed for again; plain keys never leave it.

A *subject* is a person (`Sealer.new_subject`), or a stream whose free text and file names are sealed under a key of
its own. A *field* is a label that says what the text is; see `domain.sealing.personal.seal` for what both may look
like.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from domain.sealing.personal import Opening, Sealed


class Sealer(Protocol):
    """Seals personal fields before a handler decides. For handlers and imports."""

    def new_subject(self) -> str:
        """A random id for a person who is not known yet. Nothing is stored until something is sealed for it."""

    def seal(self, subject: str, field: str, plaintext: str) -> Sealed:
        """Seals one text; `seal_many` of one."""

    def seal_many(self, items: Sequence[tuple[str, str, str]]) -> list[Sealed]:
        """Seals each (subject, field, text); returns in that order once all keys and ciphertexts are durable.

        So a ciphertext is always stored before the event that names it can be recorded. If that event never comes, or
        this raises half-way, orphans remain that harm nobody and go with their subject; nothing needs to be undone. Two
        seals of the same text have nothing in common.

        Raises:
            InputError: a text holds a lone surrogate; `row` is the item's place, from 1.
            ErasedError: a subject was erased.
            RecordingError: the store failed.
            VerificationError: the key of a subject was wrapped by another keyring.
            ValueError: a subject or field is no label, which is a bug of the caller.
        """

    def matches(self, sealed: Sealed, field: str, plaintext: str) -> bool:
        """Whether `plaintext` is what was sealed; `matches_many` of one."""

    def matches_many(self, items: Sequence[tuple[Sealed, str, str]]) -> list[bool]:
        """Whether each text is what was sealed under the label: (sealed, field, text).

        Lets an amended book be compared with what is recorded without recording it again. An erased field matches
        every text: nobody can tell any more, and the answer *different* would make the next import seal and record
        anew the very person who was erased.

        Raises:
            VerificationError: as `Opener.open_many`.
        """


class Opener(Protocol):
    """Opens sealed fields for those who have the right to read them; checking the right is the caller's duty."""

    def open_many(self, items: Sequence[tuple[Sealed, str]]) -> list[str | None]:
        """The plain text of each (sealed, field), in the same order; None where the subject was erased.

        Raises:
            VerificationError: a field does not open to what was committed to, or its ciphertext or key is missing
            though
                its subject was not erased.
        """

    def openings(self, items: Sequence[tuple[Sealed, str]]) -> list[Opening | None]:
        """As `open_many`, each with the key that shows this one text to somebody who has no other key."""
