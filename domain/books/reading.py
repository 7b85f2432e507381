"""Rows of a sheet become source cases, one after the other, in memory that does not grow with the book.

The rows are gone through twice. The first time only the case numbers are looked at, to learn which cases have rows that
lie apart; of each run of rows eight bytes are kept. The second time the rows are read, and a case is handed on as soon
as its last row was seen. So a number that stands twice a hundred thousand rows apart is found, and a book whose rows
lie together is never held.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date, tzinfo

import msgspec

from domain.books.assembly import Assembly, Row
from domain.books.cells import is_blank, shown
from domain.books.columns import RowReader
from domain.books.controls import Controls, Sums
from domain.books.header import Header, find_header
from domain.books.mapping import Mapping
from domain.books.rules import Fault
from domain.books.scanning import Cells, Rows, RowScan, Why
from domain.books.source import ControlCheck, ControlTotals, Double, Reading, Reject, Skipped, SourceCase
from domain.jurisdictions import JurisdictionTree


def read_rows(
    rows: Rows,
    mapping: Mapping,
    tree: JurisdictionTree,
    *,
    today: date,
    zone: tzinfo,
    digest: str = "",
    sheet: str = "",
) -> Reading:
    """Read the rows of one sheet. Nothing but the header is looked at before `cases` is consumed.

    Raises:
        UnreadableBookError: the header is not there, or contradicts the mapping.
        InputError: a constant of the mapping cannot be read, such as a jurisdiction that is not in the tree.
    """
    return _SheetReading(rows, mapping, tree, today, zone, digest, sheet)


class _SheetReading:
    """See the protocol `Reading`."""

    def __init__(
        self,
        rows: Rows,
        mapping: Mapping,
        tree: JurisdictionTree,
        today: date,
        zone: tzinfo,
        digest: str,
        sheet: str,
    ) -> None:
        top = list(itertools.islice(rows(), mapping.header.search + mapping.header.rows))
        header = find_header(mapping, top)
        self.digest = digest
        self.mapping = mapping.name
        self.sheet = sheet
        self.header_row = header.row
        self.columns = {name: header.heading_of(name) for name in header.fields} | (
            {"number": header.heading_of("number")} if header.parts else {}
        )
        self.unmapped = tuple(column.heading for column in header.unmapped)
        self.tree = mapping.jurisdictions or tree
        self.rejects: list[Reject] = []
        self.doubles: list[Double] = []
        self.skipped: list[Skipped] = []
        self.checks: list[ControlCheck] = []
        self._one_row = mapping.rows.case == "one-row"
        self._scan = RowScan(rows, mapping, header)
        self._reader = RowReader(mapping, header, self.tree, today, zone)
        self._assembly = Assembly(mapping, self._headings(header), self._reader.constants, self._reader.people)
        self._controls = Controls(self.columns)
        self._sums = Sums()
        self._rows_read = 0
        self._cases: Iterator[SourceCase] | None = None
        self._finished = False

    @property
    def cases(self) -> Iterator[SourceCase]:
        if self._cases is None:
            self._cases = self._read()
        return self._cases

    @property
    def totals(self) -> ControlTotals:
        return self._totals(self._sums.once)

    @property
    def totals_with_doubles(self) -> ControlTotals:
        return self._totals(self._sums.with_doubles)

    def _totals(self, sums: Counter[str]) -> ControlTotals:
        if not self._finished:
            raise RuntimeError("the totals of a book exist only after its cases have been consumed")
        rejected_rows = {row for reject in self.rejects for row in reject.rows}
        return ControlTotals(
            rows_read=self._rows_read,
            rejected_rows=len(rejected_rows),
            rejected_cases=len({reject.rows for reject in self.rejects}),
            doubles=sum(len(double.dropped_rows) for double in self.doubles),
            **sums,
        )

    def _headings(self, header: Header) -> dict[str, str]:
        return self.columns | {f"people.{role}": column.heading for role, column in header.people.items()}

    def _read(self) -> Iterator[SourceCase]:
        apart = self._scan.numbers_apart()
        waiting: dict[str, list[Row]] = {}
        seen: Counter[str] = Counter()
        for number, rows in self._runs():
            if number is None or hash(number) not in apart:
                yield from self._close(rows)
                continue
            seen[number] += 1
            waiting.setdefault(number, []).extend(rows)
            if seen[number] == apart[hash(number)]:
                yield from self._close(waiting.pop(number))
        for rows in waiting.values():  # two numbers with one hash: their runs were counted together
            yield from self._close(rows)
        self.checks.extend(self._controls.finished())
        self._finished = True

    def _runs(self) -> Iterator[tuple[str | None, list[Row]]]:
        """Consecutive rows of one number together; a row without a number alone, as soon as it comes."""
        run: list[Row] = []
        current: str | None = None
        for at, cells, why in self._scan.rows():
            if why:
                self._skip(at, cells, why)
                continue
            self._rows_read += 1
            row = self._reader.read(at, cells)
            self._controls.add(row)
            number = self._scan.number(cells)
            if number is None:
                yield None, [row]
                continue
            if number != current and run:
                yield current, run
                run = []
            current = number
            run.append(row)
        if run:
            yield current, run

    def _close(self, rows: list[Row]) -> Iterator[SourceCase]:
        """All rows of one number have been seen: hand the case on, or say why not."""
        alike = _alike(rows)
        different = [copies[0] for copies in alike]
        if self._one_row and len(different) > 1:
            second = different[1]
            second.fault("number", self.columns["number"], second.values["number"], Fault("same-number"))
            self.rejects.extend(self._assembly.rejects(rows))
            return
        made = self._assembly.case(different)
        if isinstance(made, list):
            every = tuple(row.at for row in rows)
            self.rejects.extend(msgspec.structs.replace(reject, rows=every) for reject in made)
            return
        self._sums.add(made)
        if len(different) < len(rows):
            self._tell_doubles(made, alike)
        yield made

    def _tell_doubles(self, case: SourceCase, alike: Sequence[Sequence[Row]]) -> None:
        for kept, *dropped in alike:
            if dropped:
                rows = tuple(row.at for row in dropped)
                self.doubles.append(Double(number=case.number, kept_row=kept.at, dropped_rows=rows))
                self._sums.add_doubles(dropped, case if self._one_row else None)

    def _skip(self, at: int, cells: Cells, why: Why) -> None:
        text = next((shown(cell) for cell in cells if not is_blank(cell)), "")
        self.skipped.append(Skipped(row=at, text=text, why=why))
        if why in ("total", "subtotal"):
            self.checks.extend(self._controls.compare(self._reader.read(at, cells), text, why))


def _alike(rows: Sequence[Row]) -> list[list[Row]]:
    """Rows that say the same, together, in order of first appearance."""
    if len(rows) == 1:
        return [list(rows)]
    alike: dict[object, list[Row]] = {}
    for row in rows:
        alike.setdefault(row.content(), []).append(row)
    return list(alike.values())
