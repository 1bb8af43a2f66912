"""Dead letters for the operator: turns that were given up, and what no channel could read. Lists, shows, resubmits.

Decides nothing about them; whoever reads a payload or a message here has asked for that one.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime

import msgspec

from bot.channel import Accepted, Channel, Rereads, Unreadable
from bot.errors import FrontdeskError
from bot.messages import Message
from bot.store.consents import silent
from bot.store.contract import DeadLetter, Store
from bot.store.letters import (
    find_turn,
    find_unreadable,
    list_unreadable,
    strike_turn,
    strike_unreadable,
)
from bot.store.parking import letter_id
from bot.turns.trace import turn_id

Receive = Callable[[Message], Awaitable[Accepted]]


class Letters:
    """The dead letters of a bot. `channels` by name and account, and `receive`, are needed to resubmit."""

    def __init__(
        self, store: Store, channels: Mapping[tuple[str, str], Channel], receive: Receive, now: Callable[[], float]
    ) -> None:
        self._store, self._channels, self._receive, self._now = store, channels, receive, now

    async def listed(self) -> str:
        """One line each, newest first: its id, when, where, and what was wrong."""
        lines = [
            (letter.at, _line(turn_id(letter.conversation, letter.n), letter.at, _place(letter), letter.error))
            for letter in await self._store.dead_letters()
        ]
        lines += [
            (each.at, _line(letter_id(each), each.at, _where(each), f"unreadable: {each.problem}"))
            for each in await list_unreadable(self._store)
        ]
        lines.sort(key=lambda line: -line[0])
        return "\n".join(line for _, line in lines) or "No turn was given up, and everything could be read."

    async def shown(self, id: str) -> str:
        """The payload of what could not be read, or the message of a turn, as JSON. Raises FrontdeskError."""
        unreadable = await find_unreadable(self._store, id.strip())
        if unreadable is not None:
            return unreadable.payload
        letter = await self._turn(id)
        return msgspec.json.format(msgspec.json.encode(letter.message)).decode()

    async def resubmitted(self, id: str) -> str:
        """Read the payload again, or put the message back into its lane; then it is struck from the list.

        Raises FrontdeskError, with everything left as it was, when that fails.
        """
        id = id.strip()
        unreadable = await find_unreadable(self._store, id)
        if unreadable is None:
            letter = await self._turn(id)
            again = msgspec.structs.replace(letter.message, event_id=f"again:{id}", at=self._now())
            accepted = await self._receive(again)
            await strike_turn(self._store, letter.conversation, letter.n)
            return f"{id} is back in its conversation, {accepted.conversation}."
        await self._reread(id, unreadable)
        await strike_unreadable(self._store, id)
        return f"{id} was read by {_where(unreadable)}."

    async def _reread(self, id: str, unreadable: Unreadable) -> None:
        where = _where(unreadable)
        if not unreadable.channel:
            try:
                message = msgspec.json.decode(unreadable.payload, type=Message)
            except msgspec.MsgspecError as problem:
                raise FrontdeskError(f"{id} stays where it is: this version can't read it ({problem}).") from problem
            await self._receive(msgspec.structs.replace(message, event_id=f"again:{id}", at=self._now()))
            return
        channel = self._channels.get((unreadable.channel, unreadable.account))
        if not isinstance(channel, Rereads):
            why = "is off" if channel is None else "can't read anything a second time"
            raise FrontdeskError(f"{id} stays where it is: the channel {where} {why}.")
        try:
            await channel.reread(unreadable.payload)
        except ValueError as problem:
            raise FrontdeskError(f"{id} stays where it is: {where} still can't read it ({problem}).") from problem

    async def _turn(self, id: str) -> DeadLetter:
        conversation, _, number = id.strip().rpartition(".")
        letter = await find_turn(self._store, conversation, int(number)) if number.isdecimal() else None
        if letter is None:
            raise FrontdeskError(f"there is no dead letter {id!r}; `python run.py dead-letters` lists them")
        return letter


async def opt_outs(store: Store) -> str:
    """One line for each conversation to which nothing is sent: since when, which, where, why, by which word."""
    lines = []
    for each in await silent(store):
        place = f"{each.address.channel}/{each.address.account}" if each.address else "-"
        lines.append(f"{_time(each.at)}  {each.conversation}  {place}  {each.silence}  {each.word}".rstrip())
    return "\n".join(lines) or "Nobody has opted out, and nobody has blocked the bot."


def _place(letter: DeadLetter) -> str:
    address = letter.message.address
    return f"{address.channel}/{address.account}"


def _where(unreadable: Unreadable) -> str:
    """Without a channel it is a message of our own, which another version of the bot has stored."""
    return f"{unreadable.channel or 'the inbox'}/{unreadable.account}"


def _line(id: str, at: float, place: str, problem: str) -> str:
    return f"{_time(at)}  {id}  {place}  {problem}"


def _time(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S")
