"""What goes wrong is told as a problem document under `/v1`, and as a page in the console, each as clear as the other."""

from __future__ import annotations

import logging

import pytest
from fastapi.testclient import TestClient

from domain.errors import RecordingError
from tests.api.fake_platform import FakePlatform


def test_an_address_that_does_not_exist_is_a_problem(client: TestClient):
    response = client.get("/v1/nothing")
    assert response.status_code == 404
    assert response.headers["Content-Type"] == "application/problem+json"
    assert set(response.json()) >= {"type", "title", "title_zh", "status", "detail", "instance"}
    assert response.json()["instance"] == "/v1/nothing"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_what_cannot_be_done_to_an_address_is_a_problem_that_says_what_can(client: TestClient, method):
    response = client.request(method, "/v1/ledgers/case")
    assert response.status_code == 405
    assert response.headers["Allow"] == "GET"
    assert response.json()["type"] == "urn:qingling:problem:method-not-allowed"


def test_an_unexpected_error_says_nothing_of_the_inside_and_can_be_found_in_the_log(
    client: TestClient, platform: FakePlatform, monkeypatch, caplog
):
    def broken():
        raise ZeroDivisionError("column secret of relation vault")

    monkeypatch.setattr(platform, "status", broken)
    with caplog.at_level(logging.ERROR, logger="api"):
        response = client.get("/v1/status")
    assert response.status_code == 500
    assert response.headers["Content-Type"] == "application/problem+json"
    assert "secret" not in response.text
    assert response.json()["incident"] in caplog.text
    assert response.headers["Content-Security-Policy"].startswith("default-src 'self'")


def test_the_same_error_in_the_console_is_a_page_with_the_same_facts(
    client: TestClient, platform: FakePlatform, monkeypatch
):
    def broken():
        raise ZeroDivisionError("column secret of relation vault")

    monkeypatch.setattr(platform, "status", broken)
    page = client.get("/zh/status")
    assert page.status_code == 500
    assert "内部错误" in page.text
    assert "incident" in page.text
    assert "secret" not in page.text


def test_a_failure_of_the_database_is_not_called_a_defect(client: TestClient, platform: FakePlatform, monkeypatch):
    def lost():
        raise RecordingError("the database cannot be reached")

    monkeypatch.setattr(platform, "head", lost)
    response = client.get("/v1/log")
    assert response.status_code == 503
    assert response.json()["may_continue"] is True


@pytest.mark.parametrize(("language", "title"), [("zh", "请求内容有误"), ("en", "What was asked cannot be read")])
def test_a_misspelt_parameter_of_a_page_is_refused_as_clearly_as_one_of_rest(client: TestClient, language, title):
    page = client.get(f"/{language}/ledgers/case?jurisdicton=140321")
    assert page.status_code == 400
    assert title in page.text
    assert "did you mean &#39;jurisdiction&#39;?" in page.text


@pytest.mark.parametrize(
    "address", ["/zh/nothing", "/zh/cases/case-0", "/en/events/99999", "/fr/", "/zh/ledgers/nothing"]
)
def test_a_page_that_does_not_exist_is_a_page_that_says_so(client: TestClient, address):
    page = client.get(address)
    assert page.status_code == 404
    assert page.headers["Content-Type"].startswith("text/html")


def test_every_answer_forbids_scripts_frames_and_outside_resources(client: TestClient):
    for address in ("/zh/", "/v1/log", "/v1/nothing", "/zh/nothing", "/healthz", "/static/qingling.css"):
        headers = client.get(address).headers
        assert "script-src 'none'" in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "same-origin"


def test_what_a_reader_typed_is_shown_as_text_and_never_as_markup(client: TestClient):
    page = client.get("/zh/ledgers/case", params={"prefix": "<script>alert(1)</script>"})
    assert page.status_code == 200
    assert "<script>" not in page.text
    assert "&lt;script&gt;" in page.text


def test_head_is_answered_as_get_without_its_body(client: TestClient) -> None:
    read, head = client.get("/v1/clearance"), client.head("/v1/clearance")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["etag"] == read.headers["etag"]
    assert client.head("/v1/nowhere").status_code == 404
