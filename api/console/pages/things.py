"""The page of a thing that commands are about: its row, its history, and what can be done with it."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import APIRouter, Request, Response

from api.admission import Read
from api.commands.catalogue import NOUNS
from api.commands.command import Noun
from api.console.rendering import render
from api.rest.things import HAS_ITS_OWN
from api.views.thing import thing_view

router = APIRouter()


def _page(noun: Noun) -> Callable[[Request, str, Read], Response]:
    def page(request: Request, thing: str, read: Read) -> Response:
        view = thing_view(read, noun, thing, names=True)
        return render(request, read, "thing.html", thing=view, noun=noun)

    page.__annotations__ = {"request": Request, "thing": str, "read": Read, "return": Response}
    return page


for _noun in NOUNS:
    if _noun.name not in HAS_ITS_OWN:
        router.add_api_route(f"/{_noun.plural}/{{thing:path}}", _page(_noun), methods=["GET"], response_class=Response)
