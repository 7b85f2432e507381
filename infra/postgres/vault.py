"""The vault's store on PostgreSQL: schema `vault`, see `sql/migrations/0002_vault.sql` and `0004_person.sql`.

Guarantees: sealing and erasing exclude each other through an advisory lock of the database, so across processes too. What
is sealed is copied in bulk and committed before `sealing` returns. Plain keys are never sent to the database.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar, cast

from psycopg2.extensions import cursor as Cursor  # noqa: N812 - the driver's class has a lower-case name

from infra.keyring import Keyring, WrappedKey
from infra.postgres.connection import Pool, transaction, translated
from infra.vault import CACHED_KEYS, Ciphertext, Vault, VaultTransaction

T = TypeVar("T")

_ADD_KEYS = """
insert into vault.subject_key (subject, wrapped, kek)
select * from unnest(%s::text[], %s::bytea[], %s::integer[])
on conflict do nothing
returning subject
"""
_KEYS = "select subject, kek, wrapped from vault.subject_key where subject = any(%s)"
_CIPHERTEXTS = "select sha256, blob from vault.ciphertext where sha256 = any(%s::bytea[])"
_ADD_PERSON = "insert into vault.person (blind, subject) values (%s::bytea, %s) on conflict do nothing"
_PERSON = "select subject from vault.person where blind = %s::bytea"
_COPY_CIPHERTEXTS = "copy vault.ciphertext (sha256, subject, blob) from stdin"


class PostgresVault(Vault):
    """A vault in the database. Its sessions need the rights of `qingling_writer`, or of `qingling_reader` to open only."""

    def __init__(self, pool: Pool, keyring: Keyring, cached_keys: int = CACHED_KEYS) -> None:
        super().__init__(PostgresStore(pool), keyring, cached_keys)


class PostgresStore:
    """Implements `VaultStore`. A lost session is replaced once: reading and sealing twice do no harm."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def reading(self, work: Callable[[VaultTransaction], T]) -> T:
        """See `VaultStore.reading`."""

        def read(cursor: Cursor) -> T:
            cursor.execute("select count from vault.erasures")
            return work(PostgresTransaction(cursor))

        return self._pool.read("opening personal fields", read)

    def sealing(self, work: Callable[[VaultTransaction], T]) -> T:
        """See `VaultStore.sealing`."""

        def sealed(session: Cursor) -> T:
            with transaction(session.connection) as cursor:
                cursor.execute("select vault.hold_erasures()")
                return work(PostgresTransaction(cursor))

        return self._pool.read("sealing personal fields", sealed)

    def erase(self, subject: str) -> int | None:
        """See `VaultStore.erase`. Not tried again: whether it was done is for the caller to find out."""
        with translated("erasing a subject"), self._pool.session() as session, session.cursor() as cursor:
            cursor.execute("select vault.erase(%s)", (subject,))
            return cast("tuple[int | None]", cursor.fetchone())[0]


class PostgresTransaction:
    """Implements `VaultTransaction` on a cursor that has just been asked for the number of erasures."""

    def __init__(self, cursor: Cursor) -> None:
        self.erasures = cast("tuple[int]", cursor.fetchone())[0]
        self._cursor = cursor

    def add_keys(self, keys: Mapping[str, WrappedKey]) -> set[str]:
        """See `VaultTransaction.add_keys`."""
        wrapped = [_hex(key.wrapped.hex()) for key in keys.values()]
        self._cursor.execute(_ADD_KEYS, (list(keys), wrapped, [key.kek for key in keys.values()]))
        return {subject for (subject,) in self._cursor.fetchall()}

    def keys(self, subjects: Sequence[str]) -> dict[str, WrappedKey | None]:
        """See `VaultTransaction.keys`."""
        self._cursor.execute(_KEYS, (list(subjects),))
        return {
            subject: None if wrapped is None else WrappedKey(kek, bytes(wrapped))
            for subject, kek, wrapped in self._cursor.fetchall()
        }

    def person(self, blind: bytes, fresh: str) -> str:
        """See `VaultTransaction.person`. Of two at once the second waits for the first, and finds what it kept."""
        self._cursor.execute(_ADD_PERSON, (_hex(blind.hex()), fresh))
        self._cursor.execute(_PERSON, (_hex(blind.hex()),))
        return cast("tuple[str]", self._cursor.fetchone())[0]

    def add_ciphertexts(self, rows: Sequence[Ciphertext]) -> None:
        """See `VaultTransaction.add_ciphertexts`. A subject is a label, so nothing in a line needs to be escaped."""
        lines = [f"\\{_hex(row.sha256)}\t{row.subject}\t\\{_hex(row.blob.hex())}\n" for row in rows]
        self._cursor.copy_expert(_COPY_CIPHERTEXTS, io.StringIO("".join(lines)))

    def ciphertexts(self, digests: Sequence[str]) -> dict[str, bytes]:
        """See `VaultTransaction.ciphertexts`."""
        self._cursor.execute(_CIPHERTEXTS, ([_hex(digest) for digest in digests],))
        return {bytes(sha256).hex(): bytes(blob) for sha256, blob in self._cursor.fetchall()}


def _hex(digits: str) -> str:
    """Bytes as PostgreSQL reads them from text."""
    return "\\x" + digits
