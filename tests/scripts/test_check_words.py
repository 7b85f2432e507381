"""scripts/check-words keeps out of the source what belongs to one machine. Each test has a checkout of its own."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "check-words"


class Checkout:
    """A git checkout that holds the script, with a folder beside it and a home folder elsewhere."""

    def __init__(self, workplace: Path, home: Path) -> None:
        self.path = workplace / "checkout"
        self.home = home
        (workplace / "beside").mkdir(parents=True)
        (self.path / "scripts").mkdir(parents=True)
        home.mkdir()
        shutil.copy(SCRIPT, self.path / "scripts")
        subprocess.run(["git", "init", "-q", self.path], check=True)
        self.track("scripts/check-words", None)

    def track(self, name: str, text: str | None) -> None:
        if text is not None:
            (self.path / name).write_text(text, encoding="utf-8")
        subprocess.run(["git", "add", name], cwd=self.path, check=True)

    def check(self, **settings: str) -> tuple[int, list[str]]:
        registries = ("PIP_", "UV_", "NPM_CONFIG_", "GOPROXY")
        environment = {name: value for name, value in os.environ.items() if not name.upper().startswith(registries)}
        environment |= {"HOME": str(self.home), **settings}
        command = [sys.executable, str(self.path / "scripts" / "check-words")]
        done = subprocess.run(command, check=False, env=environment, capture_output=True, text=True, timeout=120)
        assert done.stderr == ""
        return done.returncode, done.stdout.splitlines()


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path / "workplace", tmp_path / "home")


def test_a_clean_checkout_passes(checkout: Checkout) -> None:
    checkout.track("README.md", "Read merkle/root/README, ask https://example.org and go on.\n")
    assert checkout.check() == (0, [])


def test_a_path_into_the_home_folder_the_checkout_or_a_folder_beside_it_is_found(checkout: Checkout) -> None:
    beside = checkout.path.parent / "beside"
    places = [checkout.home / "x", checkout.path, beside / "data", Path("/", "root", "x")]
    checkout.track("notes.md", "".join(f"see {place}.\n" for place in places) + f"file://{beside}/x\n")
    assert checkout.check() == (1, [f"notes.md:{line}: a folder of this machine" for line in (1, 2, 3, 4, 5)])


def test_a_path_that_only_ends_like_a_local_folder_passes(checkout: Checkout) -> None:
    beside = checkout.path.parent / "beside"
    checkout.track("notes.md", f"$BASE{beside} and /srv{beside} and {beside}s\n")
    assert checkout.check() == (0, [])


def test_the_registry_that_pip_is_set_to_is_found_in_any_case(checkout: Checkout) -> None:
    checkout.track("notes.md", "fine\nfrom Mirror.Example.org\nnotmirror.example.org\n")
    code, found = checkout.check(PIP_INDEX_URL="https://name:word@mirror.example.org/simple")
    assert (code, found) == (1, ["notes.md:2: a package registry of this machine"])


def test_a_registry_named_by_one_word_is_found_only_in_an_address(checkout: Checkout) -> None:
    checkout.track("notes.md", "the nexus of both\nhttp://nexus:8081/simple\n")
    code, found = checkout.check(PIP_EXTRA_INDEX_URL="http://nexus:8081/simple")
    assert (code, found) == (1, ["notes.md:2: a package registry of this machine"])


@pytest.mark.skipif(shutil.which("npm") is None, reason="npm is not installed, so it is set to no registry")
def test_the_registry_that_npm_is_set_to_is_found(checkout: Checkout) -> None:
    checkout.track("notes.md", "from mirror.example.org\n")
    (checkout.home / ".npmrc").write_text("registry=https://mirror.example.org/npm/\n", encoding="utf-8")
    assert checkout.check() == (1, ["notes.md:1: a package registry of this machine"])


@pytest.mark.skipif(shutil.which("go") is None, reason="go is not installed, so it is set to no proxy")
def test_the_proxy_that_go_is_set_to_is_found(checkout: Checkout) -> None:
    checkout.track("notes.md", "GOPROXY=https://mirror.example.org/go\nexample.org/module\n")
    found = checkout.check(GOPROXY="https://mirror.example.org/go,direct")
    assert found == (1, ["notes.md:1: a package registry of this machine"])


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("requirements.lock", "--index-url https://example.org/simple\nrich==1 --hash=sha256:00\n"),
        ("requirements.lock", "rich @ https://example.org/rich.whl --hash=sha256:00\n"),
        ("package-lock.json", '{"packages": {"x": {"resolved": "https://example.org/x.tgz"}}}\n'),
    ],
)
def test_an_address_in_a_lock_file_is_found(checkout: Checkout, name: str, text: str) -> None:
    checkout.track(name, text)
    assert checkout.check() == (1, [f"{name}: says where to fetch from; a lock names packages and hashes only"])


def test_a_script_that_cannot_be_executed_is_found(checkout: Checkout) -> None:
    checkout.track("scripts/demo", "#!/bin/sh\n")
    code, found = checkout.check()
    assert code == 1
    assert found == ["scripts/demo: has a shebang but is not executable (git update-index --chmod=+x)"]
