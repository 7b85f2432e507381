"""Thumbnails of photographs, made by a process of its own: a decoder that an upload gets the better of holds nothing, and dies.

The process (`thumbnail_process.py`) has no environment, no keys and no files; it may use so much memory and time and write to its
output alone. Nothing of a photograph but its pixels comes out: no place, no device, no time. Thumbnails are never kept.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from threading import BoundedSemaphore
from typing import Final

from domain.errors import NotFoundError, RuleError

FORMATS: Final = {"image/jpeg": "JPEG", "image/png": "PNG", "image/webp": "WEBP"}
"""By media type (`SHOWN_SMALL`) the only decoder that is tried on it."""
PATIENCE: Final = 15.0
"""Seconds after which the process is ended."""
AT_ONCE: Final = 2
"""Photographs that are decoded at one time; whoever asks for more waits."""
_PROCESS: Final = Path(__file__).with_name("thumbnail_process.py")
_free: Final = BoundedSemaphore(AT_ONCE)


def thumbnail(media: str, content: bytes) -> bytes:
    """A small JPEG of a photograph, upright, 320 pixels on its longer side at the most.

    Raises:
        NotFoundError: no thumbnail is made of files of this type.
        RuleError: it has more than 50 million pixels, takes too much time or memory, or is damaged.
    """
    if media not in FORMATS:
        raise NotFoundError(f"there are no thumbnails of {media}")
    with _free:
        try:
            done = subprocess.run(
                [sys.executable, "-I", str(_PROCESS), FORMATS[media]],
                input=content,
                capture_output=True,
                env={},
                cwd="/",
                timeout=PATIENCE,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise _refused() from None
    if done.returncode or not done.stdout.startswith(b"\xff\xd8\xff"):
        raise _refused()
    return done.stdout


def _refused() -> RuleError:
    return RuleError(
        "the photograph is too large to be shown small, or damaged; it can be downloaded as it is",
        rule="thumbnail",
        clause="evidence: thumbnails",
    )
