"""The keyring: who may read it, what it wraps, and what it never shows."""

from __future__ import annotations

import base64
import hmac
import json
import os
import stat
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import SettingsError, VerificationError
from infra.keyring import Keyring, WrappedKey

DEK = bytes(range(32))
SUBJECT = "person-aaaaaaaaaaaaaaaaaaaaaaaaaa"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "keys" / "keyring.json"


@pytest.fixture
def keyring(path: Path) -> Keyring:
    return Keyring.create(path)


@pytest.fixture(scope="module")
def one_keyring(tmp_path_factory: pytest.TempPathFactory) -> Keyring:
    """The same for every example of a property."""
    return Keyring.create(tmp_path_factory.mktemp("one") / "keys" / "keyring.json")


def rewritten(path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    content = json.loads(path.read_bytes())
    change(content)
    path.write_text(json.dumps(content))


def secrets_of(path: Path) -> Iterator[str]:
    """Every key in the file in the forms in which it might be printed."""
    content = json.loads(path.read_bytes())
    for text in [content["digests"], *(each["key"] for each in content["wrapping"])]:
        key = base64.b64decode(text)
        yield from (text, key.hex(), repr(key)[2:-1])


def with_second_key(content: dict[str, Any]) -> None:
    content["wrapping"].append({"version": 2, "key": base64.b64encode(os.urandom(32)).decode()})
    content["current"] = 2


def test_a_new_keyring_can_be_read_by_its_owner_alone_whatever_the_umask(path: Path) -> None:
    before = os.umask(0)
    try:
        Keyring.create(path)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_keyring_is_never_overwritten(keyring: Keyring, path: Path) -> None:
    before = path.read_bytes()
    with pytest.raises(SettingsError, match="never overwritten"):
        Keyring.create(path)
    assert path.read_bytes() == before


def test_a_keyring_that_cannot_be_written_whole_leaves_nothing_behind(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(SettingsError, match="No space left"):
        Keyring.create(path)
    monkeypatch.undo()
    assert list(path.parent.iterdir()) == []
    Keyring.create(path)


def test_two_keyrings_have_nothing_in_common(tmp_path: Path) -> None:
    paths = [tmp_path / name / "keyring.json" for name in ("one", "other")]
    one, other = (Keyring.create(path) for path in paths)
    assert not set(secrets_of(paths[0])) & set(secrets_of(paths[1]))
    assert one.command_digest(b"request") != other.command_digest(b"request")
    with pytest.raises(VerificationError):
        other.unwrap(SUBJECT, one.wrap(SUBJECT, DEK))


@pytest.mark.parametrize("bit", [0o040, 0o020, 0o010, 0o004, 0o002, 0o001])
def test_a_keyring_that_others_may_touch_is_refused(keyring: Keyring, path: Path, bit: int) -> None:
    path.chmod(0o600 | bit)
    with pytest.raises(SettingsError, match="it is open to others"):
        Keyring.open(path)


@pytest.mark.parametrize("bit", [0o040, 0o020, 0o010, 0o004, 0o002, 0o001])
def test_a_keyring_in_a_folder_that_others_may_touch_is_refused(keyring: Keyring, path: Path, bit: int) -> None:
    path.parent.chmod(0o700 | bit)
    with pytest.raises(SettingsError, match="its folder is open to others"):
        Keyring.open(path)
    with pytest.raises(SettingsError, match="its folder is open to others"):
        Keyring.create(path.with_name("another.json"))
    assert not path.with_name("another.json").exists()


def test_a_keyring_that_only_its_owner_may_read_is_good_enough(keyring: Keyring, path: Path) -> None:
    path.chmod(0o400)
    assert Keyring.open(path).unwrap(SUBJECT, keyring.wrap(SUBJECT, DEK)) == DEK


def test_a_keyring_of_another_user_is_refused(keyring: Keyring, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: path.stat().st_uid + 1)
    with pytest.raises(SettingsError, match="its folder belongs to another user"):
        Keyring.open(path)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give a file away")
def test_a_file_of_another_user_in_our_own_folder_is_refused(keyring: Keyring, path: Path) -> None:
    os.chown(path, 65_534, -1)
    with pytest.raises(SettingsError, match="it belongs to another user"):
        Keyring.open(path)


def test_a_symbolic_link_is_no_keyring(keyring: Keyring, path: Path) -> None:
    link = path.with_name("link.json")
    link.symlink_to(path)
    with pytest.raises(SettingsError, match="cannot be read"):
        Keyring.open(link)
    with pytest.raises(SettingsError, match="never overwritten"):
        Keyring.create(link)


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo])
def test_what_is_no_file_is_no_keyring(keyring: Keyring, path: Path, make: Callable[[Path], None]) -> None:
    odd = path.with_name("odd")
    make(odd)
    with pytest.raises(SettingsError, match=r"no regular file|cannot be read"):
        Keyring.open(odd)


def test_a_keyring_that_is_not_there_is_named(path: Path) -> None:
    with pytest.raises(SettingsError, match="there is no keyring at"):
        Keyring.open(path)


@pytest.mark.parametrize(
    "change",
    [
        lambda content: content.pop("digests"),
        lambda content: content.update(note="x"),
        lambda content: content.update(format="qingling-keyring/2"),
        lambda content: content.update(current=7),
        lambda content: content.update(current="1"),
        lambda content: content["wrapping"].append(content["wrapping"][0]),
        lambda content: content["wrapping"].clear(),
        lambda content: content["wrapping"][0].update(key=base64.b64encode(bytes(31)).decode()),
        lambda content: content["wrapping"][0].update(key="*" + content["wrapping"][0]["key"]),
        lambda content: content.update(digests="键"),
        lambda content: content.update(digests=""),
    ],
)
def test_a_damaged_keyring_is_refused_without_showing_a_key(
    keyring: Keyring, path: Path, change: Callable[[dict[str, Any]], object]
) -> None:
    secrets = list(secrets_of(path))
    rewritten(path, change)
    with pytest.raises(SettingsError) as refusal:
        Keyring.open(path)
    printed = "".join(traceback.format_exception(refusal.value))
    assert not any(secret in printed for secret in secrets)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe", b"\0" * 70_000])
def test_a_file_that_is_something_else_is_refused(keyring: Keyring, path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(SettingsError, match="it is damaged"):
        Keyring.open(path)


def test_what_was_wrapped_is_unwrapped_after_opening_the_file_again(keyring: Keyring, path: Path) -> None:
    wrapped = keyring.wrap(SUBJECT, DEK)
    assert wrapped.kek == 1
    assert DEK not in wrapped.wrapped
    assert Keyring.open(path).unwrap(SUBJECT, wrapped) == DEK


def test_the_same_key_is_never_wrapped_twice_alike(keyring: Keyring) -> None:
    assert keyring.wrap(SUBJECT, DEK).wrapped != keyring.wrap(SUBJECT, DEK).wrapped


def test_a_wrapped_key_is_good_for_its_own_subject_only(keyring: Keyring) -> None:
    with pytest.raises(VerificationError):
        keyring.unwrap(SUBJECT + "b", keyring.wrap(SUBJECT, DEK))


def test_every_flipped_bit_of_a_wrapped_key_is_refused(keyring: Keyring) -> None:
    version, wrapped = keyring.wrap(SUBJECT, DEK)
    for bit in range(len(wrapped) * 8):
        flipped = bytearray(wrapped)
        flipped[bit // 8] ^= 1 << bit % 8
        with pytest.raises(VerificationError):
            keyring.unwrap(SUBJECT, WrappedKey(version, bytes(flipped)))


@pytest.mark.parametrize("length", [0, 5, 12, 27, 59])
def test_a_wrapped_key_that_was_cut_short_is_refused(keyring: Keyring, length: int) -> None:
    version, wrapped = keyring.wrap(SUBJECT, DEK)
    with pytest.raises(VerificationError):
        keyring.unwrap(SUBJECT, WrappedKey(version, wrapped[:length]))


def test_a_second_wrapping_key_is_used_for_new_keys_and_the_first_still_opens_the_old(
    keyring: Keyring, path: Path
) -> None:
    old = keyring.wrap(SUBJECT, DEK)
    rewritten(path, with_second_key)
    rotated = Keyring.open(path)
    new = rotated.wrap(SUBJECT, DEK)
    assert (old.kek, new.kek) == (1, 2)
    assert rotated.unwrap(SUBJECT, old) == rotated.unwrap(SUBJECT, new) == DEK
    with pytest.raises(VerificationError, match="no wrapping key 2"):
        keyring.unwrap(SUBJECT, new)


def test_a_repeated_command_is_known_again_after_the_wrapping_key_was_changed(keyring: Keyring, path: Path) -> None:
    before = keyring.command_digest(b"request"), keyring.blind("identity-number", "140321199001010017")
    rewritten(path, with_second_key)
    rotated = Keyring.open(path)
    assert (rotated.command_digest(b"request"), rotated.blind("identity-number", "140321199001010017")) == before


def test_keyed_digests_are_those_of_an_independent_implementation(keyring: Keyring, path: Path) -> None:
    secret = base64.b64decode(json.loads(path.read_bytes())["digests"])
    key = HKDFExpand(SHA256(), 32, b"qingling/command-digest/v1").derive(secret)
    assert keyring.command_digest(b"request") == hmac.digest(key, b"request", "sha256")
    key = HKDFExpand(SHA256(), 32, b"qingling/blind/v1").derive(secret)
    assert keyring.blind("phone", "13800000000") == hmac.digest(key, b"\x00\x05phone13800000000", "sha256")


def test_equal_values_of_two_domains_have_nothing_in_common(keyring: Keyring) -> None:
    assert keyring.blind("phone", "1") == keyring.blind("phone", "1")
    assert len({keyring.blind("phone", "1"), keyring.blind("phon", "e1"), keyring.blind("name", "1")}) == 3


@given(st.binary(min_size=32, max_size=32), st.text(alphabet="abc-/", min_size=1))
def test_any_data_key_comes_back(one_keyring: Keyring, dek: bytes, subject: str) -> None:
    assert one_keyring.unwrap(subject, one_keyring.wrap(subject, dek)) == dek


@given(st.binary(), st.binary())
def test_two_requests_have_one_digest_only_if_they_are_equal(one_keyring: Keyring, one: bytes, other: bytes) -> None:
    assert (one_keyring.command_digest(one) == one_keyring.command_digest(other)) == (one == other)


def test_no_key_stands_in_what_is_printed(keyring: Keyring, path: Path) -> None:
    with pytest.raises(VerificationError) as refusal:
        keyring.unwrap("another", keyring.wrap(SUBJECT, DEK))
    printed = f"{keyring!r} {keyring} {vars(keyring)!r} {refusal.value!r}"
    assert "Keyring(current=1, versions=[1])" in printed
    assert not any(secret in printed for secret in [*secrets_of(path), DEK.hex(), repr(DEK)[2:-1]])
