"""Vectors of texts, from the first model of the route `embed` that answers. Knows no vendor."""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import Sequence

from bot.errors import ModelBusy, ModelError, NoAnswer, StreamBroken
from bot.llm.routing.choosing import MARGIN, choose
from bot.llm.routing.ending import no_answer
from bot.llm.routing.means import Means
from bot.llm.routing.supply import Place
from bot.llm.spending.books import Reservation, Spent, UsageEntry
from bot.llm.tokens import count
from bot.ports.llm import Ask, Payer
from bot.ports.models import Usage

DEADLINE = 30.0
"""Seconds for all attempts together."""


class Embedding:
    """One attempt at each model, in the order of the route: vectors of two models can't be compared anyway."""

    def __init__(self, means: Means) -> None:
        self._means = means

    async def embed(self, texts: Sequence[str], payer: Payer) -> list[list[float]]:
        """A vector of unit length for each text. Raises NoAnswer."""
        if not texts:
            return []
        problems = []
        until = self._means.clock.steady() + DEADLINE
        for place in self._places():
            if place.ready_in > 0:
                problems.append(f"{place.id} rests")
                continue
            try:
                return await self._attempt(place, texts, payer, until - self._means.clock.steady())
            except ModelError as error:
                problems.append(f"{place.id}: {type(error).__name__}")
        raise NoAnswer("; ".join(problems) or "nobody embeds", sentence=self._means.phrases.model_away)

    def _places(self) -> list[Place]:
        supply = self._means.supply
        if not supply.there:
            return []
        found = choose(supply.catalogue, Ask(task="embed", lines=()), 0).candidates
        return [supply.place(candidate.provider, candidate.model) for candidate in found]

    async def _attempt(self, place: Place, texts: Sequence[str], payer: Payer, seconds: float) -> list[list[float]]:
        tokens = sum(count(text, place.name) for text in texts)
        reservation = await self._reserved(place, tokens, payer)
        probes, places = place.enter(), place.supplier.places
        usage, problem, began = Usage(), "cancelled", self._means.clock.steady()
        try:
            async with asyncio.timeout(seconds):
                await places.take(payer.tenant)
                try:
                    usage = Usage(prompt=tokens, estimated=True)  # whatever becomes of it, the provider has read them
                    vectors, usage = await place.supplier.client.embed(place.name, texts)
                finally:
                    places.give_back()
            place.worked()
            problem = ""
            return [_unit(vector) for vector in vectors]
        except (ModelError, TimeoutError) as raised:
            error = raised if isinstance(raised, ModelError) else ModelBusy("no vectors in time")
            problem = type(error).__name__
            if error is raised and not isinstance(error, StreamBroken):
                usage = Usage()  # it was refused
            if error is raised or usage.prompt:
                place.failed(error, probes)
            else:
                place.leave(probes)  # it waited for one of our own places
            raise error from raised
        finally:
            if problem == "cancelled":
                place.leave(probes)
            self._means.settling.settle(reservation, self._entry(place, payer, usage, problem, began))

    async def _reserved(self, place: Place, tokens: int, payer: Payer) -> Reservation:
        most = math.ceil(tokens * MARGIN * place.model.price.input)
        asking = asyncio.ensure_future(self._means.books.reserve(payer, most))
        try:
            return await asyncio.shield(asking)
        except Spent as spent:
            raise no_answer("away", (), self._means.phrases, spent) from spent
        except asyncio.CancelledError:
            self._means.settling.spawn(self._give_back(asking, place, payer))
            raise

    async def _give_back(self, asking: asyncio.Future[Reservation], place: Place, payer: Payer) -> None:
        """Nobody waits for the vectors any more, but the money may have been set aside."""
        with contextlib.suppress(Spent):
            reservation = await asking
            entry = self._entry(place, payer, Usage(), "cancelled", self._means.clock.steady())
            await self._means.settling.written(reservation, entry)

    def _entry(self, place: Place, payer: Payer, usage: Usage, problem: str, began: float) -> UsageEntry:
        return UsageEntry(
            payer=payer,
            task="embed",
            provider=place.supplier.name,
            model=place.name,
            usage=usage,
            cost=place.model.price.of(usage),
            milliseconds=round((self._means.clock.steady() - began) * 1000, 1),
            problem=problem,
        )


def _unit(vector: Sequence[float]) -> list[float]:
    length = math.sqrt(sum(part * part for part in vector)) or 1.0
    return [part / length for part in vector]
