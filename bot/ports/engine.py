"""What all engines behind tools have in common: typed arguments go in, a finding comes out that says how sure it is.

Knows no tool. Arguments and results are pydantic models, because strangers and language models write the former.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Annotated, Generic, TypeVar

from pydantic import AfterValidator, Base64Bytes, BaseModel, ConfigDict, Field, StringConstraints

A = TypeVar("A", bound=BaseModel)
R = TypeVar("R", bound=BaseModel)

LONGEST_TEXT = 20_000
"""Characters of one text."""


class Asked(BaseModel):
    """Arguments of a tool: no fields beyond those named."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Found(BaseModel):
    """What a tool found out."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


def said(text: str) -> str:
    """A text with something in it; ValueError for any other."""
    if not text.strip():
        raise ValueError("there is nothing in it")
    return text


SOMETHING = Field(json_schema_extra={"pattern": r"\S"})
"""In a schema: there is something in the text."""

Prose = Annotated[str, StringConstraints(max_length=LONGEST_TEXT), AfterValidator(said), SOMETHING]
"""A text with something in it."""

Line = Annotated[str, StringConstraints(max_length=200, strip_whitespace=True), AfterValidator(said), SOMETHING]
"""A short text."""

LanguageTag = Annotated[str, Field(pattern=r"^[a-z]{2}$")]
"""A language by its two letters (ISO 639-1)."""

File = Annotated[Base64Bytes, Field(max_length=8 * 1024 * 1024)]
"""A file: base64 in JSON, or a part of a form."""

Url = Annotated[str, Field(max_length=2000, pattern=r"^https?://\S+$", json_schema_extra={"format": "uri"})]
"""An address from which a file is fetched."""

Sure = Annotated[float, Field(ge=0, le=1)]
"""How sure, from 0 to 1."""


class Outcome(BaseModel, Generic[R]):
    """What came of a call: a result, who says so, and how sure; None where nobody can tell.

    `reasoning` says how it came about in counts and rules, never in the words that were given: it is logged.
    """

    model_config = ConfigDict(frozen=True)

    result: R
    confidence: Sure | None
    by: str
    reasoning: tuple[str, ...] = ()


class Finding(Outcome[R], Generic[R]):
    """An engine's answer, which always says how sure it is. `by` names the engine with its version."""

    confidence: Sure


class Engine(ABC, Generic[A, R]):
    """What stands behind a tool: one method, so that any tool can be called by its name."""

    @abstractmethod
    async def find(self, asked: A) -> Finding[R]:
        """Find it out. Raises BadArguments, ToolMissing or ToolBusy; must not block the event loop."""
