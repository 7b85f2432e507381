"""Verifying a pack: the eight rules of docs/packs.md, first what is cryptographic, then what the figures rest on.

Guarantees: `VerificationError`, with the number of the rule and the place, for whatever is wrong with the file handed over; no
settings, database or network. Memory: some 100 bytes an entry, and every row of the ledgers when they are made anew.
"""

from __future__ import annotations

import re
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from operator import itemgetter
from pathlib import Path
from typing import Any, Final, NamedTuple

import orjson

from domain.campaigns.genesis import GENESIS_STREAM, Genesis
from domain.catalogue import EVENT_TYPES
from domain.entries import Recorded, type_of
from domain.errors import FoldError, InputError, VerificationError
from domain.packs.pack import Pack, Selection, SelectionKind
from domain.sealing.checkpoint import Checkpoint
from domain.sealing.policy import Policy
from domain.sealing.sorted_map import Kind, MapHead, MapLeaf, verify_together
from domain.sealing.subset import verify_subset
from domain.sealing.tiles import hashes_in
from domain.sealing.tree import root_of
from domain.streams import StreamEvent
from infra.packs.compare import LedgerReport, compare_ledger
from infra.packs.derive import DerivedLedgers, decoded, derive
from infra.packs.files import check_files, digests_in
from infra.packs.layout import (
    CHECKPOINT,
    ENTRIES,
    EVIDENCE_FILE,
    MANIFEST,
    PROOF,
    WHOLENESS,
    WITHHELD,
    Manifest,
    ledger_file,
)
from infra.packs.reader import PackReader
from infra.packs.selection import asked_for
from infra.packs.tables import EDITIONS, names_of
from infra.packs.trust import Trusted

_HEX: Final = re.compile(r"[0-9a-f]{64}")
_CANONICAL: Final = orjson.OPT_SORT_KEYS | orjson.OPT_STRICT_INTEGER
_ATTRIBUTES: Final = itemgetter("source", "partitionkey", "subject", "version", "id")


class Rule(NamedTuple):
    """A rule, as docs/packs.md numbers them."""

    number: int
    zh: str
    en: str


RULES: Final = (
    Rule(1, "压缩包与清单逐字节一致", "the zip is exactly what its manifest says"),
    Rule(2, "检查点由所信任的密钥签名", "the checkpoint is signed as asked for"),
    Rule(3, "每条事件都在日志的哈希树中", "every entry is in the tree of the checkpoint"),
    Rule(4, "每条事件都是本日志的规范条目", "every entry is a canonical one of this log"),
    Rule(5, "每个案件的历史完整，一条不少", "every partition is whole"),
    Rule(6, "账目摘要已先记入日志", "the log announced the ledgers of this pack"),
    Rule(7, "台账每一行均由包内事件重新算出", "the ledgers follow from the entries"),
    Rule(8, "证据材料即事件所指的文件", "the evidence files are those that the entries name"),
)

Special = Mapping[int, bytes]
"""Entries by position, among them those that rules ask for."""
VerifyProgress = Callable[[Rule, int, int | None], None]
"""Told which rule is being checked, how far, and of how much (bytes or entries)."""


@dataclass(frozen=True)
class PackReport:
    """A pack that holds: what it shows, who vouches for it, and how long it took. `seconds` by number of rule.

    `ledgers` is None where rule 7 was left out. `cases` is what the event of the pack says. `files`: evidence files in it.
    """

    origin: str
    kind: str
    selection: Selection
    upto: int
    wholeness: int
    made: int
    made_at: datetime
    entries: int
    withheld: Mapping[int, str]
    partitions: int
    cases: int
    office: bool
    trusted: Trusted
    ledgers: tuple[LedgerReport, ...] | None
    files: int
    bytes: int
    seconds: Mapping[int, float]


def verify_pack(
    path: Path,
    policy: Policy,
    *,
    figures: bool = True,
    files_to: Path | None = None,
    progress: VerifyProgress | None = None,
) -> PackReport:
    """Verifies a pack against whom the caller trusts. Without `figures` rule 7 is left out.

    Into the folder `files_to` the evidence files are written, opened, once everything else was found right.

    Raises:
        VerificationError: it does not hold; the message begins with the number of the rule.
        InputError: the file cannot be read, or an evidence file not written.
    """
    run = _Run(progress)
    contents = _Contents()
    with run.rule(1):
        reader = PackReader(path, run.count, contents.look)
    with reader:
        return _verified(reader, contents, policy, run, figures=figures, files_to=files_to)


def _verified(
    reader: PackReader, contents: _Contents, policy: Policy, run: _Run, *, figures: bool, files_to: Path | None
) -> PackReport:
    manifest = reader.manifest
    with run.rule(2):
        trusted = _checkpoint(reader, policy)
    with run.rule(3):
        _check_tree(reader, trusted.checkpoint)
    with run.rule(4):
        _check_entries(reader, contents)
        special = contents.special(reader)
    with run.rule(5):
        _check_positions(reader)
        _check_wholeness(reader, special, _tallied(reader, contents))
    with run.rule(6):
        made = _announcement(reader, special)
    ledgers = None
    if figures:
        with run.rule(7):
            ledgers = _figures(reader, made.event, run)
    with run.rule(8):
        files = check_files(reader, contents.digests, files_to)
    return PackReport(
        origin=manifest.origin,
        kind=manifest.kind,
        selection=manifest.selection,
        upto=manifest.upto,
        wholeness=manifest.wholeness,
        made=manifest.made,
        made_at=made.envelope.time,
        entries=manifest.entries,
        withheld={position: each.partitionkey for position, each in reader.withheld.items()},
        partitions=len(manifest.partitions),
        cases=made.event.cases,
        office=manifest.office,
        trusted=trusted,
        ledgers=ledgers,
        files=files,
        bytes=sum(file.bytes for file in manifest.files.values()),
        seconds=dict(run.seconds),
    )


class _Run:
    """Which rule is being checked, and how long each took."""

    def __init__(self, progress: VerifyProgress | None) -> None:
        self._progress = progress
        self._rule = RULES[0]
        self.seconds: dict[int, float] = {}

    @contextmanager
    def rule(self, number: int) -> Iterator[None]:
        """Says of what fails inside which rule it breaks."""
        self._rule = RULES[number - 1]
        self.count(0, None)
        began = time.monotonic()
        try:
            yield
        except VerificationError as error:
            raise VerificationError(f"rule {number}, {self._rule.en}: {error}") from None
        finally:
            self.seconds[number] = time.monotonic() - began

    def count(self, done: int, total: int | None) -> None:
        """How far the rule is."""
        if self._progress is not None:
            self._progress(self._rule, done, total)


# ------------------------------------------------------------------------------------------------------------- 2, 3, 4


def _checkpoint(reader: PackReader, policy: Policy) -> Trusted:
    accepted = policy.verified(reader.checkpoint)
    head, manifest = accepted.checkpoint, reader.manifest
    if head.origin != manifest.origin:
        raise VerificationError(f"{CHECKPOINT}: it is of {head.origin}, the manifest of {manifest.origin}")
    if head.size != manifest.size:
        raise VerificationError(f"{CHECKPOINT}: its tree has {head.size} leaves; the manifest says {manifest.size}")
    return Trusted.of(accepted, policy)


def _check_tree(reader: PackReader, head: Checkpoint) -> None:
    indexes = [position - 1 for position in reader.positions]
    try:
        verify_subset(reader.leaves, indexes, head.size, reader.proof, head.root)
    except VerificationError as error:
        raise VerificationError(f"{PROOF}: the entries here are not those at their positions: {error}") from None


class _Contents:
    """Rule 4: what each shown entry says of itself, looked at while the pack is read for rule 1.

    `partitions` has the partition key of each; `fault` is the first entry (counted from 0) that breaks the rule, and how; `digests` those
    that entries bear, where the pack has evidence files to hold against them.
    """

    def __init__(self) -> None:
        self.partitions: list[str] = []
        self.fault: tuple[int, str] | None = None
        self.digests: set[str] = set()
        self._first = b""
        self._last: deque[bytes] = deque(maxlen=2)
        self._names: dict[str, str] = {}

    def look(self, manifest: Manifest, entries: Sequence[bytes]) -> None:
        """Looks at the next entries."""
        source, names, partitions = f"urn:qingling:{manifest.origin}", self._names, self.partitions
        if not partitions and entries:
            self._first = entries[0]
        self._last.extend(entries[-2:])
        if any(EVIDENCE_FILE.fullmatch(name) for name in manifest.files):
            self.digests.update(digest for entry in entries for digest in digests_in(entry))
        if self.fault is not None:
            return
        try:
            for entry in entries:
                partition = _partition_of(entry, source)
                partitions.append(names.setdefault(partition, partition))
        except VerificationError as error:
            self.fault = (len(partitions), str(error))

    def special(self, reader: PackReader) -> dict[int, bytes]:
        """The first entry and the last two, by position: where the genesis, the commitment and the announcement must be."""
        ends = zip((*reader.shown[-2:], reader.shown[0]), (*self._last, self._first), strict=True)
        return dict(ends)


def _partition_of(entry: bytes, source: str) -> str:
    """The partition key of an entry that is canonical and of this log."""
    try:
        attributes = orjson.loads(entry)
        spelled = orjson.dumps(attributes, option=_CANONICAL)
    except (orjson.JSONDecodeError, TypeError) as error:
        raise VerificationError(f"it is no JSON: {error}") from None
    if spelled != entry or type(attributes) is not dict:
        raise VerificationError("it is not canonical JSON")
    try:
        named, partition, subject, version, own = _ATTRIBUTES(attributes)
    except KeyError as error:
        raise VerificationError(f"it has no {error.args[0]}") from None
    if named != source:
        raise VerificationError(f"its source is not {source}")
    if type(version) is not int or own != f"{subject}/{version}":
        raise VerificationError("its id is not subject/version")
    if type(partition) is not str:
        raise VerificationError("its partition key is no text")
    return partition


def _check_entries(reader: PackReader, contents: _Contents) -> None:
    if contents.fault is not None:
        which, why = contents.fault
        raise VerificationError(f"{ENTRIES}, position {reader.shown[which]}: {why}")
    _check_genesis(reader.manifest, contents.special(reader))


def _tallied(reader: PackReader, contents: _Contents) -> dict[str, bytearray]:
    """Leaf hashes by partition up to P, in order. A withheld entry counts for the partition that is said to have it."""
    withheld, upto, partitions = reader.withheld, reader.manifest.upto, iter(contents.partitions)
    hashes: defaultdict[str, bytearray] = defaultdict(bytearray)
    for position, leaf in zip(reader.positions, reader.leaves, strict=True):
        partition = withheld[position].partitionkey if position in withheld else next(partitions)
        if position <= upto:
            hashes[partition] += leaf
    return hashes


def _check_genesis(manifest: Manifest, special: Special) -> None:
    recorded = _special(special, 1, Genesis.Created)
    event: Any = recorded.event
    if recorded.envelope.subject != GENESIS_STREAM or (event.origin, event.kind) != (manifest.origin, manifest.kind):
        raise VerificationError(
            f"position 1 says that this is {event.origin}, {event.kind}; the manifest says {manifest.origin}, {manifest.kind}"
        )


def _special(special: Special, position: int, kind: type[StreamEvent]) -> Recorded[Any]:
    """The event at a position that must be shown and of a type."""
    entry = special.get(position)
    if entry is None:
        raise VerificationError(f"position {position} must be shown, and is not")
    try:
        recorded = EVENT_TYPES.decode_entry(position, entry)
    except FoldError as error:
        raise VerificationError(str(error)) from None
    if not isinstance(recorded.event, kind):
        raise VerificationError(f"position {position} is a {recorded.envelope.type}, not a {type_of(kind)}")
    return recorded


# ------------------------------------------------------------------------------------------------------------------- 5


def _check_positions(reader: PackReader) -> None:
    manifest = reader.manifest
    if not manifest.upto < manifest.wholeness < manifest.made <= manifest.size:
        raise VerificationError(
            f"{MANIFEST}: upto {manifest.upto}, wholeness {manifest.wholeness}, made {manifest.made}, size {manifest.size}"
            " do not follow each other"
        )
    after = [position for position in reader.positions[-3:] if position > manifest.upto]
    if after != [manifest.wholeness, manifest.made]:
        raise VerificationError(
            f"behind position {manifest.upto} the pack must hold {manifest.wholeness} and {manifest.made} and nothing else"
        )
    if manifest.selection.kind is SelectionKind.ALL and len(reader.positions) != manifest.upto + 2:
        missing = next(at for at, packed in enumerate(reader.positions, start=1) if at != packed)
        raise VerificationError(f"a pack of everything holds every position; {missing} is missing")


def _check_wholeness(reader: PackReader, special: Special, hashes: Mapping[str, bytearray]) -> None:
    manifest = reader.manifest
    head = _committed_head(manifest, special)
    if GENESIS_STREAM not in manifest.partitions:
        raise VerificationError(f"{MANIFEST}: the partition {GENESIS_STREAM} is not listed")
    if sorted(reader.partitions, key=str.encode) != manifest.partitions:
        raise VerificationError(f"{WHOLENESS}: its partitions are not those of the manifest")
    if manifest.selection.kind is SelectionKind.ALL and len(manifest.partitions) != head.size:
        raise VerificationError(
            f"a pack of everything has every partition; the log has {head.size}, the pack {len(manifest.partitions)}"
        )
    verify_together(head, Kind.PARTITION, reader.presence)
    if further := sorted(hashes.keys() - set(manifest.partitions)):
        raise VerificationError(f"{ENTRIES}: it holds entries of the partition {further[0]}, which is not listed")
    for name, (_, leaf) in zip(reader.partitions, reader.presence.leaves, strict=True):
        _check_partition(name, leaf, bytes(hashes.get(name, b"")), manifest.upto)


def _check_partition(name: str, leaf: MapLeaf, hashes: bytes, upto: int) -> None:
    found = hashes_in(hashes)
    if len(found) != leaf.entries:
        raise VerificationError(
            f"partition {name} has {leaf.entries} entries up to position {upto}; the pack has {len(found)} of them"
        )
    if root_of(found) != leaf.root:
        raise VerificationError(
            f"partition {name}: the entries in the pack are not all that it has up to position {upto}"
        )


def _committed_head(manifest: Manifest, special: Special) -> MapHead:
    recorded = _special(special, manifest.wholeness, Genesis.WholenessCommitted)
    event = recorded.event
    if recorded.envelope.subject != GENESIS_STREAM or event.upto != manifest.upto:
        raise VerificationError(
            f"position {manifest.wholeness} commits the log as of {event.upto}; the pack is as of {manifest.upto}"
        )
    if not _HEX.fullmatch(event.partitions.root):
        raise VerificationError(f"position {manifest.wholeness}: the root of its map is no hash")
    head: MapHead = event.partitions.head
    return head


# ------------------------------------------------------------------------------------------------------------------- 6


def _announcement(reader: PackReader, special: Special) -> Recorded[Any]:
    manifest = reader.manifest
    recorded = _special(special, manifest.made, Pack.Created)
    event = recorded.event
    said = (
        ("selection", event.selection, manifest.selection),
        ("upto", event.upto, manifest.upto),
        ("wholeness", event.wholeness, manifest.wholeness),
        ("withoffice", event.withoffice, manifest.office),
        ("withheld", event.withheld, manifest.files[WITHHELD].sha256),
        ("ledgers", sorted(each.name for each in event.ledgers), reader.ledgers),
    )
    for name, announced, here in said:
        if announced != here:
            raise VerificationError(f"position {manifest.made} says {name} is {announced}; the pack says {here}")
    if manifest.selection.kind is not SelectionKind.ALL and event.cases != len(manifest.partitions) - 1:
        raise VerificationError(
            f"position {manifest.made} says {event.cases} cases; the pack lists {len(manifest.partitions) - 1}"
        )
    for ledger in event.ledgers:
        for format, digest in (("csv", ledger.csv), ("xlsx", ledger.xlsx)):
            file = manifest.files.get(ledger_file(ledger.name, format))
            if file is None or file.sha256 != digest:
                raise VerificationError(
                    f"{ledger_file(ledger.name, format)}: its digest is not the one announced at position {manifest.made}"
                )
    return recorded


# ------------------------------------------------------------------------------------------------------------------- 7


def _figures(reader: PackReader, announced: Pack.Created, run: _Run) -> tuple[LedgerReport, ...]:
    manifest = reader.manifest
    names = _names(reader)
    derived = derive(decoded(EVENT_TYPES, _counted(reader, run)))
    _check_cases(reader, derived, announced)
    rows = {each.name: (each.rows, each.uncovered) for each in announced.ledgers}
    reports = []
    for name in names:
        report = compare_ledger(reader, derived, name)
        if rows[name] != (report.rows, report.uncovered):
            raise VerificationError(
                f"{ledger_file(name, 'csv')}: it has {report.rows} rows, {report.uncovered} of them not covered; position"
                f" {manifest.made} says {rows[name][0]} and {rows[name][1]}"
            )
        reports.append(report)
    return tuple(reports)


def _names(reader: PackReader) -> tuple[str, ...]:
    """The pack's ledgers in the order in which they were made: those of this release, or of an earlier one."""
    manifest = reader.manifest
    editions = [names_of(manifest.selection.kind, office=manifest.office, of_cases=each) for each in EDITIONS]
    for names in editions:
        if reader.ledgers == sorted(names):
            return names
    raise VerificationError(f"{MANIFEST}: a pack like this has the ledgers {', '.join(sorted(editions[0]))}")


def _counted(reader: PackReader, run: _Run) -> Iterator[tuple[int, bytes]]:
    """The shown entries up to P."""
    for position, entry in zip(reader.shown, reader.entries(), strict=True):
        if position <= reader.manifest.upto:
            yield position, entry
        if position & 0xFFF == 0:
            run.count(position, reader.manifest.upto)


def _check_cases(reader: PackReader, derived: DerivedLedgers, announced: Pack.Created) -> None:
    """That each packed case is one that the selection asks for; of a pack of everything, that it says how many there are."""
    manifest, cases = reader.manifest, derived.cases()
    loose = {each.partitionkey for each in reader.withheld.values()}
    if manifest.selection.kind is SelectionKind.ALL:
        if not loose and announced.cases != len(cases):
            raise VerificationError(f"position {manifest.made} says {announced.cases} cases; there are {len(cases)}")
        return
    try:
        asked = asked_for(manifest.selection, lambda: derived.facts.tree, derived.facts.zone)
        for name in manifest.partitions:
            row = cases.get(name)
            if name in (GENESIS_STREAM, *loose) or (row is not None and asked(row)):
                continue
            raise VerificationError(f"partition {name} is no case that the selection asks for")
    except (InputError, OverflowError, RecursionError) as error:
        raise VerificationError(f"the selection: {error}") from None
