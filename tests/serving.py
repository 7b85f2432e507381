"""A server in a process of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys

from tests.conftest import CHECKOUT


def started(*arguments: str, module: str = "api.cli.main") -> tuple[subprocess.Popen[str], str]:
    """The process, and the address that it says it answers at; it chooses the port itself."""
    process = subprocess.Popen(
        [sys.executable, "-m", module, *arguments, "--port", "0"],
        cwd=CHECKOUT,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    for line in process.stdout:
        found = re.search(r"http://127\.0\.0\.1:\d+", line)
        if found:
            return process, found[0]
    raise AssertionError(f"the server said no address: {process.communicate()}")
