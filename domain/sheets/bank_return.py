"""A bank's return file (银行回盘): what the bank says of each line of a payment, read by a mapping of that bank's layout.

A mapping says which column holds what, by heading or, where a file has none, by place from 1, and which codes mean that a line was
credited, failed or came back. A code that the mapping does not know is a fault: money is never taken for paid by default.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping as TomlTable
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, tzinfo
from typing import Any, Final

import msgspec

from domain.books.assembly import Row
from domain.books.mapping import UNITS, Unit
from domain.errors import InputError
from domain.money import Fen, yuan
from domain.payments.handlers import BankOutcome, BankResult
from domain.sheets.faults import SheetFault, other_row
from domain.sheets.identity import last_four
from domain.sheets.intake import SheetRows, folded
from domain.sheets.layout import Layout, ListColumn
from domain.sheets.table import SheetReading, Table, read_table

_SHAPES: Final[dict[str, ListColumn]] = {
    "sequence": ListColumn("sequence", "笔号", "Line of the payment", "count"),
    "worker": ListColumn("worker", "户名", "Account name"),
    "account": ListColumn("account", "账号", "Account", "number"),
    "amount": ListColumn("amount", "金额", "Amount", "amount"),
    "code": ListColumn("code", "处理结果", "Result", "code", needed=True),
    "message": ListColumn("message", "说明", "Message"),
    "booked_on": ListColumn("booked_on", "记账日期", "Booked on", "instant"),
}
COLUMNS: Final = tuple(_SHAPES)
"""What a mapping can give a column to."""
MAPPING_KEYS: Final = ("name", "title", "unit", "skip", "columns", "credited", "failed", "returned")


@dataclass(frozen=True)
class BankMapping:
    """How one bank's file is read: by `columns`, the headings of each, or by `places` from 0 below `skip` rows. `unit` in fen. Made by
    `parse_bank_mapping`."""

    name: str
    title: str
    columns: TomlTable[str, tuple[str, ...]]
    places: TomlTable[str, int]
    codes: TomlTable[str, BankResult]
    unit: int = 100
    skip: int = 0


@dataclass(frozen=True)
class BankRow:
    """What the bank says of one line. `result` is absent only beside a fault."""

    row: int
    result: BankResult | None = None
    sequence: int | None = None
    worker: str | None = field(default=None, repr=False)
    account: str | None = field(default=None, repr=False)
    amount: Fen | None = None
    code: str | None = None
    message: str | None = None
    booked_on: datetime | None = None


@dataclass(frozen=True)
class PaymentLine:
    """A line of the payment as it was instructed, its texts opened by right of whoever reads the file in. `amount` in fen."""

    line: int
    amount: Fen
    worker: str | None = field(default=None, repr=False)
    account: str | None = field(default=None, repr=False)


class _File(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A mapping file, as TOML holds it."""

    name: str
    title: str = ""
    unit: Unit = "元"
    skip: int = 0
    columns: dict[str, str | int | tuple[str, ...]]
    credited: tuple[str, ...]
    failed: tuple[str, ...] = ()
    returned: tuple[str, ...] = ()


def parse_bank_mapping(table: TomlTable[str, Any]) -> BankMapping:
    """The mapping that a loaded file describes.

    Raises:
        InputError: `field` is the key at fault, `rule` what it breaks.
    """
    for key in table:
        if key not in MAPPING_KEYS:
            raise _fault(key, "known-key", f"there is no such key; the nearest is {_near(key, MAPPING_KEYS)!r}")
    try:
        file = msgspec.convert(dict(table), _File)
    except msgspec.ValidationError as error:
        raise _fault(str(error).rpartition("$.")[2].rstrip("`") or "file", "type", str(error)) from error
    for name in file.columns:
        if name not in COLUMNS:
            raise _fault(
                f"columns.{name}", "known-key", f"there is no such column; the nearest is {_near(name, COLUMNS)!r}"
            )
    if "code" not in file.columns:
        raise _fault("columns.code", "essential", "without its result a row says nothing")
    if file.skip < 0:
        raise _fault("skip", "positive", "rows are counted from 1")
    if not file.columns.keys() & {"sequence", "worker", "account"}:
        raise _fault("columns", "essential", "a row must say which line it means: sequence, worker or account")
    places = {name: at - 1 for name, at in file.columns.items() if isinstance(at, int)}
    if places and (len(places) < len(file.columns) or min(places.values()) < 0):
        raise _fault("columns", "one-source", "columns are named by headings, or all by places from 1")
    headings = {
        name: (said,) if isinstance(said, str) else said
        for name, said in file.columns.items()
        if not isinstance(said, int)
    }
    return BankMapping(file.name, file.title or file.name, headings, places, _codes(file), UNITS[file.unit], file.skip)


def read_bank_return(rows: SheetRows, mapping: BankMapping, *, today: date, zone: tzinfo) -> SheetReading[BankRow]:
    """What a bank's file says.

    Raises:
        InputError: the file as a whole cannot be read; see `read_table`.
    """
    headed = not mapping.places
    table = read_table(_layout(mapping), _placed(rows, mapping), today=today, zone=zone, headed=headed)
    for row in table.rows:
        _judge(table, row, mapping)
    return table.made([BankRow(row.at, **row.values) for row in table.rows])


def match_bank_rows(
    reading: SheetReading[BankRow], lines: Sequence[PaymentLine]
) -> tuple[tuple[BankOutcome, ...], tuple[SheetFault, ...]]:
    """What the bank says of which line of the payment: by its number, else by account or name. A row that means none, could mean several,
    or whose amount is another than the line's (unless a part was returned) is a fault."""
    outcomes: list[BankOutcome] = []
    table = Table(_layout(BankMapping("", "", {}, {}, {})), reading.columns)
    seen: dict[tuple[int, BankResult], int] = {}
    for row in reading.rows:
        if row.result is None:
            continue
        line = _line_of(row, lines, table)
        if line is None:
            continue
        first = seen.setdefault((line.line, row.result), row.row)
        if first != row.row:
            table.faults.append(other_row(row.row, table.heading("sequence"), "line-once", first))
        if row.amount is not None and not _fits(row, line):
            table.fault(row.row, "amount", "amount-agrees", f"{yuan(row.amount)} ≠ {yuan(line.amount)}")
        outcomes.append(BankOutcome(line.line, row.result, row.amount, row.message or ""))
    return tuple(outcomes), tuple(table.faults)


def _fits(row: BankRow, line: PaymentLine) -> bool:
    part = row.result is BankResult.RETURNED and 0 < (row.amount or 0) < line.amount
    return part or row.amount == line.amount


def _line_of(row: BankRow, lines: Sequence[PaymentLine], table: Table) -> PaymentLine | None:
    """The line that a row means; a fault in the table where it is not one."""
    if row.sequence is not None:
        found = [line for line in lines if line.line == row.sequence]
        column = "sequence"
    elif row.account is not None and any(line.account for line in lines):
        found = [line for line in lines if line.account and _same_account(line.account, row.account)]
        column = "account"
    else:
        found = [line for line in lines if line.worker and folded(line.worker) == folded(row.worker or "")]
        column = "worker"
    if len(found) > 1 and row.worker is not None:
        found = [line for line in found if folded(line.worker or "") == folded(row.worker)] or found
    if len(found) > 1:
        found = [line for line in found if line.amount == row.amount] or found
    if len(found) != 1:
        numbers = ", ".join(str(line.line) for line in found[:6])
        table.fault(row.row, column, "one-line" if found else "line-found", numbers)
        return None
    line = found[0]
    if row.worker and line.worker and folded(row.worker) != folded(line.worker):
        table.fault(row.row, "worker", "line-agrees", str(line.line))
        return None
    return line


def _same_account(known: str, said: str) -> bool:
    return last_four(known) == last_four(said) if "*" in known + said else known == said


def _judge(table: Table, row: Row, mapping: BankMapping) -> None:
    values, unread = row.values, {name for name, *_ in row.faults}
    code = values.get("code")
    if code is not None and (result := mapping.codes.get(folded(code))) is not None:
        values["result"] = result
    elif "code" not in unread and "code" in table.columns:
        table.fault(row.at, "code", "required" if code is None else "bank-code", code or "")
    if not values.keys() & {"sequence", "worker", "account"} and not unread:
        table.fault(
            row.at, next(name for name in ("sequence", "worker", "account") if name in table.columns), "required"
        )


def _layout(mapping: BankMapping) -> Layout:
    """The bank's columns; the headings of the mapping instead of ours."""
    columns = []
    for name, column in _SHAPES.items():
        if not mapping.columns and not mapping.places:
            columns.append(column)
        elif name in mapping.columns or name in mapping.places:
            said = mapping.columns.get(name, (column.zh,))
            columns.append(ListColumn(name, said[0], said[0], column.shape, said[1:], needed=column.needed))
    order = tuple(sorted(mapping.places, key=mapping.places.__getitem__))
    title = mapping.title
    return Layout("bank-return", title, title, tuple(columns), order, others="passed-over", unit=mapping.unit)


def _placed(rows: SheetRows, mapping: BankMapping) -> SheetRows:
    """The columns that a mapping names by place, in the order of the layout; files with headings as they stand."""
    if not mapping.places:
        return rows
    order = sorted(mapping.places.values())
    below = [(at, cells) for at, cells in rows if at > mapping.skip]
    return [(at, [cells[index] if index < len(cells) else None for index in order]) for at, cells in below]


def _codes(file: _File) -> dict[str, BankResult]:
    codes: dict[str, BankResult] = {}
    for result, said in (
        (BankResult.CREDITED, file.credited),
        (BankResult.FAILED, file.failed),
        (BankResult.RETURNED, file.returned),
    ):
        for code in said:
            if codes.setdefault(folded(code), result) is not result:
                raise _fault(result.value, "one-meaning", f"the code {code!r} means {codes[folded(code)].value}, too")
    return codes


def _near(word: str, allowed: Sequence[str]) -> str:
    return difflib.get_close_matches(word, allowed, n=1, cutoff=0)[0]


def _fault(path: str, rule: str, message: str) -> InputError:
    return InputError(f"bank mapping key {path!r}: {message}", field=path, rule=rule)
