"""The command about packs: what a pack will show is recorded before anybody can be handed it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from domain.packs.pack import Pack, PackedLedger, Selection
from domain.repository import Streams
from domain.streams import Context, Provenance


def announce_pack(
    streams: Streams,
    *,
    pack: str,
    place: str,
    selection: Selection,
    upto: int,
    wholeness: int,
    cases: int,
    withoffice: bool,
    withheld: str,
    ledgers: Sequence[PackedLedger],
    provenance: Provenance,
    context: Context,
    now: datetime | None = None,
) -> int:
    """Binds the log to the figures of a pack; the position of the event.

    Raises:
        ConflictError: there is a pack of this id already.
        RecordingError: the store failed.
    """
    made = Pack(
        id=pack,
        place=place,
        selection=selection,
        upto=upto,
        wholeness=wholeness,
        cases=cases,
        withoffice=withoffice,
        withheld=withheld,
        ledgers=tuple(ledgers),
        provenance=provenance,
    )
    return streams.commit(made, context=context, now=now).positions[-1]
