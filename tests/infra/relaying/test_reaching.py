"""A cluster behind TLS and SASL: the relay carries its log through both, and who may not come in is told why, and soon."""

from __future__ import annotations

import shutil
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

import pytest
from kafka import TopicPartition

from domain.errors import DistributionError
from infra.kafka.cluster import Cluster, KafkaConfig, client_options
from infra.postgres.recorder import PostgresLog
from tests.certificates import Authority
from tests.infra.relaying.relays import grow, relay_of, relayed, require_equal
from tests.kafka_broker import Broker, fetched, free_ports

SECURED = """
listeners=SASL_SSL://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=SASL_SSL://127.0.0.1:{port}
listener.security.protocol.map=SASL_SSL:SASL_SSL,CONTROLLER:PLAINTEXT
inter.broker.listener.name=SASL_SSL
sasl.enabled.mechanisms=SCRAM-SHA-256,PLAIN
sasl.mechanism.inter.broker.protocol=SCRAM-SHA-256
listener.name.sasl_ssl.scram-sha-256.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required \\
  username="broker" password="among brokers";
listener.name.sasl_ssl.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required \\
  user_qingling="open sesame";
ssl.keystore.type=PEM
ssl.keystore.location={server}
ssl.truststore.type=PEM
ssl.truststore.location={authority}
"""
SOON = 4.0
"""Seconds after which the tests' clients give up, and more than a refusal takes."""


class Secured(NamedTuple):
    """A broker that takes nobody but by TLS and a password, and the folder with its authority's certificate."""

    broker: Broker
    authority: Path


@pytest.fixture(scope="module")
def secured() -> Iterator[Secured]:
    """The module's broker."""
    fetched()
    folder = Path(tempfile.mkdtemp(prefix="qingling-test-secured-"))
    port, controller = free_ports(2)
    authority = Authority.made("the office")
    trusted = authority.written(folder)
    running = Broker(
        folder / "data",
        port,
        f"1@127.0.0.1:{controller}",
        properties=SECURED.format(port=port, controller=controller, server=authority.server(folder), authority=trusted),
        users={"broker": "among brokers", "qingling": "open sesame"},
    )
    try:
        running.start()
        yield Secured(running, trusted)
    finally:
        running.kill()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def log(log_url: str) -> Iterator[PostgresLog]:
    """A log of some tens of events."""
    with PostgresLog(log_url) as log:
        grow(log, 5)
        yield log


def reached(secured: Secured, folder: Path, **changed: str) -> KafkaConfig:
    """A topic that is not there yet, reached by options in a file, as a deployment says them."""
    options = {
        "security_protocol": "SASL_SSL",
        "ssl_cafile": str(secured.authority),
        "sasl_mechanism": "SCRAM-SHA-256",
        "sasl_plain_username": "qingling",
        "sasl_plain_password": "open sesame",
        **changed,
    }
    file = folder / "kafka.toml"
    file.write_text("".join(f'{name} = "{value}"\n' for name, value in options.items()))
    return bounded(
        KafkaConfig(secured.broker.address, f"test.{uuid4().hex}", partitions=2, options=client_options(str(file)))
    )


def bounded(config: KafkaConfig) -> KafkaConfig:
    return replace(config, options={**config.options, "bootstrap_timeout_ms": SOON * 1_000})


@contextmanager
def soon() -> Iterator[None]:
    """What is done here is over soon, and leaves no thread behind."""
    began, threads = time.monotonic(), threading.active_count()
    yield
    assert time.monotonic() - began < SOON + 3
    assert threading.active_count() <= threads


@pytest.mark.kafka
@pytest.mark.slow
@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-256", "PLAIN"])
def test_the_relay_carries_the_log_through_tls_with_a_password(
    secured: Secured, log: PostgresLog, log_url: str, tmp_path: Path, mechanism: str
):
    config = reached(secured, tmp_path, sasl_mechanism=mechanism)
    relayed(log, log_url, config)
    require_equal(log, config)


@pytest.mark.kafka
@pytest.mark.slow
@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"sasl_plain_password": "wrong"}, "it refuses the user 'qingling' or the password"),
        ({"sasl_plain_username": "nobody"}, "it refuses the user 'nobody' or the password"),
        ({"sasl_mechanism": "PLAIN", "sasl_plain_password": "wrong"}, "it refuses the user 'qingling' or the password"),
        ({"sasl_mechanism": "SCRAM-SHA-512"}, "it does not take the mechanism SCRAM-SHA-512"),
        ({"security_protocol": "PLAINTEXT"}, "expects another security_protocol"),
        ({"security_protocol": "SASL_PLAINTEXT"}, "expects another security_protocol"),
        ({"security_protocol": "SSL"}, "expects another security_protocol"),
    ],
    ids=lambda value: "-".join(value.values()) if isinstance(value, dict) else "",
)
def test_who_may_not_come_in_is_told_why(secured: Secured, tmp_path: Path, changed: dict[str, str], said: str):
    with soon(), pytest.raises(DistributionError, match=said):
        Cluster(reached(secured, tmp_path, **changed), "test").prepare()


@pytest.mark.kafka
@pytest.mark.slow
def test_a_broker_of_another_authority_is_not_trusted(secured: Secured, tmp_path: Path):
    other = Authority.made("somebody else").written(tmp_path)
    with soon(), pytest.raises(DistributionError, match="its certificate is not trusted: self-signed"):
        Cluster(reached(secured, tmp_path, ssl_cafile=str(other)), "test").prepare()


@pytest.mark.kafka
@pytest.mark.slow
def test_a_broker_that_is_called_otherwise_than_its_certificate_is_not_trusted(secured: Secured, tmp_path: Path):
    config = reached(secured, tmp_path)
    named = replace(config, bootstrap=config.bootstrap.replace("127.0.0.1", "localhost"))
    with soon(), pytest.raises(DistributionError, match="its certificate is not trusted: Hostname mismatch"):
        Cluster(named, "test").prepare()


@pytest.mark.kafka
@pytest.mark.slow
def test_a_relay_with_a_wrong_password_says_so_and_tries_again(
    secured: Secured, log: PostgresLog, log_url: str, tmp_path: Path
):
    relay = relay_of(log, log_url, reached(secured, tmp_path, sasl_plain_password="wrong"))
    relay.run(lambda: relay.status().errors == 2)
    assert "refuses the user 'qingling'" in (relay.status().trouble or "")


@pytest.mark.parametrize("protocol", ["SSL", "PLAINTEXT"])
def test_a_broker_that_takes_connections_and_says_nothing_is_given_up(protocol: str):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        config = KafkaConfig(
            f"127.0.0.1:{silent.getsockname()[1]}",
            options={"security_protocol": protocol, "bootstrap_timeout_ms": 1_000},
        )
        with soon(), pytest.raises(DistributionError, match="no broker could be reached within 1 s by"):
            Cluster(config, "test").prepare()


def test_every_broker_that_was_tried_is_told():
    ports = free_ports(2)
    config = KafkaConfig(",".join(f"127.0.0.1:{port}" for port in ports), options={"bootstrap_timeout_ms": 1_500})
    with soon(), pytest.raises(DistributionError) as refused:
        Cluster(config, "test").prepare()
    assert all(f"127.0.0.1:{port}: " in str(refused.value) for port in ports)
    assert "ECONNREFUSED" in str(refused.value)


class Stuck:
    """A consumer whose broker went away in the middle of a partition."""

    def seek(self, at: TopicPartition, offset: int) -> None:
        self.offset = offset

    def position(self, at: TopicPartition, timeout_ms: int) -> int:
        return self.offset

    def poll(self, timeout_ms: int) -> dict:
        return {}


def test_a_partition_that_is_read_no_further_is_given_up(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("infra.kafka.cluster._PATIENCE", 0.05)
    with soon(), pytest.raises(DistributionError, match="partition 3 of topic t cannot be read beyond offset 7"):
        list(Cluster._scanned(Stuck(), TopicPartition("t", 3), 7, 9))
