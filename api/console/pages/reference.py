"""The REST interface as a page, made from the OpenAPI document without any outside resource."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from api.admission import Read
from api.console.rendering import render
from api.parameters import NoParameters

router = APIRouter(prefix="/api")


@router.get("", response_class=Response)
def reference(request: Request, read: Read, _: Annotated[NoParameters, Query()]) -> Response:
    """Every route: what it answers, what it can be asked."""
    document: dict[str, Any] = request.app.openapi()
    routes = [
        (method.upper(), path, operation)
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    ]
    return render(request, read, "api.html", routes=routes)
