"""The terminal as a channel: one person, one conversation, shown as another channel would show it.

Its address is that of `--as NAME`, so the conversation goes on in the next run. Knows no skill and no engine.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections import deque
from dataclasses import dataclass
from typing import TextIO

from rich.text import Text

from bot import (
    Address,
    Button,
    Channel,
    Clock,
    Command,
    Delivery,
    Drafts,
    Entry,
    Gateway,
    Message,
    Pressed,
    Receipt,
    Rejected,
    Sender,
    StoreUnavailable,
    Types,
    parse,
    plain,
)
from bot import Text as Words
from channels.terminal.lines import Lines
from channels.terminal.profiles import Profile, profile
from channels.terminal.render import clean, render
from channels.terminal.screen import GONE, Screen

_EARLIER = 10  # lines of history shown at the start


@dataclass(frozen=True, slots=True)
class Pace:
    """How long to wait, in seconds, when the lines come from a pipe.

    At the end: until nothing happened for `quiet`, but at most `longest`. Before the next line: until the answer is
    there and nothing came for `between`, but at most `patience`.
    """

    quiet: float = 1.0
    longest: float = 30.0
    between: float = 0.2
    patience: float = 5.0


class TerminalChannel(Channel, Types, Drafts):
    """Talks with one person over a pair of streams."""

    name = "terminal"

    def __init__(
        self,
        rehearse: Profile | None = None,
        *,
        person: str = "you",
        stdin: TextIO | None = None,
        stdout: TextIO | None = None,
        pace: Pace | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._profile = rehearse or profile()
        self.capabilities = self._profile.capabilities
        self.address = Address(channel=self.name, account=self.account, chat=person)
        self._stdin = stdin or sys.stdin
        self._screen = Screen(stdout or sys.stdout, f"{clean(person)}> ")
        self._pace = pace or Pace()
        self._now = clock.now if clock else time.time
        self._lines: Lines | None = None
        self._gateway: Gateway | None = None
        self._buttons: tuple[Button, ...] = ()
        self._unanswered = 0
        self._with_people = False
        self._typing = False
        self._changed = asyncio.Event()

    def measure(self, text: str) -> int:
        """How long a text is on the rehearsed channel."""
        return self._profile.measure(text)

    async def start(self, gateway: Gateway) -> None:
        """Be ready to send; lines are read by `run`."""
        self._gateway = gateway

    async def stop(self) -> None:
        """Stop reading."""
        if self._lines is not None:
            self._lines.close()

    async def run(self, gateway: Gateway) -> None:
        """Read lines until /quit or the end of the input, then wait for the answers that are still due."""
        lines = self._lines = Lines(self._stdin.fileno())
        try:
            await self._show_earlier(gateway)
            self._screen.ask()
            while (line := await lines.next()) is not None:
                if line.strip() == "/quit":
                    return
                await self._say(gateway, clean(line).strip())
            await self._settle(self._pace.quiet, self._pace.longest)
        finally:
            lines.close()
            self._screen.close()

    async def send(self, delivery: Delivery) -> Receipt:
        """Show one reply."""
        if delivery.address != self.address:
            raise Rejected(f"nobody is here as {delivery.address.chat}")
        self._buttons = delivery.reply.buttons
        self._with_people = delivery.source != "bot"
        self._typing = False
        self._screen.status("")
        try:
            self._screen.show(_line(delivery.source, delivery.author, render(delivery.reply, self.capabilities)))
        except GONE as exc:
            raise Rejected("the terminal is gone") from exc
        self._unanswered = max(0, self._unanswered - 1)
        self._changed.set()
        return Receipt(platform_id=delivery.id)

    async def typing(self, address: Address, *, on: bool) -> None:
        """Show or hide that an answer is being written."""
        if address == self.address:
            self._typing = on
            self._screen.status("… is typing" if on else "")
            self._changed.set()

    async def draft(self, address: Address, key: str, text: str) -> None:
        """Show the end of what is being written, until the finished reply replaces it."""
        if address == self.address:
            self._screen.status(" ".join(clean(plain(parse(text))).split()))
            self._changed.set()

    async def _say(self, gateway: Gateway, line: str) -> None:
        if line:
            if not self._screen.interactive:
                self._screen.show(Text(f"you: {line}"))
            message = Message(
                event_id=gateway.new_id(),
                address=self.address,
                sender=Sender(id=self.address.chat, name=self.address.chat),
                content=_content(line, self._buttons),
                at=self._now(),
            )
            self._unanswered += 1
            try:
                await gateway.receive(message)
            except StoreUnavailable as exc:
                self._unanswered -= 1
                self._screen.show(Text(f"That was not stored ({exc}). Please say it again.", style="red"))
        self._screen.ask()
        if not self._screen.interactive:
            await self._settle(self._pace.between, self._pace.patience)

    async def _settle(self, quiet: float, longest: float) -> None:
        """Wait until nothing came for `quiet` seconds and no answer of the bot is due, but not more than `longest`.

        Once a person has the conversation the bot is silent, and nobody knows when they answer.
        """
        try:
            async with asyncio.timeout(longest):
                while True:
                    self._changed.clear()
                    busy = (self._unanswered > 0 and not self._with_people) or self._typing
                    try:
                        async with asyncio.timeout(None if busy else quiet):
                            await self._changed.wait()
                    except TimeoutError:
                        return
        except TimeoutError:
            return

    async def _show_earlier(self, gateway: Gateway) -> None:
        if not self._screen.interactive:
            return
        last: deque[Entry] = deque(maxlen=_EARLIER)
        after = 0
        while entries := await gateway.history(self.address, after=after):
            last.extend(entries)
            after = entries[-1].seq
        for entry in last:
            self._screen.show(_line(entry.source, entry.author, Text(clean(entry.text))))
        if last:
            self._buttons = last[-1].buttons


def _content(line: str, buttons: tuple[Button, ...]) -> Command | Pressed | Words:
    """What a typed line is: a command, the number of a button that is shown, or words."""
    if line.startswith("/") and line[1:2].isalpha():
        name, _, rest = line[1:].partition(" ")
        return Command(name=name.lower(), text=rest.strip())
    if line.isdecimal() and len(line) <= 3 and 1 <= int(line) <= len(buttons):
        button = buttons[int(line) - 1]
        return Pressed(token=button.token, label=button.label)
    return Words(text=line)


def _line(source: str, author: str, shown: Text) -> Text:
    name = {"user": "you", "bot": "bot", "agent": clean(author) or "agent", "system": "—"}.get(source, source)
    label = f"{name}: " if source != "system" else f"{name} "
    return Text.assemble((label, "bold magenta" if source == "agent" else "dim"), shown)
