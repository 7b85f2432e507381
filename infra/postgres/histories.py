"""The log's index of streams and of partition keys: for each name the positions of its entries, without the entries.

Guarantees: the server groups and sorts, and what it answers is spooled to a temporary file, the name and 8 bytes an entry. So
memory stays flat, and the session is given back before the first history is looked at.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from mmap import ACCESS_READ, mmap
from typing import IO, Final

from psycopg2.extensions import cursor as Cursor  # noqa: N812 - the driver's class has a lower-case name

from domain.recording import History
from domain.sealing.sorted_map import Kind
from infra.postgres.connection import transaction

_POSITIONS: Final = "string_agg(int8send(position), ''::bytea order by"
_QUERIES: Final = {
    Kind.STREAM: f"""
        select stream, {_POSITIONS} version), min(version) = 1 and max(version) = count(*)
        from qingling.event where position <= %s group by stream""",
    Kind.PARTITION: f"""
        select partitionkey, {_POSITIONS} position), true
        from qingling.event where position <= %s group by partitionkey""",
}
_BUFFER: Final = 65_536
_HEADER: Final = 19  # bytes: signature, flags, length of an extension that there is not
_TRAILER: Final = 2
_POSITION: Final = 8
_to_name = struct.Struct(">hi").unpack_from  # columns, size of the name
_to_positions = struct.Struct(">i").unpack_from
_CONTIGUOUS: Final = struct.pack(">i?", 1, True)


def spool_histories(cursor: Cursor, kind: Kind, upto: int, file: IO[bytes]) -> None:
    """Puts the histories of all names as of a position into a file, in the binary format of COPY."""
    file.seek(0)
    file.truncate()
    query = cursor.mogrify(_QUERIES[kind], (upto,)).decode()
    with transaction(cursor.connection) as session:
        session.execute("set local statement_timeout = 0")  # a log may be of any length
        session.copy_expert(f"copy ({query}) to stdout (format binary)", file, _BUFFER)


def spooled(file: IO[bytes]) -> Iterator[History]:
    """The histories in such a file, one after the other."""
    file.flush()
    with mmap(file.fileno(), 0, access=ACCESS_READ) as data:
        at, end = _HEADER, len(data) - _TRAILER
        while at < end:
            _, size = _to_name(data, at)
            name = data[(at := at + 6) : (at := at + size)].decode()
            (size,) = _to_positions(data, at)
            positions = struct.unpack_from(f">{size // _POSITION}q", data, at + 4)
            contiguous = data[(at := at + 4 + size) : (at := at + len(_CONTIGUOUS))] == _CONTIGUOUS
            yield History(name, positions, contiguous)
