"""Answers that models gave to the cases of a prompt, kept in a file beside it, so that tests replay without a network.

An answer belongs to the very text that was asked, by its digest: another text needs another answer. Those of the last
version stay in the file, for comparing.
"""

from __future__ import annotations

from hashlib import blake2b
from pathlib import Path

import msgspec

from bot.errors import PromptError
from bot.messages import Value
from bot.ports.llm import Ask
from bot.prompts.library import Versions
from bot.services import short


class Recorded(Value, frozen=True):
    """An answer to a text: `asked` is its digest, `model` who gave it."""

    asked: str
    answer: str
    model: str = ""


class Recordings(msgspec.Struct, forbid_unknown_fields=True):
    """A file: answers by case and version, and what the judge said, by the digest of what it was asked."""

    answers: dict[str, dict[str, Recorded]] = {}
    verdicts: dict[str, Recorded] = {}

    def answer(self, case: str, version: int) -> Recorded | None:
        """The answer to a case in a version."""
        return self.answers.get(case, {}).get(str(version))

    def keep(self, case: str, version: int, recorded: Recorded) -> None:
        """Put an answer in."""
        self.answers.setdefault(case, {})[str(version)] = recorded

    def before(self, version: int) -> int:
        """The newest earlier version with answers; 0 when there is none."""
        known = {int(one) for answers in self.answers.values() for one in answers}
        return max((one for one in known if one < version), default=0)

    def prune(self, cases: set[str], versions: set[int], judged: set[str]) -> None:
        """Drop what no test asks for any more."""
        self.answers = {
            case: {version: one for version, one in sorted(answers.items()) if int(version) in versions}
            for case, answers in sorted(self.answers.items())
            if case in cases
        }
        self.verdicts = {asked: one for asked, one in sorted(self.verdicts.items()) if asked in judged}


def path_of(versions: Versions) -> Path:
    """The file beside a prompt."""
    return Path(versions.folder) / f"{versions.name.partition('/')[2]}.recorded.json"


def read_recordings(path: Path) -> Recordings:
    """The file; an empty one where there is none. Raises PromptError."""
    if not path.is_file():
        return Recordings()
    try:
        return msgspec.json.decode(path.read_bytes(), type=Recordings)
    except msgspec.DecodeError as error:
        raise PromptError(
            [f"{short(str(path))}: {error}; record it anew: python run.py test-prompts --live"]
        ) from error


def write_recordings(path: Path, recordings: Recordings) -> None:
    """Write the file, in the same order whatever was recorded first."""
    path.write_bytes(msgspec.json.format(msgspec.json.encode(recordings, order="sorted"), indent=1) + b"\n")


def digest(ask: Ask) -> str:
    """What a model is asked, in 16 hex digits: its lines, tools and shape, and not who asks or how it is chosen."""
    asked = msgspec.json.encode((ask.lines, ask.tools, ask.schema, ask.params), order="sorted")
    return blake2b(asked, digest_size=8).hexdigest()
