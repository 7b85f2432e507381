"""Making a pack: ledgers as of a position, the commitment and the announcement in the log, the proofs, the zip.

The order, so that figures are bound before anybody sees them:

    1  P is the head of the log; the ledgers have reached it
    2  the entries up to P are written down, and the ledgers made anew from them, beside the ones that the doors show
    3  the log is bound to the wholeness map as of P
    4  the pack, with the digests of its ledgers, is recorded
    5  all of it is published
    6  proofs and zip are written beside the target, verified (rules 1 to 6), and the zip is moved to its name

Guarantees: a row of a ledger that its own entries do not make is not packed as one that they do: where nothing is withheld, making
stops and says which. A failure leaves no file; what was recorded stays in the log, and harms nobody. Memory: the rows of the packed
ledgers, and some 100 bytes an entry.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import file_digest
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO, Final, Literal
from uuid import uuid4

import msgspec
import orjson

from domain.campaigns.genesis import GENESIS_STREAM
from domain.entries import Recorded
from domain.errors import InputError, NotFoundError, VerificationError
from domain.packs.handlers import announce_pack
from domain.packs.pack import PackedLedger, Selection, SelectionKind
from domain.recording import StoredEntry
from domain.sealing.checkpoint import parse_checkpoint
from domain.sealing.note import parse_note
from domain.sealing.tree import leaf_hash
from domain.streams import Context, Provenance, StreamEvent, Visibility
from infra.books.export import Language, write_table
from infra.packs import layout
from infra.packs.archive import ArchiveWriter, pieces_of
from infra.packs.derive import DerivedLedgers, derive
from infra.packs.files import digests_in, opening_of
from infra.packs.layout import File, Manifest, Withheld
from infra.packs.page import page_of
from infra.packs.selection import asked_for
from infra.packs.tables import BOARD, Table, cell_values, names_of, partition_of, row_ledger, table_of, values_of
from infra.packs.verify import PackReport, verify_pack
from infra.platform import Platform
from infra.postgres.ledger_reader import VersionedRow
from infra.sealing.standing import Bound
from projections.case_ledger import CaseRow
from projections.ledger import Cell, Row, Sums

PATIENCE: Final = 600.0
"""Seconds that making a pack waits for the ledgers, and for the quorum of its checkpoint."""
_MOST_FILES: Final = 4_900
"""Evidence files of a pack: with what opens them, ledgers and schemas, fewer than the members that a zip of ours may have."""
_FEW: Final = 200
"""Cases up to which each is read by itself; beyond, the log and the ledgers are read through."""
_CHUNK: Final = 5_000


class Stage(StrEnum):
    """What is being done."""

    ENTRIES = "entries"
    LEDGERS = "ledgers"
    BINDING = "binding"
    PUBLISHING = "publishing"
    WRITING = "writing"
    CHECKING = "checking"


PackProgress = Callable[[Stage, int, int | None], None]
"""Told the stage, how far it is, and of how much (positions, rows, bytes)."""


@dataclass(frozen=True)
class MadePack:
    """A pack that was made, as its own verification found it (all rules but the seventh), and the figures that it announced."""

    path: Path
    report: PackReport
    ledgers: tuple[PackedLedger, ...]
    seconds: float


def make_pack(
    platform: Platform,
    selection: Selection,
    target: Path,
    *,
    office: bool = False,
    files: bool = False,
    language: Literal["zh", "en"] = "zh",
    actor: str = "system",
    progress: PackProgress | None = None,
) -> MadePack:
    """Makes a pack as of now. `selection` names a case by its id; `office`: with what only the office sees; `files`: with the evidence
    files that its entries name, and what opens them.

    Raises:
        InputError: there is a file of the target's name; no such jurisdiction; the pack would reach 4 GiB.
        NotFoundError: no case is one that the selection asks for.
        NotReadyError: ledgers, sealing or witnesses are behind; there is no key.
        VerificationError: a ledger holds a row that its events do not make, or a stored event is not the sealed one.
        RuleError: somebody bound the log as of a later position meanwhile; make it again.
    """
    began = time.monotonic()
    if target.exists():
        raise InputError(f"there is a {target} already; a pack overwrites nothing", field="output", rule="new-file")
    try:
        folder = TemporaryDirectory(dir=target.absolute().parent, prefix=f".{target.name}.")
    except OSError as error:
        raise InputError(f"cannot write {target}: {error.strerror}", field="output", rule="writable") from error
    with folder as name:
        making = _Making(
            platform, selection, Path(name), office=office, files=files, language=language, progress=progress
        )
        pack = making.run(actor)
        report = making.checked(pack)
        _move(pack, target)
    return MadePack(target, report, tuple(making.ledgers), time.monotonic() - began)


def _move(pack: Path, target: Path) -> None:
    """Gives the pack its name, durably, unless somebody else took the name meanwhile."""
    with pack.open("rb") as file:
        os.fsync(file.fileno())
    if target.exists():
        raise InputError(f"there is a {target} by now; a pack overwrites nothing", field="output", rule="new-file")
    pack.replace(target)
    directory = os.open(target.absolute().parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


@dataclass
class _Packed:
    """The entries of the pack up to P, as they were read: where they stand, what they are of, and which are withheld."""

    positions: list[int] = field(default_factory=list)
    withheld: dict[int, Withheld] = field(default_factory=dict)
    types: set[str] = field(default_factory=set)
    partitions: set[str] = field(default_factory=lambda: {GENESIS_STREAM})
    digests: set[str] = field(default_factory=set)
    """That the shown entries bear, where evidence files are asked for."""


class _Making:
    """One pack under way, in a folder of its own."""

    def __init__(
        self,
        platform: Platform,
        selection: Selection,
        folder: Path,
        *,
        office: bool,
        files: bool,
        language: Literal["zh", "en"],
        progress: PackProgress | None,
    ) -> None:
        self._files = files
        self._platform = platform
        self._selection = selection
        self._folder = folder
        self._office = office
        self._language: Language = language
        self._progress = progress
        self._everything = selection.kind is SelectionKind.ALL
        self._upto = platform.head().position
        self._packed = _Packed()
        self._cases_withheld = False
        self.ledgers: list[PackedLedger] = []

    def run(self, actor: str) -> Path:
        """Everything up to the zip under its provisional name."""
        platform = self._platform
        platform.wait_for(self._upto, timeout=PATIENCE)
        self._cases = () if self._everything else self._chosen()
        self._derived = self._read_entries()
        self._write_ledgers()
        self._write_files_named()
        self._tell(Stage.BINDING, 0)
        bound = platform.sealing.bind(actor, upto=self._upto)
        self._write(layout.WITHHELD, layout.print_withheld(self._packed.withheld))
        made = self._announced(bound, actor)
        self._tell(Stage.PUBLISHING, 0)
        note = platform.sealing.publish(PATIENCE)
        manifest = self._write_proofs(bound, made, note)
        return self._zipped(manifest)

    def checked(self, pack: Path) -> PackReport:
        """All rules but the seventh, against the deployment's own keys and witnesses."""
        return verify_pack(
            pack,
            self._platform.sealing.policy(),
            figures=False,
            progress=lambda rule, _done, _total: self._tell(Stage.CHECKING, rule.number, 8),
        )

    def _tell(self, stage: Stage, done: int, total: int | None = None) -> None:
        if self._progress is not None:
            self._progress(stage, done, total)

    def _write(self, name: str, data: bytes) -> None:
        with self._created(name) as file:
            file.write(data)

    def _created(self, name: str) -> BinaryIO:
        path = self._folder / name
        path.parent.mkdir(exist_ok=True)
        return path.open("wb")

    # Cases and entries

    def _chosen(self) -> tuple[str, ...]:
        platform, selection = self._platform, self._selection
        asked = asked_for(selection, lambda: platform.info.tree, platform.info.zone)
        rows: Iterable[VersionedRow[Row]]
        if selection.kind is SelectionKind.CASE:
            rows = [platform.row("case", selection.value or "", as_of=self._upto)]
        else:
            rows = platform.rows("case", as_of=self._upto)
        found = tuple(each.key for each in rows if isinstance(each.row, CaseRow) and asked(each.row))
        if not found:
            raise NotFoundError("no case is one that the selection asks for")
        return found

    def _read_entries(self) -> DerivedLedgers:
        """Writes the shown entries down, and folds them on the way."""
        with self._created(layout.ENTRIES) as file:
            return derive(self._shown(file))

    def _shown(self, file: BinaryIO) -> Iterator[Recorded[StreamEvent]]:
        packed = self._packed
        for stored in self._stored():
            recorded = self._platform.types.decode(stored)
            packed.positions.append(stored.position)
            packed.partitions.add(stored.partitionkey)
            if self._may_be_shown(recorded.envelope.visibility):
                file.write(stored.entry + b"\n")
                packed.types.add(recorded.envelope.type)
                if self._files:
                    packed.digests.update(digests_in(stored.entry))
                yield recorded
            else:
                leaf = leaf_hash(stored.entry).hex()
                packed.withheld[stored.position] = Withheld(leaf, stored.partitionkey)

    def _may_be_shown(self, visibility: Visibility) -> bool:
        return visibility in (Visibility.CASE, Visibility.PUBLIC) or (self._office and visibility is Visibility.OFFICE)

    def _stored(self) -> Iterator[StoredEntry]:
        """The entries up to P of what was chosen, in order."""
        log, chosen = self._platform.log, {GENESIS_STREAM, *self._cases}
        if not self._everything and len(chosen) <= _FEW:
            yield from (each for each in log.read_partitions(sorted(chosen)) if each.position <= self._upto)
            return
        after = 0
        while after < self._upto:
            chunk = log.read(after, min(_CHUNK, self._upto - after))
            yield from (each for each in chunk if self._everything or each.partitionkey in chosen)
            after = chunk[-1].position
            self._tell(Stage.ENTRIES, after, self._upto)

    # Ledgers

    def _write_ledgers(self) -> None:
        names = names_of(self._selection.kind, office=self._office)
        for number, name in enumerate(names):
            self._tell(Stage.LEDGERS, number, len(names))
            self.ledgers.append(self._write_board() if name == BOARD else self._write_rows(name))

    def _write_files_named(self) -> None:
        """The evidence files that the shown entries name, as they are stored, and what opens them."""
        files, opener, written = self._platform.files, self._platform.vault, 0
        for sha256 in sorted(self._packed.digests):
            opening = opening_of(files, opener, sha256)
            if opening is None:
                continue
            written += 1
            if written > _MOST_FILES:
                raise InputError(
                    f"a pack holds {_MOST_FILES} evidence files at the most; choose fewer cases",
                    field="files",
                    rule="pack-size",
                )
            self._write(layout.opening_file(sha256), opening)
            with self._created(layout.evidence_file(sha256)) as target:
                target.writelines(files.sealed(sha256))

    def _write_rows(self, name: str) -> PackedLedger:
        ledger, zone = row_ledger(self._derived.catalogue, name), self._platform.info.zone
        rows = self._rows(name)
        if name == "case":
            cases = {row.case for row, _, _ in rows if isinstance(row, CaseRow)}
            self._cases_withheld = any(each.partitionkey in cases for each in self._packed.withheld.values())

        def values() -> Iterator[dict[str, object]]:
            for row, position, covered in rows:
                yield values_of(ledger, row, position, zone, covered=covered)

        return self._write_files(name, values, len(rows), sum(not covered for _, _, covered in rows))

    def _write_board(self) -> PackedLedger:
        cells = self._board()

        def values() -> Iterator[dict[str, object]]:
            for cell, sums, covered in cells:
                yield cell_values(cell, sums, covered=covered)

        return self._write_files(BOARD, values, len(cells), sum(not covered for _, _, covered in cells))

    def _write_files(
        self, name: str, values: Callable[[], Iterator[dict[str, object]]], rows: int, uncovered: int
    ) -> PackedLedger:
        table: Table = table_of(self._derived.catalogue, name)
        info = self._platform.info
        meta = table.meta(language=self._language, origin=info.origin, kind=info.kind.value, upto=self._upto)
        formats: tuple[Literal["csv", "xlsx"], ...] = ("csv", "xlsx")
        digests = {}
        for format in formats:
            with self._created(layout.ledger_file(name, format)) as file:
                write_table(file, format, table.columns, values(), language=self._language, meta=meta)
            digests[format] = _digest(self._folder / layout.ledger_file(name, format))
        return PackedLedger(name=name, rows=rows, uncovered=uncovered, csv=digests["csv"], xlsx=digests["xlsx"])

    def _rows(self, name: str) -> list[tuple[Row, int, bool]]:
        """The rows as the doors show them as of P, each beside the one that the packed entries make: row, position, covered."""
        loose = {each.partitionkey for each in self._packed.withheld.values()}
        left = set(self._derived.rows[name])
        found = []
        for each in self._versioned(name):
            made = self._derived.row(name, each.key)
            if made == (each.row, each.position):
                found.append((*made, True))
            elif partition_of(name, each.key, each.row) in loose:
                found.append((each.row, each.position, False))
            else:
                raise _differs(name, each.key, self._upto)
            left.discard(each.key)
        for key in left:
            if partition_of(name, key, self._derived.rows[name][key]) not in loose:
                raise _differs(name, key, self._upto)
        return found

    def _versioned(self, name: str) -> Iterator[VersionedRow[Row]]:
        """Rows of the chosen cases in order of key."""
        platform, chosen = self._platform, set(self._cases)
        if self._everything:
            yield from platform.rows(name, as_of=self._upto)
        elif len(chosen) > _FEW:
            rows = platform.rows(name, as_of=self._upto)
            yield from (each for each in rows if partition_of(name, each.key, each.row) in chosen)
        elif name == "case":
            yield from (platform.row(name, case, as_of=self._upto) for case in sorted(chosen))
        else:
            of_cases = (platform.rows(name, as_of=self._upto, filters={"case": case}) for case in sorted(chosen))
            yield from sorted((each for rows in of_cases for each in rows), key=lambda each: each.key)

    def _board(self) -> list[tuple[Cell, Sums, bool]]:
        """The cells that the packed cases stand in, of the whole log, in order: cell, sums, covered."""
        made = self._derived.cells()
        shown = self._platform.reader.cells(BOARD, as_of=self._upto)
        cells = sorted(made.keys() | shown.keys() if self._everything else made)
        for cell in cells:
            stands = shown.get(cell) == made.get(cell) if self._everything else cell in shown
            if not stands and not self._cases_withheld:
                raise _differs(BOARD, "/".join(cell), self._upto)
        return [(at, shown[at], self._everything and shown[at] == made.get(at)) for at in cells if at in shown]

    # Log and proofs

    def _announced(self, bound: Bound, actor: str) -> int:
        platform = self._platform
        cases = len(self._derived.cases()) if self._everything else len(self._cases)
        now = platform.now().astimezone(platform.info.zone)
        return announce_pack(
            platform.streams,
            pack=f"pack-{uuid4().hex}",
            place=platform.info.root,
            selection=self._selection,
            upto=self._upto,
            wholeness=bound.position,
            cases=cases,
            withoffice=self._office,
            withheld=_digest(self._folder / layout.WITHHELD),
            ledgers=self.ledgers,
            provenance=Provenance(occurred=now, received=now),
            context=Context(actor=actor, correlation=f"pack-{uuid4()}"),
            now=platform.played_now(),
        )

    def _write_proofs(self, bound: Bound, made: int, note: bytes) -> Manifest:
        platform, packed = self._platform, self._packed
        self._tell(Stage.WRITING, 0)
        size = parse_checkpoint(parse_note(note).text).size
        with (self._folder / layout.ENTRIES).open("ab") as file:
            for position in (bound.position, made):
                stored = platform.log.read(position - 1, 1)[0]
                packed.positions.append(position)
                packed.types.add(stored.type)
                file.write(stored.entry + b"\n")
        partitions = sorted(packed.partitions, key=str.encode)
        proof = platform.sealing.tree().subset([position - 1 for position in packed.positions], size)
        self._write(layout.CHECKPOINT, note)
        self._write(layout.PROOF, layout.print_proof(proof))
        self._write(layout.POSITIONS, b"".join(layout.print_positions(packed.positions)))
        presence = bound.partitions.prove_together(partitions)
        self._write(layout.WHOLENESS, layout.print_wholeness(partitions, presence))
        for event_type in sorted(packed.types):
            schema = orjson.dumps(platform.types.schema(event_type), option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS)
            self._write(layout.schema_file(event_type), schema + b"\n")
        manifest = self._manifest(bound, made, size, partitions)
        self._write(layout.README, page_of(manifest, platform.sealing.status(), self.ledgers).encode())
        return manifest

    def _manifest(self, bound: Bound, made: int, size: int, partitions: list[str]) -> Manifest:
        info, packed = self._platform.info, self._packed
        return Manifest(
            format=layout.FORMAT,
            origin=info.origin,
            kind=info.kind.value,
            language=self._language,
            selection=self._selection,
            upto=self._upto,
            wholeness=bound.position,
            made=made,
            size=size,
            entries=len(packed.positions) - len(packed.withheld),
            partitions=partitions,
            office=self._office,
            files={},
        )

    def _zipped(self, manifest: Manifest) -> Path:
        names = sorted(path.relative_to(self._folder).as_posix() for path in self._folder.rglob("*") if path.is_file())
        files = {name: File((self._folder / name).stat().st_size, _digest(self._folder / name)) for name in names}
        pack = self._folder / "pack.zip"
        with pack.open("wb") as target:
            archive = ArchiveWriter(target)
            archive.add(layout.MANIFEST, [msgspec.structs.replace(manifest, files=files).data])
            for number, name in enumerate(names):
                self._tell(Stage.WRITING, number, len(names))
                archive.add(name, pieces_of(self._folder / name))
            archive.finish()
        return pack


def _differs(ledger: str, key: str, upto: int) -> VerificationError:
    return VerificationError(
        f"ledger {ledger}, row {key}: as of position {upto} it is not what its events make; `qingling rebuild {ledger}` mends"
        " the ledger, then make the pack again"
    )


def _digest(file: Path) -> str:
    with file.open("rb") as source:
        return file_digest(source, "sha256").hexdigest()
