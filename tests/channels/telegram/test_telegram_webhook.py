"""What comes by webhook: only from Telegram, stored before it is answered, and never refused for good."""

from __future__ import annotations

import asyncio
import gzip
import json
from typing import Any

import aiohttp
import pytest

from bot.testing.channel_kit import Core, soon
from channels.telegram.webhook import HEADER, LARGEST_UPDATE
from tests.channels.telegram.fakes import Bench, bench, channel_for, served
from tests.platforms.telegram import GROUP, PRIVATE, TelegramServer

PATH = "/channels/telegram/main"


def update(bench: Bench, text: str = "hello") -> bytes:
    return json.dumps(bench.server.update(message=bench.server.message(text))).encode()


async def raw(bench: Bench, body: bytes, headers: list[tuple[str, str]]) -> int:
    async with (
        aiohttp.ClientSession() as http,
        http.post(bench.server.reach + PATH, data=body, headers=headers) as response,
    ):
        return response.status


MUTATIONS: dict[str, Any] = {
    "no header": lambda s: [],
    "empty": lambda s: [(HEADER, "")],
    "two headers": lambda s: [(HEADER, s), (HEADER, s)],
    "two headers, one right": lambda s: [(HEADER, "x"), (HEADER, s)],
    "truncated": lambda s: [(HEADER, s[:-1])],
    "longer": lambda s: [(HEADER, s + "0")],
    "upper case": lambda s: [(HEADER, s.upper())],
    "not ascii": lambda s: [(HEADER, "é" + s[1:])],
    "another bot's": lambda s: [(HEADER, "f" * 64)],
    "the token itself": lambda s: [(HEADER, TelegramServer().token)],
    "quoted": lambda s: [(HEADER, f'"{s}"')],
    "in another header": lambda s: [("Authorization", s)],
    "listed": lambda s: [(HEADER, f"{s}, {s}")],
    "very long": lambda s: [(HEADER, s * 60)],
}


@pytest.mark.parametrize("mutation", MUTATIONS)
async def test_strangers_are_refused_and_leave_nothing(mutation: str) -> None:
    async with bench() as b:
        secret = b.server.webhook["secret_token"]
        assert await raw(b, update(b), MUTATIONS[mutation](secret)) == 401
        assert await raw(b, b"{", MUTATIONS[mutation](secret)) == 401
        assert (b.core.offered, b.core.unreadable, b.core.notes.keys() & {"x"}) == ([], [], set())
        # The same body with the right secret is let in.
        assert await raw(b, update(b), [(HEADER, secret)]) == 200
        assert len(b.core.received) == 1


async def test_one_bots_secret_opens_no_other_bots_door() -> None:
    first, second = TelegramServer(), TelegramServer(token="654321:OTHER-token-of-nobody-0123456789")
    for server in (first, second):
        await server.start()
    channels = [channel_for(first, account="one"), channel_for(second, account="two")]
    core = Core()
    try:
        async with served(first, channels) as address:
            second.reach = address
            for channel in channels:
                await channel.start(core)
            assert await soon(lambda: bool(first.webhook and second.webhook))
            body = json.dumps(first.update(message=first.message("hello"))).encode()
            assert first.webhook["secret_token"] != second.webhook["secret_token"]
            assert await second.post(body, first.webhook["secret_token"]) == 401
            assert core.offered == []
            assert await first.post(body, first.webhook["secret_token"]) == 200
            assert await second.post(body, second.webhook["secret_token"]) == 200
            assert [message.address.account for message in core.received] == ["one", "two"]
    finally:
        for channel in channels:
            await channel.stop()
        for server in (first, second):
            await server.stop()


async def test_a_hundred_replays_are_one_message() -> None:
    async with bench() as b:
        body, secret = update(b), b.server.webhook["secret_token"]
        for _ in range(100):
            assert await b.server.post(body, secret) == 200
        assert len(b.core.received) == 1


async def test_what_nobody_can_read_is_kept_once_and_answered_200() -> None:
    async with bench() as b:
        secret = b.server.webhook["secret_token"]
        for body in (b"", b"{", b"[1]", b"\xff\x00", b'{"update_id": 5, "message": {"text": 1}}'):
            assert await b.server.post(body, secret) == 200
            assert await b.server.post(body, secret) == 200
        assert len(b.core.unreadable) == 5
        assert b.core.unreadable[-1].event_id == "5"
        assert (b.core.unreadable[-1].channel, b.core.unreadable[-1].account) == ("telegram", "main")
        assert b.core.received == []


async def test_what_was_kept_can_be_read_again() -> None:
    async with bench() as b:
        with pytest.raises(ValueError, match="message"):
            await b.channel.reread('{"update_id": 5, "message": {"text": 1}}')
        await b.channel.reread(update(b, "now").decode())
        assert [message.text for message in b.core.received] == ["now"]


async def test_a_store_that_is_full_is_told_as_come_again() -> None:
    async with bench() as b:
        b.core.full = True
        secret = b.server.webhook["secret_token"]
        assert await b.server.post(update(b), secret) == 503
        assert await b.server.post(b"{", secret) == 503
        b.core.full = False
        b.server.redelivers = True
        assert await b.server.deliver(b.server.update(message=b.server.message("hello")))


async def test_a_body_too_long_is_kept_in_part_and_does_not_block_the_chat() -> None:
    async with bench() as b:
        body = b'{"update_id": 5, "message": "' + b"x" * LARGEST_UPDATE + b'"}'
        assert await b.server.post(body, b.server.webhook["secret_token"]) == 200
        assert len(b.core.unreadable[0].payload) <= 64 * 1024


async def test_packed_bodies_are_read_and_broken_ones_refused() -> None:
    async with bench() as b:
        secret = (HEADER, b.server.webhook["secret_token"])
        packed = gzip.compress(update(b))
        assert await raw(b, packed, [secret, ("Content-Encoding", "gzip")]) == 200
        assert await raw(b, b"no gzip", [secret, ("Content-Encoding", "gzip")]) == 400
        bomb = gzip.compress(b"0" * 50_000_000)
        assert await raw(b, bomb, [secret, ("Content-Encoding", "gzip")]) in (200, 400)
        assert len(b.core.received) == 1


async def test_a_mistake_of_ours_blocks_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    async with bench() as b:

        async def broken(message: object) -> None:
            raise RuntimeError("a bug")

        monkeypatch.setattr(b.core, "receive", broken)
        assert await b.server.post(update(b), b.server.webhook["secret_token"]) == 200
        assert b.core.unreadable[0].problem == "storing it raised RuntimeError"


async def test_a_press_is_stored_first_and_always_answered() -> None:
    async with bench() as b:
        query = {"id": "q", "from": {"id": 5001, "is_bot": False, "first_name": "Ana"}, "chat_instance": "1"}
        shown = {**b.server.message(), "text": "?"}
        press = b.server.update(callback_query={**query, "message": shown, "data": "t"})
        b.server.queries["q"] = False
        b.core.hold()
        delivering = asyncio.ensure_future(b.server.deliver(press))
        assert await soon(lambda: bool(b.core.offered))
        await asyncio.sleep(0.05)
        assert b.server.queries["q"] is False
        b.core.release()
        assert await delivering
        assert await soon(lambda: b.server.queries["q"])
        # Without a message there is nothing to store, and still the clock on the button goes away.
        b.server.queries["inline"] = False
        assert await b.server.deliver(b.server.update(callback_query={**query, "id": "inline", "data": "t"}))
        assert await soon(lambda: b.server.queries["inline"])


async def test_an_answer_that_hangs_holds_up_nobody() -> None:
    async with bench() as b:
        b.server.fail("hang", "answerCallbackQuery", times=50)
        query = {"id": "q", "from": {"id": 5001, "is_bot": False, "first_name": "Ana"}, "chat_instance": "1"}
        async with asyncio.timeout(2):
            for _ in range(5):
                press = b.server.update(callback_query={**query, "message": b.server.message("?"), "data": "t"})
                assert await b.server.deliver(press)


async def test_while_its_name_is_unknown_groups_are_told_to_come_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("channels.telegram.naming.FIRST_PAUSE", 0.5)
    server = TelegramServer()
    server.fail("close before", "getMe", times=2)
    async with bench(server=server) as b:
        group = b.server.update(message=b.server.message("@frontdesk_bot hi", chat=GROUP))
        private = b.server.update(message=b.server.message("hi", chat=PRIVATE))
        assert not await b.server.deliver(group)
        assert await b.server.deliver(private)
        b.server.redelivers = True
        assert await b.server.deliver(group, patience=10.0)
        assert [message.text for message in b.core.received] == ["hi", "hi"]
