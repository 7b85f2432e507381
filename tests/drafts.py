"""Drafts for tests of the log: small, but with what `fsck` and the genesis check look at."""

from __future__ import annotations

from domain.canonical import canonical_bytes
from domain.recording import TIME_PLACEHOLDER, Batch, CommandKey, Draft, time_offset


def a_draft(
    stream: str, version: int = 1, *, partitionkey: str = "", type_: str = "test.happened.v1", **data: object
) -> Draft:
    """A draft whose entry says the same as its columns."""
    entry = canonical_bytes(
        {
            "data": data,
            "id": f"{stream}/{version}",
            "partitionkey": partitionkey or stream,
            "subject": stream,
            "time": TIME_PLACEHOLDER,
            "type": type_,
            "version": version,
        }
    )
    return Draft(stream, version, type_, partitionkey or stream, entry, time_offset(entry))


def a_batch(stream: str, *versions: int, key: str = "", digest: bytes = b"request") -> Batch:
    """A batch on one stream; repeatable when it has a key."""
    command = CommandKey("officer-1", key, digest) if key else None
    return Batch([a_draft(stream, version) for version in versions or (1,)], command)


def a_genesis(kind: str) -> Batch:
    """The first batch of a log of that kind."""
    return Batch([a_draft("log", kind=kind)])
