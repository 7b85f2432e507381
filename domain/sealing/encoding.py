"""What all texts of the provable log have in common: standard Base64, decimals and lines, read strictly.

Guarantees: of each value exactly one spelling is accepted, so that a text that was accepted and is printed again is the
same text. Python's own readings are looser: `int` takes underscores, signs and other scripts' digits, `b64decode` takes
stray bits behind the padding, and `str.splitlines` splits at U+2028 and six more.
"""

from __future__ import annotations

import binascii
import re
from base64 import b64decode, b64encode
from typing import Final

from domain.errors import VerificationError

HASH_BYTES: Final = 32
MAX_SIZE: Final = 2**63 - 1
"""The largest tree, index and time: what every implementation of the formats can count."""

_DECIMAL: Final = re.compile(r"0|[1-9][0-9]{0,18}")


def base64_of(data: bytes) -> str:
    """Standard Base64 with padding (RFC 4648 section 4)."""
    return b64encode(data).decode()


def read_base64(text: str, what: str) -> bytes:
    """The bytes of standard Base64 with padding and nothing else.

    Raises:
        VerificationError: any other spelling; `what` names the text in the message.
    """
    try:
        data = b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise VerificationError(f"{what} is not standard Base64") from None
    if base64_of(data) != text:
        raise VerificationError(f"{what} is Base64 with stray bits behind its end")
    return data


def read_hash(text: str, what: str) -> bytes:
    """The 32 bytes of a hash in standard Base64.

    Raises:
        VerificationError: it is not that.
    """
    return checked_hash(read_base64(text, what), what)


def checked_hash(value: object, what: str) -> bytes:
    """`value`, if it is a hash: 32 bytes.

    Raises:
        VerificationError: it is not.
    """
    if not isinstance(value, bytes) or len(value) != HASH_BYTES:
        raise VerificationError(f"{what} is not a hash of {HASH_BYTES} bytes")
    return value


def checked_bytes(value: object, what: str) -> bytes:
    """`value`, if it is bytes.

    Raises:
        VerificationError: it is not.
    """
    if not isinstance(value, bytes):
        raise VerificationError(f"{what} is not bytes")
    return value


def checked_number(value: object, what: str) -> int:
    """`value`, if it is a size, index or time: an integer from 0 to 2^63 − 1.

    Raises:
        VerificationError: it is not.
    """
    if type(value) is not int or not 0 <= value <= MAX_SIZE:
        raise VerificationError(f"{what} is not a number from 0 to 2^63 − 1")
    return value


def read_decimal(text: str, what: str) -> int:
    """A number from 0 to 2^63 − 1 in ASCII digits, without sign and leading zeros.

    Raises:
        VerificationError: any other spelling, or a number beyond.
    """
    if not _DECIMAL.fullmatch(text):
        raise VerificationError(f"{what} is not a decimal number without leading zeros")
    return checked_number(int(text), what)


def read_text(data: object, what: str) -> str:
    """The text of UTF-8 bytes without control characters other than the newline (C2SP signed-note, Format).

    Raises:
        VerificationError: it is something else.
    """
    try:
        text = checked_bytes(data, what).decode()
    except UnicodeDecodeError:
        raise VerificationError(f"{what} is not UTF-8") from None
    if has_control_character(text):
        raise VerificationError(f"{what} holds a control character")
    return text


def checked_text(value: object, what: str) -> str:
    """`value`, if it is a text that a note could hold.

    Raises:
        VerificationError: it is no text, or holds a control character or half of a surrogate pair.
    """
    if not isinstance(value, str):
        raise VerificationError(f"{what} is not a text")
    return read_text(value.encode(errors="surrogatepass"), what)


def has_control_character(text: str) -> bool:
    """Whether one of the characters below U+0020 other than the newline stands in `text`."""
    return _CONTROL.search(text) is not None


_CONTROL: Final = re.compile(r"[\x00-\x09\x0b-\x1f]")


def lines_of(text: str, what: str) -> list[str]:
    """The lines of a text without their newlines, split at U+000A and nowhere else. Every line must be ended.

    Raises:
        VerificationError: the text is empty, or its last line is not ended.
    """
    if not text.endswith("\n"):
        raise VerificationError(f"{what} does not end with a newline")
    return text[:-1].split("\n")
