"""The provable log of a real platform: keys, states, proofs, commitments, and what each act refuses."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from domain.campaigns.genesis import GENESIS_STREAM, Genesis
from domain.errors import (
    LogMismatchError,
    NotFoundError,
    NotReadyError,
    RuleError,
    SettingsError,
    VerificationError,
)
from domain.sealing.checkpoint import open_checkpoint
from domain.sealing.cosignature import Cosigner
from domain.sealing.note import VerifierKey
from domain.sealing.policy import Policy
from domain.sealing.proof_file import parse_proof
from domain.sealing.receipt import parse_receipt
from domain.sealing.sorted_map import Kind, Presence, Tally, verify_whole
from domain.sealing.state import State
from domain.sealing.tiles import Bundle, Tile
from domain.sealing.tree import leaf_hash, verify_consistency
from infra.bootstrap import Platform, Settings, initialise, open_platform
from infra.clock import Clock
from infra.sealing.signer import Signer
from infra.sealing.witness_client import Reply
from infra.witness import WitnessDesk
from tests.migrated import execute

PATIENCE = 10.0


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    return Settings(data=tmp_path / "data", database_url=database_url, seal_interval=20)


@pytest.fixture
def real(settings: Settings) -> Settings:
    """A deployment with a real log: its first event, and the key that signs for it."""
    initialise(settings, origin="test")
    return settings


@contextmanager
def opened(settings: Settings, *, sealing: bool = False) -> Iterator[Platform]:
    with open_platform(settings, sealing=sealing) as platform:
        yield platform


def until(condition: Callable[[], Any]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "what was waited for did not come"
        time.sleep(0.01)


def rewrite(settings: Settings, position: int) -> None:
    """One byte of an entry, as only a superuser can."""
    execute(
        settings.database_url,
        "alter table qingling.event disable trigger all; "
        "update qingling.event set entry = overlay(entry placing 'x'::bytea from 11) where position = %s",
        (position,),
    )


def keys_of(platform: Platform) -> list[VerifierKey]:
    return [VerifierKey.parse(vkey) for vkey in platform.sealing.status().vkeys]


def test_a_log_begins_with_a_key_outside_the_data_folder_that_the_log_itself_announces(real: Settings) -> None:
    assert real.signer_path.parent == real.data.parent
    assert real.signer_path.name == "data.signer"
    with opened(real) as platform:
        status = platform.sealing.status()
        assert len(status.vkeys) == 1
        assert status.vkeys[0].startswith(platform.info.origin + "+")
        assert [item.type for item in platform.stream(GENESIS_STREAM)] == ["log.created.v1", "log.key-announced.v1"]
        assert platform.streams.get(Genesis, GENESIS_STREAM).keys == tuple(status.vkeys)
        assert (status.recorded, status.sealed, status.published, status.witnessed) == (2, 0, 0, False)


def test_keys_of_another_log_are_never_taken_for_a_new_one(settings: Settings) -> None:
    Signer.create(settings.signer_path, "other-log")
    with pytest.raises(RuleError, match="keys of another log"):
        initialise(settings, origin="test")
    assert Signer.origin_of(settings.signer_path) == "other-log"


def test_what_is_recorded_is_published_on_demand_and_proved_offline(real: Settings) -> None:
    with opened(real) as platform:
        assert platform.sealing.state_of(1) is State.RECORDED
        note = platform.sealing.publish()
        assert platform.sealing.state_of(2) is State.PUBLISHED
        keys = keys_of(platform)
        checkpoint = open_checkpoint(note, keys).checkpoint
        assert (checkpoint.origin, checkpoint.size) == (platform.info.origin, 2)
        for position in (1, 2):
            entry = platform.event(position).entry
            file = platform.sealing.proof(position).data
            assert parse_proof(file).verified(entry, Policy.of_log(*keys)).checkpoint == checkpoint
            receipt = platform.sealing.receipt(position)
            assert parse_receipt(parse_proof(file).extra) == receipt
            assert (receipt.origin, receipt.position, receipt.leaf) == (
                platform.info.origin,
                position,
                leaf_hash(entry),
            )


def test_what_is_not_published_yet_has_no_proof_and_what_is_not_recorded_is_not_there(real: Settings) -> None:
    with opened(real) as platform:
        with pytest.raises(NotReadyError, match="no checkpoint"):
            platform.sealing.checkpoint()
        platform.sealing.publish()
        platform.add_officer("wang")
        with pytest.raises(NotReadyError, match="position 3 is not published yet") as refused:
            platform.sealing.proof(3)
        assert refused.value.position == 2
        for nowhere in (0, 5, 10**12):
            with pytest.raises(NotFoundError):
                platform.sealing.proof(nowhere)
        with pytest.raises(NotReadyError, match="position 3"):
            platform.sealing.wait_published(3, 0.05)


def test_a_proof_is_of_one_checkpoint_though_another_is_published_meanwhile(
    real: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(real) as platform:
        first = platform.sealing.publish()
        platform.add_officer("wang")
        platform.sealing.publish()
        monkeypatch.setattr(platform.sealing, "checkpoint", lambda: first)
        assert platform.sealing.proof(1).note == first
        with pytest.raises(NotReadyError, match="reaches 2"):
            platform.sealing.proof(3)


def test_an_event_that_was_changed_after_it_was_sealed_is_not_proved(real: Settings) -> None:
    with opened(real) as platform:
        platform.sealing.publish()
        rewrite(real, 1)
        with pytest.raises(VerificationError, match="position 1 is not the one that was sealed"):
            platform.sealing.proof(1)
        assert platform.sealing.proof(2).position == 2


def test_the_static_log_serves_what_is_published_and_nothing_else(real: Settings) -> None:
    with opened(real) as platform:
        platform.sealing.publish()
        tile = platform.sealing.served(Tile(0, 0, 2).path)
        assert (len(tile.data), tile.bundle) == (64, None)
        assert platform.sealing.served(Bundle(0, 2).path).bundle == Bundle(0, 2)
        for path in (Tile(0, 0, 3).path, Tile(0, 0).path, Bundle(0).path, "tile/0/0.p/2", "checkpoint", "../signer"):
            with pytest.raises(NotFoundError):
                platform.sealing.served(path)


def test_two_published_checkpoints_are_consistent(real: Settings) -> None:
    with opened(real) as platform:
        first = open_checkpoint(platform.sealing.publish(), keys_of(platform)).checkpoint
        platform.add_officer("wang")
        second = open_checkpoint(platform.sealing.publish(), keys_of(platform)).checkpoint
        proof = platform.sealing.consistency(first.size, second.size)
        verify_consistency(first.size, first.root, second.size, second.root, proof)
        for old, new in ((0, 2), (4, 2), (2, 5)):
            with pytest.raises(NotFoundError):
                platform.sealing.consistency(old, new)


def test_a_running_service_publishes_by_itself_and_others_wait_for_it(real: Settings) -> None:
    with opened(real, sealing=True) as serving, opened(real) as other:
        until(lambda: serving.sealing.sizes().published == 2)
        other.add_officer("wang")
        position = other.head().position
        other.sealing.wait_published(position, PATIENCE)
        assert other.sealing.sizes().published >= position
        other.add_officer("li")
        assert open_checkpoint(other.sealing.publish(), keys_of(other)).checkpoint.size >= other.head().position
        assert serving.sealing.status().running
        assert not other.sealing.status().running


def test_many_who_publish_at_once_end_in_one_tree(real: Settings) -> None:
    with opened(real) as one, opened(real) as two:

        def work(platform: Platform, name: str) -> None:
            for number in range(5):
                platform.add_officer(f"{name}-{number}")
                platform.sealing.publish()

        threads = [threading.Thread(target=work, args=arguments) for arguments in ((one, "a"), (two, "b"))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        head = one.sealing.store.head()
        assert head is not None
        assert head.size == one.head().position == one.sealing.sizes().published
        tally = [leaf_hash(stored.entry) for stored in one.log.read(0, 1_000)]
        assert one.sealing.tree().leaves(0, head.size) == tally


def test_without_its_witnesses_nothing_is_published_and_everybody_is_told_why(real: Settings, tmp_path: Path) -> None:
    witness = Cosigner("witness.example.org/w1", bytes(32))
    policy = tmp_path / "policy"
    policy.write_text(f"witness w1 {witness.verifier.vkey} http://127.0.0.1:1/\nquorum w1\n")
    with opened(replace(real, witnesses=str(policy))) as platform:
        with pytest.raises(NotReadyError, match="w1"):
            platform.sealing.publish(timeout=0.2)
        sizes = platform.sealing.sizes()
        assert (sizes.sealed, sizes.published) == (2, 0)
        assert platform.sealing.state_of(1) is State.SEALED
        status = platform.sealing.status()
        assert status.witnessed
        assert [each.name for each in status.witnesses] == ["w1"]
        assert status.witnesses[0].trouble


def test_what_was_published_without_witnesses_is_cosigned_before_it_counts_once_they_are_named(
    real: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(real) as platform:
        platform.sealing.publish()
        vkey = platform.sealing.status().vkeys[0]
    desk = WitnessDesk.create(tmp_path / "witness", "witness.example.org/w1")
    policy = tmp_path / "policy"
    policy.write_text(f"witness w1 {desk.vkey} http://127.0.0.1:1\nquorum w1\n")
    witnessed = replace(real, witnesses=str(policy))
    with opened(witnessed) as platform:
        assert (platform.sealing.sizes().sealed, platform.sealing.sizes().published) == (2, 0)
        with pytest.raises(NotReadyError, match="position 1 is not published yet"):
            platform.sealing.proof(1)
        assert platform.sealing.served(Tile(0, 0, 2).path).data, "what was shown once is shown for ever"

    class Beside:
        """A witness in this process."""

        def __call__(self, method: str, url: str, body: bytes | None = None) -> Reply:
            answer = desk.add_checkpoint(body or b"", 1_800_000_000)
            return Reply(answer.status, answer.content_type, answer.body)

        def close(self) -> None:
            """Nothing is open."""

    desk.add_log(vkey, "")
    monkeypatch.setattr("infra.sealing.provable_log.WitnessClient", Beside)
    with opened(witnessed, sealing=True) as platform:
        until(lambda: platform.sealing.sizes().published == 2)
        proof = platform.sealing.proof(1)
        accepted = proof.verified(platform.event(1).entry, platform.sealing.policy())
        assert [each.key.vkey for each in accepted.cosignatures] == [desk.vkey]


def test_a_policy_that_cannot_be_read_is_a_wrong_setting(real: Settings, tmp_path: Path) -> None:
    with pytest.raises(SettingsError), opened(replace(real, witnesses=str(tmp_path / "nothing"))):
        pass


def test_the_log_is_bound_to_every_history_as_of_now(real: Settings) -> None:
    with opened(real) as platform:
        platform.add_officer("wang")
        bound = platform.sealing.bind("system")
        assert (bound.upto, bound.position) == (4, 5)
        committed = platform.sealing.committed()
        assert committed is not None
        assert (committed.position, committed.upto, committed.streams, committed.partitions) == (5, 4, 2, 2)
        tally = Tally(Kind.PARTITION)
        for stored in platform.log.read(0, 4):
            tally.add(stored.partitionkey, leaf_hash(stored.entry))
        recorded: Any = platform.types.decode(platform.log.read(4, 1)[0]).event
        assert recorded.partitions.head == tally.map().head == bound.partitions.head
        presence = bound.partitions.prove("log")
        assert isinstance(presence, Presence)
        hashes = [leaf_hash(stored.entry) for stored in platform.log.read_partition("log", upto=4)]
        verify_whole(recorded.partitions.head, Kind.PARTITION, "log", hashes, presence)


def test_a_day_that_ended_is_bound_once(real: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    with opened(real) as platform:
        provable = platform.sealing
        provable._commit_if_due()
        assert provable.committed() is None, "the day has not ended"
        monkeypatch.setattr(Clock, "now", lambda _: datetime.now(UTC) + timedelta(days=1))
        provable._commit_if_due()
        provable._commit_if_due()
        committed = provable.committed()
        assert committed is not None
        assert committed.position == platform.head().position == 3


def test_a_new_key_is_announced_and_signs_beside_the_old_one(real: Settings) -> None:
    with opened(real) as platform:
        platform.sealing.publish()
        old = keys_of(platform)
        replaced, new = platform.sealing.rotate_key("yearly", "system")
        assert replaced == old[0].vkey
        note = platform.sealing.publish()
        for key in (old[0], VerifierKey.parse(new)):
            assert open_checkpoint(note, [key]).checkpoint.size == 3
        assert platform.sealing.status().vkeys == [old[0].vkey, new]
        proof = platform.sealing.proof(1)
        assert proof.verified(platform.event(1).entry, Policy.of_log(VerifierKey.parse(new))).checkpoint.size == 3
    with opened(real) as platform:
        assert platform.sealing.status().vkeys == [old[0].vkey, new]


def test_a_rotation_that_was_cut_short_is_finished_by_the_next_one(real: Settings) -> None:
    with opened(real) as platform:
        _, unannounced = platform.sealing.signer().add_key()
        _, announced = platform.sealing.rotate_key(None, "system")
        assert announced == unannounced.vkey
        assert len(platform.sealing.signer().verifiers) == 2


def test_a_retired_key_signs_no_more_and_what_it_signed_still_holds(real: Settings) -> None:
    with opened(real) as platform:
        old = keys_of(platform)[0]
        signed_before = platform.sealing.publish()
        with pytest.raises(RuleError, match="only key"):
            platform.sealing.retire_key(old.vkey, None, "system")
        _, new = platform.sealing.rotate_key("yearly", "system")
        platform.sealing.retire_key(old.vkey, "yearly", "system")
        platform.sealing.retire_key(old.vkey, "yearly", "system")
        assert platform.head().position == 4
        note = platform.sealing.publish()
        assert open_checkpoint(note, [VerifierKey.parse(new)]).checkpoint.size == 4
        with pytest.raises(VerificationError):
            open_checkpoint(note, [old])
        assert open_checkpoint(signed_before, [old]).checkpoint.size == 2
        assert platform.sealing.status().vkeys == [new]


def test_a_log_of_an_earlier_release_gets_its_first_key_by_the_same_act(real: Settings) -> None:
    with opened(real) as platform:
        stored = platform.log.read(0, 1)
    execute(
        real.database_url,
        "alter table qingling.event disable trigger all; delete from qingling.event where position = 2",
    )
    for file in sorted(real.signer_path.rglob("*"), reverse=True):
        file.unlink() if file.is_file() else file.rmdir()
    real.signer_path.rmdir()
    with opened(real) as platform:
        assert platform.log.read(0, 10) == stored
        for act in (platform.sealing.publish, platform.sealing.checkpoint, platform.sealing.signer):
            with pytest.raises(NotReadyError, match="log rotate-key"):
                act()
        replaced, key = platform.sealing.rotate_key(None, "system")
        assert replaced is None
        assert open_checkpoint(platform.sealing.publish(), [VerifierKey.parse(key)]).checkpoint.size == 2


def test_a_signer_that_is_not_where_it_was_stops_sealing_but_no_reading(real: Settings) -> None:
    with opened(real) as platform:
        platform.sealing.publish()
    real.signer_path.rename(real.signer_path.with_name("elsewhere"))
    with opened(real, sealing=True) as platform:
        until(lambda: platform.sealing.status().stopped)
        assert platform.sealing.proof(1).position == 1
        platform.add_officer("wang")
        with opened(real) as other:
            assert other.sealing.status().stopped == platform.sealing.status().stopped
            with pytest.raises(NotReadyError, match="sealing has stopped"):
                other.sealing.wait_published(3, PATIENCE)


def test_a_rewritten_log_is_not_sealed_any_further(real: Settings) -> None:
    with opened(real) as platform:
        platform.sealing.publish()
        rewrite(real, 2)
        platform.add_officer("wang")
        with pytest.raises(LogMismatchError, match="position 2"):
            platform.sealing.publish()
        with pytest.raises(LogMismatchError, match="position 2"):
            platform.add_officer("li")


def test_an_older_copy_of_the_database_is_read_and_not_written_to(real: Settings) -> None:
    with opened(real) as platform:
        platform.add_officer("wang")
        platform.sealing.publish()
    shorten = "alter table qingling.event disable trigger all; delete from qingling.event where position > 3"
    execute(real.database_url, shorten)
    with opened(real) as platform:
        with pytest.raises(LogMismatchError, match="ends at position 3, and 4 entries of it were sealed"):
            platform.add_officer("li")
        assert platform.head().position == 3
        assert platform.sealing.proof(3).position == 3


def test_a_log_whose_end_was_rewritten_is_read_and_not_written_to(real: Settings) -> None:
    with opened(real) as platform:
        platform.sealing.publish()
    rewrite(real, 2)
    with opened(real) as platform, pytest.raises(LogMismatchError, match="position 2 is not the one that was sealed"):
        platform.add_officer("li")
