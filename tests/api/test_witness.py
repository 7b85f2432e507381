"""The door of a witness: statuses and types of the protocol, letter by letter, and limits on what is read."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from api.witness import MAX_REQUEST, create_witness_app
from domain.sealing.cosignature import CosignerKey
from domain.sealing.note import SigningKey
from domain.sealing.submission import accepted_cosignatures, print_submission
from domain.sealing.tree import consistency_proof, leaf_hash
from infra.bootstrap import WitnessDesk
from tests.domain.sealing.material import LOG, SEED, TIME, leaves, reader_of, signed

LEAVES = leaves(20)
MONITORED = f"/{sha256(LOG.name.encode()).hexdigest()}/checkpoint"
FORGED = [leaf_hash(b"forged"), *LEAVES[1:]]


@pytest.fixture
def desk(tmp_path: Path) -> WitnessDesk:
    desk = WitnessDesk.create(tmp_path / "w", "witness.example.org/w1")
    desk.add_log(LOG.verifier.vkey)
    return desk


@pytest.fixture
def client(desk: WitnessDesk) -> Iterator[TestClient]:
    with TestClient(
        create_witness_app(desk, lambda: TIME + 0.9), follow_redirects=False, raise_server_exceptions=False
    ) as client:
        yield client


def submission(old: int, size: int, hashes: list[bytes] = LEAVES, key: SigningKey = LOG) -> bytes:
    proof = consistency_proof(old, size, reader_of(hashes)) if 0 < old < size else []
    return print_submission(old, proof, signed(hashes[:size], key=key))


def test_a_checkpoint_that_follows_is_cosigned_at_the_second_of_the_clock(
    client: TestClient, desk: WitnessDesk
) -> None:
    for old, size in ((0, 5), (5, 9), (9, 9)):
        answer = client.post("/add-checkpoint", content=submission(old, size))
        assert answer.status_code == 200
        [cosignature] = accepted_cosignatures(signed(LEAVES[:size]), answer.content, [CosignerKey.parse(desk.vkey)])
        assert cosignature.time == TIME
        assert answer.content.startswith("— witness.example.org/w1 ".encode())
        assert answer.content.endswith(b"\n")


def test_every_refusal_has_the_status_that_the_protocol_gives_it(client: TestClient) -> None:
    client.post("/add-checkpoint", content=submission(0, 5))
    stranger = SigningKey(LOG.name, SEED[::-1])
    asked = {
        "malformed": (b"", 400),
        "not signed notes": (b"old 5\n\nnothing\n", 400),
        "old above new": (print_submission(9, [], signed(LEAVES[:7])), 400),
        "unknown log": (submission(5, 9, key=SigningKey("unknown.example", SEED)), 404),
        "unknown key": (submission(5, 9, key=stranger), 403),
        "other size": (submission(3, 9), 409),
        "other history": (submission(5, 9, FORGED), 422),
        "other root": (submission(5, 5, FORGED), 422),
        "no proof": (print_submission(5, [], signed(LEAVES[:9])), 422),
    }
    assert {name: client.post("/add-checkpoint", content=body).status_code for name, (body, _) in asked.items()} == {
        name: status for name, (_, status) in asked.items()
    }


def test_the_size_of_a_conflict_has_the_very_type_that_clients_compare(client: TestClient) -> None:
    client.post("/add-checkpoint", content=submission(0, 5))
    answer = client.post("/add-checkpoint", content=submission(0, 9))
    assert (answer.status_code, answer.headers.get_list("content-type"), answer.content) == (
        409,
        ["text/x.tlog.size"],
        b"5\n",
    )


def test_a_monitor_reads_the_latest_that_was_cosigned(client: TestClient) -> None:
    assert client.get(MONITORED).status_code == 404
    client.post("/add-checkpoint", content=submission(0, 5))
    client.post("/add-checkpoint", content=submission(5, 9))
    shown = client.get(MONITORED)
    assert (shown.status_code, shown.headers["content-type"]) == (200, "text/plain; charset=utf-8")
    assert shown.content.startswith(signed(LEAVES[:9]))
    assert shown.headers["cache-control"] == "no-store"
    assert client.head(MONITORED).status_code == 200


@pytest.mark.parametrize(
    "path", ["/", "/checkpoint", "/add-checkpoint/", f"{MONITORED}/", "/x/checkpoint", "/a/b/checkpoint", "/docs"]
)
def test_there_is_nothing_else(client: TestClient, path: str) -> None:
    client.post("/add-checkpoint", content=submission(0, 5))
    assert client.get(path).status_code == 404


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_only_a_post_submits(client: TestClient, method: str) -> None:
    answer = client.request(method, "/add-checkpoint")
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


def test_only_a_get_reads(client: TestClient) -> None:
    answer = client.post(MONITORED, content=submission(0, 5))
    assert answer.status_code == 405
    assert set(answer.headers["allow"].split(", ")) == {"GET", "HEAD"}


def test_a_request_is_read_up_to_its_limit_and_no_further(client: TestClient) -> None:
    at_the_limit = b"old 0\n\n" + b"x" * (MAX_REQUEST - 7)
    assert client.post("/add-checkpoint", content=at_the_limit).status_code == 400
    assert client.post("/add-checkpoint", content=at_the_limit + b"x").status_code == 413
    unsaid = client.post("/add-checkpoint", content=iter([b"x" * 1_000] * 100))
    assert "content-length" not in unsaid.request.headers
    assert unsaid.status_code == 413


def test_the_largest_request_of_the_protocol_is_within_the_limit(client: TestClient) -> None:
    many = signed(LEAVES[:5]) + b"".join(f"— other.example/{number} {'A' * 96}\n".encode() for number in range(99))
    body = print_submission(0, [], many)
    assert len(body) + 63 * 45 < MAX_REQUEST
    assert client.post("/add-checkpoint", content=body).status_code == 200


def test_what_is_broken_inside_is_not_told_outside(client: TestClient, desk: WitnessDesk) -> None:
    (desk.folder / "logs").write_text("nonsense\n", encoding="utf-8")
    answer = client.post("/add-checkpoint", content=submission(0, 5))
    assert (answer.status_code, answer.text) == (500, "Internal Server Error")
