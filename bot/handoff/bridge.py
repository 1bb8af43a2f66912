"""The bridge: moves a conversation to a desk and back, so that two voices never speak and no word is lost.

    bot -> requested -> queued -> human -> wrapping_up -> bot

Every step is a compare-and-set on the owner's version, in the same commit as its words. The ticket exists before
the person is promised anything. Knows no helpdesk: a `Desk` does the talking.

A scheduled text that comes due while a human owns the conversation is kept, and said after the return: two voices
never speak, and nothing that was promised is dropped. While the person only waits in the queue it is said at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

import msgspec
import structlog

from bot.channel import Channel, Entry, Types, standing
from bot.clock import Clock
from bot.desk import AgentTyping, Case, Desk, DeskEvent, DeskGateway, Ref
from bot.errors import NotSent
from bot.handoff import moves
from bot.messages import Command, Content, Deleted, Due, Edited, Joined, Message, Pressed, Reacted, Text, Typing
from bot.people import Conversation
from bot.phrases import Phrases
from bot.processes.bus import Heard
from bot.processes.peers import Job
from bot.rendering import escape
from bot.replies import Reply
from bot.store.contract import CaseRecord, DeskCall, Effect, Outgoing, OutRow, OwnerChange, Store
from bot.text import meaning
from bot.turns.inbox import Inbox
from bot.turns.work import TRYING, Work

log = structlog.get_logger()

Make = Callable[[float, Conversation, CaseRecord], Effect | None]

TRIES = 5

PATIENCE = 180.0
"""Seconds in the queue after which the person is told, once, that everybody is still busy."""

TRANSCRIPT = 200
"""Lines of the conversation that a new case brings along; the desk reads more through the gateway."""

FACTS = "handoff:facts"
"""What a skill remembers under this key (`dict[str, str]`: who it is, what it is about) reaches every ticket."""


class Bridge(DeskGateway):
    """Owns who speaks."""

    def __init__(
        self, store: Store, inbox: Inbox, clock: Clock, phrases: Phrases, *, patience: float = PATIENCE
    ) -> None:
        self._store, self._inbox, self._clock, self._phrases = store, inbox, clock, phrases
        self._patience = patience
        self.desks: Mapping[str, Desk] = {}
        self.channels: Mapping[tuple[str, str], Channel] = {}

    # --- while a person waits or talks to an agent: called by the engine, inside a turn

    async def respond(self, work: Work) -> None:
        """A message came while the conversation is not the bot's: pass it on, or take the person back."""
        content, owner = work.message.content, work.conversation.owner
        case = work.conversation.case
        if isinstance(content, Due):
            await self._due(work, content)
        elif isinstance(content, Joined):
            work.trace.decided = "somebody came in while a person owns the conversation"
        elif owner in {"requested", "queued"} and _leaves(content):
            work.trace.decided = "left the queue"
            await self._leave(work, case)
        elif not self._changed(work, case):
            work.trace.decided = "a person owns the conversation"
            work.pass_on(case)

    def _changed(self, work: Work, case: str) -> bool:
        """Tell the desk what became of an earlier message: whether this one is about one."""
        match work.message.content:
            case Edited(settled=True) | Deleted(settled=True):
                work.trace.decided = "changed before it was passed on"
            case Edited(text=text):
                work.trace.decided = "an edit, passed on to a person"
                work.pass_on(case, text=self._phrases.edited.replace("{text}", text))
            case Deleted():
                self._note(work, case, "They took back a message that they sent before.")
            case Reacted(emoji=emoji, added=added):
                self._note(work, case, f"They reacted with {emoji}." if added else f"They took back their {emoji}.")
            case _:
                return False
        return True

    def _note(self, work: Work, case: str, text: str) -> None:
        work.trace.decided = "noted for a person"
        work.call(f"{case}:note.{work.claim.n}", DeskCall(kind="note", case=case, text=text))

    async def _due(self, work: Work, due: Due) -> None:
        owner, case = work.conversation.owner, work.conversation.case
        work.trace.decided = "nothing to do any more"
        if due.kind == "ownership" and due.key == case:
            await self._returned(work, due)
        elif due.kind == "ownership" and due.key == moves.WAITING + case and owner == "queued":
            work.trace.decided = "nobody has taken it for long"
            work.notice(f"{case}:waiting", self._phrases.still_waiting)
        elif due.kind == "ownership" and due.key == TRYING + case and owner == "requested":
            work.trace.decided = "the desk can't be reached for long"
            work.notice(f"{case}:trying", self._phrases.still_trying)
        elif due.kind == "say" and owner in {"requested", "queued"}:
            work.trace.decided = "a scheduled text, while the person waits"
            work.say(f"due.{due.key}", Reply(text=due.text))
        elif due.kind == "say":
            work.trace.decided = "a scheduled text, kept until the person is back"
            work.lane.kept.append(due)

    async def _returned(self, work: Work, due: Due) -> None:
        """The agent has left: the bot speaks again, says what it kept back, and knows what the agent noted."""
        record = await self._store.case(id=due.key)
        agent = record.agent if record else ""
        work.trace.decided = "the agent gave the conversation back"
        work.own(OwnerChange(expected=work.owner_version, owner="bot"))
        if due.text:
            work.remember("handoff:note", msgspec.json.encode(due.text))
        sentence = self._phrases.returned if agent else self._phrases.returned_untaken
        work.say(f"returned.{due.key}", Reply(text=sentence.replace("{agent}", escape(agent))))
        for kept in work.lane.kept:
            work.say(f"due.{kept.key}", Reply(text=f"{self._phrases.kept}\n\n{kept.text}"))
        work.lane.kept = []

    async def _leave(self, work: Work, case: str) -> None:
        """The person doesn't want to wait any longer."""
        record = await self._store.case(id=case)
        if record is None:
            return
        work.own(OwnerChange(expected=work.owner_version, owner="bot"), record.closed(self._clock.now()))
        work.close_case(case, "the person came back to the bot")
        for key in (moves.WAITING, TRYING):
            work.unschedule(key + case)
        work.say(f"left.{case}", Reply(text=self._phrases.left_queue))

    # --- what the outbox asks for: the desk's side of an outgoing row

    async def perform(self, row: OutRow) -> None:
        """Do one call at a desk. Raises the SendError classes, like a channel's send."""
        call = row.outgoing.call
        assert call is not None, "a desk row without a call"  # noqa: S101 - the store's own mistake
        record = await self._store.case(id=call.case)
        if record is None:
            return
        desk = self.desks.get(record.desk)
        if desk is None:
            await self._failed(record, f"the desk {record.desk} is not there any more")
            return
        key = row.outgoing.key
        if record.state == "failed" or (call.kind != "open" and not record.ref):
            return  # the desk refused the case, so there is no ticket to write into
        match call.kind:
            case "open":
                await self._open(desk, record, row)
            case "append" if call.entry:
                await desk.append(Ref(id=record.ref), call.entry, key)
            case "note":
                await desk.note(Ref(id=record.ref), call.text, key)
            case "close":
                await desk.close(Ref(id=record.ref), call.text, key)

    async def refused(self, row: OutRow, problem: str) -> None:
        """A row failed for good. The ticket itself: the bot takes the person back. An agent's words: tell the agent."""
        call = row.outgoing.call
        if row.outgoing.source == "agent":
            await self._tell_agent(row, problem)
        elif call and call.kind == "open" and (record := await self._store.case(id=call.case)):
            await self._failed(record, problem)

    async def _open(self, desk: Desk, record: CaseRecord, row: OutRow) -> None:
        conversation = await self._store.conversation(record.conversation)
        if conversation is None:
            return
        call = row.outgoing.call
        after = max(0, row.seq - TRANSCRIPT)
        entries = standing(await self._store.history(conversation.id, after=after, limit=TRANSCRIPT))
        case = Case(
            conversation=conversation.id,
            channel=conversation.address.channel,
            person=conversation.person,
            queue=record.queue,
            reason=record.reason,
            summary=moves.summarise(record, entries),
            transcript=tuple(entries),
            facts=await self._noted(conversation) | dict(call.facts if call else ()),
        )
        ref = await desk.open(case, row.outgoing.key)
        phrases, patience = self._phrases, self._patience
        await self._effect(record.id, lambda now, seen, fresh: moves.opened(now, seen, fresh, ref, phrases, patience))
        log.info("handoff_queued", conversation=conversation.id, case=record.id, desk=desk.name)

    async def _noted(self, conversation: Conversation) -> dict[str, str]:
        """What skills keep at hand for a person's ticket; whatever else stands there keeps nobody from getting one."""
        data = await self._store.recall(conversation.person.id, FACTS)
        try:
            return msgspec.json.decode(data, type=dict[str, str]) if data else {}
        except msgspec.DecodeError as problem:
            log.error("handoff_facts_unreadable", conversation=conversation.id, why=str(problem))
            return {}

    async def _failed(self, record: CaseRecord, problem: str) -> None:
        log.error("handoff_failed", case=record.id, desk=record.desk, why=problem)
        phrases = self._phrases
        await self._effect(record.id, lambda now, seen, fresh: moves.taken_back(now, seen, fresh, phrases))

    async def _tell_agent(self, row: OutRow, problem: str) -> None:
        conversation = await self._store.conversation(row.conversation)
        if conversation is None or not conversation.case:
            return
        text = f"This was not delivered: {problem}"
        note = Outgoing(
            key=f"{row.id}:undelivered", call=DeskCall(kind="note", case=conversation.case, text=text), source="system"
        )
        await self._inbox.apply(Effect(conversation=conversation.id, now=self._clock.now(), outgoing=(note,)))

    # --- what desks tell us

    async def receive(self, event: DeskEvent) -> bool:
        """Let an agent's doing take effect, once. Raises NotSent for a case that is not known yet: tell it again."""
        record = None
        for desk in self.desks.values():
            record = record or await self._store.case(desk=desk.name, ref=event.ref.id)
        if record is None:
            raise NotSent(f"no case is known as {event.ref.id} (yet)")
        if record.state in {"closed", "failed"}:
            return False
        if isinstance(event, AgentTyping):
            await self._typing(record, on=event.on)
            return True
        move, phrases = event, self._phrases
        return await self._effect(record.id, lambda now, seen, fresh: moves.move(now, seen, fresh, move, phrases))

    async def _effect(self, case: str, make: Make) -> bool:
        """Apply what `make` says of the newest state, again if the owner's version moved on between."""
        for _ in range(TRIES):
            record = await self._store.case(id=case)
            conversation = await self._store.conversation(record.conversation) if record else None
            if record is None or conversation is None:
                return False
            effect = make(self._clock.now(), conversation, record)
            if effect is None:
                return False
            if await self._inbox.apply(effect) is not None:
                return True
            fresh = await self._store.conversation(conversation.id)
            if fresh is None or fresh.owner_version == conversation.owner_version:
                return False  # it had happened before
        raise NotSent("the conversation changes hands all the time")

    async def transcript(self, conversation: str, *, after: int = 0, limit: int = 500) -> list[Entry]:
        """What was said, oldest first."""
        return standing(await self._store.history(conversation, after=after, limit=limit))

    # --- the other processes

    def publish(self, topic: str, body: bytes = b"") -> None:
        """Tell all processes."""
        self._inbox.publish(topic, body)

    def subscribe(self, topic: str, heard: Heard) -> Callable[[], None]:
        """Hear what any process tells."""
        return self._inbox.subscribe(topic, heard)

    def alone(self, name: str, job: Job) -> asyncio.Task[None]:
        """Do it in one process at a time."""
        return self._inbox.alone(name, job)

    # --- fleeting things

    async def typing(self, message: Message, conversation: Conversation) -> None:
        """The person is typing: show the agent, if there is one."""
        record = await self._store.case(id=conversation.case) if conversation.case else None
        desk = self.desks.get(record.desk) if record else None
        if desk and record and record.ref and isinstance(message.content, Typing):
            await desk.signal(Ref(id=record.ref), typing=message.content.on)

    async def _typing(self, record: CaseRecord, *, on: bool) -> None:
        conversation = await self._store.conversation(record.conversation)
        address = conversation.address if conversation else None
        channel = self.channels.get((address.channel, address.account)) if address else None
        if address and isinstance(channel, Types):
            await channel.typing(address, on=on)


def _leaves(content: Content) -> bool:
    """Whether somebody who waits for a person says that they would rather not."""
    match content:
        case Text(text=text) | Pressed(label=text):
            return meaning(text) in {"cancel", "back"}
        case Command(name=name, text=text):
            return name in {"cancel", "back"} and not text
        case _:
            return False
