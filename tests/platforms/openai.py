"""A strict local OpenAI: chat completions, streamed or not, embeddings and the list of models.

It refuses what OpenAI's schema refuses, fails as it is told to, and keeps a bill of what it would charge, so that what
we believe to have used can be held against it. Nothing in it knows the code under test.
"""

from __future__ import annotations

import asyncio
import itertools
import json
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from aiohttp import web

from tests.platforms import openai_schema as schema
from tests.servers import free_port

KEY = "sk-a-key-of-this-test"
Json = dict[str, Any]

Fault = Literal[
    "",
    "401",
    "403",
    "404",
    "429",
    "quota",
    "500",
    "503 retry",
    "too long",
    "bad request",
    "filter",
    "filter in the end",
    "html",
    "hang",
    "reset before",
    "truncated",
    "reset",
    "stall",
    "malformed",
    "wrong shape",
    "error event",
    "no hang up",
    "goes on",
    "no done",
]
"""How an answer goes wrong. From "truncated" on, only streams do, after `cut` words."""

ERRORS: dict[str, tuple[int, str, str]] = {
    "401": (401, "invalid_api_key", "Incorrect API key provided: sk-a-key-of-this-test"),
    "403": (403, "unsupported_country_region_territory", "Country, region, or territory not supported"),
    "404": (404, "model_not_found", "The model does not exist or you do not have access to it."),
    "429": (429, "rate_limit_exceeded", "Rate limit reached for requests"),
    "quota": (429, "insufficient_quota", "You exceeded your current quota, please check your plan and billing details"),
    "500": (500, "server_error", "The server had an error while processing your request"),
    "503 retry": (503, "overloaded", "The engine is currently overloaded, please try again later"),
    "too long": (400, "context_length_exceeded", "This model's maximum context length is 8192 tokens."),
    "bad request": (400, "invalid_value", "Invalid value: something that we sent"),
    "filter": (400, "content_filter", "The response was filtered"),
}


@dataclass(frozen=True)
class Say:
    """One answer. `first` and `gap` are seconds before the first word, and between words."""

    text: str = "Hello there, how can I help you today?"
    calls: tuple[tuple[str, str], ...] = ()
    fault: Fault = ""
    first: float = 0.0
    gap: float = 0.0
    cut: int = 3
    reason: str = ""
    usage: bool = True
    retry_after: str = ""
    reasoning: str = ""


@dataclass
class Billed:
    """What a request would cost its sender: tokens that went in, and those that were made."""

    model: str
    prompt: int
    completion: int
    told: bool = False
    """Whether the sender was told these numbers."""


@dataclass
class LocalOpenAI:
    """One endpoint. `plan` says how each request is answered; without it, the next of `says`, or a plain answer."""

    key: str = KEY
    models: tuple[str, ...] = ()
    plan: Callable[[Json], Say] | None = None
    says: deque[Say] = field(default_factory=deque)
    strict: bool = True
    port: int = field(default_factory=free_port)
    requests: list[Json] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    bill: list[Billed] = field(default_factory=list)
    at_once: int = 0
    most_at_once: int = 0
    left: int = 0
    """So many callers hung up before they had everything."""

    def __post_init__(self) -> None:
        self._runner: web.AppRunner | None = None
        self._numbers = itertools.count(1)
        self._released = asyncio.Event()

    @property
    def url(self) -> str:
        """The base URL."""
        return f"http://127.0.0.1:{self.port}/v1"

    async def __aenter__(self) -> LocalOpenAI:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Listen."""
        schema.load()
        self._released = asyncio.Event()
        app = web.Application()
        app.router.add_post("/v1/chat/completions", self._chat)
        app.router.add_post("/v1/embeddings", self._embed)
        app.router.add_get("/v1/models", self._list)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port, reuse_address=True).start()

    async def stop(self) -> None:
        """Be unreachable; `start` comes back."""
        self._released.set()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    # --- requests

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        self.requests.append(body)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            refused = self._refused(request, body, schema.REQUEST)
            if refused is not None:
                return refused
            return await self._answer(request, body)
        except (asyncio.CancelledError, ConnectionResetError):
            self.left += 1
            raise
        finally:
            self.at_once -= 1

    def _refused(self, request: web.Request, body: Json, name: str) -> web.Response | None:
        given = request.headers.get("Authorization", "")
        if given != (f"Bearer {self.key}" if self.key else ""):
            return _error("401")
        if self.strict:
            wrong = schema.problems(name, body)
            if wrong:
                self.problems.extend(wrong)
                return _error("bad request")
        if self.models and body["model"] not in self.models:
            return _error("404")
        return None

    async def _answer(self, request: web.Request, body: Json) -> web.StreamResponse:
        say = self.plan(body) if self.plan is not None else self.says.popleft() if self.says else Say()
        if say.fault == "hang":
            await self._released.wait()
            return web.Response(status=500)
        if say.fault == "reset before":
            _hang_up(request)
            return web.Response()
        if say.fault == "html":
            return web.Response(text="<html><body>It works!</body></html>", content_type="text/html")
        if say.fault in ERRORS:
            return _error(say.fault, say.retry_after)
        billed = Billed(body["model"], len(json.dumps(body["messages"]).split()), 0)
        self.bill.append(billed)
        await asyncio.sleep(say.first)
        if body.get("stream"):
            return await self._stream(request, body, say, billed)
        return self._whole(body, say, billed)

    def _whole(self, body: Json, say: Say, billed: Billed) -> web.Response:
        billed.completion = len(say.text.split()) + 10 * len(say.calls)
        billed.told = say.usage
        message: Json = {"role": "assistant", "content": say.text or None, "refusal": None}
        if say.calls:
            message["tool_calls"] = [_call(index, name, args) for index, (name, args) in enumerate(say.calls)]
        if say.reasoning:
            message["reasoning_content"] = say.reasoning
        answer = {
            **self._head(body, "chat.completion"),
            "choices": [{"index": 0, "message": message, "finish_reason": _reason(say), "logprobs": None}],
            **({"usage": _usage(billed)} if say.usage else {}),
        }
        assert say.reasoning or not schema.problems(schema.ANSWER, answer)
        return web.json_response(answer)

    async def _stream(self, request: web.Request, body: Json, say: Say, billed: Billed) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream; charset=utf-8"})
        await response.prepare(request)
        head = self._head(body, "chat.completion.chunk")

        async def send(delta: Json, reason: str | None = None) -> None:
            chunk = {**head, "choices": [{"index": 0, "delta": delta, "finish_reason": reason, "logprobs": None}]}
            assert say.reasoning or not schema.problems(schema.CHUNK, chunk)
            await response.write(f"data: {json.dumps(chunk)}\n\n".encode())

        await send({"role": "assistant", "content": ""})
        if say.reasoning:
            await send({"reasoning_content": say.reasoning})
        for number, word in enumerate(_pieces(say.text)):
            if number == say.cut and say.fault:
                ended = await self._gone_wrong(request, response, say)
                if ended:
                    return response
            await send({"content": word})
            billed.completion += 1
            await asyncio.sleep(say.gap)
        for index, (name, arguments) in enumerate(say.calls):
            billed.completion += 10
            call = _call(index, name, "")
            await send({"tool_calls": [{"index": index, **call}]})
            half = len(arguments) // 2
            for part in (arguments[:half], arguments[half:]):
                await send({"tool_calls": [{"index": index, "function": {"arguments": part}}]})
        await send({}, _reason(say))
        asked = (body.get("stream_options") or {}).get("include_usage")
        if asked and say.usage:
            billed.told = True
            last = {**head, "choices": [], "usage": _usage(billed)}
            await response.write(f"data: {json.dumps(last)}\n\n".encode())
        while say.fault == "goes on" and not self._released.is_set():
            await response.write(f"data: {json.dumps({**head, 'choices': []})}\n\n".encode())
            await asyncio.sleep(0.05)
        if say.fault == "no hang up":
            await self._released.wait()
        if say.fault != "no done":
            await response.write(b"data: [DONE]\n\n")
        await response.write_eof()
        return response

    async def _gone_wrong(self, request: web.Request, response: web.StreamResponse, say: Say) -> bool:
        """In the middle of a stream; True when nothing more is to come."""
        if say.fault == "stall":
            await self._released.wait()
        elif say.fault == "reset":
            _hang_up(request)
        elif say.fault == "malformed":
            await response.write(b'data: {"id": "chatcmpl-1", "choices": [{"index": 0, "del\n\n')
        elif say.fault == "wrong shape":
            await response.write(b'data: {"id": "1", "choices": [{"index": 0, "delta": {"content": [1]}}]}\n\n')
        elif say.fault == "error event":
            await response.write(b'data: {"error": {"code": "server_error", "message": "oh", "type": "x"}}\n\n')
        elif say.fault == "truncated":
            await response.write_eof()
        return say.fault in ("stall", "reset", "truncated")

    async def _embed(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.requests.append(body)
        refused = self._refused(request, body, schema.EMBEDDING)
        if refused is not None:
            return refused
        say = self.says.popleft() if self.says else Say()
        if say.fault in ERRORS:
            return _error(say.fault, say.retry_after)
        texts = body["input"] if isinstance(body["input"], list) else [body["input"]]
        data = [
            {"object": "embedding", "index": index, "embedding": [float(len(text)), 1.0, 0.5]}
            for index, text in enumerate(texts)
        ]
        tokens = sum(len(text.split()) for text in texts)
        self.bill.append(Billed(body["model"], tokens, 0, told=True))
        usage = {"prompt_tokens": tokens, "total_tokens": tokens}
        return web.json_response({"object": "list", "model": body["model"], "data": data[::-1], "usage": usage})

    async def _list(self, request: web.Request) -> web.Response:
        data = [{"id": name, "object": "model", "created": 1, "owned_by": "us"} for name in self.models]
        return web.json_response({"object": "list", "data": data})

    def _head(self, body: Json, kind: str) -> Json:
        number = next(self._numbers)
        return {"id": f"chatcmpl-{number}", "object": kind, "created": 1_800_000_000, "model": body["model"]}


def _pieces(text: str) -> list[str]:
    """Words, each with the space before it: about as models do."""
    return [word if not number else f" {word}" for number, word in enumerate(text.split(" "))] if text else []


def _reason(say: Say) -> str:
    if say.fault == "filter in the end":
        return "content_filter"
    return say.reason or ("tool_calls" if say.calls else "stop")


def _call(index: int, name: str, arguments: str) -> Json:
    return {"id": f"call_of_{name}_{index}", "type": "function", "function": {"name": name, "arguments": arguments}}


def _usage(billed: Billed) -> Json:
    return {
        "prompt_tokens": billed.prompt,
        "completion_tokens": billed.completion,
        "total_tokens": billed.prompt + billed.completion,
    }


def _error(fault: str, retry_after: str = "") -> web.Response:
    status, code, message = ERRORS[fault]
    headers = {"Retry-After": retry_after} if retry_after else {}
    body = {"error": {"message": message, "type": "invalid_request_error", "param": None, "code": code}}
    assert not schema.problems("ErrorResponse", body)
    return web.json_response(body, status=status, headers=headers)


def _hang_up(request: web.Request) -> None:
    assert request.transport is not None
    request.transport.abort()
