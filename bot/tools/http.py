"""The tools over HTTP: who may call, how often, once per idempotency key; now or later. Knows no tool."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Awaitable, Callable, Sequence

import msgspec
import structlog
from aiohttp import web
from sqlalchemy import Connection

from bot.channel import Pace
from bot.clock import Clock, Entropy
from bot.delivery.pacing import Buckets
from bot.errors import BadArguments, StoreError, ToolError
from bot.messages import Value
from bot.ports.llm import Payer
from bot.ports.tools import Caller
from bot.store.own_tables import OwnTables
from bot.tools import records
from bot.tools.answers import Reply, answered, failed, job_body
from bot.tools.inputs import Call, read_call
from bot.tools.jobs import KEEP_FOREVER, Jobs
from bot.tools.openapi import document
from bot.tools.records import Job, Kept
from bot.tools.registry import Registry
from bot.tools.settings import ToolSettings
from bot.tools.tokens import Holder, Tokens
from bot.tools.webhooks import address

_KEY = re.compile(r"[!-~]{1,200}")
_BEARER = re.compile(r"bearer +(\S+)", re.IGNORECASE)
HELD = 120.0
"""Seconds after which a call with a key that never ended may be made anew."""

log = structlog.get_logger()

Handler = Callable[[web.Request, Holder], Awaitable[Reply]]


class Means(Value, frozen=True):
    """What the endpoints work with."""

    registry: Registry
    jobs: Jobs
    tokens: Tokens
    tables: OwnTables
    buckets: Buckets
    settings: ToolSettings
    clock: Clock
    entropy: Entropy


class ToolRoutes:
    """The endpoints. `url` is where people reach us."""

    def __init__(self, means: Means, url: Callable[[], str]) -> None:
        self._means, self._url = means, url

    def routes(self) -> Sequence[web.RouteDef]:
        """All of them."""
        return [
            web.get("/api/v1/tools", self._guarded(self._list)),
            web.get("/api/v1/tools/openapi.json", self._openapi),
            web.post("/api/v1/tools/execute", self._guarded(self._execute)),
            web.get("/api/v1/tools/jobs/{job}", self._guarded(self._job)),
        ]

    def _guarded(self, handler: Handler) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        """The handler for those who have a token, and no more often than they may."""

        async def outside(request: web.Request) -> web.StreamResponse:
            try:
                found = _BEARER.fullmatch(request.headers.get("Authorization", "").strip())
                holder = await self._means.tokens.holder(found[1]) if found else None
                if holder is None:
                    refusal = Reply(code=401, body={"error": "Send a token: python run.py tools token NAME makes one."})
                    return _response(refusal, {"WWW-Authenticate": "Bearer"})
                wait = await self._wait(holder)
                if wait > 0:
                    return _response(
                        Reply(code=429, body={"error": "Too many calls; slower, please."}, retry_after=math.ceil(wait))
                    )
                return _response(await handler(request, holder))
            except (ToolError, StoreError) as problem:
                return _response(failed(problem))

        return outside

    async def _wait(self, holder: Holder) -> float:
        """For how many seconds this one has to wait; 0 for whoever may call now.

        Whoever has to wait comes again later, so the bucket is closed until then: no place is taken by a refusal.
        """
        key = f"tools.{holder.owner[:16]}"
        closed = self._means.buckets.closed(key)
        if closed > 0:
            return closed
        wait = await self._means.buckets.take([(key, Pace(count=self._means.settings.rate, seconds=60.0))])
        if wait > 0:
            await self._means.buckets.close(key, wait)
        return wait

    async def _openapi(self, _: web.Request) -> web.StreamResponse:
        return _response(Reply(code=200, body=document(self._means.registry.tools, self._url())))

    async def _list(self, _: web.Request, __: Holder) -> Reply:
        tools = [
            {
                "name": tool.name,
                "description": tool.description,
                "installed": self._means.registry.there(tool),
                "arguments": tool.arguments.model_json_schema(),
            }
            for tool in self._means.registry.tools
        ]
        return Reply(code=200, body={"tools": tools})

    async def _job(self, request: web.Request, holder: Holder) -> Reply:
        job = await self._means.jobs.find(request.match_info["job"][:40], holder.owner)
        return Reply(code=200, body=job_body(job)) if job else Reply(code=404, body={"error": "There is no such job."})

    async def _execute(self, request: web.Request, holder: Holder) -> Reply:
        # Base64 makes files longer by a third; the rest is the other arguments.
        call = await read_call(request, self._means.settings.max_upload * 4 // 3 + 256 * 1024)
        key = request.headers.get("Idempotency-Key")
        if key is None:
            return await self._do(call, holder, None)
        if _KEY.fullmatch(key) is None:
            raise BadArguments(["The header Idempotency-Key has 1 to 200 visible characters."])
        asked = hashlib.sha256(msgspec.json.encode(call.model_dump(), order="deterministic")).hexdigest()
        now = self._means.clock.now()
        kept = Kept(
            owner=holder.owner,
            key=key,
            digest=asked,
            expires_at=now + self._means.settings.keep_results,
            held_until=now + HELD,
        )
        database = await self._means.tables.make()
        known = await database.write(lambda c: records.begin(c, kept, now))
        if known is not None:
            return _again(known, asked)
        reply: Reply | None = None
        try:
            reply = await self._do(call, holder, kept)
        except ToolError as problem:
            reply = failed(problem)
        finally:
            # What may go well another time is not remembered.
            done = None if reply is None or reply.retry_after or reply.code >= 500 else reply
            await database.write(lambda c: _settle(c, kept, done))
        return reply

    async def _do(self, call: Call, holder: Holder, kept: Kept | None) -> Reply:
        if call.mode == "sync":
            caller = Caller(name=holder.name, payer=Payer(skill=f"tools.{call.tool_name[:80]}"))
            registry = self._means.registry
            return answered(await registry.execute(call.tool_name, call.arguments, engine=call.engine, caller=caller))
        # Mistakes are told at once, and not to a webhook a minute later.
        self._means.registry.tool(call.tool_name).check(call.arguments)
        now = self._means.clock.now()
        job = Job(
            id=self._means.entropy.token(),
            owner=holder.owner,
            caller=holder.name,
            tool_name=call.tool_name,
            request=call.model_dump_json(),
            created_at=now,
            # Counted anew once it is done.
            expires_at=now + KEEP_FOREVER,
            webhook_url=address(call.webhook_url) if call.webhook_url else "",
        )
        reply = Reply(code=202, body={**job_body(job), "url": f"{self._url()}/api/v1/tools/jobs/{job.id}"})
        done = msgspec.structs.replace(kept, code=reply.code, body=reply.text) if kept else None
        await self._means.jobs.submit(job, done)
        log.info("tool_job_kept", job=job.id, tool=job.tool_name)
        return reply


def _again(known: Kept, asked: str) -> Reply:
    """What whoever uses a key again is told."""
    if known.digest != asked:
        return Reply(code=422, body={"error": "This idempotency key was used with another call."})
    if known.code == 0:
        return Reply(code=409, body={"error": "The first call with this key is at work."}, retry_after=2)
    return Reply(code=known.code, body=msgspec.json.decode(known.body))


def _settle(connection: Connection, kept: Kept, reply: Reply | None) -> None:
    if reply is None:
        records.drop(connection, kept)
    else:
        records.keep(connection, msgspec.structs.replace(kept, code=reply.code, body=reply.text))


def _response(reply: Reply, headers: dict[str, str] | None = None) -> web.Response:
    response = web.Response(status=reply.code, text=reply.text, content_type="application/json", headers=headers)
    response.headers["Cache-Control"] = "no-store"
    if reply.retry_after:
        response.headers["Retry-After"] = str(reply.retry_after)
    return response
