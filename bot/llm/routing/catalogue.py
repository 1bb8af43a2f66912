"""What `config/providers.yaml` says: providers, their models, and the routes of tasks. Knows no file and no network."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from bot.ports.llm import Need
from bot.ports.models import Endpoint, Lack, Usage

TASKS = ("answer", "classify", "extract", "summarize", "judge", "embed")
"""The tasks that Frontdesk itself has. A skill may name others; those take the route of `answer`."""

AUTO = "auto"
"""As a model's name: whichever the server says it has."""

MILLIS = 1000
"""Prices are kept in thousandths of a millionth of the currency for each token, so that sums are exact."""

Ability = Literal["tools", "vision", "hearing", "json", "embed"]
Level = Literal["free", "cheaper", "shorter"]


class Part(BaseModel):
    """A part of the file: frozen, and a key that it does not have is a mistake."""

    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=())


class Price(Part):
    """For a million tokens, in the currency of your budgets. `cached` is for prompts that the provider knew."""

    input: Annotated[float, Field(ge=0)] = 0.0
    output: Annotated[float, Field(ge=0)] = 0.0
    cached: Annotated[float, Field(ge=0)] | None = None

    def of(self, usage: Usage) -> int:
        """What it costs, in millionths, rounded up."""
        fresh = max(0, usage.prompt - usage.cached)
        cached = self.input if self.cached is None else self.cached
        thousandths = (
            fresh * round(self.input * MILLIS)
            + min(usage.cached, usage.prompt) * round(cached * MILLIS)
            + usage.completion * round(self.output * MILLIS)
        )
        return -(-thousandths // MILLIS)


class Model(Part):
    """What one model can do. `context` and `output` are tokens; no `languages` means that it speaks them all.

    `patience` is how many seconds its first word may take while others could be asked instead, and `silence` how long
    it may fall silent in the middle before that is taken for the end.
    """

    context: Annotated[int, Field(ge=256)] = 8192
    output: Annotated[int, Field(ge=1)] | None = None
    abilities: tuple[Ability, ...] = ()
    quality: Annotated[float, Field(ge=0, le=1)] = 0.5
    languages: tuple[str, ...] = ()
    price: Price = Price()
    patience: Annotated[float, Field(gt=0)] = 10.0
    silence: Annotated[float, Field(gt=0)] = 10.0


class OpenAISetting(Part):
    """How to reach a provider. The key comes from the environment; one that needs none has no `api_key` line."""

    base_url: str = ""
    api_key: SecretStr | None = None
    headers: dict[str, str] = {}

    @field_validator("base_url")
    @classmethod
    def _an_address(cls, value: str) -> str:
        if value and not value.startswith(("http://", "https://")):
            raise ValueError("should be an address such as https://api.example.org/v1")
        return value.rstrip("/")


class GenerationParams(Part):
    """What a model gets where nobody asks for something else."""

    model: str
    max_tokens: Annotated[int, Field(ge=1)] = 1024
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    top_p: Annotated[float, Field(gt=0, le=1)] | None = None
    stream: bool = True


class ProviderPart(Part):
    """One provider. `unless` names variables of the environment: with one of them set, it is off.

    `lacks` says where its server differs from OpenAI's; see docs/models.md.
    """

    openai_setting: OpenAISetting
    generation_params: GenerationParams
    models: dict[str, Model] = {}
    concurrency: Annotated[int, Field(ge=1)] = 32
    unless: tuple[str, ...] = ()
    lacks: tuple[Lack, ...] = ()

    @model_validator(mode="after")
    def _its_own_model(self) -> Self:
        name = self.generation_params.model
        if name not in self.models:
            raise ValueError(f"generation_params.model is {name or 'empty'}, which is not among its models")
        return self

    @property
    def keyed(self) -> bool:
        """Whether it wants a key."""
        return self.openai_setting.api_key is not None

    @property
    def on(self) -> bool:
        """Whether everything is there that it needs."""
        key = self.openai_setting.api_key
        return bool(self.openai_setting.base_url) and (key is None or bool(key.get_secret_value()))

    def endpoint(self, name: str) -> Endpoint:
        """What its client is told."""
        given = self.openai_setting
        return Endpoint(
            name=name, base_url=given.base_url, api_key=given.api_key, headers=given.headers, lacks=self.lacks
        )


class When(Part):
    """When a step of a route is taken; what is not said does not matter.

    `needs`: only for questions that need one of these. `longer` and `shorter`: tokens of the prompt. `quality`: only
    where at least this much is wanted. `budget`: only on these rungs of the payer's budget.
    """

    needs: tuple[Need, ...] = ()
    longer: int | None = None
    shorter: int | None = None
    languages: tuple[str, ...] = ()
    quality: float | None = None
    budget: tuple[Level, ...] = ()


class Step(Part):
    """One step of a route: `use` is provider/model, or a provider alone for its own model."""

    use: str
    when: When = When()


class Route(Part):
    """Who answers a task: the first step that may, then the next. `refused` says what a filter's refusal leads to."""

    steps: tuple[Step, ...]
    refused: Literal["stop", "next"] = "stop"

    @model_validator(mode="before")
    @classmethod
    def _a_list_will_do(cls, value: object) -> object:
        if isinstance(value, list):
            return {"steps": value}
        return value

    @field_validator("steps", mode="before")
    @classmethod
    def _a_name_will_do(cls, value: object) -> object:
        if isinstance(value, list | tuple):
            return [{"use": step} if isinstance(step, str) else step for step in value]
        return value


class Hedging(Part):
    """A second request when the first is slow: of a hundred requests, at most `share` x 100 are made twice."""

    share: Annotated[float, Field(ge=0, le=0.5)] = 0.05
    after: Annotated[float, Field(gt=0)] = 2.0


class Catalogue(Part):
    """Everything that the file says, with the providers that are on only."""

    providers: dict[str, ProviderPart] = {}
    routes: dict[str, Route] = {}
    hedging: Hedging = Hedging()

    def route(self, task: str) -> Route:
        """The route of a task; one that has none goes as `answer` does."""
        found = self.routes.get(task)
        if found is None and task != "embed":
            found = self.routes.get("answer")
        return found or Route(steps=())

    def places(self, task: str) -> Iterator[tuple[Step, str, str]]:
        """The steps of a route whose providers are on, each with its provider and model."""
        for step in self.route(task).steps:
            provider, _, model = step.use.partition("/")
            if provider in self.providers:
                yield step, provider, model or self.providers[provider].generation_params.model

    def model(self, provider: str, name: str) -> Model:
        """What is known of a model."""
        return self.providers[provider].models[name]
