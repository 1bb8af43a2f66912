"""Reads a call of a tool out of an HTTP request: JSON, or a form with files. Knows no tool but its file arguments."""

from __future__ import annotations

import base64
from typing import Annotated, Any, Literal

import msgspec
from aiohttp import BodyPartReader, web
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bot.errors import BadArguments
from bot.ports.engine import Url
from bot.ports.tools import Wish
from bot.tools.tool import problems_of

MOST_PARTS = 10
LONGEST_FIELD = 512 * 1024
FIELDS = ("tool_name", "engine", "mode", "webhook_url")


class Call(BaseModel):
    """What is posted: which tool, what it gets, who should answer, and when the answer is wanted."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    tool_name: Annotated[str, Field(min_length=1, max_length=80)]
    arguments: dict[str, Any] = {}
    engine: Wish = "auto"
    mode: Literal["sync", "async"] = "sync"
    webhook_url: Url | None = None


async def read_call(request: web.Request, limit: int) -> Call:
    """The call. Raises BadArguments, HTTPRequestEntityTooLarge or HTTPUnsupportedMediaType."""
    size = request.content_length
    if size is not None and size > limit:
        raise too_large(limit)
    match request.content_type:
        case "application/json":
            given = _json(await _body(request, limit), "The body")
        case "multipart/form-data":
            given = await _form(request, limit)
        case _:
            raise web.HTTPUnsupportedMediaType(text="Send application/json, or multipart/form-data with files.")
    try:
        call = Call.model_validate(given)
    except ValidationError as error:
        raise BadArguments(problems_of(error)) from None
    if call.webhook_url and call.mode == "sync":
        raise BadArguments(["`webhook_url`: only a call with `mode`: async can have one"])
    return call


def too_large(limit: int) -> web.HTTPRequestEntityTooLarge:
    """The refusal of what is too large."""
    return web.HTTPRequestEntityTooLarge(limit, limit, text=f"At most {limit} bytes can be sent.")


async def _body(request: web.Request, limit: int) -> bytes:
    body = bytearray()
    async for chunk in request.content.iter_chunked(64 * 1024):
        body += chunk
        if len(body) > limit:
            raise too_large(limit)
    return bytes(body)


def _json(body: bytes | str, what: str) -> dict[str, Any]:
    try:
        given = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        raise BadArguments([f"{what} is no JSON that can be read."]) from None
    if not isinstance(given, dict):
        raise BadArguments([f"{what} has to be a JSON object."])
    return given


async def _form(request: web.Request, limit: int) -> dict[str, Any]:
    """A form: the call's own fields and `arguments` as text; every other part is a file, named for its argument."""
    try:
        parts = await request.multipart()
    except (ValueError, AssertionError):
        raise BadArguments(["The form can't be read."]) from None
    given: dict[str, Any] = {}
    files: dict[str, str] = {}
    left = limit
    for _ in range(MOST_PARTS + 1):
        part = await _next(parts)
        if part is None:
            break
        name = part.name or ""
        if name in given or name in files:
            raise BadArguments(["The form has two parts of one name."])
        content = await _part(part, min(left, LONGEST_FIELD if name in (*FIELDS, "arguments") else left), limit)
        left -= len(content)
        if name in FIELDS:
            given[name] = content.decode("utf-8", "replace")
        elif name == "arguments":
            given[name] = _json(content, "`arguments`")
        else:
            files[name] = base64.b64encode(content).decode()
    else:
        raise BadArguments([f"The form has more than {MOST_PARTS} parts."])
    given["arguments"] = {**given.get("arguments", {}), **files}
    return given


async def _next(parts: Any) -> BodyPartReader | None:
    try:
        part = await parts.next()
    except (ValueError, RuntimeError, EOFError):
        raise BadArguments(["The form can't be read."]) from None
    if part is not None and not isinstance(part, BodyPartReader):
        raise BadArguments(["The form has a form within it."])
    return part


async def _part(part: BodyPartReader, most: int, limit: int) -> bytes:
    content = bytearray()
    while chunk := await part.read_chunk(64 * 1024):
        content += chunk
        if len(content) > most:
            raise too_large(limit)
    return bytes(content)
