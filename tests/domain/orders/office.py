"""An office with a log in memory and one case, and the small things that its orders are made of."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from domain.cases.case import Case, Particulars
from domain.catalogue import EVENT_TYPES
from domain.entries import Recorded
from domain.sealing.personal import Sealed
from domain.streams import Basis, Context, Provenance, StreamEvent
from domain.vocabulary import CaseClass, Evidence, Funding
from infra.memory.recorder import MemoryLog
from infra.streams import StreamStore

ZONE = ZoneInfo("Asia/Shanghai")
START = datetime(2019, 12, 2, 9, 0, tzinfo=ZONE)
ORIGIN = "yangquan-1"
CASE = "case-1"
PROOF = (Evidence(sha256="ab" * 32, type="image/jpeg"),)


def sealed(text: str) -> Sealed:
    """A text as an event holds it."""
    digest = hashlib.sha256(text.encode()).hexdigest()
    return Sealed(CASE, digest, digest)


def when(
    hours: float = 0,
    by: str | None = "officer-a",
    basis: Basis | None = Basis.DOCUMENTED,
    *,
    approved: str | None = None,
    clause: str | None = "N28",
) -> Provenance:
    """A provenance `hours` after the start."""
    moment = START + timedelta(hours=hours)
    return Provenance(occurred=moment, received=moment, basis=basis, clause=clause, decidedby=by, approvedby=approved)


class Office:
    """Streams on a log in memory, with one case of a government project in it."""

    context = Context(actor="clerk-1", correlation="test")

    def __init__(self, funding: Funding = Funding.GOVERNMENT) -> None:
        self.log = MemoryLog()
        self.streams = StreamStore(self.log, EVENT_TYPES, "urn:qingling:test")
        self.open_case(CASE, funding)

    def open_case(self, case: str, funding: Funding = Funding.GOVERNMENT) -> None:
        """Registers a case."""
        particulars = Particulars(
            jurisdiction="140321",
            received=START,
            funding=funding,
            classes=(CaseClass.IN_YEAR,),
            class_ground="N11",
        )
        self.streams.commit(
            Case(id=case, number=f"N-{case}", particulars=particulars, provenance=when()), context=self.context
        )

    def events(self, stream: str) -> list[Recorded[StreamEvent]]:
        """The recorded events of a stream, in order."""
        return [EVENT_TYPES.decode(stored) for stored in self.log.read_stream(stream)]

    @property
    def end(self) -> int:
        """The position of the last recorded event."""
        return self.log.head().position

    def how(self, **more: Any) -> dict[str, Any]:
        """What every command is given."""
        return {"context": self.context, **more}
