"""A project records what it is told, keeps its own register true, and stands as its events say, whichever of them are looked at."""

from __future__ import annotations

from datetime import date
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.backstops.shares import apportion
from domain.errors import RuleError
from domain.projects.particulars import (
    Deposit,
    DepositForm,
    PartyRole,
    ProjectState,
    Safeguard,
    Shareholder,
)
from domain.projects.project import Project, follow
from domain.projects.standing import (
    Lamp,
    Liability,
    Node,
    Party,
    Standing,
    chain,
    deposit_on,
    holders,
    lamps,
    liable_upstream,
    present,
    state_on,
)
from domain.streams import StreamEvent
from tests.domain.projects.material import (
    CREW_LEADER,
    DAY,
    FILE,
    PARTICULARS,
    WHEN,
    WHY,
    days,
    project,
    projects,
    recorded,
)

FEBRUARY = date(2020, 2, 1)


def folded(events: list[StreamEvent]) -> Standing | None:
    standing: Standing | None = None
    for event in events:
        standing = follow(standing, event)
    return standing


def chained() -> Project:
    """1 developer, 2 general contractor, 3 subcontractor, 4 crew, 5 supervisor of the developer."""
    built = project()
    built.enter_party(PartyRole.DEVELOPER, DAY, WHEN, organisation="城投")
    built.enter_party(PartyRole.GENERAL_CONTRACTOR, DAY, WHEN, under=1, organisation="一建", code="911403")
    built.enter_party(PartyRole.SUBCONTRACTOR, DAY, WHEN, under=2, organisation="恒力劳务")
    built.enter_party(PartyRole.CREW, DAY, WHEN, under=3, people=(CREW_LEADER,))
    built.enter_party(PartyRole.SUPERVISOR, DAY, WHEN, under=1, organisation="监理公司")
    return built


# Particulars


def test_an_amendment_names_the_fields_that_changed_and_moves_the_project_to_its_new_place():
    built = project()
    built.amend(msgspec.structs.replace(PARTICULARS, jurisdiction="140322", permits=("施-1", "施-2")), WHY, WHEN)
    event = recorded(built)[-1]
    assert isinstance(event, Project.Amended)
    assert event.changed == ("jurisdiction", "permits")
    assert built.jurisdiction == "140322"


def test_an_amendment_that_changes_nothing_is_not_recorded():
    built = project()
    built.amend(PARTICULARS, WHY, WHEN)
    assert [type(event) for event in recorded(built)] == [Project.Created]


# Parties and the chain


def shape(nodes: tuple[Node, ...]) -> list[Any]:
    return [(node.party.number, shape(node.below)) for node in nodes]


def test_parties_make_a_tree_by_whom_they_contract_with():
    assert shape(chain(chained().standing)) == [(1, [(2, [(3, [(4, [])])]), (5, [])])]


def test_above_a_crew_its_contractor_the_general_contractor_and_the_developer_answer_but_no_supervisor():
    answer = [(each.party.number, each.grounds) for each in liable_upstream(chained().standing, 4)]
    assert answer == [
        (3, (Liability.CONTRACTS,)),
        (2, (Liability.PAYS_FIRST,)),
        (1, (Liability.WITHIN_UNPAID,)),
    ]


def test_a_general_contractor_that_hired_the_crew_itself_answers_on_both_grounds():
    built = chained()
    built.place_party(4, 2, WHY, WHEN)
    grounds = [each.grounds for each in liable_upstream(built.standing, 4)]
    assert grounds == [(Liability.CONTRACTS, Liability.PAYS_FIRST), (Liability.WITHIN_UNPAID,)]


def test_who_only_passed_the_work_on_is_shown_between():
    built = chained()
    deeper = built.enter_party(PartyRole.CREW, DAY, WHEN, under=4, people=(CREW_LEADER,))
    assert [each.grounds for each in liable_upstream(built.standing, deeper)][1] == (Liability.BETWEEN,)


def test_a_party_that_has_left_is_not_present_and_answers_still():
    built = chained()
    built.leave(3, days(5), WHEN)
    assert 3 in [party.number for party in present(built.standing, days(5))]
    assert 3 not in [party.number for party in present(built.standing, days(6))]
    assert 3 in [each.party.number for each in liable_upstream(built.standing, 4)]


def test_a_party_is_present_from_its_first_day_on():
    built = chained()
    assert len(present(built.standing, DAY)) == 5
    assert present(built.standing, days(-1)) == ()


def test_a_supervisor_that_hired_the_crew_is_passed_over():
    built = chained()
    built.place_party(4, 5, WHY, WHEN)
    assert [each.party.number for each in liable_upstream(built.standing, 4)] == [1]


@pytest.mark.parametrize(
    ("under", "expected"),
    [
        ({1: 1}, [(1, [])]),
        ({1: 3, 2: 1, 3: 2}, [(1, [(2, [(3, [])])])]),
        ({1: 2, 2: 4, 3: 4, 4: 3}, [(3, [(4, [(2, [(1, [])])])])]),
        ({1: 9, 2: 1}, [(1, [(2, [])])]),
    ],
    ids=["itself", "all in a circle", "a tail on a circle", "under a stranger"],
)
def test_where_events_are_left_out_and_a_chain_seems_broken_every_party_still_stands_in_it_once(under, expected):
    """The third: 4 is put under 3 after 3 had been taken from under 4, and that step is left out."""
    parties = {
        number: Party(number=number, role=PartyRole.SUBCONTRACTOR, since=DAY, under=above)
        for number, above in under.items()
    }
    standing = msgspec.structs.replace(project().standing, parties=parties)
    assert shape(chain(standing)) == expected
    assert all(len(liable_upstream(standing, number)) < len(parties) + 1 for number in parties)


def test_nobody_answers_above_a_party_that_is_not_known():
    assert liable_upstream(project().standing, 9) == ()


def test_a_contractor_found_later_is_put_above_those_found_first():
    built = project()
    crew = built.enter_party(PartyRole.CREW, DAY, WHEN, people=(CREW_LEADER,))
    general = built.enter_party(PartyRole.GENERAL_CONTRACTOR, DAY, WHEN, organisation="一建")
    built.place_party(crew, general, WHY, WHEN)
    assert shape(chain(built.standing)) == [(2, [(1, [])])]
    built.place_party(crew, None, WHY, WHEN)
    assert shape(chain(built.standing)) == [(1, []), (2, [])]


@pytest.mark.parametrize("under", [2, 4])
def test_a_party_cannot_be_placed_under_itself_or_under_one_below_it(under):
    built = chained()
    with pytest.raises(RuleError) as refused:
        built.place_party(2, under, WHY, WHEN)
    assert refused.value.rule == "chain-is-a-tree"


@pytest.mark.parametrize(
    "ask",
    [
        lambda p: p.enter_party(PartyRole.CREW, DAY, WHEN, under=9, people=(CREW_LEADER,)),
        lambda p: p.place_party(9, None, WHY, WHEN),
        lambda p: p.place_party(1, 9, WHY, WHEN),
        lambda p: p.leave(9, DAY, WHEN),
        lambda p: p.disburse_funds(1, WHEN, party=9),
    ],
)
def test_a_party_that_is_not_there_cannot_be_named(ask):
    built = chained()
    before = len(built.pending_events)
    with pytest.raises(RuleError) as refused:
        ask(built)
    assert (refused.value.rule, len(built.pending_events)) == ("party-known", before)


def test_a_party_without_organisation_and_person_is_refused():
    with pytest.raises(RuleError) as refused:
        project().enter_party(PartyRole.CREW, DAY, WHEN)
    assert refused.value.rule == "party-is-somebody"


# Money and holders


@pytest.mark.parametrize(
    "held",
    [
        (),
        (("甲", 5_000), ("乙", 4_999)),
        (("甲", 10_001), ("乙", -1)),
        (("甲", 10_000), ("乙", 0)),
        (("甲", 5_000), ("甲 ", 5_000)),
        ((" ", 10_000),),
    ],
)
def test_shares_that_make_no_whole_or_are_not_each_somebodys_are_refused(held):
    shareholders = tuple(Shareholder(holder=name, basis_points=points) for name, points in held)
    built = project()
    with pytest.raises(RuleError) as refused:
        built.hold_shares(shareholders, WHEN)
    assert (refused.value.rule, refused.value.clause) == ("shares-make-whole", "N23")
    assert len(built.pending_events) == 1


def test_what_its_holders_cover_of_a_backstop_is_theirs_by_share():
    built = project()
    thirds = (("甲", 3_333), ("乙", 3_333), ("丙", 3_334))
    built.hold_shares(tuple(Shareholder(holder=name, basis_points=points) for name, points in thirds), WHEN)
    assert apportion(100, holders(built.standing)) == (33, 33, 34)
    assert holders(project().standing) == ()


def test_funds_add_up_and_what_was_recorded_too_much_is_taken_back():
    built = chained()
    built.arrange_funds(1_000, "treasury", WHEN, document="阳发改〔2019〕1号")
    built.disburse_funds(600, WHEN, wages=200, party=2)
    built.disburse_funds(-100, WHEN)
    standing = built.standing
    assert (standing.arranged, standing.disbursed, standing.disbursed_wages) == (1_000, 500, 200)


# States and the platform


def test_the_state_of_a_day_is_the_last_that_began_by_then_however_late_it_was_recorded():
    built = project()
    assert state_on(built.standing, DAY) is None
    built.enter_state(ProjectState.SUSPENDED, days(10), WHEN, reason=WHY)
    built.enter_state(ProjectState.BUILDING, DAY, WHEN)
    assert state_on(built.standing, days(-1)) is None
    assert state_on(built.standing, days(9)) is ProjectState.BUILDING
    assert state_on(built.standing, days(10)) is ProjectState.SUSPENDED
    built.enter_state(ProjectState.BUILDING, days(10), WHEN)
    assert state_on(built.standing, days(10)) is ProjectState.BUILDING


def test_the_platform_is_known_from_the_earliest_day_that_was_told():
    built = project()
    for day in (days(3), DAY, days(5)):
        built.enter_real_name_platform(day, WHEN, platform="山西省实名制平台")
    assert built.standing.platform_since == DAY


def test_the_developer_is_the_party_that_has_not_left():
    built = chained()
    built.leave(1, days(1), WHEN)
    built.enter_party(PartyRole.DEVELOPER, days(2), WHEN, organisation="新城投")
    assert built.standing.developer == "新城投"
    assert project().standing.developer is None


# Safeguards


def test_all_lamps_are_missing_until_something_is_shown():
    assert set(lamps(project().standing, DAY).values()) == {Lamp.MISSING}
    assert list(lamps(project().standing, DAY)) == list(Safeguard)


def test_a_safeguard_is_shown_on_its_first_and_last_day_and_lapses_by_time_alone():
    built = project()
    built.evidence_safeguard(Safeguard.DEPOSIT, DAY, WHEN, valid_to=days(30), evidence=(FILE,))
    seen = [lamps(built.standing, day)[Safeguard.DEPOSIT] for day in (days(-1), DAY, days(30), days(31))]
    assert seen == [Lamp.MISSING, Lamp.SHOWN, Lamp.SHOWN, Lamp.EXPIRED]
    assert lamps(built.standing, DAY)[Safeguard.REAL_NAME] is Lamp.MISSING


def test_a_refuted_safeguard_was_shown_until_the_day_and_is_shown_again_by_new_evidence():
    built = project()
    built.evidence_safeguard(Safeguard.NOTICE_BOARD, DAY, WHEN)
    built.refute_safeguard(Safeguard.NOTICE_BOARD, days(3), WHY, WHEN)
    built.evidence_safeguard(Safeguard.NOTICE_BOARD, days(7), WHEN)
    seen = [lamps(built.standing, day)[Safeguard.NOTICE_BOARD] for day in (days(2), days(3), days(6), days(7))]
    assert seen == [Lamp.SHOWN, Lamp.REFUTED, Lamp.REFUTED, Lamp.SHOWN]


def test_one_refuted_paper_does_not_put_out_a_lamp_that_another_lights():
    built = project()
    forged = built.evidence_safeguard(Safeguard.BANK_PAYROLL, DAY, WHEN)
    built.evidence_safeguard(Safeguard.BANK_PAYROLL, DAY, WHEN)
    built.refute_safeguard(Safeguard.BANK_PAYROLL, DAY, WHY, WHEN, showings=(forged,))
    assert lamps(built.standing, DAY)[Safeguard.BANK_PAYROLL] is Lamp.SHOWN


def test_of_evidence_none_of_which_holds_the_newest_decides():
    built = project()
    built.evidence_safeguard(Safeguard.REAL_NAME, DAY, WHEN)
    built.refute_safeguard(Safeguard.REAL_NAME, DAY, WHY, WHEN)
    built.evidence_safeguard(Safeguard.REAL_NAME, days(1), WHEN, valid_to=days(2))
    assert lamps(built.standing, DAY)[Safeguard.REAL_NAME] is Lamp.REFUTED
    assert lamps(built.standing, days(3))[Safeguard.REAL_NAME] is Lamp.EXPIRED


def test_the_newest_evidence_is_what_began_last_and_not_what_was_recorded_last():
    built = project()
    built.evidence_safeguard(Safeguard.REAL_NAME, days(2), WHEN)
    built.refute_safeguard(Safeguard.REAL_NAME, days(3), WHY, WHEN)
    built.evidence_safeguard(Safeguard.REAL_NAME, DAY, WHEN, valid_to=days(1))
    assert lamps(built.standing, days(3))[Safeguard.REAL_NAME] is Lamp.REFUTED


def test_refuted_twice_it_does_not_hold_since_the_earlier_day():
    built = project()
    built.evidence_safeguard(Safeguard.REAL_NAME, DAY, WHEN)
    for day in (days(4), days(2), days(6)):
        built.refute_safeguard(Safeguard.REAL_NAME, day, WHY, WHEN)
    assert lamps(built.standing, days(1))[Safeguard.REAL_NAME] is Lamp.SHOWN
    assert lamps(built.standing, days(2))[Safeguard.REAL_NAME] is Lamp.REFUTED


def test_that_nothing_is_there_to_be_seen_is_a_fact_and_the_lamp_stays_missing():
    built = project()
    built.refute_safeguard(Safeguard.NOTICE_BOARD, DAY, WHY, WHEN)
    assert lamps(built.standing, DAY)[Safeguard.NOTICE_BOARD] is Lamp.MISSING


@pytest.mark.parametrize("showing", [1, 9])
def test_a_showing_that_is_of_another_safeguard_or_not_there_cannot_be_refuted(showing):
    built = project()
    built.evidence_safeguard(Safeguard.DEPOSIT, DAY, WHEN)
    with pytest.raises(RuleError) as refused:
        built.refute_safeguard(Safeguard.REAL_NAME, DAY, WHY, WHEN, showings=(showing,))
    assert (refused.value.rule, refused.value.clause) == ("showing-known", "N33")


def test_the_deposit_in_force_is_the_sum_of_what_is_valid_on_the_day():
    built = project()
    cash = Deposit(amount=300_000_00, form=DepositForm.CASH, bank="农行平定支行")
    letter = Deposit(amount=200_000_00, form=DepositForm.GUARANTEE, number="保-7")
    built.evidence_safeguard(Safeguard.DEPOSIT, DAY, WHEN, deposit=cash)
    built.evidence_safeguard(Safeguard.DEPOSIT, DAY, WHEN, valid_to=days(9), deposit=letter)
    assert deposit_on(built.standing, days(9)) == 500_000_00
    assert deposit_on(built.standing, FEBRUARY) == 300_000_00
    assert deposit_on(built.standing, days(-1)) == 0


# Replay


@given(projects())
def test_a_project_read_back_from_its_entries_stands_as_the_one_that_decided(made):
    decided, events = made
    again: Any = None
    for event in events:
        again = event.mutate(again)
    assert isinstance(again, Project)
    assert again.standing == decided.standing == folded(events)
    assert (again.jurisdiction, again.partitionkey) == (decided.jurisdiction, "project-1")


def numbers_in(nodes: tuple[Node, ...]) -> list[int]:
    return [number for node in nodes for number in (node.party.number, *numbers_in(node.below))]


@given(projects(), st.data())
def test_whichever_events_are_looked_at_all_questions_have_an_answer(made, data):
    _, events = made
    kept = data.draw(st.lists(st.booleans(), min_size=len(events), max_size=len(events)))
    standing = folded([event for event, keep in zip(events, kept, strict=True) if keep])
    assert (standing is not None) == kept[0]
    if standing is None:
        return
    assert sorted(numbers_in(chain(standing))) == sorted(standing.parties)
    for day in (days(-50), DAY, days(50)):
        assert len(lamps(standing, day)) == 5
        assert all(party in standing.parties.values() for party in present(standing, day))
        assert state_on(standing, day) in (None, *ProjectState)
    for number in standing.parties:
        above = [each.party.number for each in liable_upstream(standing, number)]
        assert len(set(above)) == len(above)
        assert number not in above
    held = holders(standing)
    assert not held or sum(apportion(12_345, held)) == 12_345


@given(projects())
def test_a_project_that_refuses_what_makes_a_circle_never_has_one(made):
    decided, _ = made
    roots = [node.party for node in chain(decided.standing)]
    assert all(party.under is None for party in roots)


@given(projects())
def test_a_lamp_says_what_its_evidence_says_plainly(made):
    standing = made[0].standing
    for day in (days(-10), DAY, days(10)):
        for safeguard, lamp in lamps(standing, day).items():
            alive = dead = False
            for showing in standing.showings.values():
                if showing.safeguard is not safeguard or showing.valid_from > day:
                    continue
                refuted = showing.refuted_since is not None and showing.refuted_since <= day
                over = showing.valid_to is not None and showing.valid_to < day
                alive, dead = alive or not (refuted or over), dead or refuted or over
            assert (lamp is Lamp.SHOWN) == alive
            assert (lamp is Lamp.MISSING) == (not alive and not dead)
