"""The verifier in Go and the one in Python say the same of packs and proofs, good and doctored, and the Go one says what is wrong."""

from __future__ import annotations

import random
import re
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import orjson
import pytest

from domain.canonical import canonical_bytes, sha256_hex
from domain.errors import VerificationError
from domain.sealing.note import SigningKey
from domain.sealing.tree import leaf_hash
from infra.packs.trust import trusted_by, verify_proof
from infra.packs.verify import verify_pack
from tests.conftest import CHECKOUT
from tests.interop.conftest import BuildGo
from tests.interop.small_pack import (
    KEY,
    WITNESS,
    Choice,
    Files,
    Member,
    SmallLog,
    cosigned,
    entry,
    make_pack,
    manifest_of,
    proof_file_of,
    proof_of,
    resealed,
    runs,
    saying,
    zipped,
)

VKEY = KEY.verifier.vkey
POLICY = f"log {VKEY}\nwitness w1 {WITNESS.verifier.vkey}\nquorum w1\n"


@dataclass(frozen=True)
class Verdict:
    """What the Go verifier answered; the Python one agreed on whether it holds."""

    holds: bool
    said: str


Judge = Callable[..., Verdict]


@pytest.fixture(scope="session")
def verify_go(build_go: BuildGo) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs the verifier in an empty environment: it needs nothing but its arguments."""
    program = build_go("scripts/verify-go")

    def run(*arguments: object) -> subprocess.CompletedProcess[str]:
        command = [str(program), *map(str, arguments)]
        return subprocess.run(command, env={}, capture_output=True, text=True, check=False, timeout=60)

    return run


@pytest.fixture
def judge(verify_go: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path) -> Judge:
    """Hands a pack to both verifiers and insists that they agree; rule 7 is Python's alone, and left out here."""
    pack, policy_file = tmp_path / "pack.zip", tmp_path / "policy"

    def both(files: Files | bytes, *, policy: str | None = None, key: str = VKEY) -> Verdict:
        pack.write_bytes(files if isinstance(files, bytes) else zipped(files))
        trust: list[object] = ["-key", key]
        if policy is not None:
            policy_file.write_text(policy)
            trust = ["-policy", policy_file]
        done = verify_go(*trust, pack)
        assert done.returncode in {0, 9}, done.stderr
        objection = objection_of_python(pack, key, None if policy is None else policy_file)
        assert (objection is None) == (done.returncode == 0), f"Python: {objection}; Go: {done.stderr or 'holds'}"
        return Verdict(done.returncode == 0, done.stdout + done.stderr)

    return both


def objection_of_python(pack: Path, key: str, policy: Path | None) -> VerificationError | None:
    """What the verifier in Python has against a pack, None where it holds by rules 1 to 6."""
    try:
        verify_pack(pack, trusted_by([key] if policy is None else [], policy), figures=False)
    except VerificationError as error:
        return error
    return None


def a_log() -> SmallLog:
    """Twelve cases."""
    return SmallLog.synthetic(12)


def cases_of(log: SmallLog) -> list[str]:
    """Its cases, in order of their first entry."""
    return list(dict.fromkeys(key for key in log.keys if key.startswith("case-")))


def three_cases(**made: Any) -> tuple[SmallLog, Files]:
    """A pack of three cases that lie between others'."""
    log = a_log()
    return log, make_pack(log, Choice.of_place("140303", cases_of(log)[2:9:3]), **made)


def packed_positions(files: Files) -> list[int]:
    """What positions.txt says."""
    found: list[int] = []
    for line in files["positions.txt"].decode().splitlines():
        first, _, last = line.partition("-")
        found += range(int(first), int(last or first) + 1)
    return found


def lines_of(files: Files) -> list[bytes]:
    """The entries that are shown."""
    return files["entries.jsonl"].splitlines()


def with_lines(files: Files, lines: list[bytes], **said: object) -> Files:
    """The files with other entries, the manifest sealed again by whoever changed them."""
    return saying({**files, "entries.jsonl": b"".join(line + b"\n" for line in lines)}, entries=len(lines), **said)


def repacked(log: SmallLog, files: Files, positions: list[int]) -> Files:
    """The pack with other positions, and a proof that the entries there are in the tree: only wholeness can tell."""
    changed = {
        **files,
        "positions.txt": runs(positions),
        "proof.txt": proof_of(log.entries, positions),
        "entries.jsonl": b"".join(log.entries[at - 1] + b"\n" for at in positions),
    }
    return saying(changed, entries=len(positions))


# ---------------------------------------------------------------------------------------------------------------- good


def test_a_pack_of_a_case_of_some_cases_and_of_everything_holds(judge: Judge) -> None:
    log = a_log()
    assert judge(make_pack(log, Choice.of_case(cases_of(log)[4]))).holds
    assert judge(three_cases()[1]).holds
    said = judge(make_pack(a_log(), Choice.of_all())).said
    assert "14 of the log's 14 partitions are here, each whole" in said
    assert "1 withheld" in said
    assert "0 withheld" in judge(make_pack(a_log(), Choice.of_all(office=True))).said


def test_what_is_not_proved_is_said_and_a_pack_of_everything_proves_more(judge: Judge) -> None:
    choice = "that the choice names all cases it should"
    assert choice in judge(three_cases()[1]).said
    said = judge(make_pack(a_log(), Choice.of_all())).said
    assert choice not in said
    assert "that what the entries say is true" in said
    assert "README.html" in said


def test_who_signed_and_cosigned_is_said_and_that_no_witness_was_asked_for(judge: Judge) -> None:
    files = three_cases()[1]
    assert f"signed by synthetic+{KEY.verifier.key_id.hex()}" in judge(files).said
    assert "no witness was asked for" in judge(files).said
    witnessed = judge(files, policy=POLICY).said
    assert f"cosigned by witness.example.org/w1+{WITNESS.verifier.key_id.hex()} at 2026-01-01T00:00:00Z" in witnessed
    assert "the quorum of the policy is met" in witnessed


def test_a_log_whose_last_entry_is_the_making_of_the_pack_holds(judge: Judge) -> None:
    log = a_log()
    files = make_pack(log, replace(Choice.of_all(office=True), after=0))
    assert files["proof.txt"] == b""
    assert judge(files).holds


# ------------------------------------------------------------------------------- what the issue asks to be refused, resealed


def test_an_event_removed_is_refused(judge: Judge) -> None:
    log, files = three_cases()
    positions = packed_positions(files)
    at = positions[len(positions) // 2]
    without = [line for line in lines_of(files) if line != log.entries[at - 1]]
    assert "rule 1, entries.jsonl" in judge({**files, "entries.jsonl": b"\n".join(without) + b"\n"}).said
    assert f"it says {len(positions)} positions, and {len(without)} entries" in judge(with_lines(files, without)).said
    key = log.keys[at - 1]
    hidden = judge(repacked(log, files, [position for position in positions if position != at])).said
    assert f'rule 5, wholeness.json: the partition "{key}" is not whole' in hidden
    assert "rule 3" not in hidden


def test_a_ledger_figure_changed_is_refused(judge: Judge) -> None:
    files = three_cases()[1]
    changed = {**files, "ledgers/claim.csv": files["ledgers/claim.csv"].replace(b"1", b"2")}
    made = manifest_of(files)["made"]
    assert "rule 1, ledgers/claim.csv: its SHA-256" in judge(changed).said
    assert f"rule 6, ledgers/claim.csv, position {made}" in judge(resealed(changed)).said


def test_an_event_replaced_is_refused(judge: Judge) -> None:
    _, files = three_cases()
    lines = lines_of(files)
    number = next(index for index, line in enumerate(lines) if b'"claimed":' in line)
    changed = orjson.loads(lines[number])
    changed["data"]["figures"]["claimed"] += 1
    lines[number] = canonical_bytes(changed)
    said = judge(with_lines(files, lines)).said
    assert "rule 3, proof.txt" in said
    assert f'the partition "{changed["partitionkey"]}" is not whole' in said


def test_an_event_replaced_by_another_of_the_log_is_refused(judge: Judge) -> None:
    _, files = three_cases()
    lines = lines_of(files)
    lines[2] = lines[3]
    assert "rule 3, proof.txt" in judge(with_lines(files, lines)).said


def test_two_events_swapped_are_refused(judge: Judge) -> None:
    _, files = three_cases()
    lines = lines_of(files)
    lines[2], lines[3] = lines[3], lines[2]
    assert "rule 3, proof.txt" in judge(with_lines(files, lines)).said


def test_a_stream_cut_short_is_refused_though_all_that_is_left_is_proved(judge: Judge) -> None:
    log, files = three_cases()
    case = cases_of(log)[5]
    mine = [at for at in packed_positions(files) if log.keys[at - 1] == case]
    left = [at for at in packed_positions(files) if at not in mine[-2:]]
    said = judge(repacked(log, files, left)).said
    assert (
        f'the partition "{case}" is not whole: it has {len(mine)} entries up to the commitment, and {len(mine) - 2}'
        in said
    )


def test_a_case_left_out_of_a_pack_of_everything_is_refused(judge: Judge) -> None:
    log = a_log()
    files = make_pack(log, Choice.of_all(office=True))
    case = cases_of(log)[5]
    partitions = [name for name in manifest_of(files)["partitions"] if name != case]
    left = [at for at in packed_positions(files) if log.keys[at - 1] != case]
    whole = orjson.loads(files["wholeness.json"])
    whole["partitions"] = [each for each in whole["partitions"] if each["name"] != case]
    changed = {**repacked(log, files, left), "wholeness.json": canonical_bytes(whole)}
    said = judge(saying(changed, partitions=partitions)).said
    assert f"a pack of everything lists {len(partitions)} partitions, and the log has {len(partitions) + 1}" in said
    assert "rule 5, positions.txt, position" in said


def test_an_entry_of_another_case_slipped_in_is_refused(judge: Judge) -> None:
    log, files = three_cases()
    at = log.keys.index(cases_of(log)[0]) + 1
    said = judge(repacked(log, files, sorted([*packed_positions(files), at]))).said
    assert f'rule 5, entries.jsonl, position {at}: its partition "{log.keys[at - 1]}" is not listed' in said


def test_an_entry_behind_the_commitment_is_refused(judge: Judge) -> None:
    log, files = three_cases()
    at = manifest_of(files)["wholeness"] + 1
    said = judge(repacked(log, files, sorted([*packed_positions(files), at]))).said
    assert f"position {at}: an entry behind position {manifest_of(files)['upto']} is packed" in said


def test_an_entry_withheld_after_the_pack_was_made_is_refused(judge: Judge) -> None:
    log, files = three_cases()
    at = packed_positions(files)[4]
    entry_there = log.entries[at - 1]
    hidden = {str(at): {"leaf": leaf_hash(entry_there).hex(), "partitionkey": log.keys[at - 1]}}
    changed = {**files, "withheld.json": canonical_bytes(hidden)}
    lines = [line for line in lines_of(files) if line != entry_there]
    said = judge(with_lines(changed, lines)).said
    assert "rule 6, withheld.json" in said
    assert "rule 3" not in said
    assert "rule 5" not in said


# ------------------------------------------------------------------------------------------------- manifest and events


@pytest.mark.parametrize(
    ("change", "refused"),
    [
        ({"kind": "real"}, "rule 4, entries.jsonl, position 1: the log says of itself"),
        ({"origin": "another"}, "rule 2, checkpoint"),
        ({"office": True}, "rule 6, manifest.json"),
        ({"selection": {"kind": "jurisdiction", "value": "140302"}}, "rule 6, manifest.json"),
        ({"selection": {"kind": "all"}}, "rule 5, positions.txt, position 2: a pack of everything"),
        ({"selection": {"kind": "all", "value": "140303"}}, "rule 1, manifest.json"),
        ({"selection": {"kind": "received", "first": "2019-01-01"}}, "rule 1, manifest.json"),
        ({"format": "qingling/pack/v2"}, "rule 1, manifest.json"),
        ({"language": "fr"}, "rule 1, manifest.json"),
        ({"more": 1}, "rule 1, manifest.json"),
        ({"entries": 1}, "rule 1, positions.txt"),
        ({"upto": 1}, "rule 5"),
        ({"size": 1}, "rule 5, manifest.json: upto"),
        ({"partitions": ["case-1-2", "case-1-5", "case-1-8"]}, 'the partition "log" is not listed'),
        ({"partitions": ["case-1-2", "case-1-5", "case-1-8", "case-1-9", "log"]}, 'partition "case-1-9" is not proved'),
        ({"partitions": ["log", "case-1-2", "case-1-5", "case-1-8"]}, "rule 1, manifest.json"),
    ],
)
def test_a_manifest_that_says_something_else_is_refused(judge: Judge, change: dict[str, object], refused: str) -> None:
    assert refused in judge(saying(three_cases()[1], **change)).said


def test_commitment_and_making_are_the_events_that_the_manifest_says(judge: Judge) -> None:
    files = three_cases()[1]
    said = manifest_of(files)
    assert "rule 5" in judge(saying(files, wholeness=said["wholeness"] + 1)).said
    assert "rule 5" in judge(saying(files, made=said["made"] + 1)).said
    assert "not in this order" in judge(saying(files, made=said["wholeness"], wholeness=said["made"])).said


@pytest.mark.parametrize(
    ("said", "refused"),
    [
        ({"upto": 7}, "rule 6, manifest.json"),
        ({"wholeness": 7}, "rule 6, manifest.json"),
        ({"withoffice": True}, "rule 6, manifest.json"),
        ({"selection": {"kind": "all"}}, "rule 6, manifest.json"),
        ({"cases": 2}, "2 cases were packed; 3 are listed"),
        ({"withheld": "0" * 64}, "rule 6, withheld.json"),
        ({"ledgers": []}, "knows of no such ledger"),
        (
            {"ledgers": [{"csv": "0" * 64, "name": "extra", "rows": 0, "uncovered": 0, "xlsx": "1" * 64}]},
            "rule 6, ledgers/extra.csv",
        ),
    ],
)
def test_a_pack_that_the_log_announced_otherwise_is_refused(judge: Judge, said: dict[str, Any], refused: str) -> None:
    assert refused in judge(three_cases(said=said)[1]).said


@pytest.mark.parametrize(
    ("spoilt", "refused"),
    [
        (lambda line: line.replace(b'":', b'": ', 1), "it is not canonical JSON"),
        (lambda line: line.replace(b'"version":1', b'"version":1.0'), "it is not canonical JSON"),
        (lambda line: line.replace(b'"urn:qingling:synthetic"', b'"urn:qingling:other"'), "is not the log synthetic"),
        (lambda line: line.replace(b'"version":1', b'"version":2'), "is not its subject and its version"),
        (lambda line: line[:-1] + b',"zzz":1}', None),
        (lambda line: b"[" + line + b"]", "it is not canonical JSON"),
    ],
)
def test_an_entry_that_is_not_a_canonical_one_of_the_log_is_refused_even_if_the_log_holds_it(
    judge: Judge, spoilt: Callable[[bytes], bytes], refused: str | None
) -> None:
    log, mine = a_log(), b'"partitionkey":"case-1-2"'
    note = entry("note-1", 1, "case.note.v1", {}).replace(b'"partitionkey":"note-1"', mine)
    at = log.add("case-1-2", spoilt(note))
    verdict = judge(make_pack(log, Choice.of_case("case-1-2")))
    assert verdict.holds is (refused is None)
    if refused is not None:
        assert f"rule 4, entries.jsonl, position {at}: " in verdict.said
        assert refused in verdict.said


# ---------------------------------------------------------------------------------------------------------------- trust


def test_another_key_no_quorum_and_a_spoilt_signature_are_refused(judge: Judge) -> None:
    files = three_cases()[1]
    other = SigningKey("synthetic", bytes(32)).verifier.vkey
    assert "rule 2, checkpoint: no trusted key" in judge(files, key=other).said
    absent = f"log {VKEY}\nwitness w2 {WITNESS_2}\nquorum w2\n"
    assert "0 of the 1 witnesses of the policy cosigned it, which is no quorum" in judge(files, policy=absent).said
    one_of_two = f"{POLICY[:-10]}witness w2 {WITNESS_2}\ngroup g any w1 w2\nquorum g\n"
    assert judge(files, policy=one_of_two).holds
    assert not judge(files, policy=one_of_two.replace(" any ", " all ")).holds
    lines = files["checkpoint"].decode().splitlines(keepends=True)
    spoilt = lines[-1][:-6] + ("A" if lines[-1][-6] != "A" else "B") + lines[-1][-5:]
    changed = resealed({**files, "checkpoint": "".join([*lines[:-1], spoilt]).encode()})
    assert judge(changed).holds, "who asks for no witness is not told of one"
    assert "rule 2, checkpoint" in judge(changed, policy=POLICY).said


WITNESS_2 = replace(WITNESS, name="witness.example.org/w2", seed=bytes(range(64, 96))).verifier.vkey


def test_a_checkpoint_of_another_tree_is_refused(judge: Judge) -> None:
    log, files = three_cases()
    changed = [*log.entries]
    changed[0] = changed[0].replace(b"simulation", b"real")
    assert "rule 3, proof.txt" in judge(resealed({**files, "checkpoint": cosigned(changed)})).said


@pytest.mark.parametrize(
    "policy",
    [
        f"log {VKEY}\n",
        f"log {VKEY}\nquorum w1\n",
        f"log {VKEY}\nquorum none",
        f"log {VKEY}\nlog {VKEY}\nquorum none\n",
        f"{POLICY}quorum none\n",
        f"log {VKEY}\nwitness none {WITNESS.verifier.vkey}\nquorum none\n",
        f"log {VKEY}\nwitness a {WITNESS.verifier.vkey}\nwitness b {WITNESS.verifier.vkey}\nquorum a\n",
        f"log {VKEY}\nwitness a {WITNESS.verifier.vkey}\ngroup g 2 a\nquorum g\n",
        f"log {VKEY}\nwitness a {WITNESS.verifier.vkey}\ngroup g 0 a\nquorum g\n",
        f"log {VKEY}\nwitness a {WITNESS.verifier.vkey}\ngroup g any a a\nquorum g\n",
        f"log {VKEY}\nwitness a {VKEY}\nquorum a\n",
        f"log {VKEY}x\nquorum none\n",
        f"trust {VKEY}\nquorum none\n",
        f"log {VKEY}\r\nquorum none\r\n",
    ],
)
def test_a_policy_that_means_nothing_is_refused(judge: Judge, policy: str) -> None:
    assert not judge(three_cases()[1], policy=policy).holds


def test_a_policy_may_have_comments_tabs_and_addresses(judge: Judge) -> None:
    policy = (
        f"# ours\n\n\tlog\t{VKEY} https://log.example.org/\nwitness w1 {WITNESS.verifier.vkey}\thttps://w.example.org\n"
    )
    assert judge(three_cases()[1], policy=f"{policy}quorum w1\n").holds


# ------------------------------------------------------------------------------------------------------------------ zip


def hostile_zips(files: Files) -> Iterator[tuple[str, bytes]]:
    """Zips that two programs could read in two ways, or that ask for more than they should."""
    members = [Member.of(*each) for each in files.items()]
    by_name = {member.name: member for member in members}
    good = zipped(members)
    yield "a file twice", zipped([*members, by_name[b"entries.jsonl"]])
    yield "a file twice, with other content", zipped([*members, Member.of("entries.jsonl", b"{}\n")])
    yield "manifest not first", zipped([*members[1:], members[0]])
    yield "a file too many", zipped([*members, Member.of("schemas/more.v1.json", b"{}")])
    yield "a file missing", zipped(members[:-1])
    yield "a path upwards", zipped([*members, Member.of("../evil", b"")])
    yield "an absolute path", zipped([*members, Member.of("/etc/evil", b"")])
    yield "a folder", zipped([*members, Member.of("ledgers/", b"")])
    yield "a name in other letters", zipped([*members, Member.of("Checkpoint", b"")])
    yield "bytes before", b"#!/bin/sh\n" + good
    yield "bytes behind", good + b"\n"
    yield "a comment", good[:-2] + b"\x01\x00!"
    at = good.index(b"PK\x03\x04", 4)
    yield "bytes between", good[:at] + b"\0" + good[at:]
    yield "cut short", good[:-1]
    yield "empty", b""
    yield "only an end", good[-22:]
    yield "another name before the member", good.replace(b"proof.txtx"[:-1], b"proof.tyt", 1)
    yield "encrypted", good.replace(b"PK\x03\x04\x14\x00\x00", b"PK\x03\x04\x14\x00\x01", 1)
    longer = replace(by_name[b"proof.txt"], data=files["proof.txt"] + b"\0" * 9)
    yield "a length that is not the file's", zipped([longer if m.name == b"proof.txt" else m for m in members])
    yield "a file that is not deflated", zipped([members[0].stored(), *members[1:]])
    bomb = Member.of("entries.jsonl", b"\n" * 20_000_000)
    yield "far more than it says", zipped([bomb if m.name == b"entries.jsonl" else m for m in members])


def test_a_zip_that_can_be_read_in_two_ways_is_refused(judge: Judge) -> None:
    files = three_cases()[1]
    for what, data in hostile_zips(files):
        verdict = judge(data)
        assert not verdict.holds, what
        assert "refused: " in verdict.said, what


def test_a_pack_that_says_more_than_memory_can_hold_is_refused_by_what_is_there(judge: Judge) -> None:
    """The positions of a trillion entries fit into a line; they must cost nothing until the entries are read."""
    files = three_cases()[1]
    many = 10**12
    said = judge(saying({**files, "positions.txt": f"1-{many}\n".encode()}, entries=many)).said
    assert f"of {many} entries: the file ends there" in said


def test_a_pack_in_which_everything_is_wrong_is_refused_with_the_first_hundred_sentences(judge: Judge) -> None:
    files = make_pack(SmallLog.synthetic(40), Choice.of_all(office=True))
    said = judge(with_lines(files, [line + b" " for line in lines_of(files)])).said
    assert said.count("it is not canonical JSON") == 100
    assert said.splitlines()[-1].startswith("refused: and ")


def test_a_bit_flipped_anywhere_in_the_zip_is_refused_by_both_or_says_nothing(judge: Judge) -> None:
    """A deflated file has up to seven bits behind its end; with one of those flipped every file is still the same."""
    log = a_log()
    files = make_pack(log, Choice.of_case(cases_of(log)[0]))
    good = zipped(files)
    rng = random.Random(3)
    for _ in range(150):
        at = rng.randrange(len(good))
        flipped = good[:at] + bytes([good[at] ^ 1 << rng.randrange(8)]) + good[at + 1 :]
        assert not judge(flipped).holds or unzipped(flipped) == files, at


def unzipped(data: bytes) -> Files:
    """The files of a zip, as the standard library reads it."""
    with ZipFile(BytesIO(data)) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


def test_a_byte_changed_in_any_file_and_sealed_again_is_refused_by_both_unless_nobody_vouches_for_the_file(
    judge: Judge,
) -> None:
    files = three_cases()[1]
    rng = random.Random(4)
    for name in files:
        for _ in range(8):
            data = files[name]
            if name == "manifest.json" or not data:
                continue
            at = rng.randrange(len(data))
            changed = data[:at] + bytes([data[at] ^ 1 << rng.randrange(8)]) + data[at + 1 :]
            holds = judge(resealed({**files, name: changed})).holds
            unvouched = name == "README.html" or name.startswith("schemas/")
            assert holds is unvouched or name == "checkpoint", (name, at)


# --------------------------------------------------------------------------------------------------------------- proofs


def test_a_proof_and_its_receipt_hold_with_and_without_the_entry(
    verify_go: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    log = a_log()
    (tmp_path / "p.tlog-proof").write_bytes(proof_file_of(log.entries, 17).data)
    (tmp_path / "entry").write_bytes(log.entries[16])
    (tmp_path / "key").write_text(f"# the log\n{VKEY}\n")
    alone = verify_go("-key", tmp_path / "key", tmp_path / "p.tlog-proof")
    assert alone.returncode == 0
    assert "has this entry at position 17" in alone.stdout
    with_entry = verify_go("-key", VKEY, "-entry", tmp_path / "entry", tmp_path / "p.tlog-proof")
    assert with_entry.returncode == 0
    (tmp_path / "entry").write_bytes(log.entries[16] + b"\n")
    other = verify_go("-key", VKEY, "-entry", tmp_path / "entry", tmp_path / "p.tlog-proof")
    assert other.returncode == 9
    assert "the entry is not the one that the receipt for position 17 is for" in other.stderr


def test_a_receipt_that_says_something_else_than_its_proof_is_refused(
    verify_go: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    log = a_log()
    good = proof_file_of(log.entries, 17)
    path = tmp_path / "p.tlog-proof"
    for extra in (good.extra.replace(b" 17 ", b" 18 "), good.extra.replace(b"synthetic", b"another"), b"hello", b""):
        path.write_bytes(proof_file_of(log.entries, 17, extra=extra).data)
        assert verify_go("-key", VKEY, path).returncode == 9


def test_both_say_the_same_of_a_proof_with_a_bit_changed(
    verify_go: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    log = a_log()
    good = proof_file_of(log.entries, 17).data
    rng, path, policy = random.Random(5), tmp_path / "p.tlog-proof", tmp_path / "policy"
    policy.write_text(POLICY)
    for _ in range(150):
        at = rng.randrange(len(good))
        data = good[:at] + bytes([good[at] ^ 1 << rng.randrange(8)]) + good[at + 1 :]
        path.write_bytes(data)
        done = verify_go("-policy", policy, path)
        assert done.returncode == 9, (at, done)
        with pytest.raises(VerificationError):
            verify_proof(data, trusted_by([], policy))


def test_the_manual_names_every_option_and_no_other(
    verify_go: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    manual = (CHECKOUT / "docs" / "verify-go.md").read_text("utf-8")
    offered = set(re.findall(r"^  (-\w+)", verify_go("-h").stderr, re.MULTILINE))
    assert offered == set(re.findall(r"^\| `(-\w+)`", manual, re.MULTILINE))


# ------------------------------------------------------------------------------------------------------ the program itself


@pytest.mark.slow
def test_the_verifier_passes_the_tests_that_stand_beside_it_in_go(
    go: Callable[..., subprocess.CompletedProcess[str]], build_go: BuildGo
) -> None:
    build_go("scripts/verify-go")
    done = go(CHECKOUT / "scripts" / "verify-go", "test", "./...")
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_packs_that_those_tests_read_hold_in_python_too() -> None:
    folder = CHECKOUT / "scripts" / "verify-go" / "testdata"
    for name in ("case.zip", "all.zip"):
        report = verify_pack(folder / name, trusted_by([], folder / "policy"), figures=False)
        assert (report.origin, len(report.trusted.cosigned)) == ("synthetic", 1)
    verify_proof((folder / "entry.tlog-proof").read_bytes(), trusted_by([], folder / "policy"))


def test_a_wrong_command_line_and_a_missing_file_are_no_refusals(
    verify_go: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    (tmp_path / "policy").write_text(POLICY)
    (tmp_path / "pack.zip").write_bytes(zipped(three_cases()[1]))
    pack = tmp_path / "pack.zip"
    for arguments in ([], [pack], ["-key", VKEY], ["-key", VKEY, "-policy", tmp_path / "policy", pack], ["-no", pack]):
        assert verify_go(*arguments).returncode == 2, arguments
    assert verify_go("-key", VKEY, tmp_path / "nothing.zip").returncode == 2
    assert verify_go("-key", tmp_path / "nothing", pack).returncode == 2
    assert verify_go("-key", VKEY, "-entry", pack, pack).returncode == 2


def test_digests_are_those_of_the_files(judge: Judge) -> None:
    files = three_cases()[1]
    said = manifest_of(files)["files"]
    assert said["entries.jsonl"]["sha256"] == sha256_hex(files["entries.jsonl"])
    said["entries.jsonl"]["bytes"] += 1
    text = canonical_bytes({**manifest_of(files), "files": said})
    assert "rule 1, entries.jsonl" in judge({**files, "manifest.json": text}).said
