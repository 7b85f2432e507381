"""Signing in: the token becomes a cookie that no script reads and no other site can use."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient

from tests.api.fake_platform import TOKEN, FakePlatform

HERE = {"Origin": "http://testserver"}


def sign_in(client: TestClient, token: str = TOKEN, next: str = "", **headers: str):
    return client.post("/zh/sign-in", data={"token": token, "next": next}, headers={**HERE, **headers})


def test_who_is_not_signed_in_is_led_to_the_form_and_back_again(real_client: TestClient):
    refused = real_client.get("/zh/ledgers/case?order=owing")
    assert refused.status_code == 303
    assert refused.headers["Location"] == "/zh/sign-in?next=%2Fzh%2Fledgers%2Fcase%3Forder%3Dowing"
    signed_in = sign_in(real_client, next="/zh/ledgers/case?order=owing")
    assert signed_in.status_code == 303
    assert signed_in.headers["Location"] == "/zh/ledgers/case?order=owing"
    page = real_client.get("/zh/ledgers/case?order=owing")
    assert page.status_code == 200
    assert "li-jing" in page.text


def test_the_cookie_is_kept_from_scripts_and_from_other_sites(real_client: TestClient):
    cookie = sign_in(real_client).headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie


def test_over_tls_the_cookie_is_sent_over_tls_only(real_platform: FakePlatform):
    from tests.api.conftest import client_of

    with client_of(real_platform, base_url="https://testserver") as client:
        answer = client.post("/zh/sign-in", data={"token": TOKEN}, headers={"Origin": "https://testserver"})
    assert "Secure" in answer.headers["Set-Cookie"]


def test_a_wrong_token_is_refused_on_the_form_itself(real_client: TestClient):
    page = sign_in(real_client, token="ql_wrong")
    assert page.status_code == 401
    assert "不属于任何人员" in page.text
    assert "qingling_session" not in page.headers.get("Set-Cookie", "")


@pytest.mark.parametrize("origin", ["http://elsewhere.example", "null", ""])
def test_a_form_of_another_site_signs_nobody_in_or_out(real_client: TestClient, origin):
    for address in ("/zh/sign-in", "/zh/sign-out"):
        page = real_client.post(address, data={"token": TOKEN}, headers={"Origin": origin})
        assert page.status_code == 400
        assert "qingling_session" not in page.headers.get("Set-Cookie", "")


@pytest.mark.parametrize(
    "next", ["https://elsewhere.example/", "//elsewhere.example", "/\\elsewhere", "/v1/log", "javascript:"]
)
def test_signing_in_leads_to_a_page_of_the_console_whatever_the_form_says(real_client: TestClient, next):
    assert sign_in(real_client, next=next).headers["Location"] == "/zh/"


def test_the_session_reads_the_data_behind_the_pages_too(real_client: TestClient):
    sign_in(real_client)
    assert real_client.get("/v1/log").status_code == 200
    assert real_client.get("/v1/events/5/entry").status_code == 200


def test_signing_out_forgets_the_token(real_client: TestClient):
    sign_in(real_client)
    out = real_client.post("/zh/sign-out", headers=HERE)
    assert out.headers["Location"] == "/zh/sign-in"
    assert real_client.get("/zh/").status_code == 303


def test_a_token_that_was_revoked_ends_the_session(real_client: TestClient, real_platform: FakePlatform, monkeypatch):
    sign_in(real_client)
    monkeypatch.setattr(real_platform, "rows", lambda ledger, **_: iter(()))
    refused = real_client.get("/zh/status")
    assert refused.status_code == 303
    assert "qingling_session=" in refused.headers["Set-Cookie"]


def test_the_form_shows_nothing_of_the_log_but_what_it_is(real_client: TestClient):
    page = real_client.get("/zh/sign-in").text
    assert "yangquan-office-0badcafe" in page
    assert "真实" in page
    assert 'role="search"' not in page
