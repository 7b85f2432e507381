"""One evidence file: what it is, its picture or a link to it, and the events that name it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from api.admission import Read
from api.console.rendering import render
from api.parameters import NoParameters
from api.views.evidence import stored_view

router = APIRouter(prefix="/evidence")
Digest = Annotated[str, Path(pattern="^[0-9a-f]{64}$")]


@router.get("/{sha256}", response_class=Response)
def evidence(request: Request, sha256: Digest, read: Read, _: Annotated[NoParameters, Query()]) -> Response:
    """A file, as far as the reader may see it."""
    page = render(request, read, "evidence.html", file=stored_view(read, sha256))
    page.headers["Cache-Control"] = "no-store"
    return page
