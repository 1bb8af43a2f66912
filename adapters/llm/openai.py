"""Providers over OpenAI's client: one attempt each, without the client's retries and time limits. Decides nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

from adapters.llm.answers import Reader
from adapters.llm.requests import Json, body_of
from bot import ModelBusy, ModelError, StreamBroken
from bot.ports import Endpoint, Inquiry, Piece, Provider, Providers, Usage

if TYPE_CHECKING:
    from openai import AsyncOpenAI

AUTO = "auto"
"""As a model's name: whichever the server says it has."""

OPENAI = "//api.openai.com/"

AFTER_THE_END = 0.5
"""Seconds that are waited, in all, for the usage once the model said that it is done."""

MANY = 2048
"""So many texts can be embedded by one request."""


class OpenAIProviders(Providers):
    """All providers that speak this protocol share one pool of connections, which the last one closes."""

    def __init__(self) -> None:
        self._http: Any = None
        self._open = 0

    def open(self, endpoint: Endpoint) -> Provider:
        """A provider for this endpoint; connects at its first attempt."""
        import openai  # noqa: PLC0415 - half a second, and the package may be missing

        if self._http is None:
            # Times are the router's. Redirects would carry the key to wherever they lead.
            self._http = openai.DefaultAioHttpClient(timeout=None, follow_redirects=False)
        self._open += 1
        key = endpoint.api_key.get_secret_value() if endpoint.api_key is not None else ""
        headers: dict[str, Any] = {} if key else {"Authorization": openai.omit}
        if OPENAI not in endpoint.base_url:
            # The client takes them from the environment, for whoever is asked.
            headers |= {"OpenAI-Organization": openai.omit, "OpenAI-Project": openai.omit}
        client = openai.AsyncOpenAI(
            base_url=endpoint.base_url,
            api_key=key or "none",
            max_retries=0,
            timeout=None,
            http_client=self._http,
        )
        return OpenAIProvider(endpoint, client, {**headers, **endpoint.headers}, self._closed)

    async def _closed(self) -> None:
        self._open -= 1
        if not self._open and self._http is not None:
            http, self._http = self._http, None
            await http.aclose()


class OpenAIProvider(Provider):
    """One endpoint."""

    def __init__(
        self, endpoint: Endpoint, client: AsyncOpenAI, headers: dict[str, Any], closed: Callable[[], Awaitable[None]]
    ) -> None:
        self.name, self._lacks = endpoint.name, endpoint.lacks
        self._client, self._headers, self._closed = client, headers, closed
        self._model = ""

    async def inquire(self, inquiry: Inquiry) -> AsyncGenerator[Piece, None]:
        """Make one attempt."""
        begun = False
        try:
            body = body_of(inquiry, await self._named(inquiry.model), self._lacks)
            async with aclosing((self._streamed if inquiry.stream else self._whole)(inquiry, body)) as pieces:
                async for piece in pieces:
                    begun = True
                    yield piece
        except ModelError:
            raise
        except Exception as error:
            from adapters.llm.failures import failure  # noqa: PLC0415 - needs the client's package

            raise failure(error, begun=begun) from error

    async def embed(self, model: str, texts: Sequence[str]) -> tuple[list[list[float]], Usage]:
        """One vector for each text, in order."""
        try:
            name = await self._named(model)
            vectors: list[list[float]] = []
            tokens = 0
            for begin in range(0, len(texts), MANY):
                some = list(texts[begin : begin + MANY])
                create = self._client.embeddings.create
                answer = await create(model=name, input=some, encoding_format="float", extra_headers=self._headers)
                found = sorted(answer.data, key=lambda one: one.index)
                if len(found) != len(some):
                    raise ModelBusy("another number of vectors than of texts")
                vectors += [list(one.embedding) for one in found]
                tokens += answer.usage.prompt_tokens if answer.usage is not None else 0
        except ModelError:
            raise
        except Exception as error:
            from adapters.llm.failures import failure  # noqa: PLC0415 - needs the client's package

            raise failure(error, begun=False) from error
        return vectors, Usage(prompt=tokens)

    async def close(self) -> None:
        """The pool goes with the last provider."""
        await self._closed()

    async def _named(self, model: str) -> str:
        """The model's name; of a server of one's own, the first that it says it has."""
        if model != AUTO:
            return model
        if not self._model:
            listed = await self._client.models.list(extra_headers=self._headers)
            if not listed.data:
                raise ModelBusy("the server has no model")
            self._model = listed.data[0].id
        return self._model

    async def _create(self, body: Json) -> Any:
        """Send it. The client's `create` walks a request beside its types, half of a call's CPU; `post` does not."""
        from openai import AsyncStream  # noqa: PLC0415 - slow to load, and the package may be missing
        from openai.types.chat import ChatCompletion, ChatCompletionChunk  # noqa: PLC0415 - the same

        return await self._client.post(
            "/chat/completions",
            body=body,
            options={"headers": self._headers},
            cast_to=ChatCompletion,
            stream="stream" in body,
            stream_cls=AsyncStream[ChatCompletionChunk],
        )

    async def _whole(self, inquiry: Inquiry, body: Json) -> AsyncGenerator[Piece, None]:
        completion = await self._create(body)
        if not getattr(completion, "choices", None):
            raise ModelBusy("the answer is no completion")
        for piece in Reader(inquiry).whole(completion):
            yield piece

    async def _streamed(self, inquiry: Inquiry, body: Json) -> AsyncGenerator[Piece, None]:
        stream = await self._create(body)
        reader = Reader(inquiry)
        time, until = asyncio.get_running_loop().time, None
        try:
            chunks = aiter(stream)
            while True:
                if reader.complete and until is None:
                    until = time() + AFTER_THE_END
                try:
                    async with asyncio.timeout_at(until):
                        chunk = await anext(chunks)
                except StopAsyncIteration:
                    break
                except TimeoutError:
                    break  # it said that it is done, and then did not hang up
                except Exception:
                    if reader.complete:
                        break  # nor does it matter how it hung up
                    raise
                for piece in reader.chunk(chunk):
                    yield piece
        finally:
            await stream.close()
        if not reader.complete:
            raise StreamBroken("it ended without a finish reason")
        for piece in reader.end():
            yield piece
