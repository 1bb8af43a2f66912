"""The console in a real browser: what agents do with mouse and keyboard, and what hostile text can't do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bot.channel import Entry
from bot.clock import SystemClock
from bot.desk import AgentClosed, AgentReplied, AgentTyping, Case, Ref
from bot.messages import Address, Media, Message, Sender, Text
from bot.people import Person
from bot.replies import Button, Card, Reply
from tests.handoff.console.support import Site, case, serving, until

playwright = pytest.importorskip("playwright.async_api", reason="playwright is not installed")
CHROMIUM = Path("/usr/bin/chromium")

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"no Chromium at {CHROMIUM}"),
]

ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WATCH = """
window.violations = [];
document.addEventListener("securitypolicyviolation", (e) => violations.push(e.violatedDirective + " " + e.blockedURI));
"""


class Desk:
    """Browsers at a console, and what went wrong in them."""

    def __init__(self, site: Site, browser: playwright.Browser) -> None:
        self.site, self.browser = site, browser
        self.base = str(site.server.make_url("/")).rstrip("/")
        self.problems: list[str] = []

    async def agent(self, name: str, *, width: int = 1280, height: int = 800) -> playwright.Page:
        """A page of an agent who has just signed in."""
        context = await self.browser.new_context(viewport={"width": width, "height": height})
        await context.add_init_script(WATCH)
        page = await context.new_page()
        page.set_default_timeout(30_000)
        page.on("dialog", self._dialog)
        page.on("pageerror", lambda error: self.problems.append(f"error: {error}"))
        page.on("request", self._request)
        await page.goto(await self.site.desk.sign_in_link(self.base))
        await page.fill("#name", name)
        await page.click("text=Sign in")
        await page.wait_for_selector('#line[data-state="live"]')
        return page

    async def _dialog(self, dialog: playwright.Dialog) -> None:
        self.problems.append(f"dialog: {dialog.message}")
        await dialog.dismiss()

    def _request(self, request: playwright.Request) -> None:
        if not request.url.startswith((self.base, self.base.replace("http", "ws"))):
            self.problems.append(f"foreign request: {request.url}")


@asynccontextmanager
async def desk(folder: Path) -> AsyncIterator[Desk]:
    """A console and a browser; fails if a page raised, asked anything, or broke its own policy."""
    async with serving(folder, clock=SystemClock()) as site, playwright.async_playwright() as tools:
        browser = await tools.chromium.launch(executable_path=str(CHROMIUM), args=ARGS)
        try:
            desk = Desk(site, browser)
            yield desk
            for context in browser.contexts:
                for page in context.pages:
                    assert await page.evaluate("window.violations ?? []") == []
            assert desk.problems == []
        finally:
            await browser.close()


async def holds(page: playwright.Page, expression: str) -> None:
    """Wait until something is true in the page (its policy forbids the tool's own way of waiting, which is eval)."""
    async with asyncio.timeout(5):
        while not await page.evaluate(expression):  # noqa: ASYNC110 - the page can't set an event of ours
            await asyncio.sleep(0.02)


async def waiting(desk: Desk, conversation: str = "c1", name: str = "Rosa Weber") -> Ref:
    """A customer who has said something and now waits."""
    desk.site.core.say("user", "My lamp is broken", conversation)
    desk.site.core.say("bot", "I'm getting **someone** for you.", conversation)
    ref = await desk.site.desk.open(case(conversation, name), f"key-{conversation}")
    desk.site.core.conversations[ref.id] = conversation
    return ref


async def test_take_answer_note_and_give_back(tmp_path: Path) -> None:
    async with desk(tmp_path) as room:
        ana = await room.agent("Ana")
        assert await ana.title() == "Frontdesk console"
        await ana.wait_for_selector("text=Nobody is waiting")
        ref = await waiting(room)
        await holds(ana, "document.title === '(1) Frontdesk console'")
        assert "Rosa Weber" in await ana.inner_text("#announcer")
        await ana.click("a.row")
        await ana.wait_for_selector(".bubble strong:text('someone')")
        assert await ana.is_hidden("#text"), "the field is locked until the case is taken"
        assert (await ana.inner_text("#panel h3 >> nth=0")).lower() == "why handed over"
        await ana.click("#locked button")
        await ana.wait_for_selector("#text:focus")
        await ana.keyboard.type("Hello, I'm sorry!")
        await ana.keyboard.press("Enter")
        await ana.wait_for_selector(".turn.agent.mine:not(.sending) >> text=Hello, I'm sorry!")
        await ana.click("#mode-note")
        await ana.keyboard.type("Call the warehouse")
        await ana.keyboard.press("Enter")
        await ana.wait_for_selector("li.note >> text=Call the warehouse")
        await ana.click("text=Give back to bot")
        await ana.fill("#give-back-note", "A new lamp is on its way")
        await ana.click("#give-back .primary")
        await ana.wait_for_selector("#who-state >> text=back with the bot")
        await until(lambda: len(room.site.core.heard()) == 3)
        _, said, closed = [event for event in room.site.core.events if not isinstance(event, AgentTyping)]
        assert isinstance(said, AgentReplied)
        assert said.text == "Hello, I'm sorry!"
        assert said.event_id.startswith(f"console:{ref.id}:")
        assert isinstance(closed, AgentClosed)
        assert (closed.reason, closed.note) == ("solved", "A new lamp is on its way")
        assert "warehouse" not in str(room.site.core.events)


async def test_two_agents_one_customer(tmp_path: Path) -> None:
    async with desk(tmp_path) as room:
        ana, ben = await room.agent("Ana"), await room.agent("Ben")
        await waiting(room)
        for page in (ana, ben):
            await page.click("a.row")
            await page.wait_for_selector("#locked button")
        press = "document.querySelector('#locked button').click()"
        await asyncio.gather(ana.evaluate(press), ben.evaluate(press))
        await until(lambda: len(room.site.core.events) == 1)
        winner, loser, name = (ana, ben, "Ana") if room.site.core.events[0].agent.name == "Ana" else (ben, ana, "Ben")
        await winner.wait_for_selector("#text:visible")
        await loser.wait_for_selector(f"#locked >> text={name} has this conversation.")
        assert await loser.is_hidden("#text")
        await winner.fill("#text", "I have you")
        await winner.keyboard.press("Enter")
        await loser.wait_for_selector(".turn.agent >> text=I have you")
        assert await loser.locator(".turn.mine").count() == 0


async def test_an_answer_to_old_news_is_held_back(tmp_path: Path) -> None:
    async with desk(tmp_path) as room:
        ana = await room.agent("Ana")
        await waiting(room)
        await ana.click("a.row")
        await ana.click("#locked button")
        await ana.wait_for_selector("#log >> text=Ana joined.")
        room.site.core.say("user", "Wait, it was my cat")
        await ana.fill("#text", "Shall I send a new one?")
        await ana.keyboard.press("Enter")
        await ana.wait_for_selector(".turn.held >> text=Not sent")
        await ana.wait_for_selector("#log >> text=it was my cat")
        assert not any(isinstance(event, AgentReplied) for event in room.site.core.events)
        await ana.click("text=Edit")
        assert await ana.input_value("#text") == "Shall I send a new one?"
        room.site.core.say("user", "Sorry, one more thing")
        await ana.keyboard.press("Enter")
        await ana.click("text=Send anyway")
        await ana.wait_for_selector(".turn.mine:not(.held):not(.sending) >> text=Shall I send")
        assert sum(isinstance(event, AgentReplied) for event in room.site.core.events) == 1


async def test_an_answer_written_without_a_connection_arrives_once(tmp_path: Path) -> None:
    async with desk(tmp_path) as room:
        ana = await room.agent("Ana")
        ref = await waiting(room)
        await ana.click("a.row")
        await ana.click("#locked button")
        await ana.wait_for_selector("#text:focus")
        await ana.context.set_offline(True)
        room.site.desk._live.drop()
        await ana.keyboard.type("On its way")
        await ana.keyboard.press("Enter")
        await ana.wait_for_selector(".turn.failed >> text=Not sent")
        await ana.wait_for_selector(".strip:visible")
        await ana.wait_for_selector('#line[data-state="offline"]')
        await room.site.desk.append(ref, room.site.core.say("user", "Are you there?"), "a1")
        await ana.context.set_offline(False)
        await ana.wait_for_selector("#log >> text=Are you there?")
        # The customer has written meanwhile, so the answer waits for a look instead of going out blindly.
        await ana.click("text=Send anyway")
        await ana.wait_for_selector(".turn.mine:not(.held):not(.failed):not(.sending) >> text=On its way")
        await ana.wait_for_selector('#line[data-state="live"]')
        said = [event for event in room.site.core.events if isinstance(event, AgentReplied)]
        assert [event.text for event in said] == ["On its way"]
        assert await ana.locator(".bubble >> text=On its way").count() == 1


async def test_a_dropped_line_comes_back_and_misses_nothing(tmp_path: Path) -> None:
    async with desk(tmp_path) as room:
        ana = await room.agent("Ana")
        ref = await waiting(room)
        await ana.click("a.row")
        await ana.wait_for_selector(".turn")
        for number in range(3):
            room.site.desk._live.drop()
            await ana.wait_for_selector('#line[data-state="connecting"]')
            await room.site.desk.append(ref, room.site.core.say("user", f"line {number}"), f"a{number}")
            await waiting(room, f"other{number}", f"Person {number}")
            await ana.wait_for_selector(f"#log >> text=line {number}")
            await ana.wait_for_selector(f"#rows >> text=Person {number}")
        assert await ana.inner_text("#views .attention .count >> nth=0") == "4"


async def test_drafts_stay_with_their_conversation_and_mode(tmp_path: Path) -> None:
    async with desk(tmp_path) as room:
        ana = await room.agent("Ana")
        refs = [await waiting(room, f"c{number}", f"Person {number}") for number in range(2)]
        for ref in refs:
            await ana.evaluate(f"location.hash = '#/t/{ref.id}'")
            await ana.click("#locked button")
            await ana.wait_for_selector("#text:focus")
            await ana.keyboard.type(f"answer {ref.id}")
            await ana.click("#mode-note")
            await ana.keyboard.type(f"note {ref.id}")
        await ana.reload()
        for ref in refs:
            await ana.evaluate(f"location.hash = '#/t/{ref.id}'")
            await holds(ana, f"document.querySelector('#text').value === 'note {ref.id}'")
            assert await ana.inner_text("#send") == "Add note"
            await ana.click("#mode-reply")
            assert await ana.input_value("#text") == f"answer {ref.id}"
            assert await ana.inner_text("#send") == "Send"
        assert not any(isinstance(event, AgentReplied) for event in room.site.core.events)


async def test_note_mode_can_not_be_mistaken(tmp_path: Path) -> None:
    async with desk(tmp_path) as room:
        ana = await room.agent("Ana")
        await waiting(room)
        await ana.click("a.row")
        await ana.click("#locked button")
        looks = []
        for mode in ("reply", "note"):
            await ana.click(f"#mode-{mode}")
            await ana.wait_for_timeout(200)
            looks.append(
                await ana.evaluate(
                    "(() => { const find = (name) => document.querySelector(name);"
                    " const style = getComputedStyle(find('#composer'));"
                    " return [style.backgroundColor, style.borderStyle, find('#text').placeholder,"
                    " find('#send').textContent, find('#mode-hint').textContent]; })()"
                )
            )
        assert all(one != other for one, other in zip(*looks, strict=True)), looks


async def test_the_whole_work_without_a_mouse(tmp_path: Path) -> None:
    async with desk(tmp_path) as room:
        ana = await room.agent("Ana")
        for number in range(3):
            await waiting(room, f"c{number}", f"Person {number}")
            await ana.wait_for_selector(f"#rows >> text=Person {number}")
        keys = ana.keyboard
        for key in ("j", "j", "k", "j"):
            await keys.press(key)
        assert "Person 1" in await ana.evaluate("document.activeElement.innerText")
        assert await ana.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
        await keys.press("Enter")
        await ana.wait_for_selector("#who-name >> text=Person 1")
        await keys.press("b")
        await ana.wait_for_selector("#text:focus")
        # Keys are letters inside a field.
        await keys.type("jk rnb? hello")
        await keys.press("Shift+Enter")
        await keys.type("there")
        await keys.press("Control+Enter")
        await ana.wait_for_selector(".turn.mine:not(.sending) >> text=jk rnb? hello")
        await keys.press("Escape")
        await keys.press("n")
        await keys.type("to the team")
        await keys.press("Enter")
        await ana.wait_for_selector("li.note >> text=to the team")
        await keys.press("Escape")
        await keys.press("r")
        assert await ana.get_attribute("#composer", "data-mode") == "reply"
        await keys.press("Escape")
        await keys.press("?")
        await ana.wait_for_selector("#help[open]")
        await keys.press("Escape")
        await ana.wait_for_selector("#help:not([open])", state="attached")
        await keys.press("b")
        await ana.wait_for_selector("#give-back[open]")
        await keys.press("Tab")
        await keys.type("all good")
        await keys.press("Control+Enter")
        await ana.wait_for_selector("#who-state >> text=back with the bot")
        await until(lambda: isinstance(room.site.core.events[-1], AgentClosed))
        said = [event.text for event in room.site.core.events if isinstance(event, AgentReplied)]
        assert said == ["jk rnb? hello\nthere"]


async def test_on_a_phone_there_is_one_pane_at_a_time(tmp_path: Path) -> None:
    async with desk(tmp_path) as room:
        ana = await room.agent("Ana", width=360, height=640)
        bare = Case(
            conversation="c1",
            channel="web",
            person=Person(id="p1", name="Wolfeschlegelsteinhausenbergerdorff " * 2),
            queue="support",
            reason="",
            summary="",
        )
        await room.site.desk.open(bare, "k1")
        room.site.core.say("user", "x" * 400)
        room.site.core.say("bot", "```\n" + "y" * 400 + "\n```")

        async def only(pane: str) -> None:
            """Wait until this pane is shown and no other. All are looked at in one moment: the page may be moving."""
            await ana.wait_for_function(
                "(pane) => [...document.querySelectorAll('.rail, main, #panel')]"
                ".every((one) => one.checkVisibility() === one.matches(pane))",
                arg=pane,
            )
            assert await ana.evaluate("document.documentElement.scrollWidth") <= 360

        await only(".rail")
        await ana.click("a.row")
        await ana.wait_for_selector(".turn")
        await only("main")
        await ana.click("#why")
        await only("#panel")
        assert "null" not in await ana.inner_text("#panel"), "nothing is known, and nothing is said about it"
        await ana.go_back()
        await only("main")
        await ana.click("#locked button")
        await ana.wait_for_selector("#text:visible")
        assert await ana.evaluate("parseFloat(getComputedStyle(document.querySelector('#text')).fontSize)") >= 16
        small = await ana.evaluate(
            "[...document.querySelectorAll('button, a')].filter((b) => b.checkVisibility() && !b.matches('.skip'))"
            ".map((b) => [b.getBoundingClientRect(), b.textContent]).filter(([r]) => r.width < 24 || r.height < 24)"
            ".map(([, text]) => text)"
        )
        assert small == []
        await ana.click("#back")
        await only(".rail")


HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg onload=alert(1)>",
    '"><iframe src="javascript:alert(1)">',
    "[click](javascript:alert(1))",
    "[click](JaVaScRiPt:alert(1))",
    "[click](data:text/html,<script>alert(1)</script>)",
    "![pixel](https://evil.example/pixel.png)",
    "<https://evil.example/?x=<script>alert(1)</script>>",
    '[a](https://evil.example "onmouseover=alert(1)")',
    "`<img src=x onerror=alert(1)>`",
    "```html\n<script>alert(1)</script>\n```",
    "<style>*{display:none}</style>",
    "<base href=//evil.example><form action=//evil.example><input name=a>",
    "{{constructor.constructor('alert(1)')()}} ${alert(1)}",
    "\u202egnp.exe \u2066 \x00 \ufffe",
    "<a href='javascript:alert(1)'>x</a>",
    "javascript:alert(1)",
    "> " * 200 + "deep",
    "[" * 2_000,
    "*a_ " * 2_000,
]


async def test_hostile_text_stays_text(tmp_path: Path) -> None:
    async with desk(tmp_path) as room:
        ana = await room.agent("<img src=x onerror=alert(1)> Ana")
        bad = "<img src=x onerror=alert(2)>"
        lines = room.site.core.said.setdefault("c1", [])
        for text in HOSTILE:
            for source in ("user", "bot", "agent", "system"):
                lines.append(Entry(seq=len(lines) + 1, source=source, at=1.0 + len(lines), text=text, author=bad))
        media = (
            Media(url="javascript:alert(1)", name=bad),
            Media(url="https://evil.example/x.png", name=bad, type="image/png"),
            Media(url="//evil.example/x.png", name=bad, type="image/png"),
        )
        message = Message(
            event_id="e", address=Address(channel="web", account="a", chat="c"), sender=Sender(id="s"),
            content=Text(text="", media=media), at=1.0,
        )  # fmt: skip
        lines.append(Entry(seq=900, source="user", at=2.0, message=message))
        lines.append(
            Entry(
                seq=901,
                source="bot",
                at=3.0,
                text=bad,
                buttons=(Button(token="t", label=bad, value="v"),),
                reply=Reply(card=Card(title=bad), media=media),
            )
        )
        ref = await room.site.desk.open(
            Case(
                conversation="c1",
                channel=bad,
                person=Person(id="p", name=bad, language=bad, email=bad, phone=bad),
                queue=bad,
                reason=bad,
                summary=bad,
                transcript=tuple(lines),
                facts={bad: bad},
            ),
            "k1",
        )
        await room.site.desk.note(ref, bad, "n1")
        await room.site.desk.append(ref, room.site.core.say("user", bad, at=4.0), "a1")
        await ana.click("a.row")
        await ana.wait_for_selector("li.note")
        await ana.wait_for_timeout(300)
        count = await ana.locator("#log > li.turn").count()
        assert count == 3 * len(HOSTILE) + 3
        made = (
            "#log :is(script, img, iframe, svg:not(.icon), style, form, input, base), #panel img, #rows img, #menu img"
        )
        assert await ana.locator(made).count() == 0
        hrefs = await ana.evaluate("[...document.querySelectorAll('#log a')].map((a) => [a.protocol, a.rel, a.target])")
        assert hrefs, "good links are links"
        assert {tuple(href) for href in hrefs} == {("https:", "noopener noreferrer nofollow", "_blank")}
        await ana.reload()
        await ana.wait_for_selector("li.note")
        # Typed by the agent: shown as sent before the server has it, too.
        await ana.click("#locked button")
        await ana.wait_for_selector("#text:focus")
        for text in HOSTILE[:8]:
            await ana.fill("#text", text)
            await ana.keyboard.press("Enter")
        await until(lambda: sum(isinstance(event, AgentReplied) for event in room.site.core.events) == 8)
        await ana.wait_for_timeout(300)
        assert await ana.locator(made).count() == 0
