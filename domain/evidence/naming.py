"""Naming a file in an event: a reference that a caller hands back is held against the file itself, so no event names what nobody has."""

from __future__ import annotations

from typing import NoReturn

from domain.errors import InputError, NotFoundError, VerificationError
from domain.evidence.ports import EvidenceFiles
from domain.evidence.sealed_file import NAME_FIELD
from domain.sealing.personal import Sealed
from domain.sealing.ports import Opener
from domain.vocabulary import Evidence

_RULE = "evidence-is-there"


def evidence_named(files: EvidenceFiles, given: Evidence, opener: Opener | None = None) -> Evidence:
    """The evidence, once its file was found to be there, of that type, and under the key that its name says.

    With an `opener` its name is tried too, so that no event bears a name that nobody ever sealed.

    Raises:
        InputError: it is not so, or its subject was erased.
    """
    try:
        stored = files.about(given.sha256)
    except (NotFoundError, VerificationError):
        _refuse(f"there is no evidence file {given.sha256}")
    if stored.type != given.type or (given.name is not None and given.name.subject != stored.subject):
        _refuse(f"evidence file {given.sha256} is {stored.type} of {stored.subject}, and is named as another one")
    if given.name is not None and opener is not None:
        _require_sealed(opener, given.name, given.sha256)
    return given


def _require_sealed(opener: Opener, name: Sealed, sha256: str) -> None:
    try:
        (text,) = opener.open_many([(name, NAME_FIELD)])
    except VerificationError:
        _refuse(f"what is given as the name of evidence file {sha256} was never sealed as one")
    if text is None:
        _refuse(f"evidence file {sha256} cannot be opened any more")


def _refuse(why: str) -> NoReturn:
    raise InputError(why, field="evidence", rule=_RULE) from None
