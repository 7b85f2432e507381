"""Identity numbers: the check digit, the two generations, the last four."""

from __future__ import annotations

import pytest

from domain.sheets.identity import is_identity, is_masked, last_four, masked, plain_number, same_identity
from infra.sample.words import person

VALID = "11010519491231002X"  # the example of GB 11643-1999


def test_the_example_of_the_standard_is_valid_and_with_any_other_check_digit_is_not():
    assert is_identity(VALID)
    assert not any(is_identity(VALID[:17] + digit) for digit in "0123456789")


@pytest.mark.parametrize(
    "number", ["", "1" * 15, VALID[:17], VALID + "1", "０" * 18, "01010519491231002X", VALID.lower()]
)
def test_anything_else_is_none(number):
    assert not is_identity(number)


def test_no_invented_person_has_a_valid_number():
    assert not any(is_identity(person(number).identity) for number in range(50))


@pytest.mark.parametrize(
    "said", [" 110105 19491231 002x ", "１１０１０５１９４９１２３１００２Ｘ", "110105-19491231-002X"]
)
def test_a_number_is_the_same_however_it_is_typed(said):
    assert plain_number(said) == VALID


def test_a_number_of_the_first_generation_is_that_of_the_second_without_century_and_check_digit():
    assert same_identity("110105491231002", VALID)
    assert same_identity(VALID, "110105491231002")
    assert not same_identity("110105491231003", VALID)
    assert not same_identity(VALID, VALID[:17] + "1")


@pytest.mark.parametrize(
    ("said", "four"),
    [(VALID, "002X"), ("1101**********002X", "002X"), ("13", "0013"), ("138****0001", "0001"), ("", "")],
)
def test_the_last_four_are_told_of_masked_numbers_and_of_those_that_lost_their_zeros(said, four):
    assert last_four(said) == four


def test_a_masked_number_hides_all_but_four():
    assert masked(VALID) == "****002X"
    assert masked("123") == "****"
    assert masked(None) == ""
    assert is_masked("1101**********002X")
    assert not is_masked(VALID)
