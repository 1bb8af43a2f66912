"""The running summary of a conversation: kept in a table of its own, carried forward bit by bit, behind the answers.

Who asks for it gets what is there, at once, and the rest is made afterwards. So it lags a turn behind, and the last
`VERBATIM` lines of the transcript, which everybody reads as they are, cover for that.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import structlog
from sqlalchemy import Column, Float, Integer, MetaData, String, Table, Text, text

from bot.channel import Entry
from bot.clock import Clock
from bot.context.extracting import Said, extract
from bot.context.measure import Count, rough
from bot.errors import FrontdeskError
from bot.messages import Value
from bot.ports.llm import NOBODY, Payer
from bot.store.contract import Store
from bot.store.own_tables import OwnTables

log = structlog.get_logger()

VERBATIM = 8
"""Lines at the end of a transcript that are not summed up: they are read as they are."""

STEP = 6
"""Lines that must have come since, before a summary is carried forward: each time may cost a call of a model."""

ROOM = 300
"""Tokens of a summary."""

_READ = 400  # lines of the transcript that are read at once
_MOST = 1000  # conversations that wait to be summed up; the others wait until they are asked for again

SKILL = "summaries"
"""What these calls are counted for, where usage is told by skill."""

WHO = {"user": "customer", "bot": "bot", "agent": "agent"}

metadata = MetaData()

# `upto` is the last line of the transcript that is in it; `made` says by whom: "model" or "extract".
summaries = Table(
    "context_summaries",
    metadata,
    Column("conversation", String(40), primary_key=True),
    Column("upto", Integer, nullable=False),
    Column("text", Text, nullable=False),
    Column("made", String(10), nullable=False),
    Column("at", Float, nullable=False),
)


_GET = text("SELECT upto, text, made FROM context_summaries WHERE conversation = :conversation")

_FORGET = text("DELETE FROM context_summaries WHERE conversation = :conversation")

# `old` is the fence: whoever carried the same summary forward meanwhile was first.
_SET = text(
    """INSERT INTO context_summaries (conversation, upto, text, made, at)
VALUES (:conversation, :upto, :text, :made, :at) ON CONFLICT (conversation) DO UPDATE SET
upto = excluded.upto, text = excluded.text, made = excluded.made, at = excluded.at
WHERE context_summaries.upto = :old"""
)


class Summary(Value, frozen=True):
    """What was said up to the line `upto` of the transcript; `made` by a "model", or as an "extract"."""

    text: str = ""
    upto: int = 0
    made: str = ""


Summarize = Callable[[str, Sequence[Said], int, Payer], Awaitable[str]]
"""Carries a summary forward over new lines, in so many tokens, paid by somebody: by a model. An empty text, or an
error, is a no."""


class Summaries:
    """Summaries of conversations. Without `summarize` they are made of the conversation's own sentences."""

    def __init__(self, store: Store, clock: Clock, *, summarize: Summarize | None = None, count: Count = rough) -> None:
        self._store, self._clock, self._count = store, clock, count
        self.summarize = summarize
        self._waiting: dict[str, None] = {}
        self._work: asyncio.Task[None] | None = None
        self._tables = OwnTables(store, metadata)

    async def of(self, conversation: str) -> Summary:
        """The summary as it stands, at once; what is missing in it is added afterwards."""
        found = await self._read(conversation)
        self.soon(conversation)
        return found

    def soon(self, conversation: str) -> None:
        """Carry the summary forward when there is time; several wishes for the same one are one."""
        if len(self._waiting) < _MOST:
            self._waiting[conversation] = None
        if self._work is None or self._work.done():
            self._work = asyncio.create_task(self._run(), name="summaries")

    async def settled(self) -> None:
        """Wait until nothing waits: for tests, and for a handoff that wants the newest."""
        while self._work is not None and not self._work.done():
            await asyncio.shield(self._work)

    async def stop(self) -> None:
        """Give up what waits: it is made when somebody asks again."""
        self._waiting.clear()
        if self._work is not None:
            self._work.cancel()
            await asyncio.gather(self._work, return_exceptions=True)

    async def forget(self, conversation: str) -> None:
        """Delete a summary."""
        if await self._tables.there():
            await self._store.write(lambda db: _nothing(db.execute(_FORGET, {"conversation": conversation})))

    # --- inside

    async def _run(self) -> None:
        while self._waiting:
            conversation = next(iter(self._waiting))
            del self._waiting[conversation]
            try:
                await self._carry(conversation)
            except FrontdeskError as problem:
                log.warning("summary_failed", conversation=conversation, why=type(problem).__name__)
            except Exception:
                log.exception("summary_failed", conversation=conversation)

    async def _carry(self, conversation: str) -> None:
        old = await self._read(conversation)
        while True:
            entries = await self._store.history(conversation, after=old.upto, limit=_READ)
            new = [entry for entry in entries if entry.source in WHO and entry.text.strip()]
            if len(entries) < _READ:
                new = new[:-VERBATIM]
            if len(new) < STEP:
                return
            words, made = await self._sum_up(old, new, await self._payer(conversation))
            summary = Summary(text=words, upto=new[-1].seq, made=made)
            if not await self._keep(conversation, old, summary):
                return  # another process did it
            old = summary

    async def _payer(self, conversation: str) -> Payer:
        """Whoever it is about: it is made for the answers that they get."""
        found = await self._store.conversation(conversation)
        return Payer(tenant=found.tenant, person=found.person.id, skill=SKILL) if found is not None else NOBODY

    async def _sum_up(self, old: Summary, new: Sequence[Entry], payer: Payer) -> tuple[str, str]:
        said = [Said(who=WHO[entry.source], text=entry.text) for entry in new]
        if self.summarize is not None:
            try:
                words = await self.summarize(old.text, said, ROOM, payer)
                if words.strip():
                    return words.strip(), "model"
            except FrontdeskError as problem:
                log.info("summary_without_model", why=type(problem).__name__)
        # In a thread: hundreds of long messages take a while.
        words = await asyncio.to_thread(extract, said, ROOM, self._count, before=old.text)
        return words, "extract"

    async def _read(self, conversation: str) -> Summary:
        if not await self._tables.there():
            return Summary()
        row = await self._store.read(lambda db: db.execute(_GET, {"conversation": conversation}).first())
        return Summary() if row is None else Summary(text=row.text, upto=row.upto, made=row.made)

    async def _keep(self, conversation: str, old: Summary, new: Summary) -> bool:
        """Write it, unless somebody else came first."""
        await self._tables.make()
        values = {"conversation": conversation, "upto": new.upto, "text": new.text, "made": new.made}
        values |= {"at": self._clock.now(), "old": old.upto}
        return await self._store.write(lambda db: db.execute(_SET, values).rowcount == 1)


def _nothing(_: object) -> None:
    """A unit of work must not return its cursor."""
