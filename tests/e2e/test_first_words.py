"""A model that is still speaking, the real program, and a visitor in Chromium who already reads what it said."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import web
from playwright.async_api import expect

from benchmarks.first_words import SKILL
from benchmarks.program import Program
from tests.channels.web.fakes import free_port
from tests.e2e.browser import browser_test, chromium

pytestmark = browser_test

BEGIN, END = "It is on", " its **way**, and arrives on Friday."


@asynccontextmanager
async def model(go_on: asyncio.Event) -> AsyncIterator[str]:
    """A model server that says the beginning, and the end only once it may; its base URL."""

    async def chat(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)

        async def write(delta: dict[str, Any], reason: str | None = None) -> None:
            choices = [{"index": 0, "delta": delta, "finish_reason": reason}]
            chunk = {"id": "1", "created": 1, "model": "m", "object": "chat.completion.chunk", "choices": choices}
            await response.write(b"data: " + json.dumps(chunk).encode() + b"\n\n")

        await write({"role": "assistant", "content": BEGIN})
        await go_on.wait()
        await write({"content": END})
        await write({}, "stop")
        await response.write(b"data: [DONE]\n\n")
        return response

    async def models(_: web.Request) -> web.Response:
        return web.json_response({"object": "list", "data": [{"id": "m", "object": "model"}]})

    app = web.Application()
    app.router.add_post("/v1/chat/completions", chat)
    app.router.add_get("/v1/models", models)
    runner = web.AppRunner(app, shutdown_timeout=1)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        go_on.set()
        await runner.cleanup()


async def test_the_first_words_are_there_while_the_model_still_speaks(tmp_path: Path) -> None:
    go_on = asyncio.Event()
    async with model(go_on) as url, chromium() as browser:
        program = Program(tmp_path / "home", {"talker": SKILL}, environ={"OPENAI_API_KEY": "", "OPENAI_BASE_URL": url})
        await asyncio.to_thread(program.__enter__)
        try:
            page = await browser.new_page()
            await page.goto(program.url)
            await page.locator("frontdesk-chat button.launch").click()
            await page.locator("frontdesk-chat textarea").fill("question 1 please")
            await page.locator("frontdesk-chat textarea").press("Enter")
            growing = page.locator("frontdesk-chat .draft .bubble")
            await expect(growing).to_have_text(BEGIN, timeout=20_000)
            go_on.set()
            said = page.locator("frontdesk-chat .msg.bot[data-at] .bubble").last
            await expect(said).to_have_text("It is on its way, and arrives on Friday.", timeout=20_000)
            await expect(growing).to_have_count(0)
        finally:
            await asyncio.to_thread(program.__exit__)
