"""Pictures that people send are fetched from Twilio, and from nowhere that somebody else names."""

from __future__ import annotations

import pytest
from aiohttp import web

from bot.errors import NotSent, Rejected, SendError
from bot.messages import Text
from tests.channels.sms.rig import Rig, rig
from tests.platforms.twilio import SID
from tests.servers import free_port

MESSAGE, FILE = "MM" + "1" * 32, "ME" + "2" * 32
REF = f"{MESSAGE}/{FILE}"
AT = f"https://api.twilio.com/2010-04-01/Accounts/{SID}/Messages/{REF.replace('/', '/Media/')}"


async def fetched(rig: Rig, ref: str = REF) -> tuple[bytes, str]:
    async with rig.channel.open_file(ref) as download:
        return b"".join([chunk async for chunk in download.chunks]), download.type


async def test_a_picture_comes_with_our_address_and_is_fetched_with_our_password() -> None:
    async with rig() as r:
        await r.twilio.text("look", more={"NumMedia": "1", "MediaUrl0": AT, "MediaContentType0": "image/png"})
        content = r.heard[0].content
        assert isinstance(content, Text)
        (media,) = content.media
        assert (media.url, media.type) == (f"https://bot.example/files/sms/main/{REF}", "image/png")
        r.twilio.files[FILE] = (200, {"Content-Type": "image/png"}, b"picture")
        assert await fetched(r) == (b"picture", "image/png")


@pytest.mark.parametrize("ref", ["", "x", f"{MESSAGE}/../{FILE}", f"../../{REF}", f"{REF}?x", f"{REF}\n", "http://x/"])
async def test_only_twilios_names_for_files_are_asked_for(ref: str) -> None:
    async with rig() as r:
        with pytest.raises(Rejected):
            await fetched(r, ref)


async def test_a_file_that_is_gone_is_gone() -> None:
    async with rig() as r:
        with pytest.raises(Rejected):
            await fetched(r)


async def test_a_redirect_into_the_house_is_not_followed() -> None:
    """Twilio sends us on to where its files lie; that is a public address, and it gets no password."""
    seen: list[str] = []

    async def canary(request: web.Request) -> web.Response:
        seen.append(request.path)
        return web.Response(body=b"secret")

    app, port = web.Application(), free_port()
    app.router.add_get("/{rest:.*}", canary)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        async with rig() as r:
            r.twilio.files[FILE] = (307, {"Location": f"http://127.0.0.1:{port}/secret"}, b"")
            with pytest.raises(SendError):
                await fetched(r)
            assert seen == []
    finally:
        await runner.cleanup()


async def test_a_stopped_channel_has_no_files() -> None:
    async with rig() as r:
        await r.channel.stop()
        with pytest.raises(NotSent):
            await fetched(r)
