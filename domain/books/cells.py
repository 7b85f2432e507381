"""One cell of a book read as one value: pure, exact, and never guessing.

Each `…_reader` gives a function from a raw cell to a value, to None for a blank cell, or to a `Fault`. Full-width
digits and punctuation are understood in numbers and dates only (NFKC); text stays as it stands, less the white space
around it. An amount that came as a binary float is taken by its shortest decimal notation, which is what the
spreadsheet shows, and must be within a millionth of a whole fen.
"""

from __future__ import annotations

import calendar
import math
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time, timedelta, tzinfo
from decimal import Decimal
from typing import Literal, TypeVar

from domain.books.mapping import UNITS
from domain.books.rules import Fault
from domain.errors import InputError
from domain.jurisdictions import JurisdictionTree
from domain.money import Fen

Cell = str | float | int | bool | datetime | date | time | timedelta | Fault | None
"""What a workbook or a text file holds in a cell. A blank cell is "" or None; a cell that cannot be read is a Fault."""

T = TypeVar("T")
Read = Callable[[Cell], T | Fault | None]
DateOrder = Literal["ymd", "mdy", "dmy"]
Blanks = frozenset[str]
"""Words that mean "nothing here"."""

_TOLERANCE = Decimal("0.000001")
_EPOCH = datetime(1899, 12, 30)  # noqa: DTZ001 - a serial number of the 1900 date system knows no zone
_SERIALS = range(10_000, 80_000)  # 1927 to 2119: what a spreadsheet means by a bare number in a column of dates
_EXACT_DIGITS = 10**15  # a spreadsheet keeps fifteen digits of a number

_AMOUNT = re.compile(r"[+-]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?|[+-]?\d(?:\.\d+)?E[+-]?\d{1,3}", re.IGNORECASE)
_AMOUNT_UNIT = re.compile(r"(.+?)(亿元|百万元|万元|千元|元|万|分)整?")
_COUNT = re.compile(r"(\d+)(?:\.0+)?(?:人|名|个)?")
_LOST_DIGITS = re.compile(r"\d(?:\.\d+)?E\+?\d+", re.IGNORECASE)
_YMD = re.compile(r"(\d{4})(?:[-./。、]|年)(\d{1,2})(?:[-./。、]|月)(\d{1,2})日?(.*)", re.DOTALL)
_XXY = re.compile(r"(\d{1,2})[-./](\d{1,2})[-./](\d{4})(.*)", re.DOTALL)
_EIGHT = re.compile(r"(\d{4})(\d{2})(\d{2})()")
_CLOCK = re.compile(
    r"[T\s]*(\d{1,2})[:时点](\d{1,2})(?:[:分](\d{1,2})(?:\.\d+)?)?[分秒]?(?:\s?([AP])M)?", re.IGNORECASE
)
_SERIAL = re.compile(r"\d{5}(?:\.\d+)?")
_YEAR = re.compile(r"(\d{4})年?")
_MONTH = re.compile(r"(\d{4})(?:[-./]|年)(\d{1,2})(?:月份?)?|(\d{4})(\d{2})")
_DAY = re.compile(r"(\d{4})([-./])(\d{1,2})\2(\d{1,2})|(\d{4})年(\d{1,2})月(\d{1,2})日?|(\d{4})(\d{2})(\d{2})")
_UNTIL = re.compile(r"\s*(?:起?至|起?到|~|—+|–)\s*")
_LIST = re.compile(r"[、,;/\s]+")


def plain(text: str) -> str:
    """Numbers and dates as people type them: full-width forms folded, white space around them taken off."""
    return (text if text.isascii() else unicodedata.normalize("NFKC", text)).strip()


def is_blank(cell: Cell) -> bool:
    """Whether nothing stands in the cell, whatever the mapping says about words for nothing."""
    return cell is None or (isinstance(cell, str) and not cell.strip())


def shown(cell: Cell) -> str:
    """The cell as a person sees it, for messages and for columns kept verbatim. Never raises."""
    if isinstance(cell, str):
        return cell.strip()
    if isinstance(cell, Fault):
        return cell.detail
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() else repr(cell)
    if isinstance(cell, datetime):
        return cell.isoformat(" ") if cell.time() != time(0) else cell.date().isoformat()
    return str(cell)


def text_reader(blanks: Blanks, longest: int) -> Read[str]:
    """Text as it stands. Numbers and dates become what the sheet shows of them."""

    def read(cell: Cell) -> str | Fault | None:
        text = cell.strip() if cell.__class__ is str else shown(cell)
        if not text or text in blanks:
            return cell if isinstance(cell, Fault) else None
        if isinstance(cell, Fault):
            return cell
        if len(text) > longest:
            return Fault("text-length", f"{len(text)} > {longest}")
        if "\x00" in text:
            return Fault("text-control")
        return text

    return read


def code_reader(blanks: Blanks, longest: int) -> Read[str]:
    """Text that loses its meaning with a digit: a number that a spreadsheet has rounded is refused."""
    read_text = text_reader(blanks, longest)

    def read(cell: Cell) -> str | Fault | None:
        if isinstance(cell, float | int) and abs(cell) >= _EXACT_DIGITS:
            return Fault("digits-lost")
        if isinstance(cell, str) and _LOST_DIGITS.fullmatch(cell.strip()):
            return Fault("digits-lost")
        return read_text(cell)

    return read


def amount_reader(blanks: Blanks, per_unit: int, largest: Fen, *, negative: bool) -> Read[Fen]:
    """Fen. `per_unit`: what one unit of the column is worth in fen; a unit written in the cell itself goes first."""
    smallest = -largest if negative else 0

    def read(cell: Cell) -> Fen | Fault | None:
        if cell.__class__ is float:
            near = cell * per_unit
            if -1e9 < near < 1e9:  # so small that binary noise stays below the tolerance: the quick way is exact
                whole: int | Fault = round(near)
                if abs(near - whole) > 5e-7:  # type: ignore[operator]
                    whole = _whole_fen(Decimal(repr(cell)), per_unit)
            else:
                whole = _whole_fen(Decimal(repr(cell)), per_unit)
        elif isinstance(cell, str):
            if not (text := plain(cell)) or text in blanks or cell.strip() in blanks:
                return None
            whole = _typed_amount(text, per_unit)
        elif isinstance(cell, int) and not isinstance(cell, bool):
            whole = cell * per_unit
        elif cell is None or isinstance(cell, Fault):
            return cell
        else:
            return Fault("amount")
        if isinstance(whole, Fault):
            return whole
        return whole if smallest <= whole <= largest else Fault("amount-range", _limits(smallest, largest))

    return read


def count_reader(blanks: Blanks, largest: int) -> Read[int]:
    """A whole number of persons."""

    def read(cell: Cell) -> int | Fault | None:
        if isinstance(cell, str):
            text = plain(cell)
            if not text or text in blanks:
                return None
            typed = _COUNT.fullmatch(text.replace(",", ""))
            count = int(typed[1]) if typed else None
        elif isinstance(cell, float | int) and not isinstance(cell, bool):
            count = int(cell) if float(cell).is_integer() else None
        elif cell is None or isinstance(cell, Fault):
            return cell
        else:
            count = None
        if count is None:
            return Fault("headcount")
        return count if 0 <= count <= largest else Fault("headcount-range", f"0 … {largest}")

    return read


def instant_reader(blanks: Blanks, order: DateOrder, earliest: date, latest: date, zone: tzinfo) -> Read[datetime]:
    """A moment in `zone`; a day alone stands at its midnight. Both limits are days that are still allowed."""

    def read(cell: Cell) -> datetime | Fault | None:
        moment = _moment(cell, blanks, order, zone)
        if moment is None or isinstance(moment, Fault):
            return moment
        if not earliest <= moment.date() <= latest:
            return Fault("date-range", f"{earliest} … {latest}")
        return moment if moment.tzinfo is zone else moment.replace(tzinfo=zone)

    return read


def day_reader(
    blanks: Blanks, order: DateOrder, earliest: date, latest: date, *, end: Literal["first", "last"]
) -> Read[date]:
    """A calendar day; a month or a year alone means its `first` or its `last` day."""

    def read(cell: Cell) -> date | Fault | None:
        if isinstance(cell, str) and (span := _span(plain(cell))):
            day = span[0] if end == "first" else span[1]
        else:
            moment = _moment(cell, blanks, order, None)
            if moment is None or isinstance(moment, Fault):
                return moment
            day = moment.date()
        return day if earliest <= day <= latest else Fault("date-range", f"{earliest} … {latest}")

    return read


def period_reader(blanks: Blanks, earliest: date, latest: date) -> Read[tuple[date, date | None]]:
    """`2019.3-2019.10`, `2018年3月至2019年5月`, `2019年`, `2019.3至今` as (first day, last day or None)."""

    def read(cell: Cell) -> tuple[date, date | None] | Fault | None:
        if cell is None or isinstance(cell, Fault):
            return cell
        text = plain(shown(cell))
        if not text or text in blanks:
            return None
        found = _period(text)
        if found is None:
            return Fault("period")
        if not all(earliest <= day <= latest for day in found if day):
            return Fault("date-range", f"{earliest} … {latest}")
        return found if found[1] is None or found[0] <= found[1] else Fault("period-order")

    return read


def word_reader(blanks: Blanks, values: Mapping[str, str], words: Sequence[str], otherwise: str | None) -> Read[str]:
    """A word of a closed vocabulary, said in the book's own words. `otherwise` stands for every word not listed."""
    known = {plain(said): means for said, means in values.items()} | {word: word for word in words}

    def read(cell: Cell) -> str | Fault | None:
        if isinstance(cell, Fault):
            return cell
        said = plain(shown(cell))
        if not said or (said in blanks and said not in known):
            return None
        return known.get(said, otherwise) or Fault("known-word", ", ".join(known))

    return read


def words_reader(
    blanks: Blanks, values: Mapping[str, str], words: Sequence[str], otherwise: str | None
) -> Read[tuple[str, ...]]:
    """Several words in one cell (`年内、转办`), each once, in the order of the vocabulary."""
    read_word = word_reader(blanks, values, words, otherwise)

    def read(cell: Cell) -> tuple[str, ...] | Fault | None:
        if isinstance(cell, Fault):
            return cell
        said = [read_word(piece) for piece in _LIST.split(plain(shown(cell))) if piece]
        if fault := next((word for word in said if isinstance(word, Fault)), None):
            return fault
        return tuple(word for word in words if word in said) or None

    return read


def place_reader(blanks: Blanks, values: Mapping[str, str], otherwise: str | None, tree: JurisdictionTree) -> Read[str]:
    """The code of a jurisdiction that a cell names."""
    seen: dict[str, str | Fault] = {}

    def find(said: str) -> str | Fault:
        try:
            return tree.find(values.get(said, said)).code
        except InputError as error:
            if otherwise is not None and error.rule == "known-jurisdiction":
                return tree.find(otherwise).code
            near = tree.nearest(said)
            return Fault(error.rule, f"≈ {near.code} {near.name_zh}" if near else "")

    def read(cell: Cell) -> str | Fault | None:
        if isinstance(cell, Fault):
            return cell
        said = shown(cell)
        if not said or said in blanks:
            return None
        if said not in seen:
            seen[said] = find(said)
        return seen[said]

    return read


def _typed_amount(text: str, per_unit: int) -> int | Fault:
    text = re.sub(r"[\s¥$￥]", "", text)
    if unit := _AMOUNT_UNIT.fullmatch(text):
        text, per_unit = unit[1], UNITS[unit[2]]
    if text.startswith("(") and text.endswith(")"):  # how accountants write what is below zero
        text = "-" + text[1:-1]
    if not _AMOUNT.fullmatch(text):
        return Fault("amount")
    return _whole_fen(Decimal(text.replace(",", "")), per_unit)


def _whole_fen(amount: Decimal, per_unit: int) -> int | Fault:
    if not amount.is_finite():
        return Fault("amount")
    if abs(amount) >= 10**20:
        return Fault("amount-range")
    scaled = amount * per_unit
    whole = scaled.to_integral_value()
    return int(whole) if abs(scaled - whole) <= _TOLERANCE else Fault("whole-fen", f"{scaled.normalize():f} fen/分")


def _limits(smallest: Fen, largest: Fen) -> str:
    return f"{smallest // 100:,} … {largest // 100:,} 元"


def _moment(cell: Cell, blanks: Blanks, order: DateOrder, zone: tzinfo | None) -> datetime | Fault | None:
    if isinstance(cell, datetime):
        return cell
    if isinstance(cell, date):
        return datetime(cell.year, cell.month, cell.day)  # noqa: DTZ001 - the caller gives it its zone
    if isinstance(cell, str):
        text = plain(cell)
        return None if not text or text in blanks else _typed_moment(text, order, zone)
    if cell is None or isinstance(cell, Fault):
        return cell
    if isinstance(cell, float | int) and not isinstance(cell, bool) and math.isfinite(cell):
        if int(cell) in _SERIALS:
            return _from_serial(float(cell))
        if float(cell).is_integer():
            return _typed_moment(str(int(cell)), order, zone)
    return Fault("date")


def _typed_moment(text: str, order: DateOrder, zone: tzinfo | None) -> datetime | Fault:
    if found := _YMD.fullmatch(text) or _EIGHT.fullmatch(text):
        year, month, day, rest = found.groups()
    elif order != "ymd" and (found := _XXY.fullmatch(text)):
        first, second, year, rest = found.groups()
        month, day = (first, second) if order == "mdy" else (second, first)
    elif _SERIAL.fullmatch(text) and int(float(text)) in _SERIALS:
        return _from_serial(float(text))
    else:
        return Fault("date")
    clock = _clock(rest.strip())
    try:
        if clock is not None:
            return datetime(int(year), int(month), int(day), *clock)  # noqa: DTZ001 - the caller gives it its zone
        moment = datetime.fromisoformat(text)
    except ValueError:
        return Fault("date")
    if moment.tzinfo is None:
        return Fault("date")
    return moment.astimezone(zone) if zone else moment


def _clock(text: str) -> tuple[int, int, int] | None:
    """Hours, minutes and seconds of what follows a date; None when it is no time of the day."""
    if not text:
        return 0, 0, 0
    found = _CLOCK.fullmatch(text)
    if not found:
        return None
    hour, minute, second, half = int(found[1]), int(found[2]), int(found[3] or 0), (found[4] or "").upper()
    if half:
        hour = hour % 12 + (12 if half == "P" else 0)
    return hour, minute, second


def _from_serial(serial: float) -> datetime:
    return _EPOCH + timedelta(seconds=round(serial * 86_400))


def _span(text: str) -> tuple[date, date] | None:
    """First and last day of a year, a month or a day; None when the text is none of these."""
    try:
        if found := _DAY.fullmatch(text):
            year, _, month, day = found.group(1, 2, 3, 4)
            numbers = (year, month, day) if year else found.group(5, 6, 7) if found[5] else found.group(8, 9, 10)
            exact = date(*(int(number) for number in numbers))
            return exact, exact
        if found := _MONTH.fullmatch(text):
            year, month = (int(number) for number in found.groups() if number)
            return date(year, month, 1), date(year, month, calendar.monthrange(year, month)[1])
        if found := _YEAR.fullmatch(text):
            return date(int(found[1]), 1, 1), date(int(found[1]), 12, 31)
    except ValueError:  # no such month or day: then it is no date, and the caller says so
        return None
    return None


def _period(text: str) -> tuple[date, date | None] | None:
    if whole := _span(text):
        return whole
    halves = _UNTIL.split(text)
    hyphens = [(text[: at.start()], text[at.end() :]) for at in re.finditer(r"\s*-\s*", text)]
    for first, last in [tuple(halves)] if len(halves) == 2 else hyphens:
        begin, end = _span(first), _span(last)
        if begin and end:
            return begin[0], end[1]
        if begin and last in ("今", "现在", ""):
            return begin[0], None
    return None
