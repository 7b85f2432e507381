"""Making a pack: in which order, what it refuses to pack, and what a failure leaves."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import orjson
import pytest

from domain.campaigns.genesis import LogKind
from domain.errors import InputError, NotFoundError, NotReadyError, VerificationError
from domain.packs.pack import Selection, SelectionKind
from domain.streams import Visibility
from infra.bootstrap import Platform, Settings, initialise, make_pack, open_platform, verify_pack
from infra.packs import layout, writer
from infra.packs.selection import selection_of
from infra.packs.writer import Stage
from infra.sealing.provable_log import ProvableLog
from tests.infra.packs.office import BOOK, SELECTIONS, Office, a_book, unzipped

ALL = Selection(kind=SelectionKind.ALL)


@pytest.fixture
def platform(office: Office) -> Iterator[Platform]:
    with office.opened() as platform:
        yield platform


def types_since(platform: Platform, position: int) -> list[str]:
    return [stored.type for stored in platform.log.read(position, 1_000)]


def test_figures_are_bound_first_then_published_and_only_then_written(platform: Platform, tmp_path: Path) -> None:
    stages: list[Stage] = []
    before = platform.head().position
    made = make_pack(platform, ALL, tmp_path / "x.zip", progress=lambda stage, *_: stages.append(stage))
    assert list(dict.fromkeys(stages)) == list(Stage)
    assert types_since(platform, before) == ["log.wholeness-committed.v1", "pack.made.v1"]
    assert made.report.upto == before
    assert made.report.trusted.checkpoint.size >= made.report.made
    assert list(tmp_path.iterdir()) == [tmp_path / "x.zip"]


def test_what_others_record_meanwhile_does_not_come_into_the_pack(platform: Platform, tmp_path: Path) -> None:
    handles = iter(("zhao", "qian", "sun", "li"))

    def somebody_else(stage: Stage, *_: object) -> None:
        if stage in (Stage.BINDING, Stage.PUBLISHING):
            platform.add_officer(next(handles))

    made = make_pack(platform, ALL, tmp_path / "x.zip", progress=somebody_else)
    assert made.report.made > made.report.wholeness + 0
    assert made.report.wholeness > made.report.upto + 1
    verify_pack(tmp_path / "x.zip", platform.sealing.policy())


def test_nothing_is_overwritten_and_nothing_recorded_for_it(platform: Platform, tmp_path: Path) -> None:
    target = tmp_path / "x.zip"
    target.write_bytes(b"mine")
    before = platform.head().position
    with pytest.raises(InputError, match="overwrites nothing"):
        make_pack(platform, ALL, target)
    assert target.read_bytes() == b"mine"
    assert platform.head().position == before
    with pytest.raises(InputError, match="cannot write"):
        make_pack(platform, ALL, tmp_path / "nowhere" / "x.zip")


def test_a_failure_leaves_no_file(platform: Platform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_quorum(*_: object) -> bytes:
        raise NotReadyError("no quorum yet")

    monkeypatch.setattr(ProvableLog, "publish", no_quorum)
    with pytest.raises(NotReadyError):
        make_pack(platform, ALL, tmp_path / "x.zip")
    assert not list(tmp_path.iterdir())


def test_an_interruption_leaves_no_file(platform: Platform, tmp_path: Path) -> None:
    def stop(stage: Stage, *_: object) -> None:
        if stage is Stage.WRITING:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make_pack(platform, ALL, tmp_path / "x.zip", progress=stop)
    assert not list(tmp_path.iterdir())


def test_a_ledger_that_its_events_do_not_make_is_not_packed_and_nothing_is_recorded(
    platform: Platform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = Platform.rows

    def wrong(self: Platform, ledger: str, **asked: Any) -> Iterator[Any]:
        for each in rows(self, ledger, **asked):
            yield replace(each, row=msgspec.structs.replace(each.row, total=1)) if ledger == "payment" else each

    monkeypatch.setattr(Platform, "rows", wrong)
    before = platform.head().position
    with pytest.raises(VerificationError, match=r"ledger payment, row payment-\w+: .*qingling rebuild payment"):
        make_pack(platform, ALL, tmp_path / "x.zip")
    assert platform.head().position == before


@pytest.mark.parametrize("ledger", ["case", "claim", "payment"])
def test_a_row_that_a_ledger_lacks_is_missed(
    platform: Platform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ledger: str
) -> None:
    rows = Platform.rows

    def lacking(self: Platform, name: str, **asked: Any) -> Iterator[Any]:
        found = rows(self, name, **asked)
        if name == ledger:
            next(found)
        yield from found

    monkeypatch.setattr(Platform, "rows", lacking)
    with pytest.raises(VerificationError, match=f"ledger {ledger}, row {ledger}-"):
        make_pack(platform, ALL, tmp_path / "x.zip")


def test_a_board_that_the_cases_do_not_add_up_to_is_not_packed(
    platform: Platform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cells = platform.reader.cells

    def wrong(summary: str, **asked: Any) -> dict[Any, Any]:
        return {cell: (sums[0] + 1, *sums[1:]) for cell, sums in cells(summary, **asked).items()}

    monkeypatch.setattr(platform.reader, "cells", wrong)
    with pytest.raises(VerificationError, match="ledger clearance, row 140"):
        make_pack(platform, ALL, tmp_path / "x.zip")
    monkeypatch.setattr(platform.reader, "cells", lambda *_, **__: {})
    with pytest.raises(VerificationError, match="ledger clearance, row 140321/"):
        make_pack(platform, Selection(kind=SelectionKind.JURISDICTION, value="140321"), tmp_path / "x.zip")


def test_an_event_altered_in_the_database_after_it_was_sealed_comes_into_no_pack(
    platform: Platform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    platform.sealing.publish()
    read = platform.log.read

    def altered(after: int, limit: int) -> list[Any]:
        return [replace(each, entry=each.entry.replace(b"officer-1", b"officer-2")) for each in read(after, limit)]

    monkeypatch.setattr(platform.log, "read", altered)
    with pytest.raises(VerificationError, match=r"rule [35]"):
        make_pack(platform, ALL, tmp_path / "x.zip")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "selection",
    [
        Selection(kind=SelectionKind.CASE, value="case-none"),
        Selection(kind=SelectionKind.PROJECT, value="三号工程"),
        Selection(kind=SelectionKind.JURISDICTION, value="140311"),
        Selection(kind=SelectionKind.RECEIVED, first=date(2001, 1, 1), last=date(2001, 1, 2)),
    ],
)
def test_a_selection_without_any_case_makes_no_pack(platform: Platform, tmp_path: Path, selection: Selection) -> None:
    with pytest.raises(NotFoundError):
        make_pack(platform, selection, tmp_path / "x.zip")
    with pytest.raises(InputError, match="no jurisdiction"):
        make_pack(platform, Selection(kind=SelectionKind.JURISDICTION, value="999999"), tmp_path / "x.zip")


def test_days_of_reception_are_local_and_both_included(platform: Platform, tmp_path: Path) -> None:
    span = Selection(kind=SelectionKind.RECEIVED, first=date(2019, 11, 20), last=date(2019, 11, 21))
    make_pack(platform, span, tmp_path / "x.zip")
    report = verify_pack(tmp_path / "x.zip", platform.sealing.policy())
    assert report.cases == 2
    cases = unzipped((tmp_path / "x.zip").read_bytes())["ledgers/case.csv"].decode()
    assert "盂-1" in cases
    assert "盂-2" in cases


@pytest.mark.parametrize("name", ["case", "project", "jurisdiction"])
def test_many_cases_are_read_otherwise_and_packed_alike(
    office: Office, platform: Platform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(writer, "_FEW", 0)
    make_pack(platform, SELECTIONS[name](office), tmp_path / "x.zip")
    verify_pack(tmp_path / "x.zip", platform.sealing.policy())
    few, many = office.files(name), unzipped((tmp_path / "x.zip").read_bytes())
    for file in few:
        if file.endswith(".csv"):
            assert few[file] == many[file]
    assert orjson.loads(few[layout.MANIFEST])["partitions"] == orjson.loads(many[layout.MANIFEST])["partitions"]


def test_a_pack_in_english_says_the_same_under_english_headings(platform: Platform, tmp_path: Path) -> None:
    make_pack(platform, ALL, tmp_path / "x.zip", language="en")
    verify_pack(tmp_path / "x.zip", platform.sealing.policy())
    text = unzipped((tmp_path / "x.zip").read_bytes())["ledgers/case.csv"].decode("utf-8-sig")
    assert text.startswith("Case number,")


def test_a_simulation_is_packed_as_what_it_is(database_url: str, tmp_path: Path) -> None:
    from datetime import UTC, datetime

    settings = Settings(data=tmp_path / "data", database_url=database_url)
    initialise(settings, origin="play", kind=LogKind.SIMULATION, now=datetime(2019, 11, 15, 1, tzinfo=UTC))
    with open_platform(settings, folding=True) as platform:
        platform.import_book(a_book(tmp_path, BOOK), mapping="standard")
        made = make_pack(platform, ALL, tmp_path / "x.zip")
        assert made.report.kind == "simulation"
        assert made.report.made_at.year == 2019
        assert verify_pack(tmp_path / "x.zip", platform.sealing.policy()).kind == "simulation"
    assert "模拟" in unzipped((tmp_path / "x.zip").read_bytes())["README.html"].decode()


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"case": "x", "project": "y"},
        {"everything": True, "first": date(2019, 1, 1), "last": date(2019, 1, 2)},
        {"first": date(2019, 1, 1)},
        {"last": date(2019, 1, 1)},
        {"first": date(2019, 1, 2), "last": date(2019, 1, 1)},
    ],
)
def test_one_selection_is_asked_for_and_a_span_has_two_ends(asked: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        selection_of(**asked)


def test_a_selection_is_what_was_asked_for() -> None:
    make: Callable[..., Selection] = selection_of
    assert make(case="x") == Selection(kind=SelectionKind.CASE, value="x")
    assert make(first=date(2019, 1, 1), last=date(2019, 1, 1)).first == date(2019, 1, 1)
    assert make(everything=True) == ALL


@pytest.mark.parametrize("name", ["project", "all", "all-office"])
def test_what_rests_on_a_withheld_event_of_a_case_says_so_and_the_pack_holds(
    office: Office, platform: Platform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    hidden = next(
        position
        for position, entry in enumerate(office.entries, start=1)
        if b'"type":"payment.line-credited.v2"' in entry and office.cases["盂-1"].encode() in entry
    )
    decode = platform.types.decode

    def under_review(stored: Any) -> Any:
        recorded = decode(stored)
        if stored.position == hidden:
            recorded.envelope = msgspec.structs.replace(recorded.envelope, visibility=Visibility.REVIEW)
        return recorded

    monkeypatch.setattr(platform.types, "decode", under_review)
    make_pack(platform, SELECTIONS[name](office), tmp_path / "x.zip", office=name == "all-office")
    monkeypatch.undo()
    report = verify_pack(tmp_path / "x.zip", platform.sealing.policy())
    assert report.withheld[hidden] == office.cases["盂-1"]
    uncovered = {each.name: each.uncovered for each in report.ledgers or ()}
    assert (uncovered["claim"], uncovered["payment"], uncovered["case"]) == (1, 1, 1)
    assert uncovered["clearance"] > 0
