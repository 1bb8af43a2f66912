"""What an operator does with broadcasts: preview, send, look, pause, resume, cancel. Sends nothing itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from bot.channel import Channel, Prices
from bot.clock import Clock, Entropy
from bot.errors import FrontdeskError
from bot.messages import Address
from bot.outreach import records
from bot.outreach.campaign import Campaign
from bot.outreach.records import Count, Record, Status
from bot.outreach.report import Preview, Sample, Shown, priced
from bot.outreach.segments import Somebody, left_out, page, rank
from bot.outreach.settings import OutreachSettings
from bot.rendering import fit, parse, plain
from bot.replies import Reply
from bot.settings import did_you_mean
from bot.store.contract import Store
from bot.store.own_tables import OwnTables

FRESH = 0.5
"""Seconds for which a turn goes by what it last knew of a broadcast's state."""

STILL: tuple[Status, ...] = ("running", "paused")


def key_of(id: str) -> str:
    """The key under which a broadcast is said, in each conversation."""
    return f"broadcast:{id}"


class Campaigns:
    """Broadcasts by id. `changed` is called when the sender should look again."""

    def __init__(
        self, store: Store, tables: OwnTables, clock: Clock, entropy: Entropy, settings: OutreachSettings
    ) -> None:
        self.tables = tables
        self._store, self._clock, self._entropy, self._settings = store, clock, entropy, settings
        self.channels: Sequence[Channel] = ()
        self.changed: Callable[[], None] = lambda: None
        self._known: dict[str, tuple[float, Status | None]] = {}

    async def preview(self, text: str) -> Preview:
        """What would be sent, to how many; writes nothing."""
        campaign = self._read(text)
        best: dict[str, tuple[int, float, str, str, bool]] = {}
        samples: dict[str, Sample] = {}
        after = ""
        now = self._clock.now()
        while True:
            start = after
            found = await self._store.read(lambda c: page(c, campaign.segment, start, now, self.shared))  # noqa: B023 - awaited
            for one in found.people:
                why = left_out(one, campaign)
                mine = (rank(one, why), one.seen_at, one.channel, why, one.owner != "bot")
                if one.person in best and best[one.person][:2] >= mine[:2]:
                    continue
                best[one.person] = mine
                if not why and one.channel not in samples:
                    samples[one.channel] = await self._sample(campaign, one)
            after = found.last
            if not after:
                break
        reached = Counter(channel for _, _, channel, why, _ in best.values() if not why)
        out = Counter(why for _, _, _, why, _ in best.values() if why)
        waits = sum(elsewhere for _, _, _, why, elsewhere in best.values() if not why)
        return Preview(name=campaign.name, reached=dict(reached), left_out=dict(out), waits=waits, samples=samples)

    async def send(self, text: str) -> Record:
        """Begin one. Raises FrontdeskError for a mistake in it, or when there was one of this name."""
        campaign, now = self._read(text), self._clock.now()
        record = Record(
            id=self._entropy.token()[:8],
            name=campaign.name,
            campaign=campaign.model_dump_json(),
            status="running",
            complete=False,
            cursor="",
            created_at=now,
            expires_at=now + campaign.lifetime,
        )
        await self.tables.make()
        if not await self._store.write(lambda c: records.add(c, record)):
            raise FrontdeskError(f"There was a broadcast called {campaign.name!r} before; to send another, rename it.")
        self.changed()
        return record

    async def list(self) -> list[Record]:
        """The newest ones."""
        return await self._store.read(records.all_of) if await self.tables.there() else []

    async def show(self, id: str) -> Shown:
        """How far one has come. Raises FrontdeskError when there is none."""
        record = await self._find(id)
        counts: list[Count] = await self._store.read(lambda c: records.progress(c, id, f"outreach.{key_of(id)}"))
        return Shown(record=record, counts=tuple(counts))

    async def pause(self, id: str) -> None:
        """Send nothing more until it is resumed; what is in the outbox goes on."""
        await self._change(id, "paused", ("running",))

    async def resume(self, id: str) -> None:
        """Go on."""
        await self._change(id, "running", ("paused",))

    async def cancel(self, id: str) -> None:
        """Send nothing more, ever."""
        await self._change(id, "cancelled", STILL)
        await self._store.write(lambda c: records.drop(c, id, "cancelled"))

    async def status(self, id: str) -> Status | None:
        """Whether it runs, as it was half a second ago at most; None when it is gone."""
        now = self._clock.steady()
        known = self._known.get(id)
        if known is None or now - known[0] > FRESH:
            record = await self._look(id)
            known = (now, record.status if record else None)
            self._known = {old: seen for old, seen in self._known.items() if now - seen[0] <= FRESH} | {id: known}
        return known[1]

    def shared(self, address: Address) -> bool:
        """Whether others read along at an address; nobody can say so of a channel that is off."""
        for channel in self.channels:
            if (channel.name, channel.account) == (address.channel, address.account):
                return channel.shared(address)
        return False

    async def _change(self, id: str, to: Status, among: Sequence[Status]) -> None:
        record = await self._find(id)
        if not await self._store.write(lambda c: records.change(c, id, to, among)):
            raise FrontdeskError(f"The broadcast {id} is {record.status}, so it can't become {to}.")
        self._known.pop(id, None)
        self.changed()

    async def _find(self, id: str) -> Record:
        record = await self._look(id)
        if record is None:
            raise FrontdeskError(f"There is no broadcast {id}; `broadcast list` shows them.")
        return record

    async def _look(self, id: str) -> Record | None:
        return await self._store.read(lambda c: records.find(c, id)) if await self.tables.there() else None

    def _read(self, text: str) -> Campaign:
        campaign = Campaign.read(text)
        names = {channel.name for channel in self.channels}
        for name in campaign.segment.channels:
            if name not in names:
                raise FrontdeskError(f"segment.channels: there is no channel {name}{did_you_mean(name, names)}")
        return campaign

    async def _sample(self, campaign: Campaign, one: Somebody) -> Sample:
        """What one person would see, as their channel would send it."""
        reply = campaign.reply(one.values, self._settings.footer)
        channel = _channel(self.channels, one.channel, one.account)
        if channel is None:
            return Sample(text=reply.text, problem="the channel is off")
        parts = fit(reply, channel.capabilities, channel.measure)
        price = ""
        if isinstance(channel, Prices):
            conversation = await self._store.conversation(one.conversation)
            if conversation is not None:
                price = priced([channel.price(part.text, conversation.address) for part in parts])
        return Sample(
            text="\n---\n".join(_seen(part) for part in parts),
            parts=len(parts),
            length=sum(channel.measure(part.text) for part in parts),
            buttons=tuple(button.label for part in parts for button in part.choices),
            price=price,
        )


def _seen(part: Reply) -> str:
    """A part as it is seen, without markup; where the channel has cards, the card below the text."""
    card = part.card
    lines = [plain(parse(part.text)), *(f"file: {media.alt or media.name or media.url}" for media in part.media)]
    if card is not None:
        picture = f"picture: {card.image.alt or card.image.name or card.image.url}" if card.image else ""
        fields = [f"{field.name}: {field.value}" for field in card.fields]
        lines += [
            "card:",
            *(line for line in (picture, card.title, plain(parse(card.text)), *fields, card.url) if line),
        ]
    return "\n".join(line for line in lines if line)


def _channel(channels: Sequence[Channel], name: str, account: str) -> Channel | None:
    known: Mapping[tuple[str, str], Channel] = {(channel.name, channel.account): channel for channel in channels}
    return known.get((name, account))
