"""Whom a verifier trusts: logs, witnesses, and how many of them it takes (C2SP tlog-policy).

    log <vkey> [<url>]
    witness <name> <vkey> [<url>]
    group <name> <k, any or all> <member> …
    quorum <name of a witness or group, or none>

Guarantees: a policy that is accepted means what the specification says, or it is refused with the number of its line. A
checkpoint that passes is signed by a log of the policy, under that log's own origin, and cosigned by a quorum. A policy is
what a verifier brings along; one that comes with the thing to be verified is worth nothing.

A witness whose key is the log's own is not refused, as the specification does not: who writes the policy answers for whom it
trusts.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from domain.errors import VerificationError
from domain.sealing.checkpoint import Checkpoint, open_checkpoint
from domain.sealing.cosignature import Cosignature, CosignerKey, cosignatures_of
from domain.sealing.encoding import checked_bytes
from domain.sealing.note import Note, VerifierKey

NO_QUORUM: Final = b"none"

_OCTETS: Final = re.compile(rb"[\x09\x0a\x20-\x7e\x80-\xff]*")
_THRESHOLD: Final = re.compile(rb"[1-9][0-9]{0,8}")


@dataclass(frozen=True, slots=True)
class TrustedLog:
    """A log whose checkpoints are accepted. `url` is empty where the policy gives none."""

    key: VerifierKey
    url: str = ""


@dataclass(frozen=True, slots=True)
class TrustedWitness:
    """A witness, under the name that the policy gives it; names are octets."""

    name: bytes
    key: CosignerKey
    url: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """Counts as one once `threshold` of its members, witnesses or groups defined before it, do."""

    name: bytes
    threshold: int
    members: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class VerifiedCheckpoint:
    """A checkpoint that a policy accepts, and what the policy's witnesses said of it. Empty: nobody witnessed it."""

    checkpoint: Checkpoint
    note: Note
    cosignatures: tuple[Cosignature, ...]


@dataclass(frozen=True, slots=True)
class Policy:
    """What is trusted. `quorum` is the name of a witness or group, or `NO_QUORUM`."""

    logs: tuple[TrustedLog, ...] = ()
    witnesses: tuple[TrustedWitness, ...] = ()
    groups: tuple[Group, ...] = ()
    quorum: bytes = NO_QUORUM

    @classmethod
    def of_log(cls, *keys: VerifierKey) -> Policy:
        """Trusts a log's keys and asks for no witness."""
        return cls(tuple(TrustedLog(key) for key in keys))

    def is_met_by(self, cosigners: Iterable[CosignerKey]) -> bool:
        """Whether these witnesses together are a quorum. Keys that the policy does not name count for nothing."""
        if self.quorum == NO_QUORUM:
            return True
        present = set(cosigners)
        counted = {witness.name for witness in self.witnesses if witness.key in present}
        for group in self.groups:
            if sum(member in counted for member in group.members) >= group.threshold:
                counted.add(group.name)
        return self.quorum in counted

    def verified(self, note: bytes) -> VerifiedCheckpoint:
        """A signed checkpoint that this policy accepts.

        Raises:
            VerificationError: it is malformed, no log of the policy signed it under its own origin, a signature of a log or
                witness of the policy does not verify, or the witnesses are no quorum.
        """
        signed = open_checkpoint(note, [log.key for log in self.logs])
        cosignatures = cosignatures_of(signed.note, [witness.key for witness in self.witnesses])
        if not self.is_met_by(cosignature.key for cosignature in cosignatures):
            raise VerificationError(
                f"{len(cosignatures)} of {len(self.witnesses)} witnesses cosigned the checkpoint, which is no quorum"
            )
        return VerifiedCheckpoint(signed.checkpoint, signed.note, tuple(cosignatures))


def parse_policy(data: bytes) -> Policy:
    """Reads a policy file.

    Raises:
        VerificationError: a line is not of the format, or contradicts another; the message begins with its number.
    """
    if not _OCTETS.fullmatch(checked_bytes(data, "a policy")):
        raise VerificationError("a policy is text without control characters other than tab and newline")
    if not data.endswith(b"\n"):
        raise VerificationError("the last line of the policy is not ended: it may have been cut short")
    reading = _Reading()
    for number, line in enumerate(data[:-1].split(b"\n"), 1):
        words = [word for word in re.split(rb"[ \t]+", line) if word]
        if not words or words[0].startswith(b"#"):
            continue
        try:
            reading.take(words)
        except VerificationError as error:
            raise VerificationError(f"line {number} of the policy: {error}") from None
    return reading.policy()


@dataclass
class _Reading:
    """A policy as far as it has been read."""

    logs: list[TrustedLog] = field(default_factory=list)
    witnesses: list[TrustedWitness] = field(default_factory=list)
    groups: list[Group] = field(default_factory=list)
    quorum: bytes | None = None
    defined: set[bytes] = field(default_factory=set)
    members: set[bytes] = field(default_factory=set)

    def take(self, words: list[bytes]) -> None:
        kinds: dict[bytes, Callable[[list[bytes]], None]] = {
            b"log": self._log,
            b"witness": self._witness,
            b"group": self._group,
            b"quorum": self._quorum,
        }
        if words[0] not in kinds:
            raise VerificationError("it is neither log, witness, group nor quorum")
        kinds[words[0]](words[1:])

    def policy(self) -> Policy:
        if self.quorum is None:
            raise VerificationError("the policy has no quorum line")
        return Policy(tuple(self.logs), tuple(self.witnesses), tuple(self.groups), self.quorum)

    def _log(self, words: list[bytes]) -> None:
        vkey, url = _key_and_url(words, "log <vkey> [<url>]")
        key = VerifierKey.parse(_decoded(vkey))
        if any(log.key.public == key.public for log in self.logs):
            raise VerificationError("this log's key is listed twice")
        self.logs.append(TrustedLog(key, url))

    def _witness(self, words: list[bytes]) -> None:
        vkey, url = _key_and_url(words[1:], "witness <name> <vkey> [<url>]")
        key = CosignerKey.parse(_decoded(vkey))
        if any(witness.key.public == key.public for witness in self.witnesses):
            raise VerificationError("this witness's key is listed twice")
        self._define(words[0])
        self.witnesses.append(TrustedWitness(words[0], key, url))

    def _group(self, words: list[bytes]) -> None:
        if len(words) < 3:
            raise VerificationError("it is not of the form: group <name> <k, any or all> <member> …")
        name, asked, *members = words
        for member in members:
            self._require_defined(member)
            if member in self.members:
                raise VerificationError(f"{_shown(member)} is a member already, and counts once")
            self.members.add(member)
        self._define(name)
        self.groups.append(Group(name, _threshold(asked, len(members)), tuple(members)))

    def _quorum(self, words: list[bytes]) -> None:
        if len(words) != 1 or self.quorum is not None:
            raise VerificationError("there is one quorum line, and one name in it")
        if words[0] != NO_QUORUM:
            self._require_defined(words[0])
        self.quorum = words[0]

    def _define(self, name: bytes) -> None:
        if name == NO_QUORUM or name in self.defined:
            raise VerificationError(f"{_shown(name)} is defined already")
        self.defined.add(name)

    def _require_defined(self, name: bytes) -> None:
        if name not in self.defined:
            raise VerificationError(f"{_shown(name)} is not defined on a line before")


def _key_and_url(words: list[bytes], form: str) -> tuple[bytes, str]:
    if not 1 <= len(words) <= 2:
        raise VerificationError(f"it is not of the form: {form}")
    return words[0], _decoded(words[1]) if len(words) > 1 else ""


def _threshold(asked: bytes, members: int) -> int:
    if asked == b"any":
        return 1
    if asked == b"all":
        return members
    if not _THRESHOLD.fullmatch(asked) or int(asked) > members:
        raise VerificationError(f"a group of {members} counts by any, all, or a number from 1 to {members}")
    return int(asked)


def _decoded(word: bytes) -> str:
    try:
        return word.decode()
    except UnicodeDecodeError:
        raise VerificationError(f"{_shown(word)} is not UTF-8") from None


def _shown(name: bytes) -> str:
    return name.decode(errors="backslashreplace")
