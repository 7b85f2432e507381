"""The layouts that banks' files come in, as a door names them."""

from __future__ import annotations

import difflib

from api.reading import Reading
from domain.errors import InputError
from domain.payments.bank_layout import BankLayout


def layout_named(reading: Reading, name: str | None) -> BankLayout | None:
    """The layout of that name; None where none is named: headings are then known by the form's own names.

    Raises:
        InputError: there is none of that name.
    """
    if not name:
        return None
    layouts = reading.platform.bank_layouts()
    if name not in layouts:
        near = difflib.get_close_matches(name, layouts, n=1, cutoff=0)[0]
        raise InputError(f"there is no layout {name!r}; the nearest is {near!r}", field="layout", rule="known-layout")
    return layouts[name]
