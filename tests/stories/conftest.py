"""Every story has an office of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.stories.office import Office


@pytest.fixture
def office() -> Iterator[Office]:
    told = Office()
    with told.client:
        yield told
