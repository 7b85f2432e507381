"""A ledger as a file: three formats, one digest, typed cells, and nothing in it that can act."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import tracemalloc
import zipfile
from datetime import UTC, date, datetime, timedelta, timezone

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from domain.money import yuan
from infra.books import export
from infra.books.export import Column, write_table

SHANGHAI = timezone(timedelta(hours=8))
COLUMNS = (
    Column("number", "案件编号", "Case number"),
    Column("owing", "余额", "Owing", "money"),
    Column("workers", "人数", "Workers", "int"),
    Column("received", "受理日期", "Received", "date"),
    Column("changed", "变更时间", "Changed", "datetime"),
    Column("closed", "是否办结", "Closed", "bool"),
    Column("classes", "清零类别", "Classes", "list"),
)
ROW = {
    "number": "阳〔2019〕1号",
    "owing": 123456,
    "workers": 12,
    "received": date(2019, 12, 2),
    "changed": datetime(2019, 12, 2, 16, 30, 5, tzinfo=SHANGHAI),
    "closed": False,
    "classes": ["in-year", "handed-down"],
    "not a column": 1,
}
BLANK: dict[str, object] = {"number": "2号"}
META = {"position": "42", "as_of": "2019-12-31", "origin": "yangquan-7f3a", "kind": "real"}


def written(format, rows, columns=COLUMNS, language="zh") -> tuple[bytes, str]:
    file = io.BytesIO()
    digest = write_table(file, format, columns, rows, language=language, meta=META)
    return file.getvalue(), digest


def test_json_lines_are_the_canonical_rows_and_their_digest():
    content, digest = written("jsonl", [ROW, BLANK])
    assert (
        content
        == (
            '{"changed":"2019-12-02T08:30:05.000000Z","classes":["in-year","handed-down"],"closed":false,'
            '"number":"阳〔2019〕1号","owing":123456,"received":"2019-12-02","workers":12}\n'
            '{"changed":null,"classes":null,"closed":null,"number":"2号","owing":null,"received":null,"workers":null}\n'
        ).encode()
    )
    assert digest == hashlib.sha256(content).hexdigest()


def test_csv_is_what_spreadsheets_and_rfc_4180_agree_on():
    content, _ = written("csv", [ROW, BLANK])
    assert (
        content
        == (
            "\ufeff案件编号,余额,人数,受理日期,变更时间,是否办结,清零类别\r\n"
            "阳〔2019〕1号,1234.56,12,2019-12-02,2019-12-02T16:30:05+08:00,否,in-year、handed-down\r\n"
            "2号,,,,,,\r\n"
        ).encode()
    )
    english, _ = written("csv", [ROW], language="en")
    assert b"Case number,Owing" in english
    assert b"no,in-year; handed-down" in english


def test_a_workbook_has_typed_cells_a_frozen_header_filters_and_a_sheet_about_it():
    content, digest = written("xlsx", [ROW, BLANK])
    book = CalamineWorkbook.from_filelike(io.BytesIO(content))
    assert book.sheet_names == ["台账", "说明"]
    head, first, second = book.get_sheet_by_index(0).to_python()
    assert head == [column.heading_zh for column in COLUMNS]
    assert first == [
        "阳〔2019〕1号",
        1234.56,
        12.0,
        date(2019, 12, 2),
        datetime.fromisoformat("2019-12-02T16:30:05"),
        False,
        "in-year、handed-down",
    ]
    assert second == ["2号", "", "", "", "", "", ""]
    about = {row[0]: row[1] for row in book.get_sheet_by_index(1).to_python()}
    assert about == {
        "位置": "42",
        "截至": "2019-12-31",
        "来源": "yangquan-7f3a",
        "性质": "real",
        "行数": "2",
        "摘要（SHA-256）": digest,
    }
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        xml = package.read("xl/worksheets/sheet1.xml").decode()
    assert '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/>' in xml
    assert '<autoFilter ref="A1:G3"/>' in xml
    assert 'customWidth="1"' in xml


def test_the_same_rows_give_one_digest_in_every_format_and_language_and_the_same_bytes_again():
    digests = {
        written(format, [ROW, BLANK], language=language)[1]
        for format in ("csv", "xlsx", "jsonl")
        for language in ("zh", "en")
    }
    assert len(digests) == 1
    assert written("xlsx", [ROW]) == written("xlsx", [ROW])
    assert written("csv", [ROW | {"owing": 123457}])[1] not in digests


def test_a_moment_is_the_same_moment_in_every_zone():
    utc = ROW | {"changed": datetime(2019, 12, 2, 8, 30, 5, tzinfo=UTC)}
    text = ROW | {"changed": "2019-12-02T16:30:05+08:00", "received": "2019-12-02"}
    assert written("jsonl", [utc]) == written("jsonl", [ROW]) == written("jsonl", [text])


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "＝1"])
def test_no_text_becomes_a_formula(text):
    row = ROW | {"number": text, "classes": [text]}
    content, _ = written("csv", [row])
    cells = next(iter(csv.reader(io.StringIO(content.decode("utf-8-sig").split("\r\n", 1)[1], newline=""))))
    assert (cells[0], cells[6]) == (f"'{text}", f"'{text}")
    book, _ = written("xlsx", [row])
    with zipfile.ZipFile(io.BytesIO(book)) as package:
        assert b"<f>" not in package.read("xl/worksheets/sheet1.xml")
    assert json.loads(written("jsonl", [row])[0])["number"] == text


def test_numbers_below_zero_stay_numbers():
    content, _ = written("csv", [ROW | {"owing": -5, "workers": -1}])
    assert b",-0.05,-1," in content


def test_an_address_in_a_workbook_is_text():
    content, _ = written("xlsx", [ROW | {"number": "http://example.org/"}])
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        assert b"hyperlink" not in package.read("xl/worksheets/sheet1.xml")


def test_a_headings_own_danger_is_taken_from_it():
    content, _ = written("csv", [], (Column("a", "=A", "=A"),))
    assert content.decode("utf-8-sig") == "'=A\r\n"


def test_a_number_too_long_for_a_workbook_stands_there_as_text():
    content, _ = written("xlsx", [ROW | {"workers": 2**53 - 1}])
    row = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python()[1]
    assert row[2] == str(2**53 - 1)


@pytest.mark.parametrize(
    "wrong",
    [
        {"owing": 12.5},
        {"owing": True},
        {"owing": "12"},
        {"number": 12},
        {"closed": 1},
        {"received": datetime(2019, 1, 1, tzinfo=UTC)},
        {"changed": datetime.fromisoformat("2019-01-01T00:00:00")},
        {"changed": "yesterday"},
        {"classes": "in-year"},
    ],
)
def test_a_value_that_is_not_of_its_columns_kind_is_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong)) if "yesterday" not in wrong.values() else "isoformat"):
        written("jsonl", [ROW | wrong])


def test_two_columns_of_one_name_are_refused():
    with pytest.raises(ValueError, match="one name"):
        written("csv", [], (Column("a", "甲", "A"), Column("a", "乙", "B")))


@pytest.mark.parametrize("format", ["csv", "jsonl", "xlsx"])
def test_a_file_is_whole_or_not_there(tmp_path, format):
    target = tmp_path / f"ledger.{format}"

    def rows():
        yield ROW
        raise RuntimeError("the ledger went away")

    with pytest.raises(RuntimeError, match="went away"):
        write_table(target, format, COLUMNS, rows(), meta=META)
    assert list(tmp_path.iterdir()) == []
    digest = write_table(target, format, COLUMNS, [ROW], meta=META)
    assert target.stat().st_size > 0
    beside = target.with_name(target.name + ".meta.json")
    if format == "xlsx":
        assert not beside.exists()
    else:
        assert orjson.loads(beside.read_bytes()) == META | {"rows": "1", "digest": digest}
    assert not [path for path in tmp_path.iterdir() if path.name.endswith(".half")]


def test_a_text_too_long_for_a_workbook_cell_is_refused_there_and_whole_elsewhere():
    row = ROW | {"number": "长" * 32_768}
    with pytest.raises(ValueError, match="column number"):
        written("xlsx", [row])
    assert len(written("csv", [row])[0]) > 3 * 32_768


def test_a_full_sheet_is_continued_on_the_next(monkeypatch):
    monkeypatch.setattr(export, "_SHEET_ROWS", 3)
    content, _ = written("xlsx", [ROW | {"number": str(n)} for n in range(5)])
    book = CalamineWorkbook.from_filelike(io.BytesIO(content))
    assert book.sheet_names == ["台账", "台账 2", "台账 3", "说明"]
    pages = [book.get_sheet_by_index(index).to_python() for index in range(3)]
    assert [row[0] for page in pages for row in page[1:]] == ["0", "1", "2", "3", "4"]
    assert all(page[0][0] == "案件编号" for page in pages)


@pytest.mark.parametrize("format", ["csv", "jsonl", "xlsx"])
def test_memory_does_not_grow_with_the_ledger(tmp_path, format):
    def peak(count: int) -> int:
        tracemalloc.start()
        write_table(
            tmp_path / f"{count}.{format}", format, COLUMNS, (ROW | {"workers": n} for n in range(count)), meta={}
        )
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    peak(10)
    assert peak(4_000) < peak(200) + 500_000


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "number": st.none() | st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=20),
                "owing": st.none() | st.integers(-(10**13), 10**13),
                "received": st.none() | st.dates(date(1990, 1, 1), date(2100, 1, 1)),
            }
        ),
        max_size=8,
    )
)
def test_what_is_written_can_be_read_back(rows):
    columns = COLUMNS[:2] + COLUMNS[3:4]
    lines = written("jsonl", rows, columns)[0].split(b"\n")[:-1]
    assert [orjson.loads(line) for line in lines] == [
        row | {"received": row["received"].isoformat() if row["received"] else None} for row in rows
    ]
    cells = list(csv.reader(io.StringIO(written("csv", rows, columns)[0].decode("utf-8-sig"), newline="")))[1:]
    for row, (number, owing, received) in zip(rows, cells, strict=True):
        assert number.removeprefix("'") == (row["number"] or "").removeprefix("'")
        assert owing == ("" if row["owing"] is None else yuan(row["owing"]).replace(",", ""))
        assert received == (row["received"].isoformat() if row["received"] else "")
    sheet = CalamineWorkbook.from_filelike(io.BytesIO(written("xlsx", rows, columns)[0])).get_sheet_by_index(0)
    for row, read in zip(rows, sheet.to_python(skip_empty_area=False)[1:], strict=False):
        if row["owing"] is not None:
            assert round(float(str(read[1])) * 100) == row["owing"]
        if row["received"] is not None:
            assert read[2] == row["received"]
