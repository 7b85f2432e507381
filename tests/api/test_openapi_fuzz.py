"""Whatever the OpenAPI document allows to be asked, and much that it does not, no answer is a server error or breaks its schema."""

from __future__ import annotations

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.api.conftest import client_of
from tests.api.fake_platform import played

CHECKS: Any = (status_code_conformance, content_type_conformance, response_schema_conformance)


@pytest.fixture(scope="module")
def interface() -> Any:
    """The interface as it describes itself."""
    return schemathesis.openapi.from_asgi("/openapi.json", client_of(played()).app)


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_no_question_breaks_a_route(interface: Any, mode: GenerationMode):
    asked = 0
    for operation in interface.get_all_operations():
        strategy = operation.ok().as_strategy(generation_mode=mode)

        @settings(
            max_examples=8, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
        )
        @given(strategy)
        def ask(case: Any) -> None:
            nonlocal asked
            response = case.call()
            assert response.status_code < 500 or response.status_code == 503
            case.validate_response(response, checks=CHECKS)
            asked += 1

        try:
            ask()
        except Unsatisfiable:
            assert mode is GenerationMode.NEGATIVE, "a route that takes nothing cannot be asked wrongly"
    assert asked > 50
