"""Rule 7: what the ledgers of a pack say beside what its entries make of them.

Guarantees: csv and workbook are read in step with the ledger made anew; a row is equal cell for cell, or says that it is not covered
where it may; none is missing, none is too many, none stands out of order. Files are not held in memory, but for the packed workbook.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from typing import Final, Literal, NamedTuple

from domain.errors import VerificationError
from domain.packs.pack import SelectionKind
from infra.books.export import canonical_row, csv_cells, csv_headings, csv_text
from infra.packs.derive import DerivedLedgers
from infra.packs.layout import ledger_file
from infra.packs.reader import PackReader
from infra.packs.tables import (
    BOARD,
    COVERED,
    OF_CASES,
    Table,
    cell_values,
    partition_of,
    row_ledger,
    table_of,
    values_of,
)
from infra.packs.workbook import Workbook
from projections.clearance import MEASURES

_LONGEST_ROW: Final = 2**22
Key = tuple[str, ...]


@dataclass(frozen=True)
class LedgerReport:
    """A ledger that holds: its rows, and how many of them rest on entries outside the pack."""

    name: str
    rows: int
    uncovered: int


class _Expected(NamedTuple):
    """A row made anew. `loose`: withheld entries may have made it another one, or none."""

    key: Key
    cells: list[str]
    loose: bool


def compare_ledger(reader: PackReader, derived: DerivedLedgers, name: str) -> LedgerReport:
    """Compares both files of a ledger with the rows made anew.

    Raises:
        VerificationError: they differ; names the file, the row and the column.
    """
    comparing = _Comparing(reader, derived, name)
    with _of(ledger_file(name, "csv")):
        return comparing.run()


class _Comparing:
    def __init__(self, reader: PackReader, derived: DerivedLedgers, name: str) -> None:
        self._reader, self._derived, self._name = reader, derived, name
        self._manifest = reader.manifest
        self._language: Literal["zh", "en"] = self._manifest.language
        self._everything = self._manifest.selection.kind is SelectionKind.ALL
        self._loose = frozenset(each.partitionkey for each in reader.withheld.values())
        self._firm = not self._loose & derived.cases().keys()
        """No case has withheld entries, which could take away from its sums: a cell has at least what its cases make."""
        self._table: Table = table_of(derived.catalogue, name)
        place = {column.name: at for at, column in enumerate(self._table.columns)}
        self._covered = place[COVERED]
        self._keys = [place[key] for key in self._table.keys]
        self._owner = place["case"] if name in OF_CASES else self._keys[0]
        self._yes, self._no = (
            csv_text(self._table.columns[self._covered], truth, self._language) for truth in (True, False)
        )
        self._xlsx = ledger_file(name, "xlsx")
        self._uncovered = 0
        self._digest = sha256()

    def run(self) -> LedgerReport:
        workbook = self._workbook()
        expected = self._expected()
        following = next(expected, None)
        rows = 0
        for number, key, cells in self._rows():
            while following is not None and following.key < key:
                _require_loose(following)
                following = next(expected, None)
            own = following if following is not None and following.key == key else None
            if own is not None:
                following = next(expected, None)
            rows, self._uncovered = rows + 1, self._uncovered + self._compare(number, cells, own)
            with _of(self._xlsx, f"row {number}"):
                workbook.check_next(cells)
        while following is not None:
            _require_loose(following)
            following = next(expected, None)
        with _of(self._xlsx):
            workbook.check_end(self._meta(rows=rows))
        return LedgerReport(self._name, rows, self._uncovered)

    def _compare(self, number: int, cells: list[str], own: _Expected | None) -> bool:
        """Whether the row says that it is not covered."""
        said = cells[self._covered]
        if said == self._yes:
            if own is None:
                raise VerificationError(
                    f"row {number} ({', '.join(self._named(cells))}): no packed entry makes this row"
                )
            self._require_equal(number, cells, own.cells)
            return False
        if said != self._no:
            raise VerificationError(f"row {number}: {COVERED} says {said!r}")
        if not self._may_rest_elsewhere(cells):
            raise VerificationError(
                f"row {number} ({', '.join(self._named(cells))}): it rests on nothing outside the pack"
            )
        if self._name == BOARD and own is not None and self._firm:
            self._require_at_least(number, cells, own.cells)
        return True

    def _require_equal(self, number: int, cells: list[str], wanted: list[str]) -> None:
        for column, said, made in zip(self._table.columns, cells, wanted, strict=True):
            if said != made:
                raise VerificationError(
                    f"row {number} ({', '.join(self._named(cells))}), column {column.name}: it says {said!r}; the packed"
                    f" entries make {made!r}"
                )

    def _require_at_least(self, number: int, cells: list[str], contributed: list[str]) -> None:
        for column, said, least in zip(self._table.columns, cells, contributed, strict=True):
            if column.name in MEASURES and not _is_at_least(said, least):
                raise VerificationError(
                    f"row {number} ({', '.join(self._named(cells))}), column {column.name}: it says {said!r}; the packed"
                    f" cases alone make {least!r}"
                )

    def _may_rest_elsewhere(self, cells: list[str]) -> bool:
        if self._name == BOARD:
            return not self._everything or bool(self._loose)
        return cells[self._owner] in self._loose

    def _named(self, cells: Sequence[str]) -> Key:
        """The cells that tell a row from others."""
        return tuple(cells[place] for place in self._keys)

    def _key(self, cells: Sequence[str]) -> Key:
        """What rows are in order of."""
        return self._named(cells) if self._name == BOARD else ("/".join(self._named(cells)),)

    # Made anew

    def _expected(self) -> Iterator[_Expected]:
        columns, language = self._table.columns, self._language
        for key, loose, make in self._board() if self._name == BOARD else self._ledger_rows():
            try:
                values = make()
                cells = csv_cells(columns, values, language)
                self._digest.update(canonical_row(columns, [values[column.name] for column in columns]))
            except Exception as error:
                raise VerificationError(f"the row {', '.join(key)} that the packed entries make: {error}") from error
            yield _Expected(key, cells, loose)

    def _ledger_rows(self) -> Iterator[tuple[Key, bool, Callable[[], Mapping[str, object]]]]:
        ledger, zone = row_ledger(self._derived.catalogue, self._name), self._derived.facts.zone
        rows, positions = self._derived.rows[self._name], self._derived.positions[self._name]
        for key in sorted(rows):
            loose = partition_of(self._name, key, rows[key]) in self._loose
            yield (key,), loose, partial(values_of, ledger, rows[key], positions[key], zone, covered=True)

    def _board(self) -> Iterator[tuple[Key, bool, Callable[[], Mapping[str, object]]]]:
        for cell, sums in sorted(self._derived.cells().items()):
            yield cell, not self._firm, partial(cell_values, cell, sums, covered=True)

    # As they stand in the pack

    def _rows(self) -> Iterator[tuple[int, Key, list[str]]]:
        """Rows of the csv with their numbers and keys, in order."""
        reader, columns = self._reader, self._table.columns
        rows = _csv_rows(reader.pieces(ledger_file(self._name, "csv")))
        if next(rows, None) != csv_headings(columns, self._language):
            raise VerificationError("its headings are not those of the ledger")
        before: Key = ()
        for number, cells in enumerate(rows, start=2):
            if len(cells) != len(columns):
                raise VerificationError(f"row {number} has {len(cells)} cells, the ledger {len(columns)} columns")
            key = self._key(cells)
            if key <= before:
                raise VerificationError(f"row {number} ({', '.join(self._named(cells))}) stands out of order, or twice")
            before = key
            yield number, key, cells

    def _workbook(self) -> Workbook:
        text = self._manifest.files[ledger_file(self._name, "csv")].bytes
        with _of(self._xlsx):
            return Workbook(self._reader.bytes_of(self._xlsx), self._table.columns, self._language, text=text)

    def _meta(self, *, rows: int) -> dict[str, str]:
        manifest = self._manifest
        meta = self._table.meta(language=self._language, origin=manifest.origin, kind=manifest.kind, upto=manifest.upto)
        return {**meta, "rows": str(rows), "digest": "" if self._uncovered else self._digest.hexdigest()}


def _require_loose(row: _Expected) -> None:
    if not row.loose:
        raise VerificationError(f"the row {', '.join(row.key)}, which the packed entries make, is missing")


def _is_at_least(said: str, least: str) -> bool:
    try:
        return float(said) >= float(least)
    except ValueError:
        return False


def _csv_rows(pieces: Iterator[bytes]) -> Iterator[list[str]]:
    rows = csv.reader(_csv_lines(pieces), strict=True)
    while True:
        try:
            row = next(rows, None)
        except csv.Error as error:
            raise VerificationError(f"line {rows.line_num}: {error}") from None
        if row is None:
            return
        yield row


def _csv_lines(pieces: Iterator[bytes]) -> Iterator[str]:
    """Lines with their ends; the first without the UTF-8 mark, which must be there."""
    rest, first = b"", True
    for piece in pieces:
        lines = (rest + piece).split(b"\n")
        rest = lines.pop()
        if len(rest) > _LONGEST_ROW:
            raise VerificationError("a line is longer than any row")
        for line in lines:
            yield _decoded(line + b"\n", first=first)
            first = False
    if rest:
        raise VerificationError("its last line is not ended")


def _decoded(line: bytes, *, first: bool) -> str:
    if first and not line.startswith(b"\xef\xbb\xbf"):
        raise VerificationError("it does not begin with the UTF-8 mark")
    try:
        return line.decode("utf-8-sig" if first else "utf-8")
    except UnicodeDecodeError:
        raise VerificationError("it is not UTF-8") from None


@contextmanager
def _of(*where: str) -> Iterator[None]:
    """Says of what fails inside which file, or row, it is about; what says so already is left as it is."""
    try:
        yield
    except VerificationError as error:
        if str(error).startswith("ledgers/"):
            raise
        raise VerificationError(f"{', '.join(where)}: {error}") from None
