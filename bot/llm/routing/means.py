"""What answering one Ask needs of the house. Knows no Ask."""

from __future__ import annotations

from dataclasses import dataclass

from bot.clock import Clock
from bot.llm.offline import Engines
from bot.llm.routing.latency import Credit
from bot.llm.routing.settling import Settling
from bot.llm.routing.supply import Supply
from bot.llm.spending.books import Books
from bot.phrases import Phrases


@dataclass(frozen=True)
class Means:
    """The same for every course. `settling` writes down what was used, although nobody waits for it."""

    supply: Supply
    books: Books
    clock: Clock
    engines: Engines
    phrases: Phrases
    credit: Credit
    settling: Settling
