"""What one turn has done so far, and how it becomes durable: all of it or nothing, in one commit.

Handlers, the router and the bridge emit into it; only the engine ends it. Rows that a commit put into the outbox
are handed to `sent`, which wakes the sender.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import msgspec
from msgspec.structs import replace

from bot.channel import Channel, Deletes, Drafts, Entry, Files, standing
from bot.clock import Clock
from bot.dialog.host import Host
from bot.dialog.journal import Lane, Offer, dump
from bot.errors import NoAnswer, Rejected
from bot.filelinks import ref_of
from bot.messages import Due, Message
from bot.people import Silence
from bot.phrases import Phrases
from bot.ports.llm import Answer
from bot.rendering.portions import portion, serve
from bot.replies import NOTHING, Reply
from bot.store.contract import (
    CaseRecord,
    Change,
    Claim,
    Committed,
    DeskCall,
    Fact,
    Outgoing,
    OutRow,
    OwnerChange,
    SilenceChange,
    Store,
    Timer,
)
from bot.store.lookback import earlier
from bot.turns.trace import ModelTrace, StepTrace, Trace, turn_id

Send = Callable[[Sequence[OutRow], float], None]
"""Gets the rows of a commit, and when (on the steady clock) the commit began."""

EMPTY = dump(Lane())
"""The state of a conversation in which nothing waits; most turns begin and end with it, and then it is not written."""


TRYING = "trying:"
"""The key of the timer that goes off when a desk can't be reached for long begins with this; the case's id follows."""

LONG_TRY = 10.0
"""Seconds without a ticket after which the person is told that we are still trying."""


class Times(NamedTuple):
    """For how many seconds a commit keeps the lane ours, and after how many the first reply's fate may be looked up."""

    lease: float
    sends: float


class Work(Host):
    """One turn in the making."""

    def __init__(
        self,
        claim: Claim,
        lane: Lane,
        *,
        store: Store,
        clock: Clock,
        channel: Channel,
        desk: str,
        phrases: Phrases,
        send: Send,
        times: Times,
    ) -> None:
        self.claim, self.lane = claim, lane
        self.message, self.conversation = claim.message, claim.conversation
        self.clock, self.channel = clock, channel
        self.forms, self.shared = channel.capabilities.forms, channel.shared(claim.conversation.address)
        self.trace = Trace(turn=turn_id(claim.conversation.id, claim.n), at=clock.now(), attempts=claim.attempts)
        self.handed_off = self.nobody_there = self.superseded = self.declined = self.drafted = False
        self.rev = claim.rev
        self.rounds = 0
        self._state = claim.state or EMPTY
        self._store, self._send, self._desk, self.phrases = store, send, desk, phrases
        self._lease, self._sends = times
        self._owner_version = claim.conversation.owner_version
        self._outgoing: list[Outgoing] = []
        self._timers: dict[str, Timer] = {}
        self._cleared: list[str] = []
        self._facts: dict[str, bytes | None] = {}
        self._owner: OwnerChange | None = None
        self._case: CaseRecord | None = None
        self._silence: SilenceChange | None = None
        self._committing = asyncio.Lock()

    @property
    def desk(self) -> str:
        """The name of the desk that people are handed to; empty when there is none."""
        return self._desk

    # --- what a handler emits

    def say(self, key: str, reply: Reply) -> None:
        """Hold a reply, fitted to the channel, for the next commit. Its buttons are the choices on the table now."""
        if reply.private and self.shared and not self.channel.capabilities.whispers:
            reply = Reply(text=self.phrases.not_aloud)
        top = self.lane.top
        if top:
            top.quiet = False
        if reply.buttons:
            self.lane.offer = Offer(buttons=reply.buttons, skill=top.skill if top else "")
        parts, rest = serve(reply, self.channel.capabilities, self.channel.measure, self.phrases)
        self.lane.rest += rest
        self._hold(key, parts)

    def more(self, key: str) -> None:
        """Hold the next portion of what was too long to be said at once."""
        parts, self.lane.rest = portion(self.lane.rest, self.channel.capabilities.max_parts, self.phrases)
        self._hold(key, parts)

    def _hold(self, key: str, parts: Sequence[Reply]) -> None:
        for number, part in enumerate(parts):
            edits = self.lane.replaces.pop(0) if self.lane.replaces else ""
            self._outgoing.append(Outgoing(key=f"{key}/{number}" if number else key, body=part, edits=edits))

    def _take_back_rest(self) -> None:
        """Hold the end of old replies that no new one has taken the place of."""
        left, self.lane.replaces = self.lane.replaces, []
        if isinstance(self.channel, Deletes) and self.channel.capabilities.deletes:
            self._outgoing += [Outgoing(key=f"gone.{row}", body=NOTHING, edits=row) for row in left]

    def notice(self, key: str, text: str, *, always: bool = False) -> None:
        """Hold a sentence of the house itself, said whoever owns the conversation; `always` even to who opted out."""
        self._outgoing.append(Outgoing(key=key, body=Reply(text=text), source="system", always=always))

    def call(self, key: str, call: DeskCall) -> None:
        """Hold something to do at the desk."""
        self._outgoing.append(Outgoing(key=key, call=call, source="system"))

    def pass_on(self, case: str, *, text: str = "") -> None:
        """Hold the person's message for the desk; `text` says it in other words."""
        entry = replace(self._entry(), text=text or self.message.text)
        self.call(f"{case}:in.{self.claim.n}", DeskCall(kind="append", case=case, entry=entry))

    def _entry(self) -> Entry:
        message = self.message
        return Entry(seq=self.claim.seq, source="user", at=message.at, text=message.text, message=message)

    def close_case(self, case: str, reason: str) -> None:
        """Hold the news for the desk that the person is back with the bot."""
        self.call(f"{case}:close", DeskCall(kind="close", case=case, text=reason))

    def remember(self, key: str, value: bytes | None) -> None:
        """Hold a fact about the person."""
        self._facts[key] = value

    def schedule(self, key: str, at: float, due: Due) -> None:
        """Hold a timer."""
        self.touched = self.touched or due.kind == "say"
        self._timers[key] = Timer(key=key, at=at, due=due)

    def unschedule(self, key: str) -> None:
        """Take a timer back."""
        self._timers.pop(key, None)
        self._cleared.append(key)

    def own(self, owner: OwnerChange, case: CaseRecord | None = None) -> None:
        """Change who speaks, with this commit."""
        self._owner, self._case = owner, case

    def silence(self, silence: Silence, word: str = "") -> None:
        """Send nothing from this commit on, or again."""
        self._silence = SilenceChange(silence=silence, word=word)

    @property
    def owner_version(self) -> int:
        """The version that the next change of owner must expect."""
        return self._owner_version

    def hand_off(self, queue: str, reason: str, facts: Mapping[str, str]) -> None:
        """Ask for a person: the ticket is made by the outbox, and only then is anything promised."""
        self.nobody_there = not self._desk
        if self.handed_off or self.nobody_there:
            return
        self.handed_off = True
        case = CaseRecord(
            id=f"{self.conversation.id}-{self.claim.n}",
            conversation=self.conversation.id,
            desk=self._desk,
            queue=queue,
            reason=reason,
            opened_at=self.clock.now(),
        )
        self.own(OwnerChange(expected=self._owner_version, owner="requested", case=case.id), case)
        self.call(f"{case.id}:open", DeskCall(kind="open", case=case.id, facts=tuple(facts.items())))
        key = TRYING + case.id
        self.schedule(key, case.opened_at + LONG_TRY, Due(kind="ownership", key=key))

    # --- what a handler reads

    async def recall(self, key: str) -> bytes | None:
        """A fact about the person."""
        if key in self._facts:
            return self._facts[key]
        return await self._store.recall(self.conversation.person.id, key)

    async def recall_all(self, beginning: str) -> dict[str, bytes]:
        """The facts about the person under keys that begin like this."""
        stored = await self._store.recall_all(self.conversation.person.id, beginning)
        own = {key: value for key, value in self._facts.items() if key.startswith(beginning)}
        return {key: value for key, value in {**stored, **own}.items() if value is not None}

    async def history(self, limit: int) -> list[Entry]:
        """The last lines of the transcript, up to the message that is being answered."""
        own = self.claim.seq
        lines = standing(await self._store.history(self.conversation.id, after=max(0, own - limit), limit=limit + 50))
        # What the person wrote since has turns of its own; and what they write now must not be missing because an
        # earlier reply still waits to be sent, where the store's transcript ends.
        lines = [line for line in lines if line.source != "user" or line.seq <= own]
        if self.message.text and all(line.seq != own for line in lines):
            lines.append(self._entry())
        return lines[-limit:]

    async def said_before(self, limit: int) -> list[tuple[int, Message]]:
        """What people wrote before this message, newest first, each with the number of its turn."""
        return await earlier(self._store, self.conversation.id, self.claim.seq, limit)

    async def made(self, n: int) -> tuple[Trace, list[OutRow]] | None:
        """What an earlier turn did, and what it said."""
        found = await self._store.trace(self.conversation.id, n)
        return None if found is None else (msgspec.json.decode(found[0], type=Trace), found[1])

    async def draft(self, key: str, text: str) -> None:
        """Show a reply that is being made, unless they want to hear nothing: no send of the outbox's holds this one."""
        silence = self._silence.silence if self._silence is not None else self.conversation.silence
        if isinstance(self.channel, Drafts) and not silence:
            self.drafted = True
            await self.channel.draft(self.conversation.address, key, text)

    async def read(self, url: str, largest: int) -> bytes:
        """A file that came in here, through its channel. Raises Rejected or NotSent."""
        address = self.conversation.address
        ref = ref_of(url, address.channel, address.account)
        if ref is None or not isinstance(self.channel, Files):
            raise Rejected("this is no file of this conversation's channel")
        data = b""
        async with self.channel.open_file(ref) as download:
            async for chunk in download.chunks:
                data += chunk
                if len(data) > largest:
                    raise Rejected(f"it has more than {largest} bytes")
        return data

    def inquired(self, task: str, answer: Answer | NoAnswer) -> None:
        """Note a question to a model in the trace."""
        if isinstance(answer, NoAnswer):
            self.trace.models.append(ModelTrace(task=task, problem=str(answer)))
            return
        used = answer.usage
        self.trace.models.append(
            ModelTrace(
                task=task,
                rung=answer.rung,
                provider=answer.provider,
                model=answer.model,
                prompt_tokens=used.prompt,
                completion_tokens=used.completion,
                cost=answer.cost,
                attempts=answer.attempts,
            )
        )

    def stepped(self, name: str, milliseconds: float, problem: str) -> None:
        """Note a step in the trace."""
        self.trace.steps.append(StepTrace(name=name, milliseconds=round(milliseconds, 3), problem=problem))

    def noted(self, note: str) -> None:
        """Note something in the trace."""
        self.trace.notes.append(note)

    # --- commits

    @property
    def committing(self) -> bool:
        """Whether a part of the turn is on its way into the store."""
        return self._committing.locked()

    def holds_words(self) -> bool:
        """Whether a reply waits for a commit."""
        return bool(self._outgoing)

    async def flush(self) -> None:
        """Commit what there is, in the middle of the turn. Raises StoreError."""
        async with self._committing:
            await self._commit(done=False, keep=False, parked="")

    async def finish(self, *, keep: bool = True, parked: str = "") -> Committed:
        """Commit the rest and move past this turn. Raises StoreError."""
        async with self._committing:
            self.trace.lasting = self.trace.lasting or self.touched
            self._take_back_rest()
            self.trace.milliseconds = round((self.clock.now() - self.trace.at) * 1e3, 2)
            return await self._commit(done=True, keep=keep, parked=parked)

    async def _commit(self, *, done: bool, keep: bool, parked: str) -> Committed:
        person = self.conversation.person.id
        before, self._state = self._state, dump(self.lane)
        change = Change(
            conversation=self.conversation.id,
            epoch=self.claim.epoch,
            n=self.claim.n,
            rev=self.rev,
            owner_version=self._owner_version,
            now=self.clock.now(),
            done=done,
            keep=keep,
            lease=self._lease,
            sends=self._sends,
            state=None if self._state == before else self._state,
            outgoing=tuple(self._outgoing),
            timers=tuple(self._timers.values()),
            cleared=tuple(self._cleared),
            facts=tuple(Fact(person=person, key=key, value=value) for key, value in self._facts.items()),
            owner=self._owner,
            case=self._case,
            silence=self._silence,
            trace=msgspec.json.encode(self.trace) if done else None,
            parked=parked,
        )
        self._outgoing, self._cleared = [], []
        self._timers, owner, self._owner, self._case, self._silence = {}, self._owner, None, None, None
        began = self.clock.steady()
        committed = await self._store.commit(change)
        self.rev = committed.rev
        if owner:
            self._owner_version += 1
        self._send(committed.rows, began)
        return committed
