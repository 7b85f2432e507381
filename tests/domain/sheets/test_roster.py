"""A roster is read as people keep them: whatever the headings, whatever stands above and below the rows."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from domain.books.rules import Fault
from domain.errors import InputError
from domain.sheets.intake import MOST_ROWS
from domain.sheets.roster import KIND_WORDS, RosterRow, read_roster
from domain.vocabulary import ClaimKind
from infra.sample.words import person
from tests.domain.sheets.conftest import WHEN, rules

ONE, TWO, THREE = person(1), person(2), person(3)

UGLY = f"""\
××项目部农民工工资花名册\t\t\t\t\t\t\t
单位：元\t\t\t\t\t\t填报日期：2019年12月30日\t
序号\t姓　名\t身份证号码*\t联系电话（手机）\t所在班组\t应发工资\t已预支\t实欠金额\t欠薪期间
１\t{ONE.name}\t{ONE.identity}\t１２００ 0000001\t木工班组\t12,000.00\t2,000\t1万元\t2019.3-2019.10
2\t{TWO.name}\t'{TWO.identity}\t\u202d{TWO.phone}\u202c\t木工班组\t￥８，０００\t－\t8000元整\t2019年5月至2019年6月

小计\t\t\t\t\t20,000\t2,000\t18,000
3\t{THREE.name}\t{THREE.identity.lower()}\t无\t钢筋班组\t 5000 \t0\t5,000.0\t2019年
合计\t共3人\t\t\t\t25,000\t2000\t23,000.00\t
合计（大写）：贰万叁仟元整
制表人：某某\t\t审核：
"""


def test_a_roster_from_a_real_office_is_read_to_the_fen(pasted):
    read = pasted(read_roster, UGLY)
    assert rules(read.faults) == []
    assert [(row.row, row.worker, row.gross, row.drawn, row.claimed) for row in read.rows] == [
        (4, ONE.name, 1_200_000, 200_000, 1_000_000),
        (5, TWO.name, 800_000, None, 800_000),
        (8, THREE.name, 500_000, 0, 500_000),
    ]
    assert read.rows[0].phone == "12000000001"
    assert (read.rows[1].worker_id, read.rows[1].phone) == (TWO.identity, TWO.phone)
    assert (read.rows[0].period_from, read.rows[0].period_to) == (date(2019, 3, 1), date(2019, 10, 31))
    assert (read.rows[2].period_from, read.rows[2].period_to) == (date(2019, 1, 1), date(2019, 12, 31))
    assert read.totals.lines == read.totals.headcount == 3
    assert read.totals.amounts == {"claimed": 2_300_000, "gross": 2_500_000, "drawn": 200_000}
    assert {warning.rule for warning in read.warnings} == {"id-check"}, "invented numbers fail the check, and are facts"


@pytest.mark.parametrize(
    ("total", "fault"),
    [
        ("合计\t\t\t25,000\t2000\t23,000.01", "23,000.01 stated, 23,000.00 summed"),
        ("Total\t4人\t\t25,000\t2000\t23,000", "4 stated, 3 summed"),
    ],
)
def test_a_total_row_that_the_rows_do_not_make_is_a_fault(pasted, total, fault):
    rows = "\n".join(
        f"{who.name}\t{who.identity}\t\t{gross}\t{drawn}\t"
        for who, gross, drawn in ((ONE, 12000, 2000), (TWO, 8000, 0), (THREE, 5000, 0))
    )
    read = pasted(read_roster, f"姓名\t身份证号\t电话\t应发\t已预支\t实欠\n{rows}\n{total}")
    assert [(found.row, found.rule) for found in read.faults] == [(5, "control-totals")]
    assert fault in read.faults[0].en


def test_headings_may_stand_on_two_lines_and_be_english(pasted):
    read = pasted(
        read_roster, f"Name\tId No.\tWages\t\t\n\t\tGross (yuan)\tDrawn\tNet\n{ONE.name}\t{ONE.identity}\t100\t20\t80"
    )
    assert read.faults == ()
    assert (read.rows[0].worker, read.rows[0].gross, read.rows[0].claimed) == (ONE.name, 10_000, 8_000)


def test_a_unit_in_a_heading_is_believed(pasted):
    read = pasted(read_roster, f"姓名,实欠（万元）\n{ONE.name},1.25")
    assert read.rows[0].claimed == 1_250_000


def test_without_headings_the_columns_stand_in_the_order_of_the_form(pasted):
    read = pasted(read_roster, f"{ONE.name}\t{ONE.identity}\t{ONE.phone}\t1,200.50\t2019-03-01\t2019/10/31\t木工班组")
    assert read.rows == (
        RosterRow(
            row=1,
            worker=ONE.name,
            worker_id=ONE.identity,
            phone=ONE.phone,
            claimed=120_050,
            period_from=date(2019, 3, 1),
            period_to=date(2019, 10, 31),
            crew="木工班组",
        ),
    )


def test_without_headings_more_columns_than_the_form_has_are_refused(pasted):
    with pytest.raises(InputError) as caught:
        pasted(read_roster, "\t".join("甲乙丙丁戊己庚辛壬癸子丑寅卯"))
    assert caught.value.rule == "header"


def test_every_fault_of_every_row_is_told_with_its_column(pasted):
    read = pasted(
        read_roster,
        "姓名\t身份证号\t欠薪开始\t欠薪截止\t应发\t已预支\t实欠\t类别\t人数\t所学专业\n"
        "甲子\t1.40321E+17\t2019年13月\t2019-10\t一千\t\t\t工资\t\t\n"
        "乙丑\t\t2019-10\t2019-03\t100\t200\t\t奖金\t\t\n"
        "丙寅\t\t\t\t100\t20\t81\t\t3\t\n"
        "\t\t\t\t\t\t70.001\t\t\t\n",
    )
    assert rules(read.faults) == [
        (2, "身份证号", "digits-lost"),
        (2, "欠薪开始", "date"),
        (2, "应发", "amount"),
        (3, "类别", "known-word"),
        (3, "欠薪截止", "period-order"),
        (3, "已预支", "drawn-more"),
        (4, "实欠", "gross-less-drawn"),
        (4, "人数", "one-worker"),
        (5, "实欠", "whole-fen"),
    ]
    assert (1, "所学专业", "column-unknown") in rules(read.warnings)
    assert read.faults[6].sentence("zh") == "第4行“实欠”：应发减已预支不等于实欠（80.00 ≠ 81.00）"
    assert read.faults[6].sentence("en") == "row 4, 实欠: gross less drawn is not the net amount (80.00 ≠ 81.00)"


def test_one_person_period_kind_and_debtor_stand_once_and_any_difference_makes_two_lines(pasted):
    head = "姓名\t身份证号\t实欠\t欠薪起\t类别\t欠薪单位\n"
    same = f"{ONE.name}\t{ONE.identity}\t100\t2019-03\t工资\t甲公司\n"
    for other in (
        same.replace("2019-03", "2019-04"),
        same.replace("工资", "赔偿金"),
        same.replace("甲公司", "乙公司"),
        same.replace(ONE.identity, TWO.identity),
    ):
        assert pasted(read_roster, head + same + other).faults == ()
    doubled = pasted(read_roster, head + same + same)
    assert rules(doubled.faults) == [(3, "身份证号", "same-line")]
    assert "第2行" in doubled.faults[0].zh
    assert "row 2" in doubled.faults[0].en


def test_a_name_that_stands_twice_without_numbers_is_looked_at_and_stops_nothing(pasted):
    read = pasted(read_roster, f"姓名\t实欠\n{ONE.name}\t1\n{ONE.name}\t2")
    assert read.faults == ()
    assert rules(read.warnings) == [(3, "姓名", "same-name")]


def test_who_is_not_known_by_name_and_number_is_provisional(pasted):
    read = pasted(
        read_roster,
        f"姓名\t身份证号\t绰号\t班组\t人数\t实欠\n{ONE.name}\t{ONE.identity}\t\t\t\t1\n{TWO.name}\t\t\t\t\t1\n\t\t老三\t木工班组\t\t1\n\t\t\t木工班组\t12\t1\n",
    )
    assert read.faults == ()
    assert [row.provisional for row in read.rows] == [False, True, True, True]
    assert read.totals.headcount == 15


def test_a_row_that_says_neither_who_nor_how_many_is_a_fault(pasted):
    assert rules(pasted(read_roster, "姓名\t实欠\n\t100").faults) == [(2, "姓名", "somebody")]


def test_a_heading_that_stands_twice_is_a_fault(pasted):
    read = pasted(read_roster, "姓名\t实欠\t实欠\n甲子\t1\t2")
    assert (1, "实欠", "heading-twice") in rules(read.faults)


def test_a_header_printed_again_on_the_next_page_is_no_row(pasted):
    read = pasted(read_roster, f"姓名\t实欠\n{ONE.name}\t1\n姓 名\t实欠\n{TWO.name}\t2")
    assert [row.row for row in read.rows] == [2, 4]


def test_a_worker_whose_name_begins_like_a_total_is_a_worker():
    read = read_roster([(1, ["序号", "姓名", "身份证号", "实欠"]), (2, ["合计", ONE.name, ONE.identity, 5.0])], **WHEN)
    assert [row.worker for row in read.rows] == [ONE.name]


def test_cells_of_a_workbook_are_read_by_what_they_are():
    rows = [
        (3, ["姓名", "身份证号", "实欠", "欠薪起"]),
        (4, [ONE.name, 1.4e17, 1.1 + 2.2, datetime(2019, 3, 1)]),  # noqa: DTZ001 - cells know no zone
        (5, [TWO.name, Fault("cell-error", "#REF!"), Fault("cell-formula"), None]),
    ]
    read = read_roster(rows, **WHEN)
    assert rules(read.faults) == [
        (4, "身份证号", "digits-lost"),
        (5, "身份证号", "cell-error"),
        (5, "实欠", "cell-formula"),
    ]
    assert (read.rows[0].claimed, read.rows[0].period_from) == (330, date(2019, 3, 1))


def test_a_formula_is_a_text_and_no_amount(pasted):
    assert rules(pasted(read_roster, "姓名\t实欠\n=HYPERLINK(1)\t=1+1").faults) == [(2, "实欠", "amount")]


def test_an_empty_list_and_one_of_too_many_rows_are_refused_as_a_whole(pasted):
    for text, rule in (("", "empty"), (" \n\t\n", "empty"), ("姓名\n" + "甲子\n" * (MOST_ROWS + 1), "too-large")):
        with pytest.raises(InputError) as caught:
            pasted(read_roster, text)
        assert caught.value.rule == rule


def test_as_many_rows_as_a_list_may_have_are_read(pasted):
    assert (
        pasted(read_roster, "姓名\t实欠\n" + "\n".join(f"甲{at}\t1" for at in range(MOST_ROWS))).totals.lines
        == MOST_ROWS
    )


def test_nothing_personal_shows_where_a_row_is_printed(pasted):
    shown = repr(
        pasted(read_roster, f"姓名\t身份证号\t电话\t班组\n{ONE.name}\t{ONE.identity}\t{ONE.phone}\t木工班组").rows
    )
    assert not any(text in shown for text in (*ONE, "木工班组"))


def test_every_kind_has_words():
    assert set(KIND_WORDS) == {kind.value for kind in ClaimKind}
