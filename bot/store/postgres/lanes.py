"""Statements for messages and turns: store one, claim one, write its result, give it back, keep it.

What is hard about them is in functions.sql; here values become arguments and rows become values. A `now` of None
stands for the database's own clock.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, NamedTuple

from bot.channel import Accepted, Unreadable
from bot.errors import Fenced
from bot.messages import Message, Sender
from bot.people import Conversation
from bot.store.amending import WAITING, amend
from bot.store.codec import decode_message, encode
from bot.store.contract import CaseRecord, Change, Claim, Committed, Outgoing, OutRow
from bot.store.incoming import Incoming
from bot.store.parking import KEEP, as_letter, claim_or_letter, claim_or_none, due_or_letter
from bot.store.postgres.functions import call, call_many
from bot.store.postgres.pool import Pool
from bot.store.postgres.texts import plain, plain_all, plain_id
from bot.store.rows import TURN, Row, as_address, as_claim, as_person, begun, body, fresh, once, target

_PUT_TYPES = "text " * 9 + "bigint bytea " + "text " * 4 + "bigint text text float8 float8"

TAKE = call("take", 20)
_TAKE_MANY = call_many("take", _PUT_TYPES.split())
_CLAIM = call("claim", 4)
_COMMIT = call("commit", 35)
_FIRE = call("fire", 8)

_WAITING = WAITING.format("$1", "$2")

_AMEND = "UPDATE inbox SET payload = $3, words = $4 WHERE conversation = $1 AND seq = $2"

_KEEP = KEEP.format(*(f"${number}" for number in range(1, 8)))

_LOCK = "SELECT true FROM lanes WHERE conversation = $1 AND epoch = $2 FOR UPDATE"

_SKIP = """
UPDATE lanes SET head = head + 1, epoch = epoch + 1, attempts = 0, worker = '', ready_at = 0,
  turn_seq = coalesce((SELECT min(seq) FROM inbox WHERE conversation = $1 AND seq > lanes.turn_seq), 0)
WHERE conversation = $1"""

CLOCK = "coalesce({0}::double precision, extract(epoch FROM clock_timestamp())::double precision)"

# Whoever gives a turn back has lost it: with the epoch raised, a late commit of theirs no longer fits.
_RETRY = f"""
UPDATE lanes SET ready_at = {CLOCK.format("$5")} + $6, worker = '', epoch = epoch + 1, attempts = attempts - $4
WHERE conversation = $1 AND epoch = $2 AND head = $3 - 1 RETURNING true"""  # noqa: S608  # our own constant

_REREAD = TURN + "WHERE l.conversation = $1 AND l.turn_seq > 0 AND l.epoch = $2 AND l.head = $3 - 1"

# Locked in one order, so that two processes with the same lanes don't wait for each other in a ring.
_RENEW = f"""
WITH mine AS (
  SELECT l.conversation, c.place FROM unnest($1::text[], $2::bigint[], $3::bigint[])
    WITH ORDINALITY c (conversation, epoch, n, place)
  JOIN lanes l ON l.conversation = c.conversation AND l.epoch = c.epoch AND l.head = c.n - 1
  ORDER BY l.conversation FOR UPDATE OF l)
UPDATE lanes l SET ready_at = {CLOCK.format("$4")} + $5 FROM mine WHERE l.conversation = mine.conversation
RETURNING mine.place"""  # noqa: S608  # our own constant

_DUE = f"""
WITH clock AS MATERIALIZED (SELECT {CLOCK.format("$1")} AS now)
SELECT (SELECT now FROM clock), t.conversation, t.key, t.at, t.due,
       l.tenant, l.channel, l.account, l.chat, l.thread
FROM timers t JOIN lanes l ON l.conversation = t.conversation
WHERE t.at <= (SELECT now FROM clock) ORDER BY t.at LIMIT $2"""  # noqa: S608  # our own constant

_STRIKE_TIMER = f"""
WITH struck AS (DELETE FROM timers WHERE conversation = $8 AND key = $9 AND at = $10)
{_KEEP}"""  # noqa: S608  # our own constant

_HOLD = f"""
INSERT INTO leases AS held (name, worker, until) VALUES ($1, $2, {CLOCK.format("$4")} + $3)
ON CONFLICT (name) DO UPDATE SET worker = excluded.worker, until = excluded.until
  WHERE held.worker = excluded.worker OR held.until <= {CLOCK.format("$4")}
RETURNING true"""  # noqa: S608  # our own constant

_LET_GO = "DELETE FROM leases WHERE name = $1 AND worker = $2"


def put_values(item: Incoming, now: float | None, worker: str = "", lease: float = 0.0) -> tuple[object, ...]:
    """The arguments of `take`; without a worker the message is only stored."""
    conversation, person, payload, message = item
    address = message.address
    tenant, channel, account, event_id = item.event
    name, language, phone, email, verified, timezone = item.sender
    return (
        *(conversation, plain(tenant), plain(address.channel), plain(account)),
        *(plain(address.chat), plain(address.thread), person, plain(channel), plain_id(event_id)),
        *(item.words, payload, plain(name), plain(language), plain(phone), plain(email), verified, plain(timezone)),
        *(worker, lease, now),
    )


def as_accepted(row: Row) -> Accepted:
    """What `take` says of a message."""
    return Accepted(conversation=row[0], seq=row[1], duplicate=row[2])


class Taking(NamedTuple):
    """A message to store, and to claim at once if there is a worker for it."""

    item: Incoming
    now: float | None
    worker: str = ""
    lease: float = 0.0


async def take(pool: Pool, wanted: Sequence[Taking]) -> list[tuple[Accepted, Claim | None]]:
    """Store messages, and claim the turn of each if nothing else of its lane waits or is at work."""
    if len(wanted) == 1:
        rows = await pool.rows(TAKE, *put_values(*wanted[0]))
        return [_answer(wanted[0], row) for row in rows]
    # Lane by lane in one order, so that two batches don't wait for each other in a ring.
    order = sorted(range(len(wanted)), key=lambda place: wanted[place].item.conversation)
    columns = zip(*(put_values(*wanted[place]) for place in order), strict=True)
    rows = await pool.rows(_TAKE_MANY, *map(list, columns))
    answers = {place: _answer(wanted[place], row) for place, row in zip(order, rows, strict=True)}
    return [answers[place] for place in range(len(wanted))]


async def take_edit(connection: Any, taking: Taking) -> tuple[Accepted, Claim | None]:
    """The same for an edit: it changes a message that still waits for its turn."""
    row = await connection.fetchrow(TAKE, *put_values(*taking))
    accepted, claim = _answer(taking, row)
    if claim is None and not accepted.duplicate:
        edit = decode_message(taking.item.payload)  # without what could not be stored
        waiting = await connection.fetch(_WAITING, accepted.conversation, accepted.seq)
        for number, payload, words in amend(edit, accepted.seq, waiting):
            await connection.execute(_AMEND, accepted.conversation, number, payload, words)
    return accepted, claim


def _answer(taking: Taking, row: Row) -> tuple[Accepted, Claim | None]:
    return as_accepted(row), _taken(taking.item.message, row) if row[3] else None


async def claim(pool: Pool, worker: str, limit: int, lease: float, now: float | None) -> list[Claim]:
    """Take turns that are ready; each counts as an attempt from now on."""
    claims = []
    for row in await pool.rows(_CLAIM, worker, limit, lease, now):
        claimed = claim_or_letter(row, time.time() if now is None else now)
        if isinstance(claimed, Claim):
            claims.append(claimed)
        else:
            await _pass_over(pool, row, claimed)
    return claims


async def _pass_over(pool: Pool, row: Row, letter: Unreadable) -> None:
    """Keep what can't be decoded, and go past it: it must not hold up its lane."""
    conversation, epoch = row[0], row[10]

    async def write(connection: Any) -> None:
        # Locked first: what a put brings while we wait for it must be seen below.
        if await connection.fetchval(_LOCK, conversation, epoch):
            await connection.execute(_KEEP, *as_letter(letter))
            await connection.execute(_SKIP, conversation)

    await pool.transaction(write)


async def commit(pool: Pool, change: Change, now: float | None) -> Committed:
    """Write the result of a turn, or of a part of it."""
    if change.owner is not None and change.owner.expected != change.owner_version:
        raise Fenced(f"{change.conversation}: the change of owner expects another version than the turn")
    row = await pool.row(_COMMIT, *_commit_values(change, now))
    if row is None:
        raise Fenced(f"{change.conversation}: turn {change.n} of epoch {change.epoch} is no longer ours")
    at, first, seqs, begins = row[:4]
    following = claim_or_none(row[4:]) if row[4] is not None else None
    rows = _added(change, row[6:10], first, seqs)
    if begins:
        rows = tuple(begun(each, at, change.sends) if each.seq == begins else each for each in rows)
    return Committed(rows=rows, rev=change.rev + 1, next=following)


async def retry(pool: Pool, item: Claim, now: float | None, pause: float, counts: bool) -> bool:
    """Give a turn back, to be claimed in `pause` seconds."""
    back = 0 if counts else 1
    return bool(await pool.value(_RETRY, item.conversation.id, item.epoch, item.n, back, now, pause))


async def reread(pool: Pool, item: Claim) -> Claim | None:
    """The same turn as it stands now, if it is still this worker's."""
    row = await pool.row(_REREAD, item.conversation.id, item.epoch, item.n)
    return None if row is None else as_claim(row)


async def renew(pool: Pool, items: Sequence[Claim], lease: float, now: float | None) -> list[bool]:
    """Keep turns for `lease` seconds from now."""
    names = [item.conversation.id for item in items]
    epochs, numbers = [item.epoch for item in items], [item.n for item in items]
    kept = {row[0] for row in await pool.rows(_RENEW, names, epochs, numbers, now, lease)}
    return [place in kept for place in range(1, len(items) + 1)]


async def fire(pool: Pool, now: float | None, limit: int) -> int:
    """Turn timers that are due into messages of their lanes; another process may do some of them."""
    fired = 0
    for clock, conversation, key, at, kept, tenant, *place in await pool.rows(_DUE, now, limit):
        content = due_or_letter(conversation, key, place[1], kept, clock)
        if isinstance(content, Unreadable):
            await pool.rows(_STRIKE_TIMER, *as_letter(content), conversation, key, at)
            continue
        message = Message(
            event_id=f"timer:{conversation}:{key}:{at}",
            address=as_address(place),
            sender=Sender(id="frontdesk"),
            content=content,
            at=clock,
            tenant=tenant,
        )
        values = (conversation, key, at, tenant, message.address.account, message.event_id, encode(message), now)
        fired += bool(await pool.value(_FIRE, *values))
    return fired


async def hold(pool: Pool, name: str, worker: str, lease: float, now: float | None) -> bool:
    """Be the one that does `name` for so long, unless another one is."""
    return bool(await pool.value(_HOLD, name, worker, lease, now))


async def let_go(pool: Pool, name: str, worker: str) -> None:
    """Not any more."""
    await pool.value(_LET_GO, name, worker)


def add_values(items: Sequence[Outgoing]) -> tuple[list[Any], ...]:
    """Rows for the outbox as columns: keys, targets, bodies, sources, authors, at most once, always, what they edit."""
    return (
        [plain(item.key) for item in items],
        [target(item) for item in items],
        [body(item) for item in items],
        [item.source for item in items],
        [plain(item.author) for item in items],
        [once(item) for item in items],
        [item.always for item in items],
        [item.edits for item in items],
    )


def case_values(case: CaseRecord | None) -> tuple[list[str] | None, float, float]:
    """A case as the functions take it: its texts, when it was opened and closed."""
    if case is None:
        return None, 0.0, 0.0
    texts = (case.id, case.conversation, case.desk, case.queue, case.reason, case.ref, case.agent, case.state)
    return plain_all((*texts, case.cursor)), case.opened_at, case.closed_at


def _commit_values(change: Change, now: float | None) -> tuple[object, ...]:
    timers, facts, owner, silence = change.timers, change.facts, change.owner, change.silence
    return (
        *(change.conversation, change.epoch, change.n, change.rev, change.owner_version, now),
        *(change.done, change.keep, change.lease, change.sends, change.state),
        *add_values(change.outgoing),
        plain_all(change.cleared),
        *([plain(timer.key) for timer in timers], [timer.at for timer in timers]),
        [encode(timer.due) for timer in timers],
        *(plain_all(fact.person for fact in facts), plain_all(fact.key for fact in facts)),
        [fact.value for fact in facts],
        *((None, None) if owner is None else (owner.owner, plain(owner.case))),
        *case_values(change.case),
        *(change.trace, plain(change.parked)),
        *((None, "") if silence is None else (silence.silence, plain(silence.word))),
    )


def _added(change: Change, place: Row, first: int, seqs: list[int]) -> tuple[OutRow, ...]:
    """The rows that were new: `first` is the number that the first of all was given."""
    address = as_address(place)
    return tuple(fresh(change.conversation, change.n, address, seq, change.outgoing[seq - first]) for seq in seqs)


def _taken(message: Message, row: Row) -> Claim:
    """The claim of a message that was stored a moment ago."""
    conversation, seq, _, _, n, epoch, rev, owner, owner_version, case, silence, *person, state = row
    return Claim(
        conversation=Conversation(
            id=conversation,
            address=message.address,
            person=as_person(person),
            tenant=message.tenant,
            owner=owner,
            owner_version=owner_version,
            case=case,
            silence=silence,
        ),
        epoch=epoch,
        n=n,
        rev=rev,
        attempts=1,
        seq=seq,
        message=message,
        state=state or b"",
    )
