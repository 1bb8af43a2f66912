"""Files that people sent on a platform, at addresses of ours: fetched through their channel, harmless to open.

Who has a file's address may have the file. Knows no platform; stores nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from urllib.parse import quote

import structlog
from aiohttp import web

from bot.channel import Channel, Download, Files
from bot.errors import Rejected, SendError
from bot.filelinks import verify
from bot.web.errors import problem
from bot.web.fetching import LARGEST
from bot.web.sniffing import HEAD, harmless, safe_name, sniff

log = structlog.get_logger()

Channels = Callable[[], Mapping[tuple[str, str], Channel]]
"""The channels that are there now, by name and account."""


class FileRoutes:
    """GET /files/CHANNEL/ACCOUNT/MAC/REF, for addresses that were signed with `secret`."""

    def __init__(self, channels: Channels, secret: Callable[[], bytes], *, largest: int = LARGEST) -> None:
        self._channels, self._secret, self._largest = channels, secret, largest

    def routes(self) -> Sequence[web.RouteDef]:
        """The one route."""
        return [web.get("/files/{channel}/{account}/{mac}/{ref}", self._get)]

    async def _get(self, request: web.Request) -> web.StreamResponse:
        channel, account, mac, ref = (request.match_info[part] for part in ("channel", "account", "mac", "ref"))
        name, secret = request.query.get("name", ""), self._secret()
        there = self._channels().get((channel, account))
        # One answer to all that is wrong, so that nobody learns by asking which channels there are.
        if not secret or not verify(secret, mac, channel, account, ref, name) or not isinstance(there, Files):
            return problem(404, "There is no such file.")
        answer: web.StreamResponse | None = None
        try:
            async with there.open_file(ref) as download:
                answer, head = await self._begin(request, download, name)
                await self._send(answer, download, head)
        except SendError as error:
            log.warning("file_not_had", channel=channel, account=account, why=type(error).__name__)
            if answer is not None and answer.prepared:
                # Half of it is out. To end it well would make half a file look like a whole one.
                _cut_off(request)
                return answer
            if isinstance(error, Rejected):
                return problem(410, "The file is gone, or too large.")
            return problem(502, "The file can't be had right now; please try again.")
        return answer

    async def _begin(self, request: web.Request, download: Download, name: str) -> tuple[web.StreamResponse, bytes]:
        """Read enough to know what it is; the answer's head is sent with the first bytes only."""
        if download.size > self._largest:
            raise Rejected("too large")
        head = b""
        async for chunk in download.chunks:
            head += chunk
            if len(head) >= HEAD:
                break
        if len(head) > self._largest:
            raise Rejected("too large")
        kind = sniff(head[:HEAD])
        response = web.StreamResponse(headers=_headers(kind, name or download.name))
        await response.prepare(request)
        return response, head

    async def _send(self, response: web.StreamResponse, download: Download, head: bytes) -> None:
        count = len(head)
        await response.write(head)
        async for chunk in download.chunks:
            count += len(chunk)
            if count > self._largest:
                raise Rejected("too large")
            await response.write(chunk)
        await response.write_eof()


def _headers(kind: str, name: str) -> dict[str, str]:
    shown = "inline" if harmless(kind) else "attachment"
    if kind in ("", "text/html"):
        kind = "application/octet-stream"
    return {
        "Content-Type": "text/plain; charset=utf-8" if kind == "text/plain" else kind,
        "Content-Disposition": f"{shown}; filename*=UTF-8''{quote(safe_name(name), safe='')}",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "private, no-store",
    }


def _cut_off(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.abort()
