"""The command line on a real platform: from nothing to a board, to a rebuilt ledger, to a server that stops when it is told to."""

from __future__ import annotations

import csv
import json
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.conftest import CHECKOUT
from tests.migrated import execute
from tests.postgres_server import fresh_database, server
from tests.serving import started

HEADINGS = ("案件编号", "属地", "受理日期", "欠薪单位", "人数", "反映金额", "核实金额", "已付金额", "办理状态")
BOOK = (
    ("平-1", "平定县", "2019-11-20", "子虚建筑劳务有限公司", "3", "30000", "30000", "10000.50", "办理中"),
    ("盂-2", "盂县", "2019.11.21", "乌有装饰有限公司", "2", "20000.50", "20000.50", "20000.50", "已办结"),
    ("盂-3", "盂县", "2018/5/2", "南柯路桥有限公司", "1", "5000", "5000", "6000", "已办结"),
)


def write_book(file: Path, rows: tuple[tuple[str, ...], ...] = BOOK) -> Path:
    with file.open("w", encoding="utf-8", newline="") as opened:
        csv.writer(opened).writerows([HEADINGS, *rows])
    return file


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, ...]:
    """Global options of an office with a log of its own and nothing in it yet."""
    return "--data", str(tmp_path_factory.mktemp("office")), "--database-url", fresh_database(server())


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_book(tmp_path_factory.mktemp("books") / "台账.csv")


def test_without_a_log_every_verb_says_how_to_create_one(run: Run, tmp_path: Path):
    ran = run("ledger", "case", "--data", str(tmp_path / "nothing"))
    assert ran.code == 4
    assert "qingling init" in ran.err
    assert not (tmp_path / "nothing").exists()


def test_serving_needs_a_database_to_serve_from(run: Run, tmp_path: Path):
    ran = run("serve", "--data", str(tmp_path))
    assert ran.code == 10
    assert "database" in ran.err


class TestAnOffice:
    """One after the other, on one log."""

    def test_creates_its_log_once(self, run: Run, office: tuple[str, ...]):
        created, again = run("init", *office), run("init", *office)
        assert created.code == 0
        assert re.search(r"yangquan-[0-9a-f]{8}", created.out)
        assert again.code == 3
        assert again.out == ""

    def test_enters_an_officer_whose_token_is_shown_once(self, run: Run, office: tuple[str, ...]):
        entered = run(
            "officer", "add", "li-si", "--jurisdiction", "平定县", "--name", "李四", "--format", "json", *office
        )
        token = json.loads(entered.out)[0]["token"]
        assert token.startswith("ql_")
        assert run("officer", "add", "li-si", *office).code == 3
        assert token not in run("officer", "list", *office).out
        assert run("officer", "token", "nobody", *office).code == 4

    def test_tries_a_book_and_records_nothing(self, run: Run, office: tuple[str, ...], book: Path):
        before = json.loads(run("status", "--format", "json", *office).out)["head"]
        tried = run("import", str(book), "--dry-run", *office)
        assert tried.code == 0
        assert json.loads(run("status", "--format", "json", *office).out)["head"] == before
        assert "新案件 3" in tried.out

    def test_imports_the_book_and_every_total_agrees(self, run: Run, office: tuple[str, ...], book: Path):
        ran = run("import", str(book), "--book", "平定账", "--as", "li-si", "--format", "json", *office)
        report = json.loads(ran.out)
        assert ran.code == 0
        assert report["new_cases"] == 3
        assert report["source"]["verified"] == report["ledger"]["verified"] == 5_500_050
        assert report["source"]["paid"] == report["ledger"]["paid"] == 3_600_100
        assert report["source"]["overpaid"] == report["ledger"]["overpaid"] == 100_000
        assert report["ledger"]["owing"] == 1_999_950

    def test_imports_it_again_and_nothing_is_recorded(self, run: Run, office: tuple[str, ...], book: Path):
        ran = run("import", str(book), "--book", "平定账", "--language", "en", *office)
        assert ran.code == 0
        assert "unchanged 3" in ran.out
        assert "events 0" in ran.out
        assert all(
            row.split("\t")[3] in ("0", "0.00") for row in ran.out.splitlines() if row.startswith(("Cases", "Paid"))
        )

    def test_imports_an_amended_book_and_reads_its_differences(self, run: Run, office: tuple[str, ...], tmp_path: Path):
        paid_more = (*BOOK[0][:7], "12000.50", BOOK[0][8])
        amended = write_book(tmp_path / "台账.csv", (paid_more, BOOK[1]))
        ran = run("import", str(amended), "--book", "平定账", "--format", "json", *office)
        report = json.loads(ran.out)
        assert report["kinds"] == {"paid more": 1, "vanished": 1}
        assert (report["changed_cases"], report["unchanged_cases"], report["vanished_cases"]) == (1, 1, 1)

    def test_reads_who_recorded_it(self, run: Run, office: tuple[str, ...]):
        ran = run("replay", "盂-2", "--format", "json", *office)
        timeline = json.loads(ran.out)["timeline"]
        assert {item["actor_handle"] for item in timeline} == {"li-si"}

    def test_sees_what_was_known_before_the_amended_book(self, run: Run, office: tuple[str, ...]):
        case = json.loads(run("replay", "平-1", "--format", "json", *office).out)
        last = case["timeline"][-1]["position"]
        before = json.loads(run("replay", "平-1", "--as-known-at", str(last - 1), "--format", "json", *office).out)
        assert case["values"]["paid"] == 1_200_050
        assert before["values"]["paid"] == 1_000_050

    def test_is_told_which_rows_were_rejected_and_keeps_an_earlier_reject_workbook(
        self, run: Run, office: tuple[str, ...], tmp_path: Path
    ):
        wrong = write_book(
            tmp_path / "wrong.csv", (BOOK[0], ("平-9", "平顶县", "3021-01-01", "x", "1", "abc", "1", "1", ""))
        )
        for _ in range(2):
            ran = run("import", str(wrong), "--book", "wrong", "--partial", *office)
            assert ran.code == 2
            assert "平-9" in ran.out
            assert "受理日期" in ran.out
        assert {path.name for path in tmp_path.iterdir()} == {"wrong.csv", "wrong.rejects.xlsx", "wrong.rejects-2.xlsx"}

    @pytest.mark.parametrize(
        ("name", "content"),
        [
            ("missing.xlsx", None),
            ("text.xlsx", b"no workbook"),
            ("empty.csv", b""),
            ("header.csv", "一,二\n1,2\n".encode()),
        ],
    )
    def test_is_told_why_a_file_is_no_book(
        self, run: Run, office: tuple[str, ...], tmp_path: Path, name: str, content: bytes | None
    ):
        if content is not None:
            (tmp_path / name).write_bytes(content)
        ran = run("import", str(tmp_path / name), *office)
        assert ran.code == 2
        assert ran.out == ""
        assert ran.err.count("\n") == 1

    def test_rebuilds_its_ledgers_and_they_are_equal(self, run: Run, office: tuple[str, ...]):
        before = run("ledger", "case", "--format", "json", *office).out
        ran = run("rebuild", "--language", "en", *office)
        assert ran.code == 0
        assert "Equal to the live one" in ran.out
        assert run("ledger", "case", "--format", "json", *office).out == before
        assert run("rebuild", "cases", *office).code == 4

    def test_pauses_a_ledger_and_the_board_says_incomplete(self, run: Run, office: tuple[str, ...], tmp_path: Path):
        assert run("pause", "claim", *office).code == 0
        assert run("status", *office).code == 6
        assert run("resume", "claim", *office).code == 0
        assert run("status", *office).code == 0

    @pytest.mark.parametrize("format", ["csv", "xlsx", "jsonl"])
    def test_exports_a_ledger_whose_digest_is_the_same_in_every_format(
        self, run: Run, office: tuple[str, ...], tmp_path: Path, format: str
    ):
        ran = run("export", "case", str(tmp_path / f"cases.{format}"), *office)
        lines = run("export", "case", str(tmp_path / "cases-again.jsonl"), *office)
        assert ran.code == 0
        assert ran.err.rsplit("sha256:")[1] == lines.err.rsplit("sha256:")[1]

    def test_has_a_template_to_fill_in(self, run: Run, office: tuple[str, ...], tmp_path: Path):
        assert run("template", str(tmp_path / "empty.xlsx"), *office).code == 0
        assert (tmp_path / "empty.xlsx").stat().st_size > 1_000

    def test_takes_every_token_of_an_officer_back(self, run: Run, office: tuple[str, ...]):
        assert run("officer", "token", "li-si", "--label", "laptop", *office).code == 0
        assert (
            "2 tokens revoked" in run("officer", "revoke", "li-si", "--reason", "left", "--language", "en", *office).out
        )
        assert [each["tokens"] for each in json.loads(run("officer", "list", "--format", "json", *office).out)] == [0]


def answer(url: str) -> str:
    with urllib.request.urlopen(url, timeout=30) as response:
        body: bytes = response.read()
    return body.decode()


@pytest.fixture
def serving() -> Iterator[list[subprocess.Popen[str]]]:
    """Servers that are gone after the test, whatever happened in it."""
    processes: list[subprocess.Popen[str]] = []
    yield processes
    for process in processes:
        if process.poll() is None:
            process.kill()
        process.communicate()


@pytest.mark.parametrize("way", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
def test_a_server_answers_until_it_is_told_to_stop_and_stops_cleanly(
    office: tuple[str, ...], serving: list[subprocess.Popen[str]], way: signal.Signals
):
    process, url = started("serve", "--language", "en", *office)
    serving.append(process)
    assert json.loads(answer(f"{url}/healthz")) == {"live": True}
    process.send_signal(way)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 0
    assert errors == "Stopping …\nStopped\n"


def test_a_port_that_is_taken_is_said_plainly(run: Run, office: tuple[str, ...], serving: list[subprocess.Popen[str]]):
    process, url = started("serve", *office)
    serving.append(process)
    ran = run("serve", "--port", url.rsplit(":")[-1], *office)
    assert ran.code == 2
    assert "--port" in ran.err


@pytest.mark.slow
def test_an_import_that_is_interrupted_says_so_and_is_finished_by_importing_again(
    run: Run, tmp_path: Path, serving: list[subprocess.Popen[str]]
):
    database = fresh_database(server())
    office = ("--data", str(tmp_path / "office"), "--database-url", database, "--language", "en")
    rows = tuple((f"平-{number}", *BOOK[0][1:]) for number in range(12_000))
    book = write_book(tmp_path / "large.csv", rows)
    assert run("init", *office).code == 0
    process = subprocess.Popen(
        [sys.executable, "-m", "api.cli.main", "import", str(book), *office],
        cwd=CHECKOUT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    serving.append(process)
    while execute(database, "select count(*) from qingling.event")[0][0] < 2_000:
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    out, errors = process.communicate(timeout=60)
    assert (process.returncode, out) == (130, "")
    assert errors == "Interrupted; what was recorded before is whole\n"
    report = json.loads(run("import", str(book), "--format", "json", *office).out)
    assert report["new_cases"] + report["unchanged_cases"] == report["ledger"]["cases"] == 12_000
    assert report["changed_cases"] == 0
    assert report["source"]["paid"] == report["ledger"]["paid"]


@pytest.mark.slow
def test_on_one_command_a_played_winter_is_served_and_served_again(
    tmp_path: Path, run: Run, serving: list[subprocess.Popen[str]]
):
    folder = ("--data", str(tmp_path / "sample"))
    process, url = started("up", "--sample", *folder)
    serving.append(process)
    ran = run("clearance", "--format", "json", "--debug", *folder)
    assert ran.code == 0, ran.err
    board = json.loads(ran.out)
    assert board["complete"] is True
    assert {cell["state"] for cell in board["cells"]} >= {"none-recorded", "open", "cleared", "cleared-in-hand"}
    assert json.loads(answer(f"{url}/v1/clearance"))["cells"] == board["cells"]
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert (process.returncode, "Traceback" in errors) == (0, False)
    again, _ = started("up", "--sample", *folder)
    serving.append(again)
    again.send_signal(signal.SIGTERM)
    again.communicate(timeout=60)
    assert again.returncode == 0
    assert json.loads(run("clearance", "--format", "json", *folder).out)["position"] == board["position"]
