"""Aligns a recording with a text (extra `pronunciation`): which sound was said when, and how well. Blocks.

The goodness of a sound is its score for each frame next to the best that any sound would have had there.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pocketsphinx
import soundfile

from adapters.pronunciation.protocol import Heard, Phone, Spoken, Task

RATE = 16_000
FRAMES = 100
"""Frames of a second."""

LONGEST = 30.0
SHORTEST = 0.2
FILES = {
    "cmudict-en-us.dict": "20b5c293e1f311fb375fe067e500ec5636f4fc7af5594967263696def9b23bfe",
    "en-us/mdef": "2360f9a86889c1cfee8bd618a0269387911e5fb2920a594f506b18b8c79683b0",
    "en-us/means": "832019e32cac12eb318964f96f469034acb12d0348eeddc3831831a100cb4dd4",
    "en-us/sendump": "8c9564c0d5bef69ca9d9bf1014abe162f071644cf02cf1fa8a483c3dc165a7a8",
    "en-us/transition_matrices": "c1f7f28ea43177be734be1f88bd7f1b9a853d0e660f8599c67c6eaeca8bb539a",
    "en-us/variances": "b00d696f85e96834fc10f8e5f06428d8c4db6bffdbe5845b6f69bf6efbc48fa5",
}


class Aligner:
    """One decoder. Raises ImportError where the model is not the one that was measured."""

    def __init__(self) -> None:
        folder = Path(pocketsphinx.get_model_path("en-us"))
        for name, sha256 in FILES.items():
            if hashlib.sha256((folder / name).read_bytes()).hexdigest() != sha256:
                raise ImportError(f"{name} is not the file that was measured")
        # With its usual narrow beams it fails on a quarter of the recordings of learners. Scores of all senones make
        # those of different texts comparable: each frame's best is 0.
        self._decoder = pocketsphinx.Decoder(
            lm=None, bestpath=False, beam=1e-80, pbeam=1e-80, wbeam=1e-60, compallsen=True, loglevel="FATAL"
        )

    def hear(self, task: Task) -> Heard:
        """The text that fits best, with its words."""
        unknown = tuple(
            (place, number)
            for place, words in enumerate(task.texts)
            for number, word in enumerate(words)
            if self._decoder.lookup_word(word) is None
        )
        if unknown:
            return Heard(unknown=unknown)
        try:
            samples = _decoded(task.audio)
        except (soundfile.LibsndfileError, ValueError, RuntimeError, TypeError):
            return Heard(problem="unreadable")
        seconds = len(samples) / RATE
        if not SHORTEST <= seconds <= LONGEST:
            return Heard(problem="too_long", seconds=seconds)
        raw = samples.tobytes()
        found = [(place, self._align(raw, words)) for place, words in enumerate(task.texts)]
        aligned = [(place, words) for place, words in found if words]
        if not aligned:
            return Heard(problem="unaligned", seconds=seconds)
        place, words = max(aligned, key=lambda each: _mean(each[1]))
        return Heard(text=place, seconds=seconds, words=words)

    def _align(self, raw: bytes, words: tuple[str, ...]) -> tuple[Spoken, ...]:
        """Once for the words, which settles how each was pronounced and where pauses are, and once for the sounds."""
        decoder = self._decoder
        try:
            decoder.set_align_text(" ".join(words))
            self._run(raw)
            decoder.set_alignment()
            self._run(raw)
            alignment = decoder.get_alignment()
            # Its entries point into it and don't keep it: to look at one after the iteration is a crash.
            found = [(entry.name, _phones(entry)) for entry in alignment]
        except (RuntimeError, TypeError):  # the recording has less in it than the text
            return ()
        spoken = [phones for name, phones in found if not name.startswith(("<", "["))]
        if len(spoken) != len(words) or not all(spoken):
            return ()
        return tuple(Spoken(word=word, phones=phones) for word, phones in zip(words, spoken, strict=True))

    def _run(self, raw: bytes) -> None:
        self._decoder.start_utt()
        try:
            self._decoder.process_raw(raw, full_utt=True)
        finally:
            self._decoder.end_utt()


def _phones(entry: Iterable[Any]) -> tuple[Phone, ...]:
    return tuple(
        Phone(phone.name, phone.start, phone.duration, phone.score / max(phone.duration, 1)) for phone in entry
    )


def _mean(words: tuple[Spoken, ...]) -> float:
    phones = [phone for word in words for phone in word.phones]
    return sum(phone.goodness * phone.frames for phone in phones) / sum(phone.frames for phone in phones)


def _decoded(audio: bytes) -> np.ndarray[tuple[int], np.dtype[np.int16]]:
    """One channel of 16-bit samples at RATE. Of what is too long, only as much is unpacked as shows that it is."""
    with soundfile.SoundFile(io.BytesIO(audio)) as file:
        rate = file.samplerate
        if not 8_000 <= rate <= 192_000 or file.channels > 8:
            raise ValueError("no recording of speech")
        samples = file.read(int(rate * (LONGEST + 1)), dtype="float32", always_2d=True).mean(axis=1)
    if rate != RATE and len(samples):
        # Through the spectrum: what is above the new rate's half is left out, so nothing is folded back.
        wanted = round(len(samples) * RATE / rate)
        samples = np.fft.irfft(np.fft.rfft(samples)[: wanted // 2 + 1], wanted) * (wanted / len(samples))
    whole: np.ndarray[tuple[int], np.dtype[np.int16]] = (np.clip(samples, -1, 1) * 32767).astype(np.int16)
    return whole
