"""Sends replies: one delivery is one call to Telegram, or a few where a text does not fit with its files."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass, field

import structlog
from msgspec.structs import replace
from telegram import Bot

from bot import Address, Delivery, RateLimited, Receipt, Rejected, SendError
from channels.telegram.api import Api, Refused
from channels.telegram.calls import Calls
from channels.telegram.chats import Chats
from channels.telegram.drafts import Growing
from channels.telegram.outgoing import Outgoing, compose
from channels.telegram.privately import Privately

REPEAT = 4.5
"""Seconds: Telegram shows that somebody types for five."""

LONGEST_TYPING = 120.0
"""Seconds after which nobody believes it any more."""

MOST = 10_000

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Done:
    """The messages of a plan that are sent, by their places in it, and the albums that go one by one."""

    sent: dict[tuple[int, int], int] = field(default_factory=dict)
    apart: set[int] = field(default_factory=set)


class Speaker:
    """Says what one bot has to say."""

    def __init__(self, api: Api, chats: Chats, calls: Calls, privately: Privately) -> None:
        self._api, self._chats, self._calls, self._privately = api, chats, calls, privately
        self._growing = Growing(calls)
        self._typing: dict[Address, asyncio.Task[None]] = {}
        # Which messages of an unfinished delivery are surely sent. An attempt that follows goes on behind them; a
        # process that dies in between repeats them, as it may repeat any message whose outcome it did not learn.
        self._done: OrderedDict[str, _Done] = OrderedDict()

    async def send(self, delivery: Delivery) -> Receipt:
        """Send a reply; its id has those of all its messages. It is empty where they went to another chat."""
        if delivery.reply.private and delivery.address.chat.startswith("-"):
            return await self._send_privately(delivery)
        return await self._send_here(delivery)

    async def _send_privately(self, delivery: Delivery) -> Receipt:
        """For one person's eyes: in their own chat with the bot, or else only how to get there."""
        there = await self._privately.place(delivery)
        if there is not None:
            # What is chosen there would be an answer to nothing: the question is the group's.
            reply = replace(delivery.reply, private=False, buttons=(), choices=())
            try:
                await self._send_here(replace(delivery, address=there, reply=reply))
            except Refused as refused:
                if not refused.silence:
                    raise  # and they who blocked us there have not silenced the group
            else:
                return Receipt()
        await self._send_here(replace(delivery, reply=self._privately.hint()))
        return Receipt()

    async def _send_here(self, delivery: Delivery) -> Receipt:
        reply, address = delivery.reply, delivery.address
        draft = await self._growing.close(address, reply.draft) if reply.draft else 0
        plan = compose(reply, apart=bool(draft))
        if not plan:
            raise Rejected("there is nothing in it that Telegram could show")
        done = self._done.setdefault(delivery.id, _Done())
        while len(self._done) > MOST:
            self._done.popitem(last=False)
        try:
            for number, outgoing in enumerate(plan):
                await self._send(address, outgoing, done, number, draft if not number else 0)
        except RateLimited as limit:
            if limit.account:
                self._growing.rest(limit.retry_after)
            raise
        except Rejected:  # after anything else there will be another attempt, at the same draft
            self._forget(delivery)
            raise
        self._forget(delivery)
        sent = [done.sent[place] for place in sorted(done.sent)]
        return Receipt(platform_id=" ".join(str(number) for number in sent if number))

    async def edit(self, delivery: Delivery, platform_id: str) -> None:
        """Let a message say something else."""
        plan, first = compose(delivery.reply, apart=True), platform_id.partition(" ")[0]
        if not plan or not first.isdigit():
            raise Rejected("that message can't be changed")
        shown = Outgoing(text=plan[0].text, buttons=delivery.reply.buttons)
        await self._calls.change(delivery.address, int(first), shown)

    async def delete(self, delivery: Delivery, platform_id: str) -> None:
        """Take all messages of a reply away."""
        for number in platform_id.split():
            await self._calls.take_away(delivery.address, int(number))

    def draft(self, address: Address, key: str, text: str) -> None:
        """Show a reply that is being made."""
        self._growing.show(address, key, text)

    def type(self, address: Address, *, on: bool) -> None:
        """Show that the bot types, again and again, until told otherwise."""
        task = self._typing.pop(address, None)
        if task is not None and (not on or task.done()):
            task.cancel()
            task = None
        if on:
            self._typing[address] = task or self._begin_typing(address)

    def _begin_typing(self, address: Address) -> asyncio.Task[None]:
        task = asyncio.create_task(self._type(address), name="telegram typing")

        def done(ended: asyncio.Task[None]) -> None:
            if self._typing.get(address) is ended:
                del self._typing[address]

        task.add_done_callback(done)
        return task

    async def stop(self) -> None:
        """Say no more."""
        typing = list(self._typing.values())
        for task in typing:
            task.cancel()
        self._typing.clear()
        await asyncio.gather(*typing, return_exceptions=True)
        await self._growing.stop()

    async def _send(self, address: Address, outgoing: Outgoing, done: _Done, number: int, draft: int) -> None:
        """One message of a plan, unless an earlier attempt has sent it; an album that is refused goes one by one."""
        if outgoing.album and number not in done.apart:
            try:
                if (number, 0) not in done.sent:
                    for place, message in enumerate(await self._calls.post_album(address, outgoing)):
                        done.sent[number, place] = message
            except Refused as refused:
                if refused.silence or refused.moved_to:
                    raise
                log.info("telegram_album_refused", why=refused.description[:80])
                done.apart.add(number)
            else:
                return
        for place, piece in enumerate(outgoing.album or (outgoing,)):
            if (number, place) not in done.sent:
                done.sent[number, place] = await self._say(address, piece, draft)

    def _forget(self, delivery: Delivery) -> None:
        self._done.pop(delivery.id, None)
        if delivery.reply.draft:
            self._growing.forget(delivery.address, delivery.reply.draft)

    async def _say(self, address: Address, outgoing: Outgoing, draft: int) -> int:
        if draft and outgoing.media is None:
            try:
                # Should nobody learn how this ended, it is done once more: it says the same thing twice in one place.
                await self._calls.change(address, draft, outgoing)
            except Refused as refused:
                if refused.silence:
                    raise
                log.info("telegram_draft_lost", why=refused.description[:80])
            else:
                return draft
        return await self._calls.post(address, outgoing)

    async def _type(self, address: Address) -> None:
        until = asyncio.get_running_loop().time() + LONGEST_TYPING
        thread = int(address.thread) if address.thread.isdigit() else None

        async def act(bot: Bot) -> None:
            await bot.send_chat_action(int(await self._chats.now(address.chat)), "typing", message_thread_id=thread)

        while asyncio.get_running_loop().time() < until:
            try:
                await self._api.call(act, bool)
            except SendError as problem:
                log.debug("telegram_typing_failed", why=type(problem).__name__)
                return
            await asyncio.sleep(REPEAT)
