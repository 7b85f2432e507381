"""Reads a photograph from stdin and writes a thumbnail to stdout; run by `infra.thumbnail`, by its path and in isolation.

Imports nothing of ours, so that nothing of ours is in its memory. Any failure is a traceback on stderr, which nobody reads, and an exit
code other than 0.
"""

from __future__ import annotations

import io
import resource
import sys
import warnings

from PIL import Image, ImageOps

PIXELS = 50_000_000
SIDE = 320
MEMORY = 768 * 1_048_576
SECONDS = 10


def limit_oneself() -> None:
    """Memory, processor time, no files, no core dump."""
    for which, most in (
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_CPU, SECONDS),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(which, (most, most))


def small(content: bytes, decoder: str) -> bytes:
    """The thumbnail as JPEG. It is drawn on a new picture, so that nothing but pixels can come along."""
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    Image.MAX_IMAGE_PIXELS = PIXELS
    with Image.open(io.BytesIO(content), formats=(decoder,)) as opened:
        opened.draft("RGB", (2 * SIDE, 2 * SIDE))
        shrunk = opened.convert("RGBA") if opened.mode in ("P", "LA", "PA", "RGBA") else opened.convert("RGB")
        shrunk.thumbnail((SIDE, SIDE))
        upright = ImageOps.exif_transpose(shrunk)
    drawn = Image.new("RGB", upright.size, "white")
    drawn.paste(upright, mask=upright if upright.mode == "RGBA" else None)
    written = io.BytesIO()
    drawn.save(written, "JPEG", quality=80)
    return written.getvalue()


if __name__ == "__main__":
    limit_oneself()
    sys.stdout.buffer.write(small(sys.stdin.buffer.read(), sys.argv[1]))
