"""The office of the stories on the real platform: PostgreSQL, fold engine, vault, sealing. What it reads waits for the ledgers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from infra.bootstrap import Platform, Settings, initialise, open_platform
from tests.api.conftest import client_of
from tests.postgres_server import fresh_database, server
from tests.stories.office import OFFICERS, Office


class RealOffice(Office):
    """The same officers, by their real tokens."""

    def __init__(self, platform: Platform, tokens: Mapping[str, str]) -> None:
        self.real = platform
        self.platform: Any = platform
        self.tokens = tokens
        self.client = client_of(platform)

    def post(self, by: str, address: str, form: Mapping[str, Any], /, **headers: str) -> Any:
        """What REST answers."""
        return super().post(self.tokens[by], address, form, **headers)

    def file(self, subject: str | None = None, content: bytes = b"signed", by: str = "zhao") -> dict[str, Any]:
        """An evidence file that was handed in."""
        return super().file(subject, content, self.tokens[by])

    def get(self, address: str, by: str = "zhao", **asked: Any) -> Any:
        """What REST shows, with the ledgers at the head of the log."""
        self.real.wait_for(self.real.head().position, timeout=60)
        return super().get(address, self.tokens[by], **asked)


@contextmanager
def real_office(folder: Path) -> Iterator[RealOffice]:
    """One with a database of its own, on the server of the run."""
    settings = Settings(data=folder / "data", database_url=fresh_database(server()))
    initialise(settings, origin="test")
    with open_platform(settings, folding=True, sealing=True) as platform:
        tokens = {name: platform.add_officer(name, jurisdiction=place)[1] for name, place in OFFICERS.items()}
        platform.wait_for(platform.head().position, timeout=60)
        yield RealOffice(platform, tokens)
