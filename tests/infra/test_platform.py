"""The platform as the doors see it: created once, honest about what it cannot say, the same in every format."""

from __future__ import annotations

import csv
import io
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from domain.campaigns.genesis import LogKind
from domain.errors import InputError, NotFoundError, NotReadyError, RuleError, SettingsError, UnauthorisedError
from infra import bootstrap
from infra.bootstrap import Platform, Settings, initialise, open_platform, run_sample
from infra.sealing.signer import Signer
from projections.clearance import CellState
from projections.replay import case_state

HEAD = ["案件编号", "属地", "受理日期", "欠薪单位", "欠薪人数", "欠薪金额", "核实金额", "已发金额", "余额", "案件状态"]
BOOK = [
    ["平-1", "平定县", "2019-11-01", "甲建筑公司", "10", "100000", "90000", "0", "90000", "在办"],
    ["平-2", "平定县", "2018-06-05", "=乙劳务公司", "3", "30000", "30000", "30000", "0", "办结"],
]


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    return Settings(data=tmp_path / "data", database_url=database_url)


@pytest.fixture
def real(settings: Settings) -> Settings:
    """A deployment with a real log."""
    initialise(settings, origin="test")
    return settings


@contextmanager
def opened(settings: Settings) -> Iterator[Platform]:
    with open_platform(settings, folding=True) as platform:
        yield platform


def a_book(folder: Path, rows: list[list[str]]) -> Path:
    file = folder / "book.csv"
    with file.open("w", encoding="utf-8-sig", newline="") as target:
        csv.writer(target).writerows([HEAD, *rows])
    return file


def test_a_log_is_created_by_an_explicit_act_and_once(settings: Settings) -> None:
    with pytest.raises(NotFoundError, match="qingling init"), open_platform(settings):
        pass
    info = initialise(settings, origin="test")
    assert info.origin.startswith("test-")
    assert info.kind is LogKind.REAL
    with pytest.raises(RuleError, match="a log already"):
        initialise(settings, origin="test")


def test_a_simulations_origin_says_so_since_a_checkpoint_has_no_other_place_for_it(settings: Settings) -> None:
    begins = datetime(2019, 11, 15, 1, 0, tzinfo=UTC)
    info = initialise(settings, origin="test", kind=LogKind.SIMULATION, now=begins)
    assert "simulation" in info.origin
    with opened(settings) as platform:
        assert platform.log.read(0, 1)[0].recorded_at == begins
        assert platform.now() - begins < timedelta(seconds=1), "its clock goes on from its last time"


def test_times_are_played_in_a_simulation_only(settings: Settings) -> None:
    with pytest.raises(RuleError, match="only a simulation"):
        initialise(settings, origin="test", now=datetime(2019, 11, 15, tzinfo=UTC))


def test_without_its_keys_a_log_is_not_opened(real: Settings) -> None:
    real.keyring_path.rename(real.keyring_path.with_suffix(".away"))
    with pytest.raises(SettingsError, match="keys"), open_platform(real):
        pass


def test_an_import_can_be_read_at_once_and_every_format_bears_the_same_digest(real: Settings, tmp_path: Path) -> None:
    with opened(real) as platform:
        report = platform.import_book(a_book(tmp_path, BOOK), mapping="standard", actor="officer-1")
        assert report.ledger is not None
        assert report.ledger.verified == report.totals.verified == 12_000_000
        files = {name: io.BytesIO() for name in ("csv", "xlsx", "jsonl")}
        receipts = [platform.export("case", file, format=name) for name, file in files.items()]  # type: ignore[arg-type]
        assert len({receipt.digest for receipt in receipts}) == 1
        assert {receipt.rows for receipt in receipts} == {2}
        assert "'=乙劳务公司" in files["csv"].getvalue().decode("utf-8-sig"), "a formula is defused"
        assert {d.row.kind for d in platform.page("discrepancy").rows} == {"closed-without-evidence"}


def test_a_case_is_found_by_its_number_and_replayed_on_both_axes(real: Settings, tmp_path: Path) -> None:
    with opened(real) as platform:
        platform.import_book(a_book(tmp_path, BOOK), mapping="standard")
        view = platform.case("平-2")
        paid = next(item.position for item in view.timeline if item.type == "payment.line-credited.v2")
        before = platform.case("平-2", as_of=paid - 1)
        by = platform.case(view.case, by=date(2018, 6, 6))
        standings = [v.state.case.standing for v in (view, before, by) if v.state.case is not None]
        assert [standing.owing for standing in standings] == [0, 3_000_000, 3_000_000]
        with pytest.raises(InputError, match="not for both"):
            platform.case("平-2", as_of=1, by=date(2018, 6, 6))
        with pytest.raises(NotFoundError):
            platform.case("没有")


def test_a_row_is_what_the_entries_of_its_case_fold_to(real: Settings, tmp_path: Path) -> None:
    with opened(real) as platform:
        platform.import_book(a_book(tmp_path, BOOK), mapping="standard")
        for versioned in platform.rows("case"):
            events = [platform.types.decode(entry) for entry in platform.log.read_partition(versioned.key)]
            assert case_state(events).case == versioned.row


def test_a_board_with_a_halted_ledger_says_incomplete_and_never_cleared(real: Settings, tmp_path: Path) -> None:
    with opened(real) as platform:
        platform.import_book(a_book(tmp_path, BOOK), mapping="standard")
        complete = platform.board()
        assert complete.complete
        assert {cell.state for cell in complete.cells} == {CellState.OPEN}
    with open_platform(real) as platform:  # nothing folds
        platform.pause("case")
        platform.add_officer("wang")
        board = platform.board()
        assert not board.complete
        assert "paused" in (board.reason or "")
        assert {cell.state for cell in board.cells} == {CellState.INCOMPLETE}
        assert platform.board(as_of=complete.position).complete, "what was folded before it halted still holds"
        with pytest.raises(NotReadyError):
            platform.import_book(a_book(tmp_path, BOOK), mapping="standard")
        platform.resume("case")
    with opened(real) as platform:
        platform.wait_for(platform.head().position, timeout=60)
        assert platform.board().complete


def test_a_write_is_visible_to_who_waits_for_its_position(real: Settings) -> None:
    with opened(real) as platform:
        platform.add_officer("wang", name="王某")
        position = platform.head().position
        platform.wait_for(position, timeout=10, ledgers=["officer"])
        assert [row.row.handle for row in platform.page("officer").rows] == ["wang"]
        with pytest.raises(NotReadyError):
            platform.wait_for(position + 1, timeout=0.05, ledgers=["officer"])


def test_a_token_names_its_officer_until_it_is_revoked_and_is_kept_nowhere(real: Settings) -> None:
    with opened(real) as platform:
        _, token = platform.add_officer("wang", name="王某")
        platform.wait_for(platform.head().position, timeout=10, ledgers=["officer"])
        assert platform.authenticate(token).handle == "wang"
        assert not any(token.encode() in entry.entry for entry in platform.log.read(0, 100))
        with pytest.raises(RuleError, match="already"):
            platform.add_officer("wang")
        assert platform.revoke_tokens("wang", "lost") == 1
        platform.wait_for(platform.head().position, timeout=10, ledgers=["officer"])
        with pytest.raises(UnauthorisedError):
            platform.authenticate(token)
        assert platform.fsck() == []


def test_a_second_process_reads_while_the_first_one_folds(real: Settings) -> None:
    with opened(real) as first, open_platform(replace(real), folding=False) as second:
        first.add_officer("wang")
        second.wait_for(first.head().position, timeout=10)
        assert second.status().head == first.head()


def test_evidence_lies_in_the_folder_of_the_setting_and_a_start_clears_what_a_crash_left(
    real: Settings, tmp_path: Path
) -> None:
    elsewhere = replace(real, evidence=str(tmp_path / "files"))
    with open_platform(elsewhere) as platform:
        evidence = platform.files.put("case-1", [b"a note"], name="note.txt")
    (tmp_path / "files" / "new" / "left").write_bytes(b"half")
    with open_platform(elsewhere) as platform:
        assert list(platform.files.stored()) == [evidence.sha256]
        assert list((tmp_path / "files" / "new").iterdir()) == []
        assert b"".join(platform.files.open(evidence.sha256)) == b"a note"
    with open_platform(real) as platform:
        assert not platform.files.has(evidence.sha256)
        assert (real.data / "evidence").is_dir()


def test_a_sample_that_was_thrown_away_is_played_again_and_no_real_logs_key_is_taken_for_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bootstrap, "play", lambda *_, **__: None)
    settings = Settings(data=tmp_path / "sample")
    run_sample(settings)
    first = Signer.origin_of(settings.signer_path)
    shutil.rmtree(settings.data)
    run_sample(settings)
    second = Signer.origin_of(settings.signer_path)
    assert first
    assert second
    assert first != second
    shutil.rmtree(settings.data)
    shutil.rmtree(settings.signer_path)
    Signer.create(settings.signer_path, "yangquan-1")
    with pytest.raises(RuleError, match="keys of another log"):
        run_sample(settings)
    assert Signer.origin_of(settings.signer_path) == "yangquan-1"
    assert not settings.data.exists()
