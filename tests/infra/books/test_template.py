"""The template is a book of its own mapping: what is typed into it is read without a word more."""

from __future__ import annotations

import zipfile
from datetime import date
from zoneinfo import ZoneInfo

import pytest
import xlsxwriter
from python_calamine import CalamineWorkbook

from domain.books.mapping import FIELDS
from domain.books.source import SourceCase
from infra.books.mapping_files import load_mapping, shipped_mappings
from infra.books.reader import read_book
from infra.books.template import GUIDE, write_template
from infra.jurisdictions import load_tree

FILLED = {
    "案件编号": "阳人社监〔2019〕1号",
    "属地": "平定县",
    "受理日期": "2019年11月25日",
    "案件来源": "投诉",
    "项目名称": "某某小区",
    "项目类型": "政府投资",
    "欠薪单位": "甲公司",
    "清零类别": "年内、转办",
    "转办机关": "省厅",
    "转办日期": "2019.11.20",
    "违法事项": "拖欠工资",
    "欠薪人数": "12人",
    "欠薪发生时间": "2019.3-2019.10",
    "欠薪金额（元）": "120,000",
    "核实金额（元）": 100000,
    "已发金额（元）": "4万元",
    "余额（元）": 60000,
    "案件状态": "办理中",
    "是否销账": "否",
    "包案领导": "赵某",
    "联系电话": "0353-1234567",
    "备注": "",
    "化解措施": "约谈",
    "办结时限": "2019.12.31",
}


def headings_of(path, sheet: int = 0) -> list[str]:
    return [str(cell) for cell in CalamineWorkbook.from_path(path).get_sheet_by_index(sheet).to_python()[0]]


@pytest.fixture
def template(tmp_path):
    path = tmp_path / "template.xlsx"
    write_template(path, load_mapping("standard"), load_tree())
    return path


def test_what_is_typed_into_the_template_is_read(template, tmp_path):
    headings = headings_of(template)
    filled = tmp_path / "filled.xlsx"
    with xlsxwriter.Workbook(filled) as workbook:
        sheet = workbook.add_worksheet()
        for index, heading in enumerate(headings):
            sheet.write_string(0, index, heading)
            sheet.write(1, index, FILLED.get(heading.rstrip("*"), ""))
    assert set(FILLED) <= {heading.rstrip("*") for heading in headings}
    reading = read_book(
        filled, load_mapping("standard"), load_tree(), today=date(2019, 12, 1), zone=ZoneInfo("Asia/Shanghai")
    )
    (case,) = reading.cases
    assert reading.unmapped == ()
    assert (case.number, case.jurisdiction, case.received.date()) == (
        "阳人社监〔2019〕1号",
        "140321",
        date(2019, 11, 25),
    )
    assert (case.funding, case.classes) == ("government", ("in-year", "handed-down"))
    (line,) = case.lines
    assert (line.headcount, line.claimed, line.verified, line.paid) == (12, 12_000_000, 10_000_000, 4_000_000)
    assert (line.period_from, line.period_to) == (date(2019, 3, 1), date(2019, 10, 31))
    assert (case.outstanding, case.state, case.state_means, case.written_off) == (6_000_000, "办理中", "open", "否")
    assert case.people == {"lead_official": "赵某", "contact_phone": "0353-1234567"}
    assert case.note == "化解措施：约谈"
    assert case.extra == {"办结时限": "2019.12.31"}


def test_compulsory_columns_are_marked_and_choices_are_offered(template):
    assert [heading for heading in headings_of(template) if heading.endswith("*")] == [
        "案件编号*",
        "属地*",
        "受理日期*",
    ]
    with zipfile.ZipFile(template) as package:
        xml = package.read("xl/worksheets/sheet1.xml").decode()
    assert "城区,矿区,郊区,平定县,盂县" in xml
    assert "政府投资,国企,社会投资,非工程" in xml
    assert 'type="decimal"' in xml
    assert 'type="date"' in xml


def test_every_column_is_explained_in_both_languages(template):
    rows = CalamineWorkbook.from_path(template).get_sheet_by_index(1).to_python()
    explained = {row[0] for row in rows if row[2] and row[3]}
    assert {heading.rstrip("*") for heading in headings_of(template)} <= explained


def test_every_field_has_a_guide():
    assert GUIDE.keys() == FIELDS.keys()


@pytest.mark.parametrize("name", shipped_mappings())
def test_every_shipped_mapping_has_a_template_that_it_reads_itself(name, tmp_path):
    path, mapping = tmp_path / "template.xlsx", load_mapping(name)
    write_template(path, mapping)
    reading = read_book(path, mapping, load_tree(), today=date(2019, 12, 1), zone=ZoneInfo("Asia/Shanghai"))
    assert list(reading.cases) == []
    assert reading.unmapped == ()
    assert reading.totals.rows_read == 0


def test_a_roster_makes_one_case_of_several_workers(tmp_path):
    path = tmp_path / "roster.xlsx"
    with xlsxwriter.Workbook(path) as workbook:
        sheet = workbook.add_worksheet()
        rows: list[list[object]] = [
            ["案件编号", "属地", "受理日期", "用工主体", "姓名", "身份证号", "欠薪金额（万元）", "欠薪人数"],
            ["1号", "盂县", "2019.11.25", "甲", "张三", "14032219900101123X", 1.2, 2],
            ["", "", "", "", "李四", "", 0.8, ""],
            ["合计", "", "", "", "", "", 2, ""],
        ]
        for at, row in enumerate(rows):
            for index, cell in enumerate(row):
                sheet.write(at, index, cell)
    reading = read_book(
        path, load_mapping("standard-roster"), load_tree(), today=date(2019, 12, 1), zone=ZoneInfo("Asia/Shanghai")
    )
    case: SourceCase
    (case,) = reading.cases
    assert [(line.worker, line.worker_id, line.headcount, line.claimed) for line in case.lines] == [
        ("张三", "14032219900101123X", 1, 1_200_000),
        ("李四", None, 1, 800_000),
    ]
    assert [check.agrees for check in reading.checks] == [True]
    assert reading.unmapped == ("欠薪人数",)
