"""Files that are there when the call returns, and that nobody ever sees half written.

Guarantees: a new file is written under another name, brought to the disk, and moved; a crash leaves the file of before, or none, or the
whole new one. An error of the disk is a `RecordingError`, after which the same call may be made again.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from itertools import count
from pathlib import Path
from typing import Final

from domain.errors import RecordingError

WAITING: Final = "new"
"""Folder of files that are not in their place yet. What lies there when nobody writes is rubbish of a crash."""

_numbers: Final = count()
_TOGETHER: Final = 16  # from so many files on it pays to let the disk bring several home at once
_WRITERS: Final = 8


@contextmanager
def written_in(folder: Path) -> Iterator[None]:
    """Turns an error of the disk into one of `domain/errors.py`."""
    try:
        yield
    except OSError as error:
        raise RecordingError(f"{folder} cannot be written: {error.strerror}: {error.filename or folder}") from error


def replace(folder: Path, name: str, data: bytes, mode: int = 0o644) -> None:
    """Makes `data` the content of a file directly below `folder`, whatever it was before."""
    (waiting,) = _written(folder, [data], mode)
    _move(waiting, str(folder / name))
    sync_folder(str(folder))


def add_all(folder: Path, files: Sequence[tuple[str, bytes]]) -> None:
    """Adds files below `folder`, each named by its path from there; folders are made as needed."""
    root = str(folder)
    changed: set[str] = set()
    for waiting, (path, _) in zip(_written(folder, [data for _, data in files]), files, strict=True):
        target = f"{root}/{path}"
        try:
            _move(waiting, target)
        except FileNotFoundError:
            changed |= _made(os.path.dirname(target))  # noqa: PTH120 - a hundred thousand times in an import
            _move(waiting, target)
        changed.add(os.path.dirname(target))  # noqa: PTH120
    for each in changed:
        sync_folder(each)


def move_all(folder: Path, target: Path, paths: Sequence[str]) -> None:
    """Moves files below `folder` to the same paths below `target`."""
    changed: set[str] = set()
    for path in paths:
        source, aim = folder / path, target / path
        changed |= _made(str(aim.parent))
        _move(str(source), str(aim))
        changed |= {str(source.parent), str(aim.parent)}
    for each in changed:
        sync_folder(each)


def remove(path: Path) -> None:
    """Takes a file away; after a crash it may be there again."""
    path.unlink()


def make_folder(path: Path, mode: int) -> None:
    """Makes a folder and what is missing above it, or leaves it as it is."""
    if not path.is_dir():
        changed = _made(str(path.parent))
        path.mkdir(mode=mode, exist_ok=True)
        for each in (*changed, str(path.parent)):
            sync_folder(each)


def remove_waiting(folder: Path) -> None:
    """Takes away what a crash left under other names."""
    with suppress(FileNotFoundError):
        for file in (folder / WAITING).iterdir():
            file.unlink()


def create(path: str, data: bytes, mode: int = 0o644) -> None:
    """Writes a file that is not there yet, and brings its content to the disk; its name only with `sync_folder`."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    with os.fdopen(descriptor, "wb", buffering=0) as file:
        left = memoryview(data)
        while left:
            left = left[file.write(left) :]
        os.fsync(descriptor)


def sync_folder(path: str) -> None:
    """Brings the names in a folder to the disk."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _written(folder: Path, contents: Sequence[bytes], mode: int = 0o644) -> list[str]:
    """Where the contents lie, on the disk, until they are moved to their places."""
    waiting = folder / WAITING
    waiting.mkdir(mode=0o700, exist_ok=True)
    paths = [f"{waiting}/{os.getpid()}-{next(_numbers)}" for _ in contents]
    if len(paths) < _TOGETHER:
        for path, data in zip(paths, contents, strict=True):
            create(path, data, mode)
    else:
        with ThreadPoolExecutor(_WRITERS) as writers:
            _finish(writers.map(partial(create, mode=mode), paths, contents))
    return paths


def _finish(results: Iterable[None]) -> None:
    for _ in results:
        pass


def _made(folder: str) -> set[str]:
    """Makes a folder and those above it; returns where new names stand."""
    missing = Path(folder)
    changed = set()
    while not missing.exists():
        missing = missing.parent
        changed.add(str(missing))
    Path(folder).mkdir(parents=True, exist_ok=True)
    return changed


def _move(source: str, target: str) -> None:
    os.rename(source, target)  # noqa: PTH104
