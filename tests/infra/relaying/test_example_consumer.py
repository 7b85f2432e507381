"""The example of a consumer in Java: it proves what the relay carried, and says FALSE of, or refuses, what no relay of this log did."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from domain.recording import StoredEntry
from domain.sealing.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from domain.sealing.growth import TiledEdge
from domain.sealing.note import SigningKey
from domain.sealing.tree import leaf_hashes
from infra.bootstrap import Settings, initialise, open_platform, open_relay
from infra.kafka.cluster import Cluster, KafkaConfig
from infra.kafka.records import POSITION, WATERMARK, Watermark
from tests.conftest import CHECKOUT
from tests.kafka_broker import Broker
from tests.postgres_server import fresh_database, server
from tests.serving import started
from tests.synthetic import synthetic_batches

pytestmark = [pytest.mark.kafka, pytest.mark.slow]

PROGRAM = CHECKOUT / "docs/examples/ProvingConsumer.java"
SHOWN = (b'"visibility":"case"}', b'"visibility":"public"}')
PARTITIONS = 4
CASES = 70
DONE, COMMAND_LINE, DOES_NOT_HOLD, NOT_REACHED = 0, 2, 9, 12


@dataclass(frozen=True)
class Office:
    """A real log that is sealed, published, served and relayed, and what it holds."""

    settings: Settings
    origin: str
    key: SigningKey
    address: str
    entries: Sequence[StoredEntry]

    @property
    def config(self) -> KafkaConfig:
        return KafkaConfig(self.settings.kafka, self.settings.kafka_topic, PARTITIONS)

    @property
    def carried(self) -> dict[int, bytes]:
        """Entries of the general topic by position."""
        return {each.position: each.entry for each in self.entries if each.entry.endswith(SHOWN)}


@pytest.fixture(scope="module")
def office(kafka_broker: Broker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """Some seven hundred events: two full tiles and a partial one."""
    settings = Settings(
        data=tmp_path_factory.mktemp("office") / "data",
        database_url=fresh_database(server()),
        kafka=kafka_broker.address,
        kafka_topic="test.example",
        kafka_partitions=PARTITIONS,
    )
    info = initialise(settings, origin="test")
    with open_platform(settings) as platform:
        for _ in platform.log.append_bulk(synthetic_batches(CASES)):
            pass
        entries = platform.log.read(0, 10_000)
    with open_relay(settings) as relay:
        relay.run(lambda: False, once=True)
    [secret] = (settings.signer_path / "keys").glob("*.skey")
    key = SigningKey.parse(secret.read_text().strip())
    process, url = started("serve", "--data", str(settings.data), "--database-url", settings.database_url)
    try:
        wait_until_published(f"{url}/log/checkpoint", key, len(entries))
        yield Office(settings, info.origin, key, f"{url}/log", entries)
    finally:
        process.terminate()
        process.communicate(timeout=60)


def wait_until_published(address: str, key: SigningKey, size: int) -> None:
    deadline = time.monotonic() + 60
    while True:
        # An error is the answer while nothing is published yet.
        with suppress(urllib.error.HTTPError), urllib.request.urlopen(address, timeout=10) as answer:
            if open_checkpoint(answer.read(), [key.verifier]).checkpoint.size >= size:
                return
        assert time.monotonic() < deadline
        time.sleep(0.1)


@dataclass(frozen=True)
class Ran:
    """What the program did: its lines by columns, and what it said beside them."""

    code: int
    lines: list[list[str]]
    err: str

    def of(self, verdict: str) -> list[int]:
        """The positions of which it said this."""
        return [int(line[0]) for line in self.lines if line[-1].startswith(verdict)]


Run = Callable[..., Ran]


@pytest.fixture(scope="module")
def jars(kafka_broker: Broker) -> str:
    """The folder of the jars. A Java that cannot take a source file is passed over, but not with CI=true."""
    has = subprocess.run(["java", "--list-modules"], capture_output=True, text=True, check=True).stdout
    if "jdk.compiler" not in has:
        reason = "this Java has no compiler; on Debian: apt-get install openjdk-17-jdk-headless"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    found = subprocess.run([CHECKOUT / "scripts/kafka", "jars"], capture_output=True, text=True, check=True)
    return found.stdout.strip()


@pytest.fixture(scope="module")
def classes(jars: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program compiled once: to take the source file at every run, as the README does, costs seconds each time."""
    folder = tmp_path_factory.mktemp("classes")
    done = subprocess.run(
        ["javac", "-d", folder, "-cp", f"{jars}/*", PROGRAM], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture
def command(office: Office, jars: str, classes: Path) -> Callable[..., list[str]]:
    """The command line; what is not named is as it should be."""

    def command(**changed: Any) -> list[str]:
        options = {
            "bootstrap": office.settings.kafka,
            "topic": office.config.topic,
            "log": office.address,
            "key": office.key.verifier.vkey,
            **changed,
        }
        given = [word for name, value in options.items() if value is not None for word in (f"--{name}", str(value))]
        return ["java", "-cp", f"{classes}:{jars}/*", "ProvingConsumer", *given]

    return command


@pytest.fixture
def run(command: Callable[..., list[str]]) -> Run:
    """Runs the program to its end."""

    def run(**changed: Any) -> Ran:
        done = subprocess.run(
            command(**changed),
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
            timeout=120,
        )
        assert "Exception in thread" not in done.stderr, done.stderr
        return Ran(done.returncode, [line.split("\t") for line in done.stdout.splitlines()], done.stderr)

    return run


# --------------------------------------------------------------------------------------------------- what holds, and when


def test_every_event_is_shown_and_proved(office: Office, run: Run, tmp_path: Path):
    keys = tmp_path / "log.vkey"
    keys.write_text(
        f"# the key of the log\n{SigningKey(office.origin, bytes(32)).verifier.vkey}\n{office.key.verifier.vkey}\n"
    )
    client = tmp_path / "client.properties"
    client.write_text("client.id=agency\nisolation.level=read_uncommitted\n")
    ran = run(key=keys, client=client)
    assert ran.code == DONE, ran.err
    expected = []
    for position, entry in office.carried.items():
        event = json.loads(entry)
        expected.append([str(position), event["type"], event["subject"], event["time"], "proved"])
    assert sorted(ran.lines) == sorted(expected)
    assert len(expected) > 512
    assert f"complete up to position {len(office.entries)}" in ran.err


@pytest.mark.parametrize("size", [1, 255, 256, 257, 512])
def test_what_is_beyond_the_checkpoint_is_not_yet_published(office: Office, run: Run, tmp_path: Path, size: int):
    ran = run(log=published(tmp_path / "log", [each.entry for each in office.entries[:size]], office.key))
    assert ran.code == DONE, ran.err
    assert sorted(ran.of("proved")) == [each for each in office.carried if each <= size]
    assert sorted(ran.of("not yet published")) == [each for each in office.carried if each > size]


def test_what_was_not_published_is_proved_by_a_later_run_and_nothing_is_said_twice(
    office: Office, run: Run, tmp_path: Path
):
    state = tmp_path / "state.json"
    early = published(tmp_path / "log", [each.entry for each in office.entries[:300]], office.key)
    first = run(log=early, state=state)
    later = run(state=state)
    assert (first.code, later.code) == (DONE, DONE), later.err
    assert [line[0] for line in later.lines] == sorted((line[0] for line in first.lines if int(line[0]) > 300), key=int)
    assert {line[-1] for line in later.lines} == {"proved"}
    assert run(state=state).lines == []


def test_a_topic_that_was_made_anew_is_read_again_and_what_was_seen_is_dropped(
    office: Office, run: Run, tmp_path: Path
):
    state = tmp_path / "state.json"
    assert run(state=state).code == DONE
    kept = json.loads(state.read_text())
    state.write_text(json.dumps({**kept, "topicId": "another"}))
    again = run(state=state)
    assert (again.code, again.lines) == (DONE, [])
    assert f"{len(office.carried)} seen before" in again.err


def test_who_follows_is_shown_what_is_new_until_they_stop_it(
    office: Office, command: Callable[..., list[str]], run: Run, doctored: Callable[[Doctor], str], tmp_path: Path
):
    records = records_of(office.config)
    first = [next(each for each in records if each.partition == at) for at in range(PARTITIONS)]
    topic, state = doctored(lambda _: first), tmp_path / "state.json"
    following = subprocess.Popen([*command(topic=topic, state=state), "--follow"], stdout=subprocess.PIPE, text=True)
    try:
        producer = KafkaProducer(**office.config.client)
        for each in records:
            if each not in first:
                sent(producer, topic, each)
        producer.close()
        assert following.stdout is not None
        lines = [following.stdout.readline().rstrip("\n").split("\t") for _ in office.carried]
        assert {line[-1] for line in lines} == {"proved"}
        assert {int(line[0]) for line in lines} == set(office.carried)
        wait_until_read(state, len(office.entries))
    finally:
        following.terminate()
        following.communicate(timeout=60)
    assert run(topic=topic, state=state).lines == []


def wait_until_read(state: Path, upto: int) -> None:
    deadline = time.monotonic() + 60
    while not state.exists() or set(json.loads(state.read_text())["upto"].values()) != {upto}:
        assert time.monotonic() < deadline
        time.sleep(0.1)


# --------------------------------------------------------------------------------------------------- topics that were doctored


@dataclass(frozen=True)
class Record:
    partition: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]

    @property
    def position(self) -> int:
        """0 of what is no event."""
        return int(dict(self.headers).get(POSITION, b"0"))


def records_of(config: KafkaConfig) -> list[Record]:
    """All of the general topic, partition by partition."""
    consumer = KafkaConsumer(**config.client, enable_auto_commit=False, isolation_level="read_committed")
    try:
        parts = [TopicPartition(config.topic, at) for at in range(config.partitions)]
        consumer.assign(parts)
        ends = consumer.end_offsets(parts)
        consumer.seek_to_beginning(*parts)
        found: list[Record] = []
        while any(consumer.position(part) < ends[part] for part in parts):
            for part, records in consumer.poll(500).items():
                found += [Record(part.partition, each.key, each.value, tuple(each.headers)) for each in records]
        return sorted(found, key=lambda each: each.partition)
    finally:
        consumer.close()


Doctor = Callable[[list[Record]], list[Record]]


def sent(producer: KafkaProducer, topic: str, each: Record) -> None:
    producer.send(topic, partition=each.partition, key=each.key, value=each.value, headers=list(each.headers))


def only(chosen: int, change: Callable[[Record], Record]) -> Doctor:
    """Changes the event at one position."""
    return lambda records: [change(each) if each.position == chosen else each for each in records]


@pytest.fixture
def doctored(office: Office) -> Callable[[Doctor], str]:
    """Copies the general topic, changed, and returns the name of the copy."""

    def doctored(change: Doctor) -> str:
        config = replace(office.config, topic=f"test.{uuid4().hex}")
        Cluster(config, office.origin).prepare()
        producer = KafkaProducer(**config.client)
        for each in change(records_of(office.config)):
            sent(producer, config.topic, each)
        producer.flush()
        producer.close()
        return config.topic

    return doctored


def altered(record: Record) -> Record:
    assert record.value is not None
    return replace(record, value=record.value.replace(b'"version":1', b'"version":2'))


def with_lines_of_its_own(record: Record) -> Record:
    """What would print a line that says "proved" of another event, if it were printed as it is."""
    return replace(record, value=b'{"type":"a\\n9\\ta\\tb\\tc\\tproved","subject":"s","time":"t"}')


def without_bytes(record: Record) -> Record:
    return replace(record, value=None)


def under_another_key(record: Record) -> Record:
    return replace(record, key=b"another")


def of_another_position(record: Record) -> Record:
    headers = [(name, b"%d" % (record.position + 1) if name == POSITION else value) for name, value in record.headers]
    return replace(record, headers=tuple(headers))


def in_the_middle(office: Office) -> int:
    """The position of the first event of a stream, with others before and behind it in every partition."""
    first = [position for position, entry in office.carried.items() if json.loads(entry)["version"] == 1]
    return first[len(first) // 2]


@pytest.mark.parametrize("change", [altered, with_lines_of_its_own, without_bytes, under_another_key])
def test_one_event_that_was_changed_is_false_and_all_others_are_proved(
    office: Office, run: Run, doctored: Callable[[Doctor], str], change: Callable[[Record], Record], tmp_path: Path
):
    chosen = in_the_middle(office)
    topic, state = doctored(only(chosen, change)), tmp_path / "state.json"
    ran = run(topic=topic, state=state)
    assert ran.code == DOES_NOT_HOLD
    assert ran.of("FALSE") == [chosen]
    assert sorted(ran.of("proved")) == [each for each in office.carried if each != chosen]
    again = run(topic=topic, state=state)
    assert (again.code, again.of("FALSE")) == (DOES_NOT_HOLD, [chosen])


def test_what_turns_out_false_when_it_is_published_is_false_in_every_later_run(
    office: Office, run: Run, doctored: Callable[[Doctor], str], tmp_path: Path
):
    chosen = in_the_middle(office)
    topic, state = doctored(only(chosen, altered)), tmp_path / "state.json"
    early = published(tmp_path / "log", [each.entry for each in office.entries[: chosen - 1]], office.key)
    first = run(topic=topic, log=early, state=state)
    assert (first.code, first.of("FALSE"), chosen in first.of("not yet")) == (DONE, [], True)
    for _ in range(2):
        later = run(topic=topic, state=state)
        assert (later.code, later.of("FALSE")) == (DOES_NOT_HOLD, [chosen])


def test_an_event_that_says_another_position_is_false(office: Office, run: Run, doctored: Callable[[Doctor], str]):
    chosen = in_the_middle(office)
    ran = run(topic=doctored(only(chosen, of_another_position)))
    assert (ran.code, ran.of("FALSE")) == (DOES_NOT_HOLD, [chosen + 1])


def test_a_true_event_in_another_partition_is_false(office: Office, run: Run, doctored: Callable[[Doctor], str]):
    chosen = in_the_middle(office)

    def move(records: list[Record]) -> list[Record]:
        [moved] = [each for each in records if each.position == chosen]
        others = [each for each in records if each.position != chosen]
        target = (moved.partition + 1) % PARTITIONS
        behind = next(at for at, each in enumerate(others) if each.partition == target and each.position > chosen)
        return [*others[:behind], replace(moved, partition=target), *others[behind:]]

    ran = run(topic=doctored(move))
    assert (ran.code, ran.of("FALSE: it belongs in partition")) == (DOES_NOT_HOLD, [chosen])
    assert sorted(ran.of("proved")) == [each for each in office.carried if each != chosen]


def test_a_record_that_no_relay_wrote_is_false(office: Office, run: Run, doctored: Callable[[Doctor], str]):
    ran = run(topic=doctored(only(in_the_middle(office), lambda record: replace(record, headers=()))))
    assert ran.code == DOES_NOT_HOLD
    assert [line[-1] for line in ran.lines if line[-1] != "proved"] == ["FALSE: neither an event nor a watermark"]


def test_a_record_that_comes_again_is_dropped(office: Office, run: Run, doctored: Callable[[Doctor], str]):
    topic = doctored(list)
    again = next(each for each in records_of(office.config) if each.position)
    producer = KafkaProducer(**office.config.client)
    for each in (again, altered(again)):
        sent(producer, topic, each)
    producer.flush()
    producer.close()
    ran = run(topic=topic)
    assert (ran.code, len(ran.lines)) == (DONE, len(office.carried))
    assert "2 seen before" in ran.err


def watermarks(change: Callable[[Watermark], bytes]) -> Doctor:
    """Has every watermark say something else."""

    def changed(record: Record) -> Record:
        if WATERMARK not in dict(record.headers):
            return record
        assert record.value is not None
        return replace(record, value=change(Watermark(**json.loads(record.value))))

    return lambda records: list(map(changed, records))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (watermarks(lambda mark: mark._replace(origin="other-1").value), "the topic is of the log other-1"),
        (watermarks(lambda mark: mark._replace(partitions=5).value), "has 4 partitions and was written for 5"),
        (watermarks(lambda mark: mark._replace(upto=3).value), "stands before the watermark of 3"),
        (watermarks(lambda mark: b"{}"), "cannot be read"),
        (lambda records: [each for each in records if each.position], "does not begin with a watermark"),
    ],
    ids=["origin", "partitions", "upto", "unreadable", "none"],
)
def test_a_topic_whose_watermarks_are_not_those_of_the_log_is_refused(
    run: Run, doctored: Callable[[Doctor], str], change: Doctor, said: str
):
    ran = run(topic=doctored(change))
    assert ran.code == DOES_NOT_HOLD
    assert said in ran.err


# --------------------------------------------------------------------------------------------------- logs that are not the log


def published(folder: Path, entries: Sequence[bytes], key: SigningKey, root: bytes | None = None) -> Path:
    """The static files of a log of these entries: tiles, and a checkpoint with its root, or another one."""
    edge, tiles = TiledEdge().extended(leaf_hashes(entries))
    for tile, data in tiles:
        (folder / tile.path).parent.mkdir(parents=True, exist_ok=True)
        (folder / tile.path).write_bytes(data)
    (folder / "checkpoint").write_bytes(sign_checkpoint(Checkpoint(key.name, edge.size, root or edge.root), [key]))
    return folder


def test_a_checkpoint_that_another_key_signed_is_refused(office: Office, run: Run, tmp_path: Path):
    stranger = SigningKey(office.origin, bytes(32))
    entries = [each.entry for each in office.entries]
    for changed in (
        {"key": stranger.verifier.vkey},
        {"log": published(tmp_path / "log", entries, stranger)},
    ):
        ran = run(**changed)
        assert (ran.code, ran.lines) == (DOES_NOT_HOLD, [])
        assert "the checkpoint is not signed by a key that was given" in ran.err


def test_a_signature_that_does_not_verify_is_refused(office: Office, run: Run, tmp_path: Path):
    log = published(tmp_path / "log", [each.entry for each in office.entries], office.key)
    note = (log / "checkpoint").read_bytes()
    (log / "checkpoint").write_bytes(note.replace(f"\n{len(office.entries)}\n".encode(), b"\n9\n"))
    ran = run(log=log)
    assert (ran.code, ran.lines) == (DOES_NOT_HOLD, [])
    assert "does not verify" in ran.err


@pytest.mark.parametrize(
    ("path", "said"), [("tile/0/000", "tile/0/000 does not stand under the root"), ("tile/1/000.p/2", "do not give")]
)
def test_a_tile_that_was_changed_is_refused(office: Office, run: Run, tmp_path: Path, path: str, said: str):
    log = published(tmp_path / "log", [each.entry for each in office.entries], office.key)
    data = bytearray((log / path).read_bytes())
    data[40] ^= 1
    (log / path).write_bytes(bytes(data))
    ran = run(log=log)
    assert ran.code == DOES_NOT_HOLD
    assert said in ran.err
    assert ran.of("FALSE") == []


def test_a_log_that_was_rewritten_since_the_last_run_is_refused_though_its_own_key_signed(
    office: Office, run: Run, tmp_path: Path
):
    state = tmp_path / "state.json"
    entries = [each.entry for each in office.entries]
    assert run(log=published(tmp_path / "log", entries[:300], office.key), state=state).code == DONE
    rewritten = published(tmp_path / "rewritten", [entries[0], b"{}", *entries[2:]], office.key)
    ran = run(log=rewritten, state=state)
    assert (ran.code, ran.lines) == (DOES_NOT_HOLD, [])
    assert "does not begin with that of 300" in ran.err
    shorter = run(log=published(tmp_path / "shorter", entries[:200], office.key), state=state)
    assert shorter.code == DOES_NOT_HOLD
    assert "has 200 events, and had 300" in shorter.err


# --------------------------------------------------------------------------------------------------------- what is not there


def test_a_cluster_that_is_not_reached_and_options_that_do_not_fit_are_told(run: Run, tmp_path: Path):
    client = tmp_path / "client.properties"
    client.write_text("default.api.timeout.ms=2000\nrequest.timeout.ms=1000\n")
    assert run(bootstrap="127.0.0.1:1", client=client).code == NOT_REACHED
    client.write_text(f"{client.read_text()}security.protocol=SSL\n")
    assert run(client=client).code == NOT_REACHED
    gone = run(topic="test.none")
    assert gone.code == NOT_REACHED
    assert "topic test.none" in gone.err
    assert run(log="http://127.0.0.1:1/log").code == NOT_REACHED


def test_a_command_line_that_is_wrong_is_told(run: Run, tmp_path: Path):
    assert run(key=None).code == COMMAND_LINE
    assert run(key="test+00000000+AAAA").code == COMMAND_LINE
    assert run(colour="red").code == COMMAND_LINE
    assert run(log="http://no address").code == COMMAND_LINE
    for name, content in (("state", "{"), ("client", "security.protocol=none\n")):
        (tmp_path / name).write_text(content)
        assert run(**{name: tmp_path / name}).code == COMMAND_LINE


def test_the_jars_that_the_readme_names_are_enough(office: Office, run: Run, jars: str, tmp_path: Path):
    """Not the whole broker: who takes the example up takes no more than its own dependencies. And it is run as a source file."""
    needed = ("kafka-clients", "jackson-", "slf4j-", "lz4", "snappy", "zstd")
    for each in Path(jars).glob("*.jar"):
        if each.name.startswith(needed):
            shutil.copy(each, tmp_path)
    command = ["java", "-cp", f"{tmp_path}/*", str(PROGRAM), "--topic", office.config.topic]
    command += ["--bootstrap", office.settings.kafka, "--log", office.address, "--key", office.key.verifier.vkey]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == DONE, done.stderr
