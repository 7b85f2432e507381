"""Files of jurisdiction trees: the shipped one is Yangquan's, a deployment may name its own.

A file is TOML: one table a code, with `name_zh`, `name_en`, `parent` and `aliases` as in `domain.jurisdictions`.
"""

from __future__ import annotations

import tomllib
from pathlib import Path

from domain.errors import InputError
from domain.jurisdictions import JurisdictionTree

YANGQUAN = Path(__file__).with_name("yangquan.toml")


def load_tree(path: Path = YANGQUAN) -> JurisdictionTree:
    """The tree in a file.

    Raises:
        InputError: the file cannot be read, is not TOML, or holds no tree.
    """
    try:
        return JurisdictionTree.load(tomllib.loads(path.read_text("utf-8")))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot read the jurisdictions in {path}: {error}", field="path", rule="readable") from error
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{path} is not TOML: {error}", field="path", rule="is-toml") from error
