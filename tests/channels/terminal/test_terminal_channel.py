"""The terminal, driven through real pipes and a real pseudo-terminal."""

from __future__ import annotations

import asyncio
import io
import os
import pty
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from bot.channel import Accepted, Delivery, Entry, Source
from bot.errors import Rejected, StoreUnavailable
from bot.messages import Address, Command, Message, Pressed, Text
from bot.rendering import fit
from bot.replies import Button, Reply, as_choices
from bot.testing.loner import LoneGateway
from channels.terminal import Pace, TerminalChannel, profile, profile_names

QUICK = Pace(quiet=0.05, longest=0.6, between=0.02, patience=0.2)


@dataclass
class FakeGateway(LoneGateway):
    """Keeps what it is given, and answers as told."""

    answer: Callable[[Message], Awaitable[None]] | None = None
    entries: list[Entry] = field(default_factory=list)
    received: list[Message] = field(default_factory=list)
    tasks: list[asyncio.Task[None]] = field(default_factory=list)
    full: bool = False

    async def receive(self, message: Message) -> Accepted:
        if self.full:
            raise StoreUnavailable("disk full")
        self.received.append(message)
        if self.answer is not None:
            self.tasks.append(asyncio.ensure_future(self.answer(message)))
        return Accepted(conversation="c", seq=len(self.received))

    async def signal(self, message: Message) -> None:
        raise AssertionError("the terminal has nothing fleeting to say")

    async def history(self, address: Address, *, after: int = 0, limit: int = 200) -> list[Entry]:
        return [entry for entry in self.entries if entry.seq > after][:2]

    def new_id(self) -> str:
        return f"{len(self.received):032x}"


async def deliver(
    channel: TerminalChannel, reply: Reply, source: Source = "bot", author: str = "", chat: str = "ada"
) -> None:
    address = Address(channel="terminal", account="main", chat=chat)
    for n, part in enumerate(fit(reply, channel.capabilities, channel.measure)):
        await channel.send(
            Delivery(id=f"d{n}", conversation="c", seq=1, address=address, reply=part, source=source, author=author)
        )


def offered(*labels: str) -> tuple[Button, ...]:
    return tuple(Button(token=f"t-{label}", label=label, value=label) for label in labels)


async def piped(
    typed: bytes, *, to: str = "web", gateway: FakeGateway | None = None, reply: Reply | None = None
) -> str:
    """Run the channel over a pipe that says `typed` and ends; what was printed."""
    reader, writer = os.pipe()
    os.write(writer, typed)
    os.close(writer)
    gateway = gateway or FakeGateway()
    out = io.StringIO()
    with os.fdopen(reader) as stdin:
        channel = TerminalChannel(profile(to), person="ada", stdin=stdin, stdout=out, pace=QUICK)
        if reply is not None:

            async def answer(message: Message) -> None:
                await asyncio.sleep(0.05)
                await deliver(channel, reply)

            gateway.answer = answer
        await channel.start(gateway)
        await channel.run(gateway)
        await channel.stop()
    for task in gateway.tasks:
        await task
    return out.getvalue()


QUESTION = Reply(text="Shall I **cancel** it?", choices=as_choices(["Yes", "No"]), buttons=offered("Yes", "No"))


async def test_sms_shows_a_numbered_list_and_two_stays_words() -> None:
    gateway = FakeGateway()
    shown = await piped(b"hi\n2\n", to="sms", gateway=gateway, reply=QUESTION)
    assert shown.count("bot: Shall I cancel it?\n\n1) Yes\n2) No\n\nReply with a number.\n") == 2
    assert [message.content for message in gateway.received] == [Text(text="hi"), Text(text="2")]


@pytest.mark.parametrize("to", ["web", "telegram", "slack"])
async def test_where_there_are_buttons_a_number_presses_one(to: str) -> None:
    gateway = FakeGateway()
    shown = await piped(b"hi\n2\n3\n", to=to, gateway=gateway, reply=QUESTION)
    assert "you: hi\nbot: Shall I cancel it?\n[ 1 Yes ]  [ 2 No ]\nyou: 2\n" in shown
    assert [message.content for message in gateway.received] == [
        Text(text="hi"),
        Pressed(token="t-No", label="No"),
        Text(text="3"),
    ]


async def test_a_reply_without_buttons_takes_the_old_ones_away() -> None:
    gateway = FakeGateway()
    reader, writer = os.pipe()
    with os.fdopen(reader) as stdin:
        channel = TerminalChannel(person="ada", stdin=stdin, stdout=io.StringIO(), pace=QUICK)
        await deliver(channel, QUESTION)
        await deliver(channel, Reply(text="How many?"))
        os.write(writer, b"2\n")
        os.close(writer)
        await channel.run(gateway)
    assert gateway.received[0].content == Text(text="2")


async def test_commands_empty_lines_and_the_last_line_without_an_end() -> None:
    gateway = FakeGateway()
    await piped("/Track 12 b\n\n  \r\n/ 1\nhällo \x1b[31m\xff".encode("latin-1"), gateway=gateway)
    assert [message.content for message in gateway.received] == [
        Command(name="track", text="12 b"),
        Text(text="/ 1"),
        Text(text="h�llo [31m�"),
    ]
    first = gateway.received[0]
    assert first.address == Address(channel="terminal", account="main", chat="ada")
    assert (first.sender.id, first.sender.name) == ("ada", "ada")
    assert abs(first.at - time.time()) < 60


async def test_event_ids_differ() -> None:
    gateway = FakeGateway()
    await piped(b"a\na\n", gateway=gateway)
    assert len({message.event_id for message in gateway.received}) == 2


async def test_quit_stops_at_once() -> None:
    gateway = FakeGateway()
    await piped(b"one\n/quit\ntwo\n", gateway=gateway)
    assert [message.text for message in gateway.received] == ["one"]


async def test_it_ends_when_nobody_answers() -> None:
    started = time.monotonic()
    await piped(b"hello?\n")
    assert time.monotonic() - started < 5


async def test_it_does_not_wait_for_a_person_to_answer() -> None:
    reader, writer = os.pipe()
    os.write(writer, b"hello?\n")
    os.close(writer)
    with os.fdopen(reader) as stdin:
        patient = Pace(quiet=0.05, longest=20.0, between=0.02, patience=20.0)
        channel = TerminalChannel(person="ada", stdin=stdin, stdout=io.StringIO(), pace=patient)
        await deliver(channel, Reply(text="Ana joined."), source="system")
        async with asyncio.timeout(5):
            await channel.run(FakeGateway())


async def test_all_parts_of_a_late_answer_are_there_at_the_end() -> None:
    shown = await piped(b"go\n", to="sms", reply=Reply(text="Many words. " * 400))
    assert shown.count("bot: ") == 4
    assert shown.count("Many words.") == 400


async def test_a_full_disk_is_told_and_the_next_line_still_goes() -> None:
    shown = await piped(b"hi\nho\n", gateway=FakeGateway(full=True))
    assert shown.count("That was not stored (disk full). Please say it again.") == 2


async def test_a_message_for_somebody_else_is_refused() -> None:
    channel = TerminalChannel(person="ada", stdout=io.StringIO())
    with pytest.raises(Rejected, match="nobody is here as bob"):
        await deliver(channel, Reply(text="secret"), chat="bob")


def test_profiles_say_what_there_is() -> None:
    assert profile_names()[0] == "web"
    with pytest.raises(ValueError, match="web, sms, telegram, slack"):
        profile("fax")
    assert profile("telegram").measure("**😀**") == 2
    assert profile("sms").measure("**bold**") == 4


@dataclass
class Person:
    """Sits at a pseudo-terminal."""

    channel: TerminalChannel
    keyboard: int
    seen: bytearray = field(default_factory=bytearray)

    def types(self, text: str) -> None:
        os.write(self.keyboard, text.encode())

    async def sees(self, text: str) -> str:
        """Wait until `text` is on the screen; everything shown so far, without colours."""
        async with asyncio.timeout(5):
            while True:
                while True:
                    try:
                        self.seen += os.read(self.keyboard, 65536)
                    except BlockingIOError:
                        break
                plain = re.sub(r"\x1b\[[0-9;]*m", "", self.seen.decode())
                if text in plain:
                    return plain
                await asyncio.sleep(0.01)


@asynccontextmanager
async def at_a_terminal(
    gateway: FakeGateway, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[Person, asyncio.Task[None]]]:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    master, slave = pty.openpty()
    os.set_blocking(master, False)
    with os.fdopen(os.dup(slave)) as stdin, os.fdopen(slave, "w") as stdout:
        channel = TerminalChannel(person="ada", stdin=stdin, stdout=stdout, pace=QUICK)
        task = asyncio.ensure_future(channel.run(gateway))
        try:
            yield Person(channel, master), task
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
    os.close(master)


async def test_agent_messages_typing_and_drafts_come_above_the_prompt(monkeypatch: pytest.MonkeyPatch) -> None:
    gateway = FakeGateway()
    async with at_a_terminal(gateway, monkeypatch) as (ada, task):
        await ada.sees("ada> ")
        address = ada.channel.address
        await ada.channel.typing(address, on=True)
        await ada.sees("… is typing  ada> ")
        await ada.channel.draft(address, "k", "Your **order**\nis on")
        await ada.sees("\r\x1b[KYour order is on  ada> ")
        await deliver(ada.channel, Reply(text="Your **order** is on its way."))
        await ada.sees("\r\x1b[Kbot: Your order is on its way.\r\nada> ")
        assert b"\x1b[1morder\x1b[0m" in ada.seen
        await deliver(ada.channel, Reply(text="Hello, \x1b[2Jthis is Ana."), source="agent", author="Ana")
        await ada.sees("Ana: Hello, [2Jthis is Ana.\r\nada> ")
        ada.types("thanks\n/quit\n")
        await asyncio.wait_for(task, 5)
    assert [message.text for message in gateway.received] == ["thanks"]


async def test_history_comes_back_with_its_buttons(monkeypatch: pytest.MonkeyPatch) -> None:
    entries = [Entry(seq=n, source="user", at=0.0, text=f"line {n}") for n in range(1, 15)]
    entries.append(Entry(seq=20, source="bot", at=0.0, text="Which one?", buttons=offered("Red", "Blue")))
    gateway = FakeGateway(entries=entries)
    async with at_a_terminal(gateway, monkeypatch) as (ada, task):
        shown = await ada.sees("bot: Which one?")
        assert "line 14" in shown
        assert "line 5\r" not in shown
        ada.types("2\n/quit\n")
        await asyncio.wait_for(task, 5)
    assert gateway.received[0].content == Pressed(token="t-Blue", label="Blue")


async def test_cancelling_a_waiting_read_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    async with at_a_terminal(FakeGateway(), monkeypatch) as (ada, task):
        await ada.sees("ada> ")
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(task, 5)
