"""Whatever the OpenAPI document allows to be asked, and much that it does not, no answer is a server error or breaks its schema.

An officer asks, about things that are there and others; what is refused is a problem document and leaves nothing in the log.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from api.commands.catalogue import NOUNS
from tests.api.conftest import client_of
from tests.api.fake_platform import TOKEN, FakePlatform, played
from tests.conftest import SOAKING

CHECKS: Any = (status_code_conformance, content_type_conformance, response_schema_conformance)
EXAMPLES = 60 if SOAKING else 5
OFFICER = {"Authorization": f"Bearer {TOKEN}"}


@dataclass(frozen=True)
class Interface:
    """The interface as it describes itself, what is behind it, and by kind of thing one that is there."""

    platform: FakePlatform
    described: Any
    there: dict[str, str]

    def asked(self, case: Any, about_one: bool) -> Any:
        """The answer to a question, asked about a thing that is there if it can be."""
        plural = case.path.removeprefix("/v1/").split("/")[0]
        if about_one and plural in self.there and "thing" in (case.path_parameters or {}):
            case.path_parameters["thing"] = self.there[plural]
        before = self.platform.log.head()
        response = case.call(headers={**(case.headers or {}), **OFFICER})
        assert response.status_code < 500 or response.status_code == 503
        case.validate_response(response, checks=CHECKS)
        if response.status_code >= 400:
            assert response.headers["content-type"] == ["application/problem+json"]
            assert self.platform.log.head() == before, "something of what was refused was recorded"
        return response


@pytest.fixture(scope="module")
def interface() -> Interface:
    """That of a small campaign."""
    platform = played()
    there = {}
    for noun in NOUNS:
        if noun.ledger is not None:
            found = next(iter(platform.rows(noun.ledger)), None)
            if found is not None:
                there[noun.plural] = found.key
    return Interface(platform, schemathesis.openapi.from_asgi("/openapi.json", client_of(platform).app), there)


@pytest.mark.slow
@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_no_question_breaks_a_route(interface: Interface, mode: GenerationMode):
    answers: Counter[int] = Counter()
    for operation in interface.described.get_all_operations():
        strategy = operation.ok().as_strategy(generation_mode=mode)

        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        )
        @given(strategy, st.booleans())
        def ask(case: Any, about_one: bool) -> None:
            answers[interface.asked(case, about_one).status_code] += 1

        try:
            ask()
        except Unsatisfiable:
            assert mode is GenerationMode.NEGATIVE, "a route that takes nothing cannot be asked wrongly"
    if mode is GenerationMode.POSITIVE:
        assert answers[401] == 0, "an officer asked"
        assert min(answers[code] for code in (200, 201, 404, 422)) > 5, answers
    else:
        assert answers[400] > 200, answers
