"""Tables: the same values for people, for spreadsheets and for machines, and nothing in them that can act."""

from __future__ import annotations

import csv
import io
import sys
from pathlib import Path

import orjson
import pytest
from python_calamine import CalamineWorkbook

from api.cli.tables import Column, Count, Format, Output, Table, csv_bytes, said, workbook_bytes
from api.views.values import OpenedText, SealedText
from api.words import Word

COLUMNS = (
    Column("name", Word("名称", "Name")),
    Column("owing", Word("余额", "Owing"), "money"),
    Column("closed", Word("办结", "Closed"), "truth"),
    Column("at", Word("时间", "At"), "time"),
    Column("tags", Word("类别", "Tags"), "list", {"a": Word("甲", "A")}),
)
ROW = {"name": "工程", "owing": -123_456, "closed": True, "at": "2019-12-02T16:00:00+08:00", "tags": ["a", "b"]}
TABLE = Table("表", COLUMNS, [ROW, dict.fromkeys(ROW)], ["remark"])


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_people_read_words_yuan_and_minutes():
    assert [said(column, ROW[column.name], "zh") for column in COLUMNS] == [
        "工程", "-1,234.56", "是", "2019-12-02 16:00", "甲、b",
    ]  # fmt: skip
    assert [said(column, None, "en") for column in COLUMNS] == [""] * len(COLUMNS)


def test_a_count_in_a_column_of_amounts_stays_a_count():
    assert said(COLUMNS[1], Count(25_715), "en") == "25,715"
    sheet = CalamineWorkbook.from_filelike(
        io.BytesIO(workbook_bytes([Table("t", COLUMNS[1:2], [{"owing": Count(25_715)}, {"owing": 25_715}])], "en"))
    ).get_sheet_by_index(0)
    assert [row[0] for row in sheet.to_python()[1:]] == [25_715, 257.15]


def test_a_terminal_is_never_told_what_to_do():
    evil = "a\x1b[2Jb\nc\td\u202ee"
    assert said(COLUMNS[0], evil, "en") == "a [2Jb c d e"


@pytest.mark.parametrize("text", ["=1+1", "+1+1", "-a", "@x", "＝1"])
def test_a_formula_stays_a_text_in_every_sheet(text: str):
    table = Table("t", COLUMNS[:1], [{"name": text}])
    cell = list(csv.reader(io.StringIO(csv_bytes(table, "en").decode("utf-8-sig"))))[1][0]
    assert cell == f"'{text}"
    sheet = CalamineWorkbook.from_filelike(io.BytesIO(workbook_bytes([table], "en"))).get_sheet_by_index(0)
    assert sheet.to_python()[1][0] == text


def test_a_negative_amount_is_no_formula():
    cells = list(csv.reader(io.StringIO(csv_bytes(TABLE, "en").decode("utf-8-sig"))))[1]
    assert cells == ["工程", "-1234.56", "yes", "2019-12-02T16:00:00+08:00", "A, b"]


def test_personal_fields_show_whose_they_are_or_what_was_opened():
    assert said(COLUMNS[0], SealedText(subject="person-abcdef"), "en") == "‹abcdef›"
    assert said(COLUMNS[0], OpenedText(subject="person-x", text="赵甲子", erased=False), "en") == "赵甲子"


def test_a_terminal_gets_lines_and_a_pipe_gets_tabs(monkeypatch: pytest.MonkeyPatch):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    monkeypatch.setenv("COLUMNS", "120")
    Output(Format.TABLE, "zh").table(TABLE)
    assert "│" in terminal.getvalue()
    assert "remark" in terminal.getvalue()
    pipe = io.StringIO()
    monkeypatch.setattr(sys, "stdout", pipe)
    Output(Format.TABLE, "zh").table(TABLE)
    assert pipe.getvalue().splitlines()[0] == "# 表"
    assert pipe.getvalue().splitlines()[2].split("\t")[1] == "-1,234.56"


def test_a_workbook_is_never_written_to_a_terminal(monkeypatch: pytest.MonkeyPatch):
    from domain.errors import InputError

    monkeypatch.setattr(sys, "stdout", Terminal())
    with pytest.raises(InputError, match="--output"):
        Output(Format.XLSX, "zh").table(TABLE)


def test_what_goes_to_a_file_is_what_would_go_to_a_pipe(tmp_path: Path):
    file = tmp_path / "rows.json"
    Output(Format.JSON, "zh", file).table(TABLE)
    assert orjson.loads(file.read_bytes())[0] == ROW
    Output(Format.TABLE, "zh", file).table(TABLE)
    assert file.read_text("utf-8").startswith("# 表\n")


def test_a_file_that_cannot_be_written_is_said_plainly(tmp_path: Path):
    from domain.errors import InputError

    with pytest.raises(InputError, match="cannot write"):
        Output(Format.CSV, "zh", tmp_path / "no" / "folder.csv").table(TABLE)
