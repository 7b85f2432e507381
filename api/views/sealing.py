"""How far the provable log has come, and whose keys and witnesses stand behind it.

Guarantees: nothing is called published that is not below the published checkpoint; where nobody but the log itself signed, the word says
so. No folder and no secret of the deployment is told. Files of the provable log that cannot be read take nothing from anybody but the word:
events are shown as recorded, with what is wrong.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from api.reading import Reading
from api.views.values import local
from api.views.view import Said, View, said
from api.words import PUBLISHED_UNWITNESSED, WAITS_FOR, word
from domain.errors import LogMismatchError, NotReadyError, VerificationError
from domain.sealing.checkpoint import parse_checkpoint
from domain.sealing.cosignature import CosignerKey, cosignatures_of
from domain.sealing.encoding import base64_of
from domain.sealing.note import VerifierKey, parse_note
from domain.sealing.state import State, state_of

if TYPE_CHECKING:
    from infra.bootstrap import SealingStatus

# ----------------------------------------------------------------------------------------------------------- the states


@dataclass(frozen=True)
class Progress:
    """How far each state reaches, read once for an answer, so that all of it speaks of one moment."""

    recorded: int
    sealed: int
    published: int
    """0 as well where the published checkpoint lacks the quorum of the policy that is in force now."""
    witnessed: bool
    """Whether a witness of the policy cosigned the published checkpoint."""

    def state(self, position: int) -> State:
        """The state of a recorded event."""
        return state_of(position, self.sealed, self.published)

    def title(self, state: State) -> Said:
        """The word for a state: *published* says where there is no witness."""
        unwitnessed = state is State.PUBLISHED and not self.witnessed
        return said(PUBLISHED_UNWITNESSED if unwitnessed else word(state))


def progress(reading: Reading) -> Progress:
    """How far the log has come now."""
    try:
        sizes = reading.platform.sealing.sizes()
        published, witnessed = _published(reading)
    except _CONTRADICTIONS:
        return Progress(reading.platform.head().position, 0, 0, witnessed=False)
    return Progress(sizes.recorded, sizes.sealed, published, witnessed)


def _published(reading: Reading) -> tuple[int, bool]:
    """How far the published checkpoint reaches, and whether somebody witnessed it.

    Both are read out of the checkpoint itself: one from before the deployment had witnesses bears no cosignature.
    """
    sealing = reading.platform.sealing
    try:
        note = parse_note(sealing.checkpoint())
    except NotReadyError:
        return 0, False
    policy = sealing.policy()
    cosigners = [each.key for each in cosignatures_of(note, [witness.key for witness in policy.witnesses])]
    return parse_checkpoint(note.text).size if policy.is_met_by(cosigners) else 0, bool(cosigners)


_CONTRADICTIONS = (VerificationError, LogMismatchError)
"""What the files of the provable log raise that are not what they should be."""


class CaseSealingView(View):
    """How far a case has come: as far as the event of it that has come least far."""

    state: str
    """recorded, sealed, or published: published only when all of its events are."""
    state_title: Said
    events: int
    not_published: list[int]
    """Positions of its events that are not published yet."""
    waits_for: Said | None
    """What they wait for; null when there are none."""


def case_sealing(reading: Reading, states: Mapping[int, State]) -> CaseSealingView | None:
    """Of a case with events in these states, by position; None of one without any."""
    if not states:
        return None
    state = min(states.values(), key=list(State).index)
    return CaseSealingView(
        state=state.value,
        state_title=progress(reading).title(state),
        events=len(states),
        not_published=[position for position, reached in states.items() if reached is not State.PUBLISHED],
        waits_for=waits_for(reading, state),
    )


def waits_for(reading: Reading, state: State) -> Said | None:
    """What keeps an event in this state from being published; None for one that is."""
    if state is State.PUBLISHED:
        return None
    try:
        status = reading.platform.sealing.status()
    except _CONTRADICTIONS:
        return said(WAITS_FOR["files"])
    if not status.vkeys:
        return said(WAITS_FOR["key"])
    if status.stopped is not None:
        return said(WAITS_FOR["stopped"])
    if state is State.RECORDED:
        return said(WAITS_FOR["tree"])
    return said(WAITS_FOR["quorum" if status.witnessed else "checkpoint"])


class EventSealingView(View):
    """What an event that is not published waits for, or where its proof is."""

    waits_for: Said | None
    """What it waits for; null once it is published."""
    proof: str | None
    """Address of its proof; null until it is published."""
    witnessed: bool
    """Whether a witness cosigned the published checkpoint. False: nothing but the log's own key vouches for it."""


def event_sealing(reading: Reading, position: int, state: State) -> EventSealingView:
    """Of the event at a position, in this state."""
    return EventSealingView(
        waits_for=waits_for(reading, state),
        proof=f"/v1/events/{position}/proof" if state is State.PUBLISHED else None,
        witnessed=progress(reading).witnessed,
    )


# ------------------------------------------------------------------------------------------------------ the whole log


class KeyView(View):
    """A key that signs for the log."""

    vkey: str
    """The whole public key, in the spelling that verifiers take."""
    key_id: str
    """The eight digits that it is called by for short; too few to recognise it by."""


class WitnessView(View):
    """A witness that the deployment's policy names."""

    name: str
    vkey: str
    key_id: str
    url: str
    cosigned: int | None
    """Size of the checkpoint that it last cosigned among the published ones."""
    at: str | None
    """When it did, by its own clock."""
    trouble: str | None
    """Why it gave no cosignature when it was last asked."""


class WholenessView(View):
    """The log's latest commitment to all of its histories."""

    position: int
    """Of the event that records it."""
    upto: int
    """It binds every history as of this position."""
    recorded: str
    streams: int
    """How many streams there were."""
    partitions: int
    """How many partition keys: cases with all that belongs to them, and streams that belong to none."""


class CheckpointNote(View):
    """A published checkpoint."""

    size: int
    root: str
    """Base64, as in the note."""
    note: str
    """The signed note, with its cosignatures."""
    published: str | None
    """When it was published, by this office's clock; a checkpoint itself bears no time."""


class SealingView(View):
    """How far the provable log has come, and who stands behind it."""

    recorded: int
    """The last position."""
    sealed: int
    """Size of the tree: events whose hash is in it."""
    published: int
    """Size of the published checkpoint; 0: none yet."""
    keys: list[KeyView]
    """Empty: the log has no signing key yet, or its files cannot be read; nothing can be proved."""
    witnessed: bool
    """Whether a witness cosigned the published checkpoint. False: every proof says *no witness*."""
    quorum: str
    """The witness or group whose cosignatures the policy asks for; `none` where it asks for nobody's."""
    witnesses: list[WitnessView]
    checkpoint: CheckpointNote | None
    wholeness: WholenessView | None
    running: bool
    """Whether this process seals and publishes, or stands ready to."""
    stopped: str | None
    """Why sealing has stopped, if it has."""
    trouble: str | None
    """What the last attempt to publish failed for; it is tried again."""
    waits_for: Said | None
    """What the first event that is not published waits for; null when all are."""


def sealing_view(reading: Reading) -> SealingView:
    """Of the platform's log."""
    try:
        status = reading.platform.sealing.status()
    except _CONTRADICTIONS as error:
        return _unreadable(reading, error)
    zone = reading.platform.info.zone
    reached = progress(reading)
    return SealingView(
        recorded=reached.recorded,
        sealed=reached.sealed,
        published=reached.published,
        keys=[key_view(VerifierKey.parse(vkey)) for vkey in status.vkeys],
        witnessed=reached.witnessed,
        quorum=status.quorum,
        witnesses=_witnesses(status, zone),
        checkpoint=None if status.note is None else checkpoint_note(status.note, status.published_at, zone),
        wholeness=_wholeness(status, zone),
        running=status.running,
        stopped=status.stopped,
        trouble=status.trouble,
        waits_for=_first_waits_for(reading, reached),
    )


def _unreadable(reading: Reading, error: Exception) -> SealingView:
    return SealingView(
        recorded=reading.platform.head().position,
        sealed=0,
        published=0,
        keys=[],
        witnessed=False,
        quorum=reading.platform.sealing.policy().quorum.decode(errors="backslashreplace"),
        witnesses=[],
        checkpoint=None,
        wholeness=None,
        running=False,
        stopped=str(error),
        trouble=None,
        waits_for=said(WAITS_FOR["files"]),
    )


def _first_waits_for(reading: Reading, reached: Progress) -> Said | None:
    if reached.published >= reached.recorded:
        return None
    return waits_for(reading, reached.state(reached.published + 1))


def key_view(key: VerifierKey | CosignerKey) -> KeyView:
    """A public key."""
    return KeyView(vkey=key.vkey, key_id=key.key_id.hex())


def _witnesses(status: SealingStatus, zone: ZoneInfo) -> list[WitnessView]:
    return [
        WitnessView(
            name=witness.name,
            vkey=witness.vkey,
            key_id=CosignerKey.parse(witness.vkey).key_id.hex(),
            url=witness.url,
            cosigned=witness.cosigned,
            at=None if witness.at is None else local(witness.at, zone),
            trouble=witness.trouble,
        )
        for witness in status.witnesses
    ]


def _wholeness(status: SealingStatus, zone: ZoneInfo) -> WholenessView | None:
    committed = status.committed
    if committed is None:
        return None
    return WholenessView(
        position=committed.position,
        upto=committed.upto,
        recorded=local(committed.recorded_at, zone),
        streams=committed.streams,
        partitions=committed.partitions,
    )


def checkpoint_note(note: bytes, published_at: datetime | None, zone: ZoneInfo) -> CheckpointNote:
    """A published note as a view."""
    head = parse_checkpoint(parse_note(note).text)
    return CheckpointNote(
        size=head.size,
        root=base64_of(head.root),
        note=note.decode(),
        published=None if published_at is None else local(published_at, zone),
    )
