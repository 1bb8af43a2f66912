"""Makes an attempt ready: sets its money aside, and obeys the rung of the payer's budgets. Waits for no answer."""

from __future__ import annotations

import asyncio
import contextlib

import structlog

from bot.llm.routing.attempt import NO_PROBES, Attempt
from bot.llm.routing.means import Means
from bot.llm.routing.route import Route
from bot.llm.routing.supply import Place
from bot.llm.spending.books import Reservation, Spent
from bot.ports.llm import Ask, Rung
from bot.ports.models import Inquiry

log = structlog.get_logger()

Probes = tuple[bool, bool]


class Launcher:
    """For the attempts of one Ask along its route."""

    def __init__(self, ask: Ask, means: Means, route: Route) -> None:
        self._ask, self._means, self._route = ask, means, route

    async def ready(self, place: Place, probes: Probes, *, stream: bool, prefix: str) -> Attempt | None:
        """An attempt whose money is set aside; at another place where the budgets say so.

        Raises Spent. None when the books could not be asked: then nobody may spend anything.
        """
        inquiry = self._route.inquiry(place, stream=stream, prefix=prefix)
        held = self._route.most(inquiry, place, prefix)
        reservation = await self._reserved(place, held, probes)
        if reservation is None:
            return None
        if reservation.level != self._route.level:
            self._route.descend(reservation.level)
            other, fitting = self._on_its_rung(place, held, stream=stream, prefix=prefix)
            if other is not place:
                place.leave(probes)
                self._route.tried(other)
                place, probes = other, other.enter()
            inquiry = fitting or inquiry
        return Attempt(
            place,
            inquiry,
            self._ask,
            self._means.clock,
            tokens=self._route.tokens(place, prefix),
            reservation=reservation,
            rung=self._rung,
            probes=probes,
        )

    @property
    def _rung(self) -> Rung:
        if self._route.level == "shorter" or (self._route.level == "free" and self._route.shortened):
            return "shorter"
        return "cheaper" if self._route.level == "cheaper" else "model"

    async def _reserved(self, place: Place, most: int, probes: Probes) -> Reservation | None:
        asking = asyncio.ensure_future(self._means.books.reserve(self._ask.payer, most))
        try:
            return await asyncio.shield(asking)
        except Spent:
            place.leave(probes)
            raise
        except asyncio.CancelledError:
            place.leave(probes)
            self._means.settling.spawn(self._give_back(asking, place))
            raise
        except Exception as error:
            log.error("books_not_reached", error=type(error).__name__)
        place.leave(probes)
        return None

    async def _give_back(self, asking: asyncio.Future[Reservation], place: Place) -> None:
        """Nobody listens any more, but the money may have been set aside."""
        with contextlib.suppress(Spent):
            reservation = await asking
            unmade = self._route.inquiry(place, stream=False, prefix="")
            attempt = Attempt(
                place,
                unmade,
                self._ask,
                self._means.clock,
                tokens=0,
                reservation=reservation,
                rung="model",
                probes=NO_PROBES,
            )
            attempt.overtaken()
            await self._means.settling.written(reservation, attempt.entry())

    def _on_its_rung(self, place: Place, held: int, *, stream: bool, prefix: str) -> tuple[Place, Inquiry | None]:
        """Somebody cheaper takes the place of the one that was chosen, for no more money than was set aside."""
        cheaper = self._route.cheaper(place, self._means.clock.steady()) if self._route.level != "free" else None
        for one in (cheaper, place):
            if one is not None:
                inquiry = self._route.inquiry(one, stream=stream, prefix=prefix)
                fitting = self._route.afford(inquiry, one, prefix, held)
                if fitting is not None:
                    return one, fitting
        return place, None
