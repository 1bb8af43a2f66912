"""What a channel may ask of the core: notes, addresses of files, commands, what it can't read."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from types import ModuleType
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from bot import Skill, Turn
from bot.app import App
from bot.channel import Channel, Delivery, Download, Files, Gateway, KnownCommand, Receipt, Rereads, Unreadable
from bot.errors import FrontdeskError
from bot.filelinks import verify
from bot.hookspecs import hookimpl
from bot.messages import Address, Message, Sender, Text
from bot.settings import Settings
from bot.store.codec import encode
from bot.store.parking import letter_id
from bot.testing import Bot
from bot.testing.kit import _registering

HERE = Address(channel="post", account="main", chat="1")
LETTER = Unreadable(event_id="e1", channel="post", account="main", payload="?hello", problem="no type", at=1.0)


class Post(Channel, Files, Rereads):
    """A channel that has files, and reads what was set aside once it can."""

    name = "post"

    def __init__(self) -> None:
        self.gateway: Gateway | None = None
        self.reads = False

    async def start(self, gateway: Gateway) -> None:
        self.gateway = gateway

    async def send(self, delivery: Delivery) -> Receipt:
        return Receipt()

    def open_file(self, ref: str) -> AbstractAsyncContextManager[Download]:
        raise NotImplementedError

    async def reread(self, payload: str) -> None:
        if not self.reads:
            raise ValueError("no type")
        assert self.gateway is not None
        words = Text(text=payload[1:])
        await self.gateway.receive(Message(event_id="e1", address=HERE, sender=Sender(id="1"), content=words, at=2.0))

    async def stop(self) -> None:
        self.gateway = None


@asynccontextmanager
async def running(home: Path) -> AsyncIterator[tuple[App, Post, Gateway]]:
    """A bot with the channel above."""
    post, module = Post(), ModuleType(f"frontdesk_post_{id(home)}")
    module.__file__ = None

    @hookimpl
    def register_channels(register):  # type: ignore[no-untyped-def]
        register(post)

    module.register_channels = register_channels  # type: ignore[attr-defined]
    options = {"server.home": str(home), "server.public_url": "https://bot.example/"}
    app = App.build(
        Settings.load(options=options, environ={}),
        builtins=[_registering(lambda: module)],
        entry_points=False,
        serve=False,
    )
    await app.start()
    try:
        assert post.gateway is not None
        yield app, post, post.gateway
    finally:
        await app.stop()


async def test_notes_are_there_after_a_restart(tmp_path: Path) -> None:
    async with running(tmp_path) as (_, _, gateway):
        await gateway.write_note("post.main.offset", "7")
    async with running(tmp_path) as (_, _, gateway):
        assert await gateway.note("post.main.offset") == "7"
        await gateway.write_note("post.main.offset", None)
        assert await gateway.note("post.main.offset") is None


async def test_an_address_of_a_file_lasts_and_is_signed(tmp_path: Path) -> None:
    async with running(tmp_path) as (app, _, gateway):
        url = gateway.file_url("post", "main", "a/b", "my photo.png")
        secret = app.inbox.file_secret
    async with running(tmp_path) as (app, _, gateway):
        assert gateway.file_url("post", "main", "a/b", "my photo.png") == url
    parts = urlsplit(url)
    assert (parts.scheme, parts.netloc, parts.path.count("/")) == ("https", "bot.example", 5)
    *_, channel, account, mac, ref = parts.path.split("/")
    assert verify(secret, mac, channel, account, unquote(ref), parse_qs(parts.query)["name"][0])
    async with running(tmp_path / "other") as (app, _, gateway):
        assert app.inbox.file_secret != secret


async def test_whether_anything_was_said_before(tmp_path: Path) -> None:
    async with running(tmp_path) as (_, post, gateway):
        assert not await gateway.knows(HERE)
        post.reads = True
        await post.reread("?hello")
        assert await gateway.knows(HERE)


async def test_what_could_not_be_read_is_listed_shown_and_read_again(tmp_path: Path) -> None:
    id = letter_id(LETTER)
    async with running(tmp_path) as (app, post, gateway):
        await gateway.set_aside(LETTER)
        await gateway.set_aside(LETTER)
        assert await app.letters.listed() == f"1970-01-01 00:00:01  {id}  post/main  unreadable: no type"
        assert await app.letters.shown(id) == "?hello"
        with pytest.raises(FrontdeskError, match=r"post/main still can't read it \(no type\)"):
            await app.letters.resubmitted(id)
        assert id in await app.letters.listed()
        post.reads = True
        assert await app.letters.resubmitted(id) == f"{id} was read by post/main."
        assert [entry.text for entry in await gateway.history(HERE)][:1] == ["hello"]
        assert await app.letters.listed() == "No turn was given up, and everything could be read."
        with pytest.raises(FrontdeskError, match="there is no dead letter"):
            await app.letters.shown(id)


async def test_a_letter_of_a_channel_that_is_off_stays(tmp_path: Path) -> None:
    other = Unreadable(event_id="e1", channel="gone", account="main", payload="x", problem="?", at=1.0)
    async with running(tmp_path) as (app, _, gateway):
        await gateway.set_aside(other)
        with pytest.raises(FrontdeskError, match="the channel gone/main is off"):
            await app.letters.resubmitted(letter_id(other))
        assert await app.letters.shown(letter_id(other)) == "x"


async def test_a_message_of_another_version_is_read_once_this_one_can(tmp_path: Path) -> None:
    said = Message(event_id="e1", address=HERE, sender=Sender(id="1"), content=Text(text="hello"), at=2.0)
    known = Unreadable(event_id="c1.1", channel="", account="main", payload=encode(said).decode(), problem="?", at=1.0)
    odd = Unreadable(event_id="c1.2", channel="", account="main", payload='{"odd": 1}', problem="?", at=1.0)
    async with running(tmp_path) as (app, _, gateway):
        await gateway.set_aside(known)
        await gateway.set_aside(odd)
        assert "the inbox/main  unreadable: ?" in await app.letters.listed()
        await app.letters.resubmitted(letter_id(known))
        assert [entry.text for entry in await gateway.history(HERE)][:1] == ["hello"]
        with pytest.raises(FrontdeskError, match="this version can't read it"):
            await app.letters.resubmitted(letter_id(odd))
        assert [letter_id(odd)] == [line.split()[2] for line in (await app.letters.listed()).splitlines()]


async def test_a_turn_that_was_given_up_is_answered_once_it_is_mended() -> None:
    skill = Skill("mill", "Grinds.")
    broken = True

    @skill.command("/grind")
    async def grind(turn: Turn) -> None:
        if broken:
            raise RuntimeError("no water")
        await turn.say("Flour.")

    async with Bot(skill) as bot, bot.user() as u:
        await u.says("/grind")
        u.sees("Something went wrong")
        ((letter,)) = await bot.app.dead_letters()
        id = f"{letter.conversation}.{letter.n}"
        assert f"{id}  web/main  mill.grind: RuntimeError" in await bot.app.letters.listed()
        assert '"grind"' in await bot.app.letters.shown(id)
        broken = False
        await bot.app.letters.resubmitted(id)
        await bot.settle()
        u.sees("Flour.")
        assert not await bot.app.dead_letters()
        with pytest.raises(FrontdeskError, match="there is no dead letter"):
            await bot.app.letters.resubmitted(id)


async def test_a_channel_sees_the_commands_of_all_skills() -> None:
    skill = Skill("mill", "Grinds.")

    @skill.command("/grind", "/mill", about={"": "Grind something", "de": "Etwas mahlen"})
    async def grind(turn: Turn) -> None:
        """Not shown."""

    @skill.command("/Clean")
    async def clean(turn: Turn) -> None:
        """Clean the stones.

        And more.
        """

    @skill.command("/sell", about={"de": "Verkaufen"})
    async def sell(turn: Turn) -> None: ...

    async with Bot(skill) as bot:
        gateway = bot.channels["web"].gateway
        assert gateway is not None
        about = {"": "Grind something", "de": "Etwas mahlen"}
        assert list(gateway.commands()) == [
            KnownCommand(name="clean", about={"": "Clean the stones."}),
            KnownCommand(name="grind", about=about),
            KnownCommand(name="mill", about=about),
            KnownCommand(name="sell", about={"de": "Verkaufen", "": "Grinds."}),
        ]


async def test_a_bot_whose_channels_have_no_files_gives_no_addresses(tmp_path: Path) -> None:
    async with running(tmp_path) as (app, _, gateway):
        app.inbox.file_secret = b""  # as it stays where no channel has the ability
        with pytest.raises(RuntimeError, match="no ability Files"):
            gateway.file_url("post", "main", "x")
