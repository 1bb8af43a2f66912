"""Against local-slack, an emulator that nobody here wrote, in both of its modes.

It shows that Slack's own clients are used as they are meant to. It takes any blocks and any token, keeps no metadata,
and gives each envelope to every socket: limits and read-back are for our own strict server.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from pydantic import SecretStr

from bot import (
    Address,
    Button,
    Choice,
    Command,
    Deleted,
    Edited,
    Form,
    FormField,
    KnownCommand,
    Media,
    Message,
    Pressed,
    Reacted,
    Reply,
    Submitted,
    Text,
)
from bot.clock import SystemClock
from bot.testing.channel_kit import Core, soon
from channels.slack.channel import SlackChannel
from channels.slack.settings import SlackAccount
from tests.channels.slack.bench import PDF, delivery
from tests.peers import HOW, LOCAL_SLACK, own_network
from tests.platforms.slack_rules import seen
from tests.servers import free_port

pytestmark = pytest.mark.skipif(not LOCAL_SLACK.exists(), reason=f"local-slack {HOW}")

BOT, ANA, CHAT, CHANNEL = "U0BOT", "U0ANA", "D0ANA", "C0GENERAL"
SECRET, TOKEN, APP_TOKEN = "a-signing-secret", "xoxb-emulated", "xapp-emulated"
FLAT = Address(channel="slack", account="main", chat=CHAT)


@pytest.fixture(autouse=True, scope="module")
def alone() -> Iterator[None]:
    """local-slack listens on every address."""
    with own_network():
        yield


@dataclass
class Emulated:
    """The emulator with a bot on it."""

    url: str
    channel: SlackChannel
    core: Core
    http: aiohttp.ClientSession
    socket: aiohttp.ClientWebSocketResponse

    async def control(self, what: str, body: dict[str, object]) -> dict[str, Any]:
        """Do something as a person does."""
        async with self.http.post(f"{self.url}/_control/{what}", json=body) as answer:
            told: dict[str, Any] = await answer.json()
            assert told["ok"], told
            return told

    async def heard(self, content: type, count: int = 1) -> list[Message]:
        """What came in of one kind, once there are so many."""

        def of_kind() -> list[Message]:
            return [message for message in self.core.received if isinstance(message.content, content)]

        assert await soon(lambda: len(of_kind()) >= count)
        await asyncio.sleep(0.05)  # and no more
        assert len(of_kind()) == count
        return of_kind()

    async def messages(self, chat: str) -> list[dict[str, Any]]:
        """What stands in a chat."""
        async with self.http.get(f"{self.url}/_control/messages/{chat}") as answer:
            told: list[dict[str, Any]] = (await answer.json())["messages"]
            return told

    async def bots(self, chat: str) -> list[dict[str, Any]]:
        """What the bot said in a chat."""
        return [message for message in await self.messages(chat) if message.get("bot_id")]

    async def state(self) -> dict[str, Any]:
        """All that the emulator's own page shows."""
        async with self.http.ws_connect(f"{self.url}/ui") as socket:
            told: dict[str, Any] = (await socket.receive_json())["state"]
            return told

    async def says(self, reply: Reply, to: Address = FLAT) -> None:
        """Send a reply as the outbox does."""
        for made in self.core.deliveries(self.channel, reply, to):
            self.core.write_down(made)
            await self.channel.send(made)


@asynccontextmanager
async def emulated(folder: Path, mode: str) -> AsyncIterator[Emulated]:
    ours, theirs = free_port(), free_port()
    url = f"http://127.0.0.1:{theirs}"
    app = {"botUserId": BOT, "botToken": TOKEN, "appToken": APP_TOKEN, "signingSecret": SECRET, "mode": mode}
    config = {
        "apps": [app | {"requestUrl": f"http://127.0.0.1:{ours}/channels/slack/events"}],
        "users": [{"id": ANA, "name": "ana", "real_name": "Ana", "email": "ana@acme.example", "tz": "Europe/Vienna"}],
        "channels": [
            {"id": CHAT, "name": "dm", "is_im": True, "is_channel": False, "members": [BOT, ANA]},
            {"id": CHANNEL, "name": "general", "members": [BOT, ANA]},
        ],
    }
    file = folder / "config.json"
    file.write_text(json.dumps(config), encoding="utf-8")
    command = [str(LOCAL_SLACK), "--config", str(file), "--port", str(theirs), "--base-host", "127.0.0.1"]
    process = subprocess.Popen(  # noqa: ASYNC220 - it is started in a moment
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder
    )
    given = SlackAccount(
        bot_token=SecretStr(TOKEN),
        signing_secret=SecretStr(SECRET) if mode == "events" else None,
        app_token=SecretStr(APP_TOKEN) if mode == "socket" else None,
        api_url=f"{url}/api/",
        files_url=url,
        draft_pace=0.05,
    )
    channel, core = SlackChannel("main", given, folder, SystemClock()), Core()
    web_app = web.Application()
    web_app.add_routes(channel.routes())
    runner = web.AppRunner(web_app, shutdown_timeout=0.1)
    try:
        async with aiohttp.ClientSession() as http:
            assert await soon(lambda: _up(http, url), 10)
            await runner.setup()
            await web.TCPSite(runner, "127.0.0.1", ours).start()
            await channel.start(core)
            async with http.ws_connect(f"{url}/ui") as socket:
                bench = Emulated(url, channel, core, http, socket)
                if mode == "socket":
                    assert await soon(lambda: _linked(bench))
                yield bench
    finally:
        await channel.stop()
        await runner.cleanup()
        process.terminate()
        process.wait(10)


async def _up(http: aiohttp.ClientSession, url: str) -> bool:
    try:
        async with http.get(f"{url}/_control/state") as answer:
            return answer.status == 200
    except aiohttp.ClientError:
        return False


async def _linked(bench: Emulated) -> bool:
    return bool((await bench.state())["apps"][0]["connected"])


both = pytest.mark.parametrize("mode", ["events", "socket"])


@both
async def test_a_chat_of_two(tmp_path: Path, mode: str) -> None:
    async with emulated(tmp_path, mode) as slack:
        await slack.control("message", {"channel": CHAT, "user": ANA, "text": "Where is &lt;42&gt;? 🙂"})
        (message,) = await slack.heard(Text)
        assert message.text == "Where is <42>? 🙂"
        assert message.address == FLAT
        await slack.says(Reply(text="**On its way** to <!channel>"))
        (answer,) = await slack.bots(CHAT)
        assert seen(answer).strip() == "On its way to <!channel>"
        await slack.control("message", {"channel": CHAT, "user": ANA, "text": "thanks"})
        assert (await slack.heard(Text, 2))[1].sender.name == "ana"


@both
async def test_a_mention_and_the_thread_that_follows(tmp_path: Path, mode: str) -> None:
    async with emulated(tmp_path, mode) as slack:
        said = await slack.control("message", {"channel": CHANNEL, "user": ANA, "text": f"<@{BOT}> hello"})
        ts = said["message"]["ts"]
        (message,) = await slack.heard(Text)
        assert (message.text, message.address.thread) == ("hello", ts)
        await slack.says(Reply(text="Hello, Ana"), message.address)
        assert (await slack.bots(CHANNEL))[0]["thread_ts"] == ts
        await slack.control("message", {"channel": CHANNEL, "user": ANA, "text": "go on", "thread_ts": ts})
        await slack.control("message", {"channel": CHANNEL, "user": ANA, "text": "lunch?"})
        assert [one.text for one in await slack.heard(Text, 2)] == ["hello", "go on"]


@both
async def test_edits_deletions_and_reactions(tmp_path: Path, mode: str) -> None:
    async with emulated(tmp_path, mode) as slack:
        said = await slack.control("message", {"channel": CHAT, "user": ANA, "text": "blue"})
        where = {"channel": CHAT, "ts": said["message"]["ts"], "user": ANA}
        (message,) = await slack.heard(Text)
        await slack.control("edit-message", {**where, "text": "red"})
        assert (await slack.heard(Edited))[0].content == Edited(target=message.platform_id, text="red")
        await slack.control("reaction", {**where, "name": "tada"})
        await slack.control("reaction", {**where, "name": "tada", "present": False})
        assert [one.content for one in await slack.heard(Reacted, 2)] == [
            Reacted(target=where["ts"], emoji="🎉"),
            Reacted(target=where["ts"], emoji="🎉", added=False),
        ]
        await slack.control("delete-message", where)
        assert (await slack.heard(Deleted))[0].content == Deleted(target=message.platform_id)


@both
async def test_a_button_and_a_command(tmp_path: Path, mode: str) -> None:
    async with emulated(tmp_path, mode) as slack:
        button = Button(token="tok", label="Yes", value="yes")
        await slack.says(Reply(text="Sure?", choices=(Choice(label="Yes"),), buttons=(button,)))
        (asked,) = await slack.bots(CHAT)
        (block,) = [block for block in asked["blocks"] if block["type"] == "actions"]
        action = block["elements"][0] | {"block_id": block["block_id"]}
        await slack.control("interact", {"channel": CHAT, "messageTs": asked["ts"], "user": ANA, "action": action})
        (pressed,) = await slack.heard(Pressed)
        assert (pressed.content, pressed.address) == (Pressed(token="tok", label="Yes"), FLAT)
        await slack.control("command", {"channel": CHAT, "user": ANA, "command": "/track", "text": "42"})
        assert (await slack.heard(Command))[0].content == Command(name="track", text="42")


@both
async def test_a_form(tmp_path: Path, mode: str) -> None:
    form = Form(title="Refund", token="f1", fields=(FormField(name="why", label="Why?"),), open="Tell me")
    async with emulated(tmp_path, mode) as slack:
        await slack.says(Reply(text="Please", form=form))
        (asked,) = await slack.bots(CHAT)
        (block,) = [block for block in asked["blocks"] if block["type"] == "actions"]
        action = block["elements"][0] | {"block_id": block["block_id"]}
        await slack.control("interact", {"channel": CHAT, "messageTs": asked["ts"], "user": ANA, "action": action})

        async def is_open() -> bool:
            return bool((await slack.state())["modalStack"])

        assert await soon(is_open)
        values = {"why": {"value": {"type": "plain_text_input", "value": "late"}}}
        await slack.socket.send_json({"t": "view_submit", "user": ANA, "values": values})
        (submitted,) = await slack.heard(Submitted)
        assert submitted.content == Submitted(token="f1", values={"why": "late"}, text="Why?: late")
        assert submitted.address == FLAT

        async def is_closed() -> bool:
            return not await is_open()

        assert await soon(is_closed)


@both
async def test_the_home(tmp_path: Path, mode: str) -> None:
    async with emulated(tmp_path, mode) as slack:
        slack.core.known_commands.append(KnownCommand(name="track", about={"": "Finds an order."}))
        await slack.control("open-home", {"user": ANA})

        async def published() -> bool:
            return "/track" in json.dumps((await slack.state())["homeViews"])

        assert await soon(published)


@both
async def test_files_both_ways(tmp_path: Path, mode: str, shop: dict[str, bytes]) -> None:
    async with emulated(tmp_path, mode) as slack:
        form = aiohttp.FormData({"channel": CHAT, "user": ANA, "text": "look"})
        form.add_field("file", b"\x89PNG", filename="a.png", content_type="image/png")
        async with slack.http.post(f"{slack.url}/_control/upload", data=form) as answer:
            assert (await answer.json())["ok"]
        (message,) = await slack.heard(Text)
        (media,) = message.media
        assert (message.text, media.name, media.type, media.size) == ("look", "a.png", "image/png", 4)
        await slack.channel.send(delivery(Reply(text="Here it is", media=(PDF,)), FLAT))
        files, words = await slack.bots(CHAT)
        assert files["files"][0]["title"] == "bill.pdf"
        assert files["files"][0]["size"] == len(shop[PDF.url])
        assert seen(words).strip() == "Here it is"


@both
async def test_a_file_is_downloaded_with_the_token(tmp_path: Path, mode: str) -> None:
    async with emulated(tmp_path, mode) as slack:
        form = aiohttp.FormData({"channel": CHAT, "user": ANA})
        form.add_field("file", b"\x89PNG", filename="a.png", content_type="image/png")
        async with slack.http.post(f"{slack.url}/_control/upload", data=form) as answer:
            file = (await answer.json())["message"]["files"][0]
        async with slack.channel.open_file(file["id"]) as download:
            assert b"".join([chunk async for chunk in download.chunks]) == b"\x89PNG"
        assert Media(url="x", name=download.name, type=download.type) == Media(url="x", name="a.png", type="image/png")


@both
async def test_a_reply_grows_and_is_changed(tmp_path: Path, mode: str) -> None:
    thread = Address(channel="slack", account="main", chat=CHAT, thread="1700000000.000001")
    async with emulated(tmp_path, mode) as slack:
        for to in (FLAT, thread):  # the emulator knows no native streams, so both become edits
            for text in ("Once", "Once upon a time"):
                await slack.channel.draft(to, "d1", text)

                async def shown(text: str = text) -> bool:
                    said = await slack.bots(CHAT)
                    return bool(said) and seen(said[-1]).strip() == text

                assert await soon(shown)
            receipt = await slack.channel.send(delivery(Reply(text="The end.", draft="d1"), to))
            await slack.channel.edit(delivery(Reply(text="The very end."), to), receipt.platform_id)
        assert [seen(one).strip() for one in await slack.bots(CHAT)] == ["The very end.", "The very end."]


@both
async def test_private_words(tmp_path: Path, mode: str) -> None:
    async with emulated(tmp_path, mode) as slack:
        await slack.control("message", {"channel": CHANNEL, "user": ANA, "text": f"<@{BOT}> my balance?"})
        (message,) = await slack.heard(Text)
        await slack.says(Reply(text="40 €", private=True), message.address)
        (shown,) = await slack.bots(CHANNEL)
        assert (shown["subtype"], shown["ephemeral_to"]) == ("ephemeral", ANA)
