"""The web channel: the widget's protocol over WebSocket, and the same over plain HTTP. Knows no skills and no store."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import structlog
from aiohttp import BodyPartReader, hdrs, web
from aiohttp.client_exceptions import ClientPayloadError
from aiohttp.http_exceptions import HttpProcessingError

from bot import (
    Address,
    Capabilities,
    Channel,
    Clock,
    Deletes,
    Delivery,
    Download,
    Drafts,
    Files,
    Gateway,
    NotSent,
    Receipt,
    StoreUnavailable,
    Types,
)
from channels.web.assets import CHECKED, FOREVER, Assets
from channels.web.feed import Feed
from channels.web.intake import Intake, Rules, address_of
from channels.web.keys import install_secret
from channels.web.parse import BadRequest, conversation_of, language_of, read_said, wanted_of
from channels.web.render import Page, encode, row_of
from channels.web.session import PAGE, RECHECK, Session
from channels.web.settings import WebSettings
from channels.web.uploads import Uploads

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_BYTES_PER_CHARACTER = 12  # a character outside the basic plane, written as two \uXXXX
_ROOM = 16 * 1024  # for everything else in a body
_CHUNK = 64 * 1024
_SHORT = 128

log = structlog.get_logger(__name__)


class WebChannel(Channel, Types, Drafts, Deletes, Files):
    """Chats on web pages. `home` is the folder for uploads and for the secret of this installation."""

    name = "web"
    capabilities = Capabilities(
        buttons=12, markdown=True, cards=True, media=True, typing=True, drafts=True, read_back=True, deletes=True
    )

    def __init__(self, settings: WebSettings, home: Path, clock: Clock | None = None) -> None:
        self._settings, self._home, self._now = settings, home, clock.now if clock else time.time
        self._origins = settings.allowed_origins()
        self._largest = settings.max_text * _BYTES_PER_CHARACTER + _ROOM
        self._assets = Assets(settings)
        self._feed = Feed()
        self._deafen: Callable[[], None] = lambda: None
        self._uploads = Uploads(settings, home / "uploads")
        self._intake: Intake | None = None

    def routes(self) -> Sequence[web.RouteDef]:
        """The demo page, the launcher, the widget's files, and the protocol."""
        at = "/channels/web"
        pages = [web.get("/", self._demo), web.get("/demo/{name}", self._demo_file)] if self._settings.demo else []
        return [
            *pages,
            web.get("/widget.js", self._guarded(self._launcher)),
            web.get(at + "/static/{build}/{name}", self._guarded(self._built)),
            web.get(at + "/ws", self._guarded(self._socket)),
            web.get(at + "/messages", self._guarded(self._poll)),
            web.post(at + "/messages", self._guarded(self._post)),
            web.options(at + "/messages", self._guarded(self._preflight)),
            web.get(at + "/uploads/{id}", self._guarded(self._download)),
            web.post(at + "/uploads", self._guarded(self._upload)),
            web.options(at + "/uploads", self._guarded(self._preflight)),
            web.get(at + "/{name}", self._guarded(self._file)),
        ]

    async def start(self, gateway: Gateway) -> None:
        """Give every message to the gateway from now on."""
        topic = f"{self.name}.{self.account}"
        # A new one: one that was closed by `stop` stays closed, for the readers that it let go.
        self._feed = Feed(lambda body: gateway.publish(topic, body))
        self._deafen = gateway.subscribe(topic, self._feed.heard)
        rules = Rules(self._settings.max_text, await asyncio.to_thread(install_secret, self._home))
        await asyncio.to_thread(self._uploads.open)
        self._intake = Intake(gateway, self._uploads, self._feed, self._now, rules)

    async def stop(self) -> None:
        """Let every page go; each connects again by itself, to wherever the bot runs next."""
        self._intake = None
        self._feed.close()
        self._deafen()  # what is still sent rings for the readers of other processes

    async def send(self, delivery: Delivery) -> Receipt:
        """Ring for whoever is looking. The reply is in the transcript, so it also reaches those who come later."""
        self._feed.finished(delivery.address.chat)
        return Receipt(platform_id=delivery.id)

    async def find_sent(self, delivery: Delivery) -> Receipt | None:
        """A reply in the transcript has arrived: whoever looks, sees it."""
        intake = self._intake
        if intake is None:
            raise NotSent("the channel is not running")
        found = await intake.gateway.history(delivery.address, after=delivery.seq - 1, limit=1)
        return await self.send(delivery) if found and found[0].seq == delivery.seq else None

    async def delete(self, delivery: Delivery, platform_id: str) -> None:
        """Ring: the transcript says by itself which line is gone."""
        self._feed.finished(delivery.address.chat)

    async def typing(self, address: Address, *, on: bool) -> None:
        """Show or hide the typing dots."""
        self._feed.typing(address.chat, on=on)

    async def draft(self, address: Address, key: str, text: str) -> None:
        """Show a reply while it is being made."""
        self._feed.draft(address.chat, key, text)

    def open_file(self, ref: str) -> AbstractAsyncContextManager[Download]:
        """An uploaded file; `ref` is what its address ends with."""
        return self._uploads.read(ref)

    # --- requests

    def _guarded(self, handler: Handler) -> Handler:
        """Refuse foreign pages, answer every mistake in JSON, and let allowed pages read the answer."""

        async def guarded(request: web.Request) -> web.StreamResponse:
            origin = self._origin(request)
            if origin is not None and origin not in self._origins:
                response: web.StreamResponse = _error(403, "This page may not talk to this bot.")
            else:
                response = await _answered(handler, request)
            if not response.prepared:
                response.headers.setdefault("Vary", "Origin")
                response.headers.setdefault("Cache-Control", "no-store")
                response.headers.setdefault("X-Content-Type-Options", "nosniff")
                if origin in self._origins:
                    response.headers["Access-Control-Allow-Origin"] = origin or ""
            return response

        return guarded

    def _origin(self, request: web.Request) -> str | None:
        """The page's origin; None when there is none, and something that is never allowed when there are two."""
        origins = request.headers.getall(hdrs.ORIGIN, [])
        return None if not origins else origins[0] if len(origins) == 1 else "two origins"

    async def _preflight(self, request: web.Request) -> web.StreamResponse:
        allowed = {
            "Access-Control-Allow-Methods": "GET, POST",
            "Access-Control-Allow-Headers": "Content-Type",
            "Access-Control-Max-Age": "7200",
        }
        return web.Response(status=204, headers=allowed)

    async def _post(self, request: web.Request) -> web.StreamResponse:
        said = read_said(await self._body(request))
        posted = await self._ready().say(said, _language(request))
        return web.Response(status=202, body=encode(posted), content_type="application/json")

    async def _body(self, request: web.Request) -> bytes:
        sentence = f"The body is too long: at most {self._settings.max_text} characters of text."
        if (request.content_length or 0) > self._largest:
            raise BadRequest(413, sentence)
        body = bytearray()
        async for chunk in request.content.iter_chunked(_CHUNK):
            body += chunk
            if len(body) > self._largest:
                raise BadRequest(413, sentence)
        return bytes(body)

    async def _poll(self, request: web.Request) -> web.StreamResponse:
        wanted, gateway = wanted_of(request.query), self._ready().gateway
        address, loop = address_of(wanted.conversation), asyncio.get_running_loop()
        until = loop.time() + wanted.wait
        with self._feed.reading(wanted.conversation) as box:
            while not (entries := await gateway.history(address, after=wanted.after, limit=PAGE)):
                left = until - loop.time()
                if left <= 0 or box.closing:
                    break
                await box.wait(min(left, RECHECK))
        page = Page(messages=[row_of(entry) for entry in entries])
        return web.Response(body=encode(page), content_type="application/json")

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        if self._origin(request) is None:
            raise BadRequest(403, "A socket needs an Origin.")
        intake = self._ready()
        socket = web.WebSocketResponse(heartbeat=30.0, max_msg_size=self._largest, compress=False)
        await socket.prepare(request)
        try:
            await Session(socket, intake, self._feed, _language(request)).run()
        except (ConnectionError, StoreUnavailable):
            await socket.close()
        return socket

    async def _upload(self, request: web.Request) -> web.StreamResponse:
        intake = self._ready()
        if not request.content_type.startswith("multipart/"):
            raise BadRequest(415, "Send the file as multipart/form-data.")
        conversation: str | None = None
        async for part in await request.multipart():
            if not isinstance(part, BodyPartReader):
                raise BadRequest(400, "The form is nested.")
            if part.name == "conversation":
                conversation = conversation_of((await _short(part)).decode("ascii", "replace"))
            elif part.name == "file":
                conversation = conversation or intake.gateway.new_id()
                return await self._keep(intake, conversation, part)
        raise BadRequest(400, "There is no file in the form.")

    async def _keep(self, intake: Intake, conversation: str, part: BodyPartReader) -> web.Response:
        id = intake.gateway.new_id()
        media = await self._uploads.save(id, conversation, part.filename or "", _chunks(part))
        answer = {"id": id, "conversation": conversation, "name": media.name, "type": media.type, "size": media.size}
        return web.json_response(answer | {"url": media.url}, status=201)

    async def _download(self, request: web.Request) -> web.StreamResponse:
        return await self._uploads.serve(request.match_info["id"])

    # --- files

    async def _demo(self, request: web.Request) -> web.StreamResponse:
        return self._assets.respond(request, "demo/index.html")

    async def _demo_file(self, request: web.Request) -> web.StreamResponse:
        return self._assets.respond(request, "demo/" + request.match_info["name"])

    async def _launcher(self, request: web.Request) -> web.StreamResponse:
        return self._assets.respond(request, "widget.js")

    async def _built(self, request: web.Request) -> web.StreamResponse:
        current = request.match_info["build"] == self._assets.build
        return self._assets.respond(request, request.match_info["name"], cache=FOREVER if current else CHECKED)

    async def _file(self, request: web.Request) -> web.StreamResponse:
        return self._assets.respond(request, request.match_info["name"])

    def _ready(self) -> Intake:
        if self._intake is None:
            raise StoreUnavailable("the channel has not started")
        return self._intake


async def _answered(handler: Handler, request: web.Request) -> web.StreamResponse:
    try:
        return await handler(request)
    except BadRequest as error:
        return _error(error.status, error.sentence)
    except StoreUnavailable:
        response = _error(503, "The message could not be stored; please send it again.")
        response.headers["Retry-After"] = "1"
        return response
    except web.HTTPException as error:
        return _error(error.status, f"{error.reason}.")
    except (HttpProcessingError, ClientPayloadError, web.RequestPayloadError, ValueError) as error:
        # Broken encodings and multipart forms surface as these while a body is being read.
        log.info("unreadable_request", reason=type(error).__name__)
        return _error(400, "The request could not be read.")


def _error(status: int, sentence: str) -> web.Response:
    return web.json_response({"error": sentence}, status=status)


def _language(request: web.Request) -> str:
    return language_of(request.headers.get(hdrs.ACCEPT_LANGUAGE, ""))


async def _short(part: BodyPartReader) -> bytes:
    value = b""
    async for chunk in _chunks(part):
        value += chunk
        if len(value) > _SHORT:
            raise BadRequest(400, "conversation: too long.")
    return value


async def _chunks(part: BodyPartReader) -> AsyncIterator[bytes]:
    while chunk := await part.read_chunk(_CHUNK):
        yield bytes(chunk)
