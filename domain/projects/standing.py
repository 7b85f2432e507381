"""How a project stands, folded from its own events in `project.py`, and what can be said of it as of any day. Pure and total.

Total means that any subset of a history, in order, folds without an error: *as it was by a day* leaves events out, so a party may lie
under one that is not there, and a chain put right may, with the step between left out, seem to run in a circle.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from enum import StrEnum

import msgspec

from domain.backstops.shares import Holder
from domain.money import Fen
from domain.projects.particulars import (
    Contact,
    Deposit,
    PartyRole,
    ProjectParticulars,
    ProjectState,
    Safeguard,
    Shareholder,
    WageAccount,
)


class Party(msgspec.Struct, frozen=True, kw_only=True):
    """A party of the project. `number` is its own in the project; `under` is the party that it contracts with."""

    number: int
    role: PartyRole
    since: date
    under: int | None = None
    until: date | None = None
    """Its last day, once it has left."""
    organisation: str | None = None
    code: str | None = None
    contract: str | None = None
    people: tuple[Contact, ...] = ()


class Showing(msgspec.Struct, frozen=True, kw_only=True):
    """One time that a safeguard was evidenced."""

    number: int
    safeguard: Safeguard
    valid_from: date
    valid_to: date | None = None
    refuted_since: date | None = None
    deposit: Deposit | None = None
    account: WageAccount | None = None


class StateSince(msgspec.Struct, frozen=True):
    """A state and the day on which it began."""

    since: date
    state: ProjectState


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a project. Sums are fen."""

    number: str
    particulars: ProjectParticulars
    parties: Mapping[int, Party] = {}
    shareholders: tuple[Shareholder, ...] = ()
    arranged: Fen = 0
    disbursed: Fen = 0
    disbursed_wages: Fen = 0
    states: tuple[StateSince, ...] = ()
    """In the order of recording; a late entry may begin before its predecessor."""
    platform_since: date | None = None
    """The first day on which it is known to have stood in the real-name platform (clause N02)."""
    showings: Mapping[int, Showing] = {}

    @property
    def developer(self) -> str | None:
        """The organisation that has the project built; of several, the first that was entered and has not left."""
        found = [party for party in self.parties.values() if party.role is PartyRole.DEVELOPER and party.organisation]
        return min(found, key=lambda party: (party.until is not None, party.number)).organisation if found else None


class Lamp(StrEnum):
    """What a safeguard shows on a day."""

    SHOWN = "shown"
    MISSING = "missing"
    EXPIRED = "expired"
    REFUTED = "refuted"


def lamps(standing: Standing, day: date) -> dict[Safeguard, Lamp]:
    """The five lamps on a day (clause N33), in the order of the clause.

    A safeguard is *shown* while any evidence of it is in force. Otherwise what its newest evidence has become decides: *refuted* or
    *expired*; *missing* when none had begun by that day. Of two that began on one day the one recorded later is the newer.
    """
    return {safeguard: lamp(standing, safeguard, day) for safeguard in Safeguard}


def lamp(standing: Standing, safeguard: Safeguard, day: date) -> Lamp:
    """One of the five; see `lamps`."""
    begun = [each for each in standing.showings.values() if each.safeguard is safeguard and each.valid_from <= day]
    if not begun:
        return Lamp.MISSING
    if any(_in_force(each, day) for each in begun):
        return Lamp.SHOWN
    newest = max(begun, key=lambda each: (each.valid_from, each.number))
    return Lamp.REFUTED if _refuted(newest, day) else Lamp.EXPIRED


def deposit_on(standing: Standing, day: date) -> Fen:
    """The wage deposit in force on a day, in fen; several guarantees add up."""
    return sum(each.deposit.amount for each in standing.showings.values() if each.deposit and _in_force(each, day))


def _in_force(showing: Showing, day: date) -> bool:
    ended = showing.valid_to is not None and showing.valid_to < day
    return showing.valid_from <= day and not ended and not _refuted(showing, day)


def _refuted(showing: Showing, day: date) -> bool:
    return showing.refuted_since is not None and showing.refuted_since <= day


def state_on(standing: Standing, day: date) -> ProjectState | None:
    """The state on a day: the last to begin by then, of two of one day the one recorded later. None: nobody has said."""
    begun = [(each.since, order, each.state) for order, each in enumerate(standing.states) if each.since <= day]
    return max(begun)[2] if begun else None


def present(standing: Standing, day: date) -> tuple[Party, ...]:
    """The parties that had come and not gone by a day, by number; its last day is a day on which a party is there."""
    here = [p for p in standing.parties.values() if p.since <= day and (p.until is None or day <= p.until)]
    return tuple(sorted(here, key=lambda party: party.number))


def holders(standing: Standing) -> tuple[Holder, ...]:
    """Who covers what a project's wages lack, by share ratio (按股比, clause N23): what a backstop asks for."""
    return tuple(Holder(name=each.holder, share=each.basis_points) for each in standing.shareholders)


class Node(msgspec.Struct, frozen=True):
    """A party in the chain of contractors, with those that contract with it, by number."""

    party: Party
    below: tuple[Node, ...]


def chain(standing: Standing) -> tuple[Node, ...]:
    """The chain of contractors as trees, by number; every party stands in it exactly once.

    A root contracts with nobody, or with a party that is not known. Parties in a circle hang under the lowest number among them.
    """
    below: dict[int, list[int]] = {}
    for number in sorted(standing.parties):
        above = standing.parties[number].under
        if above is not None and above in standing.parties and not _closes_a_circle(standing, number):
            below.setdefault(above, []).append(number)
    hanging = {number for numbers in below.values() for number in numbers}
    return tuple(_node(standing, root, below) for root in sorted(standing.parties.keys() - hanging))


def _closes_a_circle(standing: Standing, number: int) -> bool:
    """Whether the party lies above itself and has the lowest number of all that do so with it."""
    above = [party.number for party in _walk(standing, number)]
    last = standing.parties[above[-1]] if above else standing.parties[number]
    return last.under == number and number < min(above, default=number + 1)


def _node(standing: Standing, number: int, below: Mapping[int, list[int]]) -> Node:
    children = tuple(_node(standing, each, below) for each in below.get(number, ()))
    return Node(standing.parties[number], children)


def _walk(standing: Standing, number: int) -> Iterator[Party]:
    """The parties above one, nearest first; ends at a root, at one that is not known, or where it would come round again."""
    seen = {number}
    above = standing.parties[number].under
    while above is not None and above in standing.parties and above not in seen:
        seen.add(above)
        yield standing.parties[above]
        above = standing.parties[above].under


def would_circle(standing: Standing, number: int, under: int) -> bool:
    """Whether a party would come to lie under itself if it were placed under another."""
    return under == number or any(party.number == number for party in _walk(standing, under))


class Liability(StrEnum):
    """Why a party above a crew answers for its wages.

    The rule of the State Council's opinion of 2016 (国办发〔2016〕1号) and, from 2020-05-01, of Order 724, articles 29 and 30: the
    general contractor pays first and recovers, the developer advances as far as it owes project money.
    """

    CONTRACTS = "contracts"
    """It contracts with the crew itself."""
    PAYS_FIRST = "pays-first"
    """General contractor (先行清偿)."""
    WITHIN_UNPAID = "within-unpaid"
    """Developer: as far as project money is unpaid (以未结清的工程款为限)."""
    BETWEEN = "between"
    """Passed the work on: recovered from, and looked at for illegal subcontracting (clause N29)."""


class Liable(msgspec.Struct, frozen=True):
    """A party above a crew and why it answers."""

    party: Party
    grounds: tuple[Liability, ...]


_NEVER_LIABLE = frozenset({PartyRole.SUPERVISOR, PartyRole.LABOUR_SUPERVISOR})


def liable_upstream(standing: Standing, crew: int) -> tuple[Liable, ...]:
    """Who answers for the wages of a crew, nearest first; empty for a party that is not known.

    A party that has left answers still, for wages of its time. Where the last one is no developer, the chain is not fully known.
    """
    if crew not in standing.parties:
        return ()
    above = [party for party in _walk(standing, crew) if party.role not in _NEVER_LIABLE]
    return tuple(Liable(party, _grounds(party, nearest=order == 0)) for order, party in enumerate(above))


def _grounds(party: Party, *, nearest: bool) -> tuple[Liability, ...]:
    by_contract = (Liability.CONTRACTS,) if nearest else ()
    by_role = {
        PartyRole.GENERAL_CONTRACTOR: (Liability.PAYS_FIRST,),
        PartyRole.DEVELOPER: (Liability.WITHIN_UNPAID,),
    }.get(party.role, ())
    return by_contract + by_role or (Liability.BETWEEN,)
