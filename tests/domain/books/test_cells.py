"""One cell is read as one value, exactly, or is a fault with a rule; nothing is guessed."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from domain.books.cells import (
    amount_reader,
    code_reader,
    count_reader,
    day_reader,
    instant_reader,
    is_blank,
    period_reader,
    place_reader,
    shown,
    text_reader,
    word_reader,
    words_reader,
)
from domain.books.rules import RULES, Fault
from domain.jurisdictions import JurisdictionTree

ZONE = ZoneInfo("Asia/Shanghai")
BLANKS = frozenset({"-", "/", "无"})
EARLIEST, LATEST = date(1990, 1, 1), date(2021, 1, 1)
FULL_WIDTH = str.maketrans("0123456789.,-/:", "０１２３４５６７８９．，－／：")

text = text_reader(BLANKS, 20)
code = code_reader(BLANKS, 40)
yuan = amount_reader(BLANKS, 100, 10**12, negative=False)
balance = amount_reader(BLANKS, 100, 10**12, negative=True)
wan = amount_reader(BLANKS, 1_000_000, 10**12, negative=False)
count = count_reader(BLANKS, 1000)
instant = instant_reader(BLANKS, "ymd", EARLIEST, LATEST, ZONE)
american = instant_reader(BLANKS, "mdy", EARLIEST, LATEST, ZONE)
british = instant_reader(BLANKS, "dmy", EARLIEST, LATEST, ZONE)
first_day = day_reader(BLANKS, "ymd", EARLIEST, LATEST, end="first")
last_day = day_reader(BLANKS, "ymd", EARLIEST, LATEST, end="last")
period = period_reader(BLANKS, EARLIEST, LATEST)


def broken(read, cell) -> str:
    """The rule that the cell breaks."""
    value = read(cell)
    assert isinstance(value, Fault), f"{cell!r} was read as {value!r}"
    assert value.rule in RULES
    return value.rule


@pytest.mark.parametrize(
    "read", [text, code, yuan, count, instant, first_day, period, words_reader(BLANKS, {}, ("a",), None)]
)
@pytest.mark.parametrize("cell", ["", "  ", "　", None, "-", "无", " / "])
def test_a_blank_cell_and_a_word_for_nothing_are_nothing(read, cell):
    assert read(cell) is None


@pytest.mark.parametrize("read", [text, code, yuan, count, instant, first_day, period])
def test_an_error_of_the_spreadsheet_stays_a_fault_in_every_shape(read):
    assert broken(read, Fault("cell-error", "#REF!")) == "cell-error"


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        (591.04, 59104),
        (0.0, 0),
        (7, 700),
        (0.29, 29),
        (1.1 + 2.2, 330),  # 3.3000000000000003: binary noise of a formula
        (144826658.70, 14482665870),
        (9999999999.99, 999999999999),
        ("1,234.50", 123450),
        ("¥1234.5", 123450),
        ("￥ 1，234．50", 123450),
        ("１２３４．５元", 123450),
        ("3.5万元", 3_500_000),
        ("3.5万", 3_500_000),
        ("1.2E3", 120_000),
        ("五", "amount"),
        ("12abc", "amount"),
        ("1,23", "amount"),
        ("12.345.6", "amount"),
        (True, "amount"),
        (date(2019, 1, 1), "amount"),
        (float("nan"), "amount"),
        (float("inf"), "amount"),
        (0.001, "whole-fen"),
        ("0.005", "whole-fen"),
        (12345678901.5, "amount-range"),
        (123456.789, "whole-fen"),
        (-1.0, "amount-range"),
        ("(5)", "amount-range"),
        (1e11, "amount-range"),
        ("1E300", "amount-range"),
        ("9" * 400, "amount-range"),
    ],
)
def test_amounts_are_whole_fen_or_refused(cell, expected):
    if isinstance(expected, str):
        assert broken(yuan, cell) == expected
    else:
        assert yuan(cell) == expected


def test_a_balance_may_be_below_zero():
    assert balance(-12.5) == -1250
    assert balance("(1,000.00)") == -100_000
    assert balance("－３") == -300


def test_a_unit_in_the_cell_goes_before_the_unit_of_the_column():
    assert wan(1.5) == 1_500_000
    assert wan("1.5") == 1_500_000
    assert wan("800元") == 80_000
    assert broken(wan, 1.23456789) == "whole-fen"


@given(st.integers(min_value=0, max_value=10**12))
@example(29)
@example(10**12)
def test_every_amount_comes_back_to_the_fen_however_it_is_written(fen):
    whole, part = divmod(fen, 100)
    for written in (
        fen / 100,
        f"{whole}.{part:02d}",
        f"{whole:,}.{part:02d}",
        f"{whole}.{part:02d}元",
        f"{whole:,}.{part:02d}".translate(FULL_WIDTH),
        str(Decimal(fen) / 1_000_000) + "万元" if fen >= 1_000_000 else f"{whole}.{part:02d}",
    ):
        assert yuan(written) == fen, written


@given(st.integers(min_value=0, max_value=10**9), st.integers(min_value=1, max_value=9))
def test_a_fraction_of_a_fen_is_refused_and_not_rounded(fen, tenths):
    assert broken(yuan, f"{fen // 100}.{fen % 100:02d}{tenths}") == "whole-fen"
    assert broken(yuan, float(f"{fen // 100}.{fen % 100:02d}{tenths}")) == "whole-fen"


@given(st.floats(allow_nan=True, allow_infinity=True) | st.text() | st.integers())
def test_an_amount_reader_never_raises(cell):
    value = yuan(cell)
    assert value is None or isinstance(value, int | Fault)


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        (12.0, 12),
        (12, 12),
        ("12", 12),
        ("１２人", 12),
        ("1,000", 1000),
        ("12.0", 12),
        (1.5, "headcount"),
        ("十二", "headcount"),
        ("约12人", "headcount"),
        (True, "headcount"),
        (-1, "headcount-range"),
        (1001, "headcount-range"),
    ],
)
def test_head_counts_are_whole_persons(cell, expected):
    if isinstance(expected, str):
        assert broken(count, cell) == expected
    else:
        assert count(cell) == expected


def at(year: int, month: int, day: int, hour: int = 0, minute: int = 0, second: int = 0) -> datetime:
    return datetime(year, month, day, hour, minute, second, tzinfo=ZONE)


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("2019.11.25", at(2019, 11, 25)),
        ("2019-11-25", at(2019, 11, 25)),
        ("2019/1/5", at(2019, 1, 5)),
        ("2019年11月25日", at(2019, 11, 25)),
        ("2019年1月5", at(2019, 1, 5)),
        ("２０１９．１１．２５", at(2019, 11, 25)),
        ("2019。11。25", at(2019, 11, 25)),
        ("20191125", at(2019, 11, 25)),
        (20191125.0, at(2019, 11, 25)),
        (43794.0, at(2019, 11, 25)),
        (43794, at(2019, 11, 25)),
        ("43794", at(2019, 11, 25)),
        (43794.5, at(2019, 11, 25, 12)),
        (43794.413194444445, at(2019, 11, 25, 9, 55)),
        (date(2019, 11, 25), at(2019, 11, 25)),
        (datetime.fromisoformat("2019-11-25T09:40:12"), at(2019, 11, 25, 9, 40, 12)),
        (datetime(2019, 11, 25, 1, 40, tzinfo=UTC).astimezone(ZONE), at(2019, 11, 25, 9, 40)),
        ("2019-11-25 09:40:12", at(2019, 11, 25, 9, 40, 12)),
        ("2019-11-25T09:40", at(2019, 11, 25, 9, 40)),
        ("2019年11月25日 9时40分", at(2019, 11, 25, 9, 40)),
        ("2019-11-25T01:40:00+00:00", at(2019, 11, 25, 9, 40)),
        ("2019-11-25T01:40:00Z", at(2019, 11, 25, 9, 40)),
        ("2019/11/25 3:05 PM", at(2019, 11, 25, 15, 5)),
    ],
)
def test_dates_are_understood_as_people_write_them(cell, expected):
    read = instant(cell)
    assert isinstance(read, datetime)
    assert (read, read.utcoffset()) == (expected, timedelta(hours=8))


@pytest.mark.parametrize(
    "cell",
    [
        "昨天",
        "2019.13.01",
        "2019-02-30",
        "19.11.25",
        "11/25/2019",
        "2019",
        "2019年11月",
        "2019-11-25 25:00",
        "2019-11-25 morning",
        True,
        7.0,
        1e300,
        float("nan"),
        float("inf"),
        time(9, 40),
        timedelta(days=1),
    ],
)
def test_what_is_no_date_is_refused(cell):
    assert broken(instant, cell) == "date"


@pytest.mark.parametrize("cell", ["3021-04-30", date(3021, 4, 30), "1989-12-31", "2021-01-02"])
def test_a_date_beyond_the_limits_is_refused(cell):
    assert broken(instant, cell) == "date-range"
    assert broken(first_day, cell) == "date-range"


def test_both_limits_are_days_still_allowed():
    assert instant("1990-01-01") == at(1990, 1, 1)
    assert instant("2021-01-01 23:59") == at(2021, 1, 1, 23, 59)


def test_the_order_of_day_and_month_is_what_the_mapping_says():
    assert american("11/02/2019") == at(2019, 11, 2)
    assert british("11/02/2019") == at(2019, 2, 11)
    assert american("2019-11-02") == at(2019, 11, 2)
    assert american("1/2/2019 12:30 AM") == at(2019, 1, 2, 0, 30)
    assert broken(british, "11/25/2019") == "date"


@given(st.dates(min_value=EARLIEST, max_value=LATEST))
def test_every_day_is_the_same_day_in_every_notation(day):
    serial = (day - date(1899, 12, 30)).days
    for written in (
        day,
        f"{day.year}.{day.month}.{day.day}",
        f"{day:%Y-%m-%d}",
        f"{day:%Y/%m/%d}".translate(FULL_WIDTH),
        f"{day.year}年{day.month}月{day.day}日",
        f"{day:%Y%m%d}",
        float(f"{day:%Y%m%d}"),
        float(serial),
        str(serial),
    ):
        assert instant(written) == datetime(day.year, day.month, day.day, tzinfo=ZONE), written
        assert first_day(written) == last_day(written) == day, written


@given(st.text() | st.floats() | st.integers())
def test_a_date_reader_never_raises(cell):
    for read in (instant, american, first_day, last_day):
        value = read(cell)
        assert value is None or isinstance(value, date | Fault)


@given(st.text(alphabet="0123456789.-/年月日至到~今 ", max_size=24))
def test_a_period_reader_never_raises(cell):
    value = period(cell)
    assert value is None or isinstance(value, tuple | Fault)


def test_a_month_is_its_first_or_its_last_day():
    assert (first_day("2019.2"), last_day("2019年2月")) == (date(2019, 2, 1), date(2019, 2, 28))
    assert (first_day("2019"), last_day("2019年")) == (date(2019, 1, 1), date(2019, 12, 31))
    assert first_day("2019-11-25T01:40:00Z") == date(2019, 11, 25)


@pytest.mark.parametrize(
    ("cell", "begins", "ends"),
    [
        ("2019.3-2019.10", date(2019, 3, 1), date(2019, 10, 31)),
        ("2018年3月至2019年5月", date(2018, 3, 1), date(2019, 5, 31)),
        ("2019-01-05至2019-02-10", date(2019, 1, 5), date(2019, 2, 10)),
        ("2019-01-2019-03", date(2019, 1, 1), date(2019, 3, 31)),
        ("2019年", date(2019, 1, 1), date(2019, 12, 31)),
        ("2018-2019", date(2018, 1, 1), date(2019, 12, 31)),
        ("201903", date(2019, 3, 1), date(2019, 3, 31)),
        ("2019.3.5～2019.4.6", date(2019, 3, 5), date(2019, 4, 6)),
        ("2019年3月起至今", date(2019, 3, 1), None),
        ("2019.3 - 2019.10", date(2019, 3, 1), date(2019, 10, 31)),
    ],
)
def test_periods_are_understood_as_people_write_them(cell, begins, ends):
    assert period(cell) == (begins, ends)


@pytest.mark.parametrize(
    ("cell", "rule"),
    [
        ("春节以来", "period"),
        ("2019.1-10", "period"),
        ("2019.13", "period"),
        ("3021年", "date-range"),
        ("2019.10-2019.3", "period-order"),
    ],
)
def test_what_is_no_period_is_refused(cell, rule):
    assert broken(period, cell) == rule


def test_text_stays_as_it_stands_less_the_white_space_around_it():
    assert text("　（平定）Ａ１ 建筑\n公司 ") == "（平定）Ａ１ 建筑\n公司"
    assert text(616405.0) == "616405"
    assert text(1.5) == "1.5"
    assert text(date(2022, 7, 11)) == "2022-07-11"
    assert text(datetime.fromisoformat("2022-07-11T08:30")) == "2022-07-11 08:30:00"
    assert text(True) == "TRUE"
    assert broken(text, "x" * 21) == "text-length"
    assert broken(text, "a\x00b") == "text-control"


def test_a_code_that_a_spreadsheet_has_rounded_is_refused():
    assert code("140321199001011234") == "140321199001011234"
    assert code(13800000000.0) == "13800000000"
    assert broken(code, 140321199001011234.0) == "digits-lost"
    assert broken(code, "1.40321E+17") == "digits-lost"


def test_a_closed_word_is_known_or_refused():
    funding = word_reader(BLANKS, {"政府投资": "government", "无": "other"}, ("government", "other"), None)
    assert funding("政府投资") == "government"
    assert funding("government") == "government"
    assert funding("无") == "other"
    assert broken(funding, "国企") == "known-word"
    assert word_reader(BLANKS, {}, ("a", "b"), "b")("anything") == "b"


def test_several_words_in_a_cell_each_count_once_in_the_order_of_the_vocabulary():
    classes = words_reader(
        BLANKS, {"转办": "handed-down", "年内": "in-year"}, ("in-year", "historical", "handed-down"), None
    )
    assert classes("转办、年内") == ("in-year", "handed-down")
    assert classes("年内，年内") == ("in-year",)
    assert broken(classes, "年内、去年") == "known-word"


def test_a_place_is_found_in_the_tree_or_refused_with_the_nearest():
    tree = JurisdictionTree.load({"140321": {"name_zh": "平定县", "name_en": "Pingding County"}})
    place = place_reader(BLANKS, {"本县": "140321"}, None, tree)
    assert place("平定") == place(140321.0) == place("本县") == "140321"
    fault = place("平顶县")
    assert fault == Fault("known-jurisdiction", "≈ 140321 平定县")
    assert place_reader(BLANKS, {}, "140321", tree)("别处") == "140321"


def test_every_kind_of_cell_can_be_shown():
    assert shown(None) == ""
    assert shown(Fault("cell-error", "#REF!")) == "#REF!"
    assert shown(time(9, 40)) == "09:40:00"
    assert is_blank("　")
    assert not is_blank(0.0)
