"""The widget in a real Chromium: what a visitor does with it, on a page with a strict policy."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest
from playwright.async_api import Route, WebSocketRoute, expect

from bot import Button, Choice, Reply, Typing
from channels.web.intake import address_of
from tests.channels.web.fakes import FakeGateway
from tests.e2e.browser import browser_test, elsewhere, shop, visit
from tests.e2e.corpus import PAYLOADS
from tests.e2e.scripted import scripted
from tests.servers import free_port

pytestmark = browser_test


OBSERVE = """() => {
    const root = document.querySelector('frontdesk-chat').shadowRoot;
    window.announced = []; window.drafts = new Set();
    new MutationObserver((list) => {
        for (const change of list) for (const node of change.addedNodes) announced.push(node.textContent);
    }).observe(root.querySelector('[aria-live=polite]'), { childList: true });
    new MutationObserver(() => {
        const node = root.querySelector('.draft .bubble');
        if (node) drafts.add(node.textContent);
    }).observe(root.querySelector('ol.log'), { childList: true, subtree: true, characterData: true });
}"""

MEASURE = """(host) => {
    const root = host.shadowRoot, panel = root.querySelector('.panel'), log = root.querySelector('.log');
    const box = panel.getBoundingClientRect();
    const size = (node) => {
        const { width, height } = node.getBoundingClientRect();
        const grown = node.classList.contains('go') ? 10 : 0; // its ::after is 5 px larger on each side
        return [node.className, width + grown, height + grown];
    };
    const buttons = [...root.querySelectorAll('.panel button')].filter((node) => node.getClientRects().length);
    return {
        box: [box.left, box.top, box.right, box.bottom],
        wide: log.scrollWidth - log.clientWidth,
        page: document.documentElement.scrollWidth - innerWidth,
        direction: getComputedStyle(panel).direction,
        font: parseFloat(getComputedStyle(root.querySelector('textarea')).fontSize),
        small: buttons.map(size).filter(([, width, height]) => width < 43.5 || height < 43.5),
    };
}"""


def only_chat(gateway: FakeGateway) -> str:
    """The one conversation that there is."""
    (chat,) = gateway.transcripts
    return chat


async def test_a_chat_with_choices(tmp_path: Path) -> None:
    async with shop(tmp_path, scripted) as chat:
        await chat.open()
        assert await chat.focused() == "textarea."
        await chat.say("Where is my order?")
        await chat.sees("Which order is it?")
        group = chat.log.get_by_role("group", name="Suggested answers")
        await group.get_by_role("button", name="A-1001 · Ember lamp").click()
        await chat.sees("You chose A-1001 · Ember lamp. It arrives on Friday.")
        assert await group.count() == 0
        assert await chat.lines() == [
            "Where is my order?",
            "Which order is it?",
            "A-1001 · Ember lamp",
            "You chose A-1001 · Ember lamp. It arrives on Friday.",
        ]
        assert await chat.log.locator(".state", has_text="Sent").count() == 1
        await chat.clean()


async def test_a_choice_may_also_be_typed(tmp_path: Path) -> None:
    async with shop(tmp_path, scripted) as chat:
        await chat.open()
        await chat.say("Where is my order?")
        await chat.sees("Which order is it?")
        await chat.say("the second")
        await chat.sees("You said: the second")
        assert await chat.log.locator(".quick").count() == 0


async def test_nothing_is_asked_or_stored_before_the_first_message(tmp_path: Path) -> None:
    async with shop(tmp_path, scripted) as chat:
        sockets: list[str] = []
        chat.page.on("websocket", lambda socket: sockets.append(socket.url))
        await chat.open()
        await chat.input.fill("not sent")
        await chat.page.wait_for_timeout(400)
        stored = "[localStorage.length, sessionStorage.length, document.cookie]"
        assert (sockets, await chat.page.evaluate(stored)) == ([], [0, 0, ""])
        await chat.input.press("Enter")
        await chat.sees("You said: not sent")
        assert len(sockets) == 1


async def test_a_reload_brings_everything_back(tmp_path: Path) -> None:
    async with shop(tmp_path, scripted) as chat:
        await chat.open()
        await chat.say("Where is my order?")
        await chat.sees("Which order is it?")
        await chat.input.fill("half a thou")
        before = await chat.lines()
        await chat.page.reload()
        await chat.sees("Which order is it?")
        assert await chat.lines() == before
        assert await chat.input.input_value() == "half a thou"
        assert await chat.log.get_by_role("button").count() == 3
        await chat.log.get_by_role("button", name="Another one").click()
        await chat.sees("You chose Another one. It arrives on Friday.")
        await chat.clean()


async def test_offline_and_back(tmp_path: Path) -> None:
    async with shop(tmp_path, scripted) as chat:
        await chat.open()
        await chat.say("one")
        await chat.sees("You said: one")
        await chat.page.context.set_offline(True)
        await expect(chat.banner).to_be_visible()
        await expect(chat.banner).to_contain_text("offline")
        await expect(chat.page.locator("header .sub")).not_to_contain_text("at once")
        await chat.say("two")
        await chat.say("three")
        await expect(chat.log.locator(".unsent .state").last).to_have_text("Waiting for the connection")
        assert len(chat.site.gateway.received) == 1
        await chat.site.gateway.say(address_of(only_chat(chat.site.gateway)), "said while you were away")
        await chat.page.context.set_offline(False)
        for text in ("said while you were away", "You said: two", "You said: three"):
            await chat.sees(text)
        await expect(chat.banner).to_be_hidden()
        await expect(chat.page.locator("header .sub")).to_contain_text("at once")
        assert [message.text for message in chat.site.gateway.received] == ["one", "two", "three"]
        assert await chat.log.locator(".unsent").count() == 0


async def test_what_was_written_offline_survives_a_reload(tmp_path: Path) -> None:
    async with shop(tmp_path, scripted) as chat:
        await chat.open()
        await chat.say("one")
        await chat.sees("You said: one")
        await chat.site.stop()
        await chat.say("two")
        await chat.page.wait_for_timeout(300)
        await chat.site.start()
        await chat.page.reload()
        await chat.sees("You said: two")
        assert await chat.lines() == ["one", "You said: one", "two", "You said: two"]
        assert [message.text for message in chat.site.gateway.received] == ["one", "two"]


async def test_the_bot_restarts_in_the_middle(tmp_path: Path) -> None:
    async with shop(tmp_path, scripted) as chat:
        await chat.open()
        await chat.say("one")
        await chat.sees("You said: one")
        await chat.site.stop()
        await chat.say("two")
        await chat.site.gateway.say(address_of(only_chat(chat.site.gateway)), "nobody was there to ring")
        await expect(chat.banner).to_be_visible(timeout=10_000)
        await expect(chat.banner).to_have_text("Reconnecting…")
        await chat.site.start()
        await chat.sees("nobody was there to ring")
        await chat.sees("You said: two")
        await expect(chat.banner).to_be_hidden()
        rows = chat.site.gateway.transcripts[only_chat(chat.site.gateway)]
        assert await chat.lines() == [row.text for row in rows]


async def test_an_answer_that_gets_lost_on_the_way_makes_no_second_message(tmp_path: Path) -> None:
    async with shop(tmp_path, scripted) as chat:
        cut: list[str] = []

        def without_the_first_ack(route: WebSocketRoute) -> None:
            server, lost = route.connect_to_server(), []

            def back(frame: str | bytes) -> None:
                if not cut and '"t":"ack"' in str(frame):
                    cut.append(str(frame))
                    lost.append(asyncio.create_task(route.close(code=1011)))
                elif not lost:
                    route.send(frame)

            server.on_message(back)

        await chat.page.route_web_socket(re.compile("/ws$"), without_the_first_ack)
        await chat.page.reload()
        await chat.open()
        await chat.say("once only")
        await chat.sees("You said: once only")
        assert len(cut) == 1
        assert len(chat.site.gateway.received) == 1
        assert await chat.lines() == ["once only", "You said: once only"]


async def test_without_sockets_it_polls(tmp_path: Path) -> None:
    async with shop(tmp_path, scripted) as chat:
        await chat.page.add_init_script("window.WebSocket = class { constructor() { throw new Error('blocked'); } };")
        await chat.page.reload()
        await chat.open()
        await chat.say("one")
        await chat.sees("You said: one")
        await chat.say("Where is my order?")
        await chat.log.get_by_role("button", name="Another one").click()
        await chat.sees("You chose Another one. It arrives on Friday.")
        await chat.site.gateway.say(address_of(only_chat(chat.site.gateway)), "by itself")
        await chat.sees("by itself")
        await chat.site.stop()
        await chat.say("two")
        await chat.site.start()
        await chat.sees("You said: two")
        assert len(chat.site.gateway.received) == 4
        await chat.clean()


async def test_a_message_that_is_refused_keeps_its_text_and_can_be_deleted(tmp_path: Path) -> None:
    async with shop(tmp_path, scripted, max_text=50) as chat:
        await chat.open()
        await chat.page.evaluate("Frontdesk.send('x'.repeat(51))")
        failed = chat.log.locator(".failed")
        await failed.wait_for()
        await expect(failed).to_contain_text("The text is too long")
        assert await chat.host.get_by_role("alert").inner_text() != ""
        await chat.say("the next one goes through")
        await chat.sees("You said: the next one goes through")
        await failed.get_by_role("button", name="Retry").click()
        await expect(failed).to_contain_text("The text is too long")
        await failed.get_by_role("button", name="Delete").click()
        await expect(failed).to_have_count(0)
        await chat.page.reload()
        await chat.sees("You said: the next one goes through")
        assert await failed.count() == 0
        await chat.input.fill("y" * 51)
        await expect(chat.host.locator(".go")).to_have_attribute("aria-disabled", "true")


async def test_a_draft_grows_and_becomes_the_message_and_is_announced_once(tmp_path: Path) -> None:
    async with shop(tmp_path, scripted) as chat:
        await chat.open()
        await chat.say("hello")
        await chat.sees("You said: hello")
        await chat.page.wait_for_timeout(4300)  # the announcement of the first answer goes away by itself
        await chat.page.evaluate(OBSERVE)
        await chat.say("stream")
        whole = "It left our workshop this morning and arrives on Friday. You can follow it all the way."
        await chat.sees(whole)
        assert await chat.log.locator(".draft").count() == 0
        drafts = await chat.page.evaluate("[...drafts]")
        assert len(drafts) >= 3
        assert not [draft for draft in drafts if "*" in draft], "an open marker must never show"
        assert await chat.page.evaluate("announced") == [f"Bot: {whole}"]
        live = "document.querySelector('frontdesk-chat').shadowRoot.querySelector('ol.log').getAttribute('aria-live')"
        assert await chat.page.evaluate(live) == "off"
        await chat.clean()


async def test_nothing_moves_while_an_answer_grows(tmp_path: Path) -> None:
    async with shop(tmp_path, scripted) as chat:
        await chat.open()
        await chat.say("silence")
        await chat.bubble("silence").wait_for()
        await expect(chat.log.locator(".state.done")).to_have_text("Sent")
        there = address_of(only_chat(chat.site.gateway))
        assert chat.site.gateway.channel is not None
        await chat.site.gateway.channel.draft(there, "k", "It left")
        await expect(chat.log.locator(".draft .bubble")).to_have_text("It left")
        await chat.say("silence too")
        await expect(chat.log.locator(".unsent")).to_have_count(0)
        shown = "log => [...log.querySelectorAll('.msg:not([hidden]) .bubble')].map(node => node.innerText).slice(1)"
        assert (await chat.log.evaluate(shown))[:3] == ["silence", "It left", "silence too"]
        await chat.site.gateway.say(there, "It left this morning.")
        await chat.sees("It left this morning.")
        assert await chat.lines() == ["silence", "It left this morning.", "silence too"]


async def test_an_answer_that_is_faster_than_the_question_comes_back_stands_below_it(tmp_path: Path) -> None:
    async with shop(tmp_path, scripted) as chat:
        await chat.open()
        await chat.say("stream")
        growing = chat.log.locator(".draft")
        await growing.wait_for()
        before = "node => node.previousElementSibling.querySelector('.bubble').innerText"
        assert await growing.evaluate(before) == "stream"
        await expect(chat.log.locator(".state.done")).to_have_text("Sent")
        assert (await chat.lines())[0] == "stream"


async def test_on_touch_a_keyboard_comes_only_when_the_field_is_touched(tmp_path: Path) -> None:
    phone = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
    async with shop(tmp_path, scripted, options=phone) as chat:
        await chat.launcher.tap()
        await chat.panel.wait_for(state="visible")
        assert await chat.focused() == "ol.log"
        await chat.say("Where is my order?")
        await chat.log.get_by_role("button", name="Another one").tap()
        await chat.sees("You chose Another one. It arrives on Friday.")
        assert await chat.focused() == "ol.log"


async def test_markdown_becomes_elements(tmp_path: Path) -> None:
    async with shop(tmp_path, scripted) as chat:
        await chat.open()
        await chat.say("markdown")
        bubble = chat.log.locator(".msg.bot[data-at] .bubble").last
        await expect(bubble.locator("strong").first).to_have_text("bold")
        for selector, text in (("em", "slanted"), ("h4", "What you can do"), ("pre code", "A-1001"), ("td", "Lamp")):
            await expect(bubble.locator(selector).first).to_have_text(text)
        await expect(bubble.locator("ol > li")).to_have_count(2)
        await expect(bubble.locator("ol ul > li")).to_have_count(2)
        await expect(bubble.locator("blockquote")).to_have_text("We pay for the parcel.")
        a = bubble.locator("a")
        assert await a.get_attribute("href") == "https://shop.example/returns"
        assert await a.get_attribute("rel") == "noopener noreferrer nofollow"
        await chat.clean()


async def test_a_person_is_named_and_so_is_the_bot(tmp_path: Path) -> None:
    async with shop(tmp_path, scripted) as chat:
        await chat.open()
        await expect(chat.host.locator(".sub")).to_have_text("Bot · answers at once")
        await chat.say("a person please")
        await chat.sees("Hi, I'm Ana. I've read what you wrote.")
        await expect(chat.host.get_by_role("heading", name="Ana")).to_be_visible()
        await expect(chat.host.locator(".sub")).to_have_text("A person from our team")
        await expect(chat.log.locator(".notice")).to_contain_text("Ana joined the conversation.")
        await chat.say("hello")
        await chat.sees("You said: hello")
        await expect(chat.host.locator(".sub")).to_have_text("Bot · answers at once")


async def test_who_waits_for_a_person_is_not_told_that_a_bot_answers_at_once(tmp_path: Path) -> None:
    async with shop(tmp_path, scripted) as chat:
        await chat.open()
        await chat.say("queue")
        await expect(chat.log.locator(".notice")).to_contain_text("passed this on")
        await expect(chat.host.locator(".sub")).to_have_text("We’re here")
        await chat.page.reload()
        await expect(chat.log.locator(".notice")).to_contain_text("passed this on")
        await expect(chat.host.locator(".sub")).to_have_text("We’re here")
        await chat.say("hello")
        await chat.sees("You said: hello")
        await expect(chat.host.locator(".sub")).to_have_text("Bot · answers at once")


async def test_by_keyboard_alone(tmp_path: Path) -> None:
    async with shop(tmp_path, scripted) as chat:
        page = chat.page
        for _ in range(20):
            await page.keyboard.press("Tab")
            if (await chat.focused()).startswith("button.launch"):
                break
        outline = "getComputedStyle(document.querySelector('frontdesk-chat').shadowRoot.activeElement).outlineStyle"
        assert await page.evaluate(outline) == "solid"
        await page.keyboard.press("Enter")
        await expect(chat.panel).to_be_visible()
        await expect(chat.input).to_be_focused()
        await page.keyboard.type("Where is my order?")
        await page.keyboard.press("Shift+Enter")
        await page.keyboard.type("Please")
        await page.keyboard.press("Enter")
        await expect(chat.log.locator(".msg.bot[data-at]")).to_have_count(1)
        assert chat.site.gateway.received[0].text == "Where is my order?\nPlease"
        await page.keyboard.type("Where is my order?")
        await page.keyboard.press("Enter")
        await chat.sees("Which order is it?")
        for _ in range(6):
            await page.keyboard.press("Shift+Tab")
            if await chat.page.evaluate(
                "document.querySelector('frontdesk-chat').shadowRoot.activeElement.textContent === 'Another one'"
            ):
                break
        assert await page.evaluate(outline) == "solid"
        await page.keyboard.press("Enter")
        await chat.sees("You chose Another one. It arrives on Friday.")
        await expect(chat.input).to_be_focused()
        await page.keyboard.press("Escape")
        await expect(chat.panel).to_be_hidden()
        assert (await chat.focused()).startswith("button.launch")
        await chat.clean()


async def test_enter_inside_a_composition_does_not_send(tmp_path: Path) -> None:
    async with shop(tmp_path, scripted) as chat:
        await chat.open()
        await chat.input.fill("かんじ")
        await chat.input.dispatch_event("keydown", {"key": "Enter", "isComposing": True})
        await chat.page.wait_for_timeout(200)
        assert chat.site.gateway.received == []
        assert await chat.input.input_value() == "かんじ"


async def test_nothing_hostile_runs_or_leaves(tmp_path: Path) -> None:
    async with shop(tmp_path, scripted) as chat:
        await chat.open()
        await chat.say("hello")
        await chat.sees("You said: hello")
        gateway = chat.site.gateway
        there = address_of(only_chat(gateway))
        for number, payload in enumerate(PAYLOADS):
            await gateway.say(there, payload)
            choices = Reply(
                text=payload,
                choices=(Choice(label=payload),),
                buttons=(Button(token=f"t{number}", label=payload, value=payload),),
            )
            await gateway.say(there, f"{number}", reply=choices)
            await gateway.say(there, payload, source="system")
            await gateway.say(there, payload, source="agent", author=payload)
            gateway.add(there, "user", payload)
        await gateway.say(there, "the end")
        await chat.sees("the end")
        found = await chat.log.evaluate("""log => ({
            tags: [...new Set([...log.querySelectorAll('*')].map(node => node.tagName.toLowerCase()))],
            attributes: [...new Set([...log.querySelectorAll('*')].flatMap(node => node.getAttributeNames()))],
            links: [...log.querySelectorAll('a')].map(node => node.href) })""")
        assert set(found["tags"]) <= ALLOWED_TAGS
        assert not [name for name in found["attributes"] if name.startswith("on") or name == "style"]
        assert found["links"]
        assert all(re.match(r"(https?://|mailto:|tel:)", link) for link in found["links"])
        for button in await chat.log.locator(".quick button").all():
            await button.dispatch_event("pointerover")
        await chat.page.wait_for_timeout(300)
        assert chat.page.url == chat.site.url + "/"
        await chat.clean()


ALLOWED_TAGS = {
    *("li", "div", "span", "p", "br", "a", "strong", "em", "del", "code", "pre", "h3", "h4", "h5", "h6", "ul", "ol"),
    *("blockquote", "hr", "table", "thead", "tbody", "tr", "th", "td", "time", "i", "button", "svg", "path"),
}


async def test_files_go_up_and_can_be_taken_off(tmp_path: Path) -> None:
    async with shop(tmp_path, scripted) as chat:
        await chat.open()
        pick = chat.host.locator("input[type=file]")
        png = b"\x89PNG\r\n\x1a\n" + b"\0" * 50
        await pick.set_input_files({"name": "<b>lamp.png", "mimeType": "image/png", "buffer": png})
        await chat.host.locator(".tray .ready").wait_for()
        await pick.set_input_files({"name": "notes.txt", "mimeType": "text/plain", "buffer": b"words"})
        await expect(chat.host.locator(".tray .ready")).to_have_count(2)
        await chat.host.get_by_role("button", name="Remove notes.txt").click()
        await chat.say("it is broken")
        await chat.sees("Thank you for <b>lamp.png.")
        await chat.sees("it is broken")
        (message,) = chat.site.gateway.received
        assert [media.name for media in message.media] == ["<b>lamp.png"]
        await pick.set_input_files({"name": "x.exe", "mimeType": "application/x-msdownload", "buffer": b"MZ"})
        await expect(chat.host.locator(".hint")).to_have_text("Files of this type can’t be sent here.")
        await pick.set_input_files({"name": "x.png", "mimeType": "image/png", "buffer": b"MZ\0\0"})
        await expect(chat.host.locator(".tray .bad")).to_have_count(1)
        await chat.clean()


async def test_a_second_tab_follows(tmp_path: Path) -> None:
    async with shop(tmp_path, scripted) as chat:
        other = await visit(chat.page.context, chat.site)
        await other.open()
        await chat.open()
        await chat.say("from the first tab")
        for tab in (chat, other):
            await tab.sees("You said: from the first tab")
        await other.say("from the second")
        await chat.sees("from the second")
        assert await chat.lines() == await other.lines()


async def test_news_while_closed_are_counted_and_found(tmp_path: Path) -> None:
    async with shop(tmp_path, scripted) as chat:
        await chat.open()
        await chat.say("hello")
        await chat.sees("You said: hello")
        await chat.page.keyboard.press("Escape")
        there = address_of(only_chat(chat.site.gateway))
        for number in range(30):
            await chat.site.gateway.say(there, f"news {number}")
        await expect(chat.launcher).to_have_attribute("aria-label", "Open chat, 30 unread")
        await chat.open()
        await expect(chat.log.locator(".divider + .msg")).to_contain_text("news 0")
        await expect(chat.log.locator(".divider")).to_be_in_viewport()
        await expect(chat.host.locator(".pill")).to_have_text("↓ 9+ new")
        await chat.page.keyboard.press("Escape")
        for number in range(30, 60):
            await chat.site.gateway.say(there, f"news {number}")
        await expect(chat.launcher).to_have_attribute("aria-label", "Open chat, 30 unread")
        await chat.page.reload()
        await expect(chat.launcher).to_have_attribute("aria-label", "Open chat, 30 unread")
        await chat.open()
        await expect(chat.log.locator(".divider")).to_be_in_viewport()
        await expect(chat.launcher).to_have_attribute("aria-label", "Close chat")
        await expect(chat.log.locator(".divider + .msg")).to_contain_text("news 30")
        await chat.page.reload()
        await chat.sees("news 59")
        await expect(chat.log.locator(".divider")).to_have_count(0)


async def test_reading_back_is_never_yanked(tmp_path: Path) -> None:
    async with shop(tmp_path, scripted) as chat:
        await chat.open()
        await chat.say("hello")
        await chat.sees("You said: hello")
        there = address_of(only_chat(chat.site.gateway))
        for number in range(30):
            await chat.site.gateway.say(there, f"line {number}\n\nmore")
        await chat.log.get_by_text("line 29").wait_for()
        at_bottom = "log => log.scrollHeight - log.scrollTop - log.clientHeight"
        assert await chat.log.evaluate(at_bottom) < 2
        await chat.log.evaluate("log => { log.scrollTop = 100 }")
        pill = chat.host.locator(".pill")
        await expect(pill).to_be_visible()
        await chat.site.gateway.say(there, "news")
        await expect(pill).to_have_text("↓ 1 new")
        assert await chat.log.evaluate("log => log.scrollTop") == 100
        await pill.click()
        assert await chat.log.evaluate(at_bottom) < 2
        await expect(pill).to_be_hidden()


async def test_another_size_hides_nothing_from_who_reads_along(tmp_path: Path) -> None:
    async with shop(tmp_path, scripted, options={"viewport": {"width": 900, "height": 720}}) as chat:
        await chat.open()
        for word in ("hello", "markdown", "Where is my order?"):
            await chat.say(word)
        last = chat.log.locator(".quick button").last
        await expect(last).to_be_in_viewport(ratio=1)
        for width, height in ((380, 720), (380, 400), (900, 500), (470, 720)):
            await chat.page.set_viewport_size({"width": width, "height": height})
            await chat.page.wait_for_timeout(150)
            under = "log => log.scrollHeight - log.scrollTop - log.clientHeight"
            assert await chat.log.evaluate(under) < 2, (width, height)
        await chat.log.evaluate("log => { log.scrollTop = 20 }")
        await expect(chat.host.locator(".pill")).to_be_visible()
        await chat.page.set_viewport_size({"width": 470, "height": 600})
        await chat.page.wait_for_timeout(150)
        assert await chat.log.evaluate("log => log.scrollTop") == 20


async def test_typing_dots_come_late_and_go_by_themselves(tmp_path: Path) -> None:
    async with shop(tmp_path, scripted) as chat:
        await chat.open()
        await chat.say("typing")
        dots = chat.log.locator(".dots")
        await expect(dots).to_be_visible()
        await expect(chat.host.get_by_role("status").filter(has_text="replying")).to_have_text("Bot is replying")
        await expect(dots).to_be_hidden(timeout=30_000)
        assert chat.site.gateway.signals == [] or all(signal.text == "" for signal in chat.site.gateway.signals)


async def test_the_page_can_drive_it(tmp_path: Path) -> None:
    async with shop(tmp_path, scripted) as chat:
        await chat.page.evaluate("""() => { window.heard = [];
            for (const name of ['open', 'close', 'message', 'unread']) Frontdesk.on(name, () => heard.push(name)); }""")
        await chat.page.evaluate("Frontdesk.open()")
        await chat.panel.wait_for(state="visible")
        await chat.page.evaluate("Frontdesk.send('from the page')")
        await chat.sees("You said: from the page")
        await chat.page.evaluate("Frontdesk.toggle()")
        await expect(chat.panel).to_be_hidden()
        assert await chat.page.evaluate("heard") == ["open", "message", "message", "close"]
        await chat.page.locator("[data-chat-open]").click()
        await expect(chat.panel).to_be_visible()
        await chat.page.evaluate("Frontdesk.setTheme('dark'); Frontdesk.setLocale('de')")
        await expect(chat.input).to_have_attribute("placeholder", "Nachricht schreiben …")
        await expect(chat.panel).to_have_css("background-color", "rgb(20, 23, 28)")
        await chat.sees("You said: from the page")
        await chat.clean()


async def test_starting_over_asks_twice_and_forgets(tmp_path: Path) -> None:
    async with shop(tmp_path, scripted) as chat:
        await chat.open()
        await chat.say("hello")
        await chat.sees("You said: hello")
        await chat.host.get_by_role("button", name="Menu").click()
        await chat.host.get_by_role("button", name="New conversation").click()
        await chat.host.get_by_role("button", name="Press again to start over").click()
        await expect(chat.log.locator(".msg[data-at]")).to_have_count(0)
        assert await chat.page.evaluate("[localStorage.length, sessionStorage.length]") == [0, 0]
        await chat.say("anew")
        await chat.sees("You said: anew")
        assert len(chat.site.gateway.transcripts) == 2


@pytest.mark.parametrize("width", [320, 360, 768, 1280])
async def test_everything_fits(tmp_path: Path, width: int) -> None:
    options = {"viewport": {"width": width, "height": 720}, "has_touch": width < 500}
    async with shop(tmp_path, scripted, options=options) as chat:
        await chat.open()
        await chat.say("Donaudampfschifffahrtsgesellschaftskapitänsmütze" * 4)
        await chat.say("markdown")
        await chat.log.locator("td").first.wait_for()
        await chat.say("Where is my order?")
        await expect(chat.log.locator(".quick button")).to_have_count(3)
        for lang in ("en", "de", "ar"):
            await chat.page.evaluate(f"Frontdesk.setLocale('{lang}')")
            facts = await chat.host.evaluate(MEASURE)
            left, top, right, bottom = facts["box"]
            assert left >= 0
            assert top >= 0
            assert right <= width
            assert bottom <= 720
            if width <= 480:
                assert (left, top, right, bottom) == (0, 0, width, 720)
            assert facts["wide"] <= 0
            assert facts["page"] <= 0
            assert facts["font"] >= 16
            assert facts["small"] == []
            assert facts["direction"] == ("rtl" if lang == "ar" else "ltr")
        await chat.clean()


async def test_on_a_page_of_another_origin_with_a_strict_policy(tmp_path: Path) -> None:
    port = free_port()
    markup = "<input autofocus id=search><frontdesk-chat open theme=dark lang=de position=start></frontdesk-chat>"
    origin = f"http://127.0.0.1:{port}"
    async with shop(tmp_path, scripted, origins=[origin]) as own, elsewhere(port, own.site.url, markup) as url:
        chat = await visit(own.page.context, own.site, url)
        await expect(chat.panel).to_be_visible()
        assert await chat.focused() == "input.", "a panel that opens by itself leaves the focus where it is"
        await expect(chat.input).to_have_attribute("placeholder", "Nachricht schreiben …")
        box = await chat.panel.bounding_box()
        assert box is not None
        assert box["x"] < 100
        await chat.say("Where is my order?")
        await chat.log.get_by_role("button", name="Another one").click()
        await chat.sees("You chose Another one. It arrives on Friday.")
        png = b"\x89PNG\r\n\x1a\n" + b"\0" * 50
        file = {"name": "a.png", "mimeType": "image/png", "buffer": png}
        await chat.host.locator("input[type=file]").set_input_files(file)
        await chat.host.locator(".tray .ready").wait_for()
        await chat.say("look")
        await chat.sees("Thank you for a.png.")
        await chat.clean()


async def test_a_page_that_is_not_listed_gets_a_button_that_says_so(tmp_path: Path) -> None:
    port = free_port()
    async with shop(tmp_path, scripted) as own, elsewhere(port, own.site.url, "<p>Hello") as url:
        chat = await visit(own.page.context, own.site, url)
        await chat.launcher.click()
        failed = "The chat could not be loaded. Press to try again."
        await expect(chat.launcher).to_have_attribute("aria-label", failed)
        assert chat.site.gateway.transcripts == {}


async def test_an_agent_would_see_that_the_visitor_types(tmp_path: Path) -> None:
    async with shop(tmp_path, scripted) as chat:
        await chat.open()
        await chat.say("silence")
        await expect(chat.log.locator(".state.done")).to_have_text("Sent")
        await chat.input.press_sequentially("abc")
        async with asyncio.timeout(5):
            while not chat.site.gateway.signals:  # noqa: ASYNC110  # what the page does rings no bell here
                await asyncio.sleep(0.02)
        assert [signal.content for signal in chat.site.gateway.signals] == [Typing(on=True)]


async def test_a_hostile_page_and_reduced_motion(tmp_path: Path) -> None:
    options = {"viewport": {"width": 1000, "height": 700}, "reduced_motion": "reduce", "forced_colors": "active"}
    async with shop(tmp_path, scripted, options=options) as chat:

        async def hostile(route: Route) -> None:
            cover = "content: ''; position: fixed; inset: 0; z-index: 2147483647; background: red"
            css = "* { all: unset } body::after { " + cover + " }"
            await route.fulfill(body=css, content_type="text/css")

        await chat.page.route("**/demo/demo.css", hostile)
        await chat.page.reload()
        await chat.open()
        await chat.say("typing")
        await chat.log.locator(".dots").wait_for(state="visible")
        long = "document.getAnimations().filter((one) => one.effect.getComputedTiming().endTime > 50).length"
        assert await chat.page.evaluate(long) == 0
        await chat.launcher.click()
        await expect(chat.panel).to_be_hidden()


async def test_the_tree_for_screen_readers(tmp_path: Path) -> None:
    async with shop(tmp_path, scripted) as chat:
        await chat.open()
        await chat.say("hello")
        await chat.sees("You said: hello")
        session = await chat.page.context.new_cdp_session(chat.page)
        tree = await session.send("Accessibility.getFullAXTree")
        nodes = [node for node in tree["nodes"] if not node.get("ignored")]

        def named(role: str) -> list[str]:
            return [node["name"]["value"] for node in nodes if node.get("role", {}).get("value") == role]

        assert "Conversation" in named("log")
        assert "Write a message…" in named("textbox")
        assert named("dialog") == ["Frontdesk"]
        assert all(named("button")), "every button has a name"
        log = next(node for node in nodes if node.get("role", {}).get("value") == "log")
        live = {prop["name"]: prop["value"]["value"] for prop in log.get("properties", [])}.get("live", "off")
        assert live == "off"
        assert await chat.launcher.get_attribute("aria-expanded") == "true"
