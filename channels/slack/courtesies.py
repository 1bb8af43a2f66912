"""What the bot does on Slack beside talking: opens forms, shows its Home, suggests prompts, shows that it is at work.

None of it is stored, and nothing waits for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import structlog
from msgspec.structs import replace

from bot import Address, Form, Gateway, SendError, StoreUnavailable
from channels.slack.calls import Calls, Refusal
from channels.slack.forms import NOTED, modal, unpacked
from channels.slack.home import home_view, prompts
from channels.slack.incoming import FormWanted
from channels.slack.posting import place
from channels.slack.settings import SlackAccount
from channels.slack.words import mapping, text_of
from channels.slack.workspaces import Workspaces

PATIENCE = 1.0
"""Seconds that an event waits for Slack to tell a person's chat; it has three to be stored in."""

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
        if len(self._last) >= 10_000:
            self._last.clear()
        self._last[address] = user.rpartition("/")[2]
        if address.chat.rpartition("/")[2].startswith("D") and len(self._chats) < 10_000:
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
            known = f"{prefix}/{chat}" if prefix else chat
            self._chats[address.chat] = known
        return replace(address, chat=known)

    async def suggest(self, team: str, address: Address) -> None:
        """Suggest prompts in a new thread."""
        said = prompts(self._settings.prompts, self._gateway.commands())
        _, chat, thread = place(address)
        if said and self._settings.assistant:
            body = {"channel_id": chat, "thread_ts": thread, "prompts": said}
            await self._do(team, "assistant.threads.setSuggestedPrompts", body)

    async def show_home(self, team: str, user: str) -> None:
        """Show what the bot can do."""
        await self._do(team, "views.publish", {"user_id": user, "view": home_view(self._gateway.commands())})

    async def status(self, address: Address, *, on: bool) -> None:
        """Show in an assistant's thread that the bot is at work."""
        team, chat, thread = place(address)
        if thread and self._settings.assistant:
            body = {"channel_id": chat, "thread_ts": thread, "status": _STATUS if on else ""}
            await self._do(team, "assistant.threads.setStatus", body)

    async def open_form(self, wanted: FormWanted) -> None:
        """Open the modal; the trigger is good for three seconds."""
        try:
            form = await self._form(wanted.value)
        except ValueError as problem:
            log.warning("slack_form_unreadable", why=str(problem))
            return
        view = modal(form, wanted.chat, wanted.thread)
        await self._do(wanted.team, "views.open", {"trigger_id": wanted.trigger, "view": view})

    async def filled_in(self, token: str) -> None:
        """A form is not needed any more."""
        key = f"slack.{self._account}.form.{token}"
        if await self._gateway.note(key) is not None:
            try:
                await self._gateway.write_note(key, None)
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
