"""The keyring: one file with the keys that wrap every data key, and the secrets behind keyed digests.

Guarantees: the file is created once and never overwritten; it is used only where nobody but its owner can read it, and
where its owner is the user that this process runs as; no key is ever part of a `repr`, a message or a log line.

Who copies the file and the database can open every field that is not erased; who loses the file has erased everybody.
It is therefore kept, and backed up, apart from the database (docs/sealing.md).
"""

from __future__ import annotations

import base64
import binascii
import hmac
import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple, NoReturn

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from domain.errors import SettingsError, VerificationError
from domain.sealing.personal import KEY_BYTES

_FORMAT: Final = "qingling-keyring/1"
_NONCE_BYTES: Final = 12
_WRAP_INFO: Final = b"qingling/wrap/v1\0"
_COMMAND_INFO: Final = b"qingling/command-digest/v1"
_BLIND_INFO: Final = b"qingling/blind/v1"
_FILE_LIMIT: Final = 65_536  # bytes


class _Hidden(msgspec.Struct, forbid_unknown_fields=True):
    """Does not show its keys, not even among the local variables of a traceback."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}(…)"


class _WrappingKey(_Hidden):
    version: int
    key: str


class _File(_Hidden):
    """The file as JSON. Keys are 32 bytes in base64; `digests` is what the keyed digests derive from."""

    format: str
    current: int
    wrapping: list[_WrappingKey]
    digests: str


class WrappedKey(NamedTuple):
    """A data key that only this keyring can use: the version of the wrapping key, and nonce (12) || AES-256-GCM."""

    kek: int
    wrapped: bytes


class Keyring:
    """The opened keyring. Safe to share between threads."""

    def __init__(self, wrapping: dict[int, AESGCM], current: int, digests: bytes) -> None:
        self._wrapping = wrapping
        self._current = current
        # Derived once and kept inside hash objects, so that no key stands in an attribute.
        self._commands = hmac.new(_derived(digests, _COMMAND_INFO), digestmod="sha256")
        self._blinds = hmac.new(_derived(digests, _BLIND_INFO), digestmod="sha256")

    def __repr__(self) -> str:
        return f"Keyring(current={self._current}, versions={sorted(self._wrapping)})"

    @classmethod
    def create(cls, path: Path) -> Keyring:
        """Makes a new keyring, mode 0600, durable before it returns; its folder is made, mode 0700, if it is not there.

        Raises:
            SettingsError: there is a file already, or the folder belongs to somebody else or is open to others.
        """
        content = _File(_FORMAT, 1, [_WrappingKey(1, _fresh_key())], _fresh_key())
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            _refuse_open_folder(path.parent)
            _write_new(path, msgspec.json.format(msgspec.json.encode(content)) + b"\n")
        except FileExistsError:
            raise SettingsError(f"there is a keyring at {path} already; it is never overwritten") from None
        except OSError as error:
            raise SettingsError(f"no keyring can be made at {path}: {error.strerror}") from error
        return cls.open(path)

    @classmethod
    def open(cls, path: Path) -> Keyring:
        """Reads a keyring.

        Raises:
            SettingsError: it is not there, is a symbolic link, belongs to somebody else, it or its folder is open to
                others, or it cannot be read as a keyring.
        """
        try:
            _refuse_open_folder(path.parent)
            content = _read_private(path)
        except FileNotFoundError:
            raise SettingsError(f"there is no keyring at {path}") from None
        except OSError as error:
            raise SettingsError(f"the keyring {path} cannot be read: {error.strerror}") from error
        return cls._parsed(content, path)

    @classmethod
    def _parsed(cls, content: bytes, path: Path) -> Keyring:
        """Errors of the parsers are not chained: they carry the document."""
        try:
            file = msgspec.json.decode(content, type=_File)
            wrapping = {each.version: AESGCM(_key(each.key)) for each in file.wrapping}
            digests = _key(file.digests)
        except (msgspec.DecodeError, UnicodeDecodeError, ValueError):
            _refuse(path, "it is damaged")
        if file.format != _FORMAT:
            _refuse(path, f"this release reads only {_FORMAT}")
        if file.current not in wrapping or len(wrapping) != len(file.wrapping):
            _refuse(path, "its current key is missing, or a version occurs twice")
        return cls(wrapping, file.current, digests)

    def wrap(self, subject: str, dek: bytes) -> WrappedKey:
        """Wraps a subject's data key under the current wrapping key, bound to the subject.

        The nonces are random: one wrapping key may be used 2^32 times (NIST SP 800-38D section 8.3), that is, for
        so many subjects.
        """
        nonce = os.urandom(_NONCE_BYTES)
        wrapped = nonce + self._wrapping[self._current].encrypt(nonce, dek, _bound_to(subject))
        return WrappedKey(self._current, wrapped)

    def unwrap(self, subject: str, key: WrappedKey) -> bytes:
        """The data key of 32 bytes.

        Raises:
            VerificationError: it was wrapped by another keyring, for another subject, or has been altered.
        """
        wrapping = self._wrapping.get(key.kek)
        if wrapping is None:
            raise VerificationError(f"the keyring has no wrapping key {key.kek}, which the key of {subject} needs")
        try:
            return wrapping.decrypt(key.wrapped[:_NONCE_BYTES], key.wrapped[_NONCE_BYTES:], _bound_to(subject))
        except (InvalidTag, ValueError):
            raise VerificationError(f"the key of {subject} was not wrapped by this keyring for this subject") from None

    def command_digest(self, data: bytes) -> bytes:
        """HMAC-SHA-256 of a request, 32 bytes: equal for equal requests, and nothing can be guessed from it.

        Its key outlives rotations of the wrapping key, so that a request is known again after one.
        """
        digest = self._commands.copy()
        digest.update(data)
        return digest.digest()

    def blind(self, domain: str, value: str) -> bytes:
        """HMAC-SHA-256, 32 bytes, to find a value again without storing it; the caller normalises the value first.

        `domain` says what the value is (`identity-number`): equal values of two domains have nothing in common. The
        result is personal data still, and deleted when the person is erased.
        """
        label = domain.encode()
        digest = self._blinds.copy()
        digest.update(len(label).to_bytes(2, "big") + label + value.encode())
        return digest.digest()


def _bound_to(subject: str) -> bytes:
    """Additional data of the wrapping, so that one subject's key cannot be put in the place of another's."""
    return _WRAP_INFO + subject.encode()


def _derived(secret: bytes, info: bytes) -> bytes:
    """HKDF-Expand to one block (RFC 5869 section 2.3); the secret is random, so there is no extract (section 3.3)."""
    return hmac.digest(secret, info + b"\x01", "sha256")


def _fresh_key() -> str:
    return base64.b64encode(os.urandom(KEY_BYTES)).decode()


def _key(text: str) -> bytes:
    key = base64.b64decode(text, validate=True)
    if len(key) != KEY_BYTES:
        raise binascii.Error("a key has 32 bytes")
    return key


def _refuse(path: Path, why: str) -> NoReturn:
    raise SettingsError(f"the keyring {path} is not used: {why}")


def _refuse_open_folder(folder: Path) -> None:
    _refuse_unless_private(folder, folder.stat(), "its folder")


def _refuse_unless_private(path: Path, found: os.stat_result, what: str) -> None:
    if found.st_uid != os.geteuid():
        _refuse(path, f"{what} belongs to another user")
    if stat.S_IMODE(found.st_mode) & 0o077:
        _refuse(path, f"{what} is open to others (mode {stat.S_IMODE(found.st_mode):04o})")


def _read_private(path: Path) -> bytes:
    """What is checked is what is read: the opened file, not the name."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb") as file:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            _refuse(path, "it is no regular file")
        _refuse_unless_private(path, found, "it")
        return file.read(_FILE_LIMIT)


def _write_new(path: Path, content: bytes) -> None:
    """Writes a file that must not be there yet; one that could not be written whole is taken away again."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(descriptor, 0o600)
            file.write(content)
            file.flush()
            os.fsync(descriptor)
        _sync_folder(path.parent)
    except BaseException:
        with suppress(OSError):  # the first error is the one to report
            path.unlink()
        raise


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
