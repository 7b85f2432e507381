"""A browser, and the console over the sample campaign."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from api.application import create_app
from tests.api.sampled import sampled
from tests.e2e.browser import headless, installed
from tests.e2e.served import served

expect.set_options(timeout=30_000)


@pytest.fixture(scope="package")
def address() -> Iterator[str]:
    """Where the console answers."""
    with sampled() as platform, served(create_app(platform)) as address:
        yield address


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """The machine's own Chromium; without one the tests are skipped, unless nothing may be missing."""
    executable = installed()
    if executable is None:
        assert os.environ.get("CI") != "true", (
            "no Chromium is installed, and with CI=true no test may be skipped for it"
        )
        pytest.skip("no Chromium is installed")
    with headless(executable) as browser:
        yield browser


@pytest.fixture
def page(chromium: Browser, address: str) -> Iterator[Page]:
    """A page without JavaScript, in Chinese, that may load nothing but what this server serves."""
    context = chromium.new_context(
        java_script_enabled=False, locale="zh-CN", base_url=address, viewport={"width": 1280, "height": 900}
    )
    context.set_default_timeout(30_000)
    page = context.new_page()
    outside: list[str] = []
    page.on("request", lambda request: None if request.url.startswith(address) else outside.append(request.url))
    yield page
    context.close()
    assert outside == []
