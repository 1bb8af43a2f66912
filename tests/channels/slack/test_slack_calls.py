"""Calls: over the proxy that the environment names, and whatever is answered is one of the core's errors."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from bot import RateLimited, SendError, UnknownOutcome
from channels.slack.calls import Calls, Refusal


@contextlib.asynccontextmanager
async def slack(answer: web.Response) -> AsyncIterator[tuple[str, list[web.Request]]]:
    """A server that answers everything alike."""
    seen: list[web.Request] = []

    async def handle(request: web.Request) -> web.Response:
        seen.append(request)
        await request.read()
        return answer

    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", handle)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}", seen
    finally:
        await runner.cleanup()


async def called(url: str) -> object:
    calls = Calls(url)
    await calls.start()
    try:
        return await calls.post("chat.postMessage", "xoxb-1", {"channel": "C1", "text": "half \ud800"})
    finally:
        await calls.stop()


async def test_the_token_goes_into_a_header_only() -> None:
    async with slack(web.json_response({"ok": True, "ts": "1.2"})) as (url, seen):
        assert await called(f"{url}/api/") == {"ok": True, "ts": "1.2"}
        (request,) = seen
        assert (request.path, request.headers["Authorization"]) == ("/api/chat.postMessage", "Bearer xoxb-1")
        assert await request.json() == {"channel": "C1", "text": "half \ud800"}


async def test_a_proxy_of_the_environment_is_used_unless_it_is_not_for_this_host(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    async with slack(web.json_response({"ok": True})) as (proxy, seen):
        monkeypatch.setenv("http_proxy", proxy)
        await called("http://slack.invalid/api/")
        assert seen[0].raw_path == "http://slack.invalid/api/chat.postMessage"
        monkeypatch.setenv("no_proxy", "slack.invalid")
        with pytest.raises(SendError):
            await called("http://slack.invalid/api/")
        assert len(seen) == 1


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (web.Response(text="<html>maintenance</html>", content_type="text/html"), UnknownOutcome),
        (web.Response(text="[" * 100_000, content_type="application/json"), UnknownOutcome),
        (web.json_response(["ok"]), UnknownOutcome),
        (web.json_response({"ok": "true"}), UnknownOutcome),
        (web.json_response({"ok": True}, status=502), UnknownOutcome),
        (web.Response(status=302, headers={"Location": "http://127.0.0.1:1/"}), UnknownOutcome),
        (web.Response(status=403), Refusal),
        (web.json_response({"ok": False, "error": "not_in_channel"}), Refusal),
        (web.json_response({"ok": False, "error": "internal_error"}), UnknownOutcome),
        (web.Response(status=429, headers={"Retry-After": "7"}), RateLimited),
    ],
)
async def test_what_is_answered_is_one_of_our_errors(answer: web.Response, kind: type[SendError]) -> None:
    async with slack(answer) as (url, seen):
        with pytest.raises(SendError) as caught:
            await called(f"{url}/")
        assert type(caught.value) is kind
        assert len(seen) == 1  # and never twice
        if isinstance(caught.value, RateLimited):
            assert caught.value.retry_after == 7.0
