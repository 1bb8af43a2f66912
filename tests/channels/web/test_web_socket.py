"""The socket: order, acks, resume, drafts, typing, limits."""

from __future__ import annotations

import asyncio
import uuid
from pathlib import Path

import aiohttp

from bot import Message, Pressed, Typing
from channels.web.intake import address_of
from tests.channels.web.fakes import FakeGateway, frames, served


async def echo(gateway: FakeGateway, message: Message) -> None:
    """A bot that says it back."""
    await gateway.say(message.address, f"You said {message.text}")


async def test_a_chat_over_the_socket(tmp_path: Path) -> None:
    async with served(tmp_path, echo) as client, client.socket() as line:
        welcome, _ = await frames(line, "caught_up")
        assert welcome["t"] == "welcome"
        conversation = welcome["conversation"]
        assert len(conversation) == 32
        assert client.site.gateway.transcripts == {}, "opening a socket must not make a conversation"
        await line.send_json({"t": "say", "client_id": "m1", "text": "hello"})
        got = [await line.receive_json(timeout=5) for _ in range(3)]
        (ack,) = [frame for frame in got if frame["t"] == "ack"]
        assert ack == {"t": "ack", "client_id": "m1", "seq": 1, "conversation": conversation}
        rows = [frame for frame in got if frame["t"] == "message"]
        assert [(row["from"], row["text"]) for row in rows] == [("user", "hello"), ("bot", "You said hello")]
        assert rows[0]["client_id"] == "m1"


async def test_hello_with_a_client_id_opens_the_conversation_that_http_would(tmp_path: Path) -> None:
    async with served(tmp_path) as client:
        client_id = str(uuid.uuid4())
        async with client.socket(client_id=client_id) as line:
            (welcome, *_) = await frames(line, "caught_up")
        _, posted = await client.post({"text": "hello", "client_id": client_id})
        assert posted["conversation"] == welcome["conversation"]


async def test_a_page_that_reconnects_misses_nothing_and_sees_nothing_twice(tmp_path: Path) -> None:
    async with served(tmp_path) as client:
        there = address_of("ab" * 16)
        gateway = client.site.gateway
        seen: list[int] = []
        for n in range(450):
            gateway.add(there, "bot", f"line {n}")
        async with client.socket("ab" * 16) as line:
            got = await frames(line, "caught_up")
            seen += [frame["seq"] for frame in got if frame["t"] == "message"]
        assert len(seen) == 450
        await gateway.say(there, "while away")
        await client.site.stop()
        await gateway.say(there, "while the bot was down")
        await client.site.start()
        async with client.socket("ab" * 16, after=seen[-1]) as line:
            got = await frames(line, "caught_up")
            seen += [frame["seq"] for frame in got if frame["t"] == "message"]
            await gateway.say(there, "live")
            seen.append((await line.receive_json(timeout=5))["seq"])
        assert seen == [entry.seq for entry in gateway.transcripts["ab" * 16]]


async def test_what_one_tab_says_the_other_sees(tmp_path: Path) -> None:
    async with served(tmp_path) as client, client.socket("cd" * 16) as one, client.socket("cd" * 16) as other:
        await frames(one, "caught_up")
        await frames(other, "caught_up")
        await one.send_json({"t": "say", "client_id": "m", "text": "hi"})
        assert (await frames(other, "message"))[-1]["text"] == "hi"


async def test_other_conversations_get_no_frames(tmp_path: Path) -> None:
    async with served(tmp_path, echo) as client, client.socket("11" * 16) as spy, client.socket("22" * 16) as line:
        await frames(spy, "caught_up")
        await frames(line, "caught_up")
        await line.send_json({"t": "say", "client_id": "m", "text": "secret"})
        await client.site.channel.draft(address_of("22" * 16), "k", "secret")
        await frames(line, "message")
        await spy.send_json({"t": "ping"})
        assert await spy.receive_json(timeout=5) == {"t": "pong"}


async def test_a_new_transcript_is_replayed_from_its_start(tmp_path: Path) -> None:
    async with served(tmp_path) as client:
        gateway, there = client.site.gateway, address_of("ab" * 16)
        for n in range(3):
            gateway.add(there, "bot", f"old {n}")
        async with client.socket("ab" * 16) as line:
            epoch = (await frames(line, "caught_up"))[0]["epoch"]
        async with client.socket("ab" * 16, after=6, epoch=epoch) as line:
            assert [frame["t"] for frame in await frames(line, "caught_up")] == ["welcome", "caught_up"]
        gateway.transcripts.clear()
        gateway.shift += 60
        gateway.add(there, "bot", "new")
        async with client.socket("ab" * 16, after=6, epoch=epoch) as line:
            welcome, row, _ = await frames(line, "caught_up")
            assert welcome["epoch"] != epoch
            assert row["text"] == "new"


async def test_typing_and_drafts_are_shown_and_only_the_newest_counts(tmp_path: Path) -> None:
    async with served(tmp_path) as client, client.socket("ab" * 16) as line:
        await frames(line, "caught_up")
        channel, there = client.site.channel, address_of("ab" * 16)
        await channel.typing(there, on=True)
        assert await line.receive_json(timeout=5) == {"t": "typing", "on": True}
        for n in range(200):
            await channel.draft(there, "k", "x" * n)
            await asyncio.sleep(0.001)
        shown = [frame["text"] for frame in await frames(line, "draft")]
        while shown[-1] != "x" * 199:
            shown += [frame["text"] for frame in await frames(line, "draft")]
        assert len(shown) < 50


async def test_no_draft_comes_after_the_reply_that_it_became(tmp_path: Path) -> None:
    async with served(tmp_path) as client, client.socket("ab" * 16) as line:
        await frames(line, "caught_up")
        for n in range(20):
            await client.site.channel.draft(address_of("ab" * 16), "k", "x" * n)
            await asyncio.sleep(0.003)
        await client.site.gateway.say(address_of("ab" * 16), "x" * 20)
        await frames(line, "message")
        await asyncio.sleep(0.2)
        await line.send_json({"t": "ping"})
        assert await line.receive_json(timeout=5) == {"t": "pong"}


async def test_presses_and_typing_go_to_the_core(tmp_path: Path) -> None:
    async with served(tmp_path) as client, client.socket("ab" * 16) as line:
        await line.send_json({"t": "typing", "on": True})
        await line.send_json({"t": "press", "client_id": "p", "token": "tok", "label": "Yes"})
        await frames(line, "ack")
        gateway = client.site.gateway
        assert gateway.received[0].content == Pressed(token="tok", label="Yes")
        assert gateway.signals[0].content == Typing(on=True)


async def test_mistakes_are_told_and_the_line_stays(tmp_path: Path) -> None:
    async with served(tmp_path) as client, client.socket("ab" * 16) as line:
        await frames(line, "caught_up")
        for bad in ("", "{", "[]", "7", '{"t":"dance"}', '{"t":"say"}', '{"t":"say","text":[]}', '{"t":"hello"}'):
            await line.send_str(bad)
            answer = await line.receive_json(timeout=5)
            assert answer["t"] == "error", bad
            assert answer["retry_after"] is None
        await line.send_bytes(b"\xff\x00")
        assert (await line.receive_json(timeout=5))["t"] == "error"
        await line.send_json({"t": "say", "client_id": "long", "text": "x" * 20_001})
        answer = await line.receive_json(timeout=5)
        assert (answer["t"], answer["client_id"]) == ("error", "long")
        await line.send_json({"t": "say", "client_id": "m", "text": "still here"})
        assert (await frames(line, "ack"))[-1]["client_id"] == "m"


async def test_an_ack_means_stored(tmp_path: Path) -> None:
    async with served(tmp_path) as client, client.socket("ab" * 16) as line:
        await frames(line, "caught_up")
        client.site.gateway.down = True
        await line.send_json({"t": "say", "client_id": "m", "text": "hi"})
        answer = await line.receive_json(timeout=5)
        assert answer["t"] == "error"
        assert answer["retry_after"] > 0
        assert client.site.gateway.received == []


async def test_a_flood_is_slowed_and_nothing_is_lost_by_sending_again(tmp_path: Path) -> None:
    async with served(tmp_path) as client, client.socket("ab" * 16) as line:
        await frames(line, "caught_up")
        for n in range(30):
            await line.send_json({"t": "say", "client_id": f"m{n}", "text": str(n)})
        acked, slowed = set(), {}
        while len(acked) + len(slowed) < 30:
            frame = await line.receive_json(timeout=5)
            if frame["t"] == "ack":
                acked.add(frame["client_id"])
            elif frame["t"] == "error":
                slowed[frame["client_id"]] = frame["retry_after"]
        assert 20 <= len(acked) < 30
        assert all(0 < wait < 5 for wait in slowed.values())


async def test_without_a_hello_the_socket_is_closed(tmp_path: Path) -> None:
    async with served(tmp_path) as client:
        for first in (
            '{"t":"say","text":"hi"}',
            "{",
            '{"t":"hello","conversation":"nope"}',
            '{"t":"hello","after":-1}',
        ):
            async with client.http.ws_connect(client.site.api + "/ws", origin=client.site.url) as line:
                await line.send_str(first)
                assert (await line.receive_json(timeout=5))["t"] == "error"
                assert (await line.receive(timeout=5)).type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED)
        assert client.site.gateway.received == []


async def test_too_large_a_frame_closes_the_socket_and_only_that(tmp_path: Path) -> None:
    async with served(tmp_path) as client, client.socket("ab" * 16) as line, client.socket("ab" * 16) as other:
        await frames(line, "caught_up")
        await line.send_str("x" * 1_000_000)
        assert (await line.receive(timeout=5)).type is aiohttp.WSMsgType.CLOSE
        await frames(other, "caught_up")
        await other.send_json({"t": "ping"})
        assert await other.receive_json(timeout=5) == {"t": "pong"}


async def test_one_conversation_has_so_many_sockets_and_no_more(tmp_path: Path) -> None:
    async with served(tmp_path) as client:
        lines = []
        for _ in range(17):
            line = await client.http.ws_connect(client.site.api + "/ws", origin=client.site.url)
            await line.send_json({"t": "hello", "conversation": "ab" * 16})
            lines.append((line, await line.receive_json(timeout=5)))
        assert [first["t"] for _, first in lines] == ["welcome"] * 16 + ["error"]
        for line, _ in lines:
            await line.close()


async def test_a_stop_lets_sockets_go_at_once(tmp_path: Path) -> None:
    async with served(tmp_path) as client, client.socket("ab" * 16) as line:
        await frames(line, "caught_up")
        await asyncio.wait_for(client.site.channel.stop(), 1)
        closing = await line.receive(timeout=2)
        assert closing.data == aiohttp.WSCloseCode.GOING_AWAY
