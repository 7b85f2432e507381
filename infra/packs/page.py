"""The page in a pack that says to people what it is and how to check it: one file, no script, nothing from elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import jinja2

from domain.packs.pack import PackedLedger
from infra.packs.layout import Manifest
from infra.sealing.standing import SealingStatus

_TEMPLATE: Final = Path(__file__).with_name("README.html")


def page_of(manifest: Manifest, sealing: SealingStatus, ledgers: Sequence[PackedLedger]) -> str:
    """The text of README.html for a pack."""
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True)
    template = environment.from_string(_TEMPLATE.read_text("utf-8"))
    return template.render(pack=manifest, sealing=sealing, ledgers=ledgers)
