"""What the bot does on Slack beside talking: opens forms, shows its Home, suggests prompts, shows that it is at work.

None of it is stored, and nothing waits for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping

import structlog
from msgspec.structs import replace

from bot import Address, Form, FrontdeskError, Gateway, SendError, StoreUnavailable
from channels.slack.calls import Calls, Refusal
from channels.slack.incoming import FormWanted
from channels.slack.places import place
from channels.slack.settings import SlackAccount
from channels.slack.views import NOTED, Place, home_view, modal, prompts, unpacked
from channels.slack.words import items, mapping, text_of
from channels.slack.workspaces import Workspaces

PATIENCE = 1.0
"""Seconds that an event waits for Slack to tell a person's chat; it has three to be stored in."""

AT_ONCE = 200
"""Pieces of work in the background; what comes on top is left out: all of it is a courtesy."""

_MOST = 10_000  # chats that are remembered
_STATUS = "is typing…"
_MISSING = frozenset(
    {"unknown_method", "missing_scope", "not_allowed_token_type", "method_deprecated", "no_permission"}
)

log = structlog.get_logger(__name__)


class Courtesies:
    """Of one account."""

    def __init__(
        self, account: str, settings: SlackAccount, gateway: Gateway, calls: Calls, workspaces: Workspaces
    ) -> None:
        self._account, self._settings, self._gateway = account, settings, gateway
        self._calls, self._workspaces = calls, workspaces
        self._chats: dict[str, str] = {}
        self._last: dict[Address, str] = {}
        self._off: set[str] = set()

    def met(self, address: Address, user: str) -> None:
        """Somebody wrote here: streams want to know whom they are for."""
        if len(self._last) >= _MOST:
            self._last.clear()
        self._last[address] = user.rpartition("/")[2]
        if address.chat.rpartition("/")[2].startswith("D") and len(self._chats) < _MOST:
            self._chats[user] = address.chat

    def whose(self, address: Address) -> str:
        """Who wrote there last; empty when nobody knows."""
        return self._last.get(address, "")

    async def chat_with(self, team: str, address: Address) -> Address:
        """The chat of the bot and a person (who stands in its place); the person's own id when Slack does not say."""
        known = self._chats.get(address.chat)
        if known is None:
            prefix, _, user = address.chat.rpartition("/")
            try:
                async with asyncio.timeout(PATIENCE):
                    token = (await self._workspaces.find(team)).token
                    answer = await self._calls.post("conversations.open", token, {"users": user})
                chat = text_of(mapping(answer.get("channel")).get("id"))
            except (SendError, TimeoutError):
                chat = ""
            if not chat:
                return address
            if len(self._chats) >= _MOST:
                self._chats.clear()
            known = f"{prefix}/{chat}" if prefix else chat
            self._chats[address.chat] = known
        return replace(address, chat=known)

    async def thread_of(self, team: str, address: Address, ts: str) -> str:
        """The thread that a message stands in; empty for none, and when Slack does not say."""
        _, chat, _ = place(address)
        try:
            async with asyncio.timeout(PATIENCE):
                token = (await self._workspaces.find(team)).token
                answer = await self._calls.get("conversations.replies", token, {"channel": chat, "ts": ts, "limit": 1})
        except (SendError, TimeoutError):
            return ""
        return text_of(mapping(next(iter(items(answer.get("messages"))), None)).get("thread_ts"))

    async def suggest(self, team: str, address: Address) -> None:
        """Suggest prompts in a new thread."""
        said = prompts(self._settings.prompts, self._gateway.commands())
        _, chat, thread = place(address)
        if said and self._settings.assistant:
            body = {"channel_id": chat, "thread_ts": thread, "prompts": said}
            await self._do(team, "assistant.threads.setSuggestedPrompts", body)

    async def show_home(self, team: str, user: str, language: str) -> None:
        """Show what the bot can do."""
        view = home_view(self._gateway.commands(), language)
        await self._do(team, "views.publish", {"user_id": user, "view": view})

    async def status(self, address: Address, *, on: bool) -> None:
        """Show in an assistant's thread that the bot is at work."""
        team, chat, thread = place(address)
        if thread and self._settings.assistant:
            body = {"channel_id": chat, "thread_ts": thread, "status": _STATUS if on else ""}
            await self._do(team, "assistant.threads.setStatus", body)

    async def open_form(self, wanted: FormWanted) -> bool:
        """Open the modal; the trigger is good for three seconds. False when there is no such form any more."""
        try:
            form = await self._form(wanted.value)
        except ValueError as problem:
            log.info("slack_form_gone", why=str(problem))
            return False
        note = wanted.value.removeprefix(NOTED) if wanted.value.startswith(NOTED) else ""
        place = Place(token=form.token, chat=wanted.chat, thread=wanted.thread, note=note, team=wanted.team)
        view = modal(form, place)
        await self._do(wanted.team, "views.open", {"trigger_id": wanted.trigger, "view": view})
        return True

    async def filled_in(self, note: str) -> None:
        """A noted form is not needed any more."""
        try:
            await self._gateway.write_note(f"slack.{self._account}.form.{note}", None)
        except StoreUnavailable as problem:
            log.info("slack_form_left", why=type(problem).__name__)

    async def _form(self, value: str) -> Form:
        if not value.startswith(NOTED):
            return unpacked(value)
        text = await self._gateway.note(f"slack.{self._account}.form.{value.removeprefix(NOTED)}")
        if text is None:
            raise ValueError("the form is not noted any more")
        return unpacked(text)

    async def _do(self, team: str, method: str, body: Mapping[str, object]) -> None:
        """Call it, unless the app was told before that it may not."""
        key = f"{team} {method}"
        if key in self._off:
            return
        try:
            await self._calls.post(method, (await self._workspaces.find(team)).token, body)
        except Refusal as refusal:
            if refusal.code in _MISSING:
                self._off.add(key)
            log.info("slack_courtesy_refused", method=method, why=refusal.code)
        except SendError as problem:
            log.info("slack_courtesy_failed", method=method, why=type(problem).__name__)


class Background:
    """The courtesies of one channel."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def spawn(self, work: Coroutine[None, None, None]) -> None:
        """Begin, unless there is too much already."""
        if len(self._tasks) >= AT_ONCE:
            work.close()
            return
        task = asyncio.create_task(work, name="slack background")
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if task.cancelled() or (error := task.exception()) is None:
            return
        if isinstance(error, FrontdeskError):
            log.info("slack_background_failed", why=str(error))
        else:
            log.error("slack_background_broke", exc_info=error)

    async def stop(self) -> None:
        """End all of it."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
