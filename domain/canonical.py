"""Canonical bytes: the one way in which Qingling turns a value into JSON (RFC 8785, JSON Canonicalization Scheme).

Guarantees: keys sorted, no white space, UTF-8, no floats, integers within ±(2^53 − 1), ASCII keys. For such values `orjson`
with sorted keys gives the bytes of RFC 8785; the tests hold it against an independent implementation.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import orjson

MAX_INTEGER = 2**53 - 1


def canonical_bytes(value: object) -> bytes:
    """The RFC 8785 bytes of a JSON value made of dicts, lists, tuples, str, int, bool and None.

    Raises:
        ValueError: for a float, an integer beyond ±(2^53 − 1), a non-ASCII or non-string key, a lone surrogate, or another type.
    """
    _check(value)
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    except TypeError as error:
        raise ValueError(f"not canonical JSON: {error}") from error


def sha256_hex(data: bytes) -> str:
    """SHA-256 of `data` as 64 lower-case hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def _check(value: object) -> None:
    if value is None or isinstance(value, str | bool):
        return
    if isinstance(value, int):
        if not -MAX_INTEGER <= value <= MAX_INTEGER:
            raise ValueError(f"the integer {value} is beyond what JSON can carry exactly (2^53 − 1)")
        return
    if isinstance(value, Mapping):
        for key, item in value.items():
            if not isinstance(key, str) or not key.isascii():
                raise ValueError(f"the key {key!r} is not an ASCII string")
            _check(item)
        return
    if isinstance(value, list | tuple):
        for item in value:
            _check(item)
        return
    raise ValueError(f"a {type(value).__name__} cannot stand in canonical JSON")
