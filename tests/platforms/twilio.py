"""A strict local Twilio: its Messages API, its webhooks, and the limits that emulators do not keep.

The real SDK talks to it over 127.0.0.1. It fails as it is told to, by `fail` or by a plan of one's own, and keeps all
that it accepted. Signatures are made by the SDK's validator, not by the code that is under test.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import itertools
import json
import re
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import formatdate
from typing import Literal
from urllib.parse import parse_qs, urlencode

import aiohttp
from aiohttp import web
from twilio.request_validator import RequestValidator

from tests.platforms.twilio_schema import problems
from tests.servers import free_port

SID = "AC" + "0123456789abcdef" * 2
TOKEN = "a token that nobody guesses"
OURS = "+14155550100"
THEIRS = "+14155550123"

STOP = {"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"}
START = {"START", "YES", "UNSTOP"}

Fault = Literal["", "429", "500", "500 after", "close before", "close after", "slow", "no json", "redirect"]
"""How a call goes wrong; "after" means that the message was accepted all the same."""


@dataclass
class Taken:
    """A message that was accepted."""

    sid: str
    to: str
    sender: str
    body: str
    media: list[str]
    callback: str
    created: float
    status: str = "queued"


@dataclass
class Came:
    """A message that somebody sent us: it is in the list, whatever the webhook was answered."""

    sid: str
    to: str
    sender: str
    body: str
    created: float
    media: list[tuple[str, str]] = field(default_factory=list)


@dataclass
class Answered:
    """What a webhook was answered; 0 when nobody was there."""

    status: int
    body: str = ""


@dataclass
class Twilio:
    """Twilio, with one account. `webhook` is where messages to us are delivered."""

    webhook: str = ""
    port: int = field(default_factory=free_port)
    sid: str = SID
    token: str = TOKEN
    senders: tuple[str, ...] = (OURS, f"whatsapp:{OURS}", "MG" + "1" * 32)
    opt_outs: bool = True
    taken: list[Taken] = field(default_factory=list)
    came: list[Came] = field(default_factory=list)
    lists: int = 0
    problems: list[str] = field(default_factory=list)
    stopped: set[tuple[str, str]] = field(default_factory=set)
    files: dict[str, tuple[int, dict[str, str], bytes]] = field(default_factory=dict)
    calls: int = 0
    slowness: float = 3.0
    retry_after: str = "1"
    plan: Callable[[], Fault] | None = None

    def __post_init__(self) -> None:
        self._faults: deque[Fault] = deque()
        self._numbers = itertools.count(1)
        self._runner: web.AppRunner | None = None
        self._http: aiohttp.ClientSession | None = None

    @property
    def url(self) -> str:
        """The API's base URL."""
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        """Listen."""
        app = web.Application()
        at = "/2010-04-01/Accounts/{account}/Messages"
        app.router.add_post(at + ".json", self._create)
        app.router.add_get(at + ".json", self._list)
        app.router.add_get(at + "/{message}/Media.json", self._media_of)
        app.router.add_get(at + "/{message}/Media/{media}", self._media)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port, reuse_address=True).start()
        self._http = self._http or aiohttp.ClientSession()

    async def vanish(self) -> None:
        """Be unreachable from now on; `start` comes back."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def close(self) -> None:
        """The test is over."""
        await self.vanish()
        if self._http is not None:
            await self._http.close()
            self._http = None

    def fail(self, *faults: Fault) -> None:
        """Let the next calls that create go wrong, one after the other."""
        self._faults.extend(faults)

    def shown(self, number: str = THEIRS) -> list[str]:
        """What a telephone shows, oldest first."""
        return [one.body for one in self.taken if one.to.removeprefix("whatsapp:") == number]

    # --- what people do

    async def text(
        self, body: str, *, sender: str = THEIRS, to: str = OURS, event: str = "", more: Mapping[str, str] | None = None
    ) -> Answered:
        """Somebody sends us a text; `event` makes the same sid of the same words."""
        word = "".join(char for char in body.upper() if char.isalnum())
        if self.opt_outs and word in STOP:
            self.stopped.add((sender, to))
        if self.opt_outs and word in START:
            self.stopped.discard((sender, to))
        sid = sid_of(event or f"text {next(self._numbers)}")
        if all(one.sid != sid for one in self.came):
            self.came.append(Came(sid, to, sender, body, time.time()))
        fields = {
            "ToCountry": "US",
            "SmsMessageSid": sid,
            "NumMedia": "0",
            "SmsSid": sid,
            "SmsStatus": "received",
            "Body": body.encode("utf-8", "replace").decode(),  # half a character is none on a carrier's network
            "To": to,
            "NumSegments": "1",
            "MessageSid": sid,
            "AccountSid": self.sid,
            "From": sender,
            "ApiVersion": "2010-04-01",
            **(more or {}),
        }
        return await self.deliver(self.webhook, fields)

    async def report(self, one: Taken, status: str, code: int = 0) -> Answered:
        """Tell what became of a message."""
        one.status = status
        fields = {
            "SmsSid": one.sid,
            "SmsStatus": status,
            "MessageStatus": status,
            "To": one.to,
            "MessageSid": one.sid,
            "AccountSid": self.sid,
            "From": one.sender,
            "ApiVersion": "2010-04-01",
            **({"ErrorCode": str(code)} if code else {}),
        }
        return await self.deliver(one.callback, fields)

    async def deliver(self, url: str, fields: Mapping[str, str], signature: str | None = None) -> Answered:
        """POST a signed form; once more where nobody was there. A 5xx is not delivered again."""
        signed = RequestValidator(self.token).compute_signature(url.partition("#")[0], dict(fields))
        headers = {
            "X-Twilio-Signature": signed if signature is None else signature,
            "I-Twilio-Idempotency-Token": hashlib.md5(repr(fields).encode(), usedforsecurity=False).hexdigest(),
            "Content-Type": "application/x-www-form-urlencoded; charset=UTF-8",
            "User-Agent": "TwilioProxy/1.1",
        }
        assert self._http is not None, "start it first"
        data = urlencode(fields).encode()
        for _ in range(2):
            try:
                async with self._http.post(url, data=data, headers=headers) as answer:
                    return Answered(answer.status, await answer.text())
            except (aiohttp.ClientConnectionError, OSError):
                await asyncio.sleep(0.01)
        return Answered(0)

    # --- the API

    async def _create(self, request: web.Request) -> web.StreamResponse:
        form = parse_qs(await request.text(), keep_blank_values=True)
        self.calls += 1
        if refused := self._stranger(request):
            return refused
        fault = self.plan() if self.plan else self._faults.popleft() if self._faults else ""
        if fault == "429":
            return _error(429, 20429, "Too Many Requests", {"Retry-After": self.retry_after})
        if fault == "500":
            return _error(500, 20500, "Internal Server Error")
        if fault == "redirect":
            return web.Response(status=307, headers={"Location": str(request.url)})
        if fault == "close before":
            return _hang_up(request)
        wrong = problems(form)
        self.problems += wrong
        if refused := self._refused({name: values[0] for name, values in form.items()}, "MediaUrl" in form):
            return refused
        if wrong:
            return _error(400, 20001, "; ".join(wrong))
        one = self._take(form)
        if fault == "slow":
            await asyncio.sleep(self.slowness)
        if fault in ("close after", "slow"):
            return _hang_up(request)
        if fault == "500 after":
            return _error(503, 20503, "Service Unavailable")
        if fault == "no json":
            return web.Response(status=201, text="<html>")
        return web.json_response(self._resource(one), status=201)

    def _take(self, form: dict[str, list[str]]) -> Taken:
        sender = form.get("From", [OURS])[0]
        one = Taken(
            sid=sid_of(f"sent {next(self._numbers)}"),
            to=form["To"][0],
            sender=sender,
            body=form.get("Body", [""])[0],
            media=form.get("MediaUrl", []),
            callback=form.get("StatusCallback", [""])[0],
            created=time.time(),
        )
        self.taken.append(one)
        return one

    def _refused(self, form: Mapping[str, str], media: bool) -> web.Response | None:
        to, sender = form.get("To", ""), form.get("From") or form.get("MessagingServiceSid", "")
        if not to:
            return _error(400, 21604, "A 'To' phone number is required.")
        if not re.fullmatch(r"(whatsapp:)?\+[1-9]\d{6,14}", to, re.ASCII):
            return _error(400, 21211, f"Invalid 'To' Phone Number: {to}")
        if not sender:
            return _error(400, 21603, "A 'From' phone number is required.")
        if sender not in self.senders:
            return _error(400, 21606, "The 'From' phone number is not yours.")
        if not form.get("Body", "") and not media:
            return _error(400, 21602, "Message body is required.")
        if len(form.get("Body", "")) > 1600:
            return _error(400, 21617, "The concatenated message body exceeds the 1600 character limit.")
        if (to, sender) in self.stopped:
            return _error(400, 21610, "Attempt to send to unsubscribed recipient")
        return None

    async def _list(self, request: web.Request) -> web.StreamResponse:
        if refused := self._stranger(request):
            return refused
        self.lists += 1
        asked, size, page = request.query, int(request.query.get("PageSize", "50")), int(request.query.get("Page", "0"))
        everything: list[Taken | Came] = sorted([*self.taken, *self.came], key=lambda one: one.created, reverse=True)
        found = [
            one
            for one in everything
            if asked.get("To", one.to) == one.to and asked.get("From", one.sender) == one.sender
        ]
        if after := asked.get("DateSent>"):
            since = datetime.strptime(after, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC).timestamp()
            found = [one for one in found if int(one.created) >= since]
        shown = found[page * size : (page + 1) * size]
        more = len(found) > (page + 1) * size
        following = str(request.rel_url.update_query({"Page": str(page + 1), "PageToken": "PA1"})) if more else None
        answer = {"messages": [self._resource(one) for one in shown], "page": page, "page_size": size}
        return web.json_response(answer | {"next_page_uri": following, "uri": request.path_qs})

    async def _media_of(self, request: web.Request) -> web.StreamResponse:
        if refused := self._stranger(request):
            return refused
        one = next(one for one in self.came if one.sid == request.match_info["message"])
        files = [{"sid": sid, "content_type": kind, "parent_sid": one.sid} for sid, kind in one.media]
        return web.json_response({"media_list": files, "page": 0, "page_size": 50, "next_page_uri": None})

    async def _media(self, request: web.Request) -> web.StreamResponse:
        if refused := self._stranger(request):
            return refused
        file = self.files.get(request.match_info["media"])
        if file is None:
            return _error(404, 20404, "The requested resource was not found")
        status, headers, content = file
        return web.Response(status=status, headers=headers, body=content)

    def _stranger(self, request: web.Request) -> web.Response | None:
        known = "Basic " + base64.b64encode(f"{self.sid}:{self.token}".encode()).decode()
        if request.headers.get("Authorization") == known and request.match_info["account"] == self.sid:
            return None
        return _error(401, 20003, "Authenticate")

    def _resource(self, one: Taken | Came) -> dict[str, object]:
        ours = isinstance(one, Taken)
        status = one.status if isinstance(one, Taken) else "received"
        created = formatdate(one.created, usegmt=True).replace("GMT", "+0000")
        return {
            "sid": one.sid,
            "account_sid": self.sid,
            "api_version": "2010-04-01",
            "body": one.body,
            "date_created": created,
            "date_sent": created if status != "queued" else None,
            "date_updated": created,
            "direction": "outbound-api" if ours else "inbound",
            "error_code": None,
            "error_message": None,
            "from": one.sender,
            "messaging_service_sid": None,
            "num_media": str(len(one.media)),
            "num_segments": "1",
            "price": None,
            "price_unit": "USD",
            "status": status,
            "subresource_uris": {},
            "to": one.to,
            "uri": f"/2010-04-01/Accounts/{self.sid}/Messages/{one.sid}.json",
        }


def sid_of(event: str) -> str:
    """A sid as Twilio makes them, the same for the same event."""
    return "SM" + hashlib.md5(event.encode("utf-8", "replace"), usedforsecurity=False).hexdigest()


def _error(status: int, code: int, message: str, headers: Mapping[str, str] | None = None) -> web.Response:
    body = {"code": code, "message": message, "more_info": f"https://docs.example/{code}", "status": status}
    return web.Response(status=status, text=json.dumps(body), content_type="application/json", headers=headers)


def _hang_up(request: web.Request) -> web.Response:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


def settings_for(twilio: Twilio, given: Mapping[str, object] | None = None) -> dict[str, object]:
    """The settings of a bot whose Twilio this is."""
    base: dict[str, object] = {"account_sid": twilio.sid, "auth_token": twilio.token, "sender": OURS}
    return {**base, "api_url": twilio.url, "timeout": 2.0, **(given or {})}


def bodies(taken: Sequence[Taken]) -> list[str]:
    """The words of messages."""
    return [one.body for one in taken]
