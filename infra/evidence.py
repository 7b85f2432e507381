"""Evidence files in a folder: `<folder>/<aa>/<digest>`, where `aa` are the digest's first two digits.

Implements `domain.evidence.ports.EvidenceFiles`. A file is written under another name in `<folder>/new`, brought to the disk, made read
only, moved to its place, and the folders are brought to the disk; a crash leaves rubbish in `new` at most (`remove_leftovers`). The plain
file is never on the disk. The folder is open to its owner alone.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO, Final

from domain.errors import ErasedError, NotFoundError, VerificationError
from domain.evidence.admission import admit
from domain.evidence.ports import StoredFile
from domain.evidence.sealed_file import (
    FILE_KEY_BYTES,
    HEADER_BYTES,
    KEY_FIELD,
    NAME_FIELD,
    Header,
    key_of,
    key_text,
    make_header,
    open_file,
    plain_size,
    read_header,
    seal_file,
)
from domain.sealing.ports import Opener, Sealer
from domain.vocabulary import Evidence
from infra.sealing import durable

_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_SHARD: Final = re.compile(r"[0-9a-f]{2}")
_PIECE: Final = 1_048_576
_READ_ONLY: Final = 0o400


class FolderEvidence:
    """See `EvidenceFiles`. `sealer` and `opener` are the vault's two sides."""

    def __init__(self, folder: Path, sealer: Sealer, opener: Opener) -> None:
        self._folder = folder
        self._sealer = sealer
        self._opener = opener
        with durable.written_in(folder):
            durable.make_folder(folder, 0o700)
            durable.make_folder(folder / durable.WAITING, 0o700)

    def put(self, subject: str, content: Iterable[bytes], *, name: str | None = None) -> Evidence:
        """See `EvidenceFiles.put`."""
        admitted = admit(content)
        file_key = os.urandom(FILE_KEY_BYTES)
        texts = [(subject, KEY_FIELD, key_text(file_key))]
        if name is not None:
            texts.append((subject, NAME_FIELD, name))
        key, *names = self._sealer.seal_many(texts)
        header = make_header(key, admitted.type)
        sha256 = self._kept(seal_file(file_key, header, admitted.chunks))
        return Evidence(sha256=sha256, type=admitted.type, name=names[0] if names else None)

    def open(self, sha256: str) -> Iterator[bytes]:
        """See `EvidenceFiles.open`."""
        header = self._header(sha256)[0]
        (text,) = self._opener.open_many([(header.head.key, KEY_FIELD)])
        if text is None:
            raise ErasedError(f"the key of evidence file {sha256} was destroyed")
        return self._opened(key_of(text), header, sha256)

    def has(self, sha256: str) -> bool:
        """See `EvidenceFiles.has`."""
        return bool(_DIGEST.fullmatch(sha256)) and self._path(sha256).is_file()

    def about(self, sha256: str) -> StoredFile:
        """See `EvidenceFiles.about`."""
        header, stored = self._header(sha256)
        return StoredFile(header.head.type, plain_size(header, stored), header.head.key.subject)

    def sealed(self, sha256: str) -> Iterator[bytes]:
        """See `EvidenceFiles.sealed`."""
        self._header(sha256)
        return self._pieces(sha256)

    def check(self, sha256: str) -> None:
        """See `EvidenceFiles.check`."""
        with self._reading(sha256) as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if found != sha256:
            raise VerificationError(f"evidence file {sha256} was changed: it is {found} now")

    def delete(self, sha256: str) -> bool:
        """See `EvidenceFiles.delete`."""
        if not self.has(sha256):
            return False
        path = self._path(sha256)
        with durable.written_in(path.parent):
            path.unlink(missing_ok=True)
            durable.sync_folder(str(path.parent))
        return True

    def stored(self) -> Iterator[str]:
        """See `EvidenceFiles.stored`."""
        for shard in sorted(self._folder.iterdir()):
            if _SHARD.fullmatch(shard.name):
                yield from sorted(file.name for file in shard.iterdir() if _DIGEST.fullmatch(file.name))

    def remove_leftovers(self) -> None:
        """Takes away what a crash left behind; what another process is writing at this moment stays."""
        with durable.written_in(self._folder):
            for file in (self._folder / durable.WAITING).iterdir():
                with suppress(FileNotFoundError):
                    _remove_unless_written(file)

    def _path(self, sha256: str) -> Path:
        return self._folder / sha256[:2] / sha256

    def _kept(self, pieces: Iterator[bytes]) -> str:
        """Writes a file and gives it its name. It is locked until it has it, so that no start of another process takes it away."""
        waiting = self._folder / durable.WAITING / os.urandom(16).hex()
        with durable.written_in(self._folder):
            descriptor = os.open(waiting, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb", buffering=0) as file:
            try:
                with durable.written_in(self._folder):
                    fcntl.flock(descriptor, fcntl.LOCK_EX)
                sha256 = self._written(file, pieces)
                with durable.written_in(self._folder):
                    target = self._path(sha256)
                    durable.make_folder(target.parent, 0o700)
                    waiting.rename(target)
                    durable.sync_folder(str(target.parent))
            except BaseException:
                with suppress(OSError):  # the first error is the one to report
                    waiting.unlink()
                raise
        return sha256

    def _written(self, file: BinaryIO, pieces: Iterator[bytes]) -> str:
        """The digest of what was written. An error of the disk is told apart from one of whoever hands the pieces in."""
        digest = hashlib.sha256()
        for piece in pieces:
            digest.update(piece)
            with durable.written_in(self._folder):
                _write_all(file, piece)
        with durable.written_in(self._folder):
            os.fchmod(file.fileno(), _READ_ONLY)
            os.fsync(file.fileno())
        return digest.hexdigest()

    def _header(self, sha256: str) -> tuple[Header, int]:
        """The header, and the bytes of the whole stored file."""
        with self._reading(sha256) as file:
            return read_header(file.read(HEADER_BYTES)), os.fstat(file.fileno()).st_size

    def _reading(self, sha256: str) -> BufferedReader:
        """What is named like no file is not looked for, so that no name leads out of the folder."""
        if not _DIGEST.fullmatch(sha256):
            raise NotFoundError(f"{sha256!r} names no evidence file")
        try:
            return self._path(sha256).open("rb")
        except FileNotFoundError:
            raise NotFoundError(f"there is no evidence file {sha256}") from None

    def _pieces(self, sha256: str, skip: int = 0) -> Iterator[bytes]:
        with self._reading(sha256) as file:
            file.seek(skip)
            while piece := file.read(_PIECE):
                yield piece

    def _opened(self, file_key: bytes, header: Header, sha256: str) -> Iterator[bytes]:
        return open_file(file_key, header, self._pieces(sha256, len(header.raw)), sha256)


def _remove_unless_written(path: Path) -> None:
    """A file whose writer lives is locked. Who comes between its making and its lock makes that one upload fail, and harms no other."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        path.unlink()
    except BlockingIOError:
        return
    finally:
        os.close(descriptor)


def _write_all(file: BinaryIO, data: bytes) -> None:
    left = memoryview(data)
    while left:
        left = left[file.write(left) :]
