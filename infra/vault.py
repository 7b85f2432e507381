"""The vault: seals personal fields, keeps their ciphertexts and wrapped keys, opens them, and erases a subject.

`Vault` is all of it but the storing; `MemoryVault` stores in this process, `infra.postgres.vault.PostgresVault` in the
database. Guarantees, beside those of `domain.sealing.ports`:

*Order.* Key and ciphertext are durable before `seal_many` returns, so an event never names what is not stored.
*One key a subject.* Two processes that meet a new subject at once end up with the same key.
*Erasure is final.* It waits for every sealing under way and excludes new ones while it works; afterwards the subject
opens to nothing and is never given a key again. Keys cached in any process are dropped before they are used next.
"""

from __future__ import annotations

import os
import unicodedata
from collections import ChainMap
from collections.abc import Callable, Iterator, Mapping, Sequence
from threading import Lock
from typing import Final, NamedTuple, Protocol, TypeVar

from domain.errors import ErasedError, InputError, NotFoundError, VerificationError
from domain.sealing.personal import (
    KEY_BYTES,
    NONCE_BYTES,
    SALT_BYTES,
    SUBJECT_BYTES,
    Opening,
    Sealed,
    open_sealed,
    opening,
    require_well_formed,
    seal,
    subject_id,
)
from infra.key_cache import KeyCache
from infra.keyring import Keyring, WrappedKey

T = TypeVar("T")

CACHED_KEYS: Final = 65_536
"""Data keys kept in memory, about 200 bytes each."""
SEALED_AT_ONCE: Final = 10_000
"""Fields in one transaction: a third of a second, for which an erasure waits."""


class Ciphertext(NamedTuple):
    """What the store keeps of a sealed field. `sha256` is the digest of `blob`, hexadecimal."""

    sha256: str
    subject: str
    blob: bytes


class VaultTransaction(Protocol):
    """What a vault asks of its store at one time."""

    erasures: int
    """How many subjects had been erased when the transaction began."""

    def add_keys(self, keys: Mapping[str, WrappedKey]) -> set[str]:
        """Stores the keys of subjects that never had one, and returns those subjects."""

    def keys(self, subjects: Sequence[str]) -> dict[str, WrappedKey | None]:
        """The keys of the subjects that ever had one; None where it was destroyed."""

    def person(self, blind: bytes, fresh: str) -> str:
        """The subject that was kept for a blind; `fresh` is kept for it where there was none."""

    def add_ciphertexts(self, rows: Sequence[Ciphertext]) -> None:
        """Stores ciphertexts. Their digests are new, for each was sealed with a salt of its own."""

    def ciphertexts(self, digests: Sequence[str]) -> dict[str, bytes]:
        """The blobs that are stored under those digests (hexadecimal)."""


class VaultStore(Protocol):
    """Keeps keys and ciphertexts. Safe to share between threads, and between the processes that share what it stores in.

    Work may be run a second time when the store was lost on the way; what the first run added is then there or not.
    """

    def reading(self, work: Callable[[VaultTransaction], T]) -> T:
        """Runs work that calls `keys` and `ciphertexts`; of an erasure it sees all or nothing in each call."""

    def sealing(self, work: Callable[[VaultTransaction], T]) -> T:
        """Runs work while nobody is erased; all it adds is durable when this returns, and nothing is added if it raises."""

    def erase(self, subject: str) -> int | None:
        """Destroys a subject's key and ciphertexts while nobody seals, and counts one erasure more.

        Returns how many ciphertexts were deleted: 0 if it had been erased before, None if it never had a key.
        """


class Vault:
    """Implements `Sealer` and `Opener` (domain.sealing.ports) on a store. Safe to share between threads."""

    def __init__(self, store: VaultStore, keyring: Keyring, cached_keys: int = CACHED_KEYS) -> None:
        self._store = store
        self._keyring = keyring
        self._cache = KeyCache(cached_keys)

    def new_subject(self) -> str:
        """See `Sealer.new_subject`."""
        return subject_id(os.urandom(SUBJECT_BYTES))

    def subject_of(self, domain: str, value: str) -> str:
        """The subject of the person with that number: always the same one, kept the first time, forgotten when it is erased.

        The number is normalised (width, case, blanks) and kept blinded: see `Keyring.blind`. `domain` says what it is.

        Raises:
            InputError: nothing is left of the number, so that it would be everybody's.
            RecordingError: the store failed.
        """
        plain = "".join(unicodedata.normalize("NFKC", value).split()).casefold()
        if not plain:
            raise InputError("nobody is found again by a number of blanks", field=domain, rule="required")
        blind = self._keyring.blind(domain, plain)
        fresh = self.new_subject()
        return self._store.sealing(lambda transaction: transaction.person(blind, fresh))

    def request_digest(self, request: bytes) -> bytes:
        """What is recorded of a command's request: a keyed digest, from which nothing can be guessed."""
        return self._keyring.command_digest(request)

    def seal(self, subject: str, field: str, plaintext: str) -> Sealed:
        """See `Sealer.seal`."""
        return self.seal_many([(subject, field, plaintext)])[0]

    def seal_many(self, items: Sequence[tuple[str, str, str]]) -> list[Sealed]:
        """See `Sealer.seal_many`."""
        sealed: list[Sealed] = []
        for start in range(0, len(items), SEALED_AT_ONCE):
            work = _Sealing(self._keyring, self._cache, items[start : start + SEALED_AT_ONCE], start)
            done = self._store.sealing(work)
            # Not before: a key whose transaction failed must not seal anything that outlives this process.
            self._cache.remember(done.keys, done.erasures)
            sealed += done.sealed
        return sealed

    def open_many(self, items: Sequence[tuple[Sealed, str]]) -> list[str | None]:
        """See `Opener.open_many`."""
        return [
            open_sealed(found.dek, sealed, field, found.blob) if found else None
            for (sealed, field), found in zip(items, self._found([sealed for sealed, _ in items]), strict=True)
        ]

    def openings(self, items: Sequence[tuple[Sealed, str]]) -> list[Opening | None]:
        """See `Opener.openings`."""
        return [
            opening(found.dek, sealed, field, found.blob) if found else None
            for (sealed, field), found in zip(items, self._found([sealed for sealed, _ in items]), strict=True)
        ]

    def matches(self, sealed: Sealed, field: str, plaintext: str) -> bool:
        """See `Sealer.matches`."""
        return self.matches_many([(sealed, field, plaintext)])[0]

    def matches_many(self, items: Sequence[tuple[Sealed, str, str]]) -> list[bool]:
        """See `Sealer.matches_many`."""
        opened = self.open_many([(sealed, field) for sealed, field, _ in items])
        return [was is None or was == plaintext for was, (_, _, plaintext) in zip(opened, items, strict=True)]

    def erase(self, subject: str) -> int:
        """Destroys the key and the ciphertexts of a subject for ever; returns how many ciphertexts were deleted.

        The mechanism only: whether the law allows it, and the event that says it was done, are the caller's. Nothing in
        the log changes. Erasing a subject again does nothing and returns 0.

        Raises:
            NotFoundError: nothing was ever sealed for the subject.
            RecordingError: the store failed; ask again, for it may have been done.
        """
        deleted = self._store.erase(subject)
        self._cache.forget(subject)
        if deleted is None:
            raise NotFoundError(f"nothing was ever sealed for {subject}")
        return deleted

    def _found(self, wanted: Sequence[Sealed]) -> list[_Found | None]:
        """What opens each sealed field; None where the subject was erased."""
        for sealed in wanted:
            require_well_formed(sealed)
        return self._store.reading(_Reading(self._keyring, self._cache, wanted)) if wanted else []


class _SealedChunk(NamedTuple):
    sealed: list[Sealed]
    keys: dict[str, bytes]
    erasures: int

    def __repr__(self) -> str:
        return "_SealedChunk(…)"


class _Sealing:
    """Seals one transaction's items: a data key for every subject, made where there was none, then the ciphertexts."""

    def __init__(self, keyring: Keyring, cache: KeyCache, items: Sequence[tuple[str, str, str]], before: int) -> None:
        self._keyring = keyring
        self._cache = cache
        self._items = items
        self._before = before

    def __call__(self, transaction: VaultTransaction) -> _SealedChunk:
        keys = self._keys(transaction)
        sealed: list[Sealed] = []
        ciphertexts: list[Ciphertext] = []
        for (subject, field, plaintext), (salt, nonce) in zip(self._items, _fresh(len(self._items)), strict=True):
            try:
                each, blob = seal(keys[subject], subject, field, plaintext, salt=salt, nonce=nonce)
            except InputError as error:
                row = self._before + len(sealed) + 1
                raise InputError(str(error), field=error.field, row=row, rule=error.rule) from None
            sealed.append(each)
            ciphertexts.append(Ciphertext(each.sha256, subject, blob))
        transaction.add_ciphertexts(ciphertexts)
        return _SealedChunk(sealed, keys, transaction.erasures)

    def _keys(self, transaction: VaultTransaction) -> dict[str, bytes]:
        # In order, or two processes that add the same subjects could wait for each other.
        subjects = sorted({subject for subject, _, _ in self._items})
        keys = self._cache.known(subjects, transaction.erasures)
        fresh = {subject: os.urandom(KEY_BYTES) for subject in subjects if subject not in keys}
        if not fresh:
            return keys
        added = transaction.add_keys({subject: self._keyring.wrap(subject, dek) for subject, dek in fresh.items()})
        keys.update((subject, fresh[subject]) for subject in added)
        if held := [subject for subject in fresh if subject not in added]:
            keys.update((subject, self._unwrapped(subject, key)) for subject, key in transaction.keys(held).items())
        return keys

    def _unwrapped(self, subject: str, key: WrappedKey | None) -> bytes:
        if key is None:
            raise ErasedError(f"{subject} was erased; nothing is sealed for it any more")
        return self._keyring.unwrap(subject, key)


class _Found(NamedTuple):
    dek: bytes
    blob: bytes

    def __repr__(self) -> str:
        return "_Found(…)"


class _Reading:
    """Finds the keys and ciphertexts of sealed fields.

    Ciphertexts are read before keys: an erasure that comes between takes both away at once, so a ciphertext that was
    missing is then explained by its key.
    """

    def __init__(self, keyring: Keyring, cache: KeyCache, wanted: Sequence[Sealed]) -> None:
        self._keyring = keyring
        self._cache = cache
        self._wanted = wanted

    def __call__(self, transaction: VaultTransaction) -> list[_Found | None]:
        blobs = transaction.ciphertexts(sorted({each.sha256 for each in self._wanted}))
        known = self._cache.known({each.subject for each in self._wanted}, transaction.erasures)
        unsure = {each.subject for each in self._wanted if each.subject not in known or each.sha256 not in blobs}
        stored = transaction.keys(sorted(unsure)) if unsure else {}
        erased = {subject for subject, key in stored.items() if key is None}
        read = {subject: self._keyring.unwrap(subject, key) for subject, key in stored.items() if key}
        self._cache.remember(read, transaction.erasures)
        keys = known | read
        return [None if each.subject in erased else _both(each, keys, blobs) for each in self._wanted]


def _both(sealed: Sealed, keys: Mapping[str, bytes], blobs: Mapping[str, bytes]) -> _Found:
    if sealed.subject not in keys:
        raise VerificationError(f"there is no key for {sealed.subject}, and it was not erased")
    if sealed.sha256 not in blobs:
        raise VerificationError(f"the ciphertext {sealed.sha256} of {sealed.subject} is missing, and it was not erased")
    return _Found(keys[sealed.subject], blobs[sealed.sha256])


def _fresh(count: int) -> Iterator[tuple[bytes, bytes]]:
    """So many pairs of salt and nonce, asked of the system at once."""
    width = SALT_BYTES + NONCE_BYTES
    random = os.urandom(width * count)
    return ((random[at : at + SALT_BYTES], random[at + SALT_BYTES : at + width]) for at in range(0, len(random), width))


class MemoryVault(Vault):
    """A vault that lasts as long as this process: for tests, and for trials of an import."""

    def __init__(self, keyring: Keyring, cached_keys: int = CACHED_KEYS) -> None:
        super().__init__(MemoryStore(), keyring, cached_keys)


class MemoryStore:
    """Implements `VaultStore` in this process: one transaction at a time."""

    def __init__(self) -> None:
        self.keys: dict[str, WrappedKey | None] = {}
        self.ciphertexts: dict[str, Ciphertext] = {}
        self.erasures = 0
        self.persons: dict[bytes, str] = {}
        self._lock = Lock()

    def reading(self, work: Callable[[VaultTransaction], T]) -> T:
        """See `VaultStore.reading`."""
        with self._lock:
            return work(MemoryTransaction(self))

    def sealing(self, work: Callable[[VaultTransaction], T]) -> T:
        """See `VaultStore.sealing`."""
        with self._lock:
            transaction = MemoryTransaction(self)
            done = work(transaction)
            transaction.commit()
            return done

    def erase(self, subject: str) -> int | None:
        """See `VaultStore.erase`."""
        with self._lock:
            self.persons = {blind: each for blind, each in self.persons.items() if each != subject}
            if subject not in self.keys:
                return None
            if self.keys[subject] is None:
                return 0
            self.keys[subject] = None
            kept = {digest: row for digest, row in self.ciphertexts.items() if row.subject != subject}
            deleted = len(self.ciphertexts) - len(kept)
            self.ciphertexts = kept
            self.erasures += 1
            return deleted


class MemoryTransaction:
    """Implements `VaultTransaction`: writes into a layer of its own, which `commit` lays over the store."""

    def __init__(self, store: MemoryStore) -> None:
        self.erasures = store.erasures
        self._store = store
        self._keys: dict[str, WrappedKey | None] = {}
        self._persons: dict[bytes, str] = {}
        self._ciphertexts: dict[str, Ciphertext] = {}

    def add_keys(self, keys: Mapping[str, WrappedKey]) -> set[str]:
        """See `VaultTransaction.add_keys`."""
        added = keys.keys() - self._store.keys.keys()
        self._keys.update((subject, keys[subject]) for subject in added)
        return added

    def keys(self, subjects: Sequence[str]) -> dict[str, WrappedKey | None]:
        """See `VaultTransaction.keys`."""
        held = ChainMap(self._keys, self._store.keys)
        return {subject: held[subject] for subject in subjects if subject in held}

    def person(self, blind: bytes, fresh: str) -> str:
        """See `VaultTransaction.person`."""
        return self._store.persons.get(blind) or self._persons.setdefault(blind, fresh)

    def add_ciphertexts(self, rows: Sequence[Ciphertext]) -> None:
        """See `VaultTransaction.add_ciphertexts`."""
        self._ciphertexts.update((row.sha256, row) for row in rows)

    def ciphertexts(self, digests: Sequence[str]) -> dict[str, bytes]:
        """See `VaultTransaction.ciphertexts`."""
        held = self._store.ciphertexts
        return {digest: held[digest].blob for digest in digests if digest in held}

    def commit(self) -> None:
        """Makes what was added the store's."""
        self._store.keys.update(self._keys)
        self._store.persons.update(self._persons)
        self._store.ciphertexts.update(self._ciphertexts)
