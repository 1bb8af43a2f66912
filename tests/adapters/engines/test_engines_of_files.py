"""The engines that take files: pictures and recordings, whole, changed, broken and hostile."""

from __future__ import annotations

import base64
import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PIL import Image, ImageDraw, ImageEnhance

from adapters.images.hashing import PerceptualHash
from adapters.pronunciation.sphinx import Sphinx
from bot import BadArguments
from bot.ports import Recording, TwoPictures

SPEECH = Path(__file__).resolve().parents[4] / "shared" / "data" / "speech"
"""Recordings with their texts beside them (one.wav, one.txt), where there are any."""


def drawn(seed: int) -> Image.Image:
    generator = np.random.default_rng(seed)
    picture = Image.new("RGB", (320, 240), tuple(int(part) for part in generator.integers(0, 255, 3)))
    pen = ImageDraw.Draw(picture)
    for _ in range(9):
        x, y, size = (int(part) for part in generator.integers(0, 200, 3))
        pen.ellipse((x, y, x + size + 20, y + size), fill=tuple(int(part) for part in generator.integers(0, 255, 3)))
    return picture


def coded(picture: Image.Image, kind: str = "PNG") -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind)
    return base64.b64encode(buffer.getvalue())


async def test_a_picture_is_known_again_however_it_was_changed() -> None:
    engine, picture = PerceptualHash(), drawn(1)
    for changed in (
        picture.resize((100, 75)),
        picture.convert("L"),
        ImageEnhance.Brightness(picture).enhance(1.2),
        picture.convert("RGBA"),
        picture.convert("P"),
    ):
        found = await engine.find(TwoPictures(image=coded(picture), other=coded(changed)))
        assert found.result.same and found.result.similarity >= 0.8
    found = await engine.find(TwoPictures(image=coded(picture), other=coded(picture, "JPEG")))
    assert found.result.same
    for seed in range(2, 8):
        found = await engine.find(TwoPictures(image=coded(picture), other=coded(drawn(seed))))
        assert not found.result.same


def bomb(width: int, height: int) -> bytes:
    """A PNG of a few bytes that claims to be as large as that."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")
    return base64.b64encode(b"\x89PNG\r\n\x1a\n" + body)


@pytest.mark.parametrize(
    "hostile",
    [bomb(60_000, 60_000), bomb(12_000, 8_000), bomb(5_001, 5_001), bomb(0, 0), b"", base64.b64encode(b"GIF89a")],
)
async def test_a_picture_that_is_none_or_a_bomb_is_refused(hostile: bytes) -> None:
    with pytest.raises(BadArguments) as refused:
        await PerceptualHash().find(TwoPictures(image=hostile, other=coded(drawn(1))))
    assert refused.value.unreadable


def noise(seconds: float, *, rate: int = 16_000, kind: str = "WAV", subtype: str | None = None) -> bytes:
    buffer = io.BytesIO()
    samples = np.random.default_rng(1).normal(0, 0.05, (int(rate * seconds), 2))
    soundfile.write(buffer, samples, rate, format=kind, subtype=subtype)
    return base64.b64encode(buffer.getvalue())


async def test_recordings_of_many_kinds_are_heard_and_others_refused_in_words() -> None:
    engine = Sphinx()
    try:
        for kind, subtype, rate in (
            ("WAV", "PCM_24", 44_100),
            ("WAV", "FLOAT", 8_000),
            ("FLAC", None, 22_050),
            ("OGG", "VORBIS", 48_000),
            ("OGG", "OPUS", 48_000),
            ("MP3", None, 44_100),
        ):
            audio = noise(1.5, rate=rate, kind=kind, subtype=subtype)
            found = await engine.find(Recording(audio=audio, text_refs=("hello",)))
            assert [word.word for word in found.result.words] == ["hello"]
            assert found.result.words[0].doubtful, "noise is no hello"
            assert 1.4 < found.result.seconds < 1.7
        process = engine._process
        for audio, words in (
            (noise(31), "30 seconds"),
            (noise(0.1), "30 seconds"),
            (base64.b64encode(b"\0\0\0\x20ftypM4A "), "can't be read"),
            (base64.b64encode(b""), "can't be read"),
        ):
            with pytest.raises(BadArguments, match=words):
                await engine.find(Recording(audio=audio, text_refs=("hello",)))
        assert engine._process is process, "one process heard them all"
        # It is killed, as a file that breaks the decoder would do: the next recording gets a new one.
        assert process is not None
        process.kill()
        await process.wait()
        found = await engine.find(Recording(audio=noise(1.5, rate=44_100), text_refs=("hello",)))
        assert found.result.words
    finally:
        await engine.stop()
    assert engine._process is None


@pytest.mark.skipif(not SPEECH.is_dir(), reason="the recordings of ../shared/data/speech are not there")
async def test_words_that_were_read_score_higher_than_words_that_were_not() -> None:
    engine = Sphinx()
    try:
        for path in sorted(SPEECH.glob("*.wav")):
            text = path.with_suffix(".txt").read_text(encoding="utf-8").strip()
            audio = base64.b64encode(path.read_bytes())
            other = "the quick brown fox jumps over the lazy dog"
            found = await engine.find(Recording(audio=audio, text_refs=(other, text)))
            assert found.result.text_ref == 1
            swapped = " ".join(["zebra", *text.split()[1:]])
            wrong = await engine.find(Recording(audio=audio, text_refs=(swapped,)))
            assert wrong.result.words[0].score < found.result.words[0].score
    finally:
        await engine.stop()
