"""A physical replica takes the log over as it was, follows it, refuses to be written, and goes on after a fail-over."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg2
import pytest

from infra.postgres.embedded import EmbeddedConfig, EmbeddedPostgres, binaries
from infra.postgres.fsck import fsck
from infra.postgres.migrations import migrate
from infra.postgres.recorder import PostgresLog
from tests.drafts import a_batch, a_genesis
from tests.migrated import execute

DATABASE = "qingling"


@pytest.fixture
def primary(tmp_path: Path) -> Iterator[EmbeddedPostgres]:
    with EmbeddedPostgres(EmbeddedConfig(data=tmp_path / "primary")) as server:
        execute(server.url(), f"create database {DATABASE}")
        migrate(server.url(database=DATABASE))
        yield server


def replica_of(primary: EmbeddedPostgres, data: Path) -> EmbeddedPostgres:
    """A server on a copy of the primary's cluster that follows it by log shipping.

    Streaming would need a login for the account that the server runs as, which the embedded server refuses on purpose.
    """
    data.mkdir()
    subprocess.run(
        [
            *(binaries() / "pg_basebackup", f"--dbname={primary.url()}", f"--pgdata={data / 'postgres'}"),
            *("--wal-method=stream", "--checkpoint=fast"),
        ],
        check=True,
        env={**os.environ, "LC_ALL": "C"},
    )
    (data / "postgres" / "standby.signal").touch()
    shipped = primary.config.data / "postgres" / "pg_wal"
    return EmbeddedPostgres(EmbeddedConfig(data=data, settings={"restore_command": f"cp {shipped}/%f %p"}))


def eventually(holds: Callable[[], bool], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not come to hold in time"
        time.sleep(0.05)


def test_a_replica_loads_follows_refuses_writes_and_goes_on_when_promoted(
    primary: EmbeddedPostgres, tmp_path: Path
) -> None:
    with PostgresLog(primary.url(database=DATABASE)) as log:
        log.append(a_genesis("real"))
        log.append(a_batch("case-1", 1, 2))
        with replica_of(primary, tmp_path / "replica") as replica:
            url = replica.url(database=DATABASE)
            log.append(a_batch("case-1", 3))
            before = log.read(0, 100)
            execute(primary.url(), "select pg_switch_wal()")

            def position() -> int:
                return int(execute(url, "select coalesce(max(position), 0) from qingling.event")[0][0])

            eventually(lambda: position() == len(before))
            assert fsck(url) == []
            with pytest.raises(psycopg2.Error, match="read-only transaction"):
                execute(url, "insert into qingling.event values (5, 's', 1, 't', now(), 's', '')")

            primary.stop(immediate=True)
            execute(url, "select pg_promote()")
            with PostgresLog(url) as taken_over:
                assert taken_over.read(0, 100) == before
                assert taken_over.append(a_batch("case-1", 4)).positions == (len(before) + 1,)
            with pytest.raises(psycopg2.Error, match="never changed"):
                execute(url, "update qingling.event set type = 'x'")
            assert fsck(url) == []
