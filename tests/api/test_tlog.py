"""`/log` is a static log by C2SP tlog-tiles: its paths and no others, its content types, kept for ever, open as far as it holds hashes."""

from __future__ import annotations

import gzip

import pytest
from fastapi.testclient import TestClient

from domain.campaigns.genesis import LogKind
from domain.catalogue import EVENT_TYPES
from domain.sealing.bundles import verify_bundle
from domain.sealing.tiles import Bundle, Tile, bundles_at, hash_reader, tiles_at
from domain.sealing.tree import root_from
from domain.streams import Visibility
from tests.api.conftest import client_of
from tests.api.fake_platform import TOKEN, FakePlatform, played
from tests.api.fake_sealing import WITNESSES

OFFICER = {"Authorization": f"Bearer {TOKEN}"}
SIZE = 55


def repeated(platform: FakePlatform, size: int) -> None:
    """Fills the log to `size` entries, with entries that it has, and publishes them."""
    own = list(platform.entries)
    while len(platform.entries) < size:
        _, entry = own[len(platform.entries) % len(own)]
        platform.entries.append((EVENT_TYPES.decode_entry(len(platform.entries) + 1, entry), entry))
    platform.sealing.publish()


def test_the_checkpoint_is_text_that_is_asked_for_again_every_second(client: TestClient, platform: FakePlatform):
    response = client.get("/log/checkpoint")
    assert response.content == platform.sealing.checkpoint()
    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert response.headers["Cache-Control"] == "public, max-age=1"
    assert platform.sealing.policy().verified(response.content).checkpoint.size == SIZE


def test_whoever_has_only_the_address_rebuilds_the_signed_root_from_the_tiles(
    client: TestClient, platform: FakePlatform
):
    repeated(platform, 700)

    def load(tile: Tile) -> bytes:
        response = client.get(f"/log/{tile.path}").raise_for_status()
        assert response.headers["Content-Type"] == "application/octet-stream"
        assert response.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        return response.content

    head = platform.sealing.policy().verified(client.get("/log/checkpoint").content).checkpoint
    assert root_from(head.size, hash_reader(head.size, load)) == head.root
    assert all(client.get(f"/log/{tile.path}").status_code == 200 for tile in tiles_at(head.size))
    for bundle in bundles_at(head.size):
        content = client.get(f"/log/{bundle.path}").raise_for_status().content
        entries = verify_bundle(bundle, content, load(Tile(0, bundle.index, bundle.width)))
        assert entries == [platform.entries[leaf][1] for leaf in bundle.leaves]


@pytest.mark.parametrize(
    "path",
    [
        "tile/0/0",
        "tile/0/0000",
        "tile/00/000",
        "tile/64/000",
        "tile/0/x000/000",
        "tile/0/000.p/0",
        "tile/0/000.p/055",
        "tile/0/000.p/56",
        "tile/0/000.p/256",
        "tile/0/000",
        "tile/0/000.p/",
        "tile/0/000/",
        "tile/0",
        "tile/1/000.p/1",
        "tile/entries/001",
        "tile/entries/000",
        "tile/entries/0",
        "tile/entries/000.p/56",
        "tile/entries",
        "tile/8/0/000.p/55",
        "tile/-1/000",
        "tile/0/%EF%BC%90%EF%BC%90%EF%BC%90",
        "tile/0/..%2F..%2Fcheckpoint",
        "checkpoint/",
        "Checkpoint",
        "tree",
        "published.sqlite",
        "lock",
        "",
    ],
)
def test_every_other_path_is_not_found(client: TestClient, path):
    response = client.get(f"/log/{path}")
    assert response.status_code == 404, path
    assert response.headers["Content-Type"] == "application/problem+json"


def test_a_path_takes_no_parameter(client: TestClient):
    assert client.get("/log/checkpoint?size=3").json()["rule"] == "known-parameter"
    assert client.get("/log/tile/0/000.p/55?x=1").status_code == 400


@pytest.mark.parametrize("path", ["checkpoint", "tile/0/000.p/55", "tile/entries/000.p/55"])
def test_who_has_a_file_is_not_sent_it_again(client: TestClient, path):
    first = client.get(f"/log/{path}")
    again = client.get(f"/log/{path}", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    for name in ("ETag", "Cache-Control", "Access-Control-Allow-Origin"):
        assert again.headers[name] == first.headers[name]
    assert client.get(f"/log/{path}", headers={"If-None-Match": '"another"'}).content == first.content


def test_a_new_checkpoint_is_sent_to_who_has_the_old_one(client: TestClient, platform: FakePlatform):
    tag = client.get("/log/checkpoint").headers["ETag"]
    repeated(platform, 60)
    assert client.get("/log/checkpoint", headers={"If-None-Match": tag}).status_code == 200


@pytest.mark.parametrize("path", ["checkpoint", "tile/0/000.p/55", "tile/entries/000.p/55"])
def test_head_says_what_get_would_send_and_sends_nothing(client: TestClient, path):
    plain = {"Accept-Encoding": "identity"}
    got, headed = client.get(f"/log/{path}", headers=plain), client.head(f"/log/{path}", headers=plain)
    assert headed.content == b""
    assert headed.headers["Content-Length"] == str(len(got.content))
    assert headed.headers["ETag"] == got.headers["ETag"]


def test_a_bundle_is_compressed_for_who_takes_gzip_and_hashes_never_are(client: TestClient):
    def raw(path: str, accepted: str) -> tuple[str | None, str, bytes]:
        with client.stream("GET", f"/log/{path}", headers={"Accept-Encoding": accepted}) as response:
            return response.headers.get("Content-Encoding"), response.headers["ETag"], b"".join(response.iter_raw())

    plain, zipped = raw("tile/entries/000.p/55", "identity"), raw("tile/entries/000.p/55", "br, gzip;q=0.5")
    assert (plain[0], zipped[0]) == (None, "gzip")
    assert gzip.decompress(zipped[2]) == plain[2]
    assert len(zipped[2]) < len(plain[2]) / 4
    assert plain[1] != zipped[1]
    assert raw("tile/entries/000.p/55", "gzip;q=0")[0] is None
    assert raw("tile/0/000.p/55", "gzip")[0] is None
    assert client.get("/log/tile/entries/000.p/55").headers["Vary"] == "Accept-Encoding"


def test_hashes_of_a_real_log_are_open_to_everybody_and_to_pages_of_others(real_client: TestClient):
    for path in ("checkpoint", "tile/0/000.p/55"):
        for headers in ({}, {"Authorization": "Bearer ql_wrong"}):
            response = real_client.get(f"/log/{path}", headers=headers)
            assert response.status_code == 200
            assert response.headers["Access-Control-Allow-Origin"] == "*"
            assert "Vary" not in response.headers


def test_entries_of_a_real_log_are_for_officers_and_kept_by_nobody_between(real_client: TestClient):
    without = real_client.get("/log/tile/entries/000.p/55")
    assert without.status_code == 401
    assert without.headers["Content-Type"] == "application/problem+json"
    response = real_client.get("/log/tile/entries/000.p/55", headers=OFFICER)
    assert response.status_code == 200
    assert response.headers["Cache-Control"] == "private, max-age=31536000, immutable"
    assert response.headers["Vary"] == "Accept-Encoding, Authorization, Cookie"
    assert "Access-Control-Allow-Origin" not in response.headers


def test_entries_of_a_simulation_are_open(client: TestClient):
    response = client.get("/log/tile/entries/000.p/55")
    assert response.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert response.headers["Access-Control-Allow-Origin"] == "*"


@pytest.mark.parametrize("kind", list(LogKind))
def test_a_bundle_with_an_event_of_an_open_review_is_refused_and_its_hashes_are_not(kind: LogKind):
    platform = played(kind)
    recorded, entry = platform.entries[6]
    seen, hidden = (
        f'"visibility":"{visibility.value}"'.encode() for visibility in (Visibility.CASE, Visibility.REVIEW)
    )
    assert seen in entry
    platform.entries[6] = (recorded, entry.replace(seen, hidden))
    platform.sealing.publish()
    with client_of(platform) as client:
        refused = client.get("/log/tile/entries/000.p/55", headers=OFFICER)
        assert refused.status_code == 404
        assert b"urn:qingling:test" not in refused.content
        assert client.get("/log/tile/entries/000.p/6", headers=OFFICER).status_code == 200
        assert client.get("/log/tile/0/000.p/55").status_code == 200


def test_what_is_sealed_and_not_published_is_not_served(client: TestClient, platform: FakePlatform):
    platform.sealing.kept.clear()
    platform.sealing.publish(40)
    platform.sealing.seal()
    assert client.get("/log/tile/0/000.p/55").status_code == 404
    assert client.get(f"/log/{Bundle(0, 40).path}").status_code == 200


def test_before_the_first_checkpoint_the_log_says_that_there_is_none(client: TestClient, platform: FakePlatform):
    platform.sealing.kept.clear()
    response = client.get("/log/checkpoint")
    assert response.status_code == 503
    assert response.headers["Retry-After"] == "1"
    assert response.json()["type"] == "urn:qingling:problem:not-ready"
    platform.sealing.keyless = True
    assert "qingling log rotate-key" in client.get("/log/checkpoint").json()["detail"]


def test_the_checkpoint_bears_the_cosignatures_that_made_it_published(platform: FakePlatform):
    platform.sealing.witnesses = WITNESSES
    platform.sealing.publish()
    with client_of(platform) as client:
        accepted = platform.sealing.policy().verified(client.get("/log/checkpoint").content)
    assert [cosignature.key.name for cosignature in accepted.cosignatures] == [w.name for w in WITNESSES]
