"""Rows that are not those that were sealed, gathered into runs: a hundred thousand renumbered rows are one finding, not as many.

Guarantees: every row that differs is in exactly one finding. Which words fit (swapped, renumbered, replaced) is said of whole runs
and rests on leaf hashes alone: that a row *holds what was sealed elsewhere* is exact, never a guess.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum

from infra.sealing.findings import TamperFinding, TamperRule


class RunKind(Enum):
    """What is wrong with the rows of a run."""

    MISSING = "missing"
    OTHER = "other"
    """They hold bytes that were sealed nowhere near."""
    MOVED = "moved"
    """They hold what was sealed `shift` positions further on."""


@dataclass(frozen=True)
class RowRun:
    """Neighbouring rows with the same thing wrong. `stored` and `sealed` are leaf hashes of the first row."""

    kind: RunKind
    first: int
    last: int
    sealed: bytes
    stored: bytes = b""
    shift: int = 0
    unmoved: int = 0
    replaced: bool = False
    """Some row is of another event than was sealed there."""
    intact: bool = True
    signed: bool = True
    vouched: bool = True
    detail: str = ""

    def __len__(self) -> int:
        return self.last - self.first + 1

    def joined(self, following: RowRun) -> RowRun | None:
        """Both as one run, if they are one."""
        same = (self.kind, self.shift, self.signed) == (following.kind, following.shift, following.signed)
        if not same or following.first != self.last + 1:
            return None
        return replace(
            self,
            last=following.last,
            replaced=self.replaced or following.replaced,
            intact=self.intact and following.intact,
            vouched=self.vouched and following.vouched,
        )


class RowRuns:
    """Runs in order of position; at most `limit` are kept, the others counted."""

    def __init__(self, limit: int) -> None:
        self.runs: list[RowRun] = []
        self.omitted = 0
        self._limit = limit

    @property
    def last(self) -> RowRun | None:
        """The run that a following row may continue."""
        return self.runs[-1] if self.runs and not self.omitted else None

    def add(self, run: RowRun) -> None:
        """Takes in the next run."""
        joined = self.last.joined(run) if self.last is not None else None
        if joined is not None:
            self.runs[-1] = joined
        elif len(self.runs) < self._limit:
            self.runs.append(run)
        else:
            self.omitted += 1

    def findings(self, head: int, end: int) -> Iterator[TamperFinding]:
        """What the runs come to, where the database ends at `head` and what was sealed at `end`."""
        unsigned = [run for run in self.runs if not run.signed]
        swapped, rest = _without_swaps([run for run in self.runs if run.signed])
        yield from swapped
        for run in _with_absorbed(rest):
            yield _finding(run, early=run.last == end and run.first > head)
        for run in unsigned:
            yield replace(_finding(run, early=False), rule=TamperRule.UNSIGNED_TAIL)


def _finding(run: RowRun, *, early: bool) -> TamperFinding:
    rules = {
        RunKind.MISSING: TamperRule.LOG_ENDS_EARLY if early else TamperRule.ROW_MISSING,
        RunKind.OTHER: TamperRule.ENTRY_REPLACED if run.replaced else TamperRule.ENTRY_CHANGED,
        RunKind.MOVED: TamperRule.ROWS_RENUMBERED,
    }
    return TamperFinding(
        rules[run.kind],
        position=run.first,
        last=run.last,
        stored=run.stored.hex(),
        sealed=run.sealed.hex(),
        shift=run.shift,
        unmoved=run.unmoved,
        intact=run.intact,
        vouched=run.vouched,
        detail=run.detail,
    )


def _without_swaps(runs: Sequence[RowRun]) -> tuple[list[TamperFinding], list[RowRun]]:
    """Pairs of runs that stand in each other's place, and the runs that are left."""
    by_first = {run.first: run for run in runs if run.kind is RunKind.MOVED}
    by_stored = {run.stored: run for run in runs if run.kind is RunKind.OTHER}
    swapped: dict[int, TamperFinding] = {}
    taken: set[int] = set()
    for run in runs:
        other = by_first.get(run.first + run.shift) if run.kind is RunKind.MOVED else by_stored.get(run.sealed)
        if other is None or other.first <= run.first or len(run) != len(other) or not _crossed(run, other):
            continue
        finding = replace(_finding(run, early=False), rule=TamperRule.ROWS_SWAPPED, shift=other.first - run.first)
        swapped[run.first] = replace(finding, intact=run.intact and other.intact, detail="")
        taken |= {run.first, other.first}
    return list(swapped.values()), [run for run in runs if run.first not in taken]


def _crossed(run: RowRun, other: RowRun) -> bool:
    if run.kind is RunKind.MOVED:
        return other.shift == -run.shift
    return other.kind is RunKind.OTHER and (run.stored, run.sealed) == (other.sealed, other.stored)


def _with_absorbed(runs: Sequence[RowRun]) -> list[RowRun]:
    """Renumbered rows with what belongs to it: the places left empty behind them, or the rows put in before them."""
    left: list[RowRun] = []
    for run in runs:
        before = left[-1] if left else None
        if before is None or before.last + 1 != run.first:
            left.append(run)
        elif before.kind is RunKind.MOVED and run.kind is RunKind.MISSING and len(run) >= before.shift > 0:
            left[-1] = replace(before, last=before.last + before.shift, unmoved=before.shift)
            if len(run) > before.shift:
                left.append(replace(run, first=run.first + before.shift, sealed=b""))
        elif run.kind is RunKind.MOVED and before.kind is RunKind.OTHER and len(before) == -run.shift:
            left[-1] = replace(run, first=before.first, stored=before.stored, sealed=before.sealed, unmoved=len(before))
        else:
            left.append(run)
    return left
