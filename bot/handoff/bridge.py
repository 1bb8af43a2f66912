"""The bridge: moves a conversation to a desk and back, so that two voices never speak and no word is lost.

    bot -> requested -> queued -> human -> wrapping_up -> bot

Every step is a compare-and-set on the owner's version, in the same commit as its words. The ticket exists before
the person is promised anything. Knows no helpdesk: a `Desk` does the talking.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec
import structlog

from bot.channel import Channel, Entry, Types
from bot.clock import Clock
from bot.desk import Agent, AgentClosed, AgentReplied, AgentTook, AgentTyping, Case, Desk, DeskEvent, DeskGateway, Ref
from bot.errors import NotSent
from bot.inbox import Inbox
from bot.messages import Due, Message, Sender, Typing
from bot.people import Conversation
from bot.phrases import Phrases
from bot.rendering import escape
from bot.replies import Reply
from bot.store.contract import CaseRecord, DeskCall, Effect, Outgoing, OutRow, OwnerChange, Store
from bot.text import meaning
from bot.work import Work

log = structlog.get_logger()

SYSTEM = Sender(id="frontdesk")

Make = Callable[[float, Conversation, CaseRecord], Effect | None]

TRIES = 5

TRANSCRIPT = 200
"""Lines of the conversation that a new case brings along; the desk reads more through the gateway."""


class Bridge(DeskGateway):
    """Owns who speaks."""

    def __init__(self, store: Store, inbox: Inbox, clock: Clock, phrases: Phrases) -> None:
        self._store, self._inbox, self._clock, self._phrases = store, inbox, clock, phrases
        self.desks: Mapping[str, Desk] = {}
        self.channels: Mapping[tuple[str, str], Channel] = {}

    # --- while a person waits or talks to an agent: called by the engine, inside a turn

    async def respond(self, work: Work) -> None:
        """A message came while the conversation is not the bot's: pass it on, or take the person back."""
        content, owner = work.message.content, work.conversation.owner
        case = work.conversation.case
        if isinstance(content, Due):
            await self._due(work, content)
        elif owner in {"requested", "queued"} and meaning(work.message.text) in {"cancel", "back"}:
            work.trace.decided = "left the queue"
            await self._return(work, case, self._phrases.left_queue, "the person came back to the bot")
        else:
            work.trace.decided = "a person owns the conversation"
            work.pass_on(case)

    async def _due(self, work: Work, due: Due) -> None:
        if due.kind == "ownership" and due.key == work.conversation.case:
            record = await self._store.case(id=due.key)
            agent = record.agent if record else ""
            work.trace.decided = "the agent gave the conversation back"
            work.own(OwnerChange(expected=work.owner_version, owner="bot"))
            if due.text:
                work.remember("handoff:note", msgspec.json.encode(due.text))
            text = self._phrases.returned.replace("{agent}", escape(agent or self._phrases.colleague))
            work.say(f"returned.{due.key}", Reply(text=text))
        elif due.kind == "say":
            work.trace.decided = "a scheduled text, kept back while a person owns the conversation"

    async def _return(self, work: Work, case: str, sentence: str, reason: str) -> None:
        record = await self._store.case(id=case)
        if record is None:
            return
        closed = record.closed(self._clock.now())
        work.own(OwnerChange(expected=work.owner_version, owner="bot"), closed)
        work.close_case(case, reason)
        work.say(f"left.{case}", Reply(text=sentence))

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
        entries = await self._store.history(conversation.id, after=max(0, row.seq - TRANSCRIPT), limit=TRANSCRIPT)
        case = Case(
            conversation=conversation.id,
            channel=conversation.address.channel,
            person=conversation.person,
            queue=record.queue,
            reason=record.reason,
            summary=summarise(record, entries),
            transcript=tuple(entries),
            facts=dict(call.facts) if call else {},
        )
        ref = await desk.open(case, row.outgoing.key)
        await self._effect(record.id, lambda now, seen, fresh: self._opened(now, seen, fresh, ref))
        log.info("handoff_queued", conversation=conversation.id, case=record.id, desk=desk.name)

    def _opened(self, now: float, seen: Conversation, record: CaseRecord, ref: Ref) -> Effect:
        """The ticket exists: now promise it; or, if the person has left meanwhile, only keep the ticket's name."""
        waiting = seen.owner == "requested" and seen.case == record.id
        return Effect(
            conversation=seen.id,
            now=now,
            event_id=f"opened:{record.id}",
            owner=OwnerChange(expected=seen.owner_version, owner="queued", case=record.id) if waiting else None,
            case=record.opened(ref.id),
            outgoing=(_notice(f"{record.id}:queued", self._phrases.queued),) if waiting else (),
        )

    async def _failed(self, record: CaseRecord, problem: str) -> None:
        log.error("handoff_failed", case=record.id, desk=record.desk, why=problem)
        await self._effect(record.id, self._took_back)

    async def _tell_agent(self, row: OutRow, problem: str) -> None:
        conversation = await self._store.conversation(row.conversation)
        if conversation is None or not conversation.case:
            return
        text = f"This was not delivered: {problem}"
        note = Outgoing(
            key=f"{row.id}:undelivered", call=DeskCall(kind="note", case=conversation.case, text=text), source="system"
        )
        await self._inbox.apply(Effect(conversation=conversation.id, now=self._clock.now(), outgoing=(note,)))

    def _took_back(self, now: float, seen: Conversation, record: CaseRecord) -> Effect:
        return Effect(
            conversation=seen.id,
            now=now,
            event_id=f"failed:{record.id}",
            owner=OwnerChange(expected=seen.owner_version, owner="bot"),
            case=record.closed(now, failed=True),
            outgoing=(_notice(f"{record.id}:failed", self._phrases.no_desk),),
        )

    # --- what desks tell us

    async def receive(self, event: DeskEvent) -> bool:
        """Let an agent's doing take effect, once. Raises NotSent for a case that is not known yet: tell it again."""
        record = None
        for desk in self.desks.values():
            record = record or await self._store.case(desk=desk.name, ref=event.ref.id)
        if record is None:
            raise NotSent(f"no case is known as {event.ref.id} (yet)")
        if record.state == "closed":
            return False
        match event:
            case AgentTyping():
                await self._typing(record, on=event.on)
                return True
            case AgentTook():
                return await self._effect(record.id, lambda now, seen, fresh: self._took(now, seen, fresh, event.agent))
            case AgentReplied():
                # Speaking is taking over, whether or not anybody pressed "take".
                await self._effect(record.id, lambda now, seen, fresh: self._took(now, seen, fresh, event.agent))
                return await self._effect(record.id, lambda now, seen, fresh: _spoke(now, seen, fresh, event))
            case AgentClosed():
                return await self._effect(record.id, lambda now, seen, fresh: self._gave_back(now, seen, fresh, event))

    def _took(self, now: float, seen: Conversation, record: CaseRecord, agent: Agent) -> Effect | None:
        if seen.owner == "human" and record.agent == agent.name:
            return None
        text = self._phrases.joined.replace("{agent}", escape(agent.name))
        return Effect(
            conversation=seen.id,
            now=now,
            event_id=f"took:{record.id}:{agent.id}:{seen.owner_version}",
            owner=OwnerChange(expected=seen.owner_version, owner="human", case=record.id),
            case=record.taken(agent.name),
            outgoing=(_notice(f"{record.id}:joined:{seen.owner_version}", text),),
        )

    def _gave_back(self, now: float, seen: Conversation, record: CaseRecord, event: AgentClosed) -> Effect:
        name = event.agent.name if event.agent else record.agent
        due = Due(kind="ownership", key=record.id, text=event.note)
        message = Message(event_id=f"returned:{record.id}", address=seen.address, sender=SYSTEM, content=due, at=now)
        left = _notice(f"{record.id}:left", self._phrases.left.replace("{agent}", escape(name)))
        return Effect(
            conversation=seen.id,
            now=now,
            event_id=event.event_id,
            owner=OwnerChange(expected=seen.owner_version, owner="wrapping_up", case=record.id),
            case=record.closed(now),
            outgoing=(left,) if name else (),
            message=message,
        )

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
        return await self._store.history(conversation, after=after, limit=limit)

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


def _spoke(now: float, seen: Conversation, record: CaseRecord, event: AgentReplied) -> Effect | None:
    if seen.case != record.id:
        return None
    reply = Reply(text=event.text, media=event.media)
    outgoing = Outgoing(key=f"{record.id}:{event.event_id}", body=reply, source="agent", author=event.agent.name)
    return Effect(conversation=seen.id, now=now, event_id=event.event_id, outgoing=(outgoing,))


def summarise(record: CaseRecord, entries: list[Entry]) -> str:
    """The first lines an agent reads: why, and the person's last words."""
    # Bare figures are answers to questions, one-time codes among them: they tell an agent nothing.
    said = [entry.text for entry in entries if entry.source == "user" and any(c.isalpha() for c in entry.text)][-3:]
    lines = [f"Why: {record.reason or 'asked for a person'}"]
    lines += [f"They said: {text[:300]}" for text in said]
    return "\n".join(lines)


def _notice(key: str, text: str) -> Outgoing:
    return Outgoing(key=key, body=Reply(text=text), source="system")
