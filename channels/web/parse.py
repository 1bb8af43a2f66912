"""What a browser (or curl) sent, checked and turned into values. Pure: no requests, no files, no clock.

Everything in here comes from strangers, so every way of being wrong ends in a BadRequest with a plain sentence.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter, ValidationError

from bot import Command, FrontdeskError, Media, Pressed, Text

CONVERSATION = re.compile(r"[0-9a-f]{32}")
LARGEST = 2**53 - 1  # the largest whole number that every JSON reader keeps exact
MAX_WAIT = 30.0

_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_COMMAND = re.compile(r"/([A-Za-z][A-Za-z0-9_-]{0,31})(?:\s+(.*))?", re.DOTALL)
_NUMBER = re.compile(r"[0-9]{1,16}")
_SECONDS = re.compile(r"[0-9]{1,6}(?:\.[0-9]{1,6})?")


T = TypeVar("T")


class BadRequest(FrontdeskError):
    """What came in can't be used: the HTTP `status` that says so, and a sentence for whoever sent it."""

    def __init__(self, status: int, sentence: str) -> None:
        self.status, self.sentence = status, sentence
        super().__init__(sentence)


def clean(text: str) -> str:
    """The text without control characters (tab and line break stay) and without halves of broken characters."""
    whole = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return _CONTROLS.sub("", whole.replace("\r\n", "\n").replace("\r", "\n"))


def _cleaned(value: object) -> object:
    return clean(value) if isinstance(value, str) else value


Words = Annotated[str, BeforeValidator(_cleaned)]
Id = Annotated[str, BeforeValidator(_cleaned), Field(max_length=128)]


class _Frame(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True, extra="ignore")


class Said(_Frame):
    """Something said: words, a pressed choice, uploaded files, or words with files."""

    t: Literal["say", "press"] = "say"
    text: Words = ""
    client_id: Id | None = None
    conversation: Id | None = None
    press: Annotated[Words | None, Field(max_length=512)] = None
    token: Annotated[Words | None, Field(max_length=512)] = None
    label: Annotated[Words, Field(max_length=512)] = ""
    upload: Annotated[list[Id], Field(max_length=10)] = []


class Hello(_Frame):
    """The first frame of a socket: which conversation, and the last message that the page has."""

    t: Literal["hello"]
    conversation: Id | None = None
    client_id: Id | None = None
    after: Annotated[int, Field(ge=0, le=LARGEST)] = 0
    epoch: Id = ""


class IsTyping(_Frame):
    """The person started or stopped typing."""

    t: Literal["typing"]
    on: bool = True


class Ping(_Frame):
    """The page asks whether the line still works."""

    t: Literal["ping"]


class _SaidFrame(Said):
    t: Literal["say", "press"]


Frame = Said | Hello | IsTyping | Ping
_said: TypeAdapter[Said] = TypeAdapter(Said)
_frame: TypeAdapter[Frame] = TypeAdapter(
    Annotated[_SaidFrame | Hello | IsTyping | Ping, Field(discriminator="t")],
)


def read_said(raw: bytes) -> Said:
    """The body of a POST."""
    return _validate(_said, _json(raw))


def read_frame(raw: str | bytes) -> Frame:
    """One frame of a socket."""
    return _validate(_frame, _json(raw))


def _json(raw: str | bytes) -> object:
    try:
        value: object = json.loads(raw)
    except (ValueError, RecursionError):
        raise BadRequest(400, "The body is not JSON.") from None
    if not isinstance(value, dict):
        raise BadRequest(400, "The body must be a JSON object.")
    return value


def _validate(adapter: TypeAdapter[T], value: object) -> T:
    try:
        return adapter.validate_python(value)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"] if part not in ("say", "press", "hello", "typing"))
        raise BadRequest(400, f"{where or 'The body'}: {first['msg']}.") from None


def conversation_of(value: str | None) -> str | None:
    """A well-formed conversation id, or None when there is none."""
    if value is None or value == "":
        return None
    if not CONVERSATION.fullmatch(value):
        raise BadRequest(404, "There is no such conversation.")
    return value


def content_of(said: Said, media: tuple[Media, ...], max_text: int) -> Text | Pressed | Command:
    """The content of a message: a press, a command, or text with files."""
    token = said.press if said.press is not None else said.token
    if token is not None:
        if not token:
            raise BadRequest(400, "press: the token is empty.")
        return Pressed(token=token, label=said.label)
    if len(said.text) > max_text:
        raise BadRequest(413, f"The text is too long: at most {max_text} characters.")
    text = said.text.strip()
    if not text and not media:
        raise BadRequest(400, "There is nothing in the message: send text, press or upload.")
    if not media and (match := _COMMAND.fullmatch(text)):
        return Command(name=match[1].lower(), text=(match[2] or "").strip())
    return Text(text=text, media=media)


class Wanted(_Frame):
    """What a long-poll asks for."""

    conversation: str
    after: int
    wait: float


def wanted_of(query: Mapping[str, str]) -> Wanted:
    """The query of a GET, checked; a longer wait than MAX_WAIT is cut to it."""
    conversation = conversation_of(query.get("conversation"))
    if conversation is None:
        raise BadRequest(400, "Say which conversation: ?conversation=...")
    after, wait = query.get("after", "0"), query.get("wait", "0")
    if not _NUMBER.fullmatch(after) or int(after) > LARGEST:
        raise BadRequest(400, "after: must be a whole number from 0.")
    if not _SECONDS.fullmatch(wait):
        raise BadRequest(400, "wait: must be a number of seconds from 0 to 30.")
    return Wanted(conversation=conversation, after=int(after), wait=min(float(wait), MAX_WAIT))


def language_of(accept: str) -> str:
    """The language a browser likes best, from its Accept-Language header; empty if it says nothing usable."""
    first = accept.partition(",")[0].partition(";")[0].strip()
    return first if re.fullmatch(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,2}", first) else ""
