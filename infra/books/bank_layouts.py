"""Layouts of banks' return files: those that come with the system, and an office's own beside them, which go first."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Final

from domain.errors import InputError
from domain.payments.bank_layout import BankLayout, parse_bank_layout

SHIPPED: Final = Path(__file__).with_name("banks")
_LARGEST: Final = 1 << 20  # bytes


def bank_layouts(own: Path) -> dict[str, BankLayout]:
    """Every layout by name, the standard one first; of `own`, a folder that need not be there, one of a shipped name counts instead.

    Raises:
        InputError: a file cannot be read, is not TOML, or breaks a rule of `domain.payments.bank_layout`.
    """
    files = {path.stem: path for folder in (SHIPPED, own) for path in sorted(folder.glob("*.toml"))}
    order = sorted(files, key=lambda name: (name != "standard", name))
    return {name: _read(files[name]) for name in order}


def _read(path: Path) -> BankLayout:
    try:
        content = path.read_bytes()
        if len(content) > _LARGEST:
            raise InputError(f"the layout {path} is larger than 1 MiB", field="layout", rule="too-large")
        table = tomllib.loads(content.decode("utf-8"))
    except OSError as error:
        raise InputError(f"cannot read the layout {path}: {error.strerror}", field="layout", rule="readable") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise InputError(f"the layout {path} is not TOML: {error}", field="layout", rule="is-toml") from error
    return parse_bank_layout(path.stem, table)
