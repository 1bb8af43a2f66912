"""Files that people sent, at addresses of ours: only for who has the address, and harmless to open."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import ClientError, ClientSession, web
from aiohttp.test_utils import TestServer

from bot import Channel
from bot.channel import Download
from bot.clock import SeededEntropy
from bot.errors import NotSent
from bot.filelinks import parts_of, path
from bot.testing import FakeChannel, Platform
from bot.testing.fakes import Pulse
from bot.web import FileRoutes
from bot.web.errors import catching

SECRET = b"s" * 32
PNG = b"\x89PNG\r\n\x1a\n" + bytes(10_000)
REF = "a/b c%é?#.png"


class Troubled(FakeChannel):
    """Fails as its files are called."""

    @asynccontextmanager
    async def open_file(self, ref: str) -> AsyncIterator[Download]:
        if ref == "away":
            raise NotSent("the platform is down")

        async def chunks() -> AsyncIterator[bytes]:
            yield bytes(5000)
            if ref == "broken":
                raise NotSent("the line is cut")
            for _ in range(20):
                yield bytes(5000)

        yield Download(chunks=chunks())


class Blind(Channel):
    """Has no files."""

    name = "blind"
    start = send = stop = None  # type: ignore[assignment]


@asynccontextmanager
async def serving(files: dict[str, bytes]) -> AsyncIterator[ClientSession]:
    good, bad = (kind("web", Platform(files=files), Pulse()) for kind in (FakeChannel, Troubled))
    channels: dict[tuple[str, str], Channel] = {("web", "main"): good, ("bad", "main"): bad}
    channels["blind", "main"] = Blind.__new__(Blind)
    app = web.Application(middlewares=[catching(SeededEntropy(1))])
    app.add_routes(FileRoutes(lambda: channels, lambda: SECRET, largest=50_000).routes())
    async with TestServer(app) as server, ClientSession(server.make_url("/")) as client:
        yield client


@pytest.mark.parametrize(
    ("data", "kind", "shown"),
    [
        (PNG, "image/png", "inline"),
        (b"\xff\xd8\xff" + bytes(10), "image/jpeg", "inline"),
        (b"%PDF-1.7 ...", "application/pdf", "attachment"),
        (b"just words", "text/plain; charset=utf-8", "attachment"),
        (b"<svg onload=alert(1)>", "application/octet-stream", "attachment"),
        (b"<!doctype html><script>alert(1)</script>", "application/octet-stream", "attachment"),
        (b"\x00\x01\x02", "application/octet-stream", "attachment"),
        (b"", "text/plain; charset=utf-8", "attachment"),
    ],
)
async def test_a_file_is_what_its_first_bytes_say(data: bytes, kind: str, shown: str) -> None:
    async with serving({REF: data}) as client:
        url = path(SECRET, "web", "main", REF, "../cät\r\n\u202egnp.png")
        async with client.get(url) as answer:
            assert (answer.status, await answer.read()) == (200, data)
            assert answer.headers["Content-Type"] == kind
            assert answer.headers["Content-Disposition"] == f"{shown}; filename*=UTF-8''c%C3%A4tgnp.png"
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert answer.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
            assert "no-store" in answer.headers["Cache-Control"]
        assert parts_of(f"https://bot.example{url}") == ("web", "main", REF)


async def test_nobody_can_make_an_address_up() -> None:
    good = path(SECRET, "web", "main", "cat", "cat.png")
    wrong = [
        good.replace("/cat?", "/dog?"),
        good.replace("cat.png", "cat.html"),
        good.replace("/main/", "/other/"),
        good.replace("/web/", "/bad/"),
        path(b"another secret", "web", "main", "cat"),
        path(SECRET, "gone", "main", "cat"),
        path(SECRET, "blind", "main", "cat"),
        "/files/web/main/%00/cat",
        "/files/web/main/%ff%fe/%ff",
        "/files/web/main/" + "x" * 32 + "/cat",
    ]
    async with serving({"cat": PNG, "dog": PNG}) as client:
        for url in wrong:
            async with client.get(url) as answer:
                assert answer.status == 404, url
        async with client.get(good) as answer:
            assert answer.status == 200


async def test_without_a_secret_there_are_no_files() -> None:
    app = web.Application()
    app.add_routes(FileRoutes(dict, lambda: b"").routes())
    async with TestServer(app) as server, ClientSession(server.make_url("/")) as client:
        answer = await client.get(path(b"", "web", "main", "cat"))
        assert answer.status == 404


@pytest.mark.parametrize(
    ("channel", "ref", "status"), [("web", "gone", 410), ("web", "huge", 410), ("bad", "away", 502)]
)
async def test_a_file_that_can_not_be_had_says_so(channel: str, ref: str, status: int) -> None:
    async with serving({"huge": bytes(50_001)}) as client, client.get(path(SECRET, channel, "main", ref)) as answer:
        assert answer.status == status
        assert "Content-Disposition" not in answer.headers


@pytest.mark.parametrize("ref", ["broken", "endless"])
async def test_half_a_file_is_never_taken_for_a_whole_one(ref: str) -> None:
    """Cut off by the platform, or by our limit where the platform did not say the size."""
    async with serving({}) as client:
        with pytest.raises(ClientError):
            async with client.get(path(SECRET, "bad", "main", ref)) as answer:
                await answer.read()


def test_an_address_of_another_kind_names_no_file() -> None:
    for url in ("", "https://a.example/", "/files/a/b/c", "/files/a/b/c/d/e", "https://x/channels/web/uploads/1"):
        assert parts_of(url) is None
