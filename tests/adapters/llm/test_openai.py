"""The adapter against a strict local server: real sockets, OpenAI's real client, OpenAI's own schema."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Any

import pytest
from pydantic import SecretStr

pytest.importorskip("openai")

from adapters.llm.openai import OpenAIProviders
from bot import AuthFailed, BadInquiry, ContentRefused, ModelBusy, ModelError, QuotaSpent, StreamBroken
from bot.ports import (
    Audio,
    CallPiece,
    Endpoint,
    Finished,
    Inquiry,
    Lack,
    Line,
    Params,
    Piece,
    Provider,
    Thinking,
    ToolCall,
    ToolSpec,
    Words,
)
from tests.platforms.openai import KEY, Fault, LocalOpenAI, Say

WEATHER = ToolSpec(
    name="weather",
    description="The weather somewhere.",
    parameters={"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
)
HI = (Line(role="system", text="Be kind."), Line(role="user", text="Hi"))


@asynccontextmanager
async def provider(server: LocalOpenAI, lacks: tuple[Lack, ...] = ()) -> AsyncIterator[Provider]:
    async with server:
        key = SecretStr(server.key) if server.key else None
        opened = OpenAIProviders().open(Endpoint(name="local", base_url=server.url, api_key=key, lacks=lacks))
        try:
            yield opened
        finally:
            await opened.close()


async def all_of(opened: Provider, inquiry: Inquiry) -> list[Piece]:
    async with aclosing(opened.inquire(inquiry)) as pieces:
        return [piece async for piece in pieces]


def text_of(pieces: list[Piece]) -> str:
    return "".join(piece.text for piece in pieces if isinstance(piece, Words))


def end_of(pieces: list[Piece]) -> Finished:
    last = pieces[-1]
    assert isinstance(last, Finished)
    return last


def inquiry(**more: Any) -> Inquiry:
    return Inquiry(**{"model": "gpt-4.1-mini", "lines": HI, "params": Params(max_tokens=100), **more})


@pytest.mark.parametrize("stream", [True, False])
async def test_an_answer_comes_with_what_it_used(stream: bool) -> None:
    server = LocalOpenAI(says=_once(Say(text="Good morning to you", reasoning="the person says Hi")))
    async with provider(server) as opened:
        pieces = await all_of(opened, inquiry(stream=stream))
    assert text_of(pieces) == "Good morning to you"
    end = end_of(pieces)
    assert end.reason == "stop"
    assert (end.usage.prompt, end.usage.completion) == (server.bill[0].prompt, 4)
    assert len([piece for piece in pieces if not isinstance(piece, Thinking)]) == (5 if stream else 2)
    assert "".join(piece.text for piece in pieces if isinstance(piece, Thinking)) == "the person says Hi"
    assert server.problems == []
    assert server.requests[0]["max_completion_tokens"] == 100


async def test_thoughts_in_the_text_are_told_apart_and_told() -> None:
    server = LocalOpenAI(says=_once(Say(text="<think> they say Hi </think> Good morning")))
    async with provider(server) as opened:
        pieces = await all_of(opened, inquiry())
    assert text_of(pieces) == "Good morning"
    assert "they say" in "".join(piece.text for piece in pieces if isinstance(piece, Thinking))


@pytest.mark.parametrize("stream", [True, False])
async def test_calls_come_with_their_arguments(stream: bool) -> None:
    says = Say(text="", calls=(("weather", '{"city": "Oslo"}'), ("weather", '{"city": "Bergen"}')))
    server = LocalOpenAI(says=_once(says))
    async with provider(server) as opened:
        pieces = await all_of(opened, inquiry(tools=(WEATHER,), tool_choice="weather", stream=stream))
    calls = _calls(pieces)
    assert [(call.name, call.arguments) for call in calls] == [
        ("weather", '{"city": "Oslo"}'),
        ("weather", '{"city": "Bergen"}'),
    ]
    assert len({call.id for call in calls}) == 2
    assert end_of(pieces).reason == "tools"
    assert server.problems == []


async def test_everything_that_a_model_may_read_fits_the_schema() -> None:
    lines = (
        Line(role="system", text="Be kind."),
        Line(role="user", text="What is this?", pictures=("data:image/png;base64,AAAA",)),
        Line(role="user", text="And this?", audio=(Audio(data="AAAA", format="wav"), Audio(data="AA==", format="mp3"))),
        Line(role="assistant", calls=(ToolCall(id="call_1", name="weather", arguments='{"city": "Oslo"}'),)),
        Line(role="tool", text="rain", call_id="call_1"),
        Line(role="assistant", text="It rains."),
        Line(role="user", text="Thanks"),
    )
    params = Params(max_tokens=5, temperature=0.5, top_p=0.9, seed=1, stop=("END",))
    schema = {"type": "object", "properties": {"a": {"type": "string"}}}
    server = LocalOpenAI()
    async with provider(server) as opened:
        await all_of(opened, inquiry(lines=lines, params=params, tools=(WEATHER,), schema=schema))
    assert server.problems == []
    assert len(server.requests) == 1
    assert server.requests[0]["messages"][2]["content"] == [
        {"type": "text", "text": "And this?"},
        {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}},
        {"type": "input_audio", "input_audio": {"data": "AA==", "format": "mp3"}},
    ]


async def test_what_a_server_lacks_is_not_asked_of_it() -> None:
    server = LocalOpenAI(key="")
    lacks: tuple[Lack, ...] = ("max_completion_tokens", "stream_usage", "json_schema", "tool_choice", "seed")
    async with provider(server, lacks) as opened:
        pieces = await all_of(
            opened,
            inquiry(
                params=Params(max_tokens=7, seed=1), tools=(WEATHER,), tool_choice="weather", schema={"type": "object"}
            ),
        )
    assert server.requests[0].keys() == {"model", "messages", "max_tokens", "tools", "response_format", "stream"}
    assert server.requests[0]["response_format"] == {"type": "json_object"}
    assert end_of(pieces).usage.prompt == 0, "nobody said what was used"


@pytest.mark.parametrize("lacks", [("json_schema",), ("json_schema", "json_object")])
async def test_a_server_without_schemas_is_told_in_words_which_json_is_wanted(lacks: tuple[Lack, ...]) -> None:
    server = LocalOpenAI()
    schema = {"type": "object", "properties": {"größe": {"type": "string"}}}
    async with provider(server, lacks) as opened:
        await all_of(opened, inquiry(schema=schema))
        await all_of(opened, inquiry(schema=schema, lines=HI[1:]))
        await all_of(opened, inquiry())
    assert server.problems == []
    first, second, plain = (request["messages"] for request in server.requests)
    assert [message["role"] for message in first] == [message["role"] for message in second] == ["system", "user"]
    assert first[0]["content"].startswith("Be kind.") and "größe" in first[0]["content"]
    assert "größe" in second[0]["content"] and "JSON" not in str(plain)


async def test_a_server_of_ones_own_says_which_model_it_has() -> None:
    server = LocalOpenAI(key="", models=("qwen2.5",))
    async with provider(server) as opened:
        assert text_of(await all_of(opened, inquiry(model="auto")))
    assert server.requests[0]["model"] == "qwen2.5"


FAILS: list[tuple[Fault, type[ModelError]]] = [
    ("401", AuthFailed),
    ("403", AuthFailed),
    ("404", BadInquiry),
    ("429", ModelBusy),
    ("quota", QuotaSpent),
    ("500", ModelBusy),
    ("too long", BadInquiry),
    ("bad request", BadInquiry),
    ("filter", ContentRefused),
    ("html", ModelError),
    ("reset before", ModelBusy),
]


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize(("fault", "kind"), FAILS)
async def test_a_failure_is_of_the_class_that_says_what_follows(
    fault: Fault, kind: type[ModelError], stream: bool
) -> None:
    server = LocalOpenAI(says=_once(Say(fault=fault, retry_after="7" if fault == "429" else "")))
    async with provider(server) as opened:
        with pytest.raises(kind) as caught:
            await all_of(opened, inquiry(stream=stream))
    assert KEY not in str(caught.value)
    assert len(server.requests) == 1, "the client tries once"
    if isinstance(caught.value, BadInquiry):
        assert caught.value.too_long == (fault == "too long")
        assert caught.value.no_such_model == (fault == "404")
    if fault == "429":
        assert isinstance(caught.value, ModelBusy)
        assert caught.value.retry_after == 7


CUT: list[Fault] = ["truncated", "reset", "malformed", "wrong shape", "error event"]


@pytest.mark.parametrize("fault", CUT)
async def test_a_stream_that_ends_early_is_broken_and_not_complete(fault: Fault) -> None:
    server = LocalOpenAI(says=_once(Say(text="one two three four five", fault=fault)))
    heard: list[Piece] = []
    async with provider(server) as opened:
        with pytest.raises(StreamBroken):
            async for piece in opened.inquire(inquiry()):
                heard.append(piece)
    assert text_of(heard) == "one two three"


@pytest.mark.parametrize("fault", ["no hang up", "no done", "goes on"])
async def test_a_stream_that_said_that_it_is_done_is_complete(fault: Fault) -> None:
    server = LocalOpenAI(says=_once(Say(text="one two three four five", fault=fault)))
    async with provider(server) as opened:
        async with asyncio.timeout(5):
            pieces = await all_of(opened, inquiry())
    assert text_of(pieces) == "one two three four five"
    assert end_of(pieces).reason == "stop"


async def test_a_filter_that_stops_an_answer_is_told() -> None:
    server = LocalOpenAI(says=_once(Say(fault="filter in the end")))
    async with provider(server) as opened:
        assert end_of(await all_of(opened, inquiry())).reason == "content"


async def test_closing_it_ends_the_request_at_once() -> None:
    server = LocalOpenAI(says=_once(Say(text="one two three four five six", gap=0.2)))
    async with provider(server) as opened:
        async with aclosing(opened.inquire(inquiry())) as pieces:
            await anext(pieces)
        for _ in range(200):
            if server.left:
                break
            await asyncio.sleep(0.01)
        assert server.left == 1
        assert server.at_once == 0


async def test_vectors_come_in_the_order_of_the_texts() -> None:
    server = LocalOpenAI()
    async with provider(server) as opened:
        vectors, usage = await opened.embed("text-embedding-3-small", ["a", "bbb", "cc"])
    assert [vector[0] for vector in vectors] == [1.0, 3.0, 2.0]
    assert usage.prompt == 3
    assert server.problems == []


async def test_providers_share_a_pool_and_may_be_opened_again() -> None:
    providers = OpenAIProviders()
    async with LocalOpenAI() as server:
        endpoint = Endpoint(name="local", base_url=server.url, api_key=SecretStr(KEY))
        one, two = providers.open(endpoint), providers.open(endpoint)
        await one.close()
        assert text_of(await all_of(two, inquiry()))
        await two.close()
        three = providers.open(endpoint)
        assert text_of(await all_of(three, inquiry()))
        await three.close()


def _once(say: Say) -> Any:
    from collections import deque  # noqa: PLC0415

    return deque([say])


def _calls(pieces: list[Piece]) -> list[ToolCall]:
    calls: dict[int, ToolCall] = {}
    for piece in pieces:
        if isinstance(piece, CallPiece):
            old = calls.get(piece.index, ToolCall(id="", name="", arguments=""))
            calls[piece.index] = ToolCall(
                id=old.id or piece.id, name=old.name or piece.name, arguments=old.arguments + piece.arguments
            )
    return list(calls.values())
