"""The reject workbook: what was not recorded goes back with its reasons, is mended there, and is imported from there."""

from __future__ import annotations

from datetime import date

import pytest
import xlsxwriter
from python_calamine import CalamineWorkbook

from domain.books.mapping import parse_mapping
from domain.errors import UnreadableBookError
from infra.books.rejects import write_rejects
from tests.infra.books.conftest import HEAD, MAPPING

SEVERAL = {"rows": {"case": "several-rows", "amounts": "sum", "fill_down": ["number"]}}


def sheet_of(path, name="台账"):
    return CalamineWorkbook.from_path(path).get_sheet_by_name(name).to_python(skip_empty_area=False)


def test_rejected_rows_go_back_with_title_header_and_reasons(make_book, read_file, tmp_path):
    path = make_book(
        [
            ["台账", None, "单位：万元"],
            HEAD,
            ["A1", "盂县", date(2019, 11, 25), "甲", 1.5],
            ["A2", "盂县", date(2019, 11, 25), "乙", "很多"],
            [None, "哥谭", None, "乙", 2],
        ]
    )
    reading = read_file(path, **SEVERAL)
    assert [case.number for case in reading.cases] == ["A1"]
    target = tmp_path / "rejects.xlsx"
    assert write_rejects(target, path, parse_mapping(MAPPING | SEVERAL), reading) == 2
    title, head, first, second = sheet_of(target)
    assert title[2] == "单位：万元"
    assert head == [*HEAD, "※原行号", "※退回原因", "※规则"]
    assert first[:6] == ["A2", "盂县", date(2019, 11, 25), "乙", "很多", 4.0]
    assert first[6] == "第4行“反映金额”：“很多”不是金额"
    assert first[7] == "amount"
    assert second[:5] == ["A2", "哥谭", "", "乙", 2.0]
    assert "“哥谭”不在行政区划内" in second[6]


def test_a_row_that_is_in_order_itself_is_told_which_row_is_not(make_book, read_file, tmp_path):
    path = make_book([HEAD, ["A", "盂县", "2019.1.5", "甲", "x"], ["A", "盂县", "2019.1.5", "甲", 1]])
    reading = read_file(path, **SEVERAL)
    assert list(reading.cases) == []
    target = tmp_path / "rejects.xlsx"
    write_rejects(target, path, parse_mapping(MAPPING | SEVERAL), reading, language="en")
    assert [row[6] for row in sheet_of(target)[1:]] == [
        "row 2, column '反映金额' (claimed): 'x' is not an amount",
        "rejected with row 2 of the same case",
    ]


def test_a_mended_reject_workbook_is_read_with_the_same_mapping(make_book, read_file, tmp_path):
    path = make_book(
        [["单位：万元"], HEAD, ["A1", "盂县", "2019.1.5", "甲", 1.5], ["A2", "盂县", "2019.1.5", "乙", "2,5"]]
    )
    reading = read_file(path)
    assert len(list(reading.cases)) == 1
    rejected = tmp_path / "rejects.xlsx"
    write_rejects(rejected, path, parse_mapping(MAPPING), reading)
    again = read_file(rejected, unmapped="refuse")
    assert list(again.cases) == []
    rows = sheet_of(rejected)
    rows[2][4] = 2.5
    mended = make_book(rows, "mended.xlsx")
    (case,) = read_file(mended, unmapped="refuse").cases
    assert (case.number, case.lines[0].claimed) == ("A2", 2_500_000)


def test_what_was_unreadable_stays_unreadable_until_it_is_mended(tmp_path, read_file):
    path = tmp_path / "book.xlsx"
    with xlsxwriter.Workbook(path) as workbook:
        sheet = workbook.add_worksheet("台账")
        for index, heading in enumerate(HEAD):
            sheet.write_string(0, index, heading)
        for index, cell in enumerate(["A1", "盂县", "2019.1.5"]):
            sheet.write_string(1, index, cell)
        sheet.write_formula(1, 3, "=X1", None, "#SPILL!")
        sheet.write_formula(1, 4, "=1/0", None, "#DIV/0!")
        sheet.write_number(2, 0, 140321199001011234)
        for index, cell in enumerate(["盂县", "2019.1.5", "=HYPERLINK()"], 1):
            sheet.write_string(2, index, cell)
    first = read_file(path)
    assert list(first.cases) == []
    target = tmp_path / "rejects.xlsx"
    write_rejects(target, path, parse_mapping(MAPPING), first)
    again = read_file(target)
    assert list(again.cases) == []
    assert [(reject.field, reject.rule) for reject in again.rejects] == [
        (reject.field, reject.rule) for reject in first.rejects
    ]
    assert sheet_of(target)[2][3] == "=HYPERLINK()"


def test_a_text_book_gives_a_workbook_too(tmp_path, read_file):
    path = tmp_path / "2019[平定].csv"
    path.write_text(",".join(HEAD) + "\nA1,盂县,2019.1.5,甲,x\n", "gb18030")
    reading = read_file(path)
    assert list(reading.cases) == []
    target = tmp_path / "rejects.xlsx"
    assert write_rejects(target, path, parse_mapping(MAPPING), reading) == 1
    assert sheet_of(target, "2019_平定_")[1][:5] == ["A1", "盂县", "2019.1.5", "甲", "x"]


def test_the_sheet_is_found_again_by_its_number(make_book, read_file, tmp_path):
    path = tmp_path / "book.xlsx"
    with xlsxwriter.Workbook(path) as workbook:
        workbook.add_worksheet("封面")
        sheet = workbook.add_worksheet("台账")
        for at, row in enumerate([HEAD, ["A1", "盂县", "2019.1.5", "甲", "x"]]):
            for index, cell in enumerate(row):
                sheet.write_string(at, index, cell)
    chosen = {"sheet": {"index": 2}}
    reading = read_file(path, **chosen)
    assert list(reading.cases) == []
    target = tmp_path / "rejects.xlsx"
    write_rejects(target, path, parse_mapping(MAPPING | chosen), reading)
    assert read_file(target, **chosen).sheet == "台账"


def test_nothing_is_written_when_nothing_was_rejected(make_book, read_file, tmp_path):
    path = make_book([HEAD, ["A1", "盂县", "2019.1.5", "甲", 1]])
    reading = read_file(path)
    assert len(list(reading.cases)) == 1
    assert write_rejects(tmp_path / "rejects.xlsx", path, parse_mapping(MAPPING), reading) == 0
    assert not (tmp_path / "rejects.xlsx").exists()


def test_rows_of_another_book_are_not_written_for_this_one(make_book, read_file, tmp_path):
    path = make_book([HEAD, ["A1", "盂县", "2019.1.5", "甲", "x"]])
    reading = read_file(path)
    assert list(reading.cases) == []
    make_book([HEAD, ["A9", "盂县", "2019.1.5", "甲", "x"]])
    with pytest.raises(UnreadableBookError, match="was changed"):
        write_rejects(tmp_path / "rejects.xlsx", path, parse_mapping(MAPPING), reading)
