"""Mapping files: the shipped ones, by name, and an office's own, by path.

A file may say `extends = "standard"` and then holds only what is different; `false` takes a key away.
"""

from __future__ import annotations

import difflib
import tomllib
from pathlib import Path
from typing import Any

from domain.books.mapping import Mapping, parse_mapping
from domain.errors import InputError

_SHIPPED = Path(__file__).with_name("shipped")


def shipped_mappings() -> tuple[str, ...]:
    """Names of the mappings that come with the system."""
    return tuple(sorted(path.stem for path in _SHIPPED.glob("*.toml")))


def load_mapping(name: str | Path) -> Mapping:
    """A shipped mapping by its name, or a file by its path (whatever ends in `.toml`).

    Raises:
        InputError: there is no such mapping, it is not TOML, or it breaks a rule of `domain.books.mapping`.
    """
    return parse_mapping(_load(Path(name), above=()))


def _load(name: Path, above: tuple[Path, ...]) -> dict[str, Any]:
    path = name if name.suffix == ".toml" else _shipped(str(name))
    if path in above:
        raise InputError(f"mapping {path.name} extends itself", field="extends", rule="no-circle")
    try:
        table = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot read the mapping {path}: {error}", field="path", rule="readable") from error
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"the mapping {path} is not TOML: {error}", field="path", rule="is-toml") from error
    table.setdefault("name", path.stem)
    ground = table.pop("extends", None)
    if ground is None:
        return table
    if not isinstance(ground, str):
        raise InputError("mapping key 'extends': expected the name of a mapping", field="extends", rule="type")
    other = path.parent / ground if ground.endswith(".toml") else Path(ground)
    return _merged(_load(other, (*above, path)), table)


def _shipped(name: str) -> Path:
    if name in shipped_mappings():
        return _SHIPPED / f"{name}.toml"
    near = difflib.get_close_matches(name, shipped_mappings(), n=1, cutoff=0)[0]
    raise InputError(
        f"there is no mapping {name!r}; the nearest is {near!r}, and a file of your own is named with its ending .toml",
        field="mapping",
        rule="known-mapping",
    )


def _merged(ground: dict[str, Any], table: dict[str, Any]) -> dict[str, Any]:
    merged = dict(ground)
    for key, value in table.items():
        if value is False:
            merged.pop(key, None)
        elif isinstance(value, dict) and isinstance(merged.get(key), dict):
            merged[key] = _merged(merged[key], value)
        else:
            merged[key] = value
    return merged
