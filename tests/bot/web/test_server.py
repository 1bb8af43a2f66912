"""The HTTP server: healthy answers, and no 5xx for anything that a stranger can send."""

from __future__ import annotations

import asyncio
import gzip
import json
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest
from aiohttp import ClientSession, FormData, web
from structlog.testing import capture_logs

from bot.clock import SeededEntropy
from bot.errors import PluginError, StartError, StoreUnavailable
from bot.operations.watchdog import Watchdog
from bot.settings import ServerSettings
from bot.web import Health, WebServer
from bot.web import errors as web_errors
from bot.web.library import LibraryLog


async def echo(request: web.Request) -> web.Response:
    return web.json_response(await request.json())


async def form(request: web.Request) -> web.Response:
    return web.json_response(sorted(await request.post()))


async def text(request: web.Request) -> web.Response:
    return web.Response(text=await request.text())


async def parts(request: web.Request) -> web.Response:
    reader = await request.multipart()
    names = [part.name async for part in reader if not isinstance(part, type(reader))]
    return web.json_response(names)


async def full(_: web.Request) -> web.Response:
    raise StoreUnavailable("disk full at /var/lib/secret-place")


async def bug(_: web.Request) -> web.Response:
    raise KeyError("ann@example.org")


async def teapot(_: web.Request) -> web.Response:
    raise web.HTTPTooManyRequests(headers={"Retry-After": "7"}, text="Slower, please.")


async def away(_: web.Request) -> web.Response:
    raise web.HTTPFound("/elsewhere")


ROUTES: Sequence[web.RouteDef] = (
    web.post("/echo", echo),
    web.post("/form", form),
    web.post("/text", text),
    web.post("/parts", parts),
    web.get("/full", full),
    web.get("/bug", bug),
    web.get("/teapot", teapot),
    web.get("/away", away),
)


@asynccontextmanager
async def serving(health: Health | None = None, routes: Sequence[web.RouteDef] = ROUTES) -> AsyncIterator[WebServer]:
    settings = ServerSettings(port=0, max_body=100_000)
    server = WebServer(settings, health=health or Health(), entropy=SeededEntropy(1), routes=routes)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


@asynccontextmanager
async def client(health: Health | None = None) -> AsyncIterator[ClientSession]:
    async with serving(health) as server, ClientSession(server.url) as session:
        yield session


async def raw(server: WebServer, data: bytes, *, wait: float = 5.0) -> bytes:
    host, _, port = server.url.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(data)
    await writer.drain()
    try:
        async with asyncio.timeout(wait):
            return await reader.read(100_000)
    finally:
        writer.close()


async def test_healthz_says_version_and_lag() -> None:
    watchdog = Watchdog(lambda _: "")
    async with client(Health(watchdog=watchdog)) as session, session.get("/healthz") as answer:
        body = await answer.json()
        assert (answer.status, body["status"], body["loop_lag_ms"]) == (200, "ok", 0.0)
        assert body["version"]
        assert answer.headers["Server"] == "frontdesk"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


async def test_readyz_asks_every_probe_and_lists_broken_plugins() -> None:
    state = {"store": "", "web": ""}

    async def store() -> str:
        return state["store"]

    async def channel() -> str:
        if state["web"] == "raise":
            raise OSError("a path that strangers must not read")
        return state["web"]

    health = Health(notes=lambda: {"coffee": "coffee.py:3: SyntaxError"})
    health.add("store", store)
    health.add("channel web", channel)
    async with client(health) as session:
        async with session.get("/readyz") as answer:
            assert answer.status == 200
            assert await answer.json() == {
                "ready": True,
                "checks": {"store": "ok", "channel web": "ok"},
                "broken_plugins": ["coffee"],
            }
        state.update(store="can't be written", web="raise")
        async with session.get("/readyz") as answer:
            assert answer.status == 503
            assert (await answer.json())["checks"] == {"store": "can't be written", "channel web": "OSError"}


async def test_a_probe_that_hangs_is_not_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.web.health.PROBE_TIMEOUT", 0.05)

    async def hangs() -> str:
        await asyncio.sleep(60)
        return ""

    health = Health()
    health.add("desk", hangs)
    async with client(health) as session, session.get("/readyz") as answer:
        assert answer.status == 503
        assert "no answer within" in (await answer.json())["checks"]["desk"]


BAD_BASE64 = (
    b"--x\r\nContent-Disposition: form-data; name=a\r\nContent-Transfer-Encoding: base64\r\n\r\n!!!\r\n--x--\r\n"
)
STRANGE: list[tuple[str, bytes, dict[str, str]]] = [
    ("/echo", b"{", {"Content-Type": "application/json"}),
    ("/echo", b"", {"Content-Type": "application/json"}),
    ("/echo", b"\xff\xfe\xfd", {"Content-Type": "application/json"}),
    ("/echo", b"[" * 50_000, {"Content-Type": "application/json"}),
    ("/echo", b"{}", {"Content-Type": "application/json; charset=no-such"}),
    ("/echo", b"not gzip", {"Content-Encoding": "gzip", "Content-Type": "application/json"}),
    ("/echo", b"x" * 200_000, {}),
    ("/text", b"\xff", {"Content-Type": "text/plain; charset=utf-8"}),
    ("/text", b"\0", {"Content-Type": "text/plain; charset=idna"}),
    ("/form", b"--", {"Content-Type": "multipart/form-data"}),
    ("/form", b"garbage", {"Content-Type": "multipart/form-data; boundary=x"}),
    ("/form", b"--x\r\nnothing", {"Content-Type": "multipart/form-data; boundary=x"}),
    ("/form", BAD_BASE64, {"Content-Type": "multipart/form-data; boundary=x"}),
    ("/parts", b"{}", {"Content-Type": "application/json"}),
    ("/parts", b"--x\r\n\xff\xff: \xff\r\n\r\n--x--", {"Content-Type": "multipart/mixed; boundary=x"}),
    ("/form", b"a=%ff%00&&&==", {"Content-Type": "application/x-www-form-urlencoded; charset=zz"}),
]  # fmt: skip


@pytest.mark.parametrize(("path", "body", "headers"), STRANGE)
async def test_strange_bodies_are_the_strangers_fault(path: str, body: bytes, headers: dict[str, str]) -> None:
    async with client() as session, session.post(path, data=body, headers=headers) as answer:
        told = await answer.text()
        assert 200 <= answer.status < 500, told
        if answer.status != 200:
            assert json.loads(told)["error"]


@pytest.mark.parametrize(
    "data",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(256)),
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 20_000 + b"\r\n\r\n",
        b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
        b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n\r\n",
        b"GET http://[::bad/ HTTP/1.1\r\nHost: x\r\n\r\n",
        b"HELO mail\r\n\r\n",
    ],
)
async def test_strange_bytes_get_a_4xx_and_the_server_lives(data: bytes) -> None:
    async with serving() as server:
        answer = await raw(server, data, wait=3.0)
        assert answer.startswith(b"HTTP/"), answer
        assert 400 <= int(answer.split(b" ")[1]) < 500, answer
        async with ClientSession(server.url) as session, session.get("/healthz") as well:
            assert well.status == 200


@pytest.mark.parametrize("path", ["/echo", "/text", "/nowhere"])
@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "GZIP "])
async def test_a_packed_body_is_refused_and_never_unpacked(
    encoding: str, path: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def unpack(*_: object, **__: object) -> None:
        raise AssertionError("unpacked")

    monkeypatch.setattr("aiohttp.http_parser.DeflateBuffer.__init__", unpack)
    body = gzip.compress(b"a" * 1_000_000)
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Encoding: {encoding}\r\nContent-Length: {len(body)}\r\n"
    with capture_logs() as logs:
        async with serving() as server:
            answer = await raw(server, head.encode() + b"Connection: close\r\n\r\n" + body)
    assert answer.startswith(b"HTTP/1.1 415 ")
    assert b"without a Content-Encoding" in answer
    assert logs == [] and caplog.records == []


async def test_a_body_may_say_that_it_is_not_packed() -> None:
    headers = {"Content-Encoding": "identity"}
    async with client() as session, session.post("/text", data=b"plain", headers=headers) as answer:
        assert (answer.status, await answer.text()) == (200, "plain")


def test_of_many_alike_the_next_line_counts_and_a_fault_of_ours_is_told_in_full(
    caplog: pytest.LogCaptureFixture,
) -> None:
    now = [0.0]
    library = LibraryLog(lambda: now[0])
    with capture_logs() as logs:
        for seconds in (0, 1, 2, 61, 62):
            now[0] = float(seconds)
            library.exception("Unhandled exception", exc_info=web.RequestPayloadError("x"))
        library.exception("Unhandled exception", exc_info=ValueError("a bug"))
    assert [line["more_before"] for line in logs] == [0, 2]
    (record,) = caplog.records
    assert record.exc_info is not None
    assert isinstance(record.exc_info[1], ValueError)


async def test_unknown_pages_and_methods_are_json() -> None:
    async with client() as session:
        async with session.get("/nowhere") as answer:
            assert (answer.status, await answer.json()) == (404, {"error": "Not Found"})
        async with session.put("/echo") as answer:
            assert (answer.status, answer.headers["Allow"]) == (405, "POST")
            assert await answer.json() == {"error": "Method Not Allowed"}
        async with session.get("/teapot") as answer:
            assert (answer.status, answer.headers["Retry-After"]) == (429, "7")
            assert await answer.json() == {"error": "Slower, please."}
        async with session.get("/away", allow_redirects=False) as answer:
            assert (answer.status, answer.headers["Location"]) == (302, "/elsewhere")


async def test_a_full_store_asks_for_the_message_again_and_tells_nothing_else() -> None:
    async with client() as session, session.get("/full") as answer:
        assert answer.status == 503
        assert answer.headers["Retry-After"] == "2"
        assert "secret-place" not in await answer.text()


async def test_a_bug_is_told_by_an_id_only() -> None:
    async with client() as session, session.get("/bug") as answer:
        body = await answer.json()
        assert answer.status == 500
        assert body == {"error": "Something went wrong on our side.", "id": body["id"]}
        assert len(body["id"]) == 12


async def test_a_good_form_still_arrives() -> None:
    async with client() as session, session.post("/form", data=FormData({"b": "1", "a": "2"})) as answer:
        assert await answer.json() == ["a", "b"]


async def test_a_body_that_trickles_in_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web_errors, "BODY_SECONDS", 0.2)
    async with serving() as server:
        head = b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\n{"
        with pytest.raises((ConnectionError, TimeoutError)) as caught:
            answer = await raw(server, head, wait=3.0)
            raise ConnectionError(answer)
        assert not isinstance(caught.value, TimeoutError)


async def test_a_head_that_never_ends_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.web.server.IDLE_SECONDS", 0.3)
    async with serving() as server:
        assert await raw(server, b"GET / HTTP/1.1\r\nHost", wait=3.0) == b""


async def test_a_taken_port_is_told_with_the_way_out() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        server = WebServer(ServerSettings(port=port), health=Health(), entropy=SeededEntropy(1))
        with pytest.raises(StartError, match=f"Port {port} is taken by another program.*PORT={port + 1} make run"):
            await server.start()


async def test_two_routes_on_one_path_stop_the_start() -> None:
    server = WebServer(
        ServerSettings(port=0),
        health=Health(),
        entropy=SeededEntropy(1),
        routes=[web.get("/a", bug), web.get("/a", full)],
    )
    with pytest.raises(PluginError, match="GET /a can't be added"):
        await server.start()
