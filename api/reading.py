"""Who reads, what they may see, and the platform they read from: what every view is made of.

Events that concern a review of officials are handed out by no door of this release, because nobody can have the right yet.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

from domain.campaigns.genesis import LogKind
from domain.streams import Visibility
from projections.officer_ledger import OfficerRow

if TYPE_CHECKING:
    from infra.bootstrap import Platform


@dataclass(frozen=True)
class Reader:
    """Somebody at a door; `officer` is None where a simulation is read without a token."""

    officer: OfficerRow | None
    kind: LogKind

    @property
    def may_see_names(self) -> bool:
        """Whether personal plain text may be shown: to officers, and to everybody where it is invented."""
        return self.officer is not None or self.kind is LogKind.SIMULATION

    def may_see(self, visibility: Visibility) -> bool:
        """Whether an event of that visibility may be handed out; closed by default."""
        return visibility in (Visibility.PUBLIC, Visibility.CASE, Visibility.OFFICE)


@dataclass(frozen=True)
class Reading:
    """One reader's use of a platform. Views take nothing else from the door."""

    platform: Platform
    reader: Reader


def is_text(said: str) -> bool:
    """Whether a text is free of control characters and halves of surrogate pairs: neither a database nor a person can take them."""
    return not any(unicodedata.category(character) in ("Cc", "Cs") for character in said)
