"""The platforms and the desk: real plugins behind the real contracts, whose other side is in files."""

from __future__ import annotations

from bot.channel import Capabilities, Channel, Delivery, Entry, Gateway, Receipt
from bot.desk import Case, Desk, DeskEvent, DeskGateway, Ref
from bot.errors import NotSent, RateLimited, Rejected
from tests.crashes.points import Break
from tests.crashes.tripwire import Tripwire
from tests.crashes.world import Appended, Refused, Taken, Ticket, World

FORBIDDEN = "forbidden"
"""Replies that begin like this are refused for good."""

LIMITED = "limited"
"""These are wanted later, at their first attempt."""

UNREACHED = "unreached"
"""For these the platform is not reached, at their first attempt."""


class KeptChannel(Channel):
    """A platform; `read_back` says whether it can be asked what it took."""

    def __init__(self, name: str, world: World, wire: Tripwire, *, read_back: bool, broken: Break = "") -> None:
        self.name = name
        self.capabilities = Capabilities(read_back=read_back, send_timeout=1.0)
        self._world, self._wire, self._broken = world, wire, broken
        self.gateway: Gateway | None = None

    async def start(self, gateway: Gateway) -> None:
        """Be ready."""
        self.gateway = gateway

    async def send(self, delivery: Delivery) -> Receipt:
        """Take a reply, or don't."""
        self._wire.touch("before_send")
        text = delivery.reply.text
        if text.startswith(FORBIDDEN):
            raise Rejected("not here")
        if text.startswith((LIMITED, UNREACHED)) and Refused(id=delivery.id) not in self._world.all(Refused):
            self._world.note(Refused(id=delivery.id))
            raise RateLimited(0.5) if text.startswith(LIMITED) else NotSent("nobody there")
        taken = Taken(channel=self.name, chat=delivery.address.chat, id=delivery.id, text=text)
        self._world.note(taken)
        self._wire.touch("after_send")
        return Receipt(platform_id=f"m{len(self._world.all(Taken))}")

    async def find_sent(self, delivery: Delivery) -> Receipt | None:
        """Look at what was taken."""
        for number, taken in enumerate(self._world.all(Taken), 1):
            if taken.id == delivery.id and self._broken != "reconcile":
                return Receipt(platform_id=f"m{number}")
        return None

    async def stop(self) -> None:
        """Hear nothing any more."""
        self.gateway = None


class KeptDesk(Desk):
    """A helpdesk that looks before it writes, as desks must."""

    name = "kept"

    def __init__(self, world: World, wire: Tripwire) -> None:
        self._world, self._wire = world, wire
        self.gateway: DeskGateway | None = None

    async def start(self, gateway: DeskGateway) -> None:
        """Be ready."""
        self.gateway = gateway

    async def open(self, case: Case, key: str) -> Ref:
        """Make a ticket, once per key. Its reason is the name of the chat."""
        self._wire.touch("before_desk_call")
        found = [ticket for ticket in self._world.all(Ticket) if ticket.key == key]
        ref = found[0].ref if found else f"t{len(self._world.all(Ticket)) + 1}"
        if not found:
            self._world.note(Ticket(key=key, ref=ref, chat=case.reason))
        self._wire.touch("after_desk_call")
        return Ref(id=ref)

    async def append(self, ref: Ref, entry: Entry, key: str) -> None:
        """Add a line, once per key."""
        self._add(ref, entry.text, key)

    async def note(self, ref: Ref, text: str, key: str) -> None:
        """Add a note, once per key."""
        self._add(ref, text, key)

    async def close(self, ref: Ref, reason: str, key: str) -> None:
        """Add why, once per key."""
        self._add(ref, reason, key)

    async def signal(self, ref: Ref, *, typing: bool) -> None:
        """Ignore typing."""

    async def fetch(self, ref: Ref, cursor: str) -> tuple[list[DeskEvent], str]:
        """Its agents tell everything themselves."""
        return [], cursor

    async def stop(self) -> None:
        """Hear nothing any more."""
        self.gateway = None

    def _add(self, ref: Ref, text: str, key: str) -> None:
        self._wire.touch("before_desk_call")
        if all(line.key != key for line in self._world.all(Appended)):
            self._world.note(Appended(key=key, ref=ref.id, text=text))
        self._wire.touch("after_desk_call")
