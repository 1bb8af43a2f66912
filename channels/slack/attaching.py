"""Files that Slack can't fetch by itself: brought there, and shown before the message that they belong to.

What is being shown is written down before Slack is asked to, by Slack's own ids: whoever tries the message again, in
whichever process, asks what became of these very files. Knows no blocks.
"""

from __future__ import annotations

import asyncio

import msgspec
import structlog
from msgspec.structs import replace

from bot import Delivery, Gateway, Media, NotSent, Rejected, Reply, StoreUnavailable, Value, escape
from channels.slack.calls import Calls
from channels.slack.files import SlackFiles
from channels.slack.places import place
from channels.slack.render import public_picture
from channels.slack.words import items, mapping
from channels.slack.workspaces import Workspaces

UPLOAD_SECONDS = 8.0
"""How long the files of one reply may take on their way to Slack; what takes longer becomes a link."""

log = structlog.get_logger(__name__)


class _Shown(Value, frozen=True):
    """The files of one delivery at Slack; `sure` once Slack said that they are shown."""

    ids: tuple[str, ...]
    names: tuple[str, ...]
    sure: bool = False


class Attaching:
    """One account's files on their way out."""

    def __init__(self, account: str, gateway: Gateway, calls: Calls, workspaces: Workspaces, files: SlackFiles) -> None:
        self._account, self._gateway, self._calls = account, gateway, calls
        self._workspaces, self._files = workspaces, files

    async def attach(self, delivery: Delivery) -> Reply:
        """Show the files; the reply with the rest. What can't be had becomes a link. Raises SendError."""
        reply = delivery.reply
        asked = [media for media in reply.media if not public_picture(media)]
        if not asked or reply.private:
            return reply
        team, chat, thread = place(delivery.address)
        token = (await self._workspaces.find(team)).token
        names = await self._shown_before(delivery, token) if delivery.attempt > 1 else ()
        left = [media for media in asked if _title(media) not in names]
        if not names:
            files, left = await self._uploaded(token, asked)
            if files:
                shown = _Shown(ids=tuple(files), names=tuple(files.values()))
                await self._note(delivery, shown)
                await self._files.share(token, files, chat, thread)
                await self._remember(delivery, replace(shown, sure=True))
        kept = tuple(media for media in reply.media if public_picture(media) or media in left)
        return _captioned(reply, kept, [media for media in asked if media not in left])

    async def done(self, delivery: Delivery) -> None:
        """The message stands: nobody asks for its files again."""
        if any(not public_picture(media) for media in delivery.reply.media) and not delivery.reply.private:
            await self._remember(delivery, None)

    async def _uploaded(self, token: str, asked: list[Media]) -> tuple[dict[str, str], list[Media]]:
        """The files at Slack, where nobody sees them yet, and what could not be brought there."""
        until = asyncio.get_running_loop().time() + UPLOAD_SECONDS
        files: dict[str, str] = {}
        left: list[Media] = []
        for media in asked:
            try:
                async with asyncio.timeout_at(until):
                    files[await self._files.upload(token, media)] = _title(media)
            except (Rejected, TimeoutError) as problem:
                log.info("slack_file_as_link", why=str(problem) or "it took too long")
                left.append(media)
        return files, left

    async def _shown_before(self, delivery: Delivery, token: str) -> tuple[str, ...]:
        """The titles of what an earlier attempt has shown: all of it by one call, or nothing."""
        text = await self._gateway.note(self._key(delivery))
        if text is None:
            return ()
        shown = msgspec.json.decode(text, type=_Shown)
        if shown.sure:
            return shown.names
        try:
            answer = await self._calls.get("files.info", token, {"file": shown.ids[0]})
        except Rejected:
            return ()  # gone, or nothing that we may look at: then it may be shown twice
        file = mapping(answer.get("file"))
        there = mapping(file.get("shares")) or any(items(file.get(kind)) for kind in ("channels", "groups", "ims"))
        return shown.names if there else ()

    async def _note(self, delivery: Delivery, shown: _Shown) -> None:
        try:
            await self._gateway.write_note(self._key(delivery), msgspec.json.encode(shown).decode())
        except StoreUnavailable as problem:
            raise NotSent("the files can't be noted") from problem

    async def _remember(self, delivery: Delivery, shown: _Shown | None) -> None:
        """As `_note`, where it is no harm if it fails."""
        value = msgspec.json.encode(shown).decode() if shown is not None else None
        try:
            await self._gateway.write_note(self._key(delivery), value)
        except StoreUnavailable as problem:
            log.info("slack_files_not_noted", why=type(problem).__name__)

    def _key(self, delivery: Delivery) -> str:
        return f"slack.{self._account}.files.{delivery.id}"


def _title(media: Media) -> str:
    return media.name or media.alt or "file"


def _captioned(reply: Reply, media: tuple[Media, ...], shared: list[Media]) -> Reply:
    """The message beside the files: without words of its own it says their names, for it has to say something."""
    text = reply.text
    if not text.strip() and not media and reply.card is None and reply.form is None:
        text = escape(", ".join(file.alt or file.name or "file" for file in shared))
    return replace(reply, text=text, media=media)
