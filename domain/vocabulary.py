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


class FollowUpMethod(StrEnum):
    """How a worker was asked whether the money arrived (definitions.md, *confirmed*)."""

    PHONE = "phone"
    IN_PERSON = "in-person"
    VIDEO = "video"
    BANK_CONFIRMATION = "bank-confirmation"
    """The bank was asked, not the worker."""
    MESSAGE = "message"
    THROUGH_OTHERS = "through-others"
    """A foreman, a relative, the employer said so."""
    OTHER = "other"

    @property
    def admitted(self) -> bool:
        """Whether an answer had in this way can confirm: the worker's own voice, heard by who asked."""
        return self in (FollowUpMethod.PHONE, FollowUpMethod.IN_PERSON, FollowUpMethod.VIDEO)


class PaidTo(StrEnum):
    """How money reached a worker. To a foreman, an agent or a custody account it has not: that is custody."""

    OWN_ACCOUNT = "own-account"
    HANDED_OVER = "handed-over"
    """Against signature or fingerprint."""
    PROXY = "proxy"
    """To somebody with a documented authority of the worker's."""
    HEIR = "heir"


class HolderKind(StrEnum):
    """Who holds money for workers (托管、代领); it discharges nothing until passing it on is proved."""

    FOREMAN = "foreman"
    AGENT = "agent"
    CUSTODY_ACCOUNT = "custody-account"


class CaseDuty(StrEnum):
    """A duty in a case that somebody answers for by name (clauses N22, N24). The first officer asked is the complaint's."""

    COUNTY_SUPERVISOR = "county-supervisor"
    LEAD_OFFICIAL = "lead-official"
    HANDLER = "handler"
    CONTACT = "contact"


class ReportKind(StrEnum):
    """What is reported to who handed a case down (clauses N24, N25)."""

    PROGRESS = "progress"
    SWEEP = "sweep"
    """The whole project was looked through."""
    WRITTEN_REPORT = "written-report"
    FINAL = "final"


class RecheckResult(StrEnum):
    """What looking again at a case that was called solved came to (clause N25)."""

    SOLVED = "solved"
    NOT_SOLVED = "not-solved"
    PARTLY = "partly"


class ArrearsCause(StrEnum):
    """Why wages were not paid (domain.md 2.2; clause N35)."""

    PROJECT_MONEY_UNPAID = "project-money-unpaid"
    ILLEGAL_SUBCONTRACTING = "illegal-subcontracting"
    AFFILIATION = "affiliation"
    NO_MONEY = "no-money"
    LABOUR_DISPUTE = "labour-dispute"
    FLED = "fled"
    OTHER = "other"


class CallScope(StrEnum):
    """Whom a call list asks: every worker, or a sample (clause N26)."""

    ALL = "all"
    SAMPLE = "sample"


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


class OrderKind(StrEnum):
    """What the office orders, or gives notice of (domain.md 1.2, 1.4; clauses N28, N30)."""

    PAY_WITHIN_LIMIT = "pay-within-limit"
    RECTIFY = "rectify"
    STOP_WORK = "stop-work"
    INQUIRY_NOTICE = "inquiry-notice"
    """To appear and answer; who was told and stays away may count as fled."""
    PENALTY_NOTICE = "penalty-notice"
    HEARING_NOTICE = "hearing-notice"
    HANDLING_DECISION = "handling-decision"
    PENALTY_DECISION = "penalty-decision"
    DEMAND_NOTICE = "demand-notice"
    """To do what was decided, before a court is asked to enforce it."""
    OTHER = "other"


class ServiceMethod(StrEnum):
    """How an order reaches its addressee."""

    IN_PERSON = "in-person"
    LEFT = "left"
    """Left in place before witnesses, where receipt was refused."""
    POST = "post"
    BY_PROXY = "by-proxy"
    ELECTRONIC = "electronic"
    ANNOUNCEMENT = "announcement"
    POSTED_WITH_RECORDING = "posted-with-recording"
    """Posted at home or premises of who fled, with photo or video (法释〔2013〕3号 art. 4)."""


class ReferralKind(StrEnum):
    """To whom something is referred, and as what (clauses N12, N21, N28, N29)."""

    POLICE = "police"
    EARLY_INTERVENTION = "early-intervention"
    COMPETENT_DEPARTMENT = "competent-department"
    ARBITRATION = "arbitration"
    COURT = "court"
    ANOTHER_PLACE = "another-place"
    SUPERIOR = "superior"
    DISCIPLINE = "discipline"


class PaperKind(StrEnum):
    """What a paper of a referral's package is (order 310, art. 6)."""

    TRANSFER_LETTER = "transfer-letter"
    INVESTIGATION_REPORT = "investigation-report"
    LIST_OF_ITEMS = "list-of-items"
    EXPERT_REPORT = "expert-report"
    EVIDENCE = "evidence"


class Milestone(StrEnum):
    """A step of criminal procedure by which the time of a payment is weighed (法释〔2013〕3号 art. 6)."""

    CASE_FILED = "case-filed"
    PROSECUTED = "prosecuted"
    FIRST_JUDGMENT = "first-judgment"


class Conclusion(StrEnum):
    """What a referral ended with, where it had been sent."""

    ESTABLISHED = "established"
    NOT_ESTABLISHED = "not-established"
    SETTLED = "settled"
    DISCONTINUED = "discontinued"
    OTHER = "other"


class Level(StrEnum):
    """A level of government, lowest first."""

    COUNTY = "county"
    CITY = "city"
    PROVINCE = "province"
    STATE = "state"

    @property
    def rank(self) -> int:
        """0 for the county, 3 for the state."""
        return tuple(Level).index(self)


class Resort(StrEnum):
    """Whose money covers wages that the debtor does not pay today (clause N23)."""

    WAGE_DEPOSIT = "wage-deposit"
    REVOLVING_FUND = "revolving-fund"
    TREASURY = "treasury"
    PARENT_GROUP = "parent-group"


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
