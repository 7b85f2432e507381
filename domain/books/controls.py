"""Sums to hold a book against itself and against the ledger: what its rows come to, what its total rows say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from domain.books.assembly import Row
from domain.books.scanning import Why
from domain.books.source import ControlCheck, SourceCase

AMOUNTS = ("claimed", "verified", "rejected", "paid")


class Sums:
    """Sums over the accepted cases: `once` counts every case once, `with_doubles` every accepted row."""

    def __init__(self) -> None:
        self.once: Counter[str] = Counter()
        self._of_doubles: Counter[str] = Counter()

    @property
    def with_doubles(self) -> Counter[str]:
        together = Counter(self.once)
        together.update(self._of_doubles)
        return together

    def add(self, case: SourceCase) -> None:
        self.once.update(of_case(case))

    def add_doubles(self, dropped: Iterable[Row], case: SourceCase | None) -> None:
        """Rows that were dropped: each is the whole `case` again, or else adds the amounts that stand in it."""
        for row in dropped:
            if case is not None:
                self._of_doubles.update(of_case(case))
            else:
                amounts = (*AMOUNTS, "outstanding", "headcount")
                self._of_doubles.update({name: row.values[name] for name in amounts if name in row.values})


def of_case(case: SourceCase) -> dict[str, int]:
    """The figures of one case, under the names of `ControlTotals`."""
    sums = {"cases": 1, "lines": len(case.lines), "outstanding": case.outstanding or 0}
    for name in (*AMOUNTS, "headcount"):
        sums[name] = sum(getattr(line, name) or 0 for line in case.lines)
    sums["overpaid"] = sum(
        max(0, line.paid - line.verified) for line in case.lines if line.paid is not None and line.verified is not None
    )
    return sums


class Controls:
    """Totals and subtotals of a book beside the sums of its rows, as a spreadsheet would add them up.

    A subtotal covers the rows since the last subtotal. A total covers all rows above it or, where only that agrees,
    those since the last total; one that stands above the first row covers the whole book.
    """

    def __init__(self, columns: Mapping[str, str]) -> None:
        self._columns = {name: columns[name] for name in (*AMOUNTS, "outstanding", "headcount") if name in columns}
        self._all: Counter[str] = Counter()
        self._since: dict[str, Counter[str]] = {"total": Counter(), "subtotal": Counter()}
        self._above: list[tuple[Row, str]] = []
        self._rows = 0

    def add(self, row: Row) -> None:
        """A data row."""
        self._rows += 1
        for name in self._columns:
            if name in row.values:
                amount = row.values[name]
                self._all[name] += amount
                self._since["total"][name] += amount
                self._since["subtotal"][name] += amount

    def compare(self, row: Row, text: str, why: Why) -> list[ControlCheck]:
        """A total or subtotal row; nothing yet for a total above the first row."""
        if why == "total" and not self._rows:
            self._above.append((row, text))
            return []
        since, self._since[why] = self._since[why], Counter()
        if why == "subtotal":
            return self._checks(row, text, since, since)
        return self._checks(row, text, self._all, since)

    def finished(self) -> list[ControlCheck]:
        """What could only be compared after the last row."""
        return [check for row, text in self._above for check in self._checks(row, text, self._all, self._all)]

    def _checks(self, row: Row, text: str, sums: Counter[str], otherwise: Counter[str]) -> list[ControlCheck]:
        return [
            ControlCheck(
                row=row.at,
                label=text,
                field=name,
                heading=heading,
                stated=row.values[name],
                summed=otherwise[name] if otherwise[name] == row.values[name] else sums[name],
            )
            for name, heading in self._columns.items()
            if name in row.values
        ]
