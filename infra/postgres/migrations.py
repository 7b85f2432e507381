"""Brings a database to the schema of this release: numbered SQL files, each applied once, in order, under a lock.

What was applied is written down with its SHA-256. A database that knows a migration which this release does not, or knows it
with other bytes, is refused: an applied migration is never edited, a change is a new one. `sql/schema.sql` holds the same schema
object by object, for reading; a test holds the two equal.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from psycopg2.extensions import cursor as Cursor  # noqa: N812

from domain.errors import LogMismatchError, SettingsError
from infra.postgres.config import RecorderConfig
from infra.postgres.connection import connect, transaction, translated

SQL = Path(__file__).parent / "sql"
_LOCK = 1363758664  # beside the append lock's number, and another one
_TABLE = """
    create schema if not exists qingling_migration;
    create table if not exists qingling_migration.applied (
        number integer primary key,
        name text not null,
        sha256 text not null,
        applied_at timestamptz not null default clock_timestamp()
    )
"""


@dataclass(frozen=True, slots=True)
class Migration:
    """A numbered file of `sql/migrations`."""

    number: int
    name: str
    text: str

    @property
    def sha256(self) -> str:
        """Digest of its bytes, in hexadecimal."""
        return hashlib.sha256(self.text.encode()).hexdigest()


def migrations(folder: Path = SQL / "migrations") -> list[Migration]:
    """Every migration of this release, in order.

    Raises:
        SettingsError: their numbers are not 1, 2, 3, …
    """
    found = [
        Migration(int(file.name.split("_")[0]), file.stem, file.read_text(encoding="utf-8"))
        for file in sorted(folder.glob("*.sql"))
    ]
    if [migration.number for migration in found] != list(range(1, len(found) + 1)):
        raise SettingsError(f"the migrations are not numbered 1 to {len(found)}: {[m.name for m in found]}")
    return found


def migrate(dsn: str, *, known: list[Migration] | None = None) -> list[str]:
    """Apply what is missing, all of it or nothing, and return the names; several processes may call it at once.

    `dsn` logs in as a superuser, or as one who may create roles (where they are missing) and is the database's owner.

    Raises:
        LogMismatchError: the database was migrated by a newer release, or an applied migration was edited since.
        StoreFailedError: the database refused.
    """
    known = migrations() if known is None else known
    connection = connect(dsn, RecorderConfig())
    try:
        with translated("migrating the database"), transaction(connection) as cursor:
            cursor.execute("select pg_advisory_xact_lock(%s)", (_LOCK,))
            cursor.execute(_TABLE)
            missing = _missing(cursor, known)
            for migration in missing:
                if migration.number > 1:
                    cursor.execute("set role qingling_owner")  # the first one makes the role, and changes to it itself
                cursor.execute(migration.text)
                cursor.execute("reset role")
                cursor.execute(
                    "insert into qingling_migration.applied (number, name, sha256) values (%s, %s, %s)",
                    (migration.number, migration.name, migration.sha256),
                )
        return [migration.name for migration in missing]
    finally:
        connection.close()


def pending(dsn: str) -> list[str]:
    """Names of the migrations that the database still lacks. Errors: as `migrate`."""
    connection = connect(dsn, RecorderConfig())
    try:
        with translated("looking for migrations"), connection.cursor() as cursor:
            cursor.execute("select to_regclass('qingling_migration.applied')")
            if cursor.fetchone() == (None,):
                return [migration.name for migration in migrations()]
            return [migration.name for migration in _missing(cursor, migrations())]
    finally:
        connection.close()


def schema() -> str:
    """`sql/schema.sql` with the files that it includes."""
    lines = (SQL / "schema.sql").read_text(encoding="utf-8").splitlines()
    included = (line.removeprefix(r"\ir ") for line in lines if line.startswith(r"\ir "))
    return "\n".join((SQL / name).read_text(encoding="utf-8") for name in included)


def _missing(cursor: Cursor, known: list[Migration]) -> list[Migration]:
    cursor.execute("select number, name, sha256 from qingling_migration.applied order by number")
    applied = cursor.fetchall()
    if len(applied) > len(known):
        raise LogMismatchError(f"the database was migrated by a newer release ({applied[-1][1]})")
    for (number, name, sha256), migration in zip(applied, known, strict=False):
        if (number, sha256) != (migration.number, migration.sha256):
            raise LogMismatchError(f"the migration {name} was changed after this database had applied it")
    return known[len(applied) :]
