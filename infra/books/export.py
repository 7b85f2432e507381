"""Writing any ledger as a file: csv, xlsx or JSON lines, all three with the digest of the same canonical rows.

The canonical form of a table is JSON lines: one object a row, keys sorted, money in whole fen, days as `2019-12-02`,
moments in UTC as `2019-12-02T08:00:00.000000Z`, a value that is not known as null. The digest is SHA-256 of these bytes
whatever the format, so that a csv, a workbook and JSON lines of one position can be told to say the same, and
`sha256sum` of the JSON lines gives it.

Rows are written as they come and never held. A file is written beside its name and moved there when it is whole.
Nothing in a file can act: a text in a csv that a spreadsheet would take for a formula gets an apostrophe in front
(OWASP, CSV injection), and a workbook gets its texts as texts.
"""

from __future__ import annotations

import codecs
import contextlib
import csv
import hashlib
import io
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, BinaryIO, Literal, Protocol

import orjson
import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from domain.money import yuan

Kind = Literal["text", "money", "int", "date", "datetime", "bool", "list"]
Language = Literal["zh", "en"]

_DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")
_SHEET_ROWS = 1_048_576  # of a workbook, ISO/IEC 29500
_CELL_TEXT = 32_767
_EXACT_INTEGER = 10**15
_WIDEST = 48
_LIST_MARK = {"zh": "、", "en": "; "}
_TRUTH = {"zh": ("否", "是"), "en": ("no", "yes")}
_TABLE_NAME = {"zh": "台账", "en": "Ledger"}
_ABOUT_NAME = {"zh": "说明", "en": "About"}
_META = {
    "title": ("名称", "Title"),
    "ledger": ("台账", "Ledger"),
    "position": ("位置", "Position"),
    "as_of": ("截至", "As of"),
    "digest": ("摘要（SHA-256）", "Digest (SHA-256)"),
    "rows": ("行数", "Rows"),
    "origin": ("来源", "Origin"),
    "kind": ("性质", "Kind"),
}


@dataclass(frozen=True)
class Column:
    """A column: the row's key, its headings, and what its values are.

    `money` is int fen; `date` a day and `datetime` an aware moment, or their ISO 8601 text; `list` a sequence of texts.
    None is blank in every kind. In csv and xlsx a moment stands in the zone it is handed over in.
    """

    name: str
    heading_zh: str
    heading_en: str
    kind: Kind = "text"

    def heading(self, language: Language) -> str:
        return self.heading_zh if language == "zh" else self.heading_en


def write_table(
    target: Path | BinaryIO,
    format: Literal["csv", "xlsx", "jsonl"],
    columns: Sequence[Column],
    rows: Iterable[Mapping[str, object]],
    *,
    language: Language = "zh",
    meta: Mapping[str, str],
) -> str:
    """Write a table and return the digest of its canonical rows, hexadecimal.

    `meta` (position, as of, origin, kind …) is written with the digest on a second sheet of a workbook, or beside a csv
    or JSON lines file as `<name>.meta.json`; to an open file only the table goes. Keys of a row that are no column are
    left out.

    Raises:
        ValueError: a value is not of its column's kind, or a text is too long for a workbook cell (32,767 characters).
    """
    if len({column.name for column in columns}) != len(columns):
        raise ValueError("two columns bear one name")
    digest, count = hashlib.sha256(), 0
    with _opened(target) as file, contextlib.closing(_WRITERS[format](file, columns, language)) as table:
        for row in rows:
            values = [_checked(column, row.get(column.name)) for column in columns]
            line = canonical_row(columns, values)
            digest.update(line)
            table.row(values, line)
            count += 1
        about = {**meta, "rows": str(count), "digest": digest.hexdigest()}
        table.finish(about)
    if isinstance(target, Path) and format != "xlsx":
        target.with_name(target.name + ".meta.json").write_bytes(
            orjson.dumps(about, option=orjson.OPT_SORT_KEYS | orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
        )
    return digest.hexdigest()


def canonical_row(columns: Sequence[Column], values: Sequence[object]) -> bytes:
    """One row in canonical form, with its line end."""
    row = {column.name: _canonical(value) for column, value in zip(columns, values, strict=True)}
    return orjson.dumps(row, option=orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE)


def csv_headings(columns: Sequence[Column], language: Language) -> list[str]:
    """The first row of a csv."""
    return [_harmless(column.heading(language)) for column in columns]


def csv_cells(columns: Sequence[Column], row: Mapping[str, object], language: Language) -> list[str]:
    """A row as the cells of a csv, before they are quoted.

    Raises:
        ValueError: a value is not of its column's kind.
    """
    return [_typed(column.kind, _checked(column, row.get(column.name)), language) for column in columns]


def csv_text(column: Column, value: object, language: Language) -> str:
    """A value as the text of a csv cell.

    Raises:
        ValueError: it is not of the column's kind.
    """
    return _typed(column.kind, _checked(column, value), language)


def sheet_names(data: int, language: Language) -> tuple[list[str], str]:
    """The names of a workbook's sheets: `data` sheets of rows, and the one about them."""
    table = _TABLE_NAME[language]
    return [table if number == 1 else f"{table} {number}" for number in range(1, data + 1)], _ABOUT_NAME[language]


def about_rows(about: Mapping[str, str], language: Language) -> list[tuple[str, str]]:
    """What the sheet about a workbook's rows says: a heading and a text a row."""
    place = 0 if language == "zh" else 1
    return [(_META.get(key, (key, key))[place], value) for key, value in about.items()]


class _Table(Protocol):
    """A file being written. `finish` makes it whole; `close` lets go of what it holds, finished or not."""

    def row(self, values: Sequence[Any], canonical: bytes) -> None: ...

    def finish(self, about: Mapping[str, str]) -> None: ...

    def close(self) -> None: ...


class _JsonLines:
    def __init__(self, file: BinaryIO, columns: Sequence[Column], language: Language) -> None:
        del columns, language  # names and values are the same in every language
        self._file = file

    def row(self, values: Sequence[Any], canonical: bytes) -> None:
        del values
        self._file.write(canonical)

    def finish(self, about: Mapping[str, str]) -> None:
        del about

    def close(self) -> None:
        """Nothing is held."""


class _Csv:
    """RFC 4180, UTF-8 with its mark, for spreadsheets know no other sign of it. Money in yuan with two places."""

    def __init__(self, file: BinaryIO, columns: Sequence[Column], language: Language) -> None:
        self._columns, self._language = columns, language
        file.write(codecs.BOM_UTF8)
        self._csv = csv.writer(codecs.getwriter("utf-8")(file), lineterminator="\r\n")
        self._csv.writerow(csv_headings(columns, language))

    def row(self, values: Sequence[Any], canonical: bytes) -> None:
        del canonical
        self._csv.writerow(
            [_typed(column.kind, value, self._language) for column, value in zip(self._columns, values, strict=True)]
        )

    def finish(self, about: Mapping[str, str]) -> None:
        del about

    def close(self) -> None:
        """Nothing is held."""


class _Xlsx:
    """One sheet of typed cells under a frozen header with filters, further sheets when it is full, and one about it."""

    def __init__(self, file: BinaryIO, columns: Sequence[Column], language: Language) -> None:
        self._columns, self._language = columns, language
        self._book = xlsxwriter.Workbook(
            file,
            {
                "constant_memory": True,
                "strings_to_formulas": False,
                "strings_to_numbers": False,
                "strings_to_urls": False,
            },
        )
        self._book.set_properties({"created": datetime(2019, 11, 15)})  # noqa: DTZ001 - one table, the same bytes
        self._head = self._book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"})
        self._formats: dict[str, Format] = {
            kind: self._book.add_format({"num_format": number})
            for kind, number in (
                ("money", "#,##0.00"),
                ("int", "0"),
                ("date", "yyyy-mm-dd"),
                ("datetime", "yyyy-mm-dd hh:mm:ss"),
                ("text", "@"),
            )
        }
        self._widths = [_width(column.heading(language)) for column in columns]
        self._sheets = 0
        self._sheet, self._at = self._new_sheet(), 1

    def row(self, values: Sequence[Any], canonical: bytes) -> None:
        del canonical
        if self._at == _SHEET_ROWS:
            self._end_sheet()
            self._sheet, self._at = self._new_sheet(), 1
        for index, (column, value) in enumerate(zip(self._columns, values, strict=True)):
            if value is not None:
                shown = self._cell(index, column, value)
                self._widths[index] = max(self._widths[index], _width(shown))
        self._at += 1

    def finish(self, about: Mapping[str, str]) -> None:
        self._end_sheet()
        sheet = self._book.add_worksheet(_ABOUT_NAME[self._language])
        sheet.set_column(0, 0, 20)
        sheet.set_column(1, 1, 72)
        for at, (heading, value) in enumerate(about_rows(about, self._language)):
            sheet.write_string(at, 0, heading, self._head)
            sheet.write_string(at, 1, value)
        self._book.close()

    def close(self) -> None:
        """The library keeps rows in a temporary file until the end: they must not stay there when it never comes."""
        if not self._book.fileclosed:
            self._book.filename = io.BytesIO()
            self._book.close()

    def _cell(self, index: int, column: Column, value: Any) -> str:
        """Write one cell as what it is; what is shown of it decides how wide its column is."""
        kind = column.kind
        if kind == "bool":
            self._sheet.write_boolean(self._at, index, value)
            return "FALSE"
        if kind == "money":
            self._sheet.write_number(self._at, index, value / 100, self._formats[kind])
            return yuan(value)
        if kind == "int" and abs(value) < _EXACT_INTEGER:  # a workbook keeps fifteen digits
            self._sheet.write_number(self._at, index, value, self._formats[kind])
            return str(value)
        if kind in ("date", "datetime"):
            local = value.replace(tzinfo=None) if kind == "datetime" else value
            self._sheet.write_datetime(self._at, index, local, self._formats[kind])
            return "0000-00-00 00:00:00" if kind == "datetime" else "0000-00-00"
        text = _LIST_MARK[self._language].join(value) if kind == "list" else str(value)
        if len(text) > _CELL_TEXT:
            raise ValueError(
                f"row {self._at}, column {column.name}: a workbook cell cannot hold {len(text)} characters"
            )
        self._sheet.write_string(self._at, index, text, self._formats["text"])
        return text

    def _new_sheet(self) -> Worksheet:
        self._sheets += 1
        names, _ = sheet_names(self._sheets, self._language)
        sheet: Worksheet = self._book.add_worksheet(names[-1])
        for index, column in enumerate(self._columns):
            sheet.write_string(0, index, column.heading(self._language), self._head)
        sheet.freeze_panes(1, 0)
        return sheet

    def _end_sheet(self) -> None:
        if self._columns:
            self._sheet.autofilter(0, 0, self._at - 1, len(self._columns) - 1)
        for index, width in enumerate(self._widths):
            self._sheet.set_column(index, index, min(width + 3, _WIDEST))


_WRITERS: dict[str, Callable[[BinaryIO, Sequence[Column], Language], _Table]] = {
    "csv": _Csv,
    "xlsx": _Xlsx,
    "jsonl": _JsonLines,
}


@contextlib.contextmanager
def _opened(target: Path | BinaryIO) -> Iterator[BinaryIO]:
    if not isinstance(target, Path):
        yield target
        return
    half = target.with_name(f".{target.name}.half")
    try:
        with half.open("wb") as file:
            yield file
        half.replace(target)
    finally:
        half.unlink(missing_ok=True)


_PYTHON: dict[Kind, type | tuple[type, ...]] = {
    "text": str,
    "money": int,
    "int": int,
    "date": date,
    "datetime": datetime,
    "bool": bool,
    "list": (list, tuple),
}


def _checked(column: Column, value: object) -> object:
    """The value in the type of its column's kind."""
    if value is None:
        return None
    if isinstance(value, str) and column.kind in ("date", "datetime"):
        value = date.fromisoformat(value) if column.kind == "date" else datetime.fromisoformat(value)
    wanted = _PYTHON[column.kind]
    fits = isinstance(value, wanted) and (column.kind == "bool" or not isinstance(value, bool))
    if not fits or (column.kind == "date" and isinstance(value, datetime)):
        raise ValueError(f"column {column.name} holds {column.kind}, not {value!r}")
    if isinstance(value, datetime) and value.tzinfo is None:
        raise ValueError(f"column {column.name}: the moment {value} lacks its zone")
    return value


def _canonical(value: object) -> object:
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return value.isoformat() if isinstance(value, date) else value


def _typed(kind: Kind, value: Any, language: Language) -> str:
    """What stands in a csv cell."""
    if value is None:
        return ""
    if kind == "money":
        return yuan(value).replace(",", "")
    if kind == "int":
        return str(value)
    if kind == "bool":
        return _TRUTH[language][value]
    if kind in ("date", "datetime"):
        return str(value.isoformat())
    return _harmless(_LIST_MARK[language].join(value) if kind == "list" else value)


def _harmless(text: str) -> str:
    return f"'{text}" if text.startswith(_DANGEROUS) else text


def _width(text: str) -> int:
    """Columns of a character grid that the longest line of a text takes; a Chinese character takes two."""
    if text.isascii() and "\n" not in text:
        return min(len(text), _WIDEST)
    longest = max(text.split("\n"), key=len)[:_WIDEST]
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in longest)
