"""A headless Chromium, the one of the machine, without JavaScript: what the console promises to need."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def installed() -> str | None:
    """Where the machine's browser is, if it has one."""
    return next((found for name in NAMES if (found := shutil.which(name))), None)


@contextmanager
def headless(executable: str) -> Iterator[Browser]:
    """The browser, with a profile of its own that vanishes with it. Nothing is downloaded."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, headless=True, args=list(FLAGS))
        try:
            yield browser
        finally:
            browser.close()
