"""The sample campaign on the real platform: embedded PostgreSQL, log, fold engine. Played once a test run, opened as often as asked."""

from __future__ import annotations

import atexit
import functools
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from infra.bootstrap import Platform, Settings, load_settings, open_platform, run_sample

PATIENCE = 60.0
"""Seconds that the ledgers may take to reach the end of the sample's log."""


@functools.cache
def _folder() -> Path:
    parent = Path(tempfile.mkdtemp(prefix="qingling-test-sample-"))
    atexit.register(shutil.rmtree, parent, ignore_errors=True)
    run_sample(settings_of(parent / "sample"))
    return parent / "sample"


def settings_of(folder: Path) -> Settings:
    """Default settings for a data folder, whatever the environment says."""
    return load_settings({"data": folder}, environ={})


@contextmanager
def sampled() -> Iterator[Platform]:
    """The sample's platform, its ledgers folded to the end of the log, and all of it published."""
    with open_platform(settings_of(_folder()), folding=True) as platform:
        folded(platform)
        platform.sealing.publish(PATIENCE)
        yield platform


def folded(platform: Platform) -> None:
    """Waits for the ledgers.

    Raises:
        TimeoutError: they are not at the end of the log in time.
    """
    deadline = time.monotonic() + PATIENCE
    while any(ledger.lag for ledger in platform.status().ledgers):
        if time.monotonic() > deadline:
            raise TimeoutError(f"the ledgers are not folded: {platform.status().ledgers}")
        time.sleep(0.05)
