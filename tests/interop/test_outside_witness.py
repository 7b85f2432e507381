"""Witnessing with implementations that nobody here wrote: litewitness cosigns our checkpoint, Tessera has its own cosigned by our
witness, and torchwood reads our policy and accepts what we publish under it."""

from __future__ import annotations

import base64
import os
import re
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from domain.errors import VerificationError
from domain.sealing.cosignature import CosignerKey
from domain.sealing.note import SigningKey, parse_note
from domain.sealing.tree import EMPTY_ROOT
from infra.sealing.publisher import Publisher, read_policy
from infra.sealing.signer import Signer
from infra.sealing.witness_client import WitnessClient
from infra.witness import WitnessDesk
from tests.conftest import CHECKOUT
from tests.infra.sealing.offices import KEY, ORIGIN, SEED, Office

Go = Callable[..., "subprocess.CompletedProcess[str]"]

MODULES = CHECKOUT / "tests" / "interop" / "witness"
PATIENCE = 30.0
TESSERA = SigningKey("log.example/tessera", bytes(range(50, 82)))


def missing(what: str) -> None:
    """Skips the test; with CI=true nothing may be missing."""
    if os.environ.get("CI") == "true":
        pytest.fail(what)
    pytest.skip(what)


def built(go: Go, module: str, package: str, program: Path) -> Path:
    """An executable of a module; its dependencies come from the module cache or from where this machine's Go fetches them."""
    done = go(MODULES / module, "build", "-o", str(program), package)
    # The compiler names the package that it refuses on a line with a hash; without one the modules could not be fetched.
    if done.returncode and not re.search(r"^# ", done.stderr, re.MULTILINE):
        missing(f"the modules of {module} are not to be had here: {done.stderr.strip().splitlines()[-1]}")
    assert done.returncode == 0, done.stderr
    return program


@pytest.fixture(scope="module")
def litewitness(go: Go, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A witness by the author of the protocol's first draft (filippo.io/torchwood, cmd/litewitness)."""
    return built(
        go, "litewitness", "filippo.io/torchwood/cmd/litewitness", tmp_path_factory.mktemp("go") / "litewitness"
    )


@pytest.fixture(scope="module")
def outside(go: Go, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A log on Tessera, and a verifier on torchwood."""
    return built(go, "outside", ".", tmp_path_factory.mktemp("go") / "outside")


@dataclass(frozen=True)
class Running:
    """A witness that answers."""

    name: str
    url: str
    vkey: str
    add_log: Callable[[str], object]

    @property
    def line(self) -> str:
        return f"witness {self.name} {self.vkey} {self.url}\n"


@contextmanager
def process(*command: object, **options: Any) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen([str(word) for word in command], text=True, stdin=subprocess.DEVNULL, **options) as started:
        try:
            yield started
        finally:
            started.kill()


def until(condition: Callable[[], bool]) -> None:
    limit = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < limit, "it did not start in time"
        time.sleep(0.02)


def answers(port: int) -> bool:
    with socket.socket() as attempt:
        return attempt.connect_ex(("127.0.0.1", port)) == 0


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


@contextmanager
def agent_with(key: Ed25519PrivateKey) -> Iterator[Path]:
    """The socket of an ssh-agent of its own that holds one key. Its path has to be short."""
    absent = [name for name in ("ssh-agent", "ssh-add") if shutil.which(name) is None]
    if absent:
        missing(f"litewitness keeps its key in an ssh-agent, and there is no {' and no '.join(absent)} here")
    with tempfile.TemporaryDirectory(prefix="ql-") as folder:
        socket_file, secret = Path(folder) / "agent", Path(folder) / "key"
        secret.touch(0o600)
        secret.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()))
        with process("ssh-agent", "-D", "-a", socket_file, stdout=subprocess.DEVNULL):
            until(socket_file.exists)
            added = ["ssh-add", "-q", str(secret)]
            subprocess.run(added, env={**os.environ, "SSH_AUTH_SOCK": str(socket_file)}, check=True)
            yield socket_file


@contextmanager
def lite(program: Path, folder: Path) -> Iterator[Running]:
    """Litewitness, with a database of its own and its key in an agent of its own."""
    name, key, database, port = "lite.example/witness", Ed25519PrivateKey.generate(), folder / "lite.db", free_port()
    public = key.public_key()
    blob = base64.b64decode(public.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).split()[1])
    fingerprint = "SHA256:" + base64.b64encode(sha256(blob).digest()).decode().rstrip("=")

    def add_log(vkey: str) -> None:
        """As its own `witnessctl add-log` writes it, which cannot be built without modules of another project."""
        origin, root = vkey.partition("+")[0], base64.b64encode(EMPTY_ROOT).decode()
        with closing(sqlite3.connect(database)) as opened, opened:
            opened.execute("insert into log (origin, tree_size, tree_hash) values (?, 0, ?)", (origin, root))
            opened.execute("insert into key (origin, key) values (?, ?)", (origin, vkey))

    with agent_with(key) as agent, (folder / "lite.log").open("wb") as said:
        command = (program, "-name", name, "-key", fingerprint, "-db", database, "-ssh-agent", agent)
        with process(*command, "-listen", f"127.0.0.1:{port}", stderr=said):
            until(lambda: answers(port))
            vkey = CosignerKey(name, public.public_bytes_raw()).vkey
            assert vkey in (folder / "lite.log").read_text("utf-8")
            yield Running("lite", f"http://127.0.0.1:{port}", vkey, add_log)


@contextmanager
def ours(name: str, folder: Path) -> Iterator[Running]:
    """Our own witness, served by its command line."""
    desk = WitnessDesk.create(folder / name, f"witness.example/{name}")
    port = free_port()
    command = (sys.executable, "-m", "api.cli.main", "witness", "serve", "--state", folder / name, "--port", port)
    with process(*command, cwd=CHECKOUT, stdout=subprocess.DEVNULL):
        until(lambda: answers(port))
        yield Running(name, f"http://127.0.0.1:{port}", desk.vkey, desk.add_log)


def policy_file(folder: Path, log: str, *witnesses: Running) -> Path:
    """All of them, always."""
    file = folder / f"policy-{len(witnesses)}"
    names = " ".join(witness.name for witness in witnesses)
    lines = "".join(witness.line for witness in witnesses)
    file.write_text(f"log {log}\n{lines}group everybody all {names}\nquorum everybody\n", encoding="utf-8")
    return file


# -------------------------------------------------------------------------------------------- an outside witness cosigns


@dataclass(frozen=True)
class Scene:
    """An office that litewitness and a witness of ours cosign, both over HTTP."""

    folder: Path
    office: Office
    policy: Path
    lite: Running
    ours: Running


@pytest.fixture
def scene(litewitness: Path, tmp_path: Path) -> Iterator[Scene]:
    with lite(litewitness, tmp_path) as outer, ours("province", tmp_path) as inner:
        for witness in (outer, inner):
            witness.add_log(KEY.vkey)
        policy = policy_file(tmp_path, KEY.vkey, outer, inner)
        office = Office(tmp_path / "office", read_policy(policy), WitnessClient())
        Signer.create(office.folder / "signer", ORIGIN, SEED)
        yield Scene(tmp_path, office, policy, outer, inner)
        office.publisher.close()


def record(office: Office, first: int, end: int) -> None:
    office.record([f"case-{number}" for number in range(first, end)])


def test_litewitness_cosigns_our_checkpoints_as_the_log_grows_and_torchwood_accepts_them_under_our_policy(
    scene: Scene, outside: Path
) -> None:
    for first, end in ((0, 1), (1, 6), (6, 256), (256, 600)):
        record(scene.office, first, end)
        assert scene.office.publish() == end
        note = scene.office.store.published()
        assert note is not None
        assert {each.key.vkey for each in read_policy(scene.policy).verified(note).cosignatures} == {
            scene.lite.vkey,
            scene.ours.vkey,
        }
        read = subprocess.run(
            [outside, "verify", "-policy", scene.policy], input=note, capture_output=True, check=True
        ).stdout.decode()
        assert read.splitlines() == [f"{ORIGIN} {end}", ORIGIN, "lite.example/witness", "witness.example/province"]
    assert all(status.trouble is None for status in scene.office.publisher.statuses())


def test_torchwood_refuses_what_lacks_a_cosignature_of_our_policy_and_what_was_altered(
    scene: Scene, outside: Path
) -> None:
    record(scene.office, 0, 6)
    scene.office.publish()
    note = scene.office.store.published() or b""
    lines = note.splitlines(keepends=True)
    for altered in (b"".join(lines[:-1]), note.replace(b"\n6\n", b"\n7\n", 1)):
        refused = subprocess.run(
            [outside, "verify", "-policy", scene.policy], input=altered, capture_output=True, check=False
        )
        assert refused.returncode == 1
        with pytest.raises(VerificationError):
            read_policy(scene.policy).verified(altered)


def test_litewitness_is_asked_again_from_the_size_that_it_names(scene: Scene) -> None:
    record(scene.office, 0, 6)
    scene.office.publish()
    record(scene.office, 6, 300)
    (scene.office.store.folder / "checkpoint").unlink()  # nobody here remembers where the witnesses are
    scene.office.publisher.close()
    scene.office.publisher = Publisher(scene.office.store, read_policy(scene.policy), WitnessClient())
    assert scene.office.publish() == 300


def test_litewitness_shows_a_second_signer_with_copied_state(scene: Scene) -> None:
    record(scene.office, 0, 6)
    scene.office.publish()
    shutil.copytree(scene.office.folder, scene.folder / "copied")
    copied = Office(scene.folder / "copied", read_policy(scene.policy), WitnessClient())
    record(copied, 0, 6)
    record(scene.office, 6, 9)
    scene.office.publish()
    copied.record([f"case-forged-{number}" for number in range(6)])
    with pytest.raises(VerificationError) as shown:
        copied.publish()
    copied.publisher.close()
    said = str(shown.value)
    assert (
        "the witness lite refuses the checkpoint of size 12: the 9 leaves that it has cosigned are not the first 9"
        in said
    )
    assert "the witness province refuses the checkpoint of size 12" in said


# ---------------------------------------------------------------------------------------------- an outside log is witnessed


@pytest.fixture
def witnesses(tmp_path: Path) -> Iterator[tuple[Running, Running]]:
    with ExitStack() as stack:
        first, second = (stack.enter_context(ours(name, tmp_path)) for name in ("first", "second"))
        for witness in (first, second):
            witness.add_log(TESSERA.verifier.vkey)
        yield first, second


def grown(program: Path, folder: Path, policy: Path, entries: int, **more: str) -> subprocess.CompletedProcess[bytes]:
    key = policy.parent / "tessera.skey"
    key.write_text(TESSERA.skey, encoding="utf-8")
    options = {"dir": folder, "key": key, "policy": policy, "entries": entries, **more}
    words = [str(word) for name, value in options.items() for word in (f"-{name}", value)]
    return subprocess.run([program, "log", *words], capture_output=True, check=False, timeout=60)


def test_tessera_has_its_checkpoints_cosigned_by_our_witnesses_also_by_one_that_comes_later(
    outside: Path, witnesses: tuple[Running, Running], tmp_path: Path
) -> None:
    for policy, size in (
        (policy_file(tmp_path, TESSERA.verifier.vkey, witnesses[0]), 600),
        (policy_file(tmp_path, TESSERA.verifier.vkey, *witnesses), 1200),
    ):
        ran = grown(outside, tmp_path / "log", policy, 300)
        assert ran.returncode == 0, ran.stderr.decode()
        verified = read_policy(policy).verified(ran.stdout)
        assert (verified.checkpoint.origin, verified.checkpoint.size) == (TESSERA.name, size)
    for name in ("first", "second"):
        [log] = WitnessDesk.open(tmp_path / name).logs()
        assert (log.size, log.root) == (1200, verified.checkpoint.root)


def test_our_witness_refuses_the_second_of_two_tessera_logs_that_grew_from_one_copied_folder(
    outside: Path, witnesses: tuple[Running, Running], tmp_path: Path
) -> None:
    policy = policy_file(tmp_path, TESSERA.verifier.vkey, witnesses[0])
    assert grown(outside, tmp_path / "log", policy, 5).returncode == 0
    shutil.copytree(tmp_path / "log", tmp_path / "copied")
    assert grown(outside, tmp_path / "log", policy, 5).returncode == 0
    split = grown(outside, tmp_path / "copied", policy, 50, text="forged", patience="3s")
    assert split.returncode == 1
    said = split.stderr.decode()
    assert "x.tlog.size 20" in said
    assert "consistency proof is bad: 422" in said
    [log] = WitnessDesk.open(tmp_path / "first").logs()
    assert log.size == 20
    published = parse_note((tmp_path / "copied" / "checkpoint").read_bytes())
    assert published.text.splitlines()[1] == "10"
