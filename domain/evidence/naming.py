"""Naming a file in an event: a reference that a caller hands back is held against the file itself, so no event names what nobody has."""

from __future__ import annotations

from domain.errors import InputError, NotFoundError, VerificationError
from domain.evidence.ports import EvidenceFiles
from domain.vocabulary import Evidence

_RULE = "evidence-is-there"


def evidence_named(files: EvidenceFiles, given: Evidence) -> Evidence:
    """The evidence, once its file was found to be there, of that type, and under the key that its name says.

    Raises:
        InputError: it is not.
    """
    try:
        stored = files.about(given.sha256)
    except (NotFoundError, VerificationError):
        raise InputError(f"there is no evidence file {given.sha256}", field="evidence", rule=_RULE) from None
    if stored.type != given.type or (given.name is not None and given.name.subject != stored.subject):
        raise InputError(
            f"evidence file {given.sha256} is {stored.type} of {stored.subject}, and is named as another one",
            field="evidence",
            rule=_RULE,
        )
    return given
