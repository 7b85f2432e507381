"""The logs that every test of the port runs on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from infra.memory.recorder import MemoryLog
from infra.postgres.config import RecorderConfig
from infra.postgres.recorder import PostgresLog
from tests.migrated import log_database

Log = PostgresLog | MemoryLog


@pytest.fixture(params=["postgres", "memory"])
def log(request: pytest.FixtureRequest) -> Iterator[Log]:
    """An empty log, once in PostgreSQL under the writer's role and once in memory."""
    if request.param == "memory":
        yield MemoryLog()
        return
    with log_database() as url, PostgresLog(url, RecorderConfig(role="qingling_writer")) as log:
        yield log
