"""`/v1/ledgers`: what is listed, filtered, ordered, paged, and known at any time."""

from __future__ import annotations

import csv
import hashlib
import io

import pytest
from fastapi.testclient import TestClient

from projections.ledger import SummaryLedger
from tests.api.fake_platform import OPEN_CASE, OWING_CASE, PAID_CASE, FakePlatform

OPEN_ID, PAID_ID = "case-645f7b3cea24b3eb", "case-8048ba1b8c7e0dee"


def numbers(answer: dict) -> list[str]:
    return [row["values"]["number"] for row in answer["rows"]]


def test_the_catalogue_says_of_every_ledger_what_it_can_be_asked(client: TestClient, platform: FakePlatform):
    ledgers = {ledger["name"]: ledger for ledger in client.get("/v1/ledgers").json()["ledgers"]}
    assert set(ledgers) == set(platform.catalogue.names())
    assert ledgers["case"]["orders"] == ["received", "owing"]
    assert ledgers["case"]["search"] == "number"
    assert ledgers["clearance"]["kind"] == "summary"


def test_every_ledger_with_rows_is_answered_with_all_its_columns(client: TestClient, platform: FakePlatform):
    for ledger in platform.catalogue:
        if not isinstance(ledger, SummaryLedger):
            answer = client.get(f"/v1/ledgers/{ledger.name}").json()
            assert [column["name"] for column in answer["columns"]] == [column.name for column in ledger.columns]
            assert all(set(row["values"]) == {column.name for column in ledger.columns} for row in answer["rows"])
            assert answer["log"]["kind"] == "simulation"


def test_no_two_columns_of_a_ledger_share_a_name(platform: FakePlatform):
    for ledger in platform.catalogue:
        if not isinstance(ledger, SummaryLedger):
            names = [column.name for column in ledger.columns]
            assert [name for name in names if names.count(name) > 1] == [], ledger.name


def test_amounts_are_whole_fen(client: TestClient):
    rows = client.get("/v1/ledgers/case", params={"prefix": PAID_CASE}).json()["rows"]
    assert [row["values"]["paid"] for row in rows] == [2_950_050]


def test_rows_come_in_the_order_that_is_asked(client: TestClient):
    answer = client.get("/v1/ledgers/case?order=owing&descending=true").json()
    owing = [row["values"]["owing"] for row in answer["rows"]]
    assert owing == sorted(owing, reverse=True)
    assert len(set(owing)) > 2


def test_rows_are_filtered_by_columns(client: TestClient):
    answer = client.get("/v1/ledgers/case?jurisdiction=140321&funding=private").json()
    assert numbers(answer) == [PAID_CASE]
    assert answer["filters"] == {"jurisdiction": "140321", "funding": "private"}


def test_the_next_link_leads_through_every_row_once(client: TestClient):
    seen, address = [], "/v1/ledgers/claim?limit=5&order=owing"
    while address:
        response = client.get(address)
        answer = response.json()
        seen += [row["key"] for row in answer["rows"]]
        address = answer["next"]
        assert response.headers.get("Link") == (f'<{address}>; rel="next"' if address else None)
    assert len(seen) == len(set(seen)) == 20


def test_a_ledger_as_known_at_a_day_holds_nothing_that_was_recorded_later(client: TestClient):
    answer = client.get("/v1/ledgers/case?as_known_at=2019-12-20").json()
    paid = {row["values"]["number"]: row["values"]["paid"] for row in answer["rows"]}
    assert paid[PAID_CASE] == 0
    assert answer["as_known_at"]["asked"] == "2019-12-20"
    assert answer["position"] == answer["as_known_at"]["position"]
    assert all(row["position"] <= answer["position"] for row in answer["rows"])


def test_the_position_that_comes_back_asks_for_the_same_again(client: TestClient):
    by_day = client.get("/v1/ledgers/case?as_known_at=2019-12-20").json()
    again = client.get(f"/v1/ledgers/case?as_known_at={by_day['position']}").json()
    assert again["rows"] == by_day["rows"]


def test_a_row_and_its_versions_bear_the_positions_that_made_them(client: TestClient):
    row = client.get(f"/v1/ledgers/case/{PAID_ID}").json()["row"]
    versions = client.get(f"/v1/ledgers/case/{PAID_ID}/versions").json()["versions"]
    assert versions[-1]["position"] == row["position"]
    assert versions[-1]["until"] is None
    assert [version["until"] for version in versions[:-1]] == [version["position"] for version in versions[1:]]


def test_a_row_is_known_as_it_was_at_a_position(client: TestClient):
    versions = client.get(f"/v1/ledgers/case/{PAID_ID}/versions").json()["versions"]
    second = versions[1]
    row = client.get(f"/v1/ledgers/case/{PAID_ID}?as_known_at={second['position']}").json()["row"]
    assert row["values"] == second["values"]


def test_a_key_with_a_slash_in_it_is_found(client: TestClient):
    keys = [row["key"] for row in client.get("/v1/ledgers/discrepancy").json()["rows"]]
    assert keys
    for key in keys:
        assert client.get(f"/v1/ledgers/discrepancy/{key}").json()["row"]["key"] == key
        assert client.get(f"/v1/ledgers/discrepancy/{key}/versions").status_code == 200


def test_the_same_question_at_the_same_position_is_not_answered_twice(client: TestClient):
    first = client.get("/v1/ledgers/case?limit=2")
    again = client.get("/v1/ledgers/case?limit=2", headers={"If-None-Match": first.headers["ETag"]})
    assert again.status_code == 304
    assert again.content == b""
    assert again.headers["ETag"] == first.headers["ETag"]
    other = client.get("/v1/ledgers/case?limit=3", headers={"If-None-Match": first.headers["ETag"]})
    assert other.status_code == 200


def test_a_new_event_changes_the_entity_tag(client: TestClient, platform: FakePlatform):
    first = client.get("/v1/ledgers/case").headers["ETag"]
    platform.behind["case"] = 1
    assert client.get("/v1/ledgers/case").headers["ETag"] != first


def test_a_reader_may_wait_for_a_position_and_is_told_where_the_ledger_stands(
    client: TestClient, platform: FakePlatform
):
    head = platform.head().position
    assert client.get(f"/v1/ledgers/case?min_position={head}").status_code == 200
    platform.behind["case"] = 3
    response = client.get(f"/v1/ledgers/case?min_position={head}&wait=0")
    assert response.status_code == 503
    assert response.headers["Retry-After"] == "1"
    assert response.json()["position"] == head - 3


@pytest.mark.parametrize(
    ("query", "field", "said"),
    [
        ("jurisdicton=140321", "jurisdicton", "did you mean 'jurisdiction'?"),
        ("order=paid", "order", "received"),
        ("limit=0", "limit", "greater than or equal to 1"),
        ("limit=many", "limit", "integer"),
        ("wait=31", "wait", "less than or equal to 30"),
        ("after=%25", "after", "cursor"),
        ("as_known_at=soon", "as_known_at", "soon"),
        ("jurisdiction=%00", "jurisdiction", "printed"),
        ("jurisdiction=140321&jurisdiction=140322", "jurisdiction", "more than once"),
        ("limit=1&limit=2", "limit", "more than once"),
        ("descending=perhaps", "descending", "boolean"),
    ],
)
def test_a_question_that_cannot_be_read_is_refused_naming_the_field(client: TestClient, query, field, said):
    response = client.get(f"/v1/ledgers/case?{query}")
    assert response.status_code == 400
    assert response.headers["Content-Type"] == "application/problem+json"
    assert response.json()["field"] == field
    assert said in response.json()["detail"]


def test_a_ledger_that_does_not_exist_is_answered_with_the_nearest(client: TestClient):
    response = client.get("/v1/ledgers/cases")
    assert response.status_code == 404
    assert "did you mean 'case'?" in response.json()["detail"]


def test_nobody_waits_for_a_ledger_that_does_not_exist(client: TestClient):
    assert client.get("/v1/ledgers/cases?min_position=99&wait=30").status_code == 404


def test_a_control_character_in_an_address_is_refused(client: TestClient):
    for address in ("/v1/ledgers/%00", "/v1/ledgers/case/%07", "/v1/cases/%00", "/v1/streams/%1F", "/zh/cases/%00"):
        assert client.get(address).status_code == 400


def test_a_full_width_space_is_a_character_like_any_other(client: TestClient):
    assert client.get("/v1/ledgers/case?prefix=%E3%80%80").status_code == 200


def test_a_summary_has_no_rows_and_says_where_its_board_is(client: TestClient):
    response = client.get("/v1/ledgers/clearance")
    assert response.status_code == 404
    assert "/v1/clearance" in response.json()["detail"]


def test_a_row_that_is_not_there_is_not_found(client: TestClient):
    assert client.get("/v1/ledgers/case/case-0").status_code == 404
    assert client.get("/v1/ledgers/case/case-0/versions").status_code == 404


def test_an_export_says_what_it_holds(client: TestClient):
    response = client.get("/v1/ledgers/case/export?format=csv&as_known_at=2019-12-31&language=en&jurisdiction=140321")
    assert response.status_code == 200
    assert response.headers["Qingling-Rows"] == "2"
    assert response.headers["Qingling-Digest"] == "sha-256=" + hashlib.sha256(response.content).hexdigest()
    assert int(response.headers["Qingling-Position"]) > 0
    assert "attachment" in response.headers["Content-Disposition"]
    header, *rows = csv.reader(io.StringIO(response.content.decode("utf-8-sig")))
    assert header[0] == "Case number"
    assert sorted(row[0] for row in rows) == [PAID_CASE, OPEN_CASE]


def test_an_export_refuses_what_a_page_would_refuse(client: TestClient):
    assert client.get("/v1/ledgers/case/export?format=pdf").json()["field"] == "format"
    assert client.get("/v1/ledgers/case/export").json()["field"] == "format"
    assert client.get("/v1/ledgers/case/export?format=csv&colour=red").json()["rule"] == "known-parameter"
    assert client.get("/v1/ledgers/nothing/export?format=csv").status_code == 404


def test_the_discrepancies_of_a_case_are_listed_by_rule(client: TestClient):
    rows = client.get("/v1/ledgers/discrepancy", params={"prefix": OWING_CASE}).json()["rows"]
    found = {row["values"]["kind"]: row["values"]["amount"] for row in rows}
    assert found["closed-but-owing"] == 700_000
    assert found["unallocated-payment"] == 50_000
