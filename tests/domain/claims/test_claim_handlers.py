"""Commands about claim lines on a log in memory: batches are whole, what commutes does not conflict, money goes with its line."""

from __future__ import annotations

from typing import Any

import pytest

from domain.claims import handlers
from domain.claims.claim import Claim, WorkerSeen
from domain.claims.handlers import Decision, Part, Said
from domain.errors import ConflictError, NotFoundError, RuleError
from domain.payments import handlers as payments
from domain.payments.handlers import PaidLine
from domain.payments.payment import Payment
from domain.recording import CommandKey
from domain.streams import Basis
from domain.vocabulary import Answer, FollowUpMethod
from tests.domain.claims.desk import TOLD, Beaten, Desk, line, named, person, unnamed
from tests.domain.orders.office import CASE, PROOF, when


@pytest.fixture
def desk() -> Desk:
    return Desk()


def refused(rule: str) -> Any:
    return pytest.raises(RuleError, check=lambda error: error.rule == rule)


# The roster


def test_lines_are_numbered_on_and_a_late_worker_is_entered_too(desk: Desk) -> None:
    assert desk.roster(named(1), named(2)) == [line(1), line(2)]
    seen = WorkerSeen(nickname=person(3, "nickname"))
    assert desk.roster(unnamed(1, seen=seen)) == [line(1), line(2), line(3)]
    assert [claim.line for claim in desk.file().claims.values()] == ["1", "2", "3"]
    assert desk.types(line(3)) == ["claim.stated.v1", "claim.worker-described.v1"]


def test_a_roster_is_one_commit_of_a_case_that_there_is(desk: Desk) -> None:
    end = desk.end
    with refused("roster-has-lines"):
        desk.roster()
    with pytest.raises(NotFoundError):
        desk.roster(named(1), case="case-9")
    assert desk.end == end
    outcome = handlers.add_lines(
        desk.streams, case=CASE, lines=[named(i) for i in range(20)], provenance=when(), context=desk.context
    )
    assert outcome.positions == tuple(range(end + 1, end + 21))


def test_two_clerks_who_enter_workers_at_once_both_succeed(desk: Desk) -> None:
    rivals = [lambda i=i: desk.roster(named(i)) for i in range(1, 6)]
    handlers.add_lines(
        Beaten(desk, *rivals), case=CASE, lines=[named(7), named(8)], provenance=when(), context=desk.context
    )
    assert [claim.worker for claim in desk.file().claims.values()] == [person(i) for i in (1, 2, 3, 4, 5, 7, 8)]
    assert list(desk.file().claims) == [line(i) for i in range(1, 8)]


def test_the_same_roster_sent_twice_is_entered_once(desk: Desk) -> None:
    how: dict[str, Any] = {
        "provenance": when(),
        "context": desk.context,
        "command": CommandKey("clerk-1", "key-1", b"digest"),
    }
    first = handlers.add_lines(desk.streams, case=CASE, lines=[named(1)], **how)
    again = handlers.add_lines(desk.streams, case=CASE, lines=[named(1)], **how)
    assert (again.positions, again.replayed) == (first.positions, True)
    assert desk.standing.lines == 1


# Determining and telling


def test_lines_are_determined_all_or_none(desk: Desk) -> None:
    desk.roster(named(1), named(2))
    with refused("claim-adds-up"):
        desk.verified(100_000, 99_999)
    assert desk.standing.undetermined_lines == 2
    desk.verified(100_000, 100_000)
    assert desk.standing.undetermined_lines == 0


def test_two_clerks_who_determine_different_lines_do_not_conflict(desk: Desk) -> None:
    desk.roster(named(1), named(2))
    late = Beaten(desk, lambda: desk.verified(100_000))
    log = desk.end
    handlers.verify_lines(
        late, case=CASE, decisions=[Decision(line(2), 100_000)], provenance=when(1), context=desk.context
    )
    assert desk.end == log + 2
    assert (desk.standing.undetermined_lines, desk.standing.reverified) == (0, 0)


def test_the_same_line_determined_at_once_is_decided_again(desk: Desk) -> None:
    desk.roster(named(1))
    late = Beaten(desk, lambda: desk.verified(100_000))
    handlers.verify_lines(
        late, case=CASE, decisions=[Decision(line(1), 100_000)], provenance=when(1), context=desk.context
    )
    assert desk.standing.reverified == 1


def test_lines_of_another_case_are_not_determined_or_told(desk: Desk) -> None:
    desk.open_case("case-2")
    other = desk.roster(named(1), case="case-2")[0]
    with pytest.raises(NotFoundError, match="no claim line"):
        handlers.verify_lines(
            desk.streams, case=CASE, decisions=[Decision(other, 100_000)], provenance=when(), context=desk.context
        )
    with pytest.raises(NotFoundError, match="no claim line"):
        handlers.tell_workers(
            desk.streams, case=CASE, claims=[other], told=TOLD, provenance=when(), context=desk.context
        )


def test_workers_are_told_in_one_commit(desk: Desk) -> None:
    desk.roster(named(1, None), named(2, None))
    desk.verified(0, 0)
    assert desk.standing.untold_lines == 2
    handlers.tell_workers(
        desk.streams, case=CASE, claims=[line(1), line(2)], told=TOLD, provenance=when(2), context=desk.context
    )
    assert desk.standing.untold_lines == 0


# Who, and what they gave up


def test_a_worker_is_described_then_identified(desk: Desk) -> None:
    desk.roster(unnamed(1))
    seen = WorkerSeen(crew=person(7, "crew"))
    handlers.describe_worker(desk.streams, claim=line(1), seen=seen, provenance=when(), context=desk.context)
    assert desk.standing.named == 0
    handlers.identify_worker(
        desk.streams, claim=line(1), worker=person(7), how="card", provenance=when(1), context=desk.context
    )
    assert desk.standing.named == 1
    assert desk.claim(line(1)).seen == seen


def test_a_waiver_is_held_against_what_is_owing_when_it_is_recorded(desk: Desk) -> None:
    desk.roster(named(1))
    desk.verified(100_000)
    desk.pay(PaidLine(line(1), 60_000))
    said: dict[str, Any] = {"ground": "settled", "told": TOLD, "evidence": PROOF, "provenance": when(3)}
    with refused("waived-within-owing"):
        handlers.waive(desk.streams, claim=line(1), amount=40_001, **said, context=desk.context)
    handlers.waive(desk.streams, claim=line(1), amount=40_000, **said, context=desk.context)
    assert desk.balance(line(1)).owing == 0
    handlers.refute_waiver(
        desk.streams, claim=line(1), amount=10_000, ground="forged", provenance=when(4), context=desk.context
    )
    assert desk.balance(line(1)).owing == 10_000


# Two lines that are one, and one that is several


def test_what_was_paid_goes_with_a_line_that_is_merged(desk: Desk) -> None:
    desk.roster(named(1), named(1))
    desk.verified(100_000, 100_000)
    desk.pay(PaidLine(line(1), 40_000), PaidLine(line(2), 30_000))
    desk.pay(PaidLine(line(1), 20_000), id="payment-2", basis=Basis.STATED)
    handlers.merge_lines(
        desk.streams, claim=line(1), into=line(2), ground="twice", provenance=when(4), context=desk.context
    )
    left, stays = desk.balance(line(1)), desk.balance(line(2))
    assert (left.left, left.paid, left.overpaid) == (True, 0, 0)
    assert (stays.paid, stays.stated_paid, stays.owing) == (90_000, 20_000, 10_000)
    assert (desk.standing.lines, desk.standing.owing) == (1, 10_000)


def test_money_that_came_back_after_a_merge_is_owed_again(desk: Desk) -> None:
    desk.roster(named(1), named(1))
    desk.verified(100_000, 100_000)
    desk.pay(PaidLine(line(1), 100_000))
    handlers.merge_lines(
        desk.streams, claim=line(1), into=line(2), ground="twice", provenance=when(4), context=desk.context
    )
    assert desk.standing.owing == 0
    outcome = payments.BankOutcome(1, payments.BankResult.RETURNED, reason="account closed")
    payments.apply_bank_return(
        desk.streams, payment="payment-1", outcomes=[outcome], provenance=when(5), context=desk.context
    )
    assert (desk.standing.owing, desk.balance(line(2)).owing) == (100_000, 100_000)


def test_a_line_is_not_merged_into_one_that_left_nor_into_another_cases(desk: Desk) -> None:
    desk.open_case("case-2")
    desk.roster(named(1), named(1), named(1))
    other = desk.roster(named(1), case="case-2")[0]
    how: dict[str, Any] = {"ground": "twice", "provenance": when(4), "context": desk.context}
    handlers.merge_lines(desk.streams, claim=line(1), into=line(2), **how)
    with refused("line-has-left"):
        handlers.merge_lines(desk.streams, claim=line(3), into=line(1), **how)
    with pytest.raises(NotFoundError):
        handlers.merge_lines(desk.streams, claim=line(3), into=other, **how)


def test_a_head_count_is_split_into_its_workers_with_what_was_paid_to_each(desk: Desk) -> None:
    desk.roster(unnamed(2))
    desk.verified(100_000)
    desk.pay(PaidLine(line(1), 30_000, headcount=2))
    desk.pay(PaidLine(line(1), 20_000, headcount=2), id="payment-2")
    parts = [Part(named(1, 60_000), paid=45_000), Part(named(2, 40_000), paid=5_000)]
    handlers.split_line(
        desk.streams, claim=line(1), parts=parts, ground="the list came", provenance=when(4), context=desk.context
    )
    assert [desk.balance(line(number)).paid for number in (1, 2, 3)] == [0, 45_000, 5_000]
    assert (desk.standing.lines, desk.standing.paid, desk.standing.claimed) == (2, 50_000, 100_000)
    assert (desk.standing.named, desk.standing.headcount) == (2, 2)


def test_the_parts_of_a_line_name_all_that_was_paid_to_it(desk: Desk) -> None:
    desk.roster(unnamed(2))
    desk.verified(100_000)
    desk.pay(PaidLine(line(1), 30_000))
    end = desk.end
    with refused("parts-make-the-paid"):
        handlers.split_line(
            desk.streams,
            claim=line(1),
            parts=[Part(named(1, 60_000), paid=29_999), Part(named(2, 40_000))],
            ground="the list came",
            provenance=when(4),
            context=desk.context,
        )
    assert desk.end == end


# Asked whether it arrived


def test_an_answer_confirms_when_the_asker_neither_handled_the_case_nor_paid_in_it(desk: Desk) -> None:
    desk.roster(named(1))
    desk.verified(100_000)
    desk.handled_by("officer-h")
    desk.pay(PaidLine(line(1), 100_000), by="officer-p")
    for asker in ("officer-h", "officer-p", desk.context.actor):
        desk.ask(line(1), Answer.RECEIVED, asker=asker)
        assert not desk.balance(line(1)).confirmed, asker
    desk.ask(line(1), Answer.RECEIVED)
    assert desk.balance(line(1)).confirmed
    assert desk.balance(line(1)).attempts == 4


def test_who_only_read_in_a_book_with_payments_may_ask(desk: Desk) -> None:
    desk.roster(named(1))
    desk.verified(100_000)
    desk.pay(PaidLine(line(1), 100_000), by=None, basis=Basis.STATED)
    desk.ask(line(1), Answer.RECEIVED, asker=desk.context.actor)
    assert desk.balance(line(1)).confirmed


def test_less_undoes_solved_whoever_asks(desk: Desk) -> None:
    desk.roster(named(1))
    desk.verified(100_000)
    desk.handled_by("officer-h")
    desk.ask(line(1), Answer.LESS, 50_000, asker="officer-h", method=FollowUpMethod.MESSAGE)
    assert desk.standing.contradicted_lines == 1


def test_a_list_of_answers_is_one_commit_and_a_worker_may_be_tried_twice_in_it(desk: Desk) -> None:
    desk.roster(named(1), named(2))
    said = [
        Said(line(1), Answer.UNREACHABLE, FollowUpMethod.PHONE),
        Said(line(1), Answer.RECEIVED, FollowUpMethod.PHONE),
        Said(line(2), Answer.REFUSED_TO_SAY, FollowUpMethod.PHONE),
    ]
    end = desk.end
    handlers.follow_up(desk.streams, case=CASE, said=said, asker="officer-x", provenance=when(3), context=desk.context)
    assert desk.end == end + 3
    assert (desk.balance(line(1)).attempts, desk.balance(line(2)).attempts) == (2, 1)
    assert desk.standing.unreached_lines == 1


def test_a_command_gives_up_after_it_was_beaten_too_often(desk: Desk) -> None:
    desk.roster(named(1))
    rivals = [lambda: desk.ask(line(1), Answer.UNREACHABLE)] * 3
    with pytest.raises(ConflictError):
        handlers.follow_up(
            Beaten(desk, *rivals),
            case=CASE,
            said=[Said(line(1), Answer.RECEIVED, FollowUpMethod.PHONE)],
            asker="officer-x",
            provenance=when(3),
            context=desk.context,
        )


def test_the_streams_of_a_batch_are_read_in_one_look_in_the_order_asked(desk: Desk) -> None:
    desk.roster(named(1), named(2), named(3))
    desk.pay(PaidLine(line(1), 1))
    found = desk.streams.get_many(Claim, [line(3), "claim-none", line(1), "payment-1"])
    assert [claim.id for claim in found] == [line(3), line(1)]
    assert [payment.id for payment in desk.streams.get_many(Payment, ["payment-1"])] == ["payment-1"]
