"""How witnesses are reached: every way in which one may not answer is one error, in bounded time and memory."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from domain.errors import NotReadyError
from infra.sealing.witness_client import MAX_ANSWER, Patience, Reply, WitnessClient, monitoring_url, submission_url

Talk = Callable[[socket.socket], None]
GOOD = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 3\r\n\r\nyes"


@contextmanager
def listening(*talks: Talk) -> Iterator[str]:
    """The URL of a place where the first connection is talked to by the first of `talks`, and so on."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            for talk in talks:
                connection, _ = server.accept()
                with connection:
                    talk(connection)

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        thread.join(10)
        assert not thread.is_alive()


def heard(connection: socket.socket) -> bytes:
    """One request, its body too."""
    said = b""
    while b"\r\n\r\n" not in said:
        said += connection.recv(4096)
    head, _, body = said.partition(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0] or 0)
    while len(body) < length:
        body += connection.recv(4096)
    return head + b"\r\n\r\n" + body


def saying(*pieces: bytes) -> Talk:
    def talk(connection: socket.socket) -> None:
        heard(connection)
        for piece in pieces:
            connection.sendall(piece)

    return talk


@pytest.fixture
def client() -> Iterator[WitnessClient]:
    client = WitnessClient(Patience(connect=0.5, answer=0.5))
    yield client
    client.close()


def test_an_address_of_the_protocol_is_made_from_the_prefix_of_the_policy_with_or_without_its_slash() -> None:
    for prefix in ("https://w.example/p", "https://w.example/p/"):
        assert submission_url(prefix) == "https://w.example/p/add-checkpoint"
        assert monitoring_url(prefix, "audit.example.org/log1") == (
            "https://w.example/p/faa9165c0ac369bcf0c8b05d1859592b8f79df61ca1a3d184c9818b65d478ee6/checkpoint"
        )


def test_a_request_goes_out_whole_and_the_answer_comes_back_as_it_is(client: WitnessClient) -> None:
    requests: list[bytes] = []

    def talk(connection: socket.socket) -> None:
        requests.append(heard(connection))
        connection.sendall(b"HTTP/1.1 409 Conflict\r\nContent-Type: text/x.tlog.size\r\nContent-Length: 3\r\n\r\n17\n")

    with listening(talk) as url:
        assert client("POST", f"{url}/add-checkpoint", b"old 3\n") == Reply(409, "text/x.tlog.size", b"17\n")
    head, _, body = requests[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /add-checkpoint HTTP/1.1\r\n")
    assert body == b"old 3\n"


def test_a_connection_is_kept(client: WitnessClient) -> None:
    def talk(connection: socket.socket) -> None:
        for _ in range(3):
            heard(connection)
            connection.sendall(GOOD)

    with listening(talk) as url:
        assert [client("POST", url, b"x").body for _ in range(3)] == [b"yes"] * 3


def test_a_kept_connection_that_was_just_given_up_is_made_again(client: WitnessClient) -> None:
    def gives_up(connection: socket.socket) -> None:
        heard(connection)
        connection.sendall(GOOD)
        heard(connection)

    with listening(gives_up, saying(GOOD)) as url:
        assert [client("POST", url, b"x").body for _ in range(2)] == [b"yes"] * 2


def test_nobody_there_is_not_ready() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(NotReadyError, match=f"127.0.0.1:{port}.*[Rr]efused"):
        WitnessClient()("POST", f"http://127.0.0.1:{port}/add-checkpoint", b"x")


@pytest.mark.parametrize(
    "url", ["", "nowhere", "ftp://w.example/", "http://", "http://[", "http://\x00.example/", "http://.example/"]
)
def test_what_is_no_address_is_not_ready(client: WitnessClient, url: str) -> None:
    with pytest.raises(NotReadyError):
        client("POST", url, b"x")


@pytest.mark.parametrize(
    "answer",
    [
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"",
    ],
)
def test_an_answer_that_is_none_is_not_ready(client: WitnessClient, answer: bytes) -> None:
    with listening(saying(answer), saying(answer)) as url, pytest.raises(NotReadyError):
        client("POST", url, b"x")


def test_an_answer_without_end_is_not_read_to_its_end(client: WitnessClient) -> None:
    def talk(connection: socket.socket) -> None:
        heard(connection)
        try:
            connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            for _ in range(1_000):
                connection.sendall(b"x" * MAX_ANSWER)
        except OSError:
            return
        raise AssertionError("it was read to its end")

    with listening(talk) as url, pytest.raises(NotReadyError, match="more than 65536 bytes"):
        client("POST", url, b"x")


def test_an_answer_that_drips_is_not_waited_for(client: WitnessClient) -> None:
    ended = threading.Event()

    def talk(connection: socket.socket) -> None:
        heard(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        while not ended.wait(0.1):
            try:
                connection.sendall(b"x")
            except OSError:
                return

    with listening(talk) as url:
        began = time.monotonic()
        with pytest.raises(NotReadyError, match="did not end in time"):
            client("POST", url, b"x")
        assert time.monotonic() - began < 5
        ended.set()


def test_an_answer_that_does_not_come_is_not_waited_for(client: WitnessClient) -> None:
    ended = threading.Event()

    def talk(connection: socket.socket) -> None:
        heard(connection)
        assert ended.wait(10)

    with listening(talk) as url:
        with pytest.raises(NotReadyError, match="timed out"):
            client("POST", url, b"x")
        ended.set()


def test_nothing_is_followed_elsewhere(client: WitnessClient) -> None:
    moved = b"HTTP/1.1 307 Temporary Redirect\r\nLocation: http://elsewhere.example/\r\nContent-Length: 0\r\n\r\n"
    with listening(saying(moved)) as url:
        assert client("POST", url, b"x").status == 307
