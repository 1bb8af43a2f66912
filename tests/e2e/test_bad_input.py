"""What strangers and careless authors can do to the real program: python run.py, over its own sockets.

The short form of `benchmarks/crowd.py` is here too. Handlers that need a clock are in scenarios/test_bad_handlers.py.
"""

from __future__ import annotations

import asyncio
import io
import json
import os
import random
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from benchmarks.crowd import crowd
from benchmarks.program import Program
from bot.app import App
from bot.settings import Settings
from bot.store.sqlite import SqliteStore
from tests.e2e.bad_plugins import GOOD, TOLD, UNLOADABLE, UNRULY

MESSAGES = "/channels/web/messages"
SORRY = "Something went wrong on my side"
ROUTES = (
    ("GET", "/"),
    ("GET", "/demo/x"),
    ("GET", "/widget.js"),
    ("GET", "/channels/web/static/x/y"),
    ("GET", "/channels/web/x"),
    ("OPTIONS", MESSAGES),
    ("GET", "/channels/web/ws"),
    ("GET", MESSAGES),
    ("POST", MESSAGES),
    ("GET", "/channels/web/uploads/x"),
    ("POST", "/channels/web/uploads"),
    ("GET", "/console"),
    ("GET", "/console/sign-in"),
    ("POST", "/console/sign-in"),
    ("GET", "/console/events"),
    ("GET", "/console/static/x"),
    ("GET", "/console/api/queue"),
    ("POST", "/console/api/tickets/x/reply"),
    ("POST", "/console/api/sign-out"),
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    ("PUT", "/"),
    ("BREW", "/nowhere"),
)


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """The program with every bad plugin in its home."""
    with Program(tmp_path_factory.mktemp("bad") / "home", GOOD | UNLOADABLE | UNRULY) as running:
        yield running


@asynccontextmanager
async def stranger(program: Program) -> AsyncIterator[aiohttp.ClientSession]:
    """Somebody with an HTTP client."""
    timeout = aiohttp.ClientTimeout(total=60)
    async with aiohttp.ClientSession(program.url, timeout=timeout, auto_decompress=False) as session:
        yield session


async def says(session: aiohttp.ClientSession, text: str, conversation: str = "") -> tuple[str, int]:
    """Say something that must be accepted; the conversation and the line's number."""
    said = {"text": text} | ({"conversation": conversation} if conversation else {})
    async with session.post(MESSAGES, json=said) as response:
        assert response.status == 202, await response.text()
        body = await response.json()
    return body["conversation"], body["seq"]


async def hears(session: aiohttp.ClientSession, said: tuple[str, int]) -> str:
    """What is answered to it, all of it in one text."""
    query: dict[str, str | int] = {"conversation": said[0], "after": said[1], "wait": 20}
    async with session.get(MESSAGES, params=query) as response:
        assert response.status == 200
        page = await response.json()
    return "\n".join(line["text"] for line in page["messages"])


async def still_serves(session: aiohttp.ClientSession) -> None:
    """Another person is answered as if nothing had happened."""
    assert await hears(session, await says(session, "echo hello")) == "You said hello."


# --- strangers


async def test_random_bytes_at_every_route(program: Program) -> None:
    chance = random.Random(7)
    async with stranger(program) as session:
        for method, path in ROUTES:
            for kind in ("application/json", "multipart/form-data; boundary=x", "text/plain; charset=\u00fc", ""):
                body = chance.randbytes(chance.choice((1, 60, 3000)))
                query = {chance.randbytes(4).hex(): chance.randbytes(30).decode("latin-1")}
                headers = {"Content-Type": kind.encode().decode("latin-1"), "Cookie": "frontdesk=" + "\u00ff" * 9}
                async with session.request(method, path, params=query, data=body, headers=headers) as response:
                    await response.read()
                    assert response.status < 500, (method, path, kind, response.status)
        await still_serves(session)


BROKEN_JSON = [
    b"",
    b"{",
    b"[]",
    b"null",
    b'"text"',
    b'{"text": 5}',
    b'{"text": null}',
    b'{"text": ""}',
    b'{"txt": "hi"}',
    b'{"text": "hi", "conversation": "guess"}',
    b'{"text": "hi", "conversation": 7}',
    b'{"text": "\xff\xfe"}',
    b"[" * 50_000,
    b'{"a":' * 20_000,
    b'{"text": ' + b"9" * 5_000 + b"}",
    b'{"text": "hi", "upload": ["nothing"]}',
    b'{"press": ""}',
    "{“text”: “hi”}".encode(),
]


@pytest.mark.parametrize("body", BROKEN_JSON, ids=range(len(BROKEN_JSON)))
async def test_broken_json_is_refused_with_a_sentence(program: Program, body: bytes) -> None:
    async with stranger(program) as session, session.post(MESSAGES, data=body) as response:
        assert 400 <= response.status < 500
        sentence = (await response.json())["error"]
        assert sentence[0].isalpha()
        assert sentence.endswith(".")


async def test_a_megabyte_of_text_is_refused_with_a_sentence(program: Program) -> None:
    async with stranger(program) as session:
        for said in ({"text": "a" * 1_000_000}, {"text": "😀" * 260_000}, {"text": "x", "junk": "b" * 1_000_000}):
            async with session.post(MESSAGES, data=io.BytesIO(json.dumps(said).encode())) as response:
                assert response.status == 413
                assert "too long" in (await response.json())["error"]
        await still_serves(session)


async def test_the_longest_text_that_is_allowed_is_answered(program: Program) -> None:
    async with stranger(program) as session:
        for text in ("a" * 20_000, "hi " * 6_600, "😀" * 10_000, "1" * 20_000, "(" * 20_000, "*_`[" * 5_000):
            started = time.perf_counter()
            assert await hears(session, await says(session, text)), text[:10]
            assert time.perf_counter() - started < 5, text[:10]


async def test_any_script_and_sign_is_answered(program: Program) -> None:
    texts = [
        "😀👩‍👩‍👧‍👦🏳️‍🌈",
        "שלום, איפה ההזמנה שלי?",
        "أين طلبي؟",
        "\u202eevil\u202c",
        "\ud800",
        "ｆｕｌｌ",
        "Z̷͓͑a̸l̷g̴o̵",
        "\u200b\u200b",
        "🇩🇪" * 50,
    ]
    async with stranger(program) as session:
        for text in texts:
            async with session.post(MESSAGES, json={"text": text}) as response:
                assert response.status == 202, (text, await response.text())
                body = await response.json()
            assert await hears(session, (body["conversation"], body["seq"])), text
        assert await hears(session, await says(session, "echo שלום 😀")) == "You said שלום 😀."


async def test_raw_garbage_huge_headers_and_half_requests(program: Program) -> None:
    chance = random.Random(8)
    head = b"POST /channels/web/messages HTTP/1.1\r\nHost: x\r\n"
    garbage = [
        chance.randbytes(5_000),
        b"\x16\x03\x01" + chance.randbytes(300),  # somebody speaks TLS
        b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 200_000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n" + b"".join(b"X%d: y\r\n" % n for n in range(20_000)) + b"\r\n",
        b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /\xff\x00 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        head + b"Content-Length: -5\r\n\r\n",
        head + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\nzzz\r\n",
        head + b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffffffff\r\n",
        head + b"Content-Encoding: gzip\r\nContent-Length: 5\r\n\r\nabcde",
        head + b"Content-Type: application/json; charset=nonsense\r\nContent-Length: 2\r\n\r\n{}",
        head + b"Content-Length: 50\r\n\r\n{",  # and then nothing more
        b"\n" * 10_000,
        b"",
    ]
    for raw in garbage:
        reader, writer = await asyncio.open_connection("127.0.0.1", program.port)
        try:
            writer.write(raw)
            await writer.drain()
            writer.write_eof()
            async with asyncio.timeout(10):
                answer = await reader.read(65_536)
            if answer:
                assert answer.startswith(b"HTTP/1."), raw[:60]
                assert int(answer.split()[1]) < 500, (raw[:60], answer[:200])
        except ConnectionError:
            pass  # being hung up on is an answer too
        finally:
            writer.close()
    async with stranger(program) as session:
        await still_serves(session)


async def test_garbage_on_a_socket_of_the_widget(program: Program) -> None:
    chance = random.Random(9)
    frames: list[str | bytes] = [
        chance.randbytes(300),
        "",
        "{",
        '{"t": "hello"}',
        '{"t": "say"}',
        '{"t": 5}',
        "a" * 90_000,
    ]
    frames += ['{"t": "hello", "conversation": "../../etc"}', '{"t": "hello", "after": -1}', "[" * 40_000]
    origin = {"Origin": program.url}
    async with stranger(program) as session:
        for first in frames:
            async with session.ws_connect("/channels/web/ws", headers=origin) as socket:
                for frame in (first, *chance.sample(frames, 4)):
                    try:
                        await (socket.send_bytes(frame) if isinstance(frame, bytes) else socket.send_str(frame))
                    except ConnectionError:
                        break  # hung up on, with a reason
        for headers in ({}, {"Origin": "https://evil.example"}):
            async with session.get("/channels/web/ws", headers=headers) as response:
                assert response.status == 403
        await still_serves(session)


async def test_two_thousand_sockets_opened_and_closed(program: Program) -> None:
    async def knock(number: int) -> None:
        _, writer = await asyncio.open_connection("127.0.0.1", program.port)
        if number % 2:
            writer.write(b"GET /channels/web/ws HTTP/1.1\r\nHost: x\r\nUpgr"[: number % 40])
        writer.close()

    before = _open_files(program.pid)
    for start in range(0, 2_000, 500):
        await asyncio.gather(*(knock(number) for number in range(start, start + 500)))
    async with stranger(program) as session:
        await still_serves(session)
    for _ in range(100):
        if _open_files(program.pid) <= before + 20:
            break
        await asyncio.sleep(0.1)
    assert _open_files(program.pid) <= before + 20


def _open_files(pid: int) -> int:
    return len(os.listdir(f"/proc/{pid}/fd"))  # noqa: PTH208 - links that may vanish while they are counted


async def test_five_hundred_conversations_at_once(program: Program) -> None:
    result = await crowd(program.url, 500, 500)
    assert result.wrong == []
    assert result.answered == 500


# --- authors


@pytest.mark.parametrize("name", sorted(UNLOADABLE))
async def test_a_plugin_that_can_not_be_loaded_is_told_and_left_out(program: Program, name: str) -> None:
    [entry] = [entry for entry in program.log("plugin_failed") if entry["plugin"] == name]
    assert TOLD[name] in str(entry["problem"])
    assert TOLD[name] in program.said  # whoever started it reads it too
    async with stranger(program) as session:
        async with session.get("/readyz") as response:
            assert response.status == 200
            assert name in (await response.json())["broken_plugins"]
        await still_serves(session)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("raises", "ValueError"),
        ("never", "not done after 1 s"),
        ("floods", "more than 100 things"),
        ("garbage", "fetch"),
    ],
)
async def test_an_unruly_skill_is_told_and_harms_nobody(program: Program, name: str, told: str) -> None:
    async with stranger(program) as session:
        conversation, seq = await says(session, f"/{name}")
        await still_serves(session)
        answer = await hears(session, (conversation, seq))
        assert SORRY in answer
        assert answer.count("\n") == 0  # one apology, and none of the flood
        entry = await program.logged("turn_parked", f"{name}.go")
        assert told in str(entry["why"])
        assert "oops" not in str(entry)  # an exception may quote people: its words are in the store, not in the log
        # The conversation goes on.
        assert await hears(session, await says(session, "echo on", conversation)) == "You said on."


async def test_a_skill_that_does_not_take_cancel_for_an_answer(program: Program) -> None:
    async with stranger(program) as session:
        said = await says(session, "/stubborn")
        assert await hears(session, said) == "Again?"
        said = await says(session, "cancel", said[0])
        assert SORRY in await hears(session, said)
        assert 'after "cancel"' in str((await program.logged("turn_parked", "stubborn.go"))["why"])
        await still_serves(session)


async def test_a_skill_that_blocks_the_loop_is_named(program: Program) -> None:
    async with stranger(program) as session:
        said = await says(session, "/blocks")
        others = [await says(session, f"echo {number}") for number in range(5)]
        assert [await hears(session, other) for other in others] == [f"You said {number}." for number in range(5)]
        assert await hears(session, said) == "Slept well."
        entry = await program.logged("loop_blocked", "blocks")
        assert (entry["plugin"], entry["function"]) == ("blocks", "go")
        assert "blocks.py:8" in str(entry["where"])


def test_nothing_went_wrong_inside(program: Program) -> None:
    """After all of the above (tests of a file run in order): no request failed, no lane broke."""
    assert program.running
    for event in ("http_failed", "lane_broke", "turn_broke", "socket_failed"):
        assert program.log(event) == [], event


# --- a full disk


async def test_a_full_disk_is_said_and_what_was_accepted_is_answered_later(tmp_path: Path) -> None:
    folder = tmp_path / "plugins"
    folder.mkdir()
    (folder / "echo.py").write_text(GOOD["echo"], encoding="utf-8")
    accepted: dict[str, tuple[str, int]] = {}
    async with small(tmp_path, folder, max_bytes=600_000) as session:
        for number in range(3_000):
            said = {"text": f"echo {number} " + "a" * 2_000}
            async with session.post(MESSAGES, json=said) as response:
                body = await response.json()
                if response.status == 503:
                    assert int(response.headers["Retry-After"]) >= 1
                    assert "send it again" in body["error"]
                    break
                assert response.status == 202
                accepted[str(number)] = (body["conversation"], body["seq"])
        else:
            raise AssertionError("the disk never became full")
        async with session.get("/healthz") as response:
            assert response.status == 200
    async with small(tmp_path, folder, max_bytes=0) as session:
        for name, line in accepted.items():
            assert (await hears(session, line)).startswith(f"You said {name} "), name


@asynccontextmanager
async def small(home: Path, folder: Path, *, max_bytes: int) -> AsyncIterator[aiohttp.ClientSession]:
    """The bot in this process, on a store that holds only so much."""
    settings = Settings.load(options={"server.home": str(home), "server.port": "0", "server.host": "127.0.0.1"})
    store = SqliteStore(home / "frontdesk.db", max_bytes=max_bytes)
    app = App.build(settings, builtins=["channels.web"], folders=[folder], store=store, entry_points=False)
    await app.start()
    try:
        async with aiohttp.ClientSession(app.url, timeout=aiohttp.ClientTimeout(total=60)) as session:
            yield session
    finally:
        await app.stop()


def test_the_fixtures_tell_what_they_should() -> None:
    assert TOLD.keys() == UNLOADABLE.keys()
    assert json.loads(json.dumps(sorted(UNRULY)))
