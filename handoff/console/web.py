"""What every page and answer of the console shares: headers, the origin check, bodies, refusals. Knows no tickets."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

import msgspec
from aiohttp import web
from pydantic import BaseModel, ValidationError

from handoff.console.settings import ConsoleSettings

M = TypeVar("M", bound=BaseModel)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

COOKIE = "frontdesk_console"
LARGEST_BODY = 512 * 1024
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    # "no-referrer" would make browsers send "Origin: null" with our own form.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


class Refusal(Exception):
    """A request that is answered with a 4xx or 503; `more` is what the page needs to go on."""

    def __init__(self, status: int, error: str, message: str, more: dict[str, object] | None = None) -> None:
        super().__init__(message)
        self.status, self.body = status, {"error": error, "message": message} | (more or {})


def answer(value: object, status: int = 200) -> web.Response:
    """A value as JSON."""
    return secured(web.Response(body=msgspec.json.encode(value), status=status, content_type="application/json"))


def secured(response: web.Response, cache: str = "no-store") -> web.Response:
    """The response with the headers that every answer of the console has."""
    response.headers.update(HEADERS)
    response.headers["Cache-Control"] = cache
    return response


def same_origin(request: web.Request, settings: ConsoleSettings) -> bool:
    """Whether a browser says that the request comes from our own page. A request that says nothing does not count."""
    origin = request.headers.get("Origin", "").lower()
    return bool(origin) and origin in {f"{request.scheme}://{request.host}".lower(), settings.origin}


async def read_body(request: web.Request, limit: int = LARGEST_BODY) -> bytes:
    """The body, if it is not too long."""
    body = bytearray()
    try:
        async for chunk in request.content.iter_chunked(64 * 1024):
            body += chunk
            if len(body) > limit:
                raise Refusal(413, "too_long", "That is too much at once.")
    except web.RequestPayloadError as problem:
        raise Refusal(400, "unreadable", "The request is cut off or packed in a way that can't be read.") from problem
    return bytes(body)


async def read_json(request: web.Request, model: type[M]) -> M:
    """The body as a checked value. Only JSON counts: a form of another site can't send that."""
    if request.content_type != "application/json":
        raise Refusal(415, "not_json", "Send JSON, with Content-Type: application/json.")
    try:
        return model.model_validate_json(await read_body(request))
    except ValidationError as problems:
        first = problems.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        text = f"{where}: {first['msg']}" if where else first["msg"]
        raise Refusal(422, "invalid", text) from problems
