"""A county's book of the simulation, as an import reads any book: `domain.books.source.Reading`, without a file behind it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from domain.books.source import ControlCheck, ControlTotals, Double, Reject, Skipped, SourceCase, SourceLine
from domain.jurisdictions import JurisdictionTree
from infra.sample.ids import digest
from infra.sample.script import BookEntry, BookIssue, CaseScript, Line, StatedInBook

_FIRST_ROW = 4
"""Below two title rows and the header."""


class PlayedReading:
    """One issue of one county's book. Nothing in it is rejected, and no row stands twice."""

    header_row = _FIRST_ROW - 1
    sheet = "台账"
    mapping = "standard"
    columns: Mapping[str, str] = {}
    unmapped: Sequence[str] = ()
    rejects: Sequence[Reject] = ()
    doubles: Sequence[Double] = ()
    skipped: Sequence[Skipped] = ()
    checks: Sequence[ControlCheck] = ()

    def __init__(self, issue: BookIssue, scripts: Sequence[CaseScript], tree: JurisdictionTree, seed: str) -> None:
        self._cases = list(_source_cases(issue, scripts))
        self.digest = digest(seed, issue.book, issue.at.isoformat())
        self.tree = tree

    @property
    def cases(self) -> Iterator[SourceCase]:
        """See `Reading.cases`."""
        return iter(self._cases)

    @property
    def totals(self) -> ControlTotals:
        """See `Reading.totals`."""
        lines = [line for case in self._cases for line in case.lines]
        return ControlTotals(
            rows_read=len(lines),
            cases=len(self._cases),
            lines=len(lines),
            headcount=sum(line.headcount for line in lines),
            claimed=sum(line.claimed or 0 for line in lines),
            verified=sum(line.verified or 0 for line in lines),
            paid=sum(line.paid or 0 for line in lines),
            outstanding=sum(case.outstanding or 0 for case in self._cases),
            overpaid=sum(max(0, (line.paid or 0) - (line.verified or 0)) for line in lines),
        )

    @property
    def totals_with_doubles(self) -> ControlTotals:
        """See `Reading.totals_with_doubles`."""
        return self.totals


def _source_cases(issue: BookIssue, scripts: Sequence[CaseScript]) -> Iterator[SourceCase]:
    row = _FIRST_ROW
    for entry in issue.entries:
        script = scripts[entry.case]
        if script.stated is not None:
            rows = tuple(range(row, row + len(entry.lines)))
            row += len(entry.lines)
            yield _source_case(script, script.stated, entry, rows)


def _source_case(script: CaseScript, stated: StatedInBook, entry: BookEntry, rows: tuple[int, ...]) -> SourceCase:
    lines = tuple(_source_line(line, paid, stated) for line, paid in zip(entry.lines, entry.paid, strict=True))
    outstanding = sum((line.verified or 0) - (line.paid or 0) for line in lines) if stated.verified else None
    return SourceCase(
        number=script.number,
        rows=rows,
        jurisdiction=script.place,
        received=script.received,
        lines=lines,
        channel=script.channel,
        project=script.project,
        funding=script.funding.value,
        industry=script.industry,
        debtor=script.debtor,
        contractor=script.contractor,
        developer=script.developer,
        cause=script.cause,
        handed_down_by=script.handed_down_by,
        handed_down_number=script.handed_down_number,
        handed_down_on=script.handed_down_on,
        payment_source=stated.payment_source,
        paid_on=stated.paid_on,
        voucher=stated.voucher,
        outstanding=outstanding,
        state=entry.state,
        state_means="closed" if entry.means.value == "closed" else "open",
        closed_on=entry.closed_on,
        written_off=stated.written_off,
        people=dict(script.people),
        note=script.note,
        extra=dict(entry.extra),
    )


def _source_line(line: Line, paid: int, stated: StatedInBook) -> SourceLine:
    worker = line.worker
    return SourceLine(
        worker=None if worker is None else worker.name,
        worker_id=None if worker is None else worker.identity,
        phone=None if worker is None else worker.phone,
        headcount=line.headcount,
        kind=line.kind.value,
        period_from=line.period_from,
        period_to=line.period_to,
        claimed=line.claimed,
        verified=line.verified if stated.verified else None,
        paid=paid if paid else None,
    )
