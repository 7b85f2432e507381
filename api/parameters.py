"""Query parameters of every door: one model a route, and a clear refusal of what it does not know.

Guarantees that a misspelt parameter is never silently ignored (a filter that does nothing would show too much), and that no control
character reaches the platform.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from api.reading import Reading, is_text
from api.views.board import BehindAsked, BoardAsked
from api.views.case import Window
from api.views.ledger import Asked, nearest
from domain.errors import NotReadyError

MAX_POSITION = 2**53 - 1
MAX_WAIT = 30.0
"""Seconds that a reader may wait for a position to be folded."""
PUBLISHING = 10.0
"""Seconds that who asks with `wait=published` waits at the most: five times what publishing may take, and few enough that those who
wait for a witness that is away do not keep everybody else from being answered."""

UNKNOWN = "unknown_parameter"
UNPRINTABLE = "unprintable"


class Parameters(BaseModel):
    """Base of the query models."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    OPEN: ClassVar[bool] = False
    """Whether further parameters are allowed: filters, by the name of a column."""

    @model_validator(mode="before")
    @classmethod
    def _known(cls, given: Any) -> Any:
        """Refuses what the route does not know, naming the nearest that it does; an empty text counts as not given."""
        if not isinstance(given, Mapping):
            return given
        for name, value in given.items():
            if not cls.OPEN and name not in cls.model_fields:
                hint = nearest(name, cls.model_fields) if cls.model_fields else "; this address takes none"
                raise PydanticCustomError(
                    UNKNOWN, "there is no parameter {name}{hint}", {"name": repr(name), "hint": hint, "field": name}
                )
            if isinstance(value, str) and not is_text(value):
                raise PydanticCustomError(
                    UNPRINTABLE, "{field} holds a character that cannot be printed", {"field": name}
                )
        return {name: value for name, value in given.items() if value != ""}


class NoParameters(Parameters):
    """For a route that takes none."""


KNOWN_AT = Annotated[
    str | None,
    Field(
        description="As known at: a position (`1234`), a day (`2019-12-31`: its end, local time), or an instant (RFC 3339). "
        "Left out: as known now.",
        examples=["2019-12-31"],
        max_length=64,
    ),
]
WAS_BY = Annotated[
    str | None,
    Field(
        description="As it was by the end of a day, with what is known now. Never together with `as_known_at`.",
        examples=["2019-12-31"],
        max_length=10,
    ),
]
NAMES = Annotated[
    bool, Field(description="Show personal fields in clear. Without it, or without the right, they stay sealed.")
]


class FreshParameters(Parameters):
    """Reading one's own writes."""

    min_position: Annotated[
        int | None, Field(ge=0, le=MAX_POSITION, description="Wait until the ledgers have folded up to this position.")
    ] = None
    wait: Annotated[float, Field(ge=0, le=MAX_WAIT, description="Seconds to wait for it at the most.")] = 5.0

    def wait_on(self, reading: Reading, *ledgers: str) -> None:
        """Waits for `min_position`, if it was asked for.

        Raises:
            NotReadyError: the ledgers have not reached it in time.
        """
        if self.min_position is not None:
            reading.platform.wait_for(self.min_position, timeout=self.wait, ledgers=ledgers or None)


class PublishedParameters(Parameters):
    """Waiting until what was recorded is published. For every route that hands out what is proved, and for every write."""

    wait: Annotated[
        Literal["published"] | None,
        Field(
            description=f"`published`: answer only once the event is published, after {PUBLISHING:.0f} seconds at the latest."
        ),
    ] = None

    def wait_on(self, reading: Reading, position: int) -> None:
        """Waits until the event at `position` is published, if that was asked for. For reads.

        Raises:
            NotReadyError: it is not in time, or sealing has stopped.
        """
        if self.wait is not None:
            reading.platform.sealing.wait_published(position, PUBLISHING)

    def waited(self, reading: Reading, position: int) -> None:
        """As `wait_on`, but never fails. For writes: the event is recorded whatever follows, and the answer says how far it has come."""
        with suppress(NotReadyError):
            self.wait_on(reading, position)


class ConsistencyParameters(Parameters):
    """Two published trees, the earlier one first."""

    old: Annotated[int, Field(ge=1, le=MAX_POSITION, description="Size of the earlier checkpoint.", examples=[1])]
    new: Annotated[
        int | None, Field(ge=1, le=MAX_POSITION, description="Size of the later one; left out: the published one.")
    ] = None


class CheckpointParameters(Parameters):
    """A published checkpoint."""

    size: Annotated[
        int | None, Field(ge=0, le=MAX_POSITION, description="The one with so many events; left out: the latest.")
    ] = None


class LedgerParameters(FreshParameters):
    """A page of a ledger; further parameters are filters."""

    model_config = ConfigDict(extra="allow")
    OPEN = True

    as_known_at: KNOWN_AT = None
    order: Annotated[str | None, Field(description="Column to order by; the ledger's `orders` say which.")] = None
    descending: Annotated[bool, Field(description="Largest first.")] = False
    limit: Annotated[int, Field(ge=1, le=200, description="Rows at the most.")] = 50
    after: Annotated[str | None, Field(description="Cursor of the page before.", max_length=2_000)] = None
    prefix: Annotated[str | None, Field(description="Beginning of the text in the ledger's `search` column.")] = None
    names: NAMES = False

    def asked(self) -> Asked:
        """What is asked of the ledger."""
        return Asked(
            as_known_at=self.as_known_at,
            order=self.order,
            descending=self.descending,
            after=self.after,
            limit=self.limit,
            filters=self.filters(),
            prefix=self.prefix,
            names=self.names,
        )

    def filters(self) -> dict[str, str]:
        """The filters, by column; the ledger says whether it knows them."""
        return {name: str(value) for name, value in (self.model_extra or {}).items()}


class RowParameters(FreshParameters):
    """One row of a ledger."""

    as_known_at: KNOWN_AT = None
    names: NAMES = False


class NamesParameters(Parameters):
    """Personal fields in clear, or not."""

    names: NAMES = False


class ExportParameters(Parameters):
    """A ledger as a file; further parameters are filters."""

    model_config = ConfigDict(extra="allow")
    OPEN = True

    format: Annotated[str, Field(pattern="^(csv|xlsx|jsonl)$", description="csv, xlsx, or jsonl.", examples=["csv"])]
    as_known_at: KNOWN_AT = None
    language: Annotated[str, Field(pattern="^(zh|en)$", description="Language of the headings: zh or en.")] = "zh"
    names: NAMES = False

    def filters(self) -> dict[str, str]:
        """The filters, by column."""
        return {name: str(value) for name, value in (self.model_extra or {}).items()}


class BoardParameters(FreshParameters):
    """The clearance board, or a part of it."""

    as_known_at: KNOWN_AT = None
    jurisdiction: Annotated[
        str | None, Field(description="Code or name; everything below it counts.", max_length=100)
    ] = None
    funding: Annotated[str | None, Field(description="Kind of project.", examples=["government"])] = None

    def asked(self) -> BoardAsked:
        """What is asked of the board."""
        return BoardAsked(as_known_at=self.as_known_at, jurisdiction=self.jurisdiction, funding=self.funding)


class CompletenessParameters(Parameters):
    """Who is missing, of one place or of all."""

    as_known_at: KNOWN_AT = None
    jurisdiction: Annotated[
        str | None, Field(description="Code or name; everything below it counts.", max_length=100)
    ] = None


class BehindParameters(BoardParameters):
    """The cases behind one figure of the board."""

    case_class: Annotated[str, Field(description="in-year, historical, or handed-down.", examples=["in-year"])]
    checkpoint: Annotated[str, Field(description="Name of a checkpoint of the campaign.", examples=["year-end"])]
    measure: Annotated[
        str, Field(description="A measure of the board, or `open`: members not written off in time.")
    ] = "members"
    after: Annotated[str | None, Field(description="Cursor of the stretch before.", max_length=2_000)] = None
    names: NAMES = False

    def behind(self) -> BehindAsked:
        """Which figure is asked for."""
        return BehindAsked(
            case_class=self.case_class,
            checkpoint=self.checkpoint,
            measure=self.measure,
            jurisdiction=self.jurisdiction,
            funding=self.funding,
            as_known_at=self.as_known_at,
            after=self.after,
            names=self.names,
        )


FEW = 100
"""Claim lines, or events, that an answer about a case holds if nobody asks for more: enough for most cases, and quick for all."""
FEW_EVENTS = 40
"""Events that a page shows, each with what it changed."""
MOST_LINES = 5_000
MOST_EVENTS = 20_000


class CaseParameters(Parameters):
    """A case on one of the two time axes."""

    as_known_at: KNOWN_AT = None
    as_it_was_by: WAS_BY = None
    names: NAMES = False
    lines: Annotated[int, Field(ge=0, le=MOST_LINES, description="How many claim lines the answer holds.")] = FEW
    lines_from: Annotated[int, Field(ge=1, le=1_000_000, description="The first of them, counted from 1.")] = 1
    events: Annotated[
        int, Field(ge=0, le=MOST_EVENTS, description="How many events the answer holds: the last ones.")
    ] = FEW
    events_before: Annotated[
        int | None, Field(ge=1, le=MAX_POSITION, description="Only events below this position.")
    ] = None

    def window(self) -> Window:
        """The part of the case that is asked for."""
        return Window(self.lines, self.lines_from, self.events, self.events_before)


class WhyParameters(Parameters):
    """A case on one of the two time axes, and the word that is asked about."""

    as_known_at: KNOWN_AT = None
    as_it_was_by: WAS_BY = None
    names: NAMES = False
    word: Annotated[
        Literal["determined", "solved", "confirmed", "closed", "written-off"] | None,
        Field(description="Only this word."),
    ] = None


class ComparisonParameters(Parameters):
    """A case on both axes at the end of one day."""

    day: Annotated[str, Field(description="The day, as 2019-12-31.", examples=["2019-12-31"])]


class StreamParameters(Parameters):
    """A stream's events."""

    upto: Annotated[int | None, Field(ge=0, le=MAX_POSITION, description="The last position that counts.")] = None
    names: NAMES = False
