"""The folder of a log: its tiles and bundles as the files of C2SP tlog-tiles, the head of its tree, and what was published of it.

    tile/<L>/<N>[.p/<W>]          hashes
    tile/entries/<N>[.p/<W>]      entries
    tree                          origin, size and root of the tree that is durable here; nobody signed it
    checkpoint                    the published note
    published.sqlite              every published note
    lock                          held by who writes
    new/                          files on their way to their place
    aside-<n>/                    what `discard_unsigned` took out of the tree

Guarantees: a tile or bundle never changes; writing it again with the same bytes does nothing, with others is refused. What a call wrote
is on the disk when it returns. Anyone may read while one writes; who seals holds the lock.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from domain.errors import LogMismatchError, NotFoundError, NotReadyError, VerificationError
from domain.sealing.bundles import decode_bundle, encode_bundle
from domain.sealing.checkpoint import Checkpoint, parse_checkpoint
from domain.sealing.encoding import HASH_BYTES, read_text
from domain.sealing.note import parse_note
from domain.sealing.tiles import (
    HEIGHT,
    WIDTH,
    Bundle,
    Tile,
    hash_reader,
    new_bundles,
    parse_path,
    partial_tiles,
)
from domain.sealing.tree import EMPTY_ROOT, root_from
from infra.sealing import durable
from infra.sealing.checkpoints import CheckpointJournal

Named = Tile | Bundle

_TILES: Final = "tile"
_TREE: Final = "tree"
_CHECKPOINT: Final = "checkpoint"
_PUBLISHED: Final = "published.sqlite"
_LOCK: Final = "lock"
_FOLDER_MODE: Final = 0o700  # bundles hold entries


class TileStore:
    """See the module. Safe to share between threads; only one of them writes."""

    def __init__(self, folder: Path) -> None:
        """Nothing is made or read yet."""
        self.folder = folder
        self._root = str(folder)
        self._history: CheckpointJournal | None = None
        self._locked = False

    def exists(self) -> bool:
        """Whether `create` ever made this folder."""
        return (self.folder / _TREE).is_file()

    def create(self, origin: str) -> None:
        """Makes the folder of a log with an empty tree; nothing where it is there already.

        Raises:
            LogMismatchError: it is the folder of another log.
        """
        head = self.head()
        if head is None:
            with durable.written_in(self.folder):
                durable.make_folder(self.folder, _FOLDER_MODE)
            self.write_head(Checkpoint(origin, 0, EMPTY_ROOT))
        elif head.origin != origin:
            raise LogMismatchError(f"{self.folder} holds the tree of the log {head.origin!r}, not of {origin!r}")

    def is_locked(self) -> bool:
        """Whether the lock is held through this object."""
        return self._locked

    @contextmanager
    def lock(self, wait: bool = False) -> Iterator[None]:
        """Nobody else writes while the block runs, in this process or another. It ends with the process, however that ends.

        Raises:
            NotReadyError: somebody else writes, and `wait` is false.
        """
        with durable.written_in(self.folder):
            durable.make_folder(self.folder, _FOLDER_MODE)
            descriptor = os.open(self.folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            self._take(descriptor, wait)
            self._locked = True
            try:
                durable.remove_waiting(self.folder)
                yield
            finally:
                self._locked = False
        finally:
            os.close(descriptor)

    def _take(self, descriptor: int, wait: bool) -> None:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            holder = os.pread(descriptor, 20, 0).decode("ascii", "replace").strip() or "of a number not known"
            raise NotReadyError(
                f"process {holder} writes the tree in {self.folder}; there is only one at a time"
            ) from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)

    # Tiles and bundles

    def read(self, named: Named) -> bytes:
        """The bytes of a tile or bundle. A partial one that is not kept any more is cut from one that holds it.

        Raises:
            NotFoundError: it is not there.
            VerificationError: the full bundle that a partial one would be cut from is no bundle.
        """
        data = self._content(named.path)
        if data is not None:
            return data
        for width in self._wider(named):
            data = self._content(_widened(named, width).path)
            if data is not None:
                return _cut(named, data, width)
        raise NotFoundError(f"{named.path} is not in the folder of the log")

    def write(self, items: Iterable[tuple[Named, bytes]]) -> None:
        """Adds tiles and bundles; all of them are on the disk when this returns. Partial ones go once the full one is there.

        Raises:
            LogMismatchError: one is there already, with other bytes; nothing was overwritten.
            RecordingError: the disk failed; some may be there, and writing them again does no harm.
        """
        wanted = list(items)
        absent = [(named.path, data) for named, data in wanted if not self._holds(named, data)]
        with durable.written_in(self.folder):
            durable.add_all(self.folder, absent)
            for named, _ in wanted:
                if named.is_full:
                    self._remove_partials(named)

    def stored(self) -> Iterator[Named]:
        """Every tile and bundle that has a file, in no order; files of other names are passed over."""
        for folder, _, files in os.walk(self.folder / _TILES):
            for file in files:
                with suppress(NotFoundError):
                    yield parse_path(Path(folder, file).relative_to(self.folder).as_posix())

    def _content(self, path: str) -> bytes | None:
        try:
            with open(f"{self._root}/{path}", "rb", buffering=0) as file:  # noqa: PTH123 - a hundred thousand times in a check
                return file.readall()
        except (FileNotFoundError, NotADirectoryError):
            return None

    def _holds(self, named: Named, data: bytes) -> bool:
        found = self._content(named.path)
        if found is not None and found != data:
            raise LogMismatchError(
                f"{self.folder / named.path} is there already and holds something else: {_difference(named, found, data)}"
            )
        return found is not None

    def _wider(self, named: Named) -> list[int]:
        """Widths that a partial tile or bundle could be cut from: the full one first, then what lies beside it."""
        if named.is_full:
            return []
        beside = [int(file.name) for file in self._partials_beside(named) if file.name.isdecimal()]
        return [WIDTH, *sorted(width for width in beside if named.width < width < WIDTH)]

    def _remove_partials(self, named: Named) -> None:
        partials = self._partials_beside(named)
        for file in partials:
            durable.remove(file)
        if partials:
            partials[0].parent.rmdir()

    def _partials_beside(self, named: Named) -> list[Path]:
        with suppress(FileNotFoundError):
            return list((self.folder / f"{_widened(named, WIDTH).path}.p").iterdir())
        return []

    # Heads

    def head(self) -> Checkpoint | None:
        """Origin, size and root of the durable tree; None where there is none.

        Raises:
            LogMismatchError: the file does not say.
        """
        data = self._content(_TREE)
        if data is None:
            return None
        try:
            return parse_checkpoint(read_text(data, "it"))
        except VerificationError as error:
            raise LogMismatchError(f"{self.folder / _TREE} is no head of a tree: {error}") from error

    def write_head(self, head: Checkpoint) -> None:
        """Says that the tree of this head is durable. Its tiles and bundles must be."""
        self._replace(_TREE, head.text.encode())

    def published(self) -> bytes | None:
        """The published note; None where there is none yet."""
        return self._content(_CHECKPOINT)

    def publish(self, note: bytes) -> None:
        """Makes this the published note: first in the history, then for everybody.

        Raises:
            LogMismatchError: what was published before is larger, or has another root at this size.
            VerificationError: it is no note of a checkpoint. Signatures are not looked at.
        """
        self.history().add(parse_checkpoint(parse_note(note).text), note)
        self._replace(_CHECKPOINT, note)

    def history(self) -> CheckpointJournal:
        """Every note that was published."""
        if self._history is None:
            self._history = CheckpointJournal(self.folder / _PUBLISHED)
        return self._history

    def _replace(self, name: str, data: bytes) -> None:
        with durable.written_in(self.folder):
            durable.replace(self.folder, name, data)

    # Recovery

    def discard_unsigned(self, size: int) -> Path | None:
        """Shortens the tree to `size` leaves, and moves the tiles and bundles that it then does not have to a folder of their own.

        Returns that folder, or None when there was nothing to move. Nothing is deleted. That nobody signed more than `size` leaves is
        the caller's duty; what was published is looked at here.

        Raises:
            LogMismatchError: more leaves were published, or the tree has fewer.
            VerificationError, NotFoundError: a tile at the new edge is damaged or missing.
        """
        head, published = self.head(), self.published()
        if head is None or head.size < size:
            raise LogMismatchError(f"the tree in {self.folder} does not have {size} leaves")
        if published is not None and parse_checkpoint(parse_note(published).text).size > size:
            raise LogMismatchError(f"more than {size} leaves of this log were published; they are not discarded")
        if size < head.size:
            self.write(self._edge_of(size, head.size))
            self.write_head(Checkpoint(head.origin, size, root_from(size, hash_reader(head.size, self.read))))
        return self._set_aside([named for named in self.stored() if _reaches(named) > _counted(named, size)])

    def _edge_of(self, size: int, stored_size: int) -> list[tuple[Named, bytes]]:
        """The partial tiles and the partial bundle of a smaller tree, cut from those of the larger one."""
        edge: list[Named] = [*partial_tiles(size), *(bundle for bundle in new_bundles(size - size % WIDTH, size))]
        return [(named, _cut(named, *self._as_stored(named, stored_size))) for named in edge]

    def _as_stored(self, named: Named, size: int) -> tuple[bytes, int]:
        width = min(WIDTH, _counted(named, size) - named.index * WIDTH)
        return self.read(_widened(named, width)), width

    def _set_aside(self, beyond: list[Named]) -> Path | None:
        if not beyond:
            return None
        taken = [int(folder.name[6:]) for folder in self.folder.glob("aside-*") if folder.name[6:].isdecimal()]
        aside = self.folder / f"aside-{max(taken, default=0) + 1}"
        with durable.written_in(self.folder):
            durable.move_all(self.folder, aside, [named.path for named in beyond])
        return aside


def _widened(named: Named, width: int) -> Named:
    return Bundle(named.index, width) if isinstance(named, Bundle) else Tile(named.level, named.index, width)


def _cut(named: Named, data: bytes, width: int) -> bytes:
    """The bytes of the narrower tile or bundle at the same place."""
    if isinstance(named, Tile):
        return data[: named.width * HASH_BYTES]
    return encode_bundle(decode_bundle(data, width)[: named.width])


def _counted(named: Named, size: int) -> int:
    """How many hashes of its level, or entries, a tree of `size` leaves has."""
    return size if isinstance(named, Bundle) else size >> HEIGHT * named.level


def _reaches(named: Named) -> int:
    """The same of the smallest tree that has all of it."""
    return named.index * WIDTH + named.width


def _difference(named: Named, found: bytes, wanted: bytes) -> str:
    """Where two contents of a file first differ, in positions of the log."""
    try:
        before, after = _parts(named, found), _parts(named, wanted)
    except VerificationError as error:
        return str(error)
    at = next((at for at, (one, other) in enumerate(zip(before, after, strict=False)) if one != other), len(before))
    span = 1 if isinstance(named, Bundle) else 1 << HEIGHT * named.level
    first = (named.index * WIDTH + at) * span + 1
    return (
        f"the first difference is at position {first}"
        if span == 1
        else f"positions {first} to {first + span - 1} differ"
    )


def _parts(named: Named, data: bytes) -> list[bytes]:
    if isinstance(named, Bundle):
        return decode_bundle(data, named.width)
    return [data[at : at + HASH_BYTES] for at in range(0, len(data), HASH_BYTES)]
