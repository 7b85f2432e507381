"""The rules of a claim line, act by act: what is refused, and what is recorded whatever it says."""

from __future__ import annotations

from typing import Any

import pytest

from domain.cases.standing import contribution
from domain.claims.balance import Balance, after
from domain.claims.claim import Claim, Figures, WorkerSeen
from domain.errors import RuleError
from domain.vocabulary import Answer, ClaimKind, FollowUpMethod, Told
from tests.domain.claims.desk import TOLD, person
from tests.domain.orders.office import CASE, PROOF, when


def claim(
    claimed: int | None = 100_000, *, worker: int | None = 1, headcount: int = 1, id: str = "claim-1", **figures: Any
) -> Claim:
    return Claim(
        id=id,
        case=CASE,
        place="140321",
        line="1",
        kind=ClaimKind.WAGE,
        headcount=headcount,
        figures=Figures(claimed=claimed, **figures),
        worker=None if worker is None else person(worker),
        worker_id=None if worker is None else person(worker, "worker_id"),
        phone=None if worker is None else person(worker, "phone"),
        provenance=when(),
    )


def balance(line: Claim) -> Balance:
    found = None
    for event in line.pending_events:
        found = after(found, event)  # type: ignore[arg-type]
    assert found is not None
    return found


def refused(rule: str) -> Any:
    return pytest.raises(RuleError, check=lambda error: error.rule == rule)


# Determined


def test_the_parts_of_a_verdict_make_what_is_claimed() -> None:
    line = claim()
    with refused("claim-adds-up"):
        line.verify(verified=99_999, provenance=when(1))
    line.verify(verified=60_000, rejected=30_000, disputed=10_000, ground="days", told=TOLD, provenance=when(1))
    assert balance(line).pending == 0
    assert (balance(line).due, balance(line).disputed) == (60_000, 10_000)


@pytest.mark.parametrize("told", [None, Told(on="", how="telephone"), Told(on="2019-12-02", how=" ")])
def test_a_rejection_says_when_and_how_the_worker_was_told(told: Told | None) -> None:
    line = claim()
    with refused("rejection-told"):
        line.verify(verified=0, rejected=100_000, ground="never worked there", told=told, provenance=when(1))
    with refused("rejection-has-ground"):
        line.verify(verified=0, rejected=100_000, ground=" ", told=TOLD, provenance=when(1))
    assert len(line.pending_events) == 1


def test_a_lower_verdict_than_before_is_a_reduction_where_nothing_says_what_is_claimed() -> None:
    line = claim(None, verified=80_000)
    with refused("rejection-has-ground"):
        line.verify(verified=79_999, provenance=when(1))
    line.verify(verified=80_000, provenance=when(1))
    with refused("rejection-told"):
        line.verify(verified=70_000, ground="days", provenance=when(2))
    line.verify(verified=70_000, ground="days", told=TOLD, provenance=when(2))
    assert (balance(line).due, balance(line).verifications) == (70_000, 2)


def test_what_is_withdrawn_needs_the_workers_own_statement() -> None:
    line = claim()
    with refused("withdrawn-by-own-statement"):
        line.verify(verified=0, withdrawn=100_000, provenance=when(1))
    line.verify(verified=0, withdrawn=100_000, evidence=PROOF, provenance=when(1))
    assert balance(line).owing == 0


def test_who_is_owed_nothing_is_told_by_an_event_of_its_own() -> None:
    line = claim(None)
    line.verify(verified=0, provenance=when(1))
    assert contribution(balance(line)).untold_lines == 1
    line.tell(TOLD, when(2))
    assert contribution(balance(line)).untold_lines == 0


# Waived


def waivable() -> Claim:
    line = claim()
    line.verify(verified=100_000, provenance=when(1))
    return line


@pytest.mark.parametrize(
    ("rule", "other"),
    [
        ("waived-by-the-worker", {"evidence": ()}),
        ("waiver-told", {"ground": ""}),
        ("waiver-told", {"told": Told(on="2019-12-02", how="")}),
        ("waived-within-owing", {"amount": 0}),
        ("waived-within-owing", {"amount": -1}),
        ("waived-within-owing", {"amount": 100_001}),
    ],
)
def test_a_waiver_is_the_workers_own_signed_with_its_ground_and_within_what_is_owing(
    rule: str, other: dict[str, Any]
) -> None:
    line = waivable()
    said: dict[str, Any] = {"amount": 1, "owing": 100_000, "ground": "settled", "told": TOLD, "evidence": PROOF} | other
    with refused(rule):
        line.waive(**said, provenance=when(2))


def test_nobody_waives_for_a_line_that_names_no_worker() -> None:
    line = claim(worker=None)
    line.verify(verified=100_000, provenance=when(1))
    with refused("waived-by-the-worker"):
        line.waive(1, 100_000, "settled", TOLD, PROOF, when(2))


def test_waivers_add_up_and_what_is_refuted_is_owed_again() -> None:
    line = waivable()
    line.waive(30_000, 100_000, "settled", TOLD, PROOF, when(2))
    line.waive(20_000, 70_000, "settled", TOLD, PROOF, when(3))
    assert (balance(line).waived, balance(line).owing) == (50_000, 50_000)
    line.refute_waiver(20_000, "forged", when(4))
    assert (line.waived, balance(line).owing) == (30_000, 70_000)
    line.refute_waiver(99_000, "more than there was", when(5))
    assert (line.waived, balance(line).owing) == (0, 100_000)


# Who the worker is


def test_an_unnamed_head_count_is_split_before_anybody_is_identified() -> None:
    line = claim(worker=None, headcount=5)
    with refused("one-worker-identified"):
        line.identify(person(7), "card", when(1))


def test_a_worker_who_answered_under_a_nickname_keeps_the_answer_when_identified_and_is_confirmed_only_then() -> None:
    line = claim(worker=None)
    line.describe(WorkerSeen(nickname=person(7, "nickname")), when())
    line.describe(WorkerSeen(nickname=person(7, "nickname")), when())
    line.describe(WorkerSeen(), when())
    line.verify(verified=100_000, provenance=when(1))
    line.follow_up(Answer.RECEIVED, FollowUpMethod.PHONE, when(2), independent=True)
    assert len(line.pending_events) == 4
    assert not balance(line).confirmed
    line.identify(person(7), "card", when(3))
    assert balance(line).confirmed


def test_another_person_than_before_voids_the_answer_and_inherits_neither_telephone_nor_id_number() -> None:
    line = claim()
    line.verify(verified=100_000, provenance=when(1))
    line.follow_up(Answer.RECEIVED, FollowUpMethod.IN_PERSON, when(2), independent=True)
    line.identify(person(1), "card seen", when(3))
    assert balance(line).confirmed
    assert line.phone == person(1, "phone")
    line.identify(person(2), "it was his brother", when(4))
    assert not balance(line).confirmed
    assert balance(line).answer is None
    assert [line.worker, line.worker_id, line.phone] == [person(2), None, None]


def test_another_person_than_before_takes_a_complaint_with_it_too() -> None:
    line = claim()
    line.follow_up(Answer.NOT_RECEIVED, FollowUpMethod.PHONE, when(2), independent=True)
    line.identify(person(2), "it was his brother", when(4))
    assert not balance(line).contradicted


# Asked


def asked(*answers: tuple[Any, ...], due: int = 100_000) -> Balance:
    line = claim(due)
    line.verify(verified=due, provenance=when(1))
    for answer, amount, method, independent in answers:
        line.follow_up(answer, method, when(2), amount=amount, independent=independent)
    return balance(line)


@pytest.mark.parametrize("method", FollowUpMethod)
@pytest.mark.parametrize("independent", [True, False])
def test_only_the_workers_own_voice_heard_by_an_independent_asker_confirms(
    method: FollowUpMethod, *, independent: bool
) -> None:
    by_voice = method in ("phone", "in-person", "video")
    assert asked((Answer.RECEIVED, None, method, independent)).confirmed == (by_voice and independent)


@pytest.mark.parametrize(("amount", "confirmed"), [(None, True), (100_000, True), (100_001, True), (99_999, False)])
def test_confirmed_takes_all_that_is_due(amount: int | None, *, confirmed: bool) -> None:
    found = asked((Answer.RECEIVED, amount, FollowUpMethod.PHONE, True))
    assert (found.confirmed, found.contradicted) == (confirmed, not confirmed)


@pytest.mark.parametrize("answer", [Answer.LESS, Answer.NOT_RECEIVED])
def test_less_or_not_counts_whoever_asked_and_however(answer: Answer) -> None:
    found = asked(
        (Answer.RECEIVED, None, FollowUpMethod.PHONE, True), (answer, None, FollowUpMethod.THROUGH_OTHERS, False)
    )
    assert found.contradicted
    assert not found.confirmed


def test_a_complaint_is_not_talked_away_by_the_handler_but_by_an_independent_asker() -> None:
    complaint = (Answer.LESS, 50_000, FollowUpMethod.PHONE, True)
    assert asked(complaint, (Answer.RECEIVED, None, FollowUpMethod.PHONE, False)).contradicted
    assert asked(complaint, (Answer.RECEIVED, None, FollowUpMethod.PHONE, True)).confirmed


@pytest.mark.parametrize("answer", [Answer.UNREACHABLE, Answer.WRONG_PERSON, Answer.REFUSED_TO_SAY])
@pytest.mark.parametrize("before", [Answer.RECEIVED, Answer.LESS])
def test_an_attempt_without_an_answer_is_counted_and_changes_no_answer(answer: Answer, before: Answer) -> None:
    found = asked((before, None, FollowUpMethod.PHONE, True), (answer, None, FollowUpMethod.PHONE, True))
    assert (found.answer, found.attempts) == (before, 2)


# Merged and split


def test_a_line_that_has_left_is_not_decided_on_and_what_happens_to_it_is_recorded() -> None:
    line = claim()
    line.merge("claim-2", "twice on the roster", when(1))
    acts = (
        lambda: line.verify(verified=100_000, provenance=when(2)),
        lambda: line.waive(1, 1, "settled", TOLD, PROOF, when(2)),
        lambda: line.identify(person(1), "card", when(2)),
        lambda: line.merge("claim-3", "again", when(2)),
        lambda: line.split((claim(1), claim(2)), "again", when(2)),
    )
    for act in acts:
        with refused("line-has-left"):
            act()
    before = len(line.pending_events)
    line.follow_up(Answer.LESS, FollowUpMethod.PHONE, when(3), independent=True)
    line.restate(Figures(claimed=5), 1, "amended book", when(3))
    line.vanish("book", when(3))
    line.tell(TOLD, when(3))
    assert len(line.pending_events) == before + 4
    left = contribution(balance(line))
    assert (left.lines, left.claimed, left.owing, left.contradicted_lines) == (0, 0, 0, 0)


def test_merging_takes_a_ground_and_two_lines() -> None:
    line = claim()
    with refused("ground-given"):
        line.merge("claim-2", " ", when(1))
    with refused("two-lines"):
        line.merge(line.id, "twice", when(1))


@pytest.mark.parametrize(
    ("rule", "parts"),
    [
        ("split-in-two", [(100_000, 5)]),
        ("parts-make-the-line", [(60_000, 2), (39_999, 3)]),
        ("parts-make-the-line", [(60_000, 2), (40_000, 2)]),
    ],
)
def test_the_parts_of_a_line_make_its_figure_and_its_head_count(rule: str, parts: list[tuple[int, int]]) -> None:
    line = claim(worker=None, headcount=5)
    made = [
        claim(claimed, worker=None, headcount=heads, id=f"claim-{i}") for i, (claimed, heads) in enumerate(parts, 2)
    ]
    with refused(rule):
        line.split(tuple(made), "the list came", when(1))


# What opens *determined* again


def test_what_was_determined_again_or_left_is_counted_and_the_count_never_falls() -> None:
    line = claim()
    counts = [contribution(balance(line)).reverified]
    for step in range(3):
        line.verify(verified=100_000, provenance=when(step))
        counts.append(contribution(balance(line)).reverified)
    line.merge("claim-2", "twice on the roster", when(5))
    counts.append(contribution(balance(line)).reverified)
    assert counts == [0, 0, 1, 2, 3]
