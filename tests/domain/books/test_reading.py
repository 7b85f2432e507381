"""Rows become whole source cases, or reasons; doubles are named; totals are laid beside the rows they stand under."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.books.rules import RULES, Fault
from domain.books.source import ControlTotals
from domain.errors import InputError, UnreadableBookError

HEAD = ["编号", "县区", "受理日期", "单位", "人数", "反映金额", "核实金额", "已发金额", "余额"]


def row(number="A1", place="平定县", received="2019.11.25", debtor="甲公司", *rest):
    return [number, place, received, debtor, *rest, *[None] * (5 - len(rest))]


def test_a_row_becomes_a_case_with_one_line(read_sheet):
    book = read_sheet([HEAD, row("A1", "盂县", "2019年11月25日", "甲公司", 12, 100.5, 90, 100, -10)])
    (case,) = book.cases
    assert (case.number, case.jurisdiction, case.debtor, case.rows) == ("A1", "140322", "甲公司", (2,))
    assert case.received == datetime(2019, 11, 25, tzinfo=ZoneInfo("Asia/Shanghai"))
    assert case.received.utcoffset() == timedelta(hours=8)
    (line,) = case.lines
    assert (line.headcount, line.claimed, line.verified, line.paid) == (12, 10050, 9000, 10000)
    assert (line.worker, line.kind, line.rejected) == (None, "wage", None)
    assert case.outstanding == -1000
    assert case.classes is None


def test_the_header_is_found_below_title_rows_and_headings_may_be_untidy(read_sheet):
    title = [["阳泉市欠薪案件台账"], [], ["填报单位：元氏人社局", None, "单位：万元"]]
    head = ["序号", "编 号*", "县区", "受理\n日期", "单位", "人数", "反映金额", "核实金额", "已发金额", "余额（元）"]
    book = read_sheet([*title, head, [1, *row("A1", "平定县", "2019.1.5", "甲", 3, 1.5, None, None, 20)]])
    assert book.reading.header_row == 4
    assert book.reading.unmapped == ("序号",)
    (case,) = book.cases
    assert case.lines[0].claimed == 1_500_000
    assert case.outstanding == 2000


def test_a_header_of_two_lines_is_named_by_its_lowest_or_by_both(read_sheet):
    rows = [
        ["编号", "县区", "受理日期", "反映", None, "核实", None],
        [None, None, None, "人数", "金额（万元）", "人数", "金额"],
        ["A1", "平定县", "2019-01-05", 3, 1.5, 2, 9000],
    ]
    fields = {"headcount": "反映/人数", "claimed": "反映/金额", "verified": "核实/金额", "received": "受理日期"}
    book = read_sheet(rows, fields=fields, header={"rows": 2, "required": []})
    line = book.cases[0].lines[0]
    assert (line.headcount, line.claimed, line.verified) == (3, 1_500_000, 900_000)
    assert book.reading.unmapped == ("核实/人数",)
    with pytest.raises(UnreadableBookError, match="stands over 2 columns") as refused:
        read_sheet(rows, fields={"headcount": "人数"}, header={"rows": 2, "required": []})
    assert refused.value.rule == "heading-twice"


def test_a_missing_header_is_refused_with_the_row_that_comes_closest(read_sheet):
    with pytest.raises(UnreadableBookError, match="row 2 comes closest and lacks '受理日期'") as refused:
        read_sheet([["台账"], ["编号", "县区", "受理时间", "单位"], row()])
    assert (refused.value.field, refused.value.row, refused.value.rule) == ("received", 2, "header")
    assert "is it '受理时间'?" in str(refused.value)
    with pytest.raises(UnreadableBookError, match="empty"):
        read_sheet([])


def test_a_unit_that_sheet_and_mapping_disagree_about_is_refused(read_sheet):
    rows = [["编号", "县区", "受理日期", "反映金额（万元）"], ["A1", "盂县", "2019-01-05", 3]]
    with pytest.raises(UnreadableBookError, match=r"says that.*in 万元.*says in 元") as refused:
        read_sheet(rows, cells={"unit": "元"})
    assert (refused.value.field, refused.value.rule) == ("claimed", "unit-contradiction")


def test_columns_that_nothing_is_read_from_are_reported_kept_or_refused(read_sheet):
    rows = [[*HEAD, "督办"], [*row(), "DB01"]]
    assert read_sheet(rows).reading.unmapped == ("督办",)
    assert read_sheet(rows, unmapped="keep").cases[0].extra == {"督办": "DB01"}
    assert read_sheet(rows, extra=["督办", "没有的列"]).cases[0].extra == {"督办": "DB01"}
    with pytest.raises(UnreadableBookError, match="knows no columns 督办"):
        read_sheet(rows, unmapped="refuse")


def test_a_case_with_faults_is_rejected_whole_with_every_reason(read_sheet):
    book = read_sheet(
        [HEAD, row("A1", "平顶县", "3021-04-30", "甲", "很多", "一万", 1.001), row("A2"), row(None), row("A3", None)]
    )
    assert [case.number for case in book.cases] == ["A2"]
    assert book.rules == [
        (2, "jurisdiction", "known-jurisdiction"),
        (2, "received", "date-range"),
        (2, "headcount", "headcount"),
        (2, "claimed", "amount"),
        (2, "verified", "whole-fen"),
        (4, "number", "required"),
        (5, "jurisdiction", "required"),
    ]
    first = book.reading.rejects[0]
    assert (first.number, first.rows, first.value, first.heading) == ("A1", (2,), "平顶县", "县区")
    assert first.message == (
        "row 2, column '县区' (jurisdiction): '平顶县' is not in the tree of jurisdictions (≈ 140321 平定县)"
    )
    assert first.message_zh == "第2行“县区”：“平顶县”不在行政区划内（≈ 140321 平定县）"
    assert book.reading.totals.rejected_rows == 3
    assert book.reading.totals.rejected_cases == 3


def test_a_cell_that_holds_an_error_rejects_its_case(read_sheet):
    book = read_sheet([HEAD, row("A1", "盂县", "2019-1-5", "甲", None, Fault("cell-error", "#REF!"))])
    assert book.rules == [(2, "claimed", "cell-error")]
    assert "'#REF!' is an error of the spreadsheet" in book.reading.rejects[0].message


def test_identical_rows_are_doubles_and_count_once(read_sheet):
    again = row("A1", "盂县", "2019-01-05", "甲", 3, 100, 100, 40, 60)
    book = read_sheet([HEAD, again, row("B", "盂县", "2019-1-5", "乙", 1, 1, 1, 1, 0), again, again])
    assert [case.number for case in book.cases] == ["B", "A1"]
    (double,) = book.reading.doubles
    assert (double.number, double.kept_row, double.dropped_rows) == ("A1", 2, (4, 5))
    assert book.reading.totals == ControlTotals(
        rows_read=4,
        cases=2,
        lines=2,
        headcount=4,
        claimed=10100,
        verified=10100,
        paid=4100,
        outstanding=6000,
        doubles=2,
    )
    assert book.reading.totals_with_doubles.verified == 30100
    assert book.reading.totals_with_doubles.cases == 4


def test_rows_that_differ_only_in_how_they_are_written_or_where_nothing_is_read_are_doubles(read_sheet):
    book = read_sheet([["序号", *HEAD], [1, *row("A1", "盂县", "2019-01-05")], [2, *row("A1", "140322", "2019.1.5")]])
    assert book.rules == []
    assert book.reading.doubles[0].dropped_rows == (3,)


def test_one_number_with_different_content_rejects_all_its_rows(read_sheet):
    book = read_sheet([HEAD, row("A1"), row("A2"), row("A1", "盂县"), row("A1")])
    assert [case.number for case in book.cases] == ["A2"]
    (reject,) = book.reading.rejects
    assert (reject.row, reject.rows, reject.rule, reject.number) == (4, (2, 4, 5), "same-number", "A1")
    assert book.reading.doubles == []
    assert book.reading.totals.rejected_rows == 3


def test_overpaid_is_a_figure_of_its_own_and_is_not_netted(read_sheet):
    book = read_sheet(
        [
            HEAD,
            row("A", "盂县", "2019-1-5", "甲", 1, None, 100, 130, -30),
            row("B", "盂县", "2019-1-5", "乙", 1, None, 50, 0, 50),
        ]
    )
    totals = book.reading.totals
    assert (totals.outstanding, totals.overpaid, totals.paid) == (2000, 3000, 13000)


def test_paid_is_derived_where_the_book_does_not_state_it(read_sheet):
    rows = [
        HEAD,
        row("A", "盂县", "2019-1-5", "甲", 1, None, 100, None, -30),
        row("B", "盂县", "2019-1-5", "乙", 1, None, 100, 7, 50),
        row("C", "盂县", "2019-1-5", "丙", 1, None, 100, None, None),
        row("D", "盂县", "2019-1-5", "丁", 1, None, 100, None, 101),
    ]
    book = read_sheet(rows, fields={"paid": {"column": "已发金额", "derive": "verified - outstanding"}})
    assert [case.lines[0].paid for case in book.cases] == [13000, 700, None]
    assert book.rules == [(5, "paid", "amount-range")]


def test_a_named_worker_is_a_head_count_of_one(read_sheet):
    fields = {"worker": "姓名", "worker_id": "身份证号", "claimed": "金额"}
    head = ["编号", "县区", "受理日期", "姓名", "身份证号", "人数", "金额"]
    book = read_sheet(
        [
            head,
            ["A", "盂县", "2019-1-5", "张三", "140321199001011234", None, 5],
            ["B", "盂县", "2019-1-5", "李四", None, 5, 5],
            ["C", "盂县", "2019-1-5", "王五", 140321199001011234.0, 1, 5],
        ],
        fields=fields,
    )
    assert book.by_number["A"].lines[0].headcount == 1
    assert book.rules == [(3, "headcount", "one-worker"), (4, "worker_id", "digits-lost")]


def test_a_source_word_keeps_its_letters_and_means_only_what_the_mapping_says(read_sheet):
    head, fields = (
        ["编号", "县区", "受理日期", "状态"],
        {
            "state": "状态",
            "state_means": {"column": "状态", "values": {"已办结": "closed"}},
        },
    )
    book = read_sheet([head, ["A", "盂县", "2019-1-5", "已办结"], ["B", "盂县", "2019-1-5", "化解成功"]], fields=fields)
    assert [(case.state, case.state_means) for case in book.cases] == [("已办结", "closed"), ("化解成功", None)]


def test_free_text_is_put_together_and_people_are_kept_by_role(read_sheet):
    head = ["编号", "县区", "受理日期", "备注", "化解措施", "包案领导", "联系电话"]
    book = read_sheet(
        [head, ["A", "盂县", "2019-1-5", "急", "约谈", "赵", 13800000000.0]],
        fields={"note": "备注"},
        notes=["化解措施"],
        people={"lead_official": "包案领导", "contact_phone": ["电话", "联系电话"], "supervisor": {"constant": "钱"}},
    )
    (case,) = book.cases
    assert case.note == "急\n化解措施：约谈"
    assert case.people == {"lead_official": "赵", "contact_phone": "13800000000", "supervisor": "钱"}


def test_a_period_that_is_none_rejects_or_is_kept_as_the_mapping_says(read_sheet):
    rows = [
        ["编号", "县区", "受理日期", "欠薪时间"],
        ["A", "盂县", "2019-1-5", "2018.3-2018.5"],
        ["B", "盂县", "2019-1-5", "去年"],
    ]
    kept = read_sheet(rows, fields={"period": {"column": "欠薪时间", "unreadable": "keep"}})
    first = kept.cases[0].lines[0]
    assert (first.period_from, first.period_to) == (date(2018, 3, 1), date(2018, 5, 31))
    assert kept.cases[1].extra == {"欠薪时间": "去年"}
    assert read_sheet(rows, fields={"period": "欠薪时间"}).rules == [(3, "period", "period")]


def test_a_period_from_two_columns_must_not_end_before_it_begins(read_sheet):
    rows = [["编号", "县区", "受理日期", "自", "至"], ["A", "盂县", "2019-1-5", "2018.5", "2018.3"]]
    book = read_sheet(rows, fields={"period_from": "自", "period_to": "至"})
    assert book.rules == [(2, "period_to", "period-order")]


def test_a_number_is_put_together_from_parts(read_sheet):
    rows = [["县区", "序号", "受理日期"], ["盂县", 7, "2019-1-5"], ["盂县", None, "2019-1-6"]]
    book = read_sheet(rows, fields={"number": {"parts": ["县区", ["序号", "编号"]], "separator": "/"}})
    assert [case.number for case in book.cases] == ["盂县/7"]
    assert book.rules == [(3, "number", "required")]
    assert book.reading.columns["number"] == "县区+序号"


def test_constants_stand_in_every_case_and_are_checked_against_the_tree(read_sheet):
    rows = [["编号", "受理日期"], ["A", "2019-1-5"]]
    fields = {
        "jurisdiction": {"constant": "盂县"},
        "funding": {"constant": "government"},
        "matters": {"constant": "欠薪"},
    }
    (case,) = read_sheet(rows, fields=fields).cases
    assert (case.jurisdiction, case.funding, case.matters) == ("140322", "government", ("欠薪",))
    with pytest.raises(InputError, match=r"'fields.jurisdiction.constant': 'Gotham' cannot be read") as refused:
        read_sheet(rows, fields={"jurisdiction": {"constant": "Gotham"}})
    assert refused.value.rule == "known-jurisdiction"


def test_a_mapping_may_bring_its_own_jurisdictions(read_sheet):
    rows = [["编号", "县区", "受理日期"], ["A", "Nowhere", "2019-1-5"]]
    book = read_sheet(rows, jurisdictions={"X": {"name_zh": "无处", "name_en": "Nowhere"}})
    assert book.cases[0].jurisdiction == "X"
    assert "X" in book.reading.tree


SEVERAL = {"case": "several-rows", "amounts": "once"}


def test_several_rows_one_case_count_its_amounts_once(read_sheet):
    fields = {"matters": "事项"}
    rows = [
        [*HEAD, "事项"],
        [*row("A1", "盂县", "2019-1-5", "甲", 3, 100, 90), "加班费"],
        [*row("A1", None, "2019-01-05", "甲", None, None, None), "最低工资"],
        [*row("A1", "盂县", "2019-1-5", None, 3, 100, 90), "加班费"],
        [*row("A2", "盂县", "2019-1-5", "乙", 1, 5, 5), "加班费"],
    ]
    book = read_sheet(rows, fields=fields, rows=SEVERAL)
    first = book.by_number["A1"]
    assert (first.rows, first.matters, len(first.lines)) == ((2, 3, 4), ("加班费", "最低工资"), 1)
    assert (first.lines[0].headcount, first.lines[0].claimed, first.lines[0].verified) == (3, 10000, 9000)
    assert book.reading.totals.claimed == 10500


def test_rows_of_one_case_that_disagree_reject_it(read_sheet):
    book = read_sheet(
        [HEAD, row("A", "盂县", "2019-1-5", "甲", 1, 100), row("A", "平定县", "2019-1-5", "甲", 1, 101), row("B")],
        rows=SEVERAL,
    )
    assert [case.number for case in book.cases] == ["B"]
    assert book.rules == [(3, "jurisdiction", "rows-agree"), (3, "claimed", "amount-once")]
    assert book.reading.rejects[0].rows == (2, 3)
    assert "'101.00' differs between the rows of one case (100.00)" in book.reading.rejects[1].message


ROSTER_HEAD = ["编号", "县区", "受理日期", "姓名", "反映金额", "已发金额", "余额"]
ROSTER = {
    "rows": {"case": "several-rows", "amounts": "sum", "lines_by": ["worker"], "fill_down": ["number", "县区"]},
    "fields": {"worker": "姓名"},
}


def test_rows_make_lines_by_worker_and_merged_cells_are_filled(read_sheet):
    rows = [
        ROSTER_HEAD,
        ["A", "盂县", "2019-1-5", "张三", 100, 10, 90],
        [None, None, None, "李四", 200, None, 200],
        [None, None, None, "张三", 50, None, 50],
        ["小计", None, None, None, 350, 10, 340],
        [None, None, None, "孤儿", 1, None, 1],
        ["B", "平定县", "2019-1-6", "王五", 7, None, 7],
    ]
    book = read_sheet(rows, **ROSTER)
    first = book.by_number["A"]
    assert [(line.worker, line.claimed, line.paid, line.headcount) for line in first.lines] == [
        ("张三", 15000, 1000, 1),
        ("李四", 20000, None, 1),
    ]
    assert (first.rows, first.outstanding) == ((2, 3, 4), 34000)
    assert book.rules == [(6, "number", "required"), (6, "jurisdiction", "required"), (6, "received", "required")]
    assert book.by_number["B"].lines[0].worker == "王五"


def test_an_identical_row_of_a_roster_is_a_double_and_is_not_added_up(read_sheet):
    rows = [ROSTER_HEAD, *[["A", "盂县", "2019-1-5", "张三", 100, 10, 90]] * 2, ["A", "盂县", None, "李四", 1, None, 1]]
    book = read_sheet(rows, **ROSTER)
    assert book.cases[0].lines[0].claimed == 10000
    assert book.reading.doubles[0].dropped_rows == (3,)
    assert book.reading.totals.claimed == 10100
    assert book.reading.totals_with_doubles.claimed == 20100


def test_an_amount_of_the_case_stands_on_its_first_line_while_others_are_added_up(read_sheet):
    rows = [
        ROSTER_HEAD,
        ["A", "盂县", "2019-1-5", "张三", 100, 30, 120],
        ["A", None, None, "李四", 50, 30, 120],
    ]
    fields = {"worker": "姓名"} | {
        name: {"column": heading, "combine": "once"}
        for name, heading in (("paid", "已发金额"), ("outstanding", "余额"))
    }
    book = read_sheet(rows, rows={"case": "several-rows", "amounts": "sum", "lines_by": ["worker"]}, fields=fields)
    (case,) = book.cases
    assert [(line.claimed, line.paid) for line in case.lines] == [(10000, 3000), (5000, None)]
    assert case.outstanding == 12000


def test_a_blank_cell_takes_what_stands_at_its_left_where_the_mapping_says_so(read_sheet):
    book = read_sheet(
        [HEAD, row("A", "盂县", "2019-1-5", "甲", None, 5, None)], rows={"fill_right": ["verified", "paid"]}
    )
    assert (book.cases[0].lines[0].verified, book.cases[0].lines[0].paid) == (500, 500)


def test_a_column_to_fill_that_is_not_in_the_sheet_is_refused(read_sheet):
    with pytest.raises(InputError, match="no column '乡镇'") as refused:
        read_sheet([HEAD, row()], rows={"fill_down": ["乡镇"]})
    assert refused.value.field == "rows.fill_down"


def test_totals_subtotals_footers_and_repeated_headers_are_passed_over_and_compared(read_sheet):
    rows = [
        HEAD,
        ["合计", None, None, None, 6, 600, None, None, None],
        row("A", "盂县", "2019-1-5", "甲", 1, 100),
        row("B", "盂县", "2019-1-5", "乙", 2, 200),
        ["盂县小计", None, None, None, 3, 300],
        HEAD,
        row("C", "平定县", "2019-1-5", "丙", 3, 300),
        ["小 计（元）", None, None, None, None, "299"],
        ["总计：", None, None, None, 6, 600],
        [],
        ["填报人：张三", None, "审核人：李四"],
        ["备注：本表由各县上报"],
    ]
    book = read_sheet(rows)
    assert [case.number for case in book.cases] == ["A", "B", "C"]
    assert [(skipped.row, skipped.why) for skipped in book.reading.skipped] == [
        (2, "total"),
        (5, "subtotal"),
        (6, "header"),
        (8, "subtotal"),
        (9, "total"),
        (11, "footer"),
        (12, "footer"),
    ]
    checks = [(check.row, check.field, check.stated, check.summed, check.agrees) for check in book.reading.checks]
    assert checks == [
        (5, "claimed", 30000, 30000, True),
        (5, "headcount", 3, 3, True),
        (8, "claimed", 29900, 30000, False),
        (9, "claimed", 60000, 60000, True),
        (9, "headcount", 6, 6, True),
        (2, "claimed", 60000, 60000, True),
        (2, "headcount", 6, 6, True),
    ]
    assert book.reading.totals.rows_read == 3


def test_totals_of_sections_are_compared_with_their_section(read_sheet):
    rows = [
        HEAD,
        row("A", "盂县", "2019-1-5", "甲", 1),
        ["合计", *[None] * 3, 1],
        row("B", "盂县", "2019-1-5", "乙", 2),
        ["合计", *[None] * 3, 2],
    ]
    assert [check.agrees for check in read_sheet(rows).reading.checks] == [True, True]


def test_a_case_whose_debtor_is_called_like_a_total_is_a_case(read_sheet):
    rows = [["单位", "编号", "县区", "受理日期"], ["合计", "A", "盂县", "2019-1-5"], ["小计", None, "盂县", "2019-1-5"]]
    book = read_sheet(rows)
    assert [case.debtor for case in book.cases] == ["合计"]
    assert book.reading.skipped[0].row == 3


def test_totals_do_not_exist_before_the_end(read_sheet):
    reading = read_sheet([HEAD, row()]).reading
    assert reading.totals.cases == 1
    assert list(reading.cases) == []


def test_asking_for_totals_too_early_is_a_wrong_order_of_calls():
    from domain.books.mapping import parse_mapping
    from domain.books.reading import read_rows
    from tests.domain.books.conftest import FIELDS, TREE

    reading = read_rows(
        lambda: iter(enumerate([HEAD, row()], 1)),
        parse_mapping({"name": "x", "header": {"required": []}, "fields": FIELDS}),
        TREE,
        today=date(2020, 1, 1),
        zone=ZoneInfo("Asia/Shanghai"),
    )
    with pytest.raises(RuntimeError):
        _ = reading.totals
    next(reading.cases)
    with pytest.raises(RuntimeError):
        _ = reading.totals


def test_every_rule_is_worded_in_both_languages():
    for name, wording in RULES.items():
        assert wording.en, name
        assert any("一" <= letter <= "鿿" for letter in wording.zh), name


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(
    st.lists(
        st.tuples(st.sampled_from("ABCDE"), st.sampled_from(["张三", "李四", None]), st.integers(0, 999)), max_size=24
    ),
    st.randoms(use_true_random=False),
)
def test_where_rows_stand_does_not_matter(read_sheet, drawn, random):
    rows = [[number, "盂县", "2019-1-5", worker, amount, index] for index, (number, worker, amount) in enumerate(drawn)]
    head = ["编号", "县区", "受理日期", "姓名", "反映金额", "凭证"]
    fields, several = (
        {"worker": "姓名", "matters": "凭证"},
        {"case": "several-rows", "amounts": "sum", "lines_by": ["worker"]},
    )
    together = read_sheet([head, *sorted(rows, key=lambda row: row[0])], fields=fields, rows=several)
    random.shuffle(rows)
    apart = read_sheet([head, *rows], fields=fields, rows=several)

    def content(book):
        return {
            case.number: ({(line.worker, line.claimed) for line in case.lines}, set(case.matters))
            for case in book.cases
        }

    assert content(apart) == content(together)
    assert apart.reading.totals == together.reading.totals
    assert apart.reading.totals.claimed == 100 * sum(amount for _, _, amount in drawn)
    assert sorted(at for case in apart.cases for at in case.rows) == list(range(2, 2 + len(rows)))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(
    st.lists(
        st.lists(st.none() | st.floats() | st.text(max_size=8) | st.dates() | st.booleans(), min_size=9, max_size=9),
        max_size=12,
    )
)
def test_every_data_row_is_in_a_case_a_double_or_a_reject(read_sheet, rows):
    book = read_sheet([HEAD, *rows])
    told = [at for case in book.cases for at in case.rows]
    told += [at for double in book.reading.doubles for at in double.dropped_rows]
    told += sorted({at for reject in book.reading.rejects for at in reject.rows})
    assert len(told) == len(set(told)) == book.reading.totals.rows_read
