"""The door that Telegram delivers at: shows who they are, is stored, is answered. Knows nothing of updates."""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable, Sequence

import structlog
from aiohttp import web
from aiohttp.client_exceptions import ClientPayloadError
from aiohttp.http_exceptions import HttpProcessingError

from bot import StoreUnavailable

HEADER = "X-Telegram-Bot-Api-Secret-Token"
LARGEST_UPDATE = 1024 * 1024
"""Bytes; Telegram's own are a few thousand."""

_CHUNK = 64 * 1024

log = structlog.get_logger(__name__)

Take = Callable[[bytes, bool], Awaitable[None]]
"""Stores an update; the second says whether it is all there. Raises StoreUnavailable."""


class Webhook:
    """The door of one bot. Whatever it is signed with is looked at before a byte of the body is."""

    def __init__(self, account: str, secret: str, take: Take) -> None:
        self._account, self._secret, self._take = account, secret.encode(), take

    async def handle(self, request: web.Request) -> web.Response:
        """Answer 200 once it is stored; Telegram would hold back the chat's next messages until we do."""
        if not self._genuine(request.headers.getall(HEADER, [])):
            log.info("telegram_stranger", account=self._account)
            return web.Response(status=401)
        try:
            body, whole = await _body(request)
        except (HttpProcessingError, ClientPayloadError, web.RequestPayloadError, ValueError) as error:
            # Broken in transit: it comes again.
            log.info("telegram_request_broken", reason=type(error).__name__)
            return web.Response(status=400)
        try:
            await self._take(body, whole)
        except StoreUnavailable:
            return web.Response(status=503, headers={"Retry-After": "1"})
        return web.Response()

    def _genuine(self, shown: Sequence[str]) -> bool:
        """Whether it is Telegram: it shows the secret that it was told, once."""
        given = shown[0].encode("utf-8", "surrogateescape") if len(shown) == 1 else b""
        return hmac.compare_digest(given, self._secret)


async def _body(request: web.Request) -> tuple[bytes, bool]:
    """The raw bytes, and whether these are all of them."""
    body = bytearray()
    async for chunk in request.content.iter_chunked(_CHUNK):
        body += chunk
        if len(body) > LARGEST_UPDATE:
            return bytes(body), False
    return bytes(body), True
