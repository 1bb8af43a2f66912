"""Socket Mode: events over connections that we open. Slack's own client does the talking; when to renew is ours.

Each socket is one place in the whole bot: as many are open as the settings say, whatever the number of processes. An
envelope is acknowledged once what is in it is stored; without that, Slack delivers it again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress

import aiohttp
import structlog
from slack_sdk.errors import SlackClientError
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse
from slack_sdk.web.async_client import AsyncWebClient

from bot import StoreUnavailable
from channels.slack.calls import CALL_SECONDS, silent

Take = Callable[[object], Awaitable[Mapping[str, object] | None]]
"""Takes a payload and gives the answer to it. Raises StoreUnavailable."""

CONNECT_SECONDS = 15.0
LOOK_EVERY = 1.0
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0

log = structlog.get_logger(__name__)


class _Client(SocketModeClient):
    """Slack's client, but it does not close an old connection before it has a new one: it says that it wants one."""

    def __init__(self, token: str, client: AsyncWebClient) -> None:
        super().__init__(token, logger=silent(), web_client=client, auto_reconnect_enabled=False)
        self.wants_another = asyncio.Event()

    async def connect_to_new_endpoint(self, force: bool = False) -> None:
        """Slack is about to close this connection, or has closed it."""
        self.wants_another.set()


class Sockets:
    """The sockets of one account."""

    def __init__(self, url: str, token: str, take: Take, connected: Callable[[], Awaitable[None]]) -> None:
        self._url, self._token, self._take, self._connected = url, token, take, connected
        self._open = 0

    @property
    def present(self) -> bool:
        """Whether any is open here."""
        return self._open > 0

    async def hold(self) -> None:
        """Keep one socket open, until cancelled."""
        pause = FIRST_PAUSE
        client: _Client | None = None
        try:
            while True:
                try:
                    fresh = await self._connect()
                except (SlackClientError, aiohttp.ClientError, OSError, TimeoutError) as problem:
                    # The old one, if it is still there, goes on meanwhile.
                    log.warning("slack_socket_failed", why=type(problem).__name__, again_in=pause)
                    await asyncio.sleep(pause)
                    pause = min(pause * 2, LONGEST_PAUSE)
                    continue
                old, client, pause = client, fresh, FIRST_PAUSE
                self._open += 1
                if old is not None:
                    await self._close(old)
                await self._connected()
                await self._watch(client)
        finally:
            if client is not None:
                await asyncio.shield(self._close(client))

    async def _connect(self) -> _Client:
        web = AsyncWebClient(base_url=self._url, retry_handlers=[], logger=silent(), timeout=int(CALL_SECONDS))
        client = _Client(self._token, web)
        client.socket_mode_request_listeners.append(self._heard)
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                client.wss_uri = await client.issue_new_wss_url()
                await client.connect()  # type: ignore[no-untyped-call]  # the library's
        except BaseException:
            await client.close()  # type: ignore[no-untyped-call]  # the library's
            raise
        return client

    async def _watch(self, client: _Client) -> None:
        while await client.is_connected():
            with suppress(TimeoutError):
                await asyncio.wait_for(client.wants_another.wait(), LOOK_EVERY)
                return

    async def _close(self, client: _Client) -> None:
        self._open -= 1
        await client.close()  # type: ignore[no-untyped-call]  # the library's
        tasks = [client.message_processor, client.current_session_monitor, client.message_receiver]
        await asyncio.gather(*(task for task in tasks if task is not None), return_exceptions=True)

    async def _heard(self, client: AsyncBaseSocketModeClient, request: SocketModeRequest) -> None:
        try:
            answer = await self._take(request.payload)
        except StoreUnavailable:
            log.warning("slack_not_acknowledged", envelope=request.envelope_id)
            return
        response = SocketModeResponse(request.envelope_id, dict(answer) if answer else None)
        try:
            await client.send_socket_mode_response(response)
        except (ConnectionError, aiohttp.ClientError) as problem:
            # Stored, but Slack was not told: it delivers the same event again, and that is known by its id.
            log.info("slack_acknowledgement_lost", why=type(problem).__name__)
