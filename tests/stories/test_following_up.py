"""Stories of the follow-up: who asks, what the worker says, and what it undoes (definitions.md, confirmed; N26)."""

from __future__ import annotations

from tests.stories.office import YUAN, Office


def written_off(office: Office, *claimed: int) -> str:
    case = office.paid_case(*claimed)
    office.close(case)
    office.write_off(case)
    return case


def test_everybody_received_and_the_case_is_in_hand(office: Office):
    case = written_off(office, 500, 300)
    office.ask(case, _1="received", _2="received")
    assert office.words(case) == {"determined", "solved", "closed", "written_off", "confirmed"}


def test_the_worker_says_less_and_the_case_returns_to_the_books_by_itself(office: Office):
    case = written_off(office, 500, 300)
    office.ask(case, _1="received", _2=("less", 100))
    assert office.words(case) == {"determined", "closed"}
    assert office.why_not(case) == {"nobody-contradicts"}
    [line] = next(
        condition["lines"]
        for condition in office.get(f"cases/{case}/why", word="solved")["words"][0]["conditions"]
        if condition["name"] == "nobody-contradicts"
    )
    assert line["label"]["line"] == "2"
    assert line["event"]["type"].startswith("claim.followed-up")
    assert line["event"]["officer"] == "sun"


def test_the_worker_says_nothing_came(office: Office):
    case = written_off(office, 500)
    office.ask(case, _1="not-received")
    assert "written_off" not in office.words(case)


def test_the_worker_cannot_be_reached_and_nothing_is_undone_nor_confirmed(office: Office):
    case = written_off(office, 500)
    office.ask(case, _1="unreachable")
    assert office.words(case) == {"determined", "solved", "closed", "written_off"}
    assert office.get(f"cases/{case}")["standing"]["unreached_lines"] == 1


def test_a_later_answer_is_the_one_that_counts(office: Office):
    case = written_off(office, 500)
    office.ask(case, _1="not-received")
    office.ask(case, _1="received")
    assert "confirmed" in office.words(case)
    assert "written_off" in office.words(case)


def test_an_unreachable_worker_does_not_take_an_answer_back(office: Office):
    case = written_off(office, 500)
    office.ask(case, _1="received")
    office.ask(case, _1="unreachable")
    assert "confirmed" in office.words(case)


def test_what_the_worker_tells_who_paid_is_recorded_and_confirms_nothing(office: Office):
    case = written_off(office, 500)
    office.ask(case, by="zhao", _1="received")
    assert "confirmed" not in office.words(case)
    office.ask(case, by="zhao", _1="not-received")
    assert "solved" not in office.words(case)
    office.ask(case, by="sun", _1="received")
    assert "confirmed" in office.words(case)


def test_a_handler_confirms_nothing_even_after_they_handed_over(office: Office):
    case = office.paid_case(500)
    office.do("qian", f"cases/{case}/assign", duty="handler", officer="sun")
    office.do("qian", f"cases/{case}/relieve", duty="handler", holder="sun", reason="调岗")
    office.ask(case, by="sun", _1="received")
    assert "confirmed" not in office.words(case)


def test_a_handler_is_given_no_call_list(office: Office):
    case = office.paid_case(500)
    form = {"number": "访0", "scope": "all", "caller": "zhao"}
    assert office.refused("qian", f"cases/{case}/draw-call-list", **form) == "asker-independent"


def test_calls_go_by_a_list_that_somebody_else_could_draw_again(office: Office):
    case = written_off(office, *range(101, 121))
    said = office.do("qian", f"cases/{case}/draw-call-list", number="访1", scope="sample", size=5, caller="sun")
    [listed] = office.rows("call-list", case=case)
    assert listed["number"] == "访1"
    entry = office.get(f"events/{said['events'][0]['position']}")["item"]["data"]
    assert len(entry["claims"]) == 5
    assert len(set(entry["claims"])) == 5


def test_a_list_is_not_closed_while_somebody_was_never_tried(office: Office):
    case = written_off(office, 500, 300)
    said = office.do("qian", f"cases/{case}/draw-call-list", number="访2", scope="all", caller="sun")
    call_list = next(event["stream"] for event in said["events"] if "call-list" in event["stream"])
    office.do("sun", f"cases/{case}/follow-up", call_list="访2", answers=[{"claim": "1", "answer": "received"}])
    assert office.refused("sun", f"call-lists/{call_list}/close") == "everybody-tried"
    office.do("sun", f"cases/{case}/follow-up", call_list="访2", answers=[{"claim": "2", "answer": "unreachable"}])
    office.do("sun", f"call-lists/{call_list}/close")


def test_two_hundred_answers_are_recorded_or_none(office: Office):
    case = written_off(office, 500, 300)
    answers = [{"claim": "1", "answer": "received"}, {"claim": "9", "answer": "received"}]
    office.refused("sun", f"cases/{case}/follow-up", answers=answers)
    assert office.get(f"cases/{case}")["standing"]["confirmed_lines"] == 0


def test_received_less_than_is_owed_confirms_nothing(office: Office):
    case = office.case(500)
    office.verify(case, _1=500)
    office.roster(case)
    office.pay(case, _1=400)
    office.ask(case, _1=("less", 400))
    assert "confirmed" not in office.words(case)
    assert office.figures(case)["owing"] == 100 * YUAN // YUAN
