"""The port to language models: what is asked of one, what it says while it answers, and how it fails. Knows no vendor.

A `Provider` is one endpoint that serves models (OpenAI, Groq, a server of one's own); `Providers` is the adapter that
opens them from `config/providers.yaml`. Which model is asked, and what happens when it fails, is the router's
(`bot.llm`): a provider makes one attempt and never tries again by itself.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any, Literal

from pydantic import SecretStr

from bot.messages import Value

Role = Literal["system", "user", "assistant", "tool"]

Schema = dict[str, Any]
"""A JSON Schema: the only shape here that is not ours."""


class ToolCall(Value, frozen=True):
    """A wish of the model to call a tool; `arguments` are JSON as the model wrote them: not checked yet."""

    id: str
    name: str
    arguments: str


class Audio(Value, frozen=True):
    """A recording that a model hears: base64, in one of the formats that OpenAI's protocol has."""

    data: str
    format: Literal["wav", "mp3"]

    @property
    def seconds(self) -> float:
        """About how long it is, and rather too long: as if it were speech that was packed thinly."""
        return len(self.data) * 3 / 4 / (32_000 if self.format == "wav" else 4_000)


class Line(Value, frozen=True):
    """One line of what a model reads. `pictures` are http or data addresses; `call_id` says whose result it is."""

    role: Role
    text: str = ""
    pictures: tuple[str, ...] = ()
    audio: tuple[Audio, ...] = ()
    calls: tuple[ToolCall, ...] = ()
    call_id: str = ""


class ToolSpec(Value, frozen=True):
    """A tool as the model sees it: `parameters` is the JSON Schema of its arguments, an object."""

    name: str
    description: str
    parameters: Schema


class Params(Value, frozen=True):
    """How to generate. `max_tokens` counts the answer's; None leaves a setting to the provider."""

    max_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    seed: int | None = None
    stop: tuple[str, ...] = ()


class Inquiry(Value, frozen=True):
    """One attempt at one model. `schema` asks for JSON of that shape; `tool_choice` is a tool's name, or nothing."""

    model: str
    lines: tuple[Line, ...]
    tools: tuple[ToolSpec, ...] = ()
    tool_choice: str = ""
    schema: Schema | None = None
    params: Params = Params()
    stream: bool = True


class Usage(Value, frozen=True):
    """Tokens of one attempt: `cached` of the `prompt` ones were cheaper; `estimated` where the provider did not say."""

    prompt: int = 0
    completion: int = 0
    cached: int = 0
    estimated: bool = False


class Words(Value, frozen=True, tag="words"):
    """A piece of the answer's text."""

    text: str


class Thinking(Value, frozen=True, tag="thinking"):
    """A piece of what a model thinks before it speaks: shown to nobody, but a sign that it is at work, and paid for."""

    text: str


class CallPiece(Value, frozen=True, tag="call"):
    """A piece of the call at `index`: `id` and `name` come with its first piece, `arguments` bit by bit."""

    index: int
    id: str = ""
    name: str = ""
    arguments: str = ""


class Finished(Value, frozen=True, tag="finished"):
    """The answer is complete, as the model said itself; a stream that ends without one of these was cut."""

    reason: Literal["stop", "length", "tools", "content"]
    usage: Usage = Usage()


Piece = Words | Thinking | CallPiece | Finished


class Provider(ABC):
    """One endpoint. `name` is its name in `config/providers.yaml`."""

    name: str

    @abstractmethod
    def inquire(self, inquiry: Inquiry) -> AsyncGenerator[Piece, None]:
        """Make one attempt and yield the answer as it comes; closing the generator ends the request at once.

        Yields a `Finished` last, or raises: StreamBroken once pieces have come, otherwise any ModelError. Answers that
        are not streamed come this way too, in one piece. Time limits are the caller's.
        """

    @abstractmethod
    async def embed(self, model: str, texts: Sequence[str]) -> tuple[list[list[float]], Usage]:
        """One vector for each text, in order. Raises ModelError."""

    @abstractmethod
    async def close(self) -> None:
        """Let go of connections."""


Lack = Literal["max_completion_tokens", "stream_usage", "json_schema", "json_object", "tool_choice", "seed"]
"""What a server that speaks OpenAI's protocol may not know. The first is then asked for as `max_tokens`."""


class Endpoint(Value, frozen=True):
    """Where a provider is, and what else its client is told. Without `api_key` none is sent.

    `lacks` says what must not be asked of it.
    """

    name: str
    base_url: str
    api_key: SecretStr | None = None
    headers: Mapping[str, str] = {}
    lacks: tuple[Lack, ...] = ()


class Providers(ABC):
    """Opens providers. One adapter serves all endpoints that speak OpenAI's protocol."""

    @abstractmethod
    def open(self, endpoint: Endpoint) -> Provider:
        """A provider for this endpoint; connects at its first attempt."""
