"""Importing books: what is recorded, what an amended book changes, and that nothing is recorded twice or by halves."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import xlsxwriter
from python_calamine import CalamineWorkbook

from domain.books.amendment import BookContext
from domain.books.mapping import Mapping
from domain.campaigns.campaign import WINTER_2019
from domain.catalogue import EVENT_TYPES
from domain.entries import Recorded
from domain.recording import Batch, CommandKey, LogWriter, Outcome
from domain.streams import Basis, StreamEvent
from infra.books.mapping_files import load_mapping
from infra.books.reader import read_book
from infra.importing import Imported, Importer, ImportOrder
from infra.jurisdictions import load_tree
from infra.keyring import Keyring
from infra.memory.recorder import MemoryLog
from infra.streams import StreamStore
from infra.vault import MemoryVault
from projections.case_ledger import CaseRow, case_ledger
from projections.claim_ledger import claim_ledger
from projections.discrepancy_ledger import discrepancy_ledger
from projections.folding import fold_all
from projections.payment_ledger import payment_ledger

ZONE = ZoneInfo("Asia/Shanghai")
AS_AT = datetime(2019, 11, 28, 9, 0, tzinfo=ZONE)
HEAD = [
    "案件编号",
    "属地",
    "受理日期",
    "欠薪单位",
    "工人姓名",
    "欠薪人数",
    "欠薪金额",
    "核实金额",
    "已发金额",
    "余额",
    "案件状态",
]
Row = list[Any]
BOOK: list[Row] = [
    ["平-1", "平定县", "2019-11-01", "甲建筑公司", "", "10", "100000", "90000", "0", "90000", "在办"],
    ["平-2", "平定县", "2018.6.5", "乙劳务公司", "", "3", "30000", "30000", "30000", "0", "办结"],
    ["盂-1", "盂县", "2019/11/20", "丙公司", "", "1", "5000", "5000", "6000", "-1000", "办结"],
]


class Office:
    """An office with a log in memory that imports books."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = MemoryLog()
        self.vault = MemoryVault(Keyring.create(folder / "keys" / "keyring.json"))
        self.streams = StreamStore(self.log, EVENT_TYPES, "urn:qingling:test")
        self.as_at = AS_AT
        self.writer: LogWriter = self.log
        self._folded: tuple[int, dict[str, dict[str, Any]]] | None = None

    def bring(self, rows: Sequence[Row], mapping: str = "standard", **changes: Any) -> Imported:
        """Imports a book written from `rows`, a week after the one before."""
        file = self.folder / "book.csv"
        with file.open("w", encoding="utf-8-sig", newline="") as target:
            csv.writer(target).writerows([HEAD, *rows])
        return self.bring_file(file, load_mapping(mapping), **changes)

    def bring_file(self, file: Path, mapping: Mapping, **changes: Any) -> Imported:
        self.as_at += timedelta(days=7)
        tree = mapping.jurisdictions or load_tree()
        reading = read_book(file, mapping, tree, today=date(2026, 1, 1), zone=ZONE)
        order = ImportOrder(
            book=mapping.name,
            mapping_name=mapping.name,
            mapping_digest="0" * 64,
            place="140300",
            actor="officer-1",
            correlation="import-1",
        )
        context = BookContext(origin="test", book=mapping.name, as_at=self.as_at, campaign=WINTER_2019, zone=ZONE)
        importer = Importer(self.streams, self.writer, self.vault, context, replace(order, **changes), self.earlier)
        return importer.run(reading)

    def earlier(self, places: frozenset[str]) -> Iterator[str]:
        for row in self.cases().values():
            if not row.vanished and row.particulars.jurisdiction in places:
                yield row.case

    def events(self) -> list[Recorded[StreamEvent]]:
        return [EVENT_TYPES.decode(entry) for entry in self.log.read(0, 10**9)]

    def folded(self) -> dict[str, dict[str, Any]]:
        if self._folded is None or self._folded[0] != self.log.head().position:
            self._folded = (self.log.head().position, self._fold())
        return self._folded[1]

    def _fold(self) -> dict[str, dict[str, Any]]:
        return fold_all((claim_ledger, payment_ledger, case_ledger, discrepancy_ledger), self.events())

    def cases(self) -> dict[str, CaseRow]:
        return {row.number: row for row in self.folded().get("case", {}).values()}

    def kinds(self) -> set[tuple[str, str]]:
        return {(row.number, row.kind) for row in self.folded().get("discrepancy", {}).values()}


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return Office(tmp_path)


def test_a_book_is_recorded_as_stated_facts_with_its_own_words(office: Office) -> None:
    done = office.bring(BOOK)
    cases = office.cases()
    assert (done.new_cases, done.changed_cases) == (3, 0)
    assert cases["平-1"].standing.owing == 9_000_000
    assert cases["平-1"].particulars.jurisdiction == "140321"
    assert [c.value for c in cases["平-1"].particulars.classes] == ["in-year"]
    assert [c.value for c in cases["平-2"].particulars.classes] == ["historical"]
    assert cases["平-2"].source is not None
    assert cases["平-2"].source.state == "办结"
    assert cases["平-2"].stage.value == "open", "what a book calls closed is never mapped on a computed word"
    assert cases["盂-1"].standing.overpaid == 100_000
    facts = [item for item in office.events() if not item.envelope.type.startswith("book.")]
    assert all(item.envelope.basis is Basis.STATED for item in facts)
    assert all(item.envelope.actor == "officer-1" for item in facts)
    assert all(item.envelope.causation is not None for item in facts)


def test_the_same_book_again_records_nothing(office: Office) -> None:
    office.bring(BOOK)
    before = office.log.head().position
    done = office.bring(BOOK)
    assert (done.unchanged_cases, done.events, office.log.head().position) == (3, 0, before)


def test_an_amended_book_records_exactly_its_differences(office: Office) -> None:
    office.bring(BOOK)
    before = office.log.head().position
    amended = [list(row) for row in BOOK]
    amended[0][8:10] = ["40000", "50000"]
    amended[1][3] = "乙劳务有限公司"
    done = office.bring(amended)
    added = [item.envelope.type for item in office.events()[before:]]
    assert added == [
        "book.import-started.v1",
        "payment.recorded.v1",
        "payment.line-credited.v2",
        "case.source-stated.v1",
        "case.particulars-amended.v1",
        "book.import-finished.v1",
    ]
    assert (done.new_cases, done.changed_cases, done.unchanged_cases) == (0, 2, 1)
    assert office.cases()["平-1"].standing.owing == 5_000_000
    assert {d.what for d in done.differences} == {"paid more", "state", "particulars"}


def test_a_row_that_vanished_is_a_discrepancy_and_never_a_deletion(office: Office) -> None:
    office.bring(BOOK)
    done = office.bring([BOOK[1], BOOK[2]])
    assert done.vanished_cases == 1
    assert office.cases()["平-1"].vanished
    assert ("平-1", "vanished") in office.kinds()
    assert office.bring([BOOK[1], BOOK[2]]).events == 0, "it vanishes once"
    office.bring(BOOK)
    assert not office.cases()["平-1"].vanished
    assert ("平-1", "vanished") not in office.kinds()


def test_cases_of_a_place_that_the_book_does_not_speak_of_do_not_vanish(office: Office) -> None:
    office.bring(BOOK)
    assert office.bring([BOOK[2]]).vanished_cases == 0
    assert office.bring([BOOK[0]]).vanished_cases == 1


def test_a_part_of_a_book_makes_nothing_vanish(office: Office) -> None:
    office.bring(BOOK)
    assert office.bring([BOOK[0]], whole=False).vanished_cases == 0


def test_a_case_that_cannot_be_read_this_time_has_not_vanished(office: Office) -> None:
    office.bring(BOOK)
    broken = [list(row) for row in BOOK]
    broken[0][7] = "大约九万"
    assert office.bring(broken).vanished_cases == 0


def test_less_paid_than_stated_before_reverses_what_was_only_stated(office: Office) -> None:
    office.bring(BOOK)
    amended = [list(row) for row in BOOK]
    amended[1][8:10] = ["12000", "18000"]
    office.bring(amended)
    assert office.cases()["平-2"].standing.paid == 1_200_000
    assert ("平-2", "closed-but-owing") in office.kinds()


def test_a_book_that_states_less_than_it_once_did_is_told(office: Office) -> None:
    office.bring(BOOK)
    amended = [list(row) for row in BOOK]
    amended[0][6:10] = ["60000", "60000", "0", "60000"]
    office.bring(amended)
    shrunk = next(row for row in office.folded()["discrepancy"].values() if row.kind == "shrunk")
    assert (shrunk.number, shrunk.amount) == ("平-1", 4_000_000)
    office.bring(BOOK)
    assert ("平-1", "shrunk") not in office.kinds()


def test_a_dry_run_says_what_would_happen_and_leaves_nothing(office: Office) -> None:
    rows = [list(row) for row in BOOK]
    rows[2][4] = "郭小山"
    done = office.bring(rows, dry_run=True)
    assert (done.new_cases, office.log.head().position) == (3, 0)
    assert done.events > 10


def test_a_named_worker_is_sealed_and_known_again_in_an_amended_book(office: Office) -> None:
    rows = [
        ["平-9", "平定县", "2019-11-01", "甲公司", name, "", "8000", "8000", "0", "", ""]
        for name in ("郭小山", "白二虎")
    ]
    office.bring(rows, mapping="standard-roster")
    assert not any("郭小山".encode() in entry.entry for entry in office.log.read(0, 10**9))
    assert office.cases()["平-9"].standing.named == 2
    before = office.log.head().position
    turned = [list(row) for row in reversed(rows)]
    assert office.bring(turned, mapping="standard-roster").events == 0
    turned[0][8] = "3000"
    office.bring(turned, mapping="standard-roster")
    added = office.events()[before:]
    credited = next(item.event for item in added if item.envelope.type == "payment.line-credited.v2")
    claim = next(row for row in office.folded()["claim"].values() if row.claim == credited.claim)  # type: ignore[attr-defined]
    assert office.vault.open_many([(claim.worker, "worker")]) == ["白二虎"]
    assert office.bring(turned[:1], mapping="standard-roster").kinds == {"line vanished": 1}


def test_an_erased_worker_is_not_recorded_anew_by_the_next_book(office: Office) -> None:
    rows = [["平-9", "平定县", "2019-11-01", "甲公司", "郭小山", "", "8000", "8000", "0", "", ""]]
    office.bring(rows, mapping="standard-roster")
    worker = next(iter(office.folded()["claim"].values())).worker
    office.vault.erase(worker.subject)
    assert office.bring(rows, mapping="standard-roster").events == 0


class _Failing(LogWriter):
    """A log whose bulk path fails after some batches."""

    def __init__(self, log: MemoryLog, after: int) -> None:
        self._log = log
        self._left = after

    def append(self, batch: Batch, *, now: datetime | None = None) -> Outcome:
        return self._log.append(batch, now=now)

    def recorded(self, command: CommandKey) -> Outcome | None:
        return self._log.recorded(command)

    def append_bulk(self, batches: Any, *, now: datetime | None = None) -> Iterator[Outcome]:
        for batch in batches:
            self._left -= 1
            if self._left < 0:
                raise ConnectionError("the power failed")
            yield self._log.append(batch, now=now)


@pytest.mark.parametrize("after", range(5))
def test_an_import_that_was_cut_off_is_finished_by_importing_again(office: Office, after: int, tmp_path: Path) -> None:
    office.writer = _Failing(office.log, after)
    with pytest.raises(ConnectionError):
        office.bring(BOOK)
    office.writer = office.log
    office.as_at = AS_AT
    office.bring(BOOK)
    whole = Office(tmp_path / "whole")
    whole.bring(BOOK)
    assert {n: row.standing for n, row in office.cases().items()} == {
        n: row.standing for n, row in whole.cases().items()
    }
    assert office.kinds() == whole.kinds()


# The real books


@pytest.mark.real_data
def test_new_jersey_is_recorded_to_the_cent_and_changes_are_found_exactly(
    office: Office, real_data: Path, tmp_path: Path
) -> None:
    source = real_data / "new-jersey-wage-claims.xlsx"
    mapping = load_mapping("new-jersey")
    done = office.bring_file(source, mapping)
    cases = office.cases()
    owing = sum(row.standing.owing for row in cases.values())
    overpaid = sum(row.standing.overpaid for row in cases.values())
    stated = [row for row in cases.values() if row.source is not None]
    assert done.new_cases == len(cases) == 25_715
    assert owing - overpaid == sum(row.source.outstanding or 0 for row in stated if row.source is not None)
    assert overpaid > 0
    assert sum(1 for _, kind in office.kinds() if kind == "closed-but-owing") == 227
    assert office.bring_file(source, mapping).events == 0

    changed, removed, amended = _amended(source, tmp_path / "amended.xlsx")
    done = office.bring_file(amended, mapping)
    assert (done.new_cases, done.changed_cases, done.vanished_cases) == (0, 100, 5)
    assert {d.number for d in done.differences if d.what == "vanished"} == removed
    assert {d.number for d in done.differences if d.what != "vanished"} == changed


def _amended(source: Path, target: Path) -> tuple[set[str], set[str], Path]:
    """The book with the outstanding wages of 100 cases one dollar lower, and 5 other cases left out."""
    rows = CalamineWorkbook.from_path(str(source)).get_sheet_by_index(0).to_python()
    count: dict[object, int] = {}
    for row in rows[1:]:
        count[row[0]] = count.get(row[0], 0) + 1
    once = [i for i, row in enumerate(rows) if i and count[row[0]] == 1]
    pay = [i for i in once if float(str(rows[i][6])) > 1][::50][:100]
    drop = [i for i in once if i not in set(pay)][::999][:5]
    for i in pay:
        rows[i][6] = round(float(str(rows[i][6])) - 1, 2)
    with xlsxwriter.Workbook(str(target), {"default_date_format": "yyyy-mm-dd hh:mm:ss"}) as book:
        sheet = book.add_worksheet()
        kept = [row for i, row in enumerate(rows) if i not in set(drop)]
        for at, row in enumerate(kept):
            sheet.write_row(at, 0, row)
    return {str(rows[i][0]) for i in pay}, {str(rows[i][0]) for i in drop}, target


@pytest.mark.real_data
def test_washington_is_one_case_a_complaint_and_amounts_count_once(office: Office, real_data: Path) -> None:
    source = real_data / "washington-complaints.xlsx"
    done = office.bring_file(source, load_mapping("washington"))
    rows = CalamineWorkbook.from_path(str(source)).get_sheet_by_index(0).to_python()[4:]
    unusable = {row[0] for row in rows if row[7] == "" or row[11] == -636.0 or row[12] == 0.001}
    claimed = sum(round(float(str(row[11])) * 100) for row in rows if row[11] != "" and row[0] not in unusable)
    assert len(unusable) == 7, "five without a file date, one claimed below zero, one assessed at a tenth of a cent"
    assert done.new_cases == len({row[0] for row in rows}) - 7 == 20_614
    assert sum(row.standing.claimed for row in office.cases().values()) == claimed
