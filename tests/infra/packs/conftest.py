"""One office for all tests of packs: its log and packs are made once and never changed."""

from __future__ import annotations

import pytest

from infra.postgres.embedded import EmbeddedPostgres
from tests.infra.packs.office import Office


@pytest.fixture(scope="session")
def office(postgres_server: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory) -> Office:
    """See the module."""
    return Office.on(postgres_server, tmp_path_factory.mktemp("office"))
