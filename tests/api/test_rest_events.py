"""`/v1/events`, `/v1/streams`, `/v1/schemas`, `/v1/log`: the log itself."""

from __future__ import annotations

import json

import jsonschema
import msgspec
from fastapi.testclient import TestClient

from domain.streams import Visibility
from tests.api.fake_platform import FakePlatform


def test_the_bytes_of_an_event_are_handed_out_as_they_were_recorded(client: TestClient, platform: FakePlatform):
    for recorded, entry in platform.entries:
        response = client.get(f"/v1/events/{recorded.position}/entry")
        assert response.content == entry
        assert response.headers["Content-Type"] == "application/cloudevents+json"


def test_an_event_is_read_with_its_neighbours_in_log_and_stream(client: TestClient, platform: FakePlatform):
    first = client.get("/v1/events/1").json()
    assert first["neighbours"] == {"previous": None, "next": 2, "previous_in_stream": None, "next_in_stream": None}
    last = client.get(f"/v1/events/{first['head']}").json()
    assert last["neighbours"]["next"] is None
    assert last["neighbours"]["previous_in_stream"] == first["head"] - 1
    assert last["bytes"] == len(platform.entries[-1][1])


def test_nothing_is_found_where_nothing_is_recorded(client: TestClient, platform: FakePlatform):
    assert client.get(f"/v1/events/{platform.head().position + 1}").status_code == 404
    assert client.get("/v1/events/0").status_code == 400
    assert client.get("/v1/events/last").json()["field"] == "position"
    assert client.get("/v1/events/999999999999/entry").status_code == 404


def test_a_stream_is_its_events_in_order_up_to_a_position(client: TestClient):
    whole = client.get("/v1/streams/payment-8048ba1b8c7e0dee-1220").json()["events"]
    assert [event["version"] for event in whole] == [1, 2, 3, 4]
    upto = whole[1]["position"]
    part = client.get(f"/v1/streams/payment-8048ba1b8c7e0dee-1220?upto={upto}").json()
    assert [event["version"] for event in part["events"]] == [1, 2]
    assert client.get("/v1/streams/nothing").status_code == 404


def test_every_recorded_event_fits_the_schema_that_is_published_for_it(client: TestClient, platform: FakePlatform):
    types = client.get("/v1/schemas").json()["types"]
    schemas = {entry["type"]: client.get(entry["schema_at"]).json() for entry in types}
    assert set(schemas) == set(platform.types)
    for _, entry in platform.entries:
        event = json.loads(entry)
        jsonschema.Draft202012Validator(schemas[event["type"]]).validate(event["data"])


def test_a_schema_that_does_not_exist_is_answered_with_the_nearest(client: TestClient):
    response = client.get("/v1/schemas/case.registered.v2")
    assert response.status_code == 404
    assert "case.registered.v1" in response.json()["detail"]


def test_the_log_says_what_it_is(client: TestClient):
    log = client.get("/v1/log").json()
    assert (log["kind"], log["zone"], log["currency"]) == ("simulation", "Asia/Shanghai", "CNY")
    assert "simulation" in log["origin"]
    assert [checkpoint["day"] for checkpoint in log["campaign"]["checkpoints"]] == ["2019-12-31", "2020-01-24"]
    assert log["places"][0] == {"code": "140300", "zh": "阳泉市", "en": "Yangquan City", "parent": None}


def test_what_concerns_an_open_review_is_handed_out_by_no_door(client: TestClient, platform: FakePlatform, monkeypatch):
    hidden = platform.event(6)
    item = msgspec.structs.replace(hidden.item, visibility=Visibility.REVIEW)
    monkeypatch.setattr(platform, "event", lambda position: replaced_namespace(hidden, item=item))
    monkeypatch.setattr(platform, "stream", lambda stream, upto=None: [item])
    assert client.get("/v1/events/6").status_code == 404
    assert client.get("/v1/events/6/entry").status_code == 404
    assert client.get(f"/v1/streams/{item.stream}").status_code == 404
    assert client.get("/zh/events/6").status_code == 404


def replaced_namespace(namespace, **changes):
    return type(namespace)(**{**vars(namespace), **changes})
