"""Rows of a store's tables as values, and back. Knows no SQL but its own lists of columns."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Sequence
from typing import Any, Literal

import msgspec

from bot.channel import Entry
from bot.messages import Address, Message
from bot.people import Conversation, Person
from bot.replies import NOTHING
from bot.store.codec import decode_call, decode_message, decode_reply, encode
from bot.store.contract import CaseRecord, Claim, DeadLetter, Outgoing, OutRow

Row = Sequence[Any]

LANE = """
l.conversation, l.tenant, l.channel, l.account, l.chat, l.thread, l.owner, l.owner_version, l.case_id, l.silence,
l.epoch, l.head, l.rev, l.attempts"""

TURN = f"""
SELECT {LANE}, l.turn_seq, i.payload,
       i.person, p.name, p.language, p.phone, p.email, p.verified, p.timezone, s.state
FROM lanes l
JOIN inbox i ON i.conversation = l.conversation AND i.seq = l.turn_seq
LEFT JOIN people p ON p.id = i.person
LEFT JOIN states s ON s.conversation = l.conversation """  # noqa: S608  # our own constants

OUTBOX = """
SELECT o.conversation, o.seq, o.turn, o.target, o.key, o.body, o.source, o.author, o.status, o.attempts,
       o.not_before, o.first_attempt_at, o.last_attempt_at, o.platform_id, o.error, o.always, o.edits,
       l.channel, l.account, l.chat, l.thread
FROM outbox o JOIN lanes l ON l.conversation = o.conversation """

CONVERSATION = """
l.conversation, l.channel, l.account, l.chat, l.thread, l.tenant, l.owner, l.owner_version, l.case_id, l.silence,
l.person, p.name, p.language, p.phone, p.email, p.verified, p.timezone
FROM lanes l LEFT JOIN people p ON p.id = l.person """

CASES = "SELECT id, conversation, desk, queue, reason, opened_at, ref, agent, state, cursor, closed_at FROM cases "

DEAD = """
SELECT d.conversation, d.n, d.at, d.error, i.payload
FROM dead_letters d JOIN inbox i ON i.conversation = d.conversation AND i.seq = d.seq
ORDER BY d.at DESC, d.conversation, d.n DESC LIMIT """


def as_claim(row: Row, taken: int = 0) -> Claim:
    """A row of TURN; `taken` is 1 when it was read before the claim was written."""
    seq, payload, *person, state = row[14:]
    return claim_of(row[:14], person, state, seq, decode_message(payload), taken)


def claim_of(lane: Row, person: Row, state: bytes | None, seq: int, message: Message, taken: int) -> Claim:
    """The turn of a message that is the next one of a lane (a row of LANE)."""
    (conversation, tenant, channel, account, chat, thread, owner, owner_version, case, silence, *numbers) = lane
    epoch, head, rev, attempts = numbers
    return Claim(
        conversation=Conversation(
            id=conversation,
            address=Address(channel=channel, account=account, chat=chat, thread=thread),
            person=as_person(person),
            tenant=tenant,
            owner=owner,
            owner_version=owner_version,
            case=case,
            silence=silence,
        ),
        epoch=epoch + taken,
        n=head + 1,
        rev=rev,
        attempts=attempts + taken,
        seq=seq,
        message=message,
        state=state or b"",
    )


def as_person(row: Row) -> Person:
    """An id and the columns of people, from an outer join: there may be no row of theirs."""
    id, name, language, phone, email, verified, timezone = row
    return Person(
        id=id,
        name=name or "",
        language=language or "",
        phone=phone or "",
        email=email or "",
        verified=bool(verified),
        timezone=timezone or "",
    )


def as_conversation(row: Row) -> Conversation:
    """A row of CONVERSATION."""
    id, channel, account, chat, thread, tenant, owner, owner_version, case, silence = row[:10]
    return Conversation(
        id=id,
        address=Address(channel=channel, account=account, chat=chat, thread=thread),
        person=as_person(row[10:]),
        tenant=tenant,
        owner=owner,
        owner_version=owner_version,
        case=case,
        silence=silence,
    )


def as_row(row: Row) -> OutRow:
    """A row of OUTBOX."""
    conversation, seq, turn, target, key, body, source, author, status, attempts = row[:10]
    not_before, first_attempt_at, last_attempt_at, platform_id, error, always, edits, *place = row[10:]
    outgoing = Outgoing(
        key=key,
        body=decode_reply(body) if target == "channel" else None,
        call=decode_call(body) if target == "desk" else None,
        source=source,
        author=author,
        always=bool(always),
        edits=edits,
    )
    return OutRow(
        id=f"{conversation}.{seq}",
        conversation=conversation,
        seq=seq,
        turn=turn,
        target=target,
        address=as_address(place),
        outgoing=outgoing,
        status=status,
        attempts=attempts,
        not_before=not_before,
        first_attempt_at=first_attempt_at,
        last_attempt_at=last_attempt_at,
        platform_id=platform_id,
        error=error,
    )


def as_rows(rows: Iterable[Row]) -> list[OutRow]:
    """Rows of OUTBOX, without those that this version can't decode."""
    readable = []
    for row in rows:
        with contextlib.suppress(msgspec.MsgspecError):
            readable.append(as_row(row))
    return readable


def target(item: Outgoing) -> Literal["channel", "desk"]:
    """To whom it goes."""
    return "channel" if item.call is None else "desk"


def body(item: Outgoing) -> bytes:
    """What is sent, as JSON."""
    return encode(item.body if item.call is None else item.call)


def once(item: Outgoing) -> bool:
    """Whether it must not be sent twice."""
    return item.body is not None and item.body.once


def as_address(place: Row) -> Address:
    """A row of channel, account, chat and thread."""
    channel, account, chat, thread = place
    return Address(channel=channel, account=account, chat=chat, thread=thread)


def fresh(conversation: str, turn: int, address: Address, seq: int, item: Outgoing) -> OutRow:
    """A row that was added a moment ago."""
    return OutRow(
        id=f"{conversation}.{seq}",
        conversation=conversation,
        seq=seq,
        turn=turn,
        target=target(item),
        address=address,
        outgoing=item,
    )


def begun(row: OutRow, at: float, wait: float) -> OutRow:
    """A fresh row as one whose send begins at once; how it went may be looked up after `wait` seconds."""
    return msgspec.structs.replace(
        row, status="sending", attempts=1, first_attempt_at=at, last_attempt_at=at, not_before=at + wait
    )


def as_entry(row: Row) -> Entry:
    """A line of the transcript: seq, source, author, content, time, edits. Without a source the person said it."""
    seq, source, author, content, at, edits = row
    if source is None:
        message = decode_message(content)
        return Entry(seq=seq, source="user", at=message.at, text=message.text, message=message)
    reply = decode_reply(content)
    if edits and reply == NOTHING:
        return Entry(seq=seq, source=source, at=at, takes_back=int(edits.rpartition(".")[2]))
    return Entry(seq=seq, source=source, at=at, text=reply.text, author=author, buttons=reply.buttons, reply=reply)


def as_entries(rows: Iterable[Row]) -> list[Entry]:
    """Lines of the transcript, without those that this version can't decode."""
    entries = []
    for row in rows:
        with contextlib.suppress(msgspec.MsgspecError):
            entries.append(as_entry(row))
    return entries


def as_case(row: Row) -> CaseRecord:
    """A row of CASES."""
    id, conversation, desk, queue, reason, opened_at, ref, agent, state, cursor, closed_at = row
    return CaseRecord(
        id=id,
        conversation=conversation,
        desk=desk,
        queue=queue,
        reason=reason,
        opened_at=opened_at,
        ref=ref,
        agent=agent,
        state=state,
        cursor=cursor,
        closed_at=closed_at,
    )


def as_dead_letter(row: Row) -> DeadLetter:
    """A row of DEAD."""
    conversation, n, at, error, payload = row
    return DeadLetter(conversation=conversation, n=n, at=at, error=error, message=decode_message(payload))


def as_dead_letters(rows: Iterable[Row]) -> list[DeadLetter]:
    """Rows of DEAD, without those whose message this version can't decode."""
    readable = []
    for row in rows:
        with contextlib.suppress(msgspec.MsgspecError):
            readable.append(as_dead_letter(row))
    return readable
