"""One real PostgreSQL for a whole test run, and a new empty database for every test that asks.

The run's server lies in a folder of its own under the temp folder and vanishes with the run. It does not sync to disk,
to be quick; `QINGLING_TEST_FSYNC=on` makes it as durable as a real one. Databases are separate, roles are not: they
belong to the whole server. A run that was killed leaves its server behind, and the next run clears it away.
"""

from __future__ import annotations

import fcntl
import functools
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from uuid import uuid4

import psycopg2
import pytest

from infra.postgres.embedded import EmbeddedConfig, EmbeddedPostgres

_PREFIX = "qingling-test-server-"


@functools.cache
def server() -> EmbeddedPostgres:
    """The run's server, started by the first call. For suites that cannot take a fixture."""
    _clear_away_dead_runs()
    durable = os.environ.get("QINGLING_TEST_FSYNC") == "on"
    settings = {} if durable else {"fsync": "off", "full_page_writes": "off"}
    data = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-"))
    running = EmbeddedPostgres(EmbeddedConfig(data=data, settings=settings))
    running.start()
    return running


def fresh_database(server: EmbeddedPostgres) -> str:
    """Create an empty database and return its URL, as the superuser `postgres`."""
    name = f"test_{uuid4().hex}"
    _execute(server, f'CREATE DATABASE "{name}" STRATEGY file_copy')  # quicker where nothing is synced
    return server.url(database=name)


@pytest.fixture(scope="session")
def postgres_server() -> EmbeddedPostgres:
    """The run's server, shared by all tests."""
    return server()


@pytest.fixture
def database_url(postgres_server: EmbeddedPostgres) -> Iterator[str]:
    """The URL of an empty database for this test alone; it is dropped afterwards, whoever is still connected."""
    url = fresh_database(postgres_server)
    yield url
    name = url.split("/")[-1].split("?")[0]
    _execute(postgres_server, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def pytest_unconfigure() -> None:
    """Stop the server when the run ends, whether a fixture or a call had started it."""
    if server.cache_info().currsize:
        running = server()
        running.stop(immediate=True)
        shutil.rmtree(running.config.data)


def _execute(server: EmbeddedPostgres, statement: str) -> None:
    with closing(psycopg2.connect(server.url())) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(statement)


def _clear_away_dead_runs() -> None:
    temp = Path(tempfile.gettempdir())
    with temp.joinpath(f"qingling-test-{os.geteuid()}.lock").open("w") as turn:
        try:
            fcntl.flock(turn, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return  # another run is at it
        for folder in temp.glob(f"{_PREFIX}*"):
            run = int(folder.name.removeprefix(_PREFIX).split("-")[0])
            if not _is_alive(run) and folder.exists() and folder.stat().st_uid == os.geteuid():
                _clear_away(folder)


def _clear_away(folder: Path) -> None:
    abandoned = EmbeddedPostgres(EmbeddedConfig(data=folder))
    if abandoned.pid is not None:
        abandoned.start()
        abandoned.stop(immediate=True)
    shutil.rmtree(folder)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
