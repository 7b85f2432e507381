"""The tamper report: everything that is stored, compared with everything else and with what was signed.

Rows, bundles and tiles are compared position by position (`comparison`); the head of the tree, every checkpoint that the signer kept
and every one that was published are held against the tree as it is walked; keys and commitments to wholeness against what the log
says of them; and the laws of the database are taken in. docs/tamper.md says what each finding means and what to do.

Guarantees: nothing is changed, and nothing that is wrong with the log raises: it is a finding. One pass in order of position, in flat
memory (recomputing the wholeness maps takes what `infra.sealing.wholeness` takes).
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from operator import attrgetter
from typing import Any, Protocol

from domain.campaigns.genesis import GENESIS_STREAM, Genesis
from domain.entries import EventTypes
from domain.errors import NotFoundError, QinglingError, VerificationError
from domain.recording import LogReader
from domain.sealing.checkpoint import Checkpoint, open_checkpoint, parse_checkpoint
from domain.sealing.cosignature import cosignatures_of
from domain.sealing.note import VerifierKey, parse_note
from domain.sealing.policy import Policy, TrustedLog
from domain.sealing.tiles import HEIGHT, WIDTH, Bundle, Tile
from infra.postgres.fsck import Finding
from infra.sealing.checkpoints import KeptCheckpoint
from infra.sealing.comparison import Comparison
from infra.sealing.findings import Cover, TamperFinding, TamperReport, TamperRule
from infra.sealing.places import Places, RowReader
from infra.sealing.signer import Signer
from infra.sealing.store import TileStore
from infra.sealing.tree import SealedTree
from infra.sealing.wholeness import HistoryReader, commitment

Progress = Callable[[int, int], None]
"""Is told the position that was reached, and the one that will be."""
LIMIT = 1_000
"""Findings that a report names; the others are counted."""
SIGNED = "signed.sqlite"
"""What the signer's journal is called in a finding."""
PUBLISHED = "published.sqlite"
"""The journal of what was published, in the folder of the log."""


class AuditedLog(LogReader, RowReader, HistoryReader, Protocol):
    """A log that can be audited: its entries and its index."""


def tamper_report(
    log: AuditedLog,
    store: TileStore,
    signer: Signer | None,
    policy: Policy,
    types: EventTypes,
    *,
    laws: Iterable[Finding] = (),
    all_commitments: bool = False,
    progress: Progress | None = None,
    limit: int = LIMIT,
) -> TamperReport:
    """Compares everything; see the module.

    `policy` says whose cosignatures are asked for; the log's keys are taken from log and signer. `signer`: None where its folder is
    lost, so that only what was published vouches for anything. `laws`: what `infra.postgres.fsck` found. Of the commitments to
    wholeness the latest is recomputed, or all of them.

    Raises:
        StoreUnreachableError, StoreFailedError: the database cannot be read.
    """
    return _Audit(log, store, signer, policy, types, progress).report(list(laws), all_commitments, limit)


@dataclass
class _Said:
    """What the log's own stream says of keys and maps."""

    origin: str = ""
    keys: list[tuple[int, VerifierKey]] = field(default_factory=list)
    retired: set[str] = field(default_factory=set)
    commitments: list[tuple[int, Any]] = field(default_factory=list)


@dataclass(frozen=True)
class _Mark:
    """A size at which something is to be checked: a kept checkpoint, or the head of the tree on disk."""

    size: int
    kept: KeptCheckpoint | None = None
    published: bool = False
    fault: str = ""
    """Why nothing that the checkpoint says counts."""

    @property
    def is_sound(self) -> bool:
        """Whether the log's own key says so."""
        return self.kept is not None and not self.fault


class _Audit:
    def __init__(
        self,
        log: AuditedLog,
        store: TileStore,
        signer: Signer | None,
        policy: Policy,
        types: EventTypes,
        progress: Progress | None,
    ) -> None:
        self._log = log
        self._store = store
        self._signer = signer
        self._types = types
        self._found: list[TamperFinding] = []
        self._checked = 0
        self._unwitnessed = 0
        self._said = _said(log, types)
        held = [] if signer is None else list(signer.verifiers)
        self._keys = list({key.vkey: key for key in (*held, *(key for _, key in self._said.keys))}.values())
        self._policy = replace(policy, logs=tuple(TrustedLog(key) for key in self._keys))
        # In the order that a log grows by, backwards: so that one that grows meanwhile has no more published than signed, or signed
        # than sealed, than what was read of it. What comes after is left to the next report.
        self._note = store.published()
        self._published = self._published_size()
        self._signed = self._last_signed()
        self._tree = self._tree_head()
        self._size = 0 if self._tree is None else self._tree.size
        self._end = max(self._size, self._signed)
        self._comparison = Comparison(
            Places(log, store, self._size, self._end),
            size=self._size,
            signed=self._signed,
            end=self._end,
            progress=progress,
        )

    def report(self, laws: Sequence[Finding], all_commitments: bool, limit: int) -> TamperReport:
        """The whole report."""
        self._walk()
        self._check_narrow()
        self._check_published()
        self._check_keys()
        commitments = self._said.commitments if all_commitments else self._said.commitments[-1:]
        commitments = [each for each in commitments if 0 <= each[1].upto <= self._size]
        for position, committed in commitments:
            self._check_wholeness(position, committed)
        head = self._log.head().position
        compared = self._comparison
        found = [*compared.rows.findings(head, self._end), *compared.files, *compared.trees, *self._found]
        found += [_broken(law) for law in laws]
        found.sort(key=lambda each: (each.position == 0, each.position))
        return TamperReport(
            origin=self._origin,
            recorded=head,
            sealed=self._size,
            signed=self._signed,
            published=self._published,
            checkpoints=self._checked,
            unwitnessed=self._unwitnessed,
            commitments=len(commitments),
            with_signer=self._signer is not None,
            findings=self._covered(found[:limit]),
            omitted=max(0, len(found) - limit) + compared.rows.omitted,
        )

    @property
    def _origin(self) -> str:
        """The log's name: its signer's, else what its first event says."""
        return self._said.origin if self._signer is None else self._signer.origin

    def _add(self, rule: TamperRule, **more: Any) -> None:
        self._found.append(TamperFinding(rule, **more))

    # What there was when the report began

    def _tree_head(self) -> Checkpoint | None:
        try:
            tree = self._store.head()
        except QinglingError as error:
            self._add(TamperRule.TREE_HEAD, path="tree", detail=str(error))
            return None
        if tree is not None and tree.origin != self._origin:
            self._add(TamperRule.TREE_HEAD, path="tree", detail=f"{self._origin} → {tree.origin}")
        return tree

    def _published_size(self) -> int:
        try:
            return 0 if self._note is None else parse_checkpoint(parse_note(self._note).text).size
        except VerificationError:
            return 0  # `_check_published` says why

    def _last_signed(self) -> int:
        if self._signer is None:
            return self._published
        try:
            last = self._signer.last()
        except QinglingError as error:
            self._add(TamperRule.CHECKPOINT_UNSOUND, path=SIGNED, detail=str(error))
            return self._published
        return 0 if last is None else last.size

    def _marks(self) -> Iterator[_Mark]:
        signed = self._kept(self._all_signed, SIGNED)
        published = self._kept(self._all_published, PUBLISHED, published=True)
        tree = [_Mark(self._size)] if self._size else []
        return heapq.merge(signed, published, tree, key=attrgetter("size"))

    def _all_signed(self) -> Iterable[KeptCheckpoint]:
        return [] if self._signer is None else self._signer.history().all(self._origin)

    def _all_published(self) -> Iterable[KeptCheckpoint]:
        return self._store.history().all(self._origin) if self._has_history() else []

    def _has_history(self) -> bool:
        """Asking for a journal that is not there would make one."""
        return (self._store.folder / PUBLISHED).is_file()

    def _kept(
        self, journal: Callable[[], Iterable[KeptCheckpoint]], path: str, *, published: bool = False
    ) -> Iterator[_Mark]:
        """The checkpoints of a journal in order of size."""
        size = 0
        try:
            for kept in journal():
                if kept.size > max(self._signed, self._published):
                    return
                self._checked += 1
                fault = self._fault(kept, published) or (f"{kept.size} < {size}" if kept.size < size else "")
                if fault:
                    self._add(
                        TamperRule.CHECKPOINT_UNSOUND, position=kept.size, last=kept.size, path=path, detail=fault
                    )
                size = max(size, kept.size)
                yield _Mark(size, kept, published, fault)
        except QinglingError as error:
            self._add(TamperRule.CHECKPOINT_UNSOUND, path=path, detail=str(error))

    def _fault(self, kept: KeptCheckpoint, published: bool) -> str:
        """Why a kept checkpoint proves nothing; empty where it does."""
        try:
            signed = open_checkpoint(kept.note, self._keys)
            cosignatures = cosignatures_of(signed.note, [witness.key for witness in self._policy.witnesses])
        except VerificationError as error:
            return str(error)
        self._unwitnessed += published and not self._policy.is_met_by(each.key for each in cosignatures)
        if signed.checkpoint != kept.checkpoint or kept.checkpoint.origin != self._origin:
            said = signed.checkpoint
            return (
                f"{kept.checkpoint.origin} {kept.size} {kept.root.hex()} → {said.origin} {said.size} {said.root.hex()}"
            )
        return ""

    # Tree and checkpoints

    def _walk(self) -> None:
        """Through all sizes at which something was signed, published or written down, in their order."""
        for size, group in groupby(self._marks(), key=attrgetter("size")):
            marks = list(group)
            sound = [mark.kept for mark in marks if mark.kept is not None and mark.is_sound]
            if size <= self._end:
                tree = self._tree.root if self._tree is not None and size == self._size else None
                self._comparison.advance(size, sound[0].root if sound else tree, signed=bool(sound))
            self._check_remembered(marks)
            if size == self._size:
                self._check_tree()
        if self._size < self._signed:
            self._add(TamperRule.TREE_BEHIND, position=self._size + 1, last=self._signed, path="tree")

    def _check_tree(self) -> None:
        """The head of the tree on disk, where the walk has reached it."""
        edge, tree = self._comparison.edge, self._tree
        if tree is None or edge.size != tree.size:
            return
        if edge.root != tree.root:
            self._add(TamperRule.TREE_HEAD, path="tree", stored=tree.root.hex(), sealed=edge.root.hex())
        self._comparison.partials()

    def _check_remembered(self, marks: Sequence[_Mark]) -> None:
        """What was published is what the signer remembers to have signed."""
        if self._signer is None:
            return
        signed = [mark.kept.root for mark in marks if mark.kept is not None and not mark.published]
        for mark in marks:
            if mark.kept is not None and mark.published and mark.is_sound and mark.kept.root not in signed:
                self._add(
                    TamperRule.CHECKPOINT_UNKNOWN,
                    position=mark.size,
                    last=mark.size,
                    path=PUBLISHED,
                    stored=mark.kept.root.hex(),
                    sealed=signed[0].hex() if signed else "",
                )

    def _check_narrow(self) -> None:
        """Partial tiles and bundles that are narrower than what there is by now: they are the beginning of that."""
        told = {finding.path for finding in self._comparison.files}
        for named in self._store.stored():
            widest = self._widest(named)
            if widest is None or widest == named or widest.path in told:
                continue
            if not _read(self._store, widest).startswith(_read(self._store, named)):
                changed = TamperRule.BUNDLE_CHANGED if isinstance(named, Bundle) else TamperRule.TILE_CHANGED
                span = 1 if isinstance(named, Bundle) else 1 << HEIGHT * named.level
                first = named.index * WIDTH * span
                self._add(changed, position=first + 1, last=first + named.width * span, path=named.path)

    def _widest(self, named: Tile | Bundle) -> Tile | Bundle | None:
        """The file that took the place of a partial one; None where the tree on disk never was so wide."""
        level = 0 if isinstance(named, Bundle) else named.level
        width = min(WIDTH, (self._size >> HEIGHT * level) - named.index * WIDTH)
        return None if width < named.width else replace(named, width=width)

    def _check_published(self) -> None:
        """The published note: sound, one of those that were ever published, and with the quorum of today."""
        note = self._note
        if note is None:
            if self._has_published():
                self._add(TamperRule.CHECKPOINT_UNSOUND, path="checkpoint", detail="")
            return
        try:
            checkpoint = open_checkpoint(note, self._keys).checkpoint
        except VerificationError as error:
            self._add(TamperRule.CHECKPOINT_UNSOUND, path="checkpoint", detail=str(error))
            return
        at = {"position": checkpoint.size, "last": checkpoint.size, "path": "checkpoint"}
        if not any(note == kept.note for kept in self._published_with(checkpoint.size)):
            self._add(TamperRule.CHECKPOINT_UNKNOWN, stored=checkpoint.root.hex(), **at)
        try:
            self._policy.verified(note)
        except VerificationError as error:
            self._add(TamperRule.CHECKPOINT_UNWITNESSED, detail=str(error), **at)

    def _published_with(self, size: int) -> Iterator[KeptCheckpoint]:
        try:
            for kept in self._store.history().all(self._origin, after=size - 1) if self._has_history() else ():
                if kept.size > size:
                    return
                yield kept
        except QinglingError:
            return  # `_kept` has said that the journal cannot be read

    def _has_published(self) -> bool:
        try:
            return self._has_history() and self._store.history().latest(self._origin) is not None
        except QinglingError:
            return False  # as above

    # Keys and maps

    def _check_keys(self) -> None:
        """The signer's keys are those that the log announced."""
        if self._signer is None:
            return
        held = {key.vkey for key in self._signer.verifiers}
        announced = {key.vkey for _, key in self._said.keys}
        for vkey in sorted(held - announced):
            self._add(TamperRule.KEY_UNANNOUNCED, detail=vkey)
        signing = [each for each in self._said.keys if each[1].vkey not in self._said.retired]
        for position, key in signing[-1:]:
            if key.vkey not in held:
                self._add(TamperRule.KEY_NOT_HELD, position=position, last=position, detail=key.vkey)

    def _check_wholeness(self, position: int, committed: Any) -> None:
        """The maps that an event bound the log to, made again."""
        try:
            streams, partitions = commitment(self._log, SealedTree(self._store), committed.upto)
        except QinglingError as error:
            self._add(TamperRule.WHOLENESS_DIFFERS, position=position, last=position, detail=str(error))
            return
        for made, bound in ((streams, committed.streams.head), (partitions, committed.partitions.head)):
            if made.head != bound:
                self._add(
                    TamperRule.WHOLENESS_DIFFERS,
                    position=position,
                    last=position,
                    stored=made.head.root.hex(),
                    sealed=bound.root.hex(),
                    detail=f"{made.kind.value}: {bound.size} → {made.head.size}",
                )

    # Who vouches

    def _covered(self, found: Sequence[TamperFinding]) -> list[TamperFinding]:
        """Each finding with the first published checkpoint that covers it; where none does, the first that was signed."""
        covers: dict[int, Cover] = {}
        waiting = sorted({finding.position for finding in found if finding.position})
        for journal, is_published in ((self._all_published, True), (self._all_signed, False)):
            for kept in self._kept_only(journal):
                while waiting and waiting[0] <= kept.size:
                    covers[waiting.pop(0)] = self._cover(kept, is_published)
                if not waiting:
                    break
        return [replace(finding, cover=covers.get(finding.position)) for finding in found]

    def _kept_only(self, journal: Callable[[], Iterable[KeptCheckpoint]]) -> Iterator[KeptCheckpoint]:
        """The sound checkpoints of a journal, as far as it can be read: the walk has said what is wrong with it."""
        try:
            yield from (kept for kept in journal() if self._vouches(kept))
        except QinglingError:
            return

    def _vouches(self, kept: KeptCheckpoint) -> bool:
        try:
            signed = open_checkpoint(kept.note, self._keys)
            cosignatures_of(signed.note, [witness.key for witness in self._policy.witnesses])
        except VerificationError:
            return False
        return signed.checkpoint == kept.checkpoint

    def _cover(self, kept: KeptCheckpoint, published: bool) -> Cover:
        names = {witness.key: witness.name.decode(errors="backslashreplace") for witness in self._policy.witnesses}
        cosignatures = cosignatures_of(parse_note(kept.note), names)
        return Cover(kept.size, kept.root.hex(), published, sorted(names[each.key] for each in cosignatures))


def _said(log: LogReader, types: EventTypes) -> _Said:
    """What the log's own stream says. An event of it that cannot be read says nothing; that it differs is found elsewhere."""
    said = _Said()
    for stored in log.read_stream(GENESIS_STREAM):
        try:
            event: Any = types.decode(stored).event
            match event:
                case Genesis.Created():
                    said.origin = event.origin
                case Genesis.KeyAnnounced():
                    said.keys.append((stored.position, VerifierKey.parse(event.vkey)))
                case Genesis.KeyRetired():
                    said.retired.add(event.vkey)
                case Genesis.WholenessCommitted():
                    said.commitments.append((stored.position, event))
        except QinglingError:
            continue
    return said


def _read(store: TileStore, named: Tile | Bundle) -> bytes:
    try:
        return store.read(named)
    except (NotFoundError, VerificationError):
        return b""


def _broken(law: Finding) -> TamperFinding:
    return TamperFinding(TamperRule.LAW_BROKEN, law.position, law.position, detail=f"{law.law}: {law.message}")
