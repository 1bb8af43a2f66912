"""Those who write and those who answer at the desk: each says the next thing when the one before had its effect.

What was acknowledged is not said again after a restart; what was not is, with the same event id.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from sqlalchemy import Connection, text

from bot.channel import Gateway
from bot.desk import Agent, AgentClosed, AgentReplied, AgentTook, DeskEvent, DeskGateway, Ref
from bot.errors import NotSent, StoreUnavailable
from bot.messages import Address, Message, Sender, Text
from bot.store.contract import Store
from tests.crashes.points import Break
from tests.crashes.script import AGENT, MUTE, ROOM, Chat, Line
from tests.crashes.tripwire import Tripwire
from tests.crashes.world import Acknowledged, Appended, FastClock, Ticket, World

PAUSE = 0.02
"""Seconds (ours) before something is delivered again."""

Confirm = Callable[[str], Awaitable[None]]


class People:
    """Everybody, in one life of the bot."""

    def __init__(
        self, script: list[Chat], world: World, wire: Tripwire, store: Store, clock: FastClock, broken: Break = ""
    ) -> None:
        self._script, self._world, self._wire = script, world, wire
        self._store, self._clock, self._broken = store, clock, broken

    async def speak(self, gateway: Gateway, desk: DeskGateway | None, channel: str, *, patient: bool) -> None:
        """Say everything that is left to be said; returns when all of it had its answers.

        Who is `patient` waits until nothing of the bot's is on its way before saying the next thing.
        """
        wait = self._until_sent if patient else _at_once
        jobs = [self._converse(chat, gateway, channel, wait) for chat in self._script if not chat.polled]
        jobs += [self._poll(chat, gateway, channel) for chat in self._script if chat.polled]
        if desk is not None:
            jobs += [self._answer(chat, desk) for chat in self._script if chat.desk]
        await asyncio.gather(*jobs)
        await self._world.until(lambda: all(self._over(chat) for chat in self._script))

    def _over(self, chat: Chat) -> bool:
        shown = [words for words in self._world.shown(chat.name) if words != MUTE]
        return len(shown) >= len(chat.replies)

    async def _may_begin(self, chat: Chat) -> None:
        earlier = [other for other in self._script if other.phase < chat.phase]
        await self._world.until(lambda: all(self._over(other) for other in earlier))

    # --- webhooks

    async def _converse(self, chat: Chat, gateway: Gateway, channel: str, wait: Callable[[], Awaitable[None]]) -> None:
        await self._may_begin(chat)
        for number, line in enumerate(chat.lines):
            await self._turn_of(chat, line)
            if chat.crowded:
                await self._world.until(self._crowded)
            event = f"{chat.name}.{number}"
            if not self._world.told(event):
                await wait()
                if self._broken == "acknowledge":
                    self._world.note(Acknowledged(event=event))
                await self._deliver(gateway, self._message(chat, channel, event, line.text), self._acknowledge)

    async def _turn_of(self, chat: Chat, line: Line) -> None:
        def come() -> bool:
            return len([words for words in self._world.shown(chat.name) if words != MUTE]) >= line.after

        await self._world.until(come)

    def _crowded(self) -> bool:
        """Whether there is no room for another turn; nor will there be any such moment once all work is done."""
        return self._world.working >= ROOM or all(self._over(chat) for chat in self._script if chat.steps)

    async def _deliver(self, gateway: Gateway, message: Message, confirm: Confirm) -> None:
        while True:
            try:
                await gateway.receive(message)
                break
            except StoreUnavailable:
                await asyncio.sleep(PAUSE)
        await confirm(message.event_id)

    async def _acknowledge(self, event: str) -> None:
        self._wire.touch("before_acknowledge")
        self._world.note(Acknowledged(event=event))

    def _message(self, chat: Chat, channel: str, event: str, words: str) -> Message:
        return Message(
            event_id=event,
            address=Address(channel=channel, account="main", chat=chat.name),
            sender=Sender(id=chat.name, name=chat.name),
            content=Text(text=words),
            at=self._clock.now(),
        )

    async def _until_sent(self) -> None:
        while await self._store.unsent():  # noqa: ASYNC110 - a database sets no event
            await asyncio.sleep(PAUSE)

    # --- a platform that is asked for news, by one process at a time, with its place in a table of the plugin's own

    async def _poll(self, chat: Chat, gateway: Gateway, channel: str) -> None:
        await self._may_begin(chat)
        await gateway.alone("poll", lambda: self._poll_all(chat, gateway, channel))

    async def _poll_all(self, chat: Chat, gateway: Gateway, channel: str) -> None:
        known = await self._store.read(polled)
        for number, line in enumerate(chat.lines):
            await self._turn_of(chat, line)
            event = f"{chat.name}.{number}"
            if event not in known:
                await self._deliver(gateway, self._message(chat, channel, event, line.text), self._remember)

    async def _remember(self, event: str) -> None:
        def keep(connection: Connection) -> None:
            connection.execute(text("INSERT INTO polled (event) VALUES (:event)"), {"event": event})

        await self._store.write(keep)

    # --- the desk

    async def _answer(self, chat: Chat, desk: DeskGateway) -> None:
        world, agent = self._world, Agent(id=AGENT.lower(), name=AGENT)

        def ticket() -> Ticket | None:
            return next((other for other in world.all(Ticket) if other.chat == chat.name), None)

        await world.until(lambda: ticket() is not None)
        found = ticket()
        assert found is not None
        # What the bot said last is there before the agent comes: from then on its words would be held back.
        await self._turn_of(chat, Line("", 2))
        ref = Ref(id=found.ref)
        names = [f"{chat.name}.agent{number}" for number in range(4)]
        hello, settled = f"Good day, {chat.name}.", f"That is settled, {chat.name}."
        await self._tell(desk, AgentTook(event_id=names[0], ref=ref, agent=agent, at=0.0))
        await self._tell(desk, AgentReplied(event_id=names[1], ref=ref, agent=agent, text=hello, at=0.0))
        await world.until(lambda: any(line.ref == ref.id for line in world.all(Appended)))
        await self._tell(desk, AgentReplied(event_id=names[2], ref=ref, agent=agent, text=settled, at=0.0))
        await self._tell(desk, AgentClosed(event_id=names[3], ref=ref, agent=agent, at=0.0))

    async def _tell(self, desk: DeskGateway, event: DeskEvent) -> None:
        if self._world.told(event.event_id):
            return
        while True:
            try:
                await desk.receive(event)
                break
            except (NotSent, StoreUnavailable):
                await asyncio.sleep(PAUSE)
        self._world.note(Acknowledged(event=event.event_id))


def polled(connection: Connection) -> set[str]:
    """What was polled and confirmed."""
    return set(connection.execute(text("SELECT event FROM polled")).scalars())


async def _at_once() -> None:
    """Nobody waits."""
