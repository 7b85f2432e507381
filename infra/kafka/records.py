"""The records of the topic: what an entry is there, and the watermarks between them. Pure.

An entry's record bears its bytes unchanged as the value (a CloudEvents 1.0 event in structured mode, Kafka protocol binding section 3.3),
its partition key as the key, and its position in a header. A *watermark* has no key; it says of its partition that every entry up to a
position that belongs there stands before it, and bears the log's origin and the topic's number of partitions. The first record of
every partition is a watermark of position 0, so whoever reads a partition from its beginning knows whose it is.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Final, NamedTuple

import orjson

from domain.canonical import canonical_bytes
from domain.errors import LogMismatchError

CONTENT_TYPE: Final = "application/cloudevents+json"
POSITION: Final = "qingling-position"
WATERMARK: Final = "qingling-watermark"
OFFICE: Final = ".office"
"""Behind the topic's name: the topic of entries that only the office sees. It is no general one; give it rights of its own."""

Headers = Sequence[tuple[str, bytes]]


def partition_of(key: str, partitions: int) -> int:
    """The partition of a partition key: crc32 mod their number, as ledgers shard their sums."""
    return zlib.crc32(key.encode()) % partitions


def entry_headers(position: int) -> list[tuple[str, bytes]]:
    """The headers of an entry's record."""
    return [("content-type", CONTENT_TYPE.encode()), (POSITION, str(position).encode())]


class Watermark(NamedTuple):
    """All up to a position that belongs to this partition stands before it."""

    origin: str
    partitions: int
    upto: int

    @property
    def value(self) -> bytes:
        """The record's value: canonical JSON."""
        return canonical_bytes({"origin": self.origin, "partitions": self.partitions, "upto": self.upto})

    @property
    def headers(self) -> list[tuple[str, bytes]]:
        """The record's headers."""
        return [("content-type", b"application/json"), (WATERMARK, str(self.upto).encode())]


def position_in(headers: Headers) -> int | None:
    """The position of an entry's record; None of another one."""
    found = next((value for name, value in headers if name == POSITION), None)
    return int(found) if found is not None and found.isdigit() else None


def watermark_in(headers: Headers, value: bytes | None) -> Watermark | None:
    """The watermark that a record is; None of another one.

    Raises:
        LogMismatchError: it says that it is one, and cannot be read.
    """
    if not any(name == WATERMARK for name, _ in headers):
        return None
    try:
        said = orjson.loads(value or b"")
        return Watermark(str(said["origin"]), int(said["partitions"]), int(said["upto"]))
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError) as error:
        raise LogMismatchError(f"a watermark of the topic cannot be read: {error}") from error
