"""A dump loads into a new database as it was, guards and all, and the log goes on from there."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import psycopg2
import pytest

from infra.postgres.embedded import binaries
from infra.postgres.fsck import fsck
from infra.postgres.migrations import pending
from infra.postgres.recorder import PostgresLog
from tests.drafts import a_batch, a_genesis
from tests.migrated import execute


def run(program: str, *arguments: str | Path) -> None:
    subprocess.run([binaries() / program, *arguments], check=True, env={**os.environ, "LC_ALL": "C"})


@pytest.mark.parametrize("format", ["custom", "plain"])
def test_a_restored_dump_is_the_same_log_and_goes_on(
    log: PostgresLog, log_url: str, database_url: str, tmp_path: Path, format: str
) -> None:
    log.append(a_genesis("real"))
    list(log.append_bulk(a_batch(f"case-{n}", 1, 2, 3, key=f"row-{n}") for n in range(100)))
    before = log.read(0, 1_000)

    dump = tmp_path / "dump"
    run("pg_dump", f"--format={format}", f"--file={dump}", f"--dbname={log_url}")
    if format == "custom":
        run("pg_restore", "--exit-on-error", f"--dbname={database_url}", dump)
    else:
        run("psql", "--quiet", "--set=ON_ERROR_STOP=1", f"--file={dump}", f"--dbname={database_url}")

    assert fsck(database_url) == []
    assert pending(database_url) == []
    with PostgresLog(database_url) as restored:
        assert restored.read(0, 1_000) == before
        assert restored.append(a_batch("case-5", 1, 2, 3, key="row-5")).replayed
        assert restored.append(a_batch("case-5", 4)).positions == (len(before) + 1,)
    with pytest.raises(psycopg2.Error, match="never changed"):
        execute(database_url, "delete from qingling.event")
