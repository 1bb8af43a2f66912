"""Two processes of one bot: what happens in one shows on the pages that are connected to the other."""

from __future__ import annotations

from pathlib import Path

from aiohttp import WSMsgType, web
from aiohttp.test_utils import TestClient, TestServer

from handoff.console.courier import Courier
from handoff.console.live import Live
from tests.handoff.console.support import Core, case, serving


async def test_pages_of_the_other_process_hear_of_it_and_end_with_their_session() -> None:
    core, here, there = Core(), Live(), Live()
    here.connect(core)
    there.connect(core)

    async def live(request: web.Request) -> web.StreamResponse:
        return await here.serve(request, "session")

    app = web.Application()
    app.router.add_get("/live", live)
    async with TestClient(TestServer(app)) as client, client.ws_connect("/live") as page:
        assert await page.receive_json(timeout=5) == {"type": "hello"}
        there.push({"type": "notes", "ticket": 1})
        assert await page.receive_json(timeout=5) == {"type": "notes", "ticket": 1}
        core.publish("console", b"")
        assert await page.receive_json(timeout=5) == {"type": "hello"}, "missed news: read everything again"
        there.sign_out("another")
        there.push({"type": "still there"})
        assert await page.receive_json(timeout=5) == {"type": "still there"}
        there.sign_out("session")
        assert (await page.receive(timeout=5)).type is WSMsgType.CLOSE


async def test_what_another_process_has_carried_counts_as_delivered(tmp_path: Path) -> None:
    core = Core()
    async with serving(tmp_path, core) as site:
        ada = await site.agent("Ada")
        ref = await site.desk.open(case(), "k")
        await ada.on(ref, "take", {})
        done = [event.event_id for event in core.events]
        other = Courier(site.database)
        await other.start(core)
        assert await other.deliver(done[0], 3.0)
        await other.stop()
        assert [event.event_id for event in core.events] == done, "and it is carried once"
