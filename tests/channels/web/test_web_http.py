"""The plain HTTP form of the protocol: a conversation with curl, and everything a stranger can get wrong."""

from __future__ import annotations

import asyncio
import json
import random
import uuid
from pathlib import Path

import aiohttp
import pytest

from bot import Card, Command, Field, Message, Pressed, Reply, Text
from channels.web.intake import address_of
from tests.channels.web.fakes import FakeGateway, served


async def echo(gateway: FakeGateway, message: Message) -> None:
    """A bot that says it back."""
    await gateway.say(message.address, f"You said {message.text}", "More", "Stop")


async def test_curl_holds_a_conversation(tmp_path: Path) -> None:
    async with served(tmp_path, echo) as client:
        status, posted = await client.post({"text": "hello", "client_id": str(uuid.uuid4())})
        assert status == 202
        conversation = posted["conversation"]
        assert len(conversation) == 32
        assert set(conversation) <= set("0123456789abcdef")
        assert posted["seq"] == 1
        rows = await client.poll(conversation, wait=5)
        rows += await client.poll(conversation, after=rows[-1]["seq"], wait=5) if len(rows) < 2 else []
        assert [(row["from"], row["text"]) for row in rows] == [("user", "hello"), ("bot", "You said hello")]
        assert [choice["label"] for choice in rows[1]["choices"]] == ["More", "Stop"]
        assert rows[1]["choices"][0] == {"label": "More", "value": "more", "token": "tok-0-More"}
        status, again = await client.post({"text": "more", "client_id": "2", "conversation": conversation})
        assert (status, again["conversation"]) == (202, conversation)
        assert again["seq"] > rows[-1]["seq"]


async def test_the_same_client_id_answers_the_same(tmp_path: Path) -> None:
    async with served(tmp_path) as client:
        first = {"text": "hello", "client_id": str(uuid.uuid4())}
        once, twice = await client.post(first), await client.post(first)
        assert once == twice
        later = {"text": "again", "client_id": "x1", "conversation": once[1]["conversation"]}
        assert await client.post(later) == await client.post(later)
        assert [message.text for message in client.site.gateway.received] == ["hello", "again"]


async def test_the_same_first_client_id_finds_its_conversation_after_a_restart(tmp_path: Path) -> None:
    async with served(tmp_path) as client:
        first = {"text": "hello", "client_id": str(uuid.uuid4())}
        before = await client.post(first)
        await client.site.stop()
        await client.site.start()
        assert await client.post(first) == before


async def test_another_installation_derives_other_conversations(tmp_path: Path) -> None:
    first = {"text": "hello", "client_id": str(uuid.uuid4())}
    async with served(tmp_path / "a") as one, served(tmp_path / "b") as other:
        assert (await one.post(first))[1]["conversation"] != (await other.post(first))[1]["conversation"]
    assert (tmp_path / "a" / "web.secret").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("client_id", ["1", "aaaaaaaaaaaaaaaaaaaaaaaa", None, "1111222233334444"])
async def test_a_guessable_client_id_never_leads_into_somebody_elses_conversation(
    tmp_path: Path, client_id: str | None
) -> None:
    async with served(tmp_path) as client:
        first = {"text": "hello"} | ({"client_id": client_id} if client_id else {})
        one, other = await client.post(first), await client.post(first)
        assert one[0] == other[0] == 202
        assert one[1]["conversation"] != other[1]["conversation"]


async def test_a_long_poll_waits_for_news_and_no_longer(tmp_path: Path) -> None:
    async with served(tmp_path) as client:
        _, posted = await client.post({"text": "hello"})
        conversation, loop = posted["conversation"], asyncio.get_running_loop()
        started = loop.time()
        assert await client.poll(conversation, after=1, wait=0.3) == []
        assert 0.25 < loop.time() - started < 3
        waiting = asyncio.create_task(client.poll(conversation, after=1, wait=20))
        await asyncio.sleep(0.1)
        await client.site.gateway.say(address_of(conversation), "news")
        rows = await asyncio.wait_for(waiting, 2)
        assert [row["text"] for row in rows] == ["news"]


async def test_a_waiting_poll_is_let_go_when_the_bot_stops(tmp_path: Path) -> None:
    async with served(tmp_path) as client:
        waiting = asyncio.create_task(client.poll("0" * 32, wait=30))
        await asyncio.sleep(0.1)
        await client.site.channel.stop()
        assert await asyncio.wait_for(waiting, 2) == []


async def test_agents_and_notices_are_told_apart(tmp_path: Path) -> None:
    async with served(tmp_path) as client:
        _, posted = await client.post({"text": "a person please"})
        there = address_of(posted["conversation"])
        await client.site.gateway.say(there, "Ana joined.", source="system")
        await client.site.gateway.say(there, "Hi, Ana here.", source="agent", author="Ana")
        notice, agent = (await client.poll(posted["conversation"]))[1:]
        assert (notice["from"], notice["kind"]) == ("bot", "notice")
        assert (agent["from"], agent["author"], agent["kind"]) == ("agent", "Ana", "message")


async def test_a_press_and_a_command_arrive_as_what_they_are(tmp_path: Path) -> None:
    async with served(tmp_path) as client:
        _, posted = await client.post({"press": "tok-1", "label": "Yes", "client_id": "p1"})
        await client.post({"text": "/Track  12\n34", "conversation": posted["conversation"]})
        await client.post({"text": "/usr/bin is a path", "conversation": posted["conversation"]})
        contents = [message.content for message in client.site.gateway.received]
        assert contents == [
            Pressed(token="tok-1", label="Yes"),
            Command(name="track", text="12\n34"),
            Text(text="/usr/bin is a path"),
        ]


async def test_control_characters_and_broken_characters_are_taken_out(tmp_path: Path) -> None:
    async with served(tmp_path) as client:
        body = b'{"text": "a\\u0000b\\ud800c\\r\\nd\\te \\ud83d\\ude00 \\u0085", "client_id": "\\udc00"}'
        assert (await client.post(body))[0] == 202
        text = client.site.gateway.received[0].text
        assert text == "ab\ufffdc\nd\te 😀"
        client.site.gateway.received[0].event_id.encode()


BAD_BODIES = [
    (b"", 400),
    (b"{", 400),
    (b"\xff\xfe\x00", 400),
    (b"null", 400),
    (b"[]", 400),
    (b'["text"]', 400),
    (b'"text"', 400),
    (b"NaN", 400),
    (b"[" * 100_000, 400),
    (b'{"a":' * 50_000, 400),
    (b'{"text": ' + b"9" * 5000 + b"}", 400),
    (b"{}", 400),
    (b'{"text": ""}', 400),
    (b'{"text": "  \\u0000 \\n"}', 400),
    (b'{"text": 1}', 400),
    (b'{"text": null}', 400),
    (b'{"text": ["a"]}', 400),
    (b'{"text": "a", "client_id": 7}', 400),
    (b'{"text": "a", "client_id": {}}', 400),
    (b'{"text": "a", "client_id": "' + b"x" * 129 + b'"}', 400),
    (b'{"text": "a", "conversation": 7}', 400),
    (b'{"text": "a", "conversation": "nope"}', 404),
    (b'{"text": "a", "conversation": "' + b"A" * 32 + b'"}', 404),
    (b'{"text": "a", "conversation": "../../etc/passwd"}', 404),
    (b'{"press": ""}', 400),
    (b'{"press": 1}', 400),
    (b'{"press": "' + b"x" * 600 + b'"}', 400),
    (b'{"upload": "abc"}', 400),
    (b'{"upload": ["' + b"0" * 32 + b'"]}', 400),
    (b'{"upload": ["../web.secret"]}', 400),
    (b'{"upload": [1]}', 400),
    (b'{"t": "hello", "text": "a"}', 400),
    (b'{"text": "' + b"x" * 20_001 + b'"}', 413),
    (b'{"text": "' + b"x" * 1_000_000 + b'"}', 413),
]


async def test_every_bad_body_gets_a_sentence_and_never_a_5xx(tmp_path: Path) -> None:
    async with served(tmp_path) as client:
        for body, expected in BAD_BODIES:
            status, answer = await client.post(body)
            assert (status, list(answer)) == (expected, ["error"]), (body[:60], answer)
            assert answer["error"].endswith(".")
        assert client.site.gateway.received == []
        assert (await client.post({"text": "x" * 20_000}))[0] == 202
        assert (await client.post({"text": "😀" * 20_000}))[0] == 202


async def test_random_bytes_never_make_a_5xx(tmp_path: Path) -> None:
    rng = random.Random(4)
    good = json.dumps({"text": "hello", "client_id": "a", "conversation": None, "upload": []}).encode()
    async with served(tmp_path) as client:
        for _ in range(300):
            body = bytearray(good if rng.random() < 0.7 else rng.randbytes(rng.randrange(200)))
            for _ in range(rng.randrange(4)):
                if body:
                    body[rng.randrange(len(body))] = rng.randrange(256)
            status, _ = await client.post(bytes(body))
            assert status == 202 or 400 <= status < 500


@pytest.mark.parametrize(
    "query",
    [
        "",
        "conversation=",
        "conversation=nope",
        f"conversation={'0' * 32}&after=-1",
        f"conversation={'0' * 32}&after=x",
        f"conversation={'0' * 32}&after=1e3",
        f"conversation={'0' * 32}&after=٣",
        f"conversation={'0' * 32}&after=99999999999999999999",
        f"conversation={'0' * 32}&wait=-1",
        f"conversation={'0' * 32}&wait=nan",
        f"conversation={'0' * 32}&wait=inf",
        f"conversation={'0' * 32}&wait=",
        "conversation=%ff%00&after=%zz",
    ],
)
async def test_a_bad_query_gets_a_sentence(tmp_path: Path, query: str) -> None:
    async with served(tmp_path) as client, client.http.get(f"{client.site.api}/messages?{query}") as response:
        assert 400 <= response.status < 500
        assert list(await response.json()) == ["error"]


async def test_unknown_paths_methods_and_encodings_get_json_and_4xx(tmp_path: Path) -> None:
    async with served(tmp_path) as client:
        for path in (
            "nothing.js",
            "static/x/nothing.js",
            "uploads/nope",
            "uploads/" + "0" * 32,
            "..%2fchannel.py",
            "ws",
        ):
            headers = {"Origin": client.site.url}
            async with client.http.get(f"{client.site.api}/{path}", headers=headers) as response:
                assert 400 <= response.status < 500, path
                assert list(await response.json()) == ["error"]
        gzipped = {"Content-Encoding": "gzip"}
        async with client.http.post(client.site.api + "/messages", data=b"not gzip", headers=gzipped) as response:
            assert response.status == 400


async def test_a_full_database_says_try_again(tmp_path: Path) -> None:
    async with served(tmp_path) as client:
        client.site.gateway.down = True
        async with client.http.post(client.site.api + "/messages", json={"text": "a"}) as response:
            assert (response.status, response.headers["Retry-After"]) == (503, "1")


async def test_only_listed_pages_may_read_the_answers(tmp_path: Path) -> None:
    async with served(tmp_path, origins=["https://shop.example"], public_url="https://bot.example") as client:
        own = client.site.url
        for origin in ("https://shop.example", "https://bot.example", own, f"http://localhost:{client.site.port}"):
            async with client.http.post(
                client.site.api + "/messages", json={"text": "a"}, headers={"Origin": origin}
            ) as response:
                assert response.status == 202
                assert response.headers["Access-Control-Allow-Origin"] == origin
                assert response.headers["Vary"] == "Origin"
        for origin in FOREIGN:
            async with client.http.post(
                client.site.api + "/messages", json={"text": "a"}, headers={"Origin": origin}
            ) as response:
                assert response.status == 403, origin
                assert "Access-Control-Allow-Origin" not in response.headers


FOREIGN = [
    "null",
    "https://evil.example",
    "https://shop.example.evil.example",
    "https://shop.example:444",
    "http://shop.example",
    "https://shop.example/",
    "https://SHOP.example",
    "https://xshop.example",
    "https://shop.example https://evil.example",
    "",
]


async def test_preflight(tmp_path: Path) -> None:
    async with served(tmp_path, origins=["https://shop.example"]) as client:
        url = client.site.api + "/messages"
        async with client.http.options(url, headers={"Origin": "https://shop.example"}) as response:
            assert response.status == 204
            assert response.headers["Access-Control-Allow-Origin"] == "https://shop.example"
            assert "Content-Type" in response.headers["Access-Control-Allow-Headers"]
        async with client.http.options(url, headers={"Origin": "https://evil.example"}) as response:
            assert response.status == 403


async def test_sockets_from_foreign_pages_are_refused(tmp_path: Path) -> None:
    async with served(tmp_path, origins=["https://shop.example"]) as client:
        for origin in [*FOREIGN, None]:
            with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
                await client.http.ws_connect(client.site.api + "/ws", origin=origin)
            assert caught.value.status == 403, origin
        async with client.http.ws_connect(client.site.api + "/ws", origin="https://shop.example") as line:
            assert not line.closed


async def test_cards_and_their_fields_reach_the_page(tmp_path: Path) -> None:
    async with served(tmp_path) as client:
        card = Card(title="Order 7", text="On its way", fields=(Field(name="Arrives", value="Friday"),))
        await client.site.gateway.say(address_of("0" * 32), "", reply=Reply(card=card))
        (row,) = await client.poll("0" * 32)
        assert row["card"]["title"] == "Order 7"
        assert row["card"]["fields"] == [{"name": "Arrives", "value": "Friday"}]
