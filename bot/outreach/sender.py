"""Brings broadcasts in flight into the lanes of their recipients, at their pace, in one process at a time.

A recipient is handed over by an effect that happens once, and then marked: who dies in between hands over again, and
nothing comes of it. So many replies may wait in the outbox of an account and no more, because what is in there can't be
paused any more.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import structlog

from bot.clock import Clock
from bot.errors import StoreError
from bot.outreach import records
from bot.outreach.campaign import Campaign
from bot.outreach.campaigns import key_of
from bot.outreach.quiet import QuietHours
from bot.outreach.records import Outcome, Recipient, Record
from bot.outreach.saying import Shared
from bot.outreach.segments import OUT, facts_of, page, values_of
from bot.outreach.settings import OutreachSettings
from bot.outreach.words import Words, effect_of
from bot.outreach.zones import zones_of
from bot.people import Conversation
from bot.store.contract import Applied, Effect, Store
from bot.store.own_tables import OwnTables

log = structlog.get_logger()

TICK = 0.25
"""Seconds between two rounds while a broadcast is in flight: a pause or a cancellation takes effect in so many."""

IDLE = 5.0
"""Seconds between two looks for a broadcast that nobody told us of."""

BURST = 1.0
"""Seconds of its pace that a broadcast may make up for at once."""

AHEAD = 20
"""Replies of a broadcast that may wait in the outbox for one account, if its pace is slower than the broadcast's."""

AT_ONCE = 50
"""Recipients that are handed over side by side."""

PAGES = 5
"""Pages of conversations that are looked at in one round."""

LATER = 300.0
"""Seconds after which somebody who talks to a human agent is tried again."""

Apply = Callable[[Effect], Awaitable[Applied | None]]


class Sender:
    """The loop. `apply` writes an effect and rings the engine's bell."""

    def __init__(
        self, store: Store, tables: OwnTables, apply: Apply, shared: Shared, clock: Clock, settings: OutreachSettings
    ) -> None:
        self._tables, self._shared = tables, shared
        self._store, self._apply, self._clock, self._settings = store, apply, clock, settings
        self._quiet = QuietHours.parse(settings.quiet_hours)
        self._bell = asyncio.Event()
        self._budgets: dict[str, tuple[float, float]] = {}  # of each broadcast: when (steady), and how many are due
        self.busy = False

    def ring(self) -> None:
        """Something changed."""
        self._bell.set()

    async def run(self) -> None:
        """Go round until cancelled."""
        while True:
            self._bell.clear()
            self.busy = True
            try:
                active = await self.go_round()
            except StoreError as problem:
                log.warning("broadcast_stalled", why=str(problem))
                active = True
            finally:
                self.busy = False
            await self._pause(TICK if active else IDLE)

    async def go_round(self) -> bool:
        """One round; whether anything is in flight."""
        found = await self._store.read(records.running) if await self._tables.there() else []
        for record in found:
            campaign = Campaign.model_validate_json(record.campaign)
            if self._clock.now() >= record.expires_at:
                await self._end(record, "expired")
            elif not record.complete:
                await self._fix(record, campaign)
            else:
                await self._hand_out(record, campaign)
        return bool(found)

    async def _pause(self, seconds: float) -> None:
        bell = asyncio.ensure_future(self._bell.wait())
        time = asyncio.ensure_future(self._clock.sleep(seconds))
        try:
            await asyncio.wait({bell, time}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            bell.cancel()
            time.cancel()

    async def _fix(self, record: Record, campaign: Campaign) -> None:
        """Fix the recipients, a few pages further. They are those of the time when it began."""
        for _ in range(PAGES):
            now, before = record.created_at, record
            found = await self._store.read(lambda c: page(c, campaign.segment, before.cursor, now, self._shared))  # noqa: B023
            if not await self._store.write(lambda c: records.fix_page(c, before, found, campaign)):  # noqa: B023
                return
            fresh = await self._store.read(lambda c: records.find(c, before.id))  # noqa: B023 - awaited at once
            if fresh is None or fresh.complete:
                log.info("broadcast_recipients_fixed", broadcast=record.id)
                return
            record = fresh

    async def _hand_out(self, record: Record, campaign: Campaign) -> None:
        many = self._due(record.id, campaign.rate or self._settings.rate)
        if many < 1:
            return
        key = key_of(record.id)
        unsent = await self._store.read(lambda c: records.unsent(c, f"outreach.{key}"))
        full = [account for account, count in unsent.items() if count >= AHEAD]
        # More than may be written to now: many of them may have to wait, and cost nothing of the pace.
        now, look = self._clock.now(), max(many * 4, AT_ONCE)
        found = await self._store.read(lambda c: records.following(c, record.id, now, look, full))
        if not found:
            if not full and not await self._store.read(lambda c: records.waiting(c, record.id)):
                await self._end(record, "")
            return
        limit = asyncio.Semaphore(AT_ONCE)
        people = [one.person for one in found]
        facts = await self._store.read(lambda c: facts_of(c, people))

        async def decide(one: Recipient) -> Outcome | tuple[Outcome, Effect]:
            async with limit:
                return await self._decide(record, campaign, one, facts.get(one.person, {}))

        async def hand(effect: Effect) -> None:
            async with limit:
                await self._apply(effect)

        decided = await asyncio.gather(*(decide(one) for one in found))
        outcomes = [one for one in decided if isinstance(one, Outcome)]
        handed = [one for one in decided if isinstance(one, tuple)][:many]
        await asyncio.gather(*(hand(effect) for _, effect in handed))
        outcomes += [outcome for outcome, _ in handed]
        since, left = self._budgets[record.id]
        self._budgets[record.id] = (since, left - len(handed))
        await self._store.write(lambda c: records.note(c, record.id, outcomes))
        log.debug("broadcast_handed_out", broadcast=record.id, people=len(handed), others=len(outcomes) - len(handed))

    async def _decide(
        self, record: Record, campaign: Campaign, one: Recipient, facts: dict[str, Any]
    ) -> Outcome | tuple[Outcome, Effect]:
        """One recipient, by what is true now: what became of them, or will once the effect is written."""
        now = self._clock.now()
        conversation = await self._store.conversation(one.conversation)
        if conversation is None:
            return Outcome(person=one.person, state="dropped", why="gone")
        if conversation.silence:
            return Outcome(person=one.person, state="dropped", why=conversation.silence.replace("_", " "))
        if facts.get(OUT) == "off":
            return Outcome(person=one.person, state="dropped", why="unsubscribed")
        if conversation.owner != "bot":
            return Outcome(person=one.person, state="waiting", why="a human agent", at=now + LATER)
        until = self._awake(conversation, now) if campaign.quiet_hours else now
        if until > now:
            return Outcome(person=one.person, state="waiting", why="quiet hours", at=until)
        values = values_of(conversation.person.name, conversation.person.language, facts)
        missing = campaign.missing(values)
        if missing:
            return Outcome(person=one.person, state="dropped", why=f"no value for {{{missing}}}")
        words = Words(
            reply=campaign.reply(values, self._settings.footer),
            since=now,
            expires=record.expires_at,
            quiet=campaign.quiet_hours,
            broadcast=record.id,
        )
        return Outcome(person=one.person, state="handed"), effect_of(conversation, key_of(record.id), words, now)

    def _awake(self, conversation: Conversation, now: float) -> float:
        zones = zones_of(conversation.person, self._settings.zone_of(conversation.tenant))
        return self._quiet.over(now, zones)

    def _due(self, id: str, rate: float) -> int:
        """How many may be handed over now."""
        now = self._clock.steady()
        since, left = self._budgets.get(id, (now - TICK, 0.0))
        left = min(left + (now - since) * rate, max(1.0, rate * BURST))
        self._budgets[id] = (now, left)
        return int(left + 1e-6)

    async def _end(self, record: Record, why: str) -> None:
        if why:
            await self._store.write(lambda c: records.drop(c, record.id, why))
        await self._store.write(lambda c: records.change(c, record.id, "done", ("running",)))
        self._budgets.pop(record.id, None)
        log.info("broadcast_done", broadcast=record.id, why=why)
