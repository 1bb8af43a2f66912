"""Rows as they come from the functions and statements, as values. Knows no SQL but its own lists of columns."""

from __future__ import annotations

from typing import Literal

from bot.messages import Address
from bot.people import Conversation, Person
from bot.store.codec import decode_call, decode_message, decode_reply, encode
from bot.store.contract import CaseRecord, Claim, Outgoing, OutRow
from bot.store.postgres.pool import Row

TURN = """
SELECT l.conversation, l.tenant, l.channel, l.account, l.chat, l.thread, l.owner, l.owner_version, l.case_id,
       l.epoch, l.head, l.rev, l.attempts, l.turn_seq, i.payload,
       i.person, p.name, p.language, p.phone, p.email, p.verified, s.state
FROM lanes l
JOIN inbox i ON i.conversation = l.conversation AND i.seq = l.turn_seq
LEFT JOIN people p ON p.id = i.person
LEFT JOIN states s ON s.conversation = l.conversation """

OUTBOX = """
SELECT o.conversation, o.seq, o.turn, o.target, o.key, o.body, o.source, o.author, o.status, o.attempts,
       o.not_before, o.first_attempt_at, o.last_attempt_at, o.platform_id, o.error,
       l.channel, l.account, l.chat, l.thread
FROM outbox o JOIN lanes l ON l.conversation = o.conversation """

CASES = "SELECT id, conversation, desk, queue, reason, opened_at, ref, agent, state, cursor, closed_at FROM cases "


def as_claim(row: Row) -> Claim:
    """A row of TURN."""
    (conversation, tenant, channel, account, chat, thread, owner, owner_version, case) = row[:9]
    (epoch, head, rev, attempts, seq, payload, person, name, language, phone, email, verified, state) = row[9:]
    return Claim(
        conversation=Conversation(
            id=conversation,
            address=Address(channel=channel, account=account, chat=chat, thread=thread),
            person=as_person(person, name, language, phone, email, verified),
            tenant=tenant,
            owner=owner,
            owner_version=owner_version,
            case=case,
        ),
        epoch=epoch,
        n=head + 1,
        rev=rev,
        attempts=attempts,
        seq=seq,
        message=decode_message(payload),
        state=state or b"",
    )


def as_person(
    id: str, name: str | None, language: str | None, phone: str | None, email: str | None, verified: int | None
) -> Person:
    """A person from an outer join, of whom there may be no row."""
    return Person(
        id=id,
        name=name or "",
        language=language or "",
        phone=phone or "",
        email=email or "",
        verified=bool(verified),
    )


def as_conversation(row: Row) -> Conversation:
    """A row of the lane's columns: id, place, tenant, owner, its version, the case, and the person's."""
    id, channel, account, chat, thread, tenant, owner, owner_version, case = row[:9]
    return Conversation(
        id=id,
        address=Address(channel=channel, account=account, chat=chat, thread=thread),
        person=as_person(*row[9:]),
        tenant=tenant,
        owner=owner,
        owner_version=owner_version,
        case=case,
    )


def as_row(row: Row) -> OutRow:
    """A row of OUTBOX."""
    conversation, seq, turn, target, key, body, source, author, status, attempts = row[:10]
    not_before, first_attempt_at, last_attempt_at, platform_id, error, channel, account, chat, thread = row[10:]
    outgoing = Outgoing(
        key=key,
        body=decode_reply(body) if target == "channel" else None,
        call=decode_call(body) if target == "desk" else None,
        source=source,
        author=author,
    )
    return OutRow(
        id=f"{conversation}.{seq}",
        conversation=conversation,
        seq=seq,
        turn=turn,
        target=target,
        address=Address(channel=channel, account=account, chat=chat, thread=thread),
        outgoing=outgoing,
        status=status,
        attempts=attempts,
        not_before=not_before,
        first_attempt_at=first_attempt_at,
        last_attempt_at=last_attempt_at,
        platform_id=platform_id,
        error=error,
    )


def target(item: Outgoing) -> Literal["channel", "desk"]:
    """To whom it goes."""
    return "channel" if item.call is None else "desk"


def body(item: Outgoing) -> bytes:
    """What is sent, as JSON."""
    return encode(item.body if item.call is None else item.call)


def once(item: Outgoing) -> bool:
    """Whether it must not be sent twice."""
    return item.body is not None and item.body.once


def fresh(conversation: str, turn: int, place: Row, seq: int, item: Outgoing) -> OutRow:
    """A row that was added a moment ago."""
    channel, account, chat, thread = place
    return OutRow(
        id=f"{conversation}.{seq}",
        conversation=conversation,
        seq=seq,
        turn=turn,
        target=target(item),
        address=Address(channel=channel, account=account, chat=chat, thread=thread),
        outgoing=item,
    )


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
