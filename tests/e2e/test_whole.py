"""The real program, from the outside: run.py in a process of its own, a visitor and an agent in Chromium, and curl.

Screenshots go to the folder that FRONTDESK_SHOTS names, if it names one.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from tests.e2e.browser import WATCH, browser_test, chromium

ROOT = Path(__file__).resolve().parents[2]
SHOTS = os.environ.get("FRONTDESK_SHOTS", "")
SAM = "sam.rivers@example.com"
CODE = "123456"
PENDING, SENT, DELIVERED = "#W1000159", "#W1000145", "#W1000137"


class Program:
    """run.py with a home and a port of its own; killed and started again at will."""

    def __init__(self, home: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        inherited = {key: value for key, value in os.environ.items() if not key.startswith(("FRONTDESK_", "PYTEST"))}
        self._environ = inherited | {"FRONTDESK_HOME": str(home), "PORT": str(self.port)}
        self._log = home.with_suffix(".log").open("w")
        self._process: subprocess.Popen[str] | None = None
        self.url = f"http://127.0.0.1:{self.port}"
        self.link = ""

    def start(self) -> None:
        """Start it, and wait until it says that it is there."""
        self._process = subprocess.Popen(
            [sys.executable, "run.py"], cwd=ROOT, env=self._environ, text=True, stdout=subprocess.PIPE, stderr=self._log
        )
        assert self._process.stdout is not None
        said = ""
        for line in self._process.stdout:
            said += line
            if line.startswith("Stop it"):
                break
        found = re.search(r"agent console +(\S+)", said)
        assert found, f"it did not start:\n{said}"
        self.link = found[1]

    def ask(self, *arguments: str) -> str:
        """Another command of run.py, beside the one that serves."""
        command = [sys.executable, "run.py", *arguments]
        done = subprocess.run(
            command, cwd=ROOT, env=self._environ, text=True, capture_output=True, timeout=60, check=True
        )
        return done.stdout.strip()

    def kill(self) -> None:
        """kill -9."""
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)
        self._process.wait(timeout=10)
        assert self._process.stdout is not None
        self._process.stdout.close()

    def end(self) -> None:
        """Be gone, however the test went."""
        if self._process and self._process.poll() is None:
            self.kill()
        self._log.close()


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Program]:
    program = Program(tmp_path / "home")
    try:
        program.start()
        yield program
    finally:
        program.end()


@dataclass
class Window:
    """A page in the browser, and what went wrong in it."""

    page: Page
    name: str
    errors: list[str] = field(default_factory=list)
    shots: int = 0

    async def shot(self, what: str) -> None:
        """Keep a picture, if somebody wants to look."""
        if SHOTS:
            self.shots += 1
            await self.page.screenshot(path=Path(SHOTS) / f"{self.name}-{self.shots:02}-{what}.png")

    async def clean(self) -> None:
        """No script failed, and no policy was broken."""
        assert self.errors == []
        assert await self.page.evaluate("window.violations") == []


class Visitor(Window):
    """Somebody in front of the widget on the demo page."""

    async def open(self) -> None:
        """Open the chat."""
        await self.page.locator("frontdesk-chat button.launch").click()
        await self.page.locator("frontdesk-chat dialog.panel").wait_for(state="visible")

    async def say(self, text: str) -> None:
        """Type and press Enter."""
        field = self.page.locator("frontdesk-chat textarea")
        await field.fill(text)
        await field.press("Enter")

    async def press(self, label: str) -> None:
        """Press the newest button with this label."""
        await self.page.locator("frontdesk-chat .quick button").get_by_text(label, exact=True).last.click()

    async def sees(self, text: str, times: int = 1) -> None:
        """Wait until so many lines have this text."""
        lines = self.page.locator("frontdesk-chat ol.log > li").filter(has_text=text)
        await expect(lines).to_have_count(times, timeout=10_000)
        await expect(lines.last).to_be_visible()

    async def proves(self, wish: str) -> None:
        """A wish, and the proof of being Sam."""
        await self.say(wish)
        await self.sees("need to know that it's you")
        await self.say(SAM)
        await self.sees("What does the code say?")
        await self.say(CODE)

    async def lines(self) -> list[str]:
        """The transcript."""
        found: list[str] = await self.page.evaluate(
            """() => [...document.querySelector('frontdesk-chat').shadowRoot.querySelectorAll('ol.log > li')]
            .map(node => node.innerText.trim())"""
        )
        return [line.removesuffix("\nSent") for line in found]


async def window(browser: Browser, kind: type[Visitor] | type[Window], name: str, url: str) -> Any:
    """A browser window of its own, with its own cookies."""
    context = await browser.new_context(viewport={"width": 1180, "height": 820})
    await context.add_init_script(WATCH)
    page = await context.new_page()
    page.set_default_timeout(10_000)
    opened = kind(page, name)
    page.on("pageerror", lambda error: opened.errors.append(str(error)))
    page.on("dialog", lambda dialog: opened.errors.append(dialog.message))
    await page.goto(url)
    return opened


@asynccontextmanager
async def visiting(program: Program) -> AsyncIterator[tuple[Browser, Visitor]]:
    """A visitor who has just opened the chat."""
    async with chromium() as browser:
        visitor: Visitor = await window(browser, Visitor, "visitor", program.url + "/")
        await visitor.open()
        yield browser, visitor
        await visitor.clean()


async def signs_in(browser: Browser, program: Program, name: str, link: str = "") -> Window:
    """An agent at the console, by the link that the program printed."""
    agent: Window = await window(browser, Window, name.lower(), link or program.link)
    await agent.page.fill("#name", name)
    await agent.page.click("text=Sign in")
    await agent.page.wait_for_selector('#line[data-state="live"]')
    return agent


async def writes(agent: Window, text: str, *, note: bool = False) -> None:
    """An answer to the visitor, or a note for colleagues."""
    await agent.page.click("#mode-note" if note else "#mode-reply")
    await agent.page.fill("#text", text)
    await agent.page.keyboard.press("Enter")
    await agent.page.wait_for_selector(f"#log >> text={text}")


class TestInTheBrowser:
    """What people see."""

    pytestmark = browser_test

    async def test_an_order_is_found_and_a_reload_keeps_it(self, program: Program) -> None:
        async with visiting(program) as (_, visitor):
            await visitor.shot("opened")
            await visitor.say("where is my order")
            await visitor.sees("need to know that it's you")
            await visitor.shot("who")
            await visitor.say(SAM)
            await visitor.sees("What does the code say?")
            await visitor.shot("code")
            await visitor.say(CODE)
            await visitor.sees(f"Order {SENT}")
            await visitor.shot("where")
            await visitor.press(f"Cancel {PENDING}")
            await visitor.sees(f"Why would you like to cancel order {PENDING}?")
            await visitor.press("Ordered by mistake")
            await visitor.sees("Shall I do that?")
            await visitor.shot("shall-i")
            before = await visitor.lines()
            await visitor.page.reload()
            await visitor.sees("Shall I do that?")
            assert await visitor.lines() == before
            await visitor.press("Yes, cancel it")
            await visitor.sees(f"Done: order {PENDING} is cancelled")
            await visitor.shot("done")

    async def test_a_person_takes_over_and_gives_back(self, program: Program) -> None:
        async with visiting(program) as (browser, visitor):
            await visitor.proves("where is order 1000145")
            await visitor.sees(f"Order {SENT}")
            await visitor.say("can I talk to a person?")
            await visitor.sees("passed this on to our team")
            await visitor.shot("queued")
            ana = await signs_in(browser, program, "Ana")
            await ana.shot("queue")
            await ana.page.click("a.row")
            await ana.page.wait_for_selector("#log >> text=talk to a person")
            await ana.shot("waiting")
            await ana.page.click("#locked button")
            await visitor.sees("Ana has joined the conversation.")
            await visitor.say("my parcel is wet")
            await ana.page.wait_for_selector("#log >> text=my parcel is wet")
            await writes(ana, "the warehouse knows about this", note=True)
            await writes(ana, f"I'm sorry. I have sent {DELIVERED} again.")
            await visitor.sees(f"I have sent {DELIVERED} again.")
            await ana.shot("answered")
            await visitor.shot("answered")
            await ana.page.click("text=Give back to bot")
            await ana.page.fill("#give-back-note", "sent again, free of charge")
            await ana.shot("giving-back")
            await ana.page.click("#give-back .primary")
            await visitor.sees("Ana has left the conversation.")
            await visitor.sees("back with me, the assistant")
            await visitor.say("where is it now?")
            await visitor.sees(f"Order {DELIVERED}")
            await visitor.shot("back")
            await ana.shot("after")
            said = "\n".join(await visitor.lines())
            assert "warehouse" not in said
            assert "free of charge" not in said
            assert said.count("I'm sorry. I have sent") == 1
            await ana.clean()

    async def test_of_two_agents_the_second_is_told(self, program: Program) -> None:
        async with visiting(program) as (browser, visitor):
            await visitor.say("talk to a person")
            await visitor.sees("passed this on to our team")
            ana = await signs_in(browser, program, "Ana")
            link = await asyncio.to_thread(program.ask, "console-link", "Ben")
            ben: Window = await window(browser, Window, "ben", link)
            await ben.page.click("text=Sign in")
            for agent in (ana, ben):
                await agent.page.click("a.row")
                await agent.page.wait_for_selector("#locked button")
            await ana.page.click("#locked button")
            await visitor.sees("Ana has joined the conversation.")
            await ben.page.wait_for_selector("#locked >> text=Ana has this conversation.")
            assert await ben.page.is_hidden("#text")
            await ben.shot("told")
            assert "Ben" not in "\n".join(await visitor.lines())

    async def test_killed_in_the_middle_of_a_question(self, program: Program) -> None:
        async with visiting(program) as (browser, visitor):
            await visitor.proves("cancel order 1000159")
            await visitor.sees("Why would you like to cancel")
            program.kill()
            await visitor.page.wait_for_selector("frontdesk-chat .banner:visible")
            await visitor.shot("offline")
            await visitor.say("I ordered it by mistake")
            await visitor.shot("said-offline")
            await asyncio.sleep(1)
            program.start()
            await visitor.sees("Shall I do that?")
            await visitor.press("Yes, cancel it")
            await visitor.sees(f"Done: order {PENDING} is cancelled")
            await visitor.shot("came-back")
            said = await visitor.lines()
            assert sum("I ordered it by mistake" in line for line in said) == 1
            assert sum("Why would you like to cancel" in line for line in said) == 1

            await visitor.say("talk to a person")
            await visitor.sees("passed this on to our team")
            ana = await signs_in(browser, program, "Ana")
            await ana.page.click("a.row")
            await ana.page.click("#locked button")
            await visitor.sees("Ana has joined the conversation.")
            program.kill()
            program.start()
            await ana.page.wait_for_selector('#line[data-state="live"]', timeout=30_000)
            await writes(ana, "Still here.")
            await visitor.sees("Still here.")
            await visitor.say("good")
            await ana.page.wait_for_selector("#log >> text=good")


# --- without a browser


class Caller:
    """curl: plain HTTP, and no cookie."""

    def __init__(self, program: Program) -> None:
        self._url = program.url + "/channels/web/messages"
        self.conversation = ""
        self.seq = 0

    def post(self, text: str, client_id: str) -> tuple[int, dict[str, Any]]:
        """Say something."""
        body = {"text": text, "client_id": client_id}
        if self.conversation:
            body["conversation"] = self.conversation
        status, answer = fetch(self._url, body)
        self.conversation = answer.get("conversation", self.conversation)
        return status, answer

    def get(self, wait: int = 20, after: int | None = None) -> list[dict[str, Any]]:
        """What was said since the last time."""
        after = self.seq if after is None else after
        status, answer = fetch(f"{self._url}?conversation={self.conversation}&after={after}&wait={wait}")
        assert status == 200
        messages: list[dict[str, Any]] = answer["messages"]
        self.seq = max([self.seq, *(message["seq"] for message in messages)])
        return messages

    def hears(self, text: str) -> dict[str, Any]:
        """Wait for a message of the bot's or an agent's."""
        for _ in range(8):
            for message in self.get(wait=5):
                if message["from"] != "user" and text in message["text"]:
                    return message
        raise AssertionError(f"nobody said {text!r}: {self.get(wait=0, after=0)}")


def fetch(url: str, body: dict[str, str] | None = None) -> tuple[int, dict[str, Any]]:
    data = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})  # noqa: S310 - our own server
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def test_curl_holds_a_conversation(program: Program) -> None:
    caller = Caller(program)
    status, first = caller.post("where is my order 1000145", "a")
    assert status == 202
    assert set(first) == {"conversation", "seq"}
    assert len(first["conversation"]) >= 22, "it is a secret that nobody can guess"
    assert caller.post("where is my order 1000145", "a") == (202, first), "the same again, and nothing else happened"
    caller.hears("need to know that it's you")
    caller.post(SAM, "b")
    asked = caller.hears("What does the code say?")
    assert [choice["label"] for choice in asked["choices"]] == ["Send a new code", "Use another address"]
    program.kill()
    program.start()
    caller.post(CODE, "c")
    told = caller.hears(SENT)
    assert told["from"] == "bot"
    assert "on its way" in told["text"]
    said = [message["text"] for message in caller.get(wait=0, after=0)]
    assert said.count("where is my order 1000145") == 1
    assert sum("What does the code say?" in text for text in said) == 1
    seqs = [message["seq"] for message in caller.get(wait=0, after=0)]
    assert seqs == sorted(set(seqs))
    assert caller.get(wait=0) == []


def test_curl_can_not_read_what_it_has_no_secret_for(program: Program) -> None:
    caller = Caller(program)
    caller.post("hello", "a")
    caller.conversation = "0" * len(caller.conversation)
    url = f"{program.url}/channels/web/messages?conversation={caller.conversation}&after=0&wait=0"
    status, answer = fetch(url)
    assert status in {200, 404}
    assert not answer.get("messages")
    assert fetch(url.replace("after=0", "after=x"))[0] in range(400, 500)
    assert fetch(program.url + "/channels/web/messages", {"text": "hello"})[0] in {202, *range(400, 500)}
