"""What a pack holds, and that it is verified by who has the public key alone."""

from __future__ import annotations

import csv
import io
from functools import partial
from pathlib import Path

import orjson
import pytest

from domain.errors import VerificationError
from domain.sealing.note import VerifierKey
from domain.sealing.policy import Policy
from infra.packs import writer
from infra.packs.tables import OF_CASES, names_of
from infra.packs.verify import PackReport, verify_pack
from tests.infra.packs.office import SELECTIONS, Office
from tests.postgres_server import server

SELECTED = {
    "case": ["平-1"],
    "project": ["平-1", "盂-1"],
    "jurisdiction": ["盂-1", "盂-2"],
    "all": ["平-1", "平-2", "盂-1", "盂-2"],
    "all-office": ["平-1", "平-2", "盂-1", "盂-2"],
}


def verified(office: Office, name: str) -> PackReport:
    return verify_pack(office.packs[name], Policy.of_log(VerifierKey.parse(office.vkey)))


@pytest.mark.parametrize("name", SELECTIONS)
def test_a_pack_is_verified_with_the_public_key_alone_and_shows_the_cases_asked_for(office: Office, name: str) -> None:
    report = verified(office, name)
    rows = list(csv.reader(io.StringIO(office.files(name)["ledgers/case.csv"].decode("utf-8-sig"))))
    assert sorted(row[0] for row in rows[1:]) == SELECTED[name]
    assert report.cases == len(SELECTED[name])
    assert report.trusted.vkeys == (office.vkey,)
    assert not report.trusted.quorum


def test_figures_that_rest_on_other_cases_say_so_and_no_others(office: Office) -> None:
    for name in ("case", "project", "jurisdiction"):
        ledgers = verified(office, name).ledgers or ()
        assert {each.name: each.uncovered > 0 for each in ledgers} == {
            **dict.fromkeys(OF_CASES, False),
            "clearance": True,
        }
    for name in ("all", "all-office"):
        assert sum(each.uncovered for each in verified(office, name).ledgers or ()) == 0


def test_what_only_the_office_sees_is_withheld_but_counted_unless_it_was_asked_for(office: Office) -> None:
    report = verified(office, "all")
    withheld = set(report.withheld.values())
    assert any(key.startswith("officer-") for key in withheld)
    assert any(key.startswith("book-") for key in withheld)
    entries = office.files("all")["entries.jsonl"]
    assert entries.count(b'"visibility":"office"') == 1, "the event of the pack itself"
    assert [each.name for each in report.ledgers or ()] == [*OF_CASES, "clearance"]
    office_report = verified(office, "all-office")
    assert not office_report.withheld
    assert {"book", "officer"} <= {each.name for each in office_report.ledgers or ()}


def test_no_personal_text_stands_in_a_pack(office: Office) -> None:
    for name in SELECTIONS:
        for data in office.files(name).values():
            assert "王某".encode() not in data


def test_the_log_announced_the_figures_before_the_pack_was_written(office: Office) -> None:
    report = verified(office, "case")
    announced = orjson.loads(office.entries[report.made - 1])
    assert announced["type"] == "pack.made.v1"
    assert announced["data"]["selection"] == {"kind": "case", "value": office.cases["平-1"]}
    assert announced["data"]["upto"] == report.upto < report.wholeness < report.made


def test_the_page_in_a_pack_is_whole_in_itself_and_says_both_languages_and_the_key(office: Office) -> None:
    page = office.files("project")["README.html"].decode()
    assert office.vkey in page.replace("&#43;", "+")
    assert "未证明" in page
    assert "Not proved" in page
    for outside in ("<script", "http://", "https://", "<link", "<img", "@import", "url("):
        assert outside not in page


def test_every_type_of_event_in_a_pack_has_its_schema(office: Office) -> None:
    files = office.files("all-office")
    types = {orjson.loads(line)["type"] for line in files["entries.jsonl"].splitlines()}
    assert {name for name in files if name.startswith("schemas/")} == {f"schemas/{each}.json" for each in types}


def test_another_key_verifies_nothing(office: Office) -> None:
    other = VerifierKey(office.key.name, bytes(32))
    with pytest.raises(VerificationError, match=r"rule 2.*no known key"):
        verify_pack(office.packs["case"], Policy.of_log(other))


def test_a_pack_with_the_ledgers_of_an_earlier_release_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    earlier = ("claim", "payment", "case", "discrepancy")
    monkeypatch.setattr(writer, "names_of", partial(names_of, of_cases=earlier))
    office = Office.on(server(), tmp_path)
    assert [each.name for each in verified(office, "jurisdiction").ledgers or ()] == [*earlier, "clearance"]
