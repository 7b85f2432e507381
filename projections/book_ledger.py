"""Books (账册): which ledger books were imported, when last, and what they added up to."""

from __future__ import annotations

from datetime import datetime

import msgspec

from domain.books.ledger_book import BookTotals, LedgerBook
from domain.entries import Recorded
from projections.ledger import Column, Kind, Row, RowLedger, Title


class BookRow(Row, frozen=True, kw_only=True):
    """One series of books. `running`: an import began and has not finished."""

    book: str
    name: str
    jurisdiction: str
    opened_at: datetime
    imports: int = 0
    running: bool = False
    file: str | None = None
    last_import: datetime | None = None
    totals: BookTotals | None = None


def _total(name: str, zh: str, en: str, kind: Kind = Kind.MONEY) -> Column:
    return Column(name, zh, en, kind, lambda row: None if row.totals is None else getattr(row.totals, name))


book_ledger = RowLedger(
    "book",
    row=BookRow,
    version=1,
    title=Title("账册", "Books"),
    columns=(
        Column("name", "账册名", "Book", Kind.TEXT, lambda row: row.name),
        Column("book", "编号", "Id", Kind.TEXT, lambda row: row.book),
        Column("jurisdiction", "属地", "Jurisdiction", Kind.TEXT, lambda row: row.jurisdiction),
        Column("imports", "导入次数", "Imports", Kind.INTEGER, lambda row: row.imports),
        Column("running", "导入未完成", "Import not finished", Kind.BOOLEAN, lambda row: row.running),
        Column("last_import", "最近导入", "Last import", Kind.TIME, lambda row: row.last_import),
        _total("rows", "行数", "Rows read", Kind.INTEGER),
        _total("cases", "案件数", "Cases", Kind.INTEGER),
        _total("doubles", "重复行", "Doubles", Kind.INTEGER),
        _total("rejected_rows", "退回行", "Rows rejected", Kind.INTEGER),
        _total("verified", "核实金额", "Verified"),
        _total("paid", "已付金额", "Paid"),
        _total("outstanding", "余额", "Outstanding"),
        Column("file", "文件摘要", "SHA-256 of the file", Kind.TEXT, lambda row: row.file),
    ),
    orders=("name",),
    filters=("jurisdiction",),
    search="name",
)


@book_ledger.on(LedgerBook.Created)
def opened(_: BookRow | None, recorded: Recorded[LedgerBook.Created]) -> BookRow:
    """The first book of a series."""
    return BookRow(
        book=recorded.envelope.subject,
        name=recorded.event.name,
        jurisdiction=recorded.event.place,
        opened_at=recorded.envelope.occurred,
    )


@book_ledger.on(LedgerBook.ImportStarted)
def started(row: BookRow | None, recorded: Recorded[LedgerBook.ImportStarted]) -> BookRow | None:
    """An import began."""
    if row is None:
        return None
    return msgspec.structs.replace(row, running=True, file=recorded.event.file, last_import=recorded.envelope.occurred)


@book_ledger.on(LedgerBook.ImportFinished)
def finished(row: BookRow | None, recorded: Recorded[LedgerBook.ImportFinished]) -> BookRow | None:
    """An import came to its end."""
    if row is None:
        return None
    return msgspec.structs.replace(
        row,
        running=False,
        imports=row.imports + 1,
        file=recorded.event.file,
        last_import=recorded.envelope.occurred,
        totals=recorded.event.totals,
    )
