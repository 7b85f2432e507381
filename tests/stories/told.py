"""All stories, told one after the other, and the log that their offices would share: for tests that want much of everything recorded.

A story has an office of its own, and the ids in it are those of every other one; in the log that is put together each is made the
story's own, the officers and the log's first event are there once, and what was recorded at one time stands side by side.
"""

from __future__ import annotations

import functools
import hashlib
import importlib
import pkgutil
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import islice
from typing import Any, cast

from domain.recording import StoredEntry, filled
from infra.postgres.refill import stored_entry
from tests import stories
from tests.stories.office import Office

_ID = re.compile(rb'(?<=-)[0-9a-f]{32}(?=["/])')
_AT_RANDOM = "test_at_random"


def all_stories() -> Iterator[Callable[[Office], None]]:
    """Every story that is written down, those at random left out."""
    for module in sorted(found.name for found in pkgutil.iter_modules(stories.__path__)):
        if module.startswith("test_") and module != _AT_RANDOM:
            told_here = vars(importlib.import_module(f"{stories.__name__}.{module}"))
            yield from (story for name, story in told_here.items() if name.startswith("test_"))


@functools.cache
def told(every: int = 1) -> tuple[StoredEntry, ...]:
    """The log of every story, or of one in so many; told once a run."""
    logs = []
    first = Office()
    with first.client as client:
        for number, story in enumerate(islice(all_stories(), 0, None, every)):
            office = first if number == 0 else Office()
            office.client = client  # what an application costs is its first request
            cast(Any, client.app).state.platform = office.platform
            story(office)
            logs.append(_renamed(office.platform.log.read(0, 1_000_000), number))
    together = sorted((each for log in logs for each in log), key=lambda each: each.recorded_at)
    entries: list[StoredEntry] = []
    for each in together:
        before = entries[-1].recorded_at + timedelta(microseconds=1) if entries else each.recorded_at
        at = max(before, each.recorded_at)
        bytes_ = filled(each.entry, each.entry.rindex(b'"time":"') + len('"time":"'), at)
        entries.append(stored_entry(len(entries) + 1, bytes_))
    return tuple(entries)


def _renamed(log: Any, number: int) -> list[StoredEntry]:
    """A story's entries with ids of its own; what all offices begin with, and what officers are, of the first one alone."""

    def own(found: re.Match[bytes]) -> bytes:
        return hashlib.md5(b"%d/%s" % (number, found[0]), usedforsecurity=False).hexdigest().encode()

    shared = ("log", "officer-")
    kept = [each for each in log if number == 0 or not each.stream.startswith(shared)]
    return [replace(each, entry=_ID.sub(own, each.entry)) for each in kept]
