"""The log as a stream of its own: what it is, whose key signs for it, and what it binds itself to.

Its first event says what the log is; it never changes, and stands on every page, export and proof.
"""

from __future__ import annotations

from enum import StrEnum

from eventsourcing.domain import event

from domain.campaigns.campaign import Campaign
from domain.errors import RuleError
from domain.jurisdictions import Jurisdiction, JurisdictionTree
from domain.sealing.checkpoint import Checkpoint
from domain.sealing.sorted_map import MapHead
from domain.streams import Provenance, Shape, Stream, Visibility

GENESIS_STREAM = "log"
_CLAUSE = "design: the provable log"


class LogKind(StrEnum):
    """A real log takes its times from the clock; in a simulation they are played, and only run forward."""

    REAL = "real"
    SIMULATION = "simulation"


class MapCommitment(Shape, frozen=True, kw_only=True):
    """The head of a wholeness map (`domain/sealing/sorted_map.py`): how many names, and the root in hexadecimal."""

    size: int
    root: str

    @classmethod
    def of(cls, head: MapHead) -> MapCommitment:
        """The head as it is recorded."""
        return cls(size=head.size, root=head.root.hex())

    @property
    def head(self) -> MapHead:
        """The head that proofs are checked against."""
        return MapHead(self.size, bytes.fromhex(self.root))


class WholenessCommitment(Shape, frozen=True, kw_only=True):
    """What the log binds itself to: every stream and every partition key as of position `upto`."""

    upto: int
    streams: MapCommitment
    partitions: MapCommitment


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

    class KeyAnnounced(Event):
        """A key signs for the log from now on (signed-note vkey); `replaces` names the one that it will succeed."""

        TOPIC = "log.key-announced.v1"
        vkey: str
        replaces: str | None = None
        reason: str | None = None

    class KeyRetired(Event):
        """A key signs no more. What it signed stays signed."""

        TOPIC = "log.key-retired.v1"
        vkey: str
        reason: str | None = None

    class WholenessCommitted(Event):
        """The heads of the wholeness maps as of a position: from here on no history can be shown shorter, longer or otherwise."""

        TOPIC = "log.wholeness-committed.v1"
        upto: int
        streams: MapCommitment
        partitions: MapCommitment

    class Continued(Event):
        """This log goes on where another was lost: the last signed checkpoint of that one, and the whole note that bore it."""

        TOPIC = "log.continued.v1"
        origin: str
        size: int
        root: str
        note: str

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
        self.keys: tuple[str, ...] = ()
        self.retired: tuple[str, ...] = ()
        self.commitment: WholenessCommitment | None = None
        self.continues: str | None = None

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

    def announce_key(self, vkey: str, provenance: Provenance, *, reason: str | None = None) -> None:
        """A key signs from now on; nothing is recorded when it is known already."""
        if vkey not in self.keys:
            replaces = self.keys[-1] if self.keys else None
            self._key_announced(vkey=vkey, replaces=replaces, reason=reason, provenance=provenance)

    @event(KeyAnnounced)
    def _key_announced(self, vkey: str, replaces: str | None, reason: str | None, provenance: Provenance) -> None:
        self.keys = (*self.keys, vkey)

    def retire_key(self, vkey: str, provenance: Provenance, *, reason: str | None = None) -> None:
        """A key signs no more; nothing is recorded when it does not already.

        Raises:
            RuleError: the key was never announced, or is the last one that signs.
        """
        if vkey in self.retired:
            return
        if vkey not in self.keys:
            raise RuleError(f"the log never announced the key {vkey}", rule="key-announced", clause=_CLAUSE)
        if len(self.keys) - len(self.retired) == 1:
            raise RuleError(
                "the only key that signs for the log is not retired; make another one first",
                rule="one-key-signs",
                clause=_CLAUSE,
            )
        self._key_retired(vkey=vkey, reason=reason, provenance=provenance)

    @event(KeyRetired)
    def _key_retired(self, vkey: str, reason: str | None, provenance: Provenance) -> None:
        self.retired = (*self.retired, vkey)

    def commit_wholeness(self, upto: int, streams: MapHead, partitions: MapHead, provenance: Provenance) -> None:
        """Binds the log to all streams and all partition keys as of `upto`.

        Raises:
            RuleError: an earlier commitment reaches further; maps are committed to in the order of the log.
        """
        if self.commitment is not None and upto < self.commitment.upto:
            raise RuleError(
                f"the log is bound as of position {self.commitment.upto} already, which is after {upto}",
                rule="wholeness-goes-forward",
                clause=_CLAUSE,
            )
        self._wholeness_committed(
            upto=upto,
            streams=MapCommitment.of(streams),
            partitions=MapCommitment.of(partitions),
            provenance=provenance,
        )

    @event(WholenessCommitted)
    def _wholeness_committed(
        self, upto: int, streams: MapCommitment, partitions: MapCommitment, provenance: Provenance
    ) -> None:
        self.commitment = WholenessCommitment(upto=upto, streams=streams, partitions=partitions)

    def continue_from(self, checkpoint: Checkpoint, note: str, provenance: Provenance) -> None:
        """Cites the last signed checkpoint of a log that was lost. Who still holds proofs of that one can tell where it ended."""
        self._continued(
            origin=checkpoint.origin,
            size=checkpoint.size,
            root=checkpoint.root.hex(),
            note=note,
            provenance=provenance,
        )

    @event(Continued)
    def _continued(self, origin: str, size: int, root: str, note: str, provenance: Provenance) -> None:
        self.continues = origin
