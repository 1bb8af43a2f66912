"""The HTTP side of Twilio's webhooks: who asks is proven before anything is done. Never answers 5xx but 503."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence

import structlog
from aiohttp import web
from aiohttp.client_exceptions import ClientPayloadError
from aiohttp.http_exceptions import HttpProcessingError

from bot import StoreUnavailable
from channels.sms.intake import Intake
from channels.sms.settings import Line
from channels.sms.signature import is_signed, read_form

log = structlog.get_logger(__name__)

LARGEST = 128 * 1024
"""Bytes of a webhook's body: 1,600 characters of 12 bytes each, and room for what comes along."""

NOTHING = '<?xml version="1.0" encoding="UTF-8"?><Response/>'
"""Says nothing to the person: answers go out through the outbox."""

_DELIVERY = re.compile(r"[\w.:/@+-]{1,200}", re.ASCII)
_CHUNK = 16 * 1024

Serve = Callable[[Intake, bytes, web.Request], Awaitable[web.Response]]


class Webhooks:
    """The addresses of one account. `intake` gives what is running, or None."""

    def __init__(self, line: Line, intake: Callable[[], Intake | None]) -> None:
        self._line, self._intake = line, intake

    def routes(self) -> Sequence[web.RouteDef]:
        """Where messages and statuses come in."""
        path = self._line.path
        return [
            web.post(path, self._proven(path, _message)),
            web.post(f"{path}/status", self._proven(f"{path}/status", _status)),
        ]

    def _proven(self, path: str, serve: Serve) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def served(request: web.Request) -> web.StreamResponse:
            body = await _body(request)
            if body is None:
                return web.Response(status=413, text="Too long.")
            if not self._is_twilio(request, path, body):
                log.info("sms_stranger", account=self._line.account)  # or a wrong token or PUBLIC_URL
                return web.Response(status=401, text="The signature is wrong.")
            intake = self._intake()
            if intake is None:
                return _later()
            try:
                return await serve(intake, body, request)
            except StoreUnavailable as problem:
                log.error("sms_not_stored", account=self._line.account, why=str(problem))
                return _later()

        return served

    def _is_twilio(self, request: web.Request, path: str, body: bytes) -> bool:
        """The query is as it came, since Twilio signed it so; host and path are as the operator configured them."""
        query = request.raw_path.partition("?")[2]
        url = self._line.public_url + path + (f"?{query}" if query else "")
        form = read_form(body)
        if form is None or not url.isascii():
            return False
        given = request.headers.getall("X-Twilio-Signature", [])
        return is_signed(url, form, given, self._line.auth_token.get_secret_value())


async def _message(intake: Intake, body: bytes, request: web.Request) -> web.Response:
    await intake.message(body)
    return web.Response(text=NOTHING, content_type="text/xml", charset="utf-8")


async def _status(intake: Intake, body: bytes, request: web.Request) -> web.Response:
    delivery = request.query.get("oid", "")
    await intake.status(body, delivery if _DELIVERY.fullmatch(delivery) else "")
    return web.Response(status=200)


def _later() -> web.Response:
    """Twilio then asks the fallback address, or tells its log."""
    return web.Response(status=503, text="Please deliver it again.", headers={"Retry-After": "1"})


async def _body(request: web.Request) -> bytes | None:
    """The whole body; None if it is too long. What can't be unpacked is an empty one, and so not signed."""
    if (request.content_length or 0) > LARGEST:
        return None
    body = bytearray()
    try:
        async for chunk in request.content.iter_chunked(_CHUNK):
            body += chunk
            if len(body) > LARGEST:
                return None
    except (HttpProcessingError, ClientPayloadError, web.RequestPayloadError, ValueError) as error:
        log.info("unreadable_request", reason=type(error).__name__)
        return b""
    return bytes(body)
