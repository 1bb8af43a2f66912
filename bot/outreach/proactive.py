"""All that is said unasked, composed: the port, the gate, the jobs and the broadcasts. Decides nothing itself."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence

import msgspec

from bot.channel import Channel
from bot.clock import Clock, Entropy
from bot.messages import Value
from bot.outreach import records
from bot.outreach.campaigns import Campaigns
from bot.outreach.gate import Gate
from bot.outreach.jobs import Jobs
from bot.outreach.night import Night
from bot.outreach.records import Outcome
from bot.outreach.report import listed
from bot.outreach.saying import Saying
from bot.outreach.sender import Sender
from bot.outreach.settings import OutreachSettings
from bot.outreach.tables import metadata
from bot.outreach.wishes import spread
from bot.people import Conversation
from bot.phrases import Phrases
from bot.store.contract import Store
from bot.store.own_tables import OwnTables
from bot.turns.inbox import Inbox

TOPIC = "outreach.broadcasts"
"""News for the process that sends: a broadcast began, or went on."""

LOOKS = frozenset({"broadcast-preview", "broadcast-list", "broadcast-show"})
"""Commands that only look, so that no bot need run."""

Ask = Callable[[str], Awaitable[str]]


class SayCommand(Value, frozen=True):
    """What the command line wants to be said."""

    to: str
    text: str
    urgent: bool = False


class Proactive:
    """What the app starts and stops."""

    def __init__(
        self, store: Store, inbox: Inbox, clock: Clock, entropy: Entropy, settings: OutreachSettings, phrases: Phrases
    ) -> None:
        self._store, self._inbox, self._jobs_on = store, inbox, settings.jobs
        tables = OwnTables(store, metadata)
        self.campaigns = Campaigns(store, tables, clock, entropy, settings)
        self.saying = Saying(store, inbox.apply, self.campaigns.shared, clock, entropy)
        self.campaigns.changed = lambda: inbox.publish(TOPIC)
        self.night = Night(store, inbox.apply, clock, settings)
        self.gate = Gate(self.campaigns, settings, phrases, noted=self._noted, wished=self._wished)
        self.sender = Sender(store, tables, inbox.apply, self.campaigns.shared, clock, settings)
        self.jobs = Jobs(store, tables, clock, inbox.alone, settings.timezone)

    @property
    def busy(self) -> bool:
        """Whether a job runs, or a broadcast is being brought into lanes right now."""
        return self.jobs.busy or self.sender.busy

    def start(self, channels: Sequence[Channel]) -> None:
        """Begin. What it begins ends with the process's work."""
        self.campaigns.channels = channels
        self._inbox.subscribe(TOPIC, lambda _: self.sender.ring())
        self._inbox.alone("broadcasts", self.sender.run)
        if self._jobs_on:
            self.jobs.start()

    def commands(self, channels: Sequence[Channel]) -> Mapping[str, Ask]:
        """What the command line may ask, by name; of a bot that does not run only those in LOOKS."""
        self.campaigns.channels = channels
        return {
            "say": self._say,
            "broadcast-preview": self._preview,
            "broadcast-send": self._send,
            "broadcast-list": self._list,
            "broadcast-show": self._show,
            "broadcast-pause": self._pause,
            "broadcast-resume": self._resume,
            "broadcast-cancel": self._cancel,
        }

    async def _say(self, argument: str) -> str:
        wanted = msgspec.json.decode(argument, type=SayCommand)
        await self.saying.say(wanted.to, wanted.text, quiet=not wanted.urgent)
        return "It will be said, unless the rules of docs/outreach.md keep it back."

    async def _preview(self, text: str) -> str:
        return str(await self.campaigns.preview(text))

    async def _send(self, text: str) -> str:
        record = await self.campaigns.send(text)
        return (
            f"{record.id} has begun. See: broadcast show {record.id}; stop it: broadcast pause (or cancel) {record.id}"
        )

    async def _list(self, _: str) -> str:
        return listed(await self.campaigns.list())

    async def _show(self, id: str) -> str:
        return str(await self.campaigns.show(id))

    async def _pause(self, id: str) -> str:
        await self.campaigns.pause(id)
        return str(await self.campaigns.show(id))

    async def _resume(self, id: str) -> str:
        await self.campaigns.resume(id)
        return str(await self.campaigns.show(id))

    async def _cancel(self, id: str) -> str:
        await self.campaigns.cancel(id)
        return str(await self.campaigns.show(id))

    async def _wished(self, conversation: Conversation, wish: str) -> None:
        await self._store.write(lambda c: spread(c, conversation.person, conversation.tenant, wish))

    async def _noted(self, broadcast: str, person: str, why: str) -> None:
        outcome = Outcome(person=person, state="dropped", why=why)
        await self._store.write(lambda c: records.note(c, broadcast, [outcome], handed=True))
