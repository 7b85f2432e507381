"""Runs command lines in this process: against a platform in memory, or whatever the settings say."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from api.cli.main import main
from api.cli.session import Session
from infra.settings import Settings
from infra.settings import load as load_settings
from tests.api.fake_platform import FakePlatform, played


@dataclass(frozen=True)
class Ran:
    """What a command line did."""

    code: int
    out: str
    err: str


Run = Callable[..., Ran]


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command line as a shell would, its output neither to nor from a terminal."""
    monkeypatch.setenv("COLUMNS", "200")

    def run(*arguments: str) -> Ran:
        capfd.readouterr()
        code = main(arguments)
        said = capfd.readouterr()
        return Ran(code, said.out, said.err)

    return run


@pytest.fixture
def platform(monkeypatch: pytest.MonkeyPatch) -> FakePlatform:
    """A small played campaign in memory, which every verb of this test opens."""
    fake = played()

    @contextmanager
    def opened(session: Session, *, folding: bool = True) -> Iterator[FakePlatform]:
        yield fake

    def settings(session: Session, **more: object) -> Settings:
        return load_settings({**session.overrides, **more}, environ={})

    monkeypatch.setattr(Session, "platform", opened)
    monkeypatch.setattr(Session, "settings", settings)
    return fake
