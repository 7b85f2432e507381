"""A witness by its command line: made, told of a log, served by two processes at once, stopped and started."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

import pytest

from domain.sealing.cosignature import CosignerKey
from domain.sealing.submission import accepted_cosignatures, print_submission
from domain.sealing.tree import consistency_proof, leaf_hash
from infra.sealing.witness_client import Reply, WitnessClient, monitoring_url, submission_url
from tests.cli.conftest import Run
from tests.domain.sealing.material import LOG, leaves, reader_of, signed

CHECKOUT = Path(__file__).resolve().parents[2]
LEAVES = leaves(40)
NAME = "witness.example.org/province"


@contextmanager
def serving(state: Path) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """A server in a process of its own, and its URL."""
    command = [
        sys.executable,
        "-m",
        "api.cli.main",
        "witness",
        "serve",
        "--state",
        str(state),
        "--port",
        "0",
        "--language",
        "en",
    ]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("QINGLING_")}
    with subprocess.Popen(
        command, cwd=CHECKOUT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        try:
            assert server.stdout.readline().startswith(f"{NAME}+")
            yield server.stdout.readline().split()[-1].removesuffix("/add-checkpoint"), server
        finally:
            server.kill()


@pytest.fixture
def client() -> Iterator[WitnessClient]:
    client = WitnessClient()
    yield client
    client.close()


@pytest.fixture
def state(run: Run, tmp_path: Path) -> Path:
    """The folder of a witness that knows one log."""
    folder = tmp_path / "w"
    assert run("witness", "init", "--state", str(folder), "--name", NAME).code == 0
    assert run("witness", "add-log", "--state", str(folder), LOG.verifier.vkey, "--url", "https://a.example").code == 0
    return folder


def submit(client: WitnessClient, url: str, old: int, size: int, hashes: Sequence[bytes] = LEAVES) -> Reply:
    proof = consistency_proof(old, size, reader_of(hashes)) if 0 < old < size else []
    return client("POST", submission_url(url), print_submission(old, proof, signed(hashes[:size])))


def status(run: Run, state: Path) -> dict[str, object]:
    ran = run("witness", "status", "--state", str(state), "--format", "json")
    assert ran.code == 0
    answer = json.loads(ran.out)
    assert isinstance(answer, dict)
    return answer


def test_making_a_witness_prints_its_public_key_and_where_the_secret_lies(run: Run, tmp_path: Path) -> None:
    ran = run("witness", "init", "--state", str(tmp_path / "w"), "--name", NAME, "--language", "en")
    assert CosignerKey.parse(ran.out.removesuffix("\n")).name == NAME
    assert str(tmp_path / "w" / "witness.skey") in ran.err
    assert "PRIVATE" not in ran.out + ran.err
    again = run("witness", "init", "--state", str(tmp_path / "w"), "--name", NAME)
    assert (again.code, again.out) == (10, "")


def test_a_witness_says_which_logs_it_knows(run: Run, state: Path) -> None:
    shown = status(run, state)
    assert shown["key_file"] == str(state / "witness.skey")
    assert shown["logs"] == [
        {
            "origin": LOG.name,
            "size": None,
            "root": None,
            "at": None,
            "vkeys": [LOG.verifier.vkey],
            "url": "https://a.example",
        }
    ]
    assert LOG.name in run("witness", "status", "--state", str(state)).out


def test_what_cannot_be_done_is_said_in_one_line(run: Run, state: Path, tmp_path: Path) -> None:
    for code, arguments in (
        (2, ("init", "--state", str(tmp_path / "x"), "--name", "two words")),
        (2, ("add-log", "--state", str(state), LOG.verifier.vkey)),
        (2, ("add-log", "--state", str(state), "nonsense")),
        (10, ("add-log", "--state", str(tmp_path / "x"), LOG.verifier.vkey)),
        (10, ("serve", "--state", str(tmp_path / "x"))),
        (10, ("status", "--state", str(tmp_path / "x"))),
    ):
        ran = run("witness", *arguments)
        assert (ran.code, ran.out, ran.err.count("\n")) == (code, "", 1), arguments
    assert not (tmp_path / "x").exists()


def test_a_server_cosigns_shows_to_monitors_and_knows_all_that_after_it_was_killed(
    run: Run, state: Path, client: WitnessClient
) -> None:
    with serving(state) as (url, server):
        reply = submit(client, url, 0, 5)
        assert reply.status == 200
        vkey = str(status(run, state)["vkey"])
        assert accepted_cosignatures(signed(LEAVES[:5]), reply.body, [CosignerKey.parse(vkey)])
        assert client("GET", monitoring_url(url, LOG.name), None).body.startswith(signed(LEAVES[:5]))
        server.send_signal(signal.SIGKILL)
    with serving(state) as (url, server):
        assert submit(client, url, 0, 9) == Reply(409, "text/x.tlog.size", b"5\n")
        assert submit(client, url, 5, 9).status == 200
        server.send_signal(signal.SIGTERM)
        assert server.wait(30) == 0
        assert server.stderr is not None
        assert server.stderr.read().splitlines() == ["Stopped"]


def test_of_two_servers_on_one_folder_given_two_histories_only_one_history_is_cosigned(
    state: Path, client: WitnessClient
) -> None:
    histories = [[*LEAVES[:1], *(leaf_hash(b"%d %d" % (number, leaf)) for leaf in range(12))] for number in range(2)]
    with serving(state) as (first, _), serving(state) as (second, _):
        assert submit(client, first, 0, 1).status == 200
        taken: dict[int, list[int]] = {}
        together = threading.Barrier(2)

        def race(number: int, url: str) -> None:
            taken[number] = []
            for size in range(2, 13):
                together.wait(30)
                taken[number].append(submit(client, url, size - 1, size, histories[number]).status)

        threads = [threading.Thread(target=race, args=(number, url)) for number, url in enumerate((first, second))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        name = sha256(LOG.name.encode()).hexdigest()
        shown = [client("GET", f"{url}/{name}/checkpoint", None).body for url in (first, second)]
    winner = 0 if taken[0][0] == 200 else 1
    assert taken[winner] == [200] * 11
    assert set(taken[1 - winner]) <= {409, 422}
    assert shown[0] == shown[1]
    assert shown[0].startswith(signed(histories[winner][:12]))
