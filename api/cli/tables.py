"""Tables as the command line shows them: with lines and colours on a terminal, tab-separated where the output goes elsewhere, and as
csv, xlsx or JSON for machines.

Money is yuan with two places for people and in sheets, whole fen in JSON. A sheet cannot act: a text that a spreadsheet would take for a
formula is written as text (OWASP, CSV injection). Nothing of the data can act on a terminal either: control characters are shown as spaces.
"""

from __future__ import annotations

import csv
import io
import sys
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal

import orjson
import typer
import xlsxwriter
from pydantic import BaseModel
from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text

from api.words import Language, Word
from domain.errors import InputError
from domain.money import yuan

Kind = Literal["text", "money", "integer", "truth", "time", "list"]

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")
_TRUTH = {True: Word("是", "yes"), False: Word("否", "no")}
_WIDE = frozenset("WF")


class Count(int):
    """A whole number that stands in a column of amounts and is none."""


class Format(StrEnum):
    """How a verb answers."""

    TABLE = "table"
    CSV = "csv"
    XLSX = "xlsx"
    JSON = "json"


@dataclass(frozen=True)
class Column:
    """A column of a table. `words` say its values for people; machines get the values themselves."""

    name: str
    heading: Word
    kind: Kind = "text"
    words: Mapping[str, Word] = field(default_factory=dict)


@dataclass(frozen=True)
class Table:
    """Rows under headings, and the remarks that people read below them."""

    title: str
    columns: Sequence[Column]
    rows: Sequence[Mapping[str, object]]
    remarks: Sequence[str] = ()


@dataclass(frozen=True)
class Output:
    """Where an answer goes: a format, and a file or stdout."""

    format: Format
    language: Language
    file: Path | None = None

    def table(self, table: Table, *, data: object = None) -> None:
        """Writes one table; JSON is `data` where that is given, else the rows.

        Raises:
            InputError: a workbook has nowhere to go.
        """
        match self.format:
            case Format.JSON:
                self.data(list(table.rows) if data is None else data)
            case Format.CSV:
                self._write(csv_bytes(table, self.language))
            case Format.XLSX:
                self._write(workbook_bytes([table], self.language))
            case Format.TABLE:
                self.people([table])

    def tables(self, tables: Sequence[Table], *, data: object, flat: Table) -> None:
        """Writes several tables: all of them for people and in a workbook, `flat` as csv, `data` as JSON."""
        match self.format:
            case Format.JSON:
                self.data(data)
            case Format.CSV:
                self._write(csv_bytes(flat, self.language))
            case Format.XLSX:
                self._write(workbook_bytes(tables, self.language))
            case Format.TABLE:
                self.people(tables)

    def data(self, value: object) -> None:
        """Writes JSON: indented on a terminal, one line elsewhere."""
        if isinstance(value, BaseModel):
            value = value.model_dump(mode="json")
        indent = orjson.OPT_INDENT_2 if self.file is None and sys.stdout.isatty() else 0
        self._write(orjson.dumps(value, default=_plain_json, option=indent | orjson.OPT_APPEND_NEWLINE))

    def people(self, tables: Iterable[Table]) -> None:
        """Shows tables to people."""
        if self.file is not None:
            self._write("\n".join(_tab_separated(table, self.language) for table in tables).encode())
            return
        for number, table in enumerate(tables):
            if number:
                typer.echo()
            _show(table, self.language)

    def _write(self, content: bytes) -> None:
        if self.file is not None:
            try:
                self.file.write_bytes(content)
            except OSError as error:
                raise InputError(
                    f"cannot write {self.file}: {error.strerror}", field="output", rule="writable"
                ) from error
            return
        if self.format is Format.XLSX and sys.stdout.isatty():
            raise InputError("a workbook needs a file: name one with --output", field="output", rule="workbook-to-file")
        sys.stdout.buffer.write(content)
        sys.stdout.flush()


def _show(table: Table, language: Language) -> None:
    if not sys.stdout.isatty():
        typer.echo(_tab_separated(table, language), nl=False)
        return
    console = Console()
    shown = RichTable(title=Text(table.title), title_justify="left", header_style="bold", row_styles=["", "dim"])
    for column in table.columns:
        right = column.kind in ("money", "integer")
        shown.add_column(Text(column.heading.to(language)), justify="right" if right else "left", overflow="fold")
    for row in table.rows:
        shown.add_row(*(Text(said(column, row.get(column.name), language)) for column in table.columns))
    console.print(shown)
    for remark in table.remarks:
        console.print(Text(clean(remark)))


def _tab_separated(table: Table, language: Language) -> str:
    """Title and remarks as lines that begin with a number sign, so that whatever reads the columns can pass over them."""
    lines = [f"# {clean(table.title)}", "\t".join(clean(column.heading.to(language)) for column in table.columns)]
    lines += ["\t".join(said(column, row.get(column.name), language) for column in table.columns) for row in table.rows]
    lines += [f"# {clean(remark)}" for remark in table.remarks]
    return "".join(f"{line}\n" for line in lines)


def said(column: Column, value: object, language: Language) -> str:
    """A value as a person reads it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return _TRUTH[value].to(language)
    if isinstance(value, int):
        return yuan(value) if _is_money(column, value) else f"{value:,}" if isinstance(value, Count) else str(value)
    if isinstance(value, list | tuple):
        return ("、" if language == "zh" else ", ").join(said(column, each, language) for each in value)
    if isinstance(value, BaseModel):
        return clean(_person(value))
    if column.kind == "time":
        return str(value)[:16].replace("T", " ")
    text = str(value)
    return clean(column.words[text].to(language) if text in column.words else text)


def _is_money(column: Column, value: object) -> bool:
    return column.kind == "money" and isinstance(value, int) and not isinstance(value, bool | Count)


def clean(text: str) -> str:
    """The text with nothing in it that a terminal would act on."""
    return "".join(" " if unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp") else c for c in text)


def csv_bytes(table: Table, language: Language) -> bytes:
    """RFC 4180 in UTF-8 with its mark, which spreadsheets know it by."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([column.heading.to(language) for column in table.columns])
    for row in table.rows:
        writer.writerow([_harmless(_in_sheet(column, row.get(column.name), language)) for column in table.columns])
    return text.getvalue().encode("utf-8-sig")


def _in_sheet(column: Column, value: object, language: Language) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return said(column, value, language).replace(",", "")
    return str(value) if column.kind == "time" and value is not None else said(column, value, language)


def _harmless(text: str) -> str:
    number = text.removeprefix("-").replace(".", "", 1).isdecimal()
    return f"'{text}" if text.startswith(_FORMULA) and not number else text


def workbook_bytes(tables: Sequence[Table], language: Language) -> bytes:
    """A workbook with a sheet for each table: typed cells, frozen header, widths."""
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}) as book:
        bold, money = book.add_format({"bold": True}), book.add_format({"num_format": "#,##0.00"})
        for table in tables:
            sheet = book.add_worksheet(_sheet_name(table.title))
            sheet.freeze_panes(1, 0)
            for place, column in enumerate(table.columns):
                heading = column.heading.to(language)
                values = [row.get(column.name) for row in table.rows]
                sheet.set_column(place, place, _width([heading, *(said(column, v, language) for v in values)]))
                sheet.write_string(0, place, heading, bold)
                for number, value in enumerate(values, start=1):
                    _write_cell(sheet, number, place, column, value, language, money)
    return file.getvalue()


def _write_cell(
    sheet: Any, row: int, place: int, column: Column, value: object, language: Language, money: object
) -> None:
    if isinstance(value, int) and not isinstance(value, bool):
        # A sheet counts in binary floats; yuan with two places below 10^13 come back exactly.
        is_money = _is_money(column, value)
        sheet.write_number(row, place, value / 100 if is_money else int(value), money if is_money else None)
    elif value is not None:
        sheet.write_string(row, place, _in_sheet(column, value, language))


def _sheet_name(title: str) -> str:
    return "".join(c for c in title if c not in "[]:*?/\\")[:31] or "1"


def _width(texts: Iterable[str]) -> int:
    return min(48, 2 + max(sum(2 if unicodedata.east_asian_width(c) in _WIDE else 1 for c in text) for text in texts))


def _person(value: BaseModel) -> str:
    """A personal field (`api/views/values.py`): its text where it was opened, else the end of its subject in brackets."""
    fields = value.model_dump(mode="json")
    return str(fields.get("text") or f"‹{str(fields.get('subject'))[-6:]}›")


def _plain_json(value: Any) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    raise TypeError(f"a {type(value).__name__} cannot be written as JSON")
