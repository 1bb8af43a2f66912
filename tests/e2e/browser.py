"""A real Chromium on a real server, with everything noted that must not happen."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from playwright.async_api import Browser, BrowserContext, Locator, Page, Request, async_playwright

from tests.channels.web.fakes import FakeGateway, Script, Site

CHROMIUM = next(
    (path for path in ("/usr/bin/chromium", shutil.which("chromium-browser") or "") if Path(path).is_file()), ""
)
ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

browser_test = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM, reason="no Chromium on this machine"),
]

WATCH = """
window.violations = [];
addEventListener('securitypolicyviolation', (event) => {
    window.violations.push(event.violatedDirective + ' ' + event.blockedURI);
});
"""


@dataclass
class Seen:
    """What a page did that it should not."""

    errors: list[str] = field(default_factory=list)
    dialogs: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)


class Widget:
    """The widget on a page, as a visitor uses it."""

    def __init__(self, page: Page, site: Site, seen: Seen) -> None:
        self.page, self.site, self.seen = page, site, seen
        self.host = page.locator("frontdesk-chat")
        self.launcher = self.host.locator("button.launch")
        self.panel = self.host.locator("dialog.panel")
        self.input = self.host.locator("textarea")
        self.log = self.host.locator("ol.log")
        self.banner = self.host.locator(".banner")

    async def open(self) -> None:
        """Press the launcher."""
        await self.launcher.click()
        await self.panel.wait_for(state="visible")

    async def say(self, text: str) -> None:
        """Type and press Enter."""
        await self.input.fill(text)
        await self.input.press("Enter")

    def bubble(self, text: str) -> Locator:
        """The message that says exactly this."""
        return self.log.locator(".msg:not(.draft) .bubble").get_by_text(text, exact=True)

    async def sees(self, text: str) -> None:
        """Wait until a message is there, and once only."""
        await self.bubble(text).first.wait_for(state="visible", timeout=30_000)
        assert await self.bubble(text).count() == 1, f"{text!r} is there more than once"

    async def lines(self) -> list[str]:
        """All messages of the transcript, from top to bottom, without the greeting."""
        found: list[str] = await self.log.evaluate(
            "log => [...log.querySelectorAll('.msg[data-at] .bubble')].map(node => node.innerText)"
        )
        return found

    async def focused(self) -> str:
        """The tag and class of what has the focus, inside the shadow root too."""
        found: str = await self.page.evaluate(
            """() => { let at = document.activeElement;
            while (at?.shadowRoot?.activeElement) at = at.shadowRoot.activeElement;
            return at ? (at.tagName + '.' + at.className).toLowerCase() : '' }"""
        )
        return found

    async def clean(self) -> None:
        """Nothing happened that must not."""
        assert await self.page.evaluate("window.violations") == []
        assert (self.seen.errors, self.seen.dialogs, self.seen.foreign) == ([], [], [])


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """The browser."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGS)
        try:
            yield browser
        finally:
            await browser.close()


async def visit(context: BrowserContext, site: Site, page_url: str = "") -> Widget:
    """Open the demo page (or another one) in a new tab."""
    url = page_url or site.url + "/"
    seen = Seen()
    await context.add_init_script(WATCH)
    page = await context.new_page()

    def requested(request: Request) -> None:
        if not request.url.startswith((site.url, url, "data:", "blob:")):
            seen.foreign.append(request.url)

    page.on("request", requested)
    page.on("pageerror", lambda error: seen.errors.append(str(error)))
    page.on("dialog", lambda dialog: seen.dialogs.append(dialog.message))
    await page.goto(url)
    widget = Widget(page, site, seen)
    await widget.launcher.wait_for(state="visible")
    return widget


@asynccontextmanager
async def shop(home: Path, script: Script, *, options: Any = None, **settings: Any) -> AsyncIterator[Widget]:
    """The demo page with the widget, on a server with a scripted bot."""
    site = Site(home, FakeGateway(script), **settings)
    await site.start()
    try:
        async with chromium() as browser:
            context = await browser.new_context(**(options or {"viewport": {"width": 1280, "height": 800}}))
            yield await visit(context, site)
    finally:
        await site.stop()


POLICY = (
    "default-src 'none'; script-src {bot}; connect-src {bot} {socket}; img-src {bot}; style-src 'self'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)


@asynccontextmanager
async def elsewhere(port: int, bot: str, markup: str) -> AsyncIterator[str]:
    """A page on another origin, with a policy that allows the bot and nothing else."""
    page = f"<!doctype html><html lang=en><title>Host</title>{markup}<script src={bot}/widget.js async></script>"
    policy = POLICY.format(bot=bot, socket=bot.replace("http", "ws"))

    async def show(_: web.Request) -> web.Response:
        headers = {"Content-Security-Policy": policy}
        return web.Response(text=page, content_type="text/html", headers=headers)

    app = web.Application()
    app.router.add_get("/", show)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        yield f"http://127.0.0.1:{port}/"
    finally:
        await runner.cleanup()
