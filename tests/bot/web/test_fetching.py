"""Files are fetched from public addresses only, and only so much of them."""

from __future__ import annotations

import asyncio
import gzip
import socket
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from aiohttp import web

from bot import Fetcher
from bot.errors import NotSent, Rejected
from bot.web.fetching import public
from bot.web.resolving import THREADS

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Server:
    """A server on this machine that notes who asks."""

    url: str = ""
    port: int = 0
    asked: list[web.Request] = field(default_factory=list)


@asynccontextmanager
async def serving(answer: Answer | None = None) -> AsyncIterator[Server]:
    server = Server()

    async def handle(request: web.Request) -> web.StreamResponse:
        server.asked.append(request)
        return await answer(request) if answer else web.Response(text="private")

    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        listening = socket.create_server(("127.0.0.1", 0))
        await web.SockSite(runner, listening).start()
        server.port = listening.getsockname()[1]
        server.url = f"http://127.0.0.1:{server.port}"
        yield server
    finally:
        await runner.cleanup()


async def fetched(fetcher: Fetcher, url: str, headers: dict[str, str] | None = None) -> bytes:
    async with fetcher.open(url, headers=headers) as download:
        return b"".join([chunk async for chunk in download.chunks])


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "0.0.0.0",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "localhost",
        "2130706433",
        "0x7f000001",
        "127.1",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "169.254.169.254",
        "10.0.0.1",
        "[fe80::1]",
        "[::]",
    ],
)
async def test_nobody_is_sent_to_a_private_address(host: str) -> None:
    async with serving() as canary:
        fetcher = Fetcher(timeout=2)
        try:
            with pytest.raises(Rejected, match="the address"):
                await fetched(fetcher, f"http://{host}:{canary.port}/")
        finally:
            await fetcher.close()
        assert canary.asked == []


@pytest.mark.parametrize(
    ("address", "allowed"),
    [
        ("93.184.215.14", True),
        ("2606:2800:21f:cb07::1", True),
        ("::ffff:93.184.215.14", False),
        ("64:ff9b::5db8:d70e", True),
        ("64:ff9b::a00:1", False),
        ("64:ff9b:1::a00:1", False),
        ("2002:5db8:d70e::", True),
        ("2002:a00:1::", False),
        ("2001:0:53aa:64c:1:2:3:4", False),
        ("::7f00:1", False),
        ("fec0::1", False),
        ("fc00::1", False),
        ("fe80::1%eth0", False),
        ("100.64.0.1", False),
        ("168.63.129.16", False),
        ("192.0.2.1", False),
        ("198.18.0.1", False),
        ("224.0.0.1", False),
        ("ff0e::1", False),
        ("240.0.0.1", False),
        ("255.255.255.255", False),
        ("/run/docker.sock", False),
    ],
)
def test_which_addresses_are_public(address: str, allowed: bool) -> None:
    assert public(address) is allowed


@pytest.mark.parametrize(
    "url",
    ["file:///etc/passwd", "ftp://127.0.0.1/", "gopher://127.0.0.1/", "http:///x", "//x", "", "http://a:b@127.0.0.1/"],
)
async def test_only_http_and_no_passwords(url: str) -> None:
    with pytest.raises(Rejected):
        await fetched(Fetcher(), url)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_checked_like_the_first_address(status: int) -> None:
    async with serving() as canary:

        async def leads(request: web.Request) -> web.StreamResponse:
            where = "file:///etc/passwd" if request.path == "/file" else f"{canary.url}/secret"
            return web.Response(status=status, headers={"Location": where})

        async with serving(leads) as trusted:
            fetcher = Fetcher(trusted=[trusted.url])
            for path in ("/inside", "/file"):
                with pytest.raises(Rejected):
                    await fetched(fetcher, trusted.url + path)
            assert len(trusted.asked) == 2
            await fetcher.close()
        assert canary.asked == []


async def test_a_name_that_becomes_private_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """DNS rebinding: whatever was said before, what counts is where the socket goes."""
    answers = ["93.184.215.14", "127.0.0.1"]
    connected: list[object] = []
    async with serving() as canary:
        loop = asyncio.get_running_loop()
        connect = loop.sock_connect

        def resolve(host: str, port: int, **_: object) -> list[tuple[object, ...]]:
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (answers.pop(0), port))]

        async def reach(sock: socket.socket, address: tuple[str, int]) -> None:
            connected.append(address[0])
            if address[0] == "127.0.0.1":
                return await connect(sock, address)
            raise ConnectionRefusedError

        monkeypatch.setattr(socket, "getaddrinfo", resolve)
        monkeypatch.setattr(loop, "sock_connect", reach)
        fetcher = Fetcher()
        with pytest.raises(NotSent):
            await fetched(fetcher, f"http://rebinding.example:{canary.port}/")
        with pytest.raises(Rejected, match="not a public one"):
            await fetched(fetcher, f"http://rebinding.example:{canary.port}/")
        await fetcher.close()
        assert (connected, canary.asked, answers) == (["93.184.215.14"], [], [])


async def test_names_that_hang_hold_up_nobody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """A lookup ends after its time, and no thread that others need is taken by it."""
    monkeypatch.setattr("bot.web.resolving.LONGEST", 0.2)
    let_go, threads = threading.Event(), set[str]()

    def hang(*_: object, **__: object) -> list[object]:
        threads.add(threading.current_thread().name)
        let_go.wait(30)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    fetcher = Fetcher()
    try:
        asked = [fetched(fetcher, f"http://a{at}.example/") for at in range(50)]
        told = asyncio.gather(*asked, return_exceptions=True)
        await asyncio.sleep(0.05)
        async with asyncio.timeout(5):
            await asyncio.to_thread(lambda: None)
            assert {type(problem) for problem in await told} == {NotSent}
        assert threads == {f"names_{at}" for at in range(THREADS)}
    finally:
        let_go.set()
        await fetcher.close()


async def test_three_redirects_are_followed_and_not_four() -> None:
    async def counts_down(request: web.Request) -> web.StreamResponse:
        left = int(request.path[1:])
        return (
            web.Response(text="there") if not left else web.Response(status=302, headers={"Location": f"/{left - 1}"})
        )

    async with serving(counts_down) as server:
        fetcher = Fetcher(trusted=[server.url])
        assert await fetched(fetcher, f"{server.url}/3") == b"there"
        with pytest.raises(Rejected, match="too often"):
            await fetched(fetcher, f"{server.url}/4")
        await fetcher.close()


async def test_only_a_trusted_origin_gets_the_headers() -> None:
    """Not another port of the same machine, and not the trusted origin itself when somebody else leads there."""
    secret = {"Authorization": "Bearer canary"}
    async with serving() as home:

        async def back(request: web.Request) -> web.StreamResponse:
            return web.Response(status=302, headers={"Location": f"{home.url}/admin"})

        async with serving(back) as other:
            fetcher = Fetcher(trusted=[home.url])
            assert await fetched(fetcher, home.url, secret) == b"private"
            with pytest.raises(Rejected):
                await fetched(fetcher, other.url, secret)
            await fetcher.close()
            assert ([request.headers.get("Authorization") for request in home.asked], other.asked) == (
                ["Bearer canary"],
                [],
            )


async def test_the_headers_are_not_sent_where_a_public_server_leads(monkeypatch: pytest.MonkeyPatch) -> None:
    secret = {"Authorization": "Bearer canary"}
    monkeypatch.setattr("bot.web.fetching.public", lambda address: True)
    async with serving() as home:

        async def back(request: web.Request) -> web.StreamResponse:
            return web.Response(status=302, headers={"Location": f"{home.url}/admin"})

        async with serving(back) as other:
            fetcher = Fetcher(trusted=[home.url])
            assert await fetched(fetcher, other.url, secret) == b"private"
            await fetcher.close()
        assert "Authorization" not in other.asked[0].headers
        assert "Authorization" not in home.asked[0].headers


@pytest.mark.parametrize("announced", [True, False])
async def test_no_more_is_read_than_allowed(announced: bool) -> None:
    async def much(request: web.Request) -> web.StreamResponse:
        if announced:
            return web.Response(body=b"x" * 1001)
        response = web.StreamResponse()
        response.enable_chunked_encoding()
        await response.prepare(request)
        for _ in range(1001):
            await response.write(b"x")
        return response

    async with serving(much) as server:
        fetcher = Fetcher(trusted=[server.url], largest=1000)
        with pytest.raises(Rejected, match="more than 1000 bytes"):
            await fetched(fetcher, server.url)
        await fetcher.close()
        enough = Fetcher(trusted=[server.url], largest=1001)
        assert len(await fetched(enough, server.url)) == 1001
        await enough.close()


async def test_a_small_file_that_unpacks_to_a_huge_one_is_not_unpacked() -> None:
    bomb = gzip.compress(bytes(50_000_000))

    async def packed(request: web.Request) -> web.StreamResponse:
        return web.Response(body=bomb, headers={"Content-Encoding": "gzip"})

    async with serving(packed) as server:
        fetcher = Fetcher(trusted=[server.url], largest=1_000_000)
        read = 0
        with pytest.raises(Rejected, match="more than"):
            async with fetcher.open(server.url) as download:
                async for chunk in download.chunks:
                    assert len(chunk) <= 65536
                    read += len(chunk)
        assert 0 < read <= 1_000_000
        await fetcher.close()


async def test_what_is_packed_all_the_same_is_unpacked() -> None:
    async def packed(request: web.Request) -> web.StreamResponse:
        assert request.headers["Accept-Encoding"] == "identity"
        body = {"/gzip": gzip.compress(b"hello"), "/cut": gzip.compress(b"hello")[:-9]}.get(request.path, b"hello")
        return web.Response(body=body, headers={"Content-Encoding": "br" if request.path == "/br" else "gzip"})

    async with serving(packed) as server:
        fetcher = Fetcher(trusted=[server.url])
        assert await fetched(fetcher, f"{server.url}/gzip") == b"hello"
        with pytest.raises(NotSent):
            await fetched(fetcher, f"{server.url}/cut")
        for path in ("/br", "/not"):
            with pytest.raises(Rejected):
                await fetched(fetcher, server.url + path)
        await fetcher.close()


async def test_a_slow_server_is_given_up() -> None:
    async def slow(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(50):
            await response.write(b"x")
            await asyncio.sleep(0.05)
        return response

    async with serving(slow) as server:
        fetcher = Fetcher(trusted=[server.url], timeout=0.2)
        with pytest.raises(NotSent, match="too long"):
            await fetched(fetcher, server.url)
        await fetcher.close()


@pytest.mark.parametrize(
    ("status", "error"), [(404, Rejected), (403, Rejected), (410, Rejected), (429, NotSent), (500, NotSent)]
)
async def test_what_another_answer_means(status: int, error: type[Exception]) -> None:
    async def answers(request: web.Request) -> web.StreamResponse:
        return web.Response(status=status)

    async with serving(answers) as server:
        fetcher = Fetcher(trusted=[server.url])
        with pytest.raises(error, match=str(status)) as raised:
            await fetched(fetcher, f"{server.url}/bot123:token/file")
        assert "token" not in str(raised.value)
        await fetcher.close()


async def test_a_server_that_is_down_is_for_later() -> None:
    async with serving() as server:
        gone = server.url
    fetcher = Fetcher(trusted=[gone])
    with pytest.raises(NotSent):
        await fetched(fetcher, gone)
    await fetcher.close()


async def test_what_is_known_of_a_file_comes_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")

    async def answers(request: web.Request) -> web.StreamResponse:
        assert "Cookie" not in request.headers
        headers = {"Content-Disposition": 'attachment; filename="a.pdf"', "Set-Cookie": "a=b"}
        return web.Response(body=b"%PDF", content_type="application/pdf", headers=headers)

    async with serving(answers) as server:
        fetcher = Fetcher(trusted=[server.url])
        for _ in range(2):
            async with fetcher.open(server.url) as download:
                assert (download.type, download.name, download.size) == ("application/pdf", "a.pdf", 4)
        await fetcher.close()
