"""A second signer with copied state, or a rewritten log: no signer notices, a witness shows it, in words that can be quoted."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from domain.errors import NotReadyError, VerificationError
from domain.sealing.checkpoint import open_checkpoint
from domain.sealing.policy import Policy
from infra.sealing.publisher import Publisher
from infra.sealing.signer import Signer
from infra.sealing.witness_client import Reply, monitoring_url
from infra.witness import WitnessDesk
from tests.infra.sealing.offices import KEY, ORIGIN, SEED, URL, Office, Province

BEGINNING = [f"case-{number}" for number in range(6)]


@pytest.fixture
def province(tmp_path: Path) -> Province:
    return Province(tmp_path / "province")


@pytest.fixture
def offices(tmp_path: Path, province: Province) -> Iterator[tuple[Office, Office]]:
    """An office with a published log of six entries, and a copy of its whole folder, signer and all, that somebody took away."""
    honest = Office(tmp_path / "honest", province.policy, province)
    Signer.create(honest.folder / "signer", ORIGIN, SEED)
    honest.record(BEGINNING)
    honest.publish()
    shutil.copytree(honest.folder, tmp_path / "copied")
    copied = Office(tmp_path / "copied", province.policy, province)
    copied.record(BEGINNING)
    yield honest, copied
    honest.publisher.close()
    copied.publisher.close()


def test_without_a_witness_a_second_signer_publishes_another_history_and_nobody_here_notices(
    tmp_path: Path, province: Province, offices: tuple[Office, Office]
) -> None:
    honest, copied = offices
    for office, more in ((honest, "case-true"), (copied, "case-false")):
        office.publisher = Publisher(office.store, Policy(), province)
        office.record([more])
        assert office.publish() == 7
    notes = [office.store.published() for office in offices]
    heads = [open_checkpoint(note or b"", [KEY]).checkpoint for note in notes]
    assert heads[0].size == heads[1].size
    assert heads[0].root != heads[1].root


@pytest.mark.parametrize("more", [3, 4, 9])
def test_a_second_signer_with_copied_state_is_shown_by_a_witness(offices: tuple[Office, Office], more: int) -> None:
    honest, copied = offices
    honest.record(["case-a", "case-b", "case-c"])
    assert honest.publish() == 9
    copied.record([f"case-forged-{number}" for number in range(more)])
    with pytest.raises(VerificationError) as shown:
        copied.publish()
    assert copied.published == 6
    said = str(shown.value)
    assert f"the witness province refuses the checkpoint of size {6 + more}" in said
    assert "the 9 leaves that it has cosigned are not the first 9 of this tree" in said
    assert "a second signer uses its key" in said
    assert "it shows a checkpoint of size 9" in said
    assert "this log's key signed" in said
    honest.record(["case-d"])
    assert honest.publish() == 10


def test_a_second_signer_that_is_behind_is_shown_too(offices: tuple[Office, Office]) -> None:
    honest, copied = offices
    honest.record(["case-a", "case-b", "case-c"])
    honest.publish()
    copied.record(["case-forged"])
    with pytest.raises(
        VerificationError, match="province has cosigned 9 leaves of this log, and the tree here has only 7"
    ):
        copied.publish()


def test_the_honest_office_learns_of_a_second_signer_that_came_first(offices: tuple[Office, Office]) -> None:
    honest, copied = offices
    copied.record(["case-forged"])
    assert copied.publish() == 7
    honest.record(["case-a"])
    with pytest.raises(VerificationError, match="the 7 leaves that it has cosigned are not the first 7 of this tree"):
        honest.publish()
    trouble = honest.publisher.statuses()[0].trouble
    assert trouble is not None
    assert "second signer" in trouble


def test_a_log_that_was_rewritten_together_with_the_memory_of_its_signer_is_shown_by_a_witness(
    tmp_path: Path, province: Province, offices: tuple[Office, Office]
) -> None:
    rewritten = Office(tmp_path / "rewritten", province.policy, province)
    Signer.create(rewritten.folder / "signer", ORIGIN, SEED)
    rewritten.record([*BEGINNING[:2], "case-other", *BEGINNING[3:], "case-more"])
    with pytest.raises(VerificationError, match="history was rewritten"):
        rewritten.publish()
    assert rewritten.store.published() is None
    rewritten.publisher.close()


def test_the_evidence_is_two_checkpoints_that_the_log_signed_and_no_tree_holds_both(
    province: Province, offices: tuple[Office, Office]
) -> None:
    honest, copied = offices
    honest.record(["case-a"])
    honest.publish()
    copied.record(["case-forged"])
    with pytest.raises(VerificationError):
        copied.publish()
    witnessed = province("GET", monitoring_url(URL, ORIGIN)).body
    forged = Signer.open(copied.folder / "signer", ORIGIN).history().latest(ORIGIN)
    assert forged is not None
    one, other = (open_checkpoint(note, [KEY]).checkpoint for note in (witnessed, forged.note))
    assert (one.size, one.root) != (other.size, other.root)
    assert one.size == other.size == 7


def test_an_unreachable_witness_lets_nobody_publish_what_it_has_not_seen(
    offices: tuple[Office, Office], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, copied = offices

    def cut(*_: object) -> Reply:
        raise NotReadyError("no route to host")

    monkeypatch.setattr(WitnessDesk, "add_checkpoint", cut)
    copied.record(["case-forged"])
    with pytest.raises(NotReadyError, match="province: no route to host"):
        copied.publish()
    assert copied.published == 6
