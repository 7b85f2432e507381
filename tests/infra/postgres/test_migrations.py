"""Migrations: applied once, in order, never edited, and together the schema that `schema.sql` shows."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from domain.errors import LogMismatchError, RecordingError, SettingsError
from infra.postgres.migrations import Migration, migrate, migrations, pending, schema
from infra.postgres.recorder import PostgresLog
from tests.drafts import a_batch
from tests.migrated import execute

OURS = "nspname !~ '^(pg_|information_schema|public|qingling_migration)'"
CATALOGUE = {
    "schemas": f"select nspname, nspowner::regrole::text, nspacl::text from pg_namespace where {OURS} order by 1",
    "relations": f"""
        select c.oid::regclass::text, relkind::text, relowner::regrole::text, relacl::text, reloptions::text
        from pg_class c join pg_namespace n on n.oid = relnamespace where {OURS} and relkind <> 't' order by 1""",
    "columns": f"""
        select c.oid::regclass::text, attnum, attname, format_type(atttypid, atttypmod), attnotnull, attstorage::text,
               attcompression::text, attcollation::regcollation::text, attacl::text, pg_get_expr(adbin, adrelid)
        from pg_attribute a join pg_class c on c.oid = attrelid join pg_namespace n on n.oid = relnamespace
        left join pg_attrdef d on adrelid = attrelid and adnum = attnum
        where {OURS} and relkind = 'r' and attnum > 0 order by 1, 2""",
    "constraints": f"""
        select conrelid::regclass::text, conname, pg_get_constraintdef(c.oid)
        from pg_constraint c join pg_namespace n on n.oid = connamespace where {OURS} order by 1, 2""",
    "indexes": f"select indexname, indexdef from pg_indexes where {OURS.replace('nspname', 'schemaname')} order by 1",
    "functions": f"""
        select p.oid::regprocedure::text, pg_get_functiondef(p.oid), proowner::regrole::text, proacl::text
        from pg_proc p join pg_namespace n on n.oid = pronamespace where {OURS} order by 1""",
    "triggers": f"""
        select pg_get_triggerdef(t.oid), tgenabled::text
        from pg_trigger t join pg_class c on c.oid = tgrelid join pg_namespace n on n.oid = relnamespace
        where {OURS} and not tgisinternal order by 1""",
    "default rights": """
        select defaclrole::regrole::text, defaclnamespace::regnamespace::text, defaclobjtype::text, defaclacl::text
        from pg_default_acl order by 1, 2""",
    "erasures": "select * from vault.erasures",
}


def catalogue(url: str) -> dict[str, list[tuple]]:
    """All that the schemas of Qingling consist of."""
    return {kind: execute(url, query) for kind, query in CATALOGUE.items()}


def test_the_migrations_lead_to_the_schema_that_is_shown(postgres_server, database_url: str, log_url: str) -> None:
    execute(database_url, schema())

    shown, migrated = catalogue(database_url), catalogue(log_url)
    assert migrated == shown
    assert all(shown.values())


def test_migrating_again_changes_nothing(database_url: str) -> None:
    assert migrate(database_url) == [migration.name for migration in migrations()]
    assert migrate(database_url) == []
    assert pending(database_url) == []


def test_an_empty_database_lacks_every_migration(database_url: str) -> None:
    assert pending(database_url) == [migration.name for migration in migrations()]


def test_a_log_cannot_be_opened_before_it_is_migrated(database_url: str) -> None:
    with pytest.raises(RecordingError, match="migrate it first") as refusal:
        PostgresLog(database_url)
    assert not refusal.value.may_continue


def test_an_applied_migration_that_was_edited_is_refused(database_url: str) -> None:
    migrate(database_url)
    first, *others = migrations()

    with pytest.raises(LogMismatchError, match=f"{first.name} was changed"):
        migrate(database_url, known=[replace(first, text=first.text + "-- edited"), *others])


def test_a_database_of_a_newer_release_is_refused(database_url: str) -> None:
    migrate(database_url)

    with pytest.raises(LogMismatchError, match="newer release"):
        migrate(database_url, known=migrations()[:-1])


def test_a_later_migration_is_applied_as_the_owner_to_a_log_in_use(log_url: str) -> None:
    with PostgresLog(log_url) as log:
        log.append(a_batch("case-1"))
        later = Migration(len(migrations()) + 1, "9999_later", "create table qingling.later (n integer)")
        assert migrate(log_url, known=[*migrations(), later]) == ["9999_later"]
        assert log.append(a_batch("case-2")).positions == (2,)
    assert execute(log_url, "select tableowner from pg_tables where tablename = 'later'") == [("qingling_owner",)]


def test_a_migration_that_fails_leaves_nothing_behind(database_url: str) -> None:
    broken = Migration(len(migrations()) + 1, "9999_broken", "create table qingling.half (n integer); select 1 / 0")

    with pytest.raises(RecordingError, match="division by zero"):
        migrate(database_url, known=[*migrations(), broken])
    assert pending(database_url) == [migration.name for migration in migrations()]


def test_processes_that_migrate_at_once_take_turns(database_url: str) -> None:
    with ThreadPoolExecutor(4) as threads:
        applied = list(threads.map(migrate, [database_url] * 4))
    assert sorted(map(len, applied)) == [0, 0, 0, len(migrations())]


def test_who_is_no_superuser_can_migrate_a_database_of_his_own(log_url: str, database_url: str) -> None:
    """The roles are there already (`log_url` has made them), and granted to him, as an administrator would."""
    ((name,),) = execute(database_url, "select current_database()")
    execute(database_url, f"create role landlord_{name} login")
    try:
        execute(database_url, f"grant qingling_owner, qingling_projector to landlord_{name}")
        execute(database_url, f'alter database "{name}" owner to landlord_{name}')
        as_landlord = database_url.replace("//postgres@", f"//landlord_{name}@")
        assert as_landlord != database_url
        assert migrate(as_landlord)
        assert catalogue(database_url)["functions"] == catalogue(log_url)["functions"]
    finally:
        execute(database_url, f'alter database "{name}" owner to postgres; drop owned by landlord_{name}')
        execute(database_url, f"drop role landlord_{name}")


def test_migrations_are_numbered_without_gaps(tmp_path: Path) -> None:
    for name in ("0001_one.sql", "0003_three.sql"):
        (tmp_path / name).write_text("select 1")

    with pytest.raises(SettingsError, match="numbered 1 to 2"):
        migrations(tmp_path)
