"""Whoever watches the process is told the truth: live, ready or why not, and how far every ledger is."""

from __future__ import annotations

from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families

from domain.errors import RecordingError
from tests.api.fake_platform import FakePlatform
from tests.api.fake_sealing import WITNESSES


def figures(client: TestClient) -> dict[tuple, float]:
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(client.get("/metrics").text)
        for sample in family.samples
    }


def test_a_living_process_says_so(client: TestClient):
    assert client.get("/healthz").json() == {"live": True}


def test_ledgers_at_the_head_are_ready(client: TestClient):
    assert client.get("/readyz").json() == {"ready": True}


def test_a_stopped_ledger_is_not_ready_and_says_where_and_why(client: TestClient, platform: FakePlatform):
    platform.stopped["claim"] = "TypeError at position 7"
    platform.behind["claim"] = 48
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.headers["Content-Type"] == "application/problem+json"
    assert "ledger claim is stopped at position 7: TypeError at position 7" in response.json()["detail"]


def test_a_ledger_far_behind_the_log_is_not_ready(client: TestClient, platform: FakePlatform):
    platform.behind["case"] = 1_001
    assert "1001 positions behind" in client.get("/readyz").json()["detail"]
    platform.behind["case"] = 1_000
    assert client.get("/readyz").status_code == 200


def test_a_database_that_cannot_be_reached_is_not_ready(client: TestClient, platform: FakePlatform, monkeypatch):
    def lost():
        raise RecordingError("the database cannot be reached")

    monkeypatch.setattr(platform, "status", lost)
    assert client.get("/readyz").status_code == 503


def test_the_metrics_say_how_far_every_ledger_is(client: TestClient, platform: FakePlatform):
    platform.behind["claim"] = 5
    platform.stopped["claim"] = "broken"
    found = figures(client)
    assert found["qingling_log_head_position",] == 55
    assert found["qingling_ledger_position", ("ledger", "claim")] == 50
    assert found["qingling_ledger_lag", ("ledger", "claim")] == 5
    assert found["qingling_ledger_state", ("ledger", "claim"), ("state", "stopped")] == 1
    assert found["qingling_ledger_state", ("ledger", "claim"), ("state", "running")] == 0
    assert found["qingling_watermark_age_seconds",] == 0.25


def test_requests_are_measured_by_route_and_never_by_what_was_asked(client: TestClient):
    client.get("/v1/cases/case-8048ba1b8c7e0dee")
    client.get("/v1/cases/no-such-case")
    labels = [key for key in figures(client) if key[0] == "qingling_http_request_seconds_count"]
    assert any(("route", "/v1/cases/{case:path}") in key and ("status", "200") in key for key in labels)
    assert any(("status", "404") in key for key in labels)
    assert "no-such-case" not in client.get("/metrics").text


def test_the_status_page_shows_which_ledger_stands(client: TestClient, platform: FakePlatform):
    platform.stopped["claim"] = "TypeError at position 7"
    page = client.get("/zh/status").text
    assert "停止" in page
    assert "TypeError at position 7" in page


def test_the_metrics_say_what_is_sealed_and_published_and_how_long_something_has_waited(
    client: TestClient, platform: FakePlatform
):
    level = figures(client)
    assert level["qingling_log_sealed_size",] == level["qingling_log_published_size",] == 55
    assert level["qingling_log_publish_lag_seconds",] == 0
    platform.sealing.kept.clear()
    platform.sealing.publish(50)
    behind = figures(client)
    waiting = platform.event(51).item.recorded
    assert behind["qingling_log_published_size",] == 50
    assert behind["qingling_log_publish_lag_seconds",] == (platform.now() - waiting).total_seconds() > 0
    assert behind["qingling_sealing_stopped",] == 0


def test_the_metrics_say_what_each_witness_cosigned(client: TestClient, platform: FakePlatform):
    platform.sealing.witnesses = WITNESSES
    assert figures(client)["qingling_witness_cosigned_size", ("witness", "province.example")] == 55


def test_sealing_that_has_stopped_is_not_ready_and_a_witness_that_is_away_is(
    client: TestClient, platform: FakePlatform
):
    platform.sealing.trouble = "no quorum"
    assert client.get("/readyz").status_code == 200
    platform.sealing.stopped = "the tree is longer than the log"
    assert "sealing has stopped: the tree is longer than the log" in client.get("/readyz").json()["detail"]
    assert figures(client)["qingling_sealing_stopped",] == 1
