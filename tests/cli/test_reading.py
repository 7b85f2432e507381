"""What the reading verbs show, to people and to machines."""

from __future__ import annotations

import io
import json
import sys
from datetime import date
from pathlib import Path

import pytest
from python_calamine import CalamineWorkbook

from api.cli.main import main
from tests.api.fake_platform import OWING_CASE, PAID_CASE, FakePlatform
from tests.cli.conftest import Run


def rows_of(out: str) -> list[list[str]]:
    """The rows of a tab-separated answer, its heading first."""
    return [line.split("\t") for line in out.splitlines() if not line.startswith("#")]


def test_a_ledger_is_tab_separated_where_no_terminal_is(run: Run, platform: FakePlatform):
    ran = run("ledger", "case", "--language", "en")
    heading, *rows = rows_of(ran.out)
    assert ran.code == 0
    assert heading[0] == "Case number"
    assert len(rows) == len(list(platform.rows("case")))
    assert all(len(row) == len(heading) for row in rows)


def test_people_read_yuan_and_words_and_places(run: Run, platform: FakePlatform):
    ran = run("ledger", "case", "--filter", "jurisdiction=140321")
    assert "平定县" in ran.out
    assert "140321" not in "".join("\t".join(row) for row in rows_of(ran.out))
    verified = next(iter(platform.rows("case", filters={"jurisdiction": "140321"}))).row.standing.verified
    assert f"{verified / 100:,.2f}" in ran.out


def test_machines_read_fen_and_values_and_the_position(run: Run, platform: FakePlatform):
    ran = run("ledger", "case", "--format", "json", "--filter", "jurisdiction=140321")
    page = json.loads(ran.out)
    rows = {versioned.key: versioned.row for versioned in platform.rows("case")}
    assert page["position"] == platform.head().position
    assert page["log"] == {"origin": platform.info.origin, "kind": "simulation"}
    for row in page["rows"]:
        assert row["values"]["verified"] == rows[row["key"]].standing.verified
        assert row["values"]["jurisdiction"] == "140321"


def test_every_table_says_which_log_it_is_of_and_that_it_is_a_simulation(run: Run, platform: FakePlatform):
    for verb in (("ledger",), ("ledger", "case"), ("clearance",)):
        assert f"【模拟】{platform.info.origin}" in run(*verb).out


def test_a_page_ends_with_the_cursor_of_the_next(run: Run, platform: FakePlatform):
    first = run("ledger", "case", "--limit", "2", "--language", "en")
    cursor = first.out.rsplit("--after ", 1)[1].strip()
    second = run("ledger", "case", "--limit", "2", "--after", cursor)
    assert rows_of(first.out)[1:] != rows_of(second.out)[1:]
    assert len(rows_of(second.out)) == 3


def test_a_ledger_is_shown_in_the_order_asked_for(run: Run, platform: FakePlatform):
    ran = run("ledger", "case", "--order", "owing", "--descending", "--columns", "number,owing", "--format", "json")
    owing = [row["values"]["owing"] for row in json.loads(ran.out)["rows"]]
    assert owing == sorted(owing, reverse=True)


def test_a_ledger_is_shown_as_known_at_a_day(run: Run, platform: FakePlatform):
    then, now = run("ledger", "case", "--as-known-at", "2019-11-30"), run("ledger", "case")
    position = platform.position_at_end_of(date(2019, 11, 30))
    assert f"位置 {position}" in then.out
    assert len(rows_of(then.out)) < len(rows_of(now.out))


def test_personal_texts_are_shown_only_when_asked_for(run: Run, platform: FakePlatform):
    named = next(row.row for row in platform.rows("claim") if row.row.worker is not None)
    name = platform.texts[named.worker.sha256]
    assert name
    assert name not in run("ledger", "claim").out
    assert name in run("ledger", "claim", "--names").out


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("ledger", "cases"), "case"),
        (("ledger", "case", "--order", "owed"), "owing"),
        (("ledger", "case", "--filter", "stge=open"), "stage"),
        (("ledger", "case", "--filter", "stage"), "COLUMN=VALUE"),
        (("ledger", "case", "--columns", "numbr"), "number"),
        (("ledger", "case", "--as-known-at", "yesterday"), "2019-12-31"),
        (("ledger", "case", "--as-known-at", "99999999"), "99999999"),
        (("export", "case", "cases.doc"), "csv, xlsx or jsonl"),
        (("replay", "log", "--as-it-was-by", "2019-12-01"), "only a case"),
        (("schema", "case.registred.v1"), "case.registered.v1"),
        (("clearance", "--jurisdiction", "平遥"), "平定"),
    ],
)
def test_what_cannot_be_asked_is_refused_in_one_line_that_names_the_way_out(
    run: Run, platform: FakePlatform, arguments: tuple[str, ...], named: str
):
    ran = run(*arguments)
    assert ran.code in (2, 4)
    assert ran.out == ""
    assert len(ran.err.splitlines()) == 1
    assert named in ran.err


def test_the_board_shows_every_place_class_and_checkpoint(run: Run, platform: FakePlatform):
    heading, *rows = rows_of(run("clearance").out)
    assert heading[:5] == ["属地", "类别", "节点", "状态", "当日所知"]
    places = {row[0] for row in rows}
    assert places >= {"郊区", "平定县", "盂县", "合计"}
    assert len(rows) == len(places) * 3 * 2


def test_a_board_behind_its_log_says_incomplete_and_why(run: Run, platform: FakePlatform):
    platform.behind["clearance"] = 3
    ran = run("clearance", "--language", "en")
    assert {row[3] for row in rows_of(ran.out)[1:]} == {"Incomplete"}
    assert "ledger clearance" in ran.out
    assert "behind the log" in ran.err


def test_the_board_as_json_is_that_of_rest(run: Run, platform: FakePlatform):
    board = json.loads(run("clearance", "--format", "json").out)
    assert board["complete"] is True
    assert {cell["checkpoint"] for cell in board["cells"]} == {"year-end", "spring-festival"}


def test_a_workbook_holds_typed_cells(run: Run, platform: FakePlatform, tmp_path: Path):
    file = tmp_path / "board.xlsx"
    assert run("clearance", "--format", "xlsx", "--output", str(file)).code == 0
    sheet = CalamineWorkbook.from_path(file).get_sheet_by_index(0).to_python()
    board = json.loads(run("clearance", "--format", "json").out)
    verified = sum(cell["now"]["verified"] for cell in (*board["cells"], *board["totals"]))
    column = sheet[0].index("核实金额")
    assert round(sum(float(str(row[column])) for row in sheet[1:]) * 100) == verified


def test_a_workbook_goes_to_a_pipe_as_it_is(platform: FakePlatform, monkeypatch: pytest.MonkeyPatch):
    pipe = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(pipe))
    assert main(["clearance", "--format", "xlsx"]) == 0
    assert CalamineWorkbook.from_filelike(io.BytesIO(pipe.getvalue())).sheet_names


def test_csv_has_a_mark_that_spreadsheets_know_it_by_and_amounts_without_marks(run: Run, platform: FakePlatform):
    ran = run("ledger", "case", "--format", "csv")
    assert ran.out.startswith("\ufeff")
    assert '"' not in ran.out.splitlines()[1]


def test_a_case_is_replayed_with_state_and_timeline(run: Run, platform: FakePlatform):
    case = next(iter(platform.rows("payment"))).row.case
    number = next(row.row.number for row in platform.rows("case") if row.key == case)
    ran = run("replay", number)
    events = [recorded for recorded, _ in platform.entries if recorded.envelope.partitionkey == case]
    assert number in ran.out
    assert "支付登记" in ran.out
    assert all(f"\n{recorded.position}\t" in ran.out for recorded in events)


def test_a_case_before_its_payment_is_unpaid_and_after_it_paid(run: Run, platform: FakePlatform):
    payment = next(recorded for recorded, _ in platform.entries if recorded.envelope.type == "payment.line-credited.v2")
    case, position = payment.envelope.partitionkey, payment.position
    before = json.loads(run("replay", case, "--as-known-at", str(position - 1), "--format", "json").out)
    after = json.loads(run("replay", case, "--as-known-at", str(position), "--format", "json").out)
    assert before["values"]["paid"] == 0
    assert after["values"]["paid"] == payment.event.amount
    assert len(after["timeline"]) == len(before["timeline"]) + 1


def test_the_two_time_axes_are_never_mixed(run: Run, platform: FakePlatform):
    case = next(iter(platform.rows("case"))).key
    ran = run("replay", case, "--as-known-at", "2019-12-01", "--as-it-was-by", "2019-12-01")
    assert ran.code == 2
    assert "as_it_was_by" in ran.err


def test_a_stream_that_is_no_case_has_its_timeline(run: Run, platform: FakePlatform):
    claim = next(iter(platform.rows("claim"))).key
    ran = run("replay", claim, "--format", "json")
    assert {item["stream"] for item in json.loads(ran.out)} == {claim}


def test_only_the_part_that_was_asked_for_is_shown(run: Run, platform: FakePlatform):
    case = next(iter(platform.rows("case"))).key
    assert "# 经过" not in run("replay", case, "--only", "state").out
    assert "# 欠薪明细" not in run("replay", case, "--only", "timeline").out


def test_a_ledger_is_exported_whole_with_its_digest(run: Run, platform: FakePlatform, tmp_path: Path):
    file = tmp_path / "cases.csv"
    ran = run("export", "case", str(file))
    assert ran.code == 0
    assert ran.out == ""
    assert "sha256:" in ran.err
    assert len(file.read_text("utf-8-sig").splitlines()) == len(list(platform.rows("case"))) + 1
    assert [path.name for path in tmp_path.iterdir()] == ["cases.csv"]


def test_a_ledger_can_be_exported_into_a_pipe(run: Run, platform: FakePlatform):
    ran = run("export", "case", "-", "--format", "csv")
    assert ran.out.startswith("\ufeff")
    assert "sha256:" in ran.err


def test_status_fails_when_a_ledger_is_stopped_and_says_why(run: Run, platform: FakePlatform):
    assert run("status").code == 0
    platform.stopped["discrepancy"] = "a fold raised at position 7"
    ran = run("status", "--language", "en")
    assert ran.code == 6
    assert "a fold raised at position 7" in ran.out
    assert json.loads(run("status", "--format", "json").out)["ready"] is False


def test_officers_are_listed_without_their_tokens(run: Run, platform: FakePlatform):
    ran = run("officer", "list", "--format", "json")
    officers = json.loads(ran.out)
    assert {each["handle"] for each in officers} == {row.row.handle for row in platform.rows("officer")}
    assert all(isinstance(each["tokens"], int) for each in officers)


def test_every_event_type_has_a_schema(run: Run, platform: FakePlatform):
    every = json.loads(run("schema", "--format", "json").out)
    assert set(every) == set(platform.types)
    one = json.loads(run("schema", "case.registered.v1").out)
    assert one == every["case.registered.v1"]
    assert one["$id"] == "urn:qingling:event:case.registered.v1"


def test_why_a_word_does_not_hold_is_told_condition_by_condition(run: Run, platform: FakePlatform):
    ran = run("why", OWING_CASE, "--word", "solved")
    assert ran.code == 0
    assert "没有余额" in ran.out
    assert "办结已由另一人批准" not in ran.out
    [word] = json.loads(run("why", OWING_CASE, "--word", "written-off", "--format", "json").out)["words"]
    assert (word["name"], word["holds"]) == ("written_off", False)


def test_why_tells_of_every_word_and_of_the_board(run: Run, platform: FakePlatform):
    ran = run("--language", "en", "why", PAID_CASE)
    for word in (
        "Determined: yes",
        "Solved: yes",
        "Confirmed: yes",
        "Closed: yes",
        "Written off: yes",
        "Clearance board",
    ):
        assert word in ran.out


def test_why_as_a_file_has_one_table(run: Run, platform: FakePlatform, tmp_path: Path):
    file = tmp_path / "why.csv"
    assert run("why", OWING_CASE, "--output", str(file), "--format", "csv").code == 0
    assert file.read_text("utf-8-sig").count("已解决") == 1


def test_why_of_no_case_is_said(run: Run, platform: FakePlatform):
    assert run("why", "没有这个号").code != 0
