"""Who gets into the console: links, sessions, origins, and what every answer carries."""

from __future__ import annotations

from pathlib import Path

import pytest
from aiohttp import WSServerHandshakeError
from sqlalchemy import select

from handoff.console import ConsoleSettings, access, tables
from tests.handoff.console.support import AgentBrowser, HandClock, Site, case, serving


async def sign_in(browser: AgentBrowser, token: str, name: str, origin: str = "") -> int:
    response = await browser.client.post(
        "/console/sign-in",
        data={"token": token, "name": name},
        headers={"Origin": origin or browser.origin},
        allow_redirects=False,
    )
    return response.status


async def token_of(site: Site, name: str = "") -> str:
    return (await site.desk.sign_in_link("https://desk.example.org/", name)).partition("token=")[2]


async def test_a_link_works_once_and_a_preview_does_not_use_it_up(tmp_path: Path) -> None:
    async with serving(tmp_path) as site:
        link = await site.desk.sign_in_link("https://desk.example.org/")
        assert link.startswith("https://desk.example.org/console/sign-in?token=")
        token, browser, other = link.partition("token=")[2], site.stranger(), site.stranger()
        for _ in range(3):
            assert (await browser.get(f"/console/sign-in?token={token}")).status == 200
        assert await sign_in(browser, token, "Ana") == 303
        assert (await browser.get("/console/api/queue")).status == 200
        assert await sign_in(other, token, "Eve") == 410
        assert (await other.get(f"/console/sign-in?token={token}")).status == 410
        assert (await other.get("/console/api/queue")).status == 401


async def test_a_link_and_a_session_expire(tmp_path: Path) -> None:
    clock = HandClock()
    settings = ConsoleSettings(link_minutes=10, session_hours=1)
    async with serving(tmp_path, settings=settings, clock=clock) as site:
        token, browser = await token_of(site), site.stranger()
        clock.time += 601
        assert await sign_in(browser, token, "Ana") == 410
        assert await sign_in(browser, await token_of(site), "Ana") == 303
        clock.time += 3_599
        assert (await browser.get("/console/api/queue")).status == 200
        clock.time += 2
        assert (await browser.get("/console/api/queue")).status == 401


async def test_a_link_for_ana_signs_in_ana_whatever_is_typed(tmp_path: Path) -> None:
    async with serving(tmp_path) as site:
        browser = site.stranger()
        assert await sign_in(browser, await token_of(site, "Ana"), "Ben") == 303
        assert (await (await browser.get("/console/api/queue")).json())["agent"]["name"] == "Ana"


async def test_the_same_name_is_the_same_agent(tmp_path: Path) -> None:
    async with serving(tmp_path) as site:
        first, second, other = [await site.agent(name) for name in ("Ana Lima", " ana  lima", "Ben")]
        ids = [(await (await who.get("/console/api/queue")).json())["agent"]["id"] for who in (first, second, other)]
    assert ids[0] == ids[1] != ids[2]


@pytest.mark.parametrize("name", ["", "   ", "\x00\u202e", "x" * 61])
async def test_a_name_that_is_none_leaves_the_link_usable(tmp_path: Path, name: str) -> None:
    async with serving(tmp_path) as site:
        token, browser = await token_of(site), site.stranger()
        assert await sign_in(browser, token, name) == 400
        assert await sign_in(browser, token, "Ana") == 303


async def test_a_name_is_text_on_every_page(tmp_path: Path) -> None:
    async with serving(tmp_path) as site:
        nasty = '"><script>alert(1)</script>'
        form = await site.stranger().get(f"/console/sign-in?token={await token_of(site, nasty)}")
        page = await (await site.agent(nasty)).get("/console")
        for text in (await form.text(), await page.text()):
            assert "<script>alert" not in text
            assert "&lt;script&gt;alert" in text


async def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(tmp_path: Path) -> None:
    for url, secure in (("https://desk.example.org/x", True), ("", False)):
        async with serving(tmp_path / str(secure), settings=ConsoleSettings(public_url=url)) as site:
            browser = site.stranger()
            response = await browser.client.post(
                "/console/sign-in",
                data={"token": await token_of(site), "name": "Ana"},
                headers={"Origin": "https://desk.example.org" if url else browser.origin},
                allow_redirects=False,
            )
            assert response.status == 303
            cookie = response.cookies["frontdesk_console"]
            assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Strict", "/console")
            assert bool(cookie["secure"]) is secure
            kept = await site.database.read(
                lambda connection: list(connection.execute(select(tables.sessions.c.digest)))
            )
            assert [row.digest for row in kept] == [access.digest(cookie.value)], "only a digest is kept"
            assert cookie.value not in str(kept)


@pytest.mark.parametrize(
    "origin", ["null", "http://evil.example", "http://127.0.0.1", "https://desk.example.org.evil.example", ""]
)
async def test_another_site_can_do_nothing(tmp_path: Path, origin: str) -> None:
    async with serving(tmp_path, settings=ConsoleSettings(public_url="https://desk.example.org")) as site:
        ticket = await site.desk.open(case(), "k1")
        ana = await site.agent("Ana")
        headers = {"Origin": origin} if origin else {}
        path = f"/console/api/tickets/{ticket.id}/take"
        refused = await ana.client.post(path, json={}, headers=headers)
        assert (refused.status, (await refused.json())["error"]) == (403, "wrong_origin")
        token = await token_of(site)
        form = await ana.client.post("/console/sign-in", data={"token": token, "name": "E"}, headers=headers)
        assert form.status == 403
        with pytest.raises(WSServerHandshakeError):
            await ana.client.ws_connect("/console/events", headers=headers)
        plain = await ana.client.post(path, data=b"{}", headers={"Origin": ana.origin, "Content-Type": "text/plain"})
        assert plain.status == 415
    assert site.core.events == []


async def test_strangers_see_how_to_get_in_and_nothing_else(tmp_path: Path) -> None:
    async with serving(tmp_path) as site:
        ticket = await site.desk.open(case(), "k1")
        who = site.stranger()
        page = await who.get("/console")
        assert page.status == 401
        assert "console-link" in await page.text()
        for path in ("/console/api/queue", f"/console/api/tickets/{ticket.id}"):
            answer = await who.get(path)
            assert (answer.status, (await answer.json())["error"]) == (401, "signed_out")
        for action in ("take", "reply", "note", "give-back", "typing"):
            assert (await who.on(ticket, action, {})).status == 401
        with pytest.raises(WSServerHandshakeError):
            await who.client.ws_connect("/console/events", headers={"Origin": who.origin})
    assert site.core.events == []


async def test_signing_out_ends_the_session_and_its_open_pages(tmp_path: Path) -> None:
    async with serving(tmp_path) as site:
        ana, ben = await site.agent("Ana"), await site.agent("Ben")
        lines = [await who.client.ws_connect("/console/events", headers={"Origin": who.origin}) for who in (ana, ben)]
        for line in lines:
            assert (await line.receive_json())["type"] == "hello"
        assert (await ana.post("/console/api/sign-out", {})).status == 200
        assert (await ana.get("/console/api/queue")).status == 401
        assert (await lines[0].receive()).data == 1013
        await site.desk.open(case(), "k1")
        assert (await lines[1].receive_json())["type"] == "ticket"
        await lines[1].close()


async def test_every_answer_is_strict_about_what_may_run(tmp_path: Path) -> None:
    async with serving(tmp_path) as site:
        ana = await site.agent("Ana")
        for path in (
            "/console",
            "/console/",
            "/console/sign-in?token=x",
            "/console/static/console.js",
            "/console/static/console.css",
            "/console/static/none.js",
            "/console/api/queue",
            "/console/api/none",
        ):
            answer = await ana.client.get(path, allow_redirects=False)
            policy = answer.headers["Content-Security-Policy"]
            assert "default-src 'none'" in policy, path
            assert "require-trusted-types-for 'script'" in policy
            assert "unsafe" not in policy
            assert answer.headers["X-Content-Type-Options"] == "nosniff"


async def test_open_pages_hear_what_changes(tmp_path: Path) -> None:
    async with serving(tmp_path) as site:
        ana = await site.agent("Ana")
        line = await ana.client.ws_connect("/console/events", headers={"Origin": ana.origin})
        assert (await line.receive_json())["type"] == "hello"
        ticket = await site.desk.open(case(), "k1")
        assert (await line.receive_json())["ticket"]["state"] == "waiting"
        await site.desk.signal(ticket, typing=True)
        assert await line.receive_json() == {"type": "typing", "ticket": int(ticket.id), "on": True}
        await site.desk.append(ticket, site.core.say("user", "Hello?"), "a1")
        assert (await line.receive_json())["ticket"]["preview"] == "Hello?"
        await site.desk.note(ticket, "They are on the train.", "n1")
        assert (await line.receive_json())["type"] == "notes"
        await line.send_str("?")
        assert (await line.receive_json())["type"] == "alive"
        await line.send_str("x" * 5000)
        assert (await line.receive()).data == 1009, "pages have nothing long to say"


async def test_a_page_that_does_not_read_is_cut_off_and_harms_nobody(tmp_path: Path) -> None:
    async with serving(tmp_path) as site:
        ana, ben = await site.agent("Ana"), await site.agent("Ben")
        slow = await ana.client.ws_connect("/console/events", headers={"Origin": ana.origin})
        await site.desk.open(case(), "k1")
        # 2,000 changes in one breath: no page can take that many, so each is told to read everything again.
        for number in range(2_000):
            site.desk._live.push({"type": "typing", "ticket": number, "on": True})
        codes = [message.data async for message in slow if message.data]
        assert len(codes) < 2_000
        assert slow.close_code == 1013
        fresh = await ben.client.ws_connect("/console/events", headers={"Origin": ben.origin})
        assert (await fresh.receive_json())["type"] == "hello"
        await fresh.close()
