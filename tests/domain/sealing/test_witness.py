"""A witness: what it cosigns, and every answer of the protocol to what it does not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import VerificationError
from domain.sealing.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from domain.sealing.cosignature import cosignatures_of, with_lines
from domain.sealing.note import SigningKey, parse_note, print_note, print_signature
from domain.sealing.submission import (
    accepted_cosignatures,
    parse_size,
    parse_submission,
    print_size,
    print_submission,
)
from domain.sealing.tree import consistency_proof, leaf_hash, root_of
from domain.sealing.witness import Answer, Witness, WitnessedHead
from tests.domain.sealing.material import (
    LOG,
    SECOND_WITNESS,
    TIME,
    WITNESS,
    all_mutations,
    leaves,
    literal_root,
    reader_of,
    signed,
)

LEAVES = leaves(40)
READ = reader_of(LEAVES)
HERE = Witness({LOG.name: [LOG.verifier]}, WITNESS)


def head_of(size: int) -> WitnessedHead:
    return WitnessedHead(size, root_of(LEAVES[:size]), b"")


def asked(
    old: int,
    size: int,
    known: WitnessedHead | None,
    *,
    proof: list[bytes] | None = None,
    note: bytes | None = None,
    witness: Witness = HERE,
) -> Answer:
    if proof is None:
        proof = consistency_proof(min(old, size), size, READ)
    body = print_submission(old, proof, note or signed(LEAVES[:size]))
    return witness.add_checkpoint(body, lambda origin: {LOG.name: known}[origin], TIME)


def assert_refused(answer: Answer, status: int) -> None:
    assert (answer.status, answer.head) == (status, None)
    assert answer.body.endswith(b"\n")


@pytest.mark.parametrize("size", range(34))
def test_a_witness_cosigns_every_tree_that_extends_what_it_knows(size: int) -> None:
    for old in range(size + 1):
        answer = asked(old, size, head_of(old) if old else None)
        assert answer.status == 200
        assert answer.origin == LOG.name
        assert answer.head is not None
        assert (answer.head.size, answer.head.root) == (size, root_of(LEAVES[:size]))
        [cosignature] = accepted_cosignatures(signed(LEAVES[:size]), answer.body, [WITNESS.verifier])
        assert cosignature.time == TIME


def test_what_it_serves_to_monitors_bears_the_verified_signature_of_the_log_and_its_own() -> None:
    unknown = print_signature("unknown.example", bytes(4), bytes(64))
    note = with_lines(parse_note(signed(LEAVES[:9])), [unknown])
    head = asked(0, 9, None, note=note).head
    assert head is not None
    assert open_checkpoint(head.note, [LOG.verifier]).checkpoint.size == 9
    kept = parse_note(head.note)
    assert len(cosignatures_of(kept, [WITNESS.verifier])) == 1
    assert [signature.name for signature in kept.signatures] == [LOG.name, WITNESS.name]


def test_the_same_checkpoint_again_is_cosigned_at_the_later_time() -> None:
    answer = asked(9, 9, head_of(9))
    assert answer.status == 200


def test_a_witness_that_is_elsewhere_says_where() -> None:
    for old, known in [(3, 5), (5, 3), (0, 5), (7, 0)]:
        answer = asked(old, 9, head_of(known) if known else None)
        assert (answer.status, answer.content_type, answer.head) == (409, "text/x.tlog.size", None)
        assert parse_size(answer.body) == known


def test_a_tree_that_rewrote_a_leaf_is_not_cosigned() -> None:
    for rewritten in range(5):
        forged = [*LEAVES[:rewritten], leaf_hash(b"forged"), *LEAVES[rewritten + 1 : 9]]
        proof = consistency_proof(5, 9, reader_of(forged))
        assert_refused(asked(5, 9, head_of(5), proof=proof, note=signed(forged)), 422)


def test_a_second_signer_of_the_same_size_is_not_cosigned() -> None:
    forged = [*LEAVES[:8], leaf_hash(b"forged")]
    assert_refused(asked(9, 9, head_of(9), proof=[], note=signed(forged)), 422)


def test_a_proof_that_is_wrong_missing_or_too_much_is_unprocessable() -> None:
    good = consistency_proof(5, 9, READ)
    for proof in ([], good[1:], good[::-1], [*good, good[0]], [bytes(32), *good[1:]]):
        assert_refused(asked(5, 9, head_of(5), proof=proof), 422)
    assert_refused(asked(9, 9, head_of(9), proof=good), 422)


def test_from_nothing_no_proof_is_taken() -> None:
    assert_refused(asked(0, 9, None, proof=consistency_proof(5, 9, READ)), 422)


def test_an_empty_log_has_the_root_of_nothing() -> None:
    assert asked(0, 0, None).status == 200
    wrong = sign_checkpoint(Checkpoint(LOG.name, 0, bytes(32)), [LOG])
    assert_refused(asked(0, 0, None, note=wrong), 422)


def test_an_old_size_beyond_the_checkpoint_is_a_bad_request_whatever_is_known() -> None:
    for known in (None, head_of(5), head_of(9), head_of(12)):
        assert_refused(asked(12, 9, known), 400)


def test_a_log_that_is_not_known_is_not_found() -> None:
    other = SigningKey("other.example/log", bytes(32))
    assert_refused(asked(0, 9, None, note=signed(LEAVES[:9], key=other)), 404)
    assert_refused(asked(0, 9, None, witness=Witness({LOG.name: []}, WITNESS)), 404)


def test_a_checkpoint_that_no_known_key_of_the_log_signed_is_forbidden() -> None:
    impostor = SigningKey(LOG.name, bytes(32))
    text = parse_note(signed(LEAVES[:9])).text
    other = SigningKey("other.example/log", bytes(32))
    forged = print_signature(LOG.name, LOG.verifier.key_id, bytes(64))
    for line in (impostor.signature_line(text), other.signature_line(text), forged):
        assert_refused(asked(0, 9, None, note=print_note(text, [line])), 403)
    assert_refused(asked(0, 9, None, note=print_note(text, [LOG.signature_line(text), forged])), 403)


def test_either_key_of_a_log_that_changes_keys_is_taken() -> None:
    new = SigningKey(LOG.name, bytes(32))
    both = replace(HERE, logs={LOG.name: [LOG.verifier, new.verifier]})
    for key in (LOG, new):
        assert asked(0, 9, None, note=signed(LEAVES[:9], key=key), witness=both).status == 200


def test_the_order_of_checks_is_that_of_the_specification() -> None:
    """Who cannot sign for a log learns nothing of its state, and a wrong size is told before a wrong proof."""
    impostor = SigningKey(LOG.name, bytes(32))
    assert asked(12, 9, head_of(5), note=signed(LEAVES[:9], key=impostor)).status == 403
    assert asked(3, 9, head_of(5), proof=[bytes(32)]).status == 409
    assert asked(12, 9, head_of(5), proof=[bytes(32)]).status == 400


def test_what_is_remembered_is_asked_only_for_a_signed_checkpoint_of_a_known_log() -> None:
    def never(origin: str) -> WitnessedHead | None:
        raise AssertionError(origin)

    other = signed(LEAVES[:9], key=SigningKey("other.example/log", bytes(32)))
    for body in (b"", print_submission(0, [], other), print_submission(12, [], signed(LEAVES[:9]))):
        assert HERE.add_checkpoint(body, never, TIME).status in (400, 404)


BODY = print_submission(5, consistency_proof(5, 9, READ), signed(LEAVES[:9]))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\n",
        b"old 5\n",
        b"old 5\n\n",
        BODY.replace(b"old 5", b"old 05"),
        BODY.replace(b"old 5", b"old +5"),
        BODY.replace(b"old 5", b"5"),
        BODY.replace(b"old 5", b"old  5"),
        BODY.replace(b"old 5", b"Old 5"),
        BODY.replace(b"old 5", b"old -5"),
        BODY.replace(b"old 5", b"old 5 "),
        BODY.replace(b"old 5", b"old"),
        BODY.replace(b"old 5", b"old 9223372036854775808"),
        BODY.replace(b"old 5\n", b"old 5\nAAAA\n"),
        BODY.replace(b"old 5\n", b"old 5\n" + b"A" * 43 + b"=\n" * 1 + b"x\n"),
        BODY.replace(b"old 5\n", b"old 5\r\n"),
        BODY.replace(b"old 5\n", b"\nold 5\n"),
        BODY.replace(b"old 5\n", b"old 5\n" + (b"A" * 43 + b"=\n") * 64),
        BODY[:-1],
        BODY + b"\n",
        BODY + b"\x00",
        BODY + b"\xff",
        None,
        BODY.decode(),
    ],
)
def test_a_malformed_request_is_a_bad_request(body: Any) -> None:
    assert_refused(HERE.add_checkpoint(body, lambda _: head_of(5), TIME), 400)
    with pytest.raises(VerificationError):
        parse_submission(body)


def test_sixty_three_hashes_are_read() -> None:
    many = [bytes([level]) * 32 for level in range(63)]
    assert parse_submission(print_submission(1, many, signed(LEAVES[:9]))).proof == tuple(many)


def test_no_request_with_a_bit_changed_or_a_byte_more_or_less_is_cosigned_as_another() -> None:
    for wrong in all_mutations(BODY):
        answer = HERE.add_checkpoint(wrong, lambda _: head_of(5), TIME)
        assert answer.status in (400, 403, 404, 409, 422)
        assert answer.head is None


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12), st.booleans()), max_size=12))
def test_whatever_it_is_asked_a_witness_cosigns_one_history(requests: list[tuple[int, int, bool]]) -> None:
    """Two logs differ from their seventh leaf on. Of whatever is cosigned, one head begins with the other."""
    forged = [*LEAVES[:6], leaf_hash(b"forged"), *LEAVES[7:]]
    known: WitnessedHead | None = None
    cosigned: list[tuple[int, bytes]] = []
    for old, size, forks in requests:
        hashes = forged if forks else LEAVES
        proof = consistency_proof(min(old, size), size, reader_of(hashes))
        body = print_submission(old, proof, signed(hashes[:size]))
        latest = known
        answer = HERE.add_checkpoint(body, lambda _, latest=latest: latest, TIME)  # type: ignore[misc]
        if answer.head:
            known = answer.head
            cosigned.append((known.size, known.root))
    assert any(all(literal_root(history[:size]) == root for size, root in cosigned) for history in (LEAVES, forged))
    assert [size for size, _ in cosigned] == sorted(size for size, _ in cosigned)


# ------------------------------------------------------------------------------------------------- the other half, a log's


SENT = signed(LEAVES[:9])
LINE = WITNESS.signature_line(parse_note(SENT).text, TIME)


def test_a_log_takes_the_cosignatures_of_keys_it_knows_and_no_others() -> None:
    answer = (SECOND_WITNESS.signature_line(parse_note(SENT).text, TIME) + LINE).encode()
    assert [found.line for found in accepted_cosignatures(SENT, answer, [WITNESS.verifier])] == [LINE]


@pytest.mark.parametrize("answer", [b"", b"\n", LINE.encode()[:-1], LINE.encode() + b"\n", b"\xff", b"<html>\n", None])
def test_an_answer_that_is_not_signature_lines_is_refused(answer: Any) -> None:
    with pytest.raises(VerificationError):
        accepted_cosignatures(SENT, answer, [WITNESS.verifier])


def test_an_answer_with_any_bit_changed_is_refused() -> None:
    for wrong in all_mutations(LINE.encode()):
        with pytest.raises(VerificationError):
            accepted_cosignatures(SENT, wrong, [WITNESS.verifier])


def test_an_answer_for_another_checkpoint_is_refused() -> None:
    other = WITNESS.signature_line(parse_note(signed(LEAVES[:8])).text, TIME).encode()
    with pytest.raises(VerificationError, match="does not verify"):
        accepted_cosignatures(SENT, other, [WITNESS.verifier])


def test_a_line_that_the_note_has_already_is_not_taken_again() -> None:
    assert accepted_cosignatures(with_lines(parse_note(SENT), [LINE]), LINE.encode(), [WITNESS.verifier]) == []


@pytest.mark.parametrize(
    "body", [b"", b"\n", b"5", b"5\n\n", b"5\n6\n", b"05\n", b" 5\n", b"-1\n", b"\xff\n", None, "5\n"]
)
def test_a_size_that_is_none_is_refused(body: Any) -> None:
    assert parse_size(print_size(5)) == 5
    with pytest.raises(VerificationError):
        parse_size(body)
