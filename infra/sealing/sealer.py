"""Seals what is recorded: entries become bundles, leaves and tiles, and the tree over them is signed.

Each step is durable before the next begins: bundles and tiles, then the head of the tree, then the signer's memory, then the signature
that leaves. So wherever a crash comes, what it leaves is a tree that was whole, and files beyond it that the same entries give again.

Guarantees: the tree only grows, and is never rebuilt over what is there: what a step finds different is an error that names it. Starting
runs the functions of every round; before anything is signed it has held the right edge against its root, the log against the tree, and
the tree against everything that was ever signed. docs/log.md has the table of faults.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from heapq import merge
from operator import attrgetter
from typing import Final, NoReturn

from domain.errors import LogMismatchError, NotFoundError, VerificationError
from domain.recording import LogReader
from domain.sealing.bundles import encode_bundle
from domain.sealing.checkpoint import Checkpoint, parse_checkpoint
from domain.sealing.encoding import base64_of
from domain.sealing.growth import TiledEdge, loaded_edge
from domain.sealing.note import parse_note
from domain.sealing.tiles import WIDTH, Bundle
from domain.sealing.tree import leaf_hash, leaf_hashes, verify_consistency
from infra.sealing.checkpoints import KeptCheckpoint
from infra.sealing.signer import Signer
from infra.sealing.store import Named, TileStore
from infra.sealing.tree import SealedTree

CHUNK: Final = 16_384
"""Entries that are read, hashed and written together; memory holds them once or twice."""


class Sealer:
    """See the module. For one thread, which holds the store's lock."""

    def __init__(self, log: LogReader, store: TileStore, signer: Signer, *, chunk: int = CHUNK) -> None:
        """Nothing is read yet: see `start`."""
        self._log = log
        self._store = store
        self._signer = signer
        self._chunk = chunk
        self._head: Checkpoint | None = None
        self._edge = TiledEdge()
        self._last_leaf = b""
        self._tail: Sequence[bytes] = ()  # the entries of the partial bundle

    def start(self) -> Checkpoint:
        """Takes the tree up where it was left, and grows it to what was signed, where it is shorter; the head it then has.

        A folder that was lost, or restored from a copy, is so made again out of the log; nothing is written before the entries have
        given the root of every checkpoint that was signed since.

        Raises:
            LogMismatchError: the right edge is not that of the head; the log ends before the tree, or differs from it; the tree does
                not extend what was signed or published.
            RecordingError: the log or the folder cannot be used.
        """
        self._require_lock()
        self._store.create(self._signer.origin)
        self._load()
        self._catch_up()
        for what, checkpoint in self._promises():
            self._require_extension(what, checkpoint)
        return self.head

    @property
    def head(self) -> Checkpoint:
        """The head of the durable tree."""
        if self._head is None:
            raise RuntimeError("a sealer is started before it is used")
        return self._head

    def integrate(self, upto: int | None = None) -> Checkpoint:
        """Adds what is recorded and not sealed yet (up to a position); the head of the tree then, which is durable.

        Raises:
            LogMismatchError: the log ends before the tree, the last sealed entry is another one now, or files beyond the tree's end
                hold something else than what is recorded.
            RecordingError: the log or the folder cannot be used; the next call goes on where this one ended.
        """
        self._require_lock()
        while True:
            size = self.head.size
            limit = self._chunk if upto is None else max(0, min(self._chunk, upto - size))
            entries = self._unsealed(limit)
            if entries:
                self._seal(entries)
            if len(entries) < self._chunk:
                return self.head

    def sign(self) -> bytes:
        """The signed note of the durable tree; the signer has remembered it.

        Raises:
            LogMismatchError: it does not extend what was signed last.
            RecordingError: the signer cannot remember it.
        """
        head, last = self.head, self._signer.last()
        grown = last is not None and 0 < last.size < head.size
        proof = SealedTree(self._store, head.size).consistency(last.size, head.size) if last and grown else []
        return self._signer.sign(head, proof)

    # One round

    def _unsealed(self, limit: int) -> Sequence[bytes]:
        """Up to `limit` entries that follow the sealed ones. With them the last sealed one is read and looked at every time."""
        size = self.head.size
        if size == 0:
            return self._log.entries(0, limit)
        last, *following = self._log.entries(size - 1, limit + 1) or self._ended_early(size)
        if leaf_hash(last) != self._last_leaf:
            self._differs(size)
        return following

    def _seal(self, entries: Sequence[bytes]) -> None:
        leaves = leaf_hashes(entries)
        edge, tiles = self._edge.extended(leaves)
        bundles, tail = self._bundled(entries)
        self._store.write([*bundles, *tiles])
        head = Checkpoint(self.head.origin, edge.size, edge.root)
        self._store.write_head(head)
        self._head, self._edge, self._tail, self._last_leaf = head, edge, tail, leaves[-1]

    def _bundled(self, entries: Sequence[bytes]) -> tuple[list[tuple[Named, bytes]], Sequence[bytes]]:
        """The bundles that end with these entries, and what the last one holds if it is partial."""
        waiting = [*self._tail, *entries]
        first = self.head.size // WIDTH
        chunks = [waiting[at : at + WIDTH] for at in range(0, len(waiting), WIDTH)]
        bundles: list[tuple[Named, bytes]] = [
            (Bundle(first + at, len(chunk)), encode_bundle(chunk)) for at, chunk in enumerate(chunks)
        ]
        return bundles, chunks[-1] if len(chunks[-1]) < WIDTH else ()

    # Starting

    def _load(self) -> None:
        """The tree as it lies there: its right edge gives its root, and the log's entries are its last leaves."""
        head = self._store.head()
        if head is None:
            raise RuntimeError("the folder of the log was not made")
        try:
            self._edge = loaded_edge(head.size, head.root, self._store.read)
            leaves = SealedTree(self._store, head.size).leaves(max(0, head.size - 1) // WIDTH * WIDTH, head.size)
        except (VerificationError, NotFoundError) as error:
            raise LogMismatchError(
                f"the tree of {head.size} leaves in {self._store.folder} was altered: {error}"
            ) from error
        self._head = head
        self._load_tail(leaves)

    def _load_tail(self, leaves: Sequence[bytes]) -> None:
        size = self.head.size
        first = size - len(leaves)
        entries = self._log.entries(first, len(leaves)) if leaves else []
        for position, (entry, leaf) in enumerate(zip(entries, leaves, strict=False), start=first + 1):
            if leaf_hash(entry) != leaf:
                self._differs(position)
        if len(entries) < len(leaves):
            self._ended_early(size)
        if leaves:
            self._store.write([(Bundle(first // WIDTH, len(leaves)), encode_bundle(entries))])
            self._last_leaf = leaves[-1]
        self._tail = entries if size % WIDTH else ()

    def _catch_up(self) -> None:
        """Grows the tree to what was signed or published, after the log has shown that it gives the same roots."""
        target = max((checkpoint.size for _, checkpoint in self._promises()), default=0)
        if self.head.size >= target:
            return
        if self._log.head().position < target:
            self._ended_early(target)
        self._rehearse()
        self.integrate(target)

    def _rehearse(self) -> None:
        """Reads the log as far as was signed, in memory only, and compares the root of every checkpoint on the way."""
        tree = SealedTree(self._store, self.head.size)
        edge = tree.edge
        agreed, leaves, at = 0, list[bytes](), 0
        for kept in self._kept():
            while edge.size < kept.size:
                if at == len(leaves):
                    leaves, at = (
                        leaf_hashes(self._log.entries(edge.size, self._chunk) or self._ended_early(kept.size)),
                        0,
                    )
                taken = leaves[at : at + kept.size - edge.size]
                edge, at = edge.extended(taken), at + len(taken)
            root = edge.root if kept.size == edge.size else tree.root_at(kept.size)
            if root != kept.root:
                raise LogMismatchError(
                    f"positions {agreed + 1} to {kept.size} of the log are not what was sealed: its first {kept.size} entries give the "
                    f"root {base64_of(root)}, and the root {base64_of(kept.root)} was signed; nothing was written"
                )
            agreed = kept.size

    def _kept(self) -> Iterator[KeptCheckpoint]:
        """Every checkpoint that the log has to agree with: the last one that the tree has, and those beyond, by rising size."""
        size, origin = self.head.size, self.head.origin
        journals = (self._signer.history(), self._store.history())
        within = [kept for kept in (journal.upto(origin, size) for journal in journals) if kept is not None]
        yield from within
        yield from merge(*(journal.all(origin, after=size) for journal in journals), key=attrgetter("size"))

    # What was promised

    def _promises(self) -> Iterator[tuple[str, Checkpoint]]:
        """The largest checkpoints that the world may have seen."""
        signed, kept = self._signer.last(), self._store.history().latest(self.head.origin)
        if signed is not None:
            yield f"was signed by {self._signer.folder}", signed
        if kept is not None:
            yield f"was published, as {self._store.history().path} says", kept.checkpoint
        note = self._store.published()
        if note is not None:
            try:
                yield f"{self._store.folder / 'checkpoint'} holds", parse_checkpoint(parse_note(note).text)
            except VerificationError as error:
                raise LogMismatchError(f"{self._store.folder / 'checkpoint'} was altered: {error}") from error

    def _require_extension(self, what: str, old: Checkpoint) -> None:
        head = self.head
        try:
            proof = SealedTree(self._store, head.size).consistency(old.size, head.size)
            verify_consistency(old.size, old.root, head.size, head.root, proof)
        except (VerificationError, ValueError) as error:
            raise LogMismatchError(
                f"the tree of {head.size} leaves with root {base64_of(head.root)} does not extend the one of {old.size} leaves with root "
                f"{base64_of(old.root)} that {what}: {error}"
            ) from error

    # Refusals

    def _require_lock(self) -> None:
        if not self._store.is_locked():
            raise RuntimeError(f"whoever seals holds the lock of {self._store.folder}")

    def _ended_early(self, size: int) -> NoReturn:
        raise LogMismatchError(
            f"the log ends at position {self._log.head().position}, and {size} positions of it were sealed: entries were lost. Where the "
            f"database was restored from a copy, `qingling log recover` puts them back out of the entry bundles"
        )

    def _differs(self, position: int) -> NoReturn:
        raise LogMismatchError(
            f"the entry at position {position} of the log is not the one that was sealed: it does not hash to its leaf in "
            f"{self._store.folder}. One of the two was altered; `qingling log fsck` says more"
        )
