"""The OpenAPI document: whole, true, and with an example for every route."""

from __future__ import annotations

import json

import jsonschema
import pytest
from fastapi.testclient import TestClient

from api.rest.documented import EXAMPLES
from tests.api.examples import made


@pytest.fixture
def document(client: TestClient) -> dict:
    return client.get("/openapi.json").json()


def test_the_stored_examples_are_what_is_answered_now(client: TestClient):
    assert json.loads(EXAMPLES.read_text("utf-8")) == made(client), "run: python -m tests.api.examples"


def test_every_route_has_an_example_that_fits_its_schema(document: dict):
    for path, operations in document["paths"].items():
        if not path.startswith("/v1") or path.endswith(("/export", "/evidence/{sha256}", "/thumbnail")):
            continue  # a file
        for operation in operations.values():
            answer = next(answer for status, answer in operation["responses"].items() if status in ("200", "201"))
            for content in answer["content"].values():
                assert content["example"], path
                schema = {"components": document["components"], **content["schema"]}
                jsonschema.Draft202012Validator(schema).validate(content["example"])


def test_every_route_names_its_problems_and_none_speaks_of_the_frameworks_own(document: dict):
    for path, operations in document["paths"].items():
        for operation in operations.values():
            assert "HTTPValidationError" not in str(operation["responses"])
            if path.startswith("/v1"):
                assert {"400", "401", "404", "503"} <= set(operation["responses"])
                problem = operation["responses"]["400"]["content"]["application/problem+json"]
                assert problem["schema"] == {"$ref": "#/components/schemas/Problem"}
                jsonschema.Draft202012Validator(document["components"]["schemas"]["Problem"]).validate(
                    problem["example"]
                )


def test_every_route_and_parameter_is_described(document: dict):
    for path, operations in document["paths"].items():
        for operation in operations.values():
            assert operation["summary"], path
            assert operation["description"], path
            for parameter in operation.get("parameters", []):
                assert parameter.get("description") or parameter["in"] == "path", (path, parameter["name"])


def test_filters_stand_in_the_document_though_only_the_catalogue_knows_them(document: dict):
    named = {parameter["name"] for parameter in document["paths"]["/v1/ledgers/{name}"]["get"]["parameters"]}
    assert {"jurisdiction", "funding", "stage", "kind", "order", "as_known_at"} <= named


def test_pages_of_the_console_are_no_part_of_the_interface(document: dict):
    assert not [path for path in document["paths"] if path.startswith(("/zh", "/en", "/static"))]


def test_the_reference_page_names_every_route_and_loads_nothing_from_outside(client: TestClient, document: dict):
    page = client.get("/zh/api").text
    assert all(path in page for path in document["paths"])
    assert "//" not in page.replace("urn:", "").replace("http://www.w3.org", "") or 'src="http' not in page


def test_a_real_log_demands_the_token_and_a_simulation_does_not(client: TestClient, real_client: TestClient):
    def security(client: TestClient) -> list:
        return client.get("/openapi.json").json()["paths"]["/v1/log"]["get"]["security"]

    assert security(real_client) == [{"officer": []}]
    assert security(client) == [{"officer": []}, {}]
