"""The Slack channel: one app, in one workspace or in many. Knows no skills and no store."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import structlog
from aiohttp import web

from bot import (
    Address,
    Capabilities,
    Channel,
    Clock,
    Deletes,
    Delivery,
    Download,
    Drafts,
    Edits,
    Files,
    Gateway,
    NotSent,
    Pace,
    Receipt,
    Rejected,
    Rereads,
    SendError,
    StoreUnavailable,
    Types,
)
from channels.slack.attaching import Attaching
from channels.slack.calls import Calls
from channels.slack.catchup import CatchUp
from channels.slack.courtesies import Background, Courtesies
from channels.slack.drafts import Growing
from channels.slack.files import SlackFiles
from channels.slack.intake import Answer, Intake, as_text
from channels.slack.people import People
from channels.slack.places import place
from channels.slack.posting import Posting
from channels.slack.render import MOST_CHOICES
from channels.slack.richtext import LONGEST, measure
from channels.slack.settings import SlackAccount
from channels.slack.webhook import Webhook
from channels.slack.workspaces import ManyWorkspaces, OneWorkspace, Vault, Workspaces, key_in, key_of

if TYPE_CHECKING:
    from channels.slack.oauth import Installing

SEND_SECONDS = 20.0
"""For files (see `attaching.UPLOAD_SECONDS`) and a few calls; what is uncertain waits as long to be looked up."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Parts:
    """What there is between a start and a stop."""

    gateway: Gateway
    workspaces: Workspaces
    background: Background
    files: SlackFiles
    growing: Growing
    courtesies: Courtesies
    posting: Posting
    ledger: CatchUp
    intake: Intake


class SlackChannel(Channel, Types, Drafts, Edits, Deletes, Files, Rereads):
    """One account. `home` is the folder for its key; `public_url` is where people reach the bot."""

    name = "slack"

    def __init__(self, account: str, settings: SlackAccount, home: Path, clock: Clock, public_url: str = "") -> None:
        self.account, self._settings, self._home, self._clock = account, settings, home, clock
        self._public_url = public_url.rstrip("/")
        self._at = "/channels/slack" if account == "main" else f"/channels/slack/{account}"
        self.capabilities = Capabilities(
            max_text=LONGEST,
            buttons=MOST_CHOICES,
            markdown=True,
            cards=True,
            media=True,
            typing=settings.assistant,
            drafts=True,
            edits=True,
            deletes=True,
            reactions=True,
            whispers=True,
            read_back=True,
            forms=True,
            mentions=True,
            send_timeout=SEND_SECONDS,
            # About one a second in a channel, with short bursts [Slack's documentation].
            paces=(Pace(count=5, seconds=5.0, of="conversation"),),
        )
        self._calls = Calls(settings.api_url)
        self._parts: _Parts | None = None
        self._tasks: list[asyncio.Task[None]] = []

    def routes(self) -> Sequence[web.RouteDef]:
        """Where Slack delivers, and where workspaces install the app."""
        at, routes = self._at, []
        if self._settings.signing_secret is not None:
            webhook = Webhook(self._settings.signing_secret.get_secret_value(), self._clock, self._take)
            routes += [web.post(f"{at}/{name}", webhook.answer) for name in ("events", "interactions", "commands")]
        if self._settings.installs:
            routes += [web.get(f"{at}/install", self._install), web.get(f"{at}/oauth", self._back)]
        return routes

    async def start(self, gateway: Gateway) -> None:
        """Connect, and give every message to the gateway from now on."""
        await self._calls.start()
        parts = self._parts = await self._made(gateway)
        if isinstance(parts.workspaces, OneWorkspace):
            parts.background.spawn(_met(parts.workspaces, self._clock))
        sockets = self._sockets(parts)
        if sockets is None:
            self._tasks.append(asyncio.create_task(self._catch_up(parts), name="slack catch-up"))
        self._tasks.append(asyncio.create_task(parts.ledger.keep(sockets or (lambda: True)), name="slack ledger"))

    async def stop(self) -> None:
        """Disconnect; what is being taken is not acknowledged any more."""
        parts, self._parts = self._parts, None
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if parts is not None:
            await parts.growing.stop()
            await parts.background.stop()
            await parts.ledger.write()
            await parts.files.close()
            if isinstance(parts.workspaces, ManyWorkspaces):
                await parts.workspaces.stop()
        await self._calls.stop()

    async def send(self, delivery: Delivery) -> Receipt:
        """Post a reply."""
        return await self._running().posting.send(delivery)

    async def find_sent(self, delivery: Delivery) -> Receipt | None:
        """Look for the delivery's id in the metadata of what was posted."""
        return await self._running().posting.find_sent(delivery)

    async def edit(self, delivery: Delivery, platform_id: str) -> None:
        """Change what was said."""
        await self._running().posting.edit(delivery, platform_id)

    async def delete(self, delivery: Delivery, platform_id: str) -> None:
        """Take back what was said."""
        await self._running().posting.delete(delivery, platform_id)

    def measure(self, text: str) -> int:
        """The words and addresses in the blocks, in UTF-16 units."""
        return measure(text)

    def shared(self, address: Address) -> bool:
        """Anywhere but in a chat of two."""
        return not place(address)[1].startswith("D")

    async def typing(self, address: Address, *, on: bool) -> None:
        """Show a status in an assistant's thread; elsewhere Slack has nothing of the kind."""
        if self._parts is not None:
            await self._parts.courtesies.status(address, on=on)

    async def draft(self, address: Address, key: str, text: str) -> None:
        """Show a reply while it is being made."""
        parts = self._parts
        if parts is None:
            return
        team, chat, thread = place(address)
        # Streams are for threads. Outside a chat of two they have to say whom they are for, and in one they must not.
        direct, home, user = chat.startswith("D"), parts.workspaces.home(team), parts.courtesies.whose(address)
        recipient = (home, user) if home and user and not direct else ("", "")
        native = self._settings.assistant and bool(thread) and (direct or recipient != ("", ""))
        parts.growing.show(address, key, text, recipient, native=native)

    def open_file(self, ref: str) -> AbstractAsyncContextManager[Download]:
        """A file that somebody sent."""
        team, _, id = ref.rpartition("/")
        return self._running().files.open(team, id)

    async def reread(self, payload: str) -> None:
        """Read what was set aside again."""
        await self._running().intake.reread(payload)

    async def _made(self, gateway: Gateway) -> _Parts:
        settings, clock, calls = self._settings, self._clock, self._calls
        workspaces = await self._opened(gateway)
        background = Background()
        files = SlackFiles(settings, calls, workspaces, self._public_url)
        growing = Growing(self._call, clock, settings.draft_pace)
        courtesies = Courtesies(self.account, settings, gateway, calls, workspaces)
        attaching = Attaching(self.account, gateway, calls, workspaces, files)
        posting = Posting(self.account, gateway, calls, workspaces, attaching, growing)
        ledger = CatchUp(self.account, gateway, calls, workspaces, clock)

        async def token(team: str) -> str:
            return (await workspaces.find(team)).token

        intake = Intake(
            self.account,
            many=settings.installs,
            gateway=gateway,
            workspaces=workspaces,
            people=People(calls, token, clock, background.spawn),
            courtesies=courtesies,
            ledger=ledger,
            background=background,
            clock=clock,
        )
        return _Parts(gateway, workspaces, background, files, growing, courtesies, posting, ledger, intake)

    async def _opened(self, gateway: Gateway) -> Workspaces:
        settings = self._settings
        if settings.bot_token is not None:
            return OneWorkspace(settings.bot_token.get_secret_value(), self._calls)
        if settings.secret is not None:
            key = await asyncio.to_thread(key_of, settings.secret.get_secret_value())
        else:
            key = await asyncio.to_thread(key_in, self._home)
        return ManyWorkspaces(self.account, settings, gateway, self._calls, Vault(key), self._clock)

    # --- what comes in

    async def _take(self, raw: str) -> Answer:
        return await self._listening().intake.take(raw)

    async def _take_payload(self, payload: object) -> Answer:
        return await self._listening().intake.payload(payload, lambda: as_text(payload))

    def _listening(self) -> _Parts:
        if self._parts is None:
            raise StoreUnavailable("the channel is not running")
        return self._parts

    def _running(self) -> _Parts:
        if self._parts is None:
            raise NotSent("the channel is not running")
        return self._parts

    async def _call(self, address: Address, method: str, body: Mapping[str, object]) -> Mapping[str, object]:
        return await self._running().posting.call(address, method, body)

    def _sockets(self, parts: _Parts) -> Callable[[], bool] | None:
        """Open what the settings ask for; whether one is open here can be asked. None without Socket Mode."""
        token = self._settings.app_token
        if token is None:
            return None
        from channels.slack.sockets import Sockets  # noqa: PLC0415 - only who uses it pays for it

        sockets = Sockets(
            self._settings.api_url, token.get_secret_value(), self._take_payload, lambda: self._catch_up(parts)
        )
        for number in range(self._settings.sockets):
            self._tasks.append(parts.gateway.alone(f"slack.{self.account}.socket.{number}", sockets.hold))
        return lambda: sockets.present

    async def _catch_up(self, parts: _Parts) -> None:
        """Read what was missed; one process does."""

        async def job() -> None:
            if isinstance(parts.workspaces, OneWorkspace):
                await parts.workspaces.meet()
            await parts.ledger.run(self._settings.catch_up_after, self._take_payload)

        if self._settings.catch_up_after:
            task = parts.gateway.alone(f"slack.{self.account}.catch-up", job)
            try:
                await task
            except SendError as problem:
                log.warning("slack_not_caught_up", why=str(problem))
            finally:
                task.cancel()
        parts.ledger.settle()

    # --- installing

    async def _install(self, request: web.Request) -> web.StreamResponse:
        return await self._installing().install(request)

    async def _back(self, request: web.Request) -> web.StreamResponse:
        return await self._installing().back(request)

    def _installing(self) -> Installing:
        parts = self._listening()
        from channels.slack.oauth import Installing  # noqa: PLC0415 - Bolt is for this alone

        if not isinstance(parts.workspaces, ManyWorkspaces):
            raise web.HTTPNotFound
        redirect = f"{self._public_url}{self._at}/oauth"
        return Installing(self.account, self._settings, redirect, parts.workspaces, self._clock)


async def _met(workspace: OneWorkspace, clock: Clock) -> None:
    """Find out who we are, in the end: without it, mentions are known only where Slack says so."""
    pause = 1.0
    while True:
        try:
            return await workspace.meet()
        except Rejected as problem:
            log.error("slack_token_refused", why=str(problem))
            return None
        except SendError as problem:
            log.warning("slack_not_reached", why=str(problem), again_in=pause)
            await clock.sleep(pause)
            pause = min(pause * 2, 60.0)
