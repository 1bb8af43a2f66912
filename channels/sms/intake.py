"""From a webhook's form to a stored message. Knows the gateway, and neither HTTP nor the SDK."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import sha256

import structlog
from msgspec.structs import replace

from bot import Address, Consent, Gateway, Message, Sender, Text, Unreadable
from channels.sms.api import Received
from channels.sms.guard import Guard
from channels.sms.parse import BadForm, Fields, Incoming, fields_of, incoming, status
from channels.sms.settings import ANSWERS, Line
from channels.sms.signature import read_form
from channels.sms.statuses import Statuses

log = structlog.get_logger(__name__)


class Intake:
    """Stores what people send to one account."""

    def __init__(self, line: Line, gateway: Gateway, guard: Guard, now: Callable[[], float]) -> None:
        self.gateway = gateway
        self.statuses = Statuses(line.account, gateway, now)
        self._line, self._guard, self._now = line, guard, now

    async def message(self, body: bytes) -> None:
        """Store a signed form. Raises StoreUnavailable."""
        try:
            await self._take(body)
        except BadForm as problem:
            await self._set_aside(body, str(problem))

    async def status(self, body: bytes, delivery: str) -> None:
        """Take in what became of a message. Raises StoreUnavailable."""
        try:
            await self.statuses.heard(delivery, status(self._fields(body)))
        except BadForm as problem:
            await self._set_aside(body, f"a status callback: {problem}")

    async def reread(self, payload: str) -> None:
        """Take in what was set aside. Raises BadForm, a ValueError, while it can't be read."""
        await self._take(payload.encode("utf-8", "surrogateescape"))

    async def opted_out(self, chat: str) -> None:
        """Twilio says that somebody opted out; remember that their next YES means START."""
        await self.gateway.write_note(self._key(chat), "21610")

    async def missed(self, received: Sequence[Received]) -> int:
        """Take in what no webhook brought, oldest first; how much of it was new. Raises StoreUnavailable."""
        found = []
        for one in received:
            try:
                came = incoming(one.fields, self._line.settings, self._file_url)
            except BadForm as problem:
                log.warning("sms_unreadable", account=self._line.account, why=f"in the list: {problem}")
                continue
            if came.chat != self._line.sender:
                found.append((came, one.at))
        # Whoever said STOP and then START wants to hear from us, whichever of the two was missed.
        wishes = {came.chat: came.sid for came, _ in found if isinstance(came.content, Consent)}
        new = 0
        for came, at in found:
            overruled = isinstance(came.content, Consent) and wishes[came.chat] != came.sid
            if overruled or not await self._guard.missed(came.sid):
                continue
            if refused := await self._guard.late(came.number, came.sid, came.content):
                log.warning("sms_ignored", account=self._line.account, sid=came.sid, why=refused)
            else:
                new += await self._keep(came, at)
        return new

    async def _take(self, body: bytes) -> None:
        fields = self._fields(body)
        if "MessageStatus" in fields:
            # Set aside once and read again, or sent to the wrong address: our own words must not come in as theirs.
            await self.statuses.heard("", status(fields))
            return
        came = incoming(fields, self._line.settings, self._file_url)
        if came.chat == self._line.sender:
            raise BadForm("it is from ourselves")
        refused = await self._guard.inbound(came.number, came.sid, came.content)
        if refused:
            # Answered and forgotten: whoever pumps numbers must not even cost a row.
            log.warning("sms_ignored", account=self._line.account, sid=came.sid, why=refused)
            return
        await self._keep(came, self._now())

    async def _keep(self, came: Incoming, at: float) -> bool:
        """Store a message; whether it was new."""
        came = await self._meant(came)
        accepted = await self.gateway.receive(self._message(came, at))
        if isinstance(came.content, Consent):
            await self.gateway.write_note(
                self._key(came.chat), None if came.content.on else came.content.word or "STOP"
            )
        await self._guard.handled(came.sid)
        return not accepted.duplicate

    def _fields(self, body: bytes) -> Fields:
        form = read_form(body)
        if form is None:
            raise BadForm("the body is no form")
        fields = fields_of(form)
        if fields.get("AccountSid", self._line.account_sid) != self._line.account_sid:
            raise BadForm("it is for another account")
        return fields

    async def _meant(self, came: Incoming) -> Incoming:
        """YES opts in only those who had opted out; to the others it is an answer."""
        content = came.content
        if not isinstance(content, Consent) or not content.on:
            return came
        word = "".join(char for char in content.word.upper() if char.isalnum())
        if word not in ANSWERS or await self.gateway.note(self._key(came.chat)) is not None:
            return came
        return replace(came, content=Text(text=content.word))

    def _message(self, came: Incoming, at: float) -> Message:
        number = came.number
        assert number is not None  # noqa: S101 - the guard let it in
        return Message(
            event_id=came.sid,
            address=Address(channel="sms", account=self._line.account, chat=came.chat),
            sender=Sender(id=number.e164, name=came.name, phone=number.e164, verified=True, timezone=number.timezone),
            content=came.content,
            at=at,
            platform_id=came.sid,
        )

    async def _set_aside(self, body: bytes, problem: str) -> None:
        log.warning("sms_unreadable", account=self._line.account, why=problem)
        unreadable = Unreadable(
            event_id="unreadable." + sha256(body).hexdigest()[:32],
            channel="sms",
            account=self._line.account,
            payload=body.decode("utf-8", "surrogateescape"),
            problem=problem,
            at=self._now(),
        )
        await self.gateway.set_aside(unreadable)

    def _file_url(self, ref: str, name: str) -> str:
        return self.gateway.file_url("sms", self._line.account, ref, name)

    def _key(self, chat: str) -> str:
        return f"sms.{self._line.account}.stopped.{chat}"
