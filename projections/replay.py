"""Replaying one case: as it was known, and as it was by a day with what is known now. Pure.

*As known at p* is the fold of the entries up to position p. *As it was by D* keeps the order of positions, and counts an event when it
occurred by the end of day D and its stream had been opened by then; a correction bears the date of what it corrects (`Provenance`).
Laying one beside the other shows what was concealed or late.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec

from domain.entries import Envelope, Recorded
from domain.streams import Basis, StreamOpened, Visibility
from projections.backstop_ledger import backstop_ledger, recovery_ledger
from projections.call_list_ledger import call_list_ledger
from projections.case_ledger import CaseRow, case_ledger
from projections.claim_ledger import ClaimRow, claim_ledger
from projections.custody_ledger import custody_ledger
from projections.discrepancy_ledger import DiscrepancyRow, discrepancy_ledger
from projections.duty_ledger import duty_ledger
from projections.folding import Folding, Rows
from projections.ledger import Column, Kind, Row
from projections.order_ledger import order_ledger
from projections.payment_ledger import PaymentRow, payment_ledger
from projections.referral_ledger import referral_ledger

CASE_LEDGERS = (
    claim_ledger,
    payment_ledger,
    custody_ledger,
    order_ledger,
    referral_ledger,
    backstop_ledger,
    recovery_ledger,
    call_list_ledger,
    case_ledger,
    duty_ledger,
    discrepancy_ledger,
)
"""Every ledger of what belongs to a case, in order of dependence."""


RELATED = (custody_ledger, order_ledger, referral_ledger, backstop_ledger, recovery_ledger, call_list_ledger)
"""Ledgers of what is done in a case beside its lines and payments."""


class CaseState(msgspec.Struct, frozen=True, kw_only=True):
    """A case and all that belongs to it, at one moment. `case` is None when it was not known, or had not begun."""

    case: CaseRow | None
    claims: tuple[ClaimRow, ...]
    payments: tuple[PaymentRow, ...]
    discrepancies: tuple[DiscrepancyRow, ...]
    related: dict[str, tuple[Row, ...]]
    """What else belongs to it, by ledger: those of `RELATED` that have rows."""


class FieldChange(msgspec.Struct, frozen=True, kw_only=True):
    """A column of a ledger's row that an event changed; values as the ledger shows them, personal ones never in clear."""

    ledger: str
    key: str
    column: str
    zh: str
    en: str
    kind: Kind
    before: object
    after: object


class TimelineItem(msgspec.Struct, frozen=True, kw_only=True):
    """One event of a history, as a person reads it: who, the four times, what changed, on what basis, with which evidence."""

    position: int
    id: str
    type: str
    stream: str
    version: int
    actor: str
    occurred: datetime
    received: datetime
    recorded: datetime
    basis: Basis | None
    clause: str | None
    decidedby: str | None
    approvedby: str | None
    causation: str | None
    correlation: str
    visibility: Visibility
    late_entry: bool
    """Recorded more than a day after it was received: a late entry is not a late act, and both are shown."""
    changes: tuple[FieldChange, ...]
    evidence: tuple[dict[str, object], ...]
    data: dict[str, object]


LATE_ENTRY_AFTER = 86_400
"""Seconds between received and recorded from which an entry counts as late: the notice registers on the day itself (N20)."""


class CaseHistory:
    """A case folded as far as its events were handed over, in order of position. It grows at its end and is never taken back."""

    def __init__(self) -> None:
        self.position = 0
        """The last event's."""
        self.items: list[TimelineItem] = []
        """The history for reading. What an item says depends on nothing that comes after it."""
        self._folding = Folding(CASE_LEDGERS)
        self._rows: Rows = {}
        self._discrepancies: dict[str, DiscrepancyRow] = {}

    def extend(self, events: Iterable[Recorded[Any]]) -> None:
        """Folds the events that come next."""
        for recorded in events:
            changes: list[FieldChange] = []
            for change in self._folding.apply(recorded, self._rows):
                changes += _differences(change.ledger, change.key, change.old, change.new)
                if change.ledger == discrepancy_ledger.name:
                    _put(self._discrepancies, change.key, change.new)
            self.items.append(_item(recorded, tuple(changes)))
            self.position = recorded.position

    def state(self) -> CaseState:
        """Where the case stands."""
        return _state(self._rows, self._discrepancies)


def case_state(events: Iterable[Recorded[Any]]) -> CaseState:
    """The state after the events of one case."""
    folding = Folding(CASE_LEDGERS)
    rows: Rows = {}
    discrepancies: dict[str, DiscrepancyRow] = {}
    for recorded in events:
        for change in folding.apply(recorded, rows):
            if change.ledger == discrepancy_ledger.name:
                _put(discrepancies, change.key, change.new)
    return _state(rows, discrepancies)


def _state(rows: Rows, discrepancies: dict[str, DiscrepancyRow]) -> CaseState:
    cases = list(rows.get(case_ledger.name, {}).values())
    return CaseState(
        case=cases[0] if cases and isinstance(cases[0], CaseRow) else None,
        claims=tuple(row for row in rows.get(claim_ledger.name, {}).values() if isinstance(row, ClaimRow)),
        payments=tuple(row for row in rows.get(payment_ledger.name, {}).values() if isinstance(row, PaymentRow)),
        discrepancies=tuple(discrepancies[key] for key in sorted(discrepancies)),
        related={each.name: tuple(rows[each.name].values()) for each in RELATED if rows.get(each.name)},
    )


def _put(rows: dict[str, DiscrepancyRow], key: str, new: Row | None) -> None:
    if isinstance(new, DiscrepancyRow):
        rows[key] = new
    else:
        rows.pop(key, None)


def as_it_was_by(events: Iterable[Recorded[Any]], end: datetime) -> list[Recorded[Any]]:
    """The events that count by `end` (the end of a local day), with what is known now, in order of position."""
    opened: set[str] = set()
    kept = []
    for recorded in events:
        if recorded.envelope.occurred > end:
            continue
        if isinstance(recorded.event, StreamOpened):
            opened.add(recorded.envelope.subject)
        if recorded.envelope.subject in opened:
            kept.append(recorded)
    return kept


def timeline(events: Sequence[Recorded[Any]]) -> list[TimelineItem]:
    """A history for reading, in order of position."""
    history = CaseHistory()
    history.extend(events)
    return history.items


def _differences(ledger: str, key: str, old: Row | None, new: Row | None) -> list[FieldChange]:
    found = []
    for column in _COLUMNS[ledger]:
        before, after = _shown(column, old), _shown(column, new)
        if before != after:
            found.append(
                FieldChange(
                    ledger=ledger,
                    key=key,
                    column=column.name,
                    zh=column.zh,
                    en=column.en,
                    kind=column.kind,
                    before=before,
                    after=after,
                )
            )
    return found


_COLUMNS: dict[str, Sequence[Column]] = {ledger.name: ledger.columns for ledger in CASE_LEDGERS}


def _shown(column: Column, row: Row | None) -> object:
    return None if row is None else column.of(row)


def _item(recorded: Recorded[Any], changes: tuple[FieldChange, ...]) -> TimelineItem:
    envelope: Envelope = recorded.envelope
    data: dict[str, object] = msgspec.json.decode(envelope.data)
    evidence = data.get("evidence")
    return TimelineItem(
        position=recorded.position,
        id=envelope.id,
        type=envelope.type,
        stream=envelope.subject,
        version=envelope.version,
        actor=envelope.actor,
        occurred=envelope.occurred,
        received=envelope.received,
        recorded=envelope.time,
        basis=envelope.basis,
        clause=envelope.clause,
        decidedby=envelope.decidedby,
        approvedby=envelope.approvedby,
        causation=envelope.causation,
        correlation=envelope.correlation,
        visibility=envelope.visibility,
        late_entry=(envelope.time - envelope.received).total_seconds() > LATE_ENTRY_AFTER,
        changes=changes,
        evidence=tuple(evidence) if isinstance(evidence, list) else (),
        data=data,
    )
