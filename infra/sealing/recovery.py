"""Recovery after an honest loss: a database that was restored from an older backup, or a folder of tiles that is gone.

What the signer signed last says what must come out. A database that lacks sealed entries gets them back from the bundles, byte for
byte (`infra.postgres.refill`); a folder that lacks tiles has them grown again from the database, by what seals in normal running;
leaves that were never signed and that the restored log contradicts are moved aside.

Guarantees: nothing is changed before all of it was checked: the tiles against the signed root, the bundles against the tiles, and
every entry that the database still has against its leaf. A database that holds anything else than what was sealed is refused, with
the positions. What was committed before an interruption is gone on from; done twice, the second time changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from domain.errors import LogMismatchError, NotReadyError, VerificationError
from domain.recording import LogReader, StoredEntry
from domain.sealing.encoding import base64_of
from domain.sealing.tiles import WIDTH
from domain.sealing.tree import Edge
from infra.postgres.refill import refill, stored_entry, unopenable
from infra.sealing.places import Block, Places, RowReader
from infra.sealing.sealer import Sealer
from infra.sealing.signer import Signer
from infra.sealing.store import TileStore

Progress = Callable[[int, int], None]
"""Is told the position that was reached, and the one that will be."""

_NAMED = 20  # stretches of positions that a refusal names
_PAGE = 5_000


@dataclass(frozen=True)
class RecoveryReport:
    """What was brought back, and what cannot come back this way."""

    origin: str
    signed: int
    """Size of the last signed checkpoint, to which the log was recovered."""
    refilled: int
    """Entries that were put back into the database; they are the last ones up to `signed`. Their command keys are lost."""
    regrown: int
    """Leaves that the folder of tiles lacked and that were grown again."""
    discarded: int
    """Leaves behind `signed` that the log contradicts; they were never signed."""
    aside: Path | None
    """Where the files of those lie now."""
    recorded: int
    lost_fields: int
    """Sealed fields of the whole log whose ciphertext is not in the vault, though their subject was not erased."""
    erased_fields: int

    @property
    def changed(self) -> bool:
        """Whether there was anything to do."""
        return bool(self.refilled or self.regrown or self.discarded)


class RecoveredLog(LogReader, RowReader, Protocol):
    """The log that is recovered, whatever state it is in."""


def recover(
    dsn: str, log: RecoveredLog, store: TileStore, signer: Signer, progress: Progress | None = None
) -> RecoveryReport:
    """Brings database and folder back to the last signed checkpoint; see the module. `log` reads the database of `dsn`.

    Raises:
        NotReadyError: nothing was ever signed; or somebody seals or recovers just now.
        LogMismatchError: the database holds something else than what was sealed, or what was signed is in neither place.
        VerificationError: the tiles do not give the signed root, or a bundle is not what the tiles say.
        RecordingError: database or disk failed; asked again, it goes on where it was.
    """
    with store.lock(wait=False):
        return _Recovery(dsn, log, store, signer, progress).run()


class _Recovery:
    def __init__(
        self, dsn: str, log: RecoveredLog, store: TileStore, signer: Signer, progress: Progress | None
    ) -> None:
        last = signer.last()
        if last is None:
            raise NotReadyError("nothing of this log was ever signed, so nothing says what there was to recover")
        self._dsn = dsn
        self._log = log
        self._store = store
        self._signer = signer
        self._last = last
        self._progress = progress or (lambda _position, _end: None)

    def run(self) -> RecoveryReport:
        head, sealed = self._log.head().position, self._sealed()
        refilled = 0
        if head < self._last.size or sealed >= self._last.size:
            refilled = self._refill(self._checked(head, sealed), head)
            if sealed < self._last.size:
                self._store.write_head(self._last)  # its tiles are there, as was just checked
        discarded, aside = self._without_unsigned()
        before = self._sealed()
        Sealer(self._log, self._store, self._signer).start()
        regrown = self._sealed() - before
        fields = unopenable(self._dsn, self._entries())
        return RecoveryReport(
            origin=self._last.origin,
            signed=self._last.size,
            refilled=refilled,
            regrown=regrown,
            discarded=discarded,
            aside=aside,
            recorded=self._log.head().position,
            lost_fields=fields.lost,
            erased_fields=fields.erased,
        )

    def _sealed(self) -> int:
        """The size of the tree on disk; 0 where its head is lost."""
        tree = self._store.head()
        return 0 if tree is None else tree.size

    # The database was restored

    def _checked(self, head: int, sealed: int) -> Places:
        """All that is to be relied on, after it was checked; see the module."""
        size = self._last.size
        places = Places(self._log, self._store, size, size)
        edge, differing = Edge(), _Stretches()
        for index in range(-(-size // WIDTH)):
            block = places.block(index)
            leaves = [leaf for leaf in block.in_tile if leaf is not None]
            if len(leaves) < len(block.rows):
                raise self._lost(block, head, sealed)
            for at, leaf in enumerate(leaves):
                position = block.first + at + 1
                if position <= head and block.in_database[at] != leaf:
                    differing.add(position)
                if position > head and block.in_bundle[at] != leaf:
                    raise VerificationError(
                        f"the entry of position {position} cannot be refilled: {block.bundle.path} does not hold what was"
                        f" sealed there {block.bundle.fault}".rstrip()
                    )
            edge = edge.extended(leaves)
            self._progress(edge.size, size)
        self._require_signed(edge)
        if differing.text:
            raise LogMismatchError(
                f"the database holds something else than what was sealed at {differing.text}. This is no earlier state of"
                " this log; nothing was refilled (`qingling log fsck` says what differs, docs/tamper.md what to do)"
            )
        return places

    def _require_signed(self, edge: Edge) -> None:
        if edge.root != self._last.root:
            raise VerificationError(
                f"the tiles do not give the tree of {self._last.size} leaves that was signed: their root is"
                f" {base64_of(edge.root)}, not {base64_of(self._last.root)}; nothing was refilled"
            )

    def _lost(self, block: Block, head: int, sealed: int) -> Exception:
        """What was signed is neither in the database nor in the tiles; or a single tile is damaged."""
        if sealed >= self._last.size:
            return VerificationError(
                f"the tile {block.tile.path} is damaged or missing ({block.tile.fault}); nothing was refilled"
            )
        return LogMismatchError(
            f"{self._last.size} entries of this log were signed; the database ends at position {head}, and"
            f" {block.tile.path} is not in {self._store.folder}. What is in neither place cannot be recovered. If there is no"
            " backup of either that reaches further, a new log goes on and cites the last signed checkpoint of this one:"
            " `qingling log checkpoint --output FILE`, then `qingling init --succeeds FILE` in a new data folder"
        )

    def _refill(self, places: Places, head: int) -> int:
        """Puts the missing entries back, and holds what is then in the database against the signed root."""
        if head >= self._last.size:
            return 0
        end = self._last.size
        refilled = refill(self._dsn, _bundled(places, head, end), lambda position: self._progress(position, end))
        again = Places(self._log, self._store, end, end)
        edge = Edge()
        for index in range(-(-end // WIDTH)):
            rows = [leaf for leaf in again.block(index).in_database if leaf is not None]
            edge = edge.extended(rows)
        self._require_signed(edge)
        return refilled

    # What was never signed

    def _without_unsigned(self) -> tuple[int, Path | None]:
        """Leaves behind the signed size that the log does not have, or has otherwise: how many there were, and where they are."""
        sealed, signed = self._sealed(), self._last.size
        places = Places(self._log, self._store, sealed, sealed)
        for index in range(signed // WIDTH, -(-sealed // WIDTH)):
            block = places.block(index)
            low = max(0, signed - block.first)
            if block.in_database[low:] != block.in_tile[low:]:
                return sealed - signed, self._store.discard_unsigned(signed)
        return 0, None

    def _entries(self) -> Iterator[StoredEntry]:
        """The whole log, as it is now."""
        for page in self._log.stream(0, self._log.head().position, _PAGE):
            yield from page


def _bundled(places: Places, after: int, end: int) -> Iterator[StoredEntry]:
    """The entries behind position `after`, out of bundles that were checked."""
    for index in range(after // WIDTH, -(-end // WIDTH)):
        block = places.block(index)
        for at, entry in enumerate(block.bundle.parts):
            if block.first + at >= after:
                if block.in_bundle[at] != block.in_tile[at]:
                    raise VerificationError(f"{block.bundle.path} was altered while the log was recovered")
                yield stored_entry(block.first + at + 1, entry)


class _Stretches:
    """Positions, as people write them: `3, 7–19`."""

    def __init__(self) -> None:
        self._stretches: list[tuple[int, int]] = []
        self._more = 0

    def add(self, position: int) -> None:
        """The next position, larger than the one before."""
        if self._stretches and self._stretches[-1][1] == position - 1 and not self._more:
            self._stretches[-1] = (self._stretches[-1][0], position)
        elif len(self._stretches) < _NAMED:
            self._stretches.append((position, position))
        else:
            self._more += 1

    @property
    def text(self) -> str:
        """Empty where there is none."""
        named = ", ".join(f"{first}" if first == last else f"{first}–{last}" for first, last in self._stretches)
        plural = len(self._stretches) > 1 or any(first != last for first, last in self._stretches)
        more = f" and {self._more} more" if self._more else ""
        return f"position{'s' if plural else ''} {named}{more}" if named else ""
