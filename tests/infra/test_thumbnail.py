"""Thumbnails: small, upright, without metadata; what is too large or damaged ends the process that looks at it, and nothing else."""

from __future__ import annotations

import io
import subprocess
import sys
import zlib

import pytest
from PIL import Image

from domain.errors import NotFoundError, RuleError
from domain.evidence.media import KINDS, SHOWN_SMALL, EvidenceKind
from infra import thumbnail as module
from infra.thumbnail import FORMATS, thumbnail

ORIENTATION, MAKER, GPS = 0x0112, 0x010F, 0x8825


def photo(mode: str = "RGB", size: tuple[int, int] = (1200, 900), format: str = "JPEG", **options: object) -> bytes:
    made = io.BytesIO()
    Image.new(mode, size).save(made, format, **options)
    return made.getvalue()


def test_only_photographs_are_shown_small_each_by_its_own_decoder():
    assert set(FORMATS) == SHOWN_SMALL
    assert all(KINDS[media] is EvidenceKind.PHOTO for media in SHOWN_SMALL)
    for media in KINDS.keys() - SHOWN_SMALL:
        with pytest.raises(NotFoundError):
            thumbnail(media, photo())


@pytest.mark.parametrize(("media", "format", "modes"), [
    ("image/jpeg", "JPEG", ("RGB", "L", "CMYK")),
    ("image/png", "PNG", ("RGB", "RGBA", "P", "LA", "1", "I;16")),
    ("image/webp", "WEBP", ("RGB", "RGBA")),
])  # fmt: skip
def test_a_photograph_comes_out_as_a_small_jpeg(media: str, format: str, modes: tuple[str, ...]):
    for mode in modes:
        made = Image.open(io.BytesIO(thumbnail(media, photo(mode, format=format))))
        assert (made.format, made.mode, made.size) == ("JPEG", "RGB", (320, 240))


def test_it_stands_upright_and_says_nothing_of_place_or_device():
    exif = Image.Exif()
    exif[ORIENTATION], exif[MAKER] = 6, "A telephone"
    exif.get_ifd(GPS)[1] = "N"
    content = photo(exif=exif, comment=b"taken by")
    assert b"A telephone" in content
    small = thumbnail("image/jpeg", content)
    made = Image.open(io.BytesIO(small))
    assert made.size == (240, 320)
    assert not made.getexif()
    assert b"A telephone" not in small
    assert b"taken by" not in small


def test_what_is_clear_is_white():
    made = Image.open(io.BytesIO(thumbnail("image/png", photo("RGBA", (100, 100), "PNG")))).convert("L")
    assert made.histogram()[:251] == [0] * 251


def test_a_small_picture_is_not_blown_up():
    assert Image.open(io.BytesIO(thumbnail("image/png", photo(size=(20, 10), format="PNG")))).size == (20, 10)


@pytest.mark.parametrize("size", [(10_000, 5_001), (60_000, 60_000)])
def test_a_picture_of_too_many_pixels_is_refused_before_it_is_unfolded(size: tuple[int, int]):
    """Some kilobytes that would be gigabytes of pixels."""
    content = photo("1", (8, 8), "PNG")
    wide, high = size
    header = b"IHDR" + wide.to_bytes(4, "big") + high.to_bytes(4, "big") + content[24:29]
    forged = content[:12] + header + zlib.crc32(header).to_bytes(4, "big") + content[33:]
    with pytest.raises(RuleError) as refused:
        thumbnail("image/png", forged)
    assert refused.value.rule == "thumbnail"


@pytest.mark.parametrize("content", [b"", b"\xff\xd8\xff\xe0" + bytes(500), photo()[:-3000], photo(format="PNG")])
def test_what_its_decoder_cannot_read_is_refused(content: bytes):
    with pytest.raises(RuleError):
        thumbnail("image/jpeg", content)


def test_a_decoder_that_does_not_come_to_an_end_is_ended(monkeypatch: pytest.MonkeyPatch, tmp_path):
    endless = tmp_path / "endless.py"
    endless.write_text("while True: pass\n")
    monkeypatch.setattr(module, "_PROCESS", endless)
    monkeypatch.setattr(module, "PATIENCE", 0.2)
    with pytest.raises(RuleError):
        thumbnail("image/jpeg", photo())


def test_the_process_limits_its_own_memory_and_has_nothing_of_ours(tmp_path):
    greedy = tmp_path / "greedy.py"
    greedy.write_text(
        "import os, runpy, sys\n"
        f"names = runpy.run_path({str(module._PROCESS)!r})\n"
        "names['limit_oneself']()\n"
        "assert not any(name.split('.')[0] in ('infra', 'domain', 'api') for name in sys.modules)\n"
        "try:\n    bytearray(2 << 30)\nexcept MemoryError:\n    print('held')\n"
    )
    done = subprocess.run([sys.executable, "-I", str(greedy)], env={}, capture_output=True, text=True, check=False)
    assert done.stdout == "held\n", done.stderr
