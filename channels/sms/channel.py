"""The SMS channel: one number, short code, messaging service or WhatsApp sender at Twilio."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from urllib.parse import quote, urlsplit

import structlog
from aiohttp import web

from bot import (
    Address,
    Capabilities,
    Channel,
    Clock,
    Cost,
    Delivery,
    Download,
    Fetcher,
    Files,
    Gateway,
    Media,
    NotSent,
    Pace,
    Prices,
    Receipt,
    Rejected,
    Reply,
    Rereads,
    StoreUnavailable,
)
from channels.sms.api import Api, Outgoing, basic_auth
from channels.sms.catchup import CatchUp
from channels.sms.gsm import fold, length, measure, size
from channels.sms.guard import Guard
from channels.sms.intake import Intake
from channels.sms.numbers import WHATSAPP, Number, number_of, sender_kind
from channels.sms.render import MOST_MEDIA, render
from channels.sms.settings import RATES, Line
from channels.sms.webhooks import Webhooks
from channels.sms.whatsapp import whatsapp

MAX_TEXT = 1600
"""Characters of one message (Twilio's error 21617)."""

MMS_COUNTRIES = frozenset({"US", "CA"})
"""Where Twilio delivers pictures; elsewhere their addresses are in the text."""

MARGIN = 120.0
"""Seconds by which Twilio's clock and ours may differ."""

LINES = 60
"""Lines of the transcript that are looked at for the same words, said before."""

TALK = Pace(count=20, seconds=30.0, of="conversation")
"""Twilio stops two numbers that exchange more than 30 messages in 30 seconds (14107)."""

_REF = re.compile(r"(?:SM|MM)[0-9a-fA-F]{32}/ME[0-9a-fA-F]{32}", re.ASCII)

log = structlog.get_logger(__name__)


class SmsChannel(Channel, Files, Rereads, Prices):
    """Texts to and from one sender. There is no markup, no editing and nothing that shows that somebody types."""

    name = "sms"

    def __init__(self, line: Line, clock: Clock | None = None) -> None:
        self._line, self._settings = line, line.settings
        self._now = clock.now if clock else time.time
        self.account = line.account
        kind = self._kind = sender_kind(line.sender)
        rate = line.rate or RATES[kind]
        self.capabilities = Capabilities(
            max_text=MAX_TEXT,
            max_parts=1,
            markdown=kind == "whatsapp",
            confirms_consent=self._settings.answers_stop,
            media=self._settings.mms or kind == "whatsapp",
            read_back=True,
            send_timeout=self._settings.timeout + 1.0,
            paces=(_pace(rate), TALK),
        )
        self._guard: Guard | None = None
        self._intake: Intake | None = None
        self._api: Api | None = None
        self._fetcher: Fetcher | None = None
        self._catching_up: asyncio.Task[None] | None = None
        self._webhooks = Webhooks(line, lambda: self._intake)

    def routes(self) -> Sequence[web.RouteDef]:
        """Where Twilio delivers messages, and tells what became of ours."""
        return self._webhooks.routes()

    async def start(self, gateway: Gateway) -> None:
        """Give every message to the gateway from now on."""
        await self.stop()
        api = self._api = Api(self._line)
        parts = urlsplit(self._settings.api_url)
        self._fetcher = Fetcher(trusted=(f"{parts.scheme}://{parts.netloc}",))
        self._guard = Guard(self._settings, self._line.countries or _home(self._line), gateway, self.account)
        self._intake = Intake(self._line, gateway, self._guard, self._now)
        if every := self._settings.catch_up_every:
            catch_up = CatchUp(self.account, gateway, api, self._intake, self._now)
            self._catching_up = gateway.alone(f"sms.{self.account}.catchup", partial(catch_up.run, every))

    async def stop(self) -> None:
        """Hang up."""
        api, fetcher, catching_up = self._api, self._fetcher, self._catching_up
        self._intake = self._api = self._fetcher = self._guard = self._catching_up = None
        if catching_up is not None:
            catching_up.cancel()
            await asyncio.gather(catching_up, return_exceptions=True)
        if api is not None:
            await api.close()
        if fetcher is not None:
            await fetcher.close()

    def measure(self, text: str) -> int:
        """Characters as Twilio counts them; more where a text would take more than its share of `max_segments`."""
        # A service may send by both, and is not asked for whom it measures.
        by_whatsapp = length(whatsapp(text)) if self._kind in ("whatsapp", "service") else 0
        if self._kind == "whatsapp":
            return by_whatsapp
        return max(by_whatsapp, measure(self._render(text), self._settings.max_segments, MAX_TEXT))

    async def send(self, delivery: Delivery) -> Receipt:
        """Hand one message to Twilio: text and files are one call, so there is no half of it."""
        intake, api = self._running()
        number = await self._allowed(delivery)
        outgoing = self._outgoing(delivery, number)
        try:
            sid = await api.create(outgoing)
        except Rejected as refused:
            if refused.silence == "opted_out":
                await _noted(intake, delivery.address.chat)
            raise
        intake.statuses.took(delivery.id, sid)
        return Receipt(platform_id=sid)

    async def find_sent(self, delivery: Delivery) -> Receipt | None:
        """A status callback of this delivery proves it; otherwise Twilio's list is compared with the transcript.

        The list has no place for our id. But what was said before in this conversation is settled, and nothing later
        was sent: so among the newest messages with these words, those said before are counted off. What is left is
        ours. Wrong only if the same words, said just before, were refused.
        """
        intake, api = self._running()
        if sid := await intake.statuses.taken(delivery.id):
            return Receipt(platform_id=sid)
        number = number_of(delivery.address.chat)
        if number is None:
            return None
        body = fold(self._outgoing(delivery, number).body)
        since = delivery.first_attempt_at - MARGIN if delivery.first_attempt_at else 0.0
        listed = [one for one in await api.sent_to(delivery.address.chat) if one.created >= since]
        said = await self._said_before(intake.gateway, delivery, number)
        same, anchor = _run(said, body)
        found = []
        for one in listed:
            words = fold(one.body.strip())
            if anchor is not None and words == anchor:
                break
            if words == body:
                found.append(one.sid)
        return Receipt(platform_id=found[0]) if len(found) > same else None

    @asynccontextmanager
    async def open_file(self, ref: str) -> AsyncIterator[Download]:
        """A file of an MMS. Twilio's API sends us on to where it lies, and our password stays with the API."""
        fetcher = self._fetcher
        if fetcher is None:
            raise NotSent("the channel is not running")
        if not _REF.fullmatch(ref):
            raise Rejected("there is no such file")
        message, media = ref.split("/")
        sid = self._line.account_sid
        url = f"{self._settings.api_url}/2010-04-01/Accounts/{sid}/Messages/{message}/Media/{media}"
        headers = {"Authorization": basic_auth(sid, self._line.auth_token.get_secret_value())}
        async with fetcher.open(url, headers=headers) as download:
            yield download

    async def reread(self, payload: str) -> None:
        """Read what was set aside once more."""
        intake, _ = self._running()
        await intake.reread(payload)

    def price(self, text: str, address: Address) -> Cost:
        """Segments, and their price where the settings have one for the country. WhatsApp counts whole messages."""
        if address.chat.startswith(WHATSAPP):
            return Cost(units=1, unit="WhatsApp messages", unpriced="sms.prices has SMS only; see Twilio's price list")
        sized = size(self._render(text))
        number = number_of(address.chat)
        each = self._settings.prices.get(number.country) if number else None
        unit = f"segments of {sized.alphabet}"
        if each is None:
            country = number.country if number else "its country"
            return Cost(units=sized.segments, unit=unit, unpriced=f"set sms.prices for {country}")
        amount = round(each * sized.segments, 6)
        return Cost(units=sized.segments, unit=unit, amount=amount, currency=self._settings.currency)

    def _render(self, text: str) -> str:
        return render(text, keep_unicode=self._settings.keep_unicode)

    def _running(self) -> tuple[Intake, Api]:
        if self._intake is None or self._api is None:
            raise NotSent("the channel is not running")
        return self._intake, self._api

    async def _allowed(self, delivery: Delivery) -> Number:
        """The number, if a text may go there; it is counted. Raises Rejected."""
        if self._guard is None:
            raise NotSent("the channel is not running")
        number = number_of(delivery.address.chat)
        refused = await self._guard.outbound(number, delivery.id)
        if refused or number is None:
            log.warning("sms_not_allowed", account=self.account, why=refused)
            raise Rejected(f"no texts to this number: {refused.replace('_', ' ')}")
        return number

    def _outgoing(self, delivery: Delivery, number: Number) -> Outgoing:
        reply, chat = delivery.reply, delivery.address.chat
        pictures = chat.startswith(WHATSAPP) or number.country in MMS_COUNTRIES
        media = reply.media[:MOST_MEDIA] if pictures else ()
        body = self._body(reply, chat, pictures=pictures)
        if not body and not media:
            raise Rejected("there is nothing in the message")
        callback = f"{self._line.public_url}{self._line.path}/status?oid={quote(delivery.id, safe='')}"
        return Outgoing(to=chat, body=body, media=tuple(item.url for item in media), callback=callback)

    def _body(self, reply: Reply, chat: str, *, pictures: bool) -> str:
        body = whatsapp(reply.text) if chat.startswith(WHATSAPP) else self._render(reply.text)
        return body if pictures else "\n".join([body, *(_link(item) for item in reply.media)]).strip()

    async def _said_before(self, gateway: Gateway, delivery: Delivery, number: Number) -> list[str]:
        """What we said before it, newest first, as Twilio got it."""
        after = max(0, delivery.seq - LINES - 1)
        entries = await gateway.history(delivery.address, after=after, limit=LINES)
        ours = [entry for entry in entries if entry.source != "user" and entry.seq < delivery.seq]
        pictures = delivery.address.chat.startswith(WHATSAPP) or number.country in MMS_COUNTRIES
        replies = [entry.reply or Reply(text=entry.text) for entry in reversed(ours)]
        return [fold(self._body(reply, delivery.address.chat, pictures=pictures)) for reply in replies]


def _run(said: list[str], body: str) -> tuple[int, str | None]:
    """How often the same words were said just before, and what was said before that."""
    for count, words in enumerate(said):
        if words != body:
            return count, words
    return len(said), None


def _link(item: Media) -> str:
    return f"{item.alt or item.name} ({item.url})" if item.alt or item.name else item.url


def _pace(rate: float) -> Pace:
    """So many a second, in whole messages."""
    count = max(1, int(rate))
    return Pace(count=count, seconds=count / rate)


def _home(line: Line) -> tuple[str, ...]:
    """The country of the sender; a short code or service has none, and then nobody is written to."""
    number = number_of(line.sender)
    return (number.country,) if number and number.country else ()


async def _noted(intake: Intake, chat: str) -> None:
    try:
        await intake.opted_out(chat)
    except StoreUnavailable as problem:  # the refusal matters more than the note about it
        log.error("sms_note_lost", why=str(problem))
