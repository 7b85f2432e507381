"""Secrets in files of their own, as Go's `golang.org/x/mod/sumdb/note` spells them, for nobody but their owner.

Guarantees: a secret is used only where its file and folder belong to the user that this process runs as and are closed to all others;
what is checked is what is read; an error never shows what a file holds.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Final

from domain.errors import SettingsError, VerificationError
from domain.sealing.note import SigningKey

_LIMIT: Final = 4_096  # bytes


def read_key(path: Path) -> SigningKey:
    """The key in a file.

    Raises:
        SettingsError: it is not there, is a symbolic link, is open to others, or is no key.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        raise SettingsError(f"the signing key {path} cannot be read: {error.strerror}") from error
    with os.fdopen(descriptor, "rb") as file:
        _refuse_unless_private(path, os.fstat(descriptor))
        content = file.read(_LIMIT)
    try:
        return SigningKey.parse(content.decode().removesuffix("\n"))
    except (VerificationError, UnicodeDecodeError):
        raise SettingsError(f"the signing key {path} is damaged") from None


def refuse_open(path: Path) -> None:
    """Refuses a file or folder that somebody else could use.

    Raises:
        SettingsError: it belongs to another user, is open to others, or cannot be looked at.
    """
    try:
        _refuse_unless_private(path, path.stat())
    except OSError as error:
        raise SettingsError(f"{path} cannot be looked at: {error.strerror}") from error


def _refuse_unless_private(path: Path, found: os.stat_result) -> None:
    if found.st_uid != os.geteuid():
        raise SettingsError(f"{path} is not used: it belongs to another user")
    if stat.S_IMODE(found.st_mode) & 0o077:
        raise SettingsError(f"{path} is not used: it is open to others (mode {stat.S_IMODE(found.st_mode):04o})")
