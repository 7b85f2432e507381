"""Who may read: a real log is for officers, a simulation for everybody, names only where they may be seen."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient

from tests.api.fake_platform import TOKEN, FakePlatform

READS = [
    "/v1/log",
    "/v1/status",
    "/v1/schemas",
    "/v1/ledgers",
    "/v1/ledgers/case",
    "/v1/ledgers/case/export?format=csv",
    "/v1/clearance",
    "/v1/cases/case-8048ba1b8c7e0dee",
    "/v1/events/1",
    "/v1/events/1/entry",
    "/v1/events/1/proof",
    "/v1/streams/log",
    "/v1/log/checkpoint",
    "/v1/log/consistency?old=1",
]
OFFICER = {"Authorization": f"Bearer {TOKEN}"}


@pytest.mark.parametrize("address", READS)
def test_a_real_log_is_read_only_with_a_token_that_names_an_officer(real_client: TestClient, address):
    without = real_client.get(address)
    assert without.status_code == 401
    assert without.headers["WWW-Authenticate"] == 'Bearer realm="qingling"'
    assert without.json()["type"] == "urn:qingling:problem:unauthorised"
    assert real_client.get(address, headers={"Authorization": "Bearer ql_wrong"}).status_code == 401
    assert real_client.get(address, headers={"Authorization": "Basic abc"}).status_code == 401
    assert real_client.get(address, headers=OFFICER).status_code == 200


def test_every_route_under_v1_asks_who_reads(real_client: TestClient):
    for path, operations in real_client.get("/openapi.json").json()["paths"].items():
        if path.startswith("/v1"):
            concrete = path.replace("{name}", "case").replace("{position}", "1")
            for method in operations:
                assert real_client.request(method, concrete).status_code == 401, path


@pytest.mark.parametrize("address", READS)
def test_a_simulation_is_open(client: TestClient, address):
    assert client.get(address).status_code == 200


def test_a_wrong_token_is_refused_even_where_none_is_needed(client: TestClient):
    assert client.get("/v1/log", headers={"Authorization": "Bearer ql_wrong"}).status_code == 401


@pytest.mark.parametrize("address", ["/healthz", "/readyz", "/metrics"])
def test_health_is_open_and_names_nobody(real_client: TestClient, address):
    response = real_client.get(address)
    assert response.status_code == 200
    assert "张三" not in response.text
    assert "person-" not in response.text


def workers(client: TestClient, query: str = "", **options) -> list[dict]:
    rows = client.get(f"/v1/ledgers/claim?case=case-8048ba1b8c7e0dee{query}", **options).json()["rows"]
    return [row["values"]["worker"] for row in rows]


def test_names_stay_sealed_until_an_officer_asks_for_them(real_client: TestClient):
    sealed = workers(real_client, headers=OFFICER)
    assert sealed[0] == {"sealed": True, "subject": "person-8048ba1b8c7e0dee-1"}
    opened = workers(real_client, "&names=true", headers=OFFICER)
    assert opened[0] == {"sealed": False, "subject": "person-8048ba1b8c7e0dee-1", "text": "张三", "erased": False}


def test_answers_with_names_are_stored_nowhere(real_client: TestClient):
    response = real_client.get("/v1/ledgers/claim?names=true", headers=OFFICER)
    assert response.headers["Cache-Control"] == "no-store"
    assert "ETag" not in response.headers


def test_an_erased_name_is_said_to_be_erased(client: TestClient, platform: FakePlatform):
    platform.erase("张三")
    assert workers(client, "&names=true")[0]["text"] is None
    assert workers(client, "&names=true")[0]["erased"] is True
    assert "已删除" in client.get("/zh/cases/case-8048ba1b8c7e0dee").text
    assert "erased" in client.get("/en/cases/case-8048ba1b8c7e0dee").text


def test_an_export_bears_names_only_when_they_are_asked_for(real_client: TestClient):
    address = "/v1/ledgers/claim/export?format=csv"
    assert "张三" not in real_client.get(address, headers=OFFICER).text
    assert "张三" in real_client.get(address + "&names=true", headers=OFFICER).text


def test_no_answer_without_names_holds_a_name(client: TestClient, platform: FakePlatform):
    texts = [text for text in platform.texts.values() if text]
    assert len(texts) > 20
    for address in (*READS, "/v1/ledgers/claim?limit=200", "/v1/ledgers/officer", "/v1/cases/case-9cb52c9e9e7045bb"):
        answer = client.get(address).text
        assert not [text for text in texts if text in answer], address
