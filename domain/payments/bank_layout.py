"""How a bank lays out its return file (银行回盘): which column holds what, and what its codes mean. Data, checked before a file is read.

Columns are named by their headings or, where a file has none, all by their places from 1 below the rows to skip. A code that the layout
does not know is a fault of its row: money is never taken for paid by default.
"""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from domain.books.mapping import UNITS, Unit
from domain.errors import InputError
from domain.payments.handlers import BankResult

COLUMNS: Final = ("line", "worker", "worker_id", "amount", "result", "reason")
"""What a layout can give a column to: the payment's line or who it pays, how much, the bank's code, and its reason."""
KEYS: Final = ("title", "unit", "skip", "columns", "credited", "failed", "returned")
"""The keys of its file."""


@dataclass(frozen=True)
class BankLayout:
    """One bank's layout; made by `parse_bank_layout`. `unit`: fen in one of what amounts are given in; `places` count from 0."""

    name: str
    title: str
    headings: Mapping[str, tuple[str, ...]]
    places: Mapping[str, int]
    codes: Mapping[str, BankResult]
    """By code as `plain` makes it."""
    unit: int = 100
    skip: int = 0


class _File(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    title: str = ""
    unit: Unit = "元"
    skip: int = 0
    columns: dict[str, str | int | tuple[str, ...]]
    credited: tuple[str, ...]
    failed: tuple[str, ...] = ()
    returned: tuple[str, ...] = ()


def plain(text: str) -> str:
    """A heading or code without width, case and outer blanks, and without a unit in brackets behind it."""
    return unicodedata.normalize("NFKC", text).strip().casefold().split("(", 1)[0].strip(" :*")


def parse_bank_layout(name: str, table: Mapping[str, Any]) -> BankLayout:
    """The layout that a loaded file describes.

    Raises:
        InputError: `field` is the key at fault, `rule` what it breaks.
    """
    for key in table:
        if key not in KEYS:
            raise _fault(key, "known-key", f"there is no such key; the nearest is {_near(key, KEYS)!r}")
    try:
        file = msgspec.convert(dict(table), _File)
    except msgspec.ValidationError as error:
        raise _fault(str(error).rpartition("$.")[2].rstrip("`") or "file", "type", str(error)) from error
    _judge(file)
    places = {column: at - 1 for column, at in file.columns.items() if isinstance(at, int)}
    headings = {
        column: (said,) if isinstance(said, str) else said
        for column, said in file.columns.items()
        if not isinstance(said, int)
    }
    return BankLayout(name, file.title or name, headings, places, _codes(file), UNITS[file.unit], file.skip)


def _judge(file: _File) -> None:
    for column in file.columns:
        if column not in COLUMNS:
            near = _near(column, COLUMNS)
            raise _fault(f"columns.{column}", "known-key", f"there is no such column; the nearest is {near!r}")
    if "result" not in file.columns:
        raise _fault("columns.result", "essential", "without its result a row says nothing")
    if not file.columns.keys() & {"line", "worker", "worker_id"}:
        raise _fault("columns", "essential", "a row must say which line it means: line, worker or worker_id")
    places = [at for at in file.columns.values() if isinstance(at, int)]
    if places and (len(places) < len(file.columns) or min(places) < 1):
        raise _fault("columns", "one-source", "columns are named by headings, or all by places from 1")
    if file.skip < 0:
        raise _fault("skip", "positive", "rows are skipped from the first on")


def _codes(file: _File) -> dict[str, BankResult]:
    codes: dict[str, BankResult] = {}
    for result, said in (
        (BankResult.CREDITED, file.credited),
        (BankResult.FAILED, file.failed),
        (BankResult.RETURNED, file.returned),
    ):
        for code in said:
            if codes.setdefault(plain(code), result) is not result:
                raise _fault(result.value, "one-meaning", f"the code {code!r} means {codes[plain(code)].value}, too")
    return codes


def _near(word: str, allowed: Sequence[str]) -> str:
    return difflib.get_close_matches(word, allowed, n=1, cutoff=0)[0]


def _fault(path: str, rule: str, message: str) -> InputError:
    return InputError(f"layout key {path!r}: {message}", field=path, rule=rule)
