"""What the log is: its genesis, its campaign, its tree of jurisdictions."""

from __future__ import annotations

from api.reading import Reading
from api.views.sealing import SealingView, sealing_view
from api.views.view import Place, Said, View, place
from projections.ledger import Title


class CheckpointView(View):
    """A day by whose end the classes must be cleared."""

    name: str
    title: Said
    day: str


class CampaignView(View):
    """The campaign that the log serves."""

    name: str
    title: Said
    year: int
    """Cases first received on or after its 1 January are in-year, earlier ones historical."""
    clause: str
    checkpoints: list[CheckpointView]


class PlaceInTree(Place):
    """A jurisdiction, and what it lies below."""

    parent: str | None


class LogView(View):
    """The genesis of the log; it never changes, save that jurisdictions may be added."""

    origin: str
    kind: str
    """`real`, or `simulation`: times were played."""
    root: Place
    """The jurisdiction that answers for the log."""
    zone: str
    """Days end at 24:00 here."""
    currency: str
    campaign: CampaignView
    places: list[PlaceInTree]
    head: int
    """The last position; 0: nothing is recorded."""
    recorded: str | None
    """When the last event was recorded."""
    sealing: SealingView
    """How far what was recorded is sealed and published, and who stands behind it."""


def log_view(reading: Reading) -> LogView:
    """The log of the platform."""
    info = reading.platform.info
    head = reading.platform.head()
    return LogView(
        origin=info.origin,
        kind=info.kind.value,
        root=place(info, info.root),
        zone=info.zone.key,
        currency=info.currency,
        campaign=campaign_view(reading),
        places=[
            PlaceInTree(code=node.code, zh=node.name_zh, en=node.name_en, parent=node.parent) for node in info.tree
        ],
        head=head.position,
        recorded=None if head.recorded_at is None else head.recorded_at.astimezone(info.zone).isoformat(),
        sealing=sealing_view(reading),
    )


def campaign_view(reading: Reading) -> CampaignView:
    """Its campaign."""
    campaign = reading.platform.info.campaign
    return CampaignView(
        name=campaign.name,
        title=_title(Title(campaign.title_zh, campaign.title_en)),
        year=campaign.year,
        clause=campaign.clause,
        checkpoints=[
            CheckpointView(name=c.name, title=_title(Title(c.title_zh, c.title_en)), day=c.day.isoformat())
            for c in campaign.checkpoints
        ],
    )


def _title(title: Title) -> Said:
    return Said(zh=title.zh, en=title.en)
