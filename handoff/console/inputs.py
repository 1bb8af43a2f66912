"""What a browser may send, checked. Knows no database and no conversations."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

# Everything below space except tab and newline, and the delete character: none of it can be seen or typed.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_UNREADABLE_NAME = re.compile(r"[\x00-\x1f\x7f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def clean(text: str) -> str:
    """Text without control characters, with plain line ends and nothing around it."""
    return _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n")).strip()


def whole(text: str) -> str:
    """Text in whole characters: half of one can be kept by no database and shown on no page."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def clean_name(name: str) -> str:
    """A name on one line, with single spaces and no characters that would turn the text around it."""
    return " ".join(_UNREADABLE_NAME.sub(" ", name).split())


def _said(text: str) -> str:
    cleaned = clean(text)
    if not cleaned:
        raise ValueError("There is nothing in it yet.")
    return cleaned


ClientId = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{8,64}$")]
# Longer texts are refused by the settings' own limit; this one only bounds the work of checking.
Said = Annotated[str, Field(max_length=100_000), AfterValidator(_said)]


class Input(BaseModel):
    """A JSON body: no fields beyond those named, no guessing of types."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Take(Input):
    """Take a case; `instead_of` is the agent that it is taken over from, empty for one that waits."""

    instead_of: str = Field(default="", max_length=40)


class Answer(Input):
    """Words for the customer. `seen` is the last line that the agent saw; `anyway` sends even if there is more."""

    text: Said
    client_id: ClientId
    seen: int = Field(ge=0, lt=2**31)
    anyway: bool = False


class Note(Input):
    """Words for the team only."""

    text: Said
    client_id: ClientId


class GiveBack(Input):
    """Give the conversation back to the bot; the note tells the team and the bot what was done."""

    note: Annotated[str, Field(max_length=100_000), AfterValidator(clean)] = ""
    reason: Literal["solved", "returned"] = "solved"


class Typing(Input):
    """The agent is typing, or has stopped."""

    on: bool = True
