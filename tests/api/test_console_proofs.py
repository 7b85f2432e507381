"""What the console says of proofs: how far everything has come, who vouches for it, and a receipt that tells nothing of anybody."""

from __future__ import annotations

import html
import json
import re
from dataclasses import replace
from datetime import datetime

import pytest
import segno
from fastapi.testclient import TestClient

from api.console.qr import qr_code
from domain.campaigns.genesis import LogKind
from domain.errors import LogMismatchError, VerificationError
from domain.sealing.proof_file import parse_proof
from domain.sealing.receipt import Receipt, parse_receipt
from tests.api.conftest import client_of
from tests.api.fake_platform import OPEN_CASE, TOKEN, FakePlatform, played
from tests.api.fake_sealing import WITNESSES
from tests.api.test_console import PAID_ID, Page

OFFICER = {"Authorization": f"Bearer {TOKEN}"}


def text_of(page: str) -> str:
    """What a reader reads, without markup, in one line."""
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", page)))


def partly(platform: FakePlatform, sealed: int, published: int) -> None:
    platform.sealing.kept.clear()
    platform.sealing.publish(published)
    platform.sealing.seal(sealed)


# -------------------------------------------------------------------------------------------------------------- states


def test_the_page_of_a_published_event_offers_proof_and_receipt(client: TestClient):
    page = client.get("/zh/events/36").text
    assert "已公布（无见证）" in page
    links = Page(page).links
    assert "/v1/events/36/proof" in links
    assert "/zh/events/36/receipt" in links


@pytest.mark.parametrize(
    ("position", "state", "waits"), [(45, "已入树", "正等待签名检查点"), (52, "已登记", "正等待写入哈希树")]
)
def test_before_it_is_published_an_event_says_what_it_waits_for_and_offers_nothing(
    client: TestClient, platform: FakePlatform, position, state, waits
):
    partly(platform, sealed=50, published=40)
    page = client.get(f"/zh/events/{position}").text
    assert state in page
    assert waits in page
    assert not [link for link in Page(page).links if link.endswith(("/proof", "/receipt"))]


def test_every_event_of_a_timeline_bears_its_state_and_its_proof_once_there_is_one(
    client: TestClient, platform: FakePlatform
):
    positions = [item.position for item in platform.case(PAID_ID).timeline]
    partly(platform, sealed=positions[-2], published=positions[-3])
    page = client.get(f"/zh/cases/{PAID_ID}").text
    items = re.findall(r'<li id="at-(\d+)".*?</li>', page, re.DOTALL)
    assert [int(position) for position in items] == positions
    shown = {int(p): body for p, body in re.findall(r'<li id="at-(\d+)"(.*?)</li>', page, re.DOTALL)}
    assert all(f"/v1/events/{position}/proof" in shown[position] for position in positions[:-2])
    assert "已入树" in shown[positions[-2]]
    assert "已登记" in shown[positions[-1]]
    assert "/proof" not in shown[positions[-2]] + shown[positions[-1]]


def test_a_case_says_which_of_its_events_are_not_published_yet(client: TestClient, platform: FakePlatform):
    assert "所列事件全部在已公布的检查点之内" in client.get(f"/zh/cases/{PAID_ID}").text
    positions = [item.position for item in platform.case(PAID_ID).timeline]
    partly(platform, sealed=55, published=positions[-3])
    text = text_of(client.get(f"/zh/cases/{PAID_ID}").text)
    assert f"2 / {len(positions)} 个事件尚未公布：位置 {positions[-2]} 、 {positions[-1]}" in text
    platform.sealing.kept.clear()
    many = text_of(client.get(f"/zh/cases/{OPEN_CASE}").text)
    assert re.search(r"个事件尚未公布：位置 (\d+ 、 ){11}\d+ …", many)


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("page", ["/events/36", "/events/36/receipt", f"/cases/{PAID_ID}", "/log", "/status"])
def test_published_is_never_said_alone_where_there_is_no_witness(client: TestClient, page, language):
    text = text_of(client.get(f"/{language}{page}").text)
    alone, witness = ("已公布", "无见证") if language == "zh" else ("Published", "o witness")
    assert witness in text
    badges = re.findall(r'class="pill at-published">(.*?)</span>', client.get(f"/{language}{page}").text)
    assert all(witness in badge for badge in badges)
    assert page != "/events/36" or alone in text


@pytest.mark.parametrize("page", ["/events/36", "/events/36/receipt", f"/cases/{PAID_ID}", "/log", "/status"])
def test_where_witnesses_cosign_no_page_says_that_there_is_none(platform: FakePlatform, page):
    platform.sealing.witnesses = WITNESSES
    platform.sealing.publish()
    with client_of(platform) as client:
        text = text_of(client.get(f"/zh{page}").text)
    assert "无见证" not in text


# ------------------------------------------------------------------------------------------------------------ receipts


def test_the_receipt_says_all_that_is_needed_to_check_it(client: TestClient, platform: FakePlatform):
    page = client.get("/zh/events/36/receipt").text
    text = text_of(page)
    receipt = platform.sealing.receipt(36)
    assert receipt.text in text
    leaf = receipt.leaf.hex()
    assert " ".join(leaf[at : at + 4] for at in range(0, 64, 4)) in text
    key = platform.sealing.keys[0].verifier
    assert key.vkey in text
    assert key.key_id.hex() in text
    for said in ("yangquan-simulation-0badcafe", "2019-12-21 10:00:00 (UTC+08:00)", "55 个事件 events"):
        assert said in text
    assert "yangquan-simulation-0badcafe-36.tlog-proof" in text


def test_the_receipt_stands_in_both_languages_and_the_readers_own_comes_first(client: TestClient):
    for language, first, second in (
        ("zh", "登记回执", "Receipt of recording"),
        ("en", "Receipt of recording", "登记回执"),
    ):
        heading = re.search(r"<h1>(.*?)</h1>", client.get(f"/{language}/events/36/receipt").text)
        assert heading is not None
        assert text_of(heading[1]).split() == f"{first} {second}".split()


def test_the_receipt_names_the_witnesses_and_when_they_saw_it(platform: FakePlatform):
    platform.sealing.witnesses = WITNESSES
    platform.sealing.publish()
    with client_of(platform) as client:
        text = text_of(client.get("/en/events/36/receipt").text)
    for witness in WITNESSES:
        assert f"{witness.name} {witness.verifier.key_id.hex()} 2020-01-16 08:01:00 (UTC+08:00)" in text


def test_the_receipt_of_a_simulation_says_so_and_that_of_a_real_log_does_not(
    client: TestClient, real_client: TestClient
):
    assert "本回执不作任何真实情况的凭据" in client.get("/zh/events/36/receipt").text
    real = real_client.get("/zh/events/36/receipt", headers=OFFICER)
    assert real.status_code == 200
    assert "模拟" not in real.text


@pytest.mark.parametrize("kind", list(LogKind))
def test_no_receipt_and_no_proof_tells_anything_of_anybody(kind: LogKind):
    platform = played(kind)
    with client_of(platform) as client:
        for recorded, entry in platform.entries:
            page = client.get(f"/zh/events/{recorded.position}/receipt", headers=OFFICER).text
            proof = client.get(f"/v1/events/{recorded.position}/proof", headers=OFFICER).content
            told = page + proof.decode() + parse_proof(proof).extra.decode()
            for secret in told_by(json.loads(entry), platform):
                assert secret not in told, (recorded.position, secret)
                assert secret not in told.replace("\n", ""), (recorded.position, secret)


def told_by(entry: dict, platform: FakePlatform) -> list[str]:
    """What an event says and hides, but for what the receipt is there to say: the log, and when the event was recorded."""
    said = datetime.fromisoformat(entry["time"]).astimezone(platform.info.zone).isoformat()
    found = [text for text in platform.texts.values() if text]
    found += [*platform.texts, "person-", "officer-", "li-jing", "wang-tao", TOKEN]
    waiting: list[object] = [value for name, value in entry.items() if name not in ("source", "specversion", "time")]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value
        elif isinstance(value, str) and len(value) > 6 and value not in platform.info.origin and value != said:
            found.append(value)
    return found


def test_the_qr_code_holds_the_text_of_the_receipt(client: TestClient, platform: FakePlatform):
    page = client.get("/zh/events/36/receipt").text
    text = platform.sealing.receipt(36).text
    assert str(qr_code(text, "二维码，内容为下方回执文字")) in page
    assert parse_receipt(text.encode()).position == 36


def test_a_qr_code_is_drawn_module_for_module_with_a_quiet_zone():
    drawn = str(qr_code("QL1 log 1 x", "label"))
    matrix = segno.make("QL1 log 1 x", error="m", boost_error=False, micro=False).matrix
    size = len(matrix) + 8
    assert f'viewBox="0 0 {size} {size}"' in drawn
    dark = set()
    for x, y, run in re.findall(r"M(\d+) (\d+)h(\d+)v1h-\3z", drawn):
        dark |= {(int(x) + i, int(y)) for i in range(int(run))}
    assert dark == {(x + 4, y + 4) for y, row in enumerate(matrix) for x, module in enumerate(row) if module & 1}


def test_a_label_with_markup_is_text():
    assert "<b>" not in str(qr_code("x", '"><b>'))


def test_no_receipt_is_printed_that_its_proof_does_not_bear_out(
    client: TestClient, platform: FakePlatform, monkeypatch
):
    other = platform.sealing.receipt(35)
    wrong = replace(platform.sealing.proof(36), extra=Receipt(other.origin, 36, other.leaf).text.encode())
    monkeypatch.setattr(platform.sealing, "proof", lambda position: wrong)
    response = client.get("/zh/events/36/receipt")
    assert response.status_code == 500
    assert "urn:qingling:problem:verification-failed" in response.text


@pytest.mark.parametrize("language", ["zh", "en"])
def test_before_it_is_published_there_is_a_page_in_place_of_the_receipt(
    client: TestClient, platform: FakePlatform, language
):
    partly(platform, sealed=50, published=40)
    response = client.get(f"/{language}/events/45/receipt")
    assert response.status_code == 503
    assert response.headers["Retry-After"] == "1"
    assert ("尚无回执" if language == "zh" else "No receipt yet") in response.text
    assert "<svg class=" in response.text
    assert 'class="qr"' not in response.text


def test_there_is_no_receipt_of_what_is_not_recorded(client: TestClient):
    assert client.get("/zh/events/56/receipt").status_code == 404
    assert client.get("/zh/events/0/receipt").status_code == 400


def test_the_receipt_of_a_real_log_is_for_who_is_signed_in(real_client: TestClient):
    response = real_client.get("/zh/events/36/receipt")
    assert response.status_code == 303
    assert response.headers["Location"].startswith("/zh/sign-in")


# ---------------------------------------------------------------------------------------------------- the provable log


def test_the_page_of_the_log_shows_checkpoint_keys_witnesses_and_wholeness(platform: FakePlatform):
    platform.sealing.witnesses = WITNESSES
    platform.sealing.commit_wholeness("officer-00000001")
    platform.sealing.publish()
    with client_of(platform) as client:
        page = client.get("/en/log").text
    text = text_of(page)
    for line in platform.sealing.checkpoint().decode().splitlines():
        assert line.strip() in text
    assert platform.sealing.keys[0].verifier.vkey in text
    for witness in WITNESSES:
        assert witness.verifier.vkey in text
    assert "position 56" in text
    assert "position 55" in text
    assert "Needed to publish, by the policy: both" in text
    assert "/nowhere" not in page


def test_the_page_of_the_log_says_what_the_first_event_that_is_not_published_waits_for(
    client: TestClient, platform: FakePlatform
):
    partly(platform, sealed=50, published=40)
    assert "位置 41：已写入哈希树，正等待签名检查点" in text_of(client.get("/zh/log").text)
    partly(platform, sealed=40, published=40)
    assert "位置 41：正等待写入哈希树" in text_of(client.get("/zh/log").text)


def test_the_page_of_a_log_without_a_key_says_what_makes_the_first_one(client: TestClient, platform: FakePlatform):
    platform.sealing.kept.clear()
    platform.sealing.sealed = 0
    platform.sealing.keyless = True
    page = client.get("/zh/log").text
    assert "尚无签名密钥" in page
    assert "qingling log rotate-key" in page
    assert "qingling log rotate-key" in client.get("/zh/events/36").text
    assert "qingling log rotate-key" in client.get("/zh/events/36/receipt").text


def test_sealing_that_has_stopped_is_said_wherever_somebody_could_rely_on_it(
    client: TestClient, platform: FakePlatform
):
    partly(platform, sealed=50, published=40)
    platform.sealing.stopped = "the entry at position 41 is not the one that was sealed"
    for page in ("/zh/log", "/zh/status"):
        text = client.get(page).text
        assert 'role="alert"' in text
        assert "the entry at position 41" in text
    for page in ("/zh/events/45", "/zh/events/45/receipt"):
        assert "入树与公布已停止" in client.get(page).text
    assert client.get("/zh/events/40/receipt").status_code == 200


@pytest.mark.parametrize(
    "error", [VerificationError("the checkpoint is no note"), LogMismatchError("the tree is no head")]
)
def test_files_that_cannot_be_read_keep_nobody_from_reading_events(
    client: TestClient, platform: FakePlatform, monkeypatch, error
):
    def unreadable(*args: object) -> None:
        raise error

    for name in ("sizes", "status", "checkpoint", "proof"):
        monkeypatch.setattr(platform.sealing, name, unreadable)
    for page in ("/zh/events/36", f"/zh/cases/{PAID_ID}"):
        text = client.get(page).text
        assert "qingling log fsck" in text
        assert "已公布（无见证）" not in text
    for page in ("/zh/log", "/zh/status"):
        assert str(error) in client.get(page).text
    assert client.get("/zh/events/36/receipt").status_code == 503
    assert client.get("/v1/events/36/proof").status_code == 503
    assert client.get("/v1/log").json()["sealing"]["stopped"] == str(error)
    assert str(error) in client.get("/readyz").json()["detail"]
    assert "qingling_sealing_stopped 1.0" in client.get("/metrics").text


def test_what_a_witness_is_missing_for_stands_beside_it(platform: FakePlatform):
    platform.sealing.witnesses = WITNESSES
    platform.sealing.publish(40)
    platform.sealing.trouble = "no answer from https://auditors.example/witness"
    with client_of(platform) as client:
        for page in ("/zh/log", "/zh/status"):
            assert "no answer from https://auditors.example/witness" in client.get(page).text
        assert "正等待足够的见证人共签" in client.get("/zh/log").text


def test_the_reference_says_how_each_route_is_asked(client: TestClient):
    page = client.get("/en/api").text
    assert "<code>POST /v1/log/wholeness</code>" in page
    assert "<code>GET /log/checkpoint</code>" in page
