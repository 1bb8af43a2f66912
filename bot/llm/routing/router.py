"""Language models, as one: every Ask finds a model that answers, or an honest end. Knows no vendor and no task."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from typing import TypeVar

from pydantic import BaseModel

from bot.clock import Clock
from bot.errors import NoAnswer
from bot.llm.cache import AnswerCache
from bot.llm.offline import Engines
from bot.llm.routing.catalogue import Catalogue
from bot.llm.routing.course import Course
from bot.llm.routing.embedding import Embedding
from bot.llm.routing.latency import Credit
from bot.llm.routing.means import Means
from bot.llm.routing.settling import Settling
from bot.llm.routing.supply import Supply
from bot.llm.spending.books import Books
from bot.llm.structured import into
from bot.phrases import Phrases
from bot.ports.llm import NOBODY, Answer, Ask, Chunk, Llm, Payer
from bot.ports.models import Providers

M = TypeVar("M", bound=BaseModel)


class Router(Llm):
    """The way in. `providers` opens endpoints; it may be missing, and is looked for when it is needed."""

    def __init__(
        self,
        catalogue: Catalogue,
        providers: Callable[[], Providers | None],
        clock: Clock,
        *,
        books: Books,
        cache: AnswerCache | None = None,
        phrases: Phrases | None = None,
    ) -> None:
        self.engines = Engines()
        self._cache = cache
        self._settling = Settling(books, clock)
        self._supply = Supply(catalogue, providers, clock.steady)
        self._means = Means(
            supply=self._supply,
            books=books,
            clock=clock,
            engines=self.engines,
            phrases=phrases or Phrases(),
            credit=Credit(catalogue.hedging.share),
            settling=self._settling,
        )
        self._embedding = Embedding(self._means)
        if cache is not None:
            cache.use(self.embed)

    @property
    def models(self) -> list[str]:
        """The models whose providers are on, as provider/model."""
        parts = self._supply.catalogue.providers
        return [f"{name}/{model}" for name, part in parts.items() for model in part.models]

    @property
    def there(self) -> bool:
        """Whether any model is configured."""
        return self._supply.there

    async def complete(self, ask: Ask) -> Answer:
        """The whole answer."""
        async with aclosing(self._chunks(ask, stream=False)) as chunks:
            async for chunk in chunks:
                if chunk.answer is not None:
                    return chunk.answer
        raise NoAnswer("the course ended without an answer", sentence=self._means.phrases.model_away)

    async def stream(self, ask: Ask) -> AsyncGenerator[Chunk, None]:
        """The answer as it comes."""
        async with aclosing(self._chunks(ask, stream=True)) as chunks:
            async for chunk in chunks:
                yield chunk

    async def into(self, ask: Ask, shape: type[M]) -> M:
        """The answer as an instance of a pydantic model."""
        return await into(self.complete, ask, shape)

    async def embed(self, texts: Sequence[str], payer: Payer = NOBODY) -> list[list[float]]:
        """A vector of unit length for each text, from the first model of the route `embed` that answers."""
        return await self._embedding.embed(texts, payer)

    def open(self) -> None:
        """Load and open what is configured, before the first question; connects to nobody."""
        if self.there:
            self._supply.open()

    async def trouble(self) -> str:
        """What rests, for /readyz: "" when all is well."""
        return "; ".join(self._supply.troubles())

    async def settled(self) -> None:
        """Wait until everything that was used is in the books."""
        await self._settling.settled()

    async def close(self) -> None:
        """Settle what is left, if the database takes it, and let go of connections."""
        await self._settling.close()
        await self._supply.close()

    # --- inside

    def _chunks(self, ask: Ask, *, stream: bool) -> AsyncGenerator[Chunk, None]:
        def produce(ask: Ask) -> AsyncGenerator[Chunk, None]:
            return Course(ask, self._means, stream=stream).run()

        if self._cache is None or ask.cache == "never" or (ask.cache == "person" and not ask.payer.person):
            return produce(ask)
        return self._cache.through(ask, produce, stream=stream)
