"""The publisher: a quorum is needed, who cannot be reached hinders nobody, and who contradicts is never outvoted."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from domain.errors import LogMismatchError, NotReadyError, SettingsError, VerificationError
from domain.sealing.cosignature import Cosigner, CosignerKey
from domain.sealing.note import parse_note
from domain.sealing.policy import NO_QUORUM, Group, Policy, TrustedLog, TrustedWitness
from domain.sealing.submission import parse_submission
from domain.sealing.tree import consistency_proof, leaf_hash
from infra.sealing.publisher import Deadlines, Publisher, read_policy
from infra.sealing.witness_client import Reply
from infra.witness import WitnessDesk
from tests.conftest import CHECKOUT
from tests.domain.sealing.material import LOG, TIME, leaves, reader_of, signed

LEAVES = leaves(64)
FORGED = [*LEAVES[:7], leaf_hash(b"forged"), *LEAVES[8:]]
PATIENT = Deadlines(quorum=10.0, beyond=10.0)
QUICK = Deadlines(quorum=10.0, beyond=0.02)


@dataclass
class Notes:
    """Where the published note lies."""

    note: bytes | None = None

    def published(self) -> bytes | None:
        return self.note

    def publish(self, note: bytes) -> None:
        self.note = note


@dataclass
class Tree:
    """A tree of leaf hashes in memory."""

    hashes: Sequence[bytes]

    @property
    def size(self) -> int:
        return len(self.hashes)

    def consistency(self, old: int, new: int) -> Sequence[bytes]:
        return consistency_proof(old, new, reader_of(self.hashes))


@dataclass
class Place:
    """Where a witness is: what it is asked, and what stands between it and the publisher."""

    desk: WitnessDesk
    reachable: bool = True
    asked: list[int] = field(default_factory=list)
    instead: Callable[[bytes], Reply] | None = None
    held: threading.Event | None = None
    at_once: int = 0
    most_at_once: int = 0

    def answer(self, method: str, url: str, body: bytes | None) -> Reply:
        if not self.reachable:
            raise NotReadyError(f"{url} does not answer: connection refused")
        if method == "GET":
            note = self.desk.checkpoint(url.split("/")[-2])
            return Reply(404, "", b"") if note is None else Reply(200, "", note)
        assert body is not None
        self.asked.append(parse_submission(body).old_size)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            if self.held is not None:
                assert self.held.wait(10)
            if self.instead is not None:
                return self.instead(body)
            answer = self.desk.add_checkpoint(body, TIME)
            return Reply(answer.status, answer.content_type, answer.body)
        finally:
            self.at_once -= 1


@dataclass
class World:
    """Three witnesses, of which two are the quorum, and the log's published note."""

    places: list[Place]
    notes: Notes = field(default_factory=Notes)
    made: list[Publisher] = field(default_factory=list)

    def policy(self, threshold: int = 2, *, count: int = 3, log: bool = True) -> Policy:
        witnesses = tuple(
            TrustedWitness(b"w%d" % number, _key(place), f"https://w{number}.example/{number}/")
            for number, place in enumerate(self.places[:count])
        )
        group = Group(b"enough", threshold, tuple(witness.name for witness in witnesses))
        return Policy((TrustedLog(LOG.verifier),) if log else (), witnesses, (group,), b"enough")

    def publisher(self, policy: Policy | None = None, deadlines: Deadlines = PATIENT) -> Publisher:
        self.made.append(Publisher(self.notes, policy or self.policy(), Wire(self.places), deadlines))
        return self.made[-1]


@dataclass
class Wire:
    """What leads to the witnesses."""

    places: list[Place]
    closed: bool = False

    def __call__(self, method: str, url: str, body: bytes | None = None) -> Reply:
        assert url.endswith("/add-checkpoint") or method == "GET"
        return self.places[int(url.split("/")[3])].answer(method, url, body)

    def close(self) -> None:
        self.closed = True


def _key(place: Place) -> CosignerKey:
    return CosignerKey.parse(place.desk.vkey)


def publish(publisher: Publisher, size: int, hashes: Sequence[bytes] = LEAVES) -> bytes:
    return publisher.publish(signed(hashes[:size]), Tree(hashes[:size]))


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    places = []
    for number in range(3):
        desk = WitnessDesk.create(tmp_path / f"w{number}", f"witness.example/w{number}", bytes([number + 1]) * 32)
        desk.add_log(LOG.verifier.vkey)
        places.append(Place(desk))
    world = World(places)
    yield world
    for place in places:
        if place.held is not None:
            place.held.set()
    for publisher in world.made:
        publisher.close()


def until(condition: Callable[[], bool]) -> None:
    limit = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < limit
        time.sleep(0.005)


# ------------------------------------------------------------------------------------------------------------ a quorum


def test_without_witnesses_a_checkpoint_is_published_as_it_was_signed(world: World) -> None:
    note = signed(LEAVES[:5])
    assert world.publisher(Policy()).publish(note, Tree(LEAVES[:5])) == note
    assert world.notes.note == note


def test_what_is_published_bears_every_cosignature_that_came_in_time_and_passes_the_policy(world: World) -> None:
    published = publish(world.publisher(), 5)
    assert world.notes.note == published
    verified = world.policy().verified(published)
    assert [cosignature.key for cosignature in verified.cosignatures] == [_key(place) for place in world.places]
    assert parse_note(published).signatures[0].name == LOG.name


def test_it_says_of_every_witness_what_it_cosigned_and_when(world: World) -> None:
    publisher = world.publisher()
    assert [(each.cosigned, each.at, each.trouble) for each in publisher.statuses()] == [(None, None, None)] * 3
    publish(publisher, 5)
    for number, status in enumerate(publisher.statuses()):
        assert (status.name, status.vkey) == (f"w{number}", world.places[number].desk.vkey)
        assert (status.cosigned, status.at, status.trouble) == (5, datetime.fromtimestamp(TIME, UTC), None)


def test_a_witness_that_cannot_be_reached_hinders_nobody_while_the_others_are_a_quorum(world: World) -> None:
    world.places[1].reachable = False
    published = publish(world.publisher(), 5)
    assert len(world.policy().verified(published).cosignatures) == 2
    assert "connection refused" in str(world.made[0].statuses()[1].trouble)
    world.places[1].reachable = True
    publish(world.made[0], 6)  # it is asked, and not waited for
    until(lambda: world.made[0].statuses()[1].trouble is None)
    assert len(world.policy().verified(publish(world.made[0], 7)).cosignatures) == 3


def test_without_a_quorum_nothing_is_published_and_every_witness_is_named_with_its_reason(world: World) -> None:
    publisher = world.publisher()
    published = publish(publisher, 5)
    world.places[0].reachable = False
    world.places[2].instead = lambda body: Reply(500, "text/html", b"out of\x1b order\nmore")
    with pytest.raises(NotReadyError) as refused:
        publish(publisher, 9)
    assert world.notes.note == published
    said = str(refused.value)
    assert "size 9" in said
    assert "enough" in said
    assert "w0: https://w0.example/0/add-checkpoint does not answer: connection refused" in said
    assert "w1: cosigned" in said
    assert "w2: it answered 500: out of  order" in said


def test_a_checkpoint_that_had_no_quorum_is_published_once_it_has_and_nobody_is_asked_twice_for_it(
    world: World,
) -> None:
    world.places[0].reachable = world.places[2].reachable = False
    publisher = world.publisher()
    with pytest.raises(NotReadyError):
        publish(publisher, 5)
    world.places[2].reachable = True
    publish(publisher, 5)
    assert world.places[1].asked == [0]
    assert len(world.policy().verified(world.notes.note or b"").cosignatures) == 2


def test_no_quorum_in_time_is_no_quorum(world: World) -> None:
    for place in world.places:
        place.held = threading.Event()
    with pytest.raises(NotReadyError, match="w0: no answer yet"):
        publish(world.publisher(deadlines=Deadlines(quorum=0.1)), 5)
    assert world.notes.note is None


def test_where_nobody_is_required_cosignatures_that_come_in_time_are_kept(world: World) -> None:
    policy = Policy((), world.policy().witnesses, (), NO_QUORUM)
    world.places[0].reachable = False
    published = publish(world.publisher(policy), 5)
    assert (
        len(policy.verified(published).cosignatures) == 2 if policy.logs else len(parse_note(published).signatures) == 3
    )


def test_a_witness_whose_line_gives_no_url_is_shown_and_never_asked(world: World) -> None:
    policy = world.policy(1)
    silent = TrustedWitness(b"silent", Cosigner("silent.example", bytes(32)).verifier)
    policy = Policy(policy.logs, (*policy.witnesses, silent), policy.groups, policy.quorum)
    publisher = world.publisher(policy)
    publish(publisher, 5)
    assert publisher.statuses()[3][:1] + publisher.statuses()[3][3:5] == ("silent", None, None)
    assert "no URL" in str(publisher.statuses()[3].trouble)


def test_a_publisher_that_is_closed_gives_its_connections_up(world: World) -> None:
    wire = Wire(world.places)
    Publisher(world.notes, world.policy(), wire).close()
    assert wire.closed


# ------------------------------------------------------------------------------------------------------ where each is


def test_the_first_question_is_the_right_one(world: World) -> None:
    publisher = world.publisher()
    for size in (5, 6, 13, 64):
        publish(publisher, size)
    assert [place.asked for place in world.places] == [[0, 5, 6, 13]] * 3


def test_after_a_restart_too_as_the_published_checkpoint_says_where_the_witnesses_are(world: World) -> None:
    publish(world.publisher(), 5)
    again = world.publisher()
    assert [each.cosigned for each in again.statuses()] == [5, 5, 5]
    publish(again, 9)
    assert [place.asked for place in world.places] == [[0, 5]] * 3


def test_the_published_checkpoint_again_asks_nobody(world: World) -> None:
    published = publish(world.publisher(), 5)
    assert publish(world.publisher(), 5) == published
    assert [place.asked for place in world.places] == [[0]] * 3


def test_a_witness_that_is_elsewhere_is_asked_again_from_there_once(world: World) -> None:
    publish(world.publisher(), 5)
    world.notes.note = None  # nobody here remembers
    published = publish(world.publisher(), 9)
    assert len(world.policy().verified(published).cosignatures) == 3
    assert [place.asked for place in world.places] == [[0, 0, 5]] * 3


def test_a_witness_that_moves_each_time_it_is_asked_is_left_alone(world: World) -> None:
    sizes = iter((2, 3, 4, 1))
    world.places[0].instead = lambda body: Reply(409, "text/x.tlog.size", b"%d\n" % next(sizes))
    publisher = world.publisher()
    publish(publisher, 9)
    assert world.places[0].asked == [0, 2]
    assert "now at size 3" in str(publisher.statuses()[0].trouble)


def test_a_witness_that_has_what_is_signed_but_not_published_yet_is_no_contradiction(world: World) -> None:
    publish(world.publisher(), 9)
    world.notes.note = None
    publisher = world.publisher()
    with pytest.raises(NotReadyError, match="has cosigned 9 leaves already"):
        publisher.publish(signed(LEAVES[:5]), Tree(LEAVES[:9]))
    publish(publisher, 9)


@pytest.mark.parametrize(
    "reply",
    [
        Reply(200, "", b""),
        Reply(200, "", b"no signature\n"),
        Reply(200, "", Cosigner("witness.example/w0", bytes([1]) * 32).signature_line(
            parse_note(signed(LEAVES[:4])).text, TIME
        ).encode()),
        Reply(200, "", Cosigner("witness.example/w0", bytes(32)).signature_line(
            parse_note(signed(LEAVES[:5])).text, TIME
        ).encode()),
        Reply(200, "", b"\xff" * 70_000),
        Reply(204, "", b""),
        Reply(302, "", b""),
        Reply(400, "", b"malformed\n"),
        Reply(403, "", b""),
        Reply(404, "", b"unknown log\n"),
        Reply(422, "", b"from nothing every tree follows\n"),
        Reply(409, "text/x.tlog.size", b"three\n"),
        Reply(409, "text/x.tlog.size", b"0\n"),
        Reply(409, "text/plain", b"3\n"),
        Reply(503, "text/html", b""),
    ],
)  # fmt: skip
def test_a_witness_that_answers_what_cannot_be_used_is_in_trouble_and_nobody_else(world: World, reply: Reply) -> None:
    world.places[0].instead = lambda body: reply
    publisher = world.publisher()
    assert len(world.policy().verified(publish(publisher, 5)).cosignatures) == 2
    assert publisher.statuses()[0].trouble


# ------------------------------------------------------------------------------------------------ who contradicts


def test_a_witness_of_more_leaves_than_the_log_has_is_not_outvoted(world: World) -> None:
    publish(world.publisher(world.policy(1, count=1)), 12)
    world.notes.note = None
    with pytest.raises(VerificationError) as shown:
        publish(world.publisher(), 9)
    assert world.notes.note is None
    said = str(shown.value)
    assert "w0 has cosigned 12 leaves of this log, and the tree here has only 9" in said
    assert "second signer" in said
    assert "size 12" in said
    assert "this log's key signed" in said


def test_a_witness_of_another_history_is_not_outvoted_and_shows_a_checkpoint_with_the_logs_own_signature(
    world: World,
) -> None:
    publish(world.publisher(world.policy(1, count=1)), 9, FORGED)
    world.notes.note = None
    with pytest.raises(VerificationError) as shown:
        publish(world.publisher(), 12)
    assert world.notes.note is None
    said = str(shown.value)
    assert "w0 refuses the checkpoint of size 12" in said
    assert "the 9 leaves that it has cosigned are not the first 9 of this tree" in said
    assert "https://w0.example/0/" in said
    assert "this log's key signed" in said


@pytest.mark.parametrize(
    "refusal", [None, Reply(409, "text/plain", b"roots differ\n"), Reply(409, "text/x.tlog.size", b"9\n")]
)
def test_another_root_at_the_same_size_is_a_contradiction_in_every_edition_of_the_protocol(
    world: World, refusal: Reply | None
) -> None:
    publisher = world.publisher(world.policy(1, count=1))
    publish(publisher, 9, FORGED)
    if refusal is not None:
        world.places[0].instead = lambda body: refusal
    with pytest.raises(VerificationError, match="the 9 leaves that it has cosigned"):
        publish(publisher, 9)


def test_what_proves_nothing_is_said_to_prove_nothing(world: World) -> None:
    publish(world.publisher(world.policy(1, count=1)), 9, FORGED)
    world.notes.note = None
    with pytest.raises(VerificationError, match="proves nothing: no key of the log"):
        publish(world.publisher(world.policy(log=False)), 12)


def test_a_witness_that_accuses_and_shows_nothing_is_quoted_so(world: World) -> None:
    publisher = world.publisher()
    publish(publisher, 5)
    world.places[0].instead = lambda body: Reply(422, "", b"")
    world.places[0].desk = WitnessDesk.create(world.places[0].desk.folder.parent / "other", "witness.example/w0")
    with pytest.raises(VerificationError, match=r"shows no checkpoint at .*/checkpoint \(404\)"):
        publish(publisher, 9)


def test_an_accusation_stands_until_the_witness_cosigns_again(world: World) -> None:
    publisher = world.publisher()
    publish(publisher, 5)
    world.places[0].instead = lambda body: Reply(422, "", b"")
    for reachable in (True, False):
        world.places[0].reachable = reachable
        with pytest.raises(VerificationError, match="w0 refuses"):
            publish(publisher, 9)
    world.places[0].reachable, world.places[0].instead = True, None
    assert len(world.policy().verified(publish(publisher, 9)).cosignatures) == 3
    assert publisher.statuses()[0].trouble is None


def test_an_accusation_that_comes_late_stops_the_next_checkpoint(world: World) -> None:
    publisher = world.publisher(deadlines=QUICK)
    publish(publisher, 3)
    world.places[0].held = threading.Event()
    world.places[0].instead = lambda body: Reply(422, "", b"")
    publish(publisher, 5)
    world.places[0].held.set()
    until(lambda: publisher.statuses()[0].trouble is not None)
    world.places[0].reachable = False
    with pytest.raises(VerificationError, match="w0 refuses the checkpoint of size 5"):
        publish(publisher, 9)


# ------------------------------------------------------------------------------------------------------------- slow ones


def test_a_slow_witness_is_not_waited_for_beyond_the_quorum_and_never_asked_two_things_at_once(world: World) -> None:
    publisher = world.publisher(deadlines=QUICK)
    slow = world.places[2]
    slow.held = threading.Event()
    for size in (5, 6, 7):
        assert len(world.policy().verified(publish(publisher, size)).cosignatures) == 2
    assert slow.asked == [0]
    slow.held.set()
    until(lambda: publisher.statuses()[2].cosigned == 5)
    publish(publisher, 8)
    until(lambda: publisher.statuses()[2].cosigned == 8)
    assert (slow.asked, slow.most_at_once) == ([0, 5], 1)


def test_a_witness_whose_late_answer_is_needed_is_asked_for_the_new_checkpoint_as_soon_as_it_came(world: World) -> None:
    publisher = world.publisher(deadlines=QUICK)
    slow = world.places[2]
    slow.held = threading.Event()
    publish(publisher, 5)
    world.places[0].reachable = False
    threading.Timer(0.1, slow.held.set).start()
    assert len(world.policy().verified(publish(publisher, 9)).cosignatures) == 2
    assert slow.asked == [0, 5]


def test_what_goes_wrong_here_is_not_taken_for_trouble_of_a_witness(world: World) -> None:
    class Damaged(Tree):
        def consistency(self, old: int, new: int) -> Sequence[bytes]:
            raise LogMismatchError("tile/0/000 is not what was sealed")

    publisher = world.publisher()
    publish(publisher, 5)
    with pytest.raises(LogMismatchError, match="tile/0/000"):
        publisher.publish(signed(LEAVES[:9]), Damaged(LEAVES[:9]))


# -------------------------------------------------------------------------------------------------------- the policy file


def test_a_policy_file_is_read(tmp_path: Path, world: World) -> None:
    file = tmp_path / "policy"
    lines = [
        f"log {LOG.verifier.vkey}",
        *(
            f"witness w{number} {place.desk.vkey} https://w{number}.example/{number}/"
            for number, place in enumerate(world.places)
        ),
        "group enough 2 w0 w1 w2",
        "quorum enough",
    ]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert read_policy(file) == world.policy()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (None, "cannot be read"),
        ("quorum everybody\n", "line 1"),
        ("", "cut short"),
        (f"witness w {Cosigner('w.example', bytes(32)).verifier.vkey}\nquorum w\n", "no URL"),
        (
            f"witness w {Cosigner('w.example', bytes(32)).verifier.vkey} w.example\nquorum w\n",
            "'w.example' is no address",
        ),
    ],
)
def test_a_policy_that_cannot_be_used_is_a_wrong_setting(tmp_path: Path, text: str | None, reason: str) -> None:
    file = tmp_path / "policy"
    if text is not None:
        file.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError, match=reason):
        read_policy(file)


def test_the_policies_of_the_manual_mean_what_they_say(tmp_path: Path) -> None:
    manual = (CHECKOUT / "docs" / "witness.md").read_text("utf-8")
    any_two, always_one = re.findall(r"^```\n(# .*?)^```$", manual, re.MULTILINE | re.DOTALL)
    lines = [line for line in any_two.splitlines() if line.startswith(("log ", "witness "))]
    met = {}
    for name, text in (("any two", any_two), ("always one", "\n".join(lines) + "\n" + always_one)):
        (tmp_path / name).write_text(text, encoding="utf-8")
        policy = read_policy(tmp_path / name)
        province, city, auditors = (witness.key for witness in policy.witnesses)
        chosen = {"pc": {province, city}, "ca": {city, auditors}, "p": {province}, "pca": {province, city, auditors}}
        met[name] = [who for who, keys in chosen.items() if policy.is_met_by(keys)]
    assert met == {"any two": ["pc", "ca", "pca"], "always one": ["pc", "pca"]}
