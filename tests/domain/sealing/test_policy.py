"""Policies: what is trusted, what is refused, and what makes a quorum."""

from __future__ import annotations

from itertools import combinations

import pytest

from domain.errors import VerificationError
from domain.sealing.cosignature import Cosigner, CosignerKey, with_lines
from domain.sealing.note import SigningKey, parse_note
from domain.sealing.policy import Policy, parse_policy
from tests.domain.sealing.material import LOG, SECOND_WITNESS, TIME, WITNESS, leaves, signed

WITNESSES = [Cosigner(f"witness.example/{number}", bytes([number]) * 32) for number in range(6)]
X1, X2, X3, Y1, Y2, Y3 = KEYS = [witness.verifier for witness in WITNESSES]

EXAMPLE = f"""
# Two organisations.
log {LOG.verifier.vkey} https://audit.example.org/log1

witness X1 {X1.vkey}
\twitness   X2\t{X2.vkey}  https://x2.example/submit
witness X3 {X3.vkey}\x20
group X-witnesses 2 X1 X2 X3

witness Y1 {Y1.vkey}
witness Y2 {Y2.vkey}
witness Y3 {Y3.vkey}
group Y-witnesses any Y1 Y2 Y3

  # 两级
group X-and-Y all X-witnesses Y-witnesses
quorum X-and-Y
""".encode()


def of_lines(*lines: str) -> Policy:
    return parse_policy("".join(f"{line}\n" for line in lines).encode())


def test_the_example_of_the_specification_asks_for_two_of_one_and_one_of_the_other() -> None:
    policy = parse_policy(EXAMPLE)
    for count in range(7):
        for present in combinations(KEYS, count):
            enough = len({X1, X2, X3} & set(present)) >= 2 and len({Y1, Y2, Y3} & set(present)) >= 1
            assert policy.is_met_by(present) is enough


def test_logs_witnesses_and_addresses_are_read() -> None:
    policy = parse_policy(EXAMPLE)
    assert [(log.key, log.url) for log in policy.logs] == [(LOG.verifier, "https://audit.example.org/log1")]
    assert [witness.key for witness in policy.witnesses] == KEYS
    assert [witness.url for witness in policy.witnesses] == ["", "https://x2.example/submit", "", "", "", ""]
    assert [(group.name, group.threshold) for group in policy.groups] == [
        (b"X-witnesses", 2),
        (b"Y-witnesses", 1),
        (b"X-and-Y", 2),
    ]


@pytest.mark.parametrize("asked", ["1", "2", "3", "any", "all"])
def test_k_of_n_needs_k_whichever(asked: str) -> None:
    policy = of_lines(
        f"witness a {X1.vkey}", f"witness b {X2.vkey}", f"witness c {X3.vkey}", f"group g {asked} a b c", "quorum g"
    )
    least = {"any": 1, "all": 3}.get(asked) or int(asked)
    for count in range(4):
        for present in combinations([X1, X2, X3], count):
            assert policy.is_met_by(present) is (count >= least)


def test_a_witness_counts_once_however_often_it_cosigned_and_strangers_never() -> None:
    policy = of_lines(f"witness a {X1.vkey}", f"witness b {X2.vkey}", "group g 2 a b", "quorum g")
    assert not policy.is_met_by([X1, X1, X1])
    assert not policy.is_met_by([X1, X3, Y1])
    same_key_other_name = CosignerKey("witness.example/other", X2.public)
    assert not policy.is_met_by([X1, same_key_other_name])


def test_a_single_witness_is_a_quorum_by_its_name_and_none_asks_for_nobody() -> None:
    assert of_lines(f"witness a {X1.vkey}", "quorum a").is_met_by([X1])
    assert not of_lines(f"witness a {X1.vkey}", "quorum a").is_met_by([])
    assert of_lines("quorum none").is_met_by([])
    assert of_lines(f"witness a {X1.vkey}", "quorum none").is_met_by([])


def test_names_are_octets() -> None:
    kelvin = b"witness \xe2\x84\xaa " + X1.vkey.encode() + b"\nwitness K " + X2.vkey.encode() + b"\nquorum K\n"
    policy = parse_policy(kelvin)
    assert policy.is_met_by([X2])
    assert not policy.is_met_by([X1])
    assert parse_policy(b"witness \xff " + X1.vkey.encode() + b"\nquorum \xff\n").is_met_by([X1])


def test_hundreds_of_groups_within_groups_are_counted() -> None:
    lines = [f"witness w {X1.vkey}", "group g0 all w"]
    lines += [f"group g{number} any g{number - 1}" for number in range(1, 3000)]
    assert of_lines(*lines, "quorum g2999").is_met_by([X1])


A, B = f"witness a {X1.vkey}", f"witness b {X2.vkey}"


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([], "not ended"),
        ([A], "no quorum"),
        (["quorum none", "quorum none"], "line 2"),
        ([A, "quorum b"], "line 2.*not defined"),
        (["quorum a", A], "line 1.*not defined"),
        ([A, "quorum"], "line 2"),
        ([A, "quorum a a"], "line 2"),
        ([A, "group g any none", "quorum g"], "not defined"),
        ([A, "group g any g", "quorum g"], "not defined"),
        ([A, "group g any b", B, "quorum g"], "not defined"),
        ([A, "group g any", "quorum g"], "line 2"),
        ([A, "group g", "quorum a"], "line 2"),
        ([A, B, "group g 0 a b", "quorum g"], "line 3"),
        ([A, B, "group g 3 a b", "quorum g"], "line 3"),
        ([A, B, "group g 01 a b", "quorum g"], "line 3"),
        ([A, B, "group g -1 a b", "quorum g"], "line 3"),
        ([A, B, "group g +1 a b", "quorum g"], "line 3"),
        ([A, B, "group g ANY a b", "quorum g"], "line 3"),
        ([A, B, "group g ١ a b", "quorum g"], "line 3"),
        ([A, B, "group g " + "9" * 5000 + " a b", "quorum g"], "line 3"),
        ([A, "group g 2 a a", "quorum g"], "counts once"),
        ([A, B, "group g any a", "group h all a b", "quorum h"], "line 4.*counts once"),
        ([A, "group a any a", "quorum a"], "defined already"),
        ([A, f"witness a {X2.vkey}", "quorum a"], "defined already"),
        ([f"witness none {X1.vkey}", "quorum none"], "defined already"),
        ([A, "group none any a", "quorum none"], "defined already"),
        ([A, f"witness b {X1.vkey}", "quorum a"], "listed twice"),
        ([A, f"witness b {CosignerKey('other.example', X1.public).vkey}", "quorum a"], "listed twice"),
        ([f"log {LOG.verifier.vkey}"] * 2 + ["quorum none"], "line 2.*listed twice"),
        ([f"log {X1.vkey}", "quorum none"], "type 01"),
        ([f"witness a {LOG.verifier.vkey}", "quorum a"], "type 04"),
        (["log", "quorum none"], "line 1.*form"),
        ([f"log {LOG.verifier.vkey} url more", "quorum none"], "line 1.*form"),
        (["witness a", "quorum none"], "line 1.*form"),
        (["witness", "quorum none"], "line 1.*form"),
        ([f"{A} url more", "quorum a"], "line 1.*form"),
        (["Log x", "quorum none"], "neither"),
        (["quorum none\r"], "control"),
        (["quorum\u00a0none"], "neither"),
        (["quorum none # comment"], "line 1"),
        (["quorum none\x0b"], "control"),
        (["quorum none\x7f"], "control"),
    ],
)
def test_a_policy_that_means_nothing_or_two_things_is_refused(lines: list[str], message: str) -> None:
    with pytest.raises(VerificationError, match=message):
        of_lines(*lines)


def test_a_policy_cut_short_anywhere_is_refused_or_asks_for_all_it_asked_for() -> None:
    for length in range(len(EXAMPLE)):
        with pytest.raises(VerificationError):
            parse_policy(EXAMPLE[:length])


@pytest.mark.parametrize("wrong", [None, 7, EXAMPLE.decode(), b"log \xff\nquorum none\n"])
def test_what_is_no_policy_is_refused(wrong: bytes) -> None:
    with pytest.raises(VerificationError):
        parse_policy(wrong)


# --------------------------------------------------------------------------------------------------------- checkpoints

TWO = of_lines(
    f"log {LOG.verifier.vkey}",
    f"witness a {WITNESS.verifier.vkey}",
    f"witness b {SECOND_WITNESS.verifier.vkey}",
    "group both all a b",
    "quorum both",
)
HASHES = leaves(9)


def test_a_checkpoint_with_its_quorum_is_accepted_with_its_times() -> None:
    accepted = TWO.verified(signed(HASHES, cosigners=[WITNESS, SECOND_WITNESS]))
    assert accepted.checkpoint.size == 9
    assert {(found.key, found.time) for found in accepted.cosignatures} == {
        (WITNESS.verifier, TIME),
        (SECOND_WITNESS.verifier, TIME),
    }


@pytest.mark.parametrize("cosigners", [[], [WITNESS], [SECOND_WITNESS], [WITNESS, WITNESS], [WITNESS, WITNESSES[0]]])
def test_a_checkpoint_without_its_quorum_is_refused(cosigners: list[Cosigner]) -> None:
    with pytest.raises(VerificationError, match="quorum"):
        TWO.verified(signed(HASHES, cosigners=cosigners))


def test_witnesses_alone_make_no_checkpoint_of_a_log_that_is_not_trusted() -> None:
    other = SigningKey("other.example/log", bytes(32))
    with pytest.raises(VerificationError, match="no key of the log"):
        TWO.verified(signed(HASHES, cosigners=[WITNESS, SECOND_WITNESS], key=other))
    with pytest.raises(VerificationError, match="no known key"):
        TWO.verified(signed(HASHES, cosigners=[WITNESS, SECOND_WITNESS], key=SigningKey(LOG.name, bytes(32))))


def test_a_cosignature_that_does_not_verify_spoils_a_quorum_without_it() -> None:
    one = Policy(TWO.logs, TWO.witnesses, (), b"a")
    good = signed(HASHES, cosigners=[WITNESS])
    assert len(one.verified(good).cosignatures) == 1
    foreign = SECOND_WITNESS.signature_line(parse_note(signed(leaves(8))).text, TIME)
    with pytest.raises(VerificationError, match="does not verify"):
        one.verified(with_lines(parse_note(good), [foreign]))


def test_a_policy_of_a_log_alone_asks_for_no_witness_and_says_that_none_was_there() -> None:
    accepted = Policy.of_log(LOG.verifier).verified(signed(HASHES, cosigners=[WITNESS]))
    assert accepted.cosignatures == ()
