"""The doors on the real platform: what the fake promises, PostgreSQL, fold engine and vault keep."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from fastapi.testclient import TestClient

from domain.sealing.bundles import verify_bundle
from domain.sealing.checkpoint import parse_checkpoint
from domain.sealing.encoding import read_hash
from domain.sealing.note import VerifierKey, parse_note
from domain.sealing.policy import Policy
from domain.sealing.proof_file import parse_proof
from domain.sealing.receipt import parse_receipt
from domain.sealing.tiles import Bundle, Tile, bundles_at, hash_reader
from domain.sealing.tree import root_from, verify_consistency
from infra.bootstrap import Platform, initialise, open_platform
from tests.api.conftest import client_of
from tests.api.sampled import folded, sampled, settings_of


@pytest.fixture(scope="module")
def sample() -> Iterator[Platform]:
    with sampled() as platform:
        yield platform


@pytest.fixture(scope="module")
def doors(sample: Platform) -> Iterator[TestClient]:
    with client_of(sample) as client:
        yield client


def rows_of(doors: TestClient, address: str) -> list[dict]:
    rows, following = [], address
    while following:
        answer = doors.get(following).raise_for_status().json()
        rows += answer["rows"]
        following = answer["next"]
    return rows


def test_the_sample_is_ready_and_its_board_complete(doors: TestClient):
    assert doors.get("/readyz").json() == {"ready": True}
    assert doors.get("/v1/clearance").json()["complete"] is True


@pytest.mark.parametrize("ledger", ["case", "claim", "payment", "discrepancy", "book", "officer"])
def test_pages_lead_through_every_row_once_in_the_order_of_its_values(doors: TestClient, ledger: str):
    catalogue = doors.get("/v1/ledgers").json()["ledgers"]
    orders = next(entry["orders"] for entry in catalogue if entry["name"] == ledger)
    whole = {row["key"] for row in rows_of(doors, f"/v1/ledgers/{ledger}?limit=200")}
    assert whole
    for order in orders:
        for descending in ("true", "false"):
            rows = rows_of(doors, f"/v1/ledgers/{ledger}?limit=190&order={order}&descending={descending}")
            assert len(rows) == len(whole)
            assert {row["key"] for row in rows} == whole
            values = [row["values"][order] for row in rows if row["values"][order] is not None]
            assert values == sorted(values, reverse=descending == "true"), (ledger, order)


def test_every_figure_of_the_board_is_made_of_cases_that_add_up_to_it(doors: TestClient):
    board = doors.get("/v1/clearance").json()
    for total in board["totals"]:
        for measure in ("members", "open", "owing", "stated_closed"):
            where = f"case_class={total['case_class']}&checkpoint={total['checkpoint']}&measure={measure}"
            rows = rows_of(doors, f"/v1/clearance/cases?{where}")
            assert sum(row["adds"] for row in rows) == total["now"][measure]


def test_a_paid_case_is_unpaid_as_known_before_its_first_payment(doors: TestClient):
    settled = doors.get("/v1/ledgers/case?stage=written-off&limit=200").json()["rows"]
    case = next(row["key"] for row in settled if row["values"]["paid"])
    now = doors.get(f"/v1/cases/{case}").json()
    first = next(item for item in now["timeline"] if item["type"] == "payment.recorded.v1")
    before = doors.get(f"/v1/cases/{case}?as_known_at={first['position'] - 1}").json()
    assert now["values"]["paid"] > 0
    assert now["values"]["owing"] == 0
    assert before["values"]["paid"] == 0
    in_ledger = doors.get(f"/v1/ledgers/case/{case}?as_known_at={first['position'] - 1}").json()["row"]
    assert in_ledger["values"] == before["values"]


def test_a_case_is_found_by_its_official_number(doors: TestClient):
    row = doors.get("/v1/ledgers/case?limit=1").json()["rows"][0]
    assert doors.get(f"/v1/cases/{quote(row['values']['number'])}").json()["case"] == row["key"]


def test_the_bytes_of_an_event_are_those_of_the_log(doors: TestClient, sample: Platform):
    for position in (1, 2, 1000, sample.head().position):
        entry = doors.get(f"/v1/events/{position}/entry").content
        assert entry == sample.log.read(position - 1, 1)[0].entry
        assert json.loads(entry)["specversion"] == "1.0"


@pytest.mark.parametrize("format", ["csv", "xlsx", "jsonl"])
def test_an_export_holds_every_row_under_one_digest(doors: TestClient, sample: Platform, format: str):
    position = sample.head().position
    response = doors.get(f"/v1/ledgers/case/export?format={format}&as_known_at={position}&language=zh")
    whole = rows_of(doors, f"/v1/ledgers/case?limit=200&as_known_at={position}")
    assert response.headers["Qingling-Rows"] == str(len(whole))
    assert response.headers["Qingling-Position"] == str(position)
    other = doors.get(f"/v1/ledgers/case/export?format=csv&as_known_at={position}")
    assert response.headers["Qingling-Digest"] == other.headers["Qingling-Digest"]
    numbers = {row["values"]["number"] for row in whole}
    if format == "csv":
        text = response.content.decode("utf-8-sig")
        assert all(number in text for number in numbers)
        assert len(list(csv.reader(io.StringIO(text)))) >= len(whole) + 1
    elif format == "xlsx":
        assert zipfile.ZipFile(io.BytesIO(response.content)).testzip() is None
    else:
        assert len(response.text.strip().splitlines()) >= len(whole)


def test_names_are_opened_from_the_vault_and_only_when_asked_for(doors: TestClient):
    sealed = doors.get("/v1/ledgers/claim?limit=20").json()["rows"]
    opened = doors.get("/v1/ledgers/claim?limit=20&names=true").json()["rows"]
    names = [row["values"]["worker"] for row in opened if row["values"]["worker"]]
    assert names
    assert all(name["text"] for name in names)
    assert all(row["values"]["worker"].keys() == {"sealed", "subject"} for row in sealed if row["values"]["worker"])


@pytest.mark.parametrize(
    "page",
    [
        "/",
        "/?as_known_at=2019-12-31",
        "/ledgers",
        "/ledgers/case",
        "/ledgers/claim?case=x",
        "/ledgers/discrepancy",
        "/ledgers/book",
        "/ledgers/officer",
        "/ledgers/payment?as_known_at=2019-12-31",
        "/status",
        "/log",
        "/events/1000",
        "/events/1000/receipt",
        "/api",
    ],
)
@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_page_is_shown(doors: TestClient, language: str, page: str):
    assert doors.get(f"/{language}{page}").status_code == 200


def test_a_prefix_with_wildcards_is_text_like_any_other(doors: TestClient):
    assert doors.get("/v1/ledgers/case?prefix=%25").json()["rows"] == []
    assert doors.get("/v1/ledgers/case?prefix=_").json()["rows"] == []


def test_a_filter_value_of_the_wrong_kind_is_refused_or_matches_nothing(doors: TestClient):
    response = doors.get("/v1/ledgers/case?stated_closed=perhaps")
    assert response.status_code == 400
    assert response.json()["field"] == "stated_closed"


def test_a_cursor_that_was_made_up_is_refused(doors: TestClient):
    for cursor in ("x", "AAAA", "%00", "e30", "WyJhIl0"):
        assert doors.get(f"/v1/ledgers/case?after={cursor}").status_code == 400, cursor
    following = doors.get("/v1/ledgers/case?order=owing&limit=1").json()["after"]
    assert doors.get(f"/v1/ledgers/case?order=received&after={following}").status_code == 400


def test_every_part_of_the_log_is_proved_to_who_has_only_the_key(doors: TestClient, sample: Platform):
    policy = Policy.of_log(VerifierKey.parse(doors.get("/v1/log").json()["sealing"]["keys"][0]["vkey"]))
    for position in (1, 2, 255, 256, 257, 1000, sample.head().position):
        proof = parse_proof(doors.get(f"/v1/events/{position}/proof").content)
        entry = doors.get(f"/v1/events/{position}/entry").content
        assert proof.verified(entry, policy).checkpoint.size == sample.head().position
        parse_receipt(proof.extra).verified(proof, policy)


def test_the_signed_root_is_that_of_the_tiles_and_the_tiles_are_those_of_the_entries(doors: TestClient):
    def load(tile: Tile) -> bytes:
        return doors.get(f"/log/{tile.path}").raise_for_status().content

    head = parse_checkpoint(parse_note(doors.get("/log/checkpoint").content).text)
    assert root_from(head.size, hash_reader(head.size, load)) == head.root
    for bundle in bundles_at(head.size):
        content = doors.get(f"/log/{bundle.path}").raise_for_status().content
        verify_bundle(bundle, content, load(Tile(0, bundle.index, bundle.width)))


def test_the_state_of_every_event_of_a_case_is_known(doors: TestClient):
    case = doors.get("/v1/ledgers/case?limit=1").json()["rows"][0]["key"]
    view = doors.get(f"/v1/cases/{case}").json()
    assert view["sealing"]["state"] == "published"
    assert {item["state"] for item in view["timeline"]} == {"published"}


def test_what_an_officer_records_is_published_while_they_wait_and_proved_to_have_only_been_added(
    database_url: str, tmp_path: Path
):
    settings = settings_of(tmp_path / "office")
    settings = type(settings)(**{**vars(settings), "database_url": database_url})
    initialise(settings, origin="office")
    with open_platform(settings, folding=True, sealing=True) as platform:
        _, token = platform.add_officer("li-jing", name="李静")
        folded(platform)
        officer = {"Authorization": f"Bearer {token}"}
        with client_of(platform) as client:
            platform.sealing.wait_published(platform.head().position, 30)
            old = parse_checkpoint(parse_note(client.get("/log/checkpoint").content).text)
            recorded = client.post("/v1/log/wholeness?wait=published", headers=officer)
            assert (recorded.status_code, recorded.json()["state"]) == (201, "published")
            new = parse_checkpoint(parse_note(client.get("/log/checkpoint").content).text)
            grown = client.get(f"/v1/log/consistency?old={old.size}&new={new.size}", headers=officer).json()["proof"]
            verify_consistency(old.size, old.root, new.size, new.root, [read_hash(node, "a hash") for node in grown])
            kept = client.get(f"/v1/log/checkpoint?size={old.size}", headers=officer).json()
            assert parse_checkpoint(parse_note(kept["note"].encode()).text) == old
            assert client.get("/v1/log/wholeness", headers=officer).json()["position"] == recorded.json()["position"]
            event = recorded.headers["Location"]
            assert client.get(event, headers=officer).json()["item"]["state"] == "published"
            assert client.get(f"{event}/proof").status_code == 401
            assert client.get(f"/log/{Bundle(0, new.size).path}").status_code == 401
            assert client.get(f"/log/{Bundle(0, new.size).path}", headers=officer).status_code == 200
            receipt = client.get(f"/zh/events/{old.size}/receipt", headers=officer).text
            assert "李静" not in receipt
            assert "li-jing" not in receipt


def test_a_real_log_is_read_by_the_officer_whom_the_token_names(database_url: str, tmp_path: Path):
    settings = settings_of(tmp_path / "office")
    settings = type(settings)(**{**vars(settings), "database_url": database_url})
    initialise(settings, origin="office")
    with open_platform(settings, folding=True) as platform:
        _, token = platform.add_officer("li-jing", name="李静")
        folded(platform)
        with client_of(platform) as client:
            assert client.get("/v1/log").status_code == 401
            officer = {"Authorization": f"Bearer {token}"}
            assert client.get("/v1/log", headers=officer).json()["kind"] == "real"
            name = client.get("/v1/ledgers/officer?names=true", headers=officer).json()["rows"][0]["values"]["name"]
            assert name["text"] == "李静"
            signed_in = client.post("/zh/sign-in", data={"token": token}, headers={"Origin": "http://testserver"})
            assert signed_in.status_code == 303
            assert "li-jing" in client.get("/zh/").text
            platform.revoke_tokens("li-jing", "left the office")
            folded(platform)
            assert client.get("/v1/log", headers=officer).status_code == 401
            assert token not in client.get("/v1/log", headers=officer).text
            assert hashlib.sha256(token.encode()).hexdigest() not in client.get("/openapi.json").text
