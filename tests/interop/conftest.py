"""Programs in Go that check what Python made: built once a session, into a temporary folder."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import CHECKOUT

BuildGo = Callable[[str], Path]
"""Builds the module in a folder of the checkout and returns the executable."""

COMPILER_SAID = re.compile(r"^# ", re.MULTILINE)
"""What go build prints where the code is wrong, and not where a module could not be fetched."""

_ENVIRONMENT = {"GOFLAGS": "-mod=readonly -buildvcs=false", "GOTOOLCHAIN": "local", "GOWORK": "off", "CGO_ENABLED": "0"}


@pytest.fixture(scope="session")
def go() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs the go command in a folder; a test that needs it skips where there is no Go, except with CI=true."""
    command = shutil.which("go") or shutil.which("go", path="/usr/local/go/bin")
    if command is None:
        reason = "there is no go command; on Debian: apt-get install golang-go"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)

    def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [command, *arguments],
            cwd=folder,
            env={**os.environ, **_ENVIRONMENT},
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )

    return run


@pytest.fixture(scope="session")
def build_go(go: Callable[..., subprocess.CompletedProcess[str]], tmp_path_factory: pytest.TempPathFactory) -> BuildGo:
    """Builds a module. Its one dependency is in the module cache, or fetched from where this machine's Go fetches modules."""
    built: dict[str, Path] = {}

    def build(folder: str) -> Path:
        if folder not in built:
            program = tmp_path_factory.mktemp("go") / Path(folder).name
            done = go(CHECKOUT / folder, "build", "-o", str(program), ".")
            if done.returncode and not COMPILER_SAID.search(done.stderr) and os.environ.get("CI") != "true":
                pytest.skip(f"the modules of {folder} are not to be had here: {done.stderr.strip().splitlines()[-1]}")
            assert done.returncode == 0, f"{folder} does not build:\n{done.stderr}"
            built[folder] = program
        return built[folder]

    return build


@dataclass(frozen=True)
class Answers:
    """What the two verifiers said of a pack: their exit codes, and their words."""

    python: int
    go: int
    python_said: str
    go_said: str

    @property
    def codes(self) -> tuple[int, int]:
        return self.python, self.go


Check = Callable[[bytes, str], Answers]


@pytest.fixture
def check(build_go: BuildGo, tmp_path: Path) -> Check:
    """Runs both in a folder that holds the pack and the key, and nothing else; without settings, database or home."""
    program = build_go("scripts/verify-go")
    qingling = [sys.executable, "-m", "api.cli.main"]

    def check(pack: bytes, vkey: str) -> Answers:
        folder = tmp_path / "empty"
        folder.mkdir(exist_ok=True)
        (folder / "pack.zip").write_bytes(pack)
        (folder / "log.vkey").write_text(f"{vkey}\n")
        clean = {"PATH": os.environ["PATH"], "PYTHONPATH": str(CHECKOUT), "HOME": str(folder), "LANG": "C.UTF-8"}
        ours, theirs = (
            subprocess.run(command, cwd=folder, env=clean, capture_output=True, text=True, check=False)
            for command in (
                [*qingling, "verify", "pack.zip", "--key", "log.vkey"],
                [str(program), "-key", "log.vkey", "pack.zip"],
            )
        )
        return Answers(ours.returncode, theirs.returncode, ours.stdout + ours.stderr, theirs.stdout + theirs.stderr)

    return check
