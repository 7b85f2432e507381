"""Ledgers made anew from packed entries, by the pure folds that make them everywhere else.

Guarantees: an entry that this release cannot read, or that a fold cannot take, stops the work and is named; nothing is skipped.
Takes memory for every row of the ledgers, none for entries.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from zoneinfo import ZoneInfo

from domain.campaigns.campaign import Campaign
from domain.campaigns.genesis import GENESIS_STREAM, Genesis, LogKind
from domain.entries import EventTypes, Recorded
from domain.errors import FoldError, InputError, VerificationError
from domain.jurisdictions import Jurisdiction, JurisdictionTree
from domain.streams import StreamEvent
from infra.packs.tables import BOARD
from projections.case_ledger import CaseRow
from projections.catalogue import catalogue
from projections.folding import Change, Folding, Rows, sums_of
from projections.ledger import Catalogue, Cell, DerivedLedger, Row, SummaryLedger, Sums


@dataclass
class LogFacts:
    """What the entries of the partition `log` say: what the log is, and its jurisdictions as of the pack."""

    kind: LogKind
    origin: str
    campaign: Campaign
    zone: ZoneInfo
    root: str
    places: list[Jurisdiction] = field(default_factory=list)

    @classmethod
    def of(cls, first: Recorded[StreamEvent]) -> LogFacts:
        """From the first event of a log.

        Raises:
            VerificationError: it is not what a log begins with, or names a time zone that nobody knows.
        """
        event = first.event
        if not isinstance(event, Genesis.Created):
            raise VerificationError(
                f"position {first.position} is a {first.envelope.type}; a log begins with its genesis"
            )
        try:
            zone = ZoneInfo(event.timezone)
        except (KeyError, ValueError, OSError):
            raise VerificationError(
                f"position {first.position}: there is no time zone {event.timezone[:50]!r}"
            ) from None
        return cls(event.kind, event.origin, event.campaign, zone, event.root, list(event.places))

    def learn(self, recorded: Recorded[StreamEvent]) -> None:
        """Takes in a further event."""
        if isinstance(recorded.event, Genesis.PlacesAdded):
            self.places.extend(recorded.event.places)

    @property
    def tree(self) -> JurisdictionTree:
        """Every jurisdiction known.

        Raises:
            VerificationError: they make no tree.
        """
        try:
            return JurisdictionTree(self.places)
        except (InputError, RecursionError) as error:
            raise VerificationError(f"the entries of the partition {GENESIS_STREAM}: {error}") from None


@dataclass
class DerivedLedgers:
    """Rows by ledger and key, and the position that last changed each; the board's cells over the case rows."""

    facts: LogFacts
    catalogue: Catalogue
    rows: Rows
    positions: dict[str, dict[str, int]]

    def row(self, ledger: str, key: str) -> tuple[Row, int] | None:
        """A row and its position, where there is one."""
        row = self.rows.get(ledger, {}).get(key)
        return None if row is None else (row, self.positions[ledger][key])

    def cases(self) -> dict[str, CaseRow]:
        """The case ledger, by case."""
        return {key: row for key, row in self.rows.get("case", {}).items() if isinstance(row, CaseRow)}

    def cells(self) -> dict[Cell, Sums]:
        """What these cases alone contribute to the board; cells without any are left out.

        Raises:
            VerificationError: a case cannot be summed.
        """
        board = self.catalogue[BOARD]
        assert isinstance(board, SummaryLedger)
        try:
            return sums_of(board, self.cases().values())
        except Exception as error:
            raise VerificationError(f"the board cannot be summed over these cases: {error}") from error


def decoded(types: EventTypes, entries: Iterable[tuple[int, bytes]]) -> Iterator[Recorded[StreamEvent]]:
    """The events that entries are, given with their positions.

    Raises:
        VerificationError: this release does not know one of them.
    """
    for position, entry in entries:
        try:
            yield types.decode_entry(position, entry)
        except FoldError as error:
            raise VerificationError(f"{error}; a later release may know it") from None


def derive(events: Iterable[Recorded[StreamEvent]]) -> DerivedLedgers:
    """Folds events, in order of position, into every ledger of the catalogue of their log.

    Raises:
        VerificationError: there is none, the first is no genesis, or a fold raised.
    """
    recorded = iter(events)
    first = next(recorded, None)
    if first is None:
        raise VerificationError("there are no entries to make ledgers of")
    facts = LogFacts.of(first)
    ledgers = catalogue(facts.campaign, facts.zone)
    folding = Folding(ledgers)
    unstored = {ledger.name for ledger in ledgers if isinstance(ledger, DerivedLedger)}
    derived = DerivedLedgers(facts, ledgers, {name: {} for name in ledgers.names()}, {n: {} for n in ledgers.names()})
    for each in chain((first,), recorded):
        facts.learn(each)
        for change in _applied(folding, each, derived.rows):
            positions = derived.positions[change.ledger]
            if change.new is None:
                positions.pop(change.key, None)
            else:
                positions[change.key] = each.position
            if change.ledger in unstored:
                _keep(derived.rows[change.ledger], change)
    return derived


def _applied(folding: Folding, recorded: Recorded[StreamEvent], rows: Rows) -> list[Change]:
    try:
        return folding.apply(recorded, rows)
    except FoldError as error:
        raise VerificationError(str(error)) from None


def _keep(rows: dict[str, Row], change: Change) -> None:
    if change.new is None:
        rows.pop(change.key, None)
    else:
        rows[change.key] = change.new
