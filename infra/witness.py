"""An independent witness: one folder with its key, the logs that it knows, and what it cosigned of each.

    witness.skey      its secret, as Go's `golang.org/x/mod/sumdb/note` spells one; readable by its owner only
    logs              the logs that it knows, as lines of a policy (C2SP tlog-policy)
    witnessed.sqlite  every checkpoint that it cosigned

Guarantees: between reading what was cosigned last and having kept the next no other decision falls, in whichever thread or process on
this folder; an answer is given only after what it promises is on the disk. So no two cosignatures of this key contradict each other, also
after a crash. It needs no database and nothing else of a deployment.
"""

from __future__ import annotations

import secrets
from collections import defaultdict
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Final

from domain.errors import InputError, SettingsError, VerificationError
from domain.sealing.checkpoint import Checkpoint
from domain.sealing.cosignature import Cosigner
from domain.sealing.note import KEY_BYTES, SigningKey, VerifierKey, is_key_name
from domain.sealing.policy import TrustedLog, parse_policy
from domain.sealing.witness import Answer, Witness, WitnessedHead
from infra.sealing import durable
from infra.sealing.checkpoints import CheckpointJournal
from infra.sealing.key_files import read_key, refuse_open

_KEY: Final = "witness.skey"
_LOGS: Final = "logs"
_STATE: Final = "witnessed.sqlite"
_NO_LOGS: Final = b"# log <vkey> [<url>]\nquorum none\n"


@dataclass(frozen=True, slots=True)
class WitnessedLog:
    """A log that the witness knows, and the latest that it cosigned of it: `size` is None where that is nothing yet."""

    origin: str
    vkeys: tuple[str, ...]
    url: str
    size: int | None
    root: bytes | None
    at: datetime | None


class WitnessDesk:
    """See the module. Safe to share between threads."""

    def __init__(self, folder: Path, cosigner: Cosigner) -> None:
        self.folder = folder
        self._cosigner = cosigner
        self._journal = CheckpointJournal(folder / _STATE)

    @classmethod
    def create(cls, folder: Path, name: str, seed: bytes | None = None) -> WitnessDesk:
        """Makes a witness with a key of its own. `name` is best a URL without its scheme.

        Raises:
            InputError: no key can bear this name.
            SettingsError: there is a witness already, or was, or the folder is open to others.
            RecordingError: the folder cannot be written.
        """
        if not is_key_name(name):
            raise InputError(
                f"{name!r} cannot name a witness: spaces and plus signs are not possible", field="name", rule="value"
            )
        signer = SigningKey(name, secrets.token_bytes(KEY_BYTES) if seed is None else seed)
        with durable.written_in(folder):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            refuse_open(folder)
            # The memory comes before the key: a folder with a key and without a memory is one that has lost it.
            if CheckpointJournal(folder / _STATE).origins():
                raise SettingsError(
                    f"{folder} remembers cosignatures and has lost the key; it is not used for a new one"
                )
            if not (folder / _LOGS).exists():
                durable.replace(folder, _LOGS, _NO_LOGS)
            _create_once(folder / _KEY, f"{signer.skey}\n".encode())
            durable.sync_folder(str(folder))
        return cls.open(folder)

    @classmethod
    def open(cls, folder: Path) -> WitnessDesk:
        """Opens the witness in a folder.

        Raises:
            SettingsError: there is none, its key is open to others or damaged, or the memory of what it cosigned is missing.
        """
        if not (folder / _KEY).exists():
            raise SettingsError(f"there is no witness in {folder}; `qingling witness init` makes one")
        refuse_open(folder)
        signer = read_key(folder / _KEY)
        if not (folder / _STATE).is_file():
            raise SettingsError(
                f"{folder / _STATE} is missing: a witness that forgot what it cosigned cosigns nothing any more"
            )
        return cls(folder, Cosigner(signer.name, signer.seed))

    @property
    def key_file(self) -> Path:
        """Where the secret lies."""
        return self.folder / _KEY

    @property
    def vkey(self) -> str:
        """The public key, as verifiers and publishers put it into their policies."""
        return self._cosigner.verifier.vkey

    def add_log(self, vkey: str, url: str = "") -> TrustedLog:
        """From now on checkpoints signed by this key are cosigned, by servers that are running too.

        Another key of the same origin stands beside those that are there: a log that changes keys is known by both for a while.

        Raises:
            InputError: it is no key of a log, one that is known, or this witness's own.
        """
        with self._journal.exclusive():
            text = self._policy_text()
            try:
                if VerifierKey.parse(vkey).public == self._cosigner.verifier.public:
                    raise VerificationError("a witness's key cosigns and does nothing else")
                added = parse_policy(text + f"log {vkey} {url}".rstrip(" ").encode() + b"\n").logs[-1]
            except VerificationError as error:
                raise InputError(f"the log is not added: {error}", field="vkey", rule="value") from None
            with durable.written_in(self.folder):
                durable.replace(
                    self.folder, _LOGS, text + f"log {added.key.vkey} {added.url}".rstrip(" ").encode() + b"\n"
                )
        return added

    def add_checkpoint(self, body: bytes, time: int) -> Answer:
        """Decides on a request of a log (C2SP tlog-witness); `time` in POSIX seconds is what a cosignature bears.

        Raises:
            SettingsError: the list of logs cannot be read.
            RecordingError: what would be promised cannot be kept; nothing was.
        """
        witness = Witness(self._keys(), self._cosigner)
        with ExitStack() as held:

            def latest(origin: str) -> WitnessedHead | None:
                # Asked only once the log's signature has been verified: nobody else can make this witness hold its lock.
                held.enter_context(self._journal.exclusive())
                return self._latest(origin)

            answer = witness.add_checkpoint(body, latest, time)
            if answer.head is not None:
                self._keep(answer.origin, answer.head)
        return answer

    def checkpoint(self, log: str) -> bytes | None:
        """The latest cosigned checkpoint of the log whose origin has this SHA-256 in hexadecimal; None where there is none."""
        for origin in self._keys():
            if sha256(origin.encode()).hexdigest() == log:
                head = self._latest(origin)
                return None if head is None else head.note
        return None

    def logs(self) -> list[WitnessedLog]:
        """Every log that is known, by origin, in the order of being added."""
        urls = {log.key.name: log.url for log in self._trusted() if log.url}
        return [self._witnessed(origin, keys, urls.get(origin, "")) for origin, keys in self._keys().items()]

    def _witnessed(self, origin: str, keys: list[VerifierKey], url: str) -> WitnessedLog:
        vkeys = tuple(key.vkey for key in keys)
        kept = self._journal.latest(origin)
        if kept is None:
            return WitnessedLog(origin, vkeys, url, None, None, None)
        return WitnessedLog(origin, vkeys, url, kept.size, kept.root, kept.kept_at)

    def _latest(self, origin: str) -> WitnessedHead | None:
        kept = self._journal.latest(origin)
        return None if kept is None else WitnessedHead(kept.size, kept.root, kept.note)

    def _keep(self, origin: str, head: WitnessedHead) -> None:
        """A head that is kept already is not kept again, or anybody could fill the disk with a checkpoint that was published."""
        known = self._latest(origin)
        if known is None or known.size != head.size:
            self._journal.add(Checkpoint(origin, head.size, head.root), head.note)

    def _keys(self) -> dict[str, list[VerifierKey]]:
        keys: defaultdict[str, list[VerifierKey]] = defaultdict(list)
        for log in self._trusted():
            keys[log.key.name].append(log.key)
        return dict(keys)

    def _trusted(self) -> tuple[TrustedLog, ...]:
        try:
            return parse_policy(self._policy_text()).logs
        except VerificationError as error:
            raise SettingsError(f"the list of logs {self.folder / _LOGS} is not used: {error}") from None

    def _policy_text(self) -> bytes:
        try:
            return (self.folder / _LOGS).read_bytes()
        except OSError as error:
            raise SettingsError(f"the list of logs {error.filename} cannot be read: {error.strerror}") from error


def _create_once(key: Path, secret: bytes) -> None:
    """A crash leaves the whole key or none; a key that is there stays what it was."""
    waiting = key.with_suffix(".new")
    waiting.unlink(missing_ok=True)
    durable.create(str(waiting), secret, 0o600)
    try:
        key.hardlink_to(waiting)
    except FileExistsError:
        raise SettingsError(f"there is a witness in {key.parent} already; its key is never overwritten") from None
    finally:
        waiting.unlink()
