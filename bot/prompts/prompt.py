"""A prompt as a value: what its file says. Renders nothing and reads no file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from bot.messages import Value
from bot.ports.llm import Kept, Need
from bot.ports.models import Params, Schema

PartName = Literal["role", "instructions", "examples", "history", "question"]

Kind = Literal["text", "number", "flag", "said", "sources"]
"""What a variable holds. `text`, `number` and `flag` are ours; `said` (one text) and `sources` (several, each with its
origin) are other people's, and always come fenced."""

QUESTION = "question"
"""The variable that holds what the person wants to know now: it is always kept."""


class Variable(Value, frozen=True):
    """Something that is filled in; without a default it must be given. `line` is where the file declares it."""

    name: str
    kind: Kind
    default: str | float | bool | None = None
    needed: bool = True
    line: int = 1


class BodyPart(Value, frozen=True):
    """A part of the body: its template, and the line of the file on which that begins."""

    name: PartName
    text: str
    line: int


class Example(Value, frozen=True):
    """What somebody could say, and how it should be answered."""

    said: str
    answer: str


class Hints(Value, frozen=True):
    """What the prompt wants of the model that answers it, as in `Ask`."""

    needs: tuple[Need, ...] = ()
    quality: float = 0.0
    deadline: float = 30.0
    cache: Kept = "never"
    params: Params = Params()


class Prompt(Value, frozen=True):
    """One version of a prompt. `name` is "answer/shop"; `share` is the percentage of people who get it.

    `share` is None in the file without a version in its name: who gets no other version gets this one. `variants` are
    the bodies in other languages, by their tags. `sections` are the budgets, in tokens.
    """

    name: str
    version: int
    changed: str
    file: str
    body: tuple[BodyPart, ...]
    variants: Mapping[str, tuple[BodyPart, ...]] = {}
    variables: tuple[Variable, ...] = ()
    sections: Mapping[str, int] = {}
    hints: Hints = Hints()
    schema: Schema | None = None
    reasoning: bool = False
    language: str = ""
    share: float | None = None
    examples: tuple[Example, ...] = ()
    most_examples: int = 3
    like: str = QUESTION

    @property
    def task(self) -> str:
        """The task that its models are chosen for."""
        return self.name.partition("/")[0]

    @property
    def id(self) -> str:
        """Its name with its version: "answer/shop@3"."""
        return f"{self.name}@{self.version}"

    def spoken(self, language: str) -> tuple[BodyPart, ...]:
        """The body in a language: the exact variant, one of the same language, or the prompt's own."""
        wanted = language.lower().replace("_", "-")
        return self.variants.get(wanted) or self.variants.get(wanted.partition("-")[0]) or self.body
