"""Records say what they are, and nothing that is none is taken for one."""

from __future__ import annotations

import pytest

from domain.errors import LogMismatchError, SettingsError
from infra.folding.feed import shard_of
from infra.kafka.cluster import client_options
from infra.kafka.records import Watermark, entry_headers, partition_of, position_in, watermark_in


def test_a_watermark_is_read_as_it_was_written():
    mark = Watermark("test-1", 16, 4711)
    assert watermark_in(mark.headers, mark.value) == mark
    assert position_in(mark.headers) is None


def test_an_entry_is_no_watermark_and_bears_its_position():
    assert position_in(entry_headers(12)) == 12
    assert watermark_in(entry_headers(12), b"{}") is None
    assert position_in([("qingling-position", b"x")]) is None


@pytest.mark.parametrize("value", [None, b"", b"[]", b"{}", b'{"origin":"a","partitions":"x","upto":1}'])
def test_a_watermark_that_cannot_be_read_is_no_watermark_of_ours(value: bytes | None):
    with pytest.raises(LogMismatchError):
        watermark_in([("qingling-watermark", b"1")], value)


def test_a_partition_of_sixteen_is_the_shard_of_the_ledgers():
    for key in ("case-1", "log", "案件", "officer-00000001"):
        assert partition_of(key, 16) == shard_of(key)


def test_options_of_the_client_are_those_that_are_known(tmp_path):
    (tmp_path / "kafka.toml").write_text('security_protocol = "SASL_SSL"\nsasl_mechanism = "SCRAM-SHA-512"\n')
    assert client_options(str(tmp_path / "kafka.toml"))["sasl_mechanism"] == "SCRAM-SHA-512"
    assert client_options("") == {}
    (tmp_path / "kafka.toml").write_text('acks = "0"\n')
    with pytest.raises(SettingsError, match="acks is no option"):
        client_options(str(tmp_path / "kafka.toml"))
    with pytest.raises(SettingsError):
        client_options(str(tmp_path / "none.toml"))


def test_a_file_that_the_options_name_must_be_there(tmp_path):
    (tmp_path / "kafka.toml").write_text(f'security_protocol = "SSL"\nssl_cafile = "{tmp_path}/none.pem"\n')
    with pytest.raises(SettingsError, match=r"ssl_cafile names .*none\.pem', which cannot be read"):
        client_options(str(tmp_path / "kafka.toml"))
