"""What comes in, from whichever side: parsed, stored, and only then answered. Knows neither HTTP nor sockets."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections import OrderedDict
from collections.abc import Callable, Mapping

import structlog
from msgspec.structs import replace

from bot import Address, Clock, Gateway, Message, Reacted, StoreUnavailable, Text, Unreadable
from channels.slack.catchup import CatchUp, Place
from channels.slack.courtesies import PATIENCE, Background, Courtesies
from channels.slack.incoming import (
    Challenge,
    FormWanted,
    Garbled,
    Greeted,
    Heard,
    HomeOpened,
    Incoming,
    Known,
    Limited,
    Sent,
    Uninstalled,
)
from channels.slack.inputs import refused
from channels.slack.parse import read
from channels.slack.people import People
from channels.slack.webhook import decode
from channels.slack.workspaces import Workspaces

Answer = Mapping[str, object] | None

ELSEWHERE = "My answer is in the chat of the two of us: look for me under Apps."
_REMEMBERED = 10_000
_CLEAR: Mapping[str, object] = {"response_action": "clear"}

log = structlog.get_logger(__name__)


class Memory:
    """The newest entries of a table, forgotten with the process."""

    def __init__(self, most: int = _REMEMBERED) -> None:
        self._most = most
        self._entries: OrderedDict[str, str] = OrderedDict()

    def get(self, key: str) -> str | None:
        """What was put there."""
        return self._entries.get(key)

    def put(self, key: str, value: str) -> None:
        """Remember it."""
        self._entries[key] = value
        self._entries.move_to_end(key)
        if len(self._entries) > self._most:
            self._entries.popitem(last=False)


class Intake:
    """One account's incoming side, between a start and a stop."""

    def __init__(
        self,
        account: str,
        *,
        many: bool,
        gateway: Gateway,
        workspaces: Workspaces,
        people: People,
        courtesies: Courtesies,
        ledger: CatchUp,
        background: Background,
        clock: Clock,
    ) -> None:
        self._account, self._many, self._gateway, self._clock = account, many, gateway, clock
        self._workspaces, self._people, self._courtesies = workspaces, people, courtesies
        self._ledger, self._background = ledger, background
        self._gestures, self._threads = Memory(), Memory()

    async def take(self, raw: str) -> Answer:
        """Take the text of a request. Raises StoreUnavailable: then it has to come again."""
        try:
            payload = decode(raw)
        except ValueError as problem:
            await self._set_aside(raw, str(problem))
            return None
        return await self.payload(payload, lambda: raw)

    async def payload(self, payload: object, raw: Callable[[], str]) -> Answer:
        """Take a payload; `raw` gives it as text, to be kept where it can't be read."""
        found = read(payload, self.known())
        if isinstance(found, Garbled):
            await self._set_aside(raw(), found.problem)
            return None
        try:
            return await self.act(found)
        except StoreUnavailable:
            raise
        except Exception as error:
            # A mistake of ours: to be delivered four times does not mend it, and then it would be lost.
            log.exception("slack_not_taken", kind=type(found).__name__)
            await self._set_aside(raw(), f"the channel broke: {type(error).__name__}")
            return None

    async def reread(self, raw: str) -> None:
        """Take what was set aside. Raises ValueError while it can't be read."""
        found = read(decode(raw), self.known())
        if isinstance(found, Garbled):
            raise ValueError(found.problem)
        await self.act(found)

    def known(self) -> Known:
        """What a parser is told."""
        return Known(
            account=self._account,
            now=self._clock.now(),
            many=self._many,
            own=self._workspaces.own,
            name=self._people.name,
            file_url=lambda ref, name: self._gateway.file_url("slack", self._account, ref, name),
        )

    async def act(self, found: Incoming) -> Answer:
        """Do what an incoming asks for. Raises StoreUnavailable."""
        match found:
            case Challenge(text=text):
                return {"challenge": text}
            case Heard():
                if found.form is not None:
                    return await self._filled_in(found, found.form)
                return _elsewhere(found, await self._hear(found))
            case Greeted(message=message, team=team):
                await self._gateway.receive(self._people.introduce(message, team))
                self._background.spawn(self._courtesies.suggest(team, message.address))
            case FormWanted():
                self._background.spawn(self._open(found))
            case HomeOpened(team=team, user=user):
                language = self._people.language(team, user)
                self._background.spawn(self._courtesies.show_home(team, user, language))
            case Uninstalled(team=team, at=at):
                await self._workspaces.forget(team, at)
            case Limited(team=team):
                log.warning("slack_events_held_back", team=team, say="more than 30,000 events in an hour")
        return None

    async def _open(self, wanted: FormWanted) -> None:
        """Open a form; one that is gone is a button of a question that is over, and the core says so."""
        if not await self._courtesies.open_form(wanted):
            await self._gateway.receive(self._people.introduce(wanted.message, wanted.team))

    async def _filled_in(self, found: Heard, sent: Sent) -> Answer:
        """A form: as long as something is wrong with it, it stays open and says so; nothing is stored."""
        try:
            async with asyncio.timeout(PATIENCE):
                problems = await self._gateway.problems(found.message)
        except TimeoutError:
            problems = {}  # what is wrong with it is said by the turn
        answer = refused(problems, sent.fields)
        if answer is not None:
            log.info("slack_form_refused", fields=len(problems))
            return answer
        await self._hear(found)
        if sent.note:
            self._background.spawn(self._courtesies.filled_in(sent.note))
        return _CLEAR

    async def _hear(self, found: Heard) -> Address | None:
        """Where it was said; None for other people's talk, which is not stored."""
        address = await self._address(found)
        if address is None:
            return None
        message = self._people.introduce(replace(found.message, address=address), found.team)
        message = self._one_gesture(message, found.client_id)
        await self._gateway.receive(message)
        if isinstance(message.content, Text) and message.platform_id:
            team, _, chat = address.chat.rpartition("/")
            self._threads.put(f"{address.chat} {message.platform_id}", address.thread)
            for thread in {address.thread, ""}:  # in the chat itself the next thread begins
                self._ledger.saw(Place(team, chat, thread), message.platform_id)
            self._courtesies.met(address, message.sender.id)
        return address

    async def _address(self, found: Heard) -> Address | None:
        """Where it belongs; None where the bot takes no part."""
        address, said, joined = found.message.address, found.message.content, found.joined
        if address.chat == found.message.sender.id:
            # A command: it belongs to the chat of the two of us, unless it was chosen where we talk already.
            for known in joined:
                if await self._gateway.knows(known):
                    return known
            return await self._courtesies.chat_with(found.team, address)
        if isinstance(said, Reacted):
            thread = self._threads.get(f"{address.chat} {said.target}")
            if thread is not None:
                return replace(address, thread=thread)
            if found.ours:
                thread = await self._courtesies.thread_of(found.team, address, said.target)
                joined = (replace(address, thread=thread), replace(address, thread=""))
        if isinstance(said, Text) and address.thread == found.message.platform_id:
            return None if joined else address  # it begins a thread: nobody can have joined that before
        for known in joined:
            if await self._gateway.knows(known):
                return known
        return None if joined else address

    def _one_gesture(self, message: Message, client_id: str) -> Message:
        """Slack has been seen to tell one gesture twice, with two time stamps; the sender's own id tells."""
        if not client_id:
            return message
        key = f"{message.address.chat} {message.sender.id} {client_id}"
        first = self._gestures.get(key)
        if first is not None:
            return replace(message, event_id=first)
        self._gestures.put(key, message.event_id)
        return message

    async def _set_aside(self, raw: str, problem: str) -> None:
        id = "x." + hashlib.sha256(raw.encode("utf-8", "replace")).hexdigest()[:32]
        at = self._clock.now()
        await self._gateway.set_aside(
            Unreadable(event_id=id, channel="slack", account=self._account, payload=raw, problem=problem, at=at)
        )
        log.warning("slack_unreadable", id=id, why=problem)


def _elsewhere(found: Heard, address: Address | None) -> Answer:
    """Says to whoever typed a command among others where its answer is: for their eyes only."""
    there = address is None or address.chat.rpartition("/")[2] == found.at
    return {"response_type": "ephemeral", "text": ELSEWHERE} if found.at and not there else None


def as_text(payload: object) -> str:
    """A payload that came over a socket, as it would have come over HTTP."""
    return json.dumps(payload, separators=(",", ":"))  # which takes half characters too
