"""The kit's own fake desk passes the suite for every desk."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from bot.desk import Desk, Ref
from bot.errors import NotSent, StoreUnavailable
from bot.testing import FakeDesk, Helpdesk
from bot.testing.desk_contract import DeskContract
from bot.testing.desk_kit import Office
from bot.testing.fakes import Pulse, Ticket


class FakeOffice(Office):
    """Ana, at the helpdesk in the test."""

    def __init__(self) -> None:
        self.helpdesk = Helpdesk()

    async def build(self) -> Desk:
        self.desk = FakeDesk(self.helpdesk, Pulse())
        return self.desk

    async def says(self, ref: Ref, text: str) -> bool:
        with suppress(StoreUnavailable):  # the helpdesk has it, and tells it again
            await self.desk.says(text.encode("utf-8", "replace").decode(), ref=ref)
        return True

    async def notes(self, ref: Ref, text: str) -> None:
        self._ticket(ref).notes.append(text)

    async def closes(self, ref: Ref) -> None:
        await self.desk.gives_back(ref=ref)

    async def shows(self, ref: Ref) -> list[str]:
        ticket = self._ticket(ref)
        lines = [entry.text for entry in (*ticket.case.transcript, *ticket.entries)]
        return [ticket.case.summary, *lines, *ticket.notes]

    async def tickets(self) -> int:
        return len(self.helpdesk.tickets)

    async def is_open(self, ref: Ref) -> bool:
        return not self._ticket(ref).closed

    async def later(self) -> None:
        with suppress(StoreUnavailable):
            await self.desk.tells_again()

    async def break_off(self) -> bool:
        self.helpdesk.down = NotSent("the line is cut")
        return True

    async def mend(self) -> None:
        self.helpdesk.down = None

    def _ticket(self, ref: Ref) -> Ticket:
        (ticket,) = [ticket for ticket in self.helpdesk.tickets.values() if ticket.ref == ref]
        return ticket


class TestFakeDesk(DeskContract):
    """As the kit has it."""

    title = "kit"

    def make(self, folder: Path) -> Office:
        return FakeOffice()
