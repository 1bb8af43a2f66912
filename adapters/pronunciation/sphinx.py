"""Pronunciation by forced alignment with pocketsphinx (extra `pronunciation`): American English, offline."""

from __future__ import annotations

import asyncio
import math
import re
import sys
from importlib.util import find_spec
from pathlib import Path

import msgspec

from adapters.pronunciation.protocol import Heard, Phone, Spoken, Task
from bot import BadArguments, Lifecycle, ToolBusy, ToolMissing
from bot.ports import Finding, Pronunciation, PronunciationChecker, Recording, Sound, Word

EXTRA = "pronunciation"
ROOT = Path(__file__).resolve().parents[2]
SECONDS = 55.0
"""What a recording may take; the longest takes a fraction of it."""

MIDDLE, STEEP = -74.0, 0.07
"""The goodness of a word at which its score is 0.5, and how fast that changes: about one right word in ten is below,
and nine wrong ones in ten (docs/figures.md)."""

DOUBTFUL = 0.5
_WORD = re.compile(r"[a-z]+(?:['’][a-z]+)*['’]?|\d+", re.IGNORECASE)
_PROBLEMS = {
    "unreadable": "The recording can't be read. WAV, FLAC, Ogg (Vorbis, Opus), MP3 can; M4A, AMR and WebM can't.",
    "too_long": "The recording has to be between 0.2 and 30 seconds long.",
    "unaligned": "None of `text_refs` fits into the recording: it has less speech in it than the text has.",
}


class Sphinx(PronunciationChecker, Lifecycle):
    """Its decoder lives in a process of its own, which starts with the first recording."""

    def __init__(self) -> None:
        self._process: asyncio.subprocess.Process | None = None
        self._lock = asyncio.Lock()

    async def start(self) -> None:
        """Nothing is needed before the first recording."""

    async def stop(self) -> None:
        """End the process."""
        await self._end()

    async def find(self, asked: Recording) -> Finding[Pronunciation]:
        """How well each word was said."""
        if asked.audio is None:
            raise BadArguments(["This engine hears files; an address is fetched before it is asked."])
        if any(find_spec(name) is None for name in ("pocketsphinx", "soundfile", "numpy")):
            raise ToolMissing(f"This engine is not installed. Install it: pip install '.[{EXTRA}]'")
        texts = tuple(tuple(word.replace("’", "'").lower() for word in _WORD.findall(text)) for text in asked.text_refs)
        empty = [f"`text_refs.{place}` has no words." for place, words in enumerate(texts) if not words]
        if empty:
            raise BadArguments(empty, unreadable=True)
        async with self._lock:
            heard = await self._ask(Task(audio=asked.audio, texts=texts))
        _check(heard)
        words = tuple(map(_word, heard.words))
        score = sum(word.score for word in words) / len(words)
        doubtful = sum(word.doubtful for word in words)
        return Finding(
            result=Pronunciation(
                text_ref=heard.text, score=round(score, 3), seconds=round(heard.seconds, 2), words=words
            ),
            # Each word's score is how likely it is that it was this word; how sure we are is how far from a toss-up.
            confidence=round(sum(max(word.score, 1 - word.score) for word in words) / len(words), 3),
            by="pocketsphinx 5.1.1",
            reasoning=(f"{len(texts)} texts were aligned", f"{doubtful} of {len(words)} words are doubtful"),
        )

    async def _ask(self, task: Task) -> Heard:
        """Ask the process; once more when it has ended meanwhile."""
        for _ in range(2):
            try:
                async with asyncio.timeout(SECONDS):
                    return await self._exchange(task)
            except TimeoutError:
                await self._end()
                raise ToolBusy("The recording took too long to align.") from None
            except (OSError, asyncio.IncompleteReadError):
                await self._end()
            except BaseException:
                # Its answer would be taken for the next one's.
                await self._end()
                raise
        raise BadArguments(["The recording can't be read."], unreadable=True)

    async def _exchange(self, task: Task) -> Heard:
        process = self._process
        if process is None or process.returncode is not None:
            process = self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "adapters.pronunciation.worker",
                cwd=ROOT,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
            )
        assert process.stdin is not None and process.stdout is not None  # noqa: S101 - both are pipes
        body = msgspec.msgpack.encode(task)
        process.stdin.write(len(body).to_bytes(4) + body)
        await process.stdin.drain()
        head = await process.stdout.readexactly(4)
        return msgspec.msgpack.decode(await process.stdout.readexactly(int.from_bytes(head)), type=Heard)

    async def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None and process.returncode is None:
            process.kill()
            await process.wait()


def _check(heard: Heard) -> None:
    if heard.problem == "missing":
        raise ToolMissing(f"The model is not the one that was measured. Install it anew: pip install '.[{EXTRA}]'")
    if heard.problem:
        raise BadArguments([_PROBLEMS[heard.problem]], unreadable=True)
    if heard.unknown:
        raise BadArguments(
            [
                f"word {number + 1} of `text_refs.{text}` is in no dictionary; write figures in words"
                for text, number in heard.unknown[:20]
            ],
            unreadable=True,
        )


def _word(spoken: Spoken) -> Word:
    first, last = spoken.phones[0], spoken.phones[-1]
    goodness = sum(phone.goodness for phone in spoken.phones) / len(spoken.phones)
    score = _score(goodness)
    return Word(
        word=spoken.word,
        start=first.start / 100,
        seconds=(last.start + last.frames - first.start) / 100,
        score=score,
        doubtful=score < DOUBTFUL,
        sounds=tuple(map(_sound, spoken.phones)),
    )


def _sound(phone: Phone) -> Sound:
    return Sound(phone=phone.name, start=phone.start / 100, seconds=phone.frames / 100, score=_score(phone.goodness))


def _score(goodness: float) -> float:
    """Goodness as a likelihood."""
    return round(1 / (1 + math.exp(-STEEP * max(-200.0, min(200.0, goodness - MIDDLE)))), 3)
