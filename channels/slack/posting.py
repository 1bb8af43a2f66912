"""Says things on Slack, changes them, and looks up whether they arrived. Knows nothing of what comes in."""

from __future__ import annotations

from collections.abc import Mapping

import structlog

from bot import (
    Address,
    Delivery,
    Gateway,
    Message,
    NotSent,
    Receipt,
    Rejected,
    SendError,
    StoreUnavailable,
)
from channels.slack.attaching import Attaching
from channels.slack.calls import Calls, Refusal
from channels.slack.drafts import Draft, Growing
from channels.slack.labels import JsonObject
from channels.slack.places import place
from channels.slack.render import Posted, render
from channels.slack.views import NOTED, packed, written
from channels.slack.words import mapping, text_of
from channels.slack.workspaces import Workspaces

EVENT = "frontdesk_out"
"""What our messages are marked with: their metadata carry the id of the delivery."""

KEPT = 400 * 86_400.0
"""Seconds for which a form that is too long for its button is kept: longer than anybody comes back to one."""

_MARGIN = 120.0  # seconds that a clock may be wrong by
_DRAFTED = 1800.0  # seconds: a draft was posted when its making began
_PAGES, _PER_PAGE = 20, 200
_BAD_BLOCKS = frozenset({"invalid_blocks", "invalid_blocks_format", "invalid_attachments"})

log = structlog.get_logger(__name__)


class Posting:
    """One account's outgoing side."""

    def __init__(
        self, account: str, gateway: Gateway, calls: Calls, workspaces: Workspaces, files: Attaching, growing: Growing
    ) -> None:
        self._account, self._gateway, self._calls = account, gateway, calls
        self._workspaces, self._files, self._growing = workspaces, files, growing

    async def call(self, address: Address, method: str, body: Mapping[str, object]) -> Mapping[str, object]:
        """Call a method about a chat. Raises SendError."""
        team, chat, thread = place(address)
        workspace = await self._workspaces.find(team)
        threaded = {"thread_ts": thread} if thread and method in ("chat.postMessage", "chat.startStream") else {}
        try:
            return await self._calls.post(method, workspace.token, {"channel": chat, **threaded, **body})
        except Rejected as problem:
            if self._workspaces.doubt(team, problem):
                raise NotSent(str(problem)) from problem
            raise

    async def send(self, delivery: Delivery) -> Receipt:
        """Say a reply.

        One call, so that its outcome is one: the message with its words, buttons, card and public pictures. Files that
        have to be uploaded are shown before it by a call of their own. The message comes last and carries the id:
        where it is found, everything arrived; where it is not, files may be shown a second time, and are not lost.
        """
        form = await self._form(delivery)
        reply = await self._files.attach(delivery)
        author = delivery.author if delivery.source == "agent" else ""
        thread = delivery.address.thread
        posted = render(reply, thread=thread, author=author, form=form)
        try:
            receipt = await self._say(delivery, posted)
        except Refusal as refusal:
            # Most likely Slack could not fetch a picture. It said no, so nothing was sent.
            if refusal.code not in _BAD_BLOCKS:
                raise
            posted = render(reply, thread=thread, author=author, form=form, pictures=False)
            receipt = await self._say(delivery, posted)
        await self._files.done(delivery)
        return receipt

    async def edit(self, delivery: Delivery, platform_id: str) -> None:
        """Let a message say something else; the same again changes nothing."""
        reply, form = delivery.reply, await self._form(delivery)
        author = delivery.author if delivery.source == "agent" else ""
        posted = render(reply, thread=delivery.address.thread, author=author, form=form)
        await self._update(delivery, posted, platform_id)

    async def delete(self, delivery: Delivery, platform_id: str) -> None:
        """Take a message away; that it is gone already is as good."""
        try:
            await self.call(delivery.address, "chat.delete", {"ts": platform_id})
        except Refusal as refusal:
            if refusal.code != "message_not_found":
                raise

    async def find_sent(self, delivery: Delivery) -> Receipt | None:
        """Look through what was said since, for the id. What only one person sees is in no history, and never found.

        Where Slack lets us read nothing, nothing is found: to ask for a day would hold up all that is said there. Who
        may not post there either is told so by the next attempt; an app without the scopes to read may say it twice.
        """
        try:
            return await self._found(delivery)
        except Refusal as refusal:
            log.warning("slack_nothing_to_read", why=refusal.code)
            return None

    async def _found(self, delivery: Delivery) -> Receipt | None:
        team, chat, thread = place(delivery.address)
        token = (await self._workspaces.find(team)).token
        since = delivery.first_attempt_at - _MARGIN - (_DRAFTED if delivery.reply.draft else 0.0)
        params: dict[str, str | int] = {"channel": chat, "limit": _PER_PAGE, "include_all_metadata": 1}
        if delivery.first_attempt_at and since > 0:
            params["oldest"] = f"{since:.6f}"
        method = "conversations.replies" if thread else "conversations.history"
        async for message in self._calls.pages(
            method, token, params | ({"ts": thread} if thread else {}), "messages", _PAGES
        ):
            metadata = mapping(message.get("metadata"))
            payload = mapping(metadata.get("event_payload"))
            if metadata.get("event_type") == EVENT and payload.get("oid") == delivery.id:
                return Receipt(platform_id=text_of(message.get("ts")))
        return None

    async def _say(self, delivery: Delivery, posted: Posted) -> Receipt:
        key = delivery.reply.draft
        draft = await self._growing.finish(delivery.address, key) if key else None
        if draft is not None:
            receipt = await self._grown_up(delivery, posted, draft)
            self._growing.forget(delivery.address, key)
            if receipt is not None:
                return receipt
        body = {"text": posted.text, "blocks": posted.blocks, "parse": "none", "link_names": False}
        if delivery.reply.private:
            to = await self._person(delivery)
            if to:
                return _receipt(await self.call(delivery.address, "chat.postEphemeral", {**body, **to}), "message_ts")
        quiet = {"mrkdwn": False, "unfurl_links": False, "unfurl_media": False, "metadata": _mark(delivery)}
        answer = await self.call(delivery.address, "chat.postMessage", {**body, **quiet})
        if draft is not None:
            await self._drop(delivery.address, draft)
        return _receipt(answer, "ts")

    async def _grown_up(self, delivery: Delivery, posted: Posted, draft: Draft) -> Receipt | None:
        """Make a draft the reply; None where that can't be, for good. Doing it twice is harmless."""
        if draft.native:
            try:
                await self.call(delivery.address, "chat.stopStream", {"ts": draft.ts})
            except Refusal as refusal:  # Slack ends streams by itself, after five minutes
                log.info("slack_stream_over", why=refusal.code)
            draft.native = False
        try:
            await self._update(delivery, posted, draft.ts)
        except Refusal as refusal:
            if refusal.code in _BAD_BLOCKS:
                raise
            log.info("slack_draft_lost", why=refusal.code)
            return None
        return Receipt(platform_id=draft.ts)

    async def _drop(self, address: Address, draft: Draft) -> None:
        """Take back a draft that could not become the reply, now that the reply stands elsewhere."""
        try:
            await self.call(address, "chat.delete", {"ts": draft.ts})
        except SendError as problem:
            log.info("slack_draft_left", why=type(problem).__name__)

    async def _update(self, delivery: Delivery, posted: Posted, ts: str) -> None:
        body = {"ts": ts, "text": posted.text, "blocks": posted.blocks, "parse": "none", "link_names": False}
        await self.call(delivery.address, "chat.update", {**body, "metadata": _mark(delivery)})

    async def _person(self, delivery: Delivery) -> dict[str, str]:
        """For whose eyes only; nobody in a chat of two, where everything is private."""
        _, chat, thread = place(delivery.address)
        if chat.startswith("D"):
            return {}
        asked = await self._asked(delivery)
        if asked is None:
            raise Rejected("nobody is known whose eyes it is for")
        user = asked.sender.id.rpartition("/")[2]
        return {"user": user} | ({"thread_ts": thread} if thread else {})

    async def _asked(self, delivery: Delivery) -> Message | None:
        """What was said last before a reply."""
        after = max(0, delivery.seq - 200)
        for entry in reversed(await self._gateway.history(delivery.address, after=after)):
            if entry.source == "user" and entry.message is not None and entry.seq <= delivery.seq:
                return entry.message
        return None

    async def _form(self, delivery: Delivery) -> str:
        """What the form's button carries. Raises NotSent where it has to be noted, and can't be now.

        Each message has a note of its own: the same form, asked again, holds what was typed by then.
        """
        form = delivery.reply.form
        if form is None:
            return ""
        text = packed(form)
        if text:
            return text
        try:
            await self._gateway.write_note(f"slack.{self._account}.form.{delivery.id}", written(form), keep=KEPT)
        except StoreUnavailable as error:
            raise NotSent("the form can't be noted") from error
        return NOTED + delivery.id


def _mark(delivery: Delivery) -> JsonObject:
    return {"event_type": EVENT, "event_payload": {"oid": delivery.id}}


def _receipt(answer: Mapping[str, object], key: str) -> Receipt:
    return Receipt(platform_id=text_of(answer.get(key)))
