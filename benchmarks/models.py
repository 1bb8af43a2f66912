"""Language models: what the router costs beside the bare client, and what an outage of one provider does to the others.

`.venv/bin/python -m benchmarks.models` (or one of `overhead`, `outage`, `budget`). The servers are other processes.
"""

from __future__ import annotations

import asyncio
import math
import multiprocessing
import statistics
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import uvloop
import yaml
from aiohttp import web
from pydantic import SecretStr

from adapters.llm.openai import OpenAIProviders
from bot.clock import SystemClock
from bot.errors import NoAnswer
from bot.llm.routing.catalogue import Catalogue
from bot.llm.routing.router import Router
from bot.ports.llm import Ask, Payer
from bot.ports.models import Endpoint, Finished, Inquiry, Line, Params
from tests.bot.llm.scripted import TestBooks
from tests.servers import free_port

WORDS = 20
ANSWER_AFTER = 0.05
"""Seconds of a well server until its answer."""

ALPHA, BETA = "alpha", "beta"


# --- servers


def serve(port: int, ready: Any, bad: Any) -> None:
    """A model server: `bad` is 0 for well, 1 for hanging, 2 for failing."""

    async def chat(request: web.Request) -> web.StreamResponse:
        body = await request.json()
        if bad.value == 1:
            await asyncio.sleep(3600)
        if bad.value == 2:
            return web.json_response({"error": {"code": "server_error", "message": "", "type": ""}}, status=500)
        await asyncio.sleep(0 if body["model"] == "instant" else ANSWER_AFTER)
        usage = {"prompt_tokens": 30, "completion_tokens": WORDS, "total_tokens": 30 + WORDS}
        head = {"id": "1", "created": 1, "model": "m"}
        if not body.get("stream"):
            message = {"role": "assistant", "content": "word " * WORDS}
            choice = {"index": 0, "message": message, "finish_reason": "stop"}
            return web.json_response({**head, "object": "chat.completion", "choices": [choice], "usage": usage})
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for number in range(WORDS + 2):
            delta = {"content": "word "} if number < WORDS else {}
            reason = "stop" if number == WORDS else None
            choices = [{"index": 0, "delta": delta, "finish_reason": reason}] if number <= WORDS else []
            chunk = {**head, "object": "chat.completion.chunk", "choices": choices}
            if number > WORDS:
                chunk["usage"] = usage
            await response.write(b"data: " + web.json_response(chunk).body + b"\n\n")  # type: ignore[operator]
        await response.write(b"data: [DONE]\n\n")
        await response.write_eof()
        return response

    async def main() -> None:
        app = web.Application()
        app.router.add_post("/v1/chat/completions", chat)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port, backlog=1024).start()
        ready.set()
        await asyncio.Event().wait()

    asyncio.run(main())


@dataclass
class Server:
    """One of them, as a process."""

    port: int = field(default_factory=free_port)

    def __post_init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._ready, self.bad = context.Event(), context.Value("i", 0)
        self._process = context.Process(target=serve, args=(self.port, self._ready, self.bad), daemon=True)
        self._process.start()
        assert self._ready.wait(60)

    @property
    def url(self) -> str:
        """Its base URL."""
        return f"http://127.0.0.1:{self.port}/v1"

    def stop(self) -> None:
        """End it."""
        self._process.kill()
        self._process.join()


def catalogue(one: str, two: str) -> Catalogue:
    """Two providers; the task `alpha` prefers the first, `beta` the second."""
    models = {name: {"price": {"input": 0.4, "output": 1.6}} for name in ("m", "instant")}
    part = {"generation_params": {"model": "m", "max_tokens": 100}, "models": models, "concurrency": 200}
    text = yaml.safe_dump(
        {
            "providers": {
                ALPHA: {"openai_setting": {"base_url": one}, **part},
                BETA: {"openai_setting": {"base_url": two}, **part},
            },
            "routes": {ALPHA: [ALPHA, BETA], BETA: [BETA, ALPHA], "instant": [f"{ALPHA}/instant", f"{BETA}/instant"]},
        }
    )
    return Catalogue.model_validate(yaml.safe_load(text))


LINES = (
    Line(role="system", text="You are the assistant of a shop. Be short and kind. " * 8),
    *(
        Line(role="user" if n % 2 == 0 else "assistant", text="Where is my parcel? It left on Monday. " * 3)
        for n in range(7)
    ),
)


# --- overhead


async def overhead(rounds: int = 150) -> None:
    """Turn by turn: the bare client, our adapter, the router over it; the same server, the same request."""
    import openai  # noqa: PLC0415

    server = Server()
    providers = OpenAIProviders()
    provider = providers.open(Endpoint(name="bare", base_url=server.url, api_key=SecretStr("k")))
    bare = openai.AsyncOpenAI(base_url=server.url, api_key="k", max_retries=0)
    router = Router(catalogue(server.url, server.url), lambda: providers, SystemClock(), books=TestBooks())
    messages: Any = [{"role": line.role, "content": line.text} for line in LINES]

    async def by_client(stream: bool) -> None:
        if not stream:
            await bare.chat.completions.create(model="instant", messages=messages, max_completion_tokens=100)
            return
        options: Any = {"include_usage": True}
        chunks = await bare.chat.completions.create(
            model="instant", messages=messages, max_completion_tokens=100, stream=True, stream_options=options
        )
        async for _ in chunks:
            pass

    async def by_adapter(stream: bool) -> None:
        inquiry = Inquiry(model="instant", lines=LINES, params=Params(max_tokens=100), stream=stream)
        assert isinstance([piece async for piece in provider.inquire(inquiry)][-1], Finished)

    async def by_router(stream: bool) -> None:
        ask = Ask(task="instant", lines=LINES)
        if stream:
            async for _ in router.stream(ask):
                pass
        else:
            await router.complete(ask)

    for stream in (False, True):
        wall: dict[str, list[float]] = {"client": [], "adapter": [], "router": []}
        cpu: dict[str, list[float]] = {"client": [], "adapter": [], "router": []}
        for number in range(rounds + 20):
            for name, call in (("client", by_client), ("adapter", by_adapter), ("router", by_router)):
                began, used = time.perf_counter(), time.process_time()
                await call(stream)
                if number >= 20:
                    wall[name].append(time.perf_counter() - began)
                    cpu[name].append(time.process_time() - used)
        for what, times in (("wall", wall), ("CPU of this process", cpu)):
            medians = {name: statistics.median(found) * 1000 for name, found in times.items()}
            print(
                f"{'streamed, 22 chunks' if stream else 'in one piece'}, {what}: client {medians['client']:.2f} ms, "
                f"adapter {medians['adapter']:.2f} ms, router {medians['router']:.2f} ms; "
                f"router over client {medians['router'] - medians['client']:.2f} ms ({rounds} each)"
            )
    await provider.close()
    await bare.close()
    await router.close()
    server.stop()


# --- outage

RATE = 100
WELL, ILL, AGAIN = 8.0, 12.0, 12.0
BUDGET = 60_000
"""In millionths: about half of what this run would cost."""


@dataclass
class Seen:
    """One turn: when it began, its route, how long it took, who answered."""

    at: float
    task: str
    seconds: float
    by: str


async def outage(kind: str) -> None:
    """100 turns a second, half of them on each route; then one provider hangs or fails, and comes back."""
    ill, well = Server(), Server()
    providers = OpenAIProviders()
    router = Router(catalogue(ill.url, well.url), lambda: providers, SystemClock(), books=TestBooks())
    router.open()
    seen: list[Seen] = []
    states: list[tuple[float, str]] = []
    began = time.monotonic()

    async def turn(task: str) -> None:
        at = time.monotonic()
        try:
            answer = await router.complete(Ask(task=task, lines=LINES))
            by = answer.provider
        except NoAnswer:
            by = "nobody"
        seen.append(Seen(at - began, task, time.monotonic() - at, by))

    async def watch() -> None:
        while True:
            states.append((time.monotonic() - began, await router.trouble()))
            await asyncio.sleep(0.05)

    watching = asyncio.ensure_future(watch())
    tasks: list[asyncio.Task[None]] = []
    for number in range(int((WELL + ILL + AGAIN) * RATE)):
        due = began + number / RATE
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        now = time.monotonic() - began
        ill.bad.value = (1 if kind == "hangs" else 2) if WELL <= now < WELL + ILL else 0
        tasks.append(asyncio.ensure_future(turn((ALPHA, BETA)[number % 2])))
    await asyncio.gather(*tasks)
    watching.cancel()
    await router.close()
    ill.stop()
    well.stop()
    _tell_outage(kind, seen, states)


def _tell_outage(kind: str, seen: list[Seen], states: list[tuple[float, str]]) -> None:
    def p99(task: str, begin: float, end: float) -> float:
        times = sorted(one.seconds for one in seen if one.task == task and begin <= one.at < end)
        return times[math.ceil(len(times) * 0.99) - 1] * 1000

    opened = next((at - WELL for at, told in states if at >= WELL and ALPHA in told), None)
    closed = next((at - WELL - ILL for at, told in states if at >= WELL + ILL and ALPHA not in told), None)
    before, during = p99(BETA, 2, WELL), p99(BETA, WELL, WELL + ILL)
    print(
        f"a provider {kind} for {ILL:g} s at {RATE} turns/s: others' p99 {before:.0f} -> {during:.0f} ms "
        f"({during / before:.2f} x); its own p99 {p99(ALPHA, 2, WELL):.0f} -> {p99(ALPHA, WELL, WELL + ILL):.0f} ms, "
        f"after the breaker opened {p99(ALPHA, WELL + (opened or 0) + 0.1, WELL + ILL):.0f} ms"
    )
    print(
        f"  breaker open after {_s(opened)}, closed {_s(closed)} after recovery; "
        f"{sum(one.by == 'nobody' for one in seen)} of {len(seen)} turns without an answer; "
        f"answered by {dict(Counter(one.by for one in seen))}"
    )


def _s(seconds: float | None) -> str:
    return "never" if seconds is None else f"{seconds:.1f} s"


async def budget() -> None:
    """Fifty turns at a time against a budget that is enough for half of them."""
    server = Server()
    providers = OpenAIProviders()
    books = TestBooks(budget=BUDGET)
    router = Router(catalogue(server.url, server.url), lambda: providers, SystemClock(), books=books)
    got: Counter[str] = Counter()

    async def person(name: int) -> None:
        for _ in range(40):
            try:
                await router.complete(Ask(task=ALPHA, lines=LINES, payer=Payer(person=str(name))))
                got["answered"] += 1
            except NoAnswer as problem:
                got["told that the budget is spent" if problem.spent else "other"] += 1

    await asyncio.gather(*(person(name) for name in range(50)))
    await router.close()
    server.stop()
    assert not books.open, "something is still held"
    print(f"a budget of {BUDGET} millionths, 50 turns at once: spent {books.spent}, {dict(got)}")


async def main(which: str) -> None:
    """All of it, or one."""
    if which in ("", "overhead"):
        await overhead()
    if which in ("", "outage"):
        await outage("hangs")
        await outage("fails")
    if which in ("", "budget"):
        await budget()


if __name__ == "__main__":
    # As the program runs.
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main(sys.argv[1] if len(sys.argv) > 1 else ""))
