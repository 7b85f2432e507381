"""How far long work has come, on stderr: a bar on a terminal, a line every few seconds elsewhere, so that stdout stays the answer's."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from api.cli.session import warn

EVERY = 5.0
"""Seconds between two lines where stderr is no terminal."""


class LongWork:
    """One piece of long work. `show` may be called as often as one likes."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._last = time.monotonic()
        self._bar: Progress | None = None
        if sys.stderr.isatty():
            self._bar = Progress(
                SpinnerColumn(),
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TimeElapsedColumn(),
                console=Console(stderr=True),
                transient=True,
            )

    def __enter__(self) -> Self:
        if self._bar is not None:
            self._bar.start()
            self._task = self._bar.add_task(self._what, total=None)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def show(self, done: int, total: int | None = None, detail: str = "") -> None:
        """`done` of `total` (None: nobody knows), and what else there is to say."""
        if self._bar is not None:
            self._bar.update(self._task, completed=done, total=total, description=f"{self._what} {detail}".rstrip())
            return
        now = time.monotonic()
        if now - self._last >= EVERY:
            self._last = now
            of = f" / {total:,}" if total else ""
            warn(f"{self._what}: {done:,}{of} {detail}".rstrip())
