"""Complaints for tests: one that came in at a county's counter in December 2019, and how to say who acts and when."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from domain.complaints.complaint import Complaint, Particulars
from domain.complaints.reception import classification_due
from domain.sealing.personal import Sealed
from domain.streams import Provenance
from domain.vocabulary import Evidence, ReceptionChannel, Told

SHANGHAI = ZoneInfo("Asia/Shanghai")
RECEIVED = datetime(2019, 12, 2, 9, 30, tzinfo=SHANGHAI)
TOLD = Told(on="2019-12-02T10:00:00+08:00", how="当面告知", remedy="可申请行政复议")
STATEMENT = (Evidence(sha256="3" * 64, type="image/jpeg"),)


def sealed(subject: str = "person-1") -> Sealed:
    """A sealed field of a subject."""
    return Sealed(subject=subject, sha256="0" * 64, commit="1" * 64)


def when(hours: float = 1, officer: str | None = "officer-a", clause: str | None = None) -> Provenance:
    """So many hours after the complaint was received."""
    moment = RECEIVED + timedelta(hours=hours)
    return Provenance(occurred=moment, received=moment, decidedby=officer, clause=clause)


def particulars(**other: object) -> Particulars:
    """Twelve workers of one project, owed a round sum."""
    stated: dict[str, object] = {
        "came": 2,
        "headcount": 12,
        "amount": 24_000_000,
        "since": date(2019, 8, 1),
        "project": "兴隆花园",
        "debtor": "甲建筑公司",
        "complainant": sealed(),
    }
    return Particulars(**(stated | other))  # type: ignore[arg-type]


def a_complaint(number: int = 1, received: datetime = RECEIVED, **other: object) -> Complaint:
    """A complaint that nobody has classified yet."""
    return Complaint(
        id=f"complaint-{number}",
        number=f"140321-201912-{number:04d}LF",
        place="140321",
        channel=ReceptionChannel.VISIT,
        first_officer="officer-a",
        due=classification_due(received, SHANGHAI),
        particulars=particulars(**other),
        provenance=Provenance(occurred=received, received=received),
    )


NEW_YEAR = datetime(2020, 1, 1, tzinfo=UTC)
