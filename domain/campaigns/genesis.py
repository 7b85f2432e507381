"""The first event of a log: what the log is. It never changes, and stands on every page, export and proof."""

from __future__ import annotations

from enum import StrEnum

from eventsourcing.domain import event

from domain.campaigns.campaign import Campaign
from domain.jurisdictions import Jurisdiction, JurisdictionTree
from domain.streams import Provenance, Stream, Visibility

GENESIS_STREAM = "log"


class LogKind(StrEnum):
    """A real log takes its times from the clock; in a simulation they are played, and only run forward."""

    REAL = "real"
    SIMULATION = "simulation"


class Genesis(Stream):
    """The log itself, and the jurisdictions that were added to its tree later."""

    TOPIC = "log"
    VISIBILITY = Visibility.PUBLIC

    class Event(Stream.Event):
        """Base of the log's own events."""

    class Created(Event, Stream.Created):
        """The log begins."""

        TOPIC = "log.created.v1"
        kind: LogKind
        origin: str
        root: str
        places: tuple[Jurisdiction, ...]
        timezone: str
        currency: str
        campaign: Campaign

    class PlacesAdded(Event):
        """A mapping or deployment brought jurisdictions of its own; the tree of the first event stays as it is."""

        TOPIC = "log.places-added.v1"
        places: tuple[Jurisdiction, ...]

    @event(Created)
    def __init__(
        self,
        id: str,
        kind: LogKind,
        origin: str,
        root: str,
        places: tuple[Jurisdiction, ...],
        timezone: str,
        currency: str,
        campaign: Campaign,
        provenance: Provenance,
    ) -> None:
        self.kind = kind
        self.origin = origin
        self.root = root
        self.places = places
        self.timezone = timezone
        self.currency = currency
        self.campaign = campaign

    @property
    def jurisdiction(self) -> str:
        return self.root

    @property
    def tree(self) -> JurisdictionTree:
        """Every jurisdiction known now."""
        return JurisdictionTree(self.places)

    def add_places(self, places: tuple[Jurisdiction, ...], provenance: Provenance) -> None:
        """Adds the jurisdictions that are not known yet; nothing is recorded when all are."""
        known = {place.code for place in self.places}
        new = tuple(place for place in places if place.code not in known)
        if new:
            self._places_added(places=new, provenance=provenance)

    @event(PlacesAdded)
    def _places_added(self, places: tuple[Jurisdiction, ...], provenance: Provenance) -> None:
        self.places = (*self.places, *places)
