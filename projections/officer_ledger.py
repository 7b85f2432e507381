"""Officers (人员): who may use the doors. Tokens stand here as digests only."""

from __future__ import annotations

import msgspec

from domain.entries import Recorded
from domain.officers.officer import Officer
from domain.sealing.personal import Sealed
from projections.ledger import Column, Kind, Row, RowLedger, Title


class OfficerRow(Row, frozen=True, kw_only=True):
    """One officer. `tokens`: SHA-256 digests (hex) of the tokens that name them now."""

    officer: str
    handle: str
    jurisdiction: str
    name: Sealed | None = None
    tokens: tuple[str, ...] = ()


officer_ledger = RowLedger(
    "officer",
    row=OfficerRow,
    version=1,
    title=Title("人员", "Officers"),
    columns=(
        Column("handle", "代号", "Handle", Kind.TEXT, lambda row: row.handle),
        Column("officer", "编号", "Id", Kind.TEXT, lambda row: row.officer),
        Column("jurisdiction", "属地", "Jurisdiction", Kind.TEXT, lambda row: row.jurisdiction),
        Column("name", "姓名", "Name", Kind.SEALED, lambda row: row.name, sealed_field="name"),
        Column("tokens", "有效令牌数", "Tokens in force", Kind.INTEGER, lambda row: len(row.tokens)),
    ),
    orders=("handle",),
    filters=("jurisdiction",),
    search="handle",
)


@officer_ledger.on(Officer.Created)
def registered(_: OfficerRow | None, recorded: Recorded[Officer.Created]) -> OfficerRow:
    """An officer was entered."""
    event = recorded.event
    return OfficerRow(officer=recorded.envelope.subject, handle=event.handle, jurisdiction=event.place, name=event.name)


@officer_ledger.on(Officer.TokenIssued)
def issued(row: OfficerRow | None, recorded: Recorded[Officer.TokenIssued]) -> OfficerRow | None:
    """A token was given out."""
    return None if row is None else msgspec.structs.replace(row, tokens=(*row.tokens, recorded.event.digest))


@officer_ledger.on(Officer.TokenRevoked)
def revoked(row: OfficerRow | None, recorded: Recorded[Officer.TokenRevoked]) -> OfficerRow | None:
    """A token names nobody any more."""
    if row is None:
        return None
    return msgspec.structs.replace(row, tokens=tuple(t for t in row.tokens if t != recorded.event.digest))
