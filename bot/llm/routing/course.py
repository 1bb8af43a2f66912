"""The course of one Ask: attempts one after the other or side by side, until there is an answer or an honest end.

Everything that happens arrives in one queue: pieces, failures, and the bells of clocks. So there is one loop, and who
closes it ends everything that was begun. Knows no vendor.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Coroutine
from dataclasses import dataclass
from typing import Any

import msgspec
import structlog

from bot.errors import ContentRefused, ModelBusy, ModelError, NoAnswer, StreamBroken
from bot.llm.routing.attempt import Attempt, TooSlow
from bot.llm.routing.ending import Why, answered, no_answer
from bot.llm.routing.launching import Launcher
from bot.llm.routing.means import Means
from bot.llm.routing.route import Route
from bot.llm.routing.supply import Place
from bot.llm.routing.weaving import Weave
from bot.llm.spending.books import Spent
from bot.ports.llm import Answer, Ask, Chunk
from bot.ports.models import CallPiece, Finished, Piece, Thinking, Words

log = structlog.get_logger()

MOST_ATTEMPTS = 8

LAST_WORD = 0.05
"""Of the deadline, so much is kept for engines of the house, where one has the task."""

ENGINE = 1.0
"""Seconds that an engine of the house has at least, even where models used up the deadline."""


@dataclass(frozen=True)
class _Bell:
    """A clock rang."""

    what: str
    attempt: Attempt | None = None


@dataclass(frozen=True)
class _Came:
    """An attempt said something, or failed."""

    attempt: Attempt
    what: Piece | ModelError


@dataclass(frozen=True)
class _Denied:
    """There was no money for an attempt at this place; without `spent` the books could not be asked."""

    place: Place
    spent: Spent | None


_Event = _Bell | _Came | _Denied


class Course:
    """Made for one Ask; `run` may be called once."""

    def __init__(self, ask: Ask, means: Means, *, stream: bool) -> None:
        self._ask, self._means, self._stream = ask, means, stream
        self._route = Route(ask, means.supply)
        self._events: asyncio.Queue[_Event] = asyncio.Queue()
        self._tasks: set[asyncio.Task[None]] = set()
        self._running: dict[Attempt, asyncio.Task[None]] = {}
        self._pending = 0
        self._launcher = Launcher(ask, means, self._route)
        self._ended: list[Attempt] = []
        self._launched = 0
        self._refused = self._late = False
        self._spent: Spent | None = None
        self._leader: Attempt | None = None
        self._hedged = False
        self._weave = Weave()
        self._began = means.clock.steady()

    async def run(self) -> AsyncGenerator[Chunk, None]:
        """The answer as it comes; the last chunk has all of it. Raises NoAnswer."""
        left = self._ask.deadline
        if self._means.engines.have(self._ask.task):
            left *= 1 - LAST_WORD
        try:
            self._ring_in(left, _Bell("deadline"))
            self._launch()
            while (why := self._why) is None:
                for chunk in self._heard(await self._events.get()):
                    yield chunk
                    if chunk.answer is not None:
                        return
            last, problem = await self._without(why)
            if last is not None:
                yield last
            if problem is not None:
                raise problem
        finally:
            self._end()

    # --- events

    @property
    def _why(self) -> Why | None:
        """Why no model will answer; None while one still may."""
        if self._refused:
            return "refused"
        if self._late:
            return "slow"
        return None if self._running or self._pending or not self._events.empty() else "away"

    def _heard(self, event: _Event) -> list[Chunk]:
        match event:
            case _Bell(what="again"):
                self._pending -= 1
                if not self._running:
                    self._launch()
            case _Bell(what="deadline"):
                self._late = True
            case _Bell(what="hedge"):
                self._hedge()
            case _Bell(what="watch", attempt=Attempt() as attempt):
                self._watch(attempt)
            case _Denied(place=place, spent=spent):
                self._denied(place, spent)
            case _Came(attempt=attempt) if attempt not in self._running:
                pass  # it was given up while this was on its way
            case _Came(attempt=attempt, what=ModelError() as error):
                self._failed(attempt, error)
            case _Came(attempt=attempt, what=what) if not isinstance(what, ModelError):
                return self._said(attempt, what)
        return []

    def _said(self, attempt: Attempt, piece: Piece) -> list[Chunk]:
        if isinstance(piece, Thinking):
            return []  # it is at work, but another one may still be first
        if self._leader is None:
            self._lead(attempt)
        if attempt is not self._leader:
            return []
        match piece:
            case Words(text=text):
                chunk = self._weave.add(text)
                return [chunk] if chunk is not None else []
            case Finished(reason="content"):
                self._failed(attempt, ContentRefused("the provider's filter stopped the answer"))
            case Finished(reason=reason):
                return self._finished(attempt, reason)
            case CallPiece():
                pass
        return []

    def _finished(self, attempt: Attempt, reason: Any) -> list[Chunk]:
        if not attempt.words.strip() and not attempt.calls:
            self._failed(attempt, ModelBusy("it said nothing"))
            return []
        last = self._weave.end()
        self._settle(attempt)
        self._stop_others()
        answer = answered(attempt, self._ended, self._weave.shown, reason)
        return [*([last] if last is not None else []), Chunk(answer=answer)]

    def _failed(self, attempt: Attempt, error: ModelError) -> None:
        """An attempt ended without an answer: who is next?"""
        attempt.problem = attempt.problem or f"{type(error).__name__}: {error}"
        self._settle(attempt)
        if attempt is self._leader:
            self._leader = None
        if isinstance(error, ContentRefused) and self._means.supply.catalogue.route(self._ask.task).refused == "stop":
            self._refused = True
            return
        self._route.failed(attempt.place, error, self._means.clock.steady())
        if not self._running and not self._pending:
            self._launch()

    def _denied(self, place: Place, spent: Spent | None) -> None:
        """A budget stands in the way: somebody cheaper may still fit in."""
        self._pending -= 1
        if spent is None:
            self._launched = MOST_ATTEMPTS
            return
        if self._running:
            return  # it was a second request: whoever runs may still fail, and somebody else be paid for then
        cheaper = self._route.cheaper(place, self._means.clock.steady()) if self._spent is None else None
        self._spent = spent
        if cheaper is not None:
            self._begin(cheaper)

    # --- beginning and ending attempts

    def _launch(self) -> None:
        """Ask the next one, or wait until somebody may be asked."""
        if self._launched >= MOST_ATTEMPTS or self._spent is not None:
            return
        place, wait = self._route.next(self._means.clock.steady())
        if place is not None:
            self._begin(place)
        elif wait < self._ask.deadline - (self._means.clock.steady() - self._began):
            self._pending += 1
            self._ring_in(wait, _Bell("again"))

    def _begin(self, place: Place) -> None:
        self._launched += 1
        self._pending += 1
        self._route.tried(place)
        probes = place.enter()
        self._do(self._attempt(place, probes))

    async def _attempt(self, place: Place, probes: tuple[bool, bool]) -> None:
        """Set the money aside, then ask."""
        prefix = self._prefix
        try:
            attempt = await self._launcher.ready(place, probes, stream=self._stream, prefix=prefix)
        except Spent as spent:
            self._events.put_nowait(_Denied(place, spent))
            return
        if attempt is None:
            self._events.put_nowait(_Denied(place, None))
            return
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - a coroutine that runs has one
        self._pending -= 1
        if self._leader is not None:
            attempt.overtaken()  # while its money was set aside, the other one began to speak
            self._settle(attempt)
            return
        self._running[attempt] = task
        if len(self._running) == 1:
            self._weave.begin(prefix)
        self._clocks(attempt)
        await attempt.run(lambda what: self._events.put_nowait(_Came(attempt, what)))

    def _clocks(self, attempt: Attempt) -> None:
        """A second request after the usual time; and an end to patience."""
        hedging = self._means.supply.catalogue.hedging
        if self._launched == 1:
            self._means.credit.earn()
        if not self._hedged and hedging.share:
            usual = attempt.place.times(stream=attempt.inquiry.stream).p95(hedging.after)
            self._ring_in(usual, _Bell("hedge", attempt))
        limit = min(self._patience(attempt), attempt.place.model.silence)
        self._ring_in(limit, _Bell("watch", attempt))

    def _hedge(self) -> None:
        """The first one is slower than 95 of 100: ask another one too, if that is paid for."""
        waiting = next(iter(self._running), None)
        if self._hedged or self._leader is not None or len(self._running) != 1 or self._pending or waiting is None:
            return
        if waiting.begun:
            return  # it thinks: a second one would have to think, too
        place, _ = self._route.next(self._means.clock.steady(), waiting.place)
        if place is None or (place is waiting.place and place.supplier.places.full) or not self._means.credit.spend():
            return
        self._hedged = True
        self._begin(place)

    def _watch(self, attempt: Attempt) -> None:
        """Nothing came for too long: give it up if somebody else can be asked, or if it had begun."""
        if attempt not in self._running:
            return
        limit = attempt.place.model.silence if attempt.begun else self._patience(attempt)
        silent = self._means.clock.steady() - attempt.last
        if silent < limit:
            self._ring_in(limit - silent, _Bell("watch", attempt))
            return
        if not attempt.begun and not self._others(attempt) and len(self._running) == 1:
            # Nobody else could answer in time: better late than never.
            self._ring_in(attempt.place.model.silence, _Bell("watch", attempt))
            return
        error = StreamBroken("it fell silent") if attempt.begun else TooSlow("no first word")
        attempt.judge(error)
        self._running[attempt].cancel()
        self._failed(attempt, error)

    def _others(self, attempt: Attempt) -> bool:
        now = self._means.clock.steady()
        left = self._ask.deadline - (now - self._began)
        return self._route.others(attempt.place, now, left, stream=attempt.inquiry.stream)

    def _patience(self, attempt: Attempt) -> float:
        return attempt.place.patience(stream=attempt.inquiry.stream)

    def _lead(self, attempt: Attempt) -> None:
        """The first one to say anything gives the answer; the other is let go."""
        self._leader = attempt
        for other in [one for one in self._running if one is not attempt]:
            self._cancel(other)

    def _stop_others(self) -> None:
        for attempt in list(self._running):
            self._cancel(attempt)

    def _cancel(self, attempt: Attempt) -> None:
        task = self._running.pop(attempt)
        attempt.overtaken()
        task.cancel()
        self._settle(attempt)

    def _settle(self, attempt: Attempt) -> None:
        """What it used goes into the books, once, whoever still listens."""
        self._running.pop(attempt, None)
        if attempt in self._ended:
            return
        self._ended.append(attempt)
        self._means.settling.settle(attempt.reservation, attempt.entry())

    def _end(self) -> None:
        self._stop_others()
        for task in self._tasks:
            task.cancel()

    # --- ends

    @property
    def _prefix(self) -> str:
        """What the next attempt goes on from."""
        plain = self._ask.schema is None and not any(attempt.calls for attempt in self._ended)
        return self._weave.prefix if plain and self._leader is None else ""

    async def _without(self, why: Why) -> tuple[Chunk | None, NoAnswer | None]:
        """No model answers: an engine of the house does, or one honest sentence."""
        self._stop_others()
        offline = await self._by_the_house() if why != "refused" else None
        shown = self._weave.shown
        if offline is not None:
            attempts = tuple(one.told() for one in self._ended)
            answer = msgspec.structs.replace(offline, attempts=attempts, cost=sum(one.cost for one in self._ended))
            return Chunk(text=offline.text, anew=bool(shown), answer=answer), None
        if why == "away":
            why = "too long" if self._route.too_long else "nobody" if self._route.nobody else "away"
        problem = no_answer(why, self._ended, self._means.phrases, self._spent)
        return Chunk(anew=True) if shown else None, problem  # half an answer is none

    async def _by_the_house(self) -> Answer | None:
        """What an engine says within what is left of the deadline, but a second at least; None when it takes longer."""
        clock = self._means.clock
        left = max(ENGINE, self._ask.deadline - (clock.steady() - self._began))
        answering = asyncio.ensure_future(self._means.engines.answer(self._ask))
        time = asyncio.ensure_future(clock.sleep(left))
        try:
            await asyncio.wait({answering, time}, return_when=asyncio.FIRST_COMPLETED)
            if answering.done():
                return answering.result()
            log.warning("engine_too_slow", task=self._ask.task)
            return None
        finally:
            answering.cancel()
            time.cancel()

    # --- clocks

    def _ring_in(self, seconds: float, bell: _Bell) -> None:
        async def ring() -> None:
            await self._means.clock.sleep(max(0.0, seconds))
            self._events.put_nowait(bell)

        self._do(ring())

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
