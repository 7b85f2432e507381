"""The platform: everything that a door may ask for, and nothing that a door does. Composed in `infra/bootstrap.py`.

Reads are answered from the ledgers at a position that is returned with the answer; a case is replayed from its own entries.
Guarantees: what is shown as of a position is the fold of the log up to it; a board that cannot be relied on says *incomplete*.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any, BinaryIO, Literal
from uuid import uuid4
from zoneinfo import ZoneInfo

from domain.books.amendment import BookContext
from domain.books.mapping import Mapping as BookMapping
from domain.books.source import ControlTotals, Double, Reject
from domain.campaigns.campaign import Campaign, end_of_day
from domain.campaigns.genesis import GENESIS_STREAM, Genesis, LogKind
from domain.entries import Envelope, EventTypes, Recorded
from domain.errors import InputError, NotFoundError, NotReadyError, UnauthorisedError
from domain.evidence.ports import EvidenceFiles
from domain.jurisdictions import JurisdictionTree
from domain.officers.handlers import TOKEN_PREFIX, issue_token, register_officer, revoke_tokens, token_digest
from domain.payments.bank_layout import BankLayout
from domain.recording import Head
from domain.sealing.personal import Sealed
from domain.streams import Basis, Context, Provenance, StreamEvent
from infra.books.bank_layouts import bank_layouts
from infra.books.export import write_table
from infra.books.ledger_columns import ledger_columns
from infra.books.mapping_files import load_mapping
from infra.books.reader import read_book
from infra.books.rejects import write_rejects
from infra.books.template import write_template
from infra.clock import Clock
from infra.folding.engine import Engine
from infra.folding.rebuild import RebuildProgress, RebuildReport
from infra.folding.status import LedgerState, LedgerStatus
from infra.histories import CaseHistories
from infra.importing import Imported, Importer, ImportOrder, ImportProgress
from infra.postgres.fsck import Finding
from infra.postgres.ledger_reader import LedgerReader, Page, VersionedRow
from infra.postgres.recorder import PostgresLog
from infra.sealing.provable_log import ProvableLog
from infra.settings import Settings
from infra.streams import StreamStore
from infra.vault import Vault
from projections.board import Board, board
from projections.clearance import Receptions, receptions_of
from projections.explaining import WordWhy, explain
from projections.ledger import Catalogue, Cell, DerivedLedger, Kind, RowLedger, SummaryLedger, Sums
from projections.officer_ledger import OfficerRow
from projections.replay import CaseState, TimelineItem, as_it_was_by, case_state, timeline

AnyRowLedger = RowLedger[Any] | DerivedLedger[Any]

SYSTEM = "system"
"""The actor of what the platform does by itself."""
BOARD_PATIENCE = 1.0
"""Seconds that a current board waits for the ledgers to reach the log's head before it says that it is behind."""
IMPORT_PATIENCE = 600.0
"""Seconds that an import waits for the ledgers before it compares totals."""


@dataclass(frozen=True)
class LogInfo:
    """What the log is: its genesis, with the jurisdictions added since."""

    kind: LogKind
    origin: str
    root: str
    zone: ZoneInfo
    currency: str
    campaign: Campaign
    tree: JurisdictionTree


@dataclass(frozen=True)
class CaseView:
    """A case replayed. `position` is where the replay ended; `by` the day of *as it was by*, if that was asked."""

    number: str
    case: str
    state: CaseState
    position: int
    by: date | None
    timeline: list[TimelineItem]


@dataclass(frozen=True)
class WhyView:
    """Why the computed words hold of a case, or do not. `envelopes`: by position, of every event that counts."""

    case: str
    state: CaseState
    position: int
    words: tuple[WordWhy, ...]
    envelopes: Mapping[int, Envelope]


@dataclass(frozen=True)
class EventView:
    """One event, readable and as its very bytes."""

    item: TimelineItem
    entry: bytes
    partitionkey: str


@dataclass(frozen=True)
class PlatformStatus:
    """How the platform is. `watermark_age`: seconds since the ledgers last agreed with the log's head."""

    head: Head
    ledgers: Sequence[LedgerStatus]
    folding: bool
    watermark_age: float | None
    database: str


@dataclass(frozen=True)
class ExportReceipt:
    """What an export holds: the ledger as of `position`; `digest` (SHA-256, hex) is the same in every format."""

    position: int
    rows: int
    digest: str


@dataclass(frozen=True)
class LedgerTotals:
    """What the case ledger adds up to for one book, in fen, to be laid beside the source's control totals."""

    cases: int
    lines: int
    headcount: int
    claimed: int
    verified: int
    paid: int
    owing: int
    overpaid: int


@dataclass(frozen=True)
class ImportReport:
    """What an import read, recorded, and now adds up to."""

    book: str
    file: Path
    digest: str
    dry_run: bool
    totals: ControlTotals
    totals_with_doubles: ControlTotals
    ledger: LedgerTotals | None
    imported: Imported
    rejects: list[Reject]
    doubles: list[Double]
    rejects_file: Path | None
    seconds: float
    notes: list[str] = field(default_factory=list)


class Platform:
    """See the module. Safe to share between threads."""

    def __init__(
        self,
        settings: Settings,
        info: LogInfo,
        *,
        types: EventTypes,
        catalogue: Catalogue,
        log: PostgresLog,
        streams: StreamStore,
        vault: Vault,
        reader: LedgerReader,
        engine: Engine,
        folding: bool,
        check: Callable[[], list[Finding]],
        sealing: ProvableLog,
        files: EvidenceFiles,
    ) -> None:
        self.settings = settings
        self.info = info
        self.types = types
        self.catalogue = catalogue
        self.log = log
        self.streams = streams
        self.vault = vault
        self.reader = reader
        self.engine = engine
        self.folding = folding
        self.sealing = sealing
        """The provable log: states, proofs, checkpoints."""
        self.files = files
        """The evidence files."""
        self._check = check
        self._histories = CaseHistories(log, types)
        self._clock = Clock(log, info.kind)

    # Positions

    def head(self) -> Head:
        """The last recorded entry."""
        return self.log.head()

    def position_at(self, instant: datetime) -> int:
        """The last position recorded at or before an instant: what was known then."""
        return self.log.position_at(instant)

    def position_at_end_of(self, day: date) -> int:
        """What was known at the end of a day, local time (design.md 6)."""
        return self.position_at(end_of_day(day, self.info.zone))

    def now(self) -> datetime:
        """The present: the clock's, or in a simulation the time that it has been played to."""
        return self._clock.now()

    def played_now(self) -> datetime | None:
        """What to hand an append as its clock: nothing on a real log."""
        return self._clock.played()

    def wait_for(self, position: int, *, timeout: float, ledgers: Sequence[str] | None = None) -> None:
        """Waits until the ledgers have folded up to `position`: read your own writes.

        Raises:
            NotReadyError: they have not after `timeout` seconds, or one of them is stopped.
        """
        self.reader.wait_for(list(ledgers) if ledgers else self.catalogue.names(), position, timeout)

    # Ledgers

    def ledger(self, name: str) -> AnyRowLedger:
        """The ledger of that name that has rows.

        Raises:
            NotFoundError: there is none.
        """
        found = self.catalogue[name] if name in self.catalogue else None  # noqa: SIM401 - a catalogue is no dict
        if found is None or isinstance(found, SummaryLedger):
            known = ", ".join(ledger.name for ledger in self.catalogue if not isinstance(ledger, SummaryLedger))
            raise NotFoundError(f"there is no ledger {name!r}; there are {known}")
        return found

    def page(
        self,
        ledger: str,
        *,
        as_of: int | None = None,
        order: str | None = None,
        descending: bool = False,
        after: str | None = None,
        limit: int = 50,
        filters: Mapping[str, str] | None = None,
        prefix: str | None = None,
    ) -> Page[Any]:
        """A page of a ledger as of a position (None: now).

        Raises:
            NotFoundError: no such ledger.
            InputError: an order, filter, cursor or limit that the ledger does not have.
            NotReadyError: the ledger has not reached `as_of`.
        """
        self.ledger(ledger)
        if not 1 <= limit <= self.settings.page_limit:
            raise InputError(
                f"a page has 1 to {self.settings.page_limit} rows, not {limit}", field="limit", rule="page-limit"
            )
        return self.reader.page(
            ledger,
            as_of=as_of,
            order=order,
            descending=descending,
            after=after,
            limit=limit,
            filters=dict(filters or {}),
            prefix=prefix,
        )

    def row(self, ledger: str, key: str, *, as_of: int | None = None) -> VersionedRow[Any]:
        """One row.

        Raises:
            NotFoundError: there is no such ledger, or no such row then.
        """
        self.ledger(ledger)
        found = self.reader.row(ledger, key, as_of=as_of)
        if found is None:
            raise NotFoundError(
                f"ledger {ledger} has no row {key!r}" + ("" if as_of is None else f" as of position {as_of}")
            )
        return found

    def versions(self, ledger: str, key: str) -> list[VersionedRow[Any]]:
        """Every version that a row ever had, in order."""
        self.ledger(ledger)
        return self.reader.versions(ledger, key)

    def bank_layouts(self) -> Mapping[str, BankLayout]:
        """Layouts of banks' return files by name: those that come with the system, and the office's own (`banks` in the data folder).

        Raises:
            InputError: one of the office's own cannot be read.
        """
        return bank_layouts(self.settings.banks_path)

    def rows(
        self, ledger: str, *, as_of: int | None = None, filters: Mapping[str, str] | None = None
    ) -> Iterator[VersionedRow[Any]]:
        """Every row in order of key, in flat memory."""
        self.ledger(ledger)
        return self.reader.stream_rows(ledger, as_of=as_of, filters=dict(filters or {}))

    def board(self, *, as_of: int | None = None) -> Board:
        """The clearance board as of a position, beside what was known at the end of each checkpoint's day."""
        position, incomplete = self._board_position(as_of)
        then: dict[str, Mapping[Cell, Sums]] = {}
        came_then: dict[str, Receptions] = {}
        if incomplete is None:
            now = self.now()
            for checkpoint in self.info.campaign.checkpoints:
                end = end_of_day(checkpoint.day, self.info.zone)
                known_then = self.position_at(end) if end <= now else None
                if known_then is not None and known_then <= position:
                    then[checkpoint.name] = self.reader.cells("clearance", as_of=known_then)
                    came_then[checkpoint.name] = self._receptions(known_then)
        sums = self.reader.cells("clearance", as_of=position)
        return board(
            self.info.campaign,
            position,
            sums,
            then,
            incomplete=incomplete,
            receptions=self._receptions(position),
            receptions_then=came_then,
        )

    def _receptions(self, as_of: int) -> Receptions:
        orphans = [versioned.row for versioned in self.orphans(as_of=as_of)]
        return receptions_of(self.reader.cells("receptions", as_of=as_of), orphans, self.info.campaign, self.info.zone)

    def orphans(self, *, as_of: int | None = None) -> list[VersionedRow[Any]]:
        """Complaints accepted into a case that nobody registered, as of a position: rows of the ledger `acceptance`."""
        return self.reader.missing("acceptance", "case", "case", as_of=as_of)

    def _board_position(self, as_of: int | None) -> tuple[int, str | None]:
        head = self.head().position
        wanted = head if as_of is None else as_of
        if wanted > head:
            raise NotReadyError(f"the log ends at position {head}", position=head)
        names = [*self.catalogue.sources("clearance"), "clearance", "reception", "acceptance", "receptions"]
        with suppress(NotReadyError):
            self.reader.wait_for(names, wanted, BOARD_PATIENCE if self.folding else 0.0)
        standing = (s for s in self.reader.status() if s.name in names)
        behind = min(standing, key=lambda s: (s.position, s.state is LedgerState.RUNNING))  # a halted one says why
        if behind.position >= wanted:
            return wanted, None
        reason = f"ledger {behind.name} is {behind.state} at position {behind.position} of {wanted}"
        return behind.position, reason + (f": {behind.reason}" if behind.reason else "")

    # Replay

    def case(self, case: str, *, as_of: int | None = None, by: date | None = None) -> CaseView:
        """A case replayed: as known at a position, or as it was by a day with what is known now.

        `case` is a stream's id or an official number.

        Raises:
            NotFoundError: there is no such case.
            InputError: both axes were asked for at once, or the number is that of several cases.
        """
        _one_axis(as_of, by)
        case_id = self.case_id(case)
        if as_of is None and by is None:
            folded = self._histories.at_head(case_id)
            number = case if folded.state.case is None else folded.state.case.number
            return CaseView(number, case_id, folded.state, folded.position, None, folded.items)
        position, counted = self._counted(case_id, as_of, by)
        state = case_state(counted)
        number = case if state.case is None else state.case.number
        return CaseView(number, case_id, state, position, by, timeline(counted))

    def _counted(self, case: str, as_of: int | None, by: date | None) -> tuple[int, list[Recorded[StreamEvent]]]:
        """The events of a case that count on an axis, and the position that this is true at."""
        position = self.head().position if as_of is None else as_of
        events = [self.types.decode(stored) for stored in self.log.read_partition(case, upto=position)]
        return position, events if by is None else as_it_was_by(events, end_of_day(by, self.info.zone))

    def why(self, case: str, *, as_of: int | None = None, by: date | None = None) -> WhyView:
        """Why the computed words hold of a case, or do not; on the axes of `case`, and with its errors."""
        _one_axis(as_of, by)
        case_id = self.case_id(case)
        position, counted = self._counted(case_id, as_of, by)
        state = case_state(counted)
        return WhyView(case_id, state, position, explain(counted), {each.position: each.envelope for each in counted})

    def case_id(self, case: str) -> str:
        """The stream of a case, from its id or its official number.

        Raises:
            NotFoundError: there is none.
            InputError: several cases bear the number.
        """
        if self.log.read_stream(case, upto=None):
            return case
        page = self.reader.page(
            "case", as_of=None, order=None, descending=False, after=None, limit=50, filters={}, prefix=case
        )
        found = [row.key for row in page.rows if getattr(row.row, "number", None) == case]
        if not found:
            raise NotFoundError(f"there is no case {case!r}")
        if len(found) > 1:
            raise InputError(
                f"{len(found)} cases bear the number {case!r}: {', '.join(found)}",
                field="case",
                rule="number-is-unique",
            )
        return found[0]

    def event(self, position: int) -> EventView:
        """One event.

        Raises:
            NotFoundError: the log has no such position.
        """
        stored = self.log.read(position - 1, 1) if position >= 1 else []
        if not stored:
            raise NotFoundError(f"the log has no position {position}")
        partitionkey = stored[0].partitionkey
        items = self._histories.at_head(partitionkey).items
        found = items[bisect_left(items, position, key=lambda item: item.position)]
        return EventView(found, stored[0].entry, partitionkey)

    def stream(self, stream: str, *, upto: int | None = None) -> list[TimelineItem]:
        """The history of one stream.

        Raises:
            NotFoundError: there is no such stream.
        """
        stored = self.log.read_stream(stream, upto=upto)
        if not stored:
            raise NotFoundError(f"there is no stream {stream!r}")
        items = self._histories.at_head(stored[0].partitionkey).items
        return [item for item in items if item.stream == stream and item.position <= stored[-1].position]

    def opened(self, items: Sequence[tuple[Sealed, str]]) -> list[str | None]:
        """The plain text of sealed fields, None where the person was erased. The caller has checked the right to read."""
        return self.vault.open_many(items)

    # State of the platform

    def status(self) -> PlatformStatus:
        """Positions, states and lag of every ledger."""
        return PlatformStatus(
            head=self.head(),
            ledgers=self.reader.status(),
            folding=self.folding,
            watermark_age=self.reader.watermark_age(),
            database=self.reader.server_version(),
        )

    def fsck(self) -> list[Finding]:
        """Re-reads every entry against the log's own laws; the findings, none when it keeps them."""
        return self._check()

    def rebuild(
        self,
        ledgers: Sequence[str] | None,
        progress: Callable[[RebuildProgress], None] | None = None,
        *,
        by_workers: bool = False,
    ) -> RebuildReport:
        """Rebuilds ledgers (None: all) beside the old ones and swaps them in; folded here, or by the workers that run."""
        for name in ledgers or ():
            if name not in self.catalogue:
                raise NotFoundError(f"there is no ledger {name!r}; there are {', '.join(self.catalogue.names())}")
        return self.engine.rebuild(list(ledgers) if ledgers else None, progress, by_workers=by_workers)

    def pause(self, ledger: str) -> None:
        """Stops folding into a ledger until it is resumed."""
        self.engine.pause(ledger)

    def resume(self, ledger: str) -> None:
        """Lets a paused or stopped ledger catch up."""
        self.engine.resume(ledger)

    # Files

    def export(
        self,
        ledger: str,
        target: BinaryIO,
        *,
        format: Literal["csv", "xlsx", "jsonl"],
        as_of: int | None = None,
        filters: Mapping[str, str] | None = None,
        language: Literal["zh", "en"] = "zh",
        open_names: bool = False,
    ) -> ExportReceipt:
        """Writes a ledger as of a position as a file."""
        found = self.ledger(ledger)
        position = self.reader.position(ledger) if as_of is None else as_of
        counted = 0

        def rows() -> Iterator[dict[str, object]]:
            nonlocal counted
            for versioned in self.reader.stream_rows(ledger, as_of=position, filters=dict(filters or {})):
                counted += 1
                values = {column.name: self._local(column.of(versioned.row)) for column in found.columns}
                values["position"] = versioned.position
                yield values

        digest = write_table(
            target,
            format,
            ledger_columns(found),
            self._shown(found, rows(), open_names=open_names),
            language=language,
            meta={
                "ledger": ledger,
                "title": found.title.zh if language == "zh" else found.title.en,
                "position": str(position),
                "origin": self.info.origin,
                "kind": self.info.kind.value,
                "filters": ", ".join(f"{name}={value}" for name, value in (filters or {}).items()),
            },
        )
        return ExportReceipt(position, counted, digest)

    def _local(self, value: object) -> object:
        return value.astimezone(self.info.zone) if isinstance(value, datetime) else value

    def _shown(
        self,
        ledger: AnyRowLedger,
        rows: Iterator[dict[str, object]],
        *,
        open_names: bool,
    ) -> Iterator[dict[str, object]]:
        sealed = [column for column in ledger.columns if column.kind is Kind.SEALED]
        for row in rows:
            for column in sealed:
                value = row[column.name]
                if isinstance(value, Sealed):
                    text = self.vault.open_many([(value, column.sealed_field)])[0] if open_names else value.subject
                    row[column.name] = text
            yield row

    def import_book(
        self,
        path: Path,
        *,
        mapping: str,
        book: str | None = None,
        whole: bool = True,
        dry_run: bool = False,
        rejects: Path | None = None,
        actor: str = SYSTEM,
        as_at: date | None = None,
        progress: Callable[[ImportProgress], None] | None = None,
    ) -> ImportReport:
        """Imports a ledger book; see `infra/importing.py`.

        Raises:
            UnreadableBookError, InputError: the file or the mapping is unusable as a whole.
            NotReadyError: the ledgers are behind, so that nobody can say what vanished.
            ConflictError, RecordingError: as recording does; run it again.
        """
        began = time.monotonic()
        loaded = load_mapping(mapping)
        tree = self._tree_for(loaded, actor, dry_run=dry_run)
        now = self.now()
        today = now.astimezone(self.info.zone).date()
        reading = read_book(path, loaded, tree, today=today, zone=self.info.zone)
        name = book or loaded.name
        context = BookContext(
            origin=self.info.origin,
            book=name,
            as_at=now if as_at is None else min(end_of_day(as_at, self.info.zone), now),
            campaign=self.info.campaign,
            zone=self.info.zone,
        )
        order = ImportOrder(
            book=name,
            mapping_name=loaded.name,
            mapping_digest=mapping_digest(loaded),
            place=self.info.root,
            actor=actor,
            correlation=f"import-{uuid4()}",
            whole=whole,
            dry_run=dry_run,
            now=self.played_now(),
        )
        if whole:
            self.wait_for(self.head().position, timeout=IMPORT_PATIENCE, ledgers=["case"])
        importer = Importer(self.streams, self.log, self.vault, context, order, self._earlier_cases(name))
        imported = importer.run(reading, progress)
        rejected = 0 if rejects is None else write_rejects(rejects, path, loaded, reading)
        ledger = None
        if not dry_run:
            self.wait_for(self.head().position, timeout=IMPORT_PATIENCE, ledgers=["case"])
            ledger = self._totals_of(name, imported.seen)
        return ImportReport(
            book=name,
            file=path,
            digest=reading.digest,
            dry_run=dry_run,
            totals=reading.totals,
            totals_with_doubles=reading.totals_with_doubles,
            ledger=ledger,
            imported=imported,
            rejects=list(reading.rejects),
            doubles=list(reading.doubles),
            rejects_file=rejects if rejected else None,
            seconds=time.monotonic() - began,
        )

    def _tree_for(self, mapping: BookMapping, actor: str, *, dry_run: bool) -> JurisdictionTree:
        own = mapping.jurisdictions
        if own is None:
            return self.info.tree
        genesis = self.streams.get(Genesis, GENESIS_STREAM)
        now = self.now()
        genesis.add_places(tuple(own), Provenance(occurred=now, received=now, basis=Basis.STATED))
        if genesis.pending_events and not dry_run:
            self.streams.commit(
                genesis, context=Context(actor=actor, correlation=f"places-{uuid4()}"), now=self.played_now()
            )
        tree = genesis.tree
        self.info = LogInfo(**{**vars(self.info), "tree": tree})
        return tree

    def _earlier_cases(self, book: str) -> Callable[[frozenset[str]], Iterator[str]]:
        def earlier(places: frozenset[str]) -> Iterator[str]:
            for versioned in self.reader.stream_rows("case", as_of=None, filters={"book": book}):
                row = versioned.row
                if not row.vanished and row.particulars.jurisdiction in places:
                    yield versioned.key

        return earlier

    def _totals_of(self, book: str, seen: set[str]) -> LedgerTotals:
        sums = dict.fromkeys(("cases", "lines", "headcount", "claimed", "verified", "paid", "owing", "overpaid"), 0)
        for versioned in self.reader.stream_rows("case", as_of=None, filters={"book": book}):
            if versioned.key in seen:
                sums["cases"] += 1
                for name in sums:
                    if name != "cases":
                        sums[name] += getattr(versioned.row.standing, name)
        return LedgerTotals(**sums)

    def write_template(self, path: Path, mapping: str = "standard") -> None:
        """Writes an empty workbook with a mapping's headings."""
        write_template(path, load_mapping(mapping), self.info.tree)

    # Officers

    def add_officer(
        self, handle: str, *, name: str | None = None, jurisdiction: str | None = None, actor: str = SYSTEM
    ) -> tuple[str, str]:
        """Enters an officer; returns the id and the first token, which is shown once and kept nowhere.

        Raises:
            RuleError: the handle is taken.
            InputError: the jurisdiction is not in the tree.
        """
        place = self.info.root if jurisdiction is None else self.info.tree.find(jurisdiction).code
        token = _new_token()
        sealed = None if name is None else self.vault.seal(self.vault.new_subject(), "name", name)
        officer = register_officer(
            self.streams,
            origin=self.info.origin,
            handle=handle,
            place=place,
            name=sealed,
            token=token,
            provenance=self._provenance_now(),
            context=Context(actor=actor, correlation=f"officer-{uuid4()}"),
            now=self.played_now(),
        )
        return officer.id, token

    def issue_token(self, handle: str, label: str, *, actor: str = SYSTEM) -> str:
        """Gives an officer another token, shown once."""
        token = _new_token()
        issue_token(
            self.streams,
            origin=self.info.origin,
            handle=handle,
            token=token,
            label=label,
            provenance=self._provenance_now(),
            context=Context(actor=actor, correlation=f"token-{uuid4()}"),
            now=self.played_now(),
        )
        return token

    def revoke_tokens(self, handle: str, reason: str, *, actor: str = SYSTEM) -> int:
        """Takes all tokens of an officer back; returns how many there were."""
        return revoke_tokens(
            self.streams,
            origin=self.info.origin,
            handle=handle,
            reason=reason,
            provenance=self._provenance_now(),
            context=Context(actor=actor, correlation=f"token-{uuid4()}"),
            now=self.played_now(),
        )

    def authenticate(self, token: str) -> OfficerRow:
        """The officer that a bearer token names.

        Raises:
            UnauthorisedError: it names nobody (any more).
        """
        digest = token_digest(token)
        for versioned in self.reader.stream_rows("officer", as_of=None, filters={}):
            row = versioned.row
            if isinstance(row, OfficerRow) and any(secrets.compare_digest(digest, kept) for kept in row.tokens):
                return row
        raise UnauthorisedError("the token names no officer")

    def _provenance_now(self) -> Provenance:
        now = self.now().astimezone(self.info.zone)
        return Provenance(occurred=now, received=now)


def _one_axis(as_of: int | None, by: date | None) -> None:
    if as_of is not None and by is not None:
        raise InputError(
            "ask for what was known at a time, or for how it was by a day, not for both", field="as_it_was_by"
        )


def _new_token() -> str:
    return TOKEN_PREFIX + secrets.token_urlsafe(32)


def mapping_digest(mapping: BookMapping) -> str:
    """SHA-256 (hex) over a mapping's content, so that it can be said which rules an import was read by."""
    return hashlib.sha256(repr(mapping).encode()).hexdigest()
