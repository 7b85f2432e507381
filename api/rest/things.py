"""`GET /v1/{things}/{thing}`: what commands are about, with its history and the commands that can be given."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from api.admission import Read
from api.commands.catalogue import NOUNS
from api.commands.command import Noun
from api.parameters import NamesParameters
from api.rest.answers import answer
from api.rest.documented import documented
from api.views.thing import ThingView, thing_view
from api.views.timeline import states_of

router = APIRouter(prefix="/v1")
HAS_ITS_OWN = frozenset({"case"})
"""Nouns whose page and address are of their own."""


def _read(noun: Noun) -> Callable[..., Response]:
    def route(
        request: Request,
        thing: Annotated[str, Path(description="Its id or official number.", max_length=200)],
        read: Read,
        asked: Annotated[NamesParameters, Query()],
    ) -> Response:
        view = thing_view(read, noun, thing, names=asked.names)
        depends_on = None if asked.names else (noun.name, view.position, states_of(view.timeline))
        return answer(request, view, depends_on=depends_on)

    route.__signature__ = inspect.signature(route, eval_str=True)  # type: ignore[attr-defined]
    route.__name__ = noun.name.replace("-", "_")
    route.__doc__ = f"A {noun.title.en.lower()} by its id or official number, as known now."
    return route


for _noun in NOUNS:
    if _noun.name not in HAS_ITS_OWN:
        router.add_api_route(
            f"/{_noun.plural}/{{thing:path}}",
            _read(_noun),
            methods=["GET"],
            tags=[_noun.plural],
            **documented(ThingView, f"A {_noun.title.en.lower()}"),
        )
