"""The channel against PyPI's telemelya, a Bot API that nobody here wrote, with the real SDK in between.

It knows no secret header and delivers over http, so a relay stands in front of our webhook. Telegram's limits it does
not keep: tests/platforms/telegram.py does.
"""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from pydantic import SecretStr

from bot import Button, Choice, Command, Media, Pressed, Rejected, Reply
from bot.testing.channel_kit import Core, soon
from channels.telegram.channel import TelegramChannel
from channels.telegram.settings import TelegramAccount, TelegramSettings
from channels.telegram.webhook import HEADER
from tests.channels.telegram.fakes import ANA, delivery
from tests.peers import EMULATE, HOW, NODE, TELEMELYA
from tests.platforms.telegram import TOKEN
from tests.servers import free_port, redis_server

needs_telemelya = pytest.mark.skipif(not TELEMELYA.exists(), reason=f"telemelya {HOW}")
needs_emulate = pytest.mark.skipif(not (EMULATE.exists() and NODE.exists()), reason=f"emulate {HOW}")
pytestmark = [needs_telemelya, needs_emulate]


@pytest.fixture(scope="module")
def telemelya(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One telemelya for all tests of this file, with a Redis and an S3 of its own; where it listens."""
    home = tmp_path_factory.mktemp("telemelya")
    with contextlib.ExitStack() as stack:
        redis = stack.enter_context(redis_server())
        s3, port = free_port(), free_port()
        emulate: list[str | Path] = [NODE, EMULATE.resolve(), "start", "--service", "aws", "--port", str(s3)]
        stack.enter_context(_running(emulate, home / "emulate.log", s3, {}))
        given = {
            "MOCK_SERVER_HOST": "127.0.0.1",
            "MOCK_SERVER_PORT": str(port),
            "MOCK_SERVER_URL": f"http://127.0.0.1:{port}",
            "REDIS_URL": redis.url,
            "MINIO_ENDPOINT": f"127.0.0.1:{s3}",
            "AUTH_KEYS": "k1",
            "STRICT_EDIT": "true",
        }
        stack.enter_context(_running([TELEMELYA], home / "telemelya.log", port, given))
        yield f"http://127.0.0.1:{port}"


@contextlib.contextmanager
def _running(command: list[str | Path], log: Path, port: int, more: dict[str, str]) -> Iterator[None]:
    with log.open("wb") as out:
        process = subprocess.Popen(
            command, cwd=log.parent, env={**os.environ, **more}, stdout=out, stderr=out, stdin=subprocess.DEVNULL
        )
    try:
        for _ in range(300):
            assert process.poll() is None, log.read_text()
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                break
            time.sleep(0.1)
        else:
            raise AssertionError(log.read_text())
        yield
    finally:
        process.terminate()
        process.wait(20)


@dataclass
class Talk:
    """Ana on the far side of telemelya."""

    url: str
    channel: TelegramChannel
    core: Core
    http: aiohttp.ClientSession

    async def does(self, **what: Any) -> dict[str, Any]:
        """She writes, sends or presses; what telemelya says of it."""
        asked = {"chat_id": 5001, **what}
        path = f"{self.url}/api/v1/test/send_update?bot_token={TOKEN}"
        async with self.http.post(path, json=asked, headers={"Authorization": "Bearer k1"}) as response:
            said: dict[str, Any] = await response.json()
            assert response.status == 200, said
            assert said["delivery"]["status_code"] == 200
            return said

    async def seen(self, method: str) -> list[dict[str, Any]]:
        """The calls of a method that telemelya took."""
        path = f"{self.url}/api/v1/test/responses"
        async with self.http.get(path, headers={"Authorization": "Bearer k1"}) as response:
            return [one for one in (await response.json())["responses"] if one["method"] == method]

    async def comes(self, method: str) -> bool:
        """Whether a call of a method comes soon."""

        async def there() -> bool:
            return bool(await self.seen(method))

        return await soon(there)


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Talk]:
    """The channel between telemelya and a core in memory."""
    account = TelegramAccount(bot_token=SecretStr(TOKEN))
    channel = TelegramChannel("main", account, TelegramSettings(api_url=url), public_url="https://bot.example")
    core, port = Core(), free_port()
    async with aiohttp.ClientSession() as http:

        async def relay(request: web.Request) -> web.Response:
            headers = {HEADER: account.secret, "Content-Type": "application/json"}
            to = f"http://127.0.0.1:{port}/channels/telegram/main"
            async with http.post(to, data=await request.read(), headers=headers) as response:
                return web.Response(status=response.status)

        app = web.Application()
        app.add_routes([*channel.routes(), web.post("/relay", relay)])
        runner = web.AppRunner(app, shutdown_timeout=0.2)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        await http.post(f"{url}/api/v1/test/reset", headers={"Authorization": "Bearer k1"})
        try:
            await channel.start(core)
            assert await soon(lambda: "telegram.main.webhook" in core.notes)
            here = {"url": f"http://127.0.0.1:{port}/relay"}
            await http.post(f"{url}/bot{TOKEN}/setWebhook", json=here)
            yield Talk(url, channel, core, http)
        finally:
            await channel.stop()
            await runner.cleanup()


async def test_a_question_its_button_and_the_edit(telemelya: str) -> None:
    async with opened(telemelya) as talk:
        await talk.does(text="Where is order 42?", from_user={"id": 5001, "first_name": "Ana"})
        assert talk.core.received[-1].text == "Where is order 42?"
        assert talk.core.received[-1].address == ANA
        buttons = (Button(token="c1.0", label="Yes", value="yes"), Button(token="c1.1", label="No", value="no"))
        choices = (Choice(label="Yes"), Choice(label="No"))
        reply = Reply(text="Is it the **lamp**?", choices=choices, buttons=buttons)
        receipt = await talk.channel.send(delivery(reply))
        (asked,) = await talk.seen("sendMessage")
        assert asked["text"] == "Is it the lamp?"
        assert asked["raw"]["entities"] == [{"type": "bold", "offset": 10, "length": 4}]
        row = asked["reply_markup"]["inline_keyboard"][0]
        assert [button["text"] for button in row] == ["Yes", "No"]
        assert str(asked["message_id"]) == receipt.platform_id
        await talk.does(callback_data=row[1]["callback_data"], callback_message_id=asked["message_id"])
        assert talk.core.received[-1].content == Pressed(token="c1.1")
        assert await talk.comes("answerCallbackQuery")
        await talk.channel.edit(delivery("It is not the lamp."), receipt.platform_id)
        assert (await talk.seen("editMessageText"))[-1]["text"] == "It is not the lamp."
        with pytest.raises(Rejected):  # it says no with HTTP 200
            await talk.channel.edit(delivery("gone"), "99999")


async def test_commands_and_deep_links(telemelya: str) -> None:
    async with opened(telemelya) as talk:
        await talk.does(command="/start order-42")
        assert talk.core.received[-1].content == Command(name="start", text="order-42")


async def test_a_reply_that_grows(telemelya: str) -> None:
    async with opened(telemelya) as talk:
        await talk.does(text="hello")
        await talk.channel.typing(ANA, on=True)
        await talk.channel.draft(ANA, "k", "Once")
        assert await talk.comes("sendMessage")
        await talk.channel.draft(ANA, "k", "Once upon")
        await talk.channel.send(delivery(Reply(text="Once upon a time.", draft="k")))
        assert len(await talk.seen("sendMessage")) == 1
        assert (await talk.seen("editMessageText"))[-1]["text"] == "Once upon a time."
        assert await talk.seen("sendChatAction")


async def test_a_photo_each_way(telemelya: str) -> None:
    async with opened(telemelya) as talk:
        form = aiohttp.FormData()
        form.add_field("file", b"a picture" * 1000, filename="cat.jpg", content_type="image/jpeg")
        path = f"{telemelya}/api/v1/test/upload_media"
        async with talk.http.post(path, data=form, headers={"Authorization": "Bearer k1"}) as response:
            file_id = (await response.json())["file_id"]
        await talk.does(photo_file_id=file_id, photo_caption="my cat")
        (media,) = talk.core.received[-1].media
        assert media.type == "image/jpeg"
        async with talk.channel.open_file(file_id) as download:
            assert b"".join([chunk async for chunk in download.chunks]) == b"a picture" * 1000
        picture = Media(url="https://files.example/cat.png", name="cat.png", type="image/png")
        await talk.channel.send(delivery(Reply(text="Mine:", media=(picture,))))
        assert (await talk.seen("sendPhoto"))[-1]["caption"] == "Mine:"
