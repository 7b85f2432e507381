"""QR codes as drawings within a page: no script, no style, no outside resource."""

from __future__ import annotations

import segno
from markupsafe import Markup


def qr_code(text: str, label: str) -> Markup:
    """The text as a QR code (ISO/IEC 18004) with its quiet zone, always dark on white, as large as the style sheet makes it.

    Error correction M: a seventh of it may be smudged or folded away. `label` is what those hear who do not see it.
    """
    drawn = segno.make(text, error="m", boost_error=False, micro=False)
    width, height = drawn.symbol_size(border=4)
    path = "".join(
        f"M{x + 4} {y + 4}h{run}v1h-{run}z" for y, row in enumerate(drawn.matrix) for x, run in _dark_runs(row)
    )
    return Markup(
        '<svg class="qr" viewBox="0 0 {0} {1}" role="img" aria-label="{2}" shape-rendering="crispEdges">'
        '<rect width="{0}" height="{1}" fill="#fff"></rect><path d="{3}" fill="#000"></path></svg>'
    ).format(width, height, label, path)


def _dark_runs(row: bytes | bytearray | tuple[int, ...]) -> list[tuple[int, int]]:
    """Where dark modules begin in a row, and how many stand beside each other."""
    runs: list[tuple[int, int]] = []
    for x, module in enumerate(row):
        if not module & 1:
            continue
        if runs and sum(runs[-1]) == x:
            runs[-1] = (runs[-1][0], runs[-1][1] + 1)
        else:
            runs.append((x, 1))
    return runs
