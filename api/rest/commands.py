"""`POST /v1/{things}` and `POST /v1/{things}/{thing}/{verb}`: every command of `api/commands`, one route each.

A command is recorded in the name of the officer whose bearer token is sent, on a simulation too. `Idempotency-Key` makes it repeatable:
the same request under the same key is answered as the first time. `If-Match` with a position insists that nobody has recorded anything
about the same case (or thing) since the caller read it.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Body, Header, Path, Query, Request, Response

from api.admission import Read
from api.commands.catalogue import commands
from api.commands.command import Command
from api.commands.forms import Form
from api.commands.performing import Asking, RecordedView, perform
from api.parameters import PublishedParameters
from api.reading import Reading, is_text
from api.rest.answers import JSON
from api.rest.documented import recording
from domain.errors import InputError

router = APIRouter(prefix="/v1")
_KEY = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=200,
        description="Makes the command repeatable: chosen by the caller, unique for each thing that they do.",
    ),
]
_MATCH = Annotated[
    str | None,
    Header(
        alias="If-Match",
        max_length=40,
        description='A position, as `"1234"`: the command is refused if its case was changed after it.',
    ),
]
_POSITION = re.compile(r'"?(\d{1,16})"?')


def asking_of(key: str | None, match: str | None) -> Asking:
    """What the two headers ask for.

    Raises:
        InputError: the key cannot be printed, or what is to match is no position.
    """
    if key is not None and not is_text(key):
        raise InputError("the key holds a character that cannot be printed", field="Idempotency-Key", rule="printable")
    if match is None:
        return Asking(key)
    found = _POSITION.fullmatch(match.strip())
    if found is None:
        raise InputError(f"{match!r} is no position", field="If-Match", rule="value")
    return Asking(key, int(found[1]))


def answered(read: Reading, view: RecordedView, asked: PublishedParameters) -> Response:
    """201 with what was recorded, whatever becomes of it later."""
    if view.events:
        asked.waited(read, view.position)
    return Response(
        view.model_dump_json(),
        status_code=201,
        media_type=JSON,
        headers={"Location": f"/v1/events/{view.position}", "Cache-Control": "no-store"},
    )


def _opening(command: Command) -> Callable[..., Response]:
    def route(
        request: Request,  # noqa: ARG001 - FastAPI hands it in
        read: Read,
        asked: Annotated[PublishedParameters, Query()],
        form: Form,
        key: _KEY = None,
        match: _MATCH = None,
    ) -> Response:
        return answered(read, perform(read, command, None, form, asking_of(key, match)), asked)

    return route


def _about(command: Command) -> Callable[..., Response]:
    def route(
        request: Request,  # noqa: ARG001 - FastAPI hands it in
        thing: Annotated[str, Path(description="Its id or official number.", max_length=200)],
        read: Read,
        asked: Annotated[PublishedParameters, Query()],
        form: Form,
        key: _KEY = None,
        match: _MATCH = None,
    ) -> Response:
        return answered(read, perform(read, command, thing, form, asking_of(key, match)), asked)

    return route


def _routed(command: Command) -> Callable[..., Response]:
    """The route's function, its form that of the command: FastAPI reads the signature."""
    route = _opening(command) if command.opens else _about(command)
    signature = inspect.signature(route, eval_str=True)
    body: Any = Annotated[command.form, Body()]
    parameters = [
        each.replace(annotation=body) if name == "form" else each for name, each in signature.parameters.items()
    ]
    route.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    route.__name__ = command.name.replace(".", "_").replace("-", "_")
    route.__doc__ = f"{command.explained}\n\nClause: {command.clause}."
    return route


def address_of(command: Command) -> str:
    """The route's address, as the OpenAPI document has it."""
    return f"/v1{_path(command)}".replace("{thing:path}", "{thing}")


def _path(command: Command) -> str:
    address = f"/{command.noun.plural}"
    if not command.opens:
        return f"{address}/{{thing:path}}/{command.verb}"
    return address if command.verb == "register" else f"{address}/{command.verb}"


for _command in commands():
    router.add_api_route(
        _path(_command),
        _routed(_command),
        methods=["POST"],
        tags=[_command.noun.plural],
        **recording(RecordedView, f"{_command.title.en} ({_command.noun.title.en.lower()})"),
    )
