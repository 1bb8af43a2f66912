"""What a handler's run may ask of the turn that it works for. The engine implements it, once per turn."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping

from bot.channel import Entry
from bot.clock import Clock
from bot.errors import NoAnswer
from bot.llm.models import Models
from bot.messages import Due, Message
from bot.people import Conversation
from bot.phrases import ENGLISH, Phrases
from bot.ports.llm import Answer
from bot.replies import Reply


class Host(ABC):
    """One turn, as a run sees it. What is emitted waits until the turn commits or `flush` is called.

    `forms` says that the person's channel shows several questions together; `shared` that others read along; `touched`
    that a step of this turn may have changed something in the world.
    """

    forms: bool = False
    shared: bool = False
    phrases: Phrases = ENGLISH
    touched: bool = False

    message: Message
    conversation: Conversation
    clock: Clock
    models: Models

    @abstractmethod
    def say(self, key: str, reply: Reply) -> None:
        """Hold a reply for the next commit."""

    @abstractmethod
    def remember(self, key: str, value: bytes | None) -> None:
        """Hold a fact about the person for the next commit."""

    @abstractmethod
    def schedule(self, key: str, at: float, due: Due) -> None:
        """Hold a timer for the next commit."""

    @abstractmethod
    def hand_off(self, queue: str, reason: str, facts: Mapping[str, str]) -> None:
        """Hold the request for a person for the next commit."""

    @abstractmethod
    def holds_words(self) -> bool:
        """Whether there is anything to say that was not committed yet."""

    @abstractmethod
    async def flush(self) -> None:
        """Commit journals and emissions now. Raises Evicted when the lane is no longer ours."""

    @abstractmethod
    async def recall(self, key: str) -> bytes | None:
        """A fact about the person, those of this turn included."""

    @abstractmethod
    async def recall_all(self, beginning: str) -> dict[str, bytes]:
        """The facts about the person under keys that begin like this, those of this turn included."""

    @abstractmethod
    async def history(self, limit: int) -> list[Entry]:
        """The last lines of the transcript, oldest first."""

    @abstractmethod
    async def draft(self, key: str, text: str) -> None:
        """Show a reply that is being made, where the channel can."""

    @abstractmethod
    async def read(self, url: str, largest: int) -> bytes:
        """A file that came in, of at most so many bytes. Raises Rejected or NotSent."""

    @abstractmethod
    def inquired(self, task: str, answer: Answer | NoAnswer) -> None:
        """A model was asked: for the trace."""

    @abstractmethod
    def stepped(self, name: str, milliseconds: float, problem: str) -> None:
        """A step was run: for the trace."""

    @abstractmethod
    def noted(self, note: str) -> None:
        """Something worth knowing when the turn is explained: for the trace. Never anybody's words."""
