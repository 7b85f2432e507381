"""Mappings of banks' return files: the shipped ones, by name, and an office's own, by path."""

from __future__ import annotations

import difflib
import tomllib
from pathlib import Path

from domain.errors import InputError
from domain.sheets.bank_return import BankMapping, parse_bank_mapping

_SHIPPED = Path(__file__).with_name("banks")
_LARGEST = 1 << 20  # bytes


def shipped_bank_mappings() -> tuple[str, ...]:
    """Names of the mappings that come with the system."""
    return tuple(sorted(path.stem for path in _SHIPPED.glob("*.toml")))


def load_bank_mapping(name: str | Path) -> BankMapping:
    """A shipped mapping by its name, or a file by its path (whatever ends in `.toml`).

    Raises:
        InputError: there is no such mapping, it is not TOML, or it breaks a rule of `domain.sheets.bank_return`.
    """
    path = Path(name) if Path(name).suffix == ".toml" else _shipped(str(name))
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(
            f"cannot read the bank mapping {path}: {error.strerror}", field="path", rule="readable"
        ) from error
    return bank_mapping_of(path.stem, content)


def bank_mapping_of(name: str, content: bytes) -> BankMapping:
    """The mapping that an uploaded file holds; `name` where it gives itself none.

    Raises:
        InputError: it is not TOML, or it breaks a rule of `domain.sheets.bank_return`.
    """
    if len(content) > _LARGEST:
        raise InputError(f"the bank mapping {name} is larger than 1 MiB", field="path", rule="too-large")
    try:
        table = tomllib.loads(content.decode("utf-8"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise InputError(f"the bank mapping {name} is not TOML: {error}", field="path", rule="is-toml") from error
    table.setdefault("name", name)
    return parse_bank_mapping(table)


def _shipped(name: str) -> Path:
    if name in shipped_bank_mappings():
        return _SHIPPED / f"{name}.toml"
    near = difflib.get_close_matches(name, shipped_bank_mappings(), n=1, cutoff=0)[0]
    raise InputError(
        f"there is no bank mapping {name!r}; the nearest is {near!r}, and a file of your own is named with its ending .toml",
        field="mapping",
        rule="known-mapping",
    )
