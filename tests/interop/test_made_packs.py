"""Packs that an office made of its own log, verified in an empty folder by both verifiers, as somebody does who has only the pack and
the public key. The same packs doctored are refused by both, or by the one that derives the figures again."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest
import xlsxwriter
from python_calamine import CalamineWorkbook

from domain.packs.pack import Selection, SelectionKind
from infra.bootstrap import Settings, initialise, make_pack, open_platform
from infra.packs import layout
from infra.postgres.embedded import EmbeddedPostgres
from tests.conftest import SOAKING
from tests.infra.packs.office import Forgery, Office, unzipped, zipped
from tests.interop.conftest import Check
from tests.interop.small_pack import Files, resealed
from tests.postgres_server import fresh_database


@pytest.fixture(scope="module")
def office(postgres_server: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory) -> Office:
    """Four cases of two counties, and packs of them."""
    folder = tmp_path_factory.mktemp("office")
    return Office.founded(Settings(data=folder / "data", database_url=fresh_database(postgres_server)), folder)


def shown(files: Files) -> list[bytes]:
    """The lines of entries.jsonl."""
    return files[layout.ENTRIES].splitlines(keepends=True)


def with_shown(files: Files, lines: list[bytes]) -> Files:
    """The files with other entries, sealed again."""
    said = {**orjson.loads(files[layout.MANIFEST]), "entries": len(lines)}
    return resealed({**files, layout.ENTRIES: b"".join(lines)}, said)


@pytest.mark.parametrize("name", ["case", "project", "jurisdiction", "all", "all-office"])
def test_a_pack_holds_for_both_with_only_the_pack_and_the_key(office: Office, check: Check, name: str) -> None:
    answers = check(office.packs[name].read_bytes(), office.vkey)
    assert answers.codes == (0, 0), answers


def test_a_pack_with_an_event_removed_replaced_or_swapped_is_refused_by_both(office: Office, check: Check) -> None:
    files = office.files("project")
    lines = shown(files)
    at = next(at for at, line in enumerate(lines) if b'"type":"payment.' in line or b'"type":"claim.' in line)
    removed, replaced, swapped = list(lines), list(lines), list(lines)
    del removed[at]
    replaced[at] = lines[at].replace(b'"time":"20', b'"time":"19', 1)
    swapped[at], swapped[at - 1] = lines[at - 1], lines[at]
    for changed in (removed, replaced, swapped):
        answers = check(zipped(with_shown(files, changed)), office.vkey)
        assert answers.codes == (9, 9), answers
        assert "refused: rule " in answers.go_said


def test_a_stream_cut_short_by_who_has_the_logs_key_is_refused_by_both(office: Office, check: Check) -> None:
    forgery = Forgery.of(office, "project")
    case = next(name for name in forgery.partitions if name != "log")
    last = max(at for at in forgery.positions if orjson.loads(office.entries[at - 1])["partitionkey"] == case)
    forgery.positions.remove(last)
    answers = check(zipped(forgery.files()), office.vkey)
    assert answers.codes == (9, 9), answers
    assert f'rule 5, wholeness.json: the partition "{case}" is not whole' in answers.go_said


def test_a_figure_changed_is_refused_by_both_and_one_that_the_log_announced_wrong_by_who_derives_it(
    office: Office, check: Check
) -> None:
    files = office.files("case")
    csv = layout.ledger_file("case", "csv")
    changed = resealed({**files, csv: files[csv].replace(b"90000", b"91000")})
    assert changed[csv] != files[csv]
    answers = check(zipped(changed), office.vkey)
    assert answers.codes == (9, 9), answers
    assert f"rule 6, {csv}" in answers.go_said

    forgery = Forgery.of(office, "case")
    forgery.ledger("case", lambda text: text.replace("90000", "91000"))
    announced = check(zipped(forgery.files()), office.vkey)
    assert announced.codes == (9, 0), announced
    assert "that the ledgers follow from the entries" in announced.go_said, "Go says that it does not check this"


def first_rows(book: Path, folder: Path) -> Path:
    """The first of a book's rows, as they are; all of them are for `scripts/soak`."""
    rows = CalamineWorkbook.from_path(str(book)).get_sheet_by_index(0).to_python()[:3_001]
    with xlsxwriter.Workbook(str(folder / book.name), {"default_date_format": "yyyy-mm-dd hh:mm:ss"}) as written:
        sheet = written.add_worksheet()
        for at, row in enumerate(rows):
            sheet.write_row(at, 0, row)
    return folder / book.name


@pytest.mark.slow
@pytest.mark.real_data
def test_a_pack_of_the_new_jersey_import_holds_for_both_and_not_with_an_event_or_a_figure_changed(
    postgres_server: EmbeddedPostgres, real_data: Path, check: Check, tmp_path: Path
) -> None:
    settings = Settings(data=tmp_path / "data", database_url=fresh_database(postgres_server))
    initialise(settings, origin="new-jersey")
    with open_platform(settings, folding=True) as platform:
        book = real_data / "new-jersey-wage-claims.xlsx"
        platform.import_book(book if SOAKING else first_rows(book, tmp_path), mapping="new-jersey", actor="officer-1")
        made = make_pack(platform, Selection(kind=SelectionKind.ALL), tmp_path / "all.zip", office=True)
        vkey = platform.sealing.status().vkeys[0]
    pack = made.path.read_bytes()
    answers = check(pack, vkey)
    assert answers.codes == (0, 0), answers
    assert "0 withheld" in answers.go_said

    files = unzipped(pack)
    lines = shown(files)
    middle = len(lines) // 2
    csv = layout.ledger_file("claim", "csv")
    rows = files[csv].split(b"\r\n")
    for what, changed in {
        "an event removed": with_shown(files, lines[:middle] + lines[middle + 1 :]),
        "an event replaced": with_shown(files, [*lines[:middle], lines[middle - 1], *lines[middle + 1 :]]),
        "a row of a ledger left out": resealed({**files, csv: b"\r\n".join(rows[:5] + rows[6:])}),
    }.items():
        refused = check(zipped(changed), vkey)
        assert refused.codes == (9, 9), (what, refused)
