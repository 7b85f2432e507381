"""What is said of a construction project: the closed lists and the shapes that its events hold.

Organisations stand in clear, as in a public register; natural persons and whatever a clerk types freely are sealed. Days are days of
the deployment's own calendar, first and last inclusive; areas are whole square metres.
"""

from __future__ import annotations

from datetime import date
from enum import StrEnum

from domain.money import Fen
from domain.sealing.personal import Sealed
from domain.streams import Shape
from domain.vocabulary import Funding


class Industry(StrEnum):
    """Which regulator oversees the project (行业主管部门, clause N05)."""

    HOUSING = "housing"
    TRANSPORT = "transport"
    WATER = "water"
    ENERGY = "energy"
    OTHER = "other"


class PartyRole(StrEnum):
    """What a party is in a project."""

    DEVELOPER = "developer"
    GENERAL_CONTRACTOR = "general-contractor"
    SUBCONTRACTOR = "subcontractor"
    CREW = "crew"
    SUPERVISOR = "supervisor"
    """Supervises the building for the developer (监理); never owes a wage of the chain."""
    LABOUR_SUPERVISOR = "labour-supervisor"
    """Watches over the labour of the project (劳务监管); never owes a wage of the chain."""
    OTHER = "other"


class Duty(StrEnum):
    """What a person of a party answers for (clauses N01 and N02)."""

    PROJECT_LEAD = "project-lead"
    """Of the developer (建设单位项目负责人)."""
    PROJECT_MANAGER = "project-manager"
    """Of the contractor (项目经理)."""
    LABOUR_OFFICER = "labour-officer"
    """Keeps real names and wage sheets (劳资专管员)."""
    CREW_LEADER = "crew-leader"
    """班组长; often the whole of what is known of a crew."""
    OTHER = "other"


class ProjectState(StrEnum):
    """How far the building has come."""

    NOT_BEGUN = "not-begun"
    BUILDING = "building"
    SUSPENDED = "suspended"
    COMPLETED = "completed"
    ABANDONED = "abandoned"


class Safeguard(StrEnum):
    """The five safeguards of a project, in the order of the clause (N33)."""

    REAL_NAME = "real-name"
    DEDICATED_ACCOUNT = "dedicated-account"
    BANK_PAYROLL = "bank-payroll"
    DEPOSIT = "deposit"
    NOTICE_BOARD = "notice-board"


class DepositForm(StrEnum):
    """How a wage deposit was put up (domain.md 1.6)."""

    CASH = "cash"
    GUARANTEE = "guarantee"


class ProjectParticulars(Shape, frozen=True, kw_only=True):
    """What is known of a project as a whole. A project may be built under several permits, approvals and contracts."""

    jurisdiction: str
    name: str
    funding: Funding
    industry: Industry
    address: str | None = None
    kind: str | None = None
    """What is built, in the words of the register: a dwelling, a road, a treatment plant."""
    permits: tuple[str, ...] = ()
    approvals: tuple[str, ...] = ()
    contracts: tuple[str, ...] = ()
    contract_amount: Fen | None = None
    budget: Fen | None = None
    area: int | None = None
    begins: date | None = None
    ends: date | None = None
    note: Sealed | None = None


class Contact(Shape, frozen=True, kw_only=True):
    """A person of a party."""

    duty: Duty
    name: Sealed
    id_number: Sealed | None = None
    phone: Sealed | None = None


class Shareholder(Shape, frozen=True, kw_only=True):
    """Who holds which part of a project, in basis points (1/10,000); an organisation with its credit code (统一社会信用代码)."""

    holder: str
    code: str | None = None
    basis_points: int


class Deposit(Shape, frozen=True, kw_only=True):
    """A wage deposit (工资保证金): how much, in which form, at which bank, and the number of the receipt or guarantee."""

    amount: Fen
    form: DepositForm
    bank: str | None = None
    number: str | None = None


class WageAccount(Shape, frozen=True, kw_only=True):
    """The dedicated account that a project's wages are paid from (工资专用账户): its bank, its name, and its number, sealed."""

    bank: str
    name: str | None = None
    number: Sealed | None = None
