"""One real broker of Apache Kafka for a test run, started when a test first asks for it; topics are the tests' own.

Without Java or Maven its tests are skipped, saying so; with CI=true that is a failure.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.conftest import CHECKOUT

PATIENCE = 120.0


def free_ports(count: int) -> list[int]:
    """Ports of the loopback that nobody listens on now."""
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in held]
    for each in held:
        each.close()
    return ports


def fetched() -> None:
    """Has the jars of the broker fetched; skips where they cannot be had."""
    missing = [name for name in ("java", "mvn") if shutil.which(name) is None]
    if not missing:
        done = subprocess.run(
            [CHECKOUT / "scripts/kafka", "jars"], capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
        )
        if done.returncode == 0:
            return
        missing = [done.stderr.strip() or "the jars"]
    reason = f"no Kafka broker without {', '.join(missing)}"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


class Broker:
    """A node of a cluster, in a process of its own."""

    def __init__(self, folder: Path, port: int, node: int = 1, controllers: str = "", *options: str) -> None:
        self.folder = folder
        self.address = f"127.0.0.1:{port}"
        self._command = [str(CHECKOUT / "scripts/kafka"), "run", "--data", str(folder), "--port", str(port)]
        if controllers:
            self._command += ["--node", str(node), "--controllers", controllers]
        self._command += options
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Starts it, and waits until it answers.

        Raises:
            AssertionError: it ended, or did not answer in time.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        said = (self.folder / "broker.log").open("ab")
        self._process = subprocess.Popen(
            self._command, stdout=said, stderr=said, stdin=subprocess.DEVNULL, start_new_session=True
        )
        said.close()
        host, port = self.address.split(":")
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            assert self._process.poll() is None, (self.folder / "broker.log").read_text()[-3_000:]
            with socket.socket() as asking:
                if asking.connect_ex((host, int(port))) == 0:
                    return
            time.sleep(0.2)
        raise AssertionError((self.folder / "broker.log").read_text()[-3_000:])

    def kill(self) -> None:
        """Ends it without warning."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(timeout=60)
            self._process = None


@contextmanager
def broker() -> Iterator[Broker]:
    """A cluster of one node, its data in the temp folder."""
    fetched()
    folder = Path(tempfile.mkdtemp(prefix="qingling-test-kafka-"))
    port, controller = free_ports(2)
    running = Broker(folder, port, controllers=f"1@127.0.0.1:{controller}")
    try:
        running.start()
        yield running
    finally:
        running.kill()
        shutil.rmtree(folder, ignore_errors=True)
