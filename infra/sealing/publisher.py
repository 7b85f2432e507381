"""Publishes a signed checkpoint once the witnesses of the deployment's policy have cosigned it.

Guarantees: nothing is published without the policy's quorum. All witnesses are asked at once, one request to each at a time, from the
size that each is known to have; one that does not answer hinders nobody while the others are a quorum. A witness that has cosigned
another history of this log than the one here, or a longer one, is never outvoted: it is what shows a second signer or a rewritten
log, and publishing is refused until that witness cosigns again or is taken out of the policy by somebody who answers for that.

One thread publishes; `statuses` may be read from any.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple, Protocol

from domain.errors import NotReadyError, SettingsError, VerificationError
from domain.sealing.checkpoint import Checkpoint, open_checkpoint, parse_checkpoint
from domain.sealing.cosignature import Cosignature, CosignerKey, cosignatures_of, with_lines
from domain.sealing.encoding import base64_of
from domain.sealing.note import VerifierKey, parse_note
from domain.sealing.policy import Policy, TrustedWitness, parse_policy
from domain.sealing.submission import SIZE_TYPE, accepted_cosignatures, parse_size, print_submission
from domain.sealing.witness import COSIGNED, INCONSISTENT, OTHER_SIZE
from infra.sealing.witness_client import Exchange, Reply, is_address, monitoring_url, submission_url

_ATTEMPTS: Final = 2
"""The size that a witness is remembered to have, and once more from the one that it names."""


class PublishedNotes(Protocol):
    """Where the published checkpoint lies: `infra.sealing.store.TileStore`."""

    def published(self) -> bytes | None:
        """The published note; None where there is none yet."""

    def publish(self, note: bytes) -> None:
        """Makes this the published note, durably."""


class ConsistentTree(Protocol):
    """The tree behind the checkpoint: `infra.sealing.tree.SealedTree`."""

    @property
    def size(self) -> int:
        """How many leaves it has."""

    def consistency(self, old: int, new: int) -> Sequence[bytes]:
        """The proof that its first `new` leaves begin with its first `old`; both at least 1."""


@dataclass(frozen=True, slots=True)
class Deadlines:
    """In seconds: how long a quorum is waited for, and how long the rest of the witnesses once it is there."""

    quorum: float = 5.0
    beyond: float = 0.1


class WitnessStatus(NamedTuple):
    """What is known of a witness: the largest size that it `cosigned`, when (`at`, by its own clock), and why not lately (`trouble`)."""

    name: str
    vkey: str
    url: str
    cosigned: int | None
    at: datetime | None
    trouble: str | None


def read_policy(file: Path) -> Policy:
    """The policy of who must cosign (C2SP tlog-policy).

    Raises:
        SettingsError: it cannot be read, a URL is none of HTTP, or no quorum can be had: a witness without URL cannot be asked.
    """
    try:
        policy = parse_policy(file.read_bytes())
    except OSError as error:
        raise SettingsError(f"the policy {file} cannot be read: {error.strerror}") from error
    except VerificationError as error:
        raise SettingsError(f"the policy {file} is not used: {error}") from error
    for witness in policy.witnesses:
        if witness.url and not is_address(witness.url):
            raise SettingsError(f"the policy {file} is not used: {witness.url!r} is no address of HTTP or HTTPS")
    if not policy.is_met_by(witness.key for witness in policy.witnesses if witness.url):
        raise SettingsError(f"the policy {file} is not used: its quorum needs witnesses whose lines give no URL")
    return policy


class Publisher:
    """See the module. `exchange` sends one request to a witness: `infra.sealing.witness_client.WitnessClient`."""

    def __init__(
        self,
        store: PublishedNotes,
        policy: Policy,
        exchange: Exchange,
        deadlines: Deadlines = Deadlines(),
    ) -> None:
        self._store = store
        self._policy = policy
        self._exchange = exchange
        self._deadlines = deadlines
        self._threads = ThreadPoolExecutor(max(1, len(policy.witnesses)), thread_name_prefix="witness")
        keys = [log.key for log in policy.logs]
        before = _cosigned_before(store.published(), policy)
        self._peers = [
            _Peer(witness, keys, exchange, self._threads, before.get(witness.key, _Known()))
            for witness in policy.witnesses
            if witness.url
        ]

    def publish(self, note: bytes, tree: ConsistentTree) -> bytes:
        """Has a signed checkpoint of `tree` cosigned and publishes it; returns the note with the cosignatures that came in time.

        Raises:
            NotReadyError: no quorum yet; the message says of every witness why.
            VerificationError: a witness has cosigned what contradicts this tree.
        """
        submission = _Submission(note, tree)
        self._collect(submission)
        accusations = [peer.known.trouble for peer in self._peers if peer.known.contradicts]
        if accusations:
            raise VerificationError("; ".join(str(accusation) for accusation in accusations))
        if not self._is_met(submission):
            raise NotReadyError(self._shortfall(submission), position=submission.head.size)
        lines = [peer.known.line for peer in self._peers if peer.has_cosigned(submission)]
        cosigned = with_lines(parse_note(note), lines)
        self._store.publish(cosigned)
        return cosigned

    def statuses(self) -> tuple[WitnessStatus, ...]:
        """What is known of each witness of the policy, in its order."""
        known = {peer.witness.key: peer.known for peer in self._peers}
        return tuple(_status(witness, known.get(witness.key, _UNASKED)) for witness in self._policy.witnesses)

    def close(self) -> None:
        """Asks nobody any more. Requests that are on their way end by themselves."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._exchange.close()

    def _collect(self, submission: _Submission) -> None:
        """Asks every witness; returns when all have answered, or a quorum has and the others were waited for long enough."""
        began = time.monotonic()
        until, enough = began + self._deadlines.quorum, False
        while True:
            for peer in self._peers:
                peer.ask(submission)
            if not enough and self._is_met(submission):
                enough, until = True, min(until, time.monotonic() + self._deadlines.beyond)
            waited_for = [peer.request for peer in self._peers if peer.is_worth_waiting(enough)]
            left = until - time.monotonic()
            if left <= 0 or not waited_for:
                return
            wait([request for request in waited_for if request is not None], left, FIRST_COMPLETED)

    def _is_met(self, submission: _Submission) -> bool:
        return self._policy.is_met_by(peer.witness.key for peer in self._peers if peer.has_cosigned(submission))

    def _shortfall(self, submission: _Submission) -> str:
        said = [
            f"{_name(peer.witness)}: {'cosigned' if peer.has_cosigned(submission) else peer.known.trouble or 'no answer yet'}"
            for peer in self._peers
        ]
        quorum = self._policy.quorum.decode(errors="backslashreplace")
        return f"the checkpoint of size {submission.head.size} has no quorum ({quorum}) of witnesses yet — {'; '.join(said)}"


class _Submission:
    """A checkpoint to be cosigned, and proofs that it extends what witnesses have. The tree is read by one thread at a time."""

    def __init__(self, note: bytes, tree: ConsistentTree) -> None:
        self.note = note
        self.text = parse_note(note).text
        self.head: Checkpoint = parse_checkpoint(self.text)
        self.tree_size = tree.size
        self._tree = tree
        self._proofs: dict[int, Sequence[bytes]] = {}
        self._reading = threading.Lock()

    def body_from(self, old: int) -> bytes:
        """The request to a witness that has cosigned `old` leaves."""
        with self._reading:
            if old not in self._proofs:
                grown = 0 < old < self.head.size
                self._proofs[old] = self._tree.consistency(old, self.head.size) if grown else ()
            return print_submission(old, self._proofs[old], self.note)


@dataclass(frozen=True, slots=True)
class _Known:
    """What is known of a witness. `text` and `line`: the checkpoint that it cosigned last, and how."""

    size: int | None = None
    at: datetime | None = None
    text: str = ""
    line: str = ""
    trouble: str | None = None
    contradicts: bool = False


_UNASKED: Final = _Known(trouble="its line in the policy gives no URL")


@dataclass(slots=True)
class _Peer:
    """One witness, and the one request to it that may be on its way. Only that request's thread writes `known`."""

    witness: TrustedWitness
    log_keys: Sequence[VerifierKey]
    exchange: Exchange
    threads: ThreadPoolExecutor
    known: _Known
    request: Future[None] | None = field(default=None)
    asked: _Submission | None = field(default=None)

    def has_cosigned(self, submission: _Submission) -> bool:
        return self.known.text == submission.text

    def is_worth_waiting(self, enough: bool) -> bool:
        """Whether its answer is waited for: where a quorum is there already, only one that is well, or that contradicts us."""
        return self.request is not None and (not enough or self.known.trouble is None or self.known.contradicts)

    def ask(self, submission: _Submission) -> None:
        """Sends the checkpoint unless it was sent already, or an earlier one is still on its way.

        Raises what went wrong here, not at the witness, while an earlier one was sent.
        """
        if self.request is not None:
            if not self.request.done():
                return
            request, self.request = self.request, None
            request.result()
        if self.asked is not submission and not self.has_cosigned(submission):
            self.asked = submission
            self.request = self.threads.submit(self._submit, submission)

    def _submit(self, submission: _Submission) -> None:
        old = self.known.size or 0
        if old > submission.head.size:
            old = 0  # it will say itself where it is
        for attempt in range(_ATTEMPTS):
            body = submission.body_from(old)
            try:
                reply = self.exchange("POST", submission_url(self.witness.url), body)
                verdict = self._verdict(submission, old, reply)
            except (NotReadyError, VerificationError) as error:
                self._in_trouble(str(error))
                return
            if verdict is None:
                return
            old = verdict
            if attempt + 1 == _ATTEMPTS:
                self._in_trouble(f"it said once more that it is elsewhere, now at size {old}")

    def _verdict(self, submission: _Submission, old: int, reply: Reply) -> int | None:
        """Takes an answer in. Returns the size to ask again from, or None when there is nothing more to ask.

        Raises:
            VerificationError: the answer is malformed, or not by this witness.
        """
        size = submission.head.size
        if reply.status == COSIGNED:
            self._cosigned(submission, accepted_cosignatures(submission.note, reply.body, [self.witness.key]))
        elif reply.status == OTHER_SIZE and reply.content_type.partition(";")[0].strip() == SIZE_TYPE:
            return self._elsewhere(submission, old, parse_size(reply.body))
        elif old > 0 and (reply.status == INCONSISTENT or (reply.status == OTHER_SIZE and old == size)):
            # 409 for a different root at the same size was the answer in earlier editions of the protocol. From nothing every tree
            # follows: who refuses that contradicts nobody.
            self._contradicted(
                submission,
                f"the witness {_name(self.witness)} refuses the checkpoint of size {size}: the {old} leaves that it has cosigned "
                f"are not the first {old} of this tree",
            )
        else:
            self._in_trouble(f"it answered {reply.status}: {_first_line(reply.body)}")
        return None

    def _elsewhere(self, submission: _Submission, old: int, theirs: int) -> int | None:
        size = submission.head.size
        if theirs > submission.tree_size:
            self._contradicted(
                submission,
                f"the witness {_name(self.witness)} has cosigned {theirs} leaves of this log, and the tree here has only "
                f"{submission.tree_size}",
            )
        elif theirs > size:
            self._in_trouble(f"it has cosigned {theirs} leaves already; the next checkpoint will have as many")
        elif theirs == old == size:
            return self._verdict(submission, old, Reply(INCONSISTENT, "", b""))
        elif theirs == old:
            self._in_trouble(f"it names size {old} and refuses what begins there")
        else:
            return theirs
        return None

    def _cosigned(self, submission: _Submission, cosignatures: Iterable[Cosignature]) -> None:
        for cosignature in cosignatures:
            self.known = _known(submission.head.size, submission.text, cosignature)

    def _in_trouble(self, reason: str) -> None:
        """An accusation stands until the witness cosigns again: that it could not be reached since takes nothing back."""
        if not self.known.contradicts:
            self.known = replace(self.known, trouble=reason)

    def _contradicted(self, submission: _Submission, finding: str) -> None:
        shown = self._evidence(submission.head.origin)
        self.known = replace(
            self.known,
            contradicts=True,
            trouble=f"{finding}. Either this log's history was rewritten, or a second signer uses its key. {shown}",
        )

    def _evidence(self, origin: str) -> str:
        """What the witness shows to monitors: a checkpoint with this log's own signature, where the policy names the log's key."""
        url = monitoring_url(self.witness.url, origin)
        try:
            reply = self.exchange("GET", url, None)
            if reply.status != COSIGNED:
                return f"It shows no checkpoint at {url} ({reply.status})."
            head = open_checkpoint(reply.body, self.log_keys).checkpoint
        except (NotReadyError, VerificationError) as error:
            return f"What it shows at {url} proves nothing: {error}."
        return f"At {url} it shows a checkpoint of size {head.size} and root {base64_of(head.root)} that this log's key signed."


def _known(size: int, text: str, cosignature: Cosignature) -> _Known:
    return _Known(size, _instant(cosignature.time), text, cosignature.line)


def _cosigned_before(note: bytes | None, policy: Policy) -> dict[CosignerKey, _Known]:
    """What the published checkpoint says of the witnesses, so that after a restart the first question is the right one."""
    if note is None:
        return {}
    published = parse_note(note)
    size = parse_checkpoint(published.text).size
    cosignatures = cosignatures_of(published, [witness.key for witness in policy.witnesses])
    return {each.key: _known(size, published.text, each) for each in cosignatures}


def _status(witness: TrustedWitness, known: _Known) -> WitnessStatus:
    return WitnessStatus(_name(witness), witness.key.vkey, witness.url, known.size, known.at, known.trouble)


def _name(witness: TrustedWitness) -> str:
    return witness.name.decode(errors="backslashreplace")


def _instant(seconds: int) -> datetime | None:
    """A witness's clock may say anything; what no calendar has is not shown."""
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _first_line(body: bytes) -> str:
    """For people: the beginning of an answer, without what could act on a terminal."""
    line = body.decode(errors="replace").strip().partition("\n")[0][:200]
    return "".join(character if character.isprintable() else " " for character in line) or "nothing more"
