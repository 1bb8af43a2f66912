"""One attempt at one model: waits for its place, passes on what comes, and always settles what was used."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import aclosing

import structlog

from bot.clock import Clock
from bot.errors import ModelBusy, ModelError, StreamBroken
from bot.llm.routing.supply import Place
from bot.llm.spending.books import Reservation, UsageEntry
from bot.llm.tokens import count
from bot.ports.llm import Ask, Rung
from bot.ports.llm import Attempt as Told
from bot.ports.models import CallPiece, Finished, Inquiry, Piece, Thinking, ToolCall, Usage, Words

log = structlog.get_logger()

NO_PROBES = (False, False)

SLOW = 3.0
"""Whoever was overtaken after so many seconds (and twice its usual time) failed, even if it would have answered."""

PACE = 20.0
"""Tokens a second that a model is taken to make unseen: a slow one's; hosted ones make 20 to 100."""


class Attempt:
    """Runs in a task of its own. `post` gets each piece, or the error that ended it."""

    def __init__(
        self,
        place: Place,
        inquiry: Inquiry,
        ask: Ask,
        clock: Clock,
        *,
        tokens: int,
        reservation: Reservation,
        rung: Rung,
        probes: tuple[bool, bool],
    ) -> None:
        self.place, self.inquiry, self.rung, self.reservation = place, inquiry, rung, reservation
        self._ask, self._clock, self._tokens = ask, clock, tokens
        self.began = self.last = clock.steady()
        self.probes = probes
        self.problem = ""
        self._took = 0.0
        self.usage = Usage()
        self._text: list[str] = []
        self._thoughts: list[str] = []
        self._calls: dict[int, CallPiece] = {}
        self._reached = self._judged = False
        self._finished: Finished | None = None

    # --- while it runs

    async def run(self, post: Callable[[Piece | ModelError], None]) -> None:
        """To its end. Never raises but when it is cancelled."""
        places = self.place.supplier.places
        try:
            await places.take(self._ask.payer.tenant)
            try:
                self.began = self.last = self._clock.steady()
                async with aclosing(self.place.supplier.client.inquire(self.inquiry)) as pieces:
                    self._reached = True
                    async for piece in pieces:
                        self._hear(piece)
                        post(piece)
                if self._finished is None:
                    raise StreamBroken("it ended without saying that it is complete")
            finally:
                places.give_back()
        except ModelError as error:
            self.judge(error)
            post(error)
        except Exception as error:
            # Of an adapter's mistakes people must not notice more than of a provider's.
            log.exception("provider_adapter_failed", model=self.place.id)
            self.judge(ModelBusy(type(error).__name__))
            post(ModelBusy(f"the adapter failed: {type(error).__name__}"))
        except asyncio.CancelledError:
            self.overtaken()
            raise

    def judge(self, error: ModelError) -> None:
        """It failed with this; what it used is known now."""
        if self._judged:
            return
        self._judge(f"{type(error).__name__}: {error}")
        if isinstance(error, TooSlow) and not self._reached:
            self.place.leave(self.probes)  # it waited for one of our own places
            return
        refused = not self.begun and not isinstance(error, StreamBroken)
        self.usage = Usage() if refused and not isinstance(error, TooSlow) else self._estimate()
        self.place.failed(error, self.probes)

    def _hear(self, piece: Piece) -> None:
        self.last = self._clock.steady()
        if not self.begun:
            self.place.times(stream=self.inquiry.stream).add(self.last - self.began)
        match piece:
            case Words(text=text):
                self._text.append(text)
            case Thinking(text=text):
                self._thoughts.append(text)
            case CallPiece(index=index):
                self._calls[index] = _joined(self._calls.get(index), piece)
            case Finished():
                self._finished = piece
                self._judge("")
                said = piece.usage
                self.usage = said if said.prompt or said.completion else self._estimate()
                self.place.worked()

    def overtaken(self) -> None:
        """It was cancelled: another one was faster, or nobody listens any more."""
        if self._judged:
            return
        self._judge("cancelled")
        self.usage = self._estimate() if self._reached else Usage()
        usual = self.place.times(stream=self.inquiry.stream).p95(SLOW)
        if self._reached and not self.begun and self._clock.steady() - self.began > max(SLOW, 2 * usual):
            self.place.failed(ModelBusy("slow"), self.probes)
        else:
            self.place.leave(self.probes)

    def _judge(self, problem: str) -> None:
        self._judged, self.problem = True, problem
        self._took = round((self._clock.steady() - self.began) * 1000, 1)

    def _estimate(self) -> Usage:
        """What it must have used, where the provider did not say: never more than was held for it.

        One of which nothing came may have thought unheard, or made an answer that is sent as a whole: then as much as
        a model makes in that time.
        """
        model = self.inquiry.model
        said = self.words + "".join(call.name + call.arguments for call in self._calls.values())
        made = count(said + "".join(self._thoughts), model)
        if not self.begun:
            made = int((self._clock.steady() - self.began) * PACE)
        most = self.inquiry.params.max_tokens or made
        return Usage(prompt=self._tokens, completion=min(made, most), estimated=True)

    # --- what came of it

    @property
    def begun(self) -> bool:
        """Whether anything came of it, be it a thought."""
        return bool(self._text or self._calls or self._thoughts)

    @property
    def spoke(self) -> bool:
        """Whether anything of an answer came."""
        return bool(self._text or self._calls)

    @property
    def words(self) -> str:
        """What it said so far."""
        return "".join(self._text)

    @property
    def calls(self) -> tuple[ToolCall, ...]:
        """The calls that it wants."""
        return tuple(
            ToolCall(id=call.id or f"call_{index}", name=call.name, arguments=call.arguments or "{}")
            for index, call in sorted(self._calls.items())
        )

    @property
    def cost(self) -> int:
        """In millionths; 0 until it ended."""
        return self.place.model.price.of(self.usage)

    def told(self) -> Told:
        """For the trace."""
        return Told(
            provider=self.place.supplier.name,
            model=self.place.name,
            milliseconds=self._took,
            problem=self.problem,
        )

    def entry(self) -> UsageEntry:
        """For the books."""
        return UsageEntry(
            payer=self._ask.payer,
            task=self._ask.task,
            prompt=self._ask.prompt,
            provider=self.place.supplier.name,
            model=self.place.name,
            usage=self.usage,
            cost=self.cost,
            milliseconds=self._took,
            problem=self.problem,
            rung=self.rung,
        )


class TooSlow(ModelBusy):
    """It was given up because nothing came for too long: it may be at work all the same, and be paid for."""


def _joined(call: CallPiece | None, piece: CallPiece) -> CallPiece:
    if call is None:
        return piece
    return CallPiece(
        index=call.index,
        id=call.id or piece.id,
        name=call.name or piece.name,
        arguments=call.arguments + piece.arguments,
    )
