"""Requests that say they are Slack's: checked on the raw bytes, read, and given on. Knows nothing of what is in them.

Slack's own libraries raise on strange headers, which would answer a stranger with a 500.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from urllib.parse import parse_qs

import msgspec
import structlog
from aiohttp import hdrs, web
from aiohttp.client_exceptions import ClientPayloadError
from aiohttp.http_exceptions import HttpProcessingError

from bot import Clock, StoreUnavailable

LARGEST = 1024 * 1024
"""Bytes of a request; Slack's own are far smaller."""

WINDOW = 300
"""Seconds that a request may be old, or ahead of our clock [Slack's documentation]."""

_CHUNK = 64 * 1024
_MOST_FIELDS = 100

Take = Callable[[str], Awaitable[Mapping[str, object] | None]]
"""Takes the text of a request and gives the answer to it. Raises StoreUnavailable."""

log = structlog.get_logger(__name__)


class Webhook:
    """The door: strangers get 401, and leave no trace."""

    def __init__(self, secret: str, clock: Clock, take: Take) -> None:
        self._secret, self._clock, self._take = secret, clock, take

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer a request; nothing in it makes this fail."""
        try:
            body = await _body(request)
        except (HttpProcessingError, ClientPayloadError, web.RequestPayloadError, ValueError):
            return _answer(400, {"error": "The request could not be read."})
        if body is None:
            return _answer(413, {"error": "The request is too large."})
        stamps = request.headers.getall("X-Slack-Request-Timestamp", [])
        signatures = request.headers.getall("X-Slack-Signature", [])
        # What was packed on its way is not what was signed.
        packed = hdrs.CONTENT_ENCODING in request.headers
        if packed or not signed(self._secret, stamps, signatures, body, self._clock.now()):
            log.info("slack_stranger", path=request.path)  # or a wrong signing secret
            return _answer(401, {"error": "The signature is not right."})
        try:
            answer = await self._take(body.decode("utf-8", "backslashreplace"))
        except StoreUnavailable:
            response = _answer(503, {"error": "It could not be stored; please send it again."})
            response.headers["Retry-After"] = "1"
            return response
        return web.Response() if answer is None else _answer(200, answer)


def decode(text: str) -> object:
    """The payload of a request: JSON, or a form with JSON in it, or a form. Raises ValueError."""
    start = text.lstrip()[:1]
    if start in ("{", "["):
        return _json(text)
    form = parse_qs(text, keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    if "payload" in form:
        return _json(form["payload"][0])
    if "ssl_check" in form:
        return {"type": "ssl_check"}
    if "command" in form:
        return {key: values[0] for key, values in form.items()}
    raise ValueError("neither JSON nor a form of Slack's")


def _json(text: str) -> object:
    try:
        payload: object = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return _loaded(text)
    return payload


def _loaded(text: str) -> object:
    """The same, slower, with what the other one does not take: half characters, and what is no JSON in truth."""
    try:
        payload: object = json.loads(text)
    except RecursionError:
        raise ValueError("nested too deep") from None
    except ValueError as problem:
        raise ValueError(f"broken JSON: {type(problem).__name__}") from None
    return payload


async def _body(request: web.Request) -> bytes | None:
    if (request.content_length or 0) > LARGEST:
        return None
    body = bytearray()
    async for chunk in request.content.iter_chunked(_CHUNK):
        body += chunk
        if len(body) > LARGEST:
            return None
    return bytes(body)


def _answer(status: int, body: Mapping[str, object]) -> web.Response:
    return web.json_response(body, status=status)


def signed(secret: str, stamps: Sequence[str], signatures: Sequence[str], body: bytes, now: float) -> bool:
    """Whether the one time stamp and the one signature of a request fit its body. Never raises."""
    if len(stamps) != 1 or len(signatures) != 1 or not secret:
        return False
    (stamp,), (signature,) = stamps, signatures
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= 12 and signature.isascii()):
        return False
    if abs(now - int(stamp)) > WINDOW:
        return False
    return hmac.compare_digest(sign(secret, stamp, body).encode(), signature.encode())


def sign(secret: str, stamp: str, body: bytes) -> str:
    """What Slack writes into X-Slack-Signature."""
    return "v0=" + hmac.new(secret.encode(), f"v0:{stamp}:".encode() + body, hashlib.sha256).hexdigest()
