"""The signer: the keys of a log, and the memory of what they signed, in a folder of their own apart from data and database.

    keys/<n>.skey     a key that signs, as Go's `golang.org/x/mod/sumdb/note` writes it
    keys/<n>.vkey     the public half of a key that signs no more; its secret was taken away
    signed.sqlite     every checkpoint that was signed

Guarantees: no two different roots are ever signed for one size, nor a smaller tree after a larger, by whichever processes use the folder:
each checkpoint is proved to extend the last one, and is remembered on the disk before its signature leaves. So a log that was rewritten
gets no signature, whoever rewrote it. Keys are used only where nobody but their owner can read them. Who copies the folder has a second
signer; only a witness shows that.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from domain.errors import LogMismatchError, SettingsError, VerificationError
from domain.sealing.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from domain.sealing.encoding import base64_of
from domain.sealing.note import KEY_BYTES, SigningKey, VerifierKey, is_key_name
from domain.sealing.tree import EMPTY_ROOT, verify_consistency
from infra.sealing import durable
from infra.sealing.checkpoints import CheckpointJournal
from infra.sealing.key_files import read_key, refuse_open

_KEYS: Final = "keys"
_SIGNED: Final = "signed.sqlite"
_SECRET: Final = ".skey"
_PUBLIC: Final = ".vkey"


class Signer:
    """See the module. Made by `create` and `open`. Safe to share between threads; other processes may use the folder too."""

    def __init__(self, folder: Path, origin: str, journal: CheckpointJournal) -> None:
        self.folder = folder
        self.origin = origin
        self._journal = journal

    @classmethod
    def create(cls, folder: Path, origin: str, seed: bytes | None = None) -> Signer:
        """Makes the folder with the log's first key, from a seed of 32 bytes (None: drawn).

        Raises:
            SettingsError: there is a signer already, or the folder is open to others.
            ValueError: no key can bear the origin's name.
        """
        if not is_key_name(origin):
            raise ValueError(f"no key can be named {origin!r}")
        if _numbers(folder):
            raise SettingsError(f"there is a signer at {folder} already; its keys are never overwritten")
        with durable.written_in(folder):
            for each in (folder, folder / _KEYS):
                durable.make_folder(each, 0o700)
        refuse_open(folder)
        refuse_open(folder / _KEYS)
        # The memory comes before the key: a folder with keys and without memory is one that has lost it.
        journal = _private_journal(folder)
        latest = journal.latest(origin)
        if latest is not None or journal.origins():
            raise SettingsError(f"{folder} remembers signatures and has lost the keys; it is not used for new ones")
        signer = cls(folder, origin, journal)
        signer._write_key(1, SigningKey(origin, os.urandom(KEY_BYTES) if seed is None else seed))
        return signer

    @classmethod
    def open(cls, folder: Path, origin: str) -> Signer:
        """The signer of a log.

        Raises:
            SettingsError: there is none, it or its folder can be read by others, a key is damaged or of another log, or the memory of
                what was signed is missing.
        """
        if not _numbers(folder):
            raise SettingsError(f"there is no signer at {folder}")
        for each in (folder, folder / _KEYS):
            refuse_open(each)
        if not (folder / _SIGNED).is_file():
            raise SettingsError(
                f"{folder / _SIGNED} is missing: a signer that forgot what it signed signs nothing any more"
            )
        refuse_open(folder / _SIGNED)
        signer = cls(folder, origin, CheckpointJournal(folder / _SIGNED))
        signer._keys()
        return signer

    @staticmethod
    def origin_of(folder: Path) -> str | None:
        """The log that a folder holds keys of; None where it holds none.

        Raises:
            SettingsError: the keys can be read by others, or are damaged.
        """
        for number in _numbers(folder):
            if (file := folder / _KEYS / f"{number}{_SECRET}").exists():
                return read_key(file).name
        return None

    @property
    def verifiers(self) -> tuple[VerifierKey, ...]:
        """The public halves of the keys that sign, the oldest first."""
        return tuple(key.verifier for key in self._keys())

    def last(self) -> Checkpoint | None:
        """The last checkpoint that was signed, which is the largest; None where there is none yet."""
        kept = self._journal.latest(self.origin)
        return None if kept is None else kept.checkpoint

    def history(self) -> CheckpointJournal:
        """Every checkpoint that was signed."""
        return self._journal

    def sign(self, checkpoint: Checkpoint, proof: Sequence[bytes]) -> bytes:
        """The signed note of a checkpoint that extends the last one, which `proof` shows; remembered before it is returned.

        The same checkpoint gives the same note again, unless the keys are others by now.

        Raises:
            LogMismatchError: it does not extend the last one, or is another log's. Nothing was signed.
            RecordingError: it could not be remembered; nothing was signed, or it was and is again when asked for again.
        """
        if checkpoint.origin != self.origin:
            raise LogMismatchError(f"this signer signs for {self.origin!r}, not for {checkpoint.origin!r}")
        keys = self._keys()
        with self._journal.exclusive():
            latest = self._journal.latest(self.origin)
            last = Checkpoint(self.origin, 0, EMPTY_ROOT) if latest is None else latest.checkpoint
            _require_extension(last, checkpoint, proof)
            if latest is not None and last == checkpoint and _signed_by(latest.note, keys):
                return latest.note
            note = sign_checkpoint(checkpoint, keys)
            self._journal.add(checkpoint, note)
        return note

    def add_key(self) -> tuple[VerifierKey, VerifierKey]:
        """Draws another key; from then on all of them sign. Returns the youngest key of before, and the new one."""
        with self._journal.exclusive():
            before, key = self._keys()[-1], SigningKey(self.origin, os.urandom(KEY_BYTES))
            self._write_key(_numbers(self.folder)[-1] + 1, key)
        return before.verifier, key.verifier

    def retire(self, vkey: str) -> None:
        """Takes the secret of a key away; it signs no more. What it signed stays.

        Raises:
            SettingsError: no key that signs has this vkey, or it is the only one.
        """
        with self._journal.exclusive():
            files = {key.verifier.vkey: file for file, key in self._files()}
            if vkey not in files:
                raise SettingsError(f"no key at {self.folder} has the verifier key {vkey}")
            if len(files) == 1:
                raise SettingsError("the only key of a log is not retired; add another one first")
            with durable.written_in(self.folder):
                durable.replace(self.folder / _KEYS, f"{files[vkey].stem}{_PUBLIC}", f"{vkey}\n".encode(), 0o600)
                durable.remove(files[vkey])
                durable.sync_folder(str(self.folder / _KEYS))

    def _write_key(self, number: int, key: SigningKey) -> None:
        folder = self.folder / _KEYS
        with durable.written_in(folder):
            durable.remove_waiting(folder)  # a crash may have left a secret there
            durable.replace(folder, f"{number}{_SECRET}", f"{key.skey}\n".encode(), 0o600)

    def _keys(self) -> list[SigningKey]:
        return [key for _, key in self._files()]

    def _files(self) -> list[tuple[Path, SigningKey]]:
        """The keys as they are now: another process may have added one."""
        folder = self.folder / _KEYS
        files = [folder / f"{number}{_SECRET}" for number in _numbers(self.folder)]
        found = [(file, _own_key(file, self.origin)) for file in files if file.exists()]
        if not found:
            raise SettingsError(f"no key at {self.folder} signs any more")
        return found


def _require_extension(last: Checkpoint, checkpoint: Checkpoint, proof: Sequence[bytes]) -> None:
    try:
        verify_consistency(last.size, last.root, checkpoint.size, checkpoint.root, proof)
    except VerificationError as error:
        raise LogMismatchError(
            f"nothing is signed: the tree of {checkpoint.size} leaves with root {base64_of(checkpoint.root)} does not extend the last one "
            f"that was signed, of {last.size} leaves with root {base64_of(last.root)}: {error}"
        ) from error


def _signed_by(note: bytes, keys: Sequence[SigningKey]) -> bool:
    """Whether exactly these keys signed, so that the note need not be made again."""
    verifiers = [key.verifier for key in keys]
    try:
        signed = open_checkpoint(note, verifiers)
    except VerificationError:
        return False
    return [verified.key for verified in signed.by] == verifiers and len(signed.note.signatures) == len(keys)


def _numbers(folder: Path) -> list[int]:
    """The numbers of all keys that there are or were, rising."""
    if not (folder / _KEYS).is_dir():
        return []
    files = [file for file in (folder / _KEYS).iterdir() if file.suffix in (_SECRET, _PUBLIC)]
    return sorted({int(file.stem) for file in files if file.stem.isdecimal()})


def _private_journal(folder: Path) -> CheckpointJournal:
    path = folder / _SIGNED
    with durable.written_in(folder):
        path.touch(0o600)
    refuse_open(path)
    return CheckpointJournal(path)


def _own_key(path: Path, origin: str) -> SigningKey:
    key = read_key(path)
    if key.name != origin:
        raise SettingsError(f"the signing key {path} is of the log {key.name!r}, not of {origin!r}")
    return key
