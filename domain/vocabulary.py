"""The closed lists of words that events use. A word that stands in the log is never removed from here, and never changes meaning."""

from __future__ import annotations

from enum import StrEnum

from domain.sealing.personal import Sealed
from domain.streams import Shape


class CaseClass(StrEnum):
    """The three classes that are cleared to zero (三个清零); a case may be in several (notice.md, N11, N12, N24)."""

    IN_YEAR = "in-year"
    HISTORICAL = "historical"
    HANDED_DOWN = "handed-down"


class Funding(StrEnum):
    """Kind of project by who funds it; the national board is cut by it (domain.md 0.3, no. 4)."""

    GOVERNMENT = "government"
    STATE_OWNED = "state-owned"
    PRIVATE = "private"
    OTHER = "other"
    """Not a construction project, or not stated."""


class ClaimKind(StrEnum):
    """What a claim line is for; part of its identity."""

    WAGE = "wage"
    COMPENSATION = "compensation"


class MoneySource(StrEnum):
    """Where paid money came from (domain.md 1.6)."""

    EMPLOYER = "employer"
    WAGE_ACCOUNT = "wage-account"
    GENERAL_CONTRACTOR = "general-contractor"
    DEVELOPER_ADVANCE = "developer-advance"
    WAGE_DEPOSIT = "wage-deposit"
    REVOLVING_FUND = "revolving-fund"
    TREASURY = "treasury"
    PARENT_GROUP = "parent-group"
    COURT = "court"
    OTHER = "other"
    NOT_STATED = "not-stated"


class Purpose(StrEnum):
    """What a payment is for; living aid discharges no claim (definitions.md, *paid*)."""

    WAGE = "wage"
    COMPENSATION = "compensation"
    LIVING_AID = "living-aid"


class Outcome(StrEnum):
    """How a case was closed (办结). Only `paid` and `no-arrears` can be written off; the others stay owing on the board."""

    PAID = "paid"
    NO_ARREARS = "no-arrears"
    MERGED = "merged"
    TRANSFER_ACCEPTED = "transfer-accepted"
    JUDICIAL = "judicial"
    OTHER = "other"


class Answer(StrEnum):
    """A worker's answer when followed up (definitions.md, *confirmed*; clause N26)."""

    RECEIVED = "received"
    LESS = "less"
    NOT_RECEIVED = "not-received"
    UNREACHABLE = "unreachable"
    WRONG_PERSON = "wrong-person"
    REFUSED_TO_SAY = "refused-to-say"


class ReceptionChannel(StrEnum):
    """How a complaint came in (domain.md 2.1)."""

    VISIT = "visit"
    LETTER = "letter"
    CALL = "call"
    WEB = "web"
    MESSAGE = "message"
    FORWARDED = "forwarded"
    """Passed on by an office above, beside or below."""
    LEADER_INSTRUCTION = "leader-instruction"
    INSPECTION = "inspection"
    OTHER = "other"


class ComplaintClass(StrEnum):
    """What a complaint is, once verified on the day it came in (clauses N20, N21). It says what the office must do, not who complains."""

    WAGE_ARREARS = "wage-arrears"
    OTHER_MATTER = "other-matter"
    REPEAT_PETITION = "repeat-petition"


class MissingItem(StrEnum):
    """What a complaint lacks that is returned for completion (25号令 §18)."""

    EMPLOYER = "employer"
    AMOUNT = "amount"
    PERIOD = "period"
    IDENTITY = "identity"
    CONTACT = "contact"
    EVIDENCE = "evidence"
    OTHER = "other"


class DuplicateRule(StrEnum):
    """Why a program takes two complaints for one, strongest first; an officer settles whether they are."""

    SAME_LEAD = "same-lead"
    """Handed down by the same body under the same number."""
    SAME_PERSON = "same-person"
    """The same sealed subject, and neither project nor debtor speaks against it."""
    SAME_PROJECT_AND_AMOUNT = "same-project-and-amount"
    SAME_DEBTOR_AND_AMOUNT = "same-debtor-and-amount"
    SAME_PROJECT_AND_DAY = "same-project-and-day"
    SAME_DEBTOR_AND_DAY = "same-debtor-and-day"


class StatedMeaning(StrEnum):
    """What an office's mapping says that its book's word for a state means. A stated fact, never a computed one."""

    OPEN = "open"
    CLOSED = "closed"
    TRANSFERRED = "transferred"
    JUDICIAL = "judicial"


class Evidence(Shape, frozen=True, kw_only=True):
    """A file that founds a fact: its SHA-256 (hex), media type, and its name, sealed since a name may tell who it is about."""

    sha256: str
    type: str
    name: Sealed | None = None


class Told(Shape, frozen=True, kw_only=True):
    """That a worker was told of a rejection, reduction or waiver: when (RFC 3339), how, and which remedy was named."""

    on: str
    how: str
    remedy: str | None = None
