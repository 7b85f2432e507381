"""The OpenAPI document: what FastAPI derives, less what is not so here, plus the filters that only the catalogue knows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from api.rest.documented import Problem, examples
from domain.campaigns.genesis import LogKind
from projections.ledger import SummaryLedger

if TYPE_CHECKING:
    from infra.bootstrap import Platform

_FILTERED = ("/v1/ledgers/{name}", "/v1/ledgers/{name}/export")


def described(app: FastAPI, platform: Platform) -> None:
    """Makes the application describe itself so."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _document(app, platform)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def _document(app: FastAPI, platform: Platform) -> dict[str, Any]:
    document = get_openapi(
        title=app.title,
        version=app.version,
        description=app.description,
        routes=app.routes,
        summary="清零, version 1",
    )
    schemas = document["components"]["schemas"]
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    schemas["Problem"] = Problem.model_json_schema()
    document["components"]["securitySchemes"] = {
        "officer": {"type": "http", "scheme": "bearer", "description": "A token of `qingling officer add`."}
    }
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            if "Problem" not in str(operation["responses"].get("422", "Problem")):
                operation["responses"].pop("422")  # the framework's own: what cannot be read is a 400 here
            for status in ("200", "201"):
                _give_examples(operation["responses"].get(status, {}))
            if path in _FILTERED:
                operation["parameters"] += _filters(platform)
            if path.startswith("/v1"):
                operation["security"] = _security(platform, method)
    return document


def _security(platform: Platform, method: str) -> list[dict[str, list[str]]]:
    """What a route asks for. An empty requirement beside the scheme: a simulation is open to read (OpenAPI 3.1, section 4.8.30)."""
    is_open = platform.info.kind is LogKind.SIMULATION and method == "get"
    return [{"officer": []}, *([{}] if is_open else [])]


def _give_examples(response: dict[str, Any]) -> None:
    """Puts the stored examples where their names stand: FastAPI itself would leave out what is null in them."""
    for content in response.get("content", {}).values():
        if "example" in content:
            content["example"] = examples()[content["example"]]


def _filters(platform: Platform) -> list[dict[str, Any]]:
    """One parameter a column that some ledger can be filtered by."""
    ledgers: dict[str, list[str]] = {}
    for ledger in platform.catalogue:
        if not isinstance(ledger, SummaryLedger):
            for name in ledger.filters:
                ledgers.setdefault(name, []).append(ledger.name)
    return [
        {
            "name": name,
            "in": "query",
            "required": False,
            "schema": {"type": "string"},
            "description": f"Only rows with this value of `{name}` (ledgers: {', '.join(found)}).",
        }
        for name, found in sorted(ledgers.items())
    ]
