"""Real brokers of Apache Kafka for tests: one (`broker`), or three that stand in for each other (`cluster`); their nodes may be killed.

Without Java or Maven the tests are skipped, saying so; with CI=true that is a failure.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from kafka.admin import KafkaAdminClient
from kafka.errors import KafkaError

from tests.conftest import CHECKOUT
from tests.network import Network

PATIENCE = 120.0
_QUICK = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xshare:auto"
"""For a Java that lives a minute: it starts in half the time, and leaves the machine to the tests."""
_NOTICED_SOON = "broker.session.timeout.ms=4000\nbroker.heartbeat.interval.ms=500\n"
"""That a node is gone, by the others."""
GROUPS = "__consumer_offsets"


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
    """A node of a cluster, in a process of its own. With `advertised` clients are told that address, a proxy's, and go through it;
    `properties` are further ones of the server; `users` are names and passwords of SCRAM-SHA-256."""

    def __init__(
        self,
        folder: Path,
        port: int,
        controllers: str,
        *,
        node: int = 1,
        advertised: str = "",
        properties: str = "",
        users: Mapping[str, str] | None = None,
    ) -> None:
        self.folder = folder
        self.node = node
        self.port = port
        self.address = advertised or f"127.0.0.1:{port}"
        self._properties = _NOTICED_SOON + properties
        self._further = folder / "further.properties"
        self._command = [str(CHECKOUT / "scripts/kafka"), "run", "--data", str(folder), "--port", str(port)]
        self._command += ["--node", str(node), "--controllers", controllers, "--config", str(self._further)]
        if advertised:
            self._command += ["--advertised", advertised, "--inner", str(free_ports(1)[0])]
        for name, password in (users or {}).items():
            self._command += ["--scram", f"{name}={password}"]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Starts it, and waits until it answers.

        Raises:
            AssertionError: it ended, or did not answer in time.
        """
        self.launch()
        self.wait()

    def launch(self) -> None:
        """Starts it, and does not wait."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._further.write_text(self._properties)
        with (self.folder / "broker.log").open("ab") as said:
            self._process = subprocess.Popen(
                self._command,
                stdout=said,
                stderr=said,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
                env={"JAVA_TOOL_OPTIONS": _QUICK, "QINGLING_KAFKA_HEAP": "256m", **os.environ},
            )

    def wait(self) -> None:
        """Waits until it answers.

        Raises:
            AssertionError: it ended, or did not answer in time.
        """
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            assert self._process is not None
            assert self._process.poll() is None, self._said()
            with socket.socket() as asking:
                if asking.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.1)
        raise AssertionError(self._said())

    @property
    def running(self) -> bool:
        """Whether its process is there."""
        return self._process is not None

    def kill(self) -> None:
        """Ends it without warning."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(timeout=60)
            self._process = None

    def _said(self) -> str:
        return (self.folder / "broker.log").read_text()[-3_000:]


class Nodes:
    """Three nodes that stand in for each other: what two of them hold is held."""

    def __init__(self, folder: Path, count: int = 3) -> None:
        ports = free_ports(2 * count)
        controllers = ",".join(f"{node}@127.0.0.1:{port}" for node, port in enumerate(ports[count:], 1))
        self.nodes = [
            Broker(folder / str(node), ports[node - 1], controllers, node=node) for node in range(1, count + 1)
        ]
        self.bootstrap = ",".join(each.address for each in self.nodes)

    def start(self) -> None:
        """Starts those that do not run, all at once, and waits for them."""
        launched = [each for each in self.nodes if not each.running]
        for each in launched:
            each.launch()
        for each in launched:
            each.wait()

    def kill(self) -> None:
        """Ends all of them without warning."""
        for each in self.nodes:
            each.kill()

    def leader_of(self, topic: str, partition: int) -> Broker:
        """The node that takes what is sent to a partition. Fails while there is none."""
        return self._node(self._leaders(topic)[partition])

    def coordinator_of(self, transactional_id: str) -> Broker:
        """The node that decides on the transactions of a producer."""
        with self._admin() as admin:
            return self._node(admin.describe_transactions([transactional_id])[transactional_id].coordinator_id)

    def group_coordinator_of(self, group: str) -> Broker:
        """The node that says what is whose in a consumer group: that which leads the group's partition of the topic of offsets."""
        number = 0
        for unit in group:  # String.hashCode of Java; of ASCII
            number = (31 * number + ord(unit)) & 0xFFFFFFFF
        leaders = self._leaders(GROUPS)
        return self._node(leaders[(number & 0x7FFFFFFF) % len(leaders)])

    def is_whole(self, topics: Sequence[str]) -> bool:
        """Whether every replica of every partition is in sync, so that any one node may be killed."""
        try:
            with self._admin() as admin:
                described = admin.describe_topics(list(topics))
        except KafkaError:
            return False
        partitions = [each for topic in described for each in topic["partitions"]]
        return bool(partitions) and all(len(each["isr_nodes"]) == len(each["replica_nodes"]) for each in partitions)

    def _leaders(self, topic: str) -> dict[int, int]:
        with self._admin() as admin:
            [described] = admin.describe_topics([topic])
        return {each["partition_index"]: each["leader_id"] for each in described["partitions"]}

    def _node(self, number: int) -> Broker:
        [found] = [each for each in self.nodes if each.node == number]
        return found

    @contextmanager
    def _admin(self) -> Iterator[KafkaAdminClient]:
        admin = KafkaAdminClient(bootstrap_servers=self.bootstrap.split(","), request_timeout_ms=5_000)
        try:
            yield admin
        finally:
            admin.close()


@contextmanager
def broker(proxy: Network | None = None) -> Iterator[Broker]:
    """A cluster of one node, its data in the temp folder; with `proxy` its clients go through that, which is pointed to it."""
    fetched()
    port, controller = free_ports(2)
    advertised = ""
    if proxy is not None:
        advertised, proxy.target = proxy.address, ("127.0.0.1", port)
    with _folder() as folder:
        running = Broker(folder, port, f"1@127.0.0.1:{controller}", advertised=advertised)
        try:
            running.start()
            yield running
        finally:
            running.kill()


@contextmanager
def cluster() -> Iterator[Nodes]:
    """A cluster of three nodes, their data in the temp folder."""
    fetched()
    with _folder() as folder:
        nodes = Nodes(folder)
        try:
            nodes.start()
            yield nodes
        finally:
            nodes.kill()


@contextmanager
def _folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="qingling-test-kafka-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
