"""Providers and their models as they fare: opened once, with their places, breakers and times. Decides no route."""

from __future__ import annotations

import functools
from collections.abc import Callable

import structlog

from bot.dialog.queues import FairQueue
from bot.errors import AuthFailed, BadInquiry, ModelBusy, ModelError, QuotaSpent, StreamBroken
from bot.llm.routing.breaker import Breaker
from bot.llm.routing.catalogue import Catalogue, Model, ProviderPart
from bot.llm.routing.counting import Counts
from bot.llm.routing.latency import Latency
from bot.llm.tokens import count
from bot.ports.models import Provider, Providers

log = structlog.get_logger()

NO_CREDIT = 300.0
"""After so many seconds a provider without credit is asked once more."""

NO_KEY = 600.0
"""The same for one whose key was refused, or that has no such model: somebody has to act."""

LONGEST_HOLD = 3600.0
"""Of a Retry-After, in seconds."""

LEAST_PATIENCE = 3.0
"""However quick a model usually is, its first words may take so many seconds."""

# Something to count, for comparing the tokens of models.
SAMPLE = "The parcel left our house on Monday and is with the carrier now. " * 20


class Supplier:
    """One provider: its client, so many places at once, and whether its account is good for anything."""

    def __init__(
        self, name: str, part: ProviderPart, open_it: Callable[[], Provider], now: Callable[[], float]
    ) -> None:
        self.name, self.part = name, part
        self.places = FairQueue(part.concurrency)
        self.account = Breaker(now)
        self._open_it = open_it
        self._client: Provider | None = None

    @property
    def client(self) -> Provider:
        """Opened at first use."""
        if self._client is None:
            self._client = self._open_it()
        return self._client

    async def close(self) -> None:
        """Let go of connections."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()


class Place:
    """One model at one provider. `fineness`: how many tokens it makes of what is one elsewhere."""

    def __init__(self, supplier: Supplier, name: str, model: Model, now: Callable[[], float]) -> None:
        self.supplier, self.name, self.model = supplier, name, model
        self.breaker = Breaker(now)
        self.fineness = count(SAMPLE, name) / count(SAMPLE)
        self._times = {True: Latency(), False: Latency()}

    @property
    def id(self) -> str:
        """As in the file: provider/model."""
        return f"{self.supplier.name}/{self.name}"

    @property
    def ready_in(self) -> float:
        """In how many seconds it may be asked."""
        return max(self.breaker.ready_in, self.supplier.account.ready_in)

    def times(self, *, stream: bool) -> Latency:
        """How long its first words take, streamed or not."""
        return self._times[stream]

    def patience(self, *, stream: bool) -> float:
        """So long may its first words take while others could be asked: four times what is slow for it."""
        return min(self.model.patience, max(LEAST_PATIENCE, 4 * self.times(stream=stream).p95(self.model.patience)))

    def enter(self) -> tuple[bool, bool]:
        """An attempt begins: whether it is the probe of the account, and of the model."""
        return self.supplier.account.enter(), self.breaker.enter()

    def leave(self, probes: tuple[bool, bool]) -> None:
        """It ended without telling anything about the place."""
        self.supplier.account.leave(probes[0])
        self.breaker.leave(probes[1])

    def worked(self) -> None:
        """It answered."""
        opened = self.breaker.state != "closed" or self.supplier.account.state != "closed"
        self.supplier.account.worked()
        self.breaker.worked()
        if opened:
            log.info("model_back", model=self.id)

    def failed(self, error: ModelError, probes: tuple[bool, bool]) -> None:
        """What follows from a failure, for all who come later."""
        match error:
            case QuotaSpent():
                if self.supplier.account.open(NO_CREDIT, "no credit"):
                    log.error("provider_without_credit", provider=self.supplier.name)
            case AuthFailed():
                if self.supplier.account.open(NO_KEY, "key refused"):
                    log.error("provider_refused_the_key", provider=self.supplier.name)
            case BadInquiry(no_such_model=True):
                if self.breaker.open(NO_KEY, "no such model"):
                    log.error("no_such_model", model=self.id)
            case ModelBusy(retry_after=seconds) if seconds is not None:
                # It says itself when to come again, so nothing is wrong with it.
                if probes[1]:
                    self.breaker.failed("busy")
                self.breaker.hold(min(seconds, LONGEST_HOLD))
            case ModelBusy() | StreamBroken():
                if self.breaker.failed("busy" if isinstance(error, ModelBusy) else "cut off"):
                    log.warning("model_rests", model=self.id, problem=type(error).__name__)
            case _:
                self.leave(probes)
                return
        self.supplier.account.leave(probes[0] and not isinstance(error, QuotaSpent | AuthFailed))


class Supply:
    """All places of the catalogue."""

    def __init__(
        self, catalogue: Catalogue, providers: Callable[[], Providers | None], now: Callable[[], float]
    ) -> None:
        self.catalogue, self._providers, self._now = catalogue, providers, now
        self._suppliers = {
            name: Supplier(name, part, functools.partial(self._open, name), now)
            for name, part in catalogue.providers.items()
        }
        self._places: dict[tuple[str, str], Place] = {}
        self.counts = Counts()

    @property
    def there(self) -> bool:
        """Whether any provider is on, and something can open it."""
        return bool(self._suppliers) and self._providers() is not None

    def place(self, provider: str, model: str) -> Place:
        """The place of a model."""
        found = self._places.get((provider, model))
        if found is None:
            found = Place(self._suppliers[provider], model, self.catalogue.model(provider, model), self._now)
            self._places[provider, model] = found
        return found

    def open(self) -> None:
        """Open all clients now: loading a vendor's package takes half a second, which no person should wait for."""
        for supplier in self._suppliers.values():
            supplier.client  # noqa: B018 - opened by being looked at

    async def close(self) -> None:
        """Let go of all connections."""
        for supplier in self._suppliers.values():
            await supplier.close()

    def troubles(self) -> list[str]:
        """What rests, and why, in words for the operator; nothing of keys or people."""
        told = [
            f"{supplier.name}: {supplier.account.why}, {supplier.account.state}"
            for supplier in self._suppliers.values()
            if supplier.account.state != "closed"
        ]
        told += [
            f"{place.id}: {place.breaker.why}, {place.breaker.state}"
            for place in self._places.values()
            if place.breaker.state != "closed"
        ]
        return told

    def _open(self, name: str) -> Provider:
        providers = self._providers()
        if providers is None:
            raise AuthFailed(f"nothing here can open {name}: pip install '.[llm]'")
        return providers.open(self.catalogue.providers[name].endpoint(name))
