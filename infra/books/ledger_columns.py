"""The columns of a ledger's file: those that the ledger declares, then the position that last changed the row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from infra.books.export import Column, Kind
from projections.ledger import DerivedLedger, RowLedger
from projections.ledger import Kind as LedgerKind

POSITION: Final = "position"
POSITION_COLUMN: Final = Column(POSITION, "位置", "Position", "int")

_KINDS: Final[Mapping[LedgerKind, Kind]] = {
    LedgerKind.TEXT: "text",
    LedgerKind.MONEY: "money",
    LedgerKind.INTEGER: "int",
    LedgerKind.DATE: "date",
    LedgerKind.TIME: "datetime",
    LedgerKind.BOOLEAN: "bool",
    LedgerKind.LIST: "list",
    LedgerKind.SEALED: "text",
}


def ledger_columns(ledger: RowLedger[Any] | DerivedLedger[Any]) -> list[Column]:
    """For exports and packs alike, so that the same rows make the same table."""
    columns = [Column(column.name, column.zh, column.en, _KINDS[column.kind]) for column in ledger.columns]
    return [*columns, POSITION_COLUMN]
