"""What a tamper report says: each difference by a rule with a name, where it lies, what is stored, what was sealed, who vouches for that.

Guarantees: a rule's name never changes its meaning; docs/tamper.md explains each. The words for people, in both languages, are
those of the doors (`api/words.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class TamperRule(StrEnum):
    """What kind of difference it is. *Sealed* means: what the tree holds that was signed, or, of the rest, what the tree holds."""

    ENTRY_CHANGED = "entry-changed"
    """Rows hold the events that were sealed there, with other bytes."""
    ENTRY_REPLACED = "entry-replaced"
    """Rows hold other events than were sealed there: a backup that was written on, or a history that was written anew."""
    ROW_MISSING = "row-missing"
    """Rows that were sealed are not in the database, and later ones are."""
    LOG_ENDS_EARLY = "log-ends-early"
    """The database ends before what was sealed does."""
    ROWS_SWAPPED = "rows-swapped"
    """Rows stand in each other's place."""
    ROWS_RENUMBERED = "rows-renumbered"
    """Rows hold what was sealed at other positions: something was taken out before them, or put in, and they were numbered anew."""
    UNSIGNED_TAIL = "unsigned-tail"
    """Behind the last signed checkpoint, tree and database contradict each other, and nothing signed says which is right."""
    ENTRY_LOST = "entry-lost"
    """What was sealed is neither in the database nor in the files."""
    BUNDLE_CHANGED = "bundle-changed"
    """An entry bundle holds other entries than were sealed, or is no bundle."""
    BUNDLE_MISSING = "bundle-missing"
    """Entry bundles are not there."""
    TILE_CHANGED = "tile-changed"
    """A tile holds other hashes than what was sealed gives."""
    TILE_MISSING = "tile-missing"
    """Tiles are not there."""
    TREE_HEAD = "tree-head"
    """The file `tree` says another root, or another log, than its leaves give; or it cannot be read."""
    TREE_BEHIND = "tree-behind"
    """The tree on disk is smaller than what was signed."""
    CHECKPOINT_ROOT = "checkpoint-root"
    """Nothing that is stored gives the root of a signed checkpoint."""
    CHECKPOINT_UNSOUND = "checkpoint-unsound"
    """A kept or published checkpoint is malformed, of another log, or a signature on it does not verify."""
    CHECKPOINT_UNKNOWN = "checkpoint-unknown"
    """A checkpoint was published that the signer does not remember, or remembers otherwise."""
    CHECKPOINT_UNWITNESSED = "checkpoint-unwitnessed"
    """The published checkpoint lacks the cosignatures that the deployment's policy asks for."""
    WHOLENESS_DIFFERS = "wholeness-differs"
    """The wholeness maps that an event bound the log to are not those of the stored log."""
    KEY_UNANNOUNCED = "key-unannounced"
    """The signer has a key that the log never announced."""
    KEY_NOT_HELD = "key-not-held"
    """The key that the log announced last, of those not retired, is not the signer's."""
    LAW_BROKEN = "law-broken"
    """The log breaks a law of its own (`infra.postgres.fsck`)."""


@dataclass(frozen=True)
class Cover:
    """The first checkpoint that covers a position. `published`: with the quorum; `cosigners`: who cosigned it, by name."""

    size: int
    root: str
    published: bool
    cosigners: Sequence[str]


@dataclass(frozen=True)
class TamperFinding:
    """One difference. Positions count from 1; 0: it lies at no position. Hashes are RFC 6962 leaf hashes or roots in hexadecimal."""

    rule: TamperRule
    position: int = 0
    last: int = 0
    """Where it ends; the same as `position` where it is one entry."""
    path: str = ""
    """The file, below the folder of the log; where several follow each other, the first."""
    stored: str = ""
    """What is there now, of `position`; empty: nothing."""
    sealed: str = ""
    """What was sealed, of `position`."""
    shift: int = 0
    """What was sealed so many positions further on stands here."""
    unmoved: int = 0
    """Of renumbered rows: so many places at the end are left empty, or, where `shift` is negative, so many rows were put in first."""
    intact: bool = True
    """Of rows: bundles and tiles still hold what was sealed."""
    vouched: bool = True
    """A signed root confirms what was sealed."""
    detail: str = ""
    """What differs at `position`: `path in the entry: sealed → stored`, names, sizes, or why something cannot be read."""
    cover: Cover | None = None


@dataclass(frozen=True)
class TamperReport:
    """What was compared, and every difference, in order of position. `omitted`: further ones, beyond the limit."""

    origin: str
    recorded: int
    sealed: int
    signed: int
    published: int
    checkpoints: int
    """How many signed and published checkpoints were checked, signatures and roots."""
    unwitnessed: int
    """How many published checkpoints lack the quorum that is asked for today. Earlier ones may: policies change."""
    commitments: int
    """How many commitments to wholeness were recomputed."""
    with_signer: bool
    """Whether the signer's own memory was there; else only what was published vouches for anything."""
    findings: Sequence[TamperFinding]
    omitted: int = 0

    @property
    def is_clean(self) -> bool:
        """Nothing differs."""
        return not self.findings and not self.omitted
