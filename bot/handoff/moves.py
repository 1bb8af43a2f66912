"""What each event at a desk makes of a conversation: the steps of the handoff, as effects to be applied. Pure.

Every function looks at the newest state and answers with what is to be written, or None when there is nothing to do.
Knows no helpdesk, and writes nothing itself.
"""

from __future__ import annotations

from collections.abc import Sequence

from bot.channel import Entry
from bot.desk import Agent, AgentClosed, AgentReplied, AgentTook, Ref
from bot.messages import Due, Message, Sender
from bot.people import Conversation
from bot.phrases import Phrases
from bot.rendering import escape
from bot.replies import Reply
from bot.store.contract import CaseRecord, Effect, Outgoing, OwnerChange, Timer

Move = AgentTook | AgentReplied | AgentClosed

SYSTEM = Sender(id="frontdesk")

WAITING = "waiting:"
"""The key of the timer that goes off when nobody has taken a case for long begins with this; its id follows."""

SHOWN = 300
"""Characters of the person's last messages that a summary shows."""


def opened(now: float, seen: Conversation, record: CaseRecord, ref: Ref, phrases: Phrases, patience: float) -> Effect:
    """The ticket exists: now promise it. If the person has left meanwhile, only keep the ticket's name."""
    waiting = seen.owner == "requested" and seen.case == record.id
    alarm = Timer(key=WAITING + record.id, at=now + patience, due=Due(kind="ownership", key=WAITING + record.id))
    return Effect(
        conversation=seen.id,
        now=now,
        event_id=f"opened:{record.id}",
        owner=OwnerChange(expected=seen.owner_version, owner="queued", case=record.id) if waiting else None,
        case=record.opened(ref.id),
        outgoing=(notice(f"{record.id}:queued", phrases.queued),) if waiting else (),
        timers=(alarm,) if waiting else (),
    )


def taken_back(now: float, seen: Conversation, record: CaseRecord, phrases: Phrases) -> Effect | None:
    """The desk refused the case for good: the bot goes on, and says so, unless the person has left by themselves."""
    if seen.case != record.id:
        return None
    return Effect(
        conversation=seen.id,
        now=now,
        event_id=f"failed:{record.id}",
        owner=OwnerChange(expected=seen.owner_version, owner="bot"),
        case=record.closed(now, failed=True),
        outgoing=(notice(f"{record.id}:failed", phrases.unreachable),),
    )


def move(now: float, seen: Conversation, record: CaseRecord, event: Move, phrases: Phrases) -> Effect | None:
    """What an agent did. Nothing, if the conversation is no longer at the desk: the person may just have left."""
    if seen.case != record.id or record.state in {"closed", "failed"}:
        return None
    match event:
        case AgentTook():
            return _took(now, seen, record, event, phrases)
        case AgentReplied():
            return _spoke(now, seen, record, event, phrases)
        case AgentClosed():
            return _gave_back(now, seen, record, event, phrases)


def summarise(record: CaseRecord, entries: Sequence[Entry]) -> str:
    """The first lines an agent reads: why, and the person's last words."""
    # Bare figures are answers to questions, one-time codes among them: they tell an agent nothing.
    said = [entry.text for entry in entries if entry.source == "user" and any(c.isalpha() for c in entry.text)][-3:]
    lines = [f"Why: {record.reason or 'asked for a person'}"]
    lines += [f"They said: {text[:SHOWN]}" for text in said]
    return "\n".join(lines)


def notice(key: str, text: str) -> Outgoing:
    """A sentence of the house itself, said whoever owns the conversation."""
    return Outgoing(key=key, body=Reply(text=text), source="system")


def _took(now: float, seen: Conversation, record: CaseRecord, event: AgentTook, phrases: Phrases) -> Effect | None:
    """An agent takes the case, or takes it over from a colleague; the person sees who it is."""
    if _owns(seen, record, event.agent):
        return None
    return Effect(
        conversation=seen.id,
        now=now,
        event_id=event.event_id,
        owner=OwnerChange(expected=seen.owner_version, owner="human", case=record.id),
        case=record.taken(event.agent.name),
        outgoing=(_joined(seen, record, event.agent, phrases),),
    )


def _spoke(now: float, seen: Conversation, record: CaseRecord, event: AgentReplied, phrases: Phrases) -> Effect:
    """An agent's words. Speaking is taking over, whether or not anybody pressed "take"; both happen once, together."""
    reply = Reply(text=event.text, media=event.media)
    said = Outgoing(key=f"{record.id}:{event.event_id}", body=reply, source="agent", author=event.agent.name)
    if _owns(seen, record, event.agent):
        return Effect(conversation=seen.id, now=now, event_id=event.event_id, outgoing=(said,))
    return Effect(
        conversation=seen.id,
        now=now,
        event_id=event.event_id,
        owner=OwnerChange(expected=seen.owner_version, owner="human", case=record.id),
        case=record.taken(event.agent.name),
        outgoing=(_joined(seen, record, event.agent, phrases), said),
    )


def _gave_back(now: float, seen: Conversation, record: CaseRecord, event: AgentClosed, phrases: Phrases) -> Effect:
    """The case is done: the person sees the agent leave, and a message in the lane gives the bot its turn."""
    # A message in the lane, not a change of owner alone: what came in before it still belongs to the agent.
    due = Due(kind="ownership", key=record.id, text=event.note)
    message = Message(event_id=f"returned:{record.id}", address=seen.address, sender=SYSTEM, content=due, at=now)
    name = record.agent or (event.agent.name if event.agent else "")
    left = notice(f"{record.id}:left", phrases.left.replace("{agent}", escape(name)))
    return Effect(
        conversation=seen.id,
        now=now,
        event_id=event.event_id,
        owner=OwnerChange(expected=seen.owner_version, owner="wrapping_up", case=record.id),
        case=record.closed(now),
        outgoing=(left,) if name and seen.owner == "human" else (),
        message=message,
    )


def _owns(seen: Conversation, record: CaseRecord, agent: Agent) -> bool:
    return seen.owner == "human" and record.agent == agent.name


def _joined(seen: Conversation, record: CaseRecord, agent: Agent, phrases: Phrases) -> Outgoing:
    return notice(f"{record.id}:joined:{seen.owner_version}", phrases.joined.replace("{agent}", escape(agent.name)))
