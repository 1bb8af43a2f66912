"""A small Slack on 127.0.0.1: strict about what it takes, and a platform in what it delivers.

It enforces what emulators don't: signatures on every delivery, three seconds to acknowledge and then the same again,
429 with Retry-After, 50 blocks, 3,000 characters, streams that die. Faults are put in line with `fail`.
"""

from __future__ import annotations

import asyncio
import hmac
import itertools
import json
import time
from base64 import b64encode
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, Literal
from urllib.parse import urlencode

import aiohttp
from aiohttp import web
from slack_sdk.signature import SignatureVerifier

from tests.platforms.slack_rules import (
    Json,
    seen,
    walk,
    wrong_answer,
    wrong_arguments,
    wrong_markdown,
    wrong_message,
    wrong_stream,
    wrong_view,
)
from tests.servers import free_port

SECRET, TOKEN, APP_TOKEN = "slack-signing-secret", "xoxb-slack-token", "xapp-slack-token"
TEAM, BOT, BOT_ID, PERSON, DM = "T0TEAM", "U0BOT", "B0BOT", "U0ANA", "D0ANA"
STREAM_SECONDS, TRIGGER_SECONDS = 300.0, 3.0

LISTS = {"im": "im:read", "mpim": "mpim:read", "private_channel": "groups:read", "public_channel": "channels:read"}
"""The scope that it takes to be told of one's chats of a kind."""

Fault = Literal["429", "500", "503", "accept-then-close", "close", "garbage", "slow"]


@dataclass
class Installed:
    """One workspace and its token."""

    team: str = TEAM
    token: str = TOKEN
    bot: str = BOT
    enterprise: str = ""


@dataclass
class Faulty:
    """What the next calls meet."""

    kind: str
    method: str = ""
    retry_after: float = 0.2


@dataclass
class Chat:
    """What was said in one channel, oldest first."""

    messages: list[Json] = field(default_factory=list)
    members: set[str] = field(default_factory=lambda: {BOT, PERSON})
    archived: bool = False


class SlackServer:
    """The platform. Give `events` the address of a bot's routes, and `deliver` to them."""

    def __init__(self) -> None:
        self.port = free_port()
        self.api = f"http://127.0.0.1:{self.port}/api/"
        self.files_url = f"http://127.0.0.1:{self.port}/"
        self.events = ""
        self.secret = SECRET
        self.installed = {TOKEN: Installed()}
        self.chats: dict[str, Chat] = {}
        self.calls: list[tuple[str, Json]] = []
        self.faults: deque[Faulty] = deque()
        self.ephemeral: list[Json] = []
        self.views: list[Json] = []
        self.answers: list[Json] = []
        self.homes: dict[str, Json] = {}
        self.statuses: dict[tuple[str, str], str] = {}
        self.prompts: list[Json] = []
        self.files: dict[str, Json] = {}
        self.contents: dict[str, bytes] = {}
        self.streams: dict[str, float] = {}
        self.triggers: dict[str, float] = {}
        self.codes: dict[str, Installed] = {}
        self.unscoped: set[str] = set()
        self.rotates = False
        self.refreshable: dict[str, Installed] = {}
        self.expired: set[str] = set()
        self.exchanges: list[str] = []
        self.stream_seconds = STREAM_SECONDS
        self.ack_seconds = 3.0
        self.native_streams = True
        self.users: dict[str, Json] = {PERSON: _person(PERSON, "Ana")}
        self.sockets: list[web.WebSocketResponse] = []
        self.acknowledged: dict[str, Any] = {}
        self.issued = 0
        self.refused = 0
        self._numbers = itertools.count(1)
        self._last_ts = 0
        self._turn = 0
        self._runner: web.AppRunner | None = None
        self._http: aiohttp.ClientSession | None = None

    # --- running

    async def start(self) -> None:
        """Listen."""
        app = web.Application(client_max_size=30 * 1024 * 1024)
        app.router.add_route("*", "/api/{method}", self._api)
        app.router.add_get("/link", self._link)
        app.router.add_post("/upload/{id}", self._uploaded)
        app.router.add_get("/files-pri/{id}", self._download)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port, reuse_address=True).start()
        self._http = aiohttp.ClientSession()

    async def stop(self) -> None:
        """Hang up on everybody."""
        for socket in list(self.sockets):
            await socket.close()
        if self._http is not None:
            await self._http.close()
        if self._runner is not None:
            await self._runner.cleanup()
        self._runner = self._http = None

    def fail(self, kind: Fault, *, times: int = 1, method: str = "", retry_after: float = 0.2) -> None:
        """Let the next calls (of one method, or of any) meet a fault."""
        self.faults.extend(Faulty(kind, method, retry_after) for _ in range(times))

    # --- what people do

    def ts(self) -> str:
        """A time stamp that nobody had before."""
        self._last_ts = max(self._last_ts + 1, int(time.time() * 1_000_000))
        return f"{self._last_ts // 1_000_000}.{self._last_ts % 1_000_000:06d}"

    def trigger(self) -> str:
        """What opens one modal, within three seconds."""
        id = f"trigger.{next(self._numbers)}"
        self.triggers[id] = time.monotonic() + TRIGGER_SECONDS
        return id

    def chat(self, id: str) -> Chat:
        """A channel; made when it is first asked for."""
        return self.chats.setdefault(id, Chat())

    def written(self, text: str, *, chat: str = DM, user: str = PERSON, ts: str = "", thread: str = "") -> Json:
        """A message of a person's, as an event's inside."""
        message: Json = {
            "type": "message",
            "user": user,
            "text": text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"),
            "ts": ts or self.ts(),
            "client_msg_id": f"{next(self._numbers):08d}-client",
            "blocks": [
                {
                    "type": "rich_text",
                    "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": text}]}],
                }
            ],
        }
        if thread:
            message["thread_ts"] = thread
        self.chat(chat).messages.append(message)
        return {
            **message,
            "channel": chat,
            "channel_type": "im" if chat.startswith("D") else "channel",
            "event_ts": message["ts"],
        }

    def event(self, inner: Json, *, team: str = TEAM, id: str = "", bot: str = BOT) -> Json:
        """An event of the Events API around its inside."""
        return {
            "type": "event_callback",
            "team_id": team,
            "api_app_id": "A0APP",
            "event": inner,
            "event_id": id or f"Ev{next(self._numbers):08d}",
            "event_time": int(time.time()),
            "authorizations": [{"enterprise_id": None, "team_id": team, "user_id": bot, "is_bot": True}],
        }

    def press(self, label: str, *, user: str = PERSON, team: str = TEAM) -> Json:
        """The payload for the newest button (or option) with this label."""
        for chat, message in self._newest():
            for block in message.get("blocks", []):
                for element in block.get("elements", []) if block["type"] == "actions" else []:
                    action = _pressed(element, label)
                    if action is not None:
                        return self._interaction(chat, message, block, action, user, team)
        raise AssertionError(f"there is no button {label!r}")

    def _interaction(self, chat: str, message: Json, block: Json, action: Json, user: str, team: str) -> Json:
        action |= {"block_id": block.get("block_id", "b"), "action_ts": self.ts()}
        threaded = {"thread_ts": message["thread_ts"]} if message.get("thread_ts") else {}
        return {
            "type": "block_actions",
            "user": {"id": user, "username": user.lower(), "name": user.lower(), "team_id": team},
            "team": {"id": team, "domain": "acme"},
            "trigger_id": self.trigger(),
            "container": {"type": "message", "message_ts": message["ts"], "channel_id": chat, **threaded},
            "channel": {"id": chat, "name": "x"},
            "message": message,
            "actions": [action],
        }

    def submit(self, view: Json, values: Mapping[str, Json], *, user: str = PERSON, team: str = TEAM) -> Json:
        """The payload of a modal that was filled in: for each block, what its element holds."""
        state = {name: {"value": value} for name, value in values.items()}
        return {
            "type": "view_submission",
            "team": {"id": team},
            "user": {"id": user, "username": user.lower(), "team_id": team},
            "view": {**view, "id": f"V{next(self._numbers):08d}", "state": {"values": state}},
        }

    def filled(self, view: Json, values: Mapping[str, str]) -> Json:
        """The payload of a modal in which these were typed or, by their labels, chosen."""
        state: dict[str, Json] = {}
        for block in view["blocks"]:
            name, element = block["block_id"], block["element"]
            given = values.get(name)
            match element["type"]:
                case "static_select" | "radio_buttons":
                    options = [option for option in element["options"] if option["text"]["text"] == given]
                    state[name] = {"selected_option": options[0] if options else None}
                case "datepicker":
                    state[name] = {"selected_date": given}
                case _:
                    state[name] = {"value": given}
            state[name]["type"] = element["type"]
        return self.submit(view, state)

    def _newest(self) -> Iterator[tuple[str, Json]]:
        everything = [(chat, message) for chat, kept in self.chats.items() for message in kept.messages]
        everything += [(message["channel"], message) for message in self.ephemeral]
        return iter(sorted(everything, key=lambda one: str(one[1]["ts"]), reverse=True))

    def shown(self, chat: str = DM, thread: str | None = None) -> list[Json]:
        """What the bot posted in a chat, oldest first."""
        messages = [m for m in self.chat(chat).messages if m.get("bot_id")]
        return [m for m in messages if thread is None or m.get("thread_ts", "") == thread]

    def text(self, chat: str = DM) -> str:
        """All that the bot posted in a chat, as it looks."""
        return "\n".join(seen(message) for message in self.shown(chat))

    # --- delivering

    async def deliver(self, payload: Json, *, again: int = 0, path: str = "events", form: bool = False) -> bool:
        """Deliver over HTTP, signed; `again` so many times while it is not acknowledged. Whether it was."""
        body = (urlencode({"payload": json.dumps(payload)}) if form else json.dumps(payload)).encode()
        kind = "application/x-www-form-urlencoded" if form else "application/json"
        for attempt in range(again + 1):
            retry = {"X-Slack-Retry-Num": str(attempt), "X-Slack-Retry-Reason": "http_error"} if attempt else {}
            status, answer = await self.post(body, path=path, headers={"Content-Type": kind, **retry})
            if status == 200:
                self._answered(payload, json.loads(answer) if answer else None)
                return True
        return False

    def _answered(self, payload: Json, answer: Any) -> None:
        """What was said to a modal that was sent; anything that Slack would not understand ends the test."""
        view = payload.get("view")
        if payload.get("type") == "view_submission" and view:
            problem = wrong_answer(view, answer)
            assert not problem, f"{problem}: {answer}"
            self.answers.append(answer)

    async def interact(self, payload: Json) -> bool:
        """Deliver an interaction, as a form."""
        return await self.deliver(payload, path="interactions", form=True)

    async def command(self, fields: Mapping[str, str]) -> bool:
        """Deliver a slash command."""
        given = {"team_id": TEAM, "user_id": PERSON, "user_name": "ana", "channel_id": DM}
        given |= {"trigger_id": self.trigger()} | dict(fields)
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        return (await self.post(urlencode(given).encode(), path="commands", headers=headers))[0] == 200

    async def post(
        self, body: bytes, *, path: str = "events", headers: Mapping[str, str] | None = None, secret: str | None = None
    ) -> tuple[int, bytes]:
        """One signed request; its status (0 when nothing came within three seconds) and answer."""
        assert self._http is not None
        stamp = str(int(time.time()))
        given = {
            "X-Slack-Request-Timestamp": stamp,
            "X-Slack-Signature": _signature(secret or self.secret, stamp, body),
            **(headers or {}),
        }
        limit = aiohttp.ClientTimeout(total=self.ack_seconds)
        try:
            async with self._http.post(f"{self.events}/{path}", data=body, headers=given, timeout=limit) as answer:
                return answer.status, await answer.read()
        except (aiohttp.ClientError, TimeoutError):
            return 0, b""

    async def send_envelope(self, kind: str, payload: Json, *, again: int = 0) -> bool:
        """Deliver over any one of the open sockets; whether it was acknowledged within three seconds."""
        for attempt in range(again + 1):
            if not self.sockets:
                return False
            self._turn += 1
            socket = self.sockets[self._turn % len(self.sockets)]
            id = f"envelope-{next(self._numbers)}"
            envelope = {"envelope_id": id, "type": kind, "payload": payload, "retry_attempt": attempt}
            with suppress(ConnectionError):
                await socket.send_json({**envelope, "accepts_response_payload": kind != "events_api"})
            until = asyncio.get_running_loop().time() + self.ack_seconds
            while asyncio.get_running_loop().time() < until and not socket.closed:
                if id in self.acknowledged:
                    self._answered(payload, self.acknowledged[id])
                    return True
                await asyncio.sleep(0.005)
        return False

    async def refresh(self, number: int = 0) -> None:
        """Tell one socket that it is going to be closed."""
        await self.sockets[number].send_json({"type": "disconnect", "reason": "refresh_requested"})

    async def _link(self, request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self.sockets.append(socket)
        await socket.send_json({"type": "hello", "num_connections": len(self.sockets)})
        try:
            async for message in socket:
                if message.type is aiohttp.WSMsgType.TEXT:
                    answer = json.loads(message.data)
                    self.acknowledged[answer["envelope_id"]] = answer.get("payload")
        finally:
            self.sockets.remove(socket)
        return socket

    # --- the Web API

    async def _api(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"]
        body = await _arguments(request)
        fault = self._fault(method)
        if fault is not None and fault.kind != "accept-then-close":
            return await self._faulty(request, fault)
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        answer = self._answer(method, token, body, request.headers.get("Authorization", ""))
        if answer.get("ok"):
            self.calls.append((method, body))
        if fault is not None:
            assert request.transport is not None
            request.transport.abort()
        return web.json_response(answer)

    def _fault(self, method: str) -> Faulty | None:
        if self.faults and self.faults[0].method in ("", method):
            return self.faults.popleft()
        return None

    async def _faulty(self, request: web.Request, fault: Faulty) -> web.StreamResponse:
        match fault.kind:
            case "429":
                headers = {"Retry-After": f"{fault.retry_after:g}"}
                return web.json_response({"ok": False, "error": "ratelimited"}, status=429, headers=headers)
            case "500" | "503":
                return web.Response(status=int(fault.kind), text="oops")
            case "garbage":
                return web.Response(text="<html>maintenance</html>", content_type="text/html")
            case "slow":
                await asyncio.sleep(60)
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    def _answer(self, method: str, token: str, body: Json, authorization: str) -> Json:
        if method == "oauth.v2.access":
            return self._access(body, authorization)
        if method == "apps.connections.open":
            ok = token == APP_TOKEN
            self.issued, self.refused = self.issued + ok, self.refused + (not ok)
            url = f"ws://127.0.0.1:{self.port}/link?ticket={next(self._numbers)}"
            return {"ok": True, "url": url} if ok else _no("invalid_auth")
        whose = self.installed.get(token)
        if whose is None:
            return _no("invalid_auth")
        if token in self.expired:
            return _no("token_expired")
        handler = getattr(self, "_" + method.replace(".", "_"), None)
        if handler is None:
            return _no("unknown_method")
        if problem := wrong_arguments(method, body):
            return _no(problem)
        answer: Json = handler(body, whose)
        return answer

    def _access(self, body: Json, authorization: str) -> Json:
        known = (body.get("client_id"), body.get("client_secret")) == ("1.2", "client-secret")
        if not known and authorization != "Basic " + b64encode(b"1.2:client-secret").decode():
            return _no("bad_client_secret")
        if body.get("grant_type") == "refresh_token":
            return self._exchange(body)
        installed = self.codes.pop(body.get("code", ""), None)
        return self._granted(installed) if installed else _no("invalid_code")

    def _granted(self, installed: Installed) -> Json:
        self.installed[installed.token] = installed
        granted = {"access_token": installed.token, "token_type": "bot", "bot_user_id": installed.bot}
        granted |= {"scope": "chat:write", "authed_user": {"id": PERSON}}
        whole = bool(installed.enterprise) and not installed.team
        team = None if whole else {"id": installed.team, "name": "Acme"}
        enterprise = {"id": installed.enterprise, "name": "Acme Org"} if installed.enterprise else None
        about = {"team": team, "enterprise": enterprise, "is_enterprise_install": whole}
        return {"ok": True, **about, **granted, **(self._expiring(installed) if self.rotates else {})}

    def _expiring(self, installed: Installed) -> Json:
        refresh = f"xoxe-1-canary-{next(self._numbers)}"
        self.refreshable[refresh] = installed
        return {"refresh_token": refresh, "expires_in": 43_200}

    def _exchange(self, body: Json) -> Json:
        """A refresh token is good once; of a workspace's access tokens the newest two are."""
        installed = self.refreshable.pop(body["refresh_token"], None)
        if installed is None:
            return _no("invalid_refresh_token")
        self.exchanges.append(installed.team or installed.enterprise)
        return self._granted(replace(installed, token=f"xoxe.xoxb-canary-{next(self._numbers)}"))

    def _auth_test(self, body: Json, whose: Installed) -> Json:
        team = whose.team or whose.enterprise
        return {"ok": True, "user_id": whose.bot, "bot_id": BOT_ID, "team_id": team, "url": "https://x.slack.com"}

    def _users_info(self, body: Json, whose: Installed) -> Json:
        user = self.users.get(body.get("user", ""))
        return {"ok": True, "user": user} if user else _no("user_not_found")

    def _users_conversations(self, body: Json, whose: Installed) -> Json:
        """Where the bot is. An organisation's token has to say of which workspace."""
        if not whose.team and not body.get("team_id"):
            return _no("missing_argument")
        kinds = set(str(body.get("types", "public_channel")).split(","))
        if missing := {scope for kind, scope in LISTS.items() if kind in kinds} & self.unscoped:
            return _no("missing_scope") | {"needed": ",".join(sorted(missing))}
        names = {"D": "im", "G": "private_channel", "C": "public_channel"}
        there = [id for id, chat in self.chats.items() if whose.bot in chat.members and names.get(id[0]) in kinds]
        return {"ok": True, "channels": [{"id": id, "is_im": id[0] == "D"} for id in there]}

    def _conversations_open(self, body: Json, whose: Installed) -> Json:
        return {"ok": True, "channel": {"id": "D" + str(body["users"])[1:]}}

    def _chat_postMessage(self, body: Json, whose: Installed) -> Json:  # noqa: N802 - Slack's names
        if problem := self._wrong_place(body) or wrong_message(body):
            return _no(problem)
        ts = self.ts()
        message = _posted(body, ts, whose)
        self.chat(body["channel"]).messages.append(message)
        return {"ok": True, "channel": body["channel"], "ts": ts, "message": message}

    def _chat_postEphemeral(self, body: Json, whose: Installed) -> Json:  # noqa: N802
        if problem := self._wrong_place(body) or wrong_message(body):
            return _no(problem)
        if body.get("user") not in self.chat(body["channel"]).members:
            return _no("user_not_in_channel")
        ts = self.ts()
        self.ephemeral.append({**_posted(body, ts, whose), "channel": body["channel"], "to": body["user"]})
        return {"ok": True, "message_ts": ts}

    def _chat_update(self, body: Json, whose: Installed) -> Json:
        if problem := self._wrong_place(body) or wrong_message(body):
            return _no(problem)
        message = self._find(body)
        if message is None:
            return _no("message_not_found")
        if body["ts"] in self.streams:
            return _no("streaming_state_conflict")
        message.update({key: body[key] for key in ("text", "blocks", "metadata") if key in body})
        message["edited"] = {"user": whose.bot, "ts": self.ts()}
        return {"ok": True, "channel": body["channel"], "ts": body["ts"]}

    def _chat_delete(self, body: Json, whose: Installed) -> Json:
        message = self._find(body)
        if message is None:
            return _no("message_not_found")
        self.chat(body["channel"]).messages.remove(message)
        return {"ok": True}

    def _chat_startStream(self, body: Json, whose: Installed) -> Json:  # noqa: N802
        if not self.native_streams:
            return _no("unknown_method")
        if not body.get("thread_ts"):
            return _no("missing_thread_ts")
        if problem := wrong_stream(body):
            return _no(problem)
        ts = self.ts()
        message = _posted({**body, "text": body.get("markdown_text", "")}, ts, whose)
        self.chat(body["channel"]).messages.append(message)
        self.streams[ts] = time.monotonic()
        return {"ok": True, "channel": body["channel"], "ts": ts}

    def _chat_appendStream(self, body: Json, whose: Installed) -> Json:  # noqa: N802
        message = self._streaming(body)
        if message is None:
            return _no("message_not_in_streaming_state")
        if problem := wrong_markdown(body):
            return _no(problem)
        message["text"] += body["markdown_text"]
        return {"ok": True, "ts": body["ts"]}

    def _chat_stopStream(self, body: Json, whose: Installed) -> Json:  # noqa: N802
        if self._streaming(body) is None:
            return _no("message_not_in_streaming_state")
        del self.streams[body["ts"]]
        return {"ok": True, "ts": body["ts"]}

    def _streaming(self, body: Json) -> Json | None:
        began = self.streams.get(body["ts"])
        if began is None:
            return None
        if time.monotonic() - began > self.stream_seconds:
            del self.streams[body["ts"]]  # Slack ends it by itself
            return None
        return self._find(body)

    def _conversations_history(self, body: Json, whose: Installed) -> Json:
        messages = self.chat(body["channel"]).messages
        if self._wrong_place(body) in ("channel_not_found", "not_in_channel"):
            return _no(self._wrong_place(body))
        roots = [
            m for m in messages if m.get("thread_ts", m["ts"]) == m["ts"] or m.get("subtype") == "thread_broadcast"
        ]
        found = [self._rooted(m, messages) for m in roots if float(m["ts"]) > float(body.get("oldest", 0))]
        return _page(body, sorted(found, key=lambda m: str(m["ts"]), reverse=True))

    def _conversations_replies(self, body: Json, whose: Installed) -> Json:
        """Oldest first, and the root always among them; asked for a reply, that one alone."""
        messages, thread = self.chat(body["channel"]).messages, body.get("ts", "")
        asked = next((m for m in messages if m["ts"] == thread), None)
        if asked is not None and asked.get("thread_ts", thread) != thread:
            return _page(body, [asked])
        oldest = float(body.get("oldest", 0))
        found = [m for m in messages if thread in (m.get("thread_ts"), m["ts"])]
        kept = [self._rooted(m, messages) for m in found if float(m["ts"]) > oldest or m["ts"] == thread]
        return _page(body, sorted(kept, key=lambda m: str(m["ts"]))) if found else _no("thread_not_found")

    def _rooted(self, message: Json, messages: list[Json]) -> Json:
        """A message as history tells it: the root of a thread names itself, and its last answer."""
        replies = [m["ts"] for m in messages if m.get("thread_ts") == message["ts"] != m["ts"]]
        about = {"thread_ts": message["ts"], "reply_count": len(replies), "latest_reply": max(replies, default="")}
        return message | about if replies else message

    def _views_open(self, body: Json, whose: Installed) -> Json:
        until = self.triggers.pop(str(body.get("trigger_id", "")), None)
        if until is None or time.monotonic() > until:
            return _no("invalid_trigger_id" if until is None else "expired_trigger_id")
        if problem := wrong_view(body["view"]):
            return _no(problem)
        self.views.append(body["view"])
        return {"ok": True, "view": body["view"]}

    def _views_publish(self, body: Json, whose: Installed) -> Json:
        if problem := wrong_view(body["view"]):
            return _no(problem)
        self.homes[body["user_id"]] = body["view"]
        return {"ok": True}

    def _assistant_threads_setStatus(self, body: Json, whose: Installed) -> Json:  # noqa: N802
        self.statuses[body["channel_id"], body["thread_ts"]] = body["status"]
        return {"ok": True}

    def _assistant_threads_setSuggestedPrompts(self, body: Json, whose: Installed) -> Json:  # noqa: N802
        if not 0 < len(body["prompts"]) <= 4:
            return _no("invalid_arguments")
        self.prompts.append(body)
        return {"ok": True}

    def _files_info(self, body: Json, whose: Installed) -> Json:
        file = self.files.get(body.get("file", ""))
        return {"ok": True, "file": file} if file else _no("file_not_found")

    def _files_getUploadURLExternal(self, body: Json, whose: Installed) -> Json:  # noqa: N802
        id = f"F{next(self._numbers):08d}"
        self.files[id] = {"id": id, "name": body["filename"], "size": int(body["length"])}
        return {"ok": True, "file_id": id, "upload_url": f"{self.files_url}upload/{id}"}

    def _files_completeUploadExternal(self, body: Json, whose: Installed) -> Json:  # noqa: N802
        shared = []
        for given in body["files"]:
            file = self.files.get(given["id"])
            if file is None or len(self.contents.get(given["id"], b"")) != file["size"]:
                return _no("file_not_found")
            shared.append({"id": given["id"], "name": file["name"], "title": given.get("title", "")})
        message = _posted({**body, "text": ""}, self.ts(), whose) | {"files": shared}
        self.chat(body["channel_id"]).messages.append(message)
        for given in body["files"]:
            self.files[given["id"]]["shares"] = {"private": {body["channel_id"]: [{"ts": message["ts"]}]}}
        return {"ok": True, "files": shared}

    async def _uploaded(self, request: web.Request) -> web.StreamResponse:
        self.contents[request.match_info["id"]] = await request.read()
        return web.Response(text="OK")

    async def _download(self, request: web.Request) -> web.StreamResponse:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if token not in self.installed:
            return web.Response(status=403)
        return web.Response(body=self.contents[request.match_info["id"]], content_type="application/octet-stream")

    def keep(self, name: str, kind: str, data: bytes) -> Json:
        """A file that a person sends, as it stands in their message."""
        id = f"F{next(self._numbers):08d}"
        url = f"{self.files_url}files-pri/{id}"
        self.contents[id] = data
        file = {"id": id, "name": name, "mimetype": kind, "size": len(data), "url_private": url}
        self.files[id] = {**file, "url_private_download": url}
        return file

    def _wrong_place(self, body: Json) -> str:
        chat = self.chats.get(body.get("channel", ""))
        if chat is None:
            return "channel_not_found"
        return "is_archived" if chat.archived else "" if BOT in chat.members else "not_in_channel"

    def _find(self, body: Json) -> Json | None:
        return next((m for m in self.chat(body["channel"]).messages if m["ts"] == body["ts"]), None)


def _signature(secret: str, stamp: str, body: bytes) -> str:
    """By Slack's own library, so that the two sides share nothing; it takes no bytes that are not UTF-8."""
    try:
        return str(SignatureVerifier(secret).generate_signature(timestamp=stamp, body=body))
    except UnicodeDecodeError:
        return "v0=" + hmac.new(secret.encode(), b"v0:%b:%b" % (stamp.encode(), body), "sha256").hexdigest()


def _page(body: Json, found: list[Json]) -> Json:
    limit, start = int(body.get("limit", 100)), int(body.get("cursor", 0))
    more = {"next_cursor": str(start + limit)} if start + limit < len(found) else {"next_cursor": ""}
    hidden = () if str(body.get("include_all_metadata", "0")) in ("1", "true") else ("metadata",)
    page = [{k: v for k, v in m.items() if k not in hidden} for m in found[start : start + limit]]
    return {"ok": True, "messages": page, "response_metadata": more}


def _posted(body: Json, ts: str, whose: Installed) -> Json:
    kept = ("text", "blocks", "metadata", "thread_ts")
    message = {"type": "message", "user": whose.bot, "bot_id": BOT_ID, "ts": ts}
    return message | {key: body[key] for key in kept if body.get(key)}


def _pressed(element: Json, label: str) -> Json | None:
    if element["type"] == "button" and element["text"]["text"] == label:
        return {key: element[key] for key in ("type", "action_id", "text", "value") if key in element}
    if element["type"] == "static_select":
        for option in element["options"]:
            if option["text"]["text"] == label:
                return {"type": "static_select", "action_id": element["action_id"], "selected_option": option}
    return None


def _person(id: str, name: str) -> Json:
    profile = {"display_name": name, "email": f"{name.lower()}@acme.example"}
    return {"id": id, "team_id": TEAM, "tz": "Europe/Vienna", "locale": "de-AT", "profile": profile}


def _no(code: str) -> Json:
    return {"ok": False, "error": code}


async def _arguments(request: web.Request) -> Json:
    if request.content_type == "application/json":
        body: Json = await request.json()
        return body
    return {**request.query, **dict(await request.post())}


__all__ = ["SlackServer", "walk"]
