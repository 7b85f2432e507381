"""The provable log of a platform: what stands in it, what proves it, and the acts that keep it so.

Guarantees: no proof leaves that was not checked first, and none says more than a published checkpoint does. Who only reads
needs neither the signer nor the lock. A log without a key says so wherever one is needed.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime

from domain.errors import LogMismatchError, NotFoundError, NotReadyError, SettingsError, VerificationError
from domain.sealing.checkpoint import Checkpoint, open_checkpoint, parse_checkpoint
from domain.sealing.note import VerifierKey, parse_note
from domain.sealing.policy import NO_QUORUM, Policy, TrustedLog
from domain.sealing.proof_file import ProofFile
from domain.sealing.receipt import Receipt, parse_receipt
from domain.sealing.state import State, state_of
from domain.sealing.tiles import HEIGHT, WIDTH, Bundle, Tile, parse_path
from domain.sealing.tree import leaf_hash
from infra.postgres.recorder import PostgresLog
from infra.sealing.own_stream import OwnStream
from infra.sealing.publisher import Publisher, read_policy
from infra.sealing.rounds import Rounds, rounds
from infra.sealing.service import SealingService
from infra.sealing.signer import Signer
from infra.sealing.standing import Bound, Commitment, Folders, SealingStatus, Served, Sizes
from infra.sealing.store import TileStore
from infra.sealing.tree import SealedTree
from infra.sealing.wholeness import commitment
from infra.sealing.witness_client import WitnessClient

PATIENCE = 60.0
"""Seconds that an act waits for what it builds on to be sealed."""
_POLL = 0.1
_STOPPED = "stopped"  # file in the folder of the log: why sealing stopped, for every process to see
_NO_KEY = "this log has no signing key yet; `qingling log rotate-key` makes the first one"


class ProvableLog:
    """See the module. Safe to share between threads."""

    def __init__(
        self,
        log: PostgresLog,
        own: OwnStream,
        folders: Folders,
        *,
        origin: str,
        interval: float,
    ) -> None:
        """`interval`: seconds between two checkpoints at the least. `own` is where the log records what it says of itself."""
        self.folders = folders
        self.origin = origin
        self.store = TileStore(folders.log)
        self._log = log
        self._own = own
        self._policy = Policy() if folders.policy is None else read_policy(folders.policy)
        self._keys = self._own.keys()
        self._checked: tuple[bytes, int] | None = None
        self._publisher: Publisher | None = None
        self._published_under: tuple[VerifierKey, ...] = ()
        self._changing = threading.Lock()
        self._service = SealingService(
            log,
            self._rounds,
            interval=interval,
            on_state=self._write_down,
            commit_if_due=self._commit_if_due,
        )

    # Running

    def start(self) -> None:
        """Seals and publishes in the background from now on."""
        self._service.start()

    def stop(self) -> None:
        """Ends what `start` began, and asks no witness any more."""
        self._service.stop()
        if self._publisher is not None:
            self._publisher.close()

    @contextmanager
    def _rounds(self) -> Iterator[Rounds]:
        signer = self.signer()
        with rounds(self._log, self.store, signer, self._current_publisher(), self._published) as under_way:
            yield under_way

    def _current_publisher(self) -> Publisher:
        """One for the life of this object, since it remembers what each witness has; a new one when the keys have changed."""
        with self._changing:
            publisher = self._publisher
            if publisher is None or self._published_under != self._keys:
                if publisher is not None:
                    publisher.close()
                publisher = Publisher(self.store, self.policy(), WitnessClient())
                self._publisher, self._published_under = publisher, self._keys
            return publisher

    def _write_down(self, error: Exception | None) -> None:
        """For every process to see: why sealing stopped. Nothing is recorded any more on a log that contradicts its tree."""
        file = self.folders.log / _STOPPED
        if error is None:
            file.unlink(missing_ok=True)
            return
        if isinstance(error, LogMismatchError):
            self._log.stop(error)
        if self.folders.log.is_dir():
            file.write_text(f"{error}\n", "utf-8")

    def check_end(self) -> None:
        """Stops recording in this process where the log ends before what was sealed or signed of it, or ends otherwise.

        So a database that was restored from an older copy does not go on as if nothing had been promised. Reading goes on, and so
        does whatever finds out what happened.
        """
        try:
            why = self._broken_promise()
        except (LogMismatchError, VerificationError, NotFoundError) as error:
            why = (
                f"the tree in {self.folders.log} cannot be held against the log: {error}; `qingling log fsck` says more"
            )
        if why is not None:
            self._log.stop(LogMismatchError(f"{why}. Nothing is recorded until that is mended"))

    def _broken_promise(self) -> str | None:
        """How the end of the log contradicts what was sealed of it; None where it does not."""
        sealed = _size(self.store.head())
        promised = max(sealed, _size_of(self.store.published()), self._signed_size())
        ends = self._log.head().position
        if ends < promised:
            return (
                f"the log ends at position {ends}, and {promised} entries of it were sealed: the database is an older copy."
                " `qingling log recover` brings back what is missing"
            )
        if sealed and leaf_hash(self._log.entries(sealed - 1, 1)[0]) != self.tree().leaf(sealed - 1):
            return (
                f"the event recorded at position {sealed} is not the one that was sealed; `qingling log fsck` says more"
            )
        return None

    def _signed_size(self) -> int:
        """What the signer remembers, as far as this process may read it."""
        try:
            return _size(self.signer().last())
        except (NotReadyError, SettingsError):
            return 0

    def signer(self) -> Signer:
        """The signer of this log.

        Raises:
            NotReadyError: no key was ever made.
            SettingsError: the key was made, but is not where the settings say, or can be read by others.
        """
        self._keys = self._keys or self._own.keys()
        if not self._keys:
            raise NotReadyError(_NO_KEY)
        return Signer.open(self.folders.signer, self.origin)

    def policy(self) -> Policy:
        """Whom this log's own proofs are checked against: its announced keys, and the deployment's witnesses."""
        return replace(self._policy, logs=tuple(TrustedLog(key) for key in self._keys))

    # What stands

    def sizes(self) -> Sizes:
        """How far each state reaches."""
        sealed = self.store.head()
        return Sizes(self._log.head().position, 0 if sealed is None else sealed.size, self._published())

    def _published(self) -> int:
        """How many leaves the published checkpoint has, where it bears what the policy asks for; 0 where it does not (yet).

        So where witnesses are named for a log that had none, its last checkpoint is cosigned before anything counts as published.
        """
        note = self.store.published()
        return 0 if note is None else self._counted(note)

    def _counted(self, note: bytes) -> int:
        """The same of one checkpoint, which is verified once."""
        checked = self._checked
        if checked is None or checked[0] != note:
            try:
                size = self._own_policy(note).verified(note).checkpoint.size
            except VerificationError:
                size = 0
            self._checked = checked = note, size
        return checked[1]

    def state_of(self, position: int) -> State:
        """The state of a recorded event."""
        sizes = self.sizes()
        return state_of(position, sizes.sealed, sizes.published)

    def status(self) -> SealingStatus:
        """How the provable log stands."""
        sizes, note, retired = self.sizes(), self.store.published(), self._own.retired()
        sealed = self.store.head()
        return SealingStatus(
            origin=self.origin,
            vkeys=[key.vkey for key in self._keys if key.vkey not in retired],
            witnessed=self._policy.quorum != NO_QUORUM,
            quorum=self._policy.quorum.decode(errors="backslashreplace"),
            recorded=sizes.recorded,
            sealed=sizes.sealed,
            published=sizes.published,
            root=None if sealed is None else sealed.root,
            note=note,
            published_at=self._published_at(),
            witnesses=self._current_publisher().statuses(),
            running=self._service.running,
            stopped=self._stopped(),
            trouble=self._service.trouble,
            committed=self.committed(),
            folder=self.folders.log,
            signer=self.folders.signer,
        )

    def _published_at(self) -> datetime | None:
        latest = self.store.history().latest(self.origin) if self.store.exists() else None
        return None if latest is None else latest.kept_at

    def _stopped(self) -> str | None:
        if self._service.stopped is not None:
            return self._service.stopped
        file = self.folders.log / _STOPPED
        return file.read_text("utf-8").strip() if file.is_file() else None

    def committed(self) -> Commitment | None:
        """The latest commitment to the wholeness maps, if there is any."""
        return self._own.committed()

    # What proves

    def checkpoint(self) -> bytes:
        """The published checkpoint with its cosignatures.

        Raises:
            NotReadyError: none was published yet.
        """
        note = self.store.published()
        if note is None:
            raise NotReadyError("no checkpoint of this log was published yet" if self._keys else _NO_KEY)
        return note

    def checkpoint_at(self, size: int) -> bytes:
        """The checkpoint of a size as it was published, or else as it was signed and never published.

        Raises:
            NotFoundError: none of this size was signed.
        """
        kept = self.store.history().at(self.origin, size) if self.store.exists() else None
        kept = kept or self.signer().history().at(self.origin, size)
        if kept is None:
            raise NotFoundError(f"no checkpoint of {size} leaves was signed")
        return kept.note

    def served(self, path: str) -> Served:
        """The file at a path of C2SP tlog-tiles.

        Raises:
            NotFoundError: the path names nothing, or nothing that a published tree has.
        """
        named = parse_path(path)
        data = self.store.read(named)
        if not _is_published(named, _size_of(self.store.published())):
            raise NotFoundError(f"{path} belongs to no published checkpoint yet")
        return Served(data, named if isinstance(named, Bundle) else None)

    def tree(self) -> SealedTree:
        """The tree as it stands."""
        return SealedTree(self.store)

    def proof(self, position: int) -> ProofFile:
        """The proof of an event under the published checkpoint; its extra data is the receipt.

        Raises:
            NotReadyError: it is not published yet.
            NotFoundError: nothing is recorded there.
            VerificationError: what is recorded is not what was sealed; or the tree contradicts its checkpoint.
        """
        note = self.checkpoint()
        if position > self._log.head().position:
            raise NotFoundError(f"the log has no position {position}")
        published = self._counted(note)  # of this one: another may be published meanwhile
        if position > published:
            raise NotReadyError(
                f"position {position} is not published yet; the published checkpoint reaches {published}",
                position=published,
            )
        stored = self._log.read(position - 1, 1) if position >= 1 else []
        if not stored or stored[0].position != position:
            raise NotFoundError(f"the log has no position {position}")
        leaf = leaf_hash(stored[0].entry)
        tree = self.tree()
        if tree.leaf(position - 1) != leaf:
            raise VerificationError(
                f"the event recorded at position {position} is not the one that was sealed; `qingling log fsck` says more"
            )
        receipt = Receipt(self.origin, position, leaf)
        path = tuple(tree.inclusion(position - 1, published))
        proof = ProofFile(position - 1, path, note, receipt.text.encode())
        receipt.verified(proof, self._own_policy(note))
        return proof

    def receipt(self, position: int) -> Receipt:
        """The receipt of a published event.

        Raises:
            NotReadyError, NotFoundError, VerificationError: as `proof`.
        """
        return parse_receipt(self.proof(position).extra)

    def consistency(self, old: int, new: int) -> list[bytes]:
        """The proof that the tree of `new` leaves begins with that of `old`.

        Raises:
            NotFoundError: they are no sizes of one published tree.
        """
        if not 0 < old <= new <= _size_of(self.store.published()):
            raise NotFoundError(f"there are no published trees of {old} and {new} leaves, in this order")
        return self.tree().consistency(old, new)

    def _own_policy(self, note: bytes) -> Policy:
        """The deployment's policy; read again where a key was announced by another process meanwhile."""
        try:
            open_checkpoint(note, self._keys)
        except VerificationError:
            self._keys = self._own.keys()
        return self.policy()

    # What acts

    def wait_published(self, position: int, timeout: float) -> None:
        """Waits until an event is published, by whoever publishes.

        Raises:
            NotReadyError: it is not after `timeout` seconds, or sealing has stopped.
        """
        self._wait(lambda: self._published() >= position, timeout, f"position {position} is not published yet")

    def publish(self, timeout: float = PATIENCE) -> bytes:
        """Has everything that is recorded now sealed and published, by this process or the one that does so already; the checkpoint.

        Raises:
            NotReadyError: it is not after `timeout` seconds; sealing has stopped; there is no key.
            LogMismatchError, VerificationError, SettingsError: as a round.
        """
        self._advance(self._log.head().position, timeout, self._published)
        return self.checkpoint()

    def seal(self, timeout: float = PATIENCE) -> int:
        """Has everything that is recorded now sealed; the size of the tree. Needs no quorum.

        Raises:
            NotReadyError, LogMismatchError, VerificationError, SettingsError: as `publish`.
        """
        self._advance(self._log.head().position, timeout, lambda: _size(self.store.head()))
        return _size(self.store.head())

    def _advance(self, target: int, timeout: float, reached: Callable[[], int]) -> None:
        deadline = time.monotonic() + timeout
        why: Exception = NotReadyError("nobody seals this log just now")
        while reached() < target:
            if self._service.running:
                self._wait(lambda: reached() >= target, deadline - time.monotonic(), "the log is not sealed so far yet")
                return
            try:
                with self._rounds() as under_way:
                    under_way.run()
                    self._write_down(None)
            except LogMismatchError as error:
                self._write_down(error)
                raise
            except NotReadyError as error:
                why = error
            if reached() < target:
                if not self._keys or time.monotonic() > deadline:
                    raise why
                time.sleep(_POLL)

    def _wait(self, is_reached: Callable[[], bool], timeout: float, otherwise: str) -> None:
        deadline = time.monotonic() + timeout
        while not is_reached():
            stopped, trouble = self._stopped(), self._service.trouble
            if stopped is not None:
                raise NotReadyError(f"sealing has stopped: {stopped}")
            if time.monotonic() > deadline:
                raise NotReadyError(otherwise + (f": {trouble}" if trouble else ""))
            time.sleep(min(_POLL, max(0.0, deadline - time.monotonic()) or 0.01))

    def bind(self, actor: str, *, upto: int | None = None) -> Bound:
        """Records the heads of the wholeness maps as of a position (None: now) as an event; the maps, for proofs.

        Raises:
            NotReadyError, LogMismatchError, VerificationError: as `seal`.
            RuleError: an earlier commitment reaches further.
        """
        end = self._log.head().position if upto is None else upto
        self.seal()
        streams, partitions = commitment(self._log, self.tree(), end)
        return Bound(self._own.bind(end, streams.head, partitions.head, actor), end, streams, partitions)

    def commit_wholeness(self, actor: str) -> int:
        """Binds the log to every history as of now; the position of the event.

        Raises:
            NotReadyError, LogMismatchError, VerificationError: as `seal`.
        """
        return self.bind(actor).position

    def _commit_if_due(self) -> None:
        if self._own.is_binding_due():
            self.commit_wholeness("system")

    def rotate_key(self, reason: str | None, actor: str) -> tuple[str | None, str]:
        """Makes another key and announces it in the log; from then on all keys sign. On a log without a key: the first one.

        Returns the vkey that the new one will succeed, and the new one.

        A key that a rotation cut short left unannounced is announced instead of making another.

        Raises:
            SettingsError: the signer's folder is not where the settings say, or belongs to another log.
        """
        before = self._keys[-1].vkey if self._keys else None
        if not self._keys and Signer.origin_of(self.folders.signer) is None:
            signer = Signer.create(self.folders.signer, self.origin)
        else:
            signer = Signer.open(self.folders.signer, self.origin)
        waiting = [key for key in signer.verifiers if key not in self._keys]
        key = waiting[0] if waiting else signer.add_key()[1]
        self._own.announce(key.vkey, reason, actor)
        self._keys = self._own.keys()
        return before, key.vkey

    def retire_key(self, vkey: str, reason: str | None, actor: str) -> None:
        """A key signs no more: the log says so, then its secret is taken away. Again, it finishes what was cut short.

        Raises:
            RuleError: the log never announced it, or it is the last one that signs.
            SettingsError: the signer's folder is not where the settings say.
        """
        signer = self.signer()
        self._own.retire(vkey, reason, actor)
        if vkey in {key.vkey for key in signer.verifiers}:
            signer.retire(vkey)


def _size_of(note: bytes | None) -> int:
    return 0 if note is None else parse_checkpoint(parse_note(note).text).size


def _size(head: Checkpoint | None) -> int:
    return 0 if head is None else head.size


def _is_published(named: Tile | Bundle, size: int) -> bool:
    """Whether a tree of `size` leaves has all that a tile or bundle holds."""
    hashes = size if isinstance(named, Bundle) else size >> HEIGHT * named.level
    return named.index * WIDTH + named.width <= hashes
