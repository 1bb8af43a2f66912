"""What language models cost, by person, skill, tenant, model and day: reserved before a call, settled after it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Literal

from bot.errors import FrontdeskError
from bot.messages import Value
from bot.ports.llm import Payer, Rung
from bot.ports.models import Usage


class Spent(FrontdeskError):
    """A budget stands in the way; `sentence` is for the person, `rung` what the budget says to do instead."""

    def __init__(self, problem: str, *, rung: Literal["canned", "person"], sentence: str) -> None:
        self.rung, self.sentence = rung, sentence
        super().__init__(problem)


class Reservation(Value, frozen=True):
    """Money that is set aside for one attempt; `level` is the rung that the payer's budgets are on now."""

    id: str
    level: Literal["free", "cheaper", "shorter"] = "free"


class UsageEntry(Value, frozen=True):
    """What one attempt really used; `cost` in millionths, `problem` empty when it worked."""

    at: float
    payer: Payer
    task: str
    prompt: str
    provider: str
    model: str
    usage: Usage
    cost: int
    milliseconds: float
    problem: str = ""
    rung: Rung = "model"


class Books(ABC):
    """Where reservations and usage are kept."""

    @abstractmethod
    async def reserve(self, payer: Payer, task: str, most: int) -> Reservation:
        """Set `most` millionths aside for one attempt. Raises Spent."""

    @abstractmethod
    async def settle(self, reservation: Reservation, entry: UsageEntry) -> None:
        """What it really cost; always called, also after failures and cancellation."""


class OpenBooks(Books):
    """Without budgets and without memory: everything may be spent."""

    async def reserve(self, payer: Payer, task: str, most: int) -> Reservation:
        """It may."""
        return Reservation(id="")

    async def settle(self, reservation: Reservation, entry: UsageEntry) -> None:
        """Nobody asks."""
