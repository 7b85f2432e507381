"""The zip of a pack: written in one way, and whatever else a zip could be is refused, whoever made it."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.errors import InputError, VerificationError
from domain.sealing.note import VerifierKey
from domain.sealing.policy import Policy
from infra.packs import layout
from infra.packs.archive import Archive, ArchiveWriter
from infra.packs.verify import verify_pack
from tests.infra.packs.office import Office, saying, unzipped, zipped
from tests.interop.small_pack import Files, resealed

CENTRAL = struct.Struct("<4s6H3I5H2I")


@pytest.fixture
def verify(office: Office, tmp_path: Path) -> Callable[[bytes], None]:
    policy = Policy.of_log(VerifierKey.parse(office.vkey))
    pack = tmp_path / "pack.zip"

    def verify(data: bytes) -> None:
        pack.write_bytes(data)
        verify_pack(pack, policy)

    return verify


@pytest.fixture
def good(office: Office) -> bytes:
    return office.packs["case"].read_bytes()


def refusal(verify: Callable[[bytes], None], data: bytes) -> str | None:
    """Why a pack is refused; None where it holds."""
    try:
        verify(data)
    except VerificationError as error:
        return str(error)
    return None


def test_a_pack_is_a_zip_that_every_program_reads_and_the_same_bytes_every_time(good: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(good)) as archive:
        assert archive.testzip() is None
        assert archive.namelist()[0] == layout.MANIFEST
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    assert zipped(unzipped(good)) == good


def test_any_byte_changed_anywhere_is_refused_or_changes_nothing_that_is_unpacked(
    good: bytes, verify: Callable[[bytes], None]
) -> None:
    rng = Random(7)
    directory = good.rindex(b"PK\x05\x06")
    headers = set(range(directory - 60, len(good))) | set(range(60))
    for at in sorted(headers | set(rng.sample(range(len(good)), 400))):
        changed = bytearray(good)
        changed[at] ^= 1 << rng.randrange(8)
        why = refusal(verify, bytes(changed))
        if why is not None:
            assert why.startswith("rule 1,"), (at, why)
        else:
            # Bits between the end of a deflated stream and its last byte's end say nothing.
            assert unzipped(bytes(changed)) == unzipped(good), at
            assert directory - 60 > at


@pytest.mark.parametrize("length", [0, 1, 21, 22, 23, 100])
def test_a_pack_cut_short_is_refused(good: bytes, verify: Callable[[bytes], None], length: int) -> None:
    for cut in (good[:length], good[: len(good) - 1 - length], good[len(good) - length :], good[length + 1 :]):
        with pytest.raises(VerificationError, match="rule 1"):
            verify(cut)


@pytest.mark.parametrize("more", [b"\n", b"PK\x05\x06" + bytes(18), bytes(1_000)])
def test_bytes_before_behind_or_between_are_refused(good: bytes, verify: Callable[[bytes], None], more: bytes) -> None:
    end = good.rindex(b"PK\x05\x06")
    offset = struct.unpack_from("<I", good, end + 16)[0]
    moved = good[:offset] + more + good[offset:end] + struct.pack("<4s4H2IH", b"PK\5\6", *struct.unpack_from("<4H", good, end + 4), end - offset, offset + len(more), 0)  # fmt: skip  # noqa: E501
    for changed in (good + more, more + good, moved):
        with pytest.raises(VerificationError, match="rule 1"):
            verify(changed)


def rewritten(good: bytes, change: Callable[[list[Any]], None], *, which: int = 1) -> bytes:
    """The zip with the directory's fields of a member changed, and its own header where both have them."""
    end = good.rindex(b"PK\x05\x06")
    at = struct.unpack_from("<I", good, end + 16)[0]
    for _ in range(which):
        at += CENTRAL.size + sum(struct.unpack_from("<3H", good, at + 28))
    fields = list(CENTRAL.unpack_from(good, at))
    change(fields)
    return good[:at] + CENTRAL.pack(*fields) + good[at + CENTRAL.size :]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *((1, 20), (2, 45), (3, 1), (3, 8), (3, 0x800), (4, 0), (4, 99), (5, 7), (6, 99), (7, 0), (8, 1), (9, 2**31)),
        *((13, 1), (14, 1), (15, 0o120777 << 16), (15, 0o040755 << 16), (15, 0x10), (16, 1), (16, 2**32 - 1)),
    ],
)
def test_what_a_directory_could_say_else_is_refused(
    good: bytes, verify: Callable[[bytes], None], field: int, value: int
) -> None:
    def change(fields: list[Any]) -> None:
        fields[field] = value

    with pytest.raises(VerificationError, match="rule 1"):
        verify(rewritten(good, change))


@pytest.mark.parametrize(
    "name", ["../x", "/etc/passwd", "a/../../b", "a\\b", "c:x", "a/", "a//b", "", "x" * 300, "名", "a/b/c", ".hidden"]
)
def test_no_name_leads_out_of_the_folder_that_a_pack_is_unpacked_in(tmp_path: Path, name: str) -> None:
    pack = tmp_path / "x.zip"
    with zipfile.ZipFile(pack, "w", zipfile.ZIP_DEFLATED) as archive:
        info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
        info.external_attr, info.compress_type = 0o100644 << 16, zipfile.ZIP_DEFLATED
        archive.writestr(info, b"x")
    with pytest.raises(VerificationError):
        Archive(pack)


def test_two_members_of_one_name_are_refused(tmp_path: Path) -> None:
    pack = tmp_path / "x.zip"
    with pack.open("wb") as file:
        archive = ArchiveWriter(file)
        archive.add("checkpoint", [b"one"])
        archive.add("checkpoint", [b"two"])
        archive.finish()
    with pytest.raises(VerificationError, match="two members of one name"):
        Archive(pack)


def test_a_member_that_inflates_to_more_than_it_declares_is_stopped_there(tmp_path: Path) -> None:
    target = io.BytesIO()
    archive = ArchiveWriter(target)
    archive.add("entries.jsonl", (bytes(2**20) for _ in range(64)))
    archive.finish()
    bomb = bytearray(target.getvalue())
    for offset in (22, bomb.rindex(b"PK\x01\x02") + 24):
        struct.pack_into("<I", bomb, offset, 1_000)
    pack = tmp_path / "x.zip"
    pack.write_bytes(bytes(bomb))
    with Archive(pack) as opened:
        seen: list[int] = []
        with pytest.raises(VerificationError, match="inflates to more than the 1000 bytes"):
            seen.extend(map(len, opened.pieces("entries.jsonl")))
        assert sum(seen) <= 2**20
        with pytest.raises(VerificationError, match="more than a pack can need"):
            opened.read("entries.jsonl", 999)


def test_a_stored_member_is_refused(good: bytes, verify: Callable[[bytes], None]) -> None:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for name, data in unzipped(good).items():
            archive.writestr(name, data)
    with pytest.raises(VerificationError, match="rule 1"):
        verify(target.getvalue())


def test_a_file_that_is_not_there_is_not_a_broken_proof(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot read"):
        Archive(tmp_path / "none.zip")


# ------------------------------------------------------------------------------------------------------------- content


def test_a_file_missing_or_further_is_named(good: bytes, verify: Callable[[bytes], None]) -> None:
    files = unzipped(good)
    lacking = {name: data for name, data in files.items() if name != layout.PROOF}
    with pytest.raises(VerificationError, match=r"proof\.txt is named by the manifest and missing"):
        verify(zipped(lacking))
    with pytest.raises(VerificationError, match=r"it does not name proof\.txt"):
        verify(zipped(resealed(lacking)))
    with pytest.raises(VerificationError, match=r"schemas/x\.json is in the zip and not named"):
        verify(zipped({**files, "schemas/x.json": b"{}"}))
    with pytest.raises(VerificationError, match="'notes' is no file of a pack"):
        verify(zipped(resealed({**files, "notes": b""})))
    with pytest.raises(VerificationError, match=r"the first file of a pack is manifest\.json"):
        verify(zipped({name: data for name, data in files.items() if name != layout.MANIFEST}))


WRONG: list[object] = [
    None,
    True,
    -1,
    0,
    2**53,
    10**30,
    1.5,
    "",
    "x",
    "0" * 64,
    [],
    ["x"],
    [[]],
    {},
    {"kind": "all"},
    {"x": {}},
]


def test_wrong_types_and_values_anywhere_in_the_manifest_are_refused_and_nothing_else(
    good: bytes, verify: Callable[[bytes], None]
) -> None:
    files = unzipped(good)
    manifest = orjson.loads(files[layout.MANIFEST])
    for member in [*manifest, "further"]:
        for value in WRONG:
            changed = {**manifest, member: value}
            try:
                data = orjson.dumps(changed, option=orjson.OPT_SORT_KEYS)
            except orjson.JSONEncodeError:
                data = files[layout.MANIFEST].replace(b'"upto":', b'"upto":1' + b"0" * 30, 1)
            with pytest.raises(VerificationError):
                verify(zipped({**files, layout.MANIFEST: data}))
        if member != "further":
            lacking = {name: value for name, value in manifest.items() if name != member}
            with pytest.raises(VerificationError):
                verify(zipped({**files, layout.MANIFEST: orjson.dumps(lacking, option=orjson.OPT_SORT_KEYS)}))


@pytest.mark.parametrize("name", [layout.MANIFEST, layout.WITHHELD, layout.WHOLENESS])
@pytest.mark.parametrize(
    "data", [b"", b"{", b"null", b"[]", b"[[[" * 3_000, b'{"a":NaN}', b"\xff", b"{} ", b'{"1":{}}']
)
def test_json_that_is_none_or_of_another_shape_is_refused(
    good: bytes, verify: Callable[[bytes], None], name: str, data: bytes
) -> None:
    files = {**unzipped(good), name: data}
    with pytest.raises(VerificationError, match="rule 1"):
        verify(zipped(files if name == layout.MANIFEST else resealed(files)))


def test_json_that_is_not_canonical_is_refused(good: bytes, verify: Callable[[bytes], None]) -> None:
    files = unzipped(good)
    for name in (layout.MANIFEST, layout.WHOLENESS):
        spaced = orjson.dumps(orjson.loads(files[name]), option=orjson.OPT_SORT_KEYS | orjson.OPT_INDENT_2)
        changed = {**files, name: spaced}
        with pytest.raises(VerificationError, match="it is not canonical JSON"):
            verify(zipped(changed if name == layout.MANIFEST else resealed(changed)))
    doubled = {**files, layout.WITHHELD: b'{"1":{"leaf":"%b","partitionkey":"log"},"1":{"leaf":"%b","partitionkey":"log"}}' % (b"0" * 64, b"0" * 64)}  # fmt: skip  # noqa: E501
    with pytest.raises(VerificationError, match="it is not canonical JSON"):
        verify(zipped(resealed(doubled)))


@pytest.mark.parametrize(
    "data",
    [
        *(
            b"",
            b"1",
            b"0\n",
            b"1\n1\n",
            b"2\n1\n",
            b"1\n2\n",
            b"1-2\n3\n",
            b"2-1\n",
            b"1-1\n",
            b"01\n",
            b"+1\n",
            b"1 \n",
        ),
        *(
            b"1-9223372036854775807\n",
            b"1-99999999999999999999\n",
            b"1\r\n",
            b"\n",
            b"\xff\n",
            b"1-\n",
            b"-1\n",
            "１\n".encode(),
        ),
    ],
)
def test_positions_have_one_spelling_and_never_more_than_there_are_entries(
    good: bytes, verify: Callable[[bytes], None], data: bytes
) -> None:
    with pytest.raises(VerificationError, match=r"rule 1.*positions\.txt"):
        verify(zipped(resealed({**unzipped(good), layout.POSITIONS: data})))


@given(st.sets(st.integers(1, 60), min_size=1))
def test_positions_are_read_as_they_were_written(positions: set[int]) -> None:
    data = b"".join(layout.print_positions(sorted(positions)))
    assert layout.parse_positions(data, len(positions)) == sorted(positions)


@pytest.mark.parametrize("data", [b"\n", b"AAAA\n", b"x\n", b"A" * 43 + b"=", b"A" * 43 + b"=\n\n", b"\xff\n"])
def test_a_proof_of_another_form_is_refused(good: bytes, verify: Callable[[bytes], None], data: bytes) -> None:
    with pytest.raises(VerificationError, match=r"rule [13]"):
        verify(zipped(resealed({**unzipped(good), layout.PROOF: data})))


@pytest.mark.parametrize("data", [b"", b"\n", b"x", b"x\n", b"\n\n\n", bytes(100), b"{}\n" * 7, b"a" * 70_000 + b"\n"])
def test_entries_of_another_form_are_refused(good: bytes, verify: Callable[[bytes], None], data: bytes) -> None:
    with pytest.raises(VerificationError, match=r"rule [13]"):
        verify(zipped(resealed({**unzipped(good), layout.ENTRIES: data})))


def test_more_entries_said_than_bytes_can_hold_are_refused_before_room_is_made_for_them(
    good: bytes, verify: Callable[[bytes], None]
) -> None:
    files = {**unzipped(good), layout.POSITIONS: b"1-1000000000000\n"}
    with pytest.raises(VerificationError, match="it is too short for the 1000000000000 entries"):
        verify(zipped(saying(files, {"entries": 10**12})))


def altered_json(value: Any, draw: Callable[..., Any]) -> Any:
    """A JSON value with one member replaced by something else."""
    if isinstance(value, dict) and value and draw(st.booleans()):
        name = draw(st.sampled_from(sorted(value)))
        return {**value, name: altered_json(value[name], draw)}
    if isinstance(value, list) and value and draw(st.booleans()):
        at = draw(st.integers(0, len(value) - 1))
        return [*value[:at], altered_json(value[at], draw), *value[at + 1 :]]
    return draw(st.sampled_from([each for each in WRONG if each != 10**30]))


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_json_altered_anywhere_is_refused_with_one_kind_of_error(
    good: bytes, verify: Callable[[bytes], None], data: st.DataObject
) -> None:
    files: Files = unzipped(good)
    name = data.draw(st.sampled_from([layout.MANIFEST, layout.WITHHELD, layout.WHOLENESS]))
    value = altered_json(orjson.loads(files[name]), data.draw)
    spelled = orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    if spelled == files[name]:
        return
    changed = {**files, name: spelled}
    with pytest.raises(VerificationError):
        verify(zipped(changed if name == layout.MANIFEST else resealed(changed)))
