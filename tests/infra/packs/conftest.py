"""One office for all tests of packs: its log and packs are made once and never changed."""

from __future__ import annotations

import pytest

from infra.bootstrap import Settings
from infra.postgres.embedded import EmbeddedPostgres
from tests.infra.packs.office import Office
from tests.postgres_server import fresh_database


@pytest.fixture(scope="session")
def office(postgres_server: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory) -> Office:
    """See the module."""
    folder = tmp_path_factory.mktemp("office")
    return Office.founded(Settings(data=folder / "data", database_url=fresh_database(postgres_server)), folder)
