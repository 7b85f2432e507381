"""Proofs over REST: they verify offline, they say nothing else, and whatever keeps one from being made is told."""

from __future__ import annotations

import re

import pytest
from fastapi.testclient import TestClient

from domain.campaigns.genesis import LogKind
from domain.errors import VerificationError
from domain.sealing.checkpoint import parse_checkpoint
from domain.sealing.encoding import read_hash
from domain.sealing.note import parse_note
from domain.sealing.proof_file import parse_proof
from domain.sealing.receipt import parse_receipt
from domain.sealing.tree import verify_consistency
from domain.streams import Visibility
from tests.api.conftest import client_of
from tests.api.fake_platform import PAID_CASE, TOKEN, FakePlatform, played
from tests.api.fake_sealing import WITNESSES

OFFICER = {"Authorization": f"Bearer {TOKEN}"}
PAID_ID = "case-8048ba1b8c7e0dee"
HEAD = 55


def partly(platform: FakePlatform, sealed: int, published: int) -> None:
    """Takes back what is published."""
    platform.sealing.kept.clear()
    platform.sealing.publish(published)
    platform.sealing.seal(sealed)


# ----------------------------------------------------------------------------------------------------- the proof's file


def test_every_event_is_proved_by_a_file_that_needs_no_connection(client: TestClient, platform: FakePlatform):
    policy = platform.sealing.policy()
    for recorded, entry in platform.entries:
        response = client.get(f"/v1/events/{recorded.position}/proof")
        proof = parse_proof(response.content)
        assert proof.data == response.content
        assert proof.position == recorded.position
        assert proof.verified(entry, policy).checkpoint.size == HEAD
        parse_receipt(proof.extra).verified(proof, policy)


def test_the_file_has_a_name_that_says_which_log_and_which_event(client: TestClient):
    headers = client.get("/v1/events/36/proof").headers
    assert headers["Content-Disposition"] == 'attachment; filename="yangquan-simulation-0badcafe-36.tlog-proof"'
    assert headers["Content-Type"] == "text/plain; charset=utf-8"


def test_a_file_name_takes_nothing_of_an_origin_that_a_header_or_file_system_could_not(platform: FakePlatform):
    platform.info.origin = '阳泉.example/"log"\r\n'
    platform.sealing.keys = [type(platform.sealing.keys[0])("阳泉.example/log", b"\x11" * 32)]
    platform.info.origin = "阳泉.example/log"
    platform.sealing.publish()
    with client_of(platform) as client:
        found = client.get("/v1/events/1/proof").headers["Content-Disposition"]
    assert found == 'attachment; filename="__.example_log-1.tlog-proof"'


def test_a_proof_of_another_event_or_another_log_does_not_hold(client: TestClient, platform: FakePlatform):
    proof = parse_proof(client.get("/v1/events/36/proof").content)
    with pytest.raises(VerificationError):
        proof.verified(platform.entries[36][1], platform.sealing.policy())
    platform.info.origin = "another"
    platform.sealing.keys = [type(platform.sealing.keys[0])("another", b"\x12" * 32)]
    with pytest.raises(VerificationError):
        proof.verified(platform.entries[35][1], platform.sealing.policy())


def test_a_proof_holds_nothing_of_what_the_event_says_or_who_acted(client: TestClient, platform: FakePlatform):
    for recorded, _ in platform.entries:
        content = client.get(f"/v1/events/{recorded.position}/proof").content
        told = content + parse_proof(content).extra
        envelope = recorded.envelope
        for secret in (envelope.actor, envelope.subject, envelope.partitionkey, envelope.correlation, "person-"):
            if secret not in ("log", "system"):
                assert secret.encode() not in told
        for text in platform.texts.values():
            assert text is None or text.encode() not in told
        assert not [digest for digest in platform.texts if digest.encode() in told]


def test_a_proof_bears_the_cosignatures_of_the_witnesses(platform: FakePlatform):
    platform.sealing.witnesses = WITNESSES
    platform.sealing.publish()
    with client_of(platform) as client:
        proof = parse_proof(client.get("/v1/events/36/proof").content)
    accepted = proof.verified(platform.entries[35][1], platform.sealing.policy())
    assert [each.key.name for each in accepted.cosignatures] == ["province.example", "auditors.example"]


# -------------------------------------------------------------------------------------------------- what keeps it back


def test_an_event_that_is_not_published_has_no_proof_yet_and_is_told_what_it_waits_for(
    client: TestClient, platform: FakePlatform
):
    partly(platform, sealed=50, published=40)
    assert client.get("/v1/events/40/proof").status_code == 200
    for position, waits in ((41, "waits for the checkpoint to be signed"), (51, "waits to be put into the tree")):
        response = client.get(f"/v1/events/{position}/proof")
        assert response.status_code == 503
        assert response.headers["Retry-After"] == "1"
        problem = response.json()
        assert problem["type"] == "urn:qingling:problem:not-ready"
        assert problem["position"] == 40
        assert waits in problem["detail"]


def test_who_asks_to_wait_is_answered_once_it_is_published(client: TestClient, platform: FakePlatform):
    partly(platform, sealed=50, published=40)
    response = client.get("/v1/events/51/proof?wait=published")
    parse_proof(response.content).verified(platform.entries[50][1], platform.sealing.policy())


def test_who_waits_in_vain_is_told_so(client: TestClient, platform: FakePlatform, monkeypatch):
    partly(platform, sealed=50, published=40)
    platform.sealing.trouble = "no quorum: auditors.example did not answer"
    waited: list[float] = []
    wait = platform.sealing.wait_published

    def noted(position: int, timeout: float) -> None:
        waited.append(timeout)
        wait(position, timeout)

    monkeypatch.setattr(platform.sealing, "wait_published", noted)
    response = client.get("/v1/events/51/proof?wait=published")
    assert response.status_code == 503
    assert "auditors.example did not answer" in response.json()["detail"]
    assert 0 < waited[0] <= 30


def test_a_log_that_has_stopped_sealing_still_proves_what_was_published(client: TestClient, platform: FakePlatform):
    partly(platform, sealed=50, published=40)
    platform.sealing.stopped = "the entry at position 41 is not the one that was sealed"
    assert client.get("/v1/events/40/proof").status_code == 200
    for address in ("/v1/events/41/proof", "/v1/events/41/proof?wait=published"):
        response = client.get(address)
        assert response.status_code == 503
        assert "ealing has stopped" in response.json()["detail"]


def test_a_log_without_a_key_says_what_makes_the_first_one(client: TestClient, platform: FakePlatform):
    platform.sealing.kept.clear()
    platform.sealing.sealed = 0
    platform.sealing.keyless = True
    detail = client.get("/v1/events/1/proof").json()["detail"]
    assert "qingling log rotate-key" in detail
    assert client.get("/v1/events/1").json()["item"]["state"] == "recorded"
    log = client.get("/v1/log").json()["sealing"]
    assert (log["keys"], log["checkpoint"], log["published"]) == ([], None, 0)


def test_beyond_the_log_there_is_nothing_to_prove_and_nothing_to_wait_for(client: TestClient, platform: FakePlatform):
    platform.sealing.kept.clear()
    platform.sealing.trouble = "no quorum"
    assert client.get(f"/v1/events/{HEAD + 1}/proof").status_code == 404
    assert client.get(f"/v1/events/{HEAD + 1}/proof?wait=published").status_code == 404
    assert client.get("/v1/events/0/proof").json()["field"] == "position"
    assert client.get("/v1/events/1/proof?wait=sealed").json()["field"] == "wait"


def test_an_event_of_an_open_review_is_proved_to_nobody(client: TestClient, platform: FakePlatform):
    _, entry = platform.entries[6]
    hidden = entry.replace(b'"visibility":"case"', b'"visibility":"review"')
    platform.entries[6] = (type(platform.types).decode_entry(platform.types, 7, hidden), hidden)
    platform.sealing.publish()
    assert platform.event(7).item.visibility is Visibility.REVIEW
    for address in ("/v1/events/7/proof", "/v1/events/7/proof?wait=published", "/zh/events/7/receipt"):
        response = client.get(address)
        assert response.status_code == 404, address
        assert "sealing" not in response.text


def test_an_event_that_is_not_the_one_that_was_sealed_is_never_proved(
    client: TestClient, platform: FakePlatform, monkeypatch
):
    def refused(position: int):
        raise VerificationError(f"the event recorded at position {position} is not the one that was sealed")

    monkeypatch.setattr(platform.sealing, "proof", refused)
    response = client.get("/v1/events/36/proof")
    assert response.status_code == 500
    assert response.json()["type"] == "urn:qingling:problem:verification-failed"
    assert "position 36 is not the one that was sealed" in response.json()["detail"]
    assert client.get("/zh/events/36/receipt").status_code == 500


# ------------------------------------------------------------------------------------------------------------- states


def test_every_event_says_how_far_it_has_come(client: TestClient, platform: FakePlatform):
    partly(platform, sealed=50, published=40)
    for position, state, proof in (
        (40, "published", "/v1/events/40/proof"),
        (50, "sealed", None),
        (51, "recorded", None),
    ):
        event = client.get(f"/v1/events/{position}").json()
        assert event["item"]["state"] == state
        assert event["sealing"]["proof"] == proof
        assert (event["sealing"]["waits_for"] is None) == (state == "published")


def test_a_case_is_published_when_all_of_its_events_are(client: TestClient, platform: FakePlatform):
    whole = client.get(f"/v1/cases/{PAID_ID}").json()
    positions = [item["position"] for item in whole["timeline"]]
    assert whole["sealing"]["state"] == "published"
    assert whole["sealing"]["events"] == len(positions)
    partly(platform, sealed=positions[-1] - 1, published=positions[-3])
    part = client.get(f"/v1/cases/{PAID_ID}").json()
    assert part["sealing"]["state"] == "recorded"
    assert part["sealing"]["not_published"] == positions[-2:]
    assert [item["state"] for item in part["timeline"]][-4:] == ["published", "published", "sealed", "recorded"]
    assert client.get(f"/v1/cases/{PAID_ID}/timeline").json()["sealing"] == part["sealing"]
    before = client.get(f"/v1/cases/{PAID_ID}?as_known_at={positions[-3]}").json()
    assert before["sealing"]["state"] == "published"


def test_a_case_that_was_not_known_then_has_no_state(client: TestClient):
    assert client.get(f"/v1/cases/{PAID_ID}?as_known_at=2").json()["sealing"] is None


@pytest.mark.parametrize(
    "address",
    ["/v1/log", f"/v1/cases/{PAID_ID}", f"/v1/cases/{PAID_ID}/timeline", "/v1/events/36", "/v1/streams/log"],
)
def test_who_has_an_answer_is_told_when_what_it_speaks_of_is_published(
    client: TestClient, platform: FakePlatform, address
):
    partly(platform, sealed=0, published=0)
    first = client.get(address)
    tag = {"If-None-Match": first.headers["ETag"]}
    assert client.get(address, headers=tag).status_code == 304
    platform.sealing.publish()
    unwitnessed = client.get(address, headers=tag)
    assert unwitnessed.status_code == 200
    platform.sealing.witnesses = WITNESSES
    platform.sealing.publish()
    assert client.get(address, headers={"If-None-Match": unwitnessed.headers["ETag"]}).status_code == 200


def test_published_without_a_witness_never_stands_alone(client: TestClient, platform: FakePlatform):
    assert client.get("/v1/events/36").json()["item"]["state_title"]["en"] == "Published, no witness"
    platform.sealing.witnesses = WITNESSES
    platform.sealing.publish()
    assert client.get("/v1/events/36").json()["item"]["state_title"] == {"zh": "已公布", "en": "Published"}


def test_what_was_published_before_there_were_witnesses_is_not_called_witnessed(
    client: TestClient, platform: FakePlatform
):
    platform.sealing.witnesses = WITNESSES
    item = client.get("/v1/events/36").json()["item"]
    assert (item["state"], item["state_title"]["en"]) == ("sealed", "Sealed")
    refused = client.get("/v1/events/36/proof")
    assert refused.status_code == 503
    assert "waits until enough witnesses" in refused.json()["detail"]
    sealing = client.get("/v1/log").json()["sealing"]
    assert (sealing["published"], sealing["witnessed"], sealing["quorum"]) == (0, False, "both")
    platform.sealing.publish()
    assert client.get("/v1/events/36").json()["item"]["state"] == "published"


def test_the_log_says_whose_keys_and_witnesses_stand_behind_it(platform: FakePlatform):
    platform.sealing.witnesses = WITNESSES
    platform.sealing.publish(50)
    platform.sealing.trouble = "connection refused"
    with client_of(platform) as client:
        sealing = client.get("/v1/log").json()["sealing"]
        answer = client.get("/v1/log").text
    assert (sealing["recorded"], sealing["sealed"], sealing["published"]) == (HEAD, HEAD, 50)
    assert sealing["keys"][0]["vkey"] == platform.sealing.keys[0].verifier.vkey
    assert [(w["name"], w["cosigned"], w["trouble"]) for w in sealing["witnesses"]] == [
        ("province.example", 50, "connection refused"),
        ("auditors.example", 50, "connection refused"),
    ]
    assert (sealing["witnessed"], sealing["quorum"]) == (True, "both")
    assert sealing["checkpoint"]["note"] == platform.sealing.checkpoint().decode()
    assert "waits until enough witnesses" in sealing["waits_for"]["en"]
    assert "/nowhere" not in answer


# ----------------------------------------------------------------------------------------- checkpoints and consistency


def test_every_checkpoint_that_was_published_can_be_had_again(client: TestClient, platform: FakePlatform):
    partly(platform, sealed=55, published=40)
    first = platform.sealing.checkpoint().decode()
    platform.sealing.publish()
    assert client.get("/v1/log/checkpoint").json()["size"] == HEAD
    again = client.get("/v1/log/checkpoint?size=40").json()
    assert again["note"] == first
    assert again["published"].endswith("+08:00")
    assert client.get("/v1/log/checkpoint?size=41").status_code == 404


def test_the_log_is_shown_to_have_only_grown(client: TestClient, platform: FakePlatform):
    partly(platform, sealed=55, published=40)
    old = parse_checkpoint(parse_note(platform.sealing.checkpoint()).text)
    platform.sealing.publish()
    new = parse_checkpoint(parse_note(platform.sealing.checkpoint()).text)
    for address in ("/v1/log/consistency?old=40&new=55", "/v1/log/consistency?old=40"):
        view = client.get(address).json()
        proof = [read_hash(node, "a hash") for node in view["proof"]]
        verify_consistency(old.size, old.root, view["new"], new.root, proof)
    with pytest.raises(VerificationError):
        verify_consistency(old.size, bytes(32), 55, new.root, proof)


def test_consistency_is_asked_for_between_published_trees_in_their_order(client: TestClient, platform: FakePlatform):
    assert client.get("/v1/log/consistency?old=50&new=40").status_code == 404
    assert client.get("/v1/log/consistency?old=50&new=56").status_code == 404
    assert client.get("/v1/log/consistency").json()["field"] == "old"
    assert client.get("/v1/log/consistency?old=0").json()["field"] == "old"
    platform.sealing.kept.clear()
    assert client.get("/v1/log/consistency?old=1").status_code == 503
    assert client.get("/v1/log/checkpoint").status_code == 503


# --------------------------------------------------------------------------------------------------------- wholeness


def test_an_officer_binds_the_log_to_all_of_its_histories(client: TestClient, platform: FakePlatform):
    assert client.get("/v1/log/wholeness").status_code == 404
    response = client.post("/v1/log/wholeness", headers=OFFICER)
    assert response.status_code == 201
    assert response.headers["Location"] == "/v1/events/56"
    committed = response.json()
    assert (committed["position"], committed["upto"], committed["state"]) == (56, 55, "sealed")
    event = client.get(response.headers["Location"]).json()["item"]
    assert event["type"] == "log.wholeness-committed.v1"
    assert event["actor"] == "officer-00000001"
    latest = client.get("/v1/log/wholeness").json()
    assert (latest["position"], latest["upto"], latest["streams"], latest["partitions"]) == (56, 55, 30, 7)


def test_who_waits_for_the_commitment_gets_it_published(client: TestClient):
    response = client.post("/v1/log/wholeness?wait=published", headers=OFFICER)
    assert (response.status_code, response.json()["state"]) == (201, "published")


def test_a_commitment_that_is_not_published_in_time_is_recorded_all_the_same_and_says_how_far_it_came(
    client: TestClient, platform: FakePlatform
):
    platform.sealing.trouble = "no quorum"
    response = client.post("/v1/log/wholeness?wait=published", headers=OFFICER)
    assert (response.status_code, response.json()["state"]) == (201, "sealed")
    assert platform.head().position == 56


@pytest.mark.parametrize("kind", list(LogKind))
def test_nobody_records_without_a_token_that_names_an_officer(kind: LogKind):
    platform = played(kind)
    with client_of(platform) as client:
        assert client.post("/v1/log/wholeness").status_code == 401
        assert client.post("/v1/log/wholeness", headers={"Authorization": "Bearer ql_wrong"}).status_code == 401
        signed_in = client.post("/v1/log/wholeness", headers={"Cookie": f"qingling_session={TOKEN}"})
        assert signed_in.status_code == 401, "a session reads; nothing is recorded with it"
    assert platform.head().position == HEAD


def test_a_log_without_a_key_commits_to_nothing(client: TestClient, platform: FakePlatform):
    platform.sealing.keyless = True
    assert client.post("/v1/log/wholeness", headers=OFFICER).status_code == 503
    assert platform.head().position == HEAD


def test_what_records_takes_an_officer(client: TestClient):
    document = client.get("/openapi.json").json()
    writes = {(path, method) for path, found in document["paths"].items() for method in found if method != "get"}
    assert ("/v1/log/wholeness", "post") in writes
    assert ("/v1/complaints/{thing}/classify", "post") in writes
    assert all(document["paths"][path][method]["security"] == [{"officer": []}] for path, method in writes)


def test_the_receipt_of_a_proof_is_what_its_page_prints(client: TestClient, platform: FakePlatform):
    proof = parse_proof(client.get("/v1/events/36/proof").content)
    page = client.get("/zh/events/36/receipt").text
    assert proof.extra.decode() in page.replace("&#43;", "+")
    assert parse_receipt(proof.extra).leaf == platform.sealing.leaves()[35]
    assert re.sub(r"\s", "", proof.extra.decode()).isascii()
    assert PAID_CASE not in page
