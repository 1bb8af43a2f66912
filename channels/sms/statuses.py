"""What becomes of messages that Twilio took: heard once each, moving only forward, and kept as far as it is needed.

A callback names our delivery, so it proves that the delivery was taken even if the answer to our call was lost. That
is written down unless this process knows it anyway, for KEPT seconds.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

import structlog

from bot import Address, Consent, Gateway, Message, Sender
from channels.sms.codes import meaning
from channels.sms.numbers import WHATSAPP, number_of
from channels.sms.parse import Status

log = structlog.get_logger(__name__)

KEPT = 3600.0
"""Seconds for which a note about a taken message is kept: whoever looks, looks within seconds of a failure."""

MOST = 20_000
"""Messages that are remembered in memory."""

ORDER = {
    "accepted": 0,
    "scheduled": 0,
    "queued": 1,
    "sending": 2,
    "sent": 3,
    "delivered": 4,
    "undelivered": 4,
    "failed": 4,
    "canceled": 4,
    "read": 5,
}
"""Callbacks come in any order; a message goes only this way."""

OPTED_OUT = 21610


class Statuses:
    """What is known of the messages of one account."""

    def __init__(self, account: str, gateway: Gateway, now: Callable[[], float]) -> None:
        self._account, self._gateway, self._now = account, gateway, now
        self._states: OrderedDict[str, int] = OrderedDict()
        self._taken: OrderedDict[str, str] = OrderedDict()  # our id -> Twilio's

    def took(self, delivery: str, sid: str) -> None:
        """Twilio answered that it took a delivery."""
        self._taken[delivery] = sid
        if len(self._taken) > MOST:
            self._taken.popitem(last=False)

    async def taken(self, delivery: str) -> str:
        """Twilio's name for a delivery that surely was taken; empty if nobody can say."""
        return self._taken.get(delivery) or await self._gateway.note(self._key(delivery)) or ""

    async def heard(self, delivery: str, status: Status) -> None:
        """A status callback came in. Raises StoreUnavailable."""
        if delivery and delivery not in self._taken:
            await self._note(delivery, status.sid)
        rank, known = ORDER.get(status.state, 0), self._states.get(status.sid, -1)
        if rank <= known:
            return
        if status.code == OPTED_OUT:
            await self._opted_out(status)
        self._states[status.sid] = rank
        if len(self._states) > MOST:
            self._states.popitem(last=False)
        self._tell(delivery, status)

    async def _note(self, delivery: str, sid: str) -> None:
        await self._gateway.write_note(self._key(delivery), sid, keep=KEPT)
        self.took(delivery, sid)

    async def _opted_out(self, status: Status) -> None:
        """A messaging service finds out only after it took the message."""
        number = number_of(status.to)
        if number is None:
            return
        whatsapp = WHATSAPP if status.to.startswith(WHATSAPP) else ""
        message = Message(
            event_id=f"{status.sid}.{OPTED_OUT}",
            address=Address(channel="sms", account=self._account, chat=whatsapp + number.e164),
            sender=Sender(id=number.e164, phone=number.e164, verified=True, timezone=number.timezone),
            content=Consent(on=False),
            at=self._now(),
        )
        await self._gateway.receive(message)

    def _tell(self, delivery: str, status: Status) -> None:
        if status.state in ("failed", "undelivered"):
            why = meaning(status.code) if status.code else "no reason given"
            log.warning("sms_not_delivered", row=delivery, sid=status.sid, code=status.code, why=why)
        else:
            log.debug("sms_status", row=delivery, sid=status.sid, status=status.state)

    def _key(self, delivery: str) -> str:
        return f"sms.{self._account}.taken.{delivery}"
