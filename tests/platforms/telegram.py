"""A strict Telegram on 127.0.0.1: the Bot API over HTTP, its limits and refusals, and people who write to a bot.

It delivers to the bot's webhook, or holds updates for getUpdates, as the bot asked for. What comes in and what goes
out is checked by the Bot API's specification where that is at hand (tests/platforms/telegram_schema.py).
"""

from __future__ import annotations

import asyncio
import io
import itertools
import json
import time
from collections import defaultdict
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import urlsplit

import aiohttp
from aiohttp import web

from tests.platforms.telegram_rules import (
    JOINER,
    Refusal,
    check_buttons,
    check_commands,
    check_keyboard,
    check_secret,
    decoded,
    taken,
)
from tests.platforms.telegram_schema import specification
from tests.servers import free_port

TOKEN = "123456:TEST-token-of-nobody-0123456789abcdef"
BOT = {"id": 123456, "is_bot": True, "first_name": "Frontdesk", "username": "frontdesk_bot"}
ANA = {"id": 5001, "is_bot": False, "first_name": "Ana", "last_name": "Test", "language_code": "de"}
BEN = {"id": 5002, "is_bot": False, "first_name": "Ben"}
PRIVATE = {"id": 5001, "type": "private", "first_name": "Ana"}
GROUP = {"id": -4001, "type": "group", "title": "Lamp lovers"}
FORUM = {"id": -1004002, "type": "supergroup", "title": "Lamp forum", "is_forum": True}

PHONE = "436641234567"
"""Ana's, as Telegram writes it: without its plus sign."""

TYPING_SHOWS = 1.0
"""Seconds; five on the real one."""

LATE = 0.3
"""Seconds after which a call is answered that is answered late."""

Fault = Literal["429", "500", "no with 200", "late", "garbage", "close after", "close before", "hang"]


@dataclass(frozen=True)
class Call:
    """One call that was accepted."""

    method: str
    given: Mapping[str, Any]
    at: float
    files: tuple[str, ...] = ()


@dataclass
class _Plan:
    """What shall go wrong."""

    fault: Fault
    method: str
    times: int
    retry_after: int


@dataclass
class Shown:
    """A message as people see it."""

    message: dict[str, Any]
    file: str = ""
    growth: int = 0
    fixed: bool = False


@dataclass
class TelegramServer:
    """The platform. `paced` refuses whoever is faster than it allows; `lost_files` are addresses that it can't get."""

    token: str = TOKEN
    paced: bool = False
    lost_files: set[str] = field(default_factory=set)
    refuse_entities: bool = False
    calls: list[Call] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    blocked: dict[int, str] = field(default_factory=dict)
    moved: dict[int, int] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    webhook: dict[str, Any] = field(default_factory=dict)
    commands: dict[str, Any] = field(default_factory=dict)
    queries: dict[str, bool] = field(default_factory=dict)
    redelivers: bool = False
    webhook_error: str = ""

    def __post_init__(self) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.reach = ""  # where the bot listens here, whatever its public address is
        self.chats: dict[int, dict[str, Any]] = {chat["id"]: chat for chat in (PRIVATE, GROUP, FORUM)}
        self.chats[5002] = {"id": 5002, "type": "private", "first_name": "Ben"}
        self.shown: dict[int, list[Shown]] = defaultdict(list)
        self.typing: dict[int, float] = {}
        self.keyboards: dict[int, list[dict[str, Any]]] = {}
        self.pending: dict[int, dict[str, Any]] = {}
        self.confirmed = 0
        self._numbers, self._updates = itertools.count(1), itertools.count(700_000_001)
        self._faults: list[_Plan] = []
        self._news = asyncio.Event()
        self._poller = object()
        self._sent: dict[int, list[float]] = defaultdict(list)
        self._http: aiohttp.ClientSession | None = None
        self._runner: web.AppRunner | None = None

    # --- running it

    async def start(self) -> None:
        """Listen."""
        app = web.Application(client_max_size=60 * 1024 * 1024)
        app.router.add_route("*", "/bot{token}/{method}", self._call)
        app.router.add_get("/file/bot{token}/{path:.*}", self._file)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port, reuse_address=True).start()
        self._http = aiohttp.ClientSession()

    async def stop(self) -> None:
        """Be gone."""
        if self._runner is not None:
            await self._runner.cleanup()
        if self._http is not None:
            await self._http.close()
        self._runner = self._http = None

    def fail(self, fault: Fault, method: str = "", times: int = 1, retry_after: int = 1) -> None:
        """Let the next calls (of a method) go wrong: refused, done and not answered, or not done."""
        self._faults.append(_Plan(fault, method.lower(), times, retry_after))

    def heal(self) -> None:
        """Nothing goes wrong any more."""
        self._faults.clear()

    def made(self, method: str) -> list[Call]:
        """The accepted calls of a method."""
        return [call for call in self.calls if call.method == method.lower()]

    # --- what people do

    def message(
        self,
        text: str = "",
        *,
        chat: dict[str, Any] = PRIVATE,
        sender: dict[str, Any] = ANA,
        more: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """A message from somebody."""
        made = {"message_id": next(self._numbers), "date": int(time.time()), "chat": chat, "from": sender}
        return made | ({"text": text} if text else {}) | dict(more or {})

    def update(self, number: int | None = None, **parts: Any) -> dict[str, Any]:
        """An update of the next number, or of the one given."""
        made = {"update_id": number or next(self._updates), **parts}
        if (known := specification()) is not None:
            self.problems += known.value("Update", made)
        return made

    def press(self, label: str, chat: dict[str, Any] = PRIVATE, sender: dict[str, Any] = ANA) -> dict[str, Any]:
        """An update: somebody presses the newest button of this label."""
        for shown in reversed(self.shown[chat["id"]]):
            for row in shown.message.get("reply_markup", {}).get("inline_keyboard", []):
                for button in row:
                    if button["text"] == label:
                        return self._pressed(shown.message, button["callback_data"], sender)
        raise AssertionError(f"there is no button {label!r}")

    def taps(self, label: str, chat: dict[str, Any] = PRIVATE, sender: dict[str, Any] = ANA) -> dict[str, Any]:
        """An update: somebody taps a button below the input line: it shares their number, or says its words."""
        (button,) = [one for one in self.keyboards.get(chat["id"], []) if one["text"] == label]
        if not button.get("request_contact"):
            return self.update(message=self.message(label, chat=chat, sender=sender))
        return self.shares(PHONE, sender, chat=chat, sender=sender)

    def shares(
        self, phone: str, whose: dict[str, Any], chat: dict[str, Any] = PRIVATE, sender: dict[str, Any] = ANA
    ) -> dict[str, Any]:
        """An update: somebody shares a number out of their address book, or their own."""
        card = {"phone_number": phone, "first_name": whose["first_name"], "user_id": whose["id"]}
        return self.update(message=self.message(chat=chat, sender=sender, more={"contact": card}))

    def _pressed(self, message: dict[str, Any], data: str, sender: dict[str, Any]) -> dict[str, Any]:
        id = f"query{next(self._numbers)}"
        self.queries[id] = False
        query = {"id": id, "from": sender, "message": message, "chat_instance": "1", "data": data}
        return self.update(callback_query=query)

    async def deliver(self, update: Mapping[str, Any], *, patience: float = 3.0) -> bool:
        """Give the bot an update, by the way that it asked for; whether it took it in."""
        return await self.deliver_raw(json.dumps(update).encode(), update, patience=patience)

    async def deliver_raw(self, body: bytes, update: Mapping[str, Any], *, patience: float = 3.0) -> bool:
        """The same, with the bytes as they shall be on the wire."""
        if not self.webhook:
            return await self._hold(dict(update), patience)
        if not wanted(update, self.webhook):
            return False
        pause = 0.05
        while True:
            if await self.post(body, self.webhook.get("secret_token")) == 200:
                return True
            if not self.redelivers or pause > patience:
                return False
            await asyncio.sleep(pause)
            pause *= 2

    async def post(self, body: bytes, secret: str | None, path: str = "") -> int:
        """One POST to the webhook; the status, or 0 when nobody answers."""
        assert self._http is not None
        headers = {"Content-Type": "application/json"}
        if secret is not None:
            headers["X-Telegram-Bot-Api-Secret-Token"] = secret
        address = self.reach + (path or urlsplit(self.webhook["url"]).path)
        try:
            async with self._http.post(address, data=io.BytesIO(body), headers=headers) as response:
                await response.read()
                return response.status
        except aiohttp.ClientError:
            return 0

    async def _hold(self, update: dict[str, Any], patience: float) -> bool:
        """Keep an update until the bot asks for those behind it."""
        number = update["update_id"]
        self.pending[number] = update
        self._news.set()
        deadline = time.monotonic() + patience
        while number in self.pending and time.monotonic() < deadline:  # noqa: ASYNC110 - a server's own time
            await asyncio.sleep(0.005)
        return number not in self.pending

    # --- what people see

    def sees(self, chat: int = 5001) -> str:
        """Everything that the bot shows in a chat: words, captions, names of files, buttons."""
        lines = []
        for shown in self.shown[chat]:
            message = shown.message
            lines.append(words(message))
            if "document" in message:
                lines.append(message["document"].get("file_name", ""))
            rows = message.get("reply_markup", {}).get("inline_keyboard", [])
            lines += [button["text"].replace(JOINER, "") for row in rows for button in row]
        return "\n".join(lines)

    def types(self, chat: int = 5001) -> bool:
        """Whether people see that the bot types."""
        return time.monotonic() - self.typing.get(chat, -100.0) < TYPING_SHOWS

    # --- the Bot API

    async def _call(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"].lower()
        if request.match_info["token"] != self.token:
            return _answer(Refusal(401, "Unauthorized"))
        plan = self._fault(method)
        if plan is not None and plan.fault == "close before":
            return _hang_up(request)
        given, files = await _given(request)
        if plan is not None and plan.fault in ("429", "500", "no with 200", "hang"):
            return await _spoil(plan)
        if (known := specification()) is not None:
            attached = str(given.get("media", ""))
            said = {name: value for name, value in given.items() if f"attach://{name}" not in attached}
            self.problems += known.call(method, said)
        handler = getattr(self, f"_on_{method}", None)
        if handler is None:
            return _answer(Refusal(404, "Not Found: method not found"))
        try:
            result = await handler(given, files)
        except Refusal as refusal:
            self.refused.append(refusal.said)
            return _answer(refusal)
        except Exception as error:  # a test looks at `problems` at its end
            self.problems.append(f"{method}: {error!r}")
            return _answer(Refusal(500, "Internal Server Error"))
        self.calls.append(Call(method, given, time.monotonic(), tuple(files)))
        if plan is not None and plan.fault == "late":
            await asyncio.sleep(LATE)
        if plan is not None and plan.fault == "close after":
            return _hang_up(request)
        if plan is not None and plan.fault == "garbage":
            return web.Response(text="<html>")
        return web.json_response({"ok": True, "result": result})

    def _fault(self, method: str) -> _Plan | None:
        for plan in self._faults:
            if plan.times > 0 and plan.method in ("", method):
                plan.times -= 1
                return plan
        return None

    async def _file(self, request: web.Request) -> web.StreamResponse:
        path = request.match_info["path"]
        if request.match_info["token"] != self.token or path not in self.files:
            return web.Response(status=404)
        return web.Response(body=self.files[path], content_type="application/octet-stream")

    async def _on_getme(self, given: dict[str, Any], files: dict[str, bytes]) -> object:
        return BOT | {"can_join_groups": True, "can_read_all_group_messages": False, "supports_inline_queries": False}

    async def _on_setwebhook(self, given: dict[str, Any], files: dict[str, bytes]) -> object:
        if urlsplit(given["url"]).scheme != "https":
            raise Refusal(400, "Bad Request: bad webhook: An HTTPS URL must be provided for webhook")
        check_secret(given.get("secret_token", ""))
        self.webhook = given
        return True

    async def _on_deletewebhook(self, given: dict[str, Any], files: dict[str, bytes]) -> object:
        self.webhook = {}
        return True

    async def _on_getwebhookinfo(self, given: dict[str, Any], files: dict[str, bytes]) -> object:
        url = self.webhook.get("url", "")
        info = {"url": url, "has_custom_certificate": False, "pending_update_count": len(self.pending)}
        if self.webhook_error:
            info |= {"last_error_date": int(time.time()), "last_error_message": self.webhook_error}
        return info

    async def _on_getupdates(self, given: dict[str, Any], files: dict[str, bytes]) -> object:
        if self.webhook:
            raise Refusal(
                409,
                "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the "
                "webhook first",
            )
        mine = self._poller = object()
        self._news.set()
        offset = int(given.get("offset") or 0)
        for number in [number for number in self.pending if number < offset]:
            del self.pending[number]
        self.confirmed = max(self.confirmed, offset)
        with suppress(TimeoutError):
            async with asyncio.timeout(float(given.get("timeout") or 0) or 0.001):
                while not self.pending and self._poller is mine:
                    self._news.clear()
                    await self._news.wait()
        if self._poller is not mine:  # the newer one goes on
            raise Refusal(
                409,
                "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running",
            )
        for number in [number for number, update in self.pending.items() if not wanted(update, given)]:
            del self.pending[number]
        return [self.pending[number] for number in sorted(self.pending)][: int(given.get("limit") or 100)]

    async def _on_sendmessage(self, given: dict[str, Any], files: dict[str, bytes]) -> object:
        chat = self._chat(given)
        text, entities = taken(given, "text", "entities", 4096, "message is too long", strict=self.refuse_entities)
        if not text:
            raise Refusal(400, "Bad Request: message text is empty")
        return self._show(chat, given, {"text": text} | ({"entities": entities} if entities else {}))

    async def _on_editmessagetext(self, given: dict[str, Any], files: dict[str, bytes]) -> object:
        shown = self._to_edit(given)
        if "text" not in shown.message:
            raise Refusal(400, "Bad Request: there is no text in the message to edit")
        text, entities = taken(given, "text", "entities", 4096, "MESSAGE_TOO_LONG", strict=self.refuse_entities)
        if not text:
            raise Refusal(400, "Bad Request: message text is empty")
        return self._edited(shown, given, {"text": text} | ({"entities": entities} if entities else {}))

    async def _on_editmessagecaption(self, given: dict[str, Any], files: dict[str, bytes]) -> object:
        shown = self._to_edit(given)
        text, entities = taken(given, "caption", "caption_entities", 1024, "MEDIA_CAPTION_TOO_LONG")
        return self._edited(shown, given, {"caption": text} | ({"caption_entities": entities} if entities else {}))

    async def _on_deletemessage(self, given: dict[str, Any], files: dict[str, bytes]) -> object:
        chat = self._chat(given)
        for shown in self.shown[chat["id"]]:
            if shown.message["message_id"] == given.get("message_id"):
                if time.time() - shown.message["date"] > 48 * 3600:
                    raise Refusal(400, "Bad Request: message can't be deleted for everyone")
                self.shown[chat["id"]].remove(shown)
                return True
        raise Refusal(400, "Bad Request: message to delete not found")

    async def _on_sendchataction(self, given: dict[str, Any], files: dict[str, bytes]) -> object:
        self.typing[self._chat(given, counts=False)["id"]] = time.monotonic()
        return True

    async def _on_answercallbackquery(self, given: dict[str, Any], files: dict[str, bytes]) -> object:
        if self.queries.get(given["callback_query_id"]) is not False:
            raise Refusal(400, "Bad Request: query is too old and response timeout expired or query ID is invalid")
        self.queries[given["callback_query_id"]] = True
        return True

    async def _on_setmycommands(self, given: dict[str, Any], files: dict[str, bytes]) -> object:
        check_commands(given["commands"])
        self.commands[given.get("language_code", "")] = given["commands"]
        return True

    async def _on_deletemycommands(self, given: dict[str, Any], files: dict[str, bytes]) -> object:
        self.commands.pop(given.get("language_code", ""), None)
        return True

    async def _on_getfile(self, given: dict[str, Any], files: dict[str, bytes]) -> object:
        path = f"files/{given['file_id']}.bin"
        if path not in self.files:
            raise Refusal(400, "Bad Request: wrong file_id or the file is temporarily unavailable")
        size = len(self.files[path])
        return {"file_id": given["file_id"], "file_unique_id": "u", "file_size": size, "file_path": path}

    async def _send_file(self, kind: str, given: dict[str, Any], files: dict[str, bytes]) -> object:
        chat = self._chat(given)
        caption, entities = taken(given, "caption", "caption_entities", 1024, "message caption is too long")
        source = str(given[kind])
        if not source.startswith("attach://") and source not in files:
            path = urlsplit(source).path.lower()
            if urlsplit(source).scheme not in ("http", "https") or source in self.lost_files:
                raise Refusal(400, "Bad Request: wrong file identifier/HTTP URL specified")
            if kind == "document" and not path.endswith((".pdf", ".zip", ".gif")):
                raise Refusal(400, "Bad Request: wrong type of the web page content")
        parts: dict[str, Any] = _stored(kind, next(iter(files), "") or source.rpartition("/")[2])
        parts |= {"caption": caption} if caption else {}
        parts |= {"caption_entities": entities} if entities else {}
        return self._show(chat, given, parts, file=source if not files else next(iter(files)))

    async def _on_sendmediagroup(self, given: dict[str, Any], files: dict[str, bytes]) -> object:
        chat, items = self._chat(given), list(given["media"])
        kinds = {item["type"] for item in items}
        if not 2 <= len(items) <= 10:
            raise Refusal(400, "Bad Request: wrong number of messages to send: 2-10 are possible")
        if kinds - {"photo", "video"} and len(kinds) > 1:
            raise Refusal(400, f"Bad Request: {min(kinds)} can't be mixed with other media types")
        if "reply_markup" in given:
            raise AssertionError("an album has no buttons")
        shown = []
        for number, item in enumerate(items, 1):
            caption, entities = taken(item, "caption", "caption_entities", 1024, "message caption is too long")
            source = str(item["media"])
            if source in self.lost_files or (source.startswith("attach://") and source[9:] not in given):
                raise Refusal(400, f"Bad Request: failed to send message #{number} with the error message WEBPAGE_CURL")
            source = given[source[9:]] if source.startswith("attach://") else source
            parts = _stored(item["type"], source.rpartition("/")[2]) | ({"caption": caption} if caption else {})
            parts |= {"caption_entities": entities} if entities else {}
            shown.append(({**parts, "media_group_id": given_id(items)}, source))
        return [self._show(chat, given, parts, file=source) for parts, source in shown]

    async def _on_sendphoto(self, given: dict[str, Any], files: dict[str, bytes]) -> object:
        return await self._send_file("photo", given, files)

    async def _on_senddocument(self, given: dict[str, Any], files: dict[str, bytes]) -> object:
        return await self._send_file("document", given, files)

    async def _on_sendvoice(self, given: dict[str, Any], files: dict[str, bytes]) -> object:
        return await self._send_file("voice", given, files)

    async def _on_sendaudio(self, given: dict[str, Any], files: dict[str, bytes]) -> object:
        return await self._send_file("audio", given, files)

    async def _on_sendvideo(self, given: dict[str, Any], files: dict[str, bytes]) -> object:
        return await self._send_file("video", given, files)

    async def _on_sendanimation(self, given: dict[str, Any], files: dict[str, bytes]) -> object:
        return await self._send_file("animation", given, files)

    # --- chats

    def _chat(self, given: Mapping[str, Any], *, counts: bool = True) -> dict[str, Any]:
        id = given.get("chat_id")
        if id in self.moved:
            moved = {"migrate_to_chat_id": self.moved[id]}
            raise Refusal(400, "Bad Request: group chat was upgraded to a supergroup chat", moved)
        if id in self.blocked:
            raise Refusal(403, self.blocked[id])
        if id not in self.chats:
            raise Refusal(400, "Bad Request: chat not found")
        if counts and self.paced:
            self._count(id)
        return self.chats[id]

    def _count(self, chat: int) -> None:
        """Refuse whoever is too fast. A burst of three in one chat is let through, as Telegram does."""
        now = time.monotonic()
        recent = [at for at in self._sent[chat] if now - at < 60]
        everywhere = sum(now - at < 1.0 for sent in self._sent.values() for at in sent)
        if everywhere >= 30 or sum(now - at < 1.0 for at in recent) >= 3 or (chat < 0 and len(recent) >= 20):
            raise Refusal(429, "Too Many Requests: retry after 1", {"retry_after": 1})
        self._sent[chat] = [*recent, now]

    def _show(
        self, chat: dict[str, Any], given: Mapping[str, Any], parts: Mapping[str, Any], file: str = ""
    ) -> dict[str, Any]:
        message = {"message_id": next(self._numbers), "date": int(time.time()), "chat": chat, "from": BOT, **parts}
        if given.get("message_thread_id"):
            message |= {"message_thread_id": given["message_thread_id"], "is_topic_message": True}
        if markup := check_buttons(given.get("reply_markup")):
            message["reply_markup"] = markup
        keyboard = check_keyboard(given.get("reply_markup"), private=chat["id"] > 0)
        if keyboard is not None:
            self.keyboards[chat["id"]] = keyboard
        if (known := specification()) is not None:
            self.problems += known.value("Message", message)
        # What came with such a keyboard can't be changed any more.
        self.shown[chat["id"]].append(Shown(message, file, fixed=keyboard is not None))
        self.typing.pop(chat["id"], None)
        return message

    def _to_edit(self, given: Mapping[str, Any]) -> Shown:
        chat = self._chat(given)
        for shown in self.shown[chat["id"]]:
            if shown.message["message_id"] == given.get("message_id"):
                if shown.fixed:
                    raise Refusal(400, "Bad Request: message can't be edited")
                return shown
        raise Refusal(400, "Bad Request: message to edit not found")

    def _edited(self, shown: Shown, given: Mapping[str, Any], parts: Mapping[str, Any]) -> dict[str, Any]:
        words = ("text", "entities", "caption", "caption_entities", "reply_markup")
        kept = {name: part for name, part in shown.message.items() if name not in words}
        message = kept | dict(parts)
        if markup := check_buttons(given.get("reply_markup")):
            message["reply_markup"] = markup
        before = {name: part for name, part in shown.message.items() if name != "edit_date"}
        if before == {name: part for name, part in message.items() if name != "edit_date"}:
            raise Refusal(
                400,
                "Bad Request: message is not modified: specified new message content and reply markup are exactly the "
                "same as a current content and reply markup of the message",
            )
        shown.message = message | {"edit_date": int(time.time())}
        shown.growth += 1
        return shown.message


def given_id(items: list[Any]) -> str:
    """What one album is called."""
    return str(abs(hash(json.dumps(items))))


def wanted(update: Mapping[str, Any], given: Mapping[str, Any]) -> bool:
    """Whether a bot asked for updates of this kind; those that it did not ask for never come."""
    kinds = [name for name in update if name != "update_id"]
    return not given.get("allowed_updates") or not kinds or kinds[0] in given["allowed_updates"]


def words(message: Mapping[str, Any]) -> str:
    """A message's words as a person reads them: links with where they lead, quotes with their bar."""
    text = message.get("text") or message.get("caption") or ""
    entities = message.get("entities") or message.get("caption_entities") or []
    raw = text.encode("utf-16-le")
    quotes = [(e["offset"] * 2, (e["offset"] + e["length"]) * 2) for e in entities if e["type"] == "blockquote"]
    links = {(e["offset"] + e["length"]) * 2: e["url"] for e in entities if e["type"] == "text_link"}
    parts, at = [], 0
    for place in sorted({*links, *(start for start, _ in quotes), *_breaks(raw, quotes), len(raw)}):
        parts.append(raw[at:place].decode("utf-16-le"))
        if place in links:
            parts.append(f" ({links[place]})")
        if any(place == start for start, _ in quotes) or place in _breaks(raw, quotes):
            parts.append("> ")
        at = place
    return "".join(parts).replace(JOINER, "")


def styled(message: Mapping[str, Any], style: str) -> list[str]:
    """The words of a message that have a style."""
    raw = (message.get("text") or message.get("caption") or "").encode("utf-16-le")
    entities = message.get("entities") or message.get("caption_entities") or []
    return [
        raw[e["offset"] * 2 : (e["offset"] + e["length"]) * 2].decode("utf-16-le").replace(JOINER, "")
        for e in entities
        if e["type"] == style
    ]


def _breaks(raw: bytes, quotes: list[tuple[int, int]]) -> set[int]:
    newline = "\n".encode("utf-16-le")
    return {at + 2 for start, end in quotes for at in range(start, end, 2) if raw[at : at + 2] == newline}


def _answer(refusal: Refusal) -> web.Response:
    body = {"ok": False, "error_code": refusal.code, "description": refusal.said}
    if refusal.parameters:
        body["parameters"] = refusal.parameters
    return web.json_response(body, status=refusal.code)


async def _spoil(plan: _Plan) -> web.Response:
    if plan.fault == "hang":
        with suppress(TimeoutError):
            async with asyncio.timeout(60):
                await asyncio.Event().wait()
    if plan.fault == "429":
        wait = plan.retry_after
        return _answer(Refusal(429, f"Too Many Requests: retry after {wait}", {"retry_after": wait}))
    if plan.fault == "no with 200":  # as some other servers of the same API do
        nothing = {"result": None, "parameters": None}
        return web.json_response({"ok": False, "error_code": 400, "description": "Bad Request: no", **nothing})
    return _answer(Refusal(500, "Internal Server Error"))


def _hang_up(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


async def _given(request: web.Request) -> tuple[dict[str, Any], dict[str, bytes]]:
    """The parameters, and the uploaded files by name."""
    if request.content_type == "application/json":
        return dict(await request.json()), {}
    given: dict[str, Any] = {}
    files: dict[str, bytes] = {}
    for name, value in (await request.post()).items():
        if isinstance(value, web.FileField):
            files[value.filename] = value.file.read()
            given.setdefault(name, value.filename)
        else:
            given[name] = decoded(name, value)
    return given, files


def _stored(kind: str, name: str) -> dict[str, Any]:
    about: dict[str, Any] = {"file_id": f"id-of-{name}", "file_unique_id": "u"}
    if kind == "photo":
        return {"photo": [about | {"width": 90, "height": 90}]}
    if kind in ("voice", "audio"):
        return {kind: about | {"duration": 1}}
    if kind in ("video", "animation"):
        return {kind: about | {"width": 90, "height": 90, "duration": 1}}
    return {kind: about | {"file_name": name}}
