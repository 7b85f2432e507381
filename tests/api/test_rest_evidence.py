"""`/v1/evidence`: hostile files, parts of files, who may see one, what names it, and what is left of it after an erasure."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from fastapi.testclient import TestClient
from PIL import Image

from domain.evidence.media import LIMITS, MIB, EvidenceKind
from domain.evidence.sealed_file import NAME_FIELD
from domain.sealing.personal import Sealed
from tests.api.fake_platform import OPEN_CASE, TOKEN, FakePlatform
from tests.domain.evidence.material import JPEG, archive
from tests.domain.evidence.test_admission import REFUSED

OFFICER = {"Authorization": f"Bearer {TOKEN}"}
RECORDING = b"#!AMR\n" + os.urandom(200_000)
NAME = "张三 工资欠条.amr"


def handed_in(client: TestClient, content: bytes, name: str = NAME, subject: str | None = None) -> dict[str, Any]:
    asked = "" if subject is None else f"?subject={subject}"
    response = client.post(f"/v1/evidence{asked}", files={"file": (name, content)}, headers=OFFICER)
    assert response.status_code == 201, response.text
    answered: dict[str, Any] = response.json()
    return answered


@pytest.fixture
def kept(platform: FakePlatform) -> Iterator[None]:
    """Holds that the test leaves no file behind."""
    before = list(platform.files.stored())
    yield
    assert list(platform.files.stored()) == before


def photo(size: tuple[int, int] = (800, 600)) -> bytes:
    made = io.BytesIO()
    Image.new("RGB", size, "red").save(made, "JPEG")
    return made.getvalue()


@pytest.fixture
def case(platform: FakePlatform) -> str:
    return platform.case(OPEN_CASE).case


def test_a_file_comes_out_as_it_came_in_and_says_what_it_is(client: TestClient, platform: FakePlatform, case: str):
    answered = handed_in(client, RECORDING, subject=case)
    assert (answered["type"], answered["kind"], answered["size"]) == ("audio/amr", "audio", len(RECORDING))
    assert answered["name"]["subject"] == case
    assert set(answered) == {"sha256", "type", "name", "kind", "size"}
    response = client.get(f"/v1/evidence/{answered['sha256']}")
    assert response.content == RECORDING
    assert platform.files.has(answered["sha256"])


def test_a_body_that_is_the_file_itself_is_taken_with_the_name_in_a_header(client: TestClient, platform: FakePlatform):
    def body() -> Iterator[bytes]:
        for at in range(0, len(RECORDING), 10_000):
            yield RECORDING[at : at + 10_000]

    headers = {**OFFICER, "Qingling-File-Name": quote(NAME)}
    response = client.post("/v1/evidence", content=body(), headers=headers)
    assert response.status_code == 201
    answered = response.json()
    assert response.headers["Location"] == f"/v1/evidence/{answered['sha256']}"
    assert client.get(f"/v1/evidence/{answered['sha256']}").content == RECORDING
    assert client.get(f"/v1/evidence/{answered['sha256']}/about").json()["size"] == len(RECORDING)
    name = Sealed(**answered["name"])
    assert platform.opened([(name, NAME_FIELD)]) == [NAME]


def test_a_name_that_cannot_be_printed_is_refused(client: TestClient):
    headers = {**OFFICER, "Qingling-File-Name": "a%00b"}
    response = client.post("/v1/evidence", content=RECORDING, headers=headers)
    assert (response.status_code, response.json()["rule"]) == (400, "printable")


@pytest.mark.usefixtures("kept")
@pytest.mark.parametrize("content", REFUSED.values(), ids=REFUSED)
@pytest.mark.parametrize("as_form", [True, False], ids=["form", "body"])
def test_a_hostile_file_is_refused_and_nothing_of_it_is_kept(client: TestClient, content: bytes, as_form: bool):
    sent: dict[str, Any] = (
        {"files": {"file": ("photo.jpg", content, "image/jpeg")}} if as_form else {"content": content}
    )
    response = client.post("/v1/evidence", headers=OFFICER, **sent)
    assert response.status_code == 400
    problem = response.json()
    assert (problem["rule"], problem["field"]) == ("evidence-type", "file")
    assert response.headers["Content-Type"] == "application/problem+json"


@pytest.mark.usefixtures("kept")
def test_a_bomb_and_nothing_at_all_are_refused(client: TestClient):
    bomb = archive({"[Content_Types].xml": b"spreadsheetml.sheet.main+xml", "xl/a": bytes(201 * MIB)})
    for content, rule in ((bomb, "archive"), (b"", "evidence-empty")):
        response = client.post("/v1/evidence", content=content, headers=OFFICER)
        assert (response.status_code, response.json()["rule"]) == (400, rule)


@pytest.mark.usefixtures("kept")
def test_a_body_without_end_is_read_no_further_than_its_kind_may_be_long(client: TestClient):
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        yield JPEG
        while sent < 2 * LIMITS[EvidenceKind.PHOTO]:
            sent += MIB
            yield bytes(MIB)

    response = client.post("/v1/evidence", content=endless(), headers=OFFICER)
    assert (response.status_code, response.json()["rule"]) == (400, "evidence-size")


def test_a_form_that_says_it_is_too_long_is_not_read(client: TestClient):
    headers = {**OFFICER, "Content-Type": "multipart/form-data; boundary=x", "Content-Length": str(600 * MIB)}
    response = client.post("/v1/evidence", content=b"--x--", headers=headers)
    assert (response.status_code, response.json()["rule"]) == (400, "evidence-size")


@pytest.mark.parametrize(
    "form", [{"data": {"other": "1"}, "files": {"else": ("a.txt", b"a")}}, {"files": {"file": (None, "text")}}]
)
def test_a_form_without_the_file_is_refused(client: TestClient, form: dict[str, Any]):
    assert client.post("/v1/evidence", headers=OFFICER, **form).status_code == 400


def test_handing_in_takes_a_name_and_a_stream_that_is_there(client: TestClient):
    sent: dict[str, Any] = {"files": {"file": ("a.txt", b"a note")}}
    assert client.post("/v1/evidence", **sent).status_code == 401
    assert client.post("/v1/evidence?subject=case-nowhere", headers=OFFICER, **sent).status_code == 404


def test_what_is_handed_out_can_do_nothing(client: TestClient):
    served = {}
    for content in (photo(), b"a note", b"%PDF-1.7\n%" + bytes(50)):
        sha256 = handed_in(client, content)["sha256"]
        served[client.get(f"/v1/evidence/{sha256}").headers["Content-Type"].split(";")[0]] = sha256
    assert set(served) == {"image/jpeg", "text/plain", "application/pdf"}
    for media, sha256 in served.items():
        headers = client.get(f"/v1/evidence/{sha256}").headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Content-Security-Policy"].startswith("sandbox; default-src 'none'")
        assert headers["Cache-Control"] == "private, no-store"
        disposition = "inline" if media == "image/jpeg" else "attachment"
        assert headers["Content-Disposition"] == f'{disposition}; filename="{sha256[:12]}"'


@pytest.mark.parametrize(
    ("asked", "part"),
    [
        ("bytes=0-0", slice(0, 1)),
        ("bytes=65530-131080", slice(65_530, 131_081)),
        ("bytes=131072-", slice(131_072, None)),
        ("bytes=-7", slice(-7, None)),
        (f"bytes=10-{10**17}", slice(10, None)),
    ],
)
def test_a_part_is_handed_out_as_the_bytes_it_is(client: TestClient, asked: str, part: slice):
    sha256 = handed_in(client, RECORDING)["sha256"]
    response = client.get(f"/v1/evidence/{sha256}", headers={"Range": asked})
    expected = RECORDING[part]
    first, last, _ = part.indices(len(RECORDING))
    assert response.status_code == 206
    assert response.content == expected
    assert response.headers["Content-Range"] == f"bytes {first}-{last - 1}/{len(RECORDING)}"
    assert response.headers["Content-Length"] == str(len(expected))


@pytest.mark.parametrize("asked", ["bytes=", "bytes=-", "bytes=5-3", "bytes=0-1,5-6", "lines=1-2", "bytes=0-"])
def test_a_range_that_says_nothing_or_everything_is_answered_with_the_file(client: TestClient, asked: str):
    sha256 = handed_in(client, RECORDING)["sha256"]
    response = client.get(f"/v1/evidence/{sha256}", headers={"Range": asked})
    assert (response.status_code, response.content) == (200, RECORDING)


def test_a_part_that_the_file_does_not_have_is_not_made_up(client: TestClient):
    sha256 = handed_in(client, RECORDING)["sha256"]
    for asked in (f"bytes={len(RECORDING)}-", "bytes=-0"):
        response = client.get(f"/v1/evidence/{sha256}", headers={"Range": asked})
        assert response.status_code == 416
        assert response.headers["Content-Range"] == f"bytes */{len(RECORDING)}"
        assert response.content == b""
    whole = client.get(f"/v1/evidence/{sha256}", headers={"Range": "bytes=0-1", "If-Range": '"another"'})
    assert whole.content == RECORDING


def test_a_photograph_is_shown_small_and_nothing_else_is(client: TestClient):
    sha256 = handed_in(client, photo())["sha256"]
    response = client.get(f"/v1/evidence/{sha256}/thumbnail")
    assert response.headers["Content-Type"] == "image/jpeg"
    assert Image.open(io.BytesIO(response.content)).size == (320, 240)
    assert response.headers["Content-Security-Policy"].startswith("sandbox")
    assert client.get(f"/v1/evidence/{sha256}/about").json()["thumbnail"] is True
    note = handed_in(client, b"a note")["sha256"]
    assert client.get(f"/v1/evidence/{note}/thumbnail").status_code == 404
    assert client.get(f"/v1/evidence/{note}/about").json()["thumbnail"] is False


def test_a_huge_photograph_is_not_shown_small_and_can_be_fetched_all_the_same(client: TestClient):
    content = photo((10_000, 5_001))
    sha256 = handed_in(client, content)["sha256"]
    response = client.get(f"/v1/evidence/{sha256}/thumbnail")
    assert (response.status_code, response.json()["rule"]) == (422, "thumbnail")
    assert client.get(f"/v1/evidence/{sha256}").content == content


def test_what_names_a_file_is_told_once_a_command_has(client: TestClient, case: str):
    answered = handed_in(client, RECORDING, subject=case)
    address = f"/v1/evidence/{answered['sha256']}/about"
    assert client.get(address).json()["named_by"] == []
    form = {"to": "140300", "kind": "progress", "evidence": [answered]}
    recorded = client.post(f"/v1/cases/{case}/report", json=form, headers=OFFICER)
    assert recorded.status_code == 201, recorded.text
    about = client.get(address).json()
    position = recorded.json()["events"][0]["position"]
    assert [(each["position"], each["case"]) for each in about["named_by"]] == [(position, case)]
    assert about["name"] == NAME
    assert about["erased"] is False


def test_a_reference_that_was_changed_is_refused_by_the_command(client: TestClient, platform: FakePlatform, case: str):
    answered = handed_in(client, RECORDING, subject=case)
    before = platform.head().position
    for changed in (
        {**answered, "type": "image/jpeg"},
        {**answered, "sha256": "0" * 64},
        {**answered, "name": {**answered["name"], "commit": "0" * 64}},
    ):
        form = {"to": "140300", "kind": "progress", "evidence": [changed]}
        response = client.post(f"/v1/cases/{case}/report", json=form, headers=OFFICER)
        assert (response.status_code, response.json()["rule"]) == (400, "evidence-is-there")
    assert platform.head().position == before


def test_an_erased_file_is_gone_and_says_so(client: TestClient, platform: FakePlatform, case: str):
    sha256 = handed_in(client, photo(), subject=case)["sha256"]
    platform.vault.erase(case)
    for address in (f"/v1/evidence/{sha256}", f"/v1/evidence/{sha256}/thumbnail"):
        assert client.get(address).status_code == 410
    about = client.get(f"/v1/evidence/{sha256}/about").json()
    assert (about["erased"], about["name"]) == (True, None)


@pytest.mark.parametrize("end", ["", "/about", "/thumbnail"])
def test_what_nobody_has_is_not_found(client: TestClient, end: str):
    assert client.get(f"/v1/evidence/{'0' * 64}{end}").status_code == 404
    assert client.get(f"/v1/evidence/{'A' * 64}{end}").status_code == 400


def test_a_real_log_hands_files_to_officers_only(real_client: TestClient):
    sha256 = handed_in(real_client, photo())["sha256"]
    for end in ("", "/about", "/thumbnail"):
        assert real_client.get(f"/v1/evidence/{sha256}{end}").status_code == 401
        assert real_client.get(f"/v1/evidence/{sha256}{end}", headers=OFFICER).status_code == 200


# The console


def named_by_a_case(client: TestClient, case: str, content: bytes, name: str) -> tuple[str, int]:
    """The digest of a file that an event of the case names, and that event's position."""
    answered = handed_in(client, content, name, subject=case)
    form = {"to": "140300", "kind": "progress", "evidence": [answered]}
    recorded = client.post(f"/v1/cases/{case}/report", json=form, headers=OFFICER).raise_for_status()
    return answered["sha256"], recorded.json()["events"][0]["position"]


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_page_of_a_file_shows_it_and_leads_to_what_names_it(client: TestClient, case: str, language: str):
    sha256, position = named_by_a_case(client, case, photo(), "现场 <b>.jpg")
    page = client.get(f"/{language}/evidence/{sha256}")
    assert page.status_code == 200
    assert f'<img class="photo" src="/v1/evidence/{sha256}"' in page.text
    assert "现场 &lt;b&gt;.jpg" in page.text
    assert f'href="/{language}/events/{position}"' in page.text
    assert f'href="/{language}/cases/{case}"' in page.text
    assert page.headers["Cache-Control"] == "no-store"


def test_events_histories_and_the_ledger_lead_to_their_files_with_thumbnails(client: TestClient, case: str):
    sha256, position = named_by_a_case(client, case, photo(), "现场.jpg")
    note, _ = named_by_a_case(client, case, b"a note", "记录.txt")
    event = client.get(f"/zh/events/{position}").text
    assert f'<img src="/v1/evidence/{sha256}/thumbnail" alt="" loading="lazy">' in event
    assert "<span>现场.jpg</span>" in event
    history = client.get(f"/zh/cases/{case}").text
    assert f'href="/zh/evidence/{sha256}"' in history
    assert f'href="/zh/evidence/{note}"' in history
    assert f"/v1/evidence/{note}/thumbnail" not in history
    assert f'href="/zh/evidence/{sha256}"' in client.get("/zh/ledgers/evidence").text


def test_the_page_of_an_erased_file_says_so_and_offers_nothing(client: TestClient, platform: FakePlatform, case: str):
    sha256, _ = named_by_a_case(client, case, photo(), "现场.jpg")
    platform.vault.erase(case)
    page = client.get(f"/zh/evidence/{sha256}").text
    assert "已删除" in page
    assert "<img" not in page
    assert "现场.jpg" not in page


def test_the_page_of_a_real_logs_file_is_for_officers(real_client: TestClient):
    sha256 = handed_in(real_client, photo())["sha256"]
    assert real_client.get(f"/zh/evidence/{sha256}").status_code == 303
    assert real_client.get(f"/zh/evidence/{sha256}", headers=OFFICER).status_code == 200
