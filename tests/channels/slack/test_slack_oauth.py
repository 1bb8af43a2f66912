"""One app in many workspaces: installed over the real flow, kept sealed, forgotten when it is taken out."""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest
from pydantic import SecretStr

from bot import Address, Delivery, Rejected, Reply
from channels.slack.oauth import STATE_SECONDS
from channels.slack.settings import SlackAccount
from tests.channels.slack.bench import Bench, opened
from tests.platforms.slack import DM, SECRET, Installed, SlackServer

# Slack's own library, in its own call.
pytestmark = pytest.mark.filterwarnings("ignore:BasicAuth is deprecated:DeprecationWarning")

ONE = Installed("T1", "xoxb-one-canary", "U0BOT")
TWO = Installed("T2", "xoxb-two-canary", "U0BOT")


@asynccontextmanager
async def app(folder: Path) -> AsyncIterator[Bench]:
    platform = SlackServer()
    await platform.start()
    platform.installed.clear()
    platform.codes = {"code-one": ONE, "code-two": TWO}
    given = SlackAccount(
        client_id="1.2",
        client_secret=SecretStr("client-secret"),
        signing_secret=SecretStr(SECRET),
        api_url=platform.api,
        files_url=platform.files_url,
        secret=SecretStr("a long secret of the operator"),
    )
    try:
        async with opened(folder, given, platform=platform) as bench:
            yield bench
    finally:
        await platform.stop()


async def begin(bench: Bench, http: aiohttp.ClientSession) -> tuple[str, str]:
    """The install page: the state that it gives, and its cookie."""
    async with http.get(f"{bench.platform.events}/install") as page:
        text = await page.text()
        assert page.status == 200
        cookie = page.headers["Set-Cookie"].partition(";")[0]
    found = re.search(r'"(https://slack.com/oauth[^"]+)"', text)
    assert found is not None
    query = parse_qs(urlsplit(found[1].replace("&amp;", "&")).query)
    assert query["client_id"] == ["1.2"]
    assert query["redirect_uri"] == ["http://bot.example/channels/slack/oauth"]
    assert "chat:write" in query["scope"][0]
    return query["state"][0], cookie


async def back(bench: Bench, http: aiohttp.ClientSession, code: str, state: str, cookie: str) -> int:
    url = f"{bench.platform.events}/oauth"
    async with http.get(url, params={"code": code, "state": state}, headers={"Cookie": cookie}) as page:
        await page.text()
        return page.status


async def install(bench: Bench, code: str) -> None:
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http:
        state, cookie = await begin(bench, http)
        assert await back(bench, http, code, state, cookie) == 200


def delivery(team: str, text: str) -> Delivery:
    to = Address(channel="slack", account="main", chat=f"{team}/{DM}")
    return Delivery(id=f"conv.{team}", conversation="conv", seq=1, address=to, reply=Reply(text=text))


async def test_two_workspaces_install_and_each_is_spoken_to_with_its_own_token(tmp_path: Path) -> None:
    async with app(tmp_path) as bench:
        with pytest.raises(Rejected, match="not installed"):
            await bench.channel.send(delivery("T1", "hello"))
        await install(bench, "code-one")
        await install(bench, "code-two")
        assert "canary" not in repr(bench.core.notes)
        for team in ("T1", "T2"):
            assert await bench.platform.deliver(bench.platform.event(bench.platform.written("hi", ts="1.5"), team=team))
        assert [message.address.chat for message in bench.core.received] == [f"T1/{DM}", f"T2/{DM}"]
        del bench.platform.installed[TWO.token]
        await bench.channel.send(delivery("T1", "hello"))
        with pytest.raises(Rejected, match="invalid_auth"):
            await bench.channel.send(delivery("T2", "hello"))
        with pytest.raises(Rejected, match="not installed"):
            await bench.channel.send(delivery("T3", "hello"))


async def test_another_process_finds_the_tokens(tmp_path: Path) -> None:
    async with app(tmp_path) as bench:
        await install(bench, "code-one")
        given = bench.channel._settings
        async with opened(tmp_path / "other", given, platform=bench.platform, core=bench.core) as other:
            await other.channel.send(delivery("T1", "hello"))
        lost = given.model_copy(update={"secret": SecretStr("another secret")})
        async with opened(tmp_path, lost, platform=bench.platform, core=bench.core) as other:
            with pytest.raises(Rejected, match="its key is another one"):
                await other.channel.send(delivery("T1", "hello"))


@pytest.mark.parametrize("kind", ["app_uninstalled", "tokens_revoked"])
async def test_a_workspace_that_takes_its_token_back_is_forgotten(tmp_path: Path, kind: str) -> None:
    async with app(tmp_path) as bench:
        await install(bench, "code-one")
        await bench.channel.send(delivery("T1", "hello"))
        gone = bench.platform.event({"type": kind, "tokens": {"bot": ["U0BOT"]}}, team="T1")
        late = {**gone, "event_time": int(time.time()) - 3600}
        assert await bench.platform.deliver(late)  # news of a removal before this installation
        await bench.channel.send(delivery("T1", "hello"))
        bench.core.full = True
        assert not await bench.platform.deliver(gone)
        bench.core.full = False
        assert await bench.platform.deliver({**gone, "event_time": int(time.time()) + 1})
        with pytest.raises(Rejected, match="not installed"):
            await bench.channel.send(delivery("T1", "hello"))
        assert "team.T1" not in repr(bench.core.notes)


async def test_a_state_is_good_for_a_while_in_its_own_browser_and_leaves_no_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with app(tmp_path) as bench, aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http:
        state, cookie = await begin(bench, http)
        assert bench.core.notes == {}, "anybody can ask for a state"
        assert await back(bench, http, "code-one", state, "") == 400
        assert await back(bench, http, "code-one", "guessed", "slack-app-oauth-state=guessed") == 401
        assert await back(bench, http, "code-one", state, cookie) == 200
        assert await back(bench, http, "code-one", state, cookie) == 401, "Slack's code is good once"
        clock = bench.channel._clock
        monkeypatch.setattr(clock, "now", lambda: time.time() - STATE_SECONDS - 1)
        old, old_cookie = await begin(bench, http)
        monkeypatch.undo()
        assert await back(bench, http, "code-two", old, old_cookie) == 401
        state, cookie = await begin(bench, http)
        assert await back(bench, http, "wrong-code", state, cookie) == 401
        assert [key for key in bench.core.notes if ".team." in key] == ["slack.main.team.T1"]


async def test_a_full_disk_is_said_and_strange_requests_are_no_5xx(tmp_path: Path) -> None:
    async with app(tmp_path) as bench, aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http:
        for query in (
            "",
            "?error=access_denied",
            "?state=%00&code=x",
            "?state=é",
            "?state=a&state=b",
            "?code=" + "x" * 99,
        ):
            async with http.get(f"{bench.platform.events}/oauth{query}", headers={"Cookie": "a=é;;=;b"}) as page:
                assert page.status < 500
        state, cookie = await begin(bench, http)
        bench.core.full = True
        assert await back(bench, http, "code-one", state, cookie) == 503
