"""The vault: one suite for every store, then what only a database can be asked."""

from __future__ import annotations

import base64
import hashlib
import os
import re
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from threading import Barrier
from typing import TypeVar, cast

import msgspec
import psycopg2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.canonical import canonical_bytes
from domain.errors import ErasedError, InputError, NotFoundError, RecordingError, VerificationError
from domain.sealing.personal import KEY_BYTES, Sealed, check_opening
from domain.sealing.ports import Opener, Sealer
from infra.keyring import Keyring
from infra.postgres.config import RecorderConfig
from infra.postgres.connection import Pool
from infra.postgres.embedded import EmbeddedPostgres
from infra.postgres.migrations import migrate
from infra.postgres.vault import PostgresStore, PostgresVault
from infra.vault import SEALED_AT_ONCE, MemoryStore, MemoryVault, Vault, VaultStore, VaultTransaction
from tests.postgres_server import fresh_database

T = TypeVar("T")

NAME = "worker.name"
PHONE = "worker.phone"
TEXT = "张三"


@pytest.fixture(scope="module")
def keyring(tmp_path_factory: pytest.TempPathFactory) -> Keyring:
    return Keyring.create(tmp_path_factory.mktemp("vault") / "keys" / "keyring.json")


@pytest.fixture
def drawn_keys(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Every data key that is drawn during the test."""
    keys: list[bytes] = []
    urandom = os.urandom

    def noted(size: int) -> bytes:
        drawn = urandom(size)
        if size == KEY_BYTES:
            keys.append(drawn)
        return drawn

    monkeypatch.setattr(os, "urandom", noted)
    return keys


class VaultSuite:
    """What every vault keeps. `store` is what several processes share; a vault on it is one of them."""

    @pytest.fixture
    def vault(self, store: VaultStore, keyring: Keyring) -> Vault:
        return Vault(store, keyring)

    @pytest.fixture
    def other_process(self, store: VaultStore, keyring: Keyring) -> Vault:
        return Vault(store, keyring)

    def lose_ciphertext(self, store: VaultStore, sealed: Sealed) -> None:
        raise NotImplementedError

    def lose_key(self, store: VaultStore, sealed: Sealed) -> None:
        raise NotImplementedError

    def alter_ciphertext(self, store: VaultStore, sealed: Sealed) -> None:
        raise NotImplementedError

    def ciphertexts(self, store: VaultStore) -> int:
        raise NotImplementedError

    def persons(self, store: VaultStore) -> list[tuple[bytes, str]]:
        raise NotImplementedError

    def test_a_vault_is_a_sealer_and_an_opener(self, vault: Vault) -> None:
        sealer: Sealer = vault
        opener: Opener = vault
        sealed = sealer.seal(sealer.new_subject(), NAME, TEXT)
        assert opener.open_many([(sealed, NAME)]) == [TEXT]

    def test_what_was_sealed_opens_in_the_order_of_asking(self, vault: Vault) -> None:
        first, second = vault.new_subject(), vault.new_subject()
        items = [
            (first, NAME, "张三"),
            (second, NAME, ""),
            (first, PHONE, "13800000000"),
            ("case-1", "note", "a\0b\t\\"),
        ]
        sealed = vault.seal_many(items)
        assert [each.subject for each in sealed] == [first, second, first, "case-1"]
        asked = [(each, field) for each, (_, field, _) in zip(sealed, items, strict=True)]
        assert vault.open_many(asked) == [text for _, _, text in items]
        assert vault.open_many(asked[::-1] + asked[:1]) == [text for _, _, text in items[::-1] + items[:1]]

    def test_nothing_asked_is_nothing_done(self, vault: Vault) -> None:
        assert vault.seal_many([]) == []
        assert vault.open_many([]) == []
        assert vault.matches_many([]) == []

    def test_any_text_comes_back(self, vault: Vault) -> None:
        @given(st.lists(st.text(), max_size=5))
        @settings(max_examples=50)
        def comes_back(texts: list[str]) -> None:
            sealed = vault.seal_many([("case-1", "note", text) for text in texts])
            assert vault.open_many([(each, "note") for each in sealed]) == texts

        comes_back()

    def test_more_fields_than_one_transaction_holds_keep_their_order(self, vault: Vault) -> None:
        items = [(f"person-{number // 3}", NAME, str(number)) for number in range(SEALED_AT_ONCE + 2)]
        sealed = vault.seal_many(items)
        assert vault.open_many([(each, NAME) for each in sealed]) == [text for _, _, text in items]

    def test_a_new_subject_is_random(self, vault: Vault) -> None:
        subjects = {vault.new_subject() for _ in range(100)}
        assert len(subjects) == 100
        assert all(re.fullmatch(r"person-[a-z2-7]{26}", subject) for subject in subjects)

    def test_what_one_process_sealed_another_opens_and_goes_on_with(self, vault: Vault, other_process: Vault) -> None:
        before = vault.seal("case-1", "note", "one")
        after = other_process.seal("case-1", "note", "two")
        for each in (vault, other_process):
            assert each.open_many([(before, "note"), (after, "note")]) == ["one", "two"]

    def test_processes_that_meet_new_subjects_at_once_give_them_one_key(
        self, store: VaultStore, keyring: Keyring
    ) -> None:
        subjects = [f"person-{number}" for number in range(50)]
        vaults = [Vault(store, keyring) for _ in range(4)]
        together = Barrier(len(vaults))

        def seal(vault: Vault) -> list[Sealed]:
            order = subjects if vaults.index(vault) % 2 else subjects[::-1]
            together.wait()
            return vault.seal_many([(subject, NAME, subject) for subject in order])

        with ThreadPoolExecutor(len(vaults)) as threads:
            sealed = [each for done in threads.map(seal, vaults) for each in done]
        opened = Vault(store, keyring).open_many([(each, NAME) for each in sealed])
        assert opened == [each.subject for each in sealed]

    def test_a_text_that_cannot_be_sealed_stops_its_batch_and_is_named(self, vault: Vault, store: VaultStore) -> None:
        items = [("case-1", "note", "good"), ("case-1", "note", "bad \ud800"), ("case-2", "note", "good")]
        with pytest.raises(InputError) as refusal:
            vault.seal_many(items)
        assert (refusal.value.field, refusal.value.row, refusal.value.rule) == ("note", 2, "unicode")
        assert self.ciphertexts(store) == 0

    def test_the_place_of_a_bad_text_is_counted_through_the_whole_batch(self, vault: Vault) -> None:
        items = [("case-1", "note", "good")] * SEALED_AT_ONCE + [("case-1", "note", "\udfff")]
        with pytest.raises(InputError) as refusal:
            vault.seal_many(items)
        assert refusal.value.row == SEALED_AT_ONCE + 1

    @pytest.mark.parametrize("subject", ["", "a\tb", "a\nb", "\\N", "a\0b", "张三", "\ud800"])
    def test_a_subject_that_is_no_label_is_a_bug_of_the_caller(
        self, vault: Vault, store: VaultStore, subject: str
    ) -> None:
        with pytest.raises(ValueError):  # noqa: PT011 - the driver refuses some of them first, in its own words
            vault.seal(subject, NAME, TEXT)
        assert self.ciphertexts(store) == 0

    def test_a_key_whose_transaction_failed_seals_nothing(
        self, vault: Vault, store: VaultStore, other_process: Vault, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        work_of = store.sealing

        def fails_after_the_work(work: Callable[[VaultTransaction], T]) -> T:
            def failing(transaction: VaultTransaction) -> T:
                work(transaction)
                raise RecordingError("the store failed")

            return work_of(failing)

        monkeypatch.setattr(store, "sealing", fails_after_the_work)
        with pytest.raises(RecordingError):
            vault.seal("case-1", "note", "lost")
        monkeypatch.undo()
        assert self.ciphertexts(store) == 0
        sealed = vault.seal("case-1", "note", "kept")
        assert other_process.open_many([(sealed, "note")]) == ["kept"]

    def test_no_more_keys_are_kept_in_memory_than_the_bound(self, store: VaultStore, keyring: Keyring) -> None:
        vault = Vault(store, keyring, cached_keys=2)
        sealed = vault.seal_many([(f"person-{number}", NAME, str(number)) for number in range(5)])
        assert "KeyCache(2 of 2)" in repr(vars(vault))
        assert vault.open_many([(each, NAME) for each in sealed]) == list("01234")
        assert "KeyCache(2 of 2)" in repr(vars(vault))

    def test_an_opening_holds_against_what_was_sealed_without_the_vault(self, vault: Vault) -> None:
        name, phone = vault.seal_many([("case-1", NAME, TEXT), ("case-1", PHONE, "138")])
        shown = vault.openings([(name, NAME), (phone, PHONE)])
        assert shown[0] is not None
        assert shown[1] is not None
        check_opening(name, shown[0])
        check_opening(phone, shown[1])
        with pytest.raises(VerificationError):
            check_opening(name, shown[1])

    def test_a_text_matches_what_was_sealed_only_if_it_is_the_same(self, vault: Vault) -> None:
        name, phone = vault.seal_many([("case-1", NAME, TEXT), ("case-1", PHONE, "138")])
        assert vault.matches(name, NAME, TEXT)
        assert not vault.matches(name, NAME, TEXT + " ")
        assert not vault.matches(name, NAME, "\ud800")
        assert vault.matches_many([(name, NAME, TEXT), (phone, PHONE, "139")]) == [True, False]
        with pytest.raises(VerificationError):
            vault.matches(name, PHONE, TEXT)

    def test_an_erased_subject_opens_to_nothing_and_nobody_else_is_touched(
        self, vault: Vault, store: VaultStore
    ) -> None:
        gone, kept = vault.new_subject(), vault.new_subject()
        sealed = vault.seal_many([(gone, NAME, TEXT), (kept, NAME, "李四"), (gone, PHONE, "138")])
        entry = canonical_bytes({"worker": msgspec.to_builtins(sealed[0])})
        assert vault.erase(gone) == 2
        asked = [(sealed[0], NAME), (sealed[1], NAME), (sealed[2], PHONE)]
        assert vault.open_many(asked) == [None, "李四", None]
        assert [shown is None for shown in vault.openings(asked)] == [True, False, True]
        assert canonical_bytes({"worker": msgspec.to_builtins(sealed[0])}) == entry
        assert self.ciphertexts(store) == 1

    def test_an_erased_field_matches_every_text(self, vault: Vault) -> None:
        sealed = vault.seal("person-1", NAME, TEXT)
        vault.erase("person-1")
        assert vault.matches_many([(sealed, NAME, TEXT), (sealed, NAME, "somebody else")]) == [True, True]

    def test_a_field_that_was_shown_before_the_erasure_still_holds_against_the_log(self, vault: Vault) -> None:
        sealed = vault.seal("person-1", NAME, TEXT)
        [shown] = vault.openings([(sealed, NAME)])
        vault.erase("person-1")
        assert shown is not None
        check_opening(sealed, shown)

    def test_an_erasure_reaches_the_keys_that_another_process_has_in_memory(
        self, vault: Vault, other_process: Vault
    ) -> None:
        sealed = vault.seal("person-1", NAME, TEXT)
        assert other_process.open_many([(sealed, NAME)]) == [TEXT]
        vault.erase("person-1")
        assert other_process.open_many([(sealed, NAME)]) == [None]
        assert "KeyCache(0 of" in repr(vars(other_process))

    def test_an_erased_subject_is_never_sealed_for_again(
        self, vault: Vault, other_process: Vault, store: VaultStore
    ) -> None:
        other_process.seal("person-1", NAME, TEXT)
        vault.erase("person-1")
        for each in (vault, other_process):
            with pytest.raises(ErasedError):
                each.seal_many([("person-2", NAME, "李四"), ("person-1", NAME, TEXT)])
        assert self.ciphertexts(store) == 0

    def test_erasing_twice_erases_once(self, vault: Vault) -> None:
        vault.seal("person-1", NAME, TEXT)
        assert vault.erase("person-1") == 1
        assert vault.erase("person-1") == 0

    def test_who_was_never_sealed_for_cannot_be_erased(self, vault: Vault) -> None:
        with pytest.raises(NotFoundError):
            vault.erase("person-1")

    def test_a_person_is_found_again_however_the_number_is_written(self, vault: Vault, other_process: Vault) -> None:
        subject = vault.subject_of("id-number", "14032119900101001x")
        for written in ("14032119900101001X", " 140321 19900101 001x\u3000", "１４０３２１１９９００１０１００１Ｘ"):
            assert other_process.subject_of("id-number", written) == subject
        others = {
            vault.subject_of("id-number", "140321199001010025"),
            vault.subject_of("passport", "14032119900101001X"),
        }
        assert len(others - {subject}) == 2

    def test_a_number_of_blanks_is_nobodys(self, vault: Vault) -> None:
        for blank in ("", " \u3000\t"):
            with pytest.raises(InputError):
                vault.subject_of("id-number", blank)

    def test_a_number_is_kept_blinded_and_nowhere_as_it_is(self, vault: Vault, store: VaultStore) -> None:
        subject = vault.subject_of("id-number", "140321199001010017")
        [(blind, kept)] = self.persons(store)
        assert kept == subject
        assert len(blind) == 32
        assert b"140321199001010017" not in blind
        assert blind != hashlib.sha256(b"140321199001010017").digest()

    def test_a_number_is_blinded_by_the_keyring(self, vault: Vault, store: VaultStore, tmp_path: Path) -> None:
        stranger = Vault(store, Keyring.create(tmp_path / "keys" / "keyring.json"))
        assert stranger.subject_of("id-number", "1") != vault.subject_of("id-number", "1")

    def test_who_was_erased_is_another_one_when_they_come_again(self, vault: Vault, store: VaultStore) -> None:
        subject = vault.subject_of("id-number", "140321199001010017")
        vault.seal(subject, NAME, TEXT)
        vault.erase(subject)
        assert self.persons(store) == []
        again = vault.subject_of("id-number", "140321199001010017")
        assert again != subject
        assert vault.open_many([(vault.seal(again, NAME, TEXT), NAME)]) == [TEXT]

    def test_who_was_never_sealed_for_is_forgotten_all_the_same(self, vault: Vault, store: VaultStore) -> None:
        subject = vault.subject_of("id-number", "140321199001010017")
        with pytest.raises(NotFoundError):
            vault.erase(subject)
        assert self.persons(store) == []

    def test_one_who_comes_at_several_desks_at_once_is_one_person(self, vault: Vault, other_process: Vault) -> None:
        desks = [vault, other_process] * 4
        at_once = Barrier(len(desks))

        def come(desk: Vault) -> str:
            at_once.wait()
            return desk.subject_of("id-number", "140321199001010017")

        with ThreadPoolExecutor(len(desks)) as running:
            assert len(set(running.map(come, desks))) == 1

    def test_a_request_is_known_again_and_not_guessed(self, vault: Vault, other_process: Vault) -> None:
        digest = vault.request_digest(b'{"amount":1}')
        assert other_process.request_digest(b'{"amount":1}') == digest
        assert vault.request_digest(b'{"amount":2}') != digest
        assert digest != hashlib.sha256(b'{"amount":1}').digest()

    def test_a_ciphertext_that_is_missing_is_no_erasure(
        self, vault: Vault, store: VaultStore, other_process: Vault
    ) -> None:
        sealed, kept = vault.seal_many([("person-1", NAME, TEXT), ("person-1", PHONE, "138")])
        self.lose_ciphertext(store, sealed)
        for each in (vault, other_process):
            with pytest.raises(VerificationError, match="is missing, and it was not erased"):
                each.open_many([(kept, PHONE), (sealed, NAME)])
            assert each.open_many([(kept, PHONE)]) == ["138"]

    def test_a_key_that_is_missing_is_no_erasure(self, vault: Vault, store: VaultStore, other_process: Vault) -> None:
        sealed = vault.seal("person-1", NAME, TEXT)
        self.lose_key(store, sealed)
        with pytest.raises(VerificationError, match="no key for person-1, and it was not erased"):
            other_process.open_many([(sealed, NAME)])

    def test_an_altered_ciphertext_is_refused(self, vault: Vault, store: VaultStore) -> None:
        sealed = vault.seal("person-1", NAME, TEXT)
        self.alter_ciphertext(store, sealed)
        for ask in (vault.open_many, vault.openings):
            with pytest.raises(VerificationError):
                ask([(sealed, NAME)])
        with pytest.raises(VerificationError):
            vault.matches(sealed, NAME, TEXT)

    @pytest.mark.parametrize("name", ["subject", "sha256", "commit"])
    @pytest.mark.parametrize("value", ["", "x", "\0", "\ud800", "A" * 64])
    def test_what_was_never_sealed_is_refused_whatever_it_looks_like(self, vault: Vault, name: str, value: str) -> None:
        sealed = vault.seal("person-1", NAME, TEXT)
        with pytest.raises(VerificationError):
            vault.open_many([(msgspec.structs.replace(sealed, **{name: value}), NAME)])

    def test_a_vault_with_another_keyring_opens_nothing(self, vault: Vault, store: VaultStore, tmp_path: Path) -> None:
        sealed = vault.seal("person-1", NAME, TEXT)
        stranger = Vault(store, Keyring.create(tmp_path / "keys" / "keyring.json"))
        with pytest.raises(VerificationError):
            stranger.open_many([(sealed, NAME)])
        with pytest.raises(VerificationError):
            stranger.seal("person-1", NAME, TEXT)

    def test_no_key_and_no_text_is_ever_printed(
        self, vault: Vault, store: VaultStore, drawn_keys: list[bytes], caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(0)
        sealed = vault.seal("person-1", NAME, TEXT)
        vault.open_many([(sealed, NAME)])
        self.alter_ciphertext(store, sealed)
        with pytest.raises(VerificationError) as refusal:
            vault.open_many([(sealed, NAME)])
        [key] = drawn_keys
        trace = "".join(traceback.format_exception(refusal.value))
        printed = f"{vault!r} {vars(vault)!r} {sealed!r} {trace} {caplog.text}"
        for form in (key.hex(), repr(key)[2:-1], base64.b64encode(key).decode(), TEXT):
            assert form not in printed


class TestMemoryVault(VaultSuite):
    @pytest.fixture
    def store(self) -> MemoryStore:
        return MemoryStore()

    def lose_ciphertext(self, store: VaultStore, sealed: Sealed) -> None:
        assert isinstance(store, MemoryStore)
        del store.ciphertexts[sealed.sha256]

    def lose_key(self, store: VaultStore, sealed: Sealed) -> None:
        assert isinstance(store, MemoryStore)
        del store.keys[sealed.subject]

    def alter_ciphertext(self, store: VaultStore, sealed: Sealed) -> None:
        assert isinstance(store, MemoryStore)
        row = store.ciphertexts[sealed.sha256]
        store.ciphertexts[sealed.sha256] = row._replace(blob=row.blob[:-1] + bytes([row.blob[-1] ^ 1]))

    def ciphertexts(self, store: VaultStore) -> int:
        assert isinstance(store, MemoryStore)
        return len(store.ciphertexts)

    def persons(self, store: VaultStore) -> list[tuple[bytes, str]]:
        assert isinstance(store, MemoryStore)
        return list(store.persons.items())

    def test_two_vaults_in_memory_share_nothing(self, keyring: Keyring) -> None:
        sealed = MemoryVault(keyring).seal("person-1", NAME, TEXT)
        with pytest.raises(VerificationError):
            MemoryVault(keyring).open_many([(sealed, NAME)])


@pytest.fixture(scope="module")
def migrated(postgres_server: EmbeddedPostgres) -> str:
    """URL of a migrated database, as the superuser; dropped with the server at the end of the run."""
    url = fresh_database(postgres_server)
    migrate(url)
    return url


@pytest.fixture
def database(migrated: str) -> str:
    """The same with an empty vault."""
    ask(migrated, "truncate vault.ciphertext, vault.subject_key, vault.person")
    ask(migrated, "update vault.erasures set count = 0")
    return migrated


def ask(url: str, statement: str, *parameters: object, role: str = "postgres") -> list[tuple[object, ...]]:
    """Runs a statement beside the vault, in a session of its own."""
    with closing(psycopg2.connect(url, options=f"-c role={role}")) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(statement, parameters)
            return cursor.fetchall() if cursor.description else []


def pool_of(url: str, role: str = "qingling_writer", lock_timeout: float = 10.0) -> Pool:
    return Pool(url, RecorderConfig(role=role, lock_timeout=lock_timeout))


class TestPostgresVault(VaultSuite):
    @pytest.fixture
    def store(self, database: str) -> Iterator[PostgresStore]:
        with closing(pool_of(database)) as pool:
            yield PostgresStore(pool)

    @pytest.fixture(autouse=True)
    def _database(self, database: str) -> None:
        self.url = database

    def lose_ciphertext(self, store: VaultStore, sealed: Sealed) -> None:
        ask(self.url, "delete from vault.ciphertext where sha256 = %s", bytes.fromhex(sealed.sha256))

    def lose_key(self, store: VaultStore, sealed: Sealed) -> None:
        ask(
            self.url,
            "alter table vault.subject_key disable trigger subject_key_stays;"
            "alter table vault.ciphertext drop constraint ciphertext_subject_fkey;"
            "delete from vault.subject_key where subject = %s;"
            "alter table vault.subject_key enable always trigger subject_key_stays;"
            "alter table vault.ciphertext add constraint ciphertext_subject_fkey"
            " foreign key (subject) references vault.subject_key not valid",
            sealed.subject,
        )

    def alter_ciphertext(self, store: VaultStore, sealed: Sealed) -> None:
        ask(
            self.url,
            "update vault.ciphertext set blob = set_byte(blob, 40, get_byte(blob, 40) # 1) where sha256 = %s",
            bytes.fromhex(sealed.sha256),
        )

    def ciphertexts(self, store: VaultStore) -> int:
        [(count,)] = ask(self.url, "select count(*)::integer from vault.ciphertext")
        assert isinstance(count, int)
        return count

    def persons(self, store: VaultStore) -> list[tuple[bytes, str]]:
        found = ask(self.url, "select blind, subject from vault.person")
        return [(bytes(cast(bytes, blind)), str(subject)) for blind, subject in found]

    def test_the_database_never_holds_a_text_or_a_plain_key(
        self, vault: Vault, database: str, drawn_keys: list[bytes]
    ) -> None:
        vault.seal("person-1", NAME, TEXT)
        keys = ask(database, "select subject, wrapped from vault.subject_key")
        ciphertexts = ask(database, "select subject, blob from vault.ciphertext")
        [key] = drawn_keys
        assert [subject for subject, _ in keys + ciphertexts] == ["person-1", "person-1"]
        for _, stored in keys + ciphertexts:
            assert isinstance(stored, memoryview)
            assert key not in bytes(stored)
            assert TEXT.encode() not in bytes(stored)

    def test_an_erasure_waits_for_a_sealing_under_way_and_no_sealing_passes_it(
        self, vault: Vault, keyring: Keyring, database: str
    ) -> None:
        sealed = vault.seal("person-1", NAME, TEXT)
        with closing(pool_of(database, lock_timeout=0.2)) as pool, closing(psycopg2.connect(database)) as beside:
            impatient = PostgresVault(pool, keyring)
            with beside.cursor() as cursor:
                cursor.execute("select vault.hold_erasures()")
                with pytest.raises(RecordingError, match="lock timeout"):
                    impatient.erase("person-1")
                assert impatient.open_many([(sealed, NAME)]) == [TEXT]
                impatient.seal("person-1", PHONE, "138")
                beside.rollback()
                cursor.execute("select vault.erase('person-2')")
                with pytest.raises(RecordingError, match="lock timeout"):
                    impatient.seal("person-1", PHONE, "139")
                beside.rollback()
            assert impatient.erase("person-1") == 2

    def test_a_vault_outlives_the_sessions_that_it_lost(self, vault: Vault, database: str) -> None:
        sealed = vault.seal("person-1", NAME, TEXT)
        for go_on in (
            lambda: vault.open_many([(sealed, NAME)]) == [TEXT],
            lambda: vault.open_many([(vault.seal("person-1", PHONE, "138"), PHONE)]) == ["138"],
        ):
            ended = ask(
                database,
                "select pg_terminate_backend(pid, 5000) from pg_stat_activity"
                " where application_name = 'qingling' and datname = current_database()",
            )
            assert ended == [(True,)]
            assert go_on()

    def test_a_destroyed_key_cannot_be_brought_back_even_by_the_superuser(self, vault: Vault, database: str) -> None:
        vault.seal("person-1", NAME, TEXT)
        [(wrapped,)] = ask(database, "select wrapped from vault.subject_key")
        vault.erase("person-1")
        with pytest.raises(psycopg2.Error, match="never brought back"):
            ask(database, "update vault.subject_key set wrapped = %s, destroyed_at = null", wrapped)
        with pytest.raises(psycopg2.Error, match="never taken out"):
            ask(database, "delete from vault.subject_key")

    @pytest.mark.parametrize(
        "statement",
        [
            "delete from vault.subject_key",
            "truncate vault.subject_key, vault.ciphertext",
            "update vault.ciphertext set blob = ''",
            "update vault.person set subject = 'another'",
            "update vault.subject_key set subject = 'another'",
            "update vault.subject_key set created_at = now()",
            "delete from vault.erasures",
        ],
    )
    def test_the_writer_has_no_right_to_change_what_is_sealed(self, database: str, statement: str) -> None:
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            ask(database, statement, role="qingling_writer")

    def test_the_reader_opens_but_neither_seals_nor_erases(self, vault: Vault, keyring: Keyring, database: str) -> None:
        sealed = vault.seal("person-1", NAME, TEXT)
        with closing(pool_of(database, role="qingling_reader")) as pool:
            reader = PostgresVault(pool, keyring)
            assert reader.open_many([(sealed, NAME)]) == [TEXT]
            with pytest.raises(RecordingError, match="permission denied"):
                reader.seal("person-1", PHONE, "138")
            with pytest.raises(RecordingError, match="permission denied"):
                reader.erase("person-1")

    def test_the_projector_sees_nothing_of_the_vault(self, database: str) -> None:
        for table in ("subject_key", "ciphertext", "erasures"):
            with pytest.raises(psycopg2.errors.InsufficientPrivilege):
                ask(database, f"select from vault.{table}", role="qingling_projector")
