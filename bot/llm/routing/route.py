"""The way of one Ask along its route: whose turn it is now, who rests, and what to ask of them. Starts nothing."""

from __future__ import annotations

import math

import msgspec

from bot.errors import BadInquiry, ModelBusy, ModelError, StreamBroken
from bot.llm.routing.catalogue import Level
from bot.llm.routing.choosing import MARGIN, Candidate, choose, room, typical_price
from bot.llm.routing.shortening import shorter
from bot.llm.routing.supply import Place, Supply
from bot.llm.routing.weaving import going_on
from bot.llm.tokens import count_lines, count_tools
from bot.ports.llm import Ask
from bot.ports.models import Inquiry, Line, Params

TRIES = 3
"""So often one question is put to the same model."""

PAUSE = 0.25
"""Seconds before the same model is tried again; twice as long each time."""

CUT = 0.6
"""A prompt that is too long is cut to so much of its length."""

USUAL = 1.0
"""Seconds that first words are taken to need where too little is known."""

LEAST = 64
"""Tokens: an answer that may be no longer is not worth its money."""


class Route:
    """Who was tried how often, who is out of it, and how much of the question is left to read."""

    def __init__(self, ask: Ask, supply: Supply) -> None:
        self.ask, self._supply = ask, supply
        self.lines = ask.lines
        self.level: Level = "free"
        self.shortened = self._stuck = False
        self._tools = count_tools(ask.tools)
        self._tokens = supply.counts.of(ask.lines) + self._tools
        self._tries: dict[str, int] = {}
        self._not_before: dict[str, float] = {}
        self._over: set[str] = set()
        self._plan: list[Place] = []
        self._too_small: list[Place] = []
        self._look()

    @property
    def too_long(self) -> bool:
        """Whether nobody can answer because it is too long."""
        return self._stuck or (not self._plan and bool(self._too_small))

    @property
    def nobody(self) -> bool:
        """Whether there is no model that could do it at all."""
        return not self._plan and not self._too_small

    def descend(self, level: Level) -> None:
        """The payer's budgets are on this rung: cheaper models first, and on the last one less to read."""
        if level == self.level:
            return
        self.level = level
        if level == "shorter" and not self.shortened:
            self._shorten(int(self._tokens * CUT))
        self._look()

    def next(self, now: float, avoiding: Place | None = None) -> tuple[Place | None, float]:
        """Who is to be asked now, or in how many seconds somebody will be; infinity is never."""
        soonest = float("inf")
        second: Place | None = None
        for place in self._plan:
            if place.id in self._over or self._tries.get(place.id, 0) >= TRIES:
                continue
            wait = max(place.ready_in, self._not_before.get(place.id, 0.0) - now)
            if wait > 0:
                soonest = min(soonest, wait)
            elif place is avoiding:
                second = place
            else:
                return place, 0.0
        return second, 0.0 if second is not None else soonest

    def others(self, place: Place, now: float, left: float, *, stream: bool) -> bool:
        """Whether anybody else could be asked who usually begins to answer within `left` seconds."""
        return any(
            max(other.ready_in, self._not_before.get(other.id, 0.0) - now) + other.times(stream=stream).p95(USUAL)
            <= left
            for other in self._plan
            if other is not place and other.id not in self._over and self._tries.get(other.id, 0) < TRIES
        )

    def cheaper(self, than: Place, now: float) -> Place | None:
        """Somebody who costs less, ready now."""
        left = [p for p in self._plan if p.id not in self._over and p.ready_in <= 0]
        price = typical_price(than.model)
        found = [p for p in left if typical_price(p.model) < price and self._not_before.get(p.id, 0.0) <= now]
        return min(found, key=lambda p: typical_price(p.model), default=None)

    def tried(self, place: Place) -> None:
        """It is being asked."""
        self._tries[place.id] = self._tries.get(place.id, 0) + 1

    def failed(self, place: Place, error: ModelError, now: float) -> None:
        """What follows from its failure for this question."""
        if isinstance(error, BadInquiry) and error.too_long:
            if any(p.model.context > place.model.context and p.id not in self._over for p in self._plan):
                self._over |= {p.id for p in self._plan if p.model.context <= place.model.context}
                return
            if not self._shorten(int(min(self._tokens, place.model.context) * CUT)):
                self._over.add(place.id)
                self._stuck = True
                return
        elif not isinstance(error, ModelBusy | StreamBroken):
            self._over.add(place.id)
            return
        pause = PAUSE * 2 ** (self._tries.get(place.id, 1) - 1)
        self._not_before[place.id] = now + (0.0 if isinstance(error, BadInquiry) else pause)

    def inquiry(self, place: Place, *, stream: bool, prefix: str) -> Inquiry:
        """What to ask of it; the answer is to go on from `prefix`."""
        ask, given = self.ask, place.supplier.part.generation_params
        wanted = ask.params
        most = wanted.max_tokens or given.max_tokens
        most = min(most, place.model.output or most, max(1, room(place.model, self._tokens)))
        params = Params(
            max_tokens=most,
            temperature=given.temperature if wanted.temperature is None else wanted.temperature,
            top_p=given.top_p if wanted.top_p is None else wanted.top_p,
            seed=wanted.seed,
            stop=wanted.stop,
        )
        return Inquiry(
            model=place.name,
            lines=going_on(self.lines, prefix),
            tools=ask.tools,
            tool_choice=ask.tool_choice,
            schema=ask.schema,
            params=params,
            stream=stream and given.stream,
        )

    def tokens(self, place: Place, prefix: str) -> int:
        """About how many tokens the model reads. Long prompts take long to count: it is done once for all models."""
        more = count_lines(going_on((), prefix)) if prefix else 0
        return math.ceil((self._tokens + more) * place.fineness)

    def most(self, inquiry: Inquiry, place: Place, prefix: str) -> int:
        """The highest cost that this attempt may have, in millionths."""
        price = place.model.price
        if not price.input and not price.output:
            return 0
        prompt = int(self.tokens(place, prefix) * MARGIN) + 1
        output = inquiry.params.max_tokens or 0
        return int(prompt * price.input + output * price.output) + 1

    def afford(self, inquiry: Inquiry, place: Place, prefix: str, held: int) -> Inquiry | None:
        """The inquiry with as long an answer as `held` millionths pay for; None where that is hardly any."""
        over = self.most(inquiry, place, prefix) - held
        if over <= 0:
            return inquiry
        wanted, price = inquiry.params.max_tokens or 0, place.model.price.output
        left = wanted - math.ceil(over / price) if price else 0
        if left < min(LEAST, wanted):
            return None
        return msgspec.structs.replace(inquiry, params=msgspec.structs.replace(inquiry.params, max_tokens=left))

    def _shorten(self, tokens: int) -> bool:
        """Have less read; False when nothing more can go."""
        lines = shorter(self.lines, tokens)
        if lines == self.lines:
            return False
        self._shortened(lines)
        self._look()
        return True

    def _shortened(self, lines: tuple[Line, ...]) -> None:
        self.lines, self.shortened = lines, True
        self._tokens = self._supply.counts.of(lines) + self._tools

    def _look(self) -> None:
        if not self._supply.there:
            return
        choice = choose(self._supply.catalogue, self.ask, self._tokens, self.level)
        if not choice.candidates and choice.too_small:
            largest = max(self._place(candidate).model.context for candidate in choice.too_small)
            lines: tuple[Line, ...] = shorter(self.lines, int(largest * CUT) - self._tools)
            if lines != self.lines:
                self._shortened(lines)
                choice = choose(self._supply.catalogue, self.ask, self._tokens, self.level)
        self._plan = [self._place(candidate) for candidate in choice.candidates]
        self._too_small = [self._place(candidate) for candidate in choice.too_small]

    def _place(self, candidate: Candidate) -> Place:
        return self._supply.place(candidate.provider, candidate.model)
